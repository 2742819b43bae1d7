import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from moderation.ngrams import BUCKETS, NGrams, features

ANALYZE = CountVectorizer(analyzer="char_wb", ngram_range=(2, 5)).build_analyzer()


@given(st.text("абв г", min_size=1, max_size=30).filter(str.strip))
def test_there_is_a_bucket_for_each_ngram_that_scikit_learn_finds(text):
    buckets, weights = features(text)
    # Two n-grams may share a bucket, though hardly in so few.
    assert len(buckets) == pytest.approx(len(set(ANALYZE(text))), abs=1)
    assert np.linalg.norm(weights) == pytest.approx(1, abs=1e-5)


@given(st.text(max_size=50))
def test_buckets_are_in_range_and_distinct(text):
    buckets, weights = features(text.encode("utf-8", "replace").decode())
    assert len(set(buckets.tolist())) == len(buckets) == len(weights)
    assert all(0 <= bucket < BUCKETS for bucket in buckets)


def test_a_bucket_means_the_same_for_ever():
    """Weights that were shipped are read by these numbers."""
    buckets, _ = features("Привет, как дела?")
    digest = hashlib.sha256(buckets.astype("<i8").tobytes()).hexdigest()
    assert digest[:16] == "c53b698103995d9f"


def test_case_spaces_and_yo_make_no_difference():
    assert (features("Ёж  и\nуж")[0] == features("еж и уж")[0]).all()


def test_the_logit_is_the_weighted_sum_of_its_ngrams(tmp_path):
    buckets, weights = features("сука")
    table = np.zeros((BUCKETS, 2), dtype=np.float32)
    table[buckets, 1] = 3
    NGrams(table, np.array([0.5, -1], dtype=np.float32)).save(tmp_path)
    loaded = NGrams.load(tmp_path)
    assert loaded.logits("сука") == pytest.approx([0.5, 3 * weights.sum() - 1], abs=1e-3)
    assert loaded.logits("") == pytest.approx([0.5, -1], abs=1e-3)


def test_a_directory_without_the_branch_has_none(tmp_path):
    assert NGrams.load(tmp_path) is None
