"""Logs: events with ids, as text or as JSON, out of which the tokens of bots are taken."""

import logging
import re
import sys
import traceback
from types import TracebackType
from typing import Any

import structlog

# Errors of HTTP clients name the address, and a bot's token is a part of it.
_TOKEN = re.compile(r"(\d{3,20})(?::|%3A)[\w-]{30,}", re.IGNORECASE)


def configure(log_format: str) -> None:
    """Events to standard error, as text or as JSON; libraries speak only from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Masked(logging.BASIC_FORMAT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    sys.excepthook = _show
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # The default one shows the values of variables: tokens, and people's words.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
            _mask,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def masked(text: str) -> str:
    """A text in which the tokens of bots can't be read."""
    return _TOKEN.sub(r"\1:…", text)


class _Masked(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def _mask(_logger: Any, _method: str, line: Any) -> str:
    return masked(line)


def _show(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    sys.stderr.write(masked("".join(traceback.format_exception(kind, error, where))))
