import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select

from moderation import database, labels
from moderation.categories import Category
from moderation.labels import LabelsError
from moderation.policy import Action
from moderation.redaction import redact
from moderation.states import Source
from moderation.tables import Case, Label, Prediction

SUITES = Path(__file__).parents[2] / "trainer" / "suites"
EVASIONS = [
    json.loads(line)["text"]
    for line in (SUITES / "evasions.jsonl").read_text(encoding="utf-8").splitlines()
]
WORDS = "абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВЖЯ ,.!?-—«»()\n"
INSULT = {c.value: None for c in Category} | {"insult": 1, "non_toxic": 0}
CLEAN = {c.value: 0 for c in Category} | {"non_toxic": 1}
LINE = {"text": "ты балбес", "vector": {"insult": 1}, "created_at": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Пиши @durov_p, он ответит", "Пиши [user], он ответит"),
        ("(@durov)!", "([user])!"),
        ("заходи на t.me/chat_1?x=1, там всё", "заходи на [link], там всё"),
        ("https://пример.рф/а.", "[link]."),
        ("смотри vk.com/id5 и www.example.org/x!", "смотри [link] и [link]!"),
        ("tg://user?id=5", "[link]"),
        ("a.b+c@mail.ru или иван@почта.рф", "[email] или [email]"),
        ("звони +7 (926) 123-45-67", "звони [phone]"),
        ("8 926 123 45 67, 89261234567, 8(495)1234567", "[phone], [phone], [phone]"),
        ("+380 44 123 45 67 и 123-45-67", "[phone] и [phone]"),
        ("карта 4276 1234 5678 9012", "карта [number]"),
        ("паспорт 45 10 123456", "паспорт [number]"),
        ("СНИЛС 123-456-789 00, счёт 40817810099910004312", "СНИЛС [number], счёт [number]"),
        ("мой id123456789", "мой id[number]"),
    ],
)
def test_personal_data_is_replaced(text, redacted):
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "х@й", "иди на х@й.Понял", "п1здец", "cyка", "бл@ть", "п@здец @уел", "х.у.й", "3.14здец",
        "ёб@ный в рот", "с у к а", "пи3дец!!!11111111111", "1 000 000 000 рублей",
        "в 2019-2020 и 01.02.2024 в 12:30", "счёт 15:10, 100500 раз", "Привет.Как дела?", "5/10",
        "+100500 к карме", "node.js и main.py", "[user] [link]",
    ],
)  # fmt: skip
def test_words_stay_however_they_are_written(text):
    assert redact(text) == text


def test_disguises_stay():
    assert [text for text in EVASIONS if redact(text) != text] == []


@given(st.text(WORDS))
def test_ordinary_words_stay(text):
    assert redact(text) == text


PIECES = [
    "@durov", "t.me/", "https://", "www.", "a@b.ru", "mail", ".ru", "@", ".", "+7", "9261234567",
    "4276 1234 5678 9012", "-", " ", "[user]", "[link]", "]", "id", "12345678", "х@й", "(", "/",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
@example("1234567@durov")
def test_what_is_redacted_has_nothing_to_redact(text):
    assert redact(redact(text)) == redact(text)


def file(*lines):
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": " "}, "text: empty"),
        ({"text": None}, "text: "),
        ({"vector": {"insult": 2}}, "vector.insult: Input should be 0 or 1"),
        ({"vector": {"insult": "1"}}, "vector.insult: "),
        ({"vector": {"swearing": 1}}, "vector.swearing: Input should be 'obscenity'"),
        ({"vector": {"insult": 1, "non_toxic": 1}}, "vector: not toxic and toxic at once"),
        ({"scores": {"insult": 1.5}}, "scores.insult: "),
        ({"scores": {"insult": float("nan")}}, "scores.insult: "),
        ({"probability": -1}, "probability: "),
        ({"source": "bot"}, "source: "),
        ({"moderator": "12345"}, "moderator: "),
        ({"created_at": "2026-01-02T03:04:05"}, "created_at: "),
        ({"created_at": "2226-01-02T03:04:05Z"}, "created_at: not in the past"),
        ({"created_at": "9999-12-31T23:59:59-10:00"}, "created_at: not in the past"),
        ({"user_id": 5}, "user_id: "),
    ],
)
def test_a_wrong_line_is_named_by_its_number(change, reason):
    with pytest.raises(LabelsError, match=r"^line 3: ") as error:
        labels.read(file(LINE) + b"\n\n" + file(LINE | change))
    assert str(error.value).startswith(f"line 3: {reason}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff\xfe\x00", b"[" * 9999, b'{"text": "\\ud800", "vector": {}}', b"1"],
)
def test_what_is_no_label_is_refused(content):
    with pytest.raises(LabelsError, match=r"^line 1: "):
        labels.read(content)


@given(st.binary())
def test_any_bytes_are_labels_or_an_error(content):
    with contextlib.suppress(LabelsError):
        labels.read(content)


def test_a_line_may_say_no_more_than_text_and_vector():
    (line,) = labels.read(b'\xef\xbb\xbf{"text": "a\\u0000b", "vector": {"rude": 1}}\r\n')
    assert line.text == "a\N{REPLACEMENT CHARACTER}b"
    assert line.vector == dict.fromkeys(Category) | {Category.RUDE: 1}


@pytest.fixture
async def sessions(database_url):
    async with database.opened(database_url) as found:
        yield found


async def vote(session, text, moderator, vector, case=None, **values):
    """A label by a button, on a case that is made if there is none."""
    if case is None:
        prediction = Prediction(
            chat_id=-100, message_id=id(text), revision=0, user_id=4242, content_hash="0",
            field="text", model_version="v", scores={}, action=Action.NONE, score=0.0,
            threshold=1.0,
        )  # fmt: skip
        session.add(prediction)
        await session.flush()
        row = Case(
            prediction_id=prediction.id, chat_id=-100, user_name="Имя", text=text, flagged=[]
        )
        session.add(row)
        await session.flush()
        case = row.id
    moment = datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)
    session.add(
        Label(
            case_id=case, chat_id=-100, moderator_id=moderator, source=Source.BUTTON, text=text,
            text_key="k", vector=vector, model_version="v1", scores={"insult": 0.1 + 0.2, "old": 1},
            created_at=values.pop("created_at", moment), **values,
        )
    )  # fmt: skip
    await session.flush()
    return case


@pytest.fixture
async def filled(sessions):
    """Two cases: one with two votes, one of them a change of mind; one forgotten; an audit."""
    async with sessions.begin() as session:
        case = await vote(session, "ты балбес, @durov_p", 777001, CLEAN)
        await vote(session, "ты балбес, @durov_p", 777001, INSULT, case)
        await vote(session, "ты балбес, @durov_p", 777002, INSULT, case)
        await vote(session, "", 777002, INSULT)
        await vote(session, "доброе утро", 777002, CLEAN, probability=0.25)
    return sessions


async def exported(sessions):
    async with sessions() as session:
        return (await labels.export(session))[0]


async def imported(sessions, lines):
    async with sessions.begin() as session:
        done = await labels.add(session, lines)
    return done.added, done.known


async def test_an_export_has_the_latest_labels_and_no_personal_data(filled):
    async with filled() as session:
        lines, emptied = await labels.export(session)
    assert emptied == 1
    assert [(line.moderator, line.case, line.text) for line in lines] == [
        ("m1", "c1", "ты балбес, [user]"),
        ("m2", "c1", "ты балбес, [user]"),
        ("m2", "c3", "доброе утро"),
    ]
    assert lines[0].vector == {Category(name): value for name, value in INSULT.items()}
    assert lines[2].probability == 0.25
    content = labels.written(lines)
    for secret in ("durov", "777", "4242", "-100", "Имя"):
        assert secret not in content


async def test_a_file_is_read_as_it_was_written(filled):
    lines = await exported(filled)
    assert labels.read(labels.written(lines).encode()) == lines


async def test_labels_go_round_and_keep_their_vectors(filled, tmp_path):
    lines = labels.read(labels.written(await exported(filled)).encode())
    async with database.opened(f"sqlite+aiosqlite:///{tmp_path}/other.sqlite3") as other:
        assert await imported(other, lines) == (3, 0)
        assert await imported(other, lines) == (0, 3)
        again = await exported(other)
        async with other() as session:
            rows = (await session.scalars(select(Label).order_by(Label.id))).all()
    assert [(x.text, x.vector, x.scores, x.created_at) for x in again] == [
        (x.text, x.vector, x.scores, x.created_at) for x in lines
    ]
    assert {(row.source, row.case_id, row.chat_id) for row in rows} == {("import", None, None)}
    assert [row.moderator_id for row in rows] == [-1, -2, -2]
    assert again[0].case == again[1].case != again[2].case
    # Back where they came from they are known, though nothing tells that but what they say.
    assert await imported(filled, again) == (0, 3)
    assert await imported(filled, lines) == (0, 3)


async def test_a_later_export_adds_what_is_new_for_the_same_moderators(filled, tmp_path):
    async with database.opened(f"sqlite+aiosqlite:///{tmp_path}/other.sqlite3") as other:
        await imported(other, await exported(filled))
        async with filled.begin() as session:
            await vote(session, "третий текст", 777002, INSULT)
        assert await imported(other, await exported(filled)) == (1, 3)
        async with other() as session:
            rows = (await session.scalars(select(Label).order_by(Label.id))).all()
    assert [row.moderator_id for row in rows] == [-1, -2, -2, -2]


async def test_moderators_of_another_file_are_other_people(sessions):
    for text in ("первый", "второй"):
        assert await imported(sessions, labels.read(file(LINE | {"text": text}))) == (1, 0)
    async with sessions() as session:
        found = await session.scalars(select(Label.moderator_id).order_by(Label.id))
        assert found.all() == [-1, -2]


async def test_two_who_say_the_same_at_once_are_two_votes_and_one_twice_is_one(sessions):
    lines = labels.read(file(LINE, LINE | {"moderator": "m2"}, LINE))
    assert await imported(sessions, lines) == (2, 1)
    assert await imported(sessions, lines) == (0, 3)


async def test_a_label_without_a_moment_is_of_today(sessions):
    lines = labels.read(b'{"text": "a", "vector": {"rude": 1}}')
    assert await imported(sessions, lines) == (1, 0)
    assert await imported(sessions, lines) == (0, 1)
    (line,) = await exported(sessions)
    assert line.created_at.year >= 2026
