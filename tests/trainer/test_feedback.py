import pytest

from tests.trainer.bot_labels import fill
from trainer.config import TrainingError
from trainer.feedback import read_labels

YES = {"insult": 1}
NO = {"insult": 0}


@pytest.fixture
async def filled(database_url):
    await fill(
        database_url,
        [
            ("ты балбес", 1, NO),
            ("ты балбес", 1, YES),
            ("второй текст", 1, YES),
            ("второй текст", 2, NO),
            ("второй текст", 3, NO),
        ],
    )
    return database_url


async def read(url):
    # It has a loop of its own, as the command line gives it.
    import asyncio

    return await asyncio.to_thread(read_labels, url)


async def test_the_latest_word_of_each_moderator_counts_and_votes_are_merged(filled):
    frame = (await read(filled)).frame
    labels = dict(zip(frame.text, frame.insult, strict=True))

    assert labels == {"ты балбес": 1, "второй текст": 0}


async def test_what_a_moderator_left_open_stays_unknown_and_the_provenance_is_kept(filled):
    frame = (await read(filled)).frame

    assert set(frame.threat) == {-1}
    assert set(frame.source) == {"feedback:button"}
    assert set(frame.split) == {""}
    assert list(frame.group) == list(frame.key)
    assert not frame.grouped.any()


async def test_imported_labels_have_their_text_for_a_case(database_url):
    await fill(
        database_url,
        [("свой текст", 1, YES)],
        imported=[
            ("ты балбес", -1, NO),
            ("ты балбес", -1, YES),
            ("чужой текст", -1, YES),
            ("чужой текст", -2, NO),
            ("чужой текст", -3, NO),
        ],
    )
    loaded = await read(database_url)
    labels = dict(zip(loaded.frame.text, loaded.frame.insult, strict=True))

    assert labels == {"свой текст": 1, "ты балбес": 1, "чужой текст": 0}
    assert loaded.read == 5
    assert set(loaded.frame.source) == {"feedback:button", "feedback:import"}


async def test_a_text_that_was_forgotten_is_no_label(database_url):
    await fill(database_url, [("", 1, YES), ("ты балбес", 1, YES)], imported=[("", -1, YES)])
    loaded = await read(database_url)

    assert list(loaded.frame.text) == ["ты балбес"]
    assert loaded.read == 1
    assert not loaded.rejected


async def test_labels_whose_texts_are_all_forgotten_are_none(database_url):
    await fill(database_url, [("", 1, YES)])

    with pytest.raises(TrainingError, match="no moderator has given a label yet"):
        await read(database_url)


async def test_a_file_is_read_by_its_path_and_not_written(tmp_path):
    path = tmp_path / "bot.sqlite3"
    await fill(f"sqlite+aiosqlite:///{path}", [("ты балбес", 1, YES)])
    before = path.read_bytes()

    assert len((await read(str(path))).frame) == 1
    assert len((await read(f"sqlite:///{path}")).frame) == 1
    assert path.read_bytes() == before


async def test_a_path_may_hold_any_letter(tmp_path):
    await fill(f"sqlite+aiosqlite:///{tmp_path}/plain/bot.sqlite3", [("ты балбес", 1, YES)])
    folder = (tmp_path / "plain").rename(tmp_path / "бот 1%20 #2?")

    assert len((await read(str(folder / "bot.sqlite3"))).frame) == 1


async def test_a_database_without_labels_is_refused(tmp_path):
    path = tmp_path / "bot.sqlite3"
    await fill(f"sqlite+aiosqlite:///{path}", [])

    with pytest.raises(TrainingError, match="no moderator has given a label yet"):
        await read(str(path))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.sqlite3", "no such database"),
        ("text.sqlite3", "not a database"),
        ("empty.sqlite3", "no such table"),
        ("mysql://host/db", "SQLite or PostgreSQL"),
        ("ftp://:x:y", "not the URL"),
    ],
)
def test_what_is_no_database_is_refused_in_one_line(tmp_path, name, said):
    (tmp_path / "text.sqlite3").write_text("это не база" * 100)
    (tmp_path / "empty.sqlite3").touch()
    with pytest.raises(TrainingError, match=said) as error:
        read_labels(name if "://" in name else str(tmp_path / name))

    assert "\n" not in str(error.value)


def test_a_password_is_not_shown(tmp_path):
    with pytest.raises(TrainingError) as error:
        read_labels("postgresql://bot:secret@127.0.0.1:1/bot")

    assert "secret" not in str(error.value)
