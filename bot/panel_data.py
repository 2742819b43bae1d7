"""What the panel's buttons carry, and the values that they can set. All of it can be forged."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

from bot.review import Id
from moderation import changes
from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, Action
from moderation.preferences import NARROWEST, STEP, WIDEST, Preferences, Warning

LOWEST, HIGHEST, STEPS = (round(number * 100) for number in (NARROWEST, WIDEST, STEP))

Hundredths = Annotated[int, Field(ge=LOWEST, le=HIGHEST)]
ActionNumber = Annotated[int, Field(ge=min(Action), le=max(Action))]
CategoryNumber = Annotated[int, Field(ge=0, lt=len(TOXIC))]

# The values of a field by the numbers that stand for them in a button. A timedelta is from now on.
CHOICES: Mapping[str, Mapping[int, Any]] = {
    "preset": dict(enumerate(PRESETS)),
    "newcomer_hours": {n: n for n in (0, 1, 24, 72, 168)},
    "newcomer_shift": {n: n / 100 for n in (5, 10, 15, 20, 30)},
    "strike_days": {n: n for n in (1, 7, 30, 90)},
    "mute_after": {n: n for n in (0, 2, 3, 5, 10)},
    "ban_after": {n: n for n in (0, 3, 5, 10, 20)},
    "mute_hours": {0: None} | {n: n for n in (1, 6, 24, 72, 168)},
    "warning": dict(enumerate(Warning)),
    "restores": {0: False, 1: True},
    "observe_until": {0: None} | {n: timedelta(days=n) for n in (1, 3, 7)},
    "language": {0: "ru", 1: "en"},
    "retention_days": {n: n for n in (7, 30, 90, 365)},
    "memory_days": {n: n for n in (0, 7, 30, 90)},
    "audit_share": {n: n / 1000 for n in (0, 5, 10, 20)},
    "reviews_a_day": {n: n for n in (10, 30, 100)},
}
# The screens of several fields; every other field has a screen of its own.
FOLDERS: Mapping[str, tuple[str, ...]] = {
    "newcomers": ("newcomer_hours", "newcomer_shift"),
    "ladder": ("strike_days", "mute_after", "ban_after", "mute_hours"),
    "keeping": ("retention_days", "memory_days"),
    "checks": ("audit_share", "reviews_a_day"),
}
# The buttons of the main screen.
SECTIONS = (
    "preset",
    "categories",
    "newcomers",
    "ladder",
    "warning",
    "restores",
    "observe_until",
    "exempt",
    "language",
    "keeping",
    "checks",
    "history",
)
SCREENS = frozenset({"main", "groups", *SECTIONS, *FOLDERS, *CHOICES})
MAX_EXEMPT = 50  # as many as fit in a message with a button each


class Open(CallbackData, prefix="so"):
    """A button that shows a screen."""

    chat: Id
    screen: str


class Put(CallbackData, prefix="sp"):
    """A button that sets a field; not `sure`: shows first what that would change."""

    chat: Id
    field: str
    value: Id
    sure: bool = True


class Draft(CallbackData, prefix="sd"):
    """A button of a category's screen: the rule as it would be, nothing for as it is."""

    chat: Id
    category: CategoryNumber
    threshold: Hundredths | None = None
    action: ActionNumber | None = None
    save: bool = False


def parent(screen: str) -> str:
    """The screen that one comes from."""
    return next((folder for folder, fields in FOLDERS.items() if screen in fields), "main")


def chosen(current: Preferences, field: str) -> int | None:
    """The number of the value that a field has; None if no button sets it."""
    value = getattr(current, field)
    if value is None:
        return 0
    return next((number for number, known in CHOICES[field].items() if known == value), None)


def put(current: Preferences, press: Put, moment: datetime) -> Preferences | None:
    """The preferences after a press; None for a field or a value that no button has."""
    if press.field == "exempt":
        return changes.replaced(
            current, exempt=tuple(known for known in current.exempt if known != press.value)
        )
    values = CHOICES.get(press.field, {})
    if press.value not in values:
        return None
    value = values[press.value]
    if isinstance(value, timedelta):
        value = (moment + value).replace(microsecond=0)
    return changes.replaced(current, **{press.field: value})


def category_of(draft: Draft) -> Category:
    """The category of a draft."""
    return TOXIC[draft.category]


def rule_of(current: Preferences, category: Category) -> tuple[int, Action]:
    """A category's threshold in hundredths and its action; NONE: it is allowed."""
    rule = current.rule(category)
    threshold = round(changes.threshold_of(current, category) * 100)
    return threshold, rule.action if rule else Action.NONE


def drafted(current: Preferences, draft: Draft) -> Preferences:
    """The preferences as a draft would have them."""
    category = category_of(draft)
    threshold, rule = changes.threshold_of(current, category), current.rule(category)
    action = rule.action if rule else Action.NONE
    if draft.threshold is not None:
        threshold = draft.threshold / 100
    if draft.action is not None:
        action = Action(draft.action)
    return changes.with_rule(current, category, threshold, action)
