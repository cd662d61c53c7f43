"""Distributions of `scipy.stats` whose densities and probabilities have derivatives.

>>> from autograd.scipy.stats import norm
>>> print(round(float(norm.logpdf(0.0, 0.0, 2.0)), 6))
-1.612086
"""

from autograd.scipy.stats import beta, chi2, dirichlet, gamma, multivariate_normal, norm, poisson, t
from autograd.scipy.stats.families import (
    bernoulli,
    binom,
    cauchy,
    expon,
    gennorm,
    geom,
    gumbel_r,
    halfnorm,
    invgamma,
    laplace,
    logistic,
    lognorm,
    nbinom,
    pareto,
    uniform,
    vonmises,
    weibull_min,
)

__all__ = [
    "bernoulli",
    "beta",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "gamma",
    "gennorm",
    "geom",
    "gumbel_r",
    "halfnorm",
    "invgamma",
    "laplace",
    "logistic",
    "lognorm",
    "multivariate_normal",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "t",
    "uniform",
    "vonmises",
    "weibull_min",
]
