"""A sandbox for each test, and a client that plays both the bot and the people."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import ClientSession, ServerDisconnectedError

from sandbox import scene
from sandbox.server import Sandbox, serve


class Client:
    """Talks to a sandbox over HTTP only, as the bot and the tests of others do."""

    def __init__(self, sandbox: Sandbox, session: ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.offset = 0

    @property
    def now(self) -> int:
        return self.sandbox.telegram.clock.now()

    def method_url(self, method: str) -> str:
        return f"{self.sandbox.url}bot{self.sandbox.token}/{method}"

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        async with self.session.post(self.method_url(method), json=params) as response:
            answer = await response.json()
            assert response.status == answer.get("error_code", 200)
            return answer

    async def result(self, method: str, **params: Any) -> Any:
        answer = await self.call(method, **params)
        assert answer["ok"], answer
        return answer["result"]

    async def refusal(self, method: str, **params: Any) -> str:
        answer = await self.call(method, **params)
        assert not answer["ok"], answer
        return answer["description"]

    async def updates(self) -> list[dict[str, Any]]:
        """Everything new since the last time; all of it is confirmed by the next call."""
        updates = await self.result("getUpdates", offset=self.offset)
        if updates:
            self.offset = updates[-1]["update_id"] + 1
        return updates

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        async with self.session.post(f"{self.sandbox.url}sandbox/{path}", json=body) as response:
            answer = await response.json()
            assert response.status == 200, answer
            return answer

    async def impossible(self, path: str, **body: Any) -> str:
        async with self.session.post(f"{self.sandbox.url}sandbox/{path}", json=body) as response:
            assert response.status == 400
            return (await response.json())["error"]

    async def show(self, path: str) -> dict[str, Any]:
        async with self.session.get(f"{self.sandbox.url}sandbox/{path}") as response:
            return await response.json()

    async def write(self, user_id: int, text: str, chat_id: int = scene.GROUP_ID, **extra: Any):
        body = {"chat_id": chat_id, "user_id": user_id, "text": text, **extra}
        return (await self.control("messages", **body))["message"]

    async def state_of(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message as it stands now, deleted or not."""
        chats = {chat["id"]: chat for chat in (await self.show("state"))["chats"]}
        messages = chats[message["chat"]["id"]]["messages"]
        return next(one for one in messages if one["message_id"] == message["message_id"])

    async def member(self, user_id: int, chat_id: int = scene.GROUP_ID) -> dict[str, Any]:
        return await self.result("getChatMember", chat_id=chat_id, user_id=user_id)

    async def make_bot(self, status: str, chat_id: int = scene.GROUP_ID, **rights: bool) -> None:
        body = {"chat_id": chat_id, "user_id": scene.BOT_ID, "status": status, **rights}
        await self.control("members", by=scene.OWNER_ID, **body)

    async def cut_off(self, method: str, **params: Any) -> bool:
        """Whether the connection closes instead of an answer."""
        with suppress(ServerDisconnectedError):
            await self.call(method, **params)
            return False
        return True


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve() as sandbox, ClientSession() as session:
        yield Client(sandbox, session)
