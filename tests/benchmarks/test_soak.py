"""The soak's counts, given what they must find: one that can't be wrong proves nothing."""

import importlib
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from sandbox.telegram import Telegram

ABUSE = "Ты просто тупая мразь"
SCHEMA = """
CREATE TABLE inbox_update (id INTEGER PRIMARY KEY, state TEXT);
CREATE TABLE prediction (
    id INTEGER PRIMARY KEY, chat_id, message_id, revision, user_id, created_at
);
CREATE TABLE "case" (id INTEGER PRIMARY KEY, prediction_id, origin);
CREATE TABLE enforcement (case_id, act, state);
"""


@pytest.fixture
def soak(monkeypatch):
    """The soak's modules; they import one another as scripts beside each other do."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    names = ("bot", "counts", "people", "watch")
    return SimpleNamespace(**{name: importlib.import_module(f"soak_{name}") for name in names})


class Run:
    """What a bot without a fault did about three messages of abuse and one that is harmless."""

    def __init__(self, soak, path):
        self.soak, self.path = soak, path
        self.telegram = Telegram("42:" + "a" * 35)
        self.people = soak.people.People(self.telegram, 1, 1)
        self.people.settle()
        self.first = self.telegram.updates.next_id
        self.watch = soak.watch.Watch()
        ((self.group, self.modchat),) = self.people.groups.items()
        self.chat = self.telegram.chats[self.group]
        self.offender = soak.people.OFFENDERS[0]
        with closing(sqlite3.connect(path)) as raw:
            raw.executescript(SCHEMA)
        self.harmless = self.judge(
            soak.people.MEMBERS[0], "Доброе утро!", self.people.written.clean
        )
        self.bad = [
            self.judge(self.offender, ABUSE, self.people.written.abusive, case)
            for case in (1, 2, 3)
        ]
        self.note("INSERT INTO enforcement VALUES (3, 'mute', 'done')")
        self.restrict(self.offender)
        for number in range(self.first, self.telegram.updates.next_id):
            self.note("INSERT INTO inbox_update VALUES (?, 'done')", number)

    def note(self, query, *values):
        with closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
            raw.execute(query, values)

    def judge(self, user_id, words, written, case=None):
        message = self.people._write(self.chat, user_id, text=words)
        written[self.group, message.id, 0] = 0.0
        query = "INSERT INTO prediction VALUES (?, ?, ?, 0, ?, '2026-01-01 00:00:00')"
        self.note(query, message.id, self.group, message.id, user_id)
        if case is not None:
            self.note("INSERT INTO \"case\" VALUES (?, ?, 'decision')", case, message.id)
            for act in ("delete", "notice"):
                self.note("INSERT INTO enforcement VALUES (?, ?, 'done')", case, act)
            self.delete(message)
            self.whisper(user_id)
            self.card(case)
        return message

    def call(self, method, fault=None, *, ok=True, time=0.0, description=None, **params):
        self.watch.note(
            {"method": method, "fault": fault, "ok": ok, "time": time, "description": description,
             "params": params}
        )  # fmt: skip

    def delete(self, message, **how):
        message.deleted = True
        self.call("deleteMessages", chat_id=self.group, message_ids=f"[{message.id}]", **how)

    def whisper(self, user_id, fault=None):
        self.call("sendMessage", fault, chat_id=str(self.group), receiver_user_id=str(user_id))
        author = {"from": self.telegram.bot.shape(), "receiver_user": {"id": user_id}}
        self.telegram.whisper(self.chat, author)

    def card(self, case, chat_id=None, **how):
        markup = {"inline_keyboard": [[{"text": "✅", "callback_data": f"c:{case}:right:0"}]]}
        chat = self.telegram.chats[chat_id or self.modchat]
        body = {"from": self.telegram.bot.shape(), "reply_markup": markup}
        self.telegram.post(chat, body)
        self.call("sendMessage", chat_id=chat.id, reply_markup=markup, **how)

    def restrict(self, user_id, status="restricted"):
        self.chat.members[user_id] = replace(self.chat.members[user_id], status=status)

    def wrong(self):
        """The lines of the table that aren't as they should be."""
        database = self.soak.counts.Database(self.path)
        counts = self.soak.counts.Counts(
            self.telegram, self.people, self.watch, database, self.first
        )
        return {line.name for line in counts.all() if line.wrong}


@pytest.fixture
def run(soak, tmp_path):
    return Run(soak, tmp_path / "bot.sqlite3")


def test_without_a_fault_nothing_is_wrong(run):
    assert run.wrong() == set()


def test_a_lost_update_shows(run):
    run.note("DELETE FROM inbox_update WHERE id = ?", run.first)
    assert run.wrong() == {"updates received and done"}


def test_a_lost_revision_shows(run):
    run.note("DELETE FROM prediction WHERE id = ?", run.harmless.id)
    assert run.wrong() == {"revisions judged once"}


def test_a_message_of_the_moderators_that_is_judged_shows(run):
    query = "INSERT INTO prediction VALUES (99, ?, 1, 0, 1, '2026-01-01 00:00:00')"
    run.note(query, run.modchat)
    assert run.wrong() == {"revisions judged once"}


def test_a_harmless_message_that_is_gone_shows(run):
    run.delete(run.harmless)
    assert run.wrong() == {"harmless messages standing"}


def test_abuse_that_stands_shows(run):
    run.bad[0].deleted = False
    assert run.wrong() == {"abusive messages deleted once"}


@pytest.mark.parametrize(
    "again", [{}, {"ok": False, "description": "Bad Request: message to delete not found"}]
)
def test_a_second_deletion_shows_unless_the_first_ones_answer_was_lost(run, again):
    run.watch.kills.append(1.0)  # just after the first call
    run.delete(run.bad[0], time=50.0, **again)
    assert run.wrong() == set()
    run.delete(run.bad[0], time=60.0, **again)
    assert run.wrong() == {"abusive messages deleted once"}


def test_a_refused_deletion_may_be_repeated(run):
    late = {"ok": False, "description": "Bad Request: message can't be deleted", "time": 9.0}
    run.delete(run.bad[0], **late)
    run.delete(run.bad[0], **late)
    assert run.wrong() == set()


def test_a_second_card_shows_unless_the_answer_to_the_first_was_lost(run):
    run.card(1, time=50.0, fault="drop_after_apply")
    assert run.wrong() == {"cases with one card"}  # the first one's answer came
    run.watch.kills.append(2.0)
    assert run.wrong() == set()
    run.card(1, time=60.0)
    assert run.wrong() == set()
    run.card(1, time=70.0)
    assert run.wrong() == {"cases with one card"}


def test_a_card_elsewhere_or_of_no_decision_shows(run):
    run.card(1, run.soak.people.OWNER, time=-1.0, fault="drop_after_apply")
    assert run.wrong() == {"cases with one card"}


def test_a_card_of_an_audit_shows(run):
    run.note("INSERT INTO \"case\" VALUES (7, ?, 'audit')", run.harmless.id)
    assert run.wrong() == set()
    run.card(7)
    assert run.wrong() == {"cases with one card"}


def test_a_second_notice_shows_though_another_was_lost(run):
    run.whisper(run.offender)
    assert run.wrong() == {"notices, at most one a case"}
    query = "UPDATE enforcement SET state = 'failed' WHERE act = 'notice' AND case_id = 1"
    run.note(query)
    run.chat.ephemeral.popitem()  # as many were seen as cases had one
    assert run.wrong() == {"notices, at most one a case"}


def test_a_mute_that_is_missing_or_of_somebody_else_shows(run):
    run.restrict(run.offender, "member")
    run.note("DELETE FROM enforcement WHERE act = 'mute'")  # neither done nor noted
    assert run.wrong() == {"people muted"}


@pytest.mark.parametrize("status", ["restricted", "kicked"])
def test_somebody_harmless_who_is_punished_shows(run, status):
    run.restrict(run.soak.people.MEMBERS[0], status)
    assert run.wrong() == {"people muted"}


def test_people_go_on_where_members_are_muted_for_what_they_changed(soak):
    telegram = Telegram("42:" + "a" * 35)
    people = soak.people.People(telegram, 1, 1)
    people.settle()
    (group,) = people.groups
    chat = telegram.chats[group]
    for user_id in soak.people.MEMBERS[1:]:
        muted = replace(chat.members[user_id], status="restricted", permissions=frozenset())
        chat.members[user_id] = muted
    for _ in range(300):
        people.step()
    assert people.written.messages > 250


async def test_a_bot_that_ended_by_itself_was_not_ended_well(soak, tmp_path):
    bot = soak.bot.Bot({}, tmp_path / "log")
    bot.process = SimpleNamespace(returncode=0, send_signal=lambda _: None, wait=ended)
    await bot.terminate()
    assert bot.died == 1


async def test_a_start_that_somebody_else_kills_is_not_ours(soak, tmp_path, monkeypatch):
    bot = soak.bot.Bot({}, tmp_path / "log")

    async def killed(*_, **__):
        return SimpleNamespace(returncode=-signal.SIGKILL)

    monkeypatch.setattr("asyncio.create_subprocess_exec", killed)
    assert not await bot._started()


async def ended():
    return 0
