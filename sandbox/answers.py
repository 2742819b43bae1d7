"""How a Bot API answer looks: the envelope, and refusals in Telegram's own words."""

from dataclasses import dataclass
from typing import Any

# Bot API objects are open-ended JSON: typing each of them would be aiogram written again.
Json = dict[str, Any]


class ApiError(Exception):
    """A refusal: the HTTP status is the error code."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Described:
    """A result that comes with a description of its own."""

    result: object
    description: str


def bad_request(text: str) -> ApiError:
    return ApiError(400, f"Bad Request: {text}")


def forbidden(text: str) -> ApiError:
    return ApiError(403, f"Forbidden: {text}")


def conflict(text: str) -> ApiError:
    return ApiError(409, f"Conflict: {text}")


def too_many_requests(seconds: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def restarting() -> ApiError:
    return ApiError(500, "Internal Server Error: restart")


def success(result: object) -> Json:
    if isinstance(result, Described):
        return {"ok": True, "result": result.result, "description": result.description}
    return {"ok": True, "result": result}


def failure(error: ApiError) -> Json:
    answer: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        answer["parameters"] = error.parameters
    return answer
