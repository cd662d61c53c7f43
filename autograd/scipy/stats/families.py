"""Distributions of `scipy.stats` given by their formulas, with derivatives by x, loc, scale and shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.stats

import autograd as ag
from autograd.scipy.special import gammaincc, i0e
from autograd.scipy.stats.distribution import functions, standardised
from autograd.scipy.stats.poisson import count
from autograd.tracer import getval

_LOG_TAU = math.log(2 * math.pi)
_POSITIVE = math.ulp(0.0)  # the least of the numbers above 0


class Distribution:
    """A distribution of SciPy, some of whose functions have derivatives.

    >>> print(round(float(expon.logpdf(2.0, scale=4.0)), 6))
    -1.886294
    """

    def __init__(self, name: str, own: dict[str, Any]) -> None:
        self.__name__ = name
        vars(self).update(functions(getattr(scipy.stats, name), own))

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(scipy.stats, vars(self)["__name__"]), name)

    def __reduce__(self) -> str:
        return self.__name__


def _on(low: float, high: float, f: Any, below: float, above: float) -> Any:
    """f between two numbers, constants outside, with the arguments of f."""

    def bounded(z: Any, *shapes: Any) -> Any:
        return ag.where(z < low, below, ag.where(z > high, above, f(z, *shapes)))

    bounded.shapes = f.__code__.co_varnames[1 : f.__code__.co_argcount]  # type: ignore[attr-defined]
    return bounded


def _continuous(
    name: str,
    logpdf: Any,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    **probabilities: Any,
) -> Distribution:
    """By the logarithm of the density, and by those of `cdf`, `sf`, `logcdf` and `logsf` that have a formula."""
    known: dict[str, Any] = {"logpdf": _on(low, high, logpdf, -math.inf, -math.inf)}
    ends = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-math.inf, 0.0), "logsf": (0.0, -math.inf)}
    for part, f in probabilities.items():
        known[part] = _on(low, high, f, *ends[part])
    for part in ("cdf", "sf"):
        if f"log{part}" in known and part not in known:
            known[part] = _then(ag.exp, known[f"log{part}"])
    for part, rest in (("cdf", "sf"), ("sf", "cdf")):
        if part in known and f"log{part}" not in known:
            known[f"log{part}"] = _logarithm(known[part], known.get(rest))
    known["pdf"] = _then(ag.exp, known["logpdf"])
    densities = {"pdf": "plain", "logpdf": "log"}
    return Distribution(name, {part: standardised(f, densities.get(part, "")) for part, f in known.items()})


def _then(outer: Any, f: Any) -> Any:
    def both(z: Any, *shapes: Any) -> Any:
        return outer(f(z, *shapes))

    both.shapes = f.shapes  # type: ignore[attr-defined]
    return both


def _logarithm(of: Any, rest: Any) -> Any:
    """The logarithm of a probability, near 1 by that of the contrary, if it is known."""
    if rest is None:
        return _then(ag.log, of)

    def stable(z: Any, *shapes: Any) -> Any:
        p = of(z, *shapes)
        return ag.where(p < 0.5, ag.log(p), ag.log1p(-rest(z, *shapes)))

    stable.shapes = of.shapes  # type: ignore[attr-defined]
    return stable


def _discrete(name: str, logpmf: Any, low: int, high: int | None = None, highest: float = math.inf) -> Distribution:
    """By the logarithm of the probability of whole numbers from `low` to `highest`, or to the shape number `high`."""
    names = logpmf.__code__.co_varnames[1 : logpmf.__code__.co_argcount]

    def located(k: Any, *args: Any, **settings: Any) -> Any:
        given = dict(zip((*names, "loc"), args, strict=False)) | settings
        n = count(k, given.pop("loc", 0))
        shapes = [given[shape] for shape in names]
        inside = (n >= low) & (n <= (highest if high is None else np.asarray(getval(shapes[high]))))
        return ag.where(inside, logpmf(np.where(inside, n, low), *shapes), -math.inf)

    return Distribution(name, {"logpmf": located, "pmf": lambda *args, **settings: ag.exp(located(*args, **settings))})


expon = _continuous(
    "expon", lambda z: -z, low=0, cdf=lambda z: -ag.expm1(-z), sf=lambda z: ag.exp(-z), logsf=lambda z: -z
)
laplace = _continuous(
    "laplace",
    lambda z: -ag.abs(z) - math.log(2),
    cdf=lambda z: ag.where(z < 0, ag.exp(z) / 2, 1 - ag.exp(-z) / 2),
    sf=lambda z: ag.where(z > 0, ag.exp(-z) / 2, 1 - ag.exp(z) / 2),
    logcdf=lambda z: ag.where(z < 0, z - math.log(2), ag.log1p(-ag.exp(-ag.abs(z)) / 2)),
    logsf=lambda z: ag.where(z > 0, -z - math.log(2), ag.log1p(-ag.exp(-ag.abs(z)) / 2)),
)
logistic = _continuous(
    "logistic",
    lambda z: -z - 2 * ag.softplus(-z),
    cdf=lambda z: ag.sigmoid(z),
    sf=lambda z: ag.sigmoid(-z),
    logcdf=lambda z: -ag.softplus(-z),
    logsf=lambda z: -ag.softplus(z),
)
cauchy = _continuous(
    "cauchy",
    lambda z: -math.log(math.pi) - ag.log1p(z * z),
    cdf=lambda z: ag.atan2(1.0, -z) / math.pi,
    sf=lambda z: ag.atan2(1.0, z) / math.pi,
)
uniform = _continuous("uniform", lambda z: z * 0, low=0, high=1, cdf=lambda z: z, sf=lambda z: 1 - z)
halfnorm = _continuous(
    "halfnorm",
    lambda z: math.log(2 / math.pi) / 2 - z * z / 2,
    low=0,
    cdf=lambda z: ag.erf(z / math.sqrt(2)),
    sf=lambda z: ag.erfc(z / math.sqrt(2)),
    logsf=lambda z: math.log(2) + ag.log_ndtr(-z),
)
gumbel_r = _continuous(
    "gumbel_r",
    lambda z: -z - ag.exp(-z),
    logcdf=lambda z: -ag.exp(-z),
    sf=lambda z: -ag.expm1(-ag.exp(-z)),
)
lognorm = _continuous(
    "lognorm",
    lambda z, s: -ag.square(ag.log(z) / s) / 2 - ag.log(s) - ag.log(z) - _LOG_TAU / 2,
    low=_POSITIVE,
    cdf=lambda z, s: ag.ndtr(ag.log(z) / s),
    sf=lambda z, s: ag.ndtr(-ag.log(z) / s),
    logcdf=lambda z, s: ag.log_ndtr(ag.log(z) / s),
    logsf=lambda z, s: ag.log_ndtr(-ag.log(z) / s),
)
pareto = _continuous(
    "pareto",
    lambda z, b: ag.log(b) - (b + 1) * ag.log(z),
    low=1,
    cdf=lambda z, b: -ag.expm1(-b * ag.log(z)),
    logsf=lambda z, b: -b * ag.log(z),
)
weibull_min = _continuous(
    "weibull_min",
    lambda z, c: ag.log(c) + ag.xlogy(c - 1, z) - z**c,
    low=0,
    cdf=lambda z, c: -ag.expm1(-(z**c)),
    logsf=lambda z, c: -(z**c),
)
invgamma = _continuous(
    "invgamma",
    lambda z, a: -(a + 1) * ag.log(z) - ag.gammaln(a) - 1 / z,
    low=_POSITIVE,
    cdf=lambda z, a: gammaincc(a, 1 / z),
)
gennorm = _continuous("gennorm", lambda z, beta: ag.log(beta / 2) - ag.gammaln(1 / beta) - ag.abs(z) ** beta)
vonmises = _continuous("vonmises", lambda z, kappa: kappa * (ag.cos(z) - 1) - _LOG_TAU - ag.log(i0e(kappa)))

bernoulli = _discrete("bernoulli", lambda k, p: ag.where(k > 0, ag.log(p), ag.log1p(-p)), 0, highest=1)
binom = _discrete(
    "binom",
    lambda k, n, p: (
        ag.gammaln(n + 1.0) - ag.gammaln(k + 1.0) - ag.gammaln(n - k + 1.0) + ag.xlogy(k, p) + ag.xlog1py(n - k, -p)
    ),
    0,
    high=0,
)
geom = _discrete("geom", lambda k, p: ag.xlog1py(k - 1, -p) + ag.log(p), 1)
nbinom = _discrete(
    "nbinom",
    lambda k, n, p: ag.gammaln(k + n) - ag.gammaln(n + 0.0) - ag.gammaln(k + 1.0) + ag.xlogy(n, p) + ag.xlog1py(k, -p),
    0,
)
