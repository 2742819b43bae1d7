"""Batches of texts of like length, within a budget of tokens."""

import random
from collections.abc import Iterator, Sequence

from transformers import PreTrainedTokenizerFast

_NEAR = 4  # lengths this close count as equal, so that a batch's texts change between epochs


def plan(lengths: Sequence[int], budget: int, rng: random.Random) -> list[list[int]]:
    """Batches of row numbers in random order, each of at most `budget` tokens or one row."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    order.sort(key=lambda row: lengths[row] // _NEAR)
    batches = list(_grouped(order, lengths, budget))
    rng.shuffle(batches)
    return batches


def encode(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, longest: int
) -> list[list[int]]:
    """Token ids of each text with its ends, cut after `longest` tokens."""
    ids: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=longest).input_ids
    return ids


def _grouped(order: Sequence[int], lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    batch: list[int] = []
    for row in order:
        if batch and (len(batch) + 1) * max(lengths[row], lengths[batch[0]]) > budget:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
