"""Fused functions of arrays whose memory is in another order than their axes."""

import numpy as np
import pytest

import autograd as ag
from autograd.program.fused import Fused

RNG = np.random.default_rng(0)
X, LABELS = RNG.standard_normal((70, 33)), RNG.integers(0, 33, 70)
IMAGES, C = RNG.standard_normal((6, 5, 4, 7)), RNG.standard_normal((5, 1, 1))


def image_norm(x, w, axes):
    centred = x - ag.mean(x, axes, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred * centred, axes, keepdims=True) + 1e-5) * w


def both(f, args):
    """The results and gradients of the fused and of the plain function."""
    results = []
    compiled = Fused(f, smallest=0)
    for g in (compiled, f):
        xs = [ag.asarray(a).requires_grad_() if a.dtype.kind == "f" else a for a in args]
        y = g(*xs)
        y.backward(np.cos(np.arange(y.size)).reshape(y.shape))
        results.append((y.detach(), [t.grad for t in xs if isinstance(t, ag.Tensor)]))
    assert compiled.reasons() == []
    return results


def last(x):
    """The same images with their channels next to each other in memory."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


ORDERS = [
    ("batch norm", lambda x, w: image_norm(x, w, (0, 2, 3)), [last(IMAGES), C]),
    ("residual", lambda x, y: ag.relu(x + ag.tanh(y)), [last(IMAGES), last(IMAGES[::-1])]),
    ("one of two", lambda x, y: ag.relu(x + ag.tanh(y)), [last(IMAGES), IMAGES]),
    ("turned matrix", lambda x: ag.exp(x) / ag.sum(ag.exp(x), 0), [X.T]),
    ("picked", lambda x, n: ag.sum(ag.take_along_axis(ag.log_softmax(x), n, 1)), [X.T, LABELS[:33, None] * 2]),
]


@pytest.mark.parametrize(("name", "f", "args"), ORDERS, ids=[c[0] for c in ORDERS])
def test_arrays_of_any_order_in_memory(name, f, args):
    (y, grads), (plain, expected) = both(f, args)
    np.testing.assert_allclose(y.numpy(), plain.numpy(), rtol=1e-12, atol=1e-14)
    for g, e in zip(grads, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-12, atol=1e-12)


def test_results_lie_as_their_inputs_do():
    compiled = Fused(lambda x: ag.relu(x) * 2.0, smallest=0)
    x = ag.asarray(last(IMAGES)).requires_grad_()
    y = compiled(x)
    assert y.value.strides == x.value.strides
    y.backward(last(np.ones_like(IMAGES)))
    assert x.grad.value.strides == x.value.strides
