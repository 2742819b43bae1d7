import torch
from transformers import PreTrainedTokenizerFast

from trainer import vocabulary

TEXTS = ["Привет, как дела", "ещё один йод", "привет привет дела"] * 5


def test_case_falls_and_the_short_i_stays():
    tokenizer = vocabulary.learn(TEXTS, 300, 64)

    assert tokenizer("ПРИВЕТ").input_ids == tokenizer("привет").input_ids
    assert tokenizer("йод").input_ids != tokenizer("иод").input_ids
    assert tokenizer("ещё").input_ids == tokenizer("еще").input_ids


def test_disguised_words_have_pieces():
    tokenizer = vocabulary.learn(TEXTS, 300, 64)

    for word in ("cyка", "п1здец", "xyй", "ж0п@", "h4х$"):
        assert tokenizer.unk_token_id not in tokenizer(word).input_ids


def test_a_saved_tokenizer_is_the_same_again(tmp_path):
    tokenizer = vocabulary.learn(TEXTS, 300, 64)
    tokenizer.save_pretrained(tmp_path)
    again = PreTrainedTokenizerFast.from_pretrained(tmp_path)

    assert again("Ещё привет, йод").input_ids == tokenizer("Ещё привет, йод").input_ids
    assert (again.cls_token_id, again.model_max_length) == (tokenizer.cls_token_id, 64)


def test_pieces_with_the_same_neighbours_get_like_embeddings():
    rows = [[9, 5, 8], [9, 6, 8], [3, 7, 4]] * 20
    found = vocabulary.embeddings(rows, 10, 4, 2, seed=0)

    def like(a, b):
        return torch.cosine_similarity(found[a], found[b], dim=0)

    assert found.shape == (10, 4)
    assert like(5, 6) > 0.8 > like(5, 7)


def test_texts_of_one_piece_have_embeddings_too():
    assert vocabulary.embeddings([[1], [2]], 8, 4, 5, seed=0).isfinite().all()
