"""What a candidate made from moderators' labels must show besides: that it owes its gain to them,
to enough of them, and not to two people."""

from collections.abc import Iterator

from trainer.criteria import CATEGORY_MARGIN, MACRO_MARGIN
from trainer.findings import MACRO, Difference, Evaluation, Gains, Model
from trainer.verdict import Criterion, Outcome
from trainer.wording import EN, both, category

# Fewer corrections move figures less than chance does.
LEAST_NEW_LABELS = 200
# Of a share of doubted labels below this the caps on weights take care.
MOST_DOUBTED = 0.1
FEEDBACK = "feedback"  # sources of corrections begin with it


def labels_ap(gain: Gains | None) -> Iterator[Criterion]:
    """Moderators' labels that the candidate has not seen are told apart better than before. Rows
    that were written for this project can't show that: learning their style alone raises AP on
    them (docs/experiments.md)."""
    if gain is None:
        return
    found = gain.ap.get(MACRO, Difference())
    title = f"Отложенные правки ({gain.rows})", f"Labels held out ({gain.rows})"
    if found.value is None or found.low is None:
        ru = f"{title[0]}: слишком мало примеров, судить рано."
        en = f"{title[1]}: too few examples to judge."
        yield Criterion("labels_ap", Outcome.INSUFFICIENT, None, 0, ru, en)
        return
    good = found.value > 0 and found.low > -MACRO_MARGIN
    outcome = Outcome.PASSED if good else Outcome.FAILED
    value, low, margin = (both(x, 3) for x in (found.value, found.low, -MACRO_MARGIN))
    ru = f"{title[0]}: AP {value[0]}, по меньшей мере {low[0]}"
    en = f"{title[1]}: AP {value[1]}, at worst {low[1]}"
    ru, en = (
        f"{ru}; нужно больше 0 и не меньше {margin[0]}.",
        f"{en}; needed: above 0, at worst {margin[1]}.",
    )
    yield Criterion("labels_ap", outcome, found.value, -MACRO_MARGIN, ru, en)


def raters(evaluation: Evaluation) -> Iterator[Criterion]:
    """What a candidate gains it doesn't owe to one or two moderators, who may be mistaken or mean
    it badly: without their labels it must not be worse. A few rows are too few for an interval, so
    the figures themselves count."""
    found = evaluation.raters
    if found is None:
        return
    changes = {name: one.value for name, one in found.ap.items() if one.value is not None}
    margins = {name: MACRO_MARGIN if name == MACRO else CATEGORY_MARGIN for name in changes}
    worse = [name for name, value in changes.items() if value < -margins[name]]
    outcome = Outcome.FAILED if worse or MACRO not in changes else Outcome.PASSED
    shown = both(changes.get(MACRO, 0.0), 3)
    ru = f"Без правок двух модераторов, которым новая модель обязана больше всех: AP {shown[0]}"
    en = f"Without the labels of the two moderators whom it owes most: AP {shown[1]}"
    if named := [name for name in worse if name != MACRO]:
        ru += f"; хуже: {', '.join(category(name).lower() for name in named)}"
        en += f"; worse: {', '.join(category(name, EN).lower() for name in named)}"
    yield Criterion("raters", outcome, changes.get(MACRO), -MACRO_MARGIN, f"{ru}.", f"{en}.")


def doubted(evaluation: Evaluation) -> Iterator[Criterion]:
    """Few labels are by moderators alone who nearly always say the opposite of what the base is
    sure of: that is a raid, or a bot that is nearly always wrong, and a person has to see which."""
    labels = evaluation.labels
    if labels is None or not labels.total:
        return
    share = labels.doubted / labels.total
    outcome = Outcome.INSUFFICIENT if share > MOST_DOUBTED else Outcome.PASSED
    shown, allowed = both(100 * share, 0, sign=False), both(100 * MOST_DOUBTED, 0, sign=False)
    ru = (
        f"Правки тех, кто почти всегда говорит обратное уверенной модели: {shown[0]} %; "
        f"без проверки допустимо {allowed[0]} %."
    )
    en = (
        f"Labels of those who nearly always say the opposite of a sure model: {shown[1]}%; "
        f"allowed unchecked: {allowed[1]}%."
    )
    yield Criterion("doubted", outcome, share, MOST_DOUBTED, ru, en)


def new_labels(
    candidate: Model, incumbent: Model, given: int | None, needed: int = LEAST_NEW_LABELS
) -> Criterion:
    """A candidate that learned from corrections learned from enough new ones."""
    new, old = _corrections(candidate), _corrections(incumbent)
    if given is None and not new and not old:
        ru, en = "Правки модераторов: не использовались.", "Corrections: none were learned from."
        return Criterion("new_labels", Outcome.NOT_APPLICABLE, None, LEAST_NEW_LABELS, ru, en)
    number = new - old if given is None else given
    outcome = Outcome.PASSED if number >= needed else Outcome.INSUFFICIENT
    shown = both(number, 0, sign=False)
    ru = f"Новые правки модераторов: {shown[0]}; нужно {needed}."
    en = f"New corrections: {shown[1]}; needed: {needed}."
    return Criterion("new_labels", outcome, number, needed, ru, en)


def _corrections(model: Model) -> int:
    return sum(n for name, n in (model.sources or {}).items() if name.startswith(FEEDBACK))
