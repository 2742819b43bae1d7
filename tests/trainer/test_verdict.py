import json

import pytest

from tests.trainer import evaluations
from trainer import compare, verdict
from trainer.config import TrainingError
from trainer.verdict import Outcome


@pytest.fixture(scope="module")
def kept():
    content = evaluations.evaluation(evaluations.scored(evaluations.rows()))
    return compare.decide(evaluations.typed(content), "champion", 5)


def test_only_what_fails_or_lacks_evidence_blocks():
    assert {o for o in Outcome if o.blocks} == {Outcome.FAILED, Outcome.INSUFFICIENT}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_criterion_is_a_sentence_in_both_languages(kept, language):
    said = [criterion.text(language) for criterion in kept.criteria]

    assert all(line.endswith(".") for line in said)
    assert len(set(said)) == len(said)
    assert all(any("а" <= sign <= "я" for sign in line) is (language == "ru") for line in said)


def test_the_text_begins_with_the_verdict_and_ends_with_the_rows(kept):
    lines = verdict.text(kept).splitlines()

    assert lines[0] == "Оставить прежнюю модель."
    assert lines[-1].endswith("gold.tsv.gz, 0123456789ab")
    assert "? Новые правки модераторов: 5; нужно 200." in lines


def test_a_verdict_is_written_with_its_reasons(kept, tmp_path):
    verdict.write(kept, tmp_path / "verdict.json")
    content = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))

    assert content["promote"] is False
    assert "new_labels" in content["reasons"]
    assert {"name", "outcome", "number", "limit", "ru", "en"} == set(content["criteria"][0])


def test_a_place_that_cant_be_written_to_is_named(kept, tmp_path):
    with pytest.raises(TrainingError, match=r"none/verdict\.json: No such file"):
        verdict.write(kept, tmp_path / "none" / "verdict.json")
