"""Fixtures that several packages share."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
# Tests run side by side; before PyTorch is loaded.
os.environ["OMP_NUM_THREADS"] = "1"

POSTGRES_BINARIES = Path("/usr/lib/postgresql")
LABELS = ("obscenity", "insult", "threat", "discrimination", "rude", "non_toxic")
LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes come first: in the end no process works on while the others rest."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """CI has all that a test may need, so there a skipped test is a failed one."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr}"
    return report


def _make_model(directory: Path, labels: tuple[str, ...] = LABELS, version: str = "tiny") -> Path:
    """A BERT with random weights that knows single letters, with a card, in `directory`."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    from moderation.registry import ModelCard, digest

    letters = [*LETTERS, *(f"##{letter}" for letter in LETTERS)]
    vocab = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters])}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(vocab),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            problem_type="multi_label_classification",
        )
    )
    model.save_pretrained(directory)
    BertTokenizer(tokenizer_object=tokenizer).save_pretrained(directory)
    card = ModelCard(
        version=version,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        base="from scratch",
        recipe={},
        data_digest="0" * 64,
        sources=[],
        licence="MIT",
        thresholds={},
        metrics={},
        files={path.name: digest(path) for path in directory.iterdir()},
    )
    (directory / "card.json").write_text(json.dumps(card.model_dump(mode="json")))
    return directory


@pytest.fixture(scope="session")
def make_model() -> Callable[..., Path]:
    """Makes a tiny model in a directory, with labels and a version of one's choice."""
    return _make_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights; read it, don't change it."""
    return _make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def own_model(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may spoil."""
    return Path(shutil.copytree(tiny_model, tmp_path / "own"))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of the tests' own, on a socket of its own."""
    found = sorted(POSTGRES_BINARIES.glob("*/bin/postgres")) or [shutil.which("postgres")]
    if not found[-1]:
        pytest.skip("PostgreSQL's server binaries are not installed")
    binaries = Path(found[-1]).parent
    # The server refuses to run as root.
    user = "postgres" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
    if user:
        shutil.chown(folder, user)
    run = partial(subprocess.run, check=True, user=user, capture_output=True, cwd=folder)
    run([binaries / "initdb", "-D", folder / "db", "-U", "test", "-A", "trust", "-N"])
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = [binaries / "pg_ctl", "-D", folder / "db", "-w"]
    run([*control, "-o", options, "-l", folder / "log", "start"])
    try:
        yield f"postgresql+asyncpg://test@/postgres?host={folder}"
    finally:
        run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder, ignore_errors=True)


def _migrate(url: str) -> None:
    from moderation import database

    async def migrate() -> None:
        async with database.opened(url):
            pass

    asyncio.run(migrate())


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file whose tables are made, to be copied: making them takes half a second."""
    path = tmp_path_factory.mktemp("database") / "empty.sqlite3"
    _migrate(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def empty_postgres(postgres_url: str) -> tuple[str, Callable[[str], None]]:
    """The same on PostgreSQL: its name, and what runs a command beside it."""
    import asyncpg

    dsn = postgres_url.replace("+asyncpg", "")

    async def execute(sql: str) -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute(sql)
        await connection.close()

    run = lambda sql: asyncio.run(execute(sql))  # noqa: E731
    run("CREATE DATABASE empty")
    _migrate(_database(postgres_url, "empty"))
    return "empty", run


def _database(url: str, name: str) -> str:
    return url.replace("@/postgres?", f"@/{name}?")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with tables and no rows, on both kinds in turn."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "test.sqlite3")
        yield f"sqlite+aiosqlite:///{path}"
        return
    url = request.getfixturevalue("postgres_url")
    empty, run = request.getfixturevalue("empty_postgres")
    run(f"CREATE DATABASE test TEMPLATE {empty} STRATEGY file_copy")
    yield _database(url, "test")
    run("DROP DATABASE test WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, on both kinds in turn."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/bare.sqlite3"
        return
    url = request.getfixturevalue("postgres_url")
    run = request.getfixturevalue("empty_postgres")[1]
    run("CREATE DATABASE bare")
    yield _database(url, "bare")
    run("DROP DATABASE bare WITH (FORCE)")
