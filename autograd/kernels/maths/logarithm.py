"""log and what is made of it: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)], log(1 + f) by a polynomial."""

from __future__ import annotations

from collections.abc import Callable

from autograd.kernels.maths.emit import (
    FLOAT32,
    INF,
    NAN,
    Value,
    above,
    bits,
    fabs,
    floating,
    fma,
    maximum,
    polynomial,
    same,
    select,
    two_product,
)
from autograd.kernels.maths.exponential import LN2, LN2_LOW, TINY, exp_below
from autograd.kernels.maths.guard import guarded

Join = Callable[[Value, Value], Value]  # of k and f

SQRT_HALF = {"float32": 0x3F3504F3, "float64": 0x3FE6A09E667F3BCD}
SMALLEST_NORMAL = {"float32": 2.0**-126, "float64": 2.0**-1022}
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


# (log(1 + e) - e) / e^2 for 0 <= e <= 1, in e
SOFTPLUS = {
    "float32": (
        -0.4999993145465851,
        0.3333047926425934,
        -0.2495829313993454,
        0.19694025814533234,
        -0.15351729094982147,
        0.10674732178449631,
        -0.05760999023914337,
        0.020176904276013374,
        -0.003312572604045272,
    )
}


def split(x: Value, exponent_of_x: Value | float = 0.0) -> tuple[Value, Value, Value]:
    """(k, f, the biased exponent field k + bias) of a positive normal x; `exponent_of_x` is taken from k."""
    kind = x.kind
    sqrt_half, ones = SQRT_HALF[kind.name], (1 << kind.mantissa) - 1
    moved = bits(x) + ((kind.bias << kind.mantissa) - sqrt_half)
    field = moved >> kind.mantissa
    # The integer is read as a float by putting it in the last bits of 2^mantissa: AVX2 cannot convert 64-bit integers.
    whole = floating(field | ((kind.bias + kind.mantissa) << kind.mantissa))
    k = whole - (exponent_of_x + (2.0**kind.mantissa + kind.bias))
    return k, floating((moved & ones) + sqrt_half) - 1.0, field


def parts(f: Value) -> tuple[Value, Value]:
    """Two factors of log(1 + f) - f."""
    if f.kind == FLOAT32:
        return f * f, fma(f, polynomial(f, LOG), -0.5)
    s = f / (2.0 + f)
    z = s * s
    return s, fma(z, polynomial(z, LOG), -f)


def assemble(k: Value, f: Value) -> Value:
    """K ln 2 + log(1 + f)."""
    a, b = parts(f)
    if f.kind == FLOAT32:  # ln 2 happens to be so near a float32 that its second part does not count
        return fma(k, LN2[f.kind.name], fma(a, b, f))
    return fma(k, LN2[f.kind.name], f + fma(a, b, k * LN2_LOW[f.kind.name]))


def split_any(x: Value) -> tuple[Value, Value]:
    """(k, f) of a positive x that may be subnormal."""
    small, mantissa = x < SMALLEST_NORMAL[x.kind.name], x.kind.mantissa
    k, f, _ = split(select(small, x * 2.0**mantissa, x), select(small, x.constant(float(mantissa)), 0.0))
    return k, f


def ends(x: Value, y: Value, pole: float) -> Value:
    """Y where x is above the pole; -inf at it, NaN below it, and x itself at +inf and NaN."""
    return select(x < INF, select(x > pole, y, select(same(x, pole), y.constant(-INF), NAN)), x)


def unusual(x: Value) -> Value:
    """Whether x is anything but a positive normal number: as whole numbers, those are one run."""
    first, mantissa, end = 1 << x.kind.mantissa, x.kind.mantissa, (1 << (x.kind.width - 1)) - (1 << x.kind.mantissa)
    assert end >> mantissa == 2 * x.kind.bias + 1  # the exponent of infinity
    return above(bits(x) - first, end - first - 1)


def assemble2(k: Value, f: Value) -> Value:
    """K + log2(1 + f)."""
    name = f.kind.name
    high, low = two_product(f, LOG2E[name])
    a, b = parts(f)
    low = low + fma(a * b, LOG2E[name], f * LOG2E_LOW[name])
    return k + (high + low)


def of_normal(join: Join) -> Callable[[Value], Value]:
    """A logarithm of positive normal numbers."""

    def near(x: Value) -> Value:
        k, f, _ = split(x)
        return join(k, f)

    return near


def of_any(join: Join) -> Callable[[Value], Value]:
    """A logarithm of any number."""
    return lambda x: ends(x, join(*split_any(x)), 0.0)


log = guarded("log", of_normal(assemble), unusual, of_any(assemble), wide=True)  # natural
log2 = guarded("log2", of_normal(assemble2), unusual, of_any(assemble2), wide=True)  # exact for powers of two


def log1p_above(x: Value) -> Value:
    """log(1 + x) for x > -1, finite."""
    kind = x.kind
    u = 1.0 + x
    lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))
    k, f, field = split(u)
    # 2^(1-k) of the half, since 2^-k may be too small for a normal number.
    y = assemble(k, fma(0.5 * lost, floating(((2 * kind.bias + 1) - field) << kind.mantissa), f))
    return select(fabs(x) < TINY[kind.name], x, y)


def log1p(x: Value) -> Value:
    """log(1 + x)."""
    return ends(x, log1p_above(x), -1.0)


def softplus(x: Value) -> Value:
    """log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|."""
    e = exp_below(-fabs(x))
    return maximum(x, 0.0) + (fma(e * e, polynomial(e, SOFTPLUS), e) if x.kind == FLOAT32 else log1p_above(e))
