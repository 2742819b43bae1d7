"""What came while the bot was down: the newest first, edits in any order, none twice, none lost."""

import time

from moderation.states import UpdateState
from moderation.tables import InboxUpdate, Strike
from tests.e2e.stage import CLEAN, INSULT, MEMBER, STRANGER, until

BEHIND = 80  # messages, more than a chunk
SECOND_INSULT = "Ты тупая скотина и урод!"


async def test_what_came_while_it_was_down(own_stage):
    stage, people = own_stage, own_stage.people
    await stage.start_bot()
    group = await stage.group()
    early = await stage.group()
    await stage.bot.stop()

    oldest = await people.write(group, MEMBER, INSULT)
    edited = await people.write(group, STRANGER, INSULT)
    await people.post("edits", chat_id=group, message_id=edited, text=SECOND_INSULT)
    clean = [await people.write(group, MEMBER, f"{CLEAN} {i}") for i in range(BEHIND)]
    newest = await people.write(group, MEMBER, SECOND_INSULT)
    # An edit that comes before its message, which said something else.
    mended = await deliver(people, early, 501, (CLEAN, 5), INSULT)
    worsened = await deliver(people, early, 502, (SECOND_INSULT, 5), INSULT)
    # Two edits within a second, of which Telegram tells the same date.
    hasty = await deliver(people, early, 503, CLEAN, (CLEAN + "!", 5), (INSULT, 5), (INSULT, 5))

    await stage.start_bot()
    await stage.settled(group, BEHIND + 4)
    await stage.settled(early, 7)

    async def acted():
        cases = await stage.cases(group) + await stage.cases(early)
        return len(cases) == 5 and all(case.card_message_id for case in cases)

    await until(acted)
    rows = await stage.predictions(group)
    assert sorted(row.message_id for row in rows) == [oldest, edited, edited, *clean, newest]
    standing = {m["message_id"] for m in await people.messages(group)}
    assert standing >= set(clean)
    assert not standing & {oldest, edited, newest}
    deleted = await deletions(stage, group)
    assert sorted(deleted) == [oldest, edited, newest]
    assert deleted.index(newest) < deleted.index(oldest)
    strikes = await stage.rows(Strike)
    assert sorted((s.chat_id, s.user_id) for s in strikes) == sorted(
        [(group, MEMBER), (group, MEMBER), (group, STRANGER), (early, MEMBER), (early, MEMBER)]
    )
    # The words that stand were judged, those before them led to nothing.
    found = {(row.message_id, row.revision > 0): row for row in await stage.predictions(early)}
    assert found[mended, False].exempt == found[worsened, False].exempt == "settled"
    assert found[mended, True].exempt is found[worsened, True].exempt is None
    assert await deletions(stage, early) == [worsened, hasty]
    rows = await stage.rows(InboxUpdate)
    assert {row.state for row in rows} == {UpdateState.DONE}
    assert not any(row.payload for row in rows)


async def deliver(people, group, message_id, *texts):
    """A message and its edits, each with the seconds after which it was made, in any order."""
    at = int(time.time())
    message = {
        "message_id": message_id,
        "date": at,
        "chat": {"id": group, "type": "supergroup", "title": "Г"},
        "from": {"id": MEMBER, "is_bot": False, "first_name": "А"},
    }
    for text in texts:
        update = {"message": message | {"text": text}}
        if isinstance(text, tuple):
            edit = {"text": text[0], "edit_date": at + text[1]}
            update = {"edited_message": message | edit}
        await people.post("updates", update=update)
    return message_id


async def deletions(stage, group):
    """The messages that were deleted, in the order of the calls."""
    calls = (await stage.people.get("calls"))["calls"]
    found = []
    for call in calls:
        method, params = call["method"].lower(), call["params"]
        if method in ("deletemessage", "deletemessages") and int(params["chat_id"]) == group:
            ids = params.get("message_ids", [params.get("message_id")])
            found += [int(id_) for id_ in ids]
    return found
