"""Quantiles: NumPy's values, dtypes and errors, and derivatives by the elements and by the shares."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DTypeError
from autograd.ops.quantiles import METHODS

R = np.random.default_rng(5)
X = R.normal(size=(3, 4, 2))
HOLES = np.where(R.random(X.shape) < 0.4, np.nan, X)


@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:invalid value")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("x", [X, HOLES, X.astype("float32"), np.arange(24).reshape(4, 6), np.ones(1)], ids=range(5))
def test_values_and_dtypes_are_numpys(name, method, x):
    for axis in (None, 0, -1, tuple(range(x.ndim))):
        for q in (0.3, 1.0, [0.0, 0.8, 0.25]):
            for keepdims in (False, True):
                settings = {"axis": axis, "method": method, "keepdims": keepdims}
                expected = getattr(np, name)(x, q, **settings)
                for found in (getattr(np, name)(ag.tensor(x), q, **settings), getattr(ag, name)(x, q, **settings)):
                    close = (1e-5, 1e-6) if x.dtype == np.float32 else (1e-12, 0)
                    np.testing.assert_allclose(np.asarray(found), expected, *close)
                    assert found.dtype == expected.dtype


@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:invalid value")
@pytest.mark.parametrize("x", [X, HOLES, X[0, :3, 0]], ids=range(3))
def test_percentiles_and_medians_are_numpys(x):
    for axis in (None, 0, tuple(range(x.ndim))):
        for name, q in (("percentile", 30), ("nanpercentile", [30.0, 95.0]), ("median", None), ("nanmedian", None)):
            given = (x,) if q is None else (x, q)
            expected = getattr(np, name)(*given, axis=axis)
            found = getattr(np, name)(ag.tensor(x), *given[1:], axis=axis)
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_derivatives_are_those_of_finite_differences(method):
    assert ag.gradcheck(lambda x: ag.quantile(x, [0.2, 0.65], 1, method=method), [X], order=2)
    assert ag.gradcheck(lambda q: ag.quantile(X, q, 1, method=method), [np.array([0.21, 0.63])], order=2)


def test_derivatives_go_to_what_is_not_nan():
    t = ag.tensor([4.0, np.nan, 1.0, 2.0, np.nan], requires_grad=True)
    assert ag.grad(ag.nanquantile(t, 0.75), t)[0].tolist() == [0.5, 0.0, 0.0, 0.5, 0.0]
    assert ag.grad(ag.nanmedian(t), t)[0].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]
    q = ag.tensor(50.0, requires_grad=True)
    assert ag.grad(ag.percentile([1.0, 3.0, 9.0, 11.0], q), q)[0].item() == pytest.approx(6 * 3 / 100)


def test_quantiles_under_vmap_and_in_programs():
    np.testing.assert_allclose(
        ag.vmap(lambda x: ag.quantile(x, 0.3))(ag.tensor(X)).numpy(), np.quantile(X, 0.3, (1, 2))
    )
    run = ag.compile(lambda x: ag.quantile(x, 0.3, 0))
    np.testing.assert_allclose(run(ag.tensor(X)).numpy(), np.quantile(X, 0.3, 0))
    assert run.reasons() == []


def test_what_there_is_no_quantile_of_is_refused():
    with pytest.raises(ArgumentError, match="quantile was given shares that are not all in 0 to 1"):
        ag.quantile(X, 50)
    with pytest.raises(ArgumentError, match="percentile was given shares that are not all in 0 to 100"):
        ag.percentile(X, ag.tensor([np.nan]))
    with pytest.raises(ArgumentError, match=r"method='middle'\. Expected one of \['averaged_inverted_cdf'"):
        ag.quantile(X, 0.5, method="middle")
    with pytest.raises(ArgumentError, match=r"median was given shape \(0,\)"):
        ag.median([])
    with pytest.raises(DTypeError, match="quantile was given dtype complex128"):
        ag.quantile(X + 1j, 0.5)
