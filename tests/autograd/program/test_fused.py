"""Fused kernels against the plain composition: values, gradients, second derivatives; random compositions."""

import numpy as np
import pytest

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
    compiled = Fused(f)
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
    compiled = Fused(f)
    assert ag.gradcheck(lambda *xs: compiled(*xs, **options), small)
    assert ag.gradgradcheck(lambda *xs: compiled(*xs, **options), small, rtol=1e-3, atol=1e-5)
    assert compiled.reasons() == []
