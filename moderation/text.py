"""The views of a text that are scored: as written, and with disguises undone."""

import re
import unicodedata

# Letters and signs that stand for a Cyrillic letter inside a word which has Cyrillic letters too.
_TWINS = str.maketrans(
    {
        **dict(zip("aceopxykmtbnurihzvgdlfsj", "асеорхукмтвпигихзвгдлфсй", strict=True)),
        **dict(zip("ACEOPXYKMTBHUI", "АСЕОРХУКМТВНИИ", strict=True)),
        **dict(zip("αεορχκτυινη", "аеорхктуипп", strict=True)),
        **dict(zip("ΑΒΕΗΚΜΟΡΤΧΥ", "АВЕНКМОРТХУ", strict=True)),
        **dict(zip("03648@$", "озбчваs", strict=True)),
    }
)
# A word of Latin letters only is folded if each of its letters looks like a Cyrillic one.
_LATIN_WITH_TWINS = re.compile(r"[aceopxykuACEOPXYKMTBHU]{3,}")
_FOREIGN = re.compile(r"[a-zA-ZͰ-Ͽ03648@$]")
_CYRILLIC = re.compile(r"[Ѐ-ӿ]")
_WORD = re.compile(r"[\w@$]+")
_DIGITS = re.compile(r"\d{2,}|^\d+(?=\w{1,3}$)")
_REPEATS = re.compile(r"([^\W\d_])\1{2,}")
_SPACED = re.compile(r"(?<!\w)\w(?:[ .\-_*]{1,3}\w){3,}(?!\w)")
_SEPARATORS = re.compile(r"[ .\-_*]+")
_PLAIN = re.compile(r"[А-Яа-яЁё\s.,!?:;()\"«»—–\-\n]*")


def sanitize(text: str) -> str:
    """`text` without lone surrogates and NUL, which neither tokenizers nor databases take."""
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return paired.replace("\x00", "�")


def normalize(text: str) -> str:
    """`text` with disguises undone: compatibility forms, invisible and combining characters,
    foreign look-alikes inside Cyrillic words, stretched and spaced-out letters.

    Words of Cyrillic letters alone keep their letters. Idempotent; never empty unless `text` is.
    """
    if _PLAIN.fullmatch(text):
        return _join(_REPEATS.sub(r"\1", text)) or text
    visible = "".join(map(_visible, unicodedata.normalize("NFKC", text)))
    folded = _REPEATS.sub(r"\1", _WORD.sub(_fold, _REPEATS.sub(r"\1", _join(visible))))
    return folded if folded.strip() else text


def views(text: str) -> tuple[str, ...]:
    """The distinct forms of `text` to score, the one as written first."""
    written = sanitize(text)
    normal = normalize(written)
    return (written,) if normal == written else (written, normal)


def _visible(char: str) -> str:
    # Cf: zero-width and direction marks; Mn, Me: accents, zalgo, variation selectors.
    return "" if unicodedata.category(char) in ("Cf", "Mn", "Me") else char


def _join(text: str) -> str:
    """Join runs of at least four single letters: `п и з д е ц`, `х.у.й.н.я`."""
    return _SPACED.sub(lambda run: _SEPARATORS.sub("", run[0]), text)


def _fold(match: re.Match[str]) -> str:
    word = match[0]
    if not _FOREIGN.search(word):
        return word
    if _LATIN_WITH_TWINS.fullmatch(word):
        return word.translate(_TWINS)
    if not _CYRILLIC.search(word) or _DIGITS.search(word):
        return word
    return word.translate(_TWINS)
