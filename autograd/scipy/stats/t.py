"""Student's t distribution, with derivatives by x, loc and scale, and of its density by df."""

from __future__ import annotations

import math
from typing import Any

import scipy.stats

import autograd as ag
from autograd.scipy.special import stdtr
from autograd.scipy.stats.distribution import functions, standardised


def _logpdf(z: Any, df: Any) -> Any:
    constant = ag.gammaln((df + 1) / 2) - ag.gammaln(df / 2) - ag.log(df * math.pi) / 2
    return constant - (df + 1) / 2 * ag.log1p(z * z / df)


_OWN = {
    "pdf": standardised(lambda z, df: ag.exp(_logpdf(z, df)), "plain"),
    "logpdf": standardised(_logpdf, "log"),
    "cdf": standardised(lambda z, df: stdtr(df, z)),
    "logcdf": standardised(lambda z, df: ag.log(stdtr(df, z))),
    "sf": standardised(lambda z, df: stdtr(df, -z)),
    "logsf": standardised(lambda z, df: ag.log(stdtr(df, -z))),
}
_FUNCTIONS = functions(scipy.stats.t, _OWN)
pdf, logpdf, cdf, logcdf, sf, logsf = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.t, name)
