"""The parts of README.md that are made, not written: tables, code lines, outputs, the debugger's transcript.

    python docs/make_blocks.py              write them into README.md
    python docs/make_blocks.py --check      only name those that differ; status 1 if there are any

A block stands between `<!-- block NAME -->` and `<!-- end -->`. tests/docs checks that each is what is made here.
"""

import argparse
import ast
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"<!-- block (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)


# ---- results: the tables and verdicts of the two experiments


def results():
    """The numbers that docs/make_figures.py took from a full run."""
    return json.loads((DOCS / "results.json").read_text(encoding="utf-8"))


def markdown_table(head, rows):
    """A table in Markdown, the first column to the left, the others to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def percent(share):
    """A share as text."""
    return f"{100 * share:.1f} %"


def circles():
    """One line per learning rate: accuracy at the end, first epoch at 95 %, seeds that ended at 95 %."""
    rates = {}
    for row in results()["circles"]["rates"]:
        rates.setdefault(row["lr"], {})[row["batch_norm"]] = row
    head = ["learning rate", "accuracy, BN", "without", "epochs to 95 %, BN", "without", "seeds at 95 %, BN", "without"]
    rows = []
    for lr, nets in rates.items():
        both = [nets[True], nets[False]]
        seeds = len(both[0]["accuracy"])
        rows.append(
            [
                f"{lr:g}",
                *(percent(statistics.median(net["accuracy"])) for net in both),
                *(_middle(net["epochs_to_95"]) for net in both),
                *(f"{sum(accuracy >= 0.95 for accuracy in net['accuracy'])} of {seeds}" for net in both),
            ]
        )
    return markdown_table(head, rows)


def _middle(epochs):
    """The median, where None (never) is later than any number."""
    middle = statistics.median(float("inf") if epoch is None else epoch for epoch in epochs)
    return f"{middle:g}" if middle < float("inf") else "never"


def names():
    """One line per number, both networks side by side."""
    content = results()["names"]
    nets = {net["batch_norm"]: net for net in content["nets"]}
    both = [nets[True], nets[False]]
    window = both[0]["running_mean"]["window"]
    rows = [
        ["loss on the training names", *(f"{net['loss']['train']:.3f}" for net in both)],
        ["loss on the development names", *(f"{net['loss']['dev']:.3f}" for net in both)],
        ["loss on the test names", *(f"{net['loss']['test']:.3f}" for net in both)],
        [
            f"mean loss of the last {window:,} batches, in train mode",
            *(f"{net['running_mean']['value'][-1]:.3f}" for net in both),
        ],
        ["activations with abs(h) > 0.97, before training", *(percent(net["saturated"]["start"]) for net in both)],
        ["activations with abs(h) > 0.97, after training", *(percent(net["saturated"]["end"]) for net in both)],
        ["parameters", *(f"{net['parameters']:,}" for net in both)],
    ]
    return markdown_table(["names", "with BatchNorm", "without"], rows)


def run():
    """Which run the numbers come from."""
    content = results()
    circles_of, names_of = content["circles"]["settings"], content["names"]["settings"]
    made_with = content["versions"]
    return (
        f"`{content['command']}` on {content['date']}, Python {made_with['python']}, NumPy {made_with['numpy']}, "
        f"{circles_of['dtype']}.\n"
        f"Circles: seeds {circles_of['seed']} to {circles_of['seed'] + circles_of['seeds'] - 1}, "
        f"{circles_of['epochs']} epochs, full batch.\n"
        f"Names: one seed ({names_of['seed']}), {names_of['steps']:,} steps of {names_of['batch']} examples, "
        f"rate {names_of['lr']:g}, then {names_of['lr'] / 10:g}.\n"
    )


def digits():
    """One line per network: the rate picked, accuracy of the long runs on the test images, usable rates."""
    content = json.loads((DOCS / "digits.json").read_text(encoding="utf-8"))
    names = {"batch": "BatchNorm", "group": "GroupNorm", "none": "without"}
    accuracy = {row["norm"]: row for row in content["final"]}
    swept = {norm: [row for row in content["rates"] if row["norm"] == norm] for norm in names}
    rows = []
    for norm, name in names.items():
        own = accuracy[norm]["accuracy"]
        good = [f"{row['lr']:g}" for row in swept[norm] if min(row["accuracy"]) >= 0.9]
        rows.append(
            [
                name,
                f"{accuracy[norm]['lr']:g}",
                f"{100 * statistics.mean(own):.2f} %",
                f"{percent(min(own))} to {percent(max(own))}",
                f"{len(good)} of {len(swept[norm])}: {', '.join(good)}",
            ]
        )
    head = ["digits", "rate picked", "test accuracy, mean", "lowest to highest", "rates with 90 % after 4 epochs"]
    return markdown_table(head, rows)


def circles_verdict():
    """What the experiment itself concludes, as it printed it."""
    return f"```text\n{_lines(results()['circles']['verdict'])}```\n"


def names_verdict():
    """What the experiment itself concludes, as it printed it."""
    return f"```text\n{_lines(results()['names']['verdict'])}```\n"


def _lines(lines):
    return "".join(line + "\n" for line in lines)


# ---- code: what the source says, and what running it prints


def environment():
    """This process's environment, with the package importable and no colours."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "PYTHON_COLORS": "0", "PYTHONIOENCODING": "utf-8"}


def python(arguments, typed=""):
    """What Python prints, run in the root with `arguments` and with `typed` as its input."""
    done = subprocess.run(
        [sys.executable, *arguments],
        input=typed,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def example():
    """docs/example.py, and what it prints."""
    source = (DOCS / "example.py").read_text(encoding="utf-8")
    return f"```python\n{source}```\n\n```text\n{python(['docs/example.py'])}```\n"


def excerpt(path, owner, name):
    """A method as it stands in the file, without its docstring, and moved to the left."""
    source = (ROOT / path).read_text(encoding="utf-8")
    (held,) = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == owner]
    (method,) = [node for node in held.body if isinstance(node, ast.FunctionDef) and node.name == name]
    body = method.body[1:] if ast.get_docstring(method) else method.body
    lines = source.splitlines()
    shown = lines[method.lineno - 1 : method.body[0].lineno - 1] + lines[body[0].lineno - 1 : method.end_lineno]
    return "".join(f"{line}\n" for line in [f"# {path}, class {owner}", *(line[4:] for line in shown)])


def frames():
    """The three frames of backward, as they stand in the source."""
    parts = [
        "# yours\nloss.backward()\n",
        excerpt("minitorch_bn/engine.py", "Variable", "backward"),
        excerpt("minitorch_bn/engine.py", "Variable", "backward_step"),
        excerpt("minitorch_bn/ops/batchnorm.py", "BatchNorm", "backward"),
    ]
    return "```python\n" + "\n".join(parts) + "```\n"


def line_of(text):
    """The number of the line of docs/step.py that is `text`."""
    return (DOCS / "step.py").read_text(encoding="utf-8").splitlines().index(text) + 1


def typed():
    """What is typed in the debugger."""
    words = f"b {line_of('loss.backward()')}|c|s|n|n|p [t.op for t in order]|b order[-1].op.backward|c"
    words += "|p dy|n|n|p mean_dy|n|p mean_dy_x_hat|p self.x_hat|u|u|u|q"
    return words.split("|")


def pdb():
    """What Python's debugger says on docs/step.py; paths are cut to the repository, numbers of lines left out.

    The numbers of lines would change with every edit above them.
    """
    commands = typed()
    said = python(["-m", "pdb", "docs/step.py"], "".join(f"{line}\n" for line in commands)).split("(Pdb) ")
    if len(said) != len(commands) + 1:
        raise RuntimeError(f"pdb asked {len(said) - 1} times, wanted {len(commands)}:\n{said}")
    text = said[0] + "".join(f"(Pdb) {line}\n{answer}" for line, answer in zip(commands, said[1:], strict=True))
    text = text.replace(str(ROOT) + os.sep, "").replace(os.sep, "/")
    text = re.sub(r"^(> [\w/.]+)\(\d+\)", r"\1(...)", text, flags=re.MULTILINE)
    text = re.sub(r"^(Breakpoint \d+ at minitorch_bn/[\w/.]+):\d+", r"\1:...", text, flags=re.MULTILINE)
    return f"```text\n$ .venv/bin/python -m pdb docs/step.py\n{text.rstrip()}\n```\n"


def step():
    """docs/step.py."""
    return f"```python\n{(DOCS / 'step.py').read_text(encoding='utf-8')}```\n"


def planted():
    """docs/planted.py, and the head of the report that it prints; what depends on the last digits is left out."""
    source = (DOCS / "planted.py").read_text(encoding="utf-8")
    kept = ("DIFFERS", "  tensor  ", "  agreed before", "  guess", "  what to do")
    said = [line for line in python(["docs/planted.py"]).splitlines() if line.startswith(kept)]
    return f"```python\n{source}```\n\n```text\n{_lines(said)}```\n"


PROOF = """\
bn = mt.nn.BatchNorm1d(3).double()
bn.weight.data.uniform_(0.5, 2)
print(mt.compare.gradcheck(bn, mt.randn(5, 3, dtype=mt.float64), prove=True))
"""


def proof():
    """A gradient check that proves itself, and what it says; what depends on the last digits is left out."""
    said = python(["-c", f"import minitorch_bn as mt\nmt.manual_seed(0)\n{PROOF}"]).splitlines()
    kept = [line for line in said if line.startswith(("gradcheck", "  proof"))]
    return f"```python\n{PROOF}```\n\n```text\n{_lines(kept)}```\n"


CONVENTIONS = """\
x = mt.tensor([[1.0, 9.0], [3.0, 5.0], [5.0, 1.0], [7.0, 1.0]])
print(mt.compare.conventions(x))
"""


def conventions():
    """Who differs from PyTorch by how much, on a batch whose statistics are exact in binary."""
    said = python(["-c", f"import minitorch_bn as mt\n{CONVENTIONS}"])
    return f"```python\n{CONVENTIONS}```\n\n```text\n{said}```\n"


MAKERS = {
    maker.__name__: maker
    for maker in (
        *(run, circles, circles_verdict, names, names_verdict, digits, example, frames, step, pdb),
        *(planted, proof, conventions),
    )
}


# ---- README.md


def written():
    """{name: text} of the blocks that stand in README.md."""
    return dict(BLOCK.findall(README.read_text(encoding="utf-8")))


def main():
    """Do what the command line asks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    before = README.read_text(encoding="utf-8")
    made = {name: MAKERS[name]() for name in written()}
    differing = [name for name, text in written().items() if text != made[name]]
    if not check:
        after = BLOCK.sub(lambda found: f"<!-- block {found[1]} -->\n{made[found[1]]}<!-- end -->\n", before)
        README.write_text(after, encoding="utf-8", newline="\n")
    print(f"{'differ' if check else 'written anew'}: {', '.join(differing) or 'none'}")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
