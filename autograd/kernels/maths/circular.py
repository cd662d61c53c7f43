"""sin, cos, tan and atan; the first three by Cody-Waite reduction with pi in three parts, up to `LIMIT`."""

from __future__ import annotations

from autograd.kernels.maths.emit import (
    Value,
    bits,
    copysign,
    fabs,
    floating,
    fma,
    minimum,
    nonzero,
    polynomial,
    quotient,
    select,
    two_sum,
)

LIMIT = {"float32": 2.0**15, "float64": 2.0**30}
INVERSE_PI = 0.3183098861837907
PI = {
    "float32": (3.1415927410125732, -8.742277657347586e-08, -3.4302490200117637e-15),
    "float64": (3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33),
}

# (sin(r) / r - 1) / r^2, in r^2, for |r| < pi / 2
SIN = {
    "float32": (-0.1666666, 0.008333068, -0.00019809665, 2.6057778e-06),
    "float64": (
        -0.16666666666666666,
        0.008333333333333207,
        -0.0001984126984121241,
        2.755731921154547e-06,
        -2.5052106901186982e-08,
        1.6058940793289265e-10,
        -7.643012857825052e-13,
        2.721340797696041e-15,
    ),
}
# The same for |r| < pi / 4, and (cos(r) - 1 + r^2 / 2) / r^4
SIN_NEAR = {
    "float32": (-0.16666654, 0.008332106, -0.0001950784),
    "float64": (
        -0.1666666666666663,
        0.008333333333321785,
        -0.00019841269829288475,
        2.7557313508213866e-06,
        -2.5050728949489586e-08,
        1.5895086250761554e-10,
    ),
}
COS_NEAR = {
    "float32": (0.041666646, -0.0013887301, 2.4430656e-05),
    "float64": (
        0.041666666666666595,
        -0.0013888888888873303,
        2.480158728894688e-05,
        -2.7557314191708907e-07,
        2.0875700689857055e-09,
        -1.1358442507022239e-11,
    ),
}
# (atan(z) / z - 1) / z^2, in z^2, for |z| <= tan(pi / 8)
ATAN = {
    "float32": (-0.33333316, 0.19998531, -0.14244466, 0.105997495, -0.06091486),
    "float64": (
        -0.333333333333332,
        0.199999999999538,
        -0.14285714280217543,
        0.11111110784497165,
        -0.09090897787133834,
        0.07692060727691918,
        -0.06663109724670013,
        0.05847929248106993,
        -0.05039477835294902,
        0.03806877448341103,
        -0.017911615170355336,
    ),
}
# Multiples of pi / 4 in two parts
QUARTER = {
    "float32": (0.7853981852531433, -2.1855694143368964e-08),
    "float64": (0.7853981633974483, 3.061616997868383e-17),
}
FAR = {"float32": 1e12, "float64": 1e24}  # atan is pi / 2 to the last bit


def sine(r: Value) -> Value:
    """The sine of |r| < pi / 2."""
    z = r * r
    return fma(r * z, polynomial(z, SIN), r)


def signed(y: Value, parity: Value, sign: Value | int = 0) -> Value:
    """Y with its sign changed where the last bit of `parity` is set, and by the sign bits in `sign`."""
    return floating(bits(y) ^ (parity << (y.kind.width - 1)) ^ sign)


def sin_small(x: Value) -> Value:
    """The sine up to LIMIT."""
    a, kind = fabs(x), x.kind
    shifted = fma(a, INVERSE_PI, kind.shifter)
    k = shifted - kind.shifter
    for part in PI[kind.name]:
        a = fma(-k, part, a)
    return signed(sine(a), bits(shifted), bits(x) & kind.sign)


def cos_small(x: Value) -> Value:
    """The cosine up to LIMIT: |x| = (k + 1/2) pi + r, so that the result is sin(r) or its negative."""
    a, kind = fabs(x), x.kind
    shifted = fma(a, INVERSE_PI, -0.5) + (kind.shifter + 1.0)
    k = fma(shifted - (kind.shifter + 1.0), 2.0, 1.0)
    for part in PI[kind.name]:
        a = fma(-k, 0.5 * part, a)
    return signed(sine(a), bits(shifted))


def tan_small(x: Value) -> Value:
    """The tangent up to LIMIT: sin(r) / cos(r), or -cos(r) / sin(r) after an odd number of quarter turns."""
    a, kind = fabs(x), x.kind
    high, middle, low = (0.5 * part for part in PI[kind.name])
    shifted = fma(a, 2.0 * INVERSE_PI, kind.shifter)
    k = shifted - kind.shifter
    exact = fma(-k, high, a)
    r = fma(-k, middle, exact)
    r_low = fma(-k, low, fma(-k, middle, exact - r))
    z = r * r
    s, s_low = two_sum(r, fma(r * z, polynomial(z, SIN_NEAR), r_low))
    c, c_low = two_sum(r.constant(1.0), z * fma(z, polynomial(z, COS_NEAR), -0.5))
    parity = bits(shifted)
    odd = nonzero(parity & 1)
    swapped = select(odd, c, s), select(odd, c_low, s_low), select(odd, s, c), select(odd, s_low, c_low)
    y, correction = quotient(*swapped)
    return signed(y + correction, parity, bits(x) & kind.sign)


def atan(x: Value) -> Value:
    """The angle whose tangent is x: of -1 / a or (a - 1) / (a + 1) plus pi / 2 or pi / 4 where a = |x| is not small."""
    name = x.kind.name
    a = minimum(fabs(x), FAR[name])
    middle, far = a > 0.41421356237309503, a > 2.414213562373095
    below, above = select(a < 1.0, a, 1.0), select(a < 1.0, a.constant(1.0), a)
    b, b_low = two_sum(above, below)
    t, t_low = two_sum(select(a < 1.0, a.constant(-1.0), a), select(a < 1.0, a, -1.0))
    numerator = select(far, a.constant(-1.0), select(middle, t, a))
    denominator = select(far, a, select(middle, b, 1.0))
    only = middle & ~far
    z, z_low = quotient(numerator, select(only, t_low, 0.0), denominator, select(only, b_low, 0.0))
    quarter, quarter_low = QUARTER[name]
    base = select(far, a.constant(2.0 * quarter), select(middle, a.constant(quarter), 0.0))
    base_low = select(far, a.constant(2.0 * quarter_low), select(middle, a.constant(quarter_low), 0.0))
    w = z * z
    return copysign(base + (z + (fma(z * w, polynomial(w, ATAN), z_low) + base_low)), x)
