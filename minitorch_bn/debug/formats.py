"""A picture as text: Graphviz's DOT, Mermaid, and a plain listing."""

DOT_SHAPES = {"op": "box", "module": "box3d", "parameter": "box", "input": "oval", "hidden": "box"}
MERMAID_SHAPES = {
    "op": ("[", "]"),
    "module": ("[[", "]]"),
    "parameter": ("[/", "/]"),
    "input": ("([", "])"),
    "hidden": ("[", "]"),
}


def label(box):
    """The lines of a box."""
    return [f"{box.title} {box.shape}".strip(), *(text for _, text in box.lines)]


def dot(picture):
    """The picture as DOT, for Graphviz.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    str
    """
    rows = ["digraph graph_of_ops {", "  node [fontname=monospace, fontsize=10];", f"  label={_quoted(picture.title)};"]
    for i, box in enumerate(picture.boxes):
        text = "\n".join(label(box))
        options = [f"label={_quoted(text)}", f"shape={DOT_SHAPES[box.kind]}"]
        if box.kind == "parameter":
            options.append("peripheries=2")
        if box.kind == "hidden":
            options.append("style=dashed")
        if box.root or box.marked:
            options.append("penwidth=2")
        rows.append(f"  n{i} [{', '.join(options)}];")
    for edge in picture.edges:
        rows.append(f"  n{edge.source} -> n{edge.target}{'' if edge.flows else ' [style=dashed]'};")
    return "\n".join([*rows, "}", ""])


def _quoted(text):
    """A string of DOT."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\l")
    return f'"{escaped}"' if "\\l" not in escaped else f'"{escaped}\\l"'


def mermaid(picture):
    """The picture as Mermaid's flowchart, for Markdown pages.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    str
    """
    rows = ["flowchart TD"]
    for i, box in enumerate(picture.boxes):
        left, right = MERMAID_SHAPES[box.kind]
        rows.append(f'    n{i}{left}"{"<br/>".join(_entities(line) for line in label(box))}"{right}')
    for edge in picture.edges:
        rows.append(f"    n{edge.source} {'-->' if edge.flows else '-.->'} n{edge.target}")
    return "\n".join([*rows, ""])


def _entities(text):
    """Text within Mermaid's quotes, where characters with a meaning are written as numbers."""
    return "".join(f"#{ord(c)};" if c in '"#<>&`;[]{}|\\*_' else c for c in text)


def listing(picture):
    """The picture as lines: number, what it is, what it was made from, values.

    Parameters
    ----------
    picture : Picture

    Returns
    -------
    str
    """
    sources = {}
    for edge in picture.edges:
        sources.setdefault(edge.target, []).append(f"{edge.source + 1}" + ("" if edge.flows else " (no gradient)"))
    rows, wide = [picture.title], len(str(len(picture.boxes)))
    for i, box in enumerate(picture.boxes):
        first, *rest = label(box)
        origin = f"  from {', '.join(sources[i])}" if i in sources else f"  {box.kind}"
        rows.append(f"{i + 1:{wide}}  {first}{origin}")
        rows += [f"{'':{wide}}      {line}" for line in rest]
    return "\n".join([*rows, *picture.notes])
