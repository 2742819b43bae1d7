import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.exc import NoResultFound

from moderation import changes, database, store
from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, Action, Rule, decide
from moderation.preferences import NARROWEST, WIDEST, Override, Preferences, climb
from moderation.tables import Chat

NOW = datetime(2026, 8, 1, tzinfo=UTC)
hundredths = st.integers(5, 95)


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def a_group(sessions, chat_id=-1):
    async with sessions.begin() as session:
        await store.chat(session, chat_id, "Группа", "supergroup")


@pytest.mark.parametrize("name", PRESETS)
def test_a_group_that_set_nothing_has_its_presets_policy(name):
    policy = Preferences(preset=name).policy(NOW)
    assert dict(policy.rules) == dict(PRESETS[name].rules)
    assert policy.dry_run == (name == "observe")


def test_what_is_stored_is_only_what_was_set_and_comes_back():
    assert Preferences().stored() == {}
    overrides = {Category.RUDE: Override(threshold=0.4, action=Action.NONE)}
    own = Preferences(preset="soft", overrides=overrides, observe_until=NOW, exempt=(5, -7))
    assert Preferences.of(own.stored()) == own


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ({"preset": "no such", "strike_days": 30}, {"strike_days": 30}),
        ({"overrides": {"insult": {"threshold": 7}}, "language": "en"}, {"language": "en"}),
        ({"of a newer version": 1, "restores": False}, {"restores": False}),
        ({"ban_after": -1, "mute_after": "x"}, {}),
    ],
)
def test_a_value_that_cannot_be_used_has_its_default_and_spoils_no_other(stored, kept):
    assert Preferences.of(stored) == Preferences(**kept)


def test_a_category_can_be_allowed_and_an_allowed_one_forbidden():
    own = changes.with_rule(Preferences(), Category.INSULT, 0.75, Action.NONE)
    assert Category.INSULT not in own.policy(NOW).rules
    soft = changes.with_rule(Preferences(preset="soft"), Category.OBSCENITY, 0.6, Action.WARN)
    assert soft.policy(NOW).rules[Category.OBSCENITY] == Rule(0.6, Action.WARN, 0.4)


def test_the_band_of_doubt_moves_with_the_threshold():
    own = changes.with_rule(Preferences(), Category.INSULT, 0.5, Action.DELETE)
    assert own.rule(Category.INSULT).review == pytest.approx(0.3)


@given(st.sampled_from(sorted(PRESETS)), st.sampled_from(TOXIC), hundredths,
       st.sampled_from(Action), st.floats(0, 0.3))  # fmt: skip
def test_any_rule_that_can_be_set_is_the_rule_that_holds(
    preset, category, hundredth, action, shift
):
    before = Preferences(preset=preset, newcomer_shift=shift)
    own = changes.with_rule(before, category, hundredth / 100, action)
    own = Preferences.of(own.stored())
    rule = own.rule(category)
    if action is Action.NONE:
        assert rule is None
    else:
        assert (rule.threshold, rule.action) == (hundredth / 100, action)
    for other in set(TOXIC) - {category}:
        assert own.rule(other) == before.rule(other)
    newcomers = own.policy(NOW, is_newcomer=True).rules
    assert all(NARROWEST <= found.threshold <= WIDEST for found in newcomers.values())


@given(st.sampled_from(sorted(PRESETS)), st.sampled_from(TOXIC), hundredths,
       st.sampled_from(Action))  # fmt: skip
def test_going_back_to_the_presets_rule_leaves_nothing(preset, category, hundredth, action):
    plain = Preferences(preset=preset)
    rule = plain.rule(category)
    usual = (rule.threshold, rule.action) if rule else (0.5, Action.NONE)
    there = changes.with_rule(plain, category, hundredth / 100, action)
    assert changes.with_rule(there, category, *usual) == plain


@given(st.dictionaries(st.sampled_from(TOXIC), st.floats(0, 1)), st.floats(0, 0.3))
def test_newcomers_never_get_less_than_the_others(scores, shift):
    own = Preferences(newcomer_shift=shift)
    newcomer = decide(scores, own.policy(NOW, is_newcomer=True))
    assert newcomer.action >= decide(scores, own.policy(NOW)).action


def test_a_newcomer_is_one_for_some_hours_and_somebody_who_was_always_there_is_none():
    own = Preferences(newcomer_hours=24)
    assert own.is_newcomer(NOW - timedelta(hours=23), NOW)
    assert not own.is_newcomer(NOW - timedelta(hours=24), NOW)
    assert not own.is_newcomer(None, NOW)
    assert not Preferences(newcomer_hours=0).is_newcomer(NOW, NOW)


def test_observing_ends_by_itself():
    own = Preferences(observe_until=NOW)
    assert own.policy(NOW - timedelta(seconds=1)).dry_run
    assert not own.policy(NOW).dry_run


@pytest.mark.parametrize(
    ("action", "strikes", "climbed"),
    [
        (Action.REVIEW, 9, Action.REVIEW),
        (Action.WARN, 1, Action.WARN),
        (Action.WARN, 2, Action.MUTE),
        (Action.DELETE, 4, Action.BAN),
        (Action.BAN, 2, Action.BAN),
    ],
)
def test_the_ladder(action, strikes, climbed):
    assert climb(action, strikes, Preferences(mute_after=2, ban_after=4)) is climbed


def test_a_ladder_of_zeros_never_climbs():
    assert climb(Action.DELETE, 99, Preferences(mute_after=0, ban_after=0)) is Action.DELETE


def test_no_impossible_value_gets_in():
    with pytest.raises(ValidationError):
        changes.replaced(Preferences(), strike_days=0)
    with pytest.raises(ValidationError):
        changes.with_rule(Preferences(), Category.INSULT, 0.01, Action.DELETE)


async def test_a_change_is_stored_and_every_field_of_it_noted(sessions):
    await a_group(sessions)
    new = Preferences(preset="strict", restores=False)
    async with sessions.begin() as session:
        assert await changes.change(session, -1, 7, new) == ["preset", "restores"]
    async with sessions() as session:
        rows = await changes.history(session, -1)
        stored = (await session.get_one(Chat, -1)).preferences
    assert stored == {"preset": "strict", "restores": False}
    assert [(row.user_id, row.field, row.before, row.after) for row in rows] == [
        (7, "restores", True, False),
        (7, "preset", "standard", "strict"),
    ]


async def test_the_same_again_is_no_change(sessions):
    await a_group(sessions)
    for _ in range(2):
        async with sessions.begin() as session:
            fields = await changes.change(session, -1, 7, Preferences(language="en"))
    assert fields == []
    async with sessions() as session:
        assert len(await changes.history(session, -1)) == 1


async def test_two_who_change_at_the_same_time_overwrite_nobody(sessions):
    await a_group(sessions)

    async def change(**values):
        async with sessions.begin() as session:
            current = await changes.held(session, -1)
            await asyncio.sleep(0.05)
            await changes.change(session, -1, 7, changes.replaced(current, **values))

    await asyncio.gather(change(strike_days=30), change(language="en"), change(restores=False))
    async with sessions() as session:
        stored = (await session.get_one(Chat, -1)).preferences
    assert stored == {"strike_days": 30, "language": "en", "restores": False}


async def test_no_group_no_change(sessions):
    async with sessions() as session:
        with pytest.raises(NoResultFound):
            await changes.held(session, -404)


async def test_a_history_is_of_one_group_the_newest_first_and_short(sessions):
    await a_group(sessions)
    await a_group(sessions, -2)
    for days in range(1, 14):
        async with sessions.begin() as session:
            await changes.change(session, -1, 7, Preferences(strike_days=days))
    async with sessions.begin() as session:
        await changes.change(session, -2, 7, Preferences(language="en"))
    async with sessions() as session:
        assert [row.after for row in await changes.history(session, -1, 3)] == [13, 12, 11]


async def test_moderators_chats_and_left_groups_have_no_settings(sessions):
    for chat_id in (-1, -2, -3, -4):
        await a_group(sessions, chat_id)
    async with sessions.begin() as session:
        (await session.get_one(Chat, -1)).modchat_id = -2
        (await session.get_one(Chat, -3)).is_active = False
        (await session.get_one(Chat, -4)).modchat_id = -4
    async with sessions() as session:
        assert {chat.id for chat in await changes.groups(session)} == {-1, -4}
