"""The demonstration's second half: corrections, a training, its verdict, promotion, and back."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from sqlalchemy import select

from bot import demo_corrections as corrections
from bot.demo_corrections import GROUP_ID, MODERATORS, RESIDENTS
from bot.demo_lines import INSULTS, PROBES
from bot.demo_stage import Stage, decision, say, scores, settled
from moderation import registry
from moderation.database import Sessions
from moderation.policy import Action
from moderation.states import RunState
from moderation.tables import Prediction, TrainingRun
from sandbox import scene

OPERATOR = scene.OWNER_ID
TRAINING_SECONDS = 900
SWAP_SECONDS = 60
ROUNDS = ("before", "after", "again")
EMBEDDED = registry.card(registry.EMBEDDED).version
Judged = list[Prediction]  # a row for each probe


async def play(stage: Stage, sessions: Sessions, console: Console) -> None:
    """Play all of it, step by step; the first that fails ends it."""
    console.rule(say("demo.training"))
    await corrections.found_group(stage)
    before = await _judge(stage, sessions, 0, EMBEDDED)
    console.print(say("demo.new_word", number=len(INSULTS)))
    await corrections.correct(stage, sessions)
    if stage.failures:
        return
    console.print(say("demo.corrected", number=2 * len(INSULTS), moderators=len(MODERATORS)))
    run = await _train(stage, sessions, console)
    if run is None or run.version is None or not await _verdict(stage, run, console):
        return
    await _serves(stage, run.version)
    after = await _judge(stage, sessions, 1, run.version)
    await _roll_back(stage, run.version)
    again = await _judge(stage, sessions, 2, EMBEDDED)
    rounds = (before, after, again)
    if all(len(found) == len(PROBES) for found in rounds):
        _check(stage, rounds)
        console.print(_table(run, rounds))


async def _judge(stage: Stage, sessions: Sessions, turn: int, version: str) -> Judged:
    """What the bot says of the probes now, each by somebody without strikes."""
    found = []
    for place, probe in enumerate(PROBES):
        author = RESIDENTS[turn * len(PROBES) + place]
        message_id = await stage.people.write(GROUP_ID, author, probe.text)
        check = partial(settled, sessions, GROUP_ID, message_id)
        row = await stage.until(f"«{probe.text}» is settled", check)
        if row is not None and row.model_version != version:
            stage.failures.append(f"«{probe.text}»: judged by {row.model_version}, not {version}")
        found += [row] if row else []
    return found


async def _train(stage: Stage, sessions: Sessions, console: Console) -> TrainingRun | None:
    """/retrain in private, and the run once its verdict is shown."""
    await stage.people.write(OPERATOR, OPERATOR, "/start")
    await stage.people.write(OPERATOR, OPERATOR, "/retrain")
    question = await _said(stage, say("retrain.ask"))
    if question is None:
        return None
    console.print(Panel(question["text"], expand=False))
    await stage.press(OPERATOR, question["message_id"], OPERATOR, say("retrain.button.train"))
    told: list[str] = []

    async def ended() -> TrainingRun | None:
        shown = await stage.message(OPERATOR, question["message_id"]) or question
        _, *progress = shown["text"].splitlines()
        if shown["text"] != question["text"] and progress and progress[0] not in told:
            told.append(progress[0])
            console.print("  ".join(progress[:2]), style="dim")
        async with sessions() as session:
            run = await session.scalar(select(TrainingRun).order_by(TrainingRun.id.desc()))
        return run if run and run.is_reported else None

    run = await stage.until("the training ends", ended, TRAINING_SECONDS)
    if run is not None and run.state is not RunState.FINISHED:
        stage.failures.append(f"the training ends well: {run.state}, {run.detail}")
        return None
    if say("retrain.phase.train") not in told:
        stage.failures.append(f"the progress is shown: {told}")
    return run


async def _verdict(stage: Stage, run: TrainingRun, console: Console) -> bool:
    """Show what the operator sees, check that all of it came, and put the version into service:
    against the gate's advice, should it be that."""
    found = await stage.people.messages(OPERATOR, scene.BOT_ID)
    verdict = next((m for m in found if m["message_id"] == run.verdict_id), None)
    if verdict is None:
        stage.failures.append("there is a verdict")
        return False
    pictures, reports = (sum(kind in m for m in found) for kind in ("photo", "document"))
    console.print(Panel(verdict["text"], expand=False))
    console.print(say("demo.report", pictures=pictures, reports=reports))
    if say("retrain.verdict.row.macro") not in verdict["text"] or pictures < 2 or reports != 1:
        stage.failures.append("the verdict has a table, pictures and a report")
    if not run.promote:
        console.print(say("demo.forced"))
    for name in ("on",) if run.promote else ("force", "sure"):
        title = say(f"retrain.button.{name}")
        await stage.press(OPERATOR, verdict["message_id"], OPERATOR, title)
    return True


async def _roll_back(stage: Stage, version: str) -> None:
    """/model names the version in service, and its button brings back the one before."""
    await stage.people.write(OPERATOR, OPERATOR, "/model")
    listed = await _said(stage, f"● {version}")
    if listed is None:
        return
    at = (OPERATOR, listed["message_id"], OPERATOR)
    await stage.press(*at, say("model.button.back", version=EMBEDDED))
    await stage.press(*at, say("model.button.sure"))
    await _serves(stage, EMBEDDED)


async def _said(stage: Stage, words: str) -> dict[str, Any] | None:
    """The bot's newest message to the operator with these words."""

    async def newest() -> dict[str, Any] | None:
        found = await stage.people.messages(OPERATOR, scene.BOT_ID)
        return next((m for m in reversed(found) if words in m.get("text", "")), None)

    return await stage.until(f"the bot says «{words}»", newest)


async def _serves(stage: Stage, version: str) -> None:
    async def is_swapped() -> bool:
        said = stage.log.read_text(encoding="utf-8", errors="replace").splitlines()
        swaps = [line for line in said if "model swapped" in line]
        return bool(swaps) and f"version={version}" in swaps[-1]

    await stage.until(f"{version} serves", is_swapped, SWAP_SECONDS)


def _check(stage: Stage, rounds: Sequence[Judged]) -> None:
    """The new word is acted on by the new version alone, and all else is judged as ever."""
    for probe, *rows in zip(PROBES, *rounds, strict=True):
        known = probe.is_toxic and not probe.is_new
        if [row.action > Action.NONE for row in rows] != [known, probe.is_toxic, known]:
            actions = ", ".join(row.action.name for row in rows)
            stage.failures.append(f"«{probe.text}»: {actions}")


def _table(run: TrainingRun, rounds: Sequence[Judged]) -> Table:
    took = (run.finished_at or run.started_at) - run.started_at
    verdict = say("demo.better" if run.promote else "demo.kept")
    caption = say("demo.took", verdict=verdict, seconds=round(took / timedelta(seconds=1)))
    table = Table(title=say("demo.turned"), caption=caption, show_lines=True)
    for name in ("message", *ROUNDS):
        table.add_column(say(f"demo.{name}"), overflow="fold")
    for probe, *rows in zip(PROBES, *rounds, strict=True):
        table.add_row(probe.text, *(f"{scores(row)}\n{decision(row.action)}" for row in rows))
    return table
