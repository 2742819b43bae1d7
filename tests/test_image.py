"""What the image and its service are made of; .ci/image carries the Dockerfile out."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from moderation import settings
from moderation.settings import Settings

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
GUIDE = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
LINES = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
OTHERS = {"POSTGRES_PASSWORD"}  # of compose.yaml alone


@pytest.fixture(scope="module")
def dockerfile():
    """The module that reads Dockerfiles."""
    spec = importlib.util.spec_from_file_location("dockerfile", ROOT / ".ci/dockerfile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stated(dockerfile):
    """The last of each instruction of our Dockerfile."""
    return dict(dockerfile.instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
    ],
)
def test_the_linters_have_nothing_to_say(command):
    program, *arguments = command
    ran = subprocess.run([BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_image_sets_what_the_bot_understands(dockerfile, stated, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    environment = dockerfile.pairs(stated["ENV"])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = settings.load()
    assert {name for name in environment if name.lower() in Settings.model_fields} == {
        "MODELS_DIR", "HTTP_HOST", "HTTP_PORT", "LOG_FORMAT",
    }  # fmt: skip
    assert str(found.http_port) == stated["EXPOSE"]
    folder = stated["WORKDIR"]
    written = [found.database_url.split("///")[1].rpartition("/")[0], found.models_dir]
    assert [f"{Path(folder, name)}" for name in written] == dockerfile.words(stated["VOLUME"])


def test_the_image_has_a_user_and_starts_the_bot_without_a_shell(dockerfile, stated):
    assert stated["USER"] == "1000:1000"
    command = dockerfile.words(stated["ENTRYPOINT"]) + dockerfile.words(stated["CMD"])
    assert command == ["python", "-m", "bot", "run"]
    assert stated["HEALTHCHECK"].endswith('CMD ["python", "-m", "bot", "health"]')


@pytest.mark.parametrize("name", ["bot", "bot-gpu"])
def test_the_service_may_do_nothing_but_write_its_volumes(dockerfile, stated, services, name):
    service = services[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "ports", "cap_add"} & set(service)
    mounted = [volume.split(":")[1] for volume in service["volumes"]]
    assert mounted == dockerfile.words(stated["VOLUME"])


def test_only_the_bot_is_started_unasked(services):
    assert [name for name, service in services.items() if "profiles" not in service] == ["bot"]


def test_the_example_of_settings_names_real_ones():
    named = {m[1] for line in LINES if (m := re.match(r"#?([A-Z_]+)=", line))}
    assert named - OTHERS <= {name.upper() for name in Settings.model_fields}
    assert {"BOT_TOKEN", "OPERATOR_IDS", "WEBHOOK_URL", "WEBHOOK_SECRET"} <= named


def test_the_example_filled_in_stands_beside_the_bot(monkeypatch, tmp_path):
    filled = [re.sub(r"^(BOT_TOKEN|OPERATOR_IDS)=$", r"\1=1", line) for line in LINES]
    (tmp_path / ".env").write_text("\n".join(filled), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BOT_TOKEN", raising=False)
    assert settings.load().operator_ids == (1,)
    assert settings.load().bot_token.get_secret_value() == "1"


@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        (".env", True),
        (".git/config", True),
        ("data/bot.sqlite3", True),
        ("tests/test_image.py", True),
        ("bot/__pycache__/app.pyc", True),
        ("moderation/data/x", False),
        ("bot/app.py", False),
        ("bot/locales/ru/acts.po", False),
        ("pyproject.toml", False),
    ],
)
def test_the_context_holds_what_is_installed_and_no_secrets(dockerfile, name, ignored):
    patterns = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert dockerfile.is_ignored(name, patterns) is ignored


def test_the_guide_names_settings_and_commands_that_are_there():
    known = {name.upper() for name in Settings.model_fields} | OTHERS
    assert set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", GUIDE)) <= known
    source = (ROOT / "bot/__main__.py").read_text(encoding="utf-8")
    for command in re.findall(r"python -m bot ([a-z]+)", GUIDE):
        assert f"def {command}(" in source


def test_the_guide_names_the_metrics_that_are_there():
    source = "".join((ROOT / f"bot/{name}.py").read_text() for name in ("metrics", "calls"))
    counted = set(re.findall(r'"(bot_\w+)"', source))
    line = next(line for line in GUIDE.splitlines() if "`_handled`" in line)
    named = set(re.findall(r"`(bot_\w+)`", GUIDE))
    named |= {f"bot_updates{ending}" for ending in re.findall(r"`(_[a-z]+)`", line)}
    assert named == counted


def test_a_dockerfile_is_read_as_an_engine_reads_it(dockerfile):
    text = (
        '# no\nARG A=1\n\nRUN --mount=type=bind,target=/x \\\n  # no\n  do it && go on\nCMD ["a"]\n'
    )
    assert dockerfile.instructions(text) == [
        ("ARG", "A=1"),
        ("RUN", "--mount=type=bind,target=/x    do it && go on"),
        ("CMD", '["a"]'),
    ]
    options, rest = dockerfile.options("--mount=type=bind,target=/x    do it")
    assert (options, rest) == ([("mount", "type=bind,target=/x")], "do it")
    assert dockerfile.substituted("python:${P}-${Q:-slim}$R", {"P": "3"}) == "python:3-slim"
    assert dockerfile.pairs('A=1 B="two words"') == {"A": "1", "B": "two words"}
    with pytest.raises(ValueError, match="Expecting value"):
        dockerfile.words("python -m bot")
