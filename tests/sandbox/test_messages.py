import pytest
from aiohttp import FormData

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}
NOBODY = {"chat_id": -1009}


async def test_a_message_of_the_bot_has_an_identifier_of_its_chat(client):
    first = await client.result("sendMessage", **GROUP, text="раз")
    second = await client.result("sendMessage", **GROUP, text="два")
    elsewhere = await client.result("sendMessage", chat_id=scene.MODERATORS_ID, text="три")

    assert second["message_id"] == first["message_id"] + 1
    assert elsewhere["message_id"] == first["message_id"]
    assert first["from"]["id"] == scene.BOT_ID


async def test_html_becomes_text_and_entities(client):
    message = await client.result(
        "sendMessage", **GROUP, text="<b>Да</b>, см. https://example.org", parse_mode="html"
    )

    assert message["text"] == "Да, см. https://example.org"
    assert [entity["type"] for entity in message["entities"]] == ["bold", "url"]


async def test_a_mention_by_identifier_is_shown_as_a_user(client):
    source = f'<a href="tg://user?id={scene.MEMBER_A_ID}">он</a> <a href="tg://user?id=9">нет</a>'
    message = await client.result("sendMessage", **GROUP, text=source, parse_mode="HTML")

    assert [entity["user"]["first_name"] for entity in message["entities"]] == ["Участник А"]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": "а"}, "chat_id is empty"),
        ({**NOBODY, "text": "а"}, "chat not found"),
        ({"chat_id": "@nobody", "text": "а"}, "chat not found"),
        ({**NOBODY, "text": ""}, "message text is empty"),
        ({**NOBODY, "text": " \n"}, "text must be non-empty"),
        ({**NOBODY, "text": "а" * 16385}, "text is too long"),
        (
            {**NOBODY, "text": "<b>", "parse_mode": "HTML"},
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        ({**GROUP, "text": "а" * 4097}, "message is too long"),
        (
            {**GROUP, "text": "а" * 4097, "reply_parameters": {"message_id": 99}},
            "message to be replied not found",
        ),
        ({**GROUP, "text": "а", "message_thread_id": 99}, "message thread not found"),
        (
            {**GROUP, "text": "а", "reply_parameters": {"message_id": 1, "quote": "нет"}},
            "QUOTE_TEXT_INVALID",
        ),
        ({**NOBODY, "text": "а", "reply_markup": []}, "object expected as reply markup"),
    ],
)
async def test_a_bad_message_is_refused_in_telegrams_order(client, params, description):
    assert await client.refusal("sendMessage", **params) == f"Bad Request: {description}"


async def test_length_is_counted_in_code_points_after_parsing(client):
    text = f"<b>{'😀' * 4096}</b>"

    message = await client.result("sendMessage", **GROUP, text=text, parse_mode="HTML")

    assert message["entities"][0]["length"] == 2 * 4096


async def test_a_reply_shows_what_it_answers(client):
    written = await client.write(scene.MEMBER_A_ID, "добрый день")
    reply = {"message_id": written["message_id"], "quote": "день"}

    message = await client.result("sendMessage", **GROUP, text="ответ", reply_parameters=reply)

    assert message["reply_to_message"]["text"] == "добрый день"
    assert message["quote"] == {"text": "день", "position": 7, "is_manual": True}


async def test_a_reply_to_nothing_can_be_allowed(client):
    reply = {"message_id": 99, "allow_sending_without_reply": True}

    message = await client.result("sendMessage", **GROUP, text="ответ", reply_parameters=reply)

    assert "reply_to_message" not in message


async def test_a_message_lands_in_the_topic_where_people_wrote(client):
    extra = {"message_thread_id": 40, "is_topic_message": True}
    await client.write(scene.MEMBER_A_ID, "в теме", **extra)

    message = await client.result("sendMessage", **GROUP, text="там же", message_thread_id=40)

    assert message["is_topic_message"] is True


@pytest.mark.parametrize("field", ["photo", "attachment"])
async def test_a_photo_is_kept_and_can_be_sent_again(client, field):
    form = FormData({"chat_id": str(scene.GROUP_ID), "caption": "<i>вид</i>", "parse_mode": "HTML"})
    form.add_field(field, b"\x89PNG....", filename="view.png", content_type="image/png")
    if field != "photo":
        form.add_field("photo", f"attach://{field}")
    async with client.session.post(client.method_url("sendPhoto"), data=form) as response:
        sent = (await response.json())["result"]
    file_id = sent["photo"][0]["file_id"]

    again = await client.result("sendPhoto", **GROUP, photo=file_id)

    assert sent["caption"] == "вид"
    assert again["photo"] == sent["photo"]
    async with client.session.get(f"{client.sandbox.url}sandbox/files/{file_id}") as response:
        assert await response.read() == b"\x89PNG...."


async def test_a_document_keeps_its_name(client):
    form = FormData({"chat_id": str(scene.GROUP_ID)})
    form.add_field("document", b"a,b", filename="table.csv", content_type="text/csv")
    async with client.session.post(client.method_url("sendDocument"), data=form) as response:
        sent = (await response.json())["result"]

    assert sent["document"]["file_name"] == "table.csv"
    assert sent["document"]["file_size"] == 3


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({}, "there is no photo in the request"),
        ({"photo": "nothing"}, "wrong file identifier/HTTP URL specified"),
    ],
)
async def test_a_photo_needs_a_file(client, params, description):
    assert await client.refusal("sendPhoto", **GROUP, **params) == f"Bad Request: {description}"


async def test_a_long_caption_is_refused(client):
    form = FormData({"chat_id": str(scene.GROUP_ID), "caption": "а" * 1025})
    form.add_field("photo", b"...", filename="view.jpg")
    async with client.session.post(client.method_url("sendPhoto"), data=form) as response:
        assert (await response.json())["description"] == "Bad Request: message caption is too long"


async def test_a_forward_names_its_origin_and_a_copy_does_not(client):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    source = {"from_chat_id": scene.GROUP_ID, "message_id": written["message_id"]}

    forwarded = await client.result("forwardMessage", chat_id=scene.MODERATORS_ID, **source)
    copied = await client.result("copyMessage", chat_id=scene.MODERATORS_ID, **source)

    assert forwarded["forward_origin"]["sender_user"]["id"] == scene.MEMBER_A_ID
    copy = await client.state_of({"chat": {"id": scene.MODERATORS_ID}, **copied})
    assert copy["text"] == "слова"
    assert "forward_origin" not in copy


async def test_a_missing_message_is_not_forwarded(client):
    params = {"from_chat_id": scene.GROUP_ID, "message_id": 99}

    assert (
        await client.refusal("forwardMessage", **GROUP, **params)
        == "Bad Request: message to forward not found"
    )
