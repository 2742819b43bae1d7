"""Readings of a disguised word: look-alikes, leet, transliteration, keyboard layout, masks."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from moderation.roots import (
    MASKS,
    is_abusive,
    is_abusive_nearby,
    is_foreign,
    is_known,
    is_obscene,
    unmask,
)

Table = dict[int, str]


def _table(written: str, meant: str) -> Table:
    return dict(zip(map(ord, written), meant, strict=True))


def _both_cases(table: Table) -> Table:
    small = {code: letter for code, letter in table.items() if ord("a") <= code <= ord("z")}
    return {ord(chr(code).upper()): letter.upper() for code, letter in small.items()} | table


# Signs as they look. Capitals differ: H is Н, but h is mostly meant as х.
_LOOKS = (
    _table("aceopxykmtbnurihzvgdlfsj", "асеорхукмтвпигихзвгдлфсй")
    | _table("ACEOPXYKMTBHUI", "АСЕОРХУКМТВНИИ")
    | _table("αεορχκτυινηπλß", "аеорхктуиппплв")
    | _table("ΑΒΕΗΚΜΟΡΤΧΥΠΛ", "АВЕНКМОРТХУПЛ")
    | _table("ᴀᴇᴋᴍʜᴏᴘᴄᴛʏʙʀ", "аекмнорстувя")
    | _table("ǝɐʞʎɔς", "еакусс")
    | _table("03648@$€", "озбчвасе")
)
# As they look to others: `п1здец`, `xyu`, `гoвhо`, `3баный`.
_OTHER_LOOKS = _both_cases(_LOOKS) | _table("1uhbmni934@", "ийньтпйяеаи")
_SOUNDS = _both_cases(
    _table("abcdefghijklmnopqrstuvwxyz013456789@$!", "абцдефгхийклмнопкрстувшхызоизчпбтвяаси")
)
_OTHER_SOUNDS = _SOUNDS | _both_cases(_table("cyjie3", "сужйёе"))
_LOOK_LETTERS, _SOUND_LETTERS = (
    {code: letter for code, letter in table.items() if chr(code).isalnum()}
    for table in (_LOOKS, _SOUNDS)
)
# Letters of the neighbours' alphabets, as they look or sound: `піздец`, `заїбали`, `хүйня`.
_NEAR = _table("іїєґѕІЇЄҐЅ", "ииегсИИЕГС")
_OTHER_NEAR = _NEAR | _table("їЇ", "еЕ")
_FAR = _NEAR | _table("ўјүұөғқҡҝңҳҙҫѣѳѵӎԓӊ", "уйууогкккнхзсефимлн")
_FAR |= {ord(chr(code).upper()): letter.upper() for code, letter in _FAR.items()}
_DIGRAPHS = {
    "shch": "щ", "sch": "щ", "sh": "ш", "ch": "ч", "zh": "ж", "kh": "х", "ts": "ц", "tz": "ц",
    "ya": "я", "ja": "я", "ia": "я", "yu": "ю", "ju": "ю", "yo": "ё", "jo": "ё", "ye": "е",
    "iy": "ый", "yy": "ый", "yj": "ый", "ck": "к",
}  # fmt: skip
_DIGRAPH = re.compile("|".join(_DIGRAPHS))
_AFTER_VOWEL = re.compile(r"(?<=[аеиоуыэюяё])[ыи](?![аеиоуы])")
_KEYS = _table("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё")
_KEYS |= _table('QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>~', "ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ")
# Cyrillic letters drawn with several signs.
_DRAWN = {
    "}|{": "ж",
    ">|<": "ж",
    "}{": "х",
    "><": "х",
    "|-|": "н",
    "/\\": "л",
    "|<": "к",
    "3.14": "пи",
}
_DRAWING = re.compile("|".join(map(re.escape, _DRAWN)))

_CYRILLIC = re.compile(r"[Ѐ-ӿԀ-ԯ]+")
_RUSSIAN = re.compile(r"[А-Яа-яЁё]+")
_STRANGE = re.compile(r"[^\W\dA-Za-zЀ-ӿԀ-ԯ_]")
_LATIN = re.compile(r"[A-Za-z]")
_LETTERS = re.compile(r"[^\W_]+")
_BREAKS = re.compile(r"[^\w,;]|_")
_NUMBER = re.compile(r"\d{2}")
_DIGITS_OUTSIDE = re.compile(r"\d{2,}|^[\d@$€]|[\d@$€]$")
_LOAN = re.compile(r"(?=.*[^\WaceopxykmtbhACEOPXYKMTBHЀ-ӿ])(?:.*[A-Za-z]{3}|[A-Z]{2,}[а-яё])")
_SHORT = frozenset(("хуй", "хуи", "хуя", "бля", "чмо", "хер"))
_EDGES = '.,!?:;()"«»“”„…—–-'
_FRAMES = "*_~`|"
_THREE = re.compile(r"(\w)\1{2,}")
_TWO = re.compile(r"(\w)\1+")
_MAX_WORD = 40


def reveal(chunk: str) -> str | None:
    """The abuse in `chunk`, a text without spaces, that signs or the keyboard hide, or None."""
    return None if len(chunk) > _MAX_WORD else _reveal(chunk)


def fold(word: str) -> str:
    """`word` in Cyrillic letters if it mixes them with others, or if it is known abuse so read.

    Loan words with Russian endings (`iPhoneом`) and digits outside (`дом3`) aren't a mix.
    """
    return word if len(word) > _MAX_WORD else _fold(word)


# The words of chats repeat: most are looked up. Long ones aren't kept, they would fill the memory.
@lru_cache(maxsize=16384)
def _reveal(chunk: str) -> str | None:
    core = chunk.strip(_EDGES)
    if not core:
        return None
    found = _by_keys(chunk) if core.isascii() else None
    if found is None:
        found = _broken(core)
        start = chunk.index(core)
        return found and chunk[:start] + found + chunk[start + len(core) :]
    return found


@lru_cache(maxsize=16384)
def _fold(word: str) -> str:
    if _RUSSIAN.fullmatch(word):
        return word
    if _CYRILLIC.fullmatch(word):
        return _by_neighbours(word) or word
    if not _CYRILLIC.search(word):
        return _by_sound(word) or word
    plain = _base(word)
    if not _NUMBER.search(word):
        known = _first_abusive(_mixed(plain)) or _by_guess(plain)
        if known is not None:
            return known
    if _DIGITS_OUTSIDE.search(word) or _LOAN.match(word):
        return word
    folded = plain.translate(_LOOKS)
    return word if _LATIN.search(folded) else folded


def _mixed(word: str) -> Iterator[str]:
    # A leading 3 is з (3аебал), or else the end of a smiley.
    tables = (_LOOKS, _OTHER_LOOKS, _SOUNDS, _OTHER_SOUNDS)
    for table in tables[::2] if word[0].isdigit() else tables:
        yield word.translate(table)


def _by_neighbours(word: str) -> str | None:
    """A word with letters of another Cyrillic alphabet as the known abuse it is. Far languages have
    harmless words that begin like obscene ones (Mongolian `хүйтэн` is cold), so there the whole
    must be one; `хүй` alone is one of those words itself."""
    for near in (word.translate(_NEAR), word.translate(_OTHER_NEAR)):
        if _RUSSIAN.fullmatch(near) and is_abusive_nearby(near):
            return near
    far = word.translate(_FAR)
    is_meant = is_known(far) and (is_obscene(far) or far.lower().startswith("сук"))
    return far if is_meant and word.lower() != "хүй" else None


def _by_guess(word: str) -> str | None:
    """A known word of which no more than some strange letters are missing: `хᴜй`."""
    seen = word.translate(_LOOK_LETTERS)
    masked = _STRANGE.sub("*", seen)
    found = unmask(masked) if masked != seen else None
    return found and _cased(found, word)


def _broken(core: str) -> str | None:
    """`е.ба.нат`, `с*у*к*а`, `п*здец`, `}{уй`: letters with signs between or instead of them."""
    if core[0] == core[-1] and core[0] in _FRAMES:
        core = core.strip(_FRAMES)
    found = _joined(core) or _unmasked(core) or _drawn(core)
    if found is None or any(is_abusive(fold(part)) for part in _LETTERS.findall(core)):
        return None  # nothing there, or no need: it stands there plainly
    return found


def _joined(core: str) -> str | None:
    whole = _BREAKS.sub("", core)
    if not whole or whole == core:
        return None
    folded = fold(whole)
    return folded if is_abusive(folded) else None


def _unmasked(core: str) -> str | None:
    if not MASKS.search(core) or (core.isascii() and len(core) < 4):
        return None
    for letters in (_LOOK_LETTERS, _SOUND_LETTERS):
        found = unmask(core.translate(letters))
        if found is not None:
            return _cased(found, core)
    return None


def _drawn(core: str) -> str | None:
    whole = _DRAWING.sub(lambda match: _DRAWN[match[0]], core)
    if whole == core:
        return None
    folded = fold(whole)
    return folded if is_abusive(folded) else None


def _by_sound(word: str) -> str | None:
    """A word of Latin letters as the known Russian one that it looks or sounds like."""
    if not _LATIN.search(word) or _NUMBER.search(word) or is_foreign(word):
        return None
    found = _first_abusive(_readings(word))
    if found and found.startswith("хохлов") and word.istitle():
        return None  # Khokhlova is a surname
    return _cased(found, word) if found and _is_clear(found) else None


def _readings(word: str) -> Iterator[str]:
    yield word.translate(_LOOKS).lower()
    sounds = _DIGRAPH.sub(lambda match: _DIGRAPHS[match[0]], word.lower())
    for table in (_SOUNDS, _OTHER_SOUNDS):
        yield _AFTER_VOWEL.sub("й", sounds.translate(table))
        yield sounds.translate(table)


def _by_keys(chunk: str) -> str | None:
    """What the same keys write in the Russian layout: `cerf`, `,kznm`, `[eq`."""
    if not _LATIN.search(chunk) or is_foreign(chunk.strip(_EDGES)):
        return None
    bare = chunk.rstrip(".,!?:;)")
    for keys in (bare, chunk):
        found = keys.translate(_KEYS)
        if (
            len(found) > (2 if keys == bare else 4)
            and _CYRILLIC.fullmatch(found)
            and is_abusive(found)
            and _is_clear(found)
        ):
            return found + chunk[len(keys) :]
    return None


def _is_clear(word: str) -> bool:
    """Whether a word read from Latin letters is too long to be an abbreviation, or a known one."""
    return len(word) > 3 or word.lower() in _SHORT


def _first_abusive(readings: Iterable[str]) -> str | None:
    tried = set()
    for reading in readings:
        if reading in tried or not _CYRILLIC.fullmatch(reading):
            continue
        tried.add(reading)
        if is_abusive(reading):
            return reading
        if not _TWO.search(reading):
            continue
        for form in (_THREE.sub(r"\1", reading), _TWO.sub(r"\1", reading)):
            if is_abusive(form):
                return form
    return None


def _base(word: str) -> str:
    """`word` without the accents of its letters that aren't Cyrillic: `сúка`."""
    if word.isascii():
        return word
    return "".join(c if "Ѐ" <= c <= "ӿ" else unicodedata.normalize("NFD", c)[0] for c in word)


def _cased(found: str, written: str) -> str:
    if written.isupper():
        return found.upper()
    return found.capitalize() if written[:1].isupper() else found
