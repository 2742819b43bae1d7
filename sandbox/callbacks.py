"""Pressed buttons: the query the bot gets, and its answer."""

from dataclasses import dataclass

from sandbox.answers import Json, bad_request

# Telegram does not publish how long a client waits; the presser sees a spinner for far less.
ANSWERABLE_SECONDS = 60
MAX_ANSWER = 200
UNKNOWN = "query is too old and response timeout expired or query ID is invalid"


@dataclass(slots=True)
class Callback:
    """A callback query and what the bot answered; `answer` is None while it is open."""

    id: str
    shape: Json
    time: float
    answer: Json | None = None

    def state(self) -> Json:
        message = self.shape["message"]
        return {
            "id": self.id,
            "time": self.time,
            "user_id": self.shape["from"]["id"],
            "chat_id": message["chat"]["id"],
            "message_id": message["message_id"],
            "ephemeral_message_id": message.get("ephemeral_message_id"),
            "data": self.shape["data"],
            "answer": self.answer,
        }

    def accept(self, answer: Json, now: float) -> None:
        if self.answer is not None or now - self.time > ANSWERABLE_SECONDS:
            raise bad_request(UNKNOWN)
        if len(str(answer.get("text", ""))) > MAX_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answer = answer
