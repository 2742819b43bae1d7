"""What a training beside the bot costs those who write: python benchmarks/retraining.py

Starts the sandbox, the bot and, by an operator's presses, the real trainer, while members write at
a steady rate. Prints how long messages took in a calm, during the training and around swaps, side
by side from one run, and how many were lost or judged twice: with any the exit status is 1.

A message takes from before it is sent until the row with its judgement is made (clean ones) or
until the call that deletes it arrives (abusive ones): bot, sandbox and this program read the same
clock, and both moments are written down anyway, so that measuring asks nothing of the bot.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time

import aiohttp

from moderation import database, registry
from moderation.policy import Action
from moderation.states import Source
from moderation.tables import Case, Chat, Label, Prediction
from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

OPERATOR, ELSEWHERE = 9_001, -1_009
EMBEDDED = registry.card(registry.EMBEDDED).version
MEMBERS = (scene.MEMBER_A_ID, scene.MEMBER_B_ID, scene.MEMBER_C_ID)
ABUSIVE_EVERY = 5
WARM_UP_SECONDS = 5
AROUND_SECONDS = 2  # of a swap, on either side
GOAL = 1.5
WORDS = ("привет", "сосед", "собрание", "вечером", "подъезд", "двор", "спасибо", "завтра", "школа")
LABELLED = "Да ты сапожник, руки из жопы"  # what the labels teach; the embedded model passes it


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the run, in seconds since the epoch."""

    name: str
    begin: float
    end: float
    load: float


@dataclass(slots=True)
class Run:
    """The bot under load, what was written, and the parts of the run."""

    people: Client
    folder: Path
    seconds: float
    sent: dict[int, float] = field(default_factory=dict)  # message -> when
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def log(self) -> str:
        return (self.folder / "bot.log").read_text(encoding="utf-8", errors="replace")

    def ask(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows of the bot's database; reading holds nobody up."""
        connection = sqlite3.connect(f"file:{self.folder}/bot.sqlite3?mode=ro", uri=True)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def note(self, name: str, begin: float) -> None:
        self.stretches.append(Stretch(name, begin, time(), os.getloadavg()[0]))


async def until(check: Callable[[], object], seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while not check():
        if monotonic() > deadline:
            sys.exit("benchmarks/retraining.py: the bot does not go on; nothing was measured")
        await asyncio.sleep(0.1)


async def label(folder: Path, number: int) -> None:
    """What three moderators of another group said of many texts; in the members' own group nobody
    is muted, or they could not go on."""
    url = f"sqlite+aiosqlite:///{folder}/bot.sqlite3"
    async with database.opened(url) as sessions, sessions.begin() as session:
        session.add(Chat(id=scene.GROUP_ID, preferences={"mute_after": 0, "ban_after": 0}))
        for i in range(number):
            is_toxic = i % 2
            text = f"{LABELLED}, раз {i}" if is_toxic else f"Спасибо за помощь, сосед {i}"
            row = Prediction(
                chat_id=ELSEWHERE, message_id=i, revision=0, user_id=100 + i % 9, scores={},
                content_hash="", field="text", model_version=EMBEDDED, action=Action.NONE,
                score=0.0, threshold=1.0,
            )  # fmt: skip
            case = Case(chat_id=ELSEWHERE, user_name="", text=text, flagged=[], prediction=row)
            session.add_all([row, case])
            await session.flush()
            vector = {"insult": is_toxic, "non_toxic": 1 - is_toxic}
            clean = dict.fromkeys(("obscenity", "threat", "discrimination", "rude"), 0)
            session.add(
                Label(
                    case_id=case.id, chat_id=ELSEWHERE, moderator_id=1 + i % 3, scores={},
                    source=Source.BUTTON, text=text, model_version=EMBEDDED, vector=clean | vector,
                )
            )  # fmt: skip


async def write(run: Run, rate: float) -> None:
    """Write at a steady rate until cancelled, however long the bot takes."""
    chance, began = random.Random(1), monotonic()
    for i in range(1_000_000):
        await asyncio.sleep(max(began + i / rate - monotonic(), 0))
        words = " ".join(chance.choices(WORDS, k=1 + round(chance.lognormvariate(2, 0.7))))
        text = f"Ты идиот, тварь! {words}" if i % ABUSIVE_EVERY == 0 else words
        at = time()
        run.sent[await run.people.write(scene.GROUP_ID, MEMBERS[i % len(MEMBERS)], text)] = at


async def newest(run: Run, words: str) -> int:
    """The operator's newest message with some words."""
    for _ in range(600):
        found = await run.people.messages(OPERATOR, scene.BOT_ID)
        for message in reversed(found):
            if words in message.get("text", ""):
                return int(message["message_id"])
        await asyncio.sleep(0.1)
    sys.exit(f"benchmarks/retraining.py: the bot did not say {words!r}")


async def swap(run: Run, version: str) -> None:
    """Put a version into service as another program does, and wait until the bot has followed."""
    number = run.log.count("model swapped")
    begin = time() - AROUND_SECONDS
    await asyncio.to_thread(registry.promote, run.folder / "models", version, "benchmark")
    await until(lambda: run.log.count("model swapped") > number)
    await asyncio.sleep(AROUND_SECONDS)
    run.note("swaps", begin)
    await asyncio.sleep(AROUND_SECONDS)


async def direct(run: Run, swaps: int) -> tuple[float, int]:
    """Calm, a training by press, its promotion by press, more swaps, calm; how long the training
    took and its process's niceness."""
    await asyncio.sleep(WARM_UP_SECONDS)
    began = time()
    await asyncio.sleep(run.seconds)
    run.note("calm", began)
    await run.people.write(OPERATOR, OPERATOR, "/retrain")
    question = await newest(run, "Обучить новую модель?")
    began = time()
    await run.people.press(OPERATOR, question, OPERATOR, button="Обучить")
    await until(lambda: run.ask("SELECT 1 FROM training_run WHERE pid IS NOT NULL"))
    ((pid,),) = run.ask("SELECT pid FROM training_run")
    await asyncio.sleep(2)
    nice = os.getpriority(os.PRIO_PROCESS, int(str(pid)))
    await until(lambda: run.ask("SELECT 1 FROM training_run WHERE state != 'running'"), 1200)
    run.note("training", began)
    await until(lambda: run.ask("SELECT 1 FROM training_run WHERE is_reported"))
    ((run_id, version, promote, verdict),) = run.ask(
        "SELECT id, version, promote, verdict_id FROM training_run"
    )
    if version is None:
        sys.exit(f"benchmarks/retraining.py: the training failed\n{run.log[-2000:]}")
    await asyncio.sleep(AROUND_SECONDS)
    began = time() - AROUND_SECONDS
    for button in ("on",) if promote else ("force", "sure"):
        data = f"tv:{run_id}:{button}"
        await run.people.press(OPERATOR, int(str(verdict)), OPERATOR, data=data)
    await until(lambda: f"version={version}" in run.log.rpartition("model swapped")[2])
    await asyncio.sleep(AROUND_SECONDS)
    run.note("swaps", began)
    for i in range(swaps):
        await swap(run, str(version) if i % 2 else EMBEDDED)
    began = time()
    await asyncio.sleep(run.seconds)
    run.note("calm", began)
    training = next(s for s in run.stretches if s.name == "training")
    return training.end - training.begin, nice


async def taken(run: Run) -> tuple[dict[int, float], int, int]:
    """How long each message took; how many were lost, and judged or deleted twice."""
    rows = run.ask(
        "SELECT message_id, created_at FROM prediction WHERE chat_id = ?", scene.GROUP_ID
    )
    handled = {}
    for message, at in rows:
        moment = datetime.fromisoformat(str(at)).replace(tzinfo=UTC)
        handled[int(str(message))] = moment.timestamp()
    calls = (await run.people.get("calls", method="deleteMessage"))["calls"]
    done = [c for c in calls if c["ok"] and int(c["params"]["chat_id"]) == scene.GROUP_ID]
    deleted = Counter(int(c["params"]["message_id"]) for c in done)  # the bot's own among them
    for call in done:
        message = int(call["params"]["message_id"])
        if message in handled:
            handled[message] = call["time"]
    lost = len(run.sent.keys() - handled.keys())
    times = Counter(int(str(message)) for message, _ in rows)
    twice = sum(times[message] > 1 or deleted[message] > 1 for message in run.sent)
    return {m: handled[m] - at for m, at in run.sent.items() if m in handled}, lost, twice


def shown(run: Run, seconds: dict[int, float]) -> dict[str, float]:
    """Print the parts of the run side by side; the p95 of each."""
    found = {}
    print(f"{'':10} {'messages':>8} {'p50':>8} {'p95':>8} {'max':>8}   load average")
    for name in ("calm", "training", "swaps"):
        parts = [part for part in run.stretches if part.name == name]
        values = [
            took
            for message, took in seconds.items()
            if any(part.begin <= run.sent[message] < part.end for part in parts)
        ]
        found[name] = quantile(values, 95)
        loads = ", ".join(f"{part.load:.1f}" for part in parts)
        figures = (quantile(values, 50), found[name], max(values))
        cells = " ".join(f"{1000 * value:5.0f} ms" for value in figures)
        print(f"{name:10} {len(values):8} {cells}   {loads}")
    return found


def quantile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


async def measure(arguments: argparse.Namespace, folder: Path) -> int:
    environment = os.environ | {
        "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3", "MODELS_DIR": f"{folder}/models",
        "OPERATOR_IDS": str(OPERATOR), "RETRAIN_MIN_LABELS": "20", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    await label(folder, arguments.labels)
    async with serve() as sandbox, aiohttp.ClientSession() as http:
        people = Client(sandbox.url, http)
        environment |= {"BOT_TOKEN": sandbox.token, "TELEGRAM_API_URL": sandbox.url}
        await people.post("users", id=OPERATOR, first_name="Оля", language_code="ru")
        await people.write(OPERATOR, OPERATOR, "/start")
        with (folder / "bot.log").open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=environment, stdout=log, stderr=log
            )
        run = Run(people, folder, arguments.seconds)
        try:
            await until(lambda: "started" in run.log, 120)
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(write(run, arguments.rate))
                lasted, nice = await direct(run, arguments.swaps)
                writing.cancel()
            await asyncio.sleep(10)
            seconds, lost, twice = await taken(run)
        finally:
            bot.terminate()
            await bot.wait()
    print(
        f"{len(run.sent)} messages, {arguments.rate:g} a second, on {os.cpu_count()} cores; "
        f"a training of {lasted:.0f} s at niceness {nice}"
    )
    p95 = shown(run, seconds)
    print(
        f"p95 while training: x{p95['training'] / p95['calm']:.2f} of the calm (goal: under {GOAL})"
    )
    print(f"p95 around swaps: x{p95['swaps'] / p95['calm']:.2f} of the calm")
    print(f"lost: {lost}, judged or deleted twice: {twice} (goal: none)")
    return 1 if lost or twice else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=4, help="messages a second")
    parser.add_argument("--seconds", type=float, default=40, help="of either calm")
    parser.add_argument("--labels", type=int, default=60)
    parser.add_argument("--swaps", type=int, default=4, help="after the one by press")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(asyncio.run(measure(arguments, Path(folder))))


if __name__ == "__main__":
    main()
