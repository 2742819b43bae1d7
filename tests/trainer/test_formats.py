import gzip
import json
from contextlib import suppress

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.categories import Category
from tests.trainer.conftest import write
from trainer import data, formats
from trainer.config import TrainingError
from trainer.data import UNKNOWN

ROWS = [
    {"text": "ты идиот, найду тебя", "labels": ["insult", "threat"]},
    {"text": "доброе утро", "labels": ["non_toxic"]},
]


def fasttext(path):
    return write(path, ["__label__INSULT,__label__THREAT ты идиот, найду тебя",
                        "__label__NORMAL доброе утро"])  # fmt: skip


def spaced_fasttext(path):
    return write(path, ["__label__INSULT __label__THREAT ты идиот, найду тебя",
                        "__label__NORMAL доброе утро"])  # fmt: skip


def jsonl(path):
    return write(path, [json.dumps(row, ensure_ascii=False) for row in ROWS])


def tabled(path, delimiter=","):
    frame = pd.DataFrame({"id": [1, 2], "text": [row["text"] for row in ROWS]})
    for category in Category:
        frame[category.value] = [int(category in row["labels"]) for row in ROWS]
    frame.to_csv(path, index=False, sep=delimiter)
    return path


def listed(path):
    frame = pd.DataFrame(ROWS)
    frame["labels"] = frame.labels.str.join("|")
    frame.to_csv(path, index=False)
    return path


def parquet(path):
    pd.DataFrame(ROWS).to_parquet(path)
    return path


def recipe(path):
    return write(path, ["text_res\tmark1\tmark2\tmark3",
                        "ты идиот, найду тебя\tОскорбление\tУгроза\tNaN",
                        "доброе утро\t0\t\tnan"])  # fmt: skip


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("a.txt", fasttext),
        ("a.fasttext", spaced_fasttext),
        ("a.unknown", fasttext),
        ("a.jsonl", jsonl),
        ("a.csv", tabled),
        ("a.csv", lambda path: tabled(path, ";")),
        ("a.csv", listed),
        ("a.parquet", parquet),
        ("a.tsv", recipe),
    ],
)
def test_every_format_gives_the_same_labels(tmp_path, name, made):
    frame = data.read_gold(made(tmp_path / name)).frame

    assert list(frame.text) == [row["text"] for row in ROWS]
    for i, row in enumerate(ROWS):
        assert {c for c in Category if frame[c][i] == 1} == set(row["labels"])
        assert set(data.targets(frame)[i]) == {0.0, 1.0}
    assert data.read_texts(tmp_path / name) == [row["text"] for row in ROWS]


@pytest.mark.parametrize("made", [fasttext, jsonl, tabled])
def test_a_file_may_be_gzipped(tmp_path, made):
    suffix = {"fasttext": "txt", "jsonl": "jsonl", "tabled": "csv"}[made.__name__]
    plain = made(tmp_path / f"a.{suffix}")
    packed = tmp_path / f"b.{suffix}.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    assert list(data.read_gold(packed).frame.text) == [row["text"] for row in ROWS]


def test_an_absent_or_empty_label_column_is_unknown_and_never_negative(tmp_path):
    lines = ["comment,insult,threat", "какой-то текст,1,", "другой текст,0,0"]
    frame = data.read_gold(write(tmp_path / "a.csv", lines)).frame

    assert list(frame.insult) == [1, 0]
    assert list(frame.threat) == [UNKNOWN, 0]
    assert list(frame.rude) == [UNKNOWN, UNKNOWN]
    assert list(frame.non_toxic) == [0, UNKNOWN]


def test_not_toxic_follows_from_five_noes_and_decides_them(tmp_path):
    rows = [
        {
            "text": "первый",
            **dict.fromkeys(["obscenity", "insult", "threat", "discrimination", "rude"], 0),
        },
        {"text": "второй", "non_toxic": True},
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    frame = data.read_gold(write(tmp_path / "a.jsonl", lines)).frame

    assert list(frame.non_toxic) == [1, 1]
    assert list(frame.rude) == [0, 0]


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("a.jsonl", "{нет", "not JSON"),
        ("a.jsonl", "[1]", "not a JSON object"),
        ("a.jsonl", '{"text": "а", "labels": ["glum"]}', "unknown label 'glum'"),
        ("a.jsonl", '{"text": "а", "labels": "[oops"}', "labels are no JSON list"),
        ("a.txt", "просто текст", "no __label__"),
        ("a.txt", "__label__INSULT", "no text"),
        ("a.txt", "__label__GLUM текст", "unknown label 'GLUM'"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, name, line, reason):
    good = {"a.jsonl": '{"text": "б", "labels": ["rude"]}', "a.txt": "__label__INSULT б"}[name]
    loaded = data.read_gold(write(tmp_path / name, [good, line]))

    assert [(r.line, r.reason.split(":")[0]) for r in loaded.rejected] == [(2, reason)]
    assert len(loaded.frame) == 1


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("а,2,0", "insult must be 1, 0 or empty, not '2'"),
        ("а,1,1", "not toxic and toxic at once"),
        ("а,1", "2 fields, not 3"),
    ],
)
def test_a_bad_cell_is_named_with_its_line(tmp_path, cells, reason):
    lines = ["text,insult,non_toxic", "хорошая строка,1,0", cells]

    assert [(r.line, r.reason) for r in data.read_gold(write(tmp_path / "a.csv", lines)).rejected] \
        == [(3, reason)]  # fmt: skip


def test_a_quoted_cell_of_a_csv_may_hold_commas_and_line_breaks(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text,insult\n"раз, ""два""\nтри",1\nещё,x\n', encoding="utf-8")
    loaded = data.read_gold(path)

    assert list(loaded.frame.text) == ['раз, "два"\nтри']
    assert [r.line for r in loaded.rejected] == [4]


def test_a_row_that_is_no_csv_is_left_out_and_the_next_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,insult\none,1\na\rb,1\nthree,0\n")
    loaded = data.read_gold(path)

    assert list(loaded.frame.text) == ["one", "three"]
    assert [(r.line, r.reason.split(":")[0]) for r in loaded.rejected] == [(3, "not CSV")]


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.csv", "text\nб\n\nа\n", ["б", "", "а"]),
        ("a.csv", "id,comment\n1,б\n2,\n3,а\n", ["б", "", "а"]),
        ("a.jsonl", '{"message": "б"}\n{"message": null}\n{"message": "а"}\n', ["б", "", "а"]),
        ("a.txt", "__label__RUDE б\n\nпросто а\n", ["б", "", "просто а"]),
    ],
)
def test_texts_to_score_keep_their_order_and_the_empty_ones(tmp_path, name, content, texts):
    (tmp_path / name).write_text(content, encoding="utf-8")

    assert data.read_texts(tmp_path / name) == texts


def test_the_names_of_the_ok_ml_cup_are_known_in_every_format(tmp_path):
    listed = write(tmp_path / "a.csv", ["text,labels", "а,NORMAL", "б,INSULT|THREAT"])
    columns = write(tmp_path / "b.csv", ["text,NORMAL,INSULT", "а,1,0", "б,0,1"])

    assert list(data.read_gold(listed).frame.non_toxic) == [1, 0]
    assert list(data.read_gold(columns).frame.non_toxic) == [1, 0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "empty"),
        ("a.csv", "a,b\n1,2\n", "none of the columns 'text'"),
        ("a.csv", "text,insult\n", "no rows"),
        ("a.jsonl", "нет\nнет\n", "none of the columns"),
        ("a.txt", "без меток\n", "no usable row; first: .*:1: no __label__"),
        ("a.parquet", "нет", "not readable as Parquet"),
        ("a.csv.gz", "нет", "gzipped"),
    ],
)
def test_a_file_without_a_usable_row_is_refused_in_one_line(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")

    with pytest.raises(TrainingError, match=said) as error:
        data.read_gold(path)

    assert "\n" not in str(error.value)


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "a.csv.gz"
    packed = bytearray(gzip.compress(b"text,insult\n" + b"abc,1\n" * 5000))
    packed[40:60] = bytes(20)
    path.write_bytes(packed)

    with pytest.raises(TrainingError):
        data.read_gold(path)


@given(st.binary(max_size=300), st.sampled_from(["csv", "jsonl", "txt", "tsv"]))
def test_no_file_raises_anything_but_a_clear_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(content)
    with suppress(TrainingError):
        assert len(data.read_gold(path).frame) > 0


@given(st.lists(st.sampled_from([c.value for c in Category]), unique=True, min_size=1))
def test_a_list_of_labels_is_read_however_it_is_written(labels):
    for written in ("|".join(labels), ", ".join(labels), "; ".join(labels), json.dumps(labels)):
        assert formats.label_list(written) == labels
