import pytest

from tests.trainer import evaluations
from trainer import score_table
from trainer.config import TrainingError


def test_scores_are_numbers_and_texts_stay_texts(tmp_path):
    frame = evaluations.scored(evaluations.rows(40), names=("model",))
    frame.loc[0, "text"], frame.loc[1, "text"] = 'он сказал "да', "null"
    frame.loc[2, "model/rude"] = None
    evaluations.save_scores(tmp_path, frame)
    found = score_table.read(tmp_path)

    assert list(found.text[:2]) == ['он сказал "да', "null"]
    assert found["model/rude"].isna().sum() == 1
    assert found["model/insult"].between(0, 1).all()


def test_scores_without_labels_are_refused(tmp_path):
    evaluations.rows(5).drop(columns=["threat"]).to_csv(tmp_path / "scores.tsv.gz", sep="\t")

    with pytest.raises(TrainingError, match="no column threat"):
        score_table.read(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"scores\.tsv.gz: No such file"):
        score_table.read(tmp_path)


def test_what_is_written_is_read_whatever_a_text_holds(tmp_path):
    frame = evaluations.scored(evaluations.rows(40), names=("model",))
    frame.loc[0, "text"] = "два\tполя\u2028и строки"
    score_table.write(frame, tmp_path)
    found = score_table.read(tmp_path)

    assert found.text[0] == "два поля и строки"
    assert len(found) == 40
    assert abs(found["model/insult"] - frame["model/insult"]).max() < 1e-8
