from collections import Counter, defaultdict
from functools import cache

import pytest

from moderation.categories import TOXIC, Category
from trainer import data, suites

ROWS = suites.DATA.parent / "rows" / "own.tsv"
NEAR = 0.5  # share of common 5-grams from which a text is a near-double


@cache
def lines():
    header, *rows = ROWS.read_text("utf-8").splitlines()
    return [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]


@cache
def frame():
    return data.read_gold(ROWS).frame


def grams(text):
    key = data.key(text)
    return frozenset(key[i : i + 5] for i in range(max(1, len(key) - 4)))


def judging_texts():
    plain = (plain for _, _, plain in suites.disguises())
    return {*(case.text for case in suites.load()), *plain}


def near_doubles(texts, others):
    """The texts that share at least `NEAR` of their 5-grams with one of the others."""
    sets, places = [grams(text) for text in others], defaultdict(list)
    for i, other in enumerate(sets):
        for gram in other:
            places[gram].append(i)
    for text in texts:
        own = grams(text)
        common = Counter(i for gram in own for i in places[gram])
        if any(n / (len(own) + len(sets[i]) - n) >= NEAR for i, n in common.items()):
            yield text


def test_the_file_is_utf_8_with_line_feeds():
    raw = ROWS.read_bytes()

    assert raw.decode("utf-8").endswith("\n")
    assert b"\r" not in raw
    assert not raw.startswith(b"\xef\xbb\xbf")


def test_every_row_is_read_and_no_two_are_the_same_text():
    loaded = data.read_gold(ROWS)

    assert loaded.rejected == ()
    assert len(loaded.frame) == len(lines()) >= 1000


def test_the_texts_written_later_are_others_and_near_to_no_judging_text():
    more = data.read_gold(ROWS.with_name("more.tsv"))
    rude = (more.frame.rude == 1) & (more.frame[["insult", "threat", "discrimination"]] == 1).any(
        axis=1
    )

    assert more.rejected == ()
    assert not more.frame.key.isin(frame().key).any()
    assert not rude.any()
    assert list(near_doubles(list(more.frame.text), judging_texts())) == []


def test_every_row_says_what_it_teaches_and_that_it_is_ours():
    for row in lines():
        assert row["function"].isalpha(), row
        assert row["source"] == "own", row


def test_groups_cannot_meet_those_of_other_files():
    assert all(row["group"].startswith("own-") for row in lines())


@pytest.mark.parametrize(
    "other", [Category.INSULT, Category.THREAT, Category.DISCRIMINATION], ids=str
)
def test_rude_never_stands_beside(other):
    both = frame()[(frame()[Category.RUDE] == 1) & (frame()[other] == 1)]

    assert list(both.text) == []


def test_labels_are_complete():
    labels = data.targets(frame())
    toxic = data.targets(frame()[frame()[Category.NON_TOXIC] == 0])

    assert set(labels.ravel()) == {0.0, 1.0}
    assert toxic.sum(axis=1).min() >= 1


@pytest.mark.parametrize("category", Category, ids=str)
def test_every_category_has_both_classes(category):
    counts = frame()[category].value_counts()

    assert min(counts[0.0], counts[1.0]) >= 100


def test_every_function_has_harmless_and_toxic_rows():
    harmless = defaultdict(set)
    for row in lines():
        harmless[row["function"]].add(row["labels"] == Category.NON_TOXIC)

    assert {function for function, seen in harmless.items() if seen != {True, False}} == set()


def test_no_category_is_written_twice_or_out_of_order():
    order = [*TOXIC, Category.NON_TOXIC]
    for row in lines():
        places = [order.index(Category(label)) for label in row["labels"].split("|")]
        assert places == sorted(set(places)), row


def test_no_row_is_a_text_of_the_suites():
    keys = {data.key(text) for text in judging_texts()}

    assert [text for text in frame().text if data.key(text) in keys] == []


def test_no_row_is_nearly_a_text_of_the_suites():
    assert list(near_doubles(frame().text, judging_texts())) == []


def test_a_near_double_would_be_found():
    text = max((row["text"] for row in lines()), key=len)

    assert list(near_doubles([text], [text.replace(" ", "  ") + " да"])) == [text]
