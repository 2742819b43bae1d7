import gzip

import pytest

from moderation.categories import Category
from tests.trainer.conftest import write
from trainer import data
from trainer.config import TrainingError
from trainer.data import UNKNOWN

GOLD = "text\tlabels\tsplit\tgroup\tsource"
CORPUS = "text\tlabels\tsource\tlang\tweak_labels\tgroup\tsplit"


def vector(frame, row=0):
    return {c.value: frame[c][row] for c in Category}


def corpus_row(tmp_path, labels, weak="", source="rutoxicon"):
    lines = [CORPUS, f"какой-то текст\t{labels}\t{source}\tru\t{weak}\t1\ttrain"]
    return vector(data.read_corpus(write(tmp_path / "corpus.tsv", lines)).frame)


def test_a_gold_row_has_a_complete_vector(tmp_path):
    loaded = data.read_gold(write(tmp_path / "gold.tsv", [GOLD, "а\tinsult|threat\ttest\t7\tм"]))

    assert vector(loaded.frame) == {
        "obscenity": 0,
        "insult": 1,
        "threat": 1,
        "discrimination": 0,
        "rude": 0,
        "non_toxic": 0,
    }
    assert (loaded.frame.split[0], loaded.frame.group[0]) == ("test", "7")


def test_the_file_of_the_original_recipe_is_read_by_its_russian_names(tmp_path):
    lines = ["text_res\tmark1\tmark2\tmark3", "а\tУгроза\tМат/нецензурное\t", "б\t0\t\t"]
    frame = data.read_gold(write(tmp_path / "recipe.tsv", lines)).frame

    assert [c for c, v in vector(frame, 0).items() if v] == ["obscenity", "threat"]
    assert [c for c, v in vector(frame, 1).items() if v] == ["non_toxic"]
    assert set(frame.split) == {""}


def test_bare_toxic_leaves_every_category_unknown(tmp_path):
    known = corpus_row(tmp_path, "toxic")

    assert known.pop("non_toxic") == 0
    assert set(known.values()) == {UNKNOWN}


def test_non_toxic_decides_every_category(tmp_path):
    known = corpus_row(tmp_path, "non_toxic")

    assert known.pop("non_toxic") == 1
    assert set(known.values()) == {0}


def test_a_stated_category_says_nothing_of_the_others(tmp_path):
    known = corpus_row(tmp_path, "discrimination|toxic")

    assert (known.pop("discrimination"), known.pop("non_toxic")) == (1, 0)
    assert set(known.values()) == {UNKNOWN}


@pytest.mark.parametrize(("labels", "others"), [("toxic", UNKNOWN), ("non_toxic", 0)])
def test_a_word_of_the_lexicon_makes_a_row_obscene_and_so_toxic(tmp_path, labels, others):
    known = corpus_row(tmp_path, labels, weak="obscenity")

    assert (known["obscenity"], known["non_toxic"], known["insult"]) == (1, 0, others)


def test_texts_of_the_pool_have_no_labels(tmp_path):
    frame = data.read_pool(write(tmp_path / "pool.tsv", ["text\tsource", "текст\tпул"])).frame

    assert set(vector(frame).values()) == {UNKNOWN}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("а\tinsult\ttrain\t1", "4 fields, not 5"),
        ("а\tinsult\ttrain\t1\tм\tлишнее", "6 fields, not 5"),
        ("  \tinsult\ttrain\t1\tм", "no text"),
        ("а\t\ttrain\t1\tм", "no label"),
        ("а\tglum\ttrain\t1\tм", "unknown label 'glum'"),
        ("а\tnon_toxic|rude\ttrain\t1\tм", "not toxic and toxic at once"),
        ("а\trude\tdev\t1\tм", "split must be train or test, not 'dev'"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_reason(tmp_path, line, reason):
    path = write(tmp_path / "gold.tsv", [GOLD, "хорошая строка\trude\ttrain\t1\tм", line])
    loaded = data.read_gold(path)

    assert [str(rejected) for rejected in loaded.rejected] == [f"{path}:3: {reason}"]
    assert len(loaded.frame) == 1


def test_bytes_that_are_not_utf8_make_a_bad_row(tmp_path):
    path = tmp_path / "gold.tsv"
    path.write_bytes(f"{GOLD}\nа\trude\ttrain\t1\tм\n".encode() + b"\xff\trude\ttrain\t2\tx\n")

    assert [r.reason for r in data.read_gold(path).rejected] == ["not UTF-8"]


def test_a_replacement_character_in_a_text_is_no_fault(tmp_path):
    lines = [GOLD, "а \N{REPLACEMENT CHARACTER}\trude\ttrain\t1\tм"]

    assert not data.read_gold(write(tmp_path / "gold.tsv", lines)).rejected


def test_quotes_mean_nothing_and_line_ends_may_be_those_of_windows(tmp_path):
    path = tmp_path / "gold.tsv"
    path.write_bytes(f'{GOLD}\r\n"он сказал\trude\ttrain\t1\tм\r\n'.encode())

    assert list(data.read_gold(path).frame.text) == ['"он сказал']


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty"),
        ("a\tb\n1\t2\n", "none of the columns 'text'"),
        (f"{GOLD}\n", "no rows"),
        (f"{GOLD}\nа\tglum\ttrain\t1\tм\n", "no usable row; first: .*:2: unknown label"),
    ],
)
def test_a_file_without_a_usable_row_is_refused_in_one_line(tmp_path, content, said):
    path = tmp_path / "gold.tsv"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(TrainingError, match=said) as error:
        data.read_gold(path)

    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="No such file"):
        data.read_gold(tmp_path / "none.tsv")


def test_what_only_pretends_to_be_gzip_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="gzipped file"):
        data.read_gold(write(tmp_path / "gold.tsv.gz", [GOLD]))


def test_a_gzipped_file_is_read(tmp_path):
    path = tmp_path / "gold.tsv.gz"
    path.write_bytes(gzip.compress(f"{GOLD}\nа\trude\ttrain\t1\tм\n".encode()))

    assert len(data.read_gold(path).frame) == 1


def test_duplicates_become_one_row_by_vote_and_a_tie_is_unknown(tmp_path):
    lines = [
        GOLD,
        "Вот так\tinsult|threat\ttrain\t1\tм",
        "вот  так\tinsult\ttrain\t2\tм",
        "ВОТ ТАК\tinsult|threat|obscenity\ttrain\t3\tм",
        "другое\trude\ttrain\t4\tм",
        "Другое\tinsult\ttrain\t5\tм",
    ]
    frame = data.read_gold(write(tmp_path / "gold.tsv", lines)).frame
    labels = {row["key"]: vector(frame, i) for i, row in frame.iterrows()}

    assert [c for c, v in labels["вот так"].items() if v == 1] == ["insult", "threat"]
    assert [c for c, v in labels["другое"].items() if v == UNKNOWN] == ["insult", "rude"]


def test_a_duplicate_of_a_test_row_is_a_test_row(tmp_path):
    lines = [GOLD, "вот так\trude\ttrain\t1\tм", "Вот так\trude\ttest\t2\tм"]

    assert list(data.read_gold(write(tmp_path / "gold.tsv", lines)).frame.split) == ["test"]


def test_the_digest_depends_on_the_rows_and_not_on_their_order(tmp_path):
    rows = ["а\trude\ttrain\t1\tм", "б\tinsult\ttrain\t2\tм"]
    digests = [
        data.digest(data.read_gold(write(tmp_path / "gold.tsv", [GOLD, *lines])).frame)
        for lines in (rows, rows[::-1], [rows[0], rows[1].replace("insult", "threat")])
    ]

    assert digests[0] == digests[1] != digests[2]


def test_the_digest_is_the_same_on_every_machine(tmp_path):
    frame = data.read_gold(write(tmp_path / "gold.tsv", [GOLD, "а\trude\ttrain\t1\tм"])).frame

    assert data.digest(frame).startswith("ff184b381780ed51")


def test_texts_to_score_keep_their_order_and_the_empty_ones(tmp_path):
    path = write(tmp_path / "texts.tsv", ["id\ttext", "1\tб", "2\t", "3", "4\tа\tлишнее"])

    assert data.read_texts(path) == ["б", "", "", "а"]
