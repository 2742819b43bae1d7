"""Forged and replayed presses, commands in the wrong place, links of others."""

import json

import pytest
import pytest_asyncio

from moderation.states import ActState
from moderation.tables import Chat
from sandbox import scene
from tests.e2e.house import AUTHOR, MODERATOR, OWNER, PEOPLE, build
from tests.e2e.stage import INSULT, MEMBER, STRANGER, until

PREFIXES = (
    "c", "a", "d", "q", "st", "so", "sp", "sd", "ta", "tr", "tv", "tm", "forget", "x", "",
)  # fmt: skip
ENDS = (
    "", ":", "::::", ":0", ":-1:clean:0", f":{2**63}:clean:0", f":{-(2**63)}:main",
    f":{'9' * 400}:right:0", ":1e9:clean:0", ":0x1:ban", ":1:clean:-1", ":1:clean:32",
    ":1:clean:99999999999999999999", ":1:no_such_button:0", ":1:right:0:0:0", ":NaN:days:day",
    ":٣:clean:0", ":1;DROP TABLE chat:main", ":\x00:\ud83d", ":🙂:ban", ":" + "а" * 500,
    ":{case}:done:1", ":{case}:ban", ":{group}:preset:3:1", ":{group}:main",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(stage):
    made = await build(stage, insults=3)
    made.greeting = (await stage.said(made.group, "Здравствуйте"))[0]["message_id"]
    return made


def at(case):
    return case.card_chat_id, case.card_message_id


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_no_forged_data_does_anything_and_each_is_answered(house, prefix):
    """Of a stranger: what the same data does for a moderator stands in the table."""
    before, case = house.state(), house.cases[0]
    ends = [end.format(case=case.id, group=house.group) for end in ENDS]
    stranger = PEOPLE["member"]
    places = [at(case), (stranger, house.panels[stranger])]
    answers = await house.answers(
        [(*place, stranger, prefix + end) for place in places for end in ends]
    )
    assert len(answers) == len(places) * len(ends)
    assert house.state() == before
    assert "update failed" not in house.stage.bot.said


async def test_what_a_moderator_forges_without_meaning_does_nothing_either(house):
    before, case = house.state(), house.cases[0]
    broken = [end for end in ENDS if "{" not in end and end != ":1:right:0:0:0"]
    data = [prefix + end for prefix in ("c", "a", "q", "so", "sp", "sd", "d") for end in broken]
    own = (MODERATOR, house.panels[MODERATOR])
    await house.answers([(*(at(case) if one[0] in "ca" else own), MODERATOR, one) for one in data])
    assert house.state() == before


async def test_what_is_decided_stays_so_whichever_old_button_is_pressed(house):
    case = house.cases[1]
    await house.answers([(*at(case), MODERATOR, f"c:{case.id}:right:0")])
    await house.answers([(*at(case), MODERATOR, f"a:{case.id}:warn")])

    async def is_done():
        return {act.state for act in (await house.stage.acts(case.id)).values()} == {ActState.DONE}

    await until(is_done)
    before = house.state()
    old = [f"c:{case.id}:{name}:{n}" for name in ("right", "clean", "done") for n in (0, 5)]
    old += [f"a:{case.id}:{name}" for name in ("warn", "mute_day")]
    answers = await house.answers(
        [(*at(case), user, data) for user in (MODERATOR, OWNER) for data in old]
    )
    assert all("Уже решено" in answer["text"] for answer in answers)
    assert house.state() == before


async def test_a_button_works_by_what_it_carries_and_not_by_where_it_is_shown(house):
    """Copied to a message of another chat it decides the same case, once, and only for those who
    moderate that case's group."""
    case = house.cases[2]
    foreign = PEOPLE["moderator of another group"]
    greeting = (await house.stage.said(house.other, "Здравствуйте"))[0]["message_id"]
    before = house.state()
    (refused,) = await house.answers([(house.other, greeting, foreign, f"c:{case.id}:clean:0")])
    assert "только администраторы" in refused["text"]
    assert house.state() == before
    press = (house.other, greeting, MODERATOR, f"c:{case.id}:right:0")
    first, second = await house.answers([press, press])
    assert "Принято" in first["text"]
    assert "Уже решено" in second["text"]
    labels = [row for row in await house.stage.labels(house.group) if row.case_id == case.id]
    assert [label.moderator_id for label in labels] == [MODERATOR]


async def test_buttons_of_deleted_messages_and_of_none_are_answered(house):
    """Telegram then sends an InaccessibleMessage, or no message at all."""
    people, before = house.stage.people, house.state()
    written = await people.write(house.group, AUTHOR, "Доброе утро, соседи!")
    await people.post("deletions", chat_id=house.group, message_id=written, user_id=AUTHOR)
    stranger = PEOPLE["member"]
    data = [
        f"c:{house.cases[0].id}:clean:0", f"so:{house.group}:main", f"st:{house.group}:days:day",
        f"d:{house.group}", "ta:0:train", "tm:list::", f"q:1:{stranger}:done:0", "forget:1:yes",
    ]  # fmt: skip
    answers = await house.answers([(house.group, written, stranger, one) for one in data])
    assert len(answers) == len(data)
    user = {"id": stranger, "is_bot": False, "first_name": "Некто"}
    for number, one in enumerate([*data, None]):
        query = {"id": f"{number}", "from": user, "chat_instance": "1", "inline_message_id": "x"}
        query |= {"game_short_name": "x"} if one is None else {"data": one}
        await people.post("updates", update={"callback_query": query})

    async def answered():
        calls = (await people.get("calls", method="answerCallbackQuery"))["calls"]
        ids = {str(call["params"].get("callback_query_id")) for call in calls}
        return {str(number) for number in range(len(data) + 1)} <= ids

    await until(answered)
    assert house.state() == before
    assert "update failed" not in house.stage.bot.said


async def test_commands_to_other_bots_and_links_of_others_do_nothing(house):
    people, before = house.stage.people, house.state()
    for text in (
        "/settings@other_bot", "/exempt@other_bot", "/modchat@other_bot", "/report@other_bot",
        f"/start@other_bot modchat_{house.other}", "/start modchat_", "/start modchat_x",
        "/start modchat_--1", f"/start modchat_{'9' * 19}", f"/start modchat_{'9' * 4_000}",
        f"/start modchat_{house.group} {house.other}", "/start settings_1", "/start review",
    ):  # fmt: skip
        assert await house.is_silent(house.group, [MODERATOR], text), text
    for chat_id in (house.other, house.other + 10**11, 0):
        text = f"/start modchat_{chat_id}"
        assert "только тот, кто администратор и здесь" in await house.ask(
            house.group, MODERATOR, text
        )
    for text in (
        f"/start settings_{house.other}", "/start settings_", "/start settings_x",
        f"/start settings_{'9' * 4_000}", f"/start settings_{house.other}x", "/start settings_-0",
    ):  # fmt: skip
        assert "только администраторы" in await house.ask(MODERATOR, MODERATOR, text), text
    for text in (f"/start modchat_{house.group}", "/start " + "я" * 4_000, "/start <b>"):
        assert "Здравствуйте" in await house.ask(MODERATOR, MODERATOR, text), text
    assert house.state() == before
    assert await people.messages(house.other, scene.BOT_ID)


async def test_commands_of_groups_mean_nothing_in_private(house):
    before = house.state()
    for text in ("/modchat", "/exempt", "/report", "/rules", "/preset strict"):
        await house.stage.people.write(MODERATOR, MODERATOR, text)
    assert await house.ask(MODERATOR, MODERATOR, "/help")
    assert house.state() == before


async def test_in_the_name_of_a_group_nobody_gets_more_than_under_their_own(stage):
    """Telegram doesn't tell who is hidden: it must not be anybody who may nothing."""
    group = await stage.group()
    hidden = {"chat_id": group, "status": "administrator", "is_anonymous": True}
    await stage.people.post("members", user_id=STRANGER, can_pin_messages=True, **hidden)
    number = len(await stage.predictions(group))
    for text in ("/exempt", "/settings", "/modchat", "/status"):
        await stage.people.write(group, STRANGER, text)
    await stage.settled(group, number + 4)
    assert len(await stage.people.messages(group, scene.BOT_ID)) == 1  # the greeting
    await stage.people.post("members", user_id=STRANGER, can_delete_messages=True, **hidden)
    await stage.people.write(group, STRANGER, "/settings")
    await until(lambda: stage.said(group, "Настройки открываются в личке"))


async def test_who_hid_and_has_been_demoted_since_is_not_obeyed(stage):
    group = await stage.group()
    message = await stage.people.write(group, MEMBER, "Доброе утро!")
    for text in ("/exempt", "/settings", "/preset strict"):
        extra = {"sender_chat": group, "reply_to_message_id": message}
        await stage.people.post("messages", chat_id=group, text=text, **extra)
    await stage.settled(group, 4)
    assert len(await stage.people.messages(group, scene.BOT_ID)) == 1  # the greeting
    (chat,) = await stage.rows(Chat, Chat.id == group)
    assert chat.preferences == {}


async def test_deep_nesting_is_set_aside_and_the_chat_goes_on(stage):
    group = await stage.group()
    nested = json.loads('{"a":' * 400 + "1" + "}" * 400)
    bold = [{"type": "bold", "offset": n, "length": 9} for n in range(999)]
    message = {"message_id": 1, "date": 1, "chat": {"id": group, "type": "supergroup"}}
    for extra in (
        {"text": "х" * 4096, "entities": bold},
        {"text": "а" + "\u0315\u0300\u05ae" * 33_000},
        {"text": "п" + "*" * 36 + "2 х" + "_" * 60 + "аб"},
        {"reply_to_message": nested},
        {"poll": {"id": "1", "question": "?", "options": [{"text": f"{n}"} for n in range(2_000)]}},
    ):  # fmt: skip
        message["message_id"] += 10_000
        user = {"id": MEMBER, "is_bot": False, "first_name": "Некто"}
        await stage.people.post("updates", update={"message": message | {"from": user} | extra})
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
