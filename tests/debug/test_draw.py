"""debug.draw: what it shows equals the arrays; nothing overlaps; long graphs are shortened; text formats; errors."""

import re
import time
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import minitorch_bn as mt
import minitorch_bn.nn.functional as F
from minitorch_bn import engine
from minitorch_bn.autograd import Function
from minitorch_bn.debug import Drawing, draw, layout, remember_lines, svg
from minitorch_bn.debug.summary import summary
from minitorch_bn.experiments.names import Net
from tests.standin import fake_cupy


@pytest.fixture(autouse=True)
def seed():
    mt.manual_seed(0)


class Block(mt.nn.Module):
    """A residual block."""

    def __init__(self, n):
        super().__init__()
        self.fc1 = mt.nn.Linear(n, n, bias=False)
        self.bn1 = mt.nn.BatchNorm1d(n)
        self.fc2 = mt.nn.Linear(n, n)

    def forward(self, x):
        return x + self.fc2(F.relu(self.bn1(self.fc1(x))))


class Deep(mt.nn.Module):
    """25 ops."""

    def forward(self, x):
        for _ in range(25):
            x = x.tanh()
        return x


def names_network(lines=True):
    net, x, y = Net(46, True), mt.randint(0, 46, (32, 3)), mt.randint(0, 46, (32,))
    with remember_lines(lines):
        logits = net(x)
        loss = F.cross_entropy(logits, y)
    return loss, {"net": net, "x": x, "y": y, "logits": logits, "loss": loss}


def ten_layers():
    layers = [m for _ in range(10) for m in (mt.nn.Linear(20, 20), mt.nn.BatchNorm1d(20), mt.nn.Tanh())]
    net, x, y = mt.nn.Sequential(*layers), mt.randn(16, 20), mt.randint(0, 20, (16,))
    with remember_lines():
        loss = F.cross_entropy(net(x), y)
    return loss, {"net": net, "x": x, "y": y, "loss": loss}


def residual():
    net, x = mt.nn.Sequential(*[Block(8) for _ in range(6)]), mt.randn(16, 8)
    with remember_lines():
        loss = net(x).sum()
    return loss, {"net": net, "x": x, "loss": loss}


def by_hand():
    x, w, b = mt.randn(8, 3), mt.randn(3, 5, requires_grad=True), mt.zeros(5, requires_grad=True)
    hpre = x @ w + b
    mean = hpre.mean(0, keepdim=True)
    diff = hpre - mean
    hhat = diff / ((diff * diff).mean(0, keepdim=True) + 1e-5).sqrt()
    loss = (hhat * hhat * hpre).sum()
    return loss, locals()


def recurrent(steps=40):
    w, h = mt.randn(6, 6, requires_grad=True), mt.randn(2, 6)
    for _ in range(steps):
        h = mt.tanh(h @ w)
    loss = h.sum()
    return loss, locals()


def random_graph(seed):
    """A graph of random shape: every op takes one or two random earlier tensors."""
    rng = np.random.default_rng(seed)
    made = [mt.randn(2, requires_grad=bool(i % 3)) for i in range(4)]
    for _ in range(rng.integers(1, 60)):
        a, b = (made[rng.integers(max(0, len(made) - 12), len(made))] for _ in range(2))
        kind = rng.integers(4)
        made.append(
            a + b if kind == 0 else a * b if kind == 1 else a.tanh() if kind == 2 else mt.stack([a, b, a]).sum(0)
        )
    loss = sum(t.sum() for t in made[-5:])
    return loss, {f"t{i}": t for i, t in enumerate(made) if i % 2}


NETWORKS = [names_network, ten_layers, residual, by_hand, recurrent]


# ---- where things lie


def points(piece, count=40):
    """Points along a line or a Bézier curve."""
    t = np.linspace(0, 1, count)[:, None]
    p = np.array(piece, dtype=float)
    if len(p) == 2:
        return p[0] * (1 - t) + p[1] * t
    return (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t**2 * p[2] + t**3 * p[3]


def check_geometry(place, edges):
    """No two boxes overlap, no edge enters a box, every edge leads from its source to its target, on the page."""
    boxes = np.array(place.boxes, dtype=float).reshape(-1, 4)
    left, top = boxes[:, 0], boxes[:, 1]
    right, bottom = left + boxes[:, 2], top + boxes[:, 3]
    apart = (right[:, None] <= left) | (bottom[:, None] <= top)
    overlaps = ~(apart | apart.T) & ~np.eye(len(boxes), dtype=bool)
    assert not overlaps.any(), f"boxes overlap: {np.argwhere(overlaps)[:3]}"
    assert (left >= 0).all() and (top >= 0).all() and right.max() <= place.width and bottom.max() <= place.height
    assert len(place.routes) == len(edges)
    for (a, b), route in zip(edges, place.routes, strict=True):
        assert all(p[-1] == q[0] for p, q in pairwise(route)), "the edge is torn"
        (x0, y0), (x1, y1) = route[0][0], route[-1][-1]
        assert left[a] <= x0 <= right[a] and y0 == pytest.approx(bottom[a], abs=1e-6)
        assert left[b] <= x1 <= right[b] and y1 == pytest.approx(top[b], abs=1e-6)
        way = np.concatenate([points(piece) for piece in route])
        assert (way >= 0).all() and (way <= (place.width, place.height)).all()
        x, y = way[:, :1], way[:, 1:]
        entered = (x > left + 0.01) & (x < right - 0.01) & (y > top + 0.01) & (y < bottom - 0.01)
        assert not entered.any(), f"edge {a} -> {b} enters box {np.argwhere(entered)[0, 1]}"


def check_drawing(drawing):
    boxes, edges = svg.with_stand_ins(drawing.picture)
    pairs = [(edge.source, edge.target) for edge in edges]
    assert all(a < b for a, b in pairs)
    check_geometry(layout.place([svg.size(box) for box in boxes], pairs), pairs)


@pytest.mark.parametrize("fold", [None, False, True, 2])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda f: f.__name__)
def test_nothing_overlaps(network, fold):
    loss, names = network()
    check_drawing(draw(loss, names=names, fold=fold))
    loss.backward(retain_graph=True)
    check_drawing(draw(loss, names=names, fold=fold))
    check_drawing(draw(loss, fold=fold, values=False))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_overlaps_in_random_graphs(seed):
    loss, names = random_graph(seed)
    check_drawing(draw(loss, names=names))
    check_drawing(draw(loss, fold=False, limit=10))


@pytest.mark.parametrize("seed", range(60))
def test_any_graph_can_be_laid_out(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 80))
    pairs = [(int(rng.integers(0, b)), b) for b in range(1, n) for _ in range(rng.integers(0, 4))]
    sizes = [(int(w), int(h)) for w, h in rng.integers(10, 300, (n, 2))]
    check_geometry(layout.place(sizes, pairs), pairs)


def test_the_check_of_the_geometry_sees_faults():
    boxes, pairs = [(0, 0, 80, 30), (0, 60, 80, 30), (0, 120, 80, 30)], [(0, 1), (1, 2), (0, 2)]
    short = [[[(40, 30), (40, 60)]], [[(40, 90), (40, 120)]]]
    around = [[(50, 30), (90, 31)], [(90, 31), (90, 119)], [(90, 119), (50, 120)]]
    check_geometry(layout.Layout(boxes, [*short, around], 100, 160), pairs)
    with pytest.raises(AssertionError, match="edge 0 -> 2 enters box 1"):
        check_geometry(layout.Layout(boxes, [*short, [[(40, 30), (40, 120)]]], 100, 160), pairs)
    with pytest.raises(AssertionError, match="edge 0 -> 2 enters box 1"):
        check_geometry(layout.Layout(boxes, [*short, [[(40, 30), (90, 60), (90, 90), (40, 120)]]], 100, 160), pairs)
    with pytest.raises(AssertionError, match="the edge is torn"):
        check_geometry(layout.Layout(boxes, [*short, [around[0], around[2]]], 100, 160), pairs)
    with pytest.raises(AssertionError, match="boxes overlap"):
        check_geometry(layout.Layout([boxes[0], (70, 20, 80, 30), boxes[2]], [*short, around], 200, 160), pairs)


def test_layers_lead_down_and_leaves_stay_near_their_use():
    pairs = [(0, 2), (1, 2), (2, 3), (3, 5), (4, 5)]
    assert layout.layers_of(6, pairs) == [0, 0, 1, 2, 2, 3]


def test_a_tall_graph_becomes_columns_of_the_shape_of_a_screen():
    for network in (ten_layers, residual, lambda: recurrent(15)):
        loss, names = network()
        loss.backward(retain_graph=True)
        width, height = page_of(draw(loss, names=names))
        assert 1.1 < width / height < 2.4 and width < 2000 and height < 1250


def test_the_order_leaves_no_crossing_that_need_not_be():
    rows = [[layout.Item(10, 10, 0) for _ in range(4)], [layout.Item(10, 10, 1) for _ in range(4)]]
    for a, b in zip(rows[0], reversed(rows[1]), strict=True):
        a.below.append(b)
        b.above.append(a)
    assert layout._crossings(*rows) == 6
    layout._order(rows)
    assert layout._crossings(*rows) == 0


# ---- what is shown


def page_of(drawing):
    width, height = re.search(r'viewBox="0 0 (\d+) (\d+)"', drawing.svg).groups()
    return int(width), int(height)


def box(drawing, start):
    """The box whose title begins with `start`."""
    (found,) = [b for b in drawing.picture.boxes if b.title.startswith(start)]
    return found


def test_boxes_say_name_op_shape_value_and_gradient():
    x = mt.tensor([[1.0, 2.0, 6.0]])
    w = mt.tensor([[1.0], [2.0], [4.0]], requires_grad=True)
    y = x @ w
    loss = y.exp().log().sum()
    loss.backward(retain_graph=True)
    drawing = draw(loss, names=locals())
    assert [b.title for b in drawing.picture.boxes] == ["x", "w", "y = MatMul", "Exp", "Log", "loss = Sum"]
    assert [b.kind for b in drawing.picture.boxes] == ["input", "parameter", "op", "op", "op", "op"]
    assert [b.root for b in drawing.picture.boxes] == [False] * 5 + [True]
    assert [(e.source, e.target, e.flows) for e in drawing.picture.edges] == [
        (0, 2, False), (1, 2, True), (2, 3, True), (3, 4, True), (4, 5, True),
    ]  # fmt: skip
    assert box(drawing, "x").lines == [("value", "value 3 ± 2.16 [1, 6]")]
    assert box(drawing, "w").shape == "(3, 1)"
    assert box(drawing, "w").lines[1] == ("grad", "grad  3 ± 2.16 [1, 6]")
    assert box(drawing, "y = ").lines == [("value", "value 29"), ("grad", "grad  1")]
    assert draw(loss, names=locals(), values=False).picture.boxes[2].lines == []


def test_gradients_before_during_and_after_backward():
    loss, names = by_hand()
    before = draw(loss, names=names)
    assert not any(b.arrived for b in before.picture.boxes) and "grad  " not in before.text
    assert "No gradients yet: after backward(retain_graph=True), draw again." in before.picture.notes
    order = engine.graph(loss)
    loss.receive(np.ones((), np.float32))
    for t in order[:3]:
        t.backward_step()
    during = draw(loss, names=names)
    arrived = [b.arrived for b in during.picture.boxes]
    assert any(arrived) and not all(arrived)
    assert box(during, "loss").arrived and not box(during, "w").arrived
    for t in order[3:]:
        t.backward_step()
    after = draw(loss, names=names)
    assert all(b.arrived for b in after.picture.boxes if b.kind != "input")
    assert after.svg.count('class="arrived"') == sum(b.arrived for b in after.picture.boxes)


def test_a_walk_that_began_further_down_is_named():
    loss, names = by_hand()
    names["hpre"].sum().backward(retain_graph=True)
    assert any("earlier walk" in note for note in draw(loss, names=names).picture.notes)


def test_indices_and_labels_are_inputs_without_gradient():
    loss, names = names_network()
    picture = draw(loss, names=names, fold=False).picture
    titles = [b.title for b in picture.boxes]
    edges = {(titles[e.source], titles[e.target], e.flows) for e in picture.edges}
    assert {("x", "Embedding", False), ("y", "loss = CrossEntropy", False)} <= edges


def test_both_uses_of_one_operand_are_drawn():
    x = mt.tensor(3.0, requires_grad=True)
    y = x * x
    assert [(e.source, e.target) for e in draw(y).picture.edges] == [(0, 1), (0, 1)]


def test_numbers_are_no_boxes():
    x = mt.tensor(3.0, requires_grad=True)
    assert len(draw((x + 1) ** 2).picture.boxes) == 3


def test_what_was_changed_in_place_has_its_former_self_in_the_picture():
    a = mt.tensor([1.0, 2.0], requires_grad=True)
    x = a * 2
    y = x.exp()
    x += 1
    loss = (x * y).sum()
    drawing = draw(loss, names=locals())
    assert titles(drawing) == ["a", "Mul", "y = Exp", "x = Add", "Mul", "loss = Sum"]
    assert [(e.source, e.target) for e in drawing.picture.edges] == [(0, 1), (1, 2), (1, 3), (3, 4), (2, 4), (4, 5)]
    check_drawing(drawing)


def test_functions_with_several_results():
    class Split(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, da, db):
            return 2 * da + 3 * db

    x = mt.tensor([1.0, 2.0], requires_grad=True)
    a, b = Split.apply(x)
    loss = (a * b).sum()
    for _ in range(2):
        drawing = draw(loss, names=locals())
        assert {"x", "loss = Sum"} <= {b.title for b in drawing.picture.boxes}
        check_drawing(drawing)
        loss.backward(retain_graph=True)


def test_nan_and_infinity_stand_out():
    x = mt.tensor([1.0, 2.0, float("nan"), float("inf")], requires_grad=True)
    found = box(draw(x.neg(), names=locals()), "x")
    assert found.lines == [("sick", "value 1.5 ± 0.5 [1, 2], 1 nan, 1 inf")]


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(3.14159265, np.float32), "3.1416"),
        (np.array([[2.0]]), "2"),
        (np.array(7), "7"),
        (np.array(True), "True"),
        (np.zeros((0, 3)), "empty"),
        (np.array([1, -2, 3]), "[-2, 3]"),
        (np.array([True, False, True]), "2 of 3 true"),
        (np.array([np.nan, np.nan]), "2 nan"),
        (np.array([np.inf, -np.inf]), "2 inf"),
        (np.array([1.0, 3.0]), "2 ± 1 [1, 3]"),
        (np.array([1e-9, 1.0, -1.0], np.float32), "0 ± 0.816 [-1, 1]"),
        (np.array([1e-9, 1.0, -1.0]), "3.33e-10 ± 0.816 [-1, 1]"),
        (np.full(100, 60000.0, np.float16), "6e+04 ± 0 [6e+04, 6e+04]"),
        (np.float32(2.5), "2.5"),
        (None, ""),
    ],
)
def test_summary(array, text):
    assert summary(array) == text


@pytest.mark.parametrize("dtype", [mt.float16, mt.float32, mt.float64])
def test_dtypes(dtype):
    x = mt.ones(2, 3, dtype=dtype, requires_grad=True)
    shape = box(draw(x.sum(), names=locals()), "x").shape
    assert shape == "(2, 3)" + ("" if dtype is mt.float32 else f" {str(dtype).split('.')[1]}")


def test_drawing_changes_nothing_and_backward_gives_the_same():
    loss, names = by_hand()
    values = [t.array.copy() for t in engine.graph(loss)]
    ops = [t.op for t in engine.graph(loss)]
    _ = draw(loss, names=names).svg
    assert [t.op for t in engine.graph(loss)] == ops and all(t.dy is None for t in engine.graph(loss))
    for t, value in zip(engine.graph(loss), values, strict=True):
        np.testing.assert_array_equal(t.array, value)
    (expected,) = mt.autograd.grad(loss, [names["w"]], retain_graph=True)
    _ = draw(loss, names=names).svg
    loss.backward()
    np.testing.assert_array_equal(names["w"].grad.numpy(), expected.numpy())


def test_a_picture_stays_as_it_was_drawn():
    loss, names = by_hand()
    drawing = draw(loss, names=names)
    before = drawing.text
    loss.backward()
    assert drawing.text == before and "<svg" in drawing.svg


def test_mark():
    loss, names = by_hand()
    picture = draw(loss, names=names, mark=names["diff"]).picture
    assert [b.title for b in picture.boxes if b.marked] == ["diff = Sub"]
    picture = draw(loss, names=names, mark=[names["diff"], names["w"]]).picture
    assert [b.title for b in picture.boxes if b.marked] == ["w", "diff = Sub"]
    assert 'class="box op marked"' in draw(loss, names=names, mark=names["diff"]).svg


def test_tensors_on_a_gpu():
    with fake_cupy.installed():
        x, w = mt.randn(3, 4).to("cuda"), mt.randn(4, 2).to("cuda").requires_grad_()
        loss = mt.tanh(x @ w).sum()
        loss.backward(retain_graph=True)
        found = box(draw(loss, names=locals()), "w")
        assert found.lines == [("value", f"value {summary(w.array)}"), ("grad", f"grad  {summary(w.grad.array)}")]
        assert summary(w.array) == summary(w.detach().cpu().array)


def test_a_mark_of_another_graph():
    loss, names = by_hand()
    with pytest.raises(ValueError, match=r"draw: got a tensor of shape \(2,\) to mark that is not of this graph"):
        draw(loss, mark=[names["w"], mt.zeros(2)])
    with pytest.raises(TypeError, match="draw: got str in mark, wanted Tensors"):
        draw(loss, mark=["w"])


# ---- folding and shortening


def titles(drawing):
    return [b.title for b in drawing.picture.boxes]


def test_fold_by_module():
    loss, names = names_network()
    assert titles(draw(loss, names=names, fold=True)) == [
        "x", "embedding: Embedding", "Reshape", "fc1: Linear", "bn1: BatchNorm1d", "Tanh", "logits = fc2: Linear",
        "y", "loss = CrossEntropy",
    ]  # fmt: skip
    loss.backward(retain_graph=True)
    bn1 = box(draw(loss, names=names, fold=True), "bn1")
    assert bn1.kind == "module" and bn1.shape == "(32, 200)"
    expected = summary(names["net"].bn1.weight.grad.numpy()).split(" [")[0]
    assert ("note", f"weight (200,)  grad {expected}") in bn1.lines
    assert "net.bn1.weight" in titles(draw(loss, names=names, fold=False))


def test_fold_to_a_depth():
    loss, names = residual()
    assert titles(draw(loss, names=names, fold=1)) == ["x", *(f"{i}: Block" for i in range(6)), "loss = Sum"]
    two = titles(draw(loss, names=names, fold=2))
    assert two[:6] == ["x", "0.fc1: Linear", "0.bn1: BatchNorm1d", "ReLU", "0.fc2: Linear", "Add"]
    assert box(draw(loss, names=names, fold=1), "0: Block").lines[0] == ("note", "Linear 2x, BatchNorm, ReLU, Add")
    assert titles(draw(loss, names=names, fold=0)) == titles(draw(loss, names=names, fold=False))


def test_small_graphs_are_not_folded_and_large_ones_are():
    loss, names = names_network()
    assert not any(b.kind == "module" for b in draw(loss, names=names).picture.boxes)
    loss, names = ten_layers()
    drawing = draw(loss, names=names)
    assert sum(b.kind == "module" for b in drawing.picture.boxes) == 30
    assert any("Folded by module: 30 boxes" in note for note in drawing.picture.notes)


@pytest.mark.parametrize("by", ["model", "names"])
def test_without_lines_ops_go_with_their_parameters(by):
    loss, names = names_network(lines=False)
    net = names.pop("net")
    options = {"model": net} if by == "model" else {}
    names = names if by == "model" else {**names, "net": net}
    found = titles(draw(loss, names=names, fold=True, **options))
    assert found == [
        "x", "embedding: Embedding", "Reshape", "fc1: Linear", "bn1: BatchNorm1d", "Tanh", "logits = fc2: Linear",
        "y", "loss = CrossEntropy",
    ]  # fmt: skip
    assert ("bn1.weight" if by == "model" else "net.bn1.weight") in titles(
        draw(loss, names=names, fold=False, **options)
    )


def test_without_lines_and_names_nothing_is_folded():
    loss, _ = names_network(lines=False)
    assert not any(b.kind == "module" for b in draw(loss, fold=True).picture.boxes)


def test_a_module_that_is_used_twice_is_two_boxes():
    layer, x = mt.nn.Linear(3, 3), mt.randn(2, 3)
    net = mt.nn.Sequential(layer, mt.nn.Tanh(), layer)
    with remember_lines():
        loss = net(x).sum()
    drawing = draw(loss, names=locals(), fold=True)
    assert sum(b.kind == "module" for b in drawing.picture.boxes) == 3
    assert len([b for b in drawing.picture.boxes if b.kind == "parameter"]) == 2  # used by both: in neither


def test_a_parameter_used_far_away_is_drawn_again():
    loss, names = recurrent(12)
    boxes, edges = svg.with_stand_ins(draw(loss, names=names).picture)
    again = [b for b in boxes if b.kind == "again"]
    assert again and {b.title for b in again} == {"w"}
    layers = layout.layers_of(len(boxes), [(e.source, e.target) for e in edges])
    spans = [layers[e.target] - layers[e.source] for e in edges if boxes[e.source].title == "w"]
    assert len(spans) == 12 and max(spans) <= svg.LEAF_SPAN


@pytest.mark.parametrize("kind", ["chain", "modules", "wide"])
def test_5000_ops(kind):
    if kind == "chain":
        loss, names = recurrent(2500)
    elif kind == "modules":
        net = mt.nn.Sequential(*[Deep() for _ in range(200)])
        with remember_lines():
            loss = net(mt.randn(3, requires_grad=True)).sum()
        names = {"net": net}
    else:
        loss = mt.stack([mt.randn(2, requires_grad=True).exp() for _ in range(5000)]).sum()
        names = {}
    start = time.perf_counter()
    drawing = draw(loss, names=names)
    text = drawing.svg
    assert time.perf_counter() - start < 10 and len(text) < 1_000_000
    assert any(re.search(r"Shortened: 4,\d\d\d of 5,00\d ops are not shown", note) for note in drawing.picture.notes)
    assert sum(b.kind == "hidden" for b in drawing.picture.boxes) == 1
    assert titles(drawing)[-1].endswith("Sum")
    check_drawing(drawing)


def test_5000_ops_in_full():
    loss, names = recurrent(2500)
    start = time.perf_counter()
    drawing = draw(loss, names=names, fold=False, limit=6000)
    assert len(drawing.svg) < 20_000_000 and time.perf_counter() - start < 30
    assert not any(b.kind == "hidden" for b in drawing.picture.boxes)
    assert drawing.svg.count('class="box op') == 5001 + 1  # and the legend


def test_an_op_of_many_leaves():
    loss = mt.stack([mt.randn(2, requires_grad=True) for _ in range(2000)]).sum()
    drawing = draw(loss)
    assert "... 1,992 more leaves, not shown ..." in titles(drawing) and len(drawing.picture.boxes) < 20
    check_drawing(drawing)


# ---- formats


def test_svg_is_well_formed_and_loads_nothing():
    for network in NETWORKS:
        loss, names = network()
        text = draw(loss, names=names).svg
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert text.count("http") == 1 and not re.search(r"<script|href|url\(|@import|<image|onload", text)
        assert "prefers-color-scheme:dark" in text


def test_kinds_are_told_apart_by_shape_not_by_colour():
    shapes = {kind: svg._shape(kind, 100, 40) for kind in ("op", "module", "parameter", "input")}
    assert len({re.sub(r"\d+(\.\d+)?", "", s) + str('rx="20' in s) for s in shapes.values()}) == 4
    style = svg._style()
    assert all(f".{name}{{stroke-dasharray" in style.replace(" .outline", "") for name in ("cut", "hidden", "again"))


def test_text_fits_into_its_box():
    loss, names = names_network()
    loss.backward(retain_graph=True)
    for b in draw(loss, names=names).picture.boxes:
        width, height = svg.size(b)
        widths = [len(f"{b.title} {b.shape}") * 13 * 0.6, *(len(text) * 11 * 0.6 for _, text in b.lines)]
        assert max(widths) + 2 * 8 <= width  # 0.6: the width of a character of the usual monospaced fonts
        assert height >= 18 + 15 * len(b.lines)


@pytest.mark.parametrize("scheme", ["LIGHT", "DARK"])
def test_text_has_enough_contrast(scheme):
    colours = getattr(svg, scheme)

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    for ground in ("page", *svg.KINDS):
        for ink in ("text", "quiet", "grad", "sick"):
            light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)  # WCAG 2, level AA


def test_names_with_special_characters():
    a = mt.tensor([1.0], requires_grad=True)
    names = {'<a> & "b" [c] {d} | \\ x': a, "graph": (loss := a.exp())}
    drawing = draw(loss, names=names)
    texts = "".join(ElementTree.fromstring(drawing.svg).itertext())
    assert '<a> & "b" [c] {d} | \\ x' in texts
    assert '\\"b\\" [c] {d} | \\\\ x' in drawing.dot
    (line,) = [line for line in drawing.mermaid.splitlines() if line.startswith("    n0[")]
    assert re.fullmatch(r'    n0\[/"[^"<>&\[\]{}|\\]*(<br/>[^"<>&\[\]{}|\\]*)*"/\]', line), line


def test_mermaid_and_dot():
    loss, names = by_hand()
    drawing = draw(loss, names=names)
    count, edges = len(drawing.picture.boxes), drawing.picture.edges
    lines = drawing.mermaid.splitlines()
    assert lines[0] == "flowchart TD" and len(lines) == 1 + count + len(edges)
    assert all(re.match(r"    n\d+(\[|\()", line) for line in lines[1 : count + 1])
    assert all(re.fullmatch(r"    n\d+ (-->|-\.->) n\d+", line) for line in lines[count + 1 :])
    lines = drawing.dot.splitlines()
    assert lines[0] == "digraph graph_of_ops {" and lines[-1] == "}"
    assert sum(" -> " in line for line in lines) == len(edges)
    assert all(line.count('"') % 2 == 0 and line.endswith(";") for line in lines[1:-1])


def test_notebooks_show_svg_and_have_text_but_no_mermaid():
    loss, names = by_hand()
    drawing = draw(loss, names=names)
    assert isinstance(drawing, Drawing) and drawing._repr_svg_() == drawing.svg
    assert drawing._repr_mimebundle_() == {"image/svg+xml": drawing.svg, "text/plain": drawing.text}
    assert repr(drawing) == "<Drawing of loss: 12 ops, 2 parameters, 1 input; .save(path) writes it, .text lists it>"


def test_ipython_takes_the_svg():
    formatters = pytest.importorskip("IPython.core.formatters")
    loss, names = by_hand()
    drawing = draw(loss, names=names)
    data, _ = formatters.DisplayFormatter().format(drawing)
    assert data["image/svg+xml"] == drawing.svg and data["text/plain"] == drawing.text
    assert set(data) == {"image/svg+xml", "text/plain"}


def test_save(tmp_path):
    loss, names = by_hand()
    drawing = draw(loss, names=names)
    for ending, kind in [
        ("svg", "svg"),
        ("html", "html"),
        ("dot", "dot"),
        ("gv", "dot"),
        ("mmd", "mermaid"),
        ("txt", "text"),
    ]:
        path = drawing.save(tmp_path / f"graph.{ending}")
        assert path.read_text(encoding="utf-8") == getattr(drawing, kind)
    assert drawing.html.startswith("<!doctype html>") and drawing.svg in drawing.html
    with pytest.raises(ValueError, match=r"draw: save got the ending '.png' in 'graph.png', wanted one of .svg"):
        drawing.save(str(tmp_path / "graph.png"))
    with pytest.raises(ValueError, match=r"got the ending ''"):
        drawing.save(tmp_path / "graph")
    assert not (tmp_path / "graph.png").exists()


# ---- errors


def test_a_tensor_without_graph():
    with pytest.raises(RuntimeError, match=r"draw: the tensor has no graph: it is a leaf"):
        draw(mt.tensor(1.0, requires_grad=True))
    with mt.no_grad():
        y = mt.tensor(1.0, requires_grad=True).exp()
    with pytest.raises(RuntimeError, match=r"has no graph: it was made under no_grad.*why_no_grad"):
        draw(y)


def test_a_freed_graph():
    a = mt.tensor(1.0, requires_grad=True)
    b = a.exp()
    loss, other = b.log(), b.sin()
    loss.backward()
    for freed in (loss, other):
        with pytest.raises(
            RuntimeError, match=r"draw: the graph has been freed by backward. Draw before backward, or "
        ):
            draw(freed)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"names": ["loss"]}, TypeError, "names: got list, wanted a dict"),
        ({"model": "net"}, TypeError, "draw: got a model of type str"),
        ({"fold": "all"}, TypeError, "draw: got fold='all'"),
        ({"fold": 1.0}, TypeError, "draw: got fold=1.0"),
        ({"fold": -1}, ValueError, "draw: got fold=-1"),
        ({"limit": 2}, ValueError, "draw: got limit=2"),
    ],
)
def test_bad_arguments(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        draw(mt.tensor(1.0, requires_grad=True).exp(), **options)


@pytest.mark.parametrize("value", [1.0, np.ones(3), None, "loss"])
def test_no_tensor(value):
    with pytest.raises(TypeError, match=f"draw: got {type(value).__name__}, wanted a Tensor"):
        draw(value)
