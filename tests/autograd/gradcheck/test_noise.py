"""Right functions that cancel, so that they err by more than their own last place: none is accused."""

import numpy as np
import pytest

import autograd as ag
from autograd.gradcheck.numeric import noise

RIGHT = {
    "1 - cos": (lambda x: (1 - ag.cos(x)) / x**2, -3, 0),
    "1 - cos, not analytic": (lambda x: (1 - ag.cos(abs(x))) / x**2, -3, 0),
    "variance by moments": (lambda x: abs((x**2 + (x + 1) ** 2) / 2 - ((2 * x + 1) / 2) ** 2), 2, 6),
    "root of a quadratic": (lambda x: (-1e4 + ag.sqrt(1e8 + 4 * abs(x))) / 2, -3, 2),
    "sqrt near 0": (ag.sqrt, -12, -3),
    "a large number added and taken away": (lambda x: (x + 1e8) - 1e8, -1, 1),
}
WRONG = {
    "cos": (lambda x: (1 - ag.cos(ag.stop_gradient(x))) / x**2, -1, 0),
    "beside a large number": (lambda x: (abs(x) * ag.stop_gradient(x) + 1e6) - 1e6, 0, 1),
}


def verdicts(f, low, high, **settings):
    points = 10 ** np.random.default_rng(1).uniform(low, high, 25)
    return {ag.gradcheck(f, np.array([x]), **settings).verdict.value for x in points}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("fast", [False, True])
def test_a_right_function_that_cancels_is_not_accused(name, fast):
    assert verdicts(*RIGHT[name], fast=fast) <= {"PASS", "PRECISION"}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_is(name):
    assert verdicts(*WRONG[name]) == {"WRONG_GRADIENT"}


@pytest.mark.parametrize("f", [lambda x: (x - ag.sin(x)) / x**3, lambda x: ag.sqrt(1 + x**-2) - 1 / x])
def test_digits_that_cancel_in_a_gradient_are_no_cast_to_float32(f):
    points = 10 ** np.random.default_rng(1).uniform(-5, -1, 60)
    assert "a cast" not in "".join(ag.gradcheck(f, np.array([x])).suggestion for x in points)


def test_noise_is_what_a_function_errs_by_and_not_how_it_bends():
    rng = np.random.default_rng(0)
    size = noise(lambda t: np.array([1e-9 * rng.standard_normal() + np.exp(t)]), [2.0**-16, 2.0**-30])
    assert 1e-9 < size[0] < 1e-8
    assert noise(lambda t: np.array([np.exp(1e5 * t), t, 3.0]), [2.0**-16, 2.0**-30]).max() < 1e-14


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    "f", [ag.sin, lambda x: ag.sin(abs(x)), lambda x: ag.tanh(3 * ag.cos(x)), lambda x: ag.sin(x) ** 3]
)
def test_a_function_that_swings_faster_than_any_step_is_not_accused(f, fast):
    points = np.random.default_rng(2).uniform(1e7, 1e9, 25)
    seen = {ag.gradcheck(lambda x: 1e3 * f(x * 1e3), np.array([x]), fast=fast).verdict.value for x in points}
    assert "WRONG_GRADIENT" not in seen


@pytest.mark.parametrize("f", [ag.sin, lambda x: ag.tanh(ag.cos(abs(x)))])
def test_swings_are_no_kinks(f):
    points = np.random.default_rng(2).uniform(1e10, 1e12, 50)
    seen = [ag.gradcheck(lambda x: 1e3 * f(x * 1e3), np.array([x])).verdict.value for x in points]
    assert "KINK" not in seen


def test_digits_that_cancel_in_the_gradient_itself_are_seldom_called_a_mistake():
    draw = np.random.default_rng(0)
    points = [draw.uniform(1e-7, 4e-7, 3) for _ in range(20)]
    seen = [ag.gradcheck(lambda y: (0.5 / y + y) * y / 1e-6, p, mode="both").verdict.value for p in points]
    assert set(seen) <= {"PASS", "PRECISION", "WRONG_GRADIENT"}
    assert seen.count("WRONG_GRADIENT") <= 5  # where y is lost beside 0.5 / y, whatever its last places: all would be
    wrong = ag.primitive(lambda y: y**2 / 1e-6, vjp=lambda g, y: g * 2.001 * y / 1e-6, check=False)
    assert ag.gradcheck(wrong, np.array([2e-7, 3e-7, -1e-7])).verdict == "WRONG_GRADIENT"


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_the_fast_mode_sees_a_hundredth_at_any_scale(scale):
    slip = ag.primitive(lambda x: np.abs(x), vjp=lambda g, x: g * 1.01 * ag.sign(x), check=False)
    x = np.random.default_rng(0).standard_normal(10) * scale
    assert ag.gradcheck(slip, x, fast=True).verdict == "WRONG_GRADIENT"
    assert ag.gradcheck(abs, x, fast=True)


def test_few_digits_left_of_a_second_derivative_are_no_cast_to_float32():
    draw = np.random.default_rng(0)
    for _ in range(20):
        x = draw.standard_normal(3) * 10 ** draw.uniform(-6, -4)
        result = ag.gradcheck(lambda x: (ag.expm1(abs(ag.tanh(x))) / x) ** 3, x, fast=True, order=2)
        assert result.verdict != "WRONG_GRADIENT", result
