import asyncio
from dataclasses import replace

import numpy as np
import pytest

from moderation.categories import TOXIC, Category
from tests.trainer.bot_labels import fill
from tests.trainer.conftest import corpus_lines, gold_lines, write
from trainer import config, data, dataset
from trainer.baseline import Baseline
from trainer.config import TrainingError
from trainer.criteria import LEAST_POSITIVES
from trainer.dataset import Files
from trainer.feedback import Vote
from trainer.split import FIT, TEST
from trainer.votes import settle

RECIPE = config.load("tiny")
GOLD = "text\tlabels\tsplit\tgroup\tsource"


def silent(line):
    pass


def test_bad_rows_are_reported_with_their_number(tmp_path):
    said = []
    path = write(tmp_path / "gold.tsv", [*gold_lines(), *["без полей"] * 30])
    dataset.load(Files((path,)), RECIPE, said.append)

    assert f"row left out: {path}:362: 1 fields, not 5" in said
    assert len([line for line in said if line.startswith("row left out")]) == 20
    assert f"rows left out: 30 in {path}" in said


def test_one_class_stops_the_run(tmp_path):
    lines = [line for line in gold_lines() if "threat" not in line]

    with pytest.raises(TrainingError, match="with the category threat"):
        dataset.load(
            Files((write(tmp_path / "gold.tsv", lines),)), replace(RECIPE, own_rows=False), silent
        )


def test_too_few_rows_stop_the_run(tmp_path):
    with pytest.raises(TrainingError, match="too few rows: none falls into the"):
        dataset.load(Files((write(tmp_path / "gold.tsv", gold_lines(3)),)), RECIPE, silent)


def test_nothing_near_to_a_row_kept_apart_is_learnt(gold, tmp_path):
    complete = data.read_gold(gold).frame
    kept = complete[complete.split == "test"].iloc[0]
    lines = [
        *corpus_lines(10),
        f"{kept.text}\ttoxic\tmicha_manual\tru\t\t9001\ttrain",
        f"совсем другой текст\ttoxic\tmicha_manual\tru\t\t{kept.group}\ttrain",
        "третий текст\ttoxic\tmicha_manual\tru\t\t9003\ttest",
    ]
    found = dataset.load(Files((gold,), (write(tmp_path / "c.tsv", lines),)), RECIPE, silent)

    assert len(found.extra) == 10


def test_a_test_row_among_those_learnt_is_an_error(gold):
    found = dataset.load(Files((gold,)), RECIPE, silent)
    found.gold.loc[found.gold.part == TEST, "part"] = FIT

    with pytest.raises(AssertionError, match="a test row would be trained on"):
        dataset.check_apart(found)


def test_the_digest_covers_every_file(gold, tmp_path):
    corpus = write(tmp_path / "corpus.tsv", corpus_lines(10))
    pool = write(tmp_path / "pool.tsv", ["text\tsource", "текст\tпул"])
    digests = {
        dataset.load(Files((gold,), *others), RECIPE, silent).digest
        for others in (((), ()), ((corpus,), ()), ((), (pool,)), ((corpus,), (pool,)))
    }

    assert len(digests) == 4


def test_other_texts_get_soft_labels(gold, tmp_path):
    corpus = write(tmp_path / "corpus.tsv", corpus_lines())
    found = dataset.load(Files((gold,), (corpus,)), RECIPE, silent)
    soft = dataset.soften_extra(found, Baseline(found.part(FIT), 0), RECIPE)

    assert soft.targets.shape == (len(found.extra), 6)
    assert ((soft.targets >= 0) & (soft.targets <= 1)).all()
    assert np.allclose(soft.weights, RECIPE.replay_weight)


def test_without_other_texts_there_is_nothing_to_soften(gold):
    found = dataset.load(Files((gold,)), RECIPE, silent)
    soft = dataset.soften_extra(found, Baseline(found.part(FIT), 0), RECIPE)
    hard = dataset.complete(found.part(FIT))

    assert len(soft.texts) == 0
    assert dataset.join(hard, soft).texts == hard.texts


def test_a_sample_is_drawn_once_for_a_seed(gold):
    hard = dataset.complete(dataset.load(Files((gold,)), RECIPE, silent).part(FIT))

    assert dataset.sample(hard, 5, 1).texts == dataset.sample(hard, 5, 1).texts
    assert len(dataset.sample(hard, 10**6, 1).texts) == len(hard.texts)


def test_a_category_that_a_held_out_part_lacks_is_told_of(tmp_path):
    said = []
    rare = "найду и прибью вечером\tthreat\ttrain\t900\tм"
    lines = [line for line in gold_lines(600) if "threat" not in line]
    dataset.load(Files((write(tmp_path / "gold.tsv", [*lines, rare]),)), RECIPE, said.append)

    assert "no row of threat in the validation part: not judged there" in said
    assert "no row of threat in the calibration part: not judged there" in said


def test_a_validation_part_without_a_toxic_row_stops_the_run(tmp_path):
    toxic = [line for line in gold_lines() if "\tnon_toxic\t" not in line][1:]
    lines = [line.replace("\ttrain\t", "\ttest\t") for line in toxic]
    clean = [line for line in gold_lines() if "\tnon_toxic\t" in line]
    one = "ты идиот, найду и убью\tinsult|threat|rude\ttrain\t901\tм"
    two = "хуйня, чурки понаехали\tobscenity|discrimination\ttrain\t902\tм"
    path = write(
        tmp_path / "gold.tsv", ["text\tlabels\tsplit\tgroup\tsource", *lines, *clean, one, two]
    )

    with pytest.raises(TrainingError, match="no toxic row in the validation part"):
        dataset.load(Files((path,)), RECIPE, silent)


def test_our_own_texts_are_only_ever_learnt_from(gold):
    found = dataset.load(Files((gold,)), RECIPE, silent).gold
    own = found[found.source == "own"]

    assert set(own.part) == {FIT}
    assert len(own) > 0


def test_a_recipe_may_do_without_our_own_texts(gold):
    recipe = replace(RECIPE, own_rows=False)

    assert "own" not in set(dataset.load(Files((gold,)), recipe, silent).gold.source)


def test_no_row_moves_when_a_file_is_added(gold, tmp_path):
    ledger = tmp_path / "splits.tsv"
    before = dataset.load(Files((gold,), splits=ledger), RECIPE, silent).gold
    more = write(
        tmp_path / "more.csv", ["text,insult", *(f"добавка номер {i},{i % 2}" for i in range(200))]
    )
    after = dataset.load(Files((gold, more), splits=ledger), RECIPE, silent).gold
    places = dict(zip(after.key, after.part, strict=True))

    assert [places[key] for key in before.key] == list(before.part)
    assert len(after) > len(before)


def test_a_row_learnt_before_its_double_was_held_out_stays_and_is_told_of(gold, tmp_path):
    ledger, said = tmp_path / "splits.tsv", []
    before = dataset.load(Files((gold,), splits=ledger), RECIPE, silent).gold
    fitted = before[(before.part == FIT) & (before.source != "own")].iloc[0]
    double = f"совсем новый текст\tinsult\ttest\t{fitted.group}\tм"
    files = Files((gold, write(tmp_path / "more.tsv", [GOLD, double])), splits=ledger)
    after = dataset.load(files, RECIPE, said.append).gold

    assert list(after.part[after.key == fitted.key]) == [FIT]
    assert "1 rows of the fit part are near to held-out ones; the ledger keeps them there" in said


def test_files_of_one_name_in_two_folders_are_both_read(gold, tmp_path):
    (tmp_path / "other").mkdir()
    other = write(tmp_path / "other" / gold.name, [GOLD, "второй файл\trude\ttrain\t9000\tм"])
    loaded, labelled, _ = dataset.count(Files((gold, other)), RECIPE)

    assert [found.read for found in loaded.values()] == [360, 1]
    assert "второй файл" in set(labelled.text)


def test_without_groups_in_the_files_no_double_of_a_held_out_text_is_learnt(tmp_path):
    lines = ["\t".join(line.split("\t")[:2]) for line in gold_lines()]
    gold = write(tmp_path / "gold.tsv", lines)
    placed = dataset.load(Files((gold,)), RECIPE, silent).gold
    held_out = placed[placed.part != FIT].iloc[0].text
    header = next(corpus_lines())
    rows = [f"{held_out}!!\ttoxic\tм\tru\t\t1\ttrain", "о третьем\ttoxic\tм\tru\t\t2\ttrain"]
    corpus = write(tmp_path / "corpus.tsv", [header, *rows])
    pool = write(tmp_path / "pool.tsv", ["text", f"{held_out}, да", "о другом и по-другому"])
    found = dataset.load(Files((gold,), (corpus,), (pool,)), RECIPE, silent)

    assert list(found.extra.text) == ["о третьем", "о другом и по-другому"]


async def test_labels_of_the_bot_are_split_like_gold_and_tied_to_near_texts(gold, tmp_path):
    test = data.read_gold(gold).frame.query("split == 'test'").iloc[0].text
    votes = [(f"{test}!", 1, {"insult": 1}), ("ты балбес", 1, {"insult": 1})]
    path = tmp_path / "bot.sqlite3"
    await fill(f"sqlite+aiosqlite:///{path}", votes)
    files = Files((gold,), labels=str(path))
    found = (await asyncio.to_thread(dataset.load, files, RECIPE, silent)).gold
    told = found[found.source == "feedback:button"]
    parts = dict(zip(told.text, told.part, strict=True))

    assert parts.get(f"{test}!", TEST) == TEST
    assert list(told.threat) == [-1.0] * len(told)
    assert "ты балбес" in parts


def test_the_recipe_weighs_a_source(gold):
    recipe = replace(RECIPE, source_weights=("own=3",))
    rows = dataset.weigh(dataset.load(Files((gold,)), recipe, silent).gold, recipe)

    assert set(rows[rows.source == "own"].weight) == {3.0}
    assert set(rows[rows.source != "own"].weight) == {1.0}


def test_texts_written_later_are_learnt_from_if_the_recipe_says_so(gold):
    recipe = replace(RECIPE, more_rows=True)
    usual, more = (dataset.load(Files((gold,)), r, silent).gold for r in (RECIPE, recipe))

    assert len(more) - len(usual) > 900
    assert set(more.part[~more.key.isin(usual.key)]) == {FIT}


def taught(*rows):
    """Labels of moderators: text and the categories it has."""
    votes = [
        Vote(text, {c.value: int(c in named) for c in Category}, 1, "button", -1, 5, None)
        for text, *named in rows
    ]
    return settle(votes, "labels").loaded


def without_gold(tmp_path, *rows):
    files = Files((), splits=tmp_path / "splits.tsv")
    return dataset.load(files, RECIPE, silent, taught(*rows))


def test_without_gold_rows_models_are_judged_by_texts_that_none_has_learnt(tmp_path):
    found = without_gold(tmp_path, ("ты балбес", "insult"), ("привет", "non_toxic"))
    more = data.read_gold(dataset.ROWS / "more.tsv").frame
    own = data.read_gold(dataset.ROWS / "own.tsv").frame

    assert set(found.part(TEST).key) & set(more.key)
    assert not set(found.part(FIT).key) & set(more.key)
    assert set(found.part(FIT).key) & set(own.key)
    judged = found.part(TEST)
    for category in TOXIC:
        assert (judged[category] == 1).sum() >= LEAST_POSITIVES


def test_a_moderator_does_not_change_what_the_projects_texts_are(tmp_path):
    more = data.read_gold(dataset.ROWS / "more.tsv").frame
    own = data.read_gold(dataset.ROWS / "own.tsv").frame
    toxic = [frame[frame.insult == 1].iloc[0] for frame in (more, own)]
    rows = [(row.text, "non_toxic") for row in toxic]
    found = without_gold(tmp_path, *rows, ("ты балбес", "insult"), ("привет", "non_toxic"))

    for row in toxic:
        assert found.gold[found.gold.key == row.key].insult.tolist() == [1]


def test_a_label_near_to_a_judged_text_is_never_learnt_from(tmp_path):
    more = data.read_gold(dataset.ROWS / "more.tsv").frame
    judged = set(
        without_gold(tmp_path, ("ты балбес", "insult"), ("привет", "non_toxic")).part(TEST).key
    )
    text = max(more[more.key.isin(judged)].text, key=len)
    found = without_gold(tmp_path, (f"{text} да", "insult"), ("привет", "non_toxic"))

    assert data.key(f"{text} да") in set(found.part(TEST).key)


def test_a_label_keeps_its_side_when_others_come(tmp_path):
    rows = [
        (f"слово{i} сказано номер {i * 7919}", "insult" if i % 2 else "non_toxic")
        for i in range(60)
    ]
    before = without_gold(tmp_path, *rows[:30]).gold.set_index("key").part
    after = without_gold(tmp_path, *rows).gold.set_index("key").part
    known = [data.key(text) for text, *_ in rows[:30]]

    assert before[known].tolist() == after[known].tolist()
    assert (after[known] == TEST).any()
