import pytest
from aiogram.types import Chat, Message

from bot.content import Part, Sender
from bot.evidence import (
    Scored,
    case_of,
    evidence_of,
    hash_of,
    prediction_of,
    secret,
    weightiest,
)
from moderation.batcher import Prediction
from moderation.categories import Category
from moderation.columns import now
from moderation.policy import PRESETS, Action, Decision, judge
from moderation.preferences import Preferences
from moderation.settings import Settings
from moderation.states import Origin

SENDER = Sender(5, "Имя")
SETTINGS = Settings(bot_token="1:a")


def scored(text, authored=True, **scores):
    found = {Category(name): value for name, value in scores.items()}
    return Scored(Part("text", text, authored), Prediction(found, "v1"))


def message(**extra):
    chat = Chat(id=-1, type="supergroup")
    return Message(message_id=7, date=now(), chat=chat, **extra)


def test_of_several_parts_each_category_counts_by_its_highest_score():
    parts = [scored("а", insult=0.9, threat=0.1), scored("б", insult=0.2, threat=0.8)]
    found = evidence_of(parts, None)
    assert found.scores == {Category.INSULT: 0.9, Category.THREAT: 0.8}
    assert found.remembered is None


def test_quoted_words_stand_apart_and_are_at_most_looked_at():
    parts = [scored("а", insult=0.1), scored("б", authored=False, insult=0.99)]
    found = evidence_of(parts, None)
    assert (found.scores[Category.INSULT], found.quoted[Category.INSULT]) == (0.1, 0.99)
    assert judge(found, PRESETS["strict"]).action is Action.REVIEW


def test_what_moderators_said_replaces_the_scores():
    toxic = evidence_of([scored("а", insult=0.99)], {"insult": 0, "threat": 1})
    found = judge(toxic, PRESETS["strict"])
    assert (found.category, found.action) == (Category.THREAT, Action.DELETE)
    clean = evidence_of([scored("а", insult=0.99)], {"insult": 0, "non_toxic": 1})
    assert judge(clean, PRESETS["strict"]).action is Action.NONE


def test_the_card_shows_the_part_that_weighed_most():
    parts = [scored("мимо", insult=0.1), scored("попал", insult=0.9)]
    decision = Decision(Action.DELETE, Category.INSULT, 0.9, 0.75)
    assert weightiest(parts, decision).text == "попал"
    quoted = [scored("чужое", authored=False, insult=0.99), scored("своё", insult=0.8)]
    assert weightiest(quoted, decision).text == "своё"


def test_the_row_keeps_scores_and_no_words():
    evidence = evidence_of([scored("секрет", insult=0.2, non_toxic=0.9)], None)
    row = prediction_of(message(), 3, SENDER, evidence, Decision(Action.NONE))
    assert (row.chat_id, row.message_id, row.revision, row.user_id) == (-1, 7, 3, 5)
    assert row.stratum == 2  # of the toxic score, whatever that of «not toxic»
    assert "секрет" not in repr(vars(row))


@pytest.mark.parametrize(("share", "origin"), [(0.0, None), (1.0, Origin.AUDIT)])
def test_what_passes_is_audited_as_often_as_the_group_wants(share, origin):
    preferences = Preferences.model_construct(**Preferences().model_dump() | {"audit_share": share})
    part = scored("а", insult=0.01)
    row = prediction_of(message(), 0, SENDER, evidence_of([part], None), Decision(Action.NONE))
    found = case_of(message(), SENDER, part.part, Decision(Action.NONE), preferences, row)
    assert (found.origin if found else None) is origin
    if found:
        assert (found.probability, found.flagged) == (1.0, [])


def test_a_decision_is_a_case_without_a_draw():
    part = scored("а", insult=0.9)
    decision = Decision(Action.DELETE, Category.INSULT, 0.9, 0.75, (Category.INSULT,))
    row = prediction_of(message(), 0, SENDER, evidence_of([part], None), decision)
    found = case_of(message(), SENDER, part.part, decision, Preferences(), row)
    assert (found.origin, found.probability, found.flagged) == (
        Origin.DECISION, None, ["insult"],
    )  # fmt: skip


def test_the_hash_tells_texts_fields_and_bots_apart():
    first = hash_of([scored("а")], SETTINGS)
    assert first == hash_of([scored("а")], SETTINGS)
    assert first != hash_of([scored("б")], SETTINGS)
    assert first != hash_of([scored("а")], Settings(bot_token="2:b"))
    assert len(secret(SETTINGS)) == 32
