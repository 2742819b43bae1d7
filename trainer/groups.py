"""Groups of near-duplicate texts, which must not stand on both sides of a split."""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

_SHINGLE = 5  # characters
_PERMUTATIONS = 48
_THRESHOLD = 0.55  # Jaccard similarity of the shingles
_SHORTEST = 10  # characters; below, only equal texts are duplicates


def group(frame: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """The group of each row of `frame`: the file's own, or else that of the near-duplicates.

    Rows without a group of their file are compared with each other and with `known` rows, whose
    groups they join. Near-duplicates that have groups of their own keep them.
    """
    loose = frame[~frame.grouped]
    if loose.empty:
        return frame.group
    known = known[_may_be_near(known.key, _vocabulary(loose.key)) | known.key.isin(loose.key)]
    keys = [*known.key, *loose.key]
    joined = _Union(range(len(keys)))
    index = MinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS)
    shingles = [_shingles(key) for key in keys]
    seen: dict[str, int] = {}
    for i, (key, found) in enumerate(zip(keys, shingles, strict=True)):
        if (first := seen.setdefault(key, i)) != i:
            joined.unite(first, i)
        elif found:
            sketch = _sketch(found)
            if i >= len(known):
                for other in index.query(sketch):
                    if _similarity(found, shingles[other]) >= _THRESHOLD:
                        joined.unite(other, i)
            index.insert(i, sketch)
    # A root is the least of its members, so the first known row if there is one; else the group
    # is called by its least text, whatever the order of the file.
    names = dict(enumerate(known.group))
    roots = [joined.root(i) for i in range(len(known), len(keys))]
    for key, root in sorted(zip(loose.key, roots, strict=True)):
        names.setdefault(root, key)
    named = pd.Series([names[root] for root in roots], index=loose.index, dtype=object)
    return frame.group.where(frame.grouped, named)


def near(frame: pd.DataFrame, apart: pd.DataFrame) -> pd.Series:
    """Whether each row of `frame` is a near-duplicate of one of `apart`, whatever their groups."""
    if apart.empty:
        return pd.Series(False, index=frame.index, dtype=bool)
    may = _may_be_near(frame.key, _vocabulary(apart.key))
    candidates = frame.key[may]
    others = apart.key[_may_be_near(apart.key, _vocabulary(candidates))]
    index = MinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS)
    shingles = [_shingles(key) for key in others]
    for i, found in enumerate(shingles):
        index.insert(i, _sketch(found))
    may[may] = [
        any(_similarity(found, shingles[i]) >= _THRESHOLD for i in index.query(_sketch(found)))
        for found in map(_shingles, candidates)
    ]
    return pd.Series(may, index=frame.index) | frame.key.isin(apart.key)


class _Union:
    """Disjoint sets; the root of each is its least member."""

    def __init__(self, members: Sequence[int]) -> None:
        self._parents = list(members)

    def root(self, member: int) -> int:
        while self._parents[member] != member:
            self._parents[member] = self._parents[self._parents[member]]
            member = self._parents[member]
        return member

    def unite(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low


def _shingles(key: str) -> frozenset[str]:
    if len(key) < _SHORTEST:
        return frozenset()
    return frozenset(key[i : i + _SHINGLE] for i in range(len(key) - _SHINGLE + 1))


def _vocabulary(keys: Iterable[str]) -> set[str]:
    return set().union(*map(_shingles, keys))


def _may_be_near(keys: Iterable[str], vocabulary: set[str]) -> NDArray[np.bool_]:
    """Whether so much of each text occurs in others that it may be like one of them: a sketch
    costs fifty times as much."""
    found = map(_shingles, keys)
    enough = [bool(s) and len(s & vocabulary) >= _THRESHOLD * len(s) for s in found]
    return np.array(enough, dtype=bool)


def _sketch(shingles: frozenset[str]) -> MinHash:
    sketch = MinHash(num_perm=_PERMUTATIONS, seed=1)
    sketch.update_batch([shingle.encode() for shingle in shingles])
    return sketch


def _similarity(one: frozenset[Hashable], other: frozenset[Hashable]) -> float:
    return len(one & other) / len(one | other)
