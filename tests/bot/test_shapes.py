import asyncio
import json
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import ValidationError
from sqlalchemy import func, select

from bot.acts import CALLS, Call
from bot.content import Part, is_ignored, names_of, texts_of
from bot.decoding import decode
from moderation import albums, sanctions
from moderation.policy import Action
from moderation.states import Act, ActState
from moderation.tables import Case, Chat, Enforcement, Prediction
from sandbox import control, scene
from sandbox.faults import Fault
from tests.bot.house import house

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHAPES = [
    pytest.param(shape, id=f"{path.stem}-{shape['name'].replace(' ', '_')}")
    for path in sorted((Path(__file__).parent / "shapes").glob("*.json"))
    for shape in json.loads(path.read_text(encoding="utf-8"))
]
GROUP, ALBUM = scene.GROUP_ID, "13902934871231000"
LINKED = -1_001_562_840_077
INSULT = "Ну ты идиот"
PHOTO = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def home(tmp_path_factory):
    async with house(tmp_path_factory.mktemp("shapes")) as found:
        found.telegram.chats[GROUP].linked_chat_id = LINKED
        yield found


async def latest(sessions, table, after):
    async with sessions() as session:
        return list(await session.scalars(select(table).where(table.id > after).order_by(table.id)))


async def newest(sessions, table):
    async with sessions() as session:
        return await session.scalar(select(func.max(table.id))) or 0


async def outcome(home, shape):
    """What came of an update, in a few words: of all cases the gravest."""
    try:
        update = decode(shape["update"], home.bot)
    except ValidationError:
        return "undecodable"
    message = update.message or update.edited_message
    if message is None and update.chat_member is None:
        return "ignored kind"
    if message and message.chat.type == "private":
        return "ignored private"
    if message and (reason := is_ignored(message, home.bot.id)):
        await home.handle(update)
        return f"ignored {reason}"
    predictions, cases = await newest(home.sessions, Prediction), await newest(home.sessions, Case)
    await home.handle(update)
    made = [c for c in await latest(home.sessions, Case, cases) if c.prediction.action]
    if made:
        row = max(made, key=lambda case: case.prediction.action).prediction
        return f"{row.action.name.lower()} {row.user_id} {row.field}"
    rows = await latest(home.sessions, Prediction, predictions)
    exempt = next((row.exempt for row in rows if row.exempt), None)
    return f"exempt {exempt}" if exempt else "none"


@pytest.mark.parametrize("shape", SHAPES)
async def test_words_are_found_and_their_author_answers_for_them(home, shape):
    assert await outcome(home, shape) == shape["outcome"]
    if shape["outcome"] == "undecodable":
        return
    update = decode(shape["update"], home.bot)
    message = update.message or update.edited_message
    if message is not None:
        assert texts_of(message) == [Part(*part) for part in shape["parts"]]
        assert names_of(message) == [Part(*name, authored=False) for name in shape["names"]]


async def test_whatever_is_ignored_leaves_nothing_behind(home):
    async with home.sessions() as session:
        chats = (await session.scalars(select(Chat.id))).all()
    assert set(chats) <= {GROUP, scene.MODERATORS_ID}


async def test_nobody_is_ever_acted_on_under_an_id_that_many_share(home):
    async with home.sessions() as session:
        shared = select(Case.id).join(Prediction, Prediction.id == Case.prediction_id)
        shared = shared.where(Prediction.user_id.in_([1087968824, 136817688, 777000]))
        assert (await session.scalars(shared)).all() == []


async def test_a_name_is_reported_once_and_again_when_it_is_another(home):
    def said(name, number):
        user = {"id": 6_000_000_001, "is_bot": False, "first_name": name}
        return a_message(number, text="Здравствуйте", **{"from": user})

    before = await newest(home.sessions, Case)
    for number, name in enumerate(("Идиот", "Идиот", "Идиот второй"), 900):
        await home.handle(decode(said(name, number), home.bot))
    cases = [c for c in await latest(home.sessions, Case, before) if c.prediction.action]
    assert [case.text for case in cases] == ["Идиот", "Идиот второй"]
    assert {case.prediction.action for case in cases} == {Action.REVIEW}
    async with home.sessions() as session:
        acts = select(Enforcement).where(Enforcement.case_id.in_([case.id for case in cases]))
        assert (await session.scalars(acts)).all() == []


def a_message(message_id, **extra):
    message = {
        "message_id": message_id,
        "date": 1767225600,
        "chat": {"id": GROUP, "type": "supergroup", "title": "Соседи по двору"},
        "from": {"id": 5, "is_bot": False, "first_name": "Анна"},
    }
    return {"update_id": message_id, "message": message | extra}


async def test_of_an_album_all_items_go_with_the_words_and_one_case_tells_of_it(home):
    before = await newest(home.sessions, Case)
    item = {"photo": PHOTO, "media_group_id": ALBUM}
    await home.handle(decode(a_message(700, **item), home.bot))
    await home.handle(decode(a_message(701, **item, caption=INSULT), home.bot))
    (case,) = await latest(home.sessions, Case, before)
    async with home.sessions() as session:
        ids = [number for _, number in await sanctions.deletions(session, [case.id])]
    assert ids == [700, 701]
    async with home.sessions.begin() as session:
        (row, *_) = await sanctions.enforcements(session, case.id)
        row.state = ActState.DONE
    # What comes later, even with words of its own, goes without another case.
    await home.handle(decode(a_message(702, **item, caption=INSULT), home.bot))
    await home.handle(decode(a_message(703, **item), home.bot))
    assert await newest(home.sessions, Case) == case.id
    async with home.sessions() as session:
        ids = [number for _, number in await sanctions.deletions(session, [case.id])]
    assert ids == [700, 702, 703, 701]


async def test_what_comes_after_its_album_fell_is_deleted_once_telegram_is_reached(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("bot.outbox.RESUME_SECONDS", 0.2)
    item = {"chat_id": GROUP, "user_id": scene.MEMBER_A_ID, "photo": PHOTO, "media_group_id": ALBUM}
    async with house(tmp_path, acts=True) as found:
        found.telegram.updates.drop_pending()
        for more in ({"caption": INSULT}, {}):
            written = control.write(found.telegram, item | more)["message"]["message_id"]
            body = found.telegram.updates.pending.popleft().body
            await found.handle(decode(body, found.bot))
            async with asyncio.timeout(20):
                while not found.telegram.chats[GROUP].messages[written].deleted:
                    await asyncio.sleep(0.02)
            for kind in ("500", "429"):
                found.telegram.faults.plan(Fault("deletemessages", kind, 1, retry_after=1000))
        assert await newest(found.sessions, Case) == await newest(found.sessions, Prediction) == 1
        assert not found.telegram.faults.planned[2:]


async def test_an_album_whose_deletion_was_wrong_is_left_alone(home):
    async with home.sessions.begin() as session:
        (case,) = await session.scalars(
            select(Case).join(Prediction, Prediction.id == Case.prediction_id)
            .where(Prediction.message_id == 701)
        )  # fmt: skip
        case.verdict = "clean"
        await session.flush()
        assert not await albums.add(session, GROUP, 704, ALBUM)


async def test_another_chats_album_of_the_same_number_is_another(home):
    async with home.sessions.begin() as session:
        assert not await albums.add(session, GROUP - 1, 702, ALBUM)
        assert await albums.others(session, GROUP - 1, [702]) == {}


async def test_an_edit_is_judged_again_whatever_field_changed(home):
    edited = 0
    for shape in (param.values[0] for param in SHAPES):
        words = "".join(text for _, text, _ in shape["parts"])
        if "диот" not in words or shape["outcome"].startswith(("ignored", "undecodable")):
            continue
        if "media_group_id" in (message := shape["update"].get("message", {})) or not message:
            continue
        changed = json.loads(json.dumps(message, ensure_ascii=False).replace("диот", "диотина"))
        if changed == message:
            continue
        before = await newest(home.sessions, Prediction)
        for number in (1, 2):  # the second changes nothing
            edit = changed | {"edit_date": 1767300000 + number}
            await home.handle(decode({"update_id": number, "edited_message": edit}, home.bot))
        rows = [row for row in await latest(home.sessions, Prediction, before) if row.message_id]
        assert len(rows) == 1, shape["name"]
        edited += 1
    assert edited > 60


async def test_deleting_is_no_act_where_there_is_only_a_name(home):
    async with home.sessions() as session:
        case = await session.scalar(
            select(Case).join(Prediction, Prediction.id == Case.prediction_id)
            .where(Prediction.message_id == 0).limit(1)
        )  # fmt: skip
        chat = await session.get(Chat, GROUP)
    call = Call(home.bot, home.sessions, chat, case, Enforcement(act=Act.DELETE), [])
    with pytest.raises(Exception, match="речь об имени"):
        await CALLS[Act.DELETE](call)
