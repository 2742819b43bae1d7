from datetime import UTC, datetime

import pytest

from bot.language import LANGUAGES, language
from bot.models import Press, listed, macro_ap, mark
from moderation import registry
from moderation.tables import Promotion

NOON = datetime(2026, 10, 5, 12, 30, tzinfo=UTC)
EMBEDDED = registry.card(registry.EMBEDDED)
NEW = EMBEDDED.model_copy(update={"version": "v2", "parent": EMBEDDED.version})


def promoted(**values):
    return Promotion(**{"version": "v2", "by": "77", "at": NOON, "is_forced": False} | values)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_version_has_its_date_parent_figure_and_who_put_it_into_service(code):
    said = listed(language(code), [NEW, EMBEDDED], "v2", "v2", [promoted()])
    first = said.split("○")[0]
    for words in ("● <code>v2</code>", EMBEDDED.version, "AP 0", "12:30 UTC", "tg://user?id=77"):
        assert words in first


def test_what_was_forced_or_refused_is_told():
    words = language("ru")
    forced = listed(words, [NEW], "v2", "v2", [promoted(is_forced=True)])
    assert "против совета проверки" in forced
    refused = listed(words, [NEW], "v1", "v1", [promoted(refusal="golden", by="trainer")])
    assert "не принята: ошибается на контрольных текстах" in refused
    assert "<i>trainer</i>" in refused
    assert "○ <code>v2</code>" in refused


def test_until_the_swap_the_old_version_is_named():
    assert "Пока ещё работает <code>v1</code>" in listed(language("ru"), [NEW], "v2", "v1", [])


@pytest.mark.parametrize("metrics", [{}, {"test": 1}, {"test": {"macro": {}}}, {"validation": []}])
def test_a_card_without_the_figure_has_none(metrics):
    assert macro_ap(NEW.model_copy(update={"metrics": metrics})) is None


def test_the_data_of_a_button_fits_whatever_the_version_is_called():
    for button in ("report", "back", "sure", "list"):
        press = Press(button=button, version=mark("ы" * 128), champion=mark("v" * 128))
        assert len(press.pack().encode()) <= 64
