import gzip
import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from moderation.categories import TOXIC, Category
from tests.trainer.conftest import gold_lines, trainer, write
from trainer import evaluation, findings, score_table, scorers, selection
from trainer.config import Recipe, TrainingError
from trainer.evaluation import Settings


@pytest.fixture(scope="module")
def evaluated(finished, make_model, tmp_path_factory):
    """What the command wrote for a trained model, a base without discrimination and a champion."""
    model, _ = finished
    directory = tmp_path_factory.mktemp("evaluation")
    labels = ("non-toxic", "insult", "obscenity", "threat", "dangerous")
    base = make_model(directory / "base", labels)
    champion = make_model(directory / "champion")
    done = trainer(
        "evaluate", "--model", model, "--base", base, "--champion", champion,
        "--data", model.parent / "gold.tsv", "--resamples", 200, "--out", directory / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return directory / "out", done.stdout


def test_the_figures_are_scikit_learns_of_the_scores_that_were_written(evaluated):
    found, scored = findings.read(evaluated[0]), score_table.read(evaluated[0])
    for name in ("model", "champion", "ngrams"):
        for category in TOXIC:
            y, p = scored[category] == 1, scored[f"{name}/{category}"]
            figures = found.model(name).of(category)
            assert figures.ap.value == pytest.approx(average_precision_score(y, p), abs=1e-3)
            assert figures.roc_auc.value == pytest.approx(roc_auc_score(y, p), abs=1e-3)
            assert figures.support == y.sum()
            assert figures.ap.low <= figures.ap.value <= figures.ap.high


def test_it_judges_models_and_baselines_on_the_same_rows(evaluated):
    found = findings.read(evaluated[0])

    assert [m.name for m in found.models] == [
        "model", "base", "champion", "majority", "lexicon", "ngrams"
    ]  # fmt: skip
    assert (found.data.rows, found.data.part) == (72, "test")
    assert found.model("majority").of("insult").roc_auc.value == 0.5
    assert {c.b for c in found.comparisons} == {m.name for m in found.models} - {"model"}


def test_what_a_base_lacks_is_null_and_the_means_differ_over_what_both_know(evaluated):
    found = findings.read(evaluated[0])
    comparison = next(c for c in found.comparisons if c.b == "base")
    known = [c for c in TOXIC if c is not Category.DISCRIMINATION]

    assert found.model("base").of("discrimination").ap.value is None
    assert found.model("base").of("macro").ap.value is None
    assert comparison.of("discrimination", "ap").value is None
    expected = np.mean([comparison.of(c, "ap").value for c in known])
    assert comparison.of("macro", "ap").value == pytest.approx(expected, abs=1e-4)


def test_the_table_names_every_model_and_slice(evaluated):
    _, said = evaluated

    for words in ("average precision (AP)", "ROC-AUC", "model - champion", "чистые строки чатов",
                  "McNemar", "suites passed", "texts/s"):  # fmt: skip
        assert words in said


def test_models_that_are_the_same_differ_in_nothing(tiny_model, gold, tmp_path):
    rows = selection.select(gold, "test", None, None, Recipe(), lambda _: None)
    models = [scorers.load(name, str(tiny_model)) for name in ("model", "base")]
    settings = Settings(resamples=50, suites=False)
    result, _ = evaluation.evaluate(rows, models, settings, lambda _: None)
    same = next(c for c in result["comparisons"] if c["b"] == "base")

    assert all(d["ap"]["value"] == 0 and d["ap"]["p"] == 1 for d in same["differences"].values())
    assert all(t["only_a_right"] == t["only_b_right"] == 0 for t in same["mcnemar"].values())


def test_the_same_seed_gives_the_same_intervals(tiny_model, gold):
    rows = selection.select(gold, "test", None, None, Recipe(), lambda _: None)
    models = [scorers.load("model", str(tiny_model))]
    first, second = (
        evaluation.evaluate(rows, models, Settings(resamples=50, suites=False), lambda _: None)[0]
        for _ in range(2)
    )

    assert first["models"][0]["figures"] == second["models"][0]["figures"]


def judged(path, model, **settings):
    rows = selection.select(path, "test", None, None, Recipe(), lambda _: None)
    models = [scorers.load("model", str(model))]
    given = Settings(**({"resamples": 20, "suites": False} | settings))
    return findings.Evaluation(**evaluation.evaluate(rows, models, given, lambda _: None)[0])


def test_rows_that_teach_too_little_cost_the_ngrams_only(tiny_model, tmp_path):
    lines = [line for line in gold_lines() if "threat" not in line]
    found = judged(write(tmp_path / "gold.tsv", lines), tiny_model)

    assert [m.name for m in found.models] == ["model", "majority", "lexicon"]
    assert any("without the baseline n-grams: no training row with" in n for n in found.notes)
    assert any(n.startswith("threat: no texts both with and without it") for n in found.notes)
    assert found.model("model").of("threat").ap.value is None
    assert found.model("model").of("macro").ap.value is not None
    assert found.comparison("majority").of("threat", "ap").p is None


def test_rows_without_any_known_category_have_no_figures_and_break_nothing(tiny_model, tmp_path):
    path = write(tmp_path / "a.csv", ["text,insult", "первый текст,", "второй текст,"])
    found = judged(path, tiny_model)

    assert [m.name for m in found.models] == ["model", "lexicon"]
    assert found.model("model").of("insult").ap.value is None
    assert found.model("model").any_toxic.n == 0
    assert any(n.startswith("no training rows") for n in found.notes)


def test_what_a_preset_has_no_rule_for_is_allowed(make_model, gold, tmp_path):
    obscene = make_model(tmp_path / "obscene", ("obscenity",))
    strict, soft = (judged(gold, obscene, preset=p, resamples=1) for p in ("strict", "soft"))

    assert soft.model("lexicon").any_toxic.recall.value == 0
    assert strict.model("lexicon").any_toxic.recall.value > 0
    assert soft.thresholds["obscenity"] == 0.5


def test_texts_with_odd_breaks_keep_their_rows(tiny_model, gold, tmp_path):
    rows = selection.select(gold, "test", None, None, Recipe(), lambda _: None)
    rows.judged.loc[0, "text"] = 'раз\tдва\nтри\x85четыре\u2028"пять'
    models = [scorers.load("model", str(tiny_model))]
    result, scored = evaluation.evaluate(
        rows, models, Settings(resamples=5, suites=False), lambda _: None
    )
    evaluation.write(result, scored, tmp_path / "out")
    lines = gzip.decompress((tmp_path / "out" / "scores.tsv.gz").read_bytes()).decode().split("\n")

    assert len(lines) == 74
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["data"]["rows"] == 72
    assert len(score_table.read(tmp_path / "out")) == 72


def test_an_unknown_preset_is_refused(tiny_model, gold):
    rows = selection.select(gold, "test", None, None, Recipe(), lambda _: None)

    with pytest.raises(TrainingError, match="no such preset"):
        evaluation.evaluate(rows, [], Settings(preset="harsh"), lambda _: None)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--data": "none.tsv"}, "No such file"),
        ({"--model": "none"}, "neither a directory nor a model"),
        ({"--part": "tset"}, "no such part"),
    ],
)
def test_bad_input_is_said_in_one_line(tiny_model, gold, tmp_path, changes, said):
    options = {"--model": tiny_model, "--base": tiny_model, "--data": gold, "--out": tmp_path / "o"}
    done = trainer("evaluate", *(part for item in (options | changes).items() for part in item))

    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
