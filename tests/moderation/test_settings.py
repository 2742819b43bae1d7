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
        ("WEBHOOK_URL", "bot.example.org"),
        ("WEBHOOK_URL", "http://bot.example.org/telegram"),
        ("WEBHOOK_URL", "https://bot.example.org:9000/telegram"),
        ("WEBHOOK_URL", "https://bot.example.org:x/telegram"),
        ("WEBHOOK_URL", "https://bot.example.org/healthz"),
        ("WEBHOOK_SECRET", "too-short"),
        ("WEBHOOK_SECRET", "пятнадцатьбуквищеодна"),
        ("WEBHOOK_SECRET", "s" * 257),
        ("HTTP_PORT", "70000"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        settings.load()
    assert "\n" not in str(caught.value)


def test_a_webhook_needs_a_secret(monkeypatch):
    monkeypatch.setenv("WEBHOOK_URL", "https://bot.example.org/telegram")
    with pytest.raises(SettingsError, match=r"^WEBHOOK_SECRET: WEBHOOK_URL needs one"):
        settings.load()


def test_a_webhook_needs_no_port_to_be_named(monkeypatch):
    assert settings.load().http_port == 0
    monkeypatch.setenv("WEBHOOK_URL", "https://bot.example.org:8443/telegram")
    monkeypatch.setenv("WEBHOOK_SECRET", "s" * 16)
    assert settings.load().http_port == 8080
    monkeypatch.setenv("HTTP_PORT", "9000")
    assert settings.load().http_port == 9000


def test_a_bot_api_server_of_ones_own_delivers_to_any_address(monkeypatch):
    monkeypatch.setenv("TELEGRAM_API_URL", "http://127.0.0.1:8081")
    monkeypatch.setenv("WEBHOOK_URL", "http://127.0.0.1:9000/telegram")
    monkeypatch.setenv("WEBHOOK_SECRET", "s" * 16)
    assert settings.load().webhook_url == "http://127.0.0.1:9000/telegram"


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


def test_the_token_and_the_secret_are_not_shown():
    found = Settings(bot_token="hidden", webhook_secret="hidden-hidden-hidden")
    assert "hidden" not in repr(found)


def test_a_refused_secret_is_not_shown(monkeypatch):
    monkeypatch.setenv("WEBHOOK_SECRET", "ab?12")
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert "ab?12" not in str(caught.value)
