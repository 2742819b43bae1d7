"""Mishaps that no other file of tests is about; docs/reliability.md lists them all."""

from moderation.states import Verdict
from tests.e2e.stage import INSULT, MEMBER, MODERATOR, OWNER, prefer, until


async def test_another_program_with_the_same_token_is_told_of_and_outlasted(stage):
    group = await stage.group()
    heard = stage.bot.said.count("another program receives")

    async def is_told():
        async with stage.people.http.post(f"{stage.people.url}bot{stage.token}/getUpdates"):
            return stage.bot.said.count("another program receives") > heard

    await until(is_told)
    message = await stage.people.write(group, MEMBER, INSULT)
    await stage.card(group)
    assert message not in [m["message_id"] for m in await stage.people.messages(group)]


async def test_where_a_card_stands_twice_the_buttons_of_both_work(stage):
    group, modchat = await stage.moderated_group()
    await prefer(stage, group, warning="none")  # so that the card is the first that is sent
    await stage.people.post("faults", method="sendMessage", kind="drop_after_apply", count=1)
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    first, second = [card["message_id"] for card in await stage.said(modchat, INSULT)]
    assert case.card_message_id == second
    answer = await stage.press_at(modchat, first, MODERATOR, button="✅ Верно")
    assert "Принято" in answer["text"]
    (case,) = await stage.cases(group)
    assert (case.verdict, case.resolved_by) == (Verdict.CONFIRMED, MODERATOR)
    again = await stage.press_at(modchat, second, OWNER, data=f"c:{case.id}:clean:0")
    assert "верно" in again["text"].lower()  # decided already, the other card knows
