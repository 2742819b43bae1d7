import numpy as np
import pytest

from tests.trainer.conftest import corpus_lines, gold_lines, write
from trainer import config, data, dataset
from trainer.baseline import Baseline
from trainer.config import TrainingError
from trainer.split import FIT, TEST

RECIPE = config.load("tiny")


def silent(line):
    pass


def test_bad_rows_are_reported_with_their_number(tmp_path):
    said = []
    path = write(tmp_path / "gold.tsv", [*gold_lines(), *["без полей"] * 30])
    dataset.load(path, None, None, RECIPE, said.append)

    assert f"row left out: {path}:362: 1 fields, not 5" in said
    assert len([line for line in said if line.startswith("row left out")]) == 20
    assert f"rows left out: 30 in {path}" in said


def test_one_class_stops_the_run(tmp_path):
    lines = [line for line in gold_lines() if "threat" not in line]

    with pytest.raises(TrainingError, match="with the category threat"):
        dataset.load(write(tmp_path / "gold.tsv", lines), None, None, RECIPE, silent)


def test_too_few_rows_stop_the_run(tmp_path):
    with pytest.raises(TrainingError, match="too few rows: none falls into the"):
        dataset.load(write(tmp_path / "gold.tsv", gold_lines(3)), None, None, RECIPE, silent)


def test_nothing_near_to_a_row_kept_apart_is_learnt(gold, tmp_path):
    complete = data.read_gold(gold).frame
    kept = complete[complete.split == "test"].iloc[0]
    lines = [
        *corpus_lines(10),
        f"{kept.text}\ttoxic\tmicha_manual\tru\t\t9001\ttrain",
        f"совсем другой текст\ttoxic\tmicha_manual\tru\t\t{kept.group}\ttrain",
        "третий текст\ttoxic\tmicha_manual\tru\t\t9003\ttest",
    ]
    found = dataset.load(gold, write(tmp_path / "c.tsv", lines), None, RECIPE, silent)

    assert len(found.extra) == 10


def test_a_test_row_among_those_learnt_is_an_error(gold):
    found = dataset.load(gold, None, None, RECIPE, silent)
    found.gold.loc[found.gold.part == TEST, "part"] = FIT

    with pytest.raises(AssertionError, match="a test row would be trained on"):
        dataset.check_apart(found)


def test_the_digest_covers_every_file(gold, tmp_path):
    corpus = write(tmp_path / "corpus.tsv", corpus_lines(10))
    pool = write(tmp_path / "pool.tsv", ["text\tsource", "текст\tпул"])
    digests = {
        dataset.load(gold, *others, RECIPE, silent).digest
        for others in ((None, None), (corpus, None), (None, pool), (corpus, pool))
    }

    assert len(digests) == 4


def test_other_texts_get_soft_labels(gold, tmp_path):
    corpus = write(tmp_path / "corpus.tsv", corpus_lines())
    found = dataset.load(gold, corpus, None, RECIPE, silent)
    soft = dataset.soften_extra(found, Baseline(found.part(FIT), 0), RECIPE)

    assert soft.targets.shape == (len(found.extra), 6)
    assert ((soft.targets >= 0) & (soft.targets <= 1)).all()
    assert np.allclose(soft.weights, RECIPE.replay_weight)


def test_without_other_texts_there_is_nothing_to_soften(gold):
    found = dataset.load(gold, None, None, RECIPE, silent)
    soft = dataset.soften_extra(found, Baseline(found.part(FIT), 0), RECIPE)
    hard = dataset.complete(found.part(FIT))

    assert len(soft.texts) == 0
    assert dataset.join(hard, soft).texts == hard.texts


def test_a_sample_is_drawn_once_for_a_seed(gold):
    hard = dataset.complete(dataset.load(gold, None, None, RECIPE, silent).part(FIT))

    assert dataset.sample(hard, 5, 1).texts == dataset.sample(hard, 5, 1).texts
    assert len(dataset.sample(hard, 10**6, 1).texts) == len(hard.texts)
