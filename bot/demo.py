"""The demonstration: a scripted conversation with the bot as a process, in the sandbox."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bot import card, demo_retrain
from bot.demo_stage import Stage, decided_case, decision, say, scores, settled, staged
from bot.language import language
from moderation import database
from moderation.database import Sessions
from moderation.policy import Action
from moderation.sanctions import enforcements
from moderation.states import Origin
from moderation.store import prediction
from moderation.tables import Case, Label, Prediction
from sandbox import scene
from sandbox.client import RefusedError

START_SECONDS = 120

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


async def demonstrate(*, leave: bool, trains: bool, console: Console) -> int:
    """Play the script, its second half if it `trains`, and print what happened; serve the page on
    unless `leave`. The exit status."""
    with tempfile.TemporaryDirectory(prefix="toxicity-bot-demo-") as folder:
        async with staged(Path(folder), trains=trains) as stage:
            console.print(say("demo.page", url=f"[bold]{stage.people.url}[/bold]"))
            console.print(say("demo.starting"))
            if await stage.until(
                "the bot greets the group", lambda: _greeted(stage), START_SECONDS
            ):
                url = f"sqlite+aiosqlite:///{folder}/bot.sqlite3"
                async with database.opened(url) as sessions:
                    await _play(stage, sessions, console)
                    if trains:
                        await demo_retrain.play(stage, sessions, console)
                    else:
                        console.print(say("demo.offer"))
            _report(stage, console)
            if not leave and stage.bot.returncode is None:
                console.print(say("demo.play", url=stage.people.url))
                await stage.bot.wait()
    return 1 if stage.failures else 0


def _report(stage: Stage, console: Console) -> None:
    if not stage.failures:
        console.print(f"[green]{say('demo.well')}[/green]")
        return
    console.print(f"[bold red]{say('demo.failed')}[/bold red]")
    for failure in stage.failures:
        console.print(f"  • {failure}", markup=False)
    console.print(_tail(stage.log), markup=False, highlight=False)


async def _greeted(stage: Stage) -> bool:
    return bool(await stage.people.messages(scene.GROUP_ID, scene.BOT_ID))


async def _play(stage: Stage, sessions: Sessions, console: Console) -> None:
    await stage.connect(scene.GROUP_ID, scene.MODERATORS_ID, scene.OWNER_ID)
    written = []
    for line in SCRIPT:
        try:
            message_id = await stage.people.write(scene.GROUP_ID, line.user_id, line.text)
        except RefusedError as refused:  # somebody who was muted, say
            stage.failures.append(f"«{line.text}»: {refused}")
            continue
        written.append((line, message_id))
        check = partial(settled, sessions, scene.GROUP_ID, message_id)
        await stage.until(f"«{line.text}» is settled", check)
    console.print(await _table(stage, sessions, written))
    await _correct(stage, sessions, console)


async def _table(stage: Stage, sessions: Sessions, written: list[tuple[Line, int]]) -> Table:
    table = Table(title=say("demo.title"), show_lines=True)
    for name in ("who", "message", "scores", "decision", "outcome"):
        table.add_column(say(f"demo.{name}"), overflow="fold")
    standing = {m["message_id"] for m in await stage.people.messages(scene.GROUP_ID)}
    async with sessions() as session:
        for line, message_id in written:
            row = await prediction(session, scene.GROUP_ID, message_id, 0)
            if row is None:
                continue
            case = await decided_case(session, row.id)
            acts = await enforcements(session, case.id) if case else []
            _check(stage, line, row, deleted=message_id not in standing)
            table.add_row(
                scene.NAMES[line.user_id],
                line.text,
                scores(row),
                decision(row.action),
                str(card.happened(language("ru"), acts)) if case else say("demo.left"),
            )
    return table


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
    await _press(stage, confirmed, scene.MODERATOR_ID, say("button.right"))
    await _press(stage, overturned, scene.PASSER_BY_ID, say("button.clean"))
    await stage.until("a stranger's press is refused", lambda: _refused(stage))
    await _press(stage, overturned, scene.OWNER_ID, say("button.clean"))
    await stage.until("two presses became two labels", lambda: _labels(sessions, 2))
    await stage.until("the deleted words are back", lambda: _restored(stage, overturned))
    console.print(say("demo.presses"))


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
