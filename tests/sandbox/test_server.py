import pytest
from aiohttp import ClientSession

from sandbox import scene
from sandbox.server import serve

GROUP = {"chat_id": scene.GROUP_ID}


async def ask(client, path, **options):
    method = options.pop("method", "GET")
    async with client.session.request(method, client.sandbox.url + path, **options) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        ("nothing", 404, "Not Found"),
        ("bot/getMe", 404, "Not Found"),
        ("botnonsense/getMe", 401, "Unauthorized: invalid token specified"),
        ("bot0:abc/getMe", 401, "Unauthorized: invalid token specified"),
        ("bot7000000001:another/getMe", 401, "Unauthorized"),
        ("bot7000000001:another/nonsense", 401, "Unauthorized"),
        (f"bot{scene.TOKEN}/nonsense", 404, "Not Found: method not found"),
        (f"file/bot{scene.TOKEN}/a.png", 404, "Not Found"),
    ],
)
async def test_addresses_that_lead_nowhere(client, path, code, description):
    answer = {"ok": False, "error_code": code, "description": description}

    assert await ask(client, path) == (code, answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": "192.0.2.1"},
        {"Host": "["},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["", "sandbox/state", f"bot{scene.TOKEN}/getMe"])
async def test_pages_of_others_get_nothing(client, path, headers):
    status, answer = await ask(client, path, headers=headers)

    assert (status, answer["ok"]) == (403, False)
    assert "own machine" in answer["description"]


@pytest.mark.parametrize("headers", [{"Host": "localhost:1"}, {"Origin": "http://[::1]:8081"}])
async def test_names_of_this_machine_are_known(client, headers):
    assert (await ask(client, f"bot{scene.TOKEN}/getMe", headers=headers))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", ""])
async def test_it_faces_no_network(host):
    with pytest.raises(ValueError, match="no production server"):
        async with serve(host=host):
            pass


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("name", ["getMe", "getme", "GETME"])
async def test_any_verb_and_any_case_will_do(client, method, name):
    status, answer = await ask(client, f"bot{scene.TOKEN}/{name}", method=method)

    assert (status, answer["result"]["id"]) == (200, scene.BOT_ID)


@pytest.mark.parametrize(
    "options",
    [
        {"params": {"chat_id": scene.GROUP_ID, "text": "слова"}},
        {"data": {"chat_id": str(scene.GROUP_ID), "text": "слова"}},
        {"json": {"chat_id": scene.GROUP_ID, "text": "слова"}},
        {"params": {"text": "слова"}, "data": {"chat_id": str(scene.GROUP_ID), "text": "нет"}},
    ],
    ids=["query", "form", "json", "query before form"],
)
async def test_parameters_are_taken_from_everywhere(client, options):
    _, answer = await ask(client, f"bot{scene.TOKEN}/sendMessage", method="POST", **options)

    assert answer["result"]["text"] == "слова"


@pytest.mark.parametrize("body", ["{", "[]"])
async def test_a_body_that_is_no_object_is_refused(client, body):
    headers = {"Content-Type": "application/json"}
    path = f"bot{scene.TOKEN}/getMe"

    status, answer = await ask(client, path, method="POST", data=body, headers=headers)

    assert status == 400
    assert answer["description"].startswith("Bad Request: can't parse JSON object")
    [call] = (await client.show("calls"))["calls"]
    assert call["description"] == answer["description"]


async def test_a_lone_surrogate_from_the_bot_is_refused(client):
    refusal = await client.refusal("sendMessage", **GROUP, text="\ud800")

    assert refusal == "Bad Request: strings must be encoded in UTF-8"


async def test_an_unknown_method_is_warned_of(client, caplog):
    await client.call("sendNonsense")

    assert "the sandbox has no method sendNonsense" in caplog.text


async def test_only_the_loopback_is_served():
    with pytest.raises(ValueError, match="no production server"):
        async with serve(host="0.0.0.0"):
            pass


async def test_an_empty_sandbox_has_only_the_bot():
    async with (
        serve(empty=True) as sandbox,
        ClientSession() as session,
        session.get(f"{sandbox.url}sandbox/state") as response,
    ):
        state = await response.json()

    assert [user["id"] for user in state["users"]] == [scene.BOT_ID]
    assert state["chats"] == []


async def test_the_page_is_served(client):
    async with client.session.get(client.sandbox.url) as response:
        assert response.content_type == "text/html"
        assert "Песочница" in await response.text()
