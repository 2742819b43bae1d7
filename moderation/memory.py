"""The same words again: a key for a text, by which moderators' verdicts on it are found."""

import hashlib
import re
import unicodedata

from moderation.text import sanitize, thin

SHORTEST = 10  # letters and digits: «ок» or «да ты что» mean different things each time
_SPACES = re.compile(r"\s+")


def text_key(text: str, secret: bytes = b"") -> str:
    """32 hexadecimal digits, equal for texts that differ only in case, spaces and the forms of
    Unicode; empty for a text too short to mean the same each time.

    Keyed by `secret`: short texts could be guessed back.
    """
    plain = _SPACES.sub(" ", unicodedata.normalize("NFKC", thin(sanitize(text)))).strip().casefold()
    if sum(char.isalnum() for char in plain) < SHORTEST:
        return ""
    return hashlib.blake2b(plain.encode(), key=secret[:64], digest_size=16).hexdigest()
