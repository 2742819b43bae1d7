import itertools
import signal

import pytest

from moderation import database, store
from moderation.categories import TITLES, TOXIC, Category
from moderation.policy import Action
from moderation.states import ActState, AssignmentState, Origin, Verdict
from moderation.tables import Assignment, Case, Chat, Enforcement, Label, Prediction
from tests.e2e.stage import ADMIN_RIGHTS, CLEAN, INSULT, MEMBER, MODERATOR, OWNER, until

UNSURE = "Вечно вы тут со своими глупостями, надоели уже"
CALM = "Соседи, кто потерял ключи у подъезда?"
_users = itertools.count(6_100_000_000)
_messages = itertools.count(500_000)
NOTHING = dict.fromkeys((c.value for c in TOXIC), 0) | {"non_toxic": 1}


async def person(stage, code="ru", groups=(), name="Аня"):
    """A new person who moderates some groups."""
    user_id = next(_users)
    body = {"id": user_id, "first_name": name, "language_code": code}
    await stage.people.post("users", **body)
    for group in groups:
        rights = {"status": "administrator", **ADMIN_RIGHTS}
        await stage.people.post("members", chat_id=group, user_id=user_id, **rights)
    return user_id


async def add(stage, chat_id, text, *, score=0.6, message_id=None, **values):
    """A case that waits in the queue; its id."""
    prediction = Prediction(
        chat_id=chat_id, message_id=message_id or next(_messages), revision=0, user_id=MEMBER,
        content_hash="0", field="text", model_version="v1", scores={"insult": score},
        action=Action.REVIEW, category=Category.INSULT, score=score, threshold=0.75,
    )  # fmt: skip
    flagged = [] if values.get("origin") is Origin.AUDIT else ["insult"]
    case = Case(chat_id=chat_id, user_name="Имя", text=text, flagged=flagged, **values)
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        await store.record(session, prediction, case, [])
        return case.id


async def prefer(stage, chat_id, **preferences):
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        (await session.get_one(Chat, chat_id)).preferences = preferences


class Review:
    """The message in which a person reviews."""

    def __init__(self, stage, at, user_id, message_id):
        self.stage, self.at, self.user_id, self.id = stage, at, user_id, message_id

    async def message(self):
        found = await self.stage.people.messages(self.at)
        return next(message for message in found if message["message_id"] == self.id)

    async def buttons(self):
        markup = (await self.message()).get("reply_markup") or {}
        return {b["text"]: b for row in markup.get("inline_keyboard", []) for b in row}

    async def shows(self, words):
        async def has():
            message = await self.message()
            return message if words in message["text"] else None

        return await until(has)

    async def press(self, user_id=None, **button):
        """Press a button; the bot's answer."""
        where = Case(card_chat_id=self.at, card_message_id=self.id)
        return await self.stage.press(where, user_id or self.user_id, **button)

    async def choose(self, title):
        await self.press(button=f"▫️ {title}")

        async def is_on():
            return f"☑️ {title}" in await self.buttons()

        await until(is_on)


async def opened(stage, user_id, at=None, command="/review"):
    at = at or user_id
    known = {m["message_id"] for m in await stage.people.messages(at)} if at != user_id else set()
    asked = await stage.people.write(at, user_id, command)

    async def answered():
        found = await stage.people.messages(at)
        return [m for m in found if m["message_id"] > asked and m["message_id"] not in known]

    return Review(stage, at, user_id, (await until(answered))[0]["message_id"])


async def one(stage, case_id):
    (case,) = await stage.rows(Case, Case.id == case_id)
    return case


async def labels_of(stage, case_id):
    return await stage.rows(Label, Label.case_id == case_id)


async def test_one_message_shows_case_after_case_blind(stage):
    group = await stage.group(title="Двор <№5>")
    anna = await person(stage, groups=[group])
    first = await add(stage, group, UNSURE, score=0.74)
    second = await add(stage, group, "Опять бред какой-то пишете & <шлёте>", score=0.62)
    review = await opened(stage, anna)
    shown = await review.shows("1 из 30 на сегодня")
    assert "Двор <№5>" in shown["text"]
    assert UNSURE in shown["text"]
    for told in ("0,7", "0.7", "74", "Отчёт", "жалоб", "вероятн", "Имя"):
        assert told not in shown["text"].replace("Двор <№5>", "")
    assert "spoiler" in {entity["type"] for entity in shown["entities"]}
    assert list(await review.buttons()) == [
        *(f"▫️ {TITLES[c]['ru']}" for c in TOXIC),
        "🕊 Не токсично", "Готово", "Пропустить", "Хватит на сегодня",
    ]  # fmt: skip

    await review.choose("Оскорбление")
    await review.choose("Угроза")
    await review.press(button="Готово")
    shown = await review.shows("2 из 30 на сегодня")
    assert "Опять бред какой-то пишете & <шлёте>" in shown["text"]
    (label,) = await labels_of(stage, first)
    assert label.vector == NOTHING | {"insult": 1, "threat": 1, "non_toxic": 0}
    assert (label.moderator_id, label.source, label.text) == (anna, "review", UNSURE)
    assert label.probability is None
    assert (await one(stage, first)).verdict is Verdict.CONFIRMED

    await review.press(button="🕊 Не токсично")
    await review.shows("Сейчас проверять нечего")
    assert not await review.buttons()
    (label,) = await labels_of(stage, second)
    assert label.vector == NOTHING
    assert (await one(stage, second)).verdict is Verdict.CLEAN


async def test_every_label_can_be_given(stage):
    group = await stage.group()
    anna = await person(stage, groups=[group])
    texts = [UNSURE, CALM, "Да кто тебя спросил", "Уезжай отсюда подальше", "Ну и чушь собачья"]
    cases = {text: await add(stage, group, text) for text in [*texts, "Завтра в десять собрание"]}
    review = await opened(stage, anna)
    for i, title in enumerate([*(TITLES[c]["ru"] for c in TOXIC), None], start=1):
        shown = await review.shows(f"{i} из 30 на сегодня")
        if title:
            await review.choose(title)
        await review.press(button="Готово")  # with nothing chosen it means not toxic
        await review.shows(f"{i + 1} из 30" if i <= len(TOXIC) else "нечего")
        case_id = next(id_ for text, id_ in cases.items() if text in shown["text"])
        (label,) = await labels_of(stage, case_id)
        expected = {TOXIC[i - 1].value: 1, "non_toxic": 0} if title else {}
        assert label.vector == NOTHING | expected


async def test_in_english_to_those_who_speak_it(stage):
    group = await stage.group()
    ben = await person(stage, "en", groups=[group], name="Ben")
    await add(stage, group, UNSURE)
    review = await opened(stage, ben, command="/start review")
    await review.shows("1 of 30 for today")
    assert list(await review.buttons()) == [
        *(f"▫️ {TITLES[c]['en']}" for c in TOXIC),
        "🕊 Not toxic", "Done", "Skip", "Enough for today",
    ]  # fmt: skip
    await review.choose("Insult")
    await review.press(button="Enough for today")
    await review.shows("0 messages reviewed today")
    assert not await review.buttons()
    again = await opened(stage, ben)  # what was open is still to be answered
    assert UNSURE in (await again.message())["text"]
    await again.press(button="🕊 Not toxic")
    await again.shows("There is nothing to review now")
    assert len(await stage.labels(group)) == 1


async def test_an_audited_message_that_is_toxic_has_no_consequences(stage):
    group = await stage.group()
    anna = await person(stage, groups=[group])
    written = await stage.people.write(group, MEMBER, CLEAN)
    await stage.settled(group, 1)
    audit = await add(
        stage, group, CALM, score=0.02, message_id=written + 100_000, origin=Origin.AUDIT,
        probability=0.04,
    )  # fmt: skip
    review = await opened(stage, anna)
    await review.shows(CALM)
    await review.choose("Угроза")
    await review.press(button="Готово")
    await review.shows("нечего")
    (label,) = await labels_of(stage, audit)
    assert (label.source, label.probability, label.vector["threat"]) == ("audit", 0.04, 1)
    case = await one(stage, audit)
    assert (case.verdict, case.resolved_by) == (Verdict.CORRECTED, anna)
    assert case.card_message_id is None
    assert await stage.rows(Enforcement, Enforcement.case_id == audit) == []
    assert written in [m["message_id"] for m in await stage.people.messages(group)]


async def test_a_wrong_deletion_is_taken_back_from_the_queue_too(stage):
    group, modchat = await stage.moderated_group()
    anna = await person(stage, groups=[group])
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    review = await opened(stage, anna)
    await review.shows(INSULT)
    await review.press(button="🕊 Не токсично")
    await until(lambda: stage.said(group, "по ошибке"))
    await until(lambda: stage.said(modchat, "Аня"))
    acts = await stage.acts(case.id)
    assert {act.state for act in acts.values()} == {ActState.DONE}
    (label,) = await labels_of(stage, case.id)
    assert (label.source, label.vector) == ("review", NOTHING)
    answer = await stage.press(await stage.card(group), MODERATOR, data=f"c:{case.id}:right:0")
    assert "Аня" in answer["text"]  # who was first


async def test_the_queue_hears_when_a_card_was_faster(stage):
    group, _ = await stage.moderated_group()
    anna = await person(stage, groups=[group])
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    async with database.opened(stage.database_url) as sessions, sessions.begin() as session:
        (await session.get_one(Case, case.id)).is_seconded = False
    review = await opened(stage, anna)
    await review.shows(INSULT)
    await stage.press(case, OWNER, button="🕊 Не токсично")
    answer = await review.press(button="Готово")
    assert answer["text"] == "Это сообщение уже проверил другой модератор."
    await review.shows("нечего")
    assert [label.moderator_id for label in await stage.labels(group)] == [OWNER]


async def test_what_is_skipped_comes_to_others(stage):
    group = await stage.group()
    anna, boris = await person(stage, groups=[group]), await person(stage, groups=[group])
    case_id = await add(stage, group, UNSURE)
    review = await opened(stage, anna)
    await review.shows(UNSURE)
    assert "проверять нечего" in (await (await opened(stage, boris)).message())["text"]
    await review.press(button="Пропустить")
    await review.shows("нечего")
    assert "нечего" in (await (await opened(stage, anna)).message())["text"]
    other = await opened(stage, boris)
    await other.shows(UNSURE)
    assert await labels_of(stage, case_id) == []


async def test_the_days_budget_is_the_highest_of_ones_groups(stage):
    group, other = await stage.group(), await stage.group()
    anna = await person(stage, groups=[group, other])
    await prefer(stage, group, reviews_a_day=1)
    await prefer(stage, other, reviews_a_day=2)
    texts = [UNSURE, CALM, "Третье сообщение, совсем о другом"]
    for text in texts:
        await add(stage, group, text)
    review = await opened(stage, anna)
    await review.shows("1 из 2 на сегодня")
    await review.press(button="🕊 Не токсично")
    await review.shows("2 из 2 на сегодня")
    await review.press(button="🕊 Не токсично")
    shown = await review.shows("На сегодня всё: проверено 2 сообщения. Спасибо!")
    assert not any(text in shown["text"] for text in texts)
    assert "На сегодня всё" in (await (await opened(stage, anna)).message())["text"]
    assert len(await stage.labels(group)) == 2


async def test_a_second_moderator_is_asked_and_not_told(stage):
    group = await stage.group()
    anna, boris = await person(stage, groups=[group]), await person(stage, groups=[group])
    case_id = await add(stage, group, UNSURE, is_seconded=True)
    first = await opened(stage, anna)
    seen = await first.shows(UNSURE)
    await first.choose("Оскорбление")
    await first.press(button="Готово")
    await first.shows("нечего")
    second = await opened(stage, boris)
    assert (await second.message())["text"] == seen["text"]
    await second.press(button="🕊 Не токсично")
    await second.shows("нечего")
    one_, other = await labels_of(stage, case_id)
    assert (one_.moderator_id, one_.source) == (anna, "review")
    assert (other.moderator_id, other.source, other.vector) == (boris, "second", NOTHING)
    case = await one(stage, case_id)
    assert (case.verdict, case.resolved_by) == (Verdict.CONFIRMED, anna)
    third = await person(stage, groups=[group])
    assert "нечего" in (await (await opened(stage, third)).message())["text"]


async def test_strangers_see_nothing(stage):
    group = await stage.group()
    await add(stage, group, UNSURE)
    for code, words in (("ru", "Среди ваших групп таких нет"), ("en", "None of your groups")):
        review = await opened(stage, await person(stage, code))
        await review.shows(words)
        assert not await review.buttons()


async def test_somebody_demoted_a_moment_ago_is_refused(stage):
    group = await stage.group(title="Двор")
    anna = await person(stage, groups=[group])
    case_id = await add(stage, group, UNSURE)
    review = await opened(stage, anna)
    await review.shows(UNSURE)
    await stage.people.post("members", chat_id=group, user_id=anna, status="member")
    for title in ("🕊 Не токсично", "▫️ Мат", "Пропустить", "Хватит на сегодня"):
        answer = await review.press(button=title)
        assert "только администраторы группы «Двор»" in answer["text"]
        assert answer["show_alert"]
    assert await labels_of(stage, case_id) == []
    assert (await one(stage, case_id)).verdict is None
    assert "Среди ваших групп таких нет" in (await (await opened(stage, anna)).message())["text"]


async def test_a_moderator_of_another_group_sees_and_decides_nothing_of_this_one(stage):
    group, other = await stage.group(), await stage.group()
    boris = await person(stage, groups=[other])
    own = await add(stage, other, CALM)
    case_id = await add(stage, group, UNSURE)
    review = await opened(stage, boris)
    await review.shows(CALM)
    answer = await review.press(data=f"q:{case_id}:{boris}:done:1")
    assert "больше не работает" in answer["text"]
    await review.press(button="Пропустить")
    assert "нечего" in (await review.shows("нечего"))["text"]
    assert await labels_of(stage, case_id) == await labels_of(stage, own) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("q:{case}:{other}:clean:0", "другой модератор"),
        ("q:{unseen}:{anna}:clean:0", "больше не работает"),
        ("q:99999999:{anna}:done:1", "больше не работает"),
        ("q:{case}:{anna}:done:32", None),
        ("q:{case}:{anna}:erase:0", None),
        ("q:{case}:{anna}:done", None),
        ("q:99999999999999999999:{anna}:done:0", None),
        ("q:::", None),
    ],
)
async def test_forged_data_changes_nothing(stage, data, said):
    group = await stage.group()
    anna = await person(stage, groups=[group])
    case_id = await add(stage, group, UNSURE, score=0.74)
    unseen = await add(stage, group, CALM, score=0.2)
    review = await opened(stage, anna)
    before = await review.shows(UNSURE)
    forged = data.format(case=case_id, unseen=unseen, anna=anna, other=MODERATOR)
    if said:
        assert said in (await review.press(data=forged))["text"]
    else:
        await stage.people.press(review.at, review.id, anna, data=forged)
        await review.press(data=f"q:99999999:{anna}:skip:0")  # whatever comes next was handled
    assert await review.message() == before
    assert await stage.labels(group) == []
    assert {case.verdict for case in await stage.cases(group)} == {None}
    assert "update failed" not in stage.bot.said


async def test_in_the_moderators_chat_it_belongs_to_who_opened_it(stage):
    group, modchat = await stage.moderated_group(title="Двор")
    elsewhere = await stage.group()
    anna = await person(stage, "en", groups=[group, elsewhere, modchat])
    case_id = await add(stage, group, UNSURE)
    await add(stage, elsewhere, CALM)
    review = await opened(stage, anna, modchat)
    await review.shows("1 из 30 на сегодня")  # the group's language
    answer = await review.press(OWNER, button="🕊 Не токсично")
    assert answer["text"].startswith("Эту проверку открыл другой модератор")
    assert answer["show_alert"]
    assert await labels_of(stage, case_id) == []
    await review.choose("Грубость")
    await review.press(button="Готово")
    await review.shows("Сейчас проверять нечего")  # other groups are not for this chat
    (label,) = await labels_of(stage, case_id)
    assert label.moderator_id == anna


async def test_in_a_group_a_button_leads_to_the_private_chat(stage):
    group = await stage.group()
    anna = await person(stage, groups=[group])
    await add(stage, group, UNSURE)
    await stage.people.write(group, MEMBER, "/review")
    await stage.settled(group, 1)
    await stage.people.write(group, anna, "/review")

    async def answered():
        found = [*await stage.people.messages(group), *await stage.people.ephemeral(group)]
        return [m for m in found if "в личном чате" in m.get("text", "")]

    (answer,) = await until(answered)
    ((button,),) = answer["reply_markup"]["inline_keyboard"]
    assert button["url"] == "https://t.me/demo_moderator_bot?start=review"
    everything = [*await stage.people.messages(group), *await stage.people.ephemeral(group)]
    assert not [m for m in everything if UNSURE in m.get("text", "")]


async def test_pressed_twice_or_delivered_twice_it_counts_once(stage):
    group = await stage.group()
    anna = await person(stage, groups=[group])
    case_id = await add(stage, group, UNSURE, score=0.74)
    following = await add(stage, group, CALM, score=0.2)
    review = await opened(stage, anna)
    data = (await review.buttons())["🕊 Не токсично"]["callback_data"]
    await stage.people.press(review.at, review.id, anna, data=data)
    await review.press(data=data)
    await review.shows("2 из 30")
    await stage.people.post("redeliveries", count=3)
    await review.press(data=f"q:99999999:{anna}:skip:0")
    assert len(await labels_of(stage, case_id)) == 1
    assert await labels_of(stage, following) == []
    assert CALM in (await review.message())["text"]


async def test_it_goes_on_after_a_restart(own_stage):
    stage = own_stage
    await stage.start_bot()
    group = await stage.group()
    anna = await person(stage, groups=[group])
    first = await add(stage, group, UNSURE, score=0.74)
    await add(stage, group, CALM, score=0.6)
    review = await opened(stage, anna)
    await review.choose("Грубость")
    await stage.bot.stop(signal.SIGKILL)
    await stage.start_bot()
    await review.choose("Мат")
    query = stage.people.press(review.at, review.id, anna, button="Готово")
    await stage.bot.stop()
    await query  # pressed while it was down
    await stage.start_bot()
    await review.shows("2 из 30 на сегодня")
    (label,) = await labels_of(stage, first)
    assert {name for name, value in label.vector.items() if value} == {"rude", "obscenity"}
    rows = await stage.rows(Assignment, Assignment.moderator_id == anna)
    assert [row.state for row in rows] == [AssignmentState.ANSWERED, AssignmentState.SHOWN]
