import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.weights import Limits, weigh


def votes(*rows):
    names = ("key", "moderator", "author", "chat", "probability")
    return pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])


def many(n, moderator=1, author=0, chat=np.nan, probability=np.nan):
    return [
        (f"{moderator}:{i}", moderator, author or i + 1000, chat, probability) for i in range(n)
    ]


def test_a_few_labels_weigh_one_each():
    assert weigh(votes(*many(20)), 1000.0).tolist() == [1.0] * 20


@pytest.mark.parametrize(("probability", "weight"), [(1.0, 1), (0.25, 4), (0.05, 20), (0.001, 20)])
def test_an_audit_stands_for_the_messages_that_were_not_drawn(probability, weight):
    found = weigh(votes(*many(1, probability=probability), *many(1, moderator=2)), 10_000.0)

    assert found["1:0"] == weight
    assert found["2:0"] == 1


def test_a_moderator_with_many_labels_weighs_a_tenth_of_the_base_rows():
    found = weigh(votes(*many(500), *many(50, moderator=2)), 1000.0)

    assert found[[f"1:{i}" for i in range(500)]].sum() == pytest.approx(100)
    assert found["2:0"] == 1


def test_one_author_weighs_little_and_an_unknown_one_is_not_one():
    rows = [(str(i), i % 20, 7, np.nan, np.nan) for i in range(200)]
    unknown = [(key, moderator, 0, *rest) for key, moderator, _, *rest in rows]

    assert weigh(votes(*rows), 1000.0).sum() == pytest.approx(50)
    assert weigh(votes(*unknown), 1000.0).sum() == 200


def test_no_labels_have_no_weights():
    assert weigh(votes(*many(1))[:0], 10.0).empty


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.integers(1, 4),
            st.integers(0, 5),
            st.sampled_from([-1.0, -2.0, float("nan")]),
            st.sampled_from([0.01, 0.5, float("nan")]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_no_cap_is_ever_passed(rows):
    frame = votes(*[(str(key), *rest) for key, *rest in rows]).drop_duplicates(["key", "moderator"])
    base, limits = 12.0, Limits()
    found = weigh(frame, base)
    frame["mass"] = frame.key.map(found / frame.groupby("key").size())

    assert (found > 0).all()
    assert found.sum() <= limits.all * base + 1e-6
    assert (frame.groupby("moderator").mass.sum() <= limits.moderator * base + 1e-6).all()
    assert (frame.groupby("chat").mass.sum() <= limits.chat * base + 1e-6).all()
    known = frame[frame.author != 0]
    assert (known.groupby("author").mass.sum() <= limits.author * base + 1e-6).all()
