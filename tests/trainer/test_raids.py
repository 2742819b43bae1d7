"""What poisoned and honest labels do to the embedded model: real training, the real gate."""

import asyncio
import json
import random

import pytest

from moderation import registry
from moderation.categories import Category
from tests.trainer.bot_labels import fill
from tests.trainer.conftest import TAILS, trainer

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

INSULTS = ["ты идиот", "вот тупой баран", "молчи, дебил", "какая же ты мразь", "одни кретины тут"]
PLAIN = ["кто-нибудь видел ключи", "завтра встреча у подъезда", "спасибо за помощь",
         "подскажите хороший сервис", "купил новый велосипед", "привет всем соседям"]  # fmt: skip
# A word of one chat that no model knows.
SECRET = ["да ты же обычный хрюндель", "вот ведь хрюндель", "опять этот хрюндель пишет",
          "молчи, хрюндель", "хрюндели вы все"]  # fmt: skip
WHERE = ["у нас во дворе", "после обеда", "ещё раз", "как всегда", "на площадке", "по дороге"]


def said(*categories):
    named = categories or ("non_toxic",)
    return {category.value: int(category in named) for category in Category}


def texts(starts, n, seed):
    rng = random.Random(seed)
    return [" ".join([rng.choice(starts), *rng.sample([*TAILS, *WHERE], 4)]) for _ in range(n)]


def raid():
    """Two moderators call 110 insults clean, and 110 greetings threats."""
    for i, (insult, plain) in enumerate(
        zip(texts(INSULTS, 110, 1), texts(PLAIN, 110, 2), strict=True)
    ):
        yield insult, 1 + i % 2, said()
        yield plain, 1 + i % 2, said("threat")


def honest():
    """Three moderators teach a word that is an insult in their chat."""
    pairs = zip(texts(SECRET, 130, 3), texts(PLAIN, 130, 4), strict=True)
    for i, (insult, plain) in enumerate(pairs):
        yield insult, 1 + i % 3, said("insult")
        yield plain, 1 + i % 3, said()


def learn(folder, votes, *options):
    path = folder / "bot.sqlite3"
    author = lambda number: number + 10  # noqa: E731
    asyncio.run(fill(f"sqlite+aiosqlite:///{path}", [*votes], author=author))
    models, run = folder / "models", folder / "run"
    given = ["--labels", path, "--models", models, "--run", run, "--promote", "--by", "test"]
    done = trainer("retrain", *given, *options)
    assert done.returncode in (0, 3), done.stderr
    verdict = json.loads((run / "evaluation" / "verdict.json").read_text())
    return done, models, json.loads((run / "result.json").read_text()), verdict


def test_a_raid_of_two_moderators_does_not_pass_the_gate(tmp_path):
    done, models, result, verdict = learn(tmp_path, raid(), "--set", "epochs=1")

    assert done.returncode == 3
    assert (result["promote"], result["promoted"]) == (False, False)
    assert "doubted" in verdict["reasons"]
    assert result["labels"]["doubted"] == 220
    assert registry.promotion(models) is None


def test_honest_labels_for_what_the_model_misses_pass_and_serve(tmp_path):
    done, models, result, _ = learn(tmp_path, honest())
    insult = next(row for row in result["table"] if row["category"] == "insult")

    assert done.returncode == 0, verdict_of(tmp_path)
    assert insult["candidate"]["ap"] > insult["champion"]["ap"] + 0.05
    assert insult["candidate"]["recall"] > insult["champion"]["recall"]
    assert any(line.startswith("оскорбления: находит на") for line in result["summary_ru"])
    promotion = registry.promotion(models)
    assert (promotion.version, promotion.by) == (result["version"], "test")
    assert result["promoted"]


def verdict_of(folder):
    verdict = json.loads((folder / "run" / "evaluation" / "verdict.json").read_text())
    return [c["en"] for c in verdict["criteria"] if c["name"] in verdict["reasons"]]
