"""Stands in for `python -m trainer retrain` where a test is about the bot: it trains nothing, but
reports, stops, resumes and publishes as the real one does.

`standin.json` beside the models says how it goes: `hold`, the share at which it waits until told
otherwise; `promote`, the gate's word; `shift`, what is added to a category's logit; `missing`;
`error`, what it fails with; `name`, the end of the version; `without`, a category that the model
doesn't know; `ballast`, megabytes of zeros among its files, so that checking them takes a while.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import struct
import sys
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

PHASES = ("data", "train", "calibrate", "evaluate", "compare", "report", "publish")
FIGURES = {"ap": 0.9, "precision": 0.91, "recall": 0.8}


def option(name):
    return sys.argv[sys.argv.index(name) + 1]


RUN, MODELS = Path(option("--run")), Path(option("--models"))


def orders():
    return json.loads((MODELS.parent / "standin.json").read_text())


def report(share):
    number = min(int(share * len(PHASES)), len(PHASES) - 1)
    line = {
        "at": datetime.now(UTC).isoformat(), "phase": PHASES[number], "share": share,
        "phase_share": share * len(PHASES) - number, "left_s": 90 * (1 - share),
        "loss": 0.5 - 0.3 * share if number == 1 else None, "ap": 0.9 if number == 1 else None,
    }  # fmt: skip
    with (RUN / "progress.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def picture(path):
    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    pixels = zlib.compress(b"\0\xff\xff\xff")
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def publish(given):
    """The embedded model with other intercepts; the card last."""
    source = Path(importlib.util.find_spec("moderation").origin).parent / "default_model"
    target = MODELS / f".publishing-{given['name']}"
    shutil.copytree(source, target)
    path = target / "calibration.json"
    calibration = json.loads(path.read_text())
    for category, shift in given.get("shift", {}).items():
        calibration[category]["intercept"] += shift
    path.write_text(json.dumps(calibration))
    card = json.loads((target / "card.json").read_text())
    if unknown := given.get("without"):
        config = target / "config.json"
        config.write_text(config.read_text().replace(f'"{unknown}"', '"unheard-of"'))
    if ballast := given.get("ballast"):
        (target / "ballast").touch()
        os.truncate(target / "ballast", ballast << 20)
        card["files"]["ballast"] = ""
    parent = card["version"]
    version = f"standin-{given['name']}"
    # Hardly newer than its parent, so that the labels of a test are new to each in turn.
    age = timedelta(seconds=1 + len(list(MODELS.glob("standin-*"))))
    created = (datetime.fromisoformat(card["created"]) + age).isoformat()
    card |= {"version": version, "created": created, "parent": parent}
    card["files"] = {name: digest(target / name) for name in card["files"]}
    (target / "card.json").write_text(json.dumps(card))
    target.rename(MODELS / version)
    return version, parent


def conclude(given):
    version, parent = publish(given)
    for folder in ("report", "evaluation"):
        (RUN / folder).mkdir(exist_ok=True)
    (RUN / "report" / "report.html").write_text("<h1>Отчёт</h1>")
    for name in ("roc", "pr"):
        picture(RUN / "report" / f"{name}.png")
    criteria = [
        {"name": "macro_ap", "outcome": "failed", "ru": "AP не выше.", "en": "AP isn't higher."},
        {"name": "size", "outcome": "passed", "ru": "Размер: тот же.", "en": "Size: the same."},
    ]
    reasons = [] if given["promote"] else ["macro_ap"]
    verdict = {"promote": given["promote"], "criteria": criteria, "reasons": reasons}
    (RUN / "evaluation" / "verdict.json").write_text(json.dumps(verdict))
    better = FIGURES | {"recall": 0.86}
    categories = ("obscenity", "insult", "threat", "discrimination", "rude", "macro")
    result = {
        "version": version, "promote": given["promote"], "promoted": False, "champion": parent,
        "base": "base", "labels": {"used": 2, "held_out": 0, "by_category": {}, "moderators": 2},
        "images": ["report/roc.png", "report/pr.png"], "report": "report/report.html",
        "summary_ru": ["Оскорбление: находит на 6 п. п. больше."],
        "summary_en": ["Insult: finds 6 points more."],
        "table": [
            {"category": c, "base": FIGURES, "champion": FIGURES, "candidate": better}
            for c in categories
        ],
    }  # fmt: skip
    (RUN / "result.json").write_text(json.dumps(result))
    if "--promote" in sys.argv and given["promote"]:
        promote(version, parent)
        (RUN / "result.json").write_text(json.dumps(result | {"promoted": True}))
    return 0 if given["promote"] else 3


def promote(version, previous):
    pointer = {"version": version, "previous": previous, "by": option("--by")}
    staging = MODELS / ".champion.json.standin"
    staging.write_text(json.dumps(pointer | {"at": datetime.now(UTC).isoformat()}))
    staging.rename(MODELS / "champion.json")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = orders()
    state = RUN / "state"
    step = int(state.read_text()) if "--resume" in sys.argv and state.exists() else 0
    if missing := given.get("missing"):
        (RUN / "result.json").write_text(json.dumps({"missing": missing}))
        return 4
    while step < 20:
        if step / 20 < orders().get("hold", 1):
            step += 1
            state.write_text(str(step))
        report(step / 20)
        sleep(0.1)
        if error := given.get("error"):
            print(error, file=sys.stderr)
            return 1
    return conclude(orders())


if __name__ == "__main__":
    sys.exit(main())
