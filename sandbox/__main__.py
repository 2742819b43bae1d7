"""Runs the sandbox: python -m sandbox."""

import argparse
import asyncio
import contextlib
import logging
import sys

from sandbox import scene
from sandbox.server import serve


def main() -> None:
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(arguments))
    except (OSError, ValueError) as error:
        sys.exit(f"sandbox: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local Telegram to try the bot in: the Bot API over HTTP and a web page. "
        "It serves this machine only and is no production server.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8081, help="0 takes any free one")
    parser.add_argument("--token", default=scene.TOKEN, help="the bot's token")
    parser.add_argument("--empty", action="store_true", help="start without the default scene")
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    host, port, token = arguments.host, arguments.port, arguments.token
    async with serve(port, token, host, empty=arguments.empty) as sandbox:
        print(f"sandbox: {sandbox.url} token={sandbox.token}", flush=True)
        print("sandbox: a local stand-in for Telegram, no production server", file=sys.stderr)
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
