"""What the derivative is where there is none: one table of conventions at kinks, ties and singular points.

`docs/design.md` refers to this table; a convention is changed here or not at all.
"""

import numpy as np
import pytest

import autograd as ag
from autograd.primitive import primitives

INF, NAN = np.inf, np.nan

# function of one array, where, gradient of the sum of its outputs
TABLE = {
    "relu at 0": (ag.relu, [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]),
    "relu at -0": (ag.relu, [-0.0], [0.0]),
    "abs at 0": (ag.abs, [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]),
    "sign has slope 0": (ag.sign, [-2.0, 0.0, 2.0], [0.0, 0.0, 0.0]),
    "floor has slope 0": (ag.floor, [-1.0, 0.5, 2.0], [0.0, 0.0, 0.0]),
    "ceil has slope 0": (ag.ceil, [-1.0, 0.5, 2.0], [0.0, 0.0, 0.0]),
    "trunc has slope 0": (ag.trunc, [-1.0, 0.5, 2.0], [0.0, 0.0, 0.0]),
    "rint has slope 0": (ag.rint, [-0.5, 0.5, 2.0], [0.0, 0.0, 0.0]),
    "clip at its bounds": (lambda x: ag.clip(x, -1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 0.0]),
    "maximum at a tie": (lambda x: ag.maximum(x, 1.0), [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),
    "minimum at a tie": (lambda x: ag.minimum(x, 1.0), [0.0, 1.0, 2.0], [1.0, 0.5, 0.0]),
    "maximum of one with itself": (lambda x: ag.maximum(x, x), [3.0], [1.0]),
    "max, a tie of two": (ag.max, [1.0, 4.0, 4.0], [0.0, 0.5, 0.5]),
    "max, all equal": (ag.max, [2.0, 2.0, 2.0, 2.0], [0.25, 0.25, 0.25, 0.25]),
    "max along an axis": (lambda x: ag.max(x, axis=1), [[1.0, 1.0], [0.0, 3.0]], [[0.5, 0.5], [0.0, 1.0]]),
    "min, a tie of two": (ag.min, [1.0, 1.0, 4.0], [0.5, 0.5, 0.0]),
    "norm at 0": (ag.norm, [0.0, 0.0], [0.0, 0.0]),
    "norm along an axis, a row of 0": (
        lambda x: ag.norm(x, axis=1),
        [[0.0, 0.0], [3.0, 4.0]],
        [[0.0, 0.0], [0.6, 0.8]],
    ),
    "hypot at the origin": (lambda x: ag.hypot(x, 0.0), [0.0, 2.0], [0.0, 1.0]),
    "std of equal elements": (ag.std, [5.0, 5.0, 5.0], [0.0, 0.0, 0.0]),
    "x**0 at 0": (lambda x: x**0, [0.0, 2.0], [0.0, 0.0]),
    "x**0.0 at 0, exponent an array": (lambda x: x ** np.zeros(2), [0.0, 2.0], [0.0, 0.0]),
    "x**1 at 0": (lambda x: x**1, [0.0], [1.0]),
    "0**x": (lambda x: 0.0**x, [1.0, 2.0], [0.0, 0.0]),
    "prod with one zero": (ag.prod, [2.0, 0.0, 3.0], [0.0, 6.0, 0.0]),
    "prod with two zeros": (ag.prod, [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    "logsumexp of nothing but -inf": (ag.logsumexp, [-INF, -INF], [0.0, 0.0]),
    "logaddexp of two -inf": (lambda x: ag.logaddexp(x, x), [-INF], [1.0]),
    "sort, a tie": (lambda x: ag.sort(x)[0], [1.0, 1.0, 2.0], [1.0, 0.0, 0.0]),
    "sqrt at 0": (ag.sqrt, [0.0, 4.0], [INF, 0.25]),
    "log at 0": (ag.log, [0.0, 4.0], [INF, 0.25]),
    "where, an untaken sqrt": (lambda x: ag.where(x > 0, ag.sqrt(x), 0.0), [-1.0, 0.0, 4.0], [0.0, 0.0, 0.25]),
    "where, an untaken log": (lambda x: ag.where(x > 0, ag.log(x), 0.0), [-1.0, 0.0, 4.0], [0.0, 0.0, 0.25]),
    "where, an untaken 1/x": (lambda x: ag.where(x != 0, 1 / x, 0.0), [0.0, 2.0], [0.0, -0.25]),
    "where, an untaken NaN": (lambda x: ag.where(x > 0, x * NAN, x), [-1.0], [1.0]),
    "where, sqrt of a square": (lambda x: ag.where(x > 0, ag.sqrt(x * x), x), [0.0, 2.0], [1.0, 1.0]),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_gradient_at_the_point(name, dtype):
    f, at, expected = TABLE[name]
    x = ag.tensor(at, dtype=dtype, requires_grad=True)
    with np.errstate(all="ignore"):  # values such as log(0) are what is looked at
        y = f(x).sum()
    y.backward()
    assert x.grad.dtype == np.dtype(dtype)
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("name", TABLE)
def test_gradient_is_the_same_while_it_is_recorded(name):
    f, at, expected = TABLE[name]
    x = ag.tensor(at, requires_grad=True)
    with np.errstate(all="ignore"):
        (g,) = ag.grad(f(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "expected"),
    [(ag.maximum, (0.5, 0.5)), (ag.minimum, (0.5, 0.5)), (ag.hypot, (0.0, 0.0)), (ag.logaddexp, (0.5, 0.5))],
)
def test_a_tie_is_shared_between_both_operands(f, expected):
    a, b = ag.tensor(0.0, requires_grad=True), ag.tensor(0.0, requires_grad=True)
    got = ag.grad(f(a, b), [a, b])
    assert tuple(float(g) for g in got) == expected


@pytest.mark.parametrize(
    ("x", "expected"),
    [(-1.0, (0.0, 1.0, 0.0)), (0.0, (1.0, 0.0, 0.0)), (0.5, (1.0, 0.0, 0.0)), (2.0, (0.0, 0.0, 1.0))],
)
def test_clip_passes_the_gradient_to_what_it_returned(x, expected):
    ts = [ag.tensor(v, requires_grad=True) for v in (x, 0.0, 1.0)]
    assert tuple(float(g) for g in ag.grad(ag.clip(*ts), ts)) == expected


@pytest.mark.parametrize("f", [ag.relu, ag.abs, ag.norm, ag.max, ag.std], ids=lambda f: f.__name__)
def test_second_derivative_at_the_kink_is_finite(f):
    x = ag.tensor([0.0, 0.0], requires_grad=True)
    (g,) = ag.grad(f(x).sum(), x, create_graph=True)
    if g.requires_grad:
        (h,) = ag.grad(g.sum(), x, allow_unused=True)
        assert np.isfinite(h.numpy()).all()
    assert np.isfinite(g.numpy()).all()


@pytest.mark.parametrize("fused", [False, True])
def test_an_untaken_branch_leaks_into_no_order(fused):
    f = lambda x: ag.where(x > 0, ag.log(ag.sqrt(x)), 0.0)  # noqa: E731
    g = ag.fused(f, smallest=1) if fused else f
    x = ag.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    for order, at_two in enumerate([0.25, -0.125, 0.125, -0.1875], 1):
        h = g
        for _ in range(order):
            h = (lambda k: lambda z: ag.grad(k(z).sum(), z, create_graph=True)[0])(h)
        with np.errstate(all="ignore"):  # the untaken logarithm and root
            np.testing.assert_allclose(h(x).detach(), [0.0, 0.0, at_two], rtol=1e-12)


@pytest.mark.parametrize("size", [3, 20_000])  # looked through by other means
def test_what_is_undefined_beside_a_zero_cotangent_is_left_out_of_arrays_of_any_size(size):
    a, g = np.zeros(size), np.ones(size)
    a[1], g[0], g[2] = 2.0, np.inf, np.nan
    expected = np.array([0.0, *g[1:2], 0.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(primitives["defined"](a, g)[:3], expected)
        np.testing.assert_array_equal(primitives["chain"](a, g)[:3], [0.0, 2.0, 0.0])
        assert np.isinf(primitives["defined"](a[::-1], g)[0]) == (a[-1] != 0)
    whole = np.ones(size)
    np.testing.assert_array_equal(primitives["defined"](a, whole), whole)
    np.testing.assert_array_equal(primitives["defined"](np.ones((2, size)), whole), np.ones((2, size)))


def test_what_is_undefined_stays_so_beside_a_cotangent_that_is_not_zero():
    with np.errstate(all="ignore"):
        found = primitives["defined"](np.array([1.0, -1.0, 0.0]), np.array([np.nan, np.inf, -np.inf]))
    np.testing.assert_array_equal(found, [np.nan, np.inf, 0.0])
    x = ag.tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        (slope,) = ag.grad(ag.sum(primitives["defined"](x, ag.tensor([np.inf, 2.0])) * x), x)
    np.testing.assert_array_equal(slope.numpy(), [0.0, 2.0])


@pytest.mark.parametrize("size", [4, 20_000])
def test_a_slope_of_truths_lets_nothing_pass_where_it_is_false(size):
    x = ag.tensor(np.resize([-1.0, 1.0], size), requires_grad=True)
    g = np.resize([np.inf, 2.0, np.nan, np.inf], size)
    expected = np.resize([0.0, 2.0, 0.0, np.inf], size)
    with np.errstate(all="ignore"):
        for f in (ag.relu, ag.fused(ag.relu)):
            np.testing.assert_array_equal(ag.grad(f(x), [x], ag.tensor(g))[0], expected)


@pytest.mark.parametrize("f", [ag.maximum, ag.minimum])
def test_slopes_of_the_larger_and_the_smaller_stay_in_their_dtype(f):
    a = ag.tensor(np.arange(-3000, 3000, dtype=np.float32), requires_grad=True)
    (g,) = ag.grad(f(a, 0.5).sum(), [a])
    assert g.dtype == np.float32
    assert "f8(0.5)" not in ag.explain(f, a, ag.zeros(6000, dtype="float32"))
