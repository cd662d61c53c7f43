"""Random compositions of operations at scales from 1e-4 to 1e4: right ones are not accused, a slip of 1 % is found."""

import numpy as np
import pytest

import autograd as ag

ALONE = [
    ag.sin,
    ag.tanh,
    ag.sigmoid,
    ag.abs,
    ag.relu,
    ag.softplus,
    ag.erf,
    ag.sort,
    ag.cumsum,
    lambda x: x**3,
    lambda x: ag.log1p(ag.abs(x)),
    lambda x: ag.maximum(x, 0.3),
    lambda x: ag.softmax(x, -1),
    lambda x: x - ag.mean(x),
    lambda x: x / ag.sqrt(ag.sum(x * x) + 1e-12),
]
PAIRS = [ag.add, ag.multiply, ag.subtract, ag.maximum, ag.logaddexp, lambda a, b: ag.where(a > b, a, b * b)]
slip = ag.primitive(lambda x: x * 1, vjp=lambda g: g * 1.01, check=False)


def composed(seed):
    """A function of two arrays and of what to do with one value on the way, and the arrays."""
    rng = np.random.default_rng(seed)
    ops = [ALONE[rng.integers(len(ALONE))] if rng.random() < 0.6 else PAIRS[rng.integers(len(PAIRS))] for _ in range(4)]
    others, at = rng.integers(0, 2, 4), rng.integers(4)

    def f(x, y, pass_on=lambda v: v):
        values = [y, x]
        for i, op in enumerate(ops):
            v = pass_on(values[-1]) if i == at else values[-1]
            values.append(op(v) if op in ALONE else op(v, values[others[i]]))
        return values[-1]

    scale = 10 ** rng.uniform(-4, 4)
    return f, rng.standard_normal(3) * scale, rng.standard_normal(3) * scale


def gradients(f, x, y, **settings):
    found = ag.grad(lambda x, y: ag.sum(f(x, y, **settings) * [1.0, -0.7, 0.4]), argnums=(0, 1))(x, y)
    return np.concatenate([g.numpy() for g in found])


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("start", range(0, 100, 25))
def test_right_ones_are_not_accused(start, fast):
    for seed in range(start, start + 25):
        f, x, y = composed(seed)
        if np.isfinite(gradients(f, x, y)).all():
            result = ag.gradcheck(f, [x, y], mode="both", fast=fast)
            assert result.verdict != "WRONG_GRADIENT", f"seed {seed}: {result}"


@pytest.mark.parametrize("start", range(0, 100, 25))
def test_a_slip_is_found(start):
    looked_at = 0
    for seed in range(start, start + 25):
        f, x, y = composed(seed)
        right, wrong = gradients(f, x, y), gradients(f, x, y, pass_on=slip)
        if (np.abs(right - wrong) > 1e-3 * np.abs(right) + 1e-5).any():
            result = ag.gradcheck(lambda x, y, f=f: f(x, y, slip), [x, y])
            assert result.verdict in ("WRONG_GRADIENT", "KINK", "PRECISION"), f"seed {seed}: {result}"
            looked_at += result.verdict == "WRONG_GRADIENT"
    assert looked_at > 5
