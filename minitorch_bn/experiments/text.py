"""Names -> symbols -> examples: what the names network reads.

    "ève"  ->  . . . | è        three symbols of context, and the one that follows; '.' stands before and after a name
               . . è | v
               . è v | e
               è v e | .

The same examples in the same order as the loops of the course (for every name, for every letter and the '.'), made by
NumPy in one pass.
"""

import random
import sys
import unicodedata
from pathlib import Path

import numpy as np

import minitorch_bn as mt

from .results import BadInput

END = "."
DEFAULT_PLACES = (
    Path(__file__).resolve().parents[2] / "data" / "prenoms.txt",
    Path(sys.prefix) / "share" / "minitorch_bn" / "prenoms.txt",
)


class Vocabulary:
    """The symbols that a network knows, and their numbers: '.' is 0, the others follow in code point order.

    Parameters
    ----------
    text : str or iterable of str
        All that the vocabulary shall cover.

    Attributes
    ----------
    symbols : str
        ``symbols[i]`` has number i.

    Examples
    --------
    >>> vocabulary = Vocabulary(["ève", "eve"])
    >>> vocabulary.symbols, vocabulary.encode("ève."), vocabulary.decode([3, 2])
    ('.evè', [3, 2, 1, 0], 'èv')
    """

    def __init__(self, text):
        self.symbols = END + "".join(sorted(set().union(*text) - {END}))
        self._numbers = {symbol: i for i, symbol in enumerate(self.symbols)}

    def __len__(self):
        return len(self.symbols)

    def encode(self, text):
        """The numbers of the symbols of `text`, as a list.

        Raises
        ------
        ValueError
            If the vocabulary does not know a symbol; the message names it and its position.
        """
        try:
            return [self._numbers[symbol] for symbol in text]
        except KeyError:
            where = next(i for i, symbol in enumerate(text) if symbol not in self._numbers)
            symbol = text[where]
            name = unicodedata.name(symbol, "a character without a name")
            raise ValueError(
                f"encode: symbol {symbol!r} (U+{ord(symbol):04X}, {name}) at position {where} of {text!r} is not in "
                f"the vocabulary, whose {len(self)} symbols are {self.symbols}"
            ) from None

    def decode(self, numbers):
        """The symbols with these numbers, as text."""
        return "".join(self.symbols[int(i)] for i in numbers)


def find_file(file=None):
    """The path of the names: `file`, or the prenoms.txt that came with the repository or the installed package.

    Raises
    ------
    FileNotFoundError
        If there is none; the message says where it was looked for.
    """
    places = [Path(file)] if file is not None else DEFAULT_PLACES
    for place in places:
        if place.is_file():
            return place
    if file is not None:
        kind = "a folder, not a file" if places[0].is_dir() else "no such file"
        raise FileNotFoundError(f"--file {file}: {kind} (looked in {places[0].absolute().parent})")
    looked = " nor at ".join(str(place) for place in places)
    raise FileNotFoundError(f"there is no prenoms.txt at {looked}; give the path of a list of names with --file")


def read_names(file=None):
    """The names of a file, one per line, in Unicode form NFC, without blank lines and blanks around them.

    Parameters
    ----------
    file : str or Path, optional
        UTF-8, with any kind of line end. Left out: the prenoms.txt that came with the package.

    Returns
    -------
    list of str
        In the file's order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    BadInput
        If it is not UTF-8 (the message names the first bad byte), holds no names, or a name holds a '.'.
    """
    path = find_file(file)
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        looks_16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
        hint = "UTF-16" if looks_16 else "cp1252 or latin-1"
        raise BadInput(
            f"{path} is not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}; it may be {hint}. "
            f"Save it as UTF-8 (iconv -f {'utf-16' if looks_16 else 'cp1252'} -t utf-8)."
        ) from None
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    names = [line.strip() for line in lines]
    for number, name in enumerate(names, 1):
        if END in name:
            raise BadInput(f"{path}: line {number}, {name!r}, holds a '.', which stands for the end of a name")
    names = [name for name in names if name]
    if not names:
        raise BadInput(f"{path} is empty: it holds no names, wanted one per line")
    return names


def split_names(names):
    """Shuffle with seed 42 and part into training (80 %), development (10 %) and test (10 %), as the course does.

    Returns
    -------
    tuple of three lists of str

    Raises
    ------
    BadInput
        If a part would be empty (fewer than ten names are never enough).
    """
    names = list(names)
    random.Random(42).shuffle(names)  # the same order as random.seed(42); random.shuffle(names)
    first, second = int(0.8 * len(names)), int(0.9 * len(names))
    parts = names[:first], names[first:second], names[second:]
    if not all(parts):
        raise BadInput(f"{len(names)} names cannot be parted 80/10/10: wanted at least 10")
    return parts


def build_dataset(names, vocabulary, context=3):
    """Every symbol of every name, the '.' at its end too, with the `context` symbols before it.

    Parameters
    ----------
    names : list of str
    vocabulary : Vocabulary
    context : int

    Returns
    -------
    x : Tensor of int64, shape (N, context)
    y : Tensor of int64, shape (N,)

    Raises
    ------
    ValueError
        If the vocabulary does not know a symbol.
    """
    y = np.array(vocabulary.encode("".join(name + END for name in names)), np.int64)
    lengths = np.array([len(name) + 1 for name in names])
    starts = np.repeat(np.cumsum(lengths) - lengths, lengths)  # for every example, where its name begins
    position = np.arange(len(y)) - starts
    x = np.zeros((len(y), context), np.int64)
    for back in range(1, context + 1):
        inside = np.flatnonzero(position >= back)  # elsewhere the context reaches before the name, where '.' (0) stands
        x[inside, context - back] = y[inside - back]
    return mt.tensor(x), mt.tensor(y)


def bigram_floor(y, before):
    """The lowest mean loss, in nats, that a model can have on these examples that sees one symbol back.

    Parameters
    ----------
    y, before : arrays of int, shape (N,)
        The symbols and the one before each.
    """
    size = int(max(y.max(), before.max())) + 1
    counts = np.bincount(before * size + y, minlength=size * size).reshape(size, size)
    p = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return float(-(counts[counts > 0] * np.log(p[counts > 0])).sum() / counts.sum())
