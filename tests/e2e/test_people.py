"""What moderators decide about authors, and that taking it back really takes it back."""

from datetime import timedelta

import pytest
import pytest_asyncio

from moderation.columns import now
from moderation.states import Act, ActState, PersonDecision
from moderation.tables import Case, Strike
from tests.e2e.stage import INSULT, MEMBER, MODERATOR, OWNER, STRANGER, until

PERMISSIONS = {"can_send_messages": True, "can_send_photos": True, "can_react_to_messages": True}


@pytest_asyncio.fixture(loop_scope="session")
async def confirmed(stage):
    """A group, its moderators' chat, and the case of an insult that a moderator confirmed."""
    group, modchat = await stage.moderated_group()
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    await stage.press(case, MODERATOR, data=f"c:{case.id}:right:0")
    await until(lambda: stage.said(modchat, "✅ Верно —"))
    return group, modchat, case


async def standing(stage, group, user_id=MEMBER):
    chat = await stage.people.chat(group)
    return next(m for m in chat["members"] if m["user_id"] == user_id)


async def until_status(stage, group, status):
    async def reached():
        found = await standing(stage, group)
        return found if found["status"] == status else None

    return await until(reached)


async def read(stage, case):
    (found,) = await stage.rows(Case, Case.id == case.id)
    return found


@pytest.mark.parametrize(("button", "hours"), [("🔇 1 ч", 1), ("🔇 24 ч", 24)])
async def test_a_mute_lasts_as_long_as_its_button_says(stage, confirmed, button, hours):
    group, modchat, case = confirmed
    await stage.press(case, OWNER, button=button)
    member = await until_status(stage, group, "restricted")
    left = member["until_date"] - now().timestamp()
    assert abs(left - hours * 3600) < 120
    (card,) = await until(lambda: stage.said(modchat, "🔇 Решено: запрет писать"))
    assert "Хозяйка группы" in card["text"]
    assert "автор не может писать до" in card["text"].lower()
    names = [b["text"] for row in card["reply_markup"]["inline_keyboard"] for b in row]
    assert names == ["🤝 Простить"]


async def test_forgiving_gives_back_the_very_rights_that_were_there_before(stage, confirmed):
    group, modchat, case = confirmed
    ends = int((now() + timedelta(days=30)).timestamp())
    before = {"status": "restricted", "permissions": PERMISSIONS, "until_date": ends}
    await stage.people.post("members", chat_id=group, user_id=MEMBER, **before)
    former = await standing(stage, group)
    await stage.press(case, MODERATOR, button="🔇 24 ч")

    async def muted():
        member = await standing(stage, group)
        return not member["permissions"]["can_send_messages"]

    await until(muted)
    await stage.press(case, MODERATOR, button="🤝 Простить")
    await until(lambda: stage.said(modchat, "Решено простить"))
    after = await standing(stage, group)
    assert after["permissions"] == former["permissions"]
    assert after["until_date"] == ends
    assert after["status"] == "restricted"


async def test_two_mutes_are_taken_back_one_by_one(stage, confirmed):
    group, modchat, first = confirmed
    await stage.people.write(group, MEMBER, "Да ты просто тупой идиот и мразь конченая")
    second = await until(lambda: newer(stage, group, first))
    await stage.press(second, OWNER, data=f"c:{second.id}:right:0")
    await stage.press(first, OWNER, data=f"a:{first.id}:mute_hour")
    await until_status(stage, group, "restricted")
    await stage.press(second, OWNER, data=f"a:{second.id}:mute_day")
    await until(lambda: acted(stage, second, Act.MUTE))
    day = (await standing(stage, group))["until_date"]

    await stage.press(first, OWNER, data=f"a:{first.id}:forgive")
    await until(lambda: stage.said(modchat, "действует другой, более поздний запрет"))
    member = await standing(stage, group)
    assert (member["status"], member["until_date"]) == ("restricted", day)

    await stage.press(second, OWNER, data=f"a:{second.id}:forgive")
    await until_status(stage, group, "member")


async def newer(stage, group, case):
    found = await stage.card(group)
    return found if found.id > case.id else None


async def acted(stage, case, act):
    rows = await stage.acts(case.id)
    return act in rows and rows[act].state is ActState.DONE


async def test_a_ban_is_lifted_without_kicking_who_came_back(stage, confirmed):
    group, modchat, case = confirmed
    await stage.press(case, OWNER, button="⛔️ Бан")
    await until_status(stage, group, "kicked")
    owner = {"chat_id": group, "user_id": MEMBER, "by": OWNER}
    await stage.people.post("members", **owner, status="left")
    await stage.people.post("members", **owner, status="member")
    await stage.press(case, OWNER, button="🤝 Простить")
    await until(lambda: stage.said(modchat, "Решено простить"))
    assert (await standing(stage, group))["status"] == "member"


async def test_a_warning_is_a_strike_and_forgiving_withdraws_it(stage, confirmed):
    _, modchat, case = confirmed
    await stage.press(case, MODERATOR, button="⚠️ Предупредить")
    await until(lambda: stage.said(modchat, "⚠️ Решено предупредить"))
    (strike,) = await stage.rows(Strike, Strike.case_id == case.id)
    assert strike.withdrawn_at is None
    await stage.press(case, MODERATOR, button="🤝 Простить")
    await until(lambda: stage.said(modchat, "Решено простить"))
    (strike,) = await stage.rows(Strike, Strike.case_id == case.id)
    assert strike.withdrawn_at is not None


async def test_who_comes_second_hears_what_was_decided(stage, confirmed):
    _, _, case = confirmed
    await stage.press(case, MODERATOR, data=f"a:{case.id}:warn")
    answer = await stage.press(case, OWNER, data=f"a:{case.id}:ban")
    assert answer["text"] == "Уже решено: предупредить, Модератор."
    assert (await read(stage, case)).person is PersonDecision.WARN


async def test_the_text_is_decided_before_its_author(stage):
    group, _ = await stage.moderated_group()
    await stage.people.write(group, MEMBER, INSULT)
    case = await stage.card(group)
    answer = await stage.press(case, MODERATOR, data=f"a:{case.id}:ban")
    assert "Сначала решите" in answer["text"]
    assert (await standing(stage, group))["status"] == "member"
    await stage.press(case, MODERATOR, data=f"c:{case.id}:clean:0")
    await stage.press(case, MODERATOR, data=f"a:{case.id}:ban")
    assert (await standing(stage, group))["status"] == "member"


@pytest.mark.parametrize("user", [MEMBER, STRANGER])
async def test_only_moderators_decide_about_people(stage, confirmed, user):
    group, _, case = confirmed
    for decision in PersonDecision:
        answer = await stage.press(case, user, data=f"a:{case.id}:{decision.value}")
        assert "только администраторы" in answer["text"]
    assert (await read(stage, case)).person is None
    assert (await standing(stage, group))["status"] == "member"


async def test_banning_needs_the_right_to_restrict(stage, confirmed):
    group, _, case = confirmed
    deletes = {"status": "administrator", "can_delete_messages": True}
    await stage.people.post("members", chat_id=group, user_id=STRANGER, **deletes)
    answer = await stage.press(case, STRANGER, data=f"a:{case.id}:ban")
    assert "право блокировать" in answer["text"]
    assert (await read(stage, case)).person is None
    await stage.press(case, STRANGER, data=f"a:{case.id}:warn")
    assert (await read(stage, case)).person is PersonDecision.WARN


async def test_an_author_who_became_an_administrator_is_left_alone(stage, confirmed):
    group, _, case = confirmed
    admin = {"status": "administrator", "can_delete_messages": True}
    await stage.people.post("members", chat_id=group, user_id=MEMBER, **admin)
    answer = await stage.press(case, OWNER, data=f"a:{case.id}:ban")
    assert "администратор группы" in answer["text"]
    assert (await standing(stage, group))["status"] == "administrator"


@pytest.mark.parametrize(
    "data", ["a:{0}:kill", "a:{0}", "a:0:ban", "a:-5:ban", "a:x:ban", "a:9" * 9]
)
async def test_forged_decisions_change_nothing(stage, confirmed, data):
    group, _, case = confirmed
    at = (case.card_chat_id, case.card_message_id)
    await stage.people.press(*at, MODERATOR, data=data.format(case.id))
    await stage.press(case, MODERATOR, data=f"a:{case.id}:forgive")
    assert (await read(stage, case)).person is PersonDecision.FORGIVE
    assert (await standing(stage, group))["status"] == "member"


async def test_an_english_moderator_is_answered_in_english(stage, confirmed):
    _, _, case = confirmed
    await stage.people.post("users", id=OWNER, first_name="Хозяйка группы", language_code="en")
    try:
        answer = await stage.press(case, OWNER, data=f"c:{case.id}:clean:0")
        assert answer["text"] == "Already decided: right, Модератор."
        answer = await stage.press(case, OWNER, data=f"a:{case.id}:warn")
        assert answer["text"] == "Noted, thank you!"
    finally:
        await stage.people.post("users", id=OWNER, first_name="Хозяйка группы", language_code="ru")
