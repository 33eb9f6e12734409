"""Where the ops of a graph stand: in layers, every op below all that it reads, with lines that go around others."""

LONGEST = 40  # an edge over more layers is drawn straight: its way around would cost a place in each of them


def layers(parents):
    """Places for the nodes of a graph, and the ways of its edges.

    Parameters
    ----------
    parents : list of list of int
        For every node the nodes that it reads; nodes come after all that they read.

    Returns
    -------
    places : list of (column, layer)
    ways : list of (from, to, [(column, layer), ...])
        Every edge, with the free places that it goes through.

    >>> layers([[], [0], [1, 0]])
    ([(0, 0), (0, 1), (0, 2)], [(0, 1, []), (0, 2, [(1, 1)]), (1, 2, [])])
    """
    places, taken, ways = [], {}, {}
    for node, read in enumerate(parents):
        layer = 1 + max((places[p][1] for p in read), default=-1)
        near = [p for p in read if places[p][1] == layer - 1] or read
        column = _take(taken, layer, sum(places[p][0] for p in near) / len(near) if near else 0)
        places.append((column, layer))
        for p in dict.fromkeys(read):
            start, first = places[p]
            between = range(first + 1, layer) if layer - first <= LONGEST else ()
            ways[p, node] = [(_take(taken, i, start), i) for i in between]
    return places, [(p, node, way) for (p, node), way in sorted(ways.items())]


def _take(taken, layer, wanted):
    """The free column of `layer` nearest to `wanted`; it is free no longer."""
    used = taken.setdefault(layer, set())
    column = max(0, round(wanted))
    distance = 0
    while column in used:
        distance += 1
        left, right = round(wanted) - distance, round(wanted) + distance
        column = left if left >= 0 and left not in used else max(0, right)
    used.add(column)
    return column
