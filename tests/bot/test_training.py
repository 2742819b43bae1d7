import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from bot import training
from moderation.settings import Settings

TOKEN = "123456:secret-token"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Settings(
        bot_token=TOKEN, database_url="postgresql://bot:pass-word@db:5433/bot",
        models_dir=Path("models"), retrain_gold="a.tsv, b.tsv", retrain_corpus="c.tsv.gz",
    )  # fmt: skip


def values(command, option):
    return [command[i + 1] for i, part in enumerate(command) if part == option]


def test_the_command_has_no_secret_and_the_environment_only_what_is_needed(
    settings, monkeypatch, tmp_path
):
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:pass-word@db/bot")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    command = training.command(settings, tmp_path / "run", "5", resume=True)
    assert values(command, "--labels") == ["postgresql://bot@db:5433/bot"]
    assert values(command, "--gold") == ["a.tsv", "b.tsv"]
    assert values(command, "--corpus") == ["c.tsv.gz"]
    assert values(command, "--models") == [str(tmp_path / "models")]
    assert values(command, "--by") == ["5"]
    assert command[-1] == "--resume"
    assert "--base" not in command
    assert "--idle" in command
    assert "--promote" not in command
    variables = training.environment(settings)
    assert variables["PGPASSWORD"] == "pass-word"
    assert variables["HF_HUB_OFFLINE"] == "1"
    assert "PATH" in variables
    assert TOKEN not in str(command) + str(variables)
    assert "pass-word" not in str(command)
    assert "DATABASE_URL" not in variables


def test_a_database_in_a_file_is_named_in_full(settings, tmp_path):
    settings = settings.model_copy(update={"database_url": "sqlite+aiosqlite:///data/x.sqlite3"})
    command = training.command(settings, tmp_path, "5", resume=False)
    assert values(command, "--labels") == [str(tmp_path / "data" / "x.sqlite3")]
    assert "PGPASSWORD" not in training.environment(settings)


@pytest.mark.parametrize(
    ("hours", "promotes"), [(0, True), (2, False)]
)  # after its shadow time the bot promotes it
def test_who_promotes_by_itself(settings, tmp_path, hours, promotes):
    settings = settings.model_copy(update={"auto_promote": True, "shadow_hours": hours})
    assert ("--promote" in training.command(settings, tmp_path, "5", resume=False)) == promotes


def test_a_base_that_was_chosen_is_told(tmp_path):
    chosen = Settings(base_model="some/model")
    assert values(training.command(chosen, tmp_path, "5", resume=False), "--base") == ["some/model"]


def test_a_process_is_found_by_its_folder_and_outlives_nothing_else(tmp_path):
    folder = tmp_path / "run"
    script = "import sys, time; print('said', file=sys.stderr, flush=True); time.sleep(60)"
    child = training.launch([sys.executable, "-c", script, str(folder)], dict(os.environ), folder)
    deadline = time.monotonic() + 10
    while not training.pid_of(folder, child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)  # between fork and exec it has another command line
    try:
        assert training.pid_of(folder, child.pid) == child.pid
        assert training.pid_of(folder, None) == child.pid
        assert training.pid_of(tmp_path / "other", child.pid) is None
        assert training.pid_of(tmp_path / "other", None) is None
        assert os.getpriority(os.PRIO_PROCESS, child.pid) >= training.NICENESS
        assert os.getsid(child.pid) == child.pid
    finally:
        training.signal(child.pid, signal.SIGKILL, everybody=True)
    deadline = time.monotonic() + 10
    while training.pid_of(folder, child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert training.pid_of(folder, child.pid) is None  # though nobody has waited for it yet
    child.wait()
    training.signal(child.pid, signal.SIGTERM)  # gone is no failure


def test_of_a_log_only_what_holds_nobodys_words_is_told(tmp_path):
    (tmp_path / training.LOG).write_text(
        "epoch 1: сдохни\nTraceback (most recent call last):\n"
        '  File "/a/trainer/data.py", line 12, in load\n    raise KeyError(text)\n'
        "KeyError: 'ty idiot'\nпривет\nerror: rows.tsv:12: сдохни\nerror: rows.tsv:3: no column\n"
    )
    assert training.log_tail(tmp_path).splitlines() == [
        "data.py:12", "KeyError", "error: rows.tsv:3: no column",
    ]  # fmt: skip
    assert training.log_tail(tmp_path / "none") == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 5}', '{"table": 1}'])
def test_a_result_that_cant_be_used_is_none(tmp_path, content):
    assert training.result(tmp_path) is None
    (tmp_path / training.RESULT).write_text(content)
    assert training.result(tmp_path) is None


def test_a_result_may_say_more_than_is_used(tmp_path):
    (tmp_path / training.RESULT).write_text(
        json.dumps({"version": "v", "later": 1, "promote": True})
    )
    found = training.result(tmp_path)
    assert (found.version, found.promote, found.missing) == ("v", True, None)


def test_files_outside_of_the_run_are_not_sent(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(b"")
    assert training.file_of(folder, "a.png") == folder / "a.png"
    for name in ("../b.png", str(tmp_path / "b.png"), "c.png", ".", None, ""):
        assert training.file_of(folder, name) is None
