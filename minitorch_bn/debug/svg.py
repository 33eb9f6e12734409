"""A picture as SVG: plain shapes and text, light and dark, no script, nothing loaded from anywhere.

Every kind of box has a shape of its own, and an edge without gradient is dashed, so that the picture can be read in
grey.
"""

from html import escape

from . import layout as layouts
from .picture import Box, Edge

FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
TITLE, LINE = 13, 11  # sizes of type, in pixels
CHARACTER = 0.605  # width of a character of a monospaced font, in sizes of type
LEADING = 15  # from line to line
PADDING = 11
LEAF_SPAN, OP_SPAN = 4, 25  # an edge over more layers than that begins at a stand-in ("again") near its target

KINDS = {
    "op": "op and its result",
    "module": "module",
    "parameter": "leaf that gets a gradient",
    "input": "input without gradient",
    "again": "drawn elsewhere, too",
    "hidden": "not shown",
}

LIGHT = {
    "page": "#ffffff",
    "text": "#1b1f24",
    "quiet": "#59636e",
    "edge": "#6e7781",
    "op": "#f6f8fa",
    "module": "#eaf2fb",
    "parameter": "#fff4d6",
    "input": "#eaf6ec",
    "hidden": "#ffffff",
    "again": "#ffffff",
    "border": "#6e7781",
    "grad": "#a3320b",
    "sick": "#c1002f",
    "mark": "#8250df",
}
DARK = {
    "page": "#0d1117",
    "text": "#e6edf3",
    "quiet": "#9ba7b4",
    "edge": "#8b949e",
    "op": "#1c2128",
    "module": "#14263d",
    "parameter": "#3a2d0c",
    "input": "#12301b",
    "hidden": "#0d1117",
    "again": "#0d1117",
    "border": "#8b949e",
    "grad": "#ffa583",
    "sick": "#ff7b86",
    "mark": "#bc8cff",
}


def svg(picture):
    """The text of an SVG file.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    str
    """
    boxes, edges = with_stand_ins(picture)
    layout = layouts.place([size(box) for box in boxes], [(edge.source, edge.target) for edge in edges])
    bar = ["A bar on the left: a gradient has arrived."] * any(box.arrived for box in boxes)
    foot = picture.notes + bar
    used = [kind for kind in KINDS if any(box.kind == kind for box in boxes)]
    legend, legend_width = _legend(used)
    text_width = max(len(picture.title) * TITLE, *(len(text) * LINE for text in foot), 0) * CHARACTER
    width = max(layout.width, legend_width, text_width + 2 * layouts.MARGIN)
    top = 34
    bottom = top + layout.height
    height = bottom + 26 + LEADING * len(foot) + PADDING
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="opgraph" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}"><title>{escape(picture.title)}</title>',
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
        f'<text class="head" x="{layouts.MARGIN}" y="26">{escape(picture.title)}</text>',
        f'<g transform="translate(0 {top})">',
        *(_edge(edge, route) for edge, route in zip(edges, layout.routes)),
        *(_box(box, *place) for box, place in zip(boxes, layout.boxes)),
        f'</g><g transform="translate({layouts.MARGIN} {bottom:.0f})">{legend}',
        *(f'<text class="note" y="{30 + LEADING * (i + 1)}">{escape(text)}</text>' for i, text in enumerate(foot)),
        "</g></svg>",
    ]
    return "\n".join(parts)


def with_stand_ins(picture):
    """Boxes and edges, where edges over many layers begin at stand-ins near their targets."""
    layers = layouts.layers_of(len(picture.boxes), [(edge.source, edge.target) for edge in picture.edges])
    before, edges = {}, []  # {number of a box: the stand-ins that are put before it}
    nearest = {}  # {source: (layer, what stands for it there)}
    for edge in sorted(picture.edges, key=lambda edge: layers[edge.target]):
        source = picture.boxes[edge.source]
        span = LEAF_SPAN if source.kind in ("parameter", "input") else OP_SPAN
        layer, stands = nearest.get(edge.source, (layers[edge.source], edge.source))
        if layers[edge.target] - layer > span:
            title = source.title.split(" = ")[0]
            stands = Box("again", title, source.shape, tip=f"{title} is drawn elsewhere with its values")
            before.setdefault(edge.target, []).append(stands)
            nearest[edge.source] = layers[edge.target] - 1, stands
        edges.append((stands, edge))
    boxes, number = [], {}
    for i, box in enumerate(picture.boxes):
        for stand_in in before.get(i, ()):
            number[id(stand_in)] = len(boxes)
            boxes.append(stand_in)
        number[i] = len(boxes)
        boxes.append(box)
    numbered = [
        Edge(number[stands if isinstance(stands, int) else id(stands)], number[edge.target], edge.flows)
        for stands, edge in edges
    ]
    return boxes, numbered


def size(box):
    """Width and height of a box: what its text takes in a monospaced font."""
    heading = (len(box.title) + 1 + len(box.shape)) * TITLE * CHARACTER
    widest = max([heading, *(len(text) * LINE * CHARACTER for _, text in box.lines)])
    width, height = round(widest + 2 * PADDING), 27 + LEADING * len(box.lines)
    if box.kind == "input":  # round ends
        return width + 12, height
    return (width + 4, height + 4) if box.kind == "module" else (width, height)  # the edge of the sheet behind


def _box(box, x, y, width, height):
    """One box with its text."""
    classes = " ".join(["box", box.kind, *(name for name in ("marked", "root") if getattr(box, name))])
    parts = [f'<g class="{classes}" transform="translate({x:.1f} {y:.1f})">', _shape(box.kind, width, height)]
    if box.arrived:
        parts.append(f'<rect class="arrived" x="0" y="5" width="4" height="{height - 10}"/>')
    if box.tip:
        parts.append(f"<title>{escape(box.tip)}</title>")
    left = PADDING + (6 if box.kind == "input" else 0)
    shape = f' <tspan class="shape">{escape(box.shape)}</tspan>' if box.shape else ""
    parts.append(f'<text class="name" x="{left}" y="18">{escape(box.title)}{shape}</text>')
    for i, (style, text) in enumerate(box.lines):
        parts.append(f'<text class="{style}" x="{left}" y="{18 + LEADING * (i + 1)}">{escape(text)}</text>')
    return "".join([*parts, "</g>"])


def _shape(kind, width, height):
    """The outline of a box, told apart by its form."""
    outline = f'<rect class="outline" width="{width}" height="{height}" rx="{{}}"/>'
    if kind == "parameter":  # a double frame
        inner = f'<rect class="inner" x="3" y="3" width="{width - 6}" height="{height - 6}"/>'
        return outline.format(0) + inner
    if kind == "module":  # a stack
        width, height = width - 4, height - 4
        sheet = f'width="{width}" height="{height}" rx="3"/>'
        return f'<rect class="outline" x="4" y="4" {sheet}<rect class="outline" {sheet}'
    if kind == "input":  # round ends
        return outline.format(min(height / 2, 20))
    return outline.format(5)


def _edge(edge, route):
    """One edge with its arrow head."""
    (x, y), parts = route[0][0], []
    for piece in route:
        parts.append(("L" if len(piece) == 2 else "C") + " ".join(f"{a:.1f} {b:.1f}" for a, b in piece[1:]))
    start = f"M{x:.1f} {y:.1f}"
    x, y = route[-1][-1]
    head = f'<path class="tip" d="M{x:.1f} {y:.1f}l-4 -8h8z"/>'
    return f'<path class="edge{"" if edge.flows else " cut"}" d="{start}{"".join(parts)}"/>{head}'


def _legend(kinds):
    """The kinds of box that occur, each with its shape; and how wide that is."""
    parts, x = [], 0.0
    for kind in kinds:
        words = KINDS[kind]
        parts.append(f'<g class="box {kind}" transform="translate({x:.0f} 2)">{_shape(kind, 26, 14)}</g>')
        parts.append(f'<text class="note" x="{x + 34:.0f}" y="13">{words}</text>')
        x += 34 + len(words) * LINE * CHARACTER + 22
    return "".join(parts), x + 2 * layouts.MARGIN


def _style():
    """The style sheet: light, and dark where the reader's system is."""
    fixed = (
        f".opgraph text{{font-family:{FONT};font-size:{LINE}px;white-space:pre}}"
        f".opgraph .name{{font-size:{TITLE}px;font-weight:600}}.opgraph .shape{{font-weight:400}}"
        f".opgraph .head{{font-size:{TITLE}px;font-weight:600}}"
        ".opgraph .edge{fill:none;stroke-width:1.3}.opgraph .cut{stroke-dasharray:2 3}"
        ".opgraph .outline{stroke-width:1.1}.opgraph .inner{fill:none;stroke-width:.7}"
        ".opgraph .root .outline{stroke-width:2.4}.opgraph .marked .outline{stroke-width:3.5}"
        ".opgraph .hidden .outline{stroke-dasharray:6 4}.opgraph .again .outline{stroke-dasharray:2 3}"
        ".opgraph .grad,.opgraph .sick{font-weight:600}.opgraph .sick{text-decoration:underline}"
    )
    return fixed + _colours(LIGHT) + f"@media (prefers-color-scheme:dark){{{_colours(DARK)}}}"


def _colours(c):
    """The part of the style sheet that differs between light and dark."""
    boxes = "".join(f".opgraph .{kind} .outline{{fill:{c[kind]}}}" for kind in KINDS)
    return (
        f".opgraph .page{{fill:{c['page']}}}"
        f".opgraph text{{fill:{c['text']}}}.opgraph .note,.opgraph .shape{{fill:{c['quiet']}}}"
        f".opgraph .edge{{stroke:{c['edge']}}}.opgraph .tip{{fill:{c['edge']}}}"
        f".opgraph .outline,.opgraph .inner{{stroke:{c['border']}}}.opgraph .marked .outline{{stroke:{c['mark']}}}"
        f".opgraph .grad,.opgraph .arrived{{fill:{c['grad']}}}.opgraph .sick{{fill:{c['sick']}}}{boxes}"
    )
