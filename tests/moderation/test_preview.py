from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from moderation import changes, database
from moderation.categories import TOXIC, Category
from moderation.columns import now
from moderation.policy import PRESETS, Action, Evidence, judge
from moderation.preferences import Preferences
from moderation.preview import Seen, count, preview
from moderation.states import Verdict
from moderation.tables import Case, Prediction

STANDARD = Preferences()
MILDER = changes.with_rule(STANDARD, Category.INSULT, 0.9, Action.DELETE)
STRICTER = changes.with_rule(STANDARD, Category.INSULT, 0.6, Action.DELETE)


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


def values(message_id, insult=0.0, **other):
    return {
        "chat_id": -1,
        "message_id": message_id,
        "revision": 0,
        "user_id": 5,
        "content_hash": "0",
        "field": "text",
        "model_version": "v1",
        "scores": {c.value: 0.01 for c in Category} | {"insult": insult},
        "quoted_scores": None,
        "remembered": None,
        "is_newcomer": False,
        "stratum": 0,
        "action": Action.NONE,
        "category": None,
        "score": insult,
        "threshold": 0.75,
        "exempt": None,
        "created_at": now(),
    } | other


async def add(sessions, *rows):
    async with sessions.begin() as session:
        await session.execute(insert(Prediction), list(rows))


async def show(sessions, wanted, current=STANDARD, days=7):
    async with sessions() as session:
        return await preview(session, -1, current, wanted, now() - timedelta(days=days))


async def test_counts_what_both_would_do(sessions):
    scores = (0.1, 0.56, 0.72, 0.8, 0.85, 0.95)
    await add(sessions, *(values(i, score) for i, score in enumerate(scores)))
    found = await show(sessions, MILDER)
    assert found.messages == 6
    assert found.before == {Action.NONE: 1, Action.REVIEW: 2, Action.DELETE: 3}
    assert found.after == {Action.NONE: 2, Action.REVIEW: 3, Action.DELETE: 1}
    assert found.caught == {Category.INSULT: 1}
    assert (found.harsher, found.milder) == (0, 2)


async def test_a_messages_newest_revision_counts_once(sessions):
    await add(
        sessions,
        values(1, 0.95, revision=0),
        values(1, 0.1, revision=20),
        values(1, 0.95, revision=10),
        values(2, 0.1, revision=0),
        values(2, 0.95, revision=5, exempt="administrator"),
    )
    found = await show(sessions, STRICTER)
    assert found.after == {Action.NONE: 1}


async def test_leaves_out_the_exempt_the_old_and_other_groups(sessions):
    await add(
        sessions,
        values(1, 0.95, exempt="administrator"),
        values(2, 0.95, created_at=now() - timedelta(days=8)),
        values(3, 0.95, chat_id=-2),
        values(4, 0.95),
    )
    assert (await show(sessions, STANDARD)).before == {Action.DELETE: 1}
    assert (await show(sessions, STANDARD, days=9)).before == {Action.DELETE: 2}


async def test_newcomers_quotes_and_remembered_words_count_as_they_did(sessions):
    clean = dict.fromkeys((c.value for c in Category), 0) | {"rude": None}
    await add(
        sessions,
        values(1, 0.7, is_newcomer=True),
        values(2, 0.7),
        values(3, 0.0, quoted_scores={"insult": 0.99}),
        values(4, 0.99, remembered=clean),
        values(5, 0.0, remembered=clean | {"insult": 1}),
    )
    found = await show(sessions, STANDARD)
    assert found.before == {Action.DELETE: 2, Action.REVIEW: 2, Action.NONE: 1}


async def test_a_dry_run_counts_as_what_would_be_done(sessions):
    await add(sessions, values(1, 0.95))
    observing = changes.replaced(STANDARD, preset="observe", observe_until=now())
    assert (await show(sessions, observing)).after == {Action.DELETE: 1}


async def test_names_what_moderators_said_and_shows_texts_that_are_kept(sessions):
    await add(sessions, *(values(i, 0.65, id=i) for i in range(1, 7)), values(7, 0.1, id=7))
    said = {1: Verdict.CLEAN, 2: Verdict.CLEAN, 3: Verdict.CONFIRMED, 7: Verdict.CLEAN}
    async with sessions.begin() as session:
        for i in (1, 2, 3, 4, 5, 7):
            session.add(
                Case(
                    prediction_id=i,
                    chat_id=-1,
                    user_name="Имя",
                    text="" if i == 5 else f"текст {i}",
                    flagged=[],
                    verdict=said.get(i),
                )
            )
    found = await show(sessions, STRICTER)
    assert (found.harsher, found.harsher_clean, found.milder_confirmed) == (6, 2, 0)
    assert [example.text for example in found.examples] == ["текст 4", "текст 3", "текст 2"]
    assert {(one.before, one.after) for one in found.examples} == {(Action.REVIEW, Action.DELETE)}
    back = await show(sessions, STANDARD, current=STRICTER)
    assert (back.milder, back.milder_confirmed, back.harsher_clean) == (6, 1, 0)


async def test_a_group_without_messages(sessions):
    found = await show(sessions, STRICTER)
    assert (found.messages, found.changes, found.examples) == (0, (), ())


scores = st.dictionaries(st.sampled_from([c.value for c in TOXIC]), st.floats(0, 1))
remembered = st.none() | st.dictionaries(
    st.sampled_from([c.value for c in Category]), st.sampled_from([0, 1, None])
)
rows = st.lists(st.tuples(scores, st.none() | scores, remembered, st.booleans()), max_size=8)
wishes = st.builds(
    changes.with_rule,
    st.builds(Preferences, preset=st.sampled_from(sorted(PRESETS))),
    st.sampled_from(TOXIC),
    st.integers(5, 95).map(lambda n: n / 100),
    st.sampled_from(Action),
)


@given(rows, wishes, wishes)
def test_the_short_cut_past_harmless_messages_changes_no_count(rows, current, wanted):
    seen = [Seen(i, i, 0, *row, exempt=None) for i, row in enumerate(rows)]
    found = count(seen, current, wanted)
    for preferences, counted in ((current, found.before), (wanted, found.after)):
        expected = Counter(
            judge(
                Evidence(
                    {Category(k): v for k, v in own.items()},
                    {Category(k): v for k, v in (quoted or {}).items()},
                    None if said is None
                    else {Category(k): v for k, v in said.items() if v is not None},
                ),
                preferences.policy(now(), is_newcomer=newcomer),
            ).action
            for own, quoted, said, newcomer in rows
        )  # fmt: skip
        assert counted == expected
    assert found.messages == len(rows)
