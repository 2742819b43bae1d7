import pytest

from sandbox.params import Params
from sandbox.telegram import File

PHOTO = File("view.png", "image/png", b"123")


@pytest.mark.parametrize(
    ("value", "flag"),
    [("true", True), ("True", True), ("yes", True), ("1", True), ("0", False), ("", False)],
)
def test_some_words_mean_yes(value, flag):
    assert Params({"a": value}).flag("a") is flag


@pytest.mark.parametrize(("value", "number"), [("5", 5), ("-5", -5), ("five", 0), ("", 0)])
def test_what_is_no_number_is_the_default(value, number):
    assert Params({"a": value}).integer("a") == number
    assert Params().integer("a", 7) == 7


def test_json_that_does_not_parse_is_absent():
    assert Params({"a": "[1]"}).json("a") == [1]
    assert Params({"a": "{"}).json("a") is None
    assert Params({"a": "[1]"}).object("a") == {}


def test_a_file_is_found_by_its_name_or_by_what_it_is_attached_as():
    assert Params(files={"photo": PHOTO}).file("photo") is PHOTO
    assert Params({"photo": "attach://x"}, {"x": PHOTO}).file("photo") is PHOTO
    assert Params({"photo": "known-id"}).file("photo") is None


def test_files_are_journalled_by_name_and_size():
    assert Params({"a": "1"}, {"photo": PHOTO}).shape() == {"a": "1", "photo": "<view.png, 3 B>"}
