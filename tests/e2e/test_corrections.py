import pytest
import pytest_asyncio

from moderation.categories import Category
from moderation.states import Act, ActState, Verdict
from tests.e2e.stage import INSULT, MEMBER, MODERATOR, OWNER, STRANGER, prefer, until

TOXIC = [c for c in Category if c is not Category.NON_TOXIC]


@pytest_asyncio.fixture(loop_scope="session")
async def flagged(stage):
    """A group, its moderators' chat, and the case of an insult that was deleted there."""
    group, modchat = await stage.moderated_group()
    await stage.people.write(group, MEMBER, INSULT)
    return group, modchat, await stage.card(group)


async def test_right_is_a_label_for_what_the_card_claims(stage, flagged):
    group, modchat, case = flagged
    answer = await stage.press(case, MODERATOR, button="✅ Верно")
    assert "Принято" in answer["text"]
    (label,) = await stage.labels(group)
    assert label.vector["insult"] == 1
    assert label.vector["non_toxic"] == 0
    assert label.vector["discrimination"] is None
    assert (label.moderator_id, label.text, label.source) == (MODERATOR, INSULT, "button")
    assert label.model_version == case.prediction.model_version
    assert label.scores == case.prediction.scores
    (card,) = await until(lambda: stage.said(modchat, "✅ Верно"))
    assert "Модератор" in card["text"]
    names = [b["text"] for row in card["reply_markup"]["inline_keyboard"] for b in row]
    assert names == ["⚠️ Предупредить", "🤝 Простить", "🔇 1 ч", "🔇 24 ч", "⛔️ Бан"]


async def test_not_toxic_takes_the_action_back(stage, flagged):
    group, modchat, case = flagged
    await stage.press(case, OWNER, button="🕊 Не токсично")
    (label,) = await stage.labels(group)
    assert label.vector == {**dict.fromkeys(TOXIC, 0), "non_toxic": 1}
    (restored,) = await until(lambda: stage.said(group, "по ошибке"))
    assert INSULT in restored["text"]
    await until(lambda: stage.said(modchat, "Не токсично"))


async def test_the_categories_can_be_corrected(stage, flagged):
    group, _modchat, case = flagged
    await stage.press(case, MODERATOR, button="✏️ Исправить")
    await until(lambda: buttons(stage, case, "☑️ Оскорбление"))
    await stage.press(case, MODERATOR, button="☑️ Оскорбление")
    await until(lambda: buttons(stage, case, "▫️ Оскорбление"))
    await stage.press(case, MODERATOR, button="▫️ Угроза")
    await until(lambda: buttons(stage, case, "☑️ Угроза"))
    await stage.press(case, MODERATOR, button="Готово")
    (label,) = await stage.labels(group)
    assert {name for name, value in label.vector.items() if value} == {"threat"}
    assert None not in label.vector.values()
    assert (await stage.cases(group))[0].verdict is Verdict.CORRECTED
    assert not await stage.said(group, "по ошибке")


async def test_done_with_nothing_chosen_means_not_toxic(stage, flagged):
    group, _, case = flagged
    await stage.press(case, MODERATOR, data=f"c:{case.id}:done:0")
    assert (await stage.cases(group))[0].verdict is Verdict.CLEAN
    await until(lambda: stage.said(group, "по ошибке"))


@pytest.mark.parametrize("user", [STRANGER, MEMBER])
async def test_a_press_by_someone_who_moderates_nothing_is_refused(stage, flagged, user):
    group, _modchat, case = flagged
    for data in (f"c:{case.id}:clean:0", f"c:{case.id}:right:0", f"c:{case.id}:done:1"):
        answer = await stage.press(case, user, data=data)
        assert "только администраторы" in answer["text"]
        assert answer["show_alert"]
    assert await stage.labels(group) == []
    assert (await stage.cases(group))[0].verdict is None


async def test_somebody_demoted_a_moment_ago_is_refused(stage, flagged):
    group, _, case = flagged
    await stage.people.post("members", chat_id=group, user_id=MODERATOR, status="member")
    answer = await stage.press(case, MODERATOR, button="✅ Верно")
    assert "только администраторы" in answer["text"]
    assert await stage.labels(group) == []


async def test_a_moderator_of_another_group_is_refused(stage, flagged):
    _group, _, case = flagged
    other = await stage.group()
    admin = {"status": "administrator", "can_delete_messages": True}
    await stage.people.post("members", chat_id=other, user_id=STRANGER, **admin)
    answer = await stage.press(case, STRANGER, button="🕊 Не токсично")
    assert "только администраторы" in answer["text"]


async def test_a_second_press_by_the_same_moderator_changes_nothing_and_says_so(stage, flagged):
    group, _, case = flagged
    await stage.press(case, MODERATOR, data=f"c:{case.id}:right:0")
    answer = await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    assert "Уже решено: верно" in answer["text"]
    assert len(await stage.labels(group)) == 1


async def test_the_second_presser_hears_who_was_first(stage, flagged):
    group, _, case = flagged
    await stage.press(case, MODERATOR, data=f"c:{case.id}:right:0")
    answer = await stage.press(case, OWNER, data=f"c:{case.id}:clean:0")
    assert answer["text"] == "Уже решено: верно, Модератор."
    assert len(await stage.labels(group)) == 1
    assert not await stage.said(group, "по ошибке")


@pytest.mark.parametrize(
    "data",
    [
        "c:99999999999999999999999999:clean:0",
        "c:1:delete_everything:0",
        "p:-99999999999999999999999999:strict",
        "c:999999:clean:0",
        "c:1:clean",
        "c:x:clean:0",
        "p:1:strict",
        "p:0:x",
        "",
        "🙂",
    ],
)
async def test_forged_data_changes_nothing(stage, flagged, data):
    group, _, case = flagged
    await stage.people.press(case.card_chat_id, case.card_message_id, STRANGER, data=data)
    await stage.press(case, MODERATOR, data=f"c:{case.id}:right:0")
    assert len(await stage.labels(group)) == 1


async def test_a_muted_author_can_write_again_after_a_correction(stage):
    group, _ = await stage.moderated_group()
    await prefer(stage, group, preset="strict")
    await stage.people.write(group, MEMBER, "Я тебя найду и убью, сдохни, тварь!")
    case = await stage.card(group)
    acts = await stage.acts(case.id)
    assert Act.MUTE in acts, case.prediction.scores
    assert acts[Act.MUTE].state is ActState.DONE
    assert (await member(stage, group))["status"] == "restricted"
    await stage.press(case, OWNER, button="🕊 Не токсично")

    async def free():
        return (await member(stage, group))["status"] == "member"

    await until(free)


async def member(stage, group):
    chat = await stage.people.chat(group)
    return next(m for m in chat["members"] if m["user_id"] == MEMBER)


async def buttons(stage, case, text):
    """Whether the card has a button of this text."""
    messages = await stage.people.messages(case.card_chat_id)
    card = next(m for m in messages if m["message_id"] == case.card_message_id)
    rows = (card.get("reply_markup") or {}).get("inline_keyboard", [])
    return any(button["text"] == text for row in rows for button in row)
