"""The words of a case's card: what was said, by whom, what was decided, what really happened."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from markupsafe import Markup, escape

from bot.language import Language
from moderation.categories import TITLES, TOXIC, Category
from moderation.people import History
from moderation.policy import Action, Decision, Policy
from moderation.states import Act, ActState, Origin
from moderation.tables import Case, Chat, Enforcement, Report

_TEXT_LIMIT = 1500  # of a message's 4096 characters, so that the rest of a card always fits
_NAME_LIMIT = 64
_REPORTERS = 3
_STANDING = ("added_option", "added_task", "topic", "title")  # a message only tells of them
_PLAIN = ("text", "caption", "rich_message")  # fields that need no name


def card(
    words: Language,
    case: Case,
    chat: Chat,
    policy: Policy,
    acts: Sequence[Enforcement],
    history: History,
    reports: Sequence[Report] = (),
    link: str | None = None,
) -> Markup:
    """The card as HTML, at most 4096 characters as people see them."""
    prediction = case.prediction
    scores = prediction.scores or prediction.quoted_scores or {}
    known = {Category(name): score for name, score in scores.items()}
    lines = [
        _head(words, case, chat, reports),
        _author(words, case, link),
        Markup("<i>{}</i>").format(record(words, history)) if history.messages else None,
        _reporters(words, reports),
        _said(words, case),
        Markup("<pre>{}</pre>").format(bars(words, known, policy)) if known else None,
        happened(words, acts),
        _stands(words, case, acts),
        _verdict(words, case),
        _person(words, case),
    ]
    return Markup("\n").join(line for line in lines if line)


def bar(score: float, threshold: float | None, width: int) -> str:
    """A probability as a bar, with a mark where the threshold lies."""
    cells = ["█" if (i + 0.5) / width <= score else "░" for i in range(width)]
    if threshold is not None:
        cells.insert(round(threshold * width), "│")
    return "".join(cells)


def bars(
    words: Language,
    scores: Mapping[Category, float],
    policy: Policy,
    cells: int = 8,
    *,
    limits: bool = False,
) -> str:
    """A line for each toxic category that the model knows: title, bar, probability.

    Short enough for a phone in monospaced type; `limits` names the thresholds as well.
    """
    lines = []
    width = max(len(TITLES[category][words.code]) for category in TOXIC)
    for category in TOXIC:
        if category not in scores:
            continue
        rule = policy.rules.get(category)
        drawn = bar(scores[category], rule.threshold if rule else None, cells)
        score = words.decimal(scores[category])
        line = f"{words.category(category).ljust(width)} {drawn.ljust(cells + 1)} {score}"
        if limits and rule:
            line += "  " + words.plain("card.threshold", value=words.decimal(rule.threshold))
        elif limits:
            line += "  " + words.plain("card.allowed")
        lines.append(line)
    return "\n".join(lines)


def record(words: Language, history: History) -> str:
    """Somebody's history in numbers."""
    parts = [words.plural("common.messages", history.messages)]
    if history.cases:
        parts.append(words("card.cases", n=history.cases, confirmed=history.confirmed))
    if history.strikes:
        parts.append(words.plural("card.strikes", history.strikes))
    return Markup(" · ").join(parts)


def happened(words: Language, acts: Sequence[Enforcement]) -> Markup:
    """What became of each act, in words."""
    if not acts:
        return words("act.none")
    said = "; ".join(_outcome(words, act) for act in acts)
    if any(act.state is ActState.SKIPPED and not act.detail for act in acts):
        return words("act.observing", said=said)
    return escape(f"{said[0].upper()}{said[1:]}.")


def titles(words: Language, categories: Iterable[str]) -> str:
    """Titles in a row, in lower case."""
    return ", ".join(words.category(name).lower() for name in categories)


def shorten(text: str, limit: int = _TEXT_LIMIT) -> str:
    """`text` short enough for a card."""
    return text if len(text) <= limit else text[:limit] + "…"


def _head(words: Language, case: Case, chat: Chat, reports: Sequence[Report]) -> Markup:
    reported = case.origin is Origin.REPORT or (case.origin is Origin.AUDIT and reports)
    name = "report" if reported else case.prediction.action.name.lower()
    what = words(f"card.head.{name}")
    if case.flagged:
        what += f": {titles(words, case.flagged)}"
    return Markup("<b>{}</b> · {}").format(what, chat.title)


def _author(words: Language, case: Case, link: str | None) -> Markup:
    name = shorten(case.user_name, _NAME_LIMIT) or words.plain("card.nameless")
    user_id = case.prediction.user_id
    author = Markup('<a href="tg://user?id={}">{}</a>').format(user_id, name)
    shown = author if user_id > 0 else escape(name)
    if link:
        shown += Markup(' · <a href="{}">{}</a>').format(link, words("card.message"))
    return shown


def _reporters(words: Language, reports: Sequence[Report]) -> Markup | None:
    if not reports:
        return None
    names = [shorten(report.reporter_name, _NAME_LIMIT) for report in reports[:_REPORTERS]]
    more = len(reports) - len(names)
    key = "card.reported_more" if more else "card.reported"
    return words(key, names=", ".join(names), more=more)


def _said(words: Language, case: Case) -> Markup:
    if not case.text:
        return Markup("<i>{}</i>").format(words("card.no_text"))
    said = _marked(case.text, case.marks or [])
    if Category.OBSCENITY in case.flagged:
        said = Markup("<tg-spoiler>{}</tg-spoiler>").format(said)
    quoted = Markup("<blockquote expandable>{}</blockquote>").format(said)
    field = case.prediction.field
    if field in _PLAIN:
        return quoted
    return Markup("<i>{}</i>\n{}").format(words(f"card.field.{field}"), quoted)


def _stands(words: Language, case: Case, acts: Sequence[Enforcement]) -> Markup | None:
    """That words stand although the message about them is deleted."""
    field = case.prediction.field
    deleted = any(act.act is Act.DELETE and act.state is ActState.DONE for act in acts)
    return words(f"card.stands.{field}") if field in _STANDING and deleted else None


def _marked(text: str, marks: Sequence[Sequence[int]]) -> Markup:
    """The text, its weightiest words underlined."""
    shown, at = Markup(), 0
    for start, end in marks:
        if end > _TEXT_LIMIT:
            break
        shown += Markup("{}<b><u>{}</u></b>").format(text[at:start], text[start:end])
        at = end
    return shown + shorten(text[at:], _TEXT_LIMIT - at)


def _verdict(words: Language, case: Case) -> Markup | None:
    if case.verdict is None:
        return None
    verdict = words(f"card.verdict.{case.verdict.value}")
    return _decided(words, verdict, case.resolved_by_name, case.resolved_at)


def _person(words: Language, case: Case) -> Markup | None:
    if case.person is None:
        return None
    decision = words(f"card.person.{case.person.value}")
    return _decided(words, decision, case.person_by_name, case.person_at)


def _decided(words: Language, what: str, who: str | None, when: datetime | None) -> Markup:
    moment = words.moment(when) if when else ""
    said = ", ".join(filter(None, [shorten(who or "", _NAME_LIMIT), moment]))
    return Markup("<b>{}</b> — {}").format(what, said)


def _outcome(words: Language, row: Enforcement) -> str:
    name = row.act.value
    if row.state is ActState.DONE:
        until = words.moment(row.until) if row.until and row.act is Act.MUTE else None
        done = words.plain(f"act.done.{name}")
        return words.plain("act.until", done=done, until=until) if until else done
    if row.state is ActState.SKIPPED and not row.detail:
        return words.plain(f"act.would.{name}")
    if row.state in (ActState.SKIPPED, ActState.FAILED):
        return f"{words.plain(f'act.failed.{name}')}: {row.detail or ''}"
    doing = words.plain(f"act.doing.{name}")
    return f"{doing} ({row.detail})" if row.detail else doing  # why it wasn't done yet


def decision(words: Language, found: Decision) -> str:
    """What would be done, and why, as plain text."""
    if found.category is None:
        return words.plain("decision.none")
    action = "leave" if found.action is Action.NONE else found.action.name.lower()
    return words.plain(
        "decision.made",
        action=words.plain(f"decision.{action}"),
        category=words.category(found.category).lower(),
        score=words.decimal(found.score),
    )
