"""One line of the doctor: whether something is well, and what to do if it isn't."""

from dataclasses import dataclass

from bot.language import language
from bot.logs import masked


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    is_well: bool
    words: str


def well(key: str, **values: object) -> Finding:
    """That something is as it should be."""
    return Finding(True, said(key, **values))


def ill(key: str, **values: object) -> Finding:
    """That something is not, and what to do about it."""
    return Finding(False, said(key, **values))


def said(key: str, **values: object) -> str:
    """The operator's words; a token in them can't be read."""
    return masked(language("ru").plain(key, **values))


def counted(key: str, n: int, **values: object) -> str:
    """The form of the words for `n` things."""
    return masked(str(language("ru").plural(key, n, **values).unescape()))
