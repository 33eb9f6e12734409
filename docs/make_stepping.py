"""The transcripts of docs/stepping.md: made by debuggers, not written.

    python docs/make_stepping.py              write them into docs/stepping.md
    python docs/make_stepping.py --check      only name those that differ; status 1 if there are any

A block stands between `<!-- block NAME -->` and `<!-- end -->`. tests/debug checks that each is what is made here.
"""

import argparse
import dis
import importlib.util
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGE = DOCS / "stepping.md"


def _load(name):
    """A script beside this one, as a module."""
    specification = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


blocks = _load("make_blocks")


# ---- pdb

STEP = """\
import minitorch_bn as mt

mt.manual_seed(0)
x = mt.randn(4, 2).requires_grad_()
y = mt.tanh(mt.nn.BatchNorm1d(2)(x))
loss = (y - 1).square().mean()
mt.debug.step(loss)
print("x.grad is None:", x.grad is None)
"""

BREAK = """\
import minitorch_bn as mt

p = mt.tensor([0.5, 0.25, 0.0], requires_grad=True)
q = p * 1
with mt.debug.break_when(q, lambda g: g.isinf().any()):
    safe = (q + 0.1).log().sum()
    root = q.sqrt().sum()
    (root - safe).backward()
"""

ANOMALY = """\
import minitorch_bn as mt

p = mt.tensor([0.5, 0.25, 0.0], requires_grad=True)
with mt.debug.detect_anomaly():
    root = p.sqrt()
    loss = (root * 0).sum()
    loss.backward()
"""

TAPE = """\
import minitorch_bn as mt

mt.manual_seed(0)
x = mt.randn(4, 2).requires_grad_()
with mt.debug.remember_lines():
    y = mt.tanh(mt.nn.BatchNorm1d(2)(x))
    loss = (y - 1).square().mean()
tape = mt.debug.tape(loss)
tape.until("BatchNorm")
print(tape.where())
print(tape.step().done, x.grad is not None)
print(tape.back().done, x.grad is not None)
"""


def dialogue(program, commands):
    """A program, and what pdb says in it to these commands; line numbers of the package are left out."""
    said = _run(program, "".join(f"{line}\n" for line in commands)).split("(Pdb) ")
    if len(said) != len(commands) + 1:
        raise RuntimeError(f"pdb asked {len(said) - 1} times, wanted {len(commands)}:\n{said}")
    text = said[0] + "".join(f"(Pdb) {line}\n{answer}" for line, answer in zip(commands, said[1:], strict=True))
    return f"```python\n{program}```\n\n```text\n{_tidy(text).rstrip()}\n```\n"


def _run(program, typed="", fails=False):
    """What a program prints, with its errors' last lines if it is to fail."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.py")
        path.write_text(program, encoding="utf-8")
        if not fails:
            return blocks.python([str(path)], typed).replace(folder + os.sep, "")
        run = [sys.executable, str(path)]
        environment = blocks.environment()
        done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
        return done.stderr.replace(folder + os.sep, "")


def _tidy(text):
    """Paths from the root of the repository on, without the numbers of lines, which change with every edit."""
    text = text.replace(str(ROOT) + os.sep, "").replace(os.sep, "/")
    return re.sub(r"^(> minitorch_bn/[\w/]+\.py)\(\d+\)", r"\1(...)", text, flags=re.MULTILINE)


def step():
    """debug.step, into the backward of the mean, and out again."""
    return dialogue(STEP, ["p dy", "s", "s", "p self.m, self.x_shape", "u", "p op.inputs[0].shape", "q"])


def break_when():
    """debug.break_when at an infinite gradient."""
    return dialogue(BREAK, ["p op, line.text", "p dy", "p dx", "p gradient", "c"])


def anomaly():
    """debug.detect_anomaly, the error."""
    said = _run(ANOMALY, fails=True)
    message = said[said.index("RuntimeError: detect_anomaly") :]
    message = message[: message.index("\nminitorch_bn: ")] if "\nminitorch_bn: " in message else message
    return f"```python\n{ANOMALY}```\n\n```text\n{message.rstrip()}\n```\n"


def tape():
    """The tape: forwards and back."""
    return f"```python\n{TAPE}```\n\n```text\n{_tidy(_run(TAPE)).rstrip()}\n```\n"


# ---- the debugger of VS Code and of JupyterLab is debugpy: a session with it, without an editor


class Debugpy:
    """debugpy's adapter, which editors talk to over pipes, and the few requests that their buttons send."""

    def __init__(self, program, just_my_code):
        run = [sys.executable, "-m", "debugpy.adapter"]
        quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(run, cwd=ROOT, env=blocks.environment(), **quiet)
        self.numbers, self.messages = itertools.count(1), []
        self._ask("initialize", adapterID="python", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")
        launch = {"program": str(program), "python": [sys.executable], "pythonArgs": ["-Xfrozen_modules=off"]}
        places = {"cwd": str(ROOT), "console": "internalConsole", "redirectOutput": True}
        self.launched = self._send("launch", justMyCode=just_my_code, subProcess=False, **launch, **places)
        self._wait(lambda message: message.get("event") == "initialized")

    def run_to(self, file, line):
        """Set a breakpoint, and start."""
        self._ask("setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": line}])
        self._ask("configurationDone")
        self._wait(lambda message: message.get("request_seq") == self.launched)
        return self._stopped()

    def press(self, button):
        """Send "stepIn", "next" or "stepOut"; returns the frames, the innermost first."""
        self._ask(button, threadId=self.thread)
        return self._stopped()

    def close(self):
        """End program and session."""
        with self.process:
            try:
                self._ask("disconnect", terminateDebuggee=True)
            finally:
                self.process.kill()

    def _stopped(self):
        stop = self._wait(lambda message: message.get("event") == "stopped")
        self.thread = stop["body"]["threadId"]
        return self._ask("stackTrace", threadId=self.thread)["body"]["stackFrames"]

    def _ask(self, command, **arguments):
        number = self._send(command, **arguments)
        answer = self._wait(lambda message: message.get("request_seq") == number)
        if not answer["success"]:
            raise RuntimeError(f"debugpy: {command}: {answer.get('message')}")
        return answer

    def _send(self, command, **arguments):
        number = next(self.numbers)
        text = json.dumps({"seq": number, "type": "request", "command": command, "arguments": arguments}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.process.stdin.flush()
        return number

    def _wait(self, wanted):
        """The first message that is wanted, also among those that came before it was waited for."""
        while True:
            for message in self.messages:
                if wanted(message):
                    self.messages.remove(message)
                    return message
            length = 0
            while line := self.process.stdout.readline().strip():
                length = int(line.split(b":")[1])
            if not length:
                raise RuntimeError("debugpy has ended; is it installed?")
            self.messages.append(json.loads(self.process.stdout.read(length)))


def in_debugpy(just_my_code=True, presses=0):
    """docs/step.py under debugpy: the frames at the first line of BatchNorm.backward, and where "Step Into" leads.

    Returns
    -------
    list of (file, function), list of (file, function)
        The frames, the innermost first; and the innermost frame after each press.
    """
    from minitorch_bn.ops.batchnorm import BatchNorm

    code = BatchNorm.backward.__code__
    lines = sorted({line for _, line in dis.findlinestarts(code) if line and line > code.co_firstlineno})
    session = Debugpy(DOCS / "step.py", just_my_code)
    try:
        frames = [_place(frame) for frame in session.run_to(code.co_filename, lines[0])]
        return frames, [_place(session.press("stepIn")[0]) for _ in range(presses)]
    finally:
        session.close()


def _place(frame):
    """(file, function) of a frame; files are those of the repository, or bare names."""
    path = Path(frame["source"]["path"])
    return (path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name), frame["name"]


def editor():
    """The call stack that VS Code shows at a breakpoint in BatchNorm.backward."""
    frames, _ = in_debugpy()
    return "| frame | file |\n| --- | --- |\n" + "".join(f"| `{function}` | {file} |\n" for file, function in frames)


MAKERS = {maker.__name__: maker for maker in (step, break_when, anomaly, tape, editor)}


def written():
    """{name: text} of the blocks that stand in docs/stepping.md."""
    return dict(blocks.BLOCK.findall(PAGE.read_text(encoding="utf-8")))


def main():
    """Do what the command line asks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    before = PAGE.read_text(encoding="utf-8")
    made = {name: MAKERS[name]() for name in written()}
    differing = [name for name, text in written().items() if text != made[name]]
    if not check:
        after = blocks.BLOCK.sub(lambda found: f"<!-- block {found[1]} -->\n{made[found[1]]}<!-- end -->\n", before)
        PAGE.write_text(after, encoding="utf-8", newline="\n")
    print(f"{'differ' if check else 'written anew'}: {', '.join(differing) or 'none'}")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
