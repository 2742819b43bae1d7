"""What people call themselves and write is shown literally, wherever the bot shows it."""

from uuid import uuid4

import pytest_asyncio

from moderation.text import tidy
from tests.e2e.stage import ADMIN_RIGHTS, INSULT, OWNER, until

TAG = '<b>&"x</b><a href=tg://user?id=1>&lt;'
NAMES = {
    "html": TAG,
    "unclosed": "</blockquote></a><tg-spoiler><b",
    "direction": "\u202eкилемаН\u202d\u2067Вася",
    "lines": "Вася\n\n✅ Верно — Модератор",
    "zalgo": "В" + "\u0301\u0323" * 40 + "ася",
    "long": "<&>" * 100,
    "surrogate": "Вася\ud83d",
    "format": "{title}%s{0}",
}
TEXT = f"{INSULT} {TAG} </blockquote></tg-spoiler>"


@pytest_asyncio.fixture(loop_scope="session", params=NAMES)
async def case(request, stage):
    """A case whose author, moderator, group and text are called so; its number in the test's
    people is the name's."""
    name, number = NAMES[request.param], uuid4().int % 10**9
    author, moderator = 4_000_000_000 + number, 5_000_000_000 + number
    for user_id in (author, moderator):
        user = {"id": user_id, "first_name": name, "last_name": TAG, "language_code": "ru"}
        await stage.people.post("users", **user)
    group, modchat = await stage.moderated_group(title=name)
    admin = {"user_id": moderator, "status": "administrator", **ADMIN_RIGHTS}
    for who in (admin, {"user_id": author, "status": "member"}):
        await stage.people.post("members", chat_id=group, **who)
    await stage.people.write(group, author, TEXT)
    found = await stage.card(group)
    return found, modchat, name, author, moderator


def names(message, name):
    """Whether a message shows a name as it is, or its beginning if it is long."""
    return tidy(name)[:30] in message["text"]


async def test_names_titles_and_texts_are_shown_literally(stage, case):
    found, modchat, name, author, moderator = case
    (card,) = await stage.said(modchat, INSULT)
    head, *lines = card["text"].split("\n")
    assert names({"text": head}, name), "the group's title in the first line"
    assert sum(line.startswith(tidy(name)[:30]) for line in lines) == 1, "the author in one line"
    assert TEXT in card["text"]
    links = [e.get("user", {}).get("id") or e.get("url", "") for e in card.get("entities", [])]
    assert not [link for link in links if link == 1 or "id=1" in str(link)]
    assert not {"\u202e", "\u202d", "\u2067"} & set(card["text"])

    refused = await stage.press(found, author, data=f"c:{found.id}:clean:0")
    assert names(refused, name)
    await stage.press(found, moderator, data=f"c:{found.id}:right:0")

    async def is_decided():
        shown = await stage.people.messages(modchat)
        same = next(m for m in shown if m["message_id"] == found.card_message_id)
        return same if "Верно — " in same["text"].split("\n")[-1] else None

    decided = await until(is_decided)
    assert sum(names({"text": line}, name) for line in decided["text"].split("\n")[-2:]) >= 1
    again = await stage.press(found, OWNER, data=f"c:{found.id}:clean:0")
    assert names(again, name)

    await stage.people.write(moderator, moderator, f"/start settings_{found.chat_id}")
    (panel,) = await until(lambda: stage.said(moderator, "Режим"))
    assert names(panel, name)
    await stage.people.write(author, author, "/why")
    (why, *_) = await until(lambda: stage.said(author, "•"))
    assert names(why, name)
    assert "update failed" not in stage.bot.said
    assert "can't parse entities" not in stage.bot.said


async def test_the_queue_and_a_quote_show_html_as_it_was_written(stage):
    group, modchat = await stage.moderated_group(title=TAG)
    writer = 6_000_000_000 + uuid4().int % 10**9
    await stage.people.post("users", id=writer, first_name=TAG, language_code="ru")
    await stage.people.post("members", chat_id=group, user_id=writer, status="member")
    await stage.people.write(group, writer, TEXT)
    case = await stage.card(group)
    await stage.people.write(modchat, OWNER, "/review")
    (shown,) = await until(lambda: stage.said(modchat, "из"))
    assert TEXT in shown["text"]
    assert TAG in shown["text"].replace(TEXT, "")
    await stage.press(case, OWNER, button="🕊 Не токсично")
    (quote,) = await until(lambda: stage.said(group, "по ошибке"))
    assert TEXT in quote["text"]
    assert TAG in quote["text"].replace(TEXT, "")


async def test_the_longest_text_of_signs_that_grow_when_escaped_arrives(stage):
    group, modchat = await stage.moderated_group()
    writer = 6_000_000_000 + uuid4().int % 10**9
    await stage.people.post("users", id=writer, first_name="&" * 64, last_name="<" * 64)
    await stage.people.post("members", chat_id=group, user_id=writer, status="member")
    await stage.people.write(group, writer, (INSULT + " " + "&<>\"'" * 820)[:4096])
    await stage.card(group)
    (card,) = await until(lambda: stage.said(modchat, INSULT))
    assert "&<>\"'" in card["text"]
    assert len(card["text"]) <= 4096
    await stage.people.write(writer, writer, "/check " + "<&" * 2_000)
    await until(lambda: stage.said(writer, "Решение"))
