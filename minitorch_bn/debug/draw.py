"""The recorded graph as a picture: SVG that is laid out here, without Graphviz."""

import functools
import html
from pathlib import Path

from .. import engine
from ..nn.module import Module
from . import formats
from .picture import Drafting
from .svg import svg

LIMIT = 100  # ops or modules that are drawn, unless the user says otherwise


class Drawing:
    """A picture of a graph, as it was when it was drawn. A notebook shows it when it is the last value of a cell.

    Attributes
    ----------
    svg, html, dot, mermaid, text : str
        The picture in the formats that `save` writes.
    picture : Picture
        The boxes and edges, to read them in a program.
    """

    def __init__(self, picture):
        self.picture = picture

    svg = functools.cached_property(lambda self: svg(self.picture))
    dot = property(lambda self: formats.dot(self.picture))
    mermaid = property(lambda self: formats.mermaid(self.picture))
    text = property(lambda self: formats.listing(self.picture))

    @property
    def html(self):
        """A page with the SVG in it."""
        head = f'<meta charset="utf-8"><title>{html.escape(self.picture.title)}</title>'
        style = "<style>:root{color-scheme:light dark}body{margin:0}</style>"
        return f'<!doctype html>\n<html lang="en"><head>{head}{style}</head>\n<body>{self.svg}</body></html>\n'

    def save(self, path):
        """Write the picture to a file; the ending says in which format.

        Parameters
        ----------
        path : str or path
            Ends in .svg, .html, .dot (or .gv), .mmd (or .mermaid) or .txt.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ValueError
            If the ending is another.
        """
        path = Path(path)
        kind = ENDINGS.get(path.suffix.lower())
        if kind is None:
            known = ", ".join(ENDINGS)
            raise ValueError(f"draw: save got the ending {path.suffix!r} in {path.name!r}, wanted one of {known}")
        path.write_text(getattr(self, kind), encoding="utf-8")
        return path

    def __repr__(self):
        return f"<Drawing of {self.picture.title}; .save(path) writes it, .text lists it>"

    def _repr_svg_(self):
        return self.svg

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/svg+xml": self.svg, "text/plain": self.text}


ENDINGS = {
    ".svg": "svg",
    ".html": "html",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".txt": "text",
}


def draw(tensor, names=None, values=True, fold=None, *, model=None, mark=(), limit=LIMIT):
    """Draw the graph that a tensor was computed by.

    Every box is an op and its result, a leaf, or a module with all of its ops. Gradients are shown where they have
    arrived: draw before backward, after `backward(retain_graph=True)`, or between two steps of a tape.

    Parameters
    ----------
    tensor : Tensor
        The end of the graph, for example the loss.
    names : dict, optional
        The names of tensors and models; ``names=locals()`` gives them all.
    values : bool
        Show values and gradients: the number, or mean ± standard deviation [min, max].
    fold : None, bool or int, optional
        True draws one box for every module directly below the model; a number n, for every module with n names in its
        dotted name; False draws all ops. Left out, it is the least folding after which the picture can be read. Which
        op is of which module is known where the forward pass ran under `remember_lines()`; otherwise an op goes with
        its parameters, as far as they are named.
    model : Module, optional
        Names its parameters.
    mark : Tensor or sequence of Tensors, optional
        Draw a thick frame around these.
    limit : int
        The most ops or modules that are drawn; of a longer graph the middle is left out, and the picture says so.

    Returns
    -------
    Drawing
        Shows itself in a notebook. Has `save(path)`, `svg`, `html`, `dot`, `mermaid`, `text`.

    Raises
    ------
    TypeError
        If `tensor` or what is in `mark` is no Tensor, `names` no dict, `model` no Module, or `fold` neither a bool nor
        an integer.
    ValueError
        If `fold` is negative, `limit` below 3, or a tensor in `mark` of another graph.
    RuntimeError
        If the tensor has no graph, or its graph has been freed.

    >>> from minitorch_bn import tensor
    >>> x, w = tensor(2.0), tensor(3.0, requires_grad=True)
    >>> loss = (x * w).exp()
    >>> loss.backward(retain_graph=True)
    >>> print(draw(loss, names=locals()).text)
    loss: 2 ops, 1 parameter, 1 input
    1  x ()  input
           value 2
    2  w ()  parameter
           value 3
           grad  806.86
    3  Mul ()  from 1 (no gradient), 2
           value 6
           grad  403.43
    4  loss = Exp ()  from 3
           value 403.43
           grad  1
    value and grad: the number, or mean ± std [min, max].
    """
    if not isinstance(tensor, engine.Variable):
        raise TypeError(f"draw: got {type(tensor).__name__}, wanted a Tensor, for example the loss")
    if model is not None and not isinstance(model, Module):
        raise TypeError(f"draw: got a model of type {type(model).__name__}, wanted a Module")
    if fold is not None and not isinstance(fold, int):
        raise TypeError(f"draw: got fold={fold!r}, wanted True, False, a number of names, or nothing")
    if fold is not None and fold < 0:
        raise ValueError(f"draw: got fold={fold}, wanted 0 (no folding) or more")
    if limit < 3:
        raise ValueError(f"draw: got limit={limit}, wanted at least 3 boxes: the first, the last, and what is between")
    order = _graph(tensor)
    marked = [mark] if isinstance(mark, engine.Variable) else list(mark)
    drawn = {id(x) for t in order for x in (t, *t.op.inputs)}
    for t in marked:
        if not isinstance(t, engine.Variable):
            raise TypeError(f"draw: got {type(t).__name__} in mark, wanted Tensors")
        if id(t) not in drawn:
            raise ValueError(f"draw: got a tensor of shape {tuple(t.array.shape)} to mark that is not of this graph")
    return Drawing(Drafting(tensor, names, model, values, fold, limit, {id(t) for t in marked}).picture())


def _graph(tensor):
    """The recorded tensors, or an error that says what to do if there is nothing to draw."""
    if tensor.op is None:
        why = "it is a leaf" if tensor.requires_grad else "it was made under no_grad, or from tensors without gradient"
        how = "Pass a tensor computed from one with requires_grad=True; debug.why_no_grad finds where it was cut."
        raise RuntimeError(f"draw: the tensor has no graph: {why}. {how}")
    try:
        return engine.graph(tensor)
    except RuntimeError as error:
        how = "Draw before backward, or call backward(retain_graph=True)."
        raise RuntimeError(f"draw: the graph has been freed by backward. {how}") from error
