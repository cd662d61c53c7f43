"""Fused kernels against the plain composition: values, gradients, second derivatives; random compositions."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.program.fused import Fused

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((70, 33)), RNG.standard_normal(33), RNG.standard_normal(33)
LABELS = RNG.integers(0, 33, 70)


def layer_norm(x, w, b):
    centred = x - ag.mean(x, -1, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred * centred, -1, keepdims=True) + 1e-5) * w + b


def batch_norm(x):
    centred = x - ag.mean(x, 0)
    return centred / ag.sqrt(ag.mean(centred**2, 0) + 1e-5)


def huber(error, *, delta):
    size = ag.abs(error)
    return ag.where(size <= delta, 0.5 * error * error, delta * (size - 0.5 * delta))


def cross_entropy(x, labels):
    return -ag.mean(ag.take_along_axis(ag.log_softmax(x), ag.expand_dims(labels, 1), 1))


COMPOSITIONS = [
    ("map", lambda x: ag.tanh(x) * ag.exp(-x), [X], {}),
    ("bias", lambda x, b: ag.relu(x + b), [X, B], {}),
    ("scalar argument", lambda x, a: ag.sigmoid(a * x) + a, [X, 0.7], {}),
    ("full sum", lambda x: ag.sum(x * x), [X], {}),
    ("mean squared", lambda x, y: ag.mean((x - y) ** 2), [X, X[::-1].copy()], {}),
    ("column sum", lambda x: ag.sum(ag.sin(x), 0), [X], {}),
    ("row sum", lambda x: ag.sum(ag.sin(x), 1), [X], {}),
    ("row maximum", lambda x: ag.max(x * 2, 1), [X], {}),
    ("softmax", lambda x: ag.softmax(x), [X], {}),
    ("log_softmax", lambda x: ag.log_softmax(x), [X], {}),
    ("logsumexp", lambda x: ag.logsumexp(x, -1), [X], {}),
    ("layer norm", layer_norm, [X, W, B], {}),
    ("batch norm", batch_norm, [X], {}),
    ("huber", huber, [X], {"delta": 0.7}),
    ("cross entropy", cross_entropy, [X, LABELS], {}),
    ("three axes", lambda x: ag.mean(ag.exp(x), (1, 2)), [X.reshape(70, 3, 11)], {}),
    ("1-d", lambda x, y: ag.sum(ag.sqrt(x * x + y * y)), [X.ravel(), X.ravel()[::-1].copy()], {}),
    ("booleans", lambda x, m: ag.where(m, x * 2, -x), [X, X > 0.3], {}),
    ("whole numbers", lambda x, n: x * n, [X, np.arange(33)], {}),
    ("weighted rows", lambda x, w: ag.sum(x * ag.expand_dims(w, 1)), [X, X[:, 0].copy()], {}),
]


def both(f, args, options, dtype):
    """The results and gradients of the fused and of the plain function."""
    results = []
    compiled = Fused(f, smallest=0)
    for g in (compiled, f):
        given_to = [
            ag.tensor(a.astype(dtype), requires_grad=True) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in args
        ]
        y = g(*given_to, **options)
        cotangent = np.cos(np.arange(y.size)).reshape(y.shape).astype(dtype)
        y.backward(cotangent)
        results.append((y, [t.grad for t in given_to if isinstance(t, ag.Tensor)]))
    assert compiled.reasons() == []
    return results


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "f", "args", "options"), COMPOSITIONS, ids=[c[0] for c in COMPOSITIONS])
def test_fused_is_the_composition(name, f, args, options, dtype):
    (y, grads), (plain, expected) = both(f, args, options, dtype)
    tolerance = {"float64": 1e-12, "float32": 3e-5}[dtype]
    assert y.dtype == plain.dtype
    np.testing.assert_allclose(y.numpy(), plain.numpy(), rtol=tolerance, atol=tolerance)
    for g, e in zip(grads, expected, strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "f", "args", "options"), COMPOSITIONS[:2] + COMPOSITIONS[8:15], ids=str)
def test_fused_is_differentiable_to_second_order(name, f, args, options):
    small = [
        a[:3, :4] if isinstance(a, np.ndarray) and a.ndim == 2 else a[:4] if isinstance(a, np.ndarray) else a
        for a in args
    ]
    small = [np.array([0, 3, 1]) if a is not args[k] and a.dtype.kind == "i" else a for k, a in enumerate(small)]
    compiled = Fused(f, smallest=0)
    assert ag.gradcheck(lambda *xs: compiled(*xs, **options), small)
    assert ag.gradgradcheck(lambda *xs: compiled(*xs, **options), small, rtol=1e-3, atol=1e-5)
    assert compiled.reasons() == []


# ---- random compositions

UNARY = [
    ag.tanh,
    ag.sin,
    ag.sigmoid,
    ag.abs,
    ag.square,
    lambda x: ag.exp(ag.minimum(x, 2.0)),
    ag.softplus,
    lambda x: -x,
]
BINARY = [
    ag.add,
    ag.subtract,
    ag.multiply,
    ag.maximum,
    lambda a, b: a / (1.5 + b * b),
    lambda a, b: ag.where(a > b, a, b * 0.5),
]
AXES = [None, 0, 1]


@st.composite
def compositions(draw):
    """A list of steps over a stack of values, and the arrays to start from."""
    rows, columns = draw(st.integers(2, 40)), draw(st.integers(2, 40))
    shapes = draw(
        st.lists(st.sampled_from([(rows, columns), (columns,), (rows, 1), (1, columns), ()]), min_size=1, max_size=3)
    )
    steps = draw(
        st.lists(
            st.tuples(st.sampled_from("uuubbbbr"), st.integers(0, 7), st.integers(0, 30), st.integers(0, 30)),
            min_size=20,
            max_size=30,
        )
    )
    return [(rows, columns), *shapes], steps, draw(st.sampled_from(["float32", "float64"])), draw(st.integers(0, 99))


def run_steps(steps, xs):
    values = list(xs)
    for kind, which, a, b in steps:
        left, right = values[a % len(values)], values[b % len(values)]
        if kind == "u":
            values.append(UNARY[which % len(UNARY)](left))
        elif kind == "b":
            values.append(BINARY[which % len(BINARY)](left, right))
        else:
            axis = AXES[which % 3]
            values.append(ag.mean(left, axis, keepdims=True) if axis is None or axis < left.ndim else left)
    total = values[len(xs)]
    for v in values[len(xs) + 1 :]:
        total = total + ag.tanh(v)
    return ag.mean(total)


@settings(
    max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate]
)  # shrinking would compile for minutes
@given(compositions())
def test_random_compositions_are_the_composition(drawn):
    shapes, steps, dtype, seed = drawn
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    f = lambda *xs: run_steps(steps, xs)  # noqa: E731
    compiled = Fused(f, smallest=0)
    results = []
    for g in (compiled, f):
        xs = [ag.tensor(a, requires_grad=True) for a in arrays]
        y = g(*xs)
        y.backward()
        results.append([y.numpy(), *(np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in xs)])
    assert [r for r in compiled.reasons() if "apart from the rows" not in r and "returns something" not in r] == []
    tolerance = 2e-4 if dtype == "float32" else 1e-10
    for fast, plain in zip(*results, strict=True):
        scale = 1 + np.abs(plain).max(initial=0)
        np.testing.assert_allclose(fast / scale, plain / scale, rtol=tolerance, atol=tolerance)
