import fcntl
import os
import random

import pytest

from tests import commands

WORDS = {
    "obscenity": ["хуйня полная", "пиздец какой", "заебали уже"],
    "insult": ["ты идиот", "тупой баран", "дебил конченый"],
    "threat": ["убью тебя", "найду и прибью", "сдохни завтра"],
    "discrimination": ["чурки понаехали", "хохлы достали", "бабы глупые"],
    "rude": ["заткнись уже", "иди отсюда", "говно фильм"],
}
CLEAN = ["привет как дела", "спасибо большое", "завтра собрание в десять", "хорошая погода"]
TAILS = ["сегодня", "вчера", "на работе", "в этом чате", "опять", "совсем", "ну и ну", "правда"]


def sentence(rng, *starts):
    return " ".join([*starts, *rng.sample(TAILS, 3), str(rng.randrange(10000))])


def gold_lines(n=360, seed=0):
    rng = random.Random(seed)
    yield "text\tlabels\tsplit\tgroup\tsource"
    for i in range(n):
        split = "test" if i % 5 == 0 else "train"
        labels = rng.sample(sorted(WORDS), rng.choice([1, 1, 2])) if i % 2 else []
        starts = [rng.choice(WORDS[label]) for label in labels] or [rng.choice(CLEAN)]
        text = sentence(rng, *starts)
        yield f"{text}\t{'|'.join(labels) or 'non_toxic'}\t{split}\t{i}\tkaggle_2ch_pikabu"


def corpus_lines(n=120, seed=1):
    rng = random.Random(seed)
    yield "text\tlabels\tsource\tlang\tweak_labels\tgroup\tsplit"
    for i in range(n):
        start = rng.choice(CLEAN if i % 2 else WORDS["insult"])
        labels = "non_toxic" if i % 2 else "toxic"
        yield f"{sentence(rng, start)}\t{labels}\truparadetox_toxic\tru\t\t{5000 + i}\ttrain"


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def trainer(*arguments):
    """Run the command line in a process of its own, as people and the bot do."""
    return commands.run("trainer", *arguments)


@pytest.fixture
def gold(tmp_path):
    return write(tmp_path / "gold.tsv", gold_lines())


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A model trained by the command line on made-up rows, and what the command said; once for
    all processes of the tests."""
    directory = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        directory = directory.parent
    directory /= "training"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = directory / "said"
        if not said.exists():
            said.write_text(_train(directory), encoding="utf-8")
    return directory / "model", said.read_text(encoding="utf-8")


def _train(directory):
    files = {
        "--gold": write(directory / "gold.tsv", gold_lines()),
        "--corpus": write(directory / "corpus.tsv", corpus_lines()),
        "--pool": write(directory / "pool.tsv", ["text\tsource", "просто текст\tпул"]),
        "--output": directory / "model",
    }
    options = [part for item in files.items() for part in item]
    done = trainer("train", *options, "--recipe", "tiny", "--set", "seed=7")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def model(finished):
    return finished[0]
