import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from moderation.categories import Category
from moderation.ngrams import BUCKETS, features
from tests.trainer.conftest import WORDS, sentence
from trainer import ngrams


def rows(seed, n=400):
    import random

    rng = random.Random(seed)
    texts, labels = [], []
    for i in range(n):
        category = rng.choice(sorted(WORDS)) if i % 2 else None
        texts.append(sentence(rng, rng.choice(WORDS[category]) if category else "привет"))
        labels.append({c: float(c == (category or "non_toxic")) for c in Category})
    return pd.DataFrame(
        [{"text": text, "weight": 1.0, **row} for text, row in zip(texts, labels, strict=True)]
    )


def test_the_branch_tells_categories_apart_on_rows_it_has_not_seen():
    branch, unseen = ngrams.fit(rows(0), seed=1), rows(1)
    logits = np.stack([branch.logits(text) for text in unseen.text])

    for i, category in enumerate(Category):
        assert roc_auc_score(unseen[category], logits[:, i]) > 0.95


def test_an_unknown_label_takes_no_part():
    known = rows(0)
    doubtful = known.copy()
    doubtful.loc[:50, Category.THREAT] = -1.0
    one, other = ngrams.fit(known.iloc[51:], seed=1), ngrams.fit(doubtful, seed=1)
    at = list(Category).index(Category.THREAT)

    # Document frequencies still come from all rows, so only nearly the same.
    assert abs(one.logits("убью тебя")[at] - other.logits("убью тебя")[at]) < 0.5


def test_a_row_of_the_matrix_holds_the_features_of_its_text():
    found = ngrams.matrix(["привет", "", "дом"])
    buckets, weights = features("дом")

    assert found.shape == (3, BUCKETS)
    assert np.allclose(found[2, buckets].toarray().ravel(), weights)
