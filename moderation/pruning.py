"""Old versions go by count, never one that is needed; the files of runs go with them."""

import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from moderation import registry

_GOING = ".pruned-"
TEXT_DAYS = 7  # for which a run can be gone on with


def prune(models: Path, keep: int, needed: Collection[str] = (), base: str = "") -> list[str]:
    """Remove all versions but the newest `keep`, the champion and the one before it, what these
    began with, and those `needed`; the versions that went.

    Renamed before it is removed, so that no version is there in half.
    """
    found = registry.versions(models)
    current = registry.promotion(models)
    kept = {card.version for card in found[:keep]} | set(needed) | {base}
    if current is not None:
        kept |= {current.version, current.previous or ""}
    for card in found:
        if card.version in kept:
            kept |= {card.base, card.parent or ""}
    gone = [card.version for card in found if card.version not in kept]
    for version in gone:
        (models / version).rename(models / f"{_GOING}{version}")
    for half in models.glob(f"{_GOING}*"):
        shutil.rmtree(half, ignore_errors=True)
    return gone


def prune_runs(folder: Path, models: Path, runs: Mapping[str, str | None], keep: int) -> list[str]:
    """Remove the folders of runs but the newest `keep` and those whose version is still there.
    `runs` has the version of each folder, the newest run first; a folder not in it stays."""
    there = {card.version for card in registry.versions(models)}
    gone = [
        name
        for name, version in list(runs.items())[keep:]
        if version not in there and (folder / name).is_dir()
    ]
    for name in gone:
        shutil.rmtree(folder / name, ignore_errors=True)
    return gone


def forget_texts(folder: Path, days: int = TEXT_DAYS) -> None:
    """Remove what runs that didn't end keep of moderated texts: neither forgetting nor the groups'
    retention reaches files, and a run that ended keeps none."""
    oldest = time.time() - days * 86400
    for kept in (*folder.glob("*/work"), *folder.glob("*/evaluation/scores.tsv.gz")):
        if kept.stat().st_mtime >= oldest:
            continue
        if kept.is_dir():
            shutil.rmtree(kept, ignore_errors=True)
        else:
            kept.unlink(missing_ok=True)
