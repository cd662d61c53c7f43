"""What the tests of gradient functions that compile by themselves share: programs soon, counted, and compared."""

import numpy as np
import pytest

import autograd as ag
from autograd.program import repeated
from autograd.tree import flatten


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(repeated, "FIRST", 2)
    monkeypatch.setattr(repeated, "AGAIN", 2)
    monkeypatch.setattr(repeated, "TRIALS", 1)
    monkeypatch.setattr(repeated, "LENGTH", 300)


@pytest.fixture
def made(monkeypatch):
    """How many programs have been made, as the length of a list."""
    runs = []
    monkeypatch.setattr(repeated, "Run", recorded(repeated.Run, runs))
    return runs


def recorded(kind, runs):
    class Recorded(kind):
        def __init__(self, *args):
            super().__init__(*args)
            runs.append(self)
            self.calls = 0

        def __call__(self, *args):
            self.calls += 1
            return super().__call__(*args)

    return Recorded


def draw(seed, *shape, dtype="float64"):
    return ag.tensor(np.random.default_rng(seed).standard_normal(shape).astype(dtype))


def same(found, expected):
    for a, b in zip(*(flatten(x)[0] for x in (found, expected)), strict=True):
        assert type(a) is type(b)
        if not isinstance(b, ag.Tensor):
            assert a == b
            continue
        assert (a.shape, a.dtype, a.requires_grad) == (b.shape, b.dtype, b.requires_grad)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5 if a.dtype == np.float32 else 1e-10)
