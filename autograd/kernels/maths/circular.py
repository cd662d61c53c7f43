"""sin, cos, tan and atan; the first three by Cody-Waite reduction up to `LIMIT`, by `reduction.py` beyond."""

from __future__ import annotations

import math

from autograd.kernels.maths.emit import (
    Value,
    any_two_sum,
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
    two_product,
    two_sum,
)
from autograd.kernels.maths.guard import guarded, outside
from autograd.kernels.maths.reduction import large_angle

LIMIT = {"float32": 2.0**15, "float64": 2.0**30}
PI = {
    "float32": (3.1415927410125732, -8.742277657347586e-08, -3.4302490200117637e-15),
    "float64": (3.141592653589793, 1.2246467991473532e-16, -2.9947698097183397e-33),
}
HALF_PI = {
    "float32": (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    "float64": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
}

# (sin(r) / r - 1) / r^2, in r^2, for |r| < pi / 2
SINE = {
    "float32": (-0.16666652, 0.008332893, -0.00019798269, 2.5833233e-06),
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
# (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4, in r^2, for |r| < pi / 4
SIN = {
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
COS = {
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
    """The sine of at most a quarter turn; near its end, what rounding takes from r^2 counts."""
    z, z_low = two_product(r, r)
    first, *rest = SINE[r.kind.name]
    return fma(r, fma(z, fma(z, polynomial(z, rest), first), z_low * first), r)


def flipped(y: Value, halves: Value) -> Value:
    """Y with its sign changed by an odd number of half turns."""
    return floating(bits(y) ^ (halves << (y.kind.width - 1)))


def less_turns(x: Value, k: Value) -> Value:
    """X - k pi, the large part exactly."""
    for part in PI[x.kind.name]:
        x = fma(-k, part, x)
    return x


def sin_near(x: Value) -> Value:
    """The sine up to LIMIT: |x| less the nearest whole number of half turns."""
    a, shifter = fabs(x), x.kind.shifter
    shifted = fma(a, 1.0 / math.pi, shifter)
    y = flipped(sine(less_turns(a, shifted - shifter)), bits(shifted))
    return floating(bits(y) ^ (bits(x) & x.kind.sign))


def cos_near(x: Value) -> Value:
    """The cosine up to LIMIT: the sine of |x| plus a quarter turn."""
    a, shifter = fabs(x), x.kind.shifter
    shifted = fma(a, 1.0 / math.pi, 0.5) + shifter
    return flipped(sine(less_turns(a, (shifted - shifter) - 0.5)), bits(shifted))


def wave(r: Value, quarters: Value) -> Value:
    """The sine of r, |r| <= pi / 4, and some quarter turns."""
    y = sine(select(nonzero(quarters & 1), HALF_PI[r.kind.name][0] - fabs(r), r))
    return flipped(y, quarters >> 1)


def sin_far(x: Value) -> Value:
    """The sine of one large float64, NaN at infinity."""
    r, _, quarters = large_angle(x)
    return floating(bits(wave(r, quarters)) ^ (bits(x) & x.kind.sign)) + (x - x)


def cos_far(x: Value) -> Value:
    """The cosine of one large float64, NaN at infinity."""
    r, _, quarters = large_angle(x)
    return wave(r, quarters + 1) + (x - x)


def turn(x: Value) -> tuple[Value, Value, Value]:
    """(k, its integer, |x| - k times the first part of pi / 2, exactly), k the nearest number of quarter turns."""
    shifted = fma(fabs(x), 2.0 / math.pi, x.kind.shifter)
    k = shifted - x.kind.shifter
    return k, bits(shifted), fma(-k, HALF_PI[x.kind.name][0], fabs(x))


def tan_of(x: Value, r: Value, r_low: Value, quarters: Value) -> Value:
    """The tangent: sin(r) / cos(r), or -cos(r) / sin(r) after an odd number of quarter turns."""
    z = r * r
    s, s_low = two_sum(r, fma(r * z, polynomial(z, SIN), r_low))
    c, c_low = two_sum(r.constant(1.0), z * fma(z, polynomial(z, COS), -0.5))
    odd = nonzero(quarters & 1)
    y, correction = quotient(select(odd, c, s), select(odd, c_low, s_low), select(odd, s, c), select(odd, s_low, c_low))
    return floating(bits(y + correction) ^ (quarters << (x.kind.width - 1)) ^ (bits(x) & x.kind.sign))


def tan_near(x: Value) -> Value:
    """The tangent up to LIMIT."""
    k, quarters, exact = turn(x)
    _, middle, low = HALF_PI[x.kind.name]
    part, part_low = two_product(-k, middle)
    r, r_low = any_two_sum(exact, part)
    return tan_of(x, r, r_low + fma(-k, low, part_low), quarters)


def tan_far(x: Value) -> Value:
    """The tangent of one large float64, NaN at infinity."""
    return tan_of(x, *large_angle(x)) + (x - x)


sin = guarded("sin", sin_near, outside(LIMIT), sin_far)
cos = guarded("cos", cos_near, outside(LIMIT), cos_far)
tan = guarded("tan", tan_near, outside(LIMIT), tan_far)


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
