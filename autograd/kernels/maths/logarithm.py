"""log and what is made of it: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)], log(1 + f) by a polynomial."""

from __future__ import annotations

from autograd.kernels.maths.emit import (
    FLOAT32,
    INF,
    Value,
    bits,
    converted,
    fabs,
    floating,
    fma,
    maximum,
    polynomial,
    same,
    select,
    signs,
    two_product,
)
from autograd.kernels.maths.exponential import LN2, LN2_LOW, TINY, exp_below

SQRT_HALF = {"float32": 0x3F3504F3, "float64": 0x3FE6A09E667F3BCD}
SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}
LARGEST = {"float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}
LOG2E = {"float32": 1.4426950216293335, "float64": 1.4426950408889634}
LOG2E_LOW = {"float32": 1.925963033500011e-08, "float64": 2.0355273740931033e-17}

# float32: (log(1 + f) - f + f^2 / 2) / f^3. float64: (2 atanh(s) - 2 s) / s^3, in s^2.
LOG = {
    "float32": (0.33333912, -0.2500135, 0.19962992, -0.16577327, 0.14915563, -0.14266272, 0.086916484),
    "float64": (
        0.6666666666666735,
        0.39999999999408636,
        0.28571428743974786,
        0.2222219838842522,
        0.1818357495186031,
        0.15313754654981893,
        0.14799134424500246,
    ),
}


def split(x: Value) -> tuple[Value, Value]:
    """(the integer k shifted to the exponent's place, f) of a positive normal x."""
    sqrt_half, exponent = SQRT_HALF[x.kind.name], (1 << (x.kind.width - x.kind.mantissa)) - 1
    k = (bits(x) - sqrt_half) & (exponent << x.kind.mantissa)
    return k, floating(bits(x) - k) - 1.0


def split_any(x: Value) -> tuple[Value, Value]:
    """The same of a positive x that may be subnormal: then its bits, as a number, are that many times its unit."""
    kind = x.kind
    small = x < SMALLEST_NORMAL[kind.name]
    k, f = split(select(small, converted(bits(x)), x))
    return select(small, k - ((kind.bias + kind.mantissa - 1) << kind.mantissa), k), f


def parts(f: Value) -> tuple[Value, Value]:
    """Two factors of log(1 + f) - f."""
    if f.kind == FLOAT32:
        return f * f, fma(f, polynomial(f, LOG), -0.5)
    s = f / (2.0 + f)
    z = s * s
    return s, fma(z, polynomial(z, LOG), -f)


def assemble(k: Value, f: Value) -> Value:
    """K ln 2 + log(1 + f), for k as `split` gives it."""
    a, b = parts(f)
    whole, unit, name = converted(k), 2.0**-f.kind.mantissa, f.kind.name
    if f.kind == FLOAT32:  # ln 2 happens to be so near a float32 that its second part does not count
        return fma(whole, unit * LN2[name], fma(a, b, f))
    return fma(whole, unit * LN2[name], f + fma(a, b, whole * (unit * LN2_LOW[name])))


def ends(x: Value, y: Value, pole: float) -> Value:
    """Y where x is above the pole; -inf at it, NaN below it, and x itself at +inf and NaN."""
    y = maximum(x - LARGEST[x.kind.name], y)  # the first is far below y wherever x is finite
    y = floating(bits(y) | signs(x - pole if pole else x))
    return select(same(x, pole), y.constant(-INF), y)


def log(x: Value) -> Value:
    """The natural logarithm."""
    k, f = split_any(x)
    return ends(x, assemble(k, f), 0.0)


def log2(x: Value) -> Value:
    """The logarithm to base 2, exact for powers of two."""
    k, f = split_any(x)
    high, low = two_product(f, LOG2E[x.kind.name])
    a, b = parts(f)
    low = low + fma(a * b, LOG2E[x.kind.name], f * LOG2E_LOW[x.kind.name])
    return ends(x, fma(converted(k), 2.0**-x.kind.mantissa, high + low), 0.0)


def log1p_above(x: Value) -> Value:
    """log(1 + x) for x > -1, finite."""
    kind = x.kind
    u = 1.0 + x
    lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))
    k, f = split(u)
    # 2^(1-k) of the half, since 2^-k may be too small for a normal number.
    y = assemble(k, fma(0.5 * lost, floating(((kind.bias + 1) << kind.mantissa) - k), f))
    return select(fabs(x) < TINY[kind.name], x, y)


def log1p(x: Value) -> Value:
    """log(1 + x)."""
    return ends(x, log1p_above(x), -1.0)


def softplus(x: Value) -> Value:
    """log(1 + e^x)."""
    return maximum(x, 0.0) + log1p_above(exp_below(-fabs(x)))
