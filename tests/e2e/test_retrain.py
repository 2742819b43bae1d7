"""From corrections to another model in service and back, over HTTP and as processes."""

import asyncio
import os
import signal

import pytest_asyncio

from bot import models, outcome, retrain, retrain_words
from moderation import registry
from moderation.states import RunDecision, RunState
from moderation.tables import Promotion, TrainingRun
from sandbox import scene
from tests.e2e.stage import CLEAN, INSULT, MEMBER, MODERATOR, OWNER, STRANGER, until
from tests.e2e.trainings import (
    EMBEDDED,
    OPERATOR,
    OTHER,
    buttons,
    changed,
    judged,
    last_run,
    operated,
    order,
    press,
    process,
    said,
    says,
    serves,
    train,
    trained,
)

TEXT = "Да ты сапожник, руки из жопы"  # the embedded model passes it, the shifted one doesn't


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(tmp_path_factory):
    """A bot with two operators and a trainer that can be steered."""
    async with operated(tmp_path_factory.mktemp("retrain"), SHADOW_HOURS="1") as made:
        await made.start_bot()
        for number in (OPERATOR, OTHER):
            await made.people.write(number, number, "/start")
        yield made


async def test_others_are_refused_and_their_forged_presses_change_nothing(stage):
    group, modchat = await stage.moderated_group()
    await stage.people.write(STRANGER, STRANGER, "/retrain")
    hint = await says(stage, "только операторы", STRANGER)
    await stage.people.write(STRANGER, STRANGER, "/model")
    for command in ("/retrain", "/model"):
        before = len(await stage.predictions(group))
        await stage.people.write(group, MEMBER, command)
        await stage.settled(group, before + 1)  # judged as all that members write
    assert not await stage.said(group, "операторы")
    await stage.people.write(modchat, MODERATOR, "/retrain")

    async def whispered():
        return any("только операторы" in said(m) for m in await stage.people.ephemeral(modchat))

    await until(whispered)
    for data in (
        retrain.Ask(after=0, button="train").pack(),
        retrain_words.Press(run=1, button="stop").pack(),
        retrain_words.Press(run=1, button="resume").pack(),
        outcome.Press(run=1, button="sure").pack(),
        models.Press(button="sure", version=models.mark(EMBEDDED), champion="x").pack(),
    ):
        assert "только операторы" in (await press(stage, hint, STRANGER, data=data))["text"]
    assert not await stage.rows(TrainingRun)
    assert not await stage.rows(Promotion)


async def test_operators_hear_how_many_labels_are_missing(stage):
    await stage.people.write(OPERATOR, OPERATOR, "/retrain")
    answer = await says(stage, "не хватает 2")
    assert not buttons(answer)
    assert EMBEDDED in said(answer)
    forged = retrain.Ask(after=0, button="train").pack()
    assert "не действует" in (await press(stage, answer, data=forged))["text"]
    for data in ("ta:0:fly", "ta:x:train", "tr:1:on", "tv:9:on", "tv::on", "tm:list", "tr:9:stop"):
        await stage.people.press(OPERATOR, answer["message_id"], OPERATOR, data=data)
    assert not await stage.rows(TrainingRun)


async def test_a_training_is_shown_as_it_goes_stopped_and_resumed(stage):
    group, _ = await stage.moderated_group()
    for number, text in enumerate((INSULT, "Ты тупая овца")):
        await stage.people.write(group, MEMBER, text)
        await stage.settled(group, number + 1)
        await stage.press(await stage.card(group), (MODERATOR, OWNER)[number], button="✅ Верно")
    order(stage, hold=0.2, name="first", shift={"insult": 2.5})
    await stage.people.write(OPERATOR, OPERATOR, "/retrain")
    question = await says(stage, "Новых для неё текстов с метками: 2, модераторов: 2")
    assert "оскорбление 2" in said(question)
    await press(stage, question, button="Обучить")
    shown = await changed(stage, question, "20 %")
    for words in ("Учу", "███░░", "Осталось примерно 1 мин", "Ошибка 0,440 · AP 0,900"):
        assert words in said(shown)
    assert buttons(shown) == ["Отменить"]
    run = await last_run(stage)
    assert b"--labels" in process(run.pid)
    assert stage.token.encode() not in process(run.pid)
    assert os.getpriority(os.PRIO_PROCESS, run.pid) > 0
    # One at a time, whoever asks.
    await stage.people.write(OTHER, OTHER, "/retrain")
    second = await says(stage, "Обучение модели", OTHER)
    again = await press(stage, question, data=retrain.Ask(after=run.id, button="train").pack())
    assert "Обучение уже идёт" in again["text"]
    for stranger in (STRANGER, MODERATOR):
        data = retrain_words.Press(run=run.id, button="stop").pack()
        assert "только операторы" in (await press(stage, shown, stranger, data=data))["text"]
    assert (await last_run(stage)).cancelled_by is None
    await press(stage, second, OTHER, button="Отменить")
    stopped = await changed(stage, question, "Обучение остановлено")
    assert (await last_run(stage)).state is RunState.CANCELLED
    assert not process(run.pid)
    await press(stage, stopped, button="Продолжить")
    await changed(stage, question, "20 %")
    assert (await last_run(stage)).id == run.id
    os.kill((await last_run(stage)).pid, signal.SIGKILL)
    broken = await changed(stage, question, "Обучение оборвалось")
    assert buttons(broken) == ["Продолжить"]


async def test_a_bot_that_was_killed_goes_on_showing_the_training(stage):
    question = await train(stage)
    await changed(stage, question, "20 %")
    await stage.bot.stop(signal.SIGKILL)
    order(stage, hold=0.6, name="first", shift={"insult": 2.5})
    await stage.start_bot()
    await changed(stage, question, "60 %")
    order(stage, name="first", shift={"insult": 2.5})
    await changed(stage, question, "Обучение закончено: версия standin-first")
    run = await last_run(stage)
    assert (run.state, run.version, run.promote) == (RunState.FINISHED, "standin-first", True)


async def test_the_verdict_puts_a_version_into_service_and_back_without_losing_a_message(stage):
    group = await stage.group()
    await until(lambda: _begun(stage, "standin-first"))
    assert await judged(stage, group, TEXT) == (EMBEDDED, "NONE")
    run = await last_run(stage)
    found = await stage.people.messages(OPERATOR, scene.BOT_ID)
    verdict = next(m for m in found if m["message_id"] == run.verdict_id)
    for words in ("Новая модель лучше", "Оскорбление", "полнота", "0,86↑", "находит на 6 п. п."):
        assert words in said(verdict)
    assert max(len(line) for line in said(verdict).split("\n")[2:-2]) <= 34
    assert buttons(verdict) == ["✅ Включить", "Оставить прежнюю"]
    await changed(stage, verdict, "В тени: сообщений 1, бот сделал бы больше в 1, меньше в 0.")
    assert sum("photo" in m for m in found) == 2
    assert sum("document" in m for m in found) == 1

    async def write():
        for number in range(40):
            await stage.people.write(group, MEMBER, f"{CLEAN} {number}")
            await asyncio.sleep(0.1)

    writing = asyncio.create_task(write())
    await press(stage, verdict, button="✅ Включить")
    await serves(stage, "standin-first")
    await writing
    await stage.settled(group, 41)
    found = await stage.predictions(group)
    assert len({p.message_id for p in found}) == len(found) == 41
    assert {p.model_version for p in found} == {EMBEDDED, "standin-first"}
    assert "Включена, кем: 9001" in said(await changed(stage, verdict, "Включена"))
    assert await judged(stage, group, TEXT) == ("standin-first", "DELETE")
    # The button is gone, and pressing it all the same says why.
    data = outcome.Press(run=run.id, button="on").pack()
    assert "уже работает" in (await press(stage, verdict, data=data))["text"]

    await stage.people.write(OPERATOR, OPERATOR, "/model")
    listed = await says(stage, "Версии модели")
    assert "● standin-first" in said(listed)
    assert f"из {EMBEDDED}, AP 0," in said(listed)
    assert buttons(listed) == ["Отчёт standin-first", f"↩️ Вернуть {EMBEDDED}"]
    await press(stage, listed, button="Отчёт standin-first")

    async def reports():
        shown = await stage.people.messages(OPERATOR, scene.BOT_ID)
        return sum("document" in m for m in shown) == 2

    await until(reports)
    forged = models.Press(
        button="sure", version=models.mark("standin-first"), champion=models.mark("standin-first")
    )
    assert "не действует" in (await press(stage, listed, data=forged.pack()))["text"]
    await press(stage, listed, button=f"↩️ Вернуть {EMBEDDED}")
    await press(stage, await changed(stage, listed, "вместо"), button="Да, вернуть")
    await serves(stage, EMBEDDED)
    assert await judged(stage, group, TEXT) == (EMBEDDED, "NONE")


async def test_against_the_gate_is_asked_twice_and_recorded(stage):
    order(stage, promote=False, name="second")
    verdict = await trained(stage)
    run = await last_run(stage)
    assert "советует оставить прежнюю" in said(verdict)
    assert "✗ AP не выше." in said(verdict)
    assert "Размер" not in said(verdict)
    assert buttons(verdict) == ["Оставить прежнюю", "Включить всё равно"]
    forged = outcome.Press(run=run.id, button="on").pack()
    assert "не действует" in (await press(stage, verdict, data=forged))["text"]
    await press(stage, verdict, button="Включить всё равно")
    asked = await changed(stage, verdict, "Включить против совета проверки?")
    assert (await last_run(stage)).decision is None
    await press(stage, asked, OTHER, button="⚠️ Да, включить")
    await serves(stage, "standin-second")
    run = await last_run(stage)
    assert (run.decision, run.decided_by) == (RunDecision.FORCED, OTHER)
    entry = (await stage.rows(Promotion))[-1]
    assert (entry.version, entry.is_forced, entry.by) == ("standin-second", True, str(OTHER))
    await changed(stage, verdict, "Включена против совета проверки, кем: 9002")
    assert "уже работает" in (await press(stage, asked, data=forged))["text"]


async def test_a_version_that_judges_wrongly_is_not_served(stage):
    order(stage, name="blind", shift=dict.fromkeys(("obscenity", "insult", "threat"), -20))
    verdict = await trained(stage)
    answer = await press(stage, verdict, button="✅ Включить")
    assert "Итог устарел" in answer["text"]  # the stand-in compared with the embedded model
    models_dir = stage.folder / "models"
    registry.promote(models_dir, "standin-blind", by="another program")
    told = await says(stage, "standin-blind не включаю: ошибается на контрольных")
    assert "Работает standin-second" in said(told)
    await until(lambda: _champion(models_dir, "standin-second"))
    group = await stage.group()
    assert (await judged(stage, group, CLEAN))[0] == "standin-second"
    history = await stage.rows(Promotion)
    assert (history[-2].by, history[-2].refusal) == ("another program", "golden")
    await stage.people.write(OPERATOR, OPERATOR, "/model")
    listed = await says(stage, "не принята: ошибается")
    assert "● standin-second" in said(listed)
    assert "↩️ Вернуть standin-blind" not in buttons(listed)


async def test_a_failure_is_reported_without_anybodys_words(stage):
    order(stage, name="none", error="error: no space left on the disk")
    question = await train(stage)
    failed = await changed(stage, question, "Обучение не удалось")
    assert "error: no space left on the disk" in said(failed)
    order(stage, name="none", error="Traceback (most recent call last):\nKeyError: 'секрет'")
    await press(stage, failed, button="Продолжить")
    failed = await changed(stage, question, "KeyError")
    assert "секрет" not in said(failed)
    assert "update failed" not in stage.bot.said


async def _begun(stage, version):
    return f"version={version}" in stage.bot.said.rpartition("shadow begun")[2]


async def _champion(models_dir, version):
    found = registry.promotion(models_dir)
    return found is not None and found.version == version
