"""The default scene: a group of neighbours, its moderators' chat, and the bot in both."""

from sandbox import control
from sandbox.answers import Json
from sandbox.telegram import Telegram

BOT_ID = 7_000_000_001
TOKEN = f"{BOT_ID}:sandbox-token-for-local-use-only-00"
GROUP_ID = -1_001_000_000_001
MODERATORS_ID = -1_001_000_000_002
OWNER_ID = 1001
MODERATOR_ID = 1002
MEMBER_A_ID = 1003
MEMBER_B_ID = 1004
MEMBER_C_ID = 1005
PASSER_BY_ID = 1006

NAMES = {
    OWNER_ID: "Хозяйка группы",
    MODERATOR_ID: "Модератор",
    MEMBER_A_ID: "Участник А",
    MEMBER_B_ID: "Участник Б",
    MEMBER_C_ID: "Участник В",
    PASSER_BY_ID: "Прохожий",
}


def load(telegram: Telegram) -> None:
    """Fill an empty Telegram; the bot hears of its own arrival in both chats."""
    for user_id, name in NAMES.items():
        user = {"id": user_id, "first_name": name, "language_code": "ru"}
        control.add_user(telegram, user)
    staff = [
        {"user_id": OWNER_ID, "status": "creator"},
        _administrator(MODERATOR_ID, "can_delete_messages", "can_restrict_members"),
    ]
    residents = [MEMBER_A_ID, MEMBER_B_ID, MEMBER_C_ID, PASSER_BY_ID]
    members = [{"user_id": user_id, "status": "member"} for user_id in residents]
    bot_id = telegram.bot.id
    rights = ("can_delete_messages", "can_restrict_members")
    _add_chat(
        telegram, GROUP_ID, "Соседи по двору", staff, members, _administrator(bot_id, *rights)
    )
    _add_chat(telegram, MODERATORS_ID, "Модераторы", staff, [], _administrator(bot_id))


def _administrator(user_id: int, *rights: str) -> Json:
    return {"user_id": user_id, "status": "administrator", **dict.fromkeys(rights, True)}


def _add_chat(
    telegram: Telegram, chat_id: int, title: str, staff: list[Json], members: list[Json], bot: Json
) -> None:
    chat = {"id": chat_id, "title": title, "members": [*staff, *members, bot]}
    control.add_chat(telegram, {"type": "supergroup", **chat})
