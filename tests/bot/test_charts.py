import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot import charts
from bot.language import LANGUAGES, language
from moderation.accuracy import Estimate, Insufficient
from moderation.categories import TOXIC, Category
from moderation.figures import Figures, Period
from moderation.quality import Measured

NOON = datetime(2026, 10, 5, 12, 30, tzinfo=UTC)


def figures(period=Period.WEEK, messages=900):
    starts = period.starts(NOON)
    number = len(starts)
    return Figures(
        period=period, starts=starts, messages=[messages] * number,
        flagged={category: [3] * number for category in TOXIC if messages},
        acted={category: [2] * number for category in (*TOXIC, None) if messages},
        acts={}, strikes=0, reasons=[], reports=0, verdicts={}, response=None, open_cases=0,
        labels={}, model_version=None,
    )  # fmt: skip


def size(picture):
    assert picture.startswith(b"\x89PNG")
    return struct.unpack(">II", picture[16:24])


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("period", Period)
def test_days_are_drawn_for_a_phone_in_every_language(period, code):
    # A sign that the font lacks would be a warning, and so an error here.
    assert size(charts.days(figures(period), language(code))) == (1080, 1080)


def test_days_are_drawn_however_little_happened():
    empty = figures(messages=0)
    one = replace(empty, messages=[*[0] * 6, 1])
    flagged = replace(one, flagged={Category.RUDE: [*[0] * 6, 1]})
    only_reported = replace(one, acted={None: [*[0] * 6, 1]})
    pictures = [charts.days(f, language("ru")) for f in (empty, one, flagged, only_reported)]
    assert {size(picture) for picture in pictures} == {(1080, 1080)}
    assert len(set(pictures)) == 4


def test_days_are_drawn_however_much_happened():
    assert size(charts.days(figures(Period.MONTH, 10**7), language("ru"))) == (1080, 1080)


@pytest.mark.parametrize("code", LANGUAGES)
def test_quality_is_drawn_where_it_is_known_and_said_where_not(code):
    known = Measured(Estimate(0.9, 0.8, 0.95, 60), Estimate(1.0, 0.4, 1.0, 300))
    scarce = Measured(Insufficient(3, 15, "verdicts"), Insufficient(38, 12_000, "audits"))
    pictures = [
        charts.quality(dict.fromkeys(TOXIC, measured), language(code), Period.MONTH)
        for measured in (known, scarce, Measured(None, None))
    ]
    assert {size(picture) for picture in pictures} == {(1080, 960)}
    assert len(set(pictures)) == 3
