"""The most important shapes that a text can hide in, with the model that is embedded."""

from moderation.policy import Action
from moderation.states import Act, ActState
from moderation.tables import Case
from tests.e2e.stage import CLEAN, INSULT, MEMBER, STRANGER, prefer, until

PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
FILE = {"file_id": "f", "file_unique_id": "u"}
CHANNEL = {"id": -1_001_562_840_077, "type": "channel", "title": "Новости района"}


def poll(question, *options):
    return {
        "id": "1", "question": question, "total_voter_count": 0, "is_closed": False,
        "is_anonymous": True, "type": "regular", "allows_multiple_answers": False,
        "allows_revoting": False, "members_only": False,
        "options": [
            {"persistent_id": str(i), "text": text, "voter_count": 0}
            for i, text in enumerate(options)
        ],
    }  # fmt: skip


def nested(words, depth=30):
    for i in range(depth):
        words = {"type": "bold", "text": words} if i % 2 else [words]
    return {"blocks": [{"type": "details", "summary": "Ещё", "blocks": [
        {"type": "paragraph", "text": words}]}]}  # fmt: skip


SHAPES = {
    "poll": {"poll": poll(INSULT, "Да")},
    "poll_option": {"poll": poll("Когда собрание?", "Завтра", INSULT)},
    "checklist": {"checklist": {"title": "Дела", "tasks": [{"id": 1, "text": INSULT}]}},
    "rich_message": {"rich_message": nested(INSULT)},
    "venue": {
        "venue": {"location": {"latitude": 55, "longitude": 37}, "title": INSULT, "address": "5"}
    },
    "contact": {"contact": {"phone_number": "+7999", "first_name": "Идиот", "last_name": "Тупой"}},
    "file_name": {"document": FILE | {"file_name": "ты_тупой_идиот.pdf"}},
    "button": {
        "text": CLEAN,
        "via_bot": {"id": 204070555, "is_bot": True, "first_name": "GIF"},
        "reply_markup": {"inline_keyboard": [[{"text": INSULT, "url": "https://example.com/"}]]},
    },
}


async def standing(stage, group):
    return {message["message_id"] for message in await stage.people.messages(group)}


async def test_words_are_found_in_every_field_and_the_message_goes(stage):
    group, modchat = await stage.moderated_group()
    written = {
        field: await stage.people.write(group, MEMBER, **shape) for field, shape in SHAPES.items()
    }

    async def all_gone():
        return not await standing(stage, group) & set(written.values())

    await until(all_gone)
    cases = [case for case in await stage.cases(group) if case.prediction.field in written]
    assert {case.prediction.field: case.prediction.message_id for case in cases} == written
    await until(lambda: stage.said(modchat, "Список дел"))


async def test_of_an_album_nothing_stays_and_one_card_tells_of_it(stage):
    group, modchat = await stage.moderated_group()
    album = {"media_group_id": "13902934871230985", "photo": PHOTO}
    items = [await stage.people.write(group, MEMBER, **album)]
    items.append(await stage.people.write(group, MEMBER, **album, caption=INSULT))
    await stage.card(group)
    items.append(await stage.people.write(group, MEMBER, **album))

    async def all_gone():
        return not await standing(stage, group) & set(items)

    await until(all_gone)
    assert len(await stage.cases(group)) == 1
    assert len(await stage.said(modchat, INSULT)) == 1


async def test_who_shows_others_words_is_not_punished_for_them(stage):
    group = await stage.group()
    origin = {"type": "channel", "chat": CHANNEL, "message_id": 5, "date": 1}
    contact = {"phone_number": "+7999", "first_name": "Идиот", "last_name": "Тупой"}
    reply = {"origin": origin, "chat": CHANNEL, "message_id": 5, "contact": contact}
    number = await stage.people.write(group, MEMBER, CLEAN, external_reply=reply)
    case = await stage.card(group)
    assert (case.prediction.field, case.prediction.action) == ("external_reply", Action.REVIEW)
    assert await stage.acts(case.id) == {}
    assert number in await standing(stage, group)


async def test_who_writes_as_a_channel_is_banned_as_that_channel(stage):
    group = await stage.group()
    await prefer(stage, group, overrides={"insult": {"action": int(Action.BAN)}})
    await stage.people.write(group, MEMBER, INSULT, sender_chat=CHANNEL)
    case = await stage.card(group)
    assert case.prediction.user_id == CHANNEL["id"]
    assert (await stage.acts(case.id))[Act.BAN].state is ActState.DONE
    banned = [
        (method, int(call["params"].get("sender_chat_id") or call["params"]["user_id"]))
        for method in ("banChatSenderChat", "banChatMember")
        for call in (await stage.people.get("calls", method=method))["calls"]
        if int(call["params"]["chat_id"]) == group
    ]
    assert banned == [("banChatSenderChat", CHANNEL["id"])]


async def test_a_name_is_shown_to_the_moderators_once_and_nothing_else(stage):
    group, modchat = await stage.moderated_group()
    user = {"id": 6_100_000_001, "is_bot": False, "first_name": "Тупой", "last_name": "Идиот"}
    chat = {"id": group, "type": "supergroup", "title": "Группа"}
    for number in (9001, 9002):
        message = {"message_id": number, "date": 1, "chat": chat, "from": user, "text": CLEAN}
        await stage.people.post("updates", update={"message": message})
    await stage.settled(group, 3)
    case = await stage.card(group)
    assert (case.prediction.field, case.prediction.message_id) == ("name", 0)
    (card,) = await stage.said(modchat, "Тупой Идиот")
    assert "Имя" in card["text"]
    await stage.press(case, 1002, button="✅ Верно")
    rows = await stage.rows(Case, Case.chat_id == group, Case.origin == "decision")
    assert len(rows) == 1
    assert await stage.acts(case.id) == {}


async def test_after_a_command_that_cannot_be_answered_words_are_judged(stage):
    group = await stage.group()
    message = {
        "message_id": 9100,
        "date": 1,
        "chat": {"id": group, "type": "supergroup", "title": "Группа"},
        "from": {"id": STRANGER, "is_bot": False, "first_name": "Прохожий"},
        "text": f"/rules {INSULT}",
        "message_thread_id": 424242,  # of a topic that is gone
        "is_topic_message": True,
    }
    await stage.people.post("updates", update={"message": message})
    assert (await stage.card(group)).prediction.message_id == 9100
