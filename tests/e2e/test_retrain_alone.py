"""Trainings that nobody asked for and that need no press, and a version that lacks a category."""

import json

import pytest_asyncio

from moderation import registry
from moderation.states import RunDecision
from moderation.tables import Promotion, TrainingRun
from tests.e2e.stage import CLEAN, OWNER, until
from tests.e2e.trainings import (
    OPERATOR,
    OTHER,
    buttons,
    changed,
    judged,
    label,
    last_run,
    operated,
    order,
    press,
    said,
    serves,
    trained,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory):
    """A bot that trains and promotes by itself; one of its operators never wrote to it."""
    settings = {"RETRAIN_EVERY": "24", "AUTO_PROMOTE": "true"}
    async with operated(tmp_path_factory.mktemp("alone"), **settings) as made:
        await made.people.write(OTHER, OTHER, "/start")
        await label(made, 1, 2)
        order(made, name="alone")
        await made.start_bot()
        yield made


async def reported(stage, version):
    """The run that published a version, once its verdict is shown."""

    async def shown():
        runs = await stage.rows(TrainingRun, TrainingRun.version == version)
        return runs[0] if runs and runs[0].is_reported else None

    return await until(shown)


async def menus(stage, **scope):
    """The commands that are offered in Russian in a scope."""
    found = (await stage.people.get("state"))["commands"]
    return [
        {command["command"] for command in menu["commands"]}
        for menu in found
        if json.loads(menu["scope"]) == scope and menu["language_code"] == "ru"
    ]


async def test_the_schedule_begins_and_the_gate_promotes(stage):
    await serves(stage, "standin-alone")
    run = await reported(stage, "standin-alone")
    assert (run.started_by, run.chat_id) == (None, OTHER)
    assert (run.decision, run.decided_by) == (RunDecision.ENABLED, None)
    found = await stage.people.messages(OTHER)
    verdict = next(m for m in found if m["message_id"] == run.verdict_id)
    assert "Включена без вопроса" in said(verdict)
    assert not buttons(verdict)
    (entry,) = await stage.rows(Promotion)
    assert (entry.version, entry.by, entry.refusal) == ("standin-alone", "schedule", None)


async def test_operators_are_offered_their_commands_and_nobody_else_is(stage):
    await stage.people.write(OPERATOR, OPERATOR, "/start")
    await until(lambda: stage.said(OPERATOR, "startgroup"))
    for operator in (OPERATOR, OTHER):
        (menu,) = await menus(stage, type="chat", chat_id=operator)
        assert {"retrain", "model", "stats", "status", "help"} <= menu
    for kind in ("all_private_chats", "all_group_chats", "all_chat_administrators"):
        (menu,) = await menus(stage, type=kind)
        assert not menu & {"retrain", "model"}
    for person, is_told in ((OTHER, True), (OWNER, False)):
        await stage.people.write(person, person, "/help")
        (help_,) = await until(lambda person=person: stage.said(person, "/review"))
        assert ("/retrain" in said(help_)) == is_told


async def test_a_model_that_lacks_what_a_group_asks_for_is_not_served(stage):
    group = await stage.group()
    order(stage, name="narrow", without="rude")
    await trained(stage)
    refused = "standin-narrow не включаю: не знает категорий"
    for operator in (OPERATOR, OTHER):
        await until(lambda operator=operator: stage.said(operator, refused))
    assert registry.promotion(stage.folder / "models").version == "standin-alone"
    assert await judged(stage, group, CLEAN) == ("standin-alone", "NONE")
    last, before = (await stage.rows(Promotion))[:0:-1]
    assert (before.version, before.by, before.refusal) == (
        "standin-narrow", str(OPERATOR), "categories",
    )  # fmt: skip
    assert (last.version, last.by) == ("standin-alone", "bot")


async def test_a_training_follows_its_chat_that_became_a_supergroup(stage):
    group = await stage.group()
    modchat = await stage.group(rights={}, title="Модераторы", type="group")
    await stage.people.post("members", chat_id=modchat, user_id=OPERATOR, status="member")
    await stage.people.write(modchat, OWNER, f"/start@demo_moderator_bot modchat_{group}")
    await until(lambda: stage.said(modchat, "карточки группы"))
    order(stage, name="moved", promote=False, hold=0.2)
    await label(stage, 1, 2)
    await stage.people.write(modchat, OPERATOR, "/retrain")
    (question,) = await until(lambda: stage.said(modchat, "Обучить новую модель?"))
    await press(stage, question, button="Обучить")
    await changed(stage, question, "20 %")
    new = (await stage.people.post("migrations", chat_id=modchat))["chat"]["id"]
    (shown,) = await until(lambda: stage.said(new, "Обучение модели"))
    order(stage, name="moved", promote=False)
    await changed(stage, shown, "Обучение закончено: версия standin-moved")
    await until(lambda: stage.said(new, "оставить прежнюю"))
    assert (await last_run(stage)).chat_id == new
