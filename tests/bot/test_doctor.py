import pytest
from sqlalchemy import text

from bot.doctor import examine
from moderation import database, registry
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


async def said_of(url, tmp_path):
    """What the doctor says of a database."""
    (tmp_path / registry.POINTER).write_text("{}")
    settings = Settings(database_url=url, models_dir=tmp_path)
    found = [finding.words async for finding in examine(settings)]
    return next(words for words in found if words.startswith("база: "))


async def test_a_database_that_is_not_there_is_not_made(tmp_path):
    assert "база: пока пуста" in await said_of("sqlite://", tmp_path)
    assert "база: пока пуста" in await said_of(f"sqlite:///{tmp_path}/data/bot.sqlite3", tmp_path)
    assert not (tmp_path / "data").exists()


async def test_tables_of_an_older_version_stay_as_they_are(bare_url, tmp_path):
    assert "база: пока пуста" in await said_of(bare_url, tmp_path)
    async with database.opened(bare_url) as sessions:
        assert "структура актуальна" in await said_of(bare_url, tmp_path)
        async with sessions.begin() as session:
            await session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        assert "таблицы прежней версии" in await said_of(bare_url, tmp_path)
        async with sessions() as session:
            assert await session.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
