import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.groups import group, near

LONG = "сегодня вечером собираемся во дворе у третьего подъезда"


def frame(keys, groups=None):
    return pd.DataFrame(
        {"key": keys, "group": groups or keys, "grouped": [groups is not None] * len(keys)}
    )


def test_near_duplicates_share_a_group_and_others_do_not():
    found = group(frame([LONG, LONG + " опять", "совсем другой разговор про погоду"]), frame([]))

    assert found[0] == found[1] != found[2]


def test_a_near_duplicate_of_a_known_row_joins_its_group():
    found = group(frame([LONG + "!", "привет"]), frame([LONG], ["17"]))

    assert list(found) == ["17", "привет"]


def test_of_two_groups_that_it_is_near_to_a_row_joins_the_first():
    known = frame([LONG + "!", LONG + "?"], ["2", "1"])

    assert list(group(frame([LONG]), known)) == ["2"]


def test_a_short_text_joins_the_group_of_an_equal_one():
    assert list(group(frame(["да"]), frame(["да", "нет"], ["17", "18"]))) == ["17"]


def test_the_order_of_the_file_means_nothing():
    keys = [LONG, LONG + " опять", "о погоде и о природе", LONG + "!"]
    straight = group(frame(keys), frame([]))
    turned = group(frame(keys[::-1]), frame([]))

    assert dict(zip(keys, straight, strict=True)) == dict(zip(keys[::-1], turned, strict=True))


def test_near_rows_are_found_whatever_their_groups():
    rows = frame([LONG + " опять", "о погоде и о природе", "да", "нет"], ["1", "2", "3", "4"])

    assert list(near(rows, frame([LONG, "да"]))) == [True, False, True, False]
    assert not near(rows, frame([])).any()


def test_the_groups_of_a_file_are_kept():
    rows = frame([LONG, LONG + " опять"], ["1", "2"])

    assert list(group(rows, rows)) == ["1", "2"]


def test_short_texts_are_near_only_if_they_are_equal():
    found = group(frame(["да ладно", "да ладно", "да ладн"]), frame([]))

    assert found[0] == found[1] != found[2]


@settings(max_examples=30)
@given(st.lists(st.text(max_size=40), unique=True, max_size=30))
def test_every_row_gets_a_group_and_the_same_in_every_run(keys):
    found = group(frame(keys), frame([]))

    assert list(found) == list(group(frame(keys), frame([])))
    assert len(found) == len(keys)
    assert set(found) <= set(keys)
