"""A small run of benchmarks/fuzz.py, with the same updates each time."""

import pytest

from tests.bot.fuzzing import through_decoder, through_handlers
from tests.bot.generator import Generator

SEED = 20261128


def test_any_update_can_be_decoded_and_its_words_read():
    counts = through_decoder(SEED, 800)
    assert not counts.errors, counts.examples
    assert counts.quarantined < 0.15 * counts.updates
    assert counts.slowest_seconds < 5
    assert len(counts.kinds) > 20


@pytest.mark.filterwarnings("ignore:Detected unknown update type")
async def test_any_update_can_be_handled(tmp_path):
    counts = await through_handlers(SEED, 60, tmp_path)
    assert not counts.errors, counts.examples


def test_the_same_seed_makes_the_same_updates():
    first, second = Generator(7), Generator(7)
    assert [first.broken() for _ in range(20)] == [second.broken() for _ in range(20)]
