from itertools import chain

import pytest

from bot.backlog import CHUNK, IN_HAND, SUSPECT, Backlog, chat_of, waiting_of
from moderation.columns import now
from tests.bot.updates import an_update

BORIS = 6


def backlog_of(*updates, **more):
    backlog = Backlog()
    for update in updates:
        backlog.add(waiting_of(update, now(), **more))
    return backlog


def flat(found):
    return list(chain.from_iterable(found))


def chunks(backlog, chat_id=-1):
    found = []
    while chunk := backlog.take(chat_id):
        found.append([waiting.id for waiting in chunk])
        for waiting in chunk:
            backlog.done(waiting)
    return found


def test_few_are_handled_in_order():
    assert chunks(backlog_of(*(an_update(i) for i in range(1, 6)))) == [[1, 2, 3, 4, 5]]


def test_of_many_the_newest_come_first_and_each_once_and_the_oldest_are_not_starved():
    backlog = backlog_of(*(an_update(i) for i in range(10 * CHUNK)))
    assert len(backlog) == 10 * CHUNK
    found = chunks(backlog)
    assert found[0] == list(range(9 * CHUNK, 10 * CHUNK))
    assert found[1] == list(range(CHUNK))
    assert found[2] == list(range(8 * CHUNK, 9 * CHUNK))
    assert sorted(flat(found)) == list(range(10 * CHUNK))
    assert len(backlog) == 0
    assert backlog.oldest is None


def joined(update_id, user_id):
    user = {"id": user_id, "is_bot": False, "first_name": "А"}
    chat = {"id": -1, "type": "supergroup"}
    event = {"chat": chat, "from": {"id": 9}, "new_chat_member": {"user": user}}
    return {"update_id": update_id, "chat_member": event}


PRESS = {"from": {"id": BORIS}, "message": {"message_id": 9, "chat": {"id": -1}}}
TO_A_BOT = {"reply_to_message": {"message_id": 1, "from": {"id": 9, "is_bot": True}}}
MANY = range(1000, 1000 + 3 * CHUNK)


@pytest.mark.parametrize(
    ("first", "then", "overtakes"),
    [
        (an_update(1), an_update(3000), True),
        (an_update(1), an_update(3000, user_id=BORIS), True),
        (an_update(1), an_update(3000, kind="edited_message", message_id=2), True),
        # An edit behind its message, and no other edit before it.
        (an_update(1), an_update(3000, kind="edited_message", message_id=1), False),
        # Words behind the joining of who wrote them, and behind what else they did.
        (joined(1, BORIS), an_update(3000, user_id=BORIS), False),
        (joined(1, BORIS), an_update(3000), True),
        (an_update(1, text="/report", user_id=BORIS), an_update(3000, user_id=BORIS), False),
        ({"update_id": 1, "callback_query": PRESS}, an_update(3000, user_id=BORIS), False),
        # Nothing before the chat or the bot's place in it is another.
        ({"update_id": 1, "my_chat_member": {"chat": {"id": -1}}}, an_update(3000), False),
        (an_update(1, migrate_from_chat_id=-7), an_update(3000), False),
        # What isn't a member's words alone.
        (an_update(1), an_update(3000, text="/settings"), False),
        (an_update(1), an_update(3000, **TO_A_BOT), False),
        (an_update(1), joined(3000, BORIS), False),
    ],
)
def test_only_words_overtake_and_never_what_they_depend_on(first, then, overtakes):
    found = flat(chunks(backlog_of(first, *map(an_update, MANY), then)))
    assert sorted(found) == [1, *MANY, 3000]
    assert (found.index(3000) < found.index(1)) is overtakes


def test_nothing_overtakes_in_private():
    private = {"chat": {"id": -1, "type": "private"}}
    found = chunks(backlog_of(*(an_update(i, **private) for i in range(3 * CHUNK))))
    assert flat(found) == list(range(3 * CHUNK))


def test_many_chats_share_what_is_decoded_at_once():
    chats = 64
    backlog = backlog_of(*(an_update(i, chat_id=-1 - i % chats) for i in range(chats * CHUNK)))
    assert sum(len(backlog.take(-1 - i)) for i in range(chats)) == IN_HAND


def test_what_may_have_ended_the_process_stands_alone():
    suspects = [waiting_of(an_update(i), now(), is_left=True, attempts=SUSPECT) for i in (2, 3)]
    backlog = backlog_of(an_update(1))
    for waiting in suspects:
        backlog.add(waiting)
    backlog.add(waiting_of(an_update(4), now(), is_left=True, attempts=SUSPECT - 1))
    assert chunks(backlog) == [[1], [2], [3], [4]]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"message": None},
        {"message": {"chat": 5, "from": "x", "text": 7, "message_id": "1"}},
        {"message": {"chat": {"id": -1}, "new_chat_members": [1, {"id": "x"}], "from": {}}},
        {"message": {"chat": {"type": []}, "reply_to_message": 5, "text": "т"}},
        {"callback_query": {"message": "x"}},
        {"chat_member": {"new_chat_member": {"user": 5}}},
        {"unheard_of": [{"chat": {}}]},
    ],
)
def test_any_update_can_wait(odd):
    waiting = waiting_of({"update_id": 1} | odd, now())
    assert not waiting.is_words
    assert waiting.people == frozenset()


@pytest.mark.parametrize(
    ("update", "chat_id"),
    [
        (an_update(1, -5), -5),
        ({"update_id": 1, "callback_query": {"message": {"chat": {"id": -6}}}}, -6),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": -7}}}, -7),
        ({"update_id": 1, "callback_query": {"id": "1"}}, None),
        ({"update_id": 1, "message": {"chat": "x"}}, None),
        ({"update_id": 1, "message": {"chat": {"id": 10**30}}}, None),
        ({"update_id": 1, "poll": {}}, None),
    ],
)
def test_the_chat_of_any_kind_of_update_is_found(update, chat_id):
    assert chat_of(update) == chat_id
