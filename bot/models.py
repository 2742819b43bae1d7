"""/model: the versions, who put which into service, their reports, and the way back."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import structlog
from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message
from markupsafe import Markup

from bot import outcome, retrain_words, training
from bot.answers import answer, language_of
from bot.language import Language, of_person
from bot.retrain import is_operator_here, topic
from bot.telegram import describe
from moderation import registry, runs
from moderation.batcher import Batcher
from moderation.classifier import ModelError
from moderation.database import Sessions
from moderation.registry import ModelCard
from moderation.settings import Settings
from moderation.tables import Promotion

log = structlog.get_logger()
SHOWN = 8
SCRATCH = "from scratch"  # as cards say of a model that began with nothing
_METRICS = ("test", "validation")  # whose macro AP a card gives, the more telling first


class Press(CallbackData, prefix="tm"):
    """A button of the list: a version by its digest, and the champion when the button was made."""

    button: Literal["report", "back", "sure", "list"]
    version: str = ""
    champion: str = ""


def router() -> Router:
    """The handlers of /model and of its buttons."""
    found = Router(name="models")
    found.message.register(on_model, Command("model"))
    found.callback_query.register(on_press, Press.filter())
    return found


async def on_model(
    message: Message, bot: Bot, sessions: Sessions, settings: Settings, batcher: Batcher
) -> None:
    """The versions of the model."""
    words = await language_of(message, sessions)
    if not await is_operator_here(message, bot, sessions, settings):
        return
    said, markup = await _list(sessions, settings, words, batcher.classifier.version)
    await message.answer(said, reply_markup=markup)


async def on_press(
    query: CallbackQuery,
    callback_data: Press,
    bot: Bot,
    sessions: Sessions,
    settings: Settings,
    batcher: Batcher,
) -> None:
    """Show a report, or go back to the version before: only for operators, whatever the data says,
    and only while the champion is the one that the button was made for."""
    words, user, press = of_person(query.from_user.language_code), query.from_user, callback_data
    shown = query.message
    if user.id not in settings.operator_ids or shown is None:
        log.info("press refused", user=user.id)
        await answer(query, words.plain("retrain.only_operators"), alert=True)
        return
    if press.button == "report":
        await _report(query, press, bot, sessions, settings, words)
        return
    if press.button in ("back", "sure"):
        known = await asyncio.to_thread(_known, settings.models_dir)
        target = await former(sessions, settings)
        champion = _champion(settings.models_dir)
        if target is None or press.champion != mark(champion) or press.version != mark(target):
            await answer(query, words.plain("model.moved_on", version=champion), alert=True)
        elif press.button == "back":
            await answer(query)
            asked = words("model.sure", version=target, champion=champion)
            await _edit(bot, shown.chat.id, shown.message_id, asked, _sure(words, press))
            return
        elif target in known and await outcome.promote(sessions, settings, target, str(user.id)):
            log.info("model rolled back", version=target, before=champion, by=user.id)
            await answer(query, words.plain("common.accepted"))
        else:
            await answer(query, words.plain("model.gone"), alert=True)
    else:
        await answer(query)
    said, markup = await _list(sessions, settings, words, batcher.classifier.version)
    await _edit(bot, shown.chat.id, shown.message_id, said, markup)


async def former(sessions: Sessions, settings: Settings) -> str | None:
    """The version to go back to: the last other one that served, not one that was refused."""
    champion = await asyncio.to_thread(_champion, settings.models_dir)
    known = await asyncio.to_thread(_known, settings.models_dir)
    async with sessions() as session:
        history = await runs.promotions(session)
    refused = {row.version for row in history if row.refusal}
    served = [row.previous for row in history if row.version == champion]
    served += [row.version for row in history]
    pointer = await asyncio.to_thread(registry.promotion, settings.models_dir)
    served += [pointer.previous] if pointer else []
    served.append(registry.card(registry.EMBEDDED).version if pointer else None)
    usable = (v for v in served if v and v != champion and v in known and v not in refused)
    return next(usable, None)


def mark(version: str) -> str:
    """A version for a button, whose data holds 64 bytes."""
    return hashlib.sha256(version.encode()).hexdigest()[:12]


def listed(
    words: Language,
    cards: Sequence[ModelCard],
    champion: str,
    serving: str,
    history: Sequence[Promotion],
) -> Markup:
    """The versions, the newest first: date, parent, figure, and who put it into service when."""
    lines = [words("model.head")]
    for card in cards:
        is_champion = card.version == champion
        lines.append(
            Markup("{} <code>{}</code>, {}").format(
                "●" if is_champion else "○", card.version, words.day(card.created)
            )
        )
        origin = card.parent or card.base
        facts = [
            words("model.scratch") if origin == SCRATCH else words("model.parent", version=origin)
        ]
        if (ap := macro_ap(card)) is not None:
            facts.append(words("model.ap", value=words.decimal(ap, 3)))
        lines.append(Markup("   ") + Markup(", ").join(facts))
        last = next((row for row in history if row.version == card.version and row.at), None)
        if last is not None and last.at is not None:
            key = "model.promoted_forced" if last.is_forced else "model.promoted"
            told = words(key, by=retrain_words.person(last.by), at=words.moment(last.at))
            lines.append(Markup("   ") + told)
            if last.refusal:
                why = words(f"model.unfit.{last.refusal}")
                lines.append(Markup("   ") + words("model.was_refused", why=why))
    if serving != champion:
        lines += [Markup(), words("model.changing", version=serving)]
    return Markup("\n").join(lines)


def macro_ap(card: ModelCard) -> float | None:
    """The mean AP over the categories, as the card gives it."""
    for part in _METRICS:
        found = card.metrics.get(part)
        macro = found.get("macro") if isinstance(found, dict) else None
        ap = macro.get("ap") if isinstance(macro, dict) else None
        if isinstance(ap, int | float):
            return float(ap)
    return None


async def _report(
    query: CallbackQuery,
    press: Press,
    bot: Bot,
    sessions: Sessions,
    settings: Settings,
    words: Language,
) -> None:
    shown = query.message
    known = await asyncio.to_thread(_known, settings.models_dir)
    version = next((v for v in known if mark(v) == press.version), None)
    async with sessions() as session:
        run = await runs.of_version(session, version) if version else None
    folder = training.runs_folder(settings) / run.folder if run else None
    if folder is None or shown is None or training.result(folder) is None:
        await answer(query, words.plain("model.no_report"), alert=True)
        return
    await answer(query)
    await outcome.post_report(bot, folder, shown.chat.id, topic(query), shown.message_id)


async def _list(
    sessions: Sessions, settings: Settings, words: Language, serving: str
) -> tuple[Markup, InlineKeyboardMarkup | None]:
    try:
        cards = await asyncio.to_thread(_cards, settings.models_dir)
        champion = await asyncio.to_thread(_champion, settings.models_dir)
    except (ModelError, OSError) as error:
        log.warning("versions not read", reason=describe(error))
        return words("retrain.no_champion"), None
    async with sessions() as session:
        history = await runs.promotions(session)
        folders = {v: name for name, v in (await runs.folders(session)).items() if v}
    target = await former(sessions, settings)
    rows = [
        [_button(words, Press(button="report", version=mark(card.version)), card.version)]
        for card in cards
        if card.version in folders
        and (training.runs_folder(settings) / folders[card.version]).is_dir()
    ]
    if target is not None:
        press = Press(button="back", version=mark(target), champion=mark(champion))
        rows.append([_button(words, press, target)])
    return listed(words, cards, champion, serving, history), InlineKeyboardMarkup(
        inline_keyboard=rows
    )


def _cards(models: Path) -> list[ModelCard]:
    """The newest versions, the champion and the embedded one among them."""
    found = registry.versions(models)
    champion, embedded = _champion(models), registry.card(registry.EMBEDDED)
    kept = found[:SHOWN] + [card for card in found[SHOWN:] if card.version == champion]
    return kept if embedded.version in {card.version for card in kept} else [*kept, embedded]


def _known(models: Path) -> list[str]:
    versions = [card.version for card in registry.versions(models)]
    return [*versions, registry.card(registry.EMBEDDED).version]


def _champion(models: Path) -> str:
    found = registry.promotion(models)
    return found.version if found else registry.card(registry.EMBEDDED).version


def _button(words: Language, press: Press, version: str = "") -> InlineKeyboardButton:
    title = words.plain(f"model.button.{press.button}", version=version)
    return InlineKeyboardButton(text=title, callback_data=press.pack())


def _sure(words: Language, press: Press) -> InlineKeyboardMarkup:
    sure = press.model_copy(update={"button": "sure"})
    return InlineKeyboardMarkup(
        inline_keyboard=[[_button(words, sure), _button(words, Press(button="list"))]]
    )


async def _edit(
    bot: Bot, chat_id: int, message_id: int, said: str, markup: InlineKeyboardMarkup | None
) -> None:
    try:
        await bot.edit_message_text(
            said, chat_id=chat_id, message_id=message_id, reply_markup=markup
        )
    except TelegramBadRequest as error:
        log.info("versions not shown anew", chat=chat_id, reason=describe(error))
