"""What follows from a message and from its edits, against the sandbox and a real database."""

import asyncio

import pytest
from aiogram.types import User
from sqlalchemy import select

from bot.decisions import claim, claim_person
from bot.decoding import decode
from moderation import store
from moderation.categories import TOXIC, Category
from moderation.policy import Action
from moderation.preferences import Override, Preferences
from moderation.states import Act, ActState, PersonDecision, Source, Verdict
from moderation.tables import Case, Chat, Enforcement, Prediction, Strike
from sandbox import control, scene
from sandbox.faults import Fault
from tests.bot.house import house

GROUP, AUTHOR, BOT = scene.GROUP_ID, scene.MEMBER_A_ID, scene.BOT_ID
CHANNEL, LINKED = -1_009_999_999_999, -1_009_999_999_998
INSULT = "ну ты идиот"
TOXIC_VECTOR = dict.fromkeys(TOXIC) | {Category.INSULT: 1, Category.NON_TOXIC: 0}
CLEAN_VECTOR = dict.fromkeys(TOXIC, 0) | {Category.NON_TOXIC: 1}


@pytest.fixture
async def home(tmp_path):
    async with house(tmp_path, acts=True) as found:
        found.telegram.updates.drop_pending()
        yield found


async def prefer(home, action=Action.WARN, **preferences):
    """Set what an insult leads to, and other preferences."""
    overrides = {Category.INSULT: Override(action=action)}
    stored = Preferences(overrides=overrides, **preferences).stored()
    async with home.sessions.begin() as session:
        chat = await store.chat(session, GROUP, "Соседи по двору", "supergroup")
        chat.preferences = stored


async def happen(home):
    """Let the bot handle what people did, until all acts have their outcome."""
    pending = home.telegram.updates.pending
    while pending:
        await home.handle(decode(pending.popleft().body, home.bot))
    open_ = Enforcement.state.in_([ActState.PENDING, ActState.ATTEMPTED])
    async with asyncio.timeout(20):
        while await rows(home, Enforcement, open_):
            await asyncio.sleep(0.02)


async def write(home, text=INSULT, author=AUTHOR, **extra):
    body = {"chat_id": GROUP, "user_id": author, "text": text, **extra}
    message = control.write(home.telegram, body)["message"]
    await happen(home)
    return message["message_id"]


async def edit(home, message_id, *texts):
    for text in texts:
        control.edit(home.telegram, {"chat_id": GROUP, "message_id": message_id, "text": text})
        await happen(home)


async def rows(home, table, *conditions):
    async with home.sessions() as session:
        return list(await session.scalars(select(table).where(*conditions).order_by(table.id)))


async def acts(home, act):
    return [row.state for row in await rows(home, Enforcement, Enforcement.act == act)]


def notices(home):
    """How often the author was told, be it before all or alone."""
    chat = home.telegram.chats[GROUP]
    said = [*chat.messages.values(), *chat.ephemeral.values()]
    return len([m for m in said if m.author_id() == BOT and "Участник А" in m.body["text"]])


def is_free(home):
    return home.telegram.member(home.telegram.chats[GROUP], AUTHOR).status == "member"


async def test_a_message_is_one_strike_and_one_notice_however_often_it_is_edited(home):
    await prefer(home)
    message = await write(home)
    await edit(home, message, f"{INSULT}!", f"{INSULT}…", f"{INSULT}?!")
    assert len(await rows(home, Case)) == 4
    assert len(await rows(home, Strike)) == 1
    assert (notices(home), is_free(home)) == (1, True)
    assert await acts(home, Act.NOTICE) == [ActState.DONE, *[ActState.SKIPPED] * 3]
    assert await acts(home, Act.MUTE) == []


async def test_so_it_is_where_the_bot_may_restrict_but_not_delete(home):
    rights = {"status": "administrator", "can_restrict_members": True}
    control.set_member(home.telegram, {"chat_id": GROUP, "user_id": BOT, **rights})
    await prefer(home, Action.DELETE)
    message = await write(home)
    await edit(home, message, f"{INSULT}!", f"{INSULT}…", f"{INSULT}?!")
    assert ActState.DONE not in await acts(home, Act.DELETE)
    assert len(await rows(home, Strike)) == 1
    assert (notices(home), is_free(home)) == (1, True)


async def test_an_edit_that_deserves_more_gets_it(home):
    await prefer(home)
    message = await write(home)
    await prefer(home, Action.MUTE)
    await edit(home, message, f"{INSULT}!")
    assert home.telegram.chats[GROUP].messages[message].deleted
    assert await acts(home, Act.MUTE) == [ActState.DONE]
    assert len(await rows(home, Strike)) == 1
    assert notices(home) == 1


async def test_an_edit_stands_as_high_on_the_ladder_as_its_message(home):
    await prefer(home)
    first = await write(home)
    await edit(home, first, f"{INSULT}!")
    await write(home)
    assert is_free(home)
    await write(home)
    assert not is_free(home)
    await edit(home, first, f"{INSULT}?!")
    assert await acts(home, Act.MUTE) == [ActState.DONE]
    assert len(await rows(home, Strike)) == 3


async def decided(home, number, verdict, vector):
    """A case that a moderator decided, and its group."""
    case, (chat,) = (await rows(home, Case))[number], await rows(home, Chat)
    moderator = (scene.OWNER_ID, "Имя")
    assert await claim(home.sessions, case, chat, verdict, vector, moderator, Source.BUTTON)
    await home.outbox.follow(case)
    return (await rows(home, Case))[number], chat


async def test_a_message_that_was_found_clean_can_break_the_rules_later(home):
    await prefer(home)
    message = await write(home)
    await decided(home, 0, Verdict.CLEAN, CLEAN_VECTOR)
    await edit(home, message, "идиот безмозглый")
    assert [s.withdrawn_at is None for s in await rows(home, Strike)] == [False, True]
    assert await acts(home, Act.NOTICE) == [ActState.DONE] * 2


async def test_who_is_forgiven_an_edit_is_forgiven_the_message(home):
    await prefer(home)
    message = await write(home)
    await edit(home, message, f"{INSULT}!")
    case, chat = await decided(home, 1, Verdict.CONFIRMED, TOXIC_VECTOR)
    user = User(id=scene.OWNER_ID, is_bot=False, first_name="Имя")
    assert await claim_person(home.sessions, case, chat, PersonDecision.FORGIVE, user)
    assert [s.withdrawn_at is None for s in await rows(home, Strike)] == [False]


async def test_a_channel_climbs_the_ladder_where_it_leads_to_a_ban(home):
    await prefer(home, mute_after=1, ban_after=3)
    sender = {"sender_chat": {"id": CHANNEL, "title": "Чужой"}}
    for number in range(3):
        await write(home, f"{INSULT} {number}", **sender)
        banned = home.telegram.chats[GROUP].banned_senders
        assert banned == ({CHANNEL} if number == 2 else set())
    assert await acts(home, Act.MUTE) == []
    assert {strike.user_id for strike in await rows(home, Strike)} == {CHANNEL}


def asked(home):
    return [c for c in home.telegram.journal.calls if c.method.lower() == "getchat"]


async def exempt(home):
    return [row.exempt for row in await rows(home, Prediction)]


async def test_the_linked_channel_is_left_alone_in_its_own_name_too(home):
    await prefer(home, Action.DELETE)
    home.telegram.chats[GROUP].linked_chat_id = LINKED
    sender = {"sender_chat": {"id": LINKED, "title": "Идиот и Ко"}}
    await write(home, "Доброе утро!", sender_chat={"id": CHANNEL, "title": "Чужой"})
    await write(home, "Ну ты идиот")
    assert asked(home) == []
    await write(home, **sender)
    await write(home, f"{INSULT}!", **sender)
    assert len(asked(home)) == 1
    assert (await exempt(home))[2:] == ["linked_channel"] * 2
    await write(home, sender_chat={"id": CHANNEL, "title": "Чужой"})
    cases = await rows(home, Case, Case.origin == "decision")
    assert [case.prediction.user_id for case in cases] == [AUTHOR, CHANNEL]


async def test_a_channel_is_judged_as_any_where_telegram_says_nothing_of_links(home):
    await prefer(home, Action.DELETE)
    home.telegram.chats[GROUP].linked_chat_id = LINKED
    home.telegram.faults.plan(Fault("getchat", "500", 1))
    await write(home, sender_chat={"id": LINKED, "title": "Новости"})
    assert await exempt(home) == [None]
    assert await acts(home, Act.DELETE) == [ActState.DONE]


async def test_who_hid_and_was_demoted_is_not_obeyed(home):
    await prefer(home)
    hidden = {"chat_id": GROUP, "user_id": scene.MEMBER_B_ID}
    rights = {"status": "administrator", "can_pin_messages": True, "is_anonymous": True}
    control.set_member(home.telegram, hidden | rights)
    message = await write(home, "Доброе утро!")
    reply = {"text": "/exempt", "reply_to_message_id": message}
    written = control.write(home.telegram, hidden | reply)["message"]
    assert written["sender_chat"]["id"] == GROUP
    control.set_member(home.telegram, hidden | {"status": "member"})
    await happen(home)
    (chat,) = await rows(home, Chat)
    assert Preferences.of(chat.preferences).exempt == ()
    assert "sendmessage" not in {call.method.lower() for call in home.telegram.journal.calls}
