"""The checker: what is right passes, what is wrong is named."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import DTypeError
from autograd.primitive import elementwise, primitives

X = np.array([[0.5, -1.0], [2.0, 0.25]])


@pytest.fixture
def wrong_cube():
    op = elementwise("wrong_cube", "x", lambda x: x**3, partials=(lambda x: 2 * x * x,), doc="A planted mistake.")
    yield op
    del primitives["wrong_cube"]


def test_a_right_gradient_passes():
    result = ag.gradcheck(lambda x: ag.sin(x) @ x, X)
    assert result
    assert result.compared == 16
    assert repr(result) == "gradcheck passed: 16 derivatives agree"


def test_a_wrong_gradient_is_named(wrong_cube):
    result = ag.gradcheck(lambda a, x: a + wrong_cube(x), [1.0, X])
    assert not result
    assert len(result.mismatches) == 4
    assert all(m.input == "input 1" for m in result.mismatches)
    worst = max(result.mismatches, key=lambda m: abs(m.analytic - m.numeric))
    assert (worst.index, worst.output) == ((1, 0), (1, 0))
    assert worst.analytic == pytest.approx(8.0)
    assert worst.numeric == pytest.approx(12.0)
    assert "input 1[1, 0] -> output[1, 0]: analytic 8, numeric 12" in repr(result)
    assert "ratio 0.66666" in repr(result)


def test_a_wrong_second_derivative_is_named():
    op = elementwise(
        "wrong_second", "x", lambda x: x**3, partials=(lambda x: 3 * ag.stop_gradient(x) * x,), doc="A planted mistake."
    )
    try:
        assert ag.gradcheck(op, X)
        assert not ag.gradgradcheck(op, X)
    finally:
        del primitives["wrong_second"]


def test_a_dropped_gradient_is_found():
    assert not ag.gradcheck(lambda x: ag.stop_gradient(x) * x, X)
    assert not ag.gradcheck(lambda x: ag.stop_gradient(x) * 2, X)


def test_float32_is_raised_and_a_float32_function_refused():
    assert ag.gradcheck(lambda x: ag.exp(x), X.astype(np.float32))
    with pytest.raises(DTypeError, match=r"returned float32.*\n.*float64"):
        ag.gradcheck(lambda x: ag.exp(x).astype("float32"), X)


def test_nothing_to_check_is_no_pass():
    assert not ag.gradcheck(lambda n: n * 1.5, [np.array([1, 2])])


def test_leaves_are_varied_where_they_are_and_put_back():
    w = ag.tensor(X, requires_grad=True)
    before = w.numpy().copy()
    assert ag.gradcheck(lambda _: (w * w).sum(), [w])
    np.testing.assert_array_equal(w.numpy(), before)
    assert w.grad is None


def test_some_elements_can_be_chosen():
    x = np.random.default_rng(0).standard_normal(1000)
    assert ag.gradcheck(lambda x: (x**3).sum(), x, max_elements=7).compared == 7


def test_several_outputs_are_told_apart(wrong_cube):
    result = ag.gradcheck(lambda x: {"right": x * 2, "wrong": wrong_cube(x)}, np.array([2.0]))
    assert [m.output for m in result.mismatches] == [(1, 0)]


def test_second_order_through_a_model():
    w = ag.tensor(X, requires_grad=True)
    assert ag.gradgradcheck(lambda x, w: ag.tanh(x @ w), [X, w])
