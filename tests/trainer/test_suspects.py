import asyncio
import json

import numpy as np
import pytest

from moderation import registry
from moderation.categories import Category
from tests.trainer.bot_labels import fill
from tests.trainer.conftest import CLEAN, WORDS, sentence, trainer
from trainer import suspects
from trainer.deviations import contradicts, doubted
from trainer.feedback import Vote
from trainer.scorers import Scorer
from trainer.votes import settle

INSULT, PLAIN = {"insult": 1}, {"non_toxic": 1}


def judge(texts):
    """A base that knows insults by the words of the tests."""
    scores = np.full((len(texts), len(Category)), 0.05, np.float32)
    for i, text in enumerate(texts):
        bad = any(start in text for start in WORDS["insult"])
        scores[i, [1, 5]] = (0.95, 0.05) if bad else (0.05, 0.95)
    return scores


BASE = Scorer("base", "base", judge)


def votes(n=120, wrong=(), raider=None):
    """Votes of three moderators, those numbered `wrong` the opposite of what is right, and all of
    the `raider`."""
    import random

    rng = random.Random(1)
    for i in range(n):
        bad, moderator = bool(i % 2), 1 + i // 2 % 3
        text = sentence(rng, rng.choice(WORDS["insult"] if bad else CLEAN))
        is_wrong = i in wrong or moderator == raider
        stated = INSULT if bad != is_wrong else PLAIN
        full = {c.value: stated.get(c.value, 0) for c in Category}
        yield Vote(text, full, moderator, "button", -1, i, None, case=1000 + i)


def found(**options):
    given = [*votes(**options)]
    return given, suspects.find(settle(given, "labels"), BASE)


def test_wrong_labels_are_found_and_right_ones_are_not():
    given, result = found(wrong=(10, 31, 64))
    insults = [one for one in result.suspects if one.category == "insult"]

    assert {one.text for one in insults} == {given[i].text for i in (10, 31, 64)}
    assert {one.cases for one in insults} == {(1010,), (1031,), (1064,)}
    first = next(one for one in insults if one.text == given[31].text)
    assert (first.given, first.moderators) == (0, ("m1",))
    assert first.probability > 0.8


def test_nothing_is_suspected_where_all_agree():
    assert found()[1].suspects == ()


def test_a_raider_deviates_and_honest_moderators_do_not():
    _, result = found(raider=2)

    assert result.moderators[0].moderator == "m2"
    assert [one.deviation for one in result.moderators] == [1, 0, 0]
    assert result.moderators[0].suspects > 20


def test_without_cleanlab_much_the_same_is_found(monkeypatch):
    _, result = found(wrong=(10, 31, 64))
    monkeypatch.setitem(__import__("sys").modules, "cleanlab.filter", None)

    assert found(wrong=(10, 31, 64))[1].suspects == result.suspects


@pytest.mark.parametrize("known", [0, 4])
def test_too_few_labels_of_a_kind_teach_nothing(known):
    labels = np.array([1.0] * known + [0.0] * 50 + [-1.0] * 9, np.float32)

    assert suspects._issues(labels, np.full(len(labels), 0.5, np.float32)) == []


def test_a_label_that_is_unknown_contradicts_nobody():
    given = [Vote("ты идиот сегодня", {"threat": 0}, 1, "button", -1, 1, None)]
    settled = settle(given, "labels")

    assert not contradicts(
        settled.votes, list(settled.loaded.frame.key), judge([given[0].text])
    ).any()


def test_labels_of_those_who_deviate_are_in_doubt_unless_another_agrees():
    given = [*votes(raider=2)]
    seconded = [v for v in given if v.moderator == 2][:5]
    given += [Vote(v.text, v.vector, 3, "second", -1, 1, None) for v in seconded]
    settled = settle(given, "labels")
    frame = settled.loaded.frame
    opposite = contradicts(settled.votes, list(frame.key), judge(list(frame.text)))

    assert len(doubted(settled.votes, opposite)) == 40 - 5


def test_the_base_of_the_champion_judges(model, tmp_path):
    assert suspects.base(None) == suspects.base(tmp_path) == str(registry.EMBEDDED)
    version = registry.publish(model, tmp_path)
    registry.promote(tmp_path, version, "test")
    assert suspects.base(tmp_path) == str(tmp_path / version)


def test_the_command_lists_them_and_writes_them_down(tmp_path):
    path = tmp_path / "bot.sqlite3"
    wrong = range(1, 40, 4)  # insults called clean
    given = [(v.text, v.moderator, v.vector) for v in votes(wrong=wrong)]
    asyncio.run(fill(f"sqlite+aiosqlite:///{path}", given))
    target = tmp_path / "suspects.json"
    done = trainer("suspects", "--labels", path, "--limit", 3, "--json", target)
    content = json.loads(target.read_text())

    assert done.returncode == 0, done.stderr
    assert len(content["suspects"]) == 3
    assert {one["text"] for one in content["suspects"]} < {given[i][0] for i in wrong}
    assert content["suspects"][0]["text"][:20] in done.stdout
    assert {one["moderator"] for one in content["moderators"]} == {"m1", "m2", "m3"}
    assert content["suspects"][0]["cases"]
