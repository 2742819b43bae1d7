import pytest

from bot.doctor import examine
from moderation import registry
from moderation.settings import Settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bot:pass/bot",
        "postgresql://bot@127.0.0.1:1/bot?sslmode=require",
        "sqlite:////dev/null/bot.sqlite3",
        "sqlite:///" + "a" * 300 + "/bot.sqlite3",
    ],
)
async def test_whatever_is_wrong_with_the_address_of_the_database_the_rest_is_looked_at(
    url, tmp_path
):
    (tmp_path / registry.POINTER).write_text("{}")  # the model itself would take a second
    settings = Settings(database_url=url, models_dir=tmp_path)
    found = [finding.words async for finding in examine(settings)]
    (base,) = [words for words in found if words.startswith("база: ")]
    assert "Проверьте DATABASE_URL" in base
    assert "pass" not in base.replace("DATABASE", "")
    assert found[-1].startswith("токен: BOT_TOKEN пуст")


async def test_a_database_in_memory_is_looked_at(tmp_path):
    (tmp_path / registry.POINTER).write_text("{}")
    settings = Settings(database_url="sqlite://", models_dir=tmp_path)
    found = [finding.words async for finding in examine(settings)]
    assert any(words.startswith("база: 0,0 МБ") for words in found)
