import json

import pytest

from moderation.registry import verify
from tests.trainer.conftest import trainer, write


def test_training_shows_progress_and_the_figures_of_the_test_rows(finished):
    _, said = finished

    assert "data " in said
    assert "pretraining" in said
    assert "fine-tuning: epoch 1, validation macro AP" in said
    assert "\ntest\n" in said
    assert "version 20" in said


def test_the_card_has_the_figures_of_the_test_rows_and_the_command(model):
    card = verify(model)

    assert card.metrics["test"]["macro"]["n"] == 72
    assert card.metrics["test_baseline"]["insult"]["ap"] > 0.9
    assert card.metrics["command"].startswith("python -m trainer train --gold gold.tsv")
    assert set(card.thresholds["insult"]) == {"0.8", "0.9", "0.95", "0.97"}


def test_only_files_that_are_served_are_left(model):
    assert sorted(path.name for path in model.iterdir()) == [
        "README.md",
        "calibration.json",
        "card.json",
        "config.json",
        "model.safetensors",
        "ngrams.safetensors",
        "recipe.toml",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_a_file_is_scored_by_the_command_line(model, tmp_path):
    texts = ["привет", "", "ты идиот"]
    source = write(tmp_path / "texts.tsv", ["text", *texts])
    done = trainer("predict", "--model", model, "--input", source, "--output", tmp_path / "o.jsonl")

    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--gold", "none.tsv"], "none.tsv: No such file or directory"),
        (["--set", "sed=1"], "unknown name 'sed'"),
    ],
)
def test_what_cant_be_done_is_said_in_one_line(gold, tmp_path, arguments, said):
    given = ["--gold", gold, "--output", tmp_path / "out", "--recipe", "tiny", *arguments]
    done = trainer("train", *given)

    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert said in errors[0]
    assert "Traceback" not in done.stderr


def test_an_unknown_option_is_the_users_mistake():
    assert trainer("train", "--glod", "x").returncode == 2
