"""`scipy.special` with derivatives: `from autograd.scipy.special import logsumexp, gammaln`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special

import autograd as ag
from autograd.extend import Extended, defvjp, primitive
from autograd.numpy.manipulation import array
from autograd.numpy.wrap import namespace


def _of(name: str, *makers: Any, first: int = 0) -> Extended:
    """A function of SciPy with rules for its arguments from `first` on; those before have none."""
    function = getattr(scipy.special, name)

    def forward(*args: Any, **settings: Any) -> Any:
        return function(*args, **settings)

    forward.__name__ = name
    op = primitive(forward)
    defvjp(op, *([_unknown(name)] * first), *makers)
    return op


def _unknown(name: str) -> Any:
    def refuse(*_args: Any) -> Any:
        raise ag.errors.DifferentiationError(
            f"the derivative of {name} by its order or shape was asked for, which has no formula here.\n"
            "Expected a constant there: write autograd.tracer.getval(x) if that is meant."
        )

    return refuse


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log(sum(b exp(x))), without overflow."""
    if return_sign:
        raise ag.errors.UnsupportedError("logsumexp(return_sign=True) has no rule. Write it with b and abs.")
    if b is None:
        return ag.logsumexp(x, axis, keepdims=keepdims)
    x, b = array(x), array(b)
    peak = np.max(np.where(b.value == 0, -np.inf, x.value), axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0.0)
    y = ag.log(ag.sum(b * ag.exp(x - peak), axis, keepdims=keepdims))
    return y + (peak if keepdims else np.squeeze(peak, axis=axis))


def betaln(a: Any, b: Any) -> Any:
    """log B(a, b)."""
    return ag.gammaln(a) + ag.gammaln(b) - ag.gammaln(a + b)


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the gamma function of d dimensions."""
    parts = [ag.gammaln(a - j / 2) for j in range(d)]
    return sum(parts[1:], parts[0]) + d * (d - 1) / 4 * math.log(math.pi)


beta: Extended = _of(
    "beta",
    lambda y, a, b: lambda g: g * y * (ag.digamma(a) - ag.digamma(a + b)),
    lambda y, a, b: lambda g: g * y * (ag.digamma(b) - ag.digamma(a + b)),
)
betainc: Extended = _of(
    "betainc",
    lambda y, a, b, x: lambda g: g * ag.exp(ag.xlogy(a - 1, x) + ag.xlog1py(b - 1, -x) - betaln(a, b)),
    first=2,
)
gammainc: Extended = _of(
    "gammainc", lambda y, a, x: lambda g: g * ag.exp(ag.xlogy(a - 1, x) - x - ag.gammaln(a)), first=1
)
gammaincc: Extended = _of(
    "gammaincc", lambda y, a, x: lambda g: -g * ag.exp(ag.xlogy(a - 1, x) - x - ag.gammaln(a)), first=1
)
stdtr: Extended = _of(
    "stdtr",
    lambda y, df, t: (
        lambda g: (
            g
            * ag.exp(ag.gammaln((df + 1) / 2) - ag.gammaln(df / 2) - (df + 1) / 2 * ag.log1p(t * t / df))
            / ag.sqrt(math.pi * ag.asarray(df))
        )
    ),
    first=1,
)
erfcinv: Extended = _of("erfcinv", lambda y, x: lambda g: g * (-math.sqrt(math.pi) / 2) * ag.exp(y * y))
ndtri: Extended = _of("ndtri", lambda y, p: lambda g: g * math.sqrt(2 * math.pi) * ag.exp(y * y / 2))
rgamma: Extended = _of("rgamma", lambda y, x: lambda g: -g * y * ag.digamma(x))
gammasgn: Extended = _of("gammasgn", None)

erfcx: Extended = _of("erfcx", lambda y, x: lambda g: g * (2 * x * y - 2 / math.sqrt(math.pi)))
exp1: Extended = _of("exp1", lambda y, x: lambda g: -g * ag.exp(-x) / x)
expi: Extended = _of("expi", lambda y, x: lambda g: g * ag.exp(x) / x)
expn: Extended = _of("expn", lambda y, n, x: lambda g: -g * expn(n - 1, x), first=1)


def rel_entr(x: Any, y: Any) -> Any:
    """x log(x / y), 0 at x = 0, infinite where one is negative."""
    x, y = array(x), array(y)
    defined = ag.logical_or(ag.logical_and(x > 0, y > 0), ag.logical_and(x == 0, y >= 0))
    return ag.where(defined, ag.xlogy(x, x) - ag.xlogy(x, y), np.inf)


def kl_div(x: Any, y: Any) -> Any:
    """x log(x / y) - x + y, at least 0."""
    return rel_entr(x, y) - x + y


def binom(n: Any, k: Any) -> Any:
    """How many choices of k of n there are, of numbers in between too."""
    return 1 / ((n + 1) * beta(1 + n - k, 1 + k))


def poch(z: Any, m: Any) -> Any:
    """Gamma(z + m) / Gamma(z)."""
    return ag.gamma(z + m) * rgamma(z)


def huber(delta: Any, r: Any) -> Any:
    """r^2 / 2 near zero, delta (|r| - delta / 2) beyond delta."""
    r = array(r)
    return ag.where(ag.abs(r) <= delta, r * r / 2, delta * (ag.abs(r) - delta / 2))


def pseudo_huber(delta: Any, r: Any) -> Any:
    """delta^2 (sqrt(1 + (r / delta)^2) - 1)."""
    return delta * delta * (ag.sqrt(1 + ag.square(r / delta)) - 1)


# Bessel functions: the derivative of one of order n lies between those of the orders beside it
jn: Extended = _of("jn", lambda y, n, x: lambda g: g * (jn(n - 1, x) - jn(n + 1, x)) / 2, first=1)
yn: Extended = _of("yn", lambda y, n, x: lambda g: g * (yn(n - 1, x) - yn(n + 1, x)) / 2, first=1)
jv: Extended = _of("jv", lambda y, n, x: lambda g: g * (jv(n - 1, x) - jv(n + 1, x)) / 2, first=1)
yv: Extended = _of("yv", lambda y, n, x: lambda g: g * (yv(n - 1, x) - yv(n + 1, x)) / 2, first=1)
iv: Extended = _of("iv", lambda y, n, x: lambda g: g * (iv(n - 1, x) + iv(n + 1, x)) / 2, first=1)
kv: Extended = _of("kv", lambda y, n, x: lambda g: -g * (kv(n - 1, x) + kv(n + 1, x)) / 2, first=1)
ive: Extended = _of(
    "ive", lambda y, n, x: lambda g: g * ((ive(n - 1, x) + ive(n + 1, x)) / 2 - y * ag.sign(x)), first=1
)
j0: Extended = _of("j0", lambda y, x: lambda g: -g * j1(x))
y0: Extended = _of("y0", lambda y, x: lambda g: -g * y1(x))
i0: Extended = _of("i0", lambda y, x: lambda g: g * i1(x))
k0: Extended = _of("k0", lambda y, x: lambda g: -g * k1(x))
k1: Extended = _of("k1", lambda y, x: lambda g: -g * (k0(x) + kv(2, x)) / 2)
j1: Extended = _of("j1", lambda y, x: lambda g: g * (j0(x) - jn(2, x)) / 2)
y1: Extended = _of("y1", lambda y, x: lambda g: g * (y0(x) - yn(2, x)) / 2)
i1: Extended = _of("i1", lambda y, x: lambda g: g * (i0(x) + iv(2, x)) / 2)

_OURS = (
    "digamma entr erf erfc erfinv expit gamma gammaln i0e i1e log_ndtr logit ndtr polygamma xlog1py xlogy softmax "
    "log_softmax exp2 expm1 log1p cbrt"
)
_OWN: dict[str, Any] = {name: getattr(ag, name) for name in _OURS.split()} | {
    "psi": ag.digamma,
    "loggamma": ag.gammaln,
    "betaln": betaln,
    "multigammaln": multigammaln,
    "logsumexp": logsumexp,
    "log_expit": lambda x: -ag.softplus(-x),
    "softplus": ag.softplus,
    "exp10": lambda x: ag.pow(10.0, x),
}
_OWN |= {f.__name__: f for f in (rel_entr, kl_div, binom, poch, huber, pseudo_huber)}
for _op in (beta, betainc, gammainc, gammaincc, stdtr, erfcinv, rgamma, gammasgn, jn, yn, jv, yv, iv, kv, ive):
    _OWN[_op.name] = _op
for _op in (j0, y0, i0, j1, y1, i1, k0, k1, ndtri, erfcx, exp1, expi, expn):
    _OWN[_op.name] = _op

globals().update(namespace(scipy.special, _OWN))


def __getattr__(name: str) -> Any:
    return getattr(scipy.special, name)
