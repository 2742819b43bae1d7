from sandbox import scene


async def test_a_call_the_sandbox_cannot_digest_is_an_error_of_its_own(client, caplog):
    params = {"chat_id": scene.GROUP_ID, "text": "а", "reply_parameters": {"message_id": "one"}}

    refusal = await client.refusal("sendMessage", **params)

    assert refusal == "Internal Server Error: the sandbox failed"
    assert "ValueError" in caplog.text
    [call] = (await client.show("calls"))["calls"]
    assert (call["status"], call["ok"]) == (500, False)
