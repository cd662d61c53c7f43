"""pow, sqrt and rsqrt. pow of float32 is computed in float64; of float64, with the logarithm in two parts."""

from __future__ import annotations

from autograd.kernels.maths.emit import (
    FLOAT32,
    FLOAT64,
    INF,
    NAN,
    Value,
    bits,
    cast,
    fabs,
    floating,
    fma,
    maximum,
    minimum,
    nonzero,
    polynomial,
    quotient,
    rint,
    same,
    select,
    sqrt,
    two_product,
    two_sum,
)
from autograd.kernels.maths.exponential import EXPM1, HIGH, LOW, SHALLOW, reduce, scale
from autograd.kernels.maths.logarithm import split, split_any

__all__ = ["pow", "rsqrt", "sqrt"]

LN2_SHORT, LN2_REST = 0.693147180559663, 2.8235290563031577e-13  # k times the first is exact
TWO_THIRDS, TWO_THIRDS_LOW = 0.6666666666666666, 3.700743415417188e-17
# (2 atanh(s) - 2 s) / s^5 - 2/3 / s^2, in s^2
ATANH = (
    0.39999999999999974,
    0.28571428571447044,
    0.22222222217069212,
    0.18181818927283647,
    0.15384553008543111,
    0.1333646511131021,
    0.11671838490404597,
    0.12013683928482653,
)
# log2((1 + s) / (1 - s)) / s, in s^2, and 2^r, both to float32's needs
LOG2 = (
    2.8853900817778486,
    0.9617966941160239,
    0.5770779415501487,
    0.41220933823357114,
    0.3199020380461723,
    0.2829542995070901,
)
EXP2 = (
    0.9999999999589193,
    0.6931471805346417,
    0.2402265121965607,
    0.05550410977377888,
    0.009618024793094178,
    0.0013333421599539012,
    0.00015469991434356565,
    1.5316707820831817e-05,
)


def rsqrt(x: Value) -> Value:
    """1 / sqrt(x)."""
    return 1.0 / sqrt(x)


def log_ends(a: Value, y: Value) -> Value:
    """The logarithm y of a = |x|, mended at 0, infinity and NaN."""
    return select(a < INF, select(a > 0.0, y, -INF), a)


def wide_log(a: Value) -> tuple[Value, Value]:
    """log(a) of a float64 in two parts, to about 2^-67 of itself."""
    k, f = split_any(a)
    d, d_low = two_sum(a.constant(2.0), f)
    s, s_low = quotient(f, 0.0, d, d_low)
    s, s_low = two_sum(s, s_low)
    z, z_low = two_product(s, s)
    z_low = fma(2.0 * s, s_low, z_low)
    c, c_low = two_sum(a.constant(TWO_THIRDS), z * polynomial(z, ATANH))
    c_low = c_low + TWO_THIRDS_LOW
    p, p_low = two_product(z, c)
    p_low = fma(z, c_low, fma(z_low, c, p_low))
    q, q_low = two_product(s, p)
    q_low = fma(s, p_low, fma(s_low, p, q_low))
    m, m_low = two_sum(2.0 * s, q)
    total, total_low = two_sum(k * LN2_SHORT, m)
    return two_sum(total, total_low + (m_low + (q_low + 2.0 * s_low) + k * LN2_REST))


def wide_power(a: Value, y: Value) -> Value:
    """A^y of float64 numbers, a >= 0."""
    high, low = wide_log(a)
    high = log_ends(a, high)
    name = a.kind.name
    t, t_low = two_product(y, high)
    t_low = fma(y, low, t_low)
    clipped = maximum(minimum(t, HIGH[name]), LOW[name])
    t_low = select(same(t, clipped), t_low, 0.0)
    r, r_low, exponent = reduce(clipped)
    r = r + (r_low + t_low)
    return scale(1.0 + fma(r * r, polynomial(r, EXPM1), r), exponent, clipped < SHALLOW[name])


def narrow_power(a: Value, y: Value) -> Value:
    """A^y of float32 numbers, a >= 0, by way of float64."""
    wide = cast(a, FLOAT64)
    k, f, _ = split(wide)
    s = f / (2.0 + f)
    t = cast(y, FLOAT64) * log_ends(wide, fma(s, polynomial(s * s, LOG2), k))
    t = maximum(minimum(t, 200.0), -200.0)
    shifter = FLOAT64.shifter + FLOAT64.bias
    shifted = t + shifter
    r = t - (shifted - shifter)
    return cast(polynomial(r, EXP2) * floating(bits(shifted) << FLOAT64.mantissa), FLOAT32)


def pow(x: Value, y: Value) -> Value:
    """X^y; a negative x has a real power only for whole y."""
    a = fabs(x)
    r = narrow_power(a, y) if x.kind == FLOAT32 else wide_power(a, y)
    half = 0.5 * y
    whole = same(rint(y), y)
    odd = whole & ~same(rint(half), half)
    flip = odd & nonzero(bits(x) & x.kind.sign)
    r = select(flip, -r, r)
    r = select((x < 0.0) & (x > -INF) & ~whole, r.constant(NAN), r)
    unit = same(a, 1.0) & (same(x, 1.0) | same(fabs(y), INF))
    return select(same(y, 0.0) | unit, r.constant(1.0), r)
