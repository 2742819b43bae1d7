import asyncio

import pytest

from moderation.states import Source
from tests.trainer.bot_labels import fill
from trainer import feedback, votes
from trainer.config import TrainingError
from trainer.feedback import Vote

INSULT = {"insult": 1}
CLEAN = {"non_toxic": 1}


def vote(text="ты балбес", vector=INSULT, moderator=1, **rest):
    given = {"source": "button", "chat": -1, "author": 5, "probability": None} | rest
    return Vote(text, dict(vector), moderator, **given)


def labels(*given):
    frame = votes.settle(given, "labels").loaded.frame
    return dict(zip(frame.text, frame.to_dict("records"), strict=True))


def test_a_text_is_what_most_moderators_say():
    found = labels(vote(), vote(moderator=2, vector=CLEAN), vote(moderator=3))

    assert found["ты балбес"]["insult"] == 1
    assert found["ты балбес"]["non_toxic"] == 0


def test_what_moderators_leave_open_or_tie_on_is_unknown():
    found = labels(vote(), vote(moderator=2, vector={"insult": 0, "threat": 0}))

    assert found["ты балбес"]["insult"] == -1
    assert found["ты балбес"]["threat"] == 0
    assert found["ты балбес"]["rude"] == -1


def test_a_text_of_which_nothing_is_known_is_left_out():
    settled = votes.settle([vote(), vote("другой", {"insult": None})], "labels")

    assert list(settled.loaded.frame.text) == ["ты балбес"]
    assert len(settled.votes) == 1
    assert "leave every category open" in settled.loaded.rejected[0].reason


def test_a_moderator_has_one_voice_for_a_text_however_often_it_was_posted():
    many = [vote(f"ты {'  ' * i}балбес", case=i) for i in range(5)]
    found = votes.settle([*many, vote(moderator=2, vector=CLEAN)], "labels")

    assert list(found.votes.moderator) == [1, 2]
    assert found.loaded.frame.insult.tolist() == [-1]


def test_a_vector_that_no_moderator_can_give_is_named_and_left_out():
    settled = votes.settle([vote(), vote("другой", {"insult": 7})], "labels")

    assert "neither yes nor no" in settled.loaded.rejected[0].reason


def test_votes_are_kept_as_they_were(tmp_path):
    given = [vote(), vote("два\nряда\u2028", CLEAN, 2, chat=None, probability=0.25, case=9)]
    votes.write(given, tmp_path / "votes.jsonl")

    assert votes.read(tmp_path / "votes.jsonl") == given


async def test_who_wrote_where_and_how_likely_it_was_drawn_come_from_the_database(database_url):
    await fill(database_url, [("ты балбес", 1, INSULT)], [("чужой", -1, INSULT)], lambda n: 77)
    found = await asyncio.to_thread(feedback.read_votes, database_url)

    assert [(v.moderator, v.chat, v.author, v.source) for v in found] == [
        (1, -1, 77, "button"),
        (-1, None, 0, "import"),
    ]


async def test_what_the_bot_decided_is_no_label(tmp_path):
    from sqlalchemy import delete

    from moderation import database
    from moderation.tables import Label

    path = tmp_path / "bot.sqlite3"
    url = f"sqlite+aiosqlite:///{path}"
    await fill(url, [("ты балбес", 1, INSULT)])
    async with database.opened(url) as sessions, sessions.begin() as session:
        await session.execute(delete(Label))  # prediction and case stay

    with pytest.raises(TrainingError, match="no moderator has given a label yet"):
        await asyncio.to_thread(feedback.read_votes, str(path))


def test_each_way_to_label_was_looked_at_before_it_is_learnt_from():
    assert set(feedback.HUMAN) == set(Source), "say of the new source whether a person speaks"
