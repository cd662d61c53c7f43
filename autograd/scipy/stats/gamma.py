"""The gamma distribution, with derivatives by x, and of its density by a."""

from __future__ import annotations

from typing import Any

import scipy.stats

import autograd as ag
from autograd.scipy.special import gammainc
from autograd.scipy.stats.distribution import functions, standardised


def _logpdf(z: Any, a: Any) -> Any:
    return ag.xlogy(a - 1, z) - z - ag.gammaln(a)


_OWN = {
    "pdf": standardised(lambda z, a: ag.exp(_logpdf(z, a)), "plain"),
    "logpdf": standardised(_logpdf, "log"),
    "cdf": standardised(lambda z, a: gammainc(a, z)),
}
_FUNCTIONS = functions(scipy.stats.gamma, _OWN)
pdf, logpdf, cdf = (_FUNCTIONS[name] for name in ("pdf", "logpdf", "cdf"))


def __getattr__(name: str) -> Any:
    return getattr(scipy.stats.gamma, name)
