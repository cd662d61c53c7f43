"""Special functions under SciPy's names, each with its partial derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import scipy

from autograd.domain import Domain, Integers, Interval
from autograd.errors import DTypeError
from autograd.ops.compare import equal, less_equal, logical_and
from autograd.ops.complex import is_complex, sign
from autograd.ops.elementwise import POSITIVE, divide, exp, log, log1p, of_scipy, sigmoid, where
from autograd.primitive import Primitive, elementwise

__all__ = [
    "digamma",
    "entr",
    "erfinv",
    "expit",
    "gamma",
    "gammaln",
    "i0e",
    "i1e",
    "log_ndtr",
    "logit",
    "ndtr",
    "polygamma",
    "xlog1py",
    "xlogy",
]

BETWEEN = Interval(0.1, 0.9)
WIDE = Interval(-3, 3, avoid=(0,), margin=0.3)
ROOT_HALF_PI, ROOT_TWO_PI = math.sqrt(math.pi) / 2, math.sqrt(2 * math.pi)


def _special(
    name: str, inputs: str, partials: tuple[Any, ...], domain: Domain | tuple[Domain, ...], doc: str
) -> Primitive:
    """SciPy's function of that name, which kernels do not have: a fused function with it runs as it is written."""
    op = elementwise(name, inputs, of_scipy(name), partials=partials, domain=domain, doc=doc)
    op.code = None
    return op


def _polygamma(n: Any, x: Any) -> Any:
    if is_complex(x):
        raise DTypeError("polygamma was given complex numbers, where there is no value, and digamma no derivative.")
    y = scipy.special.polygamma(n, x)
    return y.astype(x.dtype) if hasattr(x, "dtype") and x.dtype.kind == "f" else y


polygamma: Primitive = elementwise(
    "polygamma",
    "n x",
    _polygamma,
    partials=(0, lambda n, x: polygamma(n + 1, x)),
    domain=(Integers(1, 3), Interval(1, 4)),
    doc="The n-th derivative of digamma at x, for whole n.",
)
polygamma.code = None
digamma = _special("digamma", "x", (lambda x: polygamma(1, x),), Interval(0.5, 4), "The derivative of log gamma(x).")
gammaln = _special("gammaln", "x", (lambda x: digamma(x),), Interval(0.5, 4), "log |gamma(x)|.")
gamma = _special("gamma", "x", (lambda y, x: y * digamma(x),), Interval(0.5, 4), "The gamma function, (x - 1)!.")
erfinv = _special(
    "erfinv", "x", (lambda y: ROOT_HALF_PI * exp(y * y),), Interval(-0.8, 0.8), "The y with erf(y) = x, for -1 < x < 1."
)
ndtr = elementwise(
    "ndtr",
    "x",
    of_scipy("ndtr"),
    partials=(lambda x: exp(-0.5 * x * x) * (1 / ROOT_TWO_PI),),
    domain=Interval(-3, 3),
    doc="The standard normal distribution below x.",
)
log_ndtr = _special(
    "log_ndtr",
    "x",
    (lambda y, x: exp(-0.5 * x * x - y) * (1 / ROOT_TWO_PI),),
    Interval(-3, 3),
    "log(ndtr(x)), exact far below 0.",
)
logit = _special("logit", "x", (lambda x: 1 / (x * (1 - x)),), BETWEEN, "log(x / (1 - x)).")
entr = _special("entr", "x", (lambda x: -log(x) - 1,), POSITIVE, "-x log(x), 0 at 0 and -inf below.")


def _log_slope(a: Any, b: Any, logarithm: Callable[[Any], Any], lowest: float) -> Any:
    """log(b), and 0 where a log(b) is 0 log(0), which is 0 for every a beside it by convention."""
    nought = logical_and(equal(a, 0), (equal if is_complex(b) else less_equal)(b, lowest))
    return where(nought, 0, logarithm(where(nought, lowest + 1, b)))


def _share(a: Any, b: Any) -> Any:
    """a / b, and 0 where a is 0."""
    nought = equal(a, 0)
    return where(nought, 0, divide(a, where(nought, 1, b)))


xlogy = _special(
    "xlogy",
    "a b",
    (lambda a, b: _log_slope(a, b, log, 0), lambda a, b: _share(a, b)),
    (WIDE, POSITIVE),
    "a log(b), 0 where a is 0.",
)
xlog1py = _special(
    "xlog1py",
    "a b",
    (lambda a, b: _log_slope(a, b, log1p, -1), lambda a, b: _share(a, 1 + b)),
    (WIDE, Interval(-0.7, 3)),
    "a log(1 + b), 0 where a is 0.",
)


def _bessel_slope(y: Any, x: Any) -> Any:
    """d i1e = i0e - (sign(x) + 1/x) i1e, and one half at 0."""
    nought = equal(x, 0)
    return i0e(x) - where(nought, 0.5, y * (sign(x) + 1 / where(nought, 1, x)))


i0e: Primitive = _special(
    "i0e", "x", (lambda y, x: i1e(x) - sign(x) * y,), WIDE, "e^-|x| I0(x), the modified Bessel function of order 0."
)
i1e: Primitive = _special("i1e", "x", (_bessel_slope,), WIDE, "e^-|x| I1(x), the modified Bessel function of order 1.")
expit = sigmoid
