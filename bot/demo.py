"""The demonstration: the sandbox, the bot as a process, and a scripted conversation."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot import card
from bot.language import language
from moderation import database
from moderation.categories import TOXIC
from moderation.database import Sessions
from moderation.policy import Action
from moderation.sanctions import enforcements
from moderation.states import Origin
from moderation.store import case_of, prediction
from moderation.tables import Case, Label, Prediction
from sandbox import scene
from sandbox.client import Client, RefusedError
from sandbox.server import Sandbox, serve

PORT = 8081
START_SECONDS = 120
STEP_SECONDS = 60

A, B, C, PASSER = scene.MEMBER_A_ID, scene.MEMBER_B_ID, scene.MEMBER_C_ID, scene.PASSER_BY_ID


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody writes in the group, and the actions that would be sensible."""

    user_id: int
    text: str
    expected: tuple[Action, ...]


REMOVED = (Action.DELETE, Action.MUTE, Action.BAN)
SCRIPT = (
    Line(A, "Доброе утро! Завтра в десять собрание у второго подъезда.", (Action.NONE,)),
    Line(B, "Какой идиот опять поставил машину на газон? Тварь безмозглая!", REMOVED),
    Line(C, "Да пошёл ты на хуй со своим газоном", REMOVED),
    Line(A, "Ребята, давайте спокойнее, решим всё на собрании", (Action.NONE,)),
    Line(PASSER, "Я тебя найду и убью, сдохни!", REMOVED),
    Line(PASSER, "Эти чурки все воры, гнать их отсюда надо", REMOVED),
    Line(B, "Хватит нести эту херню, иди отсюда", (Action.WARN, Action.REVIEW)),
    Line(B, "пи3дец, вот ведь cyкa", REMOVED),
    Line(C, "Спасибо, что разобрались. Хорошего всем дня!", (Action.NONE,)),
)


@dataclass(slots=True)
class Stage:
    """The running sandbox and bot, and what went otherwise than the script says."""

    people: Client
    bot: asyncio.subprocess.Process
    log: Path
    failures: list[str] = field(default_factory=list)

    async def until(
        self, what: str, check: Callable[[], Awaitable[Any]], seconds: float = STEP_SECONDS
    ) -> Any:
        """Wait for something to become true; a failure of the script if it doesn't in time."""
        deadline = monotonic() + seconds
        while monotonic() < deadline and self.bot.returncode is None:
            if found := await check():
                return found
            await asyncio.sleep(0.2)
        self.failures.append(what)
        return None


async def demonstrate(*, leave: bool, console: Console) -> int:
    """Play the script, print what happened; serve the page on unless `leave`. The exit status."""
    with tempfile.TemporaryDirectory(prefix="toxicity-bot-demo-") as folder:
        async with _staged(Path(folder)) as stage:
            console.print(_say("demo.page", url=f"[bold]{stage.people.url}[/bold]"))
            console.print(_say("demo.starting"))
            if await stage.until(
                "the bot greets the group", lambda: _greeted(stage), START_SECONDS
            ):
                url = f"sqlite+aiosqlite:///{folder}/bot.sqlite3"
                async with database.opened(url) as sessions:
                    await _play(stage, sessions, console)
            _report(stage, console)
            if not leave and stage.bot.returncode is None:
                console.print(_say("demo.play", url=stage.people.url))
                await stage.bot.wait()
    return 1 if stage.failures else 0


def _report(stage: Stage, console: Console) -> None:
    if not stage.failures:
        console.print(f"[green]{_say('demo.well')}[/green]")
        return
    console.print(f"[bold red]{_say('demo.failed')}[/bold red]")
    for failure in stage.failures:
        console.print(f"  • {failure}", markup=False)
    console.print(_tail(stage.log), markup=False, highlight=False)


@asynccontextmanager
async def _staged(folder: Path) -> AsyncIterator[Stage]:
    log = folder / "bot.log"
    async with _sandbox() as sandbox, aiohttp.ClientSession() as http:
        environment = os.environ | {
            "BOT_TOKEN": sandbox.token,
            "TELEGRAM_API_URL": sandbox.url,
            "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3",
            "MODELS_DIR": os.environ.get("MODELS_DIR", str(folder / "models")),
            "HF_HUB_OFFLINE": "1",
        }
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


async def _greeted(stage: Stage) -> bool:
    return bool(await stage.people.messages(scene.GROUP_ID, scene.BOT_ID))


async def _play(stage: Stage, sessions: Sessions, console: Console) -> None:
    connect = f"/start@demo_moderator_bot modchat_{scene.GROUP_ID}"
    await stage.people.write(scene.MODERATORS_ID, scene.OWNER_ID, connect)
    await stage.until("the moderators' chat is connected", lambda: _connected(stage))
    written = []
    for line in SCRIPT:
        try:
            message_id = await stage.people.write(scene.GROUP_ID, line.user_id, line.text)
        except RefusedError as refused:  # somebody who was muted, say
            stage.failures.append(f"«{line.text}»: {refused}")
            continue
        written.append((line, message_id))
        await stage.until(f"«{line.text}» is settled", partial(_settled, sessions, message_id))
    console.print(await _table(stage, sessions, written))
    await _correct(stage, sessions, console)


async def _connected(stage: Stage) -> bool:
    said = await stage.people.messages(scene.MODERATORS_ID, scene.BOT_ID)
    return any("карточки группы" in message.get("text", "") for message in said)


async def _settled(sessions: Sessions, message_id: int) -> bool:
    """Whether a message is predicted and, if it has a case, the card stands."""
    async with sessions() as session:
        row = await prediction(session, scene.GROUP_ID, message_id, 0)
        if row is None:
            return False
        case = await _case_of(session, row.id)
        return case is None or case.card_message_id is not None


async def _case_of(session: AsyncSession, prediction_id: int) -> Case | None:
    """The case that a message's decision asked for; some that pass are drawn for an audit."""
    case = await case_of(session, prediction_id)
    return case if case and case.origin is Origin.DECISION else None


async def _table(stage: Stage, sessions: Sessions, written: list[tuple[Line, int]]) -> Table:
    table = Table(title=_say("demo.title"), show_lines=True)
    for name in ("who", "message", "scores", "decision", "outcome"):
        table.add_column(_say(f"demo.{name}"), overflow="fold")
    standing = {m["message_id"] for m in await stage.people.messages(scene.GROUP_ID)}
    async with sessions() as session:
        for line, message_id in written:
            row = await prediction(session, scene.GROUP_ID, message_id, 0)
            if row is None:
                continue
            case = await _case_of(session, row.id)
            acts = await enforcements(session, case.id) if case else []
            _check(stage, line, row, deleted=message_id not in standing)
            table.add_row(
                scene.NAMES[line.user_id],
                line.text,
                _scores(row),
                _decision(row.action),
                str(card.happened(language("ru"), acts)) if case else _say("demo.left"),
            )
    return table


def _decision(action: Action) -> str:
    name = "leave" if action is Action.NONE else action.name.lower()
    return _say(f"decision.{name}")


def _scores(row: Prediction) -> str:
    named = [(language("ru").category(c).lower(), row.scores[c]) for c in TOXIC if c in row.scores]
    high = sorted((pair for pair in named if pair[1] >= 0.3), key=lambda pair: -pair[1])
    return "\n".join(f"{name} {language('ru').decimal(score)}" for name, score in high) or _say(
        "demo.low"
    )


def _check(stage: Stage, line: Line, row: Prediction, *, deleted: bool) -> None:
    if row.action not in line.expected:
        stage.failures.append(f"«{line.text}»: decided {row.action.name}")
    if deleted != (row.action >= Action.DELETE):
        stage.failures.append(f"«{line.text}»: decided {row.action.name}, deleted is {deleted}")


async def _correct(stage: Stage, sessions: Sessions, console: Console) -> None:
    """A stranger's press is refused; a moderator's becomes a label and takes the action back."""
    async with sessions() as session:
        shown = select(Case).where(Case.origin == Origin.DECISION).order_by(Case.id)
        cases = list(await session.scalars(shown))
    if len(cases) < 2:
        stage.failures.append("there are cards to press")
        return
    confirmed, overturned = cases[0], cases[-1]
    await _press(stage, confirmed, scene.MODERATOR_ID, _say("button.right"))
    await _press(stage, overturned, scene.PASSER_BY_ID, _say("button.clean"))
    await stage.until("a stranger's press is refused", lambda: _refused(stage))
    await _press(stage, overturned, scene.OWNER_ID, _say("button.clean"))
    await stage.until("two presses became two labels", lambda: _labels(sessions, 2))
    await stage.until("the deleted words are back", lambda: _restored(stage, overturned))
    console.print(_say("demo.presses"))


async def _press(stage: Stage, case: Case, user_id: int, button: str) -> None:
    at = (case.card_chat_id or 0, case.card_message_id or 0)
    await stage.people.press(*at, user_id, button=button)


async def _refused(stage: Stage) -> bool:
    answers = (await stage.people.get("callbacks"))["callbacks"]
    return any("только администраторы" in str(answer["answer"]) for answer in answers)


async def _labels(sessions: Sessions, number: int) -> bool:
    async with sessions() as session:
        return await session.scalar(select(func.count(Label.id))) == number


async def _restored(stage: Stage, case: Case) -> bool:
    said = await stage.people.messages(scene.GROUP_ID, scene.BOT_ID)
    return any(case.text in message.get("text", "") for message in said)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-20:])


def _say(key: str, **values: object) -> str:
    return language("ru").plain(key, **values)
