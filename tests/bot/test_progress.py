import json

import pytest

from bot.language import language
from bot.progress import FILE, Progress, bar, duration, read, told

RU = language("ru")


def shown(words):
    return str(words).replace("\N{NO-BREAK SPACE}", " ")


def line(**changes):
    return json.dumps({"phase": "train", "share": 0.5, "left_s": None} | changes)


def test_nothing_is_known_before_the_first_line(tmp_path):
    assert read(tmp_path) is None
    (tmp_path / FILE).write_text("")
    assert read(tmp_path) is None


@pytest.mark.parametrize(
    "half", ['{"phase": "tra', '{"phase": "train", "share": NaN}', "[]", '{"phase": "x"}', "\x00"]
)
def test_the_last_whole_line_counts(tmp_path, half):
    (tmp_path / FILE).write_text(f"{line(share=0.1)}\n{line(share=0.2)}\n{half}")
    assert read(tmp_path).share == 0.2


def test_of_a_long_file_only_the_end_is_read(tmp_path):
    (tmp_path / FILE).write_text("".join(f"{line(share=i / 5000)}\n" for i in range(5000)))
    assert read(tmp_path).share == 4999 / 5000


def test_the_message_has_all_that_is_known():
    now = Progress(phase="train", share=0.42, left_s=312, loss=0.4321, ap=0.9)
    assert shown(told(RU, now)).splitlines() == [
        "<b>Обучение модели</b>", "Учу", "<code>██████░░░░░░░░░░</code> 42 %",
        "Осталось примерно 5 мин", "Ошибка 0,432 · AP 0,900",
    ]  # fmt: skip
    stops = shown(told(RU, now, stops=True))
    assert "Останавливаю" in stops
    assert "Осталось" not in stops
    assert "Запускаю" in told(RU, None)


@pytest.mark.parametrize(
    ("share", "expected"), [(0, "░░░░"), (0.26, "█░░░"), (0.99, "███░"), (1, "████")]
)
def test_the_bar_is_full_at_the_end_alone(share, expected):
    assert bar(share, 4) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "10 с"), (34, "30 с"), (61, "1 мин"), (1799, "30 мин"), (5430, "1 ч 30 мин")],
)
def test_times_are_coarse(seconds, expected):
    assert duration(RU, seconds) == expected
