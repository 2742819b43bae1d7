"""What a group's administrators can set in the panel, and the policy that it makes. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, Action, Policy, Rule

NARROWEST, WIDEST = 0.05, 0.95  # thresholds that can be set
STEP = 0.05  # of «stricter» and «milder»


class Warning(StrEnum):
    """How an author is told that a message broke the rules."""

    PRIVATE = "private"  # seen by the author alone where the server can, else as PUBLIC
    PUBLIC = "public"  # a short message in the group that removes itself
    NONE = "none"


class Override(BaseModel):
    """What a group wants otherwise than its preset, for one category."""

    model_config = ConfigDict(frozen=True)

    threshold: float | None = Field(default=None, ge=NARROWEST, le=WIDEST)
    action: Action | None = None  # NONE: the category is allowed


class Preferences(BaseModel):
    """A group's preferences. Unknown names of a newer version are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    preset: Literal["observe", "soft", "standard", "strict"] = "standard"
    overrides: Mapping[Category, Override] = Field(default_factory=dict)
    newcomer_hours: int = Field(default=24, ge=0, le=24 * 30)  # 0: newcomers are as all others
    newcomer_shift: float = Field(default=0.1, ge=0, le=0.3)  # their thresholds are lower by this
    strike_days: int = Field(default=7, ge=1, le=365)
    mute_after: int = Field(default=3, ge=0, le=20)  # strikes that still count; 0: never
    ban_after: int = Field(default=0, ge=0, le=50)
    mute_hours: int | None = Field(default=None, ge=1, le=24 * 366)  # None: the operator's setting
    warning: Warning = Warning.PRIVATE
    restores: bool = True  # the text of a wrong deletion stands in the group again, as a quote
    observe_until: datetime | None = None
    exempt: tuple[int, ...] = ()  # people who are never judged
    language: Literal["ru", "en"] = "ru"
    retention_days: int = Field(default=30, ge=1, le=365)
    memory_days: int = Field(default=30, ge=0, le=365)  # a verdict on the same words counts so long
    audit_share: float = Field(default=0.01, ge=0, le=0.2)  # of passed messages, see accuracy.py
    reviews_a_day: int = Field(default=30, ge=1, le=500)  # of each moderator

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Preferences":
        """From what the database holds; a field that can't be used has its default."""
        try:
            return cls.model_validate(stored)
        except ValidationError as error:
            bad = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
            return cls.model_validate({k: v for k, v in stored.items() if k not in bad})

    def stored(self) -> dict[str, Any]:
        """As the database holds it: only what was set."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def policy(self, moment: datetime, *, is_newcomer: bool = False) -> Policy:
        """The policy at a moment, for a newcomer or for the others."""
        shift = self.newcomer_shift if is_newcomer else 0.0
        rules: dict[Category, Rule] = {
            c: rule for c in TOXIC if (rule := self._rule(c, shift)) is not None
        }
        observes = self.observe_until is not None and moment < self.observe_until
        return Policy(rules, dry_run=observes or PRESETS[self.preset].dry_run)

    def rule(self, category: Category) -> Rule | None:
        """The rule for a category; None if it is allowed."""
        return self._rule(category, 0.0)

    def is_newcomer(self, joined_at: datetime | None, moment: datetime) -> bool:
        """Whether somebody who joined then is still a newcomer; unknown joined long ago."""
        return joined_at is not None and moment - joined_at < timedelta(hours=self.newcomer_hours)

    def _rule(self, category: Category, shift: float) -> Rule | None:
        override = self.overrides.get(category, Override())
        rule = PRESETS[self.preset].rules.get(category)
        if override.action is Action.NONE or (rule is None and override == Override()):
            return None
        # A category that the preset allows has the standard one's numbers.
        rule = rule or PRESETS["standard"].rules[category]
        threshold = override.threshold or rule.threshold
        band = rule.threshold - rule.review
        # Rounded, for .9 - .2 is a little more than .7.
        threshold = max(round(threshold - shift, 4), NARROWEST)
        action = override.action or rule.action
        return Rule(threshold, action, max(round(threshold - band, 4), 0.0))


def climb(action: Action, strikes: int, preferences: Preferences) -> Action:
    """The action for a message whose author has `strikes` that count, this one among them."""
    if action < Action.WARN:
        return action
    if preferences.ban_after and strikes >= preferences.ban_after:
        return Action.BAN
    if preferences.mute_after and strikes >= preferences.mute_after:
        return max(action, Action.MUTE)
    return action
