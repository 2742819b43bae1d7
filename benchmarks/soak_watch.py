"""What the bot called in the soak, as the sandbox's journal tells it while it happens."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.journal import Journal

# How long before a kill a call's answer may have been on its way to the bot, or to its database.
IN_FLIGHT_SECONDS = 5.0
DELETING = ("deletemessage", "deletemessages")

Calls = list["Done"]


@dataclass(frozen=True, slots=True)
class Done:
    """A call after which what it asks for is so, and whether its answer was lost."""

    time: float
    answer_lost: bool


@dataclass(slots=True)
class Watch:
    """All that is counted of the calls."""

    faults: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    deletions: dict[tuple[int, int], Calls] = field(default_factory=lambda: defaultdict(list))
    cards: dict[int, Calls] = field(default_factory=lambda: defaultdict(list))
    whispers: Counter[tuple[int, int]] = field(default_factory=Counter)  # by chat and person
    kills: list[float] = field(default_factory=list)

    async def run(self, journal: Journal) -> None:
        """Follow the journal, which itself keeps only the newest calls."""
        with journal.listen() as events:
            while event := await events.get():
                if event["kind"] == "call":
                    self.note(event["call"])

    def note(self, call: dict[str, Any]) -> None:
        """Count a call that was answered, or whose answer was kept back."""
        method, params = call["method"].lower(), call["params"]
        self.calls[method] += 1
        if call["fault"]:
            self.faults[call["fault"]] += 1
        elif not call["ok"]:
            self.refused[f"{call['method']}: {call['description']}"] += 1
        if method in DELETING:
            self._note_deletion(call)
        elif method == "sendmessage":
            self._note_words(call, params)

    def needless(self, calls: Sequence[Done]) -> int:
        """How many calls were repeated though the bot had got the answer, and the time to write it
        down. Only the last may be one that it knows of."""
        in_order = sorted(calls, key=lambda call: call.time)
        return sum(not self._is_lost(call) for call in in_order[:-1])

    def _is_lost(self, call: Done) -> bool:
        at_kill = any(0 <= kill - call.time < IN_FLIGHT_SECONDS for kill in self.kills)
        return call.answer_lost or at_kill

    def _note_deletion(self, call: dict[str, Any]) -> None:
        # One that is gone already counts as deleted, so a second call would never show otherwise.
        if call["ok"] or "not found" in (call["description"] or ""):
            for message_id in _ids(call["params"]):
                key = int(call["params"]["chat_id"]), message_id
                self.deletions[key].append(_done(call))

    def _note_words(self, call: dict[str, Any], params: dict[str, Any]) -> None:
        case = case_of(params.get("reply_markup"))
        if case is not None and call["ok"]:
            self.cards[case].append(_done(call))
        # Where nobody knows whether it arrived it counts: it must not be sent again.
        is_tried = call["ok"] or call["fault"] not in (None, "429")
        if "receiver_user_id" in params and is_tried:
            self.whispers[int(params["chat_id"]), int(params["receiver_user_id"])] += 1


def case_of(markup: object) -> int | None:
    """The case that a keyboard's buttons are about."""
    rows = json.loads(markup) if isinstance(markup, str) else markup
    for row in (rows or {}).get("inline_keyboard", []) if isinstance(rows, dict) else []:
        for button in row:
            if str(button.get("callback_data", "")).startswith("c:"):
                return int(button["callback_data"].split(":")[1])
    return None


def _done(call: dict[str, Any]) -> Done:
    return Done(call["time"], call["fault"] == "drop_after_apply")


def _ids(params: dict[str, Any]) -> list[int]:
    ids = params.get("message_ids", [params.get("message_id")])
    return [int(id_) for id_ in (json.loads(ids) if isinstance(ids, str) else ids)]
