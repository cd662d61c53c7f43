"""Likelihoods of counts and of values at their edges, and every error on its words."""

import math

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, ShapeError


def graded(f, x, dtype="float32"):
    """f(x) and its gradient."""
    t = ag.tensor(x, dtype=dtype, requires_grad=True)
    y = f(t)
    y.sum().backward()
    return y.numpy(), t.grad.numpy()


def test_poisson_likelihood_at_its_edges():
    loss, slope = graded(lambda r: F.poisson_nll_loss(r, [0.0, 2.0], log_input=False, reduction="none"), [0.0, 0.0])
    assert loss[0] == 0
    assert loss[1] == pytest.approx(-2 * math.log(1e-8), rel=1e-6)
    assert np.isfinite(slope).all()
    counts = np.array([0.0, 1.0, 2.0, 7.0])
    full = F.poisson_nll_loss(np.zeros(4), counts, full=True, reduction="none").numpy() - 1
    np.testing.assert_allclose(full[:2], 0)
    np.testing.assert_allclose(full[2:], [math.lgamma(3), math.lgamma(8)], rtol=0.07)  # Stirling's formula
    with np.errstate(over="ignore"):
        assert F.poisson_nll_loss([1e4], [1.0]).item() == math.inf


def test_poisson_likelihood_refuses_negative_counts_and_rates():
    with pytest.raises(ArgumentError, match=r"poisson_nll_loss was given the count -1. Expected none below 0"):
        F.poisson_nll_loss([0.5, 0.5], [1, -1])
    with pytest.raises(ArgumentError, match=r"was given the rate -0.5.*\nWrite log_input=True for log-rates"):
        F.poisson_nll_loss([-0.5], [1], log_input=False)
    with pytest.raises(ArgumentError, match="the count nan"):
        F.poisson_nll_loss(0.5, math.nan)


def test_gaussian_likelihood_is_that_of_the_normal_density():
    f, y, v = np.array([0.0, 1.0]), np.array([2.0, 1.5]), np.array([4.0, 0.25])
    density = np.exp(-((f - y) ** 2) / (2 * v)) / np.sqrt(2 * math.pi * v)
    np.testing.assert_allclose(F.gaussian_nll_loss(f, y, v, full=True, reduction="none"), -np.log(density))
    assert F.gaussian_nll_loss(f, y, 4.0).item() == F.gaussian_nll_loss(f, y, [4.0, 4.0]).item()


def test_a_variance_below_eps_has_the_slope_at_eps():
    slopes = [graded(lambda v: F.gaussian_nll_loss([0.0], [2.0], v, eps=0.5), [at])[1].item() for at in (0.0, 0.1, 0.5)]
    assert slopes == pytest.approx([0.5 * (2 - 4 / 0.25)] * 3)


def test_gaussian_likelihood_refuses_what_is_no_variance():
    with pytest.raises(ArgumentError, match=r"was given the variance -1.*\nWrite ag.exp\(var\) for log-variances"):
        F.gaussian_nll_loss([0.0, 0.0], [1.0, 1.0], [1.0, -1.0])
    with pytest.raises(ShapeError, match=r"input of shape \(2, 3\) and a var of shape \(3,\)(.|\n)*one variance for"):
        F.gaussian_nll_loss(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(3))


@pytest.mark.parametrize("kind", [nn.PoissonNLLLoss, nn.GaussianNLLLoss])
def test_likelihoods_need_a_positive_eps(kind):
    with pytest.raises(ArgumentError, match=f"{kind.__name__} was given eps=0. Expected a positive number"):
        kind(eps=0)
