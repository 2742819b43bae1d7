"""The stage of the demonstration: the sandbox, the bot as a process, what both halves look at."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiohttp
from sqlalchemy.ext.asyncio import AsyncSession

from bot.language import language
from moderation.categories import TOXIC
from moderation.database import Sessions
from moderation.policy import Action
from moderation.states import Origin
from moderation.store import case_of, prediction
from moderation.tables import Case, Prediction
from sandbox import scene
from sandbox.client import Client, RefusedError
from sandbox.server import Sandbox, serve

PORT = 8081
STEP_SECONDS = 60
POLL_SECONDS = 0.1
LEAST_LABELS = 90
# Whatever the environment says, the second half trains and serves in the demonstration's folder,
# and only when it is asked to.
TRAINING = {
    "OPERATOR_IDS": str(scene.OWNER_ID),
    "RETRAIN_MIN_LABELS": str(LEAST_LABELS),
    "RETRAIN_EVERY": "0",
    "AUTO_PROMOTE": "false",
    "SHADOW_HOURS": "0",
}
Found = TypeVar("Found")


@dataclass(slots=True)
class Stage:
    """The running sandbox and bot, and what went otherwise than the script says."""

    people: Client
    bot: asyncio.subprocess.Process
    log: Path
    failures: list[str] = field(default_factory=list)

    async def until(
        self, what: str, check: Callable[[], Awaitable[Found]], seconds: float = STEP_SECONDS
    ) -> Found | None:
        """Wait for something to become true; a failure of the script if it doesn't in time."""
        deadline = monotonic() + seconds
        while monotonic() < deadline and self.bot.returncode is None:
            if found := await check():
                return found
            await asyncio.sleep(POLL_SECONDS)
        self.failures.append(what)
        return None

    async def message(self, chat_id: int, message_id: int | None) -> dict[str, Any] | None:
        """A message that stands in a chat."""
        found = await self.people.messages(chat_id)
        return next((m for m in found if m["message_id"] == message_id), None)

    async def shows(self, chat_id: int, message_id: int, title: str) -> None:
        """Wait until a message has a button."""

        async def has_button() -> bool:
            found = await self.message(chat_id, message_id) or {}
            rows = found.get("reply_markup", {}).get("inline_keyboard", [])
            return any(button["text"] == title for row in rows for button in row)

        await self.until(f"there is a button «{title}»", has_button)

    async def press(self, chat_id: int, message_id: int, user_id: int, title: str) -> None:
        """Press a button once it is there."""

        async def pressed() -> str | None:
            try:
                return await self.people.press(chat_id, message_id, user_id, button=title)
            except RefusedError:
                return None

        await self.until(f"there is a button «{title}» to press", pressed)

    async def connect(self, group_id: int, moderators_id: int, owner_id: int) -> None:
        """Let the cards of a group come to its moderators' chat."""
        title = (await self.people.chat(group_id))["title"]
        connected = say("modchat.connected", title=title)

        async def is_connected() -> bool:
            said = await self.people.messages(moderators_id, scene.BOT_ID)
            return any(message.get("text") == connected for message in said)

        link = f"/start@demo_moderator_bot modchat_{group_id}"
        await self.people.write(moderators_id, owner_id, link)
        await self.until("the moderators' chat is connected", is_connected)


@asynccontextmanager
async def staged(folder: Path, *, trains: bool) -> AsyncIterator[Stage]:
    """The sandbox and the bot with its files in `folder`; `trains`: for the second half, too."""
    log = folder / "bot.log"
    models = str(folder / "models")
    async with _sandbox() as sandbox, aiohttp.ClientSession() as http:
        environment = os.environ | {
            "BOT_TOKEN": sandbox.token,
            "TELEGRAM_API_URL": sandbox.url,
            "TELEGRAM_PACE": "100",  # the sandbox's patience has no end
            "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3",
            "MODELS_DIR": models if trains else os.environ.get("MODELS_DIR", models),
            "HF_HUB_OFFLINE": "1",
        }
        environment |= TRAINING if trains else {}
        with log.open("wb") as file:
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=environment, stdout=file, stderr=file
            )
        try:
            yield Stage(Client(sandbox.url, http), bot, log)
        finally:
            if bot.returncode is None:
                bot.terminate()
                await bot.wait()


@asynccontextmanager
async def _sandbox() -> AsyncIterator[Sandbox]:
    """On the usual port, or on a free one if that is taken."""
    try:
        usual = serve(PORT)
        sandbox = await usual.__aenter__()
    except OSError:
        async with serve(0) as sandbox:
            yield sandbox
        return
    try:
        yield sandbox
    finally:
        await usual.__aexit__(None, None, None)


async def settled(sessions: Sessions, chat_id: int, message_id: int) -> Prediction | None:
    """What a message was predicted, once it is and, if it has a case, the card stands."""
    async with sessions() as session:
        row = await prediction(session, chat_id, message_id, 0)
        case = await decided_case(session, row.id) if row else None
    return None if case and case.card_message_id is None else row


async def decided_case(session: AsyncSession, prediction_id: int) -> Case | None:
    """The case that a message's decision asked for; some that pass are drawn for an audit."""
    case = await case_of(session, prediction_id)
    return case if case and case.origin is Origin.DECISION else None


def say(key: str, **values: object) -> str:
    """A message of the catalogue as plain text."""
    return language("ru").plain(key, **values)


def decision(action: Action) -> str:
    """What was decided, in words."""
    name = "leave" if action is Action.NONE else action.name.lower()
    return say(f"decision.{name}")


def scores(row: Prediction) -> str:
    """The scores that are high enough to speak of."""
    named = [(language("ru").category(c).lower(), row.scores[c]) for c in TOXIC if c in row.scores]
    high = sorted((pair for pair in named if pair[1] >= 0.3), key=lambda pair: -pair[1])
    shown = [f"{name} {language('ru').decimal(score)}" for name, score in high]
    return "\n".join(shown) or say("demo.low")
