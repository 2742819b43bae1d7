import json

import pytest
from aiohttp import FormData

from sandbox import scene

GROUP = {"chat_id": scene.GROUP_ID}
KEYBOARD = {"inline_keyboard": [[{"text": "Неделя", "callback_data": "week"}]]}
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(8) + (640).to_bytes(4) + (480).to_bytes(4)


async def upload(client, method, content=PICTURE, **params):
    """The answer to a call with a file attached under the name `file`."""
    form = FormData({"chat_id": str(scene.GROUP_ID)})
    for name, value in params.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    form.add_field("file", content, filename="chart.png", content_type="image/png")
    async with client.session.post(client.method_url(method), data=form) as response:
        return await response.json()


@pytest.fixture
async def sent(client):
    """A photo with a caption and a keyboard."""
    params = {"caption": "<b>день</b>", "parse_mode": "HTML", "reply_markup": KEYBOARD}
    return (await upload(client, "sendPhoto", photo="attach://file", **params))["result"]


async def test_a_photo_shows_its_size_its_caption_and_its_keyboard(sent):
    [size] = sent["photo"]

    assert (size["width"], size["height"]) == (640, 480)
    assert (sent["caption"], sent["reply_markup"]) == ("день", KEYBOARD)


async def test_a_document_has_a_keyboard_too(client):
    params = {"document": "attach://file", "reply_markup": KEYBOARD}

    document = (await upload(client, "sendDocument", **params))["result"]

    assert document["document"]["mime_type"] == "image/png"
    assert document["reply_markup"] == KEYBOARD


async def test_a_photo_gives_way_to_another_with_its_caption_and_keyboard(client, sent):
    media = {
        "type": "photo",
        "media": "attach://file",
        "caption": "<i>неделя</i>",
        "parse_mode": "HTML",
    }
    keyboard = {"inline_keyboard": [[{"text": "День", "callback_data": "day"}]]}
    params = {"message_id": str(sent["message_id"]), "media": media, "reply_markup": keyboard}

    edited = (await upload(client, "editMessageMedia", PICTURE + b"2", **params))["result"]

    assert edited["message_id"] == sent["message_id"]
    assert edited["photo"][0]["file_id"] != sent["photo"][0]["file_id"]
    assert edited["caption"] == "неделя"
    assert [entity["type"] for entity in edited["caption_entities"]] == ["italic"]
    assert edited["reply_markup"] == keyboard
    assert (await client.state_of(sent))["edit_count"] == 1


async def test_without_caption_and_keyboard_both_go(client, sent):
    media = {"type": "photo", "media": sent["photo"][0]["file_id"]}

    edited = await client.result(
        "editMessageMedia", **GROUP, message_id=sent["message_id"], media=media
    )

    assert edited["photo"] == sent["photo"]
    assert not edited.keys() & {"caption", "caption_entities", "reply_markup"}


async def test_a_text_gives_way_to_a_document(client, sent):
    card = await client.result("sendMessage", **GROUP, text="карточка")
    media = {"type": "document", "media": sent["photo"][0]["file_id"]}

    edited = await client.result(
        "editMessageMedia", **GROUP, message_id=card["message_id"], media=media
    )

    assert "text" not in edited
    assert edited["document"]["file_name"] == "chart.png"


@pytest.mark.parametrize(
    ("media", "description"),
    [
        (None, "media is not specified"),
        ([], "object expected as media"),
        ({"type": "sticker"}, "the sandbox knows only photos and documents as media"),
        ({"type": "photo"}, "there is no photo in the request"),
        ({"type": "photo", "media": "nothing"}, "wrong file identifier/HTTP URL specified"),
    ],
)
async def test_media_that_are_none_are_refused(client, sent, media, description):
    params = {**GROUP, "message_id": sent["message_id"], "media": media}

    assert await client.refusal("editMessageMedia", **params) == f"Bad Request: {description}"


async def test_a_message_of_someone_else_gets_no_media(client, sent):
    written = await client.write(scene.MEMBER_A_ID, "слова")
    media = {"type": "photo", "media": sent["photo"][0]["file_id"]}
    params = {**GROUP, "message_id": written["message_id"], "media": media}

    refusal = await client.refusal("editMessageMedia", **params)

    assert refusal == "Bad Request: message can't be edited"


async def test_a_file_is_downloaded_by_its_path(client, sent):
    file = await client.result("getFile", file_id=sent["photo"][0]["file_id"])
    address = f"{client.sandbox.url}file/bot{client.sandbox.token}/{file['file_path']}"

    async with client.session.get(address) as response:
        assert await response.read() == PICTURE
    assert file["file_size"] == len(PICTURE)
    assert file["file_path"].startswith("photos/")
    assert file["file_path"].endswith(".png")


@pytest.mark.parametrize(("token", "status"), [("1:wrong", 401), (scene.TOKEN, 404)])
async def test_nothing_else_is_downloaded(client, token, status):
    address = f"{client.sandbox.url}file/bot{token}/photos/nothing.png"

    async with client.session.get(address) as response:
        assert response.status == status


async def test_an_unknown_file_has_no_path(client):
    assert await client.refusal("getFile", file_id="nothing") == "Bad Request: invalid file_id"
