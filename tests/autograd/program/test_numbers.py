"""Single numbers of programs and rules, computed in Python's arithmetic: the same as in NumPy's, to the last bit."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd.program.numbers import formula, number_of
from autograd.program.symbol import Symbol


def _quotient(x):
    return ag.sum(x) / 7.0


NUMBERS = {
    "a quotient": _quotient,
    "a quotient by a small number": lambda x: ag.sum(x) / 3e-38,
    "of what is tiny": lambda x: ag.sum(x) / 3e38,
    "twice": lambda x: (ag.sum(x) / 7.0) / 3.0,
    "a difference": lambda x: ag.sum(x) / 7.0 - ag.sum(x) * 0.1,
    "detached": lambda x: (ag.sum(x) * 0.3).detach(),
    "by nothing": lambda x: ag.sum(x) / ag.sum(x - x),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_rounded_as_eager_rounds_it(name, dtype):
    f, rng = NUMBERS[name], np.random.default_rng(0)
    run = ag.compile(f)
    for scale in (1.0, 1e-30, 1e30, 1e-44):
        for _ in range(20):
            x = ag.tensor((scale * rng.standard_normal() * np.eye(64)[3]).astype(dtype))
            with np.errstate(all="ignore"):
                expected, found = f(x), run(x)
            assert found.dtype == expected.dtype
            assert found.shape == ()
            np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert run.reasons() == []


def numbers(count):
    return [Symbol((), np.dtype(np.float64), weak=True, label=f"n{k}") for k in range(count)]


RULES = {
    "Adam's": lambda lr, b, t: lr * ag.sqrt(1 - b**t) / (1 - b),
    "a polynomial": lambda x, y, z: -x * y + 3 * z - x / 7,
    "one of them": lambda x, y, z: y,
}


@pytest.mark.parametrize("name", RULES)
def test_a_formula_gives_what_operations_give(name):
    given = numbers(3)
    wanted = [RULES[name](*given), 2.5]
    compute = formula(wanted, given)
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = [*rng.uniform(0.01, 0.99, 2).tolist(), float(rng.integers(1, 1000))]
        found = compute(*values)
        assert found == [number_of(s, dict(zip(given, values, strict=True))) for s in wanted]
        assert all(type(x) is float for x in found)


def test_what_a_formula_cannot_say():
    x, y = numbers(2)
    assert formula([ag.exp(x)], [x]) is None
    assert formula([x * math.inf], [x]) is None
    assert formula([x + y], [x]) is None
    with pytest.raises(ZeroDivisionError):
        formula([x / y], [x, y])(1.0, 0.0)


def test_rules_of_numbers_that_python_refuses():
    """An optimizer's update with settings where Python raises and NumPy has a value."""
    for f, values in (
        (lambda w, g, a, b: w - g * (a / b), (1.0, 0.0)),
        (lambda w, g, a, b: w - g * a**b, (1e300, 2.0)),
    ):
        w, g = ag.zeros(3), ag.ones(3)
        rule = ag.foreach(f)
        with np.errstate(all="ignore"):
            rule.update_([[w]], [[g]], *values)
        assert rule.reasons == set()
        np.testing.assert_array_equal(w.numpy(), -np.inf)
    w, g = ag.zeros(3), ag.ones(3)
    with np.errstate(all="ignore"):
        ag.foreach(lambda w, g, a: w - g * ag.sqrt(a)).update_([[w]], [[g]], -1.0)
    assert np.isnan(w.numpy()).all()
