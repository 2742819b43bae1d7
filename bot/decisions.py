"""Deciding a case: the verdict or the word about a person, claimed once, and what follows."""

from collections.abc import Mapping

import structlog
from aiogram.types import User
from sqlalchemy.ext.asyncio import AsyncSession

from bot import enforce
from bot.language import language
from moderation import owing, people, sanctions, store
from moderation.categories import Category
from moderation.database import Sessions
from moderation.preferences import Preferences
from moderation.states import Act, ActState, Origin, PersonDecision, Source, Step, Verdict
from moderation.tables import Case, Chat

log = structlog.get_logger()
RESTRICTING = (PersonDecision.MUTE_HOUR, PersonDecision.MUTE_DAY, PersonDecision.BAN)
_ON_PERSONS = (Act.MUTE, Act.BAN, Act.NOTICE)


async def claim(
    sessions: Sessions,
    case: Case,
    chat: Chat,
    verdict: Verdict,
    vector: Mapping[Category, int | None],
    moderator: tuple[int, str],
    source: Source,
) -> bool:
    """Verdict, label and the acts that follow: all of them or, for who came second, none."""
    preferences = Preferences.of(chat.preferences)
    async with sessions.begin() as session:
        if not await store.claim(session, case.id, verdict, *moderator):
            return False
        await owing.owe(session, case.id)
        await store.add_label(session, case, moderator[0], vector, source)
        reported = bool(await people.reports(session, case.id))
        if case.origin is not Origin.AUDIT or reported:  # a survey changes nothing for anybody
            await _revise(session, case, verdict, vector, preferences)
    log.info("case decided", case=case.id, verdict=verdict.value, moderator=moderator[0])
    return True


async def _revise(
    session: AsyncSession,
    case: Case,
    verdict: Verdict,
    vector: Mapping[Category, int | None],
    preferences: Preferences,
) -> None:
    """Call off what nobody has begun and the verdict doesn't ask for, and plan what follows."""
    wanted = enforce.wants(case, vector, preferences)
    if verdict is not Verdict.CONFIRMED:
        reason = language(preferences.language).plain("act.overruled")
        unwanted = [act for act in Act if act not in wanted]
        await sanctions.cancel(session, case.id, unwanted, Step.DECISION, reason)
        if not wanted:
            await people.withdraw_strike(session, case.id)
    acts = await sanctions.enforcements(session, case.id)
    revised = enforce.revise(case, acts, verdict, vector, preferences)
    await sanctions.plan(session, case.id, revised, Step.VERDICT)


async def claim_person(
    sessions: Sessions, case: Case, chat: Chat, decision: PersonDecision, user: User
) -> bool:
    """The decision, its strike and its acts: all of them or, for who came second, none."""
    preferences = Preferences.of(chat.preferences)
    async with sessions.begin() as session:
        if not await sanctions.claim_person(session, case.id, decision, user.id, user.full_name):
            return False
        await owing.owe(session, case.id)
        if decision is PersonDecision.FORGIVE:
            reason = language(preferences.language).plain("act.overruled")
            for step in (Step.DECISION, Step.VERDICT, Step.PERSON):
                await sanctions.cancel(session, case.id, _ON_PERSONS, step, reason)
            await people.forgive(session, case)
        elif case.prediction.user_id != 0:
            await people.strike(session, case, preferences.strike_days)
        known = await sanctions.enforcements(session, case.id)
        await sanctions.replan(session, case.id, enforce.plan_person(decision, known))
    return True


async def was_in_vain(sessions: Sessions, case: Case, decision: PersonDecision) -> bool:
    """Whether nothing could be done to the author; then another decision can be made."""
    async with sessions.begin() as session:
        rows = await sanctions.enforcements(session, case.id)
        mine = [row for row in rows if row.step is Step.PERSON and row.act in (Act.MUTE, Act.BAN)]
        failed = (ActState.FAILED, ActState.SKIPPED)
        if decision not in RESTRICTING or not mine or any(r.state not in failed for r in mine):
            return False
        await sanctions.release_person(session, case.id, decision)
        await owing.owe(session, case.id)
    return True
