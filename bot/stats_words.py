"""The words of /stats: short enough for the caption of a picture, 1024 characters."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from markupsafe import Markup

from bot.language import Language
from moderation.accuracy import Estimate, Insufficient, Result
from moderation.categories import Category
from moderation.figures import Figures, Period
from moderation.quality import Measured
from moderation.states import Act, Source, Verdict
from moderation.tables import Chat

_REASONS = 5
_TITLES = 3  # of groups that are named
_TITLE_LIMIT = 24
_VERSION_LIMIT = 40
_ACTS = {
    Act.DELETE: "stats.deletions",
    Act.NOTICE: "stats.notices",
    Act.MUTE: "stats.mutes",
    Act.BAN: "stats.bans",
}


def where(words: Language, chats: Sequence[Chat] | None) -> str:
    """The groups that figures are about, in a few words."""
    if chats is None:
        return words.plain("stats.all_groups")
    if len(chats) > _TITLES:
        return str(words.plural("stats.groups", len(chats)))
    return ", ".join(_short(chat.title, _TITLE_LIMIT) for chat in chats)


def days(words: Language, found: Figures, place: str) -> Markup:
    """What happened, in numbers."""
    lines = [
        words("stats.head", where=place, since=words.plain(f"stats.since.{found.period}")),
        words("stats.messages", n=words.whole(found.total)),
        *_flagged(words, found),
        _listed(words("stats.acted", n=words.whole(found.measures)), _acts(words, found)),
        words("stats.strikes", n=words.whole(found.strikes)) if found.strikes else None,
        words("stats.reports", n=words.whole(found.reports)) if found.reports else None,
        _verdicts(words, found),
        _waiting(words, found),
        _listed(
            words("stats.labels", n=words.whole(sum(found.labels.values()))), _labels(words, found)
        ),
        _model(words, found.model_version),
    ]
    return Markup("\n").join(line for line in lines if line)


def quality(
    words: Language, found: Mapping[Category, Measured], place: str, period: Period
) -> Markup:
    """How right the bot is about each category, as far as that is known."""
    since = words.plain(f"stats.since.{period}")
    is_known = any(isinstance(x, Estimate) for m in found.values() for x in (m.precision, m.recall))
    lines = [
        words("stats.quality_head", where=place, since=since),
        *(
            words(
                "stats.category",
                title=words.category(category),
                precision=_share(words, "precision", measured.precision),
                recall=_share(words, "recall", measured.recall),
            )
            for category, measured in found.items()
        ),
        _agreement(words, found),
        Markup("<i>{}</i>").format(words("stats.quality_hint")),
        Markup("<i>{}</i>").format(words("stats.quality_interval")) if is_known else None,
    ]
    return Markup("\n").join(line for line in lines if line)


def insufficient(words: Language, found: Insufficient) -> str:
    """How much is known, and about how much would do."""
    return words.plain(
        f"stats.insufficient.{found.of}", have=words.whole(found.have), need=words.whole(found.need)
    )


def _flagged(words: Language, found: Figures) -> list[Markup]:
    number = sum(map(sum, found.flagged.values()))
    if not number:
        return [words("stats.flagged_none")]
    share = words.percent(number / max(found.total, number), 1)
    reasons = [
        words(
            "stats.reason",
            category=words.category(reason.category),
            threshold=words.decimal(reason.threshold),
            n=words.whole(reason.number),
        )
        for reason in found.reasons[:_REASONS]
    ]
    return [words("stats.flagged", n=words.whole(number), share=share), *reasons]


def _acts(words: Language, found: Figures) -> list[str]:
    return [words.plural(key, n) for act, key in _ACTS.items() if (n := found.acts.get(act))]


def _verdicts(words: Language, found: Figures) -> Markup:
    judged = sum(found.verdicts.values())
    if not judged:
        return words("stats.agreed_none")
    right = found.verdicts.get(Verdict.CONFIRMED, 0)
    said = words(
        "stats.agreed",
        right=words.whole(right),
        judged=words.whole(judged),
        share=words.percent(right / judged),
    )
    if right == judged:
        return said
    others = words(
        "stats.corrected",
        corrected=words.whole(found.verdicts.get(Verdict.CORRECTED, 0)),
        clean=words.whole(found.verdicts.get(Verdict.CLEAN, 0)),
    )
    return Markup("{}; {}").format(said, others)


def _waiting(words: Language, found: Figures) -> Markup:
    said = words("stats.open", n=words.whole(found.open_cases))
    if found.response is None:
        return said
    return Markup("{}. {}").format(
        said, words("stats.response", time=_duration(words, found.response))
    )


def _labels(words: Language, found: Figures) -> list[str]:
    return [
        words(f"stats.source.{source}", n=words.whole(n))
        for source in Source
        if (n := found.labels.get(source))
    ]


def _model(words: Language, version: str | None) -> Markup | None:
    if version is None:
        return None
    return words("stats.model", version=_short(version, _VERSION_LIMIT))


def _share(words: Language, name: str, found: Result) -> Markup:
    share = words.plain(f"stats.{name}")
    if isinstance(found, Insufficient):
        return words("stats.unknown", share=share, said=insufficient(words, found))
    if found is None:
        return words("stats.unknown", share=share, said=words.plain(f"stats.nothing.{name}"))
    said = words.plain(
        "stats.estimate",
        value=words.percent(found.value),
        low=words.decimal(100 * found.low, 0),
        high=words.decimal(100 * found.high, 0),
        n=words.whole(found.n),
    )
    return words("stats.known", share=share, said=said)


def _agreement(words: Language, found: Mapping[Category, Measured]) -> Markup | None:
    """How far moderators agree, where enough texts were labelled by two."""
    known = [
        f"{words.category(category).lower()} {words.decimal(measured.agreement.value)}"
        for category, measured in found.items()
        if measured.agreement is not None and measured.agreement.value is not None
    ]
    return words("stats.agreement", values=", ".join(known)) if known else None


def _duration(words: Language, time: timedelta) -> str:
    seconds = round(time.total_seconds())
    if seconds < 60:
        return words.plain("stats.seconds", n=seconds)
    if seconds < 3600:
        return words.plain("stats.minutes", n=seconds // 60)
    if time < timedelta(days=2):
        return words.plain("stats.hours", n=seconds // 3600)
    return str(words.plural("stats.days", time.days))


def _listed(said: Markup, parts: Sequence[str]) -> Markup:
    """A number and, where there is more to say, what it is made of."""
    return Markup("{} ({})").format(said, Markup(", ").join(parts)) if parts else said


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
