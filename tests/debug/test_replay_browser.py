"""The replay page in a browser: it shows what the arrays hold, it can be stepped, and it asks nobody for anything."""

import math
import shutil

import numpy as np
import pytest

import minitorch_bn as mt
from minitorch_bn import debug, engine
from tests.debug.test_replay import page_data, problem

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.filterwarnings("ignore:.*asyncio.*:DeprecationWarning"),
]
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
KINDS = ["names", "convnet"]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """A function that opens a Replay; at the end nothing may have gone wrong, and nobody may have been asked."""
    complaints, requests, contexts = [], [], []

    def open_page(replay, **settings):
        path = replay.save(tmp_path / "page.html")
        context = browser.new_context(viewport={"width": 1600, "height": 1000}, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        assert requests == [path.as_uri()]
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert all(url.startswith("file:") for url in requests) and len(requests) == len(contexts)


@pytest.fixture(scope="module", params=KINDS)
def recorded(request):
    """A loss that was walked back from, its network, and its Replay."""
    net, compute = problem(request.param, "float32" if request.param == "names" else "float64")
    loss = compute()
    replay = debug.replay(loss, model=net, names={"loss": loss})
    loss.backward(retain_graph=True)
    return net, engine.graph(loss)[::-1], replay


def count(page):
    """Which step the page shows, counted from 1."""
    return int(page.inner_text("#count").split()[0])


def shown(page, name, which=0):
    """The numbers of a picture, as the page has them."""
    figure = page.locator(f'#step figure[data-name="{name}"]').nth(which)
    return page.evaluate("id => Array.from(arrayOf(id).values, String)", int(figure.get_attribute("data-array")))


def assert_shows(page, name, array, which=0):
    np.testing.assert_array_equal(np.array(shown(page, name, which), float).reshape(array.shape), array)


def test_every_step_shows_the_arrays(open_page, recorded):
    net, order, replay = recorded
    page = open_page(replay)
    names = {id(p): name for name, p in net.named_parameters()}
    for t in order:  # forward
        assert type(t.op).__name__ in page.inner_text("#step h2") and "forward" in page.inner_text("#step h2")
        assert "same bits" in page.inner_text("#step-proof")
        assert_shows(page, "y", t.array)
        if t.op.inputs[0].array.dtype.kind == "f":
            first = page.locator("#step figure").nth(0).get_attribute("data-name")
            assert_shows(page, first, t.op.inputs[0].array)
        page.keyboard.press("ArrowRight")
    for t in reversed(order):  # backward
        assert type(t.op).__name__ in page.inner_text("#step h2") and "backward" in page.inner_text("#step h2")
        assert_shows(page, "dy", t.dy)
        for name, value in vars(t.op).items():
            if isinstance(value, np.ndarray) and value.dtype.kind in "fi":
                assert_shows(page, name, value, -1)
        for x in t.op.inputs:
            if x is not None and id(x) in names:
                figure = page.locator("#step figure", has_text=f"of {names[id(x)]}").nth(0)
                values = page.evaluate("id => Array.from(arrayOf(id).values)", int(figure.get_attribute("data-array")))
                np.testing.assert_array_equal(np.reshape(values, x.array.shape), x.grad_array)
        page.keyboard.press("ArrowRight")
    assert count(page) == 2 * len(order)


def test_keys_slider_and_buttons_move_the_step(open_page, recorded):
    _, order, replay = recorded
    page, last = open_page(replay), 2 * len(order)

    def lit():
        return int(page.get_attribute("#graph .lit[data-op]", "data-op"))

    assert (count(page), lit()) == (1, 0)
    for key, step in [("ArrowRight", 2), ("ArrowDown", 3), ("ArrowLeft", 2), ("End", last), ("ArrowRight", last)]:
        page.keyboard.press(key)
        assert count(page) == step
    assert lit() == 0
    page.keyboard.press("b")  # the same op forward
    assert (count(page), lit()) == (1, 0)
    for button, step in [("last", last), ("back", last - 1), ("next", last), ("turn", 1), ("next", 2), ("first", 1)]:
        page.click(f"#{button}")
        assert count(page) == step
    page.locator("#slider").fill("3")
    assert (count(page), lit(), page.evaluate("location.hash")) == (4, 3, "#4")
    page.locator("#slider").focus()
    page.keyboard.press("Home")
    assert count(page) == 1
    page.keyboard.press("n")
    assert "BatchNorm" in page.inner_text("#step h2") and "forward" in page.inner_text("#step h2")
    page.click(f'#graph [data-op="{len(order) - 1}"]')
    assert (count(page), lit()) == (len(order), len(order) - 1)
    assert page.locator("#graph .reached").count() == len(order)
    page.keyboard.press("ArrowRight")
    assert page.locator("#graph .reached").count() == 1
    assert page.get_attribute("html", "data-phase") == "1"


def test_pointing_at_a_number_reads_it(open_page, recorded):
    _, order, replay = recorded
    page = open_page(replay)
    page.keyboard.press("n")
    t = next(t for t in order if type(t.op).__name__ == "BatchNorm")
    canvas = page.locator('#step figure[data-name="x"] canvas')
    x = t.op.inputs[0].array
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    rng, seen = np.random.default_rng(0), set()
    cells = x.shape if x.ndim == 2 else (100, 100)
    for row, column in rng.integers(0, cells, (12, 2)):  # the middle of a cell
        right, down = (column + 0.5) / cells[1] * box["width"], (row + 0.5) / cells[0] * box["height"]
        page.mouse.move(box["x"] + right, box["y"] + down)
        text = page.inner_text("#readout")
        if text.startswith("x["):  # otherwise between two images
            index, value = text.split("]")[0][2:].split(","), text.split("=")[1].split()[0]
            assert x.dtype.type(value) == x[tuple(map(int, index))]
            seen.add(tuple(map(int, index)))
            if x.ndim == 2:
                assert tuple(map(int, index)) == (row, column)
    assert len(seen) > 5
    canvas.click(position={"x": 2, "y": 2})
    first = (0,) * x.ndim
    assert f"x[{', '.join(map(str, first))}]" in page.inner_text("#readout")
    step = count(page)
    page.keyboard.press("ArrowRight")  # moves the cursor, not the step
    page.keyboard.press("ArrowDown")
    index = (*first[:-2], 1, 1)
    assert page.inner_text("#readout").startswith(f"x[{', '.join(map(str, index))}] = ") and count(page) == step
    page.keyboard.press("Enter")
    assert page.locator("#zoom").is_visible()
    here = page.locator("table.numbers td.here")
    assert math.isclose(float(here.inner_text()), x[index], rel_tol=6e-4)
    page.keyboard.press("ArrowRight")
    assert math.isclose(float(here.inner_text()), x[(*index[:-1], 2)], rel_tol=6e-4)  # at least 4 digits
    cells = page.locator("table.numbers td").all_inner_texts()
    rows, columns = min(13, x.shape[-2]), min(7, x.shape[-1])
    np.testing.assert_allclose(np.array(cells, float).reshape(rows, columns), x[first[:-2]][:rows, :columns], rtol=6e-4)
    page.keyboard.press("Escape")
    assert not page.locator("#zoom").is_visible() and count(page) == step


def test_batchnorm_shows_its_paths_and_directions(open_page, recorded):
    _, order, replay = recorded
    page = open_page(replay)
    page.keyboard.press("n")
    page.keyboard.press("b")
    op, dy = next((t.op, t.dy) for t in order if type(t.op).__name__ == "BatchNorm")
    eps, dx = np.finfo(dy.dtype).eps, op.backward(dy)[0]
    paths = [np.array(shown(page, n), float) for n in ("direct", "through the mean", "through the variance")]
    size = sum(np.abs(p).max() for p in paths)
    np.testing.assert_allclose(sum(paths).reshape(dx.shape), dx, rtol=0, atol=2 * (op.m + 3) * eps * size)
    taken = np.array(shown(page, "mean of dy"), float).reshape(dy.shape)
    np.testing.assert_allclose(taken.mean(op.axes), dy.mean(op.axes), rtol=0, atol=op.m * eps * np.abs(dy).max())
    assert page.inner_text("#step .orthogonal").startswith("✓ dx is orthogonal")
    assert "mean(dy * x_hat)" in page.inner_text("#step .about") and "return dx, dgamma, dbeta" in page.inner_text(
        ".code"
    )


def test_what_was_sampled_or_is_not_finite_is_said(open_page):
    x = mt.ones(600, 1000, requires_grad=True)
    y = x * mt.tensor([1.0, math.nan]).repeat(500)
    page = open_page(debug.replay(y.sum(), names={"x": x}))
    text = page.inner_text("#step")
    assert "too large, sampled:" in text and "of 600,000 numbers" in text
    assert "not finite (nan or infinity): magenta" in text
    assert page.locator("figure", has_text="x").locator(".sampled").count() >= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_a_projector(open_page, recorded, scheme):
    """WCAG's contrast: 7 for text, 4.5 for what is beside the point; no text is smaller than 14 pixels."""
    page = open_page(recorded[2], color_scheme=scheme)
    contrast = """([front, back]) => {
        const probe = document.createElement("i");
        document.body.append(probe);
        const light = name => {
            probe.style.color = `var(--${name})`;
            const rgb = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(c => c / 255);
            const [r, g, b] = rgb.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
        probe.remove();
        return (a + 0.05) / (b + 0.05);
    }"""
    assert (page.get_attribute("html", "data-theme") == "dark") == (scheme == "dark")
    for front, back, least in [
        ("ink", "paper", 12), ("ink", "card", 12), ("faint", "paper", 7), ("faint", "card", 6),
        ("on-accent", "forward", 7), ("on-accent", "backward", 6), ("bad", "card", 4.5), ("forward", "paper", 7),
    ]:  # fmt: skip
        assert page.evaluate(contrast, [front, back]) > least, (front, back)
    sizes = page.evaluate("[...document.querySelectorAll('body *')].map(e => parseFloat(getComputedStyle(e).fontSize))")
    assert min(sizes) >= 13.3
    page.keyboard.press("d")
    assert (page.get_attribute("html", "data-theme") == "dark") == (scheme == "light")


def test_colours_rise_in_lightness_so_that_they_read_in_grey(open_page, recorded):
    page = open_page(recorded[2])
    colours = page.evaluate("Array.from({length: 101}, (_, i) => colourOf(i / 50 - 1, [-1, 1]))")
    grey = np.array(colours) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) > 0).all() and grey[0] < 40 and grey[-1] > 220
    by_root = page.evaluate("[colourOf(0.01, [-1, 1], true), colourOf(0.1, [-1, 1], false)]")
    assert by_root[0] == by_root[1]


def test_it_runs_inside_a_notebook(browser, recorded):
    page = browser.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_content(recorded[2]._repr_html_())
    frame = page.frame_locator("iframe")
    frame.locator("#next").click()
    assert frame.locator("#count").inner_text().startswith("2 of")
    page.close()
    assert complaints == []


@pytest.mark.slow
def test_the_page_of_5000_ops_opens(open_page):
    w = mt.full((4, 4), 0.1, requires_grad=True)
    h = mt.ones(3, 4)
    for _ in range(2500):
        h = mt.tanh(h @ w)
    page = open_page(debug.replay(h.sum(), names={"w": w}))
    page.keyboard.press("End")
    assert count(page) == 10_002
    data, arrays = page_data(page.content())
    np.testing.assert_array_equal(arrays[data["ops"][0]["inputs"][1]["array"]], w.array)
