import json
import shutil
from datetime import timedelta

import pytest

from bot import doctor_machine
from moderation import registry, runs
from moderation.columns import now
from moderation.settings import Settings
from moderation.states import UpdateState
from moderation.tables import InboxUpdate, TrainingRun


@pytest.fixture
def settings(tmp_path):
    return Settings(
        database_url=f"sqlite:///{tmp_path}/bot.sqlite3", models_dir=tmp_path / "models"
    )


async def told(settings, sessions):
    return [
        ("✅ " if finding.is_well else "❌ ") + finding.words
        async for finding in doctor_machine.stored(settings, sessions)
    ]


async def test_a_fresh_database(settings, sessions):
    database, queue = await told(settings, sessions)
    assert database.startswith("✅ база: 0,")
    assert queue == "✅ очередь: пуста"


async def test_what_waits_and_what_was_set_aside(settings, sessions):
    async with sessions.begin() as session:
        session.add(InboxUpdate(id=1, payload="{}"))
        session.add(
            InboxUpdate(
                id=2, payload="{}", state=UpdateState.QUARANTINED, error="TypeError at x.py:1"
            )
        )
    _, queue, quarantine = await told(settings, sessions)
    assert queue == "✅ очередь: ждёт 1 событие, самое старое — 0 мин"
    assert quarantine.startswith(
        "❌ карантин: 1 событие обработать не удалось, последнее — 2, TypeError at x.py:1"
    )
    async with sessions.begin() as session:
        (await session.get_one(InboxUpdate, 1)).received_at = now() - timedelta(minutes=11)
    _, queue, _ = await told(settings, sessions)
    assert queue.startswith("❌ очередь: ждёт 1 событие, самое старое — 11 мин; бот не запущен")


async def test_an_error_that_says_nothing_is_named(settings, sessions):
    class Silent:
        def __call__(self):
            return self

        async def __aenter__(self):
            raise TimeoutError  # as when a server doesn't answer

        async def __aexit__(self, *error):
            pass

    (line, *_) = await told(settings, Silent())
    assert line.startswith("❌ база: запись не идёт (TimeoutError)")


async def test_a_training_that_nobody_follows(settings, sessions):
    async with sessions.begin() as session:
        run_id = await runs.claim(session, "run", None)
    assert (await told(settings, sessions))[2].startswith("✅ обучение: идёт с ")
    async with sessions.begin() as session:
        (await session.get_one(TrainingRun, run_id)).heartbeat_at = now() - timedelta(hours=1)
    assert "за ним никто не следит" in (await told(settings, sessions))[2]


async def test_a_database_that_cannot_be_written(settings, sessions):
    async with sessions() as session:
        await session.connection()
        raw = await (await session.connection()).get_raw_connection()
        await raw.driver_connection.execute("PRAGMA query_only = ON")
    assert (await told(settings, sessions))[0].startswith("❌ база: запись не идёт (")


def test_a_disk_is_told_of_once_and_when_it_is_nearly_full(settings, monkeypatch):
    (finding,) = doctor_machine.disks(settings)
    assert finding.words.startswith("диск: свободно")
    monkeypatch.setattr(doctor_machine, "SCARCE_MB", float("inf"))
    (finding,) = doctor_machine.disks(settings)
    assert not finding.is_well
    assert "освободите место" in finding.words


def test_a_model_that_was_changed_after_it_was_published(settings, tiny_model):
    models = settings.models_dir
    shutil.copytree(tiny_model, models / "tiny")
    registry.promote(models, registry.card(tiny_model).version, by="a")
    with (models / "tiny" / "model.safetensors").open("ab") as file:
        file.write(b" ")
    finding = doctor_machine.model(settings)
    assert not finding.is_well
    assert "SHA-256" in finding.words
    assert registry.POINTER in finding.words


@pytest.fixture
def promoted(settings):
    """The folder of a version that the pointer names; nothing is in it."""
    pointer = {"version": "v1", "previous": None, "by": "a", "at": "2026-01-01T00:00:00Z"}
    (settings.models_dir / "v1").mkdir(parents=True)
    (settings.models_dir / registry.POINTER).write_text(json.dumps(pointer))
    return settings.models_dir / "v1"


def test_a_model_whose_files_cannot_be_read(settings, promoted):
    (promoted / "card.json").mkdir()
    finding = doctor_machine.model(settings)
    assert not finding.is_well
    assert "Is a directory" in finding.words
    assert registry.POINTER in finding.words


def test_a_device_that_is_not_there_is_no_reason_to_remove_a_model(settings, promoted, tiny_model):
    shutil.copytree(tiny_model, promoted, dirs_exist_ok=True)
    settings.device = "nothing"
    finding = doctor_machine.model(settings)
    assert finding.words.startswith("модель: DEVICE=nothing: ")
    assert registry.POINTER not in finding.words
