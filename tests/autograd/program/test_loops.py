"""Loops of fused functions: what shares no axis runs one after the other, not one within the other."""

import numpy as np
import pytest

import autograd as ag
from autograd.tree import flatten

RNG = np.random.default_rng(0)
A, B = RNG.uniform(0.5, 2.0, (2, 6000)).astype("float32")
SHORT = RNG.uniform(0.5, 2.0, 700).astype("float32")
TABLE = RNG.uniform(0.5, 2.0, (90, 80)).astype("float32")
ROW = RNG.uniform(0.5, 2.0, 80).astype("float32")
APART = {  # a function, its arguments, the sizes of its forward loops
    "alike": (lambda a, b: (ag.sin(a), ag.cos(b)), (A, B), [(1, 6000)]),
    "alike, read together": (lambda a, b: ag.sum(ag.sin(a)) + ag.sum(ag.log(b)), (A, B), [(1, 6000)]),
    "alike but for an axis of one": (lambda a, b: (ag.sin(a), ag.cos(b)), (A, B[None]), [(1, 6000)]),
    "of other lengths": (lambda a, c: (ag.sin(a), ag.cos(c)), (A, SHORT), [(1, 6000), (1, 700)]),
    "a number of one to the other": (lambda a, c: ag.sum(a) * c, (A, SHORT), [(1, 6000), (1, 700)]),
    "numbers there and back": (
        lambda a, c: c * ag.sum(a * (1 / ag.sum(c))),
        (A, SHORT),
        [(1, 700), (1, 6000), (1, 700)],
    ),
    "of other ranks": (lambda a, m: (ag.sin(a), ag.softmax(m, 1), ag.sum(m, 0)), (A, TABLE), [(1, 6000), (90, 80)]),
    "a row and a table": (lambda r, m: (m * r, ag.sum(ag.exp(r))), (ROW, TABLE), [(90, 80), (1, 80)]),
}


@pytest.mark.parametrize("name", APART)
def test_parts_of_a_function_run_one_after_the_other(name):
    f, args, sizes = APART[name]
    fused = ag.fused(f)
    for a, b in zip(flatten(fused(*args))[0], flatten(f(*args))[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4)
    assert fused.reasons() == []
    (plan,) = fused.plans.values()
    assert [stage.loops.sizes for stage in plan.forward.stages] == sizes
    slopes, expected = (ag.grad(lambda *xs, g=g: total(g(*xs)), argnums=(0, 1))(*args) for g in (fused, f))
    for a, b in zip(slopes, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-4, atol=1e-4)
    assert fused.reasons() == []


def total(found):
    parts = flatten(found)[0]
    return sum(ag.sum(y * (k + 1.0)) for k, y in enumerate(parts))


def test_small_arrays_that_are_large_together_run_as_kernels():
    column, row = ag.tensor(SHORT[:, None]), ag.tensor(ROW)
    outer = ag.fused(lambda c, r: ag.sin(c * r))
    np.testing.assert_allclose(outer(column, row), np.sin(SHORT[:, None] * ROW), rtol=1e-5)
    assert len(outer.plans) == 1
    outer(column[:10], row)
    outer(row, row)
    assert len(outer.plans) == 1
