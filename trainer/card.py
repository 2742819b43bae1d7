"""The card of a finished model: what it is, learned from, may be used for, and can do."""

import hashlib
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from moderation.registry import ModelCard, digest
from trainer.sources import Source, family, source

README = "README.md"  # for people: written anew at any time, it makes no other version


def write(
    directory: Path,
    *,
    base: str,
    recipe: Mapping[str, Any],
    data_digest: str,
    texts: pd.DataFrame,
    thresholds: dict[str, dict[str, float | None]],
    metrics: dict[str, Any],
    parent: str | None = None,
) -> ModelCard:
    """Write card.json as the last file of `directory`; its version is the date and a digest of
    all that decides its scores.
    """
    files = {}
    for path in sorted(directory.iterdir()):
        if path.is_file() and path.name != README:
            path.chmod(0o644)  # safetensors gives its files to the owner alone
            files[path.name] = digest(path)
    weights = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    created = datetime.now(UTC).replace(microsecond=0)
    listed = sources(texts)
    card = ModelCard(
        version=f"{created:%Y%m%d}-{weights[:8]}",
        created=created,
        base=base,
        parent=parent,
        recipe=dict(recipe),
        data_digest=data_digest,
        sources=listed,
        licence=licence(listed, base),
        thresholds=thresholds,
        metrics=metrics,
        files=files,
    )
    staging = directory / ".card.json"
    staging.write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    shutil.move(staging, directory / "card.json")
    return card


def sources(texts: pd.DataFrame) -> list[dict[str, Any]]:
    """Name, origin, licence and number of texts of each source, the largest first."""
    counts = texts.source.map(family).value_counts()
    return [
        {"name": str(name), "texts": int(n), **_described(source(str(name)))}
        for name, n in counts.items()
    ]


def licence(listed: list[dict[str, Any]], base: str) -> str:
    """What the licences of the sources leave a user of the model, said plainly."""
    bound = sorted({s["origin"] for s in listed if "NC" in s["licence"]})
    research = sorted({s["origin"] for s in listed if "education only" in s["licence"]})
    silent = sorted({s["origin"] for s in listed if "none stated" in s["licence"]})
    said = []
    if bound or research:
        said.append("Not for commercial use.")
    if bound:
        said.append(f"Learned from texts under CC BY-NC-SA 4.0 ({', '.join(bound)}).")
    if research:
        said.append(f"Learned from texts for research and education only ({', '.join(research)}).")
    if silent:
        said.append(f"Learned from texts whose source states no licence ({', '.join(silent)}).")
    if base != "from scratch":
        said.append(f"The licence of the base {base} holds too.")
    said.append("The weights are not under the licence of this project's code.")
    return " ".join(said)


def _described(found: Source) -> dict[str, str]:
    return {"origin": found.origin, "licence": found.licence}
