"""Mishaps that no other file of tests is about; docs/reliability.md lists them all."""

from tests.e2e.stage import INSULT, MEMBER, until


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
