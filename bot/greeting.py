"""What the bot says of itself in a group: what it does there, its rights, where cards go."""

from markupsafe import Markup

from bot.language import Language, language
from bot.members import NEEDED_RIGHTS
from moderation.columns import now
from moderation.preferences import Preferences
from moderation.tables import Chat


def greeting(chat: Chat) -> Markup:
    """What the bot will do in a group, and which right it lacks."""
    preferences = Preferences.of(chat.preferences)
    words = language(preferences.language)
    paragraphs = [
        words(
            "greeting.hello",
            preset=words(f"preset.{preferences.preset}"),
            hint=words(f"preset.{preferences.preset}.hint"),
        ),
        rights(words, chat),
        words("greeting.cards_to_modchat" if chat.modchat_id else "greeting.cards_to_owner"),
    ]
    if missing(chat):
        paragraphs.insert(2, words("greeting.missing"))
    return Markup("\n\n").join(paragraphs)


def rights(words: Language, chat: Chat) -> Markup:
    """The checklist of the bot's rights."""
    lines = [words("greeting.rights")]
    for right in NEEDED_RIGHTS:
        mark = "✅" if right in (chat.rights or []) else "❌"
        lines.append(Markup("{} {}").format(mark, words(f"right.{right}")))
    return Markup("\n").join(lines)


def missing(chat: Chat) -> list[str]:
    """The needed rights that the bot lacks in a group."""
    return [right for right in NEEDED_RIGHTS if right not in (chat.rights or [])]


def mode(words: Language, preferences: Preferences) -> Markup:
    """The preset, and until when the bot only observes."""
    shown = words(f"preset.{preferences.preset}")
    until = preferences.observe_until
    if until is not None and until > now():
        return words("greeting.observing", preset=shown, until=words.moment(until))
    return shown
