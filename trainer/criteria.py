"""What a candidate must show before it may serve, each criterion with its margin."""

from collections.abc import Iterator

from moderation.categories import TOXIC
from trainer.findings import MACRO, Comparison, Evaluation, Gain, Model, Rate, Speed, Suites
from trainer.verdict import Criterion, Outcome
from trainer.wording import EN, both, category

# With some thousand rows the interval of a mean of five categories is about .01 to either side:
# a gain must be seen, but needn't be certain to the last .002.
MACRO_MARGIN = 0.002
# Average precision moves by about .01 between two seeds of one recipe; more is a real loss.
CATEGORY_MARGIN = 0.01
# Below this an interval says more about the few texts than about the model.
LEAST_POSITIVES = 30
# The share of a suite's cases that it may lose in all. Two equally good models differ by a few of
# some hundred (docs/experiments.md), and nothing at all would keep the incumbent for chance; the
# report shows which cases are lost. Of a suite of fewer than a hundred none may be.
SUITE_SLACK = 0.01
# The mirror keeps the disguises honest: who flags everything would pass those.
NOT_WORSE = ("functional", "evasions", "mirror")
# A share of false alarms: one more neutral context in fifty for the most wronged group of people.
GAP_MARGIN = 0.02
# 95 of 100 texts are scored within this: nobody sees a message vanish later than that.
FAST_ENOUGH_MS = 50.0
SLOWER, LARGER = 1.5, 1.5
# A download over a telephone, and the repository's own model with its n-grams.
SMALL_ENOUGH_BYTES = 8 * 2**20
_MEGABYTE = 2**20


def macro_ap(comparison: Comparison, gain: Gain | None = None) -> Criterion:
    """The mean over the toxic categories surely doesn't fall, and grows: on `gain` where that has
    to show on labels alone."""
    found = comparison.of(MACRO, "ap")
    if found.value is None or found.low is None:
        ru, en = "Среднее качество (AP) не измерено.", "Mean AP wasn't measured."
        return Criterion("macro_ap", Outcome.INSUFFICIENT, None, -MACRO_MARGIN, ru, en)
    good = (found.value > 0 or gain is not None) and found.low > -MACRO_MARGIN
    outcome = Outcome.PASSED if good else Outcome.FAILED
    value, low, margin = (both(x, 3) for x in (found.value, found.low, -MACRO_MARGIN))
    ru = f"Среднее качество (AP): {value[0]}, по меньшей мере {low[0]}; нужно "
    en = f"Mean AP: {value[1]}, at worst {low[1]}; needed: "
    if gain is None:
        ru, en = f"{ru}больше 0 и ", f"{en}above 0, "
    ru, en = f"{ru}не меньше {margin[0]}.", f"{en}at worst {margin[1]}."
    return Criterion("macro_ap", outcome, found.value, -MACRO_MARGIN, ru, en)


def categories_ap(
    evaluation: Evaluation, comparison: Comparison, incumbent: Model
) -> Iterator[Criterion]:
    """No category gets worse. `non_toxic` isn't asked: nothing is done because of it."""
    for name in TOXIC:
        yield _category_ap(evaluation, comparison, incumbent, name)


def _category_ap(
    evaluation: Evaluation, comparison: Comparison, incumbent: Model, name: str
) -> Criterion:
    found = comparison.of(name, "ap")
    positives = evaluation.data.positives.get(name, 0)
    title_ru, title_en = category(name), category(name, EN)
    known = evaluation.candidate.of(name).ap.value, incumbent.of(name).ap.value

    def said(outcome: Outcome, ru: str, en: str, number: float | None = None) -> Criterion:
        ru, en = f"{title_ru}: {ru}", f"{title_en}: {en}"
        return Criterion(f"category_ap/{name}", outcome, number, -CATEGORY_MARGIN, ru, en)

    if positives and known[1] is None:
        # Without a single example no model has an AP; with some, None says that it lacks it.
        return said(Outcome.NOT_APPLICABLE, "прежняя модель этого не умеет.", "new to the model.")
    if positives and known[0] is None:
        return said(Outcome.FAILED, "новая модель этого не умеет.", "the new model lacks it.")
    if positives < LEAST_POSITIVES:
        ru = f"мало примеров ({positives}, нужно {LEAST_POSITIVES}), судить рано."
        en = f"too few examples ({positives}, needed: {LEAST_POSITIVES}) to judge."
        return said(Outcome.INSUFFICIENT, ru, en, float(positives))
    if found.value is None or found.low is None:
        return said(Outcome.INSUFFICIENT, "не измерено.", "wasn't measured.")
    value, low, margin = (both(x, 3) for x in (found.value, found.low, -CATEGORY_MARGIN))
    ru = f"AP {value[0]}, по меньшей мере {low[0]}; допустимо {margin[0]}."
    en = f"AP {value[1]}, at worst {low[1]}; allowed: {margin[1]}."
    if found.low >= -CATEGORY_MARGIN:
        return said(Outcome.PASSED, ru, en, found.low)
    if found.sign >= 0:
        ru, en = f"{ru[:-1]}: ухудшение не исключено.", f"{en[:-1]}: a loss isn't ruled out."
    return said(Outcome.FAILED, ru, en, found.low)


def regressions(candidate: Model, incumbent: Model) -> Criterion:
    """No case that the incumbent gets right goes wrong."""
    name = "regressions"
    if (missing := _unmeasured(name, name, candidate.suites, incumbent)) is not None:
        return missing
    new, old = (_failed(model, name) for model in (candidate, incumbent))
    broken = len(new - old)
    total = sum(r.n for r in _rates(candidate, name))
    outcome = Outcome.FAILED if broken else Outcome.PASSED
    title_ru, title_en = _TITLES[name]
    ru = f"{title_ru}: верно {total - len(new)} из {total}, вновь неверно {broken}."
    en = f"{title_en}: {total - len(new)} of {total} right, {broken} newly wrong."
    return Criterion(name, outcome, broken, 0, ru, en)


_TITLES = {
    "regressions": ("Обязательные случаи", "Regressions"),
    "identity_gap": (
        "Ложные тревоги из-за одного названия людей",
        "Alarms for a group's name alone",
    ),
    "functional": ("Случаи по видам речи", "Functional cases"),
    "evasions": ("Замаскированные слова", "Disguises"),
    "mirror": ("Безобидные похожие слова", "Harmless look-alikes"),
}


def suites(candidate: Model, incumbent: Model) -> Iterator[Criterion]:
    """No suite has notably fewer cases right."""
    for name in NOT_WORSE:
        if (missing := _unmeasured(f"suite/{name}", name, candidate.suites, incumbent)) is not None:
            yield missing
            continue
        new, old = (sum(r.passed for r in _rates(m, name)) for m in (candidate, incumbent))
        total = sum(r.n for r in _rates(candidate, name))
        wrong, before = _failed(candidate, name), _failed(incumbent, name)
        mended, broken = len(before - wrong), len(wrong - before)
        least = old - int(SUITE_SLACK * total)
        outcome = Outcome.PASSED if new >= least else Outcome.FAILED
        title_ru, title_en = _TITLES[name]
        ru = (
            f"{title_ru}: верно {new} из {total}, у прежней {old}, нужно {least}; "
            f"исправлено {mended}, испорчено {broken}."
        )
        en = (
            f"{title_en}: {new} of {total} right, the incumbent {old}, needed: {least}; "
            f"{mended} mended, {broken} broken."
        )
        yield Criterion(f"suite/{name}", outcome, new, least, ru, en)


def identity_gap(candidate: Model, incumbent: Model) -> Criterion:
    """The group of people most often suspected for its name alone isn't suspected more."""
    name = "identity_gap"
    if (missing := _unmeasured(name, name, candidate.suites, incumbent)) is not None:
        return missing
    new, old = (_widest(model.suites) for model in (candidate, incumbent))
    limit = old + GAP_MARGIN
    outcome = Outcome.PASSED if new <= limit else Outcome.FAILED
    shown, before, allowed = (both(100 * x, 0, sign=False) for x in (new, old, limit))
    title_ru, title_en = _TITLES[name]
    ru = f"{title_ru}: на {shown[0]} п. п. чаще среднего, было {before[0]}; допустимо {allowed[0]}."
    en = f"{title_en}: {shown[1]} points above the mean, was {before[1]}; allowed: {allowed[1]}."
    return Criterion(name, outcome, new, limit, ru, en)


def speed(candidate: Model, incumbent: Model) -> Criterion:
    """95 of 100 texts are scored about as fast as before, or fast enough."""
    if candidate.speed is None:
        ru, en = "Скорость не измерена.", "Speed wasn't measured."
        return Criterion("speed", Outcome.INSUFFICIENT, None, None, ru, en)
    limit = max(FAST_ENOUGH_MS, SLOWER * _p95(incumbent.speed))
    took = candidate.speed.p95_ms
    outcome = Outcome.PASSED if took <= limit else Outcome.FAILED
    shown, allowed = both(took, 0, sign=False), both(limit, 0, sign=False)
    ru = f"Время на сообщение (95 из 100): {shown[0]} мс; допустимо {allowed[0]} мс."
    en = f"Time for a message (95 of 100): {shown[1]} ms; allowed: {allowed[1]} ms."
    return Criterion("speed", outcome, took, limit, ru, en)


def size(candidate: Model, incumbent: Model) -> Criterion:
    """The files aren't much larger than before, or small anyway."""
    if candidate.size_bytes is None:
        ru, en = "Размер не измерен.", "Size wasn't measured."
        return Criterion("size", Outcome.INSUFFICIENT, None, None, ru, en)
    limit = max(SMALL_ENOUGH_BYTES, LARGER * (incumbent.size_bytes or 0))
    outcome = Outcome.PASSED if candidate.size_bytes <= limit else Outcome.FAILED
    shown = both(candidate.size_bytes / _MEGABYTE, 1, sign=False)
    allowed = both(limit / _MEGABYTE, 1, sign=False)
    ru = f"Размер: {shown[0]} МБ; допустимо {allowed[0]} МБ."
    en = f"Size: {shown[1]} MB; allowed: {allowed[1]} MB."
    return Criterion("size", outcome, candidate.size_bytes, limit, ru, en)


def _unmeasured(name: str, suite: str, found: Suites | None, incumbent: Model) -> Criterion | None:
    """The answer where there is nothing to compare; a baseline needn't have been asked."""
    title_ru, title_en = _TITLES[suite]
    if found is None:
        ru, en = f"{title_ru}: не проверено.", f"{title_en}: not tried."
        return Criterion(name, Outcome.INSUFFICIENT, None, None, ru, en)
    if incumbent.suites is not None:
        return None
    ru = f"{title_ru}: прежнюю модель не проверяли."
    en = f"{title_en}: the incumbent wasn't tried."
    outcome = Outcome.INSUFFICIENT if incumbent.kind == "model" else Outcome.NOT_APPLICABLE
    return Criterion(name, outcome, None, None, ru, en)


def _rates(model: Model, suite: str) -> Iterator[Rate]:
    return (r for r in (model.suites.rates if model.suites else ()) if r.suite == suite)


def _failed(model: Model, suite: str) -> set[tuple[str, str, str]]:
    return {case for case in (model.suites.failed if model.suites else ()) if case[0] == suite}


def _widest(found: Suites | None) -> float:
    return max((gap.alarms for gap in found.gaps), default=0.0) if found else 0.0


def _p95(found: Speed | None) -> float:
    return found.p95_ms if found else 0.0
