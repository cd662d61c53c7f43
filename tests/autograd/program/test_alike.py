"""Layers that compute alike share what was worked out for the first, and those that only look alike do not."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.program import alike
from autograd.program.part import Part

RNG = np.random.default_rng(0)


@pytest.fixture
def made(monkeypatch):
    """The outputs of every part that is worked out anew."""
    found = []

    def noted(given, outputs, *rest):
        found.append(outputs)
        return Part(given, outputs, *rest)

    monkeypatch.setattr(alike, "Part", noted)
    return found


def deep(depth):
    layers = [layer for _ in range(depth) for layer in (nn.Linear(8, 8), nn.GELU())]
    return nn.Sequential(*layers, nn.Linear(8, 1))


def test_depth_takes_no_more_parts(made):
    counts = []
    for depth in (4, 9):
        model, x = deep(depth), ag.tensor(RNG.standard_normal((32, 8)))
        params = list(model.parameters())

        def gradients(x, model=model, params=params):
            loss = ag.mean(ag.square(model(x)))
            return loss, ag.grad(loss, params)

        made.clear()
        run = ag.compile(gradients)
        run(x)
        assert run.reasons() == []
        counts.append(len(made))
        loss, found = run(x)
        expected, slopes = gradients(x)
        np.testing.assert_allclose(loss.detach(), expected.detach(), rtol=1e-12)
        for a, b in zip(found, slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)
    assert 0 < counts[0] == counts[1]


def scaled(x, w):
    for number in (0.5, 0.25, 2, 2.0, 3.5):
        x = ag.tanh(x * number + 1) @ w
    return x


def summed(x, w):
    for axis in (0, 1, 0, (0, 1)):
        x = (x - ag.mean(ag.sin(x), axis=axis, keepdims=True)) @ w
    return x


def turned(x, w):
    for _ in range(3):
        x = (x + ag.permute_dims(x, (1, 0)) * 0.5) @ w
        x = (x + x * 0.5) @ w
    return x


def mixed(x, w):
    for dtype in ("float32", "float64", "float32"):
        y = ag.astype(x, dtype)
        x = ag.astype(ag.exp(-(y * y)), "float64") @ w
    return x


def shifted(x, w):
    for low, high in ((x, w), (w, x), (x, x)):
        x = ag.where(low > high, low - high, high * low) @ w
    return x


def narrowed(x, w):
    a, b = ag.astype(x @ w, "float32") @ ag.astype(w, "float32"), x @ w @ w
    return ag.astype(ag.tanh(a * a) @ ag.astype(w, "float32"), "float64") + ag.tanh(b * b) @ w


def kept(x, w):
    a = ag.sin(x @ w)
    b = ag.sin((a * a) @ w @ w)
    return (b * b) @ w + b @ w


@pytest.mark.parametrize("f", [scaled, summed, turned, mixed, shifted, narrowed, kept])
def test_what_differs_a_little_is_not_shared(f):
    x, w = (ag.tensor(RNG.standard_normal((16, 16)) / 4) for _ in range(2))
    both = ag.value_and_grad(lambda x, w: ag.sum(f(x, w) ** 2), argnums=(0, 1))
    run, forward = ag.compile(both), ag.compile(f)
    expected = both(x, w)
    for _ in range(2):
        np.testing.assert_allclose(forward(x, w), f(x, w), rtol=1e-5)
        value, slopes = run(x, w)
        np.testing.assert_allclose(value, expected[0], rtol=1e-5)
        for a, b in zip(slopes, expected[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_operations_of_one_name_are_told_apart(made):
    def named(power):
        @ag.elementwise
        def bent(x):
            return x**power + x

        return bent

    two, three = named(2), named(3)
    x, w = (ag.tensor(RNG.standard_normal((16, 16)) / 4) for _ in range(2))

    def f(x, w):
        return three(two(x @ w) @ w) @ w

    run = ag.compile(f)
    for _ in range(2):
        np.testing.assert_allclose(run(x, w), f(x, w), rtol=1e-12)
    assert len(made) == 2


def test_a_step_of_another_size_is_worked_out_for_itself(made):
    model = deep(3)
    run = ag.compile(model)
    for rows in (8, 1, 5, 8):
        x = ag.tensor(RNG.standard_normal((rows, 8)))
        np.testing.assert_allclose(run(x).detach(), model(x).detach(), rtol=1e-12)
