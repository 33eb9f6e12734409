"""What CuPy has: cupy_api.txt, as `read` gives it, and how it was made. With a new CuPy, run this and look at the diff:

    python tests/standin/cupy_api.py > tests/standin/cupy_api.txt

No GPU is needed: importing CuPy and asking for names and signatures does not touch a device. A line of the list is

    ufunc NAME                  or    type NAME          or    attribute NAME (of cupy.ndarray)
    function NAME(PARAMETERS)   or    method NAME(PARAMETERS) (of cupy.ndarray)

All default values are written None: only what may be passed, and under which name, matters here.
"""

import inspect
import re
from pathlib import Path

LIST = Path(__file__).with_suffix(".txt")
SUBMODULES = ("", "linalg.", "lib.stride_tricks.")


def read():
    """{kind: {name: signature}}; the signature of what is no function or method is None."""
    found = {kind: {} for kind in ("ufunc", "type", "attribute", "function", "method")}
    for line in LIST.read_text(encoding="utf-8").splitlines()[1:]:
        kind, rest = line.split(" ", 1)
        name, _, given = rest.removesuffix(")").partition("(")
        found[kind][name] = inspect.signature(eval(f"lambda {given}: None")) if kind in ("function", "method") else None
    return found


def parameters(function):
    """The parameters of a function as text for a lambda; of one written in Cython from its docstring; "" if unknown."""
    try:
        given = inspect.signature(function).parameters.values()
        stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
        names, star = [], False
        for p in given:
            if p.kind is p.KEYWORD_ONLY and not star:
                names.append("*")
                star = True
            star = star or p.kind is p.VAR_POSITIONAL
            names.append(stars.get(p.kind, "") + p.name + ("" if p.default is p.empty else "=None"))
        return ", ".join(names)
    except ValueError:
        found = re.match(r"\w*\.?\w+\((.*?)\)(?= ->|\n|$)", function.__doc__ or "")
        if not found:
            return "*args, **kwargs"
        parts = [re.sub(r"^(?:\w+ )?(\**\w+)(=.*)?$", _no_default, part) for part in found[1].split(", ")]
        return ", ".join(part for part in parts if part)


def _no_default(found):
    return found[1] + ("=None" if found[2] else "")


def lines():
    """What CuPy has, one line each, sorted."""
    import cupy

    result = set()
    for prefix in SUBMODULES:
        module = cupy
        for part in prefix.split(".")[:-1]:
            module = getattr(module, part)
        for name in dir(module):
            member = getattr(module, name)
            if name.startswith("_") or inspect.ismodule(member):
                continue
            if isinstance(member, cupy.ufunc):
                result.add(f"ufunc {prefix}{name}")
            elif isinstance(member, type):
                result.add(f"type {prefix}{name}")
            elif callable(member):
                signature = "*args, **kwargs" if type(member).__name__ == "_GUFunc" else parameters(member)
                result.add(f"function {prefix}{name}({signature})")
    for name in dir(cupy.ndarray):
        member = getattr(cupy.ndarray, name)
        if not name.startswith("_"):
            result.add(f"method {name}({parameters(member)})" if callable(member) else f"attribute {name}")
    return [f"# CuPy {cupy.__version__}", *sorted(result)]


if __name__ == "__main__":
    print("\n".join(lines()))
