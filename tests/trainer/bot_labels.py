"""Databases of the bot, as it writes them."""

from moderation import database
from moderation.categories import Category
from moderation.policy import Action
from moderation.states import Source
from moderation.tables import Case, Label, Prediction


async def fill(url, votes, imported=(), author=lambda number: 5):
    """A case for each text, and labels of moderators: text, moderator, stated labels. Those that
    are imported have no case. `author` tells who wrote a text by the number of its first label."""
    async with database.opened(url) as sessions, sessions.begin() as session:
        cases = {}
        for number, (text, moderator, stated) in enumerate(votes):
            if text not in cases:
                prediction = Prediction(
                    chat_id=-1, message_id=number, revision=0, user_id=author(number),
                    content_hash="0",
                    field="text", model_version="v", scores={}, action=Action.NONE, score=0.0,
                    threshold=1.0,
                )  # fmt: skip
                session.add(prediction)
                await session.flush()
                case = Case(
                    prediction_id=prediction.id, chat_id=-1, user_name="имя", text=text, flagged=[]
                )
                session.add(case)
                await session.flush()
                cases[text] = case.id
            session.add(
                Label(
                    case_id=cases[text], chat_id=-1, moderator_id=moderator, source=Source.BUTTON,
                    text=text, vector={c.value: stated.get(c.value) for c in Category},
                    model_version="v", scores={},
                )
            )  # fmt: skip
            await session.flush()
        for number, (text, moderator, stated) in enumerate(imported):
            session.add(
                Label(
                    moderator_id=moderator, source=Source.IMPORT, text=text,
                    vector={c.value: stated.get(c.value) for c in Category},
                    model_version="v", scores={}, import_key=str(number),
                )
            )  # fmt: skip
            await session.flush()
