"""Words and the order of things; /forget over HTTP is in tests/e2e/test_privacy.py."""

from datetime import UTC, datetime

import pytest

from bot import privacy
from bot.language import LANGUAGES, language
from bot.privacy import Hidden
from moderation.privacy import Forgotten, Kept, Shown

MOMENT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("number", [0, 3])
def test_what_is_said_is_short_and_whole(code, number):
    words, until = language(code), MOMENT if number else None
    kept = Kept(number, number, number, until, number, number, until)
    forgotten = Forgotten(number, number, number, number, number, until, ())
    hidden = Hidden(number, number, number)
    for said in (privacy.account(words, kept), privacy.outcome(words, forgotten, hidden)):
        assert "privacy." not in said
        assert "{" not in said
        assert len(said) < 600


async def test_without_telegram_all_is_left_for_later(bot):
    shown = (Shown(1, -1, 1, "ru"), Shown(2, -1, 2, "ru", 5))
    assert await privacy.hide(None, None, shown) == Hidden(0, 0, 2)
