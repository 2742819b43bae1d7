"""The bot as a process against the sandbox as a process, over HTTP."""

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import aiohttp
from sqlalchemy import or_, select

from moderation import changes, database
from moderation.states import Origin
from moderation.tables import Case, Enforcement, Label, Prediction
from sandbox import scene
from sandbox.client import Client
from tests.commands import Command

INSULT = "Какой же ты идиот, тварь безмозглая!"
CLEAN = "Доброе утро! Завтра в десять собрание у второго подъезда."
OWNER, MODERATOR, MEMBER, STRANGER = 1001, 1002, 1003, 1006
ADMIN_RIGHTS = {"can_delete_messages": True, "can_restrict_members": True}
_group_ids = itertools.count(-1_002_000_000_000, -1)


@dataclass
class Process:
    """A running `python -m …` and what it prints."""

    child: Command
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def stop(self, number: int = signal.SIGTERM) -> int:
        if self.child.returncode is None:
            self.child.send_signal(number)
        return await self.child.wait()


async def start(log: Path, *command: str, **environment: str) -> Process:
    return Process(Command(command, log, log, os.environ | environment), log)


async def until(check, seconds=30.0):
    """What `check` gives once it is true; fails with its last value if it never is."""
    deadline, pause = monotonic() + seconds, 0.03
    while True:
        found = await check()
        if found:
            return found
        assert monotonic() < deadline, f"still {found!r} after {seconds} s"
        await asyncio.sleep(pause)
        pause = min(1.4 * pause, 0.3)  # asking costs the processor that the bot works with


@dataclass
class Stage:
    """A sandbox, a bot that talks to it, and the bot's database."""

    people: Client
    token: str
    folder: Path
    bot: Process | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder}/bot.sqlite3"

    async def start_bot(self) -> None:
        await self.people.write(OWNER, OWNER, "/start")  # else cards could not reach the owner
        self.bot = await start(
            self.folder / "bot.log", "bot", "run",
            **{"TELEGRAM_PACE": "100"} | self.environment,
            BOT_TOKEN=self.token,
            TELEGRAM_API_URL=self.people.url,
            DATABASE_URL=self.database_url,
            MODELS_DIR=os.environ.get("MODELS_DIR", str(self.folder / "models")),
        )  # fmt: skip
        started = self.bot.said.count("started")

        async def is_started():
            assert self.bot.child.returncode is None, self.bot.said
            return self.bot.said.count("started") > started

        await until(is_started, 90)

    async def rows(self, table, *conditions):
        async with database.opened(self.database_url) as sessions, sessions() as session:
            return list(await session.scalars(select(table).where(*conditions).order_by(table.id)))

    async def predictions(self, chat_id):
        return await self.rows(Prediction, Prediction.chat_id == chat_id)

    async def cases(self, chat_id):
        """Without those drawn by chance for an audit, which no card shows."""
        shown = or_(Case.origin != Origin.AUDIT, Case.card_message_id.is_not(None))
        return await self.rows(Case, Case.chat_id == chat_id, shown)

    async def labels(self, chat_id):
        return await self.rows(Label, Label.chat_id == chat_id)

    async def acts(self, case_id):
        return {
            row.act: row for row in await self.rows(Enforcement, Enforcement.case_id == case_id)
        }

    async def group(self, rights=None, title="Группа", **extra) -> int:
        """A new group with an owner, a moderator, two members and the bot."""
        chat_id = next(_group_ids)
        rights = ADMIN_RIGHTS if rights is None else rights
        members = [
            {"user_id": OWNER, "status": "creator"},
            {"user_id": MODERATOR, "status": "administrator", **ADMIN_RIGHTS},
            {"user_id": MEMBER, "status": "member"},
            {"user_id": STRANGER, "status": "member"},
            {"user_id": scene.BOT_ID, "status": "administrator", **rights},
        ]
        body = {"id": chat_id, "type": "supergroup", "title": title, "members": members}
        await self.people.post("chats", **body | extra)
        await until(lambda: self.people.messages(chat_id, scene.BOT_ID))
        return chat_id

    async def hide(self, chat_id: int) -> None:
        """Let the moderator of a group write in its name."""
        hidden = {"chat_id": chat_id, "user_id": MODERATOR, "is_anonymous": True}
        await self.people.post("members", status="administrator", **hidden, **ADMIN_RIGHTS)

    async def moderated_group(self, **extra) -> tuple[int, int]:
        """A new group and a moderators' chat that is connected to it."""
        chat_id = await self.group(**extra)
        modchat_id = await self.group(rights={}, title="Модераторы")
        await self.people.write(modchat_id, OWNER, f"/start@demo_moderator_bot modchat_{chat_id}")
        await until(lambda: self.said(modchat_id, "карточки группы"))
        return chat_id, modchat_id

    async def said(self, chat_id, words) -> list[dict]:
        """The bot's messages in a chat that contain some words."""
        found = await self.people.messages(chat_id, scene.BOT_ID)
        return [message for message in found if words in message.get("text", "")]

    async def card(self, chat_id) -> Case:
        """The newest case of a group, once its card stands and its acts are done."""

        async def newest():
            cases = await self.cases(chat_id)
            return cases[-1] if cases and cases[-1].card_message_id else None

        return await until(newest)

    async def press(self, case, user_id, **button):
        """Press a button of a card; the answer that the bot gave."""
        return await self.press_at(case.card_chat_id, case.card_message_id, user_id, **button)

    async def press_at(self, chat_id, message_id, user_id, **button):
        """Press a button of a message; the answer that the bot gave."""
        query_id = await self.people.press(chat_id, message_id, user_id, **button)

        async def answer():
            found = (await self.people.get("callbacks"))["callbacks"]
            return next(c for c in found if c["id"] == query_id)["answer"]

        return await until(answer)

    async def settled(self, chat_id, number):
        """Wait until a group has so many predictions."""

        async def enough():
            return len(await self.predictions(chat_id)) >= number

        await until(enough)


async def prefer(stage: Stage, group: int, **preferences) -> None:
    """Set preferences of a group as the panel does."""
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        current = await changes.held(session, group)
        await changes.change(session, group, OWNER, changes.replaced(current, **preferences))


async def whispered(stage: Stage, group: int, user_id: int, words: str) -> list[dict]:
    """What the bot said in a group to one person alone."""
    found = await stage.people.ephemeral(group)
    return [m for m in found if m["receiver_user_id"] == user_id and words in m["text"]]


@contextlib.asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """A fresh sandbox process; the bot is started by whoever wants it."""
    sandbox = await start(folder / "sandbox.log", "sandbox", "--port", "0")

    async def address():
        line = next((x for x in sandbox.said.splitlines() if x.startswith("sandbox: http")), "")
        return line.split()[1:] if "token=" in line else None

    url, token = await until(address)
    async with aiohttp.ClientSession() as http:
        stage = Stage(Client(url, http), token.removeprefix("token="), folder)
        try:
            yield stage
        finally:
            if stage.bot:
                await stage.bot.stop()
            await sandbox.stop()
