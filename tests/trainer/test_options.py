import sys
from pathlib import Path

from trainer import options


def test_a_path_of_one_machine_is_not_in_the_command_of_a_card(monkeypatch):
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "trainer",
            "train",
            "--gold",
            "/some/where/gold.tsv",
            "--pool",
            "../other/pool.tsv",
            "--set",
            "seed=2",
        ],
    )

    assert (
        options.command() == "python -m trainer train --gold gold.tsv --pool pool.tsv --set seed=2"
    )


def test_the_files_of_a_command_become_those_of_a_data_set():
    found = options.files([Path("a.tsv")], None, [Path("b.txt")], "bot.db", None)

    assert (found.gold, found.corpus, found.pool) == ((Path("a.tsv"),), (), (Path("b.txt"),))
    assert (found.labels, found.splits) == ("bot.db", None)
