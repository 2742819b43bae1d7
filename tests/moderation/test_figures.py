from datetime import UTC, datetime, timedelta

import pytest

from moderation import database, store
from moderation.accuracy import Flagged, Stratum
from moderation.agreement import FEWEST_UNITS
from moderation.categories import TOXIC, Category
from moderation.figures import Period, Reason, figures
from moderation.policy import Action
from moderation.quality import measured, quality
from moderation.states import Act, ActState, Origin, Source, Step, Verdict
from moderation.tables import (
    Case,
    Enforcement,
    Label,
    Prediction,
    PreferenceChange,
    Report,
    Strike,
)

NOON = datetime(2026, 10, 5, 12, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GROUP, OTHER = -1, -2
FIRST, SECOND = 11, 12  # moderators


@pytest.fixture
async def session(database_url):
    async with database.opened(database_url) as sessions, sessions() as found:
        await store.chat(found, GROUP, "Двор", "supergroup")
        await store.chat(found, OTHER, "Гараж", "supergroup")
        yield found


class Writer:
    """Writes what the bot would have written."""

    def __init__(self, session):
        self.session = session
        self.messages = 0

    async def message(self, at=NOON, category=None, chat_id=GROUP, action=None, **columns):
        self.messages += 1
        action = action or (Action.DELETE if category else Action.NONE)
        row = Prediction(
            chat_id=chat_id, message_id=self.messages, revision=0, user_id=5, content_hash="0",
            field="text", scores={}, action=action, category=category, score=0.9,
            **{"created_at": at, "threshold": 0.6, "model_version": "v1", **columns},
        )  # fmt: skip
        self.session.add(row)
        await self.session.flush()
        return row

    async def case(self, row, flagged=(), acts=(), state=ActState.DONE, **columns):
        case = Case(
            prediction_id=row.id, chat_id=row.chat_id, user_name="Имя", flagged=list(flagged),
            **{"created_at": row.created_at, "text": "слова", **columns},
        )  # fmt: skip
        self.session.add(case)
        await self.session.flush()
        self.session.add_all(Enforcement(case_id=case.id, act=act, state=state) for act in acts)
        await self.session.flush()
        return case

    async def flagged(self, category=Category.INSULT, at=NOON, acts=(Act.DELETE,), **columns):
        row = await self.message(at, category)
        return await self.case(row, [category.value], acts, **columns)

    async def audit(self, stratum=0, at=NOON, chat_id=GROUP, said=None):
        row = await self.message(at, chat_id=chat_id, stratum=stratum)
        case = await self.case(row, origin=Origin.AUDIT)
        if said is not None:
            await self.label(case, said, source=Source.AUDIT)
        return case

    async def label(self, case, said, moderator=FIRST, source=Source.BUTTON, at=NOON):
        label = Label(
            case_id=case.id, chat_id=case.chat_id, moderator_id=moderator, source=source,
            text="слова", vector=dict.fromkeys(map(str, Category)) | said, model_version="v1",
            scores={}, created_at=at,
        )  # fmt: skip
        self.session.add(label)
        await self.session.flush()


@pytest.fixture
def writer(session):
    return Writer(session)


def test_periods_end_with_the_hour_or_day_under_way():
    hours, week, month = (period.starts(NOON) for period in Period)
    assert (len(hours), len(week), len(month)) == (24, 7, 30)
    assert hours[-1] == NOON.replace(minute=0)
    assert week[-1] == month[-1] == NOON.replace(hour=0, minute=0)
    assert (week[0].day, month[0].month) == (29, 9)


async def test_nothing_happened(session):
    for chat_ids in (None, [GROUP], [], [-99]):
        found = await figures(session, chat_ids, Period.DAY, NOON)
        assert (found.total, found.flagged, found.acted, found.acts) == (0, {}, {}, {})
        assert (found.response, found.model_version, found.open_cases) == (None, None, 0)
        counts = await quality(session, chat_ids, NOON - DAY)
        assert counts.flagged[Category.INSULT] == Flagged(0, 0, 0)
        assert measured(counts)[Category.INSULT].recall is None


async def test_messages_fall_on_their_day_and_hour_of_utc(session, writer):
    midnight = NOON.replace(hour=0, minute=0)
    for at in (midnight, midnight - timedelta(microseconds=1), NOON, midnight - 6 * DAY):
        await writer.message(at)
    await writer.message(midnight - 6 * DAY - timedelta(microseconds=1))
    await writer.message(NOON, chat_id=OTHER)
    week = await figures(session, [GROUP], Period.WEEK, NOON)
    assert week.messages == [1, 0, 0, 0, 0, 1, 2]
    hours = await figures(session, [GROUP], Period.DAY, NOON)
    assert [i for i, number in enumerate(hours.messages) if number] == [10, 11, 23]
    assert (await figures(session, None, Period.WEEK, NOON)).total == 5
    assert (await figures(session, [GROUP, OTHER], Period.MONTH, NOON)).total == 6


async def test_flagged_and_acted_by_the_category_that_weighed_most(session, writer):
    await writer.flagged(Category.INSULT, NOON - DAY)
    await writer.flagged(Category.INSULT, acts=(Act.DELETE, Act.MUTE))
    await writer.flagged(Category.RUDE, acts=())
    await writer.message(NOON, Category.THREAT, exempt="administrator")
    reported = await writer.message(NOON)
    await writer.case(reported, acts=[Act.BAN], origin=Origin.REPORT)
    found = await figures(session, [GROUP], Period.WEEK, NOON)
    assert {category: series[-2:] for category, series in found.flagged.items()} == {
        Category.INSULT: [1, 1],
        Category.RUDE: [0, 1],
    }
    assert {category: sum(series) for category, series in found.acted.items()} == {
        Category.INSULT: 2,
        None: 1,
    }
    assert found.acts == {Act.DELETE: 2, Act.MUTE: 1, Act.BAN: 1}
    assert found.messages[-1] == 4


async def test_what_failed_or_was_taken_back_is_no_measure(session, writer):
    await writer.flagged(acts=(Act.DELETE,), state=ActState.FAILED)
    case = await writer.flagged(acts=())
    session.add(Enforcement(case_id=case.id, act=Act.UNMUTE, step=Step.FORGIVE,
                            state=ActState.DONE))  # fmt: skip
    found = await figures(session, [GROUP], Period.DAY, NOON)
    assert (found.acted, found.acts) == ({}, {})


async def test_reasons_are_categories_at_their_thresholds(session, writer):
    for category, threshold in (
        (Category.RUDE, 0.7), (Category.INSULT, 0.75), (Category.INSULT, 0.75),
        (Category.INSULT, 0.65),
    ):  # fmt: skip
        await writer.message(NOON, category, threshold=threshold)
    found = await figures(session, [GROUP], Period.DAY, NOON)
    assert found.reasons[0] == Reason(Category.INSULT, 0.75, 2)
    assert len(found.reasons) == 3


async def test_verdicts_and_how_long_they_took(session, writer):
    for verdict, minutes in (
        (Verdict.CONFIRMED, 2), (Verdict.CLEAN, 6), (Verdict.CORRECTED, 100),
    ):  # fmt: skip
        await writer.flagged(verdict=verdict, resolved_at=NOON + timedelta(minutes=minutes))
    await writer.flagged()
    await writer.flagged(at=NOON - 20 * DAY)  # still waits
    await writer.audit()
    await writer.flagged(at=NOON - 20 * DAY, text="")  # its text is gone, so it can't be decided
    await writer.case(await writer.message(), origin=Origin.AUDIT, verdict=Verdict.CLEAN,
                      resolved_at=NOON + 9 * HOUR)  # fmt: skip
    found = await figures(session, [GROUP], Period.DAY, NOON)
    assert found.verdicts == dict.fromkeys(Verdict, 1)
    assert found.response == timedelta(minutes=6)
    assert found.open_cases == 2
    assert (await figures(session, [OTHER], Period.DAY, NOON)).open_cases == 0


async def test_labels_strikes_reports_and_the_model(session, writer):
    await writer.message(NOON, model_version="v2")
    case = await writer.flagged(at=NOON - HOUR)
    await writer.label(case, {"insult": 1})
    await writer.label(case, {"insult": 1}, SECOND, Source.SECOND)
    await writer.label(case, {"insult": 1}, SECOND, Source.AUDIT, NOON - 40 * DAY)
    session.add(Label(moderator_id=-1, source=Source.IMPORT, text="", vector={}, model_version="",
                      scores={}, created_at=NOON))  # fmt: skip
    other = await writer.flagged(at=NOON - HOUR)
    for of, withdrawn in ((case, None), (other, NOON)):
        session.add(Strike(chat_id=GROUP, user_id=5, case_id=of.id, created_at=NOON,
                           expires_at=NOON, withdrawn_at=withdrawn))  # fmt: skip
    session.add(Report(chat_id=GROUP, case_id=case.id, reporter_id=7, reporter_name="Имя",
                       created_at=NOON))  # fmt: skip
    await session.flush()
    found = await figures(session, [GROUP], Period.DAY, NOON)
    assert found.labels == {Source.BUTTON: 1, Source.SECOND: 1}
    assert (found.strikes, found.reports, found.model_version) == (1, 1, "v2")
    everywhere = await figures(session, None, Period.DAY, NOON)
    assert everywhere.labels[Source.IMPORT] == 1


async def test_the_last_label_says_whether_a_flag_was_right(session, writer):
    await writer.flagged()  # nobody judged it
    right, wrong, unknown = [await writer.flagged() for _ in range(3)]
    await writer.label(right, {"insult": 0})
    await writer.label(right, {"insult": 1})
    await writer.label(wrong, {"insult": 0, "rude": 1})
    await writer.label(unknown, {"rude": 1})
    reported = await writer.case(await writer.message(), ["insult"], origin=Origin.REPORT)
    await writer.label(reported, {"insult": 1})
    found = await quality(session, [GROUP], NOON - DAY)
    assert found.flagged[Category.INSULT] == Flagged(total=4, judged=2, right=1)
    assert found.flagged[Category.RUDE] == Flagged(0, 0, 0)
    assert (await quality(session, [OTHER], NOON - DAY)).flagged[Category.INSULT].total == 0
    assert (await quality(session, None, NOON + DAY)).flagged[Category.INSULT].total == 0


async def test_answers_from_the_queue_say_nothing_of_precision(session, writer):
    """It asks for the doubtful cases first."""
    for source in (Source.REVIEW, Source.SECOND, Source.BUTTON):
        case = await writer.flagged()
        await writer.label(case, {"insult": int(source is Source.BUTTON)}, source=source)
    found = (await quality(session, [GROUP], NOON - timedelta(hours=1))).flagged
    assert found[Category.INSULT] == Flagged(total=3, judged=1, right=1)


async def test_strata_count_what_could_be_drawn_and_what_audits_found(session, writer):
    for stratum, number in ((0, 5), (2, 3)):
        for _ in range(number):
            await writer.message(stratum=stratum)
    await writer.message(exempt="linked_channel")
    await writer.flagged(acts=())
    await writer.audit(0, said={"insult": 0, "rude": 1})
    await writer.audit(2, said={"insult": 1})
    await writer.audit(2)  # drawn, not yet answered
    seen = await writer.audit(1, said={"insult": 0})
    await writer.label(seen, {"insult": 1}, SECOND, Source.SECOND)
    noticed = await writer.audit(1)  # somebody reported it before it was audited
    await writer.label(noticed, {"insult": 1}, source=Source.REPORT)
    # What was reported without being drawn tells nothing of the others.
    reported = await writer.case(await writer.message(), origin=Origin.REPORT)
    await writer.label(reported, {"insult": 1}, source=Source.REPORT)
    found = await quality(session, [GROUP], NOON - DAY)
    assert set(found.strata) == set(TOXIC)
    assert sorted(found.strata[Category.INSULT], key=lambda s: -s.total) == [
        Stratum(7, 1, 0),
        Stratum(5, 1, 1),
        Stratum(2, 2, 1),
    ]
    assert Stratum(7, 1, 1) in found.strata[Category.RUDE]


async def test_groups_and_times_with_another_share_of_audits_are_strata_apart(session, writer):
    other = await store.chat(session, OTHER, "Гараж", "supergroup")
    other.preferences = {"audit_share": 0.1}
    session.add(PreferenceChange(chat_id=OTHER, user_id=1, field="audit_share", before=None,
                                 after=0.1, created_at=NOON - HOUR))  # fmt: skip
    session.add(PreferenceChange(chat_id=OTHER, user_id=1, field="language", before="ru",
                                 after="en", created_at=NOON))  # fmt: skip
    for at, chat_id in ((NOON, GROUP), (NOON - 2 * HOUR, OTHER), (NOON, OTHER), (NOON, OTHER)):
        await writer.audit(at=at, chat_id=chat_id, said={"threat": int(at < NOON)})
    found = await quality(session, None, NOON - DAY)
    assert sorted(found.strata[Category.THREAT], key=lambda s: s.missed) == [
        Stratum(2, 2, 0),
        Stratum(2, 2, 1),
    ]


async def test_answers_of_several_moderators_are_compared(session, writer):
    both, alone = await writer.flagged(), await writer.flagged()
    await writer.label(both, {"insult": 0})
    await writer.label(both, {"insult": 1})
    await writer.label(both, {"insult": 0}, SECOND)
    await writer.label(alone, {"insult": 1})
    await writer.label(alone, {"insult": 1})
    (unit,) = (await quality(session, [GROUP], NOON - DAY)).units
    assert {moderator: vector["insult"] for moderator, vector in unit.items()} == {
        FIRST: 1,
        SECOND: 0,
    }


async def test_agreement_is_measured_once_enough_texts_have_two_answers(session, writer):
    for i in range(FEWEST_UNITS):
        case = await writer.flagged()
        await writer.label(case, {"insult": i % 2})
        await writer.label(case, {"insult": i % 2}, SECOND)
    found = measured(await quality(session, [GROUP], NOON - DAY))
    assert found[Category.INSULT].agreement.value == 1
    assert found[Category.THREAT].agreement.value is None
