"""The whole way with the real trainer: labels, a training that learns, its verdict, and back."""

import pytest

from bot import outcome
from moderation import database, registry
from moderation.policy import Action
from moderation.states import RunState, Source
from moderation.tables import Case, Label, Prediction, TrainingRun
from sandbox import scene
from tests.e2e.stage import CLEAN, MEMBER, until

OPERATOR, ELSEWHERE = 9_001, -1_009
TEXT = "Да ты сапожник, руки из жопы"  # the embedded model passes it
EMBEDDED = registry.card(registry.EMBEDDED).version
COUNT = 40


async def label(stage):
    """What three moderators of another group said of many texts: half of them like TEXT."""
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        for number in range(COUNT):
            toxic = number % 2
            text = f"{TEXT}, раз {number}" if toxic else f"Спасибо за помощь, сосед {number}"
            prediction = Prediction(
                chat_id=ELSEWHERE, message_id=number, revision=0, user_id=100 + number % 9,
                content_hash="", field="text", model_version=EMBEDDED, scores={},
                action=Action.NONE, score=0.0, threshold=1.0,
            )  # fmt: skip
            case = Case(chat_id=ELSEWHERE, user_name="", text=text, flagged=[])
            case.prediction = prediction
            session.add_all([prediction, case])
            await session.flush()
            vector = dict.fromkeys(("obscenity", "threat", "discrimination", "rude"), 0)
            session.add(
                Label(
                    case_id=case.id, chat_id=ELSEWHERE, moderator_id=1 + number % 3,
                    source=Source.BUTTON, text=text, model_version=EMBEDDED, scores={},
                    vector=vector | {"insult": toxic, "non_toxic": 1 - toxic},
                )
            )  # fmt: skip


async def judged(stage, group, text):
    number = len(await stage.predictions(group))
    await stage.people.write(group, MEMBER, text)
    await stage.settled(group, number + 1)
    return (await stage.predictions(group))[-1]


async def newest(stage, words):
    async def there():
        found = await stage.people.messages(OPERATOR, scene.BOT_ID)
        return next((m for m in reversed(found) if words in m.get("text", "")), None)

    return await until(there)


async def serves(stage, version):
    swaps = [line for line in stage.bot.said.splitlines() if "model swapped" in line]
    return bool(swaps) and f"version={version}" in swaps[-1]


@pytest.mark.timeout(900)
async def test_labels_become_a_model_that_serves_and_can_be_taken_back(own_stage):
    stage = own_stage
    stage.environment |= {"OPERATOR_IDS": str(OPERATOR), "RETRAIN_MIN_LABELS": "20"}
    stage.environment["RETRAIN_PRIORITY"] = "low"  # other tests are always busy
    await stage.people.post("users", id=OPERATOR, first_name="Оля", language_code="ru")
    await stage.start_bot()
    group = await stage.group()
    before = await judged(stage, group, TEXT)
    assert before.model_version == EMBEDDED
    await label(stage)
    await stage.people.write(OPERATOR, OPERATOR, "/start")
    await stage.people.write(OPERATOR, OPERATOR, "/retrain")
    question = await newest(stage, "метками: 40")
    await stage.people.press(OPERATOR, question["message_id"], OPERATOR, button="Обучить")
    seen = set()

    async def ended():
        found = await stage.people.messages(OPERATOR)
        shown = next(m for m in found if m["message_id"] == question["message_id"])["text"]
        seen.add(shown)
        (run,) = await stage.rows(TrainingRun)
        return run if run.is_reported else None

    while len(seen) < 4:  # moderation goes on beside
        assert (await judged(stage, group, f"{CLEAN} {len(seen)}")).action is Action.NONE
        await ended()
    run = await until(ended, 800)
    assert run.state is RunState.FINISHED, run.detail
    assert any("Ошибка" in text and "AP" in text for text in seen)
    assert any("Учу" in text for text in seen)
    found = await stage.people.messages(OPERATOR, scene.BOT_ID)
    verdict = next(m for m in found if m["message_id"] == run.verdict_id)
    for words in ("В среднем", "Оскорбление", "точность", "полнота"):
        assert words in verdict["text"]
    assert sum("photo" in m for m in found) >= 2
    assert sum("document" in m for m in found) == 1
    for button in ("on",) if run.promote else ("force", "sure"):
        data = outcome.Press(run=run.id, button=button).pack()
        await stage.people.press(OPERATOR, verdict["message_id"], OPERATOR, data=data)

    await until(lambda: serves(stage, run.version), 60)
    after = await judged(stage, group, TEXT)
    assert after.model_version == run.version
    assert after.scores["insult"] > before.scores["insult"]
    assert after.action > before.action
    await stage.people.write(OPERATOR, OPERATOR, "/model")
    listed = await newest(stage, "Версии модели")
    await stage.people.press(
        OPERATOR, listed["message_id"], OPERATOR, button=f"↩️ Вернуть {EMBEDDED}"
    )
    await newest(stage, "вместо")
    await stage.people.press(OPERATOR, listed["message_id"], OPERATOR, button="Да, вернуть")

    await until(lambda: serves(stage, EMBEDDED), 60)
    again = await judged(stage, group, TEXT)
    assert (again.model_version, again.action) == (EMBEDDED, before.action)
    assert again.scores == before.scores
