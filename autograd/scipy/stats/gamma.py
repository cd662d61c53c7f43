"""The gamma distribution, with derivatives by x, and of its density by a."""

from __future__ import annotations

from typing import Any

import scipy.stats

import autograd as ag
from autograd.scipy.special import gammainc, gammaincc
from autograd.scipy.stats.distribution import functions, standardised


def _logpdf(z: Any, a: Any) -> Any:
    return ag.xlogy(a - 1, z) - z - ag.gammaln(a)


_OWN = {
    "pdf": standardised(lambda z, a: ag.exp(_logpdf(z, a)), "plain"),
    "logpdf": standardised(_logpdf, "log"),
    "cdf": standardised(lambda z, a: gammainc(a, z)),
    "logcdf": standardised(lambda z, a: ag.log(gammainc(a, z))),
    "sf": standardised(lambda z, a: gammaincc(a, z)),
    "logsf": standardised(lambda z, a: ag.log(gammaincc(a, z))),
}
_FUNCTIONS = functions(scipy.stats.gamma, _OWN)
pdf, logpdf, cdf, logcdf, sf, logsf = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.gamma, name)
