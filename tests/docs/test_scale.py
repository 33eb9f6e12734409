"""docs/scale.md: the page is what its script makes of the measurements, and the model counts what is really sent."""

import copy
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest

from minitorch_bn import world

ROOT = Path(__file__).resolve().parents[2]


def load(path):
    """A script as a module."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


scale = load(ROOT / "docs" / "make_scale.py")
DATA = json.loads(scale.DATA.read_text(encoding="utf-8"))
NET = scale.resnet50()


class Listening(world.Alone):
    """A group of two that writes down what is sent, and gives every rank its own array back."""

    size = 2

    def __init__(self):
        self.heard = []

    def start_all_reduce(self, array, op="sum"):
        self.heard.append(("all_reduce", array.nbytes))
        return super().start_all_reduce(array, op)

    def all_gather(self, array):
        self.heard.append(("all_gather", array.nbytes))
        return [array.copy()] * self.size


@pytest.fixture
def listening():
    group = Listening()
    world.enter(group)
    yield group
    world.enter(None)


@pytest.mark.parametrize("sync", [False, True])
@pytest.mark.parametrize(("layers", "width"), [(1, 64), (4, 64)])
def test_the_model_counts_the_messages_that_a_step_sends(listening, layers, width, sync):
    pytest.importorskip("mpi4py", reason="needs MPI (extra: mpi)")
    step = load(ROOT / "benchmarks" / "scale.py").make_step(listening, layers, width, sync)
    listening.heard.clear()  # what was sent at construction
    step()
    assert sorted(listening.heard) == sorted(scale.messages(*scale.perceptron(layers, width), sync))


def test_resnet50_has_the_published_size():
    parameters, channels = NET
    assert (parameters, len(channels), sum(channels)) == (25_557_032, 53, 26_560)


def made_up(alpha, bandwidth):
    """Measurements of a machine that keeps to the model."""
    data = copy.deepcopy(DATA)
    for row in data["exchanges"]:
        rounds, n = scale.load_of(row["kind"], row["bytes"], row["ranks"])
        row["silent"] = [1e-5] * 3
        row["real"] = [1e-5 + rounds * alpha + n / bandwidth] * 3
    return data


@pytest.mark.parametrize("kind", scale.KINDS)
@pytest.mark.parametrize("ranks", [2, 4])
def test_the_fit_finds_the_constants_of_a_machine_that_keeps_to_the_model(ranks, kind):
    found = scale.fit(made_up(3e-6, 2e9), ranks, kind)
    # rows differ by 1e-5, stored in float64: 1e-16 / 3e-6 relative in the smallest, far below 1e-6
    np.testing.assert_allclose(found, (3e-6, 2e9), rtol=1e-6)


def test_the_cheapest_tree_is_taken():
    alpha, bandwidth, ranks = 1e-6, 1e9, 16
    assert sum(scale.exchange_seconds("all_reduce", 8, ranks, alpha, bandwidth)) == pytest.approx(4 * (1e-6 + 8e-9))
    large = 4 * 2 * 1e-6 + 2 * 15 / 16 * 1e8 / 1e9
    assert sum(scale.exchange_seconds("all_reduce", 1e8, ranks, alpha, bandwidth)) == pytest.approx(large)
    assert sum(scale.exchange_seconds("all_gather", 100, ranks, alpha, bandwidth)) == pytest.approx(4e-6 + 15e-7)
    assert scale.ring_seconds(1e8, ranks, alpha, bandwidth) == pytest.approx(30 * 1e-6 + 2 * 15 / 16 * 0.1)


@pytest.mark.parametrize("name", list(scale.NETWORKS))
def test_the_table_of_batches_agrees_with_the_shares(name):
    """At the batch that the table names, the share is the limit."""
    for ranks in scale.RANKS:
        images = scale.images_for(NET, 0.1, ranks, *scale.NETWORKS[name][1:])
        times = scale.shares(NET, ranks, images, *scale.NETWORKS[name][1:])
        share = times[2] / sum(times)
        assert share == pytest.approx(0.1) if images else share <= 0.1


def test_the_page_is_what_the_script_makes_of_the_measurements():
    assert scale.PAGE.read_text(encoding="utf-8") == scale.page(DATA), "run python docs/make_scale.py"


def test_the_page_follows_the_measurements():
    other = copy.deepcopy(DATA)
    for row in other["exchanges"]:
        row["real"] = [2 * value for value in row["real"]]
    assert scale.page(other) != scale.page(DATA)


def test_what_was_measured_is_complete():
    assert {row["ranks"] for row in DATA["exchanges"]} == {row["ranks"] for row in DATA["steps"]} == {1, 2, 4}
    assert len({tuple(row.values())[:4] for row in DATA["exchanges"]}) == len(DATA["exchanges"])
    assert all(v > 0 for row in DATA["steps"] for v in (*row["real"], *row["silent"]))


def test_links_of_the_page_lead_somewhere():
    links = re.findall(r"\]\(([^()\s]+)\)", scale.PAGE.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith("http")]
    assert local and all((scale.PAGE.parent / link).exists() for link in local), local
