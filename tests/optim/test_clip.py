"""Clipping of gradients: PyTorch's figures by hand, units, what is left alone, and the words of the errors."""

import math

import numpy as np
import pytest

import autograd as ag
import optim
from autograd.errors import ArgumentError, DataError

GRADIENTS = [np.array([[3.0, -4.0], [0.5, 0.0]]), np.array(12.0), np.array([-2.0, 1.0, 0.25])]


def weights(dtype="float64"):
    ws = [ag.tensor(np.ones(g.shape), dtype=dtype, requires_grad=True) for g in GRADIENTS]
    for w, g in zip(ws, GRADIENTS, strict=True):
        w.grad = ag.tensor(g, dtype=dtype)
    return [*ws, ag.tensor([1.0], dtype=dtype, requires_grad=True)]  # the last has no gradient


FLAT = np.concatenate([g.ravel() for g in GRADIENTS])


@pytest.mark.parametrize("norm_type", [0.5, 1, 2, 2.0, 3.5, math.inf])
@pytest.mark.parametrize("max_norm", [0, 0.1, 5.0, 1000.0, math.inf])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_norm(norm_type, max_norm, dtype):
    ws = weights(dtype)
    norm = optim.clip_grad_norm_(iter(ws), max_norm, norm_type)
    wanted = np.abs(FLAT).max() if norm_type == math.inf else (np.abs(FLAT) ** norm_type).sum() ** (1 / norm_type)
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(norm.numpy(), wanted, rtol=tolerance)
    for w, g in zip(ws, GRADIENTS, strict=False):
        np.testing.assert_allclose(w.grad.numpy(), g * min(1, max_norm / (wanted + 1e-6)), rtol=tolerance)
        assert w.grad.dtype == dtype
    assert ws[-1].grad is None


def test_what_is_within_the_norm_is_not_touched():
    ws = weights()
    before = [w.grad for w in ws]
    optim.clip_grad_norm_(ws, 100.0)
    assert all(a is w.grad for a, w in zip(before, ws, strict=True))


def test_norm_of_no_gradients():
    assert optim.clip_grad_norm_([ag.tensor(1.0, requires_grad=True)], 1.0).item() == 0.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_norm_that_is_not_finite(bad):
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    w.grad = ag.tensor([bad, 1.0])
    with pytest.raises(DataError, match=r"norm of the gradients is (nan|inf)(.|\n)*leave error_if_nonfinite out"):
        optim.clip_grad_norm_(w, 1.0, error_if_nonfinite=True)
    assert w.grad[1].item() == 1.0
    with np.errstate(all="ignore"):
        optim.clip_grad_norm_(w, 1.0)
    assert math.isnan(w.grad[0].item())


@pytest.mark.parametrize("limit", [0, 0.3, 5])
def test_value(limit):
    ws = weights("float32")
    optim.clip_grad_value_(ws, limit)
    for w, g in zip(ws, GRADIENTS, strict=False):
        np.testing.assert_array_equal(w.grad.numpy(), np.clip(g, -limit, limit).astype("float32"))
        assert w.grad.dtype == np.float32
    assert ws[-1].grad is None


@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2, 2), (4,), ()])
def test_adaptive(shape):
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=shape), rng.normal(size=shape)
    if len(shape) > 1:
        w[0], g[1] = 0, 1e-4  # a unit at zero, and a small gradient
    p = ag.tensor(w, requires_grad=True)
    p.grad = ag.tensor(g)
    optim.clip_grad_adaptive_([p], clip_factor=0.1, eps=1e-2)
    wanted = g.copy()
    for unit in range(shape[0]) if len(shape) > 1 else [...]:
        limit = 0.1 * max(np.sqrt((w[unit] ** 2).sum()), 1e-2)
        size = np.sqrt((g[unit] ** 2).sum())
        wanted[unit] = g[unit] * min(1, limit / size)
    np.testing.assert_allclose(p.grad.numpy(), wanted, rtol=1e-13)
    assert np.any(wanted != g)


def test_adaptive_leaves_a_gradient_of_zero():
    p = ag.tensor([[1.0], [0.0]], requires_grad=True)
    p.grad = ag.zeros((2, 1))
    optim.clip_grad_adaptive_(p)
    assert p.grad.tolist() == [[0.0], [0.0]]


def test_clipped_gradients_are_off_the_tape():
    for clip in (
        lambda w: optim.clip_grad_norm_(w, 0.1),
        lambda w: optim.clip_grad_value_(w, 0.1),
        optim.clip_grad_adaptive_,
    ):
        w = ag.tensor([3.0], requires_grad=True)
        (w**3).sum().backward(create_graph=True)
        clip(w)
        assert not w.grad.requires_grad
        assert w.grad.item() <= 0.1


ERRORS = [
    (lambda: optim.clip_grad_norm_([], -1), "max_norm=-1 .*Expected 0 or more"),
    (lambda: optim.clip_grad_norm_([], math.nan), "max_norm=nan"),
    (lambda: optim.clip_grad_norm_([], 1, 0), "norm_type=0. Expected a number above 0"),
    (lambda: optim.clip_grad_value_([], -0.5), "clip_value=-0.5"),
    (lambda: optim.clip_grad_adaptive_([], -1), "clip_factor=-1"),
    (lambda: optim.clip_grad_adaptive_([], 1, -1), "eps=-1"),
]


@pytest.mark.parametrize(("wrong", "words"), ERRORS)
def test_words(wrong, words):
    with pytest.raises(ArgumentError, match=words):
        wrong()


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_gradients_of_half_precision_and_of_no_elements(norm_type):
    half, none = (ag.tensor(np.ones(n, "float16"), requires_grad=True) for n in (4, 0))
    half.grad, none.grad = ag.tensor(np.full(4, 300, "float16")), ag.zeros_like(none)
    expected = np.linalg.norm(np.full(4, 300.0), norm_type)
    assert optim.clip_grad_norm_([half, none], 1.0, norm_type).item() == pytest.approx(expected, rel=1e-6)
    assert half.grad.dtype == np.float16
    np.testing.assert_allclose(half.grad.numpy(), np.full(4, 300 / expected), rtol=1e-3)
