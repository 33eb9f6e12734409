"""The mathematics of Tensor under PyTorch's names: every method and operator is a function of ops/ or of inplace.py."""

from . import engine, filling, inplace, ops


class Methods(engine.Variable):
    """A Variable with PyTorch's mathematical methods and operators. What a tensor is besides, tensor.py says."""

    # arithmetic

    add, sub, mul, div, pow, neg, square = ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.neg, ops.square
    subtract, multiply, divide, true_divide, negative, positive = ops.sub, ops.mul, ops.div, ops.div, ops.neg, ops.pos
    floor_divide, remainder, fmod, maximum, minimum = (
        ops.floor_divide, ops.remainder, ops.fmod, ops.maximum, ops.minimum
    )  # fmt: skip
    clamp, clip, clamp_min, clamp_max = ops.clamp, ops.clamp, ops.clamp_min, ops.clamp_max
    lerp, addcmul, addcdiv = ops.lerp, ops.addcmul, ops.addcdiv

    # functions of one element

    exp, exp2, expm1, log, log2, log10, log1p = ops.exp, ops.exp2, ops.expm1, ops.log, ops.log2, ops.log10, ops.log1p
    sqrt, rsqrt, reciprocal, abs, absolute, sign = ops.sqrt, ops.rsqrt, ops.reciprocal, ops.abs, ops.abs, ops.sign
    floor, ceil, trunc, fix, round, frac = ops.floor, ops.ceil, ops.trunc, ops.trunc, ops.round, ops.frac
    sin, cos, tan, asin, acos, atan, atan2 = ops.sin, ops.cos, ops.tan, ops.asin, ops.acos, ops.atan, ops.atan2
    sinh, cosh, tanh, sigmoid, relu = ops.sinh, ops.cosh, ops.tanh, ops.sigmoid, ops.relu
    softmax, log_softmax, logsumexp = ops.softmax, ops.log_softmax, ops.logsumexp
    isnan, isinf, isfinite = ops.isnan, ops.isinf, ops.isfinite

    # comparison and logic

    eq, ne, lt, le, gt, ge = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    not_equal, less, less_equal, greater, greater_equal = ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    equal, allclose, isclose = ops.equal, ops.allclose, ops.isclose
    logical_and, logical_or, logical_xor, logical_not = (
        ops.logical_and,
        ops.logical_or,
        ops.logical_xor,
        ops.logical_not,
    )
    bitwise_and, bitwise_or, bitwise_xor, bitwise_not = (
        ops.bitwise_and,
        ops.bitwise_or,
        ops.bitwise_xor,
        ops.bitwise_not,
    )

    # reductions, order, counts

    sum, mean, var, std, prod, norm = ops.sum, ops.mean, ops.var, ops.std, ops.prod, ops.norm
    max, min, amax, amin, argmax, argmin = ops.max, ops.min, ops.amax, ops.amin, ops.argmax, ops.argmin
    median, all, any, count_nonzero = ops.median, ops.all, ops.any, ops.count_nonzero
    cumsum, cumprod, sort, argsort, topk = ops.cumsum, ops.cumprod, ops.sort, ops.argsort, ops.topk
    unique, bincount, histogram = ops.unique, ops.bincount, ops.histogram
    bernoulli, multinomial = ops.bernoulli, ops.multinomial

    # products

    matmul, mm, bmm, mv, dot, outer, addmm = ops.matmul, ops.mm, ops.bmm, ops.mv, ops.dot, ops.outer, ops.addmm

    # shape

    T = property(ops.all_transposed, doc="Dimensions in reverse order.")
    mT = property(ops.matrix_transposed, doc="Last two dimensions exchanged.")
    view, reshape, flatten, unflatten, clone = ops.view, ops.reshape, ops.flatten, ops.unflatten, ops.clone
    permute, movedim, moveaxis, t = ops.permute, ops.movedim, ops.movedim, ops.t
    transpose, swapaxes, swapdims = ops.transpose, ops.transpose, ops.transpose
    squeeze, unsqueeze, expand = ops.squeeze, ops.unsqueeze, ops.expand
    chunk, unbind, narrow = ops.chunk, ops.unbind, ops.narrow
    repeat, tile, repeat_interleave, roll, flip = ops.repeat, ops.tile, ops.repeat_interleave, ops.roll, ops.flip
    tril, triu, diag, diagonal, trace = ops.tril, ops.triu, ops.diag, ops.diagonal, ops.trace

    # indexing

    gather, index_select, masked_fill, masked_select = ops.gather, ops.index_select, ops.masked_fill, ops.masked_select
    scatter, scatter_add, index_add, index_fill = ops.scatter, ops.scatter_add, ops.index_add, ops.index_fill
    take_along_dim, nonzero = ops.take_along_dim, ops.nonzero

    def where(self, condition, other):
        """Itself where `condition` is true, else `other`."""
        return ops.where(condition, self, other)

    def split(self, split_size, dim=0):
        """Pieces along `dim`: of one size (the last may be smaller), or of the sizes listed."""
        return ops.split(self, split_size, dim)

    def expand_as(self, other):
        """Expanded to the shape of `other`."""
        return ops.expand(self, other.shape)

    def view_as(self, other):
        """Viewed in the shape of `other`."""
        return ops.view(self, other.shape)

    def reshape_as(self, other):
        """Reshaped to the shape of `other`."""
        return ops.reshape(self, other.shape)

    def ravel(self):
        """Flattened to one dimension."""
        return ops.reshape(self, -1)

    # operators

    __add__, __sub__, __mul__, __truediv__ = ops.add, ops.sub, ops.mul, ops.div
    __radd__, __rsub__, __rmul__, __rtruediv__ = ops.add, ops.rsub, ops.mul, ops.rdiv
    __pow__, __rpow__, __matmul__ = ops.pow, ops.rpow, ops.matmul
    __neg__, __pos__, __abs__, __invert__ = ops.neg, ops.pos, ops.abs, ops.invert
    __floordiv__, __mod__, __getitem__ = ops.floor_divide, ops.remainder, ops.getitem
    __eq__, __ne__, __lt__, __le__, __gt__, __ge__ = ops.eq, ops.ne, ops.lt, ops.le, ops.gt, ops.ge
    __and__, __or__, __xor__ = ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor
    __rand__, __ror__, __rxor__ = ops.bitwise_and, ops.bitwise_or, ops.bitwise_xor
    __hash__ = object.__hash__

    def __rfloordiv__(self, other):
        return ops.floor_divide(other, self)

    def __rmod__(self, other):
        return ops.remainder(other, self)

    # in place

    __iadd__, __isub__, __imul__, __itruediv__ = inplace.add_, inplace.sub_, inplace.mul_, inplace.div_
    __ifloordiv__, __imod__, __ipow__ = inplace.floor_divide_, inplace.remainder_, inplace.pow_
    __iand__, __ior__, __ixor__ = inplace.bitwise_and_, inplace.bitwise_or_, inplace.bitwise_xor_
    __setitem__ = inplace.setitem_
    add_, sub_, mul_, div_, pow_, neg_ = (
        inplace.add_, inplace.sub_, inplace.mul_, inplace.div_, inplace.pow_, inplace.neg_
    )  # fmt: skip
    floor_divide_, remainder_, fmod_, square_ = (
        inplace.floor_divide_, inplace.remainder_, inplace.fmod_, inplace.square_
    )  # fmt: skip
    bitwise_and_, bitwise_or_, bitwise_xor_, bitwise_not_ = (
        inplace.bitwise_and_, inplace.bitwise_or_, inplace.bitwise_xor_, inplace.bitwise_not_
    )  # fmt: skip
    clamp_, clip_, clamp_min_, clamp_max_ = inplace.clamp_, inplace.clamp_, inplace.clamp_min_, inplace.clamp_max_
    lerp_, addcmul_, addcdiv_ = inplace.lerp_, inplace.addcmul_, inplace.addcdiv_
    abs_, sign_, sqrt_, rsqrt_, reciprocal_ = (
        inplace.abs_, inplace.sign_, inplace.sqrt_, inplace.rsqrt_, inplace.reciprocal_
    )  # fmt: skip
    exp_, exp2_, expm1_ = inplace.exp_, inplace.exp2_, inplace.expm1_
    log_, log2_, log10_, log1p_ = inplace.log_, inplace.log2_, inplace.log10_, inplace.log1p_
    floor_, ceil_, round_, trunc_, frac_ = (
        inplace.floor_, inplace.ceil_, inplace.round_, inplace.trunc_, inplace.frac_
    )  # fmt: skip
    sin_, cos_, tan_, tanh_ = inplace.sin_, inplace.cos_, inplace.tan_, inplace.tanh_
    sigmoid_, relu_ = inplace.sigmoid_, inplace.relu_
    zero_, fill_, copy_, masked_fill_ = inplace.zero_, inplace.fill_, inplace.copy_, inplace.masked_fill_
    scatter_, scatter_add_, index_add_, index_fill_ = (
        inplace.scatter_, inplace.scatter_add_, inplace.index_add_, inplace.index_fill_
    )  # fmt: skip
    tril_, triu_ = inplace.tril_, inplace.triu_

    # draws

    uniform_, normal_, log_normal_, cauchy_ = filling.uniform_, filling.normal_, filling.log_normal_, filling.cauchy_
    exponential_, geometric_, random_, bernoulli_ = (
        filling.exponential_, filling.geometric_, filling.random_, filling.bernoulli_
    )  # fmt: skip
