"""The beta distribution, with derivatives by x, and of its density by a and b."""

from __future__ import annotations

from typing import Any

import scipy.stats

import autograd as ag
from autograd.scipy.special import betainc, betaln
from autograd.scipy.stats.distribution import functions, standardised


def _logpdf(z: Any, a: Any, b: Any) -> Any:
    return ag.xlogy(a - 1, z) + ag.xlog1py(b - 1, -z) - betaln(a, b)


_OWN = {
    "pdf": standardised(lambda z, a, b: ag.exp(_logpdf(z, a, b)), "plain"),
    "logpdf": standardised(_logpdf, "log"),
    "cdf": standardised(lambda z, a, b: betainc(a, b, z)),
    "logcdf": standardised(lambda z, a, b: ag.log(betainc(a, b, z))),
    "sf": standardised(lambda z, a, b: betainc(b, a, 1 - z)),
    "logsf": standardised(lambda z, a, b: ag.log(betainc(b, a, 1 - z))),
}
_FUNCTIONS = functions(scipy.stats.beta, _OWN)
pdf, logpdf, cdf, logcdf, sf, logsf = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.beta, name)
