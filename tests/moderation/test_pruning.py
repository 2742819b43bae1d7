import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from moderation import registry
from moderation.pruning import forget_texts, prune, prune_runs


@pytest.fixture
def models(tmp_path, make_model):
    """Versions v1 to v6, the last the newest; v2 began with v1."""
    found = tmp_path / "registry"
    for number in range(1, 7):
        made = make_model(tmp_path / f"v{number}", version=f"v{number}")
        path = made / "card.json"
        card = json.loads(path.read_text())
        card["created"] = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)).isoformat()
        card["parent"] = "v1" if number == 2 else None
        path.write_text(json.dumps(card))
        registry.publish(made, found)
    return found


def left(models):
    return sorted(card.version for card in registry.versions(models))


def test_the_newest_are_kept(models):
    assert sorted(prune(models, 2)) == ["v1", "v2", "v3", "v4"]
    assert left(models) == ["v5", "v6"]
    assert not list(models.glob(".pruned-*"))
    assert prune(models, 2) == []


def test_the_champion_the_one_before_it_and_what_they_began_with_stay(models):
    registry.promote(models, "v3", by="a")
    registry.promote(models, "v2", by="a")
    assert sorted(prune(models, 1)) == ["v4", "v5"]
    assert left(models) == ["v1", "v2", "v3", "v6"]


def test_what_is_undecided_and_the_base_stay(models):
    prune(models, 1, {"v3"}, base="v4")
    assert left(models) == ["v3", "v4", "v6"]


def test_half_a_version_that_was_going_goes(models):
    (models / "v1").rename(models / ".pruned-v1")
    assert prune(models, 9) == []
    assert not (models / ".pruned-v1").exists()


def test_the_files_of_runs_go_with_their_versions(models, tmp_path):
    folder = tmp_path / "runs"
    for name in ("new", "kept", "gone", "failed", "foreign"):
        (folder / name).mkdir(parents=True)
    known = {"new": None, "kept": "v1", "gone": "v0", "failed": None}
    assert prune_runs(folder, models, known, 1) == ["gone", "failed"]
    assert sorted(path.name for path in folder.iterdir()) == ["foreign", "kept", "new"]


def test_texts_of_runs_that_did_not_end_go_after_their_days(tmp_path):
    for name in ("old", "new"):
        for path in (tmp_path / name / "work" / "votes.jsonl", tmp_path / name / "result.json"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}")
        (tmp_path / name / "evaluation").mkdir()
        (tmp_path / name / "evaluation" / "scores.tsv.gz").write_bytes(b"")
    long_ago = time.time() - 8 * 86400
    for kept in ("work", "evaluation/scores.tsv.gz"):
        os.utime(tmp_path / "old" / kept, (long_ago, long_ago))
    forget_texts(tmp_path)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == [
        "new/evaluation/scores.tsv.gz",
        "new/result.json",
        str(Path("new") / "work" / "votes.jsonl"),
        "old/result.json",
    ]
    forget_texts(tmp_path / "nothing")
