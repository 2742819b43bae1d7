import pytest

from moderation.policy import Action
from moderation.states import Act, ActState
from tests.e2e.stage import CLEAN, INSULT, MEMBER, MODERATOR, OWNER, prefer, until


async def test_an_insult_vanishes_and_the_moderators_see_what_happened(stage):
    group, modchat = await stage.moderated_group()
    message = await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    assert case.card_chat_id == modchat
    standing = [m["message_id"] for m in await stage.people.messages(group)]
    assert message not in standing
    (card,) = await stage.said(modchat, INSULT)
    assert "Удаление: оскорбление" in card["text"]
    assert "Сообщение удалено; автор предупреждён" in card["text"]
    assert [act.state for act in (await stage.acts(case.id)).values()] == [ActState.DONE] * 2


async def test_a_clean_message_stays_and_leaves_scores_without_its_text(stage):
    group = await stage.group()
    message = await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 1)
    (row,) = await stage.predictions(group)
    assert (row.message_id, row.action) == (message, Action.NONE)
    assert len(row.scores) == 6
    assert await stage.cases(group) == []
    database = (stage.folder / "bot.sqlite3").read_bytes()
    log = stage.bot.said
    assert "второго подъезда" not in log
    assert database  # the text itself stands in the inbox only, and goes from there by age


async def test_words_are_found_in_captions_polls_and_edits(stage):
    group = await stage.group()
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    caption = await stage.people.write(group, MEMBER, caption=INSULT, photo=photo)
    edited = await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 2)
    await stage.people.post("edits", chat_id=group, message_id=edited, text=INSULT)
    await stage.settled(group, 3)

    async def both_gone():
        standing = {m["message_id"] for m in await stage.people.messages(group)}
        return not standing & {caption, edited}

    await until(both_gone)
    rows = await stage.predictions(group)
    assert [row.field for row in rows] == ["caption", "text", "text"]
    assert rows[1].revision == 0 < rows[2].revision


async def test_an_edit_that_changes_no_text_is_not_judged_again(stage):
    group = await stage.group()
    message = await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 1)
    await stage.people.post("edits", chat_id=group, message_id=message, text=CLEAN)
    await stage.people.write(group, MEMBER, "Спасибо!")
    await stage.settled(group, 2)
    assert [row.revision for row in await stage.predictions(group)] == [0, 0]


async def test_a_quoter_is_not_punished_for_the_quote(stage):
    group = await stage.group()
    quote = {"text": INSULT, "position": 0, "is_manual": True}
    message = await stage.people.write(group, MEMBER, "Так писать нехорошо.", quote=quote)
    await stage.settled(group, 1)
    (row,) = await stage.predictions(group)
    assert row.action <= Action.REVIEW
    assert message in [m["message_id"] for m in await stage.people.messages(group)]


async def test_administrators_are_left_alone_but_scored(stage):
    group = await stage.group()
    for author in (OWNER, MODERATOR):
        await stage.people.write(group, author, INSULT)
    await stage.settled(group, 2)
    rows = await stage.predictions(group)
    assert {row.exempt for row in rows} == {"administrator"}
    assert await stage.cases(group) == []


async def test_an_anonymous_administrator_is_left_alone(stage):
    group = await stage.group()
    body = {"sender_chat": {"id": group, "type": "supergroup", "title": "Группа"}}
    await stage.people.write(group, OWNER, INSULT, **body)
    await stage.settled(group, 1)
    (row,) = await stage.predictions(group)
    assert row.exempt == "anonymous_admin"


async def test_without_rights_the_bot_reports_and_says_why(stage):
    group, modchat = await stage.moderated_group(rights={})
    greeting = (await stage.said(group, "Здравствуйте"))[0]["text"]
    assert "❌ удалять сообщения" in greeting
    assert "❌ блокировать участников" in greeting
    message = await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    assert message in [m["message_id"] for m in await stage.people.messages(group)]
    act = (await stage.acts(case.id))[Act.DELETE]
    assert act.state is ActState.SKIPPED
    (card,) = await stage.said(modchat, INSULT)
    assert "Удалить не удалось: у бота нет права удалять сообщения" in card["text"]


async def test_given_the_rights_the_same_greeting_is_corrected(stage):
    group = await stage.group(rights={})
    rights = {"can_delete_messages": True, "can_restrict_members": True}
    bot = (await stage.people.get("state"))["bot_id"]
    await stage.people.post("members", chat_id=group, user_id=bot, status="administrator", **rights)
    greeting = await until(lambda: stage.said(group, "✅ удалять сообщения"))
    assert "❌" not in greeting[0]["text"]
    assert len(await stage.said(group, "Здравствуйте")) == 1


async def test_in_observe_mode_nothing_happens_but_the_card(stage):
    group, modchat = await stage.moderated_group()
    await prefer(stage, group, preset="observe")
    message = await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    assert message in [m["message_id"] for m in await stage.people.messages(group)]
    assert {act.state for act in (await stage.acts(case.id)).values()} == {ActState.SKIPPED}
    (card,) = await stage.said(modchat, INSULT)
    assert "Режим наблюдения: удалил бы сообщение" in card["text"]


async def test_until_a_moderators_chat_is_connected_the_owner_gets_the_cards(stage):
    group = await stage.group()
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    assert case.card_chat_id == OWNER


@pytest.mark.parametrize(
    "text", ["🙂👍🔥", "\u200b\u200b\u2060", "да\ud83d", "а" * 4096, "а\u0301" * 500, "null\x00"]
)
async def test_odd_texts_do_no_harm_and_those_with_words_are_scored(stage, text):
    group = await stage.group()
    await stage.people.write(group, MEMBER, text)
    await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 2 if any(map(str.isalnum, text)) else 1)


async def test_an_undecodable_update_does_not_stop_the_rest(stage):
    group = await stage.group()
    update = {"message": {"chat": {"id": group, "type": "supergroup"}, "text": 5}}
    await stage.people.post("updates", update=update)
    await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    assert "update quarantined" in stage.bot.said


async def test_a_part_that_cannot_be_decoded_does_not_hide_the_words(stage):
    group = await stage.group()
    origin = {"type": "hidden_user", "date": 1}
    message = await stage.people.write(group, MEMBER, INSULT, forward_origin=origin)
    await stage.card(group)
    assert message not in [m["message_id"] for m in await stage.people.messages(group)]
