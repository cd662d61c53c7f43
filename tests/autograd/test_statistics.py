"""Statistics, curves and what slides: NumPy's values and dtypes on arrays and Tensors, and derivatives."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError

R = np.random.default_rng(11)
X, Y, V, W = R.normal(size=(3, 4)), R.normal(size=(3, 4)), R.normal(size=5), R.normal(size=3)
HOLES = X.copy()
HOLES[[0, 1, 1], [2, 0, 3]] = np.nan
COUNTS = np.array([1, 2, 3, 1])
P = R.uniform(0.5, 2.0, (3, 4))
AT = np.array([-0.5, 0.3, 1.2, 2.6, 3.9])
PLACES, VALUES = np.array([0.0, 1.0, 2.5, 3.0]), np.array([1.0, -2.0, 0.5, 4.0])
SHUFFLED = np.array([2.0, 1.0, 0.2, 2.7])

SMOOTH = {
    "average": (lambda m, x: m.average(x, 1), (X,)),
    "average by weights": (lambda m, x, w: m.average(x, 0, w, keepdims=True), (X, P)),
    "average by an axis of weights": (lambda m, x, w: m.average(x, axis=0, weights=w), (X, P[:, 0])),
    "sum of weights": (lambda m, x, w: m.average(x, 1, w, returned=True)[1], (X, P)),
    "cov": (lambda m, x: m.cov(x), (X,)),
    "cov of two": (lambda m, x, y: m.cov(x, y, bias=True), (X, Y)),
    "cov of columns": (lambda m, x: m.cov(x, rowvar=False, ddof=0), (X,)),
    "cov of a vector": (lambda m, x: m.cov(x), (V,)),
    "cov by counts": (lambda m, x: m.cov(x, fweights=COUNTS), (X,)),
    "cov by weights": (lambda m, x, w: m.cov(x, aweights=w), (X, P[0])),
    "cov by both": (lambda m, x, w: m.cov(x, fweights=COUNTS, aweights=w), (X, P[0])),
    "corrcoef": (lambda m, x: m.corrcoef(x)[0, 1], (X,)),
    "nanvar": (lambda m, x: m.nanvar(x, 1, ddof=1), (X,)),
    "nanstd": (lambda m, x: m.nanstd(x, axis=0, keepdims=True), (X,)),
    "nanmax": (lambda m, x: m.nanmax(x, axis=1), (X,)),
    "nanmin": (lambda m, x: m.nanmin(x), (X,)),
    "nanprod": (lambda m, x: m.nanprod(x, axis=0), (X,)),
    "nancumsum": (lambda m, x: m.nancumsum(x), (X,)),
    "nancumprod": (lambda m, x: m.nancumprod(x, axis=1), (X,)),
    "interp": (lambda m, x, xp, fp: m.interp(x, xp, fp), (AT, PLACES, VALUES)),
    "interp beyond": (lambda m, x, fp: m.interp(x, PLACES.astype(x.dtype), fp, left=7.0, right=8.0), (AT, VALUES)),
    "interp of a period": (
        lambda m, x, fp: m.interp(x, SHUFFLED.astype(x.dtype), fp, period=2.8),
        (AT, VALUES),
    ),
    "trapezoid": (lambda m, y: m.trapezoid(y, dx=0.5), (X,)),
    "trapezoid at places": (lambda m, y, x: m.trapezoid(y, x, axis=0), (X, W)),
    "trapezoid at places of its shape": (lambda m, y, x: m.trapezoid(y, x), (X, Y)),
    **{f"convolve {c}": (lambda m, a, v, c=c: m.convolve(a, v, c), (V, W)) for c in ("full", "same", "valid")},
    **{f"convolve by more, {c}": (lambda m, a, v, c=c: m.convolve(a, v, c), (W, V)) for c in ("full", "same", "valid")},
    **{f"correlate {c}": (lambda m, a, v, c=c: m.correlate(a, v, c), (V, W)) for c in ("full", "same", "valid")},
    "polyval": (lambda m, p, x: m.polyval(p, x), (W, X)),
    "vander": (lambda m, x: m.vander(x, 4), (V,)),
    "vander, increasing": (lambda m, x: m.vander(x, increasing=True), (V,)),
    "unwrap": (lambda m, x: m.unwrap(4 * x), (X,)),
    "unwrap degrees": (lambda m, x: m.unwrap(200 * x, axis=0, discont=190, period=360), (X,)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_values_are_numpys_and_derivatives_those_of_differences(name):
    f, xs = SMOOTH[name]
    for dtype, close in ((np.float64, 1e-12), (np.float32, 1e-4)):
        arrays = [x.astype(dtype) for x in xs]
        expected = f(np, *arrays)
        for found in (f(ag, *arrays), f(np, *[ag.tensor(x, requires_grad=True) for x in arrays])):
            values = np.asarray(found.detach() if isinstance(found, ag.Tensor) else found)
            np.testing.assert_allclose(values, expected, close, close)
            assert values.dtype == dtype  # where NumPy may have gone on in float64
    assert ag.gradcheck(lambda *xs: f(ag, *xs), xs, order=2)


HOLED = ["nanvar", "nanstd", "nanmax", "nanmin", "nanprod", "nancumsum", "nancumprod"]


@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Mean of empty", "ignore:Degrees of freedom")
@pytest.mark.parametrize("name", HOLED)
@pytest.mark.parametrize("x", [HOLES, np.array([[1.0, np.nan], [np.nan, np.nan], [-np.inf, 2.0]]), np.arange(6)])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_nan_is_left_out_as_in_numpy(name, x, axis):
    with np.errstate(invalid="ignore"):
        expected, found = getattr(np, name)(x, axis=axis), getattr(np, name)(ag.tensor(x), axis=axis)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("name", HOLED)
def test_nan_has_no_gradient(name):
    t = ag.tensor(HOLES, requires_grad=True)
    (g,) = ag.grad(getattr(ag, name)(t).sum(), t)
    assert np.isfinite(g.numpy()).all()
    assert not g.numpy()[np.isnan(HOLES)].any()


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_what_slides_is_numpys_at_all_lengths(mode):
    for n in range(1, 6):
        for m in range(1, 6):
            a, v = R.normal(size=n), R.normal(size=m) + 1j * R.normal(size=m)
            for name in ("convolve", "correlate"):
                found, expected = getattr(ag, name)(ag.tensor(a), v, mode), getattr(np, name)(a, v, mode)
                np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, err_msg=f"{name} {n} {m}")


def test_interpolation_at_points_and_of_one_point():
    for xp, fp in ((PLACES, VALUES), ([1.0], [5.0]), ([0.0, 1.0, 1.0, 2.0], VALUES)):
        x = np.array([-1.0, *xp, 1.0, 9.0, 0.5])
        for sides in ({}, {"left": -1.0}, {"right": 2.0}):
            expected = np.interp(x, xp, fp, **sides)
            np.testing.assert_allclose(ag.interp(ag.tensor(x), xp, ag.tensor(fp), **sides).numpy(), expected)
    assert float(ag.grad(lambda x: ag.interp(x, [0, 1, 2], [0, 3, 4]))(1.0)) == 1.0


def test_steps_of_half_a_turn_go_as_in_numpy():
    for p in ([0.0, 1.5, 3.0], [3.0, 1.5, 0.0], [0, 2, 5, 9], [0.0]):
        for period in (3, 3.0):
            np.testing.assert_allclose(ag.unwrap(ag.tensor(p), period=period).numpy(), np.unwrap(p, period=period))


def test_what_there_is_no_statistic_of_is_refused():
    with pytest.raises(ShapeError, match=r"average was given shape \(3, 4\) and weights of shape \(4,\)"):
        ag.average(X, weights=P[0])
    with pytest.raises(ArgumentError, match=r"cov was given 1 samples\. Expected more than ddof=1"):
        ag.cov([[1.0], [2.0]])
    with pytest.raises(ShapeError, match=r"cov was given shape \(2, 2, 2\)"):
        ag.cov(np.ones((2, 2, 2)))
    with pytest.raises(ShapeError, match=r"interp was given points of shapes \(2,\) and \(3,\)"):
        ag.interp(0.5, [0.0, 1.0], [0.0, 1.0, 2.0])
    with pytest.raises(ArgumentError, match="convolve was given mode='all'"):
        ag.convolve(V, W, "all")
    with pytest.raises(ShapeError, match=r"correlate was given shapes \(3, 4\) and \(3,\)"):
        ag.correlate(X, W)
    with pytest.raises(ShapeError, match=r"vander was given shape \(3, 4\)"):
        ag.vander(X)
