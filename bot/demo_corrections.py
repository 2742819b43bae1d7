"""The demonstration's corrections: a group writes, members report, moderators press buttons."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import select

from bot import demo_lines as lines
from bot.demo_stage import Stage, say
from bot.language import language
from moderation.categories import TOXIC, Category
from moderation.database import Sessions
from moderation.tables import Case, Label, Prediction
from sandbox import scene
from sandbox.client import RefusedError

GROUP_ID, MODERATORS_ID = -1_001_000_000_003, -1_001_000_000_004
MODERATORS = (scene.OWNER_ID, scene.MODERATOR_ID, 1007)
EACH = 4  # messages of a resident; of one person five reports an hour are taken
RESIDENTS = tuple(range(1101, 1101 + len(lines.INSULTS + lines.CLEAN) // EACH))
WAIT_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Written:
    """A message of a resident, and whether it is an insult."""

    number: int
    message_id: int
    is_insult: bool


async def found_group(stage: Stage) -> None:
    """A group of its own, where nobody has strikes yet, and its moderators' chat."""
    names = {MODERATORS[-1]: lines.THIRD_MODERATOR}
    names |= {one: lines.RESIDENT.format(number=i) for i, one in enumerate(RESIDENTS, 1)}
    for user_id, name in names.items():
        await stage.people.post("users", id=user_id, first_name=name, language_code="ru")
    rights = {"can_delete_messages": True, "can_restrict_members": True}
    owner, *others = MODERATORS
    staff = [{"user_id": owner, "status": "creator"}]
    staff += [{"user_id": one, "status": "administrator", **rights} for one in others]
    residents = [{"user_id": one, "status": "member"} for one in RESIDENTS]
    bot = {"user_id": scene.BOT_ID, "status": "administrator"}
    group = [*staff, *residents, bot | rights]
    for chat_id, title, members in (
        (GROUP_ID, lines.GROUP, group),
        (MODERATORS_ID, lines.MODERATORS, [*staff, bot]),
    ):
        chat = {"id": chat_id, "title": title, "members": members}
        await stage.people.post("chats", type="supergroup", **chat)
    await stage.until("the group is greeted", lambda: stage.people.messages(GROUP_ID))
    await stage.connect(GROUP_ID, MODERATORS_ID, owner)


async def correct(stage: Stage, sessions: Sessions) -> None:
    """Messages, reports of those that the bot passes, and what three moderators say of them all."""
    pairs = zip(lines.INSULTS, lines.CLEAN, strict=True)
    written = [await _write(stage, i, text) for i, text in enumerate(chain.from_iterable(pairs))]
    ids = [one.message_id for one in written]

    async def are_judged() -> bool:
        async with sessions() as session:
            asked = select(Prediction.message_id).where(Prediction.chat_id == GROUP_ID)
            return set(ids) <= set(await session.scalars(asked))

    async def have_cards() -> Mapping[int, Case] | None:
        cards = await _cards(sessions)
        return cards if set(ids) <= cards.keys() else None

    await stage.until("all that was written is judged", are_judged, WAIT_SECONDS)
    shown = await _cards(sessions)
    for one in written:
        if one.message_id not in shown:
            await _report(stage, one)
    cards = await stage.until("every message has a card", have_cards, WAIT_SECONDS)
    if cards is None:
        return
    desks: list[list[tuple[Case, bool]]] = [[] for _ in MODERATORS]
    for one in written:
        desks[one.number % len(desks)].append((cards[one.message_id], one.is_insult))
    await asyncio.gather(
        *(_decide(stage, who, desk) for who, desk in zip(MODERATORS, desks, strict=True))
    )
    await stage.until("every press became a label", lambda: _are_labelled(sessions), WAIT_SECONDS)


async def _write(stage: Stage, number: int, text: str) -> Written:
    author = RESIDENTS[number // EACH]
    message_id = await stage.people.write(GROUP_ID, author, text)
    return Written(number, message_id, is_insult=number % 2 == 0)


async def _report(stage: Stage, one: Written) -> None:
    """By the author's neighbour."""
    reporter = RESIDENTS[(one.number // EACH + 1) % len(RESIDENTS)]
    try:
        reply = {"reply_to_message_id": one.message_id}
        await stage.people.write(GROUP_ID, reporter, "/report", **reply)
    except RefusedError as refused:
        stage.failures.append(f"message {one.message_id} is reported: {refused}")


async def _cards(sessions: Sessions) -> dict[int, Case]:
    """The cases that stand in the moderators' chat, by their messages."""
    async with sessions() as session:
        asked = (
            select(Prediction.message_id, Case)
            .join(Prediction, Prediction.id == Case.prediction_id)
            .where(Case.chat_id == GROUP_ID, Case.card_message_id.is_not(None))
        )
        return dict((await session.execute(asked)).tuples().all())


async def _decide(stage: Stage, moderator: int, desk: list[tuple[Case, bool]]) -> None:
    """One moderator goes through cards: an insult by the switches, the rest by one press."""
    insults = [case for case, is_insult in desk if is_insult]
    for case, is_insult in desk:
        await stage.press(*_at(case), moderator, say("button.fix" if is_insult else "button.clean"))
    for case in insults:
        flips = _flips(case)
        for before, after in flips:
            await stage.press(*_at(case), moderator, before)
            if len(flips) > 1:  # the next press must know of this one
                await stage.shows(*_at(case), after)
    for case in insults:
        for _, after in _flips(case):
            await stage.shows(*_at(case), after)
        await stage.press(*_at(case), moderator, say("button.done"))


def _at(case: Case) -> tuple[int, int]:
    return case.card_chat_id or 0, case.card_message_id or 0


def _flips(case: Case) -> list[tuple[str, str]]:
    """The switches that stand wrong for an insult, before and after a press."""
    titles = {category: language("ru").category(category) for category in TOXIC}
    return [
        (f"☑️ {title}", f"▫️ {title}") if category in case.flagged else (f"▫️ {title}", f"☑️ {title}")
        for category, title in titles.items()
        if (category in case.flagged) != (category is Category.INSULT)
    ]


async def _are_labelled(sessions: Sessions) -> bool:
    """Whether the labels are what was pressed, by as many moderators."""
    async with sessions() as session:
        labels = list(await session.scalars(select(Label).where(Label.chat_id == GROUP_ID)))
    insults = sum(label.vector[Category.INSULT] == 1 for label in labels)
    clean = sum(label.vector[Category.NON_TOXIC] == 1 for label in labels)
    moderators = {label.moderator_id for label in labels}
    expected = (len(lines.INSULTS), len(lines.CLEAN), len(MODERATORS))
    return (insults, clean, len(moderators)) == expected
