"""Settings from the environment, a .env file and an optional TOML file."""

import difflib
import os
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

TOML_FILE = "bot.toml"
TELEGRAM = "https://api.telegram.org"
WEBHOOK_PORTS = (80, 88, 443, 8443)  # the only ones that Telegram delivers to
DEFAULT_PORT = 8080
TAKEN_PATHS = ("/healthz", "/metrics")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")  # Telegram's alphabet and limit
_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgres": "postgresql+asyncpg"}
_DRIVERS["postgresql"] = _DRIVERS["postgres"]


class SettingsError(Exception):
    """A setting that is wrong or unknown, in one line."""


class Settings(BaseSettings):
    """Everything an operator can set; names in the environment are these in capitals."""

    model_config = SettingsConfigDict(
        extra="forbid", env_file=".env", toml_file=TOML_FILE, env_ignore_empty=True
    )

    bot_token: SecretStr = SecretStr("")
    operator_ids: Annotated[tuple[int, ...], NoDecode] = ()
    database_url: str = "sqlite:///data/bot.sqlite3"
    telegram_api_url: str = TELEGRAM
    telegram_pace: float = Field(default=1, gt=0, le=1000)  # how many times faster than its rules
    webhook_url: str = ""  # empty: updates are polled
    webhook_secret: SecretStr = Field(default=SecretStr(""), validate_default=True)
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65535, validate_default=True)  # 0: no server
    models_dir: Path = Path("data/models")
    base_model: str = "cointegrated/rubert-tiny-toxicity"
    device: str = "auto"
    mute_hours: int = Field(default=24, ge=1, le=24 * 366)
    label_days: int = Field(default=730, ge=30, le=3650)
    retrain_every: float = Field(default=0, ge=0, le=24 * 366)  # hours; 0: only when asked
    retrain_min_labels: int = Field(default=200, ge=1)
    retrain_gold: Annotated[tuple[Path, ...], NoDecode] = ()
    retrain_priority: str = Field(default="idle", pattern="^(idle|low)$")
    retrain_corpus: Annotated[tuple[Path, ...], NoDecode] = ()
    auto_promote: bool = False
    shadow_hours: float = Field(default=0, ge=0, le=24 * 31)
    keep_versions: int = Field(default=5, ge=1)
    log_format: str = Field(default="text", pattern="^(text|json)$")

    @field_validator("operator_ids", mode="before")
    @classmethod
    def _split_ids(cls, value: Any) -> Any:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("retrain_gold", "retrain_corpus", mode="before")
    @classmethod
    def _split_paths(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return [path for part in value.split(",") if (path := part.strip())]

    @field_validator("database_url")
    @classmethod
    def _async_driver(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        scheme = _DRIVERS.get(scheme, scheme)
        if not separator or scheme not in _DRIVERS.values():
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return f"{scheme}://{rest}"

    @field_validator("telegram_api_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("webhook_url")
    @classmethod
    def _reachable(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address like https://bot.example.org/telegram")
        if info.data.get("telegram_api_url") == TELEGRAM:  # a server of one's own isn't so strict
            if parts.scheme != "https":
                raise ValueError("must begin with https://")
            if (parts.port or 443) not in WEBHOOK_PORTS:
                raise ValueError("Telegram delivers only to the ports 443, 8443, 80 and 88")
        if parts.path in TAKEN_PATHS:
            msg = f"needs a path other than {' and '.join(TAKEN_PATHS)}"
            raise ValueError(msg)
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _needed_secret(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        secret = value.get_secret_value()
        if not secret and not info.data.get("webhook_url"):
            return value
        if not secret:
            raise ValueError("WEBHOOK_URL needs one, else anybody could send updates")
        if not _SECRET.fullmatch(secret):
            raise ValueError("must be 16 to 256 of A-Z, a-z, 0-9, _ and -")
        return value

    @field_validator("http_port")
    @classmethod
    def _webhook_port(cls, value: int, info: ValidationInfo) -> int:
        return DEFAULT_PORT if not value and info.data.get("webhook_url") else value

    @property
    def health_url(self) -> str:
        """Where the bot that runs on this machine says how it is."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http_host, self.http_host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.http_port}/healthz"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, dotenv_settings, toml


def load() -> Settings:
    """The settings of this process; SettingsError names the first that is wrong."""
    _refuse_near_misses()
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(map(str, first["loc"][:1])).upper()
        known = ", ".join(map(str.upper, Settings.model_fields))
        if first["type"] == "extra_forbidden":
            msg = f"{name}: unknown setting; known are {known}"
        else:
            msg = f"{name}: {first['msg'].removeprefix('Value error, ')}"
        raise SettingsError(msg) from error
    except ValueError as error:  # the TOML file itself
        msg = f"{TOML_FILE}: {str(error).splitlines()[0]}"
        raise SettingsError(msg) from error


def _refuse_near_misses() -> None:
    """The environment holds other programs' names too, so only a likely typing error is refused."""
    known = [name.upper() for name in Settings.model_fields]
    for name in os.environ:
        if "_" not in name or name.upper() in known:
            continue
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.9)
        if near:
            msg = f"{name}: unknown setting; did you mean {near[0]}?"
            raise SettingsError(msg)
