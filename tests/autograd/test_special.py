"""Special functions: SciPy's values, PyTorch's derivatives, and what holds at their singular points."""

import numpy as np
import pytest
import scipy

import autograd as ag

X = np.array([0.15, 0.4, 0.85])
FUNCTIONS = ["gammaln", "digamma", "gamma", "erfinv", "ndtr", "log_ndtr", "logit", "i0e", "i1e", "entr", "expit"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_scipys(name):
    np.testing.assert_allclose(getattr(ag, name)(ag.tensor(X)).numpy(), getattr(scipy.special, name)(X), rtol=1e-14)


@pytest.mark.parametrize("name", [*FUNCTIONS, "xlogy", "xlog1py"])
def test_third_derivatives_are_those_of_the_second(name):
    f = getattr(ag, name)
    g = f if name in FUNCTIONS else lambda x: f(x, x)
    second = ag.elementwise_grad(ag.elementwise_grad(g))
    h = 1e-5
    numeric = (second(X + h).numpy() - second(X - h).numpy()) / (2 * h)
    np.testing.assert_allclose(ag.elementwise_grad(second)(X).numpy(), numeric, rtol=1e-6, atol=1e-6)


def test_far_out():
    assert float(ag.log_ndtr(-40.0)) == pytest.approx(-804.608442013754, rel=1e-12)
    assert float(ag.grad(ag.log_ndtr)(-40.0)) == pytest.approx(40.0249688, rel=1e-8)
    assert float(ag.grad(ag.i0e)(700.0)) == pytest.approx(-0.5 * 700**-1.5 / np.sqrt(2 * np.pi), rel=1e-2)


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (ag.xlogy, (0.0, 0.0), (0.0, 0.0)),
        (ag.xlogy, (0.0, 2.0), (np.log(2), 0.0)),
        (ag.xlogy, (3.0, 2.0), (np.log(2), 1.5)),
        (ag.xlog1py, (0.0, -1.0), (0.0, 0.0)),
        (ag.xlog1py, (3.0, 1.0), (np.log(2), 1.5)),
    ],
)
def test_products_with_a_logarithm_at_nought(f, at, expected):
    a, b = ag.grad(f, argnums=(0, 1))(*at)
    assert (float(a), float(b)) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(("f", "at", "slope"), [(ag.i1e, 0.0, 0.5), (ag.entr, 0.0, np.inf), (ag.i0e, 0.0, 0.0)])
def test_singular_points(f, at, slope):
    with np.errstate(all="ignore"):
        assert float(ag.grad(f)(at)) == slope


def test_polygamma():
    x = ag.tensor(X, dtype="float32")
    assert ag.polygamma(2, x).dtype == np.float32
    np.testing.assert_allclose(
        ag.polygamma(1, ag.tensor(X)).numpy(), ag.elementwise_grad(ag.digamma)(X).numpy(), rtol=1e-14
    )


def test_derivatives_are_pytorchs():
    try:
        import torch
    except ImportError:  # the finite differences of the registry say the same
        return
    names = {"gammaln": "gammaln", "digamma": "digamma", "erfinv": "erfinv", "ndtr": "ndtr", "log_ndtr": "log_ndtr"}
    names |= {"logit": "logit", "i0e": "i0e", "i1e": "i1e", "entr": "entr", "expit": "expit"}
    for ours, theirs in names.items():
        t = torch.tensor(X, requires_grad=True)
        (e,) = torch.autograd.grad(getattr(torch.special, theirs)(t).sum(), t)
        np.testing.assert_allclose(ag.elementwise_grad(getattr(ag, ours))(X).numpy(), e.numpy(), rtol=1e-8)


def test_inside_a_fused_function():
    f = ag.fused(lambda x: ag.gammaln(x) * x)
    x = np.linspace(0.5, 3, 5000)
    expected = scipy.special.digamma(x) * x + scipy.special.gammaln(x)
    np.testing.assert_allclose(ag.elementwise_grad(f)(x).numpy(), expected, rtol=1e-12)
    assert f.reasons()


def test_half_precision_stays_half():
    x = ag.tensor(np.array([0.5], np.float16), requires_grad=True)
    for f in (ag.erf, ag.erfc, ag.ndtr, ag.digamma, ag.gamma, ag.logit, lambda x: ag.xlogy(x, x)):
        y = f(x)
        assert y.dtype == np.float16
        assert ag.grad(y, x)[0].dtype == np.float16
