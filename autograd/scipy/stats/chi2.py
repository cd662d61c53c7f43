"""The chi-squared distribution, with derivatives by x, and of its density by df."""

from __future__ import annotations

import math
from typing import Any

import scipy.stats

import autograd as ag
from autograd.scipy.special import gammainc, gammaincc
from autograd.scipy.stats.distribution import functions, standardised


def _logpdf(z: Any, df: Any) -> Any:
    return ag.xlogy(df / 2 - 1, z) - z / 2 - ag.gammaln(df / 2) - df * (math.log(2) / 2)


_OWN = {
    "pdf": standardised(lambda z, df: ag.exp(_logpdf(z, df)), "plain"),
    "logpdf": standardised(_logpdf, "log"),
    "cdf": standardised(lambda z, df: gammainc(df / 2, z / 2)),
    "logcdf": standardised(lambda z, df: ag.log(gammainc(df / 2, z / 2))),
    "sf": standardised(lambda z, df: gammaincc(df / 2, z / 2)),
    "logsf": standardised(lambda z, df: ag.log(gammaincc(df / 2, z / 2))),
}
_FUNCTIONS = functions(scipy.stats.chi2, _OWN)
pdf, logpdf, cdf, logcdf, sf, logsf = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.chi2, name)
