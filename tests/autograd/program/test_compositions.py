"""Random compositions: fused they are what they are plain, with threads what they are without."""

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.program.fused import Fused
from autograd.program.plan import Plan
from autograd.program.symbol import Unfusable

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


LIMITS = ["does not vary over the others", "nested loops", "returns something"]  # what three loops cannot hold


def test_nearly_all_random_compositions_fuse():
    fused, refused = 0, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rows, columns = rng.integers(2, 41, 2)
        kinds = [(rows, columns), (columns,), (rows, 1), (1, columns), ()]
        shapes = [(rows, columns), *(kinds[k] for k in rng.integers(0, 5, 2))]
        steps = [("uuubbbbr"[a], b, c, d) for a, b, c, d in rng.integers(0, [8, 8, 31, 31], (25, 4)).tolist()]
        try:
            plan = Plan(
                lambda *xs, s=steps: run_steps(s, xs), [np.zeros(shape) for shape in shapes], {}, lambda stage: None
            )
            plan.backward(plan.differentiable())
            fused += not plan.reasons()
            refused += plan.reasons()
        except Unfusable as reason:
            refused.append(str(reason))
    assert [r for r in refused if not any(limit in r for limit in LIMITS)] == []
    assert fused >= 190


@st.composite
def compositions(draw):
    """A list of steps over a stack of values, and the arrays to start from."""
    rows, columns = draw(st.one_of(st.integers(2, 40), st.integers(1000, 1500))), draw(st.integers(2, 40))
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


THOROUGH = settings.get_current_profile_name() == "thorough"  # pytest --hypothesis-profile=thorough: half an hour


NO_KERNEL_BACKWARDS = (
    [(1090, 9), (1, 9)],
    [
        *[("u", 1, 5, 24), ("r", 5, 9, 23), ("b", 6, 13, 11), ("r", 0, 14, 28), ("u", 2, 20, 26), ("b", 5, 6, 11)],
        *[("u", 7, 17, 23), ("b", 0, 5, 2), ("u", 1, 28, 24), ("b", 7, 19, 4), ("b", 5, 28, 18), ("b", 3, 10, 25)],
        *[("r", 0, 26, 6), ("u", 1, 2, 29), ("u", 6, 26, 10), ("b", 4, 18, 3), ("u", 5, 9, 17), ("b", 1, 2, 17)],
        *[("u", 4, 17, 14), ("b", 0, 5, 9), ("u", 6, 13, 22), ("r", 2, 12, 2), ("u", 3, 17, 29), ("u", 7, 10, 2)],
    ],
    "float64",
    64,
)


@example(NO_KERNEL_BACKWARDS)
@settings(
    max_examples=500 if THOROUGH else 12, deadline=None, phases=[Phase.explicit, Phase.generate]
)  # shrinking would compile for minutes
@given(compositions())
def test_random_compositions_are_the_composition(drawn):
    shapes, steps, dtype, seed = drawn
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    f = lambda *xs: run_steps(steps, xs)  # noqa: E731
    compiled = Fused(f, smallest=0)
    results = []
    before = ag.get_num_threads()
    for g, threads in ((compiled, before), (f, before), (compiled, 1)):
        ag.set_num_threads(threads)
        xs = [ag.tensor(a, requires_grad=True) for a in arrays]
        y = g(*xs)
        y.backward()
        results.append([y.numpy(), *(np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in xs)])
    ag.set_num_threads(before)
    for threaded, serial in zip(results[0], results.pop(), strict=True):
        np.testing.assert_array_equal(threaded, serial)
    assert [r for r in compiled.reasons() if not any(limit in r for limit in LIMITS)] == []
    tolerance = 2e-4 if dtype == "float32" else 1e-10
    for fast, plain in zip(*results, strict=True):
        scale = 1 + np.abs(plain).max(initial=0)
        np.testing.assert_allclose(fast / scale, plain / scale, rtol=tolerance, atol=tolerance)


HARD = [0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 3.0, -3.0, 1e10, -1e10, 1e-30, -1e-30, np.inf, -np.inf, np.nan, 5.5, 2.5, 7.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["remainder", "floor_divide"])
def test_what_is_left_of_a_division_is_numpys(name, dtype):
    rng = np.random.default_rng(0)
    a, b = (x.ravel() for x in np.meshgrid(HARD, HARD))
    a = np.concatenate([a, 100 * rng.standard_normal(4000), rng.integers(-20, 20, 2000) / 10]).astype(dtype)
    b = np.concatenate([b, rng.standard_normal(4000), rng.integers(-9, 9, 2000) / 10]).astype(dtype)
    fused = Fused(lambda x, y: getattr(ag, name)(x, y), smallest=0)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(fused(ag.tensor(a), ag.tensor(b)).numpy(), getattr(np, name)(a, b))
    assert fused.reasons() == []
