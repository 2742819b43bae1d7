from pathlib import Path

import pytest

from moderation import settings
from moderation.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_defaults_need_no_file():
    found = settings.load()
    assert found.database_url == "sqlite+aiosqlite:///data/bot.sqlite3"
    assert found.base_model == "cointegrated/rubert-tiny-toxicity"
    assert found.telegram_api_url == "https://api.telegram.org"


def test_the_environment_comes_before_the_file(monkeypatch):
    Path("bot.toml").write_text('device = "cuda"\nmute_hours = 2\n')
    monkeypatch.setenv("DEVICE", "cpu")
    found = settings.load()
    assert (found.device, found.mute_hours) == ("cpu", 2)


def test_operators_are_listed_with_commas_or_blanks(monkeypatch):
    monkeypatch.setenv("OPERATOR_IDS", "1, 2 3")
    assert settings.load().operator_ids == (1, 2, 3)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_any_usual_name_of_postgresql_works(monkeypatch, scheme):
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://host/db")
    assert settings.load().database_url == "postgresql+asyncpg://host/db"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPERATOR_IDS", "abc"),
        ("DATABASE_URL", "mysql://host/db"),
        ("TELEGRAM_API_URL", "api.telegram.org"),
        ("MUTE_HOURS", "0"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        settings.load()
    assert "\n" not in str(caught.value)


def test_an_unknown_name_in_the_file_is_refused():
    Path("bot.toml").write_text("threshold = 1\n")
    with pytest.raises(SettingsError, match="THRESHOLD: unknown setting"):
        settings.load()


def test_a_spoilt_file_is_named():
    Path("bot.toml").write_text("device = \n")
    with pytest.raises(SettingsError, match=r"bot\.toml"):
        settings.load()


def test_a_typing_error_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("MODEL_DIR", "x")
    with pytest.raises(SettingsError, match="did you mean MODELS_DIR"):
        settings.load()


def test_the_token_is_not_shown():
    assert "secret" not in repr(Settings(bot_token="secret"))
