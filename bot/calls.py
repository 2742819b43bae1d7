"""How the calls of the Bot API went: by method and outcome, and when updates came last."""

from time import monotonic

from aiogram import Bot
from aiogram.client.session.middlewares.base import (
    BaseRequestMiddleware,
    NextRequestMiddlewareType,
)
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import GetUpdates, Response, TelegramMethod
from aiogram.methods.base import TelegramType
from prometheus_client import CollectorRegistry, Counter


class Calls(BaseRequestMiddleware):
    """Counts every attempt at a call."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.polled_at = monotonic()  # when getUpdates last answered
        self.conflict_at: float | None = None  # when another program received the updates
        self._calls = Counter(
            "bot_api_calls",
            "Calls of the Bot API: ok, refused, limited (429), error (network, 5xx)",
            ("method", "outcome"),
            registry=registry,
        )

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Send `method`, and count how that went."""
        name = method.__api_method__
        try:
            answer = await make_request(bot, method)
        except AiogramError as error:
            if isinstance(error, TelegramConflictError):
                self.conflict_at = monotonic()
            self._calls.labels(name, _outcome(error)).inc()
            raise
        if name == GetUpdates.__api_method__:
            self.polled_at = monotonic()
        self._calls.labels(name, "ok").inc()
        return answer


def _outcome(error: AiogramError) -> str:
    if isinstance(error, TelegramRetryAfter):
        return "limited"
    lost = isinstance(error, TelegramNetworkError | TelegramServerError)
    return "refused" if isinstance(error, TelegramAPIError) and not lost else "error"
