"""A picture of JupyterLab's debugger in the backward of BatchNorm; writes docs/stepping/jupyterlab.png.

    python docs/make_jupyterlab.py [--chromium PROGRAM]

It starts JupyterLab on a notebook with the lines of docs/step.py, switches the debugger on, sets a breakpoint, runs the
cell, and presses F11 until the debugger is in the mathematics. Needs playwright and a Chromium beside the `notebooks`
extra.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

DOCS = Path(__file__).resolve().parent
PICTURE = DOCS / "stepping" / "jupyterlab.png"
MOST_PRESSES = 120


def main():
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chromium", help="the browser's program, if playwright has none of its own")
    chromium = parser.parse_args().chromium
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as address:
        PICTURE.parent.mkdir(exist_ok=True)
        photograph(address, chromium)


@contextlib.contextmanager
def server(folder):
    """JupyterLab on a notebook that holds docs/step.py; gives the notebook's address."""
    lines = (DOCS / "step.py").read_text(encoding="utf-8").strip()
    code = lines[lines.index("import numpy") :]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(notebook, folder / "step.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [f"--ServerApp.port={port}", "--ServerApp.token=", "--ServerApp.password=", f"--notebook-dir={folder}"]
    path = os.pathsep.join([str(DOCS.parent), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": path}
    run = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *options]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    process = subprocess.Popen(run, cwd=folder, env=environment, **quiet)
    try:
        for line in process.stderr:
            if "is running at" in line:
                break
        yield f"http://127.0.0.1:{port}/lab/tree/step.ipynb?reset"
    finally:
        process.terminate()
        process.wait()


def photograph(address, chromium):
    """Click and press what docs/stepping.md says, and take the picture."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 810})
        page.goto(address)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=60_000)
        page.wait_for_timeout(3000)  # a click while the kernel is being asked for its abilities is lost
        page.locator(".jp-DebuggerBugButton").first.click()
        gutter = page.locator(".jp-Notebook .cm-gutter.cm-breakpoint-gutter").first
        gutter.wait_for(timeout=30_000)
        page.keyboard.press("Control+b")  # the file browser makes room
        page.wait_for_timeout(2000)
        if not page.locator("#jp-debugger-sidebar").is_visible():
            page.locator("li.lm-TabBar-tab[data-id=jp-debugger-sidebar]").click()
        page.locator("#jp-debugger-sidebar").wait_for(timeout=10_000)
        widen(page)
        column = gutter.bounding_box()
        line = page.locator(".jp-Notebook .cm-line", has_text="loss.backward()").first.bounding_box()
        page.mouse.click(column["x"] + column["width"] / 2, line["y"] + line["height"] / 2)
        page.locator(".jp-Notebook .cm-content").first.click(position={"x": 400, "y": 5})
        page.keyboard.press("Shift+Enter")
        step_to(page, "backward", "batchnorm.py")
        for _ in range(3):
            press(page, "F10")
        page.wait_for_timeout(4000)  # the variables come after the frame
        page.evaluate(CUT_PATHS, str(DOCS.parent) + os.sep)
        page.screenshot(path=PICTURE)
        browser.close()


CUT_PATHS = """root => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.nodeValue = texts.currentNode.nodeValue.replaceAll(root, "");
}"""
"""Paths from the root of the repository on, as in the transcripts."""


def widen(page):
    """Pull the panel on the right to a third of the window."""
    left = page.locator("#jp-debugger-sidebar").bounding_box()["x"]
    page.mouse.move(left - 3, 400)
    page.mouse.down()
    page.mouse.move(930, 400, steps=5)
    page.mouse.up()


def frame(page):
    """(function, place) of the frame on top, as the panel shows it; None while the program runs."""
    top = page.locator(".jp-DebuggerCallstackFrame")
    if not top.count():
        return None
    name, location = ".jp-DebuggerCallstackFrame-name", ".jp-DebuggerCallstackFrame-location"
    return top.first.locator(name).inner_text(), top.first.locator(location).inner_text()


def press(page, key):
    """Press a key, and wait until the panel shows another place."""
    before = frame(page)
    page.keyboard.press(key)
    for _ in range(100):
        page.wait_for_timeout(100)
        if frame(page) not in (None, before):
            return


def step_to(page, function, file):
    """Step in, and out of what is no mathematics, until the frame on top is the one wanted."""
    page.locator(".jp-DebuggerCallstackFrame").first.wait_for(timeout=60_000)
    for _ in range(MOST_PRESSES):
        name, place = frame(page)
        if name == function and file in place:
            return
        inside = "ops/" in place or name in ("<module>", "backward", "backward_step")
        press(page, "F11" if inside and "promotion" not in place else "Shift+F11")
    raise SystemExit(f"not in {file} after {MOST_PRESSES} presses, but in {frame(page)}")


if __name__ == "__main__":
    main()
