"""What a candidate made from moderators' labels must show besides: that it owes its gain to them,
to enough of them, and not to two people."""

from collections.abc import Iterator

from trainer.criteria import CATEGORY_MARGIN, MACRO_MARGIN
from trainer.findings import MACRO, Evaluation, Gain, Model
from trainer.verdict import Criterion, Outcome
from trainer.wording import EN, both, category

# Fewer corrections move figures less than chance does.
LEAST_NEW_LABELS = 200
# Of a share of doubted labels below this the caps on weights take care.
MOST_DOUBTED = 0.1
FEEDBACK = "feedback"  # sources of corrections begin with it


def labels_right(gain: Gain | None) -> Iterator[Criterion]:
    """More of the moderators' labels that the candidate has not seen are surely decided rightly.
    Rows that were written for this project can't show that: learning their style alone raises AP
    on them (docs/decisions/0008)."""
    if gain is None:
        return
    found = gain.difference
    title = f"Отложенные правки ({gain.rows})", f"Labels held out ({gain.rows})"
    if found.low is None or gain.right is None or gain.before is None:
        ru, en = f"{title[0]}: нечем измерить.", f"{title[1]}: nothing to measure by."
        yield Criterion("labels_right", Outcome.INSUFFICIENT, None, 0, ru, en)
        return
    outcome = Outcome.PASSED if found.low > 0 else Outcome.FAILED
    right, before = (both(100 * x, 1, sign=False) for x in (gain.right, gain.before))
    low = both(100 * found.low, 1)
    ru = (
        f"{title[0]}: решено верно {right[0]} %, было {before[0]} %, разница по меньшей мере "
        f"{low[0]} п. п.; нужно больше 0."
    )
    en = (
        f"{title[1]}: {right[1]}% decided rightly, was {before[1]}%, by at least {low[1]} points; "
        "needed: above 0."
    )
    yield Criterion("labels_right", outcome, found.low, 0, ru, en)


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
