"""The normal distribution, with derivatives by x, loc and scale."""

from __future__ import annotations

import math
from typing import Any

import scipy.stats

import autograd as ag
from autograd.scipy.special import ndtri
from autograd.scipy.stats.distribution import functions, standardised

_HALF_LOG_TAU = math.log(2 * math.pi) / 2


def _logpdf(z: Any) -> Any:
    return -z * z / 2 - _HALF_LOG_TAU


_OWN = {
    "pdf": standardised(lambda z: ag.exp(_logpdf(z)), "plain"),
    "logpdf": standardised(_logpdf, "log"),
    "cdf": standardised(lambda z: ag.ndtr(z)),
    "logcdf": standardised(lambda z: ag.log_ndtr(z)),
    "sf": standardised(lambda z: ag.ndtr(-z)),
    "logsf": standardised(lambda z: ag.log_ndtr(-z)),
    "ppf": lambda q, loc=0.0, scale=1.0: loc + scale * ndtri(q),
    "isf": lambda q, loc=0.0, scale=1.0: loc - scale * ndtri(q),
}
_FUNCTIONS = functions(scipy.stats.norm, _OWN)
pdf, logpdf, cdf, logcdf = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "cdf", "logcdf"))
sf, logsf, ppf, isf = (_FUNCTIONS[name] for name in ("sf", "logsf", "ppf", "isf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.norm, name)
