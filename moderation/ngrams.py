"""Hashed character n-grams: the linear branch that stands beside the network."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

FILE = "ngrams.safetensors"
BUCKETS = 2**17
SIZES = range(2, 6)
_SPACE = ord(" ")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio (Knuth 1997, 6.4)
_SHIFT = np.uint64(64 - 17)

Vector = NDArray[np.float32]


def features(text: str) -> tuple[NDArray[np.int64], Vector]:
    """The buckets of a text's n-grams within words, and their sublinear frequencies of length 1.

    Each word has a blank at its ends, as with scikit-learn's `char_wb`. The hash is a fixed
    arithmetic of code points, so a bucket means the same in every process and release.
    """
    words = " ".join(text.lower().replace("ё", "е").split())
    codes = np.frombuffer(f" {words} ".encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    blanks = np.cumsum(codes == _SPACE)
    mixed, found = codes * _MULTIPLIER, []
    for size in SIZES:
        mixed = (mixed[:-1] ^ codes[size - 1 :]) * _MULTIPLIER
        # None of the signs between the first and the last is a blank.
        whole = blanks[size - 2 : len(codes) - 1] == blanks[: len(mixed)]
        found.append(mixed[whole] >> _SHIFT)
    buckets, counts = np.unique(np.concatenate(found), return_counts=True)
    weights = 1 + np.log(counts)
    return buckets.astype(np.int64), (weights / np.linalg.norm(weights)).astype(np.float32)


class NGrams:
    """A weight for each bucket and category; inverse document frequencies are folded in."""

    def __init__(self, weights: Vector, intercept: Vector) -> None:
        """`weights` has shape (BUCKETS, categories), `intercept` (categories,)."""
        self._weights = weights
        self._intercept = intercept

    @classmethod
    def load(cls, directory: Path) -> "NGrams | None":
        """The branch of a model directory, None if it has none."""
        path = directory / FILE
        if not path.is_file():
            return None
        tensors = load_file(path)
        return cls(tensors["weights"].astype(np.float32), tensors["intercept"].astype(np.float32))

    def save(self, directory: Path) -> None:
        """Write the branch in half precision."""
        tensors = {"weights": self._weights, "intercept": self._intercept}
        save_file(
            {name: tensor.astype(np.float16) for name, tensor in tensors.items()}, directory / FILE
        )

    def logits(self, text: str) -> Vector:
        """Uncalibrated logits, shape (categories,)."""
        buckets, weights = features(text)
        found: Vector = weights @ self._weights[buckets] + self._intercept
        return found
