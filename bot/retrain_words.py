"""The words about trainings: how the data grew, how a run ended, and the verdict with its table."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from markupsafe import Markup

from bot.language import Language
from bot.review import Id
from bot.training import Figures, Gate, Result, Row
from moderation.categories import TOXIC, Category
from moderation.growth import Growth
from moderation.states import RunDecision, RunState
from moderation.tables import TrainingRun

LIMIT = 4096
TITLE, CELL = 13, 6  # of the table's columns, 33 in all with the arrow
_SUMMARY, _REASONS = 8, 8
_MEASURES = ("ap", "precision", "recall")


class Press(CallbackData, prefix="tr"):
    """A button of a run. All it needs is in it, so it works after a restart."""

    run: Id
    button: Literal["stop", "resume"]


def button(words: Language, run_id: int, name: Literal["stop", "resume"]) -> InlineKeyboardMarkup:
    """The one button below the message of a run."""
    data = Press(run=run_id, button=name).pack()
    title = words.plain(f"retrain.button.{name}")
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=title, callback_data=data)]]
    )


def grown(words: Language, found: Growth, version: str, created: datetime, least: int) -> Markup:
    """How the data grew since the champion was trained, and whether that is enough."""
    lines = [
        words("retrain.head"),
        words("retrain.serves", version=version, day=words.on_day(created)),
        words(
            "retrain.new_labels",
            n=words.whole(found.texts),
            moderators=words.whole(found.moderators),
        ),
    ]
    counts = [
        f"{words.category(category).lower()} {words.whole(n)}"
        for category in (*TOXIC, Category.NON_TOXIC)
        if (n := found.categories.get(category))
    ]
    if counts:
        lines.append(words("retrain.by_category", counts=", ".join(counts)))
    if found.held_out:
        lines.append(words("retrain.held_out", n=words.whole(found.held_out)))
    agreed = [
        f"{words.category(category).lower()} {words.decimal(agreement.value)}"
        for category, agreement in found.agreement.items()
        if agreement.value is not None
    ]
    if agreed:
        lines.append(words("retrain.agreement", values=", ".join(agreed)))
    missing = least - found.texts
    if missing > 0:
        lines += [
            Markup(),
            words("retrain.too_few", n=words.whole(missing), least=words.whole(least)),
        ]
    else:
        lines += [Markup(), words("retrain.ask")]
    return Markup("\n").join(lines)


def ended(words: Language, run: TrainingRun, result: Result | None) -> Markup:
    """How a run ended."""
    if run.state is RunState.FINISHED:
        return words("retrain.ended.finished", version=run.version)
    if run.state is RunState.CANCELLED:
        return words("retrain.ended.cancelled", by=person(run.cancelled_by))
    if result is not None and result.missing is not None:
        return words("retrain.missing", n=words.whole(result.missing))
    said = words(f"retrain.ended.{run.state}")
    log = Markup("<pre>{}</pre>").format(run.detail) if run.detail else None
    return Markup("\n").join(part for part in (said, log) if part)


def verdict(
    words: Language, run: TrainingRun, result: Result, gate: Gate, *, sure: bool = False
) -> Markup:
    """The verdict: what the gate says and why, the table, and what was decided since."""
    head = words(
        "retrain.verdict.better" if result.promote else "retrain.verdict.keep", version=run.version
    )
    reasons = [] if result.promote else _reasons(words, gate)
    summary = result.summary_ru if words.code == "ru" else result.summary_en
    plain = [Markup("• {}").format(line) for line in summary[:_SUMMARY]]
    drawn = Markup("<pre>{}</pre>").format(table(words, result.table)) if result.table else None
    since = decided(words, run)
    asked = words("retrain.verdict.sure") if sure else None
    shadow = _shadow(words, run)
    lines = [head, *reasons, drawn, *plain, shadow, since, asked]
    return _fitting([line for line in lines if line])


def table(words: Language, rows: Sequence[Row]) -> str:
    """The three models side by side, for a phone's monospaced letters."""
    heads = "".join(words.plain(f"retrain.verdict.{m}").rjust(CELL) for m in ("base", "old", "new"))
    lines = [" " * TITLE + heads]
    for row in rows:
        lines.append(title(words, row.category)[: TITLE + 3 * CELL])
        for measure in _MEASURES:
            values = [_value(model, measure) for model in (row.base, row.champion, row.candidate)]
            if values == [None] * 3:
                continue
            cells = "".join(("—" if v is None else words.decimal(v)).rjust(CELL) for v in values)
            name = words.plain(f"retrain.verdict.{measure}")[: TITLE - 2]
            arrow = _arrow(values[1], values[2])
            lines.append(f" {name.ljust(TITLE - 1)}{cells}{arrow}".rstrip())
    return "\n".join(lines)


def title(words: Language, category: str) -> str:
    """A category's title, or that of a mean of several."""
    if category in list(Category):
        return words.category(category)
    if category in ("macro", "any"):
        return words.plain(f"retrain.verdict.row.{category}")
    return category


def decided(words: Language, run: TrainingRun) -> Markup | None:
    """What was decided about the version, by whom and when."""
    if run.decision is None or run.decided_at is None:
        return None
    by, at = person(run.decided_by), words.moment(run.decided_at)
    if run.decision is RunDecision.ENABLED and run.decided_by is None:
        return words("retrain.verdict.decided.auto", at=at)
    return words(f"retrain.verdict.decided.{run.decision}", by=by, at=at)


def person(user_id: int | str | None) -> Markup:
    """Somebody by their id, which Telegram shows as a link to them."""
    if user_id is None:
        return Markup("—")
    if str(user_id).isdecimal():
        return Markup('<a href="tg://user?id={0}">{0}</a>').format(user_id)
    return Markup("<i>{}</i>").format(user_id)


def _shadow(words: Language, run: TrainingRun) -> Markup | None:
    seen = (run.shadow or {}).get("seen", 0)
    if not run.shadow or not seen:
        return None
    numbers = {name: words.whole(run.shadow.get(name, 0)) for name in ("seen", "more", "less")}
    return words("retrain.verdict.shadow", **numbers)


def _reasons(words: Language, gate: Gate) -> list[Markup]:
    said = [
        Markup("✗ {}").format(c.ru if words.code == "ru" else c.en)
        for c in gate.criteria
        if c.name in gate.reasons
    ]
    return said[:_REASONS]


def _value(figures: Figures | None, measure: str) -> float | None:
    return None if figures is None else getattr(figures, measure)


def _arrow(before: float | None, after: float | None) -> str:
    if before is None or after is None or round(after, 2) == round(before, 2):
        return ""
    return "↑" if after > before else "↓"


def _fitting(lines: Sequence[Markup]) -> Markup:
    """As many lines as a message holds; the plain words go first, for the report has them too."""
    kept = list(lines)
    while len(said := Markup("\n").join(kept)) > LIMIT:
        plain = [i for i, line in enumerate(kept) if line.startswith(("•", "✗"))]
        if not plain:
            return said
        kept.pop(plain[-1])
    return said
