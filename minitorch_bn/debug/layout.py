"""Where the boxes and edges of a picture lie: a layered layout, without Graphviz.

    layers      every box below all of its sources; a box with more targets than sources moves down to them
    stand-ins   an edge over several layers gets a point in each of those between, so that it has room there
    order       within a layer by the mean place of the neighbours (barycentre), sweeping down and up
    x           as near to the neighbours as the order and the widths allow: isotonic regression, sweeping down and up
    y           layer under layer; a tall picture is cut into columns, that are read from left to right
    edges       curves in the free band between two layers, straight lines through the layers and around columns

Hence no edge crosses a box: in a layer it has a place of its own, and between layers there are no boxes.

Source: Sugiyama, Tagawa and Toda 1981, Methods for Visual Understanding of Hierarchical System Structures; the
placement of x: least squares with the constraints of the order, solved by pooling adjacent violators.
"""

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise
from math import log

GAP_X, GAP_Y = 26, 38  # between the boxes of a layer; between layers
WIRE = 14  # width that an edge takes in a layer that it passes
PORT = 18  # between the ends of two edges on one box
LANE = 9  # between edges that run side by side around a column
MARGIN = 24
ASPECT = 1.7  # width by height of a screen
MOST_COLUMNS = 12
TALL = 950  # a picture that is not taller than this is left in one column
SWEEPS = 8
LEAF, WIRE_PULL = 0.005, 0.2  # how strongly a leaf, and an edge over several layers, pull at x; an op: 1


@dataclass
class Item:
    """A box, or the stand-in of an edge, in the layout."""

    width: float
    height: float
    layer: int = 0
    box: int = -1  # -1: a stand-in
    pull: float = 1.0  # of a stand-in: how strongly it pulls at its neighbours
    x: float = 0.0  # of the middle
    y: float = 0.0  # of the upper edge
    above: list = field(default_factory=list)
    below: list = field(default_factory=list)


@dataclass
class Layout:
    """The result.

    Attributes
    ----------
    boxes : list of (x, y, width, height)
        x and y of the upper left corner.
    routes : list of list of points
        For every edge its pieces, each two points (a line) or four (a Bézier curve), one beginning where the last ends.
    width, height : float
    """

    boxes: list
    routes: list
    width: float = 0.0
    height: float = 0.0


def layers_of(count, edges):
    """The layer of every box: below all of its sources, and no further from its targets than need be.

    Parameters
    ----------
    count : int
        How many boxes there are.
    edges : list of (int, int)
        (source, target), source < target.
    """
    layers, below = [0] * count, [[] for _ in range(count)]
    sources = [0] * count
    for a, b in sorted(edges, key=lambda edge: edge[1]):
        layers[b] = max(layers[b], layers[a] + 1)
        below[a].append(b)
        sources[b] += 1
    for a in reversed(range(count)):
        if below[a] and len(below[a]) > sources[a]:
            layers[a] = min(layers[b] for b in below[a]) - 1
    used = {layer: i for i, layer in enumerate(sorted(set(layers)))}
    return [used[layer] for layer in layers]


def place(sizes, edges):
    """Lay out boxes and edges.

    Parameters
    ----------
    sizes : list of (width, height)
    edges : list of (int, int)
        (source, target) as numbers of boxes; the source has the lower number.

    Returns
    -------
    Layout

    >>> layout = place([(80, 20), (60, 20)], [(0, 1)])
    >>> layout.boxes
    [(24.0, 24.0, 80, 20), (34.0, 82.0, 60, 20)]
    >>> layout.routes
    [[[(64.0, 44.0), (64.0, 63.0), (64.0, 63.0), (64.0, 82.0)]]]
    """
    items, chains = _items(sizes, edges)
    rows = [[] for _ in range(1 + max((item.layer for item in items), default=-1))]
    for item in items:
        rows[item.layer].append(item)
    _order(rows)
    _place_x(rows)
    columns = _columns(rows)
    _place_y(rows, columns)
    boxes = [(item.x - item.width / 2, item.y, item.width, item.height) for item in items[: len(sizes)]]
    layout = Layout(boxes, _routes(rows, columns, chains))
    points = [point for route in layout.routes for piece in route for point in piece]
    corners = points + [(x + w, y + h) for x, y, w, h in boxes]
    layout.width = max((x for x, _ in corners), default=0) + MARGIN
    layout.height = max((y for _, y in corners), default=0) + MARGIN
    return layout


def _items(sizes, edges):
    """The boxes as items, with stand-ins after them, and for every edge the chain of items that it passes."""
    layers = layers_of(len(sizes), edges)
    items = [Item(w, h, layers[i], i) for i, (w, h) in enumerate(sizes)]
    chains, above = [], [False] * len(sizes)
    for _, b in edges:
        above[b] = True
    for a, b in edges:
        chain = [items[a]]
        for layer in range(layers[a] + 1, layers[b]):
            chain.append(Item(WIRE, 0, layer, pull=WIRE_PULL if above[a] else LEAF))
            items.append(chain[-1])
        chain.append(items[b])
        for upper, lower in pairwise(chain):
            upper.below.append(lower)
            lower.above.append(upper)
        chains.append(chain)
    return items, chains


# ---- the order within a layer


def _order(rows):
    """Sort every layer so that few edges cross: by the mean place of the neighbours, down and up, the best of all."""
    best, fewest = None, None
    for sweep in range(SWEEPS):
        crossings = sum(_crossings(upper, lower) for upper, lower in pairwise(rows))
        if fewest is None or crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
        if not fewest:
            break
        down = sweep % 2 == 0
        for i in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            _sort_by_middle(rows[i], rows[i - 1 if down else i + 1], "above" if down else "below")
    rows[:] = best or rows


def _sort_by_middle(row, fixed, side):
    """Sort a layer by the mean place of every item's neighbours in the layer `side` of it."""
    places = {id(item): place for place, item in enumerate(fixed)}
    wanted = {}
    for place, item in enumerate(row):
        near = [places[id(other)] for other in getattr(item, side)]
        wanted[id(item)] = sum(near) / len(near) if near else place
    row.sort(key=lambda item: wanted[id(item)])


def _crossings(upper, lower):
    """How many edges cross between two layers: pairs whose ends are in opposite orders."""
    places = {id(item): place for place, item in enumerate(lower)}
    seen, count = [], 0  # the lower ends so far, sorted
    for item in upper:
        ends = sorted(places[id(other)] for other in item.below)
        count += sum(len(seen) - bisect_right(seen, end) for end in ends)
        for end in ends:
            insort(seen, end)
    return count


# ---- x


def _place_x(rows):
    """Move every item to the weighted mean of its neighbours, as far as its layer lets it, down and up."""
    for row in rows:
        x = 0.0
        for item in row:
            item.x = x + item.width / 2
            x += item.width + GAP_X
    for _ in range(SWEEPS // 2):
        for row in rows[1:]:
            _spread(row, "above")
        for row in rows[-2::-1]:
            _spread(row, "below")


def _spread(row, side):
    """Solve least squares for one layer: every item near the mean of its neighbours, none over another.

    With the room that the items on the left take subtracted, the places must not fall from left to right: isotonic
    regression. Blocks of neighbours that want to be where others are take their weighted mean together.
    """
    blocks, offset = [], 0.0  # a block: sum of weights, weighted mean, items with their offsets
    for left, item in zip([None, *row], row):
        if left is not None:
            offset += (left.width + item.width) / 2 + (WIRE if left.box < 0 and item.box < 0 else GAP_X)
        near = [(other.x, _weight(other)) for other in getattr(item, side)]
        total = sum(weight for _, weight in near)
        wanted = sum(x * weight for x, weight in near) / total if near else item.x
        weight = _weight(item) * (1 if near else 0.1)
        blocks.append((weight, wanted - offset, [(item, offset)]))
        while len(blocks) > 1 and blocks[-2][1] > blocks[-1][1]:
            (w1, z1, first), (w2, z2, second) = blocks[-2:]
            blocks[-2:] = [(w1 + w2, (w1 * z1 + w2 * z2) / (w1 + w2), first + second)]
    for _, z, members in blocks:
        for item, shift in members:
            item.x = z + shift


def _weight(item):
    """How strongly an item pulls: what is computed forms a straight line, leaves stand aside, so do long edges."""
    if item.box < 0:
        return item.pull
    return 1.0 if item.above else LEAF


# ---- y, columns and edges


@dataclass
class Column:
    """Layers `first` to `last` (not included), one under the other.

    Attributes
    ----------
    left, right, top, bottom : float
        What the items take.
    crossing : int
        How many edges lead on to the next column.
    """

    first: int
    last: int
    crossing: int = 0
    left: float = 0.0
    right: float = 0.0
    top: float = 0.0
    bottom: float = 0.0


def _columns(rows):
    """Cut a tall picture into columns so that it has about the shape of a screen."""
    heights = [_gap(row) + max(item.height for item in row) for row in rows]
    if sum(heights) <= TALL:
        return [Column(0, len(rows))]
    widths = [_extent(row) for row in rows]

    def shape(columns):
        height = max(sum(heights[column.first : column.last]) for column in columns)
        width = 0.0
        for column in columns:
            inside = widths[column.first : column.last]
            width += max(right for _, right in inside) - min(left for left, _ in inside) + 2 * GAP_X
        return width / height

    most = min(len(rows), MOST_COLUMNS)
    return min((_cut(rows, heights, n) for n in range(1, most + 1)), key=lambda cut: abs(log(shape(cut) / ASPECT)))


def _cut(rows, heights, count):
    """Columns of about one height, cut where few edges cross."""
    cuts, reached, slack = [0], 0.0, max(1, len(rows) // (6 * count))
    for i, height in enumerate(heights):
        reached += height
        if len(cuts) < count and reached >= sum(heights) * len(cuts) / count:
            near = [j for j in range(i + 1 - slack, i + 2 + slack) if cuts[-1] < j < len(rows)]
            if near:
                cuts.append(min(near, key=lambda j: (_leading_on(rows, j), abs(j - i - 1))))
    return [Column(a, b, _leading_on(rows, b)) for a, b in pairwise([*cuts, len(rows)])]


def _leading_on(rows, i):
    """How many edges cross from layer i - 1 to layer i."""
    return sum(len(item.below) for item in rows[i - 1]) if i < len(rows) else 0


def _extent(row):
    """The left and right end of a layer."""
    return min(item.x - item.width / 2 for item in row), max(item.x + item.width / 2 for item in row)


def _place_y(rows, columns):
    """Put layer under layer and column beside column; items are centred in their layer."""
    left = float(MARGIN)
    top = MARGIN + LANE * max((column.crossing for column in columns), default=0)
    for column in columns:
        extents = [_extent(row) for row in rows[column.first : column.last]]
        shift = left - min((a for a, _ in extents), default=0)
        y = float(top)
        for item in (item for row in rows[column.first : column.last] for item in row):
            item.x += shift
        for row in rows[column.first : column.last]:
            height = max(item.height for item in row)
            if row is not rows[column.first]:
                y += _gap(row)
            for item in row:
                if item.box < 0:
                    item.height = height
                item.y = y + (height - item.height) / 2
            y += height
        column.left, column.right, column.top, column.bottom = left, max(b for _, b in extents) + shift, top, y
        left = column.right + 2 * GAP_X + LANE * column.crossing


def _gap(row):
    """The room above a layer: more where edges come from far to the side, so that their curves are not flat."""
    reach = max((abs(item.x - other.x) for item in row for other in item.above), default=0)
    return GAP_Y + min(GAP_Y, reach / 12)


def _routes(rows, columns, chains):
    """The pieces of every edge."""
    bounds = [(min(t.y for t in row), max(t.y + t.height for t in row)) for row in rows]
    column_of = {r: column for column in columns for r in range(column.first, column.last)}
    ports, lanes, routes = _ports(chains), {}, []
    for number, chain in enumerate(chains):
        pieces = []
        for a, b in pairwise(chain):
            start, end = (a.x, a.y + a.height), (ports[number] if b is chain[-1] else b.x, b.y)
            column = column_of[a.layer]
            if column is column_of[b.layer]:
                leave, arrive = (a.x, bounds[a.layer][1]), (end[0], bounds[b.layer][0])
                half = (leave[1] + arrive[1]) / 2
                pieces += [[start, leave], [leave, (leave[0], half), (arrive[0], half), arrive], [arrive, end]]
            else:
                lanes[column.first] = lanes.get(column.first, 0) + 1
                pieces += _around(start, end, column, lanes[column.first])
            if b is not chain[-1]:
                pieces.append([(b.x, b.y), (b.x, b.y + b.height)])
        routes.append([piece for piece in pieces if piece[0] != piece[-1]])
    return routes


def _ports(chains):
    """Where on the upper side of its target every edge ends: beside one another, in the order of their sources."""
    arriving, ports = {}, {}
    for number, chain in enumerate(chains):
        arriving.setdefault(id(chain[-1]), []).append(number)
    for numbers in arriving.values():
        numbers.sort(key=lambda number: chains[number][-2].x)
        target = chains[numbers[0]][-1]
        step = min(PORT, (target.width - PORT) / len(numbers))
        for place, number in enumerate(numbers):
            ports[number] = target.x + (place - (len(numbers) - 1) / 2) * step
    return ports


def _around(start, end, column, lane):
    """From the end of a column to the start of the next: below it, up on its right, and in from above."""
    low, side, high = column.bottom + LANE * lane, column.right + GAP_X / 2 + LANE * lane, column.top - LANE * lane
    corners = [start, (start[0], low), (side, low), (side, high), (end[0], high), end]
    pieces, here = [], start
    for before, corner, after in zip(corners, corners[1:], corners[2:]):
        r = min(LANE, *(max(abs(p[0] - corner[0]), abs(p[1] - corner[1])) / 2 for p in (before, after)))
        into, out = _towards(corner, before, r), _towards(corner, after, r)
        pieces += [[here, into], [into, corner, corner, out]]
        here = out
    return [*pieces, [here, end]]


def _towards(start, end, distance):
    """The point at `distance` from start on a horizontal or vertical line to `end`."""
    length = max(abs(end[0] - start[0]), abs(end[1] - start[1])) or 1.0
    return tuple(a + (b - a) * distance / length for a, b in zip(start, end))
