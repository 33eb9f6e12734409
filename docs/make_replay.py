"""Make docs/figures/replay.png: the replay page of the names network at BatchNorm's backward, as Chromium shows it.

python docs/make_replay.py
"""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import minitorch_bn as mt
from minitorch_bn import debug
from minitorch_bn.experiments.names import Net

FILE = Path(__file__).resolve().parent / "figures" / "replay.png"

mt.manual_seed(0)
net = Net(46, batch_norm=True)
optimizer = mt.optim.SGD(net.parameters(), lr=0.1)
x, y = mt.randint(0, 46, (32, 3)), mt.randint(0, 46, (32,))


def train_step():
    """One step, as in the experiment."""
    optimizer.zero_grad()
    logits = net(x)
    loss = mt.nn.functional.cross_entropy(logits, y)
    loss.backward()
    optimizer.step()
    return loss


with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    page_file = debug.replay(train_step, model=net, title="names: one training step").save(Path(folder, "page.html"))
    switches = ["--no-sandbox", "--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=switches)
    page = browser.new_page(viewport={"width": 1600, "height": 1330})
    page.goto(page_file.as_uri())
    page.keyboard.press("n")  # the next BatchNorm
    page.keyboard.press("b")  # its backward
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    image.quantize(128, dither=Image.Dither.NONE).save(FILE, optimize=True)
