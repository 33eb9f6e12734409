"""The page that `debug.replay` writes: records of a trace as one HTML file with everything in it."""

import html
import inspect
import json
from pathlib import Path

import numpy as np

from . import batchnorm, layout
from .store import Store

HERE = Path(__file__).parent
SCRIPTS = ("heat.js", "graph.js", "page.js")
LARGEST = 18_000_000  # characters of a page; the arrays are sampled until they fit
LONGEST_ENTRY = 150  # characters that the page needs to say what an array is
LONGEST_TEXT = 120  # of a setting of an op; longer ones are cut


def page(records, title):
    """The HTML of the page.

    Parameters
    ----------
    records : list of Record
        What `trace` gives. Their arrays are read now.
    title : str

    Returns
    -------
    str
    """
    store, classes = Store(), {}
    numbers = {id(record.op): i for i, record in enumerate(records)}
    parents = [[v.source for v in record.inputs if v.source is not None] for record in records]
    places, ways = layout.layers(parents)
    ops = [_op(record, store, classes) for record in records]
    walked = [i for i, record in enumerate(records) if record.dy]
    data = {
        "title": title,
        "ops": ops,
        "classes": list(classes.values()),
        "steps": [[i, 0] for i in range(len(numbers))] + [[i, 1] for i in reversed(walked)],
        "places": places,
        "ways": ways,
    }
    script = "\n".join(_read(name) for name in SCRIPTS)
    text = _json(data)
    left = LARGEST - len(text) - LONGEST_ENTRY * len(store.arrays)
    store.budget = max(0, min(store.budget, left * 3 // 4))  # base64: 4 characters for 3 bytes
    table, block = store.pack()
    text = f'{text[:-1]},"arrays":{_json(table)}}}'
    filled = {"title": html.escape(title), "style": _read("page.css"), "data": text, "block": block, "script": script}
    parts = _read("page.html").split("{{")
    return parts[0] + "".join(filled[name] + rest for name, _, rest in (part.partition("}}") for part in parts[1:]))


def _json(value):
    """`value` as JSON that can stand inside a script element."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _read(name):
    """A file that lies beside this one."""
    return (HERE / name).read_text(encoding="utf-8")


def _op(record, store, classes):
    """What the page knows of one op. Empty entries are left out: a page may have thousands."""
    op = record.op
    about = {
        "class": _class_number(op, classes),
        "called": record.called,
        "module": record.module,
        "line": _line(record.line),
        "inputs": [_value(v, store, "forward" in record.unproved) for v in record.inputs],
        "outputs": [_value(v, store) for v in record.outputs],
        "saved": [_value(v, store) for v in record.saved],
        "dy": [_value(v, store) for v in record.dy],
        "gradients": [_value(v, store) for v in record.gradients],
        "settings": {name: _text(value) for name, value in record.settings.items()},
        "unproved": record.unproved,
        "batchnorm": _batchnorm(record, store),
    }
    return {name: value for name, value in about.items() if value or name == "class"}


def _value(value, store, unknown=False):
    """An array as its number in the store, anything else as text. `unknown`: None may stand for a lost number."""
    about = {"name": value.name}
    if isinstance(value.array, np.ndarray | np.generic) or hasattr(value.array, "strides"):
        about["array"] = store.add(value.array)
    elif value.array is None:
        about["text"] = "a number that the graph does not keep" if unknown else "nothing"
    else:
        about["text"] = _text(value.array)
    if value.called:
        about["called"] = value.called
    if value.source is not None:
        about["source"] = value.source
    if value.leaf:
        about["leaf"] = True
    return about


def _text(value):
    """A number or setting as text, not too long."""
    text = repr(value)
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"


def _line(line):
    """Where the user's code applied the op: place and text."""
    if line is None:
        return None
    where = f"{Path(line.file).name}, line {line.line}" if line.cell is None else f"In[{line.cell}], line {line.line}"
    inside = "" if line.function == "<module>" else f", in {line.function}"
    return {"where": where + inside, "text": line.text}


def _batchnorm(record, store):
    """The paths and directions of BatchNorm, as numbers in the store."""
    about = batchnorm.explained(record)
    if about is None:
        return None
    arrays = {kind: {name: store.add(x) for name, x in about[kind].items()} for kind in ("paths", "directions")}
    worst = {name: float(np.abs(x).max()) for name, x in about["channels"].items()}
    cosines = {name: store.add(x) for name, x in about["channels"].items() if name.startswith("cos")}
    return {**arrays, "channels": cosines, "worst": worst, "orthogonal": batchnorm.is_orthogonal(about["channels"])}


def _class_number(op, classes):
    """The number of op's class in `classes`, which gets it at the first time: name, words, formulas, sources."""
    kind = type(op)
    if kind not in classes:
        code = getattr(kind, "function", kind)  # of a user's Function: its own forward and backward
        classes[kind] = {
            "name": code.__name__ if code is not kind else kind.__name__,
            "number": len(classes),
            "about": _about(code),
            "forward": _source(code.forward),
            "backward": _source(code.backward),
            "file": "/".join(code.__module__.split(".")[1:]) + ".py" if "." in code.__module__ else code.__module__,
        }
    return classes[kind]["number"]


def _about(kind):
    """The first lines of the docstring: paragraphs up to the first section, the indented ones marked as formulas."""
    paragraphs = []
    for part in (inspect.getdoc(kind) or "").split("\n\n"):
        lines = part.split("\n")
        if len(lines) > 1 and set(lines[1].strip()) == {"-"}:
            break
        if not part.startswith(("Source:", ">>>")):
            paragraphs.append({"text": inspect.cleandoc(part), "formula": part.startswith("    ")})
    return paragraphs


def _source(function):
    """The text of a function, without the indentation of its class; empty where it has no file."""
    try:
        lines, start = inspect.getsourcelines(function)
    except (OSError, TypeError):
        return {"text": "", "line": 0}
    return {"text": inspect.cleandoc("\n" + "".join(lines)).rstrip(), "line": start}
