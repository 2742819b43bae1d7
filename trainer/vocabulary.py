"""The word pieces of a model from scratch, and their first embeddings."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.utils.extmath import randomized_svd
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import WordPieceTrainer
from transformers import PreTrainedTokenizerFast

_SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюяabcdefghijklmnopqrstuvwxyz0123456789@$*"
_ALPHABET = 300  # signs that get pieces of their own; a word with any other sign is unknown
# Standard deviation of the first embeddings: twice that of BERT, which they have to outweigh.
_SPREAD = 0.04


def learn(texts: Sequence[str], size: int, positions: int) -> PreTrainedTokenizerFast:
    """A lower-case WordPiece tokenizer which keeps й, reads ё as е and knows every usual sign.

    Without the signs as pieces a disguised word would be one unknown token.
    """
    tokenizer = _wordpiece({_SPECIAL["unk"]: 0})
    alphabet = _alphabet(tokenizer.normalizer.normalize_str(text) for text in texts)
    # Listed first, pieces get the same numbers in every run; the trainer's own order is random.
    inside = [f"##{sign}" for sign in alphabet if not _is_punctuation(sign)]
    listed = [*_SPECIAL.values(), *alphabet, *inside]
    trainer = WordPieceTrainer(
        vocab_size=max(size, len(listed)),
        special_tokens=listed,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    learnt = _wordpiece(tokenizer.get_vocab())
    ends = [(_SPECIAL[name], learnt.token_to_id(_SPECIAL[name])) for name in ("cls", "sep")]
    learnt.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    names = {f"{name}_token": token for name, token in _SPECIAL.items()}
    # Its constructor has no annotations.
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=learnt, model_max_length=positions, **names
    )


def _wordpiece(vocabulary: dict[str, int]) -> Tokenizer:
    unknown = _SPECIAL["unk"]
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token=unknown, max_input_chars_per_word=60)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.BertNormalizer(clean_text=True, strip_accents=False, lowercase=True),
            normalizers.Replace("ё", "е"),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def _is_punctuation(sign: str) -> bool:
    """Whether the pre-tokenizer makes `sign` a word of its own, as BERT does."""
    marked = sign.isascii() and not sign.isalnum()
    return marked or unicodedata.category(sign).startswith("P")


def _alphabet(texts: Iterable[str]) -> list[str]:
    """The letters that disguises are made of, and the most frequent other signs."""
    counts = Counter(sign for text in texts for sign in text if not sign.isspace())
    usual = sorted(counts, key=lambda sign: (-counts[sign], sign))[:_ALPHABET]
    return sorted({*usual, *_LETTERS})


def embeddings(
    rows: Sequence[Sequence[int]], size: int, dimensions: int, reach: int, seed: int
) -> torch.Tensor:
    """First embeddings, shape (size, dimensions): singular vectors of the positive pointwise
    mutual information of pieces within `reach` of each other (Levy, Goldberg & Dagan 2015).
    """
    counts = _neighbours(rows, size, reach)
    pairs = counts.tocoo()
    left = np.asarray(counts.sum(axis=1)).ravel()
    right = left**0.75  # smoothed contexts: rare neighbours count for less
    expected = left[pairs.row] * right[pairs.col] / right.sum()
    information = np.log(np.maximum(pairs.data / np.maximum(expected, 1e-9), 1.0))
    matrix = csr_matrix((information, (pairs.row, pairs.col)), shape=(size, size))
    vectors, sizes, _ = randomized_svd(matrix, dimensions, random_state=seed)
    found = vectors * np.sqrt(sizes)
    generator = np.random.default_rng(seed)
    found = found / max(found.std(), 1e-9) * _SPREAD
    found += generator.normal(0, 0.2 * _SPREAD, found.shape)
    return torch.tensor(found, dtype=torch.float32)


def _neighbours(rows: Sequence[Sequence[int]], size: int, reach: int) -> csr_matrix:
    """How often two pieces stand within `reach` of each other, nearer ones counting for more."""
    ids = np.concatenate([np.asarray(row, dtype=np.int32) for row in rows])
    text = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    counts = csr_matrix((size, size), dtype=np.float64)
    for distance in range(1, min(reach + 1, len(ids))):
        same = text[distance:] == text[:-distance]
        a, b = ids[:-distance][same], ids[distance:][same]
        near = np.full(len(a), 1 / distance)
        counts += coo_matrix((near, (a, b)), shape=(size, size)).tocsr()
    return counts + counts.T
