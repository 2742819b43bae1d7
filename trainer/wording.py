"""Figures in words: numbers, titles and plain sentences, in Russian and English."""

from collections.abc import Iterator, Mapping

from moderation.categories import TITLES, TOXIC, Category
from trainer.findings import BASE, CANDIDATE, CHAMPION, MACRO, Comparison, Evaluation, Figure

RU, EN = LANGUAGES = ("ru", "en")
_SPACE = "\N{NO-BREAK SPACE}"
_NONE = "—"
_MODELS = {
    CANDIDATE: {RU: "новая модель", EN: "new model"},
    CHAMPION: {RU: "действующая модель", EN: "champion"},
    BASE: {RU: "исходная модель", EN: "base model"},
    "majority": {RU: "самый частый ответ", EN: "majority"},
    "lexicon": {RU: "список слов", EN: "lexicon"},
    "ngrams": {RU: "n-граммы букв", EN: "character n-grams"},
}
_PLURAL = {
    Category.OBSCENITY: "мат",
    Category.INSULT: "оскорбления",
    Category.THREAT: "угрозы",
    Category.DISCRIMINATION: "дискриминация",
    Category.RUDE: "грубость",
    Category.NON_TOXIC: "не токсично",
}


def decimal(value: float | None, digits: int = 2, language: str = RU, *, sign: bool = False) -> str:
    """A number with the language's decimal mark, a true minus, and a sign where asked for."""
    if value is None:
        return _NONE
    shown = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if float(shown) == 0:
        shown = shown.lstrip("+-")
    shown = shown.replace("-", "\N{MINUS SIGN}")
    return shown.replace(".", ",") if language == RU else shown


def both(value: float, digits: int, *, sign: bool = True) -> tuple[str, str]:
    """A number as Russian and as English write it."""
    return decimal(value, digits, RU, sign=sign), decimal(value, digits, EN, sign=sign)


def percent(share: float | None, digits: int = 0, language: str = RU) -> str:
    """A share in per cent."""
    if share is None:
        return _NONE
    mark = f"{_SPACE}%" if language == RU else "%"
    return decimal(100 * share, digits, language) + mark


def whole(number: int, language: str = RU) -> str:
    """A whole number, thousands apart."""
    return f"{number:,}".replace(",", _SPACE) if language == RU else f"{number:,}"


def span(figure: Figure, digits: int = 2, language: str = RU, *, sign: bool = False) -> str:
    """An interval; empty if there is none."""
    if figure.low is None or figure.high is None:
        return ""
    low = decimal(figure.low, digits, language, sign=sign)
    high = decimal(figure.high, digits, language, sign=sign)
    if sign:
        return f"от {low} до {high}" if language == RU else f"{low} to {high}"
    return f"{low}–{high}"


def count(number: int, one: str, few: str, many: str) -> str:
    """A number with the Russian form of a noun that goes with it."""
    last, tail = abs(number) % 10, abs(number) % 100
    form = many
    if last == 1 and tail != 11:
        form = one
    elif 2 <= last <= 4 and not 12 <= tail <= 14:
        form = few
    return f"{whole(number)}{_SPACE}{form}"


def model(name: str, language: str = RU) -> str:
    """What a model of an evaluation is called."""
    return _MODELS.get(name, {}).get(language, name)


def short(name: str) -> str:
    """The same for the head of a column, where every column is a model."""
    return model(name).removesuffix(" модель")


def category(name: str, language: str = RU) -> str:
    """The title of a category or of the mean over the toxic ones."""
    if name == MACRO:
        return "В среднем" if language == RU else "Mean"
    return TITLES[Category(name)][language]


def kinds(name: Category) -> str:
    """A category as one speaks of it in a sentence."""
    return _PLURAL[name]


def headline(evaluation: Evaluation, incumbent: str, language: str = RU) -> list[str]:
    """What the new model does better or worse at the thresholds, a line a category that differs.

    Only differences whose interval leaves 0 out are told.
    """
    comparison = evaluation.comparison(incumbent)
    if comparison is None:
        return []
    lines = [line for c in TOXIC if (line := _line(comparison, c, language))]
    return lines or [_SAID[language]["none"]]


_SAID = {
    RU: {
        "none": "по решениям заметных отличий нет",
        "found": "находит на {} {}",
        "more": "больше",
        "less": "меньше",
        "same": "находит столько же",
        "alarms": "доля ложных на {} {}",
        "lower": "ниже",
        "higher": "выше",
        "as before": "доля ложных прежняя",
    },
    EN: {
        "none": "no notable difference in decisions",
        "found": "finds {} {}",
        "more": "more",
        "less": "less",
        "same": "finds as many",
        "alarms": "share of false alarms {} {}",
        "lower": "lower",
        "higher": "higher",
        "as before": "share of false alarms as before",
    },
}


def _line(comparison: Comparison, name: Category, language: str) -> str:
    parts = list(_parts(comparison, name, _SAID[language], language))
    title = kinds(name) if language == RU else category(name, EN).lower()
    return f"{title}: {', '.join(parts)}" if parts else ""


def _parts(
    comparison: Comparison, category: Category, said: Mapping[str, str], language: str
) -> Iterator[str]:
    recall, precision = comparison.of(category, "recall"), comparison.of(category, "precision")
    if not recall.sign and not precision.sign:
        return
    if recall.sign:
        change = said["more" if recall.sign > 0 else "less"]
        yield said["found"].format(_points(recall.value, language), change)
    else:
        yield said["same"]
    if precision.value is None:
        return
    if precision.sign:
        # Precision grows as the share of false alarms falls.
        change = said["lower" if precision.sign > 0 else "higher"]
        yield said["alarms"].format(_points(precision.value, language), change)
    else:
        yield said["as before"]


def _points(difference: float | None, language: str) -> str:
    """Percentage points without a sign."""
    size = abs(100 * (difference or 0))
    shown = decimal(size, 0 if size >= 1 else 1, language)
    return f"{shown}{_SPACE}п.{_SPACE}п." if language == RU else f"{shown}{_SPACE}points"
