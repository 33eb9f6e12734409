"""Short runs of the commands, and what they wrote, number by number."""

import json
from pathlib import Path

PARTS = {"names": ("data", "nets"), "digits": ("rates", "final", "curves", "wrong")}
DIGITS = ["digits", "--seeds", "1", "--epochs", "1", "--rates", "--lr", "0.03", "--dropout", "0", "--dtype", "float64"]


def names_words(folder):
    """The words of a short run of names, on a few names that are written into `folder`."""
    few = (Path(__file__).parents[2] / "data" / "prenoms.txt").read_text(encoding="utf-8").split()[::100]
    file = folder / "few.txt"
    file.write_text("\n".join(few), encoding="utf-8")
    return ["names", "--hidden", "16", "--dtype", "float64", "--no-figures", "--file", str(file)]


def numbers(content):
    """All numbers that a run computed, apart from times: a flat list of (where, value)."""
    if isinstance(content, dict):
        return [
            (f"{key}/{where}", x) for key, part in content.items() if "seconds" not in key for where, x in numbers(part)
        ]
    if isinstance(content, list):
        return [(f"{i}/{where}", x) for i, part in enumerate(content) for where, x in numbers(part)]
    return [("", content)]


def read(folder, command="names"):
    """The numbers in the file that a command wrote."""
    content = json.loads((folder / f"{command}.json").read_text(encoding="utf-8"))
    return numbers({part: content[part] for part in PARTS[command]})


def assert_close(got, wanted, tolerance):
    """The same numbers at the same places; the largest difference of floats."""
    assert [where for where, _ in got] == [where for where, _ in wanted]
    floats = [(a, b) for (_, a), (_, b) in zip(got, wanted, strict=True) if isinstance(b, float)]
    others = [(a, b) for (_, a), (_, b) in zip(got, wanted, strict=True) if not isinstance(b, float)]
    assert all(a == b for a, b in others) and len(floats) > 5
    apart = max(abs(a - b) for a, b in floats)
    assert apart <= tolerance
    return apart
