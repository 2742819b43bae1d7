"""Changing a group's preferences, and the record of who changed what."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from moderation.categories import Category
from moderation.policy import PRESETS, Action
from moderation.preferences import Override, Preferences
from moderation.tables import Chat, PreferenceChange


async def held(session: AsyncSession, chat_id: int) -> Preferences:
    """The preferences of a group, held until the transaction ends: whoever reads them, changes
    them and writes them here overwrites nobody. A write comes first, for SQLite locks no row that
    is only read. NoResultFound if there is no such group."""
    statement = update(Chat).where(Chat.id == chat_id).values(is_active=Chat.is_active)
    await session.execute(statement, execution_options={"synchronize_session": False})
    group = await session.get_one(Chat, chat_id, populate_existing=True)
    return Preferences.of(group.preferences)


async def change(
    session: AsyncSession, chat_id: int, user_id: int, new: Preferences
) -> Sequence[str]:
    """Give a group new preferences, and note who changed which fields; returns these fields."""
    before = (await held(session, chat_id)).model_dump(mode="json")
    after = new.model_dump(mode="json")
    changed = [field for field in after if after[field] != before[field]]
    if not changed:
        return changed
    group = await session.get_one(Chat, chat_id)
    group.preferences = new.stored()
    session.add_all(
        PreferenceChange(
            chat_id=chat_id,
            user_id=user_id,
            field=field,
            before=before[field],
            after=after[field],
        )
        for field in changed
    )
    return changed


async def connect(
    session: AsyncSession, chat_id: int, modchat_id: int | None, user_id: int
) -> None:
    """Send a group's cards to another chat, or with None to its owner; noted as a change."""
    await held(session, chat_id)
    group = await session.get_one(Chat, chat_id)
    if group.modchat_id == modchat_id:
        return
    session.add(
        PreferenceChange(
            chat_id=chat_id,
            user_id=user_id,
            field="modchat_id",
            before=group.modchat_id,
            after=modchat_id,
        )
    )
    group.modchat_id, group.card_error = modchat_id, None


async def history(
    session: AsyncSession, chat_id: int, limit: int = 10
) -> Sequence[PreferenceChange]:
    """The last changes of a group's preferences, the newest first."""
    statement = (
        select(PreferenceChange)
        .where(PreferenceChange.chat_id == chat_id)
        .order_by(PreferenceChange.id.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def groups(session: AsyncSession) -> Sequence[Chat]:
    """The groups that have settings: those the bot is in, save the moderators' own chats."""
    modchats = select(Chat.modchat_id).where(
        Chat.modchat_id.is_not(None), Chat.modchat_id != Chat.id
    )
    statement = select(Chat).where(Chat.is_active, Chat.id.not_in(modchats))
    return (await session.scalars(statement.order_by(Chat.title, Chat.id))).all()


def replaced(current: Preferences, **values: Any) -> Preferences:
    """Preferences with some fields changed; ValidationError for a value that can't be."""
    return Preferences.model_validate(current.model_dump() | values)


def threshold_of(current: Preferences, category: Category) -> float:
    """The threshold of a category, or the one that it would have if it weren't allowed."""
    override = current.overrides.get(category)
    usual = PRESETS[current.preset].rules.get(category) or PRESETS["standard"].rules[category]
    return (override and override.threshold) or usual.threshold


def with_rule(
    current: Preferences, category: Category, threshold: float, action: Action
) -> Preferences:
    """Preferences in which a category has this rule; what the preset has too isn't kept."""
    preset = PRESETS[current.preset].rules.get(category)
    usual = preset or PRESETS["standard"].rules[category]
    override = Override(
        threshold=None if threshold == usual.threshold else threshold,
        action=None if preset and action is preset.action else action,
    )
    if preset is None and action is Action.NONE:
        override = Override()  # a threshold alone would judge what the preset allows
    others = {c: known for c, known in current.overrides.items() if c is not category}
    if override != Override():
        others[category] = override
    return replaced(current, overrides={c: found.model_dump() for c, found in others.items()})
