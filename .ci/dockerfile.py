"""Reads a Dockerfile and its context, as far as ours goes; what it doesn't know it refuses."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)")
_EVERYTHING = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_GLOB = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions with what follows them, lines that go on joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [(word.upper(), rest.strip()) for word, _, rest in found]


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """The text with ${NAME}, ${NAME:-default} and $NAME put in."""
    return _VARIABLE.sub(lambda m: variables.get(m[1] or m[3]) or m[2] or "", text)


def options(text: str) -> tuple[list[tuple[str, str]], str]:
    """The --name=value that an instruction begins with, and the rest."""
    found = []
    while text.startswith("--"):
        option, _, text = text.partition(" ")
        name, _, value = option.removeprefix("--").partition("=")
        found.append((name, value))
        text = text.lstrip()
    return found, text


def pairs(text: str) -> dict[str, str]:
    """What NAME=value NAME="two words" says."""
    return dict(word.split("=", 1) for word in shlex.split(text))


def words(text: str) -> list[str]:
    """The exec form, ["program", "argument"]; another would put a shell before the program."""
    found = json.loads(text)
    if not isinstance(found, list):
        raise TypeError(text)
    return found


def context(repository: Path) -> list[str]:
    """The files of a fresh clone that .dockerignore lets through."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True)
    ignore = (repository / ".dockerignore").read_text(encoding="utf-8").splitlines()
    names = [name for name in listed.stdout.split("\0") if name and (repository / name).is_file()]
    return [name for name in names if not is_ignored(name, ignore)]


def is_ignored(name: str, patterns: Iterable[str]) -> bool:
    """Whether the last pattern of a .dockerignore that fits a file, or a folder above it, ignores
    it."""
    ignored = False
    for line in patterns:
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        keeps, plain = pattern.startswith("!"), pattern.lstrip("!").strip("/")
        parts = _EVERYTHING.findall(plain)
        expression = "".join(_GLOB.get(part) or re.escape(part) for part in parts)
        if re.fullmatch(f"{expression}(?:/.*)?", name):
            ignored = not keeps
    return ignored
