"""The Dirichlet distribution, with derivatives by x and alpha."""

from __future__ import annotations

from typing import Any

import scipy.stats

import autograd as ag
from autograd.numpy.manipulation import array
from autograd.scipy.stats.distribution import functions


def _logpdf(x: Any, alpha: Any) -> Any:
    x, alpha = array(x), array(alpha)
    powers = (alpha - 1) * ag.log(ag.matrix_transpose(x) if x.ndim == 2 else x)
    return ag.sum(powers, -1) + ag.gammaln(ag.sum(alpha)) - ag.sum(ag.gammaln(alpha))


_OWN = {"pdf": lambda x, alpha: ag.exp(_logpdf(x, alpha)), "logpdf": _logpdf}
_FUNCTIONS = functions(scipy.stats.dirichlet, _OWN)
pdf, logpdf = _FUNCTIONS["pdf"], _FUNCTIONS["logpdf"]


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.dirichlet, name)
