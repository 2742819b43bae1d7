import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.enforce import ACTS, UNDONE_BY, follows, plan, plan_person, revise
from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, Action
from moderation.preferences import Preferences, Warning
from moderation.states import Act, ActState, PersonDecision, Step, Verdict
from moderation.tables import Enforcement

STANDARD, STRICT = Preferences(), Preferences(preset="strict")
DONE = [Enforcement(act=act, state=ActState.DONE) for act in (Act.DELETE, Act.NOTICE)]
CLEAN = {**dict.fromkeys(TOXIC, 0), Category.NON_TOXIC: 1}
MUTED = [Enforcement(act=act, state=ActState.DONE) for act in ACTS[Action.MUTE]]


def test_a_plan_has_the_acts_of_the_action_and_a_mute_its_end():
    planned = plan(Action.MUTE, PRESETS["strict"], STRICT, mute_hours=24)
    assert [row.act for row in planned] == [Act.DELETE, Act.MUTE, Act.NOTICE]
    assert {row.state for row in planned} == {ActState.PENDING}
    assert [row.until is not None for row in planned] == [False, True, False]


def test_a_dry_run_plans_what_it_skips():
    planned = plan(Action.DELETE, PRESETS["observe"], STANDARD, mute_hours=24)
    assert {row.state for row in planned} == {ActState.SKIPPED}


def test_a_clean_verdict_undoes_what_was_done(case):
    added = revise(case, MUTED, Verdict.CLEAN, CLEAN, STRICT)
    assert added == [Act.RESTORE, Act.UNMUTE]


def test_what_failed_is_not_undone(case):
    failed = [Enforcement(act=Act.DELETE, state=ActState.FAILED)]
    assert revise(case, failed, Verdict.CLEAN, CLEAN, STANDARD) == []


def test_another_toxic_category_keeps_the_deletion(case):
    vector = CLEAN | {Category.THREAT: 1, Category.NON_TOXIC: 0}
    assert revise(case, DONE, Verdict.CORRECTED, vector, STANDARD) == []


def test_a_category_that_the_group_allows_is_undone(case):
    vector = CLEAN | {Category.OBSCENITY: 1, Category.NON_TOXIC: 0}
    assert revise(case, DONE, Verdict.CORRECTED, vector, Preferences(preset="soft")) == [
        Act.RESTORE
    ]


def test_confirming_a_doubtful_case_acts_on_it(case):
    case.prediction.action = Action.REVIEW
    assert follows(case, [], STANDARD) == [Act.DELETE, Act.NOTICE]
    assert follows(case, [], Preferences(preset="observe")) == []


def test_confirming_what_was_done_changes_nothing(case):
    assert follows(case, DONE, STANDARD) == []


@given(
    st.sampled_from(list(Action)),
    st.sampled_from(list(Verdict)),
    st.sets(st.sampled_from(TOXIC)),
    st.sampled_from(list(PRESETS)),
)
def test_a_verdict_never_punishes_a_person_whom_the_bot_had_not(action, verdict, chosen, preset):
    prediction = type("Prediction", (), {"action": action, "message_id": 7})
    judged = type("Case", (), {"prediction": prediction, "flagged": []})
    acts = [Enforcement(act=act, state=ActState.DONE) for act in ACTS[action]]
    vector = {category: int(category in chosen) for category in TOXIC}
    added = revise(judged, acts, verdict, vector, Preferences(preset=preset))
    if action < Action.MUTE:
        assert not {Act.MUTE, Act.BAN} & set(added)
    assert len(added) == len(set(added))


@pytest.mark.parametrize("act", UNDONE_BY)
def test_every_act_on_a_message_or_person_can_be_undone(act):
    assert UNDONE_BY[act] not in UNDONE_BY


def test_a_group_that_wants_no_notices_gets_none():
    quiet = Preferences(warning=Warning.NONE)
    planned = plan(Action.DELETE, PRESETS["standard"], quiet, mute_hours=24)
    assert [row.act for row in planned] == [Act.DELETE]


def test_a_group_may_want_its_deleted_words_back_or_not(case):
    assert revise(case, DONE, Verdict.CLEAN, CLEAN, STANDARD) == [Act.RESTORE]
    assert revise(case, DONE, Verdict.CLEAN, CLEAN, Preferences(restores=False)) == []


@pytest.mark.parametrize("decision", PersonDecision)
def test_a_decision_about_a_person_has_its_acts(decision):
    planned = plan_person(decision, DONE)
    acts = [row.act for row in planned]
    assert Act.DELETE not in acts  # it is deleted already
    assert all(row.step in (Step.PERSON, Step.FORGIVE) for row in planned)
    assert [row.until is not None for row in planned] == [act is Act.MUTE for act in acts]


def test_forgiving_takes_back_what_stands_once(case):
    planned = plan_person(PersonDecision.FORGIVE, MUTED)
    assert [row.act for row in planned] == [Act.UNMUTE]
    undone = [*MUTED, Enforcement(act=Act.UNMUTE, state=ActState.DONE)]
    assert plan_person(PersonDecision.FORGIVE, undone) == []
