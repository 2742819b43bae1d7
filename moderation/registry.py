"""Versions of the model on disk: publish, promote, roll back, and which one is the champion."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from moderation.classifier import ModelError

EMBEDDED = Path(__file__).parent / "default_model"
POINTER = "champion.json"
_NAME = re.compile(r"\w[\w.+-]*", re.ASCII)  # of a version or a file: no path leads elsewhere
_UNLISTED = {"card.json", "README.md"}  # the card can't hold its own digest


class ModelCard(BaseModel):
    """`card.json`: what a version is, what it learned from, and how well it does."""

    model_config = ConfigDict(extra="forbid")

    version: str
    created: datetime
    base: str  # a hub id, a version, or "from scratch"
    parent: str | None = None
    recipe: dict[str, Any]
    data_digest: str
    sources: list[dict[str, Any]]
    licence: str
    thresholds: dict[str, dict[str, float | None]]  # category -> target precision -> threshold
    metrics: dict[str, Any]
    files: dict[str, str]  # file name -> SHA-256


class Promotion(BaseModel):
    """The champion pointer: the version in service, the one before it, who decided and when."""

    version: str
    previous: str | None
    by: str
    at: datetime


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def card(directory: Path) -> ModelCard:
    """The validated card of a version; ModelError if it is missing or wrong."""
    path = directory / "card.json"
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        msg = f"{directory}: no card.json, so this version was never published whole"
        raise ModelError(msg) from error
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ModelError(msg) from error


def verify(directory: Path) -> ModelCard:
    """The card of a version whose files are as published, each in the directory itself and none
    beside those of the card; ModelError names one that is not."""
    found = card(directory)
    for name in (found.version, *found.files):
        if not _NAME.fullmatch(name):
            msg = f"{directory}: its card names {name!r:.80}, which is no plain name"
            raise ModelError(msg)
    for path in sorted(directory.iterdir()):
        is_known = path.is_dir() or path.name in found.files.keys() | _UNLISTED
        if path.is_symlink() or not is_known:
            msg = f"{path}: a link or a file that its card doesn't name"
            raise ModelError(msg)
    for name, expected in found.files.items():
        path = directory / name
        if not path.is_file():
            msg = f"{path}: missing"
            raise ModelError(msg)
        if digest(path) != expected:
            msg = f"{path}: differs from what was published (SHA-256)"
            raise ModelError(msg)
    return found


def publish(source: Path, models: Path) -> str:
    """Copy a finished model directory with its card into the registry; returns its version.

    Written beside its place and renamed, the card last: a version is there whole or not at all.
    """
    version = verify(source).version
    target = models / version
    if target.exists():
        msg = f"{target}: this version exists already"
        raise ModelError(msg)
    models.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".publishing-", dir=models))
    try:
        for path in sorted(source.iterdir(), key=lambda p: p.name == "card.json"):
            if path.is_file():
                shutil.copyfile(path, staging / path.name)
                _sync(staging / path.name)
        staging.chmod(0o755)
        staging.rename(target)
        _sync(models)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return version


def promotion(models: Path) -> Promotion | None:
    """The champion pointer, or None while the embedded model serves."""
    path = models / POINTER
    if not path.is_file():
        return None
    try:
        return Promotion.model_validate_json(path.read_bytes())
    except ValidationError as error:
        msg = f"{path}: not a champion pointer: {error.errors()[0]['msg']}"
        raise ModelError(msg) from error


def champion(models: Path) -> Path:
    """The directory of the version in service; the embedded model if none was promoted."""
    current = promotion(models)
    return EMBEDDED if current is None else locate(models, current.version)


def locate(models: Path, version: str) -> Path:
    """The directory of a version, the embedded one included; ModelError if it isn't there."""
    directory = models / version
    if directory.parent == models and directory.is_dir():
        return directory
    if version == card(EMBEDDED).version:
        return EMBEDDED
    msg = f"{directory}: no such version"
    raise ModelError(msg)


def promote(models: Path, version: str, by: str) -> Promotion:
    """Put a version into service: one atomic replacement of the pointer."""
    verify(locate(models, version))
    current = promotion(models)
    if current is not None and current.version == version:
        return current  # a second time, after a kill, must not lose the way back
    previous = current.version if current else card(EMBEDDED).version
    return _point(models, Promotion(version=version, previous=previous, by=by, at=_now()))


def rollback(models: Path, by: str) -> Promotion:
    """Put the version before the champion back into service."""
    current = promotion(models)
    if current is None or current.previous is None:
        raise ModelError("nothing to roll back to: the embedded model serves")
    return promote(models, current.previous, by)


def versions(models: Path) -> list[ModelCard]:
    """The cards of all published versions, the newest first; unfinished directories don't count."""
    found = [card(path.parent) for path in models.glob("[!.]*/card.json")]
    return sorted(found, key=lambda c: c.created, reverse=True)


def _point(models: Path, to: Promotion) -> Promotion:
    models.mkdir(parents=True, exist_ok=True)
    staging = models / f".{POINTER}.{os.getpid()}"
    staging.write_text(json.dumps(to.model_dump(mode="json"), ensure_ascii=False) + "\n")
    _sync(staging)
    staging.replace(models / POINTER)
    _sync(models)
    return to


def _now() -> datetime:
    return datetime.now(UTC)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
