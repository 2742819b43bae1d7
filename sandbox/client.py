"""A client of the control API, for the demonstration and for tests."""

from dataclasses import dataclass
from typing import Any

import aiohttp


class RefusedError(Exception):
    """What the sandbox would not do, and why."""


@dataclass(frozen=True, slots=True)
class Client:
    """The control API of the sandbox at `url`, over an open HTTP session."""

    url: str
    http: aiohttp.ClientSession

    async def post(self, what: str, **body: Any) -> dict[str, Any]:
        """Do something in the place of people; RefusedError says why it can't be done."""
        async with self.http.post(f"{self.url}sandbox/{what}", json=body) as response:
            answer: dict[str, Any] = await response.json()
        if response.status != 200:
            raise RefusedError(answer.get("error", str(answer)))
        return answer

    async def get(self, what: str, **query: str) -> dict[str, Any]:
        """Look at something: state, calls, callbacks."""
        async with self.http.get(f"{self.url}sandbox/{what}", params=query) as response:
            answer: dict[str, Any] = await response.json()
        return answer

    async def write(self, chat_id: int, user_id: int, text: str | None = None, **extra: Any) -> int:
        """Write as a member; the message's id."""
        body = {"chat_id": chat_id, "user_id": user_id, **extra}
        if text is not None:
            body["text"] = text
        message_id: int = (await self.post("messages", **body))["message"]["message_id"]
        return message_id

    async def press(self, chat_id: int, message_id: int, user_id: int, **button: Any) -> str:
        """Press a button, by `button` text or by `data`; the callback query's id."""
        at = {"chat_id": chat_id, "message_id": message_id, "user_id": user_id}
        query_id: str = (await self.post("presses", **at, **button))["callback_query_id"]
        return query_id

    async def chat(self, chat_id: int) -> dict[str, Any]:
        """A chat as it stands now, with its members and messages."""
        found: dict[str, Any] = (await self.get("state", chat_id=str(chat_id)))["chats"][0]
        return found

    async def ephemeral(self, chat_id: int) -> list[dict[str, Any]]:
        """The ephemeral messages of a chat that were not deleted."""
        chat = await self.chat(chat_id)
        return [message for message in chat["ephemeral"] if not message["deleted"]]

    async def messages(self, chat_id: int, user_id: int | None = None) -> list[dict[str, Any]]:
        """The messages of a chat that were not deleted, or those of one user."""
        chat = await self.chat(chat_id)
        return [
            message
            for message in chat["messages"]
            if not message["deleted"] and user_id in (None, message["from"]["id"])
        ]
