"""Personal data in a text: addresses, names of accounts and numbers become placeholders."""

import re

# Endings of bare addresses («site.ru»): not every one there is, for «ну.да» is no address.
_ENDINGS = (
    "ru|su|com|net|org|info|biz|io|me|by|kz|ua|uz|kg|am|ge|md|eu|de|uk|us|cn|fr|it|pl|tr|gg|tv|cc"
    "|ai|dev|app|pro|xyz|top|site|online|shop|store|club|live|link|space|website|tech|pw|ws|ly"
    "|рф|рус|москва|дети|онлайн|сайт|орг"
)
_LINK = re.compile(
    rf"""
    (?:https?|ftp|tg|ton)://[^\s<>"«»]+
    | (?<![\w@.-]) www\.[^\s<>"«»]+
    | (?<![\w@.-]) (?:[\w-]+\.)+ (?:{_ENDINGS}) (?![\w@-]) (?:[:/?\#][^\s<>"«»]*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CLOSING = ".,!?:;)]}'"  # after an address these belong to the sentence
# Cyrillic before the sign is a disguised word («х@й.Понял») unless a known ending follows.
_EMAIL = re.compile(
    rf"""
    (?<![\w.+-]) [a-z0-9][a-z0-9._%+-]{{0,255}} @ (?:[a-z0-9-]+\.)+ [a-z]{{2,}} (?![\w-])
    | (?<![\w.+-]) \w[\w.%+-]{{0,255}} @ (?:[\w-]+\.)+ (?:{_ENDINGS}) (?![\w-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
# As Telegram reads them: Latin, not inside a word. «@уел» and «п@здец» are none.
_USER = re.compile(r"(?<![\w@/])@[a-z][a-z0-9_]{3,31}(?!\w)", re.IGNORECASE | re.ASCII)
_GAP = r"[\s().‐-―-]{0,3}"
_PHONE = re.compile(
    rf"""
    (?<![\d+]) \+ \d (?:{_GAP}\d){{8,14}} (?!\d)
    | (?<!\d) [78] {_GAP} [3489] (?:{_GAP}\d){{9}} (?!\d)
    | (?<![\d-]) (?: \(?[3489]\d\d\)? [\s-]{{1,2}} )? \d{{3}}-\d\d-\d\d (?![\d-])
    """,
    re.VERBOSE,
)
# Accounts, cards, passports. A digit many times over («!!!1111111111») is none.
_NUMBER = re.compile(
    r"""
    (?<!\d) (?! (\d)\1+ (?!\d) ) \d{8,} (?!\d)
    | (?<!\d) \d{4} (?P<gap>[\s-]) \d{4} (?P=gap) \d{4} (?P=gap) \d{1,7} (?!\d)
    | (?<!\d) \d\d \s? \d\d [\s№-]{1,3} \d{6} (?!\d)
    | (?<!\d) \d{3}-\d{3}-\d{3} [\s-] \d\d (?!\d)
    """,
    re.VERBOSE,
)
_PATTERNS = ((_EMAIL, "[email]"), (_USER, "[user]"), (_PHONE, "[phone]"), (_NUMBER, "[number]"))


def redact(text: str) -> str:
    """`text` with mentions, links, e-mail addresses, phones and long numbers as [user], [link],
    [email], [phone], [number]. Idempotent; names in plain words stay, they are words like others.
    """
    # A placeholder can lay open what stood beside it. Each pass takes away signs that no
    # placeholder has, so there is a last one.
    while (redacted := _pass(text)) != text:
        text = redacted
    return text


def _pass(text: str) -> str:
    text = _LINK.sub(_link, text)
    for pattern, placeholder in _PATTERNS:
        text = pattern.sub(placeholder, text)
    return text


def _link(match: re.Match[str]) -> str:
    address = match[0]
    return "[link]" + address[len(address.rstrip(_CLOSING)) :]
