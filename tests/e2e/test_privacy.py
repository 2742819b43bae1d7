"""/forget, and what the operator does on the command line: processes over HTTP."""

import json
import os
import re

import pytest

from bot import privacy
from bot.telegram import make_bot
from moderation import database
from moderation.settings import Settings
from moderation.tables import Case, Label, Prediction
from tests.e2e.stage import INSULT, MODERATOR, OWNER, start, until

NAME = "Редкоимя"
WORDS = f"{INSULT} Пиши @rare_handle, тел. +7 900 000-00-01."


@pytest.fixture
async def person(stage):
    """Makes a person with a language of their own."""
    ids = iter(range(2_000_000_000, 2_000_001_000))

    async def make(code="ru"):
        taken = {user["id"] for user in (await stage.people.get("state"))["users"]}
        user_id = next(id_ for id_ in ids if id_ not in taken)
        user = {"id": user_id, "first_name": NAME, "language_code": code}
        await stage.people.post("users", **user)
        return user_id

    return make


async def flagged(stage, user_id, words=WORDS):
    """A group, and the case of what somebody wrote there."""
    group, modchat = await stage.moderated_group()
    await stage.people.post("members", chat_id=group, user_id=user_id, status="member")
    await stage.people.write(group, user_id, words)
    case = await stage.card(group)
    assert await stage.said(modchat, INSULT)
    return group, modchat, case


async def ask(stage, user_id, words):
    await stage.people.write(user_id, user_id, "/forget")
    return (await until(lambda: stage.said(user_id, words)))[-1]


async def press(stage, chat_id, message_id, user_id, **button):
    query_id = await stage.people.press(chat_id, message_id, user_id, **button)

    async def answered():
        found = (await stage.people.get("callbacks"))["callbacks"]
        return next(c for c in found if c["id"] == query_id)["answer"]

    return await until(answered)


@pytest.mark.parametrize(
    ("code", "counts", "button", "done", "card"),
    [
        (
            "ru",
            "их с текстом: 1",
            "Забыть меня",
            "Готово. Больше не связаны",
            "попросил его забыть",
        ),
        ("en", "with their text: 1", "Forget me", "Done. Scores are no", "попросил его забыть"),
    ],
)
async def test_a_person_is_forgotten_in_all_groups(stage, person, code, counts, button, done, card):
    user_id = await person(code)
    group, modchat, case = await flagged(stage, user_id)
    await stage.press(case, MODERATOR, button="🕊 Не токсично")
    await until(lambda: stage.labels(group))
    await until(lambda: stage.said(group, INSULT))  # the bot quotes what it deleted wrongly
    menu = await ask(stage, user_id, counts)

    await press(stage, user_id, menu["message_id"], user_id, button=button)
    await until(lambda: stage.said(user_id, done))

    (found,) = await stage.cases(group)
    assert (found.text, found.user_name, found.text_key) == ("", "", "")
    assert found.prediction.user_id == 0
    assert [(label.text, label.text_key) for label in await stage.labels(group)] == [("", "")]
    assert await stage.said(modchat, card)
    for chat_id in (group, modchat):
        assert not await stage.said(chat_id, INSULT)
        assert not await stage.said(chat_id, NAME)
    again = await ask(stage, user_id, "ничего не хранится" if code == "ru" else "Nothing is stored")
    assert again["message_id"] > menu["message_id"]


async def test_who_does_not_want_it_after_all_keeps_everything(stage, person):
    user_id = await person()
    group, _, _ = await flagged(stage, user_id)
    menu = await ask(stage, user_id, "Что о вас хранится")
    await press(stage, user_id, menu["message_id"], user_id, button="Не надо")
    await until(lambda: stage.said(user_id, "осталось как было"))
    assert (await stage.cases(group))[0].text == WORDS


async def test_nobody_can_have_another_person_forgotten(stage, person):
    victim, stranger = await person(), await person()
    group, _, _ = await flagged(stage, victim)
    await flagged(stage, stranger)
    menu = await ask(stage, stranger, "Что о вас хранится")
    forged = f"forget:{victim}:yes"
    answer = await press(stage, stranger, menu["message_id"], stranger, data=forged)
    assert "только себя" in answer["text"]
    assert answer["show_alert"]
    for data in ("forget:x:yes", f"forget:{victim}:all", "forget:0:yes", f"forget:{'9' * 30}:yes"):
        await stage.people.press(stranger, menu["message_id"], stranger, data=data)
    await press(stage, stranger, menu["message_id"], stranger, button="Не надо")
    assert (await stage.cases(group))[0].text == WORDS
    assert "update failed" not in stage.bot.said


async def test_in_a_group_the_command_does_nothing(stage, person):
    user_id = await person()
    group, _, _ = await flagged(stage, user_id)
    before = len(await stage.people.messages(group))
    await stage.people.write(group, user_id, "/forget")
    await stage.settled(group, 2)
    assert len(await stage.people.messages(group)) == before + 1


async def command(stage, *words, **environment):
    """The exit status of a command beside the running bot, and what it said."""
    log = stage.folder / f"command-{len(list(stage.folder.iterdir()))}.log"
    given = {
        "BOT_TOKEN": stage.token,
        "TELEGRAM_API_URL": stage.people.url,
        "DATABASE_URL": stage.database_url,
        "MODELS_DIR": os.environ.get("MODELS_DIR", str(stage.folder / "models")),
    }
    process = await start(log, "bot", *words, **given | environment)
    return await process.child.wait(), process.said


async def test_the_operator_has_somebody_forgotten(stage, person):
    user_id = await person()
    group, modchat, _ = await flagged(stage, user_id)
    status, said = await command(stage, "forget", str(user_id))
    assert (status, "cases without text and name: 1" in said) == (0, True), said
    assert "cards and quotes without text: 1, refused: 0" in said
    assert await stage.said(modchat, "попросил его забыть")
    assert (await stage.cases(group))[0].text == ""
    for words in (INSULT, NAME, str(user_id)):
        assert words not in said


async def test_without_a_token_the_database_forgets_and_the_cards_are_left_to_the_bot(
    stage, person
):
    user_id = await person()
    group, modchat, _ = await flagged(stage, user_id)
    wrong = {"BOT_TOKEN": "1:" + "a" * 35}
    status, said = await command(stage, "forget", str(user_id), **wrong)
    assert (status, "not changed yet: 1" in said) == (0, True), said
    assert (await stage.cases(group))[0].text == ""
    assert await stage.said(modchat, INSULT)

    given = {"bot_token": stage.token, "telegram_api_url": stage.people.url}
    settings = Settings(database_url=stage.database_url, **given)
    bot = make_bot(settings)
    async with database.opened(stage.database_url) as sessions:
        await privacy.sweep(bot, sessions, settings)
    await bot.session.close()
    assert await stage.said(modchat, "попросил его забыть")
    assert not await stage.said(modchat, INSULT)


async def test_labels_go_out_and_into_another_database(stage, person, tmp_path):
    user_id = await person()
    mark = "Это уедет в другую базу."
    group, _, case = await flagged(stage, user_id, f"{WORDS} {mark}")
    await stage.press(case, OWNER, button="✅ Верно")
    await until(lambda: stage.labels(group))
    file, again = tmp_path / "labels.jsonl", tmp_path / "again.jsonl"
    status, said = await command(stage, "labels", "export", str(file))
    assert (status, "labels exported" in said) == (0, True), said
    content = file.read_text()
    lines = [json.loads(line) for line in content.splitlines()]
    (mine,) = [line["text"] for line in lines if mark in line["text"]]
    assert "[user]" in mine
    assert "[phone]" in mine
    for secret in ("rare_handle", NAME, str(user_id), str(group), str(OWNER)):
        assert not re.search(rf"(?<!\d){secret}(?!\d)", content)  # nor a part of some time

    other = {"DATABASE_URL": f"sqlite:///{tmp_path}/other.sqlite3", "BOT_TOKEN": ""}
    status, said = await command(stage, "labels", "import", str(file), **other)
    assert (status, f"{len(lines)} labels added, 0 known" in said) == (0, True), said
    status, said = await command(stage, "labels", "import", str(file), **other)
    assert (status, f"0 labels added, {len(lines)} known before" in said) == (0, True), said
    assert (await command(stage, "labels", "export", str(again), **other))[0] == 0
    # What one moderator said of a text in several cases is one label there: cases stay behind.
    returned = [json.loads(line) for line in again.read_text().splitlines()]
    assert {line["text"] for line in returned} == {line["text"] for line in lines}
    vectors = [(line["text"], line["vector"]) for line in lines]
    assert all((line["text"], line["vector"]) in vectors for line in returned)
    status, said = await command(stage, "labels", "export", "-", **other)
    assert again.read_text() in said


async def test_labels_that_are_likely_wrong_go_to_one_more_moderator(stage, person, tmp_path):
    group, _, case = await flagged(stage, await person())
    await stage.press(case, OWNER, button="✅ Верно")
    await until(lambda: stage.labels(group))
    file = tmp_path / "suspects.json"
    file.write_text(json.dumps({"suspects": [{"cases": [case.id], "p": 1}, {"cases": [10**9]}]}))
    status, said = await command(stage, "labels", "review", str(file))
    assert (status, "1 cases will be shown to one more moderator; 1 not" in said) == (0, True), said
    assert (await stage.cases(group))[0].is_seconded
    file.write_text('{"suspects": [{"cases": "all"}]}')
    status, said = await command(stage, "labels", "review", str(file))
    assert (status, "suspects.0.cases: " in said, said.count("\n")) == (1, True, 1), said


async def test_a_file_that_is_wrong_changes_nothing_and_is_one_line(stage, tmp_path):
    right = {"text": "ты балбес", "vector": {"insult": 1}}
    count = len(await stage.rows(Label))
    for wrong, reason in [
        ({"vector": {"swearing": 1}}, "line 2: vector.swearing: "),
        ({"text": " "}, "line 2: text: empty"),
        (None, "line 2: Invalid JSON"),
    ]:
        file = tmp_path / "wrong.jsonl"
        second = json.dumps(right | wrong) if wrong else "{"
        file.write_text(json.dumps(right) + "\n" + second)
        status, said = await command(stage, "labels", "import", str(file))
        assert (status, said.count("\n"), reason in said) == (1, 1, True), said
    for action, path in (("import", tmp_path / "none"), ("export", tmp_path)):
        status, said = await command(stage, "labels", action, str(path))
        assert (status, said.count("\n")) == (1, 1), said
    assert len(await stage.rows(Label)) == count


async def test_the_log_holds_nobodys_words_or_names(stage, person):
    """After all the others, and one more who is forgotten while Telegram refuses to edit."""
    user_id = await person()
    _, modchat, case = await flagged(stage, user_id)
    await stage.people.post(
        "deletions", chat_id=modchat, message_id=case.card_message_id, user_id=OWNER
    )
    menu = await ask(stage, user_id, "Что о вас хранится")
    await press(stage, user_id, menu["message_id"], user_id, button="Забыть меня")
    await until(lambda: stage.said(user_id, "изменить не дал: 1"))
    assert "words not hidden" in stage.bot.said
    for words in (INSULT, NAME, "rare_handle", "900 000", "Пиши"):
        assert words not in stage.bot.said
    assert await stage.rows(Prediction, Prediction.user_id == user_id) == []
    assert await stage.rows(Case, Case.user_name == NAME, Case.id == case.id) == []
