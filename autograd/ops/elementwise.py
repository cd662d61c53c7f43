"""Elementwise operations: each with its partial derivatives and the domain on which it is smooth.

A partial derivative is that of an analytic function of complex numbers too, written once and without a conjugate. What
is not analytic (`conj`, `real`, `imag`, `abs`, `angle`, `sign`) stands in `autograd.ops.complex`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from autograd.domain import REALS, Booleans, Interval, case
from autograd.errors import ArgumentError, DTypeError
from autograd.ops.compare import equal, greater, greater_equal, less, less_equal, logical_and
from autograd.ops.complex import NONZERO, is_complex, sign
from autograd.ops.complex import abs as abs
from autograd.primitive import Primitive, elementwise, functions, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Tensor

POSITIVE = Interval(0.2, 4)
UNIT = Interval(-0.9, 0.9)
STEPS = Interval(-2.4, 2.4, avoid=(-2.5, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 2.5))
LN2, LN10 = math.log(2), math.log(10)
_FLOAT = np.dtype(float)


def of_scipy(name: str) -> Callable[..., Any]:
    """The function of `scipy.special` of that name, in half precision too, of which SciPy makes double."""

    def forward(*xs: Any) -> Any:  # looked up late: scipy loads its submodules on first use
        y = getattr(scipy.special, name)(*xs)
        return y.astype(np.float16) if np.result_type(*xs) == np.float16 else y

    return forward


# ---- arithmetic

add = elementwise("add", "a b", np.add, partials=(1, 1), code="a + b", doc="a + b.")
subtract = elementwise("subtract", "a b", np.subtract, partials=(1, -1), code="a - b", doc="a - b.")
multiply = elementwise("multiply", "a b", np.multiply, partials=(lambda b: b, lambda a: a), code="a * b", doc="a b.")


def _inverse(b: Any) -> Any:
    """1 / b, infinite for a Python zero too."""
    return 1 / b if not isinstance(b, (int, float)) or b else math.inf


divide = elementwise(
    "divide",
    "a b",
    np.divide,
    partials=(lambda b: _inverse(b), lambda y, b: -y / b),
    domain=(Interval(-2, 2), NONZERO),
    code="a / b",
    doc="a / b.",
)
negative = elementwise("negative", "x", np.negative, partials=(-1,), code="-x", doc="-x.")
positive = elementwise("positive", "x", np.positive, partials=(1,), code="x", doc="x, in memory of its own.")
reciprocal = elementwise(
    "reciprocal",
    "x",
    np.reciprocal,
    partials=(lambda y: -y * y,),
    domain=NONZERO,
    code="1 / x",
    doc="1 / x, in the dtype of x.",
)
square = elementwise("square", "x", np.square, partials=(lambda x: 2 * x,), code="x * x", doc="x^2.")
sqrt = elementwise(
    "sqrt", "x", np.sqrt, partials=(lambda y: 0.5 / y,), domain=POSITIVE, doc="The square root; its slope at 0 is +inf."
)
rsqrt: Primitive = elementwise(
    "rsqrt", "x", lambda x: 1 / np.sqrt(x), partials=(lambda y: -0.5 * y * y * y,), domain=POSITIVE, doc="1 / sqrt(x)."
)
cbrt = elementwise("cbrt", "x", np.cbrt, partials=(lambda y: 1 / (3 * y * y),), domain=NONZERO, doc="The cube root.")
_WRONG = "select(b < 0, fmod(a, b) > 0, fmod(a, b) < 0)"  # what is left has not the sign of b
_WHOLE = "select(b == 0, a / b, floor(q) + select(q - floor(q) > 0.5, 1, 0))"  # NumPy's, but for the sign of a zero
floor_divide = elementwise(
    "floor_divide",
    "a b",
    np.floor_divide,
    partials=(0, 0),
    domain=(Interval(0.6, 0.9), Interval(0.3, 0.5)),
    code=_WHOLE.replace("q", "((a - fmod(a, b)) / b - select(wrong, 1, 0))").replace("wrong", _WRONG),
    doc="floor(a / b).",
)
remainder = elementwise(
    "remainder",
    "a b",
    np.remainder,
    partials=(1, lambda a, b: -floor(a / b)),
    domain=(Interval(1.1, 1.4), Interval(0.75, 1)),
    code=f"select({_WRONG}, fmod(a, b) + b, fmod(a, b))",
    doc="a - b floor(a / b), with the sign of b.",
)


def _power_slope(a: Any, b: Any) -> Any:
    """d(a^b)/da = b a^(b-1), which is 0 for b = 0 even where a^(b-1) is infinite."""
    if isinstance(b, (int, float)):
        return b * a ** (b - 1) if b else 0 * a
    return where(equal(b, 0), 0, b * _pow(a, where(equal(b, 0), 1, b - 1)))


def _log_of_base(a: Any, y: Any) -> Any:
    """log(a), complex below 0 if the power is complex."""
    return log(a * (1 + 0j)) if is_complex(y) else log(a)


_pow = elementwise(
    "pow",
    "a b",
    np.power,
    partials=(
        _power_slope,
        # 0^b is 0 for every b > 0: its slope along b is 0 there, where log(a) is -inf
        lambda y, a: where_(equal(a, 0), 0, y * _log_of_base(where_(equal(a, 0), 1, a), y)),
    ),
    domain=(POSITIVE, Interval(-2, 2)),
    doc="a^b.",
)


@public(np.power, np.float_power)
def pow(a: Any, b: Any) -> Tensor:
    """a^b, elementwise, with broadcasting; a square for the exponent 2.

    >>> import autograd as ag
    >>> ag.pow(ag.tensor([1.0, 2.0]), 3)
    tensor([1., 8.])
    """
    return square(a) if isinstance(b, (int, float)) and b == 2 else _pow(a, b)


# ---- exponentials and logarithms

exp: Primitive = elementwise("exp", "x", np.exp, partials=(lambda y: y,), doc="e^x.")
exp2 = elementwise("exp2", "x", np.exp2, partials=(lambda y: LN2 * y,), doc="2^x.")
expm1 = elementwise("expm1", "x", np.expm1, partials=(lambda y: y + 1,), doc="e^x - 1, exact near 0.")
log: Primitive = elementwise(
    "log",
    "x",
    np.log,
    partials=(lambda x: 1 / x,),
    domain=POSITIVE,
    doc="The natural logarithm; its slope at 0 is +inf.",
)
log1p = elementwise(
    "log1p", "x", np.log1p, partials=(lambda x: 1 / (1 + x),), domain=Interval(-0.7, 3), doc="log(1 + x), exact near 0."
)
log2 = elementwise(
    "log2", "x", np.log2, partials=(lambda x: 1 / (LN2 * x),), domain=POSITIVE, code="log2(x)", doc="log(x) / log(2)."
)
log10 = elementwise(
    "log10", "x", np.log10, partials=(lambda x: 1 / (LN10 * x),), domain=POSITIVE, doc="log(x) / log(10)."
)


def _share(y: Any, a: Any, b: Any) -> Any:
    """e^(a-y) for y = log(e^a + e^b); one half where both are -inf."""
    return sigmoid(where(equal(y, -math.inf), 0, a - b))


logaddexp = elementwise(
    "logaddexp",
    "a b",
    np.logaddexp,
    partials=(_share, lambda y, a, b: _share(y, b, a)),
    doc="log(e^a + e^b), without overflow.",
)


# ---- circular and hyperbolic functions

sin: Primitive = elementwise("sin", "x", np.sin, partials=(lambda x: cos(x),), doc="Sine, x in radians.")
cos: Primitive = elementwise("cos", "x", np.cos, partials=(lambda x: -sin(x),), doc="Cosine, x in radians.")
tan = elementwise(
    "tan", "x", np.tan, partials=(lambda y: 1 + y * y,), domain=Interval(-1.2, 1.2), doc="Tangent, x in radians."
)
asin = elementwise(
    "asin", "x", np.arcsin, partials=(lambda x: rsqrt(1 - x * x),), domain=UNIT, doc="Inverse sine, in [-pi/2, pi/2]."
)
acos = elementwise(
    "acos", "x", np.arccos, partials=(lambda x: -rsqrt(1 - x * x),), domain=UNIT, doc="Inverse cosine, in [0, pi]."
)
atan = elementwise(
    "atan", "x", np.arctan, partials=(lambda x: 1 / (1 + x * x),), doc="Inverse tangent, in [-pi/2, pi/2]."
)
atan2 = elementwise(
    "atan2",
    "a b",
    np.arctan2,
    partials=(lambda a, b: b / (a * a + b * b), lambda a, b: -a / (a * a + b * b)),
    domain=(NONZERO, POSITIVE),
    doc="The angle of the point (b, a), in [-pi, pi].",
)
sinh: Primitive = elementwise("sinh", "x", np.sinh, partials=(lambda x: cosh(x),), doc="Hyperbolic sine.")
cosh: Primitive = elementwise("cosh", "x", np.cosh, partials=(lambda x: sinh(x),), doc="Hyperbolic cosine.")
tanh = elementwise("tanh", "x", np.tanh, partials=(lambda y: 1 - y * y,), doc="Hyperbolic tangent.")
asinh = elementwise("asinh", "x", np.arcsinh, partials=(lambda x: rsqrt(x * x + 1),), doc="Inverse hyperbolic sine.")
acosh = elementwise(
    "acosh",
    "x",
    np.arccosh,
    partials=(lambda x: rsqrt(x - 1) * rsqrt(x + 1),),
    domain=Interval(1.3, 4),
    doc="Inverse hyperbolic cosine.",
)
atanh = elementwise(
    "atanh", "x", np.arctanh, partials=(lambda x: 1 / (1 - x * x),), domain=UNIT, doc="Inverse hyperbolic tangent."
)
hypot = elementwise(
    "hypot",
    "a b",
    np.hypot,
    partials=(lambda y, a: _ratio(a, y), lambda y, b: _ratio(b, y)),
    domain=NONZERO,
    doc="sqrt(a^2 + b^2), without overflow; its slope at the origin is 0.",
)


def _ratio(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is 0."""
    zero = equal(b, 0)
    return where(zero, 0, a / where(zero, 1, b))


# ---- sigmoidal functions


def floating(x: Any) -> Any:
    """An array of whole numbers or truths as the floating numbers that NumPy's exp takes them for."""
    return x if getattr(x, "dtype", _FLOAT).kind in "fc" else np.asarray(x, np.result_type(x.dtype, np.float16))


def _sigmoid(x: Any) -> Any:
    if is_complex(x):
        return 0.5 + 0.5 * np.tanh(0.5 * x)
    x = floating(x)
    small = np.exp(-np.abs(x))  # in (0, 1]: nothing overflows on either side
    return np.where(np.greater_equal(x, 0), 1, small) / (1 + small)


sigmoid: Primitive = elementwise("sigmoid", "x", _sigmoid, partials=(lambda y: y * (1 - y),), doc="1 / (1 + e^-x).")


def _softplus(x: Any) -> Any:
    if is_complex(x):
        raise DTypeError(
            "softplus was given complex numbers. Write ag.log(1 + ag.exp(x)) for its analytic continuation."
        )
    x = floating(x)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


softplus = elementwise(
    "softplus",
    "x",
    _softplus,
    partials=(lambda x: sigmoid(x),),
    doc="log(1 + e^x), without overflow.",
)
erf = elementwise(
    "erf",
    "x",
    of_scipy("erf"),
    partials=(lambda x: (2 / math.sqrt(math.pi)) * exp(-x * x),),
    doc="The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.",
)
erfc = elementwise(
    "erfc",
    "x",
    of_scipy("erfc"),
    partials=(lambda x: (-2 / math.sqrt(math.pi)) * exp(-x * x),),
    doc="1 - erf(x), exact for large x.",
)


# ---- kinks: relu'(0) = 0, abs'(0) = 0; where a = b, maximum and minimum halve the cotangent

relu = elementwise(
    "relu",
    "x",
    lambda x: np.maximum(x, 0),
    partials=(lambda y: greater(y, 0),),
    domain=NONZERO,
    code="maximum(x, 0)",
    doc="max(x, 0); its slope at 0 is 0.",
)


def _wins(a: Any, b: Any) -> Any:
    """1 where a > b, one half where they are equal, else 0, in their own dtype."""
    dtypes = [x.dtype for x in (a, b) if hasattr(x, "dtype") and not getattr(x, "weak", False)]
    return where(equal(a, b), 0.5, functions["astype"](greater(a, b), np.result_type(*dtypes or [float])))


maximum = elementwise(
    "maximum",
    "a b",
    np.maximum,
    partials=(lambda a, b: _wins(a, b), lambda a, b: _wins(b, a)),
    domain=(Interval(-2, 0.4), Interval(0.5, 2)),
    doc="The larger of the two, NaN if either is.",
)
minimum = elementwise(
    "minimum",
    "a b",
    np.minimum,
    partials=(lambda a, b: _wins(b, a), lambda a, b: _wins(a, b)),
    domain=(Interval(-2, 0.4), Interval(0.5, 2)),
    doc="The smaller of the two, NaN if either is.",
)
_clip = elementwise(
    "clip",
    "x low high",
    np.clip,
    partials=(
        lambda x, low, high: logical_and(greater_equal(x, low), less_equal(x, high)),
        lambda x, low: less(x, low),
        lambda x, high: greater(x, high),
    ),
    domain=(Interval(-2, 2, avoid=(-1, 1), margin=0.2), Interval(-1.1, -0.9), Interval(0.9, 1.1)),
    code="minimum(maximum(x, low), high)",
    doc="x within [low, high].",
)


@public(np.clip)
def clip(x: Any, min: Any = None, max: Any = None, *, a_min: Any = None, a_max: Any = None) -> Tensor:
    """x where min <= x <= max, else the nearer bound; at a bound the slope along x is 1.

    `a_min` and `a_max` are NumPy's other names of the bounds.

    >>> import autograd as ag
    >>> ag.clip(ag.tensor([-2.0, 0.5, 9.0]), 0, 1)
    tensor([0. , 0.5, 1. ])
    """
    min, max = a_min if min is None else min, a_max if max is None else max
    if min is None or max is None:
        dtype = getattr(x, "dtype", np.dtype(float))
        widest = (-math.inf, math.inf) if dtype.kind in "fc" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        min, max = widest[0] if min is None else min, widest[1] if max is None else max
    return _clip(x, min, max)


copysign: Primitive = elementwise(
    "copysign",
    "a b",
    np.copysign,
    partials=(lambda a, b: sign(a) * copysign(1.0, b), 0),
    domain=NONZERO,
    doc="|a| with the sign of b.",
)
floor: Primitive = elementwise(
    "floor", "x", np.floor, partials=(0,), domain=STEPS, doc="The largest whole number not above x."
)
ceil = elementwise("ceil", "x", np.ceil, partials=(0,), domain=STEPS, doc="The next whole number up.")
trunc = elementwise("trunc", "x", np.trunc, partials=(0,), domain=STEPS, doc="The whole number next to x towards 0.")
rint = elementwise("rint", "x", np.rint, partials=(0,), domain=STEPS, doc="The nearest whole number, halves to even.")

for _op in (relu, maximum, minimum, _clip, rint):
    _op.analytic = False  # an order of complex numbers is none that derivatives know of


@public(np.divmod)
def divmod(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """a over b rounded down, and what is left: Python's `divmod`."""
    return floor_divide(a, b), remainder(a, b)


@public(np.round, np.around)
def round(x: Any, decimals: int = 0) -> Tensor:
    """x to `decimals` decimal places, or to tens for -1, halves to even; its slope is 0. Whole numbers stay whole.

    >>> import autograd as ag
    >>> ag.round(ag.tensor([0.5, 1.26]), 1)
    tensor([0.5, 1.3])
    """
    whole = getattr(x, "dtype", _FLOAT).kind in "iu"
    if decimals >= 0 and whole:
        return positive(x)
    if decimals > 0:
        return divide(rint(multiply(x, 10.0**decimals)), 10.0**decimals)
    tens = multiply(rint(divide(x, 10.0**-decimals)), 10.0**-decimals) if decimals else rint(x)
    return functions["astype"](tens, x.dtype) if whole else tens


# ---- selection

_CHOICE = (Booleans(), REALS, REALS)
where_: Primitive = primitive(
    "where",
    "condition a b",
    np.where,
    vjp=(
        None,
        lambda g, condition: where_(condition, g, 0),
        lambda g, condition: where_(condition, 0, g),
    ),
    cases=(
        case((3, 4), (3, 4), (3, 4), on=_CHOICE),
        case((4,), (3, 1), (), on=_CHOICE),
        case((), (), (0,), on=_CHOICE),
    ),
    code="select(condition, a, b)",
    doc="a where the condition holds, else b.",
)


@public(np.where)
def where(condition: Any, a: Any = None, b: Any = None) -> Tensor:
    """a where the condition holds, else b, with broadcasting; what is not taken gets no gradient, not even a NaN.

    Without a and b, the places where it holds: `ag.nonzero`.

    >>> import autograd as ag
    >>> x = ag.tensor([0.0, 4.0], requires_grad=True)
    >>> ag.where(x > 0, ag.sqrt(x), 0).sum().backward()
    >>> x.grad
    tensor([0.  , 0.25])
    """
    if a is None and b is None:
        return functions["nonzero"](condition)  # type: ignore[no-any-return]
    if a is None or b is None:
        raise ArgumentError("where was given one of a and b. Expected both, or neither for the places.")
    return where_(condition, a, b)
