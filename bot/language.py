"""What the bot says, in the language of a group or of a person: gettext catalogues and formats."""

import gettext
from datetime import date, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, dates, numbers
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

from moderation.categories import TITLES, Category

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("ru", "en")
# Who reads Russian rather than English, by the language of their Telegram.
_RUSSIAN = ("ru", "be", "uk", "kk", "ky", "uz", "tg")


class Language:
    """The catalogues of one language. Messages have keys; the words are in bot/locales alone.

    A call gives HTML in which the values are escaped, `plain` gives text for buttons and alerts.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self._locale = Locale.parse(code)
        self._messages = _messages(code)

    def __call__(self, key: str, **values: Any) -> Markup:
        """The message as HTML; values that aren't Markup are escaped."""
        return Markup(self._messages.gettext(key)).format(**values)

    def plain(self, key: str, **values: Any) -> str:
        """The message as plain text."""
        return self._messages.gettext(key).format(**values)

    def plural(self, key: str, n: int, **values: Any) -> Markup:
        """The form of the message for `n` things, `n` among its values."""
        words = self._messages.ngettext(key, key, n)
        return Markup(words).format(n=self.whole(n), **values)

    def category(self, category: Category | str) -> str:
        """A category's title."""
        return TITLES[Category(category)][self.code]

    def decimal(self, value: float, digits: int = 2) -> str:
        """A number with the language's decimal mark."""
        pattern = "0." + "0" * digits if digits else "0"
        return str(numbers.format_decimal(value, pattern, locale=self._locale))

    def whole(self, value: int) -> str:
        """A whole number, its thousands apart."""
        return str(numbers.format_decimal(value, locale=self._locale))

    def percent(self, share: float, digits: int = 0) -> str:
        """A share in per cent."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "\N{NO-BREAK SPACE}%"
        pattern = pattern if self.code == "ru" else pattern.replace("\N{NO-BREAK SPACE}", "")
        return str(numbers.format_percent(share, pattern, locale=self._locale))

    def moment(self, at: datetime) -> str:
        """A moment, in UTC, as people read it on a card."""
        return dates.format_datetime(at, "d MMM, HH:mm", locale=self._locale) + " UTC"

    def on_day(self, at: date) -> str:
        """A day within a sentence, written out: an abbreviation's full stop would stand beside its
        end."""
        return dates.format_date(at, "d MMMM", locale=self._locale)

    def day(self, at: date) -> str:
        """A day of a chart."""
        return dates.format_date(at, "d MMM", locale=self._locale)


@cache
def language(code: str) -> Language:
    """The language of this code."""
    return Language(code)


def of_person(code: str | None) -> Language:
    """The language for somebody whose Telegram speaks `code`; Russian if that is unknown."""
    head = (code or "ru").partition("-")[0]
    return language("ru" if head in _RUSSIAN else "en")


def catalogue(code: str) -> Catalog:
    """All messages of a language, from every file in its folder."""
    whole = Catalog(locale=code)
    for path in sorted((LOCALES / code).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=code):
                if message.id:
                    whole[message.id] = message
    return whole


def _messages(code: str) -> gettext.GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue(code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
