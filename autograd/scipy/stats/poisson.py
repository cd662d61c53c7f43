"""The Poisson distribution, with derivatives by its mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats

import autograd as ag
from autograd.scipy.special import gammaincc
from autograd.scipy.stats.distribution import functions
from autograd.tracer import getval


def count(k: Any, loc: Any) -> Any:
    """The whole number that k is beyond loc, which has no derivative."""
    return np.floor(np.asarray(getval(k)) - getval(loc))


def _logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    n = count(k, loc)
    known = ag.xlogy(n, mu) - mu - ag.gammaln(n + 1.0)
    return ag.where(n >= 0, known, -np.inf)


def _cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    n = count(k, loc)
    return ag.where(n >= 0, gammaincc(np.maximum(n, 0) + 1, mu), 0.0)


_OWN = {"pmf": lambda *args, **settings: ag.exp(_logpmf(*args, **settings)), "logpmf": _logpmf, "cdf": _cdf}
_FUNCTIONS = functions(scipy.stats.poisson, _OWN)
pmf, logpmf, cdf = (_FUNCTIONS[name] for name in ("pmf", "logpmf", "cdf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.poisson, name)
