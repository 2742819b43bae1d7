"""How much memory the running bot takes: python benchmarks/memory.py

Starts the sandbox and the bot as a process, lets it moderate, and reads its peak from /proc.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import aiohttp

from sandbox import scene
from sandbox.client import Client
from sandbox.server import serve

MESSAGES = 500
GOAL_MB = 700


def peak_mb(pid: int) -> float:
    """The largest resident set of a process so far, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


async def measure() -> float:
    with tempfile.TemporaryDirectory() as folder:
        async with serve() as sandbox, aiohttp.ClientSession() as http:
            people = Client(sandbox.url, http)
            environment = os.environ | {
                "BOT_TOKEN": sandbox.token,
                "TELEGRAM_API_URL": sandbox.url,
                "DATABASE_URL": f"sqlite:///{folder}/bot.sqlite3",
                "MODELS_DIR": f"{folder}/models",
            }
            bot = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", env=environment
            )
            for i in range(MESSAGES):
                words = "Ты идиот, тварь! " if i % 5 == 0 else "Доброе утро, соседи! "
                await people.write(scene.GROUP_ID, scene.MEMBER_A_ID, words * (1 + i % 40))
            while (await people.get("state"))["queue_length"] and bot.returncode is None:
                await asyncio.sleep(0.5)
            await asyncio.sleep(5)
            found = peak_mb(bot.pid)
            bot.terminate()
            await bot.wait()
            return found


def main() -> None:
    found = asyncio.run(measure())
    print(f"peak memory of the bot: {found:.0f} MB (goal: under {GOAL_MB})")
    sys.exit(0 if found < GOAL_MB else 1)


if __name__ == "__main__":
    main()
