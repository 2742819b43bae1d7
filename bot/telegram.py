"""The Bot: outgoing calls with retries, raw answers where aiogram is too strict."""

import traceback
from pathlib import Path
from typing import Any, cast

import stamina
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiohttp import ClientConnectorError

from bot.limiter import Limiter, Limits, is_held
from bot.logs import masked
from moderation.settings import Settings

# Named in full: aiogram would derive the list from the handlers, so that removing one
# unsubscribed the bot, and chat_member comes only when it is named.
ALLOWED_UPDATES = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "chat_member",
]

# Repeating one of these changes nothing, so it may be repeated when an answer was lost. None that
# sends is among them: the first may have arrived.
REPEATABLE = frozenset(
    {
        "getMe", "getChat", "getChatMember", "getChatAdministrators", "getWebhookInfo",
        "deleteMessage", "deleteMessages", "restrictChatMember",
        "banChatMember", "unbanChatMember", "banChatSenderChat", "unbanChatSenderChat",
        "editMessageText", "editMessageReplyMarkup", "editMessageMedia", "editMessageCaption",
        "answerCallbackQuery", "setMyCommands", "setWebhook", "deleteWebhook",
    }
)  # fmt: skip
# Refusals that say that all is as it was to be.
_SO_ALREADY = ("message is not modified", "message to delete not found")
# Whether the call took effect can't be known.
LOST = (TelegramNetworkError, TelegramServerError, ClientDecodeError)
# Says nothing of the call itself, so that the same may be done later.
UNHEARD = (*LOST, TelegramRetryAfter)
_LONGEST = 90.0  # seconds that a call is repeated


class GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates without decoding: one update that aiogram refuses must not stop the rest."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


class GetRawChatMember(TelegramMethod[dict[str, Any]]):
    """getChatMember without decoding: an older Bot API server leaves out rights that aiogram
    requires."""

    __returning__ = dict[str, Any]
    __api_method__ = "getChatMember"

    chat_id: int
    user_id: int


class GetRawAdministrators(TelegramMethod[list[dict[str, Any]]]):
    """getChatAdministrators without decoding, for the same reason."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getChatAdministrators"

    chat_id: int


class GetRawChat(TelegramMethod[dict[str, Any]]):
    """getChat without decoding, for the same reason."""

    __returning__ = dict[str, Any]
    __api_method__ = "getChat"

    chat_id: int


class Session(AiohttpSession):
    """Decodes answers with models that stay: pydantic makes the one of each method anew as soon as
    nothing holds it, and that takes longer than the rest of a call."""

    def __init__(self, api: TelegramAPIServer) -> None:
        super().__init__(api=api, timeout=30)
        self._kept: set[type[Response[Any]]] = set()

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """The answer, or one of aiogram's errors."""
        self._kept.add(Response[method.__returning__])  # type: ignore[name-defined]
        return super().check_response(bot, method, status_code, content)


class Retries(BaseRequestMiddleware):
    """Repeats what failed where repeating is safe; what is done already counts as done."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Send `method`; raises the last error when attempts or time run out."""

        def delay(error: Exception) -> bool | float:
            if isinstance(error, TelegramRetryAfter):
                is_bearable = error.retry_after <= _LONGEST
                return is_bearable and not is_held(method) and float(error.retry_after)
            if isinstance(error.__cause__, ClientConnectorError):
                return True  # it never left
            return method.__api_method__ in REPEATABLE and isinstance(error, LOST)

        try:
            async for attempt in stamina.retry_context(on=delay, attempts=6, timeout=_LONGEST):
                with attempt:
                    return await make_request(bot, method)
        except TelegramBadRequest as error:
            if not any(text in error.message for text in _SO_ALREADY):
                raise
            # What goes through here is the bare result, and that of editing and deleting is true.
            return cast("Response[TelegramType]", True)
        raise AssertionError("retry_context ends by returning or raising")


def make_bot(settings: Settings) -> Bot:
    """A bot that talks to the server of the settings.

    Raises TokenValidationError for a malformed token.
    """
    session = Session(TelegramAPIServer.from_base(settings.telegram_api_url))
    session.middleware(Limits(Limiter(settings.telegram_pace)))
    session.middleware(Retries())
    return Bot(
        settings.bot_token.get_secret_value(),
        session=session,
        default=DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview_is_disabled=True),
    )


def describe(error: BaseException) -> str:
    """An error for the log: what and where, and its message only if it can't hold a person's
    words, as those of decoders and of the database can."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    speaks = isinstance(error, (TelegramAPIError, OSError))
    said = f": {error}" if speaks else ""
    return masked(f"{type(error).__name__}{where}{said}")[:500]


def reason_of(error: BaseException) -> str:
    """Telegram's own words for a refusal; for anything else only what kind of error it was, since
    its message can hold people's words."""
    if isinstance(error, TelegramAPIError):
        return masked(error.message.removeprefix("Bad Request: ").removeprefix("Forbidden: "))
    return type(error).__name__
