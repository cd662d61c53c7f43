"""Checks where something is not finite: no verdict on what nothing can tell, none withheld for what can be told."""

import warnings

import numpy as np
import pytest

import autograd as ag
from autograd.gradcheck import Verdict

INF, NAN = np.inf, np.nan
MASK = np.where(np.tril(np.ones((4, 4))) > 0, 0, -INF)
ROWS = np.random.default_rng(0).standard_normal((4, 4))


def checked(f, inputs, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of f itself, which NumPy warns of
        return ag.gradcheck(f, inputs, **settings)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    ("f", "x", "said"),
    [
        (ag.log, [-1.0, 1.0], "not nan"),
        (ag.log, [0.0, 1.0], "not -inf"),
        (ag.sqrt, [-1.0, 1.0], "not nan"),
        (ag.exp, [800.0, 1.0], "not inf"),
        (lambda x: x / 0.0, [1.0], "not inf"),
        (lambda x: 1 / x, [1e-310, 1.0], "not inf"),
        (lambda x: x * x, [1e200], "not inf"),
        (lambda x: ag.log(-abs(x)), [1.0, 2.0, 3.0], "not nan"),
        (ag.sum, [NAN, 1.0], "nan cannot be moved"),
        (ag.sum, [INF, 1.0], "inf cannot be moved"),
    ],
)
def test_what_is_not_finite_is_named(f, x, said, fast):
    result = checked(f, np.array(x), fast=fast)
    assert result.verdict is Verdict.PRECISION
    assert "not finite" in result.reason
    assert said in result.suggestion
    assert len(result.imprecise) <= result.compared


@pytest.mark.parametrize("settings", [{}, {"fast": True}, {"mode": "both"}, {"order": 2}])
@pytest.mark.parametrize(
    ("f", "inputs"),
    [
        (lambda x: ag.log_softmax(x + MASK, -1), [ROWS]),
        (lambda x: ag.softmax(ag.where(MASK == 0, x, -INF), -1), [ROWS]),
        (lambda x, m: ag.softmax(x + m, -1), [ROWS, MASK]),
        (ag.logsumexp, [np.array([-INF, 1.0, 2.0])]),
        (ag.max, [np.array([-INF, 1.0, 2.0])]),
    ],
)
def test_a_mask_of_infinities_is_no_alarm(f, inputs, settings):
    result = ag.gradcheck(f, inputs, **settings)
    assert result.verdict is Verdict.PASS, result


@pytest.mark.parametrize("fast", [False, True])
def test_a_mistake_beside_a_mask_is_found(fast):
    softmax = ag.primitive(
        lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
        vjp=lambda g, y: y * (g + ag.sum(g * y, -1, keepdims=True)),
        check=False,
    )
    result = ag.gradcheck(lambda x, m: softmax(x + m), [ROWS, MASK], fast=fast)
    assert result.verdict is Verdict.WRONG_GRADIENT


@pytest.mark.parametrize("fast", [False, True])
def test_results_that_are_finite_are_judged_beside_one_that_is_not(fast):
    twice = ag.primitive(lambda x: x**2, vjp=lambda g, x: g * x, check=False)
    result = checked(lambda x: (ag.log(x[0]), twice(x)), np.array([0.0, 1.0, 2.0]), fast=fast)
    assert result.verdict is Verdict.WRONG_GRADIENT


def test_the_checker_itself_warns_of_nothing():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for fast in (False, True):
            ag.gradcheck(lambda x: ag.sum(x * 1e-200), np.array([1e200, 1.0]), fast=fast)
            ag.gradcheck(ag.sum, np.array([INF, 1.0]), fast=fast)
    assert [str(w.message) for w in seen] == []


def test_one_element_of_many_leads_to_its_operation():
    wrong_at = 1.0 + 0.1 * (np.arange(2000) == 1234)
    square = ag.primitive(lambda x: x**2, vjp=lambda g, x: g * 2 * x * wrong_at, check=False)
    result = ag.gradcheck(lambda x: ag.sin(square(x)), np.linspace(0.5, 1.5, 2000), fast=True)
    assert result.mismatches[0].index == (1234,)
    assert result.culprit.startswith("<lambda> at ")


@pytest.mark.parametrize("fast", [False, True])
def test_an_infinite_input_of_a_finite_result_is_looked_at(fast):
    inverse = ag.primitive(lambda x: 1 / x, vjp=lambda g: g, check=False)
    result = ag.gradcheck(inverse, np.array([INF]), fast=fast)
    assert result.verdict is Verdict.PRECISION


def test_the_fast_mode_counts_what_it_looks_at_more_closely():
    result = ag.gradcheck(ag.abs, np.zeros(3), fast=True)
    assert [(m.input, m.index) for m in result.kinks] == [("x", (0,)), ("x", (1,)), ("x", (2,))]
    assert result.compared == 1 + 3 * 3  # a projection, and each of three columns of the Jacobian
