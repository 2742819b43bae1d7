"""The views of a text that are scored: as written, and with disguises undone."""

import re
import unicodedata

from moderation.disguises import fold, reveal
from moderation.roots import is_abusive

# What can't hide anything: Russian words with the usual signs between them.
_PLAIN = re.compile(r"[А-Яа-яЁё\s.,!?:;()\"«»—–\-]*")
# A run of signs without spaces that has something else, or a sign between its letters.
_CHUNK = re.compile(
    r"(?<!\S)(?:[А-Яа-яЁё,:;()\"«»—–]++|[.\-!?]++(?![А-Яа-яЁё]))*+\S+",
)
_PART = re.compile(r"[^!?\"«»“”„(),;:]+")
_WORD = re.compile(r"[\w@$€]+")
_ADDRESS = re.compile(
    r"https?:|www\.|[@/]\w|[\w.+-]+@[\w-]+\.\w|(?:[a-z0-9-]{2,}\.)+[a-z]{2,}/", re.IGNORECASE
)
_REPEATS = re.compile(r"([а-яё])\1{2,}", re.IGNORECASE)
# A sign is no separator, or a row of underscores could be read in more ways than anybody can try.
# What was read is never given back: each sign of a long row could begin one that ends badly.
_SPACED = re.compile(
    r"(?<!\w)(?:[^\W_]|[@$])(?:[\s.\-_*/|]{1,3}(?:[^\W_]|[@$])(?![^\W_])){2,}+",
)
_SEPARATORS = re.compile(r"[\s.\-_*/|]+")
_SINGLE = re.compile(r"[^\W\d_]")
# Soft hyphen, combining marks, zero-width and direction marks, fillers, variation selectors, tags.
_INVISIBLE = (
    "\u00ad\u0300-\u036f\u0483-\u0489\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2800\u3164"
    "\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]+")
# Letters in circles, of full width, for formulas.
_STYLED = re.compile(
    "[\u02b0-\u02ff\u1d2c-\u1d6a\u2100-\u214f\u24b6-\u24e9\uff10-\uff5a\U0001d400-\U0001d7ff"
    "\U0001f130-\U0001f149]"
)
# Letters in black squares and circles have no plain form in Unicode; those of flags come in pairs.
_BLACK = {first + i: ord("A") + i for first in (0x1F150, 0x1F170) for i in range(26)}
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]{3,}")
_CLUSTER = re.compile(r"[^\w\s]{32,}")
_MARKS = re.compile(r"[^\w\s]{3,}")  # where more than two in a row could stand
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MOST_MARKS = 30  # in a row, as the Stream-Safe Text Format of Unicode has it (UAX 15)
_PASSES = 6  # one undoes nearly all; a disguise within a disguise takes another
LONGEST = 65_536  # characters of a text that are scored; Telegram's longest messages have half


def sanitize(text: str) -> str:
    """`text` without lone surrogates and NUL, which neither tokenizers nor databases take."""
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return paired.replace("\x00", "�")


def thin(text: str) -> str:
    """`text` with at most 30 combining marks in a row: bringing marks into their order takes time
    with the square of their number."""
    return _CLUSTER.sub(_thin, text)


def tidy(name: str) -> str:
    """A name as it can stand in a line among other words: without signs that turn the direction of
    what follows, line breaks, control characters, and towers of combining marks."""
    words = _DIRECTIONS.sub("", sanitize(name)).split()
    return _MARKS.sub(lambda match: _thinned(match[0], 2), _CONTROL.sub("", " ".join(words)))


def normalize(text: str) -> str:
    """`text` with disguises undone: styled letters, invisible and combining characters, foreign
    look-alikes inside Cyrillic words, stretched and spaced-out letters; and, where a known abusive
    word comes out, transliteration, the other keyboard layout, masked and broken-up words.

    Words of Cyrillic letters alone keep their letters. Idempotent; never empty unless `text` is.
    """
    for _ in range(_PASSES):
        changed = _undo(text)
        if changed == text or not changed.strip():
            break
        text = changed
    return text


def views(text: str) -> tuple[str, ...]:
    """The distinct forms of `text` to score, the one as written first. Of a text longer than any
    message its beginning."""
    written = sanitize(text[:LONGEST])
    normal = normalize(written)
    return (written,) if normal == written else (written, normal)


def _undo(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        composed = unicodedata.normalize("NFC", thin(text))
        text = _STYLED.sub(_styled, _HIDDEN.sub(_uncover, composed)).translate(_BLACK)
        text = _FLAGS.sub(_spelt, text)
    text = _SPACED.sub(_join, text)
    return _REPEATS.sub(_shorten, _CHUNK.sub(_read, text))


def _thin(match: re.Match[str]) -> str:
    return _thinned(match[0], _MOST_MARKS)


def _thinned(text: str, most: int) -> str:
    kept, row = [], 0
    for char in text:
        row = row + 1 if unicodedata.combining(char) else 0
        if row <= most:
            kept.append(char)
    return "".join(kept)


def _uncover(match: re.Match[str]) -> str:
    start = match.start()
    return "" if match.string[max(start - 1, 0) : start].isalnum() else match[0]


def _styled(match: re.Match[str]) -> str:
    plain = unicodedata.normalize("NFKC", match[0])
    return plain if len(plain) == 1 and plain.isalnum() else match[0]


def _spelt(match: re.Match[str]) -> str:
    """The abusive word that the letters of flags spell, or the flags."""
    folded = fold("".join(chr(ord(sign) - 0x1F1E6 + ord("A")) for sign in match[0]))
    return folded if is_abusive(folded) else match[0]


def _join(match: re.Match[str]) -> str:
    """Join at least four single letters with one separator, or any that make an abusive word."""
    run = match[0]
    signs = _SEPARATORS.split(run)
    whole = "".join(signs)
    separators = set(_SEPARATORS.findall(run))
    letters = all(map(_SINGLE.fullmatch, signs)) and not whole.isascii()
    if len(signs) > 3 and len(separators) == 1 and letters and len(set(whole.lower())) > 1:
        return whole
    folded = fold(whole)
    return folded if is_abusive(folded) else run


def _read(match: re.Match[str]) -> str:
    chunk = match[0]
    if chunk.isascii() and _ADDRESS.match(chunk):  # no real one mixes alphabets
        return chunk
    return reveal(chunk) or _PART.sub(_read_part, chunk)


def _read_part(match: re.Match[str]) -> str:
    part = match[0]
    return reveal(part) or _WORD.sub(lambda word: fold(word[0]), part)


def _shorten(match: re.Match[str]) -> str:
    """One letter of a stretched one, unless it stands alone: ООО, ааа; or in СССР."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    alone = not before.isalnum() and (not after.isalnum() or match[0] + after == "СССР")
    return match[0] if alone else match[1]
