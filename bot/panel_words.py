"""The values of a group's preferences in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from bot.language import Language
from bot.panel_data import FOLDERS
from moderation.categories import TOXIC, Category
from moderation.policy import Action
from moderation.preferences import Override, Preferences
from moderation.preview import Example, Preview
from moderation.tables import PreferenceChange

_EXAMPLE_CHARACTERS = 300
_COUNTED = (Action.REVIEW, Action.WARN, Action.DELETE, Action.MUTE, Action.BAN)


def days(say: Language, n: int) -> str:
    """A number of days."""
    return str(say.plural("panel.days", n))


def hours(say: Language, n: int) -> str:
    """A number of hours, as days where they are whole days and more than one."""
    return days(say, n // 24) if n > 24 and n % 24 == 0 else str(say.plural("panel.hours", n))


def value(say: Language, field: str, found: Any) -> str:  # noqa: C901 - a case for each field
    """The value of a field as plain text; a timedelta is from now on."""
    match field, found:
        case _, timedelta():
            return days(say, found.days)
        case (("mute_after" | "ban_after" | "newcomer_hours" | "memory_days" | "audit_share"), 0):
            return say.plain(f"panel.zero.{field}")
        case (("mute_hours" | "observe_until" | "modchat_id"), None):
            return say.plain(f"panel.none.{field}")
        case (("mute_after" | "ban_after"), _):
            return say.plain("panel.from_offence", n=found)
        case (("newcomer_hours" | "mute_hours"), _):
            return hours(say, found)
        case (("strike_days" | "retention_days" | "memory_days"), _):
            return days(say, found)
        case ("preset", _):
            return say.plain(f"preset.{found}")
        case (("warning" | "language"), _):
            return say.plain(f"panel.{field}.{found}")
        case "restores", _:
            return say.plain("panel.yes" if found else "panel.no")
        case "observe_until", datetime():
            return say.plain("panel.until", moment=say.moment(found))
        case "newcomer_shift", _:
            return say.decimal(found)
        case "audit_share", _:
            return say.percent(found, 0 if round(found * 1000) % 10 == 0 else 1)
        case "exempt", _:
            return (
                str(say.plural("panel.people", len(found))) if found else say.plain("panel.nobody")
            )
    return str(found)


def action(say: Language, found: Action) -> str:
    """What is done about a message, as plain text."""
    return say.plain(f"panel.action.{found.name.lower()}")


def summary(say: Language, current: Preferences, section: str, moment: datetime) -> str:
    """What a section of the main screen is set to."""

    def of(field: str) -> str:
        return value(say, field, getattr(current, field))

    match section:
        case "categories":
            own = [say.category(c).lower() for c in TOXIC if c in current.overrides]
            words = "panel.categories.own" if own else "panel.categories.usual"
            return say.plain(words, categories=", ".join(own))
        case "newcomers":
            if not current.newcomer_hours:
                return of("newcomer_hours")
            return say.plain(
                "panel.newcomers", hours=of("newcomer_hours"), shift=of("newcomer_shift")
            )
        case "ladder" | "keeping" | "checks":
            return say.plain(f"panel.{section}", **{name: of(name) for name in FOLDERS[section]})
        case "observe_until" if current.observe_until and current.observe_until <= moment:
            return say.plain("panel.none.observe_until")
    return of(section)


def counts(say: Language, found: Preview) -> Markup:
    """How many messages would get each action, and how many get it now where that differs."""
    parts = []
    for each in _COUNTED:
        then, before = found.after.get(each, 0), found.before.get(each, 0)
        if then or before:
            words = say(f"panel.count.{each.name.lower()}", n=say.whole(then))
            now = say("panel.count.now", n=say.whole(before)) if then != before else Markup("")
            parts.append(words + now)
    return Markup(", ").join(parts) if parts else say("panel.count.nothing")


def preview(say: Language, found: Preview, category: Category | None) -> Markup:
    """What the wanted preferences would have done last week."""
    if not found.messages:
        return say("panel.preview.empty")
    lines = [
        say("panel.preview.head"),
        say(
            "panel.preview.counts",
            messages=say.plural("common.messages", found.messages),
            counts=counts(say, found),
        ),
    ]
    if found.harsher:
        lines.append(_judged(say, "harsher", found.harsher, found.harsher_clean))
    if found.milder:
        lines.append(_judged(say, "milder", found.milder, found.milder_confirmed))
    if category is not None:
        lines.append(caught(say, found, category))
    lines.append(say("panel.preview.ladder"))
    lines += [_example(say, one) for one in found.examples]
    return Markup("\n").join(lines)


def caught(say: Language, found: Preview, category: Category) -> Markup:
    """What share of last week's messages a category has."""
    if not found.messages:
        return say("panel.preview.empty")
    n = found.caught.get(category, 0)
    share = say.percent(n / found.messages, 1)
    total = say.whole(found.messages)
    return say("panel.preview.share", share=share, n=say.whole(n), total=total)


def history(say: Language, change: PreferenceChange) -> Markup:
    """One change of the preferences."""
    person = say(
        "panel.history.person" if change.user_id > 0 else "panel.history.anonymous",
        id=change.user_id,
    )
    return say(
        "panel.history.line",
        moment=say.moment(change.created_at),
        person=person,
        field=say.plain(f"panel.field.{change.field}"),
        before=stored(say, change.field, change.before, change.after),
        after=stored(say, change.field, change.after, change.before),
    )


def stored(say: Language, field: str, found: Any, other: Any) -> str:
    """A field's value as the history keeps it; of several rules or people, what differs."""
    known = getattr(Preferences.of({field: found}), field, found)
    if field == "overrides":
        others = getattr(Preferences.of({field: other}), field)
        return _rules(say, known, others)
    if field == "exempt":
        differing = [str(person) for person in known if person not in (other or ())]
        return ", ".join(differing) or "—"
    return value(say, field, known)


def _rules(
    say: Language, own: Mapping[Category, Override], other: Mapping[Category, Override]
) -> str:
    words = []
    for category in TOXIC:
        override = own.get(category)
        if override == other.get(category):
            continue
        parts = [say.category(category).lower()]
        if override and override.threshold is not None:
            parts.append(say.decimal(override.threshold))
        if override and override.action is not None:
            parts.append(action(say, override.action))
        if override is None:
            parts.append(say.plain("panel.as_preset"))
        words.append(" ".join(parts))
    return ", ".join(words)


def _judged(say: Language, kind: str, n: int, judged: int) -> Markup:
    words = say(f"panel.preview.{kind}", n=say.whole(n))
    return words + say(f"panel.preview.{kind}_judged", n=say.whole(judged)) if judged else words


def _example(say: Language, one: Example) -> Markup:
    text = one.text
    if len(text) > _EXAMPLE_CHARACTERS:
        text = text[:_EXAMPLE_CHARACTERS] + "…"
    return say(
        "panel.preview.example",
        text=text,
        before=action(say, one.before),
        after=action(say, one.after),
    )
