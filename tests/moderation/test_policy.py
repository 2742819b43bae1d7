import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.categories import TOXIC, Category
from moderation.policy import PRESETS, Action, Policy, Rule, decide

PROBABILITY = st.floats(0, 1)
SCORES = st.dictionaries(st.sampled_from(list(Category)), PROBABILITY)
RULE = st.builds(
    lambda low, high, action: Rule(max(low, high), action, min(low, high)),
    PROBABILITY,
    PROBABILITY,
    st.sampled_from(list(Action)[1:]),
)
POLICY = st.builds(
    Policy, st.dictionaries(st.sampled_from(TOXIC), RULE), punish_threshold=PROBABILITY
)


@given(SCORES, POLICY, st.sampled_from(TOXIC), PROBABILITY)
def test_a_higher_score_never_softens_the_action(scores, policy, category, score):
    before = decide(scores, policy).action
    raised = scores | {category: max(score, scores.get(category, 0))}
    assert decide(raised, policy).action >= before


@given(SCORES, POLICY)
def test_the_category_named_is_one_that_asked_for_the_action(scores, policy):
    decision = decide(scores, policy)
    if decision.action is Action.NONE:
        assert decision.category is None
    else:
        assert scores.get(decision.category, 0) >= policy.rules[decision.category].review
        assert policy.rules[decision.category].threshold == decision.threshold


@given(SCORES, POLICY)
def test_a_quoted_text_never_punishes_the_quoter(scores, policy):
    assert decide(scores, policy, authored=False).action <= Action.REVIEW


@given(SCORES, POLICY)
def test_a_person_is_punished_on_stricter_evidence_only(scores, policy):
    if decide(scores, policy).action > Action.DELETE:
        assert max(scores.values()) >= policy.punish_threshold


@given(SCORES)
def test_a_category_without_a_rule_is_allowed(scores):
    assert decide(scores, Policy({})).action is Action.NONE


@pytest.mark.parametrize("name", PRESETS)
def test_presets_leave_a_clean_message_and_act_on_a_certain_threat(name):
    clean = dict.fromkeys(TOXIC, 0.05)
    assert decide(clean, PRESETS[name]).action is Action.NONE
    assert decide(clean | {Category.THREAT: 0.99}, PRESETS[name]).action >= Action.DELETE


def test_presets_grow_stricter():
    def caught(name, score):
        return [c for c in TOXIC if decide({c: score}, PRESETS[name]).action > Action.REVIEW]

    assert len(caught("soft", 0.92)) < len(caught("standard", 0.92)) <= len(caught("strict", 0.92))
    assert len(caught("standard", 0.58)) < len(caught("strict", 0.58))


def test_only_observe_is_a_dry_run():
    assert [name for name, policy in PRESETS.items() if policy.dry_run] == ["observe"]


def test_a_doubtful_score_asks_the_moderators():
    policy = Policy({Category.INSULT: Rule(0.9, Action.DELETE, 0.6)})
    assert decide({Category.INSULT: 0.7}, policy).action is Action.REVIEW
    assert decide({Category.INSULT: 0.59}, policy).action is Action.NONE


@pytest.mark.parametrize(("threshold", "review"), [(0.5, 0.6), (1.1, 0.5), (0.5, -0.1)])
def test_impossible_thresholds_are_refused(threshold, review):
    with pytest.raises(ValueError, match="thresholds"):
        Rule(threshold, Action.DELETE, review)


def test_a_rule_without_an_action_is_refused():
    with pytest.raises(ValueError, match="allowed category has no rule"):
        Rule(0.5, Action.NONE, 0.5)


def test_non_toxic_can_have_no_rule():
    with pytest.raises(ValueError, match="non_toxic"):
        Policy({Category.NON_TOXIC: Rule(0.5, Action.DELETE, 0.5)})
