"""The categories of toxicity, their titles, and the names that models and data sets give them."""

from enum import StrEnum


class Category(StrEnum):
    """One output of the model; the value is the key in cards, tables and files."""

    OBSCENITY = "obscenity"
    INSULT = "insult"
    THREAT = "threat"
    DISCRIMINATION = "discrimination"
    RUDE = "rude"
    NON_TOXIC = "non_toxic"

    @classmethod
    def of(cls, label: str) -> "Category | None":
        """The category that a model or a data set calls `label`, or None if it is none of ours."""
        name = label.strip().casefold()
        return next((c for c in cls if name in _NAMES[c]), None)


TOXIC = tuple(c for c in Category if c is not Category.NON_TOXIC)

TITLES = {
    Category.OBSCENITY: {"ru": "Мат", "en": "Obscenity"},
    Category.INSULT: {"ru": "Оскорбление", "en": "Insult"},
    Category.THREAT: {"ru": "Угроза", "en": "Threat"},
    Category.DISCRIMINATION: {"ru": "Дискриминация", "en": "Discrimination"},
    Category.RUDE: {"ru": "Грубость", "en": "Rudeness"},
    Category.NON_TOXIC: {"ru": "Не токсично", "en": "Not toxic"},
}

# The names in the original recipe's file, where "0" marks a text that is not toxic.
RECIPE_NAMES = {
    Category.OBSCENITY: "Мат/нецензурное",
    Category.INSULT: "Оскорбление",
    Category.THREAT: "Угроза",
    Category.DISCRIMINATION: "Дискриминация",
    Category.RUDE: "Грубое высказывание",
    Category.NON_TOXIC: "0",
}

# The outputs of cointegrated/rubert-tiny-toxicity that differ from our keys; its "dangerous"
# (harms the speaker's reputation) is only the nearest thing to rude, as in the original recipe.
_BASE_NAMES = {Category.RUDE: "dangerous", Category.NON_TOXIC: "non-toxic"}

_NAMES = {
    c: {c.value, RECIPE_NAMES[c].casefold(), TITLES[c]["ru"].casefold(), _BASE_NAMES.get(c, "")}
    - {""}
    for c in Category
}
