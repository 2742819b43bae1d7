"""A stage of a build: a directory that its commands see as their root."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PYTHON = "/python"  # the image's own, a fresh virtual environment
PATH = f"{PYTHON}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
SITE = f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
# Of this machine, read-only: programs, libraries, and the environment which this runs in.
SYSTEM = tuple(dict.fromkeys(("/usr", "/opt", sys.base_prefix, sys.prefix)))
CONFIGURATION = (
    "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "login.defs", "nsswitch.conf",
    "pip.conf", "resolv.conf", "ssl", "xdg",
)  # fmt: skip
PASSED = re.compile(r"PIP_\w+|SSL_\w+|REQUESTS_CA_BUNDLE|\w+_proxy|\w+_PROXY")
# pip wants to hear "no isolation" as a zero: what builds is in the environment.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1"}
_OTHERS = re.compile(r"(toxicity_bot|__editable__)|.*\.pth$")

Bind = tuple[Path, str]  # what of this machine is seen, and where


@dataclass
class Stage:
    """A root, and what the instructions so far said of it."""

    root: Path
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/root"})
    workdir: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    signal: str = "SIGTERM"

    def path(self, inside: str) -> Path:
        """Where this machine has a path of the stage."""
        return Path(os.path.normpath(f"{self.root}/{os.path.join(self.workdir, inside)}"))

    def furnish(self) -> None:
        """What every stage begins with: a small system, and Python, but for its pip."""
        for folder in ("app", "dev", "etc", "proc", "root", "tmp", "var/tmp", *_inside(SYSTEM)):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        for folder in ("tmp", "var/tmp"):
            (self.root / folder).chmod(0o1777)
        for name in ("bin", "lib", "lib64", "sbin"):
            (self.root / name).symlink_to(f"usr/{name}")
        for source in (Path("/etc") / name for name in CONFIGURATION):
            if source.is_dir():
                shutil.copytree(source, self.root / "etc" / source.name, symlinks=True)
            elif source.exists():
                shutil.copy(source, self.root / "etc")
        for name in ("passwd", "group"):
            tail = "root:/root:/bin/sh" if name == "passwd" else ""
            (self.root / "etc" / name).write_text(f"root:x:0:{'0:' if tail else ''}{tail}\n")
        self.run([f"{sys.base_prefix}/bin/python3", "-m", "venv", "--without-pip", PYTHON])

    def install_pip(self) -> None:
        """Have a pip of its own, and nothing else."""
        self.run(["python", "-m", "ensurepip", "--default-pip"])

    def borrow(self) -> None:
        """Have what is in the environment of this script, all but the project itself."""
        site = self.root / PYTHON[1:] / SITE
        pip = self.root / PYTHON[1:] / "bin/pip"
        pip.write_text(f'#!/bin/sh\nexec {PYTHON}/bin/python -m pip "$@"\n')
        pip.chmod(0o755)
        borrowed = self.root / "borrowed"
        borrowed.mkdir()
        for path in (Path(sys.prefix) / SITE).iterdir():
            if not _OTHERS.match(path.name):
                (borrowed / path.name).symlink_to(path)
        (site / "borrowed.pth").write_text("/borrowed\n")

    def run(self, command: Sequence[str], binds: Sequence[Bind] = (), **variables: str) -> None:
        """Run a command of the build to its end; CalledProcessError if it fails."""
        subprocess.run(self.line(command, binds, variables), check=True, stdin=subprocess.DEVNULL)

    def line(
        self,
        command: Sequence[str],
        binds: Sequence[Bind] = (),
        variables: Mapping[str, str] | None = None,
        *,
        locked: bool = False,
    ) -> list[str]:
        """The command line that sees the stage as its root and is process 1 there; `locked` as a
        service is: without privileges, and the root can't be written."""
        environment = self.environment | dict(variables or {})
        user, _, group = self.user.partition(":")
        drop = ["--reuid", user, "--regid", group or user, "--clear-groups"]
        if locked:
            drop += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        within = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        within += ["sh", "-c", f'cd {shlex.quote(self.workdir)} && exec "$@"', "sh", *command]
        entered = ["exec", "chroot", str(self.root), "setpriv", *drop, *within]
        script = map(shlex.join, [["set", "-e"], *self._mounts(binds, locked=locked), entered])
        spaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        return [*spaces, "sh", "-c", "\n".join(script)]

    def _mounts(self, binds: Sequence[Bind], *, locked: bool) -> Iterator[list[str]]:
        root = str(self.root)
        yield ["mount", "--bind", root, root]
        for folder in SYSTEM:
            yield ["mount", "--bind", folder, f"{root}{folder}"]
            yield ["mount", "-o", "remount,bind,ro", f"{root}{folder}"]
        yield ["mount", "--rbind", "/dev", f"{root}/dev"]
        yield ["mount", "-t", "proc", "proc", f"{root}/proc"]
        for source, target in binds:
            yield ["mount", "--bind", str(source), f"{root}{target}"]
        if locked:
            yield ["mount", "-t", "tmpfs", "-o", "mode=1777,size=256m", "tmpfs", f"{root}/tmp"]
            yield ["mount", "-o", "remount,bind,ro", root]


def _inside(paths: Sequence[str]) -> Iterator[str]:
    return (path.lstrip("/") for path in paths)
