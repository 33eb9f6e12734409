"""Rows about torch.autograd: functions of the user's own, gradients on demand, anomaly detection, gradcheck."""

import numpy as np

from .rows_module import on
from .table import errors, gradients, rows, tensor


def function(L, forward, backward=None, setup=None, name="Mine"):
    """A Function made of these functions."""
    body = {"forward": staticmethod(forward)}
    if backward is not None:
        body["backward"] = staticmethod(backward)
    if setup is not None:
        body["setup_context"] = staticmethod(setup)
    return type(name, (L.autograd.Function,), body)


def use(forward, backward=None, inputs=None, setup=None, more=()):
    """A row's function: outputs of a Function, and the gradients of the inputs that require grad."""

    def run(L):
        xs = [tensor(L, 2, 3, grad=True)] if inputs is None else inputs(L)
        f = function(L, forward, backward, setup)
        y = f.apply(*xs, *more)
        leaves = [x for x in xs if isinstance(x, L.Tensor) and x.requires_grad]
        return gradients(L, y, *leaves)

    return run


def saves(ctx, x):
    """Forward of x cubed."""
    ctx.save_for_backward(x)
    return x**3


def cube_backward(ctx, dy):
    """Backward of x cubed."""
    (x,) = ctx.saved_tensors
    return 3 * x**2 * dy


def twice(ctx, *xs):
    """Forward of two times the first."""
    return xs[0] * 2


def pair(L):
    """Two inputs that require grad."""
    return [tensor(L, 2, 3, grad=True), tensor(L, 2, 3, seed=1, grad=True)]


def clipped(L):
    """The well-known rectifier, with a threshold as an attribute, on its way through a graph."""

    class Clip(L.autograd.Function):
        @staticmethod
        def forward(ctx, x, low):
            ctx.save_for_backward(x)
            ctx.low = low
            return x.clamp(min=low)

        @staticmethod
        def backward(ctx, grad_output):
            (x,) = ctx.saved_tensors
            grad_x = grad_output.clone()
            grad_x[x < ctx.low] = 0
            return grad_x, None

    x = tensor(L, 4, 3, grad=True)
    h = x * 2
    y = Clip.apply(h, 0.5)
    return gradients(L, y.exp() + h, x)


def linear(L):
    """A linear layer whose backward computes what is asked for only."""
    asked = []

    class Linear(L.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight, bias=None):
            ctx.save_for_backward(x, weight, bias)
            y = x.mm(weight.t())
            return y if bias is None else y + bias

        @staticmethod
        def backward(ctx, dy):
            x, weight, bias = ctx.saved_tensors
            asked.append(ctx.needs_input_grad)
            dx = dy.mm(weight) if ctx.needs_input_grad[0] else None
            dweight = dy.t().mm(x) if ctx.needs_input_grad[1] else None
            dbias = dy.sum(0) if bias is not None and ctx.needs_input_grad[2] else None
            return dx, dweight, dbias

    x, weight, bias = tensor(L, 5, 3), tensor(L, 2, 3, seed=1, grad=True), tensor(L, 2, seed=2, grad=True)
    y, first = gradients(L, Linear.apply(x, weight, bias), weight, bias)
    first = [d.clone() for d in first]
    return y, first, gradients(L, Linear.apply(x.requires_grad_(), weight, None), x, weight), asked


def batch_norm(L):
    """BatchNorm as a Function, with its hand-derived gradient, against the layer."""

    class Norm(L.autograd.Function):
        @staticmethod
        def forward(ctx, x, gamma, beta, eps):
            mean, var = x.mean(0), x.var(0, unbiased=False)
            inv_std = (var + eps) ** -0.5
            x_hat = (x - mean) * inv_std
            ctx.save_for_backward(x_hat, gamma, inv_std)
            return gamma * x_hat + beta

        @staticmethod
        def backward(ctx, dy):
            x_hat, gamma, inv_std = ctx.saved_tensors
            dgamma, dbeta = (dy * x_hat).sum(0), dy.sum(0)
            dx = gamma * inv_std * (dy - dbeta / len(dy) - x_hat * dgamma / len(dy))
            return dx, dgamma, dbeta, None

    x, gamma, beta = tensor(L, 8, 3, grad=True), tensor(L, 3, seed=1, grad=True), tensor(L, 3, seed=2, grad=True)
    return gradients(L, Norm.apply(x, gamma, beta, 1e-5), x, gamma, beta)


def context(L):
    """What ctx says in forward and backward."""
    seen = []

    def forward(ctx, x, n, z):
        seen.append(
            (ctx.needs_input_grad, L.is_grad_enabled(), x.requires_grad, (x * 2).requires_grad, type(n).__name__)
        )
        ctx.n, ctx.save = n, "anything"
        return x * n

    def backward(ctx, dy):
        seen.append(
            (ctx.needs_input_grad, L.is_grad_enabled(), dy.requires_grad, ctx.n, ctx.save, type(dy) is L.Tensor)
        )
        return dy * ctx.n, None, None

    x = tensor(L, 3, grad=True)
    y = gradients(L, function(L, forward, backward).apply(x, 3.0, tensor(L, 2)), x)
    return y, seen


def identities(L):
    """Which objects go in and come out."""
    same = []

    def forward(ctx, x):
        same.append(x is given)
        ctx.save_for_backward(x)
        return x

    def backward(ctx, dy):
        same.append(ctx.saved_tensors[0] is given)
        return dy

    given = tensor(L, 3, grad=True)
    y = function(L, forward, backward).apply(given)
    same += [y is given, y.is_leaf]
    y.sum().backward()
    return same, given.grad


def no_recording(L):
    """A Function under no_grad, and one that needs no gradient."""
    f = function(L, lambda ctx, x: x * 2, lambda ctx, dy: dy * 2)
    with L.no_grad():
        a = f.apply(tensor(L, 2, grad=True))
    b = f.apply(tensor(L, 2))
    return a, b, a.grad_fn is None, b.is_leaf


def leaves_apart(L):
    """Gradients of two leaves, and what the function keeps, share no memory: one is overwritten, the others stay."""
    kept = []

    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        d = dy * 2
        kept.append(d)
        return d, d, x

    def forward(ctx, a, b, c):
        ctx.save_for_backward(c)
        return a + b + c

    a, b, c = (tensor(L, 2, seed=i, grad=True) for i in range(3))
    function(L, forward, backward).apply(a, b, c).sum().backward()
    a.grad.zero_()
    c.grad.zero_()
    return a.grad, b.grad, c


def gradient_of_a_view(L):
    """A gradient that is passed on as it came, to a leaf, next to another use of the same gradient."""
    f = function(L, lambda ctx, x: x.view_as(x), lambda ctx, dy: dy)
    a, b = tensor(L, 3, grad=True), tensor(L, 3, seed=1, grad=True)
    (f.apply(a) + b).sum().backward()
    a.grad.zero_()
    return a.grad, b.grad


def two_outputs(ctx, x):
    """x doubled and x tripled."""
    return x * 2, x * 3


def two_backward(ctx, da, db):
    """Backward of two_outputs."""
    return 2 * da + 3 * db


def shown(L, forward, pick, materialize=True):
    """What backward is given where only some outputs are used."""
    seen = []

    def recording(ctx, x):
        ctx.set_materialize_grads(materialize)
        return forward(ctx, x)

    def backward(ctx, *grads):
        seen.append(grads)
        return next(d for d in grads if d is not None and d.dtype.is_floating_point and d.any()) * 1

    x = tensor(L, 4, grad=True)
    ys = function(L, recording, backward).apply(x)
    pick(ys).sum().backward()
    return ys, seen, x.grad


def with_indices(ctx, x):
    """Values, their indices, and a mask that is said to have no gradient."""
    values, indices = x.sort()
    mask = (x > 0).to(x.dtype)
    ctx.mark_non_differentiable(mask)
    return values, indices, mask


def save_and_return(ctx, y):
    """Save a result, and give it back."""
    ctx.save_for_backward(y)
    return y


def made(L, forward=saves, backward=cube_backward):
    """A leaf, and what a Function makes of it."""
    x = tensor(L, 3, grad=True)
    return x, function(L, forward, backward).apply(x)


def on_made(do):
    """A row's function: do(leaf, what a Function makes of it)."""
    return lambda L: do(*made(L))


def power(L):
    """A Function in two parts, forward without ctx."""

    class Power(L.autograd.Function):
        @staticmethod
        def forward(x, n=2):
            return x**n, x * n

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, n = inputs
            ctx.save_for_backward(x)
            ctx.n, ctx.count = n, len(output)

        @staticmethod
        def backward(ctx, dpower, dproduct):
            (x,) = ctx.saved_tensors
            return ctx.n * x ** (ctx.n - 1) * dpower + ctx.n * dproduct + 0 * ctx.count, None

    return Power


def keep_output(ctx, inputs, output):
    """setup_context that keeps the result as an attribute, and says that the input was a tuple of one."""
    ctx.y = output.detach() * len(inputs)


def in_place(L, start, backward=lambda ctx, dy: dy * 2, pick=lambda y: y):
    """A Function that doubles its first argument where it stands."""

    def forward(ctx, x, *others):
        ctx.mark_dirty(x)
        x.mul_(2)
        return x

    x = tensor(L, 3, grad=True)
    h = start(x)
    y = function(L, forward, backward).apply(h)
    return y is h, gradients(L, pick(y), x), h


def in_place_with_weight(L):
    """A plain tensor becomes part of the graph, because the other argument of the writing Function requires grad."""

    def forward(ctx, w, x):
        ctx.mark_dirty(x)
        x.add_(w)
        return x, w * 2

    w, x = tensor(L, 3, grad=True), tensor(L, 3, seed=1).clone()
    y, z = function(L, forward, lambda ctx, a, b: (a + 2 * b, a)).apply(w, x)
    return y is x, x.requires_grad, gradients(L, [x * x, z], w)


def saved_before(L):
    """The value that an older op saved is written into: backward must refuse."""
    x = tensor(L, 3, grad=True)
    h = x.exp()
    function(L, lambda ctx, x: (ctx.mark_dirty(x), x.mul_(2))[1], lambda ctx, dy: dy * 2).apply(h)
    h.sum().backward()


ROWS = rows(
    "autograd.Function",
    {
        "cube": use(saves, cube_backward),
        "clip": clipped,
        "linear": linear,
        "batch_norm": batch_norm,
        "context": context,
        "identities": identities,
        "no_recording": no_recording,
        "leaves_apart": leaves_apart,
        "gradient_passed_on": gradient_of_a_view,
        "scalar": use(saves, cube_backward, lambda L: [tensor(L, grad=True)]),
        "empty": use(saves, cube_backward, lambda L: [tensor(L, 0, 3, grad=True)]),
        "float32": use(saves, cube_backward, lambda L: [tensor(L, 3, dtype="float32", grad=True)]),
        "non_contiguous": on(
            lambda L: tensor(L, 2, 3, grad=True),
            lambda L, x: gradients(L, function(L, saves, cube_backward).apply(x.T), x),
        ),
        "numbers_among_inputs": use(lambda ctx, x, n, s: x * n, lambda ctx, dy: (dy * 2, None, None), more=(2, "text")),
        "none_among_inputs": use(lambda ctx, x, n: x * 2, lambda ctx, dy: (dy * 2, None), more=(None,)),
        "list_among_inputs": use(lambda ctx, x, n: x * sum(n), lambda ctx, dy: (dy * 6, None), more=([1, 2, 3],)),
        "keyword": on(
            lambda L: tensor(L, 2, grad=True),
            lambda L, x: gradients(
                L, function(L, lambda ctx, x, n: x * n, lambda ctx, dy: (dy * 3, None)).apply(x, n=3), x
            ),
        ),
        "no_tensors": lambda L: function(L, lambda ctx, n: L.ones(2) * n).apply(3.0),
        "two_inputs": use(lambda ctx, a, b: a - b, lambda ctx, dy: (dy, -dy), pair),
        "same_input_twice": on(
            lambda L: tensor(L, 3, grad=True),
            lambda L, x: gradients(
                L, function(L, lambda ctx, a, b: a * 2 + b, lambda ctx, dy: (2 * dy, dy)).apply(x, x), x
            ),
        ),
        "used_twice": on(
            lambda L: (
                tensor(L, 3, grad=True),
                function(L, saves, cube_backward),
            ),
            lambda L, x, f: gradients(L, f.apply(f.apply(x)) + f.apply(x), x),
        ),
        "inside_a_graph": on(
            lambda L: tensor(L, 3, grad=True),
            lambda L, x: gradients(L, function(L, saves, cube_backward).apply(x.tanh()).exp(), x),
        ),
        "inside_another": on(
            lambda L: (
                tensor(L, 3, grad=True),
                function(L, saves, cube_backward),
            ),
            lambda L, x, f: gradients(L, function(L, lambda ctx, x: f.apply(x) * 2, lambda ctx, dy: dy).apply(x), x),
        ),
        "none_as_gradient": use(twice, lambda ctx, dy: None),
        "none_for_one": use(lambda ctx, a, b: a * b, lambda ctx, dy: (None, dy), pair),
        "nones_too_many": use(twice, lambda ctx, dy: (dy, None, None)),
        "gradient_of_other_dtype": use(twice, lambda ctx, dy: dy.float()),
        "gradient_of_integers": use(twice, lambda ctx, dy: dy.long()),
        "gradient_too_large": lambda L: use(twice, lambda ctx, dy: L.ones(5, 2, 3, dtype=L.float64))(L),
        "gradient_with_a_dimension_more": use(twice, lambda ctx, dy: dy.unsqueeze(0)),
        "gradient_to_be_summed": use(
            lambda ctx, x: x.expand(2, 3) * 2, lambda ctx, dy: dy * 2, lambda L: [tensor(L, 2, 1, grad=True)]
        ),
        "save_none": use(
            lambda ctx, x: (ctx.save_for_backward(None, x), x * 2)[1],
            lambda ctx, dy: dy if ctx.saved_tensors[0] is None else None,
        ),
        "save_nothing": use(twice, lambda ctx, dy: dy * (len(ctx.saved_tensors) + 2)),
        "save_result": use(lambda ctx, x: save_and_return(ctx, x.exp()), lambda ctx, dy: dy * ctx.saved_tensors[0]),
        "save_intermediate": use(
            lambda ctx, x: (ctx.save_for_backward(x * 5), x * 2)[1], lambda ctx, dy: dy * ctx.saved_tensors[0]
        ),
        "detached_inside": use(lambda ctx, x: x.detach() * 3, lambda ctx, dy: dy * 3),
        "text": lambda L: str(function(L, saves, cube_backward, name="Cube").apply(L.ones(2, requires_grad=True))),
        "grad_fn": lambda L: type(function(L, saves, name="Cube").apply(tensor(L, 2, grad=True)).grad_fn).__name__,
        "grad_fn_text": lambda L: (
            repr(function(L, saves, name="Cube").apply(tensor(L, 2, grad=True)).grad_fn)
            .split(".")[-1]
            .split(" object")[0]
        ),
        "grad_fn_keeps": lambda L: function(L, saves).apply(tensor(L, 2, grad=True)).grad_fn.saved_tensors,
        "grad_fn_attribute": lambda L: (
            function(L, lambda ctx, x: (setattr(ctx, "n", 3), x * 2)[1]).apply(tensor(L, 2, grad=True)).grad_fn.n
        ),
        "retained_graph": on(
            lambda L: (*made(L),), lambda L, x, y: (y.sum().backward(retain_graph=True), y.sum().backward(), x.grad)
        ),
        "retain_grad": on(
            lambda L: (*made(L),), lambda L, x, y: (y.retain_grad(), (y * y).sum().backward(), y.grad, x.grad)
        ),
        "written_into_afterwards": on(lambda L: (*made(L),), lambda L, x, y: gradients(L, y.add_(1) * y, x)),
        "bool_output": lambda L: function(L, lambda ctx, x: x > 0).apply(tensor(L, 3, grad=True)),
        "integer_output": lambda L: function(L, lambda ctx, x: x.long()).apply(tensor(L, 3, grad=True)),
        "number_output": lambda L: function(L, lambda ctx, x: 3.5).apply(tensor(L, 3, grad=True)),
        "none_output": lambda L: function(L, lambda ctx, x: None).apply(tensor(L, 3, grad=True)),
        "list_output": lambda L: function(L, lambda ctx, x: [x * 2, x * 3]).apply(tensor(L, 3, grad=True)),
        "view_output": use(lambda ctx, x: x.view(3, 2), lambda ctx, dy: dy.view(2, 3)),
        "two_outputs": use(two_outputs, two_backward),
        "two_outputs_in_a_graph": on(
            lambda L: tensor(L, 3, grad=True),
            lambda L, x: gradients(L, [t.exp() for t in function(L, two_outputs, two_backward).apply(x.tanh())], x),
        ),
        "one_output_in_a_tuple": use(lambda ctx, x: (x * 2,), lambda ctx, dy: dy * 2),
        "no_output_in_a_tuple": lambda L: function(L, lambda ctx, x: ()).apply(tensor(L, 3, grad=True)),
        "first_of_two_used": lambda L: shown(L, two_outputs, lambda y: y[0]),
        "second_of_two_used": lambda L: shown(L, two_outputs, lambda y: y[1]),
        "none_for_unused": lambda L: shown(L, two_outputs, lambda y: y[1], materialize=False),
        "output_used_twice": lambda L: shown(L, two_outputs, lambda y: y[0] * y[0] + y[0]),
        "text_among_outputs": lambda L: shown(L, lambda ctx, x: (x * 2, "text", None, 3), lambda y: y[0]),
        "not_differentiable": lambda L: shown(L, with_indices, lambda y: y[0]),
        "not_differentiable_none": lambda L: shown(L, with_indices, lambda y: y[0], materialize=False),
        "nothing_differentiable": lambda L: function(
            L, lambda ctx, x: (ctx.mark_non_differentiable(y := x * 2), y)[1]
        ).apply(tensor(L, 3, grad=True)),
        "two_outputs_walked_twice": on(
            lambda L: (*made(L, two_outputs, two_backward),),
            lambda L, x, ys: (ys[0].sum().backward(retain_graph=True), ys[1].sum().backward(), x.grad),
        ),
        "two_outputs_text": lambda L: str(
            function(L, two_outputs, name="Fork").apply(L.ones(2, requires_grad=True))[1]
        ),
        "same_output_twice": on(
            lambda L: tensor(L, 3, grad=True),
            lambda L, x: gradients(L, function(L, lambda ctx, x: (x, x), lambda ctx, a, b: a + b).apply(x), x),
        ),
        "outputs_of_other_shapes": use(
            lambda ctx, x: (x.sum(), x.sum(0), x.float()), lambda ctx, a, b, c: a.expand(2, 3) + b + c
        ),
        "once_differentiable": lambda L: use(saves, L.autograd.function.once_differentiable(cube_backward))(L),
        "subclass_of_a_subclass": on(
            lambda L: tensor(L, 3, grad=True),
            lambda L, x: gradients(L, type("Sub", (function(L, saves, cube_backward),), {}).apply(x), x),
        ),
        "called_by_name": on(
            lambda L: (
                tensor(L, 3, grad=True),
                function(L, saves, cube_backward).apply,
            ),
            lambda L, x, cube: gradients(L, cube(x), x),
        ),
        "forward_by_itself": lambda L: function(L, lambda ctx, x: x * 2).forward(None, tensor(L, 3)),
        "gradcheck": lambda L: L.autograd.gradcheck(
            function(L, saves, cube_backward).apply, (tensor(L, 3, grad=True),)
        ),
    },
)


ROWS += rows(
    "autograd.Function",
    {
        "setup_context": on(lambda L: tensor(L, 3, grad=True), lambda L, x: gradients(L, power(L).apply(x, 3), x)),
        "setup_context_default": on(lambda L: tensor(L, 3, grad=True), lambda L, x: gradients(L, power(L).apply(x), x)),
        "setup_context_keyword": on(
            lambda L: tensor(L, 3, grad=True), lambda L, x: gradients(L, power(L).apply(x, n=4), x)
        ),
        "setup_context_without_grad": lambda L: power(L).apply(tensor(L, 3), 2),
        "setup_context_one_output": on(
            lambda L: tensor(L, 3, grad=True),
            lambda L, x: gradients(L, function(L, lambda x: x**2, lambda ctx, dy: ctx.y * dy, keep_output).apply(x), x),
        ),
        "dirty": lambda L: in_place(L, lambda x: x * 1),
        "dirty_used_before": lambda L: in_place(L, lambda x: x + 1, pick=lambda y: y * y),
        "dirty_plain": on(
            lambda L: tensor(L, 3),
            lambda L, t: (function(L, lambda ctx, x: (ctx.mark_dirty(x), x.add_(1))[1]).apply(t) is t, t),
        ),
        "dirty_of_two": in_place_with_weight,
    },
)

ROWS += errors(
    "autograd.Function",
    {
        "no_forward": (lambda L: type("F", (L.autograd.Function,), {}).apply(L.ones(1)), r"must implement forward"),
        "no_backward": (use(twice), r"must implement backward"),
        "too_few_gradients": (use(lambda ctx, a, b: a * b, lambda ctx, dy: dy, pair), r"expected 2, got 1"),
        "too_few_for_numbers": (use(lambda ctx, a, n: a * n, lambda ctx, dy: (dy,), more=(2,)), r"expected 2, got 1"),
        "too_many_gradients": (use(twice, lambda ctx, dy: (dy, dy)), r"MineBackward: .*expected 1, got 2"),
        "gradient_for_a_number": (
            use(lambda ctx, a, n: a * n, lambda ctx, dy: (dy, dy), more=(2,)),
            r"different than None at position 1",
        ),
        "list_of_gradients": (use(twice, lambda ctx, dy: [dy]), r"expected Tensor or None, got list"),
        "number_as_gradient": (use(twice, lambda ctx, dy: 2.0), r"expected Tensor or None, got float"),
        "array_as_gradient": (use(twice, lambda ctx, dy: np.ones((2, 3))), r"expected Tensor or None, got ndarray"),
        "gradient_too_small": (
            use(twice, lambda ctx, dy: dy.sum()),
            r"invalid gradient at index 0 - got \[\].*\[2, 3\]",
        ),
        "gradient_transposed": (use(twice, lambda ctx, dy: dy.T), r"got \[3, 2\] but expected .*\[2, 3\]"),
        "gradient_of_second": (
            use(lambda ctx, a, b: a * b, lambda ctx, dy: (dy, dy[0, :2]), pair),
            r"invalid gradient at index 1",
        ),
        "save_a_number": (
            use(lambda ctx, x: (ctx.save_for_backward(3), x)[1]),
            r"^save_for_backward: .*argument 0.*int",
        ),
        "save_a_list": (use(lambda ctx, x: (ctx.save_for_backward(x, [x]), x)[1]), r"argument 1 is of type list"),
        "save_an_array": (use(lambda ctx, x: (ctx.save_for_backward(np.ones(2)), x)[1]), r"ndarray"),
        "non_differentiable_number": (use(lambda ctx, x: (ctx.mark_non_differentiable(3), x)[1]), r"got int"),
        "walked_twice": (on_made(lambda x, y: (y.sum().backward(), y.sum().backward())), r"second time"),
        "freed": (on_made(lambda x, y: (y.sum().backward(), y.grad_fn.saved_tensors)), r"second time"),
        "called": (lambda L: function(L, saves)()(tensor(L, 2)), r"apply"),
        "no_attribute": (on_made(lambda x, y: y.grad_fn.nothing), r"nothing"),
        "raises_in_forward": (use(lambda ctx, x: {}[x]), r""),
        "raises_in_backward": (use(twice, lambda ctx, dy: {}["inside"]), r"inside"),
        "wrong_call": (use(lambda ctx, a, b: a), r"missing 1 required positional argument"),
        "unknown_keyword": (lambda L: function(L, saves).apply(tensor(L, 2), n=3), r"unexpected keyword|got an"),
        "unused_all_none": (
            use(lambda ctx, x: (ctx.set_materialize_grads(False), x * 2, x * 3)[1:], lambda ctx, a, b: a.nothing),
            r"nothing",
        ),
        "no_setup": (lambda L: power(L).backward(None, None), r"argument"),
        "dirty_leaf": (lambda L: in_place(L, lambda x: x), r"leaf Variable that requires grad"),
        "dirty_not_returned": (
            use(lambda ctx, x: (ctx.mark_dirty(x), x * 2)[1], inputs=lambda L: [tensor(L, 2, grad=True) * 1]),
            r"marked dirty that is not an output",
        ),
        "dirty_no_input": (use(lambda ctx, x: (ctx.mark_dirty(x * 1), x * 2)[1]), r"marked dirty"),
        "dirty_after_saving": (saved_before, r"modified by an inplace operation"),
        "saved_was_changed": (
            on_made(lambda x, y: (x.detach().zero_(), y.sum().backward())),
            r"modified by an inplace operation",
        ),
    },
)


# ---- grad and backward


def graph(L):
    """A leaf, an intermediate result, a scalar, and another leaf that is not used."""
    x = tensor(L, 3, grad=True)
    h = x.exp()
    return x, h, (h * h).sum(), tensor(L, 2, seed=1, grad=True)


def grads(pick):
    """A row's function: `pick`(L.autograd.grad, L, x, h, y, unused), and what `.grad` of the leaves is then."""

    def run(L):
        x, h, y, unused = graph(L)
        result = pick(L.autograd.grad, L, x, h, y, unused)
        return result, x.grad, unused.grad

    return run


def keeps_dot_grad(L):
    """grad between two backward walks: `.grad` of leaves, and of those that retain it, as if it had not been."""
    w, b = tensor(L, 3, grad=True), tensor(L, 3, seed=1, grad=True)
    (w * b).sum().backward()
    h = w.sin()
    h.retain_grad()
    loss = (h * b * h).sum()
    g = L.autograd.grad(loss, [b], retain_graph=True)
    before = w.grad.clone(), b.grad.clone()
    loss.backward()
    return g, before, w.grad, b.grad


def only_the_way(L):
    """Only ops between outputs and inputs are walked: another branch's backward is not called."""
    called = []
    f = function(L, lambda ctx, x: x * 2, lambda ctx, dy: (called.append(1), dy * 2)[1])
    a, b = tensor(L, 3, grad=True), tensor(L, 3, seed=1, grad=True)
    y = (f.apply(a) * b.exp()).sum()
    g = L.autograd.grad(y, b, retain_graph=True)
    return g, list(called), L.autograd.grad(y, a), called


def frees_only_the_way(L):
    """What lies before the inputs can still be walked."""
    x = tensor(L, 3, grad=True)
    h = x.exp()
    dh = L.autograd.grad((h * h).sum(), h)[0]
    return dh, L.autograd.grad(h, x, dh)


def changed_in_place(L):
    """grad with respect to a tensor that is written into before and after."""
    x = tensor(L, 3, grad=True)
    h = x * 2
    h += 1
    y = (h * x).sum()
    return L.autograd.grad(y, [h, x])


def newton(L):
    """A root by gradient steps without .grad."""
    w = tensor(L, 3, grad=True)
    for _ in range(5):
        (g,) = L.autograd.grad(((w**2 - 2) ** 2).sum(), w)
        with L.no_grad():
            w -= 0.02 * g
    return w, w.grad


def saliency(L):
    """The gradient of one logit with respect to a batch."""
    m = L.nn.Sequential(L.nn.Linear(3, 4), L.nn.Tanh(), L.nn.Linear(4, 2)).double()
    for i, p in enumerate(m.parameters()):
        p.data = tensor(L, *p.shape, seed=i)
    x = tensor(L, 5, 3, grad=True)
    return L.autograd.grad(m(x)[:, 1].sum(), x), [p.grad for p in m.parameters()]


def jacobian(L):
    """A Jacobian, row by row."""
    x = tensor(L, 3, grad=True)
    y = x.softmax(0)
    return L.stack([L.autograd.grad(y[i], x, retain_graph=True)[0] for i in range(3)])


def dict_of(*names):
    """A row's function: inputs as a dict."""
    return grads(lambda grad, L, x, h, y, unused: grad(y, dict(zip(names, (x, h), strict=False))))


ROWS += rows(
    "autograd.grad",
    {
        "leaf": grads(lambda grad, L, x, h, y, unused: grad(y, x)),
        "list": grads(lambda grad, L, x, h, y, unused: grad([y], [x])),
        "tuple": grads(lambda grad, L, x, h, y, unused: grad((y,), (x, h))),
        "generator": grads(lambda grad, L, x, h, y, unused: grad(y, (t for t in (x, h)))),
        "between": grads(lambda grad, L, x, h, y, unused: grad(y, h)),
        "both": grads(lambda grad, L, x, h, y, unused: grad(y, [h, x])),
        "itself": grads(lambda grad, L, x, h, y, unused: grad(y, y)),
        "leaf_itself": grads(lambda grad, L, x, h, y, unused: grad(x, x, L.ones(3, dtype=L.float64) * 2)),
        "same_twice": grads(lambda grad, L, x, h, y, unused: grad(y, [x, x])),
        "dict": dict_of("a", "b"),
        "dict_of_parameters": lambda L: {
            n: g.shape == p.shape
            for m in [L.nn.Linear(2, 3)]
            for (n, g), p in zip(
                L.autograd.grad(m(L.ones(1, 2)).sum(), dict(m.named_parameters())).items(), m.parameters(), strict=True
            )
        },
        "two_outputs": grads(lambda grad, L, x, h, y, unused: grad([y, x.sum()], [x, h])),
        "output_twice": grads(lambda grad, L, x, h, y, unused: grad([y, y], x)),
        "one_output_of_the_other": grads(
            lambda grad, L, x, h, y, unused: grad([h, y], [x], [L.ones(3, dtype=L.float64), None])
        ),
        "weighted": grads(lambda grad, L, x, h, y, unused: grad(h, x, tensor(L, 3, seed=5))),
        "weighted_list": grads(lambda grad, L, x, h, y, unused: grad([h, y], x, [tensor(L, 3, seed=5), None])),
        "weighted_scalar": grads(lambda grad, L, x, h, y, unused: grad(y, x, L.tensor(3.0, dtype=L.float64))),
        "weights_float32": grads(lambda grad, L, x, h, y, unused: grad(h, x, L.ones(3))),
        "weights_too_many": grads(lambda grad, L, x, h, y, unused: grad(y, x, [None, L.ones(7)])),
        "one_element": grads(lambda grad, L, x, h, y, unused: grad(h[:1], x)),
        "keywords": grads(
            lambda grad, L, x, h, y, unused: grad(outputs=y, inputs=x, grad_outputs=None, create_graph=False)
        ),
        "only_inputs": grads(lambda grad, L, x, h, y, unused: grad(y, x, only_inputs=True)),
        "unused_allowed": grads(lambda grad, L, x, h, y, unused: grad(y, [x, unused], allow_unused=True)),
        "unused_zeros": grads(lambda grad, L, x, h, y, unused: grad(y, [x, unused], materialize_grads=True)),
        "all_unused": grads(lambda grad, L, x, h, y, unused: grad(y, unused, allow_unused=True)),
        "later_than_the_output": grads(lambda grad, L, x, h, y, unused: grad(h.sum(), y, allow_unused=True)),
        "retained": grads(lambda grad, L, x, h, y, unused: (grad(y, x, retain_graph=True), grad(y, x))),
        "then_backward": grads(lambda grad, L, x, h, y, unused: (grad(y, x, retain_graph=True), y.backward())),
        "inside_no_grad": grads(lambda grad, L, x, h, y, unused: inside_no_grad(L, lambda: grad(y, x))),
        "float32": on(
            lambda L: tensor(L, 3, dtype="float32", grad=True), lambda L, x: L.autograd.grad((x * x).sum(), x)
        ),
        "empty": on(lambda L: tensor(L, 0, 3, grad=True), lambda L, x: L.autograd.grad((x * x).sum(), x)),
        "expanded": on(lambda L: tensor(L, 3, grad=True), lambda L, x: L.autograd.grad(x.expand(4, 3).sum(), x)),
        "keeps_dot_grad": keeps_dot_grad,
        "only_the_way": only_the_way,
        "frees_only_the_way": frees_only_the_way,
        "changed_in_place": changed_in_place,
        "newton": newton,
        "saliency": saliency,
        "jacobian": jacobian,
        "of_a_function": on(lambda L: (*made(L),), lambda L, x, y: L.autograd.grad(y.sum(), x)),
        "of_two_outputs": on(
            lambda L: (*made(L, two_outputs, two_backward),),
            lambda L, x, ys: L.autograd.grad([ys[0].sum(), (ys[1] * ys[0]).sum()], x),
        ),
        "batch_norm": on(
            lambda L: (
                L.nn.BatchNorm1d(3).double(),
                tensor(L, 6, 3, grad=True),
            ),
            lambda L, m, x: L.autograd.grad((m(x) ** 3).sum(), [x, m.weight, m.bias]),
        ),
    },
)


def inside_no_grad(L, run):
    """`run` without recording."""
    with L.no_grad():
        return run()


def input_changed(L):
    """What the op saved is written into between forward and grad."""
    x = tensor(L, 3, grad=True)
    y = (x * x).sum()
    x.detach().zero_()
    return L.autograd.grad(y, x)


def other_mapping(L, x):
    """A mapping that is no dict."""
    from types import MappingProxyType

    return MappingProxyType({"x": x})


ROWS += errors(
    "autograd.grad",
    {
        "unused": (grads(lambda grad, L, x, h, y, unused: grad(y, unused)), r"^grad: .*index 0.*not have been used"),
        "unused_second": (grads(lambda grad, L, x, h, y, unused: grad(y, [x, unused])), r"index 1 appears to not"),
        "former_self": (
            grads(lambda grad, L, x, h, y, unused: (h.add_(1), grad(y, h))),
            r"not have been used|modified by an inplace",
        ),
        "zeros_and_not_allowed": (
            grads(lambda grad, L, x, h, y, unused: grad(y, x, allow_unused=False, materialize_grads=True)),
            r"allow_unused=False with materialize_grads=True",
        ),
        "input_without_grad": (
            grads(lambda grad, L, x, h, y, unused: grad(y, L.ones(2))),
            r"does not require grad",
        ),
        "detached_input": (grads(lambda grad, L, x, h, y, unused: grad(y, x.detach())), r"does not require grad"),
        "output_without_grad": (grads(lambda grad, L, x, h, y, unused: grad(L.ones(()), x)), r"element 0 of tensors"),
        "second_output_without_grad": (
            grads(lambda grad, L, x, h, y, unused: grad([y, y.detach()], x)),
            r"element 1 of tensors",
        ),
        "integers": (grads(lambda grad, L, x, h, y, unused: grad(x.long().sum(), x)), r"element 0 of tensors"),
        "no_inputs": (grads(lambda grad, L, x, h, y, unused: grad(y, [])), r"cannot be empty"),
        "no_scalar": (grads(lambda grad, L, x, h, y, unused: grad(h, x)), r"only for scalar outputs.*\(3,\)"),
        "shape_of_weights": (grads(lambda grad, L, x, h, y, unused: grad(h, x, L.ones(4))), r"mismatch in shape"),
        "too_few_weights": (
            grads(lambda grad, L, x, h, y, unused: grad([y, h.sum()], x, [None])),
            r"2 tensors and 1 gradients",
        ),
        "number_as_weight": (grads(lambda grad, L, x, h, y, unused: grad(h, x, 3.0)), r"not iterable"),
        "numbers_as_weights": (grads(lambda grad, L, x, h, y, unused: grad(h, x, [3.0])), r"Tensors or None.*float"),
        "number_as_input": (grads(lambda grad, L, x, h, y, unused: grad(y, 3)), r"not iterable"),
        "number_among_inputs": (grads(lambda grad, L, x, h, y, unused: grad(y, [x, 3])), r"have to be Tensors.*int"),
        "number_as_output": (grads(lambda grad, L, x, h, y, unused: grad(3.0, x)), r"not iterable"),
        "other_mapping": (grads(lambda grad, L, x, h, y, unused: grad(y, other_mapping(L, x))), r"mappingproxy"),
        "walked_twice": (grads(lambda grad, L, x, h, y, unused: (grad(y, x), grad(y, x))), r"second time"),
        "after_backward": (grads(lambda grad, L, x, h, y, unused: (y.backward(), grad(y, x))), r"second time"),
        "input_changed": (input_changed, r"modified by an inplace operation"),
    },
)


def backwards(walk):
    """A row's function: `walk`(L.autograd.backward, L, x, h, y, unused), and `.grad` of x, h and the other leaf."""

    def run(L):
        x, h, y, unused = graph(L)
        result = walk(L.autograd.backward, L, x, h, y, unused)
        return result, x.grad, h.grad if h.retains_grad else None, unused.grad

    return run


ROWS += rows(
    "autograd.backward",
    {
        "scalar": backwards(lambda backward, L, x, h, y, unused: backward(y)),
        "list": backwards(lambda backward, L, x, h, y, unused: backward([y])),
        "weighted": backwards(lambda backward, L, x, h, y, unused: backward(h, tensor(L, 3, seed=3))),
        "two": backwards(lambda backward, L, x, h, y, unused: backward([y, h], [None, tensor(L, 3, seed=3)])),
        "two_scalars": backwards(lambda backward, L, x, h, y, unused: backward([y, x.sum(), unused.sum()])),
        "twice_the_same": backwards(lambda backward, L, x, h, y, unused: backward([y, y])),
        "leaf": backwards(lambda backward, L, x, h, y, unused: backward(x, L.ones(3, dtype=L.float64))),
        "adds_up": backwards(
            lambda backward, L, x, h, y, unused: (backward(y, retain_graph=True), backward(y, retain_graph=True))
        ),
        "grad_variables": backwards(
            lambda backward, L, x, h, y, unused: backward(h, grad_variables=tensor(L, 3, seed=3))
        ),
        "retained": backwards(lambda backward, L, x, h, y, unused: (h.retain_grad(), backward(y))[1]),
        "inputs": backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=[x])),
        "inputs_tensor": backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=x)),
        "inputs_between": backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=[h])),
        "inputs_both": backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=[h, x])),
        "inputs_one_of_two": backwards(
            lambda backward, L, x, h, y, unused: backward([y, unused.sum()], inputs=[unused])
        ),
        "inputs_unused": backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=[unused])),
        "inputs_add_up": backwards(
            lambda backward, L, x, h, y, unused: (backward(y, inputs=[x], retain_graph=True), backward(y, inputs=[x]))
        ),
    },
)
ROWS += errors(
    "autograd.backward",
    {
        "without_grad": (backwards(lambda backward, L, x, h, y, unused: backward(y.detach())), r"^backward: element 0"),
        "no_scalar": (backwards(lambda backward, L, x, h, y, unused: backward(h)), r"only for scalar outputs"),
        "number": (backwards(lambda backward, L, x, h, y, unused: backward(3.0)), r"not iterable"),
        "number_as_weight": (backwards(lambda backward, L, x, h, y, unused: backward(h, 3.0)), r"not iterable"),
        "too_few_weights": (
            backwards(lambda backward, L, x, h, y, unused: backward([y, h], [None])),
            r"2 tensors and 1",
        ),
        "shape": (backwards(lambda backward, L, x, h, y, unused: backward(h, L.ones(4))), r"mismatch in shape"),
        "no_inputs": (backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=[])), r"cannot be empty"),
        "input_without_grad": (
            backwards(lambda backward, L, x, h, y, unused: backward(y, inputs=[L.ones(1)])),
            r"requires_grad=False",
        ),
        "twice": (backwards(lambda backward, L, x, h, y, unused: (backward(y), backward(y))), r"second time"),
    },
)

# ---- anomaly detection


def detecting(L, compute, mode=None, **options):
    """Walk back from `compute`(library, leaf) with anomaly detection; what is on inside and afterwards."""
    x = tensor(L, 3, low=-1.0, grad=True)
    with (mode or L.autograd.detect_anomaly)(**options):
        inside = L.is_anomaly_enabled(), L.is_anomaly_check_nan_enabled()
        compute(L, x).sum().backward()
    return x.grad, inside, L.is_anomaly_enabled(), L.is_anomaly_check_nan_enabled()


def nan_after(L, first):
    """Backward after a block of detection has been left, by its end or by an error."""
    x = tensor(L, 3, grad=True)
    try:
        with L.autograd.detect_anomaly():
            first(L)
    except RuntimeError:
        pass
    ((x * 0).sqrt() * 0).sum().backward()
    return x.grad, L.is_anomaly_enabled()


def zero_root(L, x):
    """0 / 0 in the backward of sqrt."""
    return (x * 0).sqrt() * 0


def switched(L):
    """set_detect_anomaly as a function and as a context."""
    seen = [L.is_anomaly_enabled()]
    L.autograd.set_detect_anomaly(True)
    seen.append(L.is_anomaly_enabled())
    with L.autograd.set_detect_anomaly(False):
        seen.append(L.is_anomaly_enabled())
        with L.autograd.detect_anomaly(check_nan=False):
            seen += [L.is_anomaly_enabled(), L.is_anomaly_check_nan_enabled()]
        seen += [L.is_anomaly_enabled(), L.is_anomaly_check_nan_enabled()]
    seen.append(L.is_anomaly_enabled())
    L.autograd.set_detect_anomaly(False)
    return [*seen, L.is_anomaly_enabled()]


def grad_detecting(L):
    """autograd.grad inside detection."""
    x = tensor(L, 3, grad=True)
    with L.autograd.detect_anomaly():
        return L.autograd.grad(zero_root(L, x).sum(), x)


def nan_in_a_function(L, backward):
    """A Function whose backward gives nan, or not."""
    x = tensor(L, 3, grad=True)
    f = function(L, lambda ctx, x: (x * 2, x * 3), backward, name="Bad")
    with L.autograd.detect_anomaly():
        sum(t.sum() for t in f.apply(x)).backward()
    return x.grad


ROWS += rows(
    "autograd.detect_anomaly",
    {
        "all_well": lambda L: detecting(L, lambda L, x: x.exp() * x),
        "infinity_is_no_nan": lambda L: detecting(L, lambda L, x: (x - x.detach()).sqrt()),
        "nan_forward_only": lambda L: detecting(L, lambda L, x: x + float("nan")),
        "not_checked": lambda L: detecting(L, zero_root, check_nan=False),
        "off_again": lambda L: nan_after(L, lambda L: None),
        "off_after_an_error": lambda L: nan_after(
            L, lambda L: zero_root(L, L.ones(2, requires_grad=True)).sum().backward()
        ),
        "function": lambda L: nan_in_a_function(L, lambda ctx, a, b: a + b),
    },
)
ROWS += errors(
    "autograd.detect_anomaly",
    {
        "sqrt": (lambda L: detecting(L, zero_root), r"^Function 'SqrtBackward0' returned nan values in its 0th output"),
        "second_input": (lambda L: detecting(L, lambda L, x: L.zeros(3) / (x * 0)), r"'DivBackward0'.*1th output"),
        "pow": (lambda L: detecting(L, lambda L, x: (x * 0) ** 0.5 * 0), r"'PowBackward0'"),
        "grad": (grad_detecting, r"'SqrtBackward0'"),
        "of_a_function": (
            lambda L: nan_in_a_function(L, lambda ctx, a, b: a * float("nan")),
            r"'BadBackward' returned nan values in its 0th output",
        ),
        "set": (lambda L: detecting(L, zero_root, L.autograd.set_detect_anomaly, mode_=True), r"mode_"),
    },
)
ROWS += rows("autograd.set_detect_anomaly", {"switched": switched})
ROWS += errors(
    "autograd.set_detect_anomaly",
    {"no_mode": (lambda L: L.autograd.set_detect_anomaly(), r"mode")},
)

# ---- gradcheck


def wrong(L):
    """A Function whose backward forgets a factor."""
    return function(L, lambda ctx, x: x * 2, lambda ctx, dy: dy).apply


def noisy(L):
    """A Function whose backward differs from walk to walk."""
    count = []
    return function(L, lambda ctx, x: x * 2, lambda ctx, dy: (count.append(1), dy * (2 + 1e-7 * len(count)))[1]).apply


def checked(compute, *shapes, **options):
    """A row's function: gradcheck of `compute`, given tensors of these shapes."""

    def run(L):
        xs = [tensor(L, *shape, seed=i, grad=True) for i, shape in enumerate(shapes or [(2, 3)])]
        return L.autograd.gradcheck(compute, tuple(xs), **options)

    return run


ROWS += rows(
    "autograd.gradcheck",
    {
        "right": checked(lambda x: x.exp() * x),
        "one_tensor": lambda L: L.autograd.gradcheck(lambda x: x.sin(), tensor(L, 3, grad=True)),
        "list": lambda L: L.autograd.gradcheck(lambda a, b: a * b, [tensor(L, 3, grad=True), tensor(L, 3, grad=True)]),
        "several_inputs": checked(lambda a, b, c: a @ b + c, (2, 3), (3, 4), (4,)),
        "several_outputs": checked(lambda x: (x.sum(), x.exp(), x.T)),
        "scalar": checked(lambda x: x.tanh(), ()),
        "empty": checked(lambda x: x * 2, (0, 3)),
        "numbers_among_inputs": lambda L: L.autograd.gradcheck(lambda x, n: x * n, (tensor(L, 3, grad=True), 3)),
        "input_without_grad": lambda L: L.autograd.gradcheck(
            lambda x, y: x * y, (tensor(L, 3, grad=True), tensor(L, 3, seed=1))
        ),
        "non_contiguous": checked(lambda x: x.T.reshape(2, 3) * x),
        "layer": lambda L: L.autograd.gradcheck(L.nn.Linear(3, 2).double(), (tensor(L, 4, 3, grad=True),)),
        "batch_norm": checked(lambda x: (x - x.mean(0)) * (x.var(0, unbiased=False) + 1e-5) ** -0.5, (5, 3)),
        "wrong_but_quiet": lambda L: L.autograd.gradcheck(wrong(L), (tensor(L, 3, grad=True),), raise_exception=False),
        "tolerant": lambda L: L.autograd.gradcheck(wrong(L), (tensor(L, 3, grad=True),), atol=2.0),
        "large_eps": checked(lambda x: x * x, eps=1e-3),
        "noisy_but_allowed": lambda L: L.autograd.gradcheck(noisy(L), (tensor(L, 3, grad=True),), nondet_tol=1e-3),
        "options": checked(lambda x: x * x, check_undefined_grad=False, check_grad_dtypes=True, fast_mode=False),
        "fast_mode": checked(lambda x: x * x, fast_mode=True),
        "gradients_untouched": on(
            lambda L: tensor(L, 3, grad=True), lambda L, x: (L.autograd.gradcheck(lambda x: x * 2, (x,)), x.grad)
        ),
    },
)
ROWS += errors(
    "autograd.gradcheck",
    {
        "wrong": (
            lambda L: L.autograd.gradcheck(wrong(L), (tensor(L, 3, grad=True),)),
            r"Jacobian mismatch for output 0 with respect to input 0: 3 of 9.*backward gives 1, central differences 2",
        ),
        "detached": (checked(lambda x: x.detach() * 2 + 0 * x), r"Jacobian mismatch"),
        "without_gradient": (checked(lambda x: x.detach() * 2), r"mismatch"),
        "noisy": (lambda L: L.autograd.gradcheck(noisy(L), (tensor(L, 3, grad=True),)), r"not reentrant"),
        "no_input_with_grad": (
            lambda L: L.autograd.gradcheck(lambda x: x, (tensor(L, 3),)),
            r"^gradcheck expects at least",
        ),
        "no_tensor": (lambda L: L.autograd.gradcheck(lambda x: x, (3.0,)), r"expects at least one"),
        "positional_eps": (
            lambda L: L.autograd.gradcheck(lambda x: x, (tensor(L, 3, grad=True),), 1e-6),
            r"positional",
        ),
        "float32": (
            lambda L: L.autograd.gradcheck(lambda x: x.exp(), (tensor(L, 3, dtype="float32", grad=True),)),
            r"mismatch",
        ),
    },
)

# ---- other names

ROWS += rows(
    "autograd.Variable",
    {
        "plain": lambda L: L.autograd.Variable(L.ones(2)),
        "with_grad": lambda L: L.autograd.Variable(L.ones(2), requires_grad=True),
        "of_a_leaf": lambda L: L.autograd.Variable(tensor(L, 2, grad=True)),
        "is_instance": lambda L: (isinstance(L.ones(1), L.autograd.Variable), isinstance(3, L.autograd.Variable)),
        "shares_memory": on(lambda L: L.ones(2), lambda L, t: (L.autograd.Variable(t).zero_(), t)),
        "in_a_graph": on(
            lambda L: L.autograd.Variable(tensor(L, 3), requires_grad=True), lambda L, v: gradients(L, v * v, v)
        ),
    },
)
ROWS += errors("autograd.Variable", {"list": (lambda L: L.autograd.Variable([1.0]), r"^Variable: .*got list")})
ROWS += rows(
    "autograd.no_grad",
    {
        "context": on(lambda L: tensor(L, 2, grad=True), lambda L, x: inside_no_grad(L, lambda: (x * 2).requires_grad)),
        "decorator": lambda L: L.autograd.no_grad()(lambda x: x * 2)(tensor(L, 2, grad=True)),
        "enable": lambda L: L.autograd.enable_grad()(lambda x: x * 2)(tensor(L, 2, grad=True)),
        "set": lambda L: type(L.autograd.set_grad_enabled(True)).__name__,
    },
)
