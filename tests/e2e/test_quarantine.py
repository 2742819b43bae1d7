import json
import time

from moderation import database
from moderation.states import UpdateState
from moderation.tables import InboxUpdate
from tests import commands
from tests.e2e.stage import INSULT, MEMBER, until


async def set_aside(stage):
    """Stop the bot with an insult that it could not handle; the ids of its group, message and
    update."""
    await stage.start_bot()
    group = await stage.group()
    await stage.bot.stop()
    message_id = await stage.people.write(group, MEMBER, INSULT)
    update_id = (await stage.rows(InboxUpdate))[-1].id + 1
    message = {
        "message_id": message_id,
        "date": int(time.time()),
        "chat": {"id": group, "type": "supergroup", "title": "Группа"},
        "from": {"id": MEMBER, "is_bot": False, "first_name": "Имя"},
        "text": INSULT,
    }
    row = InboxUpdate(
        id=update_id,
        chat_id=group,
        payload=json.dumps({"update_id": update_id, "message": message}),
        state=UpdateState.QUARANTINED,
        attempts=3,
        error="ValueError at classifier.py:7",
    )
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        session.add(row)
    return group, message_id, update_id


def quarantine(stage, *options):
    done = commands.run("bot", "quarantine", *options, DATABASE_URL=stage.database_url)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_what_was_set_aside_is_listed_and_handled_when_asked_for(own_stage):
    stage = own_stage
    group, message_id, update_id = await set_aside(stage)
    listed = f"{update_id}  ValueError at classifier.py:7\n"
    assert quarantine(stage) == listed
    assert quarantine(stage, "--again") == f"{listed}1 to be handled when the bot starts next\n"
    assert quarantine(stage) == "nothing is set aside\n"
    await stage.start_bot()

    async def is_deleted():
        standing = await stage.people.messages(group)
        return message_id not in {message["message_id"] for message in standing}

    await until(is_deleted)
    assert len(await stage.predictions(group)) == 1


async def test_what_is_given_up_is_not_handled_and_its_words_are_gone(own_stage):
    stage = own_stage
    group, message_id, update_id = await set_aside(stage)
    assert quarantine(stage, "--drop").endswith("1 dropped\n")
    (row,) = await stage.rows(InboxUpdate, InboxUpdate.id == update_id)
    assert (row.state, row.payload) == (UpdateState.DONE, "")
    await stage.start_bot()
    later = await stage.people.write(group, MEMBER, INSULT)

    async def judged():
        return [row.message_id for row in await stage.predictions(group)]

    assert await until(judged) == [later]
    assert message_id in {message["message_id"] for message in await stage.people.messages(group)}


async def test_both_at_once_are_refused(tmp_path):
    url = f"sqlite:///{tmp_path}/bot.sqlite3"
    done = commands.run("bot", "quarantine", "--again", "--drop", DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (1, "bot: --again or --drop: not both\n")
