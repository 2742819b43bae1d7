import pandas as pd
import pytest

from moderation.categories import Category
from tests.trainer import evaluations
from trainer import report_errors


@pytest.fixture(scope="module")
def evaluation():
    frame = evaluations.scored(evaluations.rows())
    return evaluations.typed(evaluations.evaluation(frame))


def errors(evaluation, rows):
    """Errors of threats (threshold .7) in rows of (text, group, label, new score, old score)."""
    columns = ["text", "group", "threat", "model/threat", "champion/threat"]
    frame = pd.DataFrame(rows, columns=columns).assign(source="чат")
    frame = frame.assign(**{c.value: -1 for c in Category if c is not Category.THREAT})
    (found,) = report_errors.errors(evaluation, frame, "champion")
    return found


def texts(examples):
    return [example.text for example in examples]


def test_the_largest_errors_come_first(evaluation):
    found = errors(
        evaluation,
        [
            ("тревога", "1", 0, 0.8, 0.8),
            ("громкая тревога", "2", 0, 0.95, 0.9),
            ("пропуск", "3", 1, 0.5, 0.5),
            ("тихий пропуск", "4", 1, 0.1, 0.5),
            ("верно", "5", 1, 0.9, 0.9),
            ("неизвестно", "6", -1, 0.99, 0.9),
        ],
    )

    assert texts(found.false_alarms) == ["громкая тревога", "тревога"]
    assert texts(found.misses) == ["тихий пропуск", "пропуск"]
    assert found.false_alarms[0].score == "0,95"
    assert (found.mended, found.broken, found.n) == ((), (), 4)


def test_what_the_new_model_mends_and_breaks_is_told_with_both_scores(evaluation):
    found = errors(evaluation, [("исправлено", "1", 0, 0.1, 0.9), ("сломано", "2", 1, 0.2, 0.8)])

    assert texts(found.mended) == ["исправлено"]
    assert (found.mended[0].before, found.mended[0].score) == ("0,90", "0,10")
    assert texts(found.broken) == ["сломано"]


def test_near_copies_are_shown_once_and_five_texts_at_most(evaluation):
    found = errors(
        evaluation, [(f"тревога {i}", str(i // 2), 0, 0.99 - i / 100, 0.1) for i in range(20)]
    )

    assert texts(found.false_alarms) == [f"тревога {i}" for i in range(0, 10, 2)]


def test_no_text_that_moderators_labelled_is_shown(evaluation):
    columns = ["text", "group", "threat", "model/threat", "champion/threat", "source"]
    rows = [("чужое", "1", 0, 0.9, 0.1, "feedback:button"), ("наше", "2", 0, 0.9, 0.1, "own")]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(**{c.value: -1 for c in Category if c is not Category.THREAT})
    (found,) = report_errors.errors(evaluation, frame, "champion")
    assert texts(found.false_alarms) == ["наше"]
