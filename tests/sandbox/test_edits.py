import pytest

from sandbox import edits, scene

GROUP = {"chat_id": scene.GROUP_ID}
KEYBOARD = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}
TWO_DAYS = 2 * 86400


@pytest.fixture
async def card(client):
    """A message of the bot with a keyboard."""
    return await client.result("sendMessage", **GROUP, text="карточка", reply_markup=KEYBOARD)


def of(message):
    return {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}


async def test_an_edit_changes_the_text_and_removes_the_keyboard(client, card):
    edited = await client.result(
        "editMessageText", **of(card), text="<b>решено</b>", parse_mode="HTML"
    )

    assert edited["text"] == "решено"
    assert "reply_markup" not in edited
    assert "edit_date" in edited
    assert (await client.state_of(card))["edit_count"] == 1


async def test_an_edit_with_the_keyboard_keeps_it(client, card):
    edited = await client.result(
        "editMessageText", **of(card), text="решено", reply_markup=KEYBOARD
    )

    assert edited["reply_markup"] == KEYBOARD


async def test_the_same_content_again_is_not_modified(client, card):
    params = {**of(card), "text": "карточка", "reply_markup": KEYBOARD}

    assert await client.refusal("editMessageText", **params) == f"Bad Request: {edits.NOT_MODIFIED}"


async def test_the_keyboard_alone_can_be_changed(client, card):
    edited = await client.result("editMessageReplyMarkup", **of(card))

    assert edited["text"] == "карточка"
    assert "reply_markup" not in edited


async def test_a_message_without_a_caption_gets_none(client, card):
    refusal = await client.refusal("editMessageCaption", **of(card), caption="а")

    assert refusal == "Bad Request: there is no caption in the message to edit"


async def test_a_caption_is_edited(client):
    photo = [{"file_id": "a", "file_unique_id": "a", "width": 1, "height": 1}]
    sent = await client.control(
        "messages", **GROUP, user_id=scene.BOT_ID, photo=photo, caption="было"
    )
    params = of(sent["message"])

    assert (await client.result("editMessageCaption", **params, caption="а"))["caption"] == "а"
    assert (
        await client.refusal("editMessageCaption", **params, caption="а" * 1025)
        == "Bad Request: MEDIA_CAPTION_TOO_LONG"
    )
    assert (
        await client.refusal("editMessageText", **params, text="а")
        == "Bad Request: there is no text in the message to edit"
    )


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": "а"}, "message identifier is not specified"),
        ({"text": "а", "message_id": 99}, "message to edit not found"),
        ({"text": "", "message_id": 99}, "message text is empty"),
    ],
)
async def test_an_edit_of_nothing_is_refused(client, params, description):
    assert (
        await client.refusal("editMessageText", **GROUP, **params) == f"Bad Request: {description}"
    )


async def test_a_long_edit_is_refused_in_other_words_than_a_long_message(client, card):
    refusal = await client.refusal("editMessageText", **of(card), text="а" * 4097)

    assert refusal == "Bad Request: MESSAGE_TOO_LONG"


async def test_a_foreign_message_cannot_be_edited(client):
    written = await client.write(scene.MEMBER_A_ID, "моё")

    refusal = await client.refusal("editMessageText", **of(written), text="чужое")

    assert refusal == "Bad Request: message can't be edited"


async def test_a_deleted_message_stays_in_the_state_with_its_deleter(client):
    written = await client.write(scene.MEMBER_A_ID, "слова")

    assert await client.result("deleteMessage", **of(written)) is True
    state = await client.state_of(written)
    assert (state["deleted"], state["deleted_by"]) == (True, scene.BOT_ID)


async def test_a_message_is_deleted_only_once(client, card):
    await client.result("deleteMessage", **of(card))

    for method in ("deleteMessage", "editMessageText"):
        refusal = await client.refusal(method, **of(card), text="а")
        assert refusal.endswith("not found")


@pytest.mark.parametrize("status", ["administrator", "member"])
async def test_a_foreign_message_needs_the_right_to_delete(client, status):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    await client.make_bot(status)

    refusal = await client.refusal("deleteMessage", **of(written))

    assert refusal == "Bad Request: message can't be deleted"


async def test_the_bot_deletes_its_own_without_any_right(client, card):
    await client.make_bot("member")

    assert await client.result("deleteMessage", **of(card))


async def test_nothing_older_than_two_days_is_deleted(client, card):
    await client.control("clock", advance=TWO_DAYS)
    fresh = await client.write(scene.MEMBER_A_ID, "слова")
    await client.control("clock", advance=1)

    assert (
        await client.refusal("deleteMessage", **of(card)) == "Bad Request: message can't be deleted"
    )
    assert await client.result("deleteMessage", **of(fresh))


@pytest.mark.parametrize("kind", ["group", "private"])
async def test_an_old_message_elsewhere_cannot_be_deleted_for_everyone(client, kind):
    members = [
        {"user_id": scene.MEMBER_A_ID, "status": "creator"},
        {"user_id": scene.BOT_ID, "status": "administrator", "can_delete_messages": True},
    ]
    chat_id = scene.MEMBER_A_ID
    if kind == "group":
        chat = await client.control("chats", type="group", title="Двор", members=members)
        chat_id = chat["chat"]["id"]
    written = await client.write(scene.MEMBER_A_ID, "слова", chat_id)
    await client.control("clock", advance=TWO_DAYS + 1)

    refusal = await client.refusal("deleteMessage", **of(written))

    assert refusal == "Bad Request: message can't be deleted for everyone"


async def test_a_message_about_the_creation_cannot_be_deleted(client):
    created = await client.control(
        "messages", **GROUP, user_id=scene.OWNER_ID, supergroup_chat_created=True
    )

    refusal = await client.refusal("deleteMessage", **of(created["message"]))

    assert refusal == "Bad Request: message can't be deleted"


async def test_many_are_deleted_at_once_and_missing_ones_skipped(client):
    written = [await client.write(scene.MEMBER_A_ID, text) for text in "абв"]
    ids = [message["message_id"] for message in written]

    assert await client.result("deleteMessages", **GROUP, message_ids=[*ids, 999])
    assert all([(await client.state_of(message))["deleted"] for message in written])


async def test_one_undeletable_message_keeps_them_all(client):
    old = await client.write(scene.MEMBER_A_ID, "старое")
    await client.control("clock", advance=TWO_DAYS + 1)
    fresh = await client.write(scene.MEMBER_A_ID, "новое")
    ids = [fresh["message_id"], old["message_id"]]

    refusal = await client.refusal("deleteMessages", **GROUP, message_ids=ids)

    assert refusal == "Bad Request: message can't be deleted"
    assert (await client.state_of(fresh))["deleted"] is False


@pytest.mark.parametrize(
    ("ids", "description"),
    [
        (list(range(1, 102)), "too many message identifiers specified"),
        ([], "message identifiers are not specified"),
        ([0], "invalid message identifier specified"),
        ([-5], "invalid message identifier specified"),
    ],
)
async def test_bad_lists_of_identifiers_are_refused(client, ids, description):
    refusal = await client.refusal("deleteMessages", **GROUP, message_ids=ids)

    assert refusal == f"Bad Request: {description}"


async def test_a_reaction_is_kept(client):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    reaction = [{"type": "emoji", "emoji": "👍"}]

    assert await client.result("setMessageReaction", **of(written), reaction=reaction)
    assert (await client.state_of(written))["reactions"] == reaction
