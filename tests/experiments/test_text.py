"""experiments/text.py: names, vocabulary, examples, and every file that is refused."""

import math
import random
import unicodedata

import numpy as np
import pytest

from minitorch_bn.experiments import names, text
from minitorch_bn.experiments.results import BadInput


@pytest.fixture(scope="module")
def words():
    return text.read_names()


def test_the_shipped_file(words):
    assert len(words) == 30_000
    vocabulary = text.Vocabulary(words)
    assert vocabulary.symbols == ".'-abcdefghijklmnopqrstuvwxyzàâäæçèéêëîïôöùûüÿ" and len(vocabulary) == 46


def test_split_is_the_one_of_the_course(words):
    shuffled = list(words)
    random.seed(42)
    random.shuffle(shuffled)
    parts = text.split_names(words)
    assert [len(part) for part in parts] == [24_000, 3_000, 3_000]
    assert [name for part in parts for name in part] == shuffled
    data = names.load_data(names.Settings())
    sizes = [len(part[1]) for part in (data.train, data.dev, data.test)]
    assert sum(sizes) == 227_518
    assert data.bigram == pytest.approx(2.4944, abs=1e-4) and data.uniform == math.log(46)


@pytest.mark.parametrize("context", [1, 3, 5])
def test_examples_are_those_of_the_loop(words, context):
    some = [*words[:500], "a"]
    vocabulary = text.Vocabulary(words)
    expected_x, expected_y = [], []
    for word in some:
        seen = [0] * context
        for symbol in word + ".":
            number = vocabulary.encode(symbol)[0]
            expected_x.append(seen)
            expected_y.append(number)
            seen = [*seen[1:], number]
    x, y = text.build_dataset(some, vocabulary, context)
    assert x.tolist() == expected_x and y.tolist() == expected_y


def test_an_unknown_symbol_is_named():
    vocabulary = text.Vocabulary(["abc"])
    assert vocabulary.decode(np.array([1, 2, 0])) == "ab."
    with pytest.raises(
        ValueError, match=r"symbol 'ñ' \(U\+00F1, LATIN SMALL LETTER N WITH TILDE\) at position 2 of 'abñc'"
    ):
        vocabulary.encode("abñc")
    with pytest.raises(ValueError, match=r"'z'.*at position 1"):
        text.build_dataset(["az"], vocabulary)


def write(folder, content):
    path = folder / "names.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "zoé\nève\n".encode(),
        "zoé\r\nève\r\n".encode(),
        "zoé\rève".encode(),
        b"\xef\xbb\xbf" + "zoé\nève".encode(),
        "\n  zoé  \n\n\tève\n\n".encode(),
        unicodedata.normalize("NFD", "zoé\nève\n").encode(),
    ],
)
def test_files_that_differ_only_in_form_give_the_same_names(tmp_path, content):
    assert text.read_names(write(tmp_path, content)) == ["zoé", "ève"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n\r\n", "is empty"),
        (
            "anna\nzoé\n".encode("cp1252"),
            r"byte 0xe9 at offset 7; it may be cp1252 or latin-1.*iconv -f cp1252 -t utf-8",
        ),
        ("anna\n".encode("utf-16"), r"offset 0; it may be UTF-16"),
        (b"anna\njean.pierre\n", r"line 2, 'jean.pierre', holds a '\.'"),
    ],
)
def test_files_that_are_refused(tmp_path, content, message):
    with pytest.raises(BadInput, match=message) as caught:
        text.read_names(write(tmp_path, content))
    assert "names.txt" in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"--file nowhere\.txt: no such file"):
        text.read_names("nowhere.txt")
    with pytest.raises(FileNotFoundError, match="a folder, not a file"):
        text.read_names(tmp_path)
    monkeypatch.setattr(text, "DEFAULT_PLACES", (tmp_path / "data" / "prenoms.txt", tmp_path / "share" / "prenoms.txt"))
    with pytest.raises(FileNotFoundError, match=r"data.prenoms.txt nor at .*share.prenoms.txt; give .* --file"):
        text.read_names()


def test_the_places_are_searched_in_order(tmp_path, monkeypatch):
    places = [tmp_path / "a.txt", tmp_path / "b.txt"]
    monkeypatch.setattr(text, "DEFAULT_PLACES", places)
    places[1].write_text("second")
    assert text.read_names() == ["second"]
    places[0].write_text("first")
    assert text.read_names() == ["first"]


def test_too_few_names_to_part():
    assert [len(p) for p in text.split_names("abcdefghij")] == [8, 1, 1]
    with pytest.raises(BadInput, match="5 names cannot be parted"):
        text.split_names("abcde")


def test_bigram_floor():
    y, before = np.array([1, 2, 1, 2]), np.array([0, 1, 0, 1])
    assert text.bigram_floor(y, before) == 0
    assert text.bigram_floor(np.array([1, 2]), np.array([0, 0])) == pytest.approx(math.log(2))
