"""The batch rules against the loop that they stand for: every primitive, its derivatives, and indexing."""

import numpy as np
import pytest

import autograd as ag
from autograd.batching.rules import loops
from autograd.domain import case
from autograd.errors import UnsupportedError
from autograd.primitive import primitives

RNG = np.random.default_rng(0)
X = RNG.uniform(0.5, 1.5, (4, 3))
BATCH = 3
BROADCASTS = {
    1: [((),), ((3,),), ((2, 3),), ((0,),)],
    2: [((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,))],
    3: [((), (), ()), ((2, 3), (3,), ()), ((2, 1), (1, 3), (2, 3))],
}
WITHOUT_CASES = {  # primitives without a derivative: inputs for one sample
    "argmax": [case((2, 3), axis=1, keepdims=False), case((2, 3), axis=None, keepdims=True)],
    "argmin": [case((2, 3), axis=0, keepdims=True), case((2, 3), axis=None, keepdims=False)],
    "argsort": [case((2, 3), axis=0)],
    "count_nonzero": [case((2, 3), axis=(0,), keepdims=False)],
    "all": [case((2, 3), axis=(0, 1), keepdims=False)],
    "any": [case((2, 3), axis=(1,), keepdims=True)],
    "searchsorted": [case((3,), (2, 2), side="left")],
    "detsign": [case((2, 2))],
    "nonzero": [case((3,))],
    "window_argmax": [case((2, 5), size=(2,), stride=(2,), dilation=(1,), padding=((0, 0),))],
    "astype_whole": [case((2, 3), dtype=np.dtype("int64"))],
    "uniform_like": [case((2, 3), ())],
}
WHOLE = ("bitwise", "logical")


def cases_of(op):
    if op.cases or op.name in WITHOUT_CASES:
        return op.cases or WITHOUT_CASES[op.name]
    shapes = BROADCASTS[len(op.inputs)]
    return [case(*s, on=op.domain) if op.domain else case(*s) for s in shapes]


def sampled(op, c, seed):
    """Arguments of one sample."""
    xs = c.sample(np.random.default_rng(seed))
    if op.name.startswith(WHOLE):
        return [np.abs(x * 3).astype(np.int64) for x in xs]
    if op.name == "searchsorted":
        return [np.sort(xs[0]), xs[1]]
    return [xs[0], np.asarray(seed + 7)] if op.name == "uniform_like" else list(xs)


def masks_of(op, xs):
    """Which inputs to map: each alone, and all."""
    masks = [tuple(j == k for j in range(len(xs))) for k in range(len(xs))]
    return masks if len(xs) == 1 else [*masks, (True,) * len(xs)]


TABLE = [
    pytest.param(op, c, id=f"{op.name}-{k}")
    for op in sorted(primitives.values(), key=lambda op: op.name)
    for k, c in enumerate(cases_of(op))
]
every_case = pytest.mark.parametrize(("op", "c"), TABLE)


def mixed(op, c, mask):
    """Arguments, stacked where the mask says so, and the arguments of each sample."""
    rows = [sampled(op, c, k) for k in range(BATCH)]
    first = rows[0]
    rows = [[x if m else f for x, f, m in zip(row, first, mask, strict=True)] for row in rows]
    stacked = [np.stack(column) if m else column[0] for column, m in zip(zip(*rows, strict=True), mask, strict=True)]
    return stacked, rows


def total(y):
    """A real number of every element."""
    return ag.sum(ag.real(y)) + ag.sum(ag.imag(y)) * 0.5 if y.dtype.kind == "c" else ag.sum(y)


def ragged(op, xs, mask):
    """Whether results of samples have shapes of their own."""
    masks = any(m and x.dtype == bool for x, m in zip(xs, mask, strict=True))
    return masks and op.name in ("getitem", "put", "scatter")


@every_case
def test_values_are_those_of_the_loop(op, c):
    for mask in masks_of(op, c.shapes):
        stacked, rows = mixed(op, c, mask)
        axes = tuple(0 if m else None for m in mask)
        run = ag.vmap(lambda *xs: op(*xs, **c.settings), in_axes=axes)
        if ragged(op, stacked, mask) and op.name == "getitem":
            with pytest.raises(UnsupportedError, match="mask that differs from sample to sample"):
                run(*stacked)
            continue
        with np.errstate(all="ignore"):
            expected = np.stack([op(*map(ag.tensor, row), **c.settings).numpy() for row in rows])
            found = run(*stacked)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-13)


@every_case
def test_gradients_are_those_of_the_loop(op, c):
    """Of batched functions, and batched: inside of `vmap` and outside."""
    if not op.differentiable:
        return
    weights = np.random.default_rng(5)
    for mask in masks_of(op, c.shapes):
        stacked, rows = mixed(op, c, mask)
        if ragged(op, stacked, mask):
            continue
        live = tuple(k for k, x in enumerate(stacked) if x.dtype.kind in "fc")
        like = op(*rows[0], **c.settings)
        w = weights.uniform(0.5, 1.5, like.shape)

        def one(*xs, w=w):
            return total(ag.sin(op(*xs, **c.settings)) * w)

        gradient = ag.grad(one, argnums=live)
        axes = tuple(0 if m else None for m in mask)
        each = [gradient(*row) for row in rows]
        inside = ag.vmap(gradient, in_axes=axes)(*stacked)
        batched = ag.vmap(one, in_axes=axes)
        outside = ag.grad(lambda *xs, batched=batched: ag.sum(batched(*xs)), argnums=live)(*stacked)
        for n, k in enumerate(live):
            of_rows = np.stack([g[n].numpy() for g in each])
            np.testing.assert_allclose(inside[n].numpy(), of_rows, rtol=1e-9, atol=1e-10)
            whole = of_rows if mask[k] else of_rows.sum(0)
            np.testing.assert_allclose(outside[n].numpy(), whole, rtol=1e-9, atol=1e-10)


SECOND = [p for p in TABLE if p.values[0].differentiable and p.id.endswith("-0")]


@pytest.mark.parametrize(("op", "c"), SECOND)
def test_second_derivatives_are_those_of_the_loop(op, c):
    mask = (True,) * len(c.shapes)
    stacked, rows = mixed(op, c, mask)
    live = tuple(k for k, x in enumerate(stacked) if x.dtype.kind in "fc")

    def one(*xs):
        return total(ag.sin(op(*xs, **c.settings)))

    def squares(gs):
        return sum((ag.sum(ag.real(g * ag.conj(g))) for g in gs), 0.0)

    def twice(*xs):
        return ag.grad(lambda *xs: squares(ag.grad(one, argnums=live)(*xs)), argnums=live)(*xs)

    def through(*xs):
        """A derivative of a batched derivative."""
        return ag.grad(lambda *xs: squares(ag.vmap(ag.grad(one, argnums=live))(*xs)), argnums=live)(*xs)

    each = [twice(*row) for row in rows]
    for found in (ag.vmap(twice)(*stacked), through(*stacked)):
        for n in range(len(live)):
            np.testing.assert_allclose(
                found[n].numpy(), np.stack([g[n].numpy() for g in each]), rtol=1e-8, atol=1e-9, err_msg=str(n)
            )


def test_few_primitives_loop():
    assert loops() == ("nonzero", "searchsorted", "uniform_like")


# ---- indexing, whose axes move


INDEX = RNG.integers(0, 2, (4, 2, 3))
PICKS = {
    "array, slice, array": (lambda x, i: x[i, :, i], (2, 3, 2)),
    "slice, array": (lambda x, i: x[:, i], (2, 3, 2)),
    "number, slice, array": (lambda x, i: x[1, :, i], (2, 3, 2)),
    "array, ellipsis": (lambda x, i: x[i, ...], (2, 3, 2)),
    "ellipsis, array": (lambda x, i: x[..., i], (2, 3, 2)),
    "new axis, array, slice": (lambda x, i: x[None, i, 1:], (2, 3, 2)),
    "array, new axis, array": (lambda x, i: x[i, None, i], (2, 3, 2)),
    "slice, array, array": (lambda x, i: x[:, i, i[0]], (2, 3, 2)),
    "array of one row": (lambda x, i: x[i[0]], (2, 3)),
    "a single number": (lambda x, i: x[:, i[0, 0]], (2, 3)),
    "take": (lambda x, i: ag.take(x, i, axis=1), (2, 3)),
    "sort": (lambda x, i: ag.sort(x, axis=0), (2, 3)),
    "put": (lambda x, i: ag.put(x, (slice(None), i[0]), 7.0), (2, 3)),
    "put rows": (lambda x, i: ag.put(x, (i[0], slice(None), i[1]), x[0, 0, 0] * ag.ones((3, 3))), (2, 3, 2)),
    "put broadcast": (lambda x, i: ag.put(x, (i, slice(0, 2)), x[0, 0] * 2.0), (2, 3)),
    "add": (lambda x, i: ag.index_add(x, (slice(None), i), x[0, 0]), (2, 3)),
    "add rows": (lambda x, i: ag.index_add(x, (i[0], slice(None), i[1]), x[0, :, :1] * ag.ones((3, 3))), (2, 3, 2)),
}


@pytest.mark.parametrize("which", ["both", "array", "index"])
@pytest.mark.parametrize(("f", "shape"), PICKS.values(), ids=PICKS)
def test_indexing_moves_axes_as_numpy_does(f, shape, which):
    x = RNG.uniform(0.5, 1.5, (4, *shape))
    axes = {"both": (0, 0), "array": (0, None), "index": (None, 0)}[which]
    given = (x if axes[0] == 0 else x[0], INDEX if axes[1] == 0 else INDEX[0])
    pairs = [(x[k if axes[0] == 0 else 0], INDEX[k if axes[1] == 0 else 0]) for k in range(4)]
    total = lambda x, i: ag.sum(ag.sin(f(x, i)))  # noqa: E731
    each = [(f(ag.tensor(a), ag.tensor(i)).numpy(), ag.grad(total)(a, i).numpy()) for a, i in pairs]
    np.testing.assert_array_equal(ag.vmap(f, in_axes=axes)(*given).numpy(), np.stack([y for y, _ in each]))
    inside = ag.vmap(ag.grad(total), in_axes=axes)(*given).numpy()
    np.testing.assert_allclose(inside, np.stack([g for _, g in each]), rtol=1e-13)
    outside = ag.grad(lambda x, i: ag.sum(ag.vmap(total, in_axes=axes)(x, i)))(*given).numpy()
    np.testing.assert_allclose(outside.sum(0) if axes[0] == 0 else outside, sum(g for _, g in each), rtol=1e-13)


def test_masks_that_differ():
    mask = X > 1
    found = ag.vmap(lambda x, m: ag.put(x, m, 0.0))(X, mask)
    np.testing.assert_array_equal(found.numpy(), np.where(mask, 0, X))
    with pytest.raises(UnsupportedError, match=r"'getitem' was given a mask that differs .*\nWrite ag.where"):
        ag.vmap(lambda x, m: x[m])(X, mask)
    with pytest.raises(UnsupportedError, match="'nonzero' gives shapes that differ from sample to sample"):
        ag.vmap(lambda m: ag.nonzero(m)[0])(np.array([[1, 0, 1], [1, 1, 1]]))
