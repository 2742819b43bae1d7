import random

from hypothesis import given
from hypothesis import strategies as st

from trainer.batches import plan

LENGTHS = st.lists(st.integers(1, 128), max_size=60)


@given(LENGTHS, st.integers(1, 512), st.integers())
def test_every_row_is_in_one_batch_and_no_batch_is_over_budget(lengths, budget, seed):
    batches = plan(lengths, budget, random.Random(seed))

    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        # Lengths within four of each other share a batch in any order.
        longest = max(lengths[row] for row in batch)
        assert len(batch) == 1 or len(batch) * (longest - 3) <= budget


def test_batches_differ_between_seeds_and_not_within_one():
    lengths = [5] * 40

    assert plan(lengths, 20, random.Random(1)) == plan(lengths, 20, random.Random(1))
    assert plan(lengths, 20, random.Random(1)) != plan(lengths, 20, random.Random(2))
