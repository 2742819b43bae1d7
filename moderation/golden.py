"""A handful of texts that every model must judge rightly before it serves."""

from moderation.classifier import Classifier, score_texts
from moderation.policy import PRESETS, Action, decide

CLEAN = (
    "Доброе утро! Завтра в десять собрание у второго подъезда.",
    "Спасибо большое, очень помогли!",
    "Кто знает, во сколько сегодня открывается аптека?",
    "Не согласен с вами, но аргумент интересный.",
    "Блин, опять трамвай сломался",
)
ABUSIVE = (
    "Какой же ты идиот, тварь безмозглая!",
    "Иди на хуй, мразь",
    "Я тебя найду и убью, сдохни, тварь!",
    "Ты тупая овца",
)


def failures(classifier: Classifier) -> list[str]:
    """Which texts a model judges wrongly under the standard preset, as `clean 2` or `abusive 1`:
    a clean one would be acted on, an abusive one passed."""
    policy = PRESETS["standard"]
    found = []
    for kind, texts in (("clean", CLEAN), ("abusive", ABUSIVE)):
        for number, scores in enumerate(score_texts(classifier, texts), 1):
            acts = decide(scores, policy).action > Action.REVIEW
            if acts != (kind == "abusive"):
                found.append(f"{kind} {number}")
    return found
