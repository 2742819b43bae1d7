"""Trainings in tests: a trainer that can be steered, and what operators write, press and read.

The trainer is a stand-in that obeys the real one's contract.
"""

import contextlib
import json
import os
from pathlib import Path

from moderation import database, registry
from moderation.states import Source
from moderation.tables import Label, TrainingRun
from sandbox import scene
from tests.e2e.stage import INSULT, MEMBER, staged, until

OPERATOR, OTHER = 9_001, 9_002
ROOT = Path(__file__).parents[2]
STANDIN = ROOT / "tests" / "e2e" / "standin"
EMBEDDED = registry.card(registry.EMBEDDED).version


@contextlib.asynccontextmanager
async def operated(folder, **environment):
    """A stage with two operators whose bot isn't started yet."""
    async with staged(folder) as made:
        made.environment = {
            "OPERATOR_IDS": f"{OPERATOR},{OTHER}", "RETRAIN_MIN_LABELS": "2",
            # Without the safe path the current folder would come first, and with it the trainer.
            "PYTHONPATH": f"{STANDIN}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1",
        } | environment  # fmt: skip
        for number, name in ((OPERATOR, "Оля"), (OTHER, "Олег")):
            await made.people.post("users", id=number, first_name=name, language_code="ru")
        yield made


def order(stage, **given):
    """How the next training goes, or the one under way goes on."""
    (stage.folder / "models").mkdir(exist_ok=True)
    path = stage.folder / "standin.json"
    path.with_suffix(".new").write_text(json.dumps({"promote": True, "name": "x"} | given))
    path.with_suffix(".new").rename(path)


async def says(stage, words, chat_id=OPERATOR, seconds=30.0):
    """The last message of the bot, once it says something."""

    async def now_says():
        found = await stage.people.messages(chat_id, scene.BOT_ID)
        return found[-1] if found and words in said(found[-1]) else None

    return await until(now_says, seconds)


def process(pid):
    """The environment and the command line of a process, empty if it is gone."""
    folder = Path(f"/proc/{pid}")
    if not folder.exists():
        return b""
    return (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()


def said(message):
    return message.get("text", "").replace("\N{NO-BREAK SPACE}", " ")


def buttons(message):
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


async def press(stage, message, user_id=OPERATOR, **button):
    """Press a button; what the bot answered."""
    at = (message["chat"]["id"], message["message_id"])
    return await stage.press_at(*at, user_id, **button)


async def changed(stage, message, words, seconds=30.0):
    """A message once it says something."""

    async def now_says():
        found = await stage.people.messages(message["chat"]["id"])
        same = next(m for m in found if m["message_id"] == message["message_id"])
        return same if words in said(same) else None

    return await until(now_says, seconds)


async def label(stage, *numbers):
    """Labels of so many moderators, each of a text of its own, that are new to any model."""
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        session.add_all(
            Label(
                moderator_id=number, source=Source.IMPORT, text=f"{INSULT} {number}",
                vector={"insult": 1}, model_version="", scores={},
            )
            for number in numbers
        )  # fmt: skip


async def train(stage):
    """Ask for a training with labels that are new to any model, and confirm; its message."""
    await label(stage, 1, 2)
    await stage.people.write(OPERATOR, OPERATOR, "/retrain")
    question = await says(stage, "Обучить новую модель?")
    await press(stage, question, button="Обучить")
    return question


async def trained(stage):
    """The verdict of a training that goes through."""
    await train(stage)

    async def shown():
        run = (await stage.rows(TrainingRun))[-1]
        return run.verdict_id if run.is_reported else None

    verdict_id = await until(shown)
    found = await stage.people.messages(OPERATOR)
    return next(m for m in found if m["message_id"] == verdict_id)


async def last_run(stage):
    return (await stage.rows(TrainingRun))[-1]


async def serves(stage, version):
    async def swapped():
        line = stage.bot.said.rpartition("model swapped")[2].partition("\n")[0]
        return f"version={version}" in line

    await until(swapped)


async def judged(stage, group, text):
    """What became of a text: the version that judged it and the action."""
    number = len(await stage.predictions(group))
    await stage.people.write(group, MEMBER, text)
    await stage.settled(group, number + 1)
    found = (await stage.predictions(group))[-1]
    return found.model_version, found.action.name
