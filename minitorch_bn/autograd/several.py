"""Nodes with several results.

An op of the engine has one result. A function that gives several is therefore a small fan: its op's result is all of
them together (`Several`), and one `Part` op takes out each. On the way back every part contributes the gradient of one
result; the engine adds the contributions like any other gradients, and the function's op receives them all at once.
"""

from ..engine import Op


class Several:
    """Arrays that travel as one value: the results of an op, or their gradients, None where none has arrived.

    It has as much of an array's interface as the engine asks for. The sum of gradients fills places: no place is filled
    twice, since every result is taken out by one op.

    >>> left, right = Several([1.0, None]), Several([None, 3.0])
    >>> (left + right).parts
    (1.0, 3.0)
    """

    ndim = 1
    base = None

    def __init__(self, parts):
        self.parts = tuple(parts)
        self.shape = (len(self.parts),)

    def __add__(self, other):
        pairs = zip(self.parts, other.parts, strict=True)
        return Several(b if a is None else a for a, b in pairs)

    def __repr__(self):
        return f"Several{self.parts}"


class Part(Op):
    """y = the array number `index` of several.  Its gradient is dy at that place and nothing elsewhere."""

    torch_name = property(lambda self: type(self).__name__, doc="The name of the function that it is a result of.")

    def __init__(self, index):
        self.index = index

    def forward(self, several):
        self.count = len(several.parts)
        return several.parts[self.index]

    def backward(self, dy):
        return (Several(dy if i == self.index else None for i in range(self.count)),)


class Takeover(Op):
    """y, in the memory of x: what a function leaves behind that has written into its input x.

    Its first input is the former self of x, as the engine wants it of in-place writes. All gradient goes to y.
    """

    torch_name = property(lambda self: type(self).__name__, doc="The name of the function that wrote.")

    def forward(self, x, y):
        return y

    def backward(self, dy):
        return None, dy
