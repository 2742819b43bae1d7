"""What came of all that was written in the soak: by the bot's database, and by what its calls did
in the sandbox."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soak_people import Key, People
from soak_watch import Watch, case_of

from moderation.preferences import Preferences
from sandbox.chats import Message
from sandbox.telegram import Telegram

MUTE_AFTER = Preferences().mute_after  # messages that were deleted


@dataclass(frozen=True, slots=True)
class Count:
    """One line of the table; `wrong` of `found` are otherwise than they should be."""

    name: str
    expected: int
    found: int
    wrong: int
    note: str = ""


class Database:
    """The bot's database, read beside it."""

    def __init__(self, path: Path) -> None:
        self._address = f"file:{path}?mode=ro"

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows; reading holds nobody up."""
        connection = sqlite3.connect(self._address, uri=True, timeout=30)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def count(self, query: str, *values: object) -> int:
        return int(self.ask(query, *values)[0][0])


def seconds(moment: str) -> float:
    """A moment as the database keeps it, in seconds since the epoch."""
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


class Counts:
    """All that is counted when the bot has become quiet."""

    def __init__(
        self, telegram: Telegram, people: People, watch: Watch, database: Database, first: int
    ) -> None:
        self._telegram = telegram
        self._people = people
        self._written = people.written
        self._watch = watch
        self._database = database
        self._first = first  # the number of the first update
        self._groups = people.groups.keys()
        rows = database.ask("SELECT chat_id, message_id, revision, created_at FROM prediction")
        self._judged: list[tuple[Key, float]] = [
            ((chat, message, revision), seconds(at)) for chat, message, revision, at in rows
        ]
        self._cases: dict[int, tuple[Key, str]] = {
            case: ((chat, message, revision), origin)
            for case, chat, message, revision, origin in database.ask(
                "SELECT c.id, p.chat_id, p.message_id, p.revision, c.origin "
                'FROM "case" c JOIN prediction p ON p.id = c.prediction_id'
            )
        }

    def all(self) -> list[Count]:
        """The lines of the table."""
        return [
            self._updates(),
            self._poison(),
            self._predictions(),
            self._decided(),
            self._deletions(),
            self._standing(),
            self._acts(),
            self._mutes(),
            self._notices(),
            self._cards(),
        ]

    def latencies(self) -> list[float]:
        """Seconds from writing to the row with the scores, of each revision."""
        written = self._written.revisions
        return sorted(at - written[key] for key, at in self._judged if key in written)

    def _updates(self) -> Count:
        queue = self._telegram.updates
        states = dict(self._database.ask("SELECT state, count(*) FROM inbox_update GROUP BY 1"))
        expected = queue.next_id - self._first - self._written.gaps - self._written.poison
        found = states.get("done", 0)
        wrong = abs(expected - found) + states.get("pending", 0)
        return Count("updates received and done", expected, found, wrong)

    def _poison(self) -> Count:
        query = "SELECT count(*) FROM inbox_update WHERE state = 'quarantined'"
        expected, found = self._written.poison, self._database.count(query)
        return Count("undecodable updates set aside", expected, found, abs(found - expected))

    def _predictions(self) -> Count:
        expected, found = self._written.revisions, Counter(key for key, _ in self._judged)
        lost = [key for key in expected if key not in found]
        more = [key for key in found if key not in expected and key not in self._written.optional]
        twice = sum(count > 1 for count in found.values())
        note = (
            f"lost {len(lost)}, twice {twice}, not to be judged {len(more)} {lost[:2]} {more[:2]}"
        )
        wrong = len(lost) + len(more) + twice
        judged = sum(key in expected for key in found)
        return Count("revisions judged once", len(expected), judged, wrong, note if wrong else "")

    def _decided(self) -> Count:
        """Cases of the abusive messages, and none of the others, audits aside."""
        cases = Counter(key for key, origin in self._cases.values() if origin == "decision")
        wrong = set(cases) ^ set(self._written.abusive)
        twice = sum(count > 1 for count in cases.values())
        found = sum(key in self._written.abusive for key in cases)
        return Count("cases", len(self._written.abusive), found, len(wrong) + twice)

    def _deletions(self) -> Count:
        """Gone, and by one call, save where the answer to the one before was lost."""
        bad = {key[:2] for key in self._written.abusive}
        once = sum(
            self._message(*key).deleted and not self._watch.needless(self._watch.deletions[key])
            for key in bad
        )
        return Count("abusive messages deleted once", len(bad), once, len(bad) - once)

    def _standing(self) -> Count:
        bad = {key[:2] for key in self._written.abusive}
        good = {key[:2] for key in (*self._written.clean, *self._written.optional)} - bad
        standing = sum(not self._message(*key).deleted for key in good)
        return Count("harmless messages standing", len(good), standing, len(good) - standing)

    def _acts(self) -> Count:
        rows = self._database.ask(
            "SELECT case_id, act, state FROM enforcement WHERE act = 'delete'"
        )
        done = Counter(case for case, _, state in rows if state == "done")
        cases = [case for case, (_, origin) in self._cases.items() if origin == "decision"]
        found = sum(done[case] == 1 for case in cases)
        return Count("deletions noted as done", len(cases), found, len(cases) - found)

    def _mutes(self) -> Count:
        """By chat and person: who wrote abuse so often, who is muted in the sandbox, and whom the
        bot says it has muted. Nobody is put out."""
        query = (
            "SELECT DISTINCT p.chat_id, p.user_id FROM enforcement e JOIN \"case\" c ON "
            "c.id = e.case_id JOIN prediction p ON p.id = c.prediction_id "
            "WHERE e.act = 'mute' AND e.state = 'done'"
        )  # fmt: skip
        noted = {(chat, user) for chat, user in self._database.ask(query)}
        authors = Counter(
            (key[0], self._message(*key[:2]).author_id()) for key in self._written.abusive
        )
        expected = {who for who, count in authors.items() if count >= MUTE_AFTER}
        status = {
            (chat_id, member.user_id): member.status
            for chat_id in self._groups
            for member in self._telegram.chats[chat_id].members.values()
        }
        muted = {who for who, found in status.items() if found == "restricted"}
        out = {who for who, found in status.items() if found in ("kicked", "left")}
        wrong = (expected ^ muted) | (noted ^ muted) | out
        return Count("people muted", len(expected), len(muted), len(wrong))

    def _notices(self) -> Count:
        """Whispers to the authors: never two of one message, though some may be lost. A person's
        calls are counted too, or a second one could take the place of a lost one."""
        query = (
            "SELECT p.chat_id, p.user_id, sum(e.state = 'done'), sum(e.state != 'skipped') "
            'FROM enforcement e JOIN "case" c ON c.id = e.case_id '
            "JOIN prediction p ON p.id = c.prediction_id WHERE e.act = 'notice' GROUP BY 1, 2"
        )
        shown = Counter(
            (chat_id, message.body["receiver_user"]["id"])
            for chat_id in self._groups
            for message in self._telegram.chats[chat_id].ephemeral.values()
            if message.author_id() == self._telegram.bot.id
        )
        rows = {
            (chat, user): (done, tried) for chat, user, done, tried in self._database.ask(query)
        }
        whispers = self._watch.whispers
        wrong = sum(
            shown[key] < done or max(shown[key], whispers[key]) > tried
            for key, (done, tried) in rows.items()
        )
        wrong += sum(key not in rows for key in shown)
        tried = sum(tried for _, tried in rows.values())
        lost = tried - shown.total()
        return Count("notices, at most one a case", tried, shown.total(), wrong, f"{lost} lost")

    def _cards(self) -> Count:
        """One a case, among its group's moderators. Where the answer to the first was lost, a
        second is no fault of the bot's."""
        found: dict[int, list[int]] = defaultdict(list)  # by case the chats with its cards
        for chat in self._telegram.chats.values():
            for case in _cards_in(chat.messages.values()):
                found[case].append(chat.id)
        home = {
            case: self._people.groups.get(key[0])
            for case, (key, origin) in self._cases.items()
            if origin == "decision"
        }
        none = sum(case not in found for case in home)
        astray = sum({*chats} != {home.get(case)} for case, chats in found.items())
        doubled = [case for case in home if len(found[case]) > 1]
        needless = sum(self._watch.needless(self._watch.cards[case]) > 0 for case in home)
        note = f"{none} without, {len(doubled)} doubled as the answer was lost"
        if astray or needless:
            note += f", {astray} elsewhere, {needless} posted again needlessly"
        once = sum(len(found[case]) == 1 for case in home)
        return Count("cases with one card", len(home), once, none + astray + needless, note)

    def _message(self, chat_id: int, message_id: int) -> Message:
        return self._telegram.chats[chat_id].messages[message_id]


def _cards_in(messages: Iterable[Message]) -> list[int]:
    found = (case_of(message.body.get("reply_markup")) for message in messages)
    return [case for case in found if case is not None]
