import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from moderation.categories import Category
from moderation.ngrams import BUCKETS, NGrams, features
from moderation.text import normalize
from tests.trainer.conftest import WORDS, sentence
from trainer import ngrams
from trainer.data import Examples


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


def corrected(directory, examples):
    base, found = NGrams.load(directory), ngrams.correct(directory, examples)
    return lambda text: (base.logits(text), found.logits(text))


def test_a_branch_that_is_told_what_it_says_itself_stays_as_it_is(tmp_path):
    ngrams.fit(rows(0), seed=1).save(tmp_path)
    texts = list(rows(0).text)
    base = NGrams.load(tmp_path)
    own = expit(np.stack([base.logits(normalize(text)) for text in texts])).astype(np.float32)
    both = corrected(tmp_path, Examples(texts, own, np.ones(len(texts), np.float32)))

    for text in ("убью тебя", "привет сосед", "совсем другое"):
        before, after = both(text)
        assert np.allclose(before, after, atol=1e-3)


def test_a_correction_teaches_a_word_and_leaves_what_is_unknown_alone(tmp_path):
    ngrams.fit(rows(0), seed=1).save(tmp_path)
    labels = np.full((20, len(Category)), -1, np.float32)
    labels[:, 1] = [1, 0] * 10
    texts = ["ну и хрюндель", "ну и сосед"] * 10
    before, after = corrected(tmp_path, Examples(texts, labels, np.ones(20, np.float32)))(
        "хрюндель"
    )

    assert after[1] > before[1] + 1
    assert np.array_equal(np.delete(after, 1), np.delete(before, 1))


def test_a_row_without_weight_teaches_nothing(tmp_path):
    ngrams.fit(rows(0), seed=1).save(tmp_path)
    examples = Examples(["ну и хрюндель"], np.ones((1, 6), np.float32), np.zeros(1, np.float32))
    before, after = corrected(tmp_path, examples)("ну и хрюндель")

    assert np.allclose(before, after)
