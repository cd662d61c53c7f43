"""Distributions of `scipy.stats` whose densities and probabilities have derivatives.

>>> from autograd.scipy.stats import norm
>>> print(round(float(norm.logpdf(0.0, 0.0, 2.0)), 6))
-1.612086
"""

from autograd.scipy.stats import beta, chi2, dirichlet, gamma, multivariate_normal, norm, poisson, t

__all__ = ["beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t"]
