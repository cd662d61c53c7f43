"""exp and what is made of it: x = k ln 2 + r with |r| <= ln(2) / 2, e^r by a polynomial, 2^k by its exponent bits."""

from __future__ import annotations

from autograd.kernels.maths.emit import (
    FLOAT32,
    Value,
    bits,
    copysign,
    fabs,
    floating,
    fma,
    ldexp,
    maximum,
    minimum,
    pattern,
    polynomial,
    quotient,
    scales,
    select,
    two_sum,
)

LOG2_E = 1.4426950408889634
LN2 = {"float32": 0.6931471824645996, "float64": 0.6931471805599453}
LN2_LOW = {"float32": -1.9046542121259336e-09, "float64": 2.3190468138462996e-17}

# Beyond these every result is infinite or zero; below `shallow` (of x log2(e)) results near the subnormal ones.
HIGH = {"float32": 89.0, "float64": 710.0}
HIGH_HALF = {"float32": 89.5, "float64": 710.6}  # the same for e^x / 2
LOW = {"float32": -104.5, "float64": -746.0}
SHALLOW = {"float32": -86.0, "float64": -707.0}
SHALLOW2 = {"float32": -124.0, "float64": -1020.0}
TINY = {"float32": 2.0**-26, "float64": 2.0**-55}  # f(x) = x to the last bit for odd functions

# (e^r - 1 - r) / r^2
EXPM1 = {
    "float32": (0.5, 0.16666538, 0.041666612, 0.0083673075, 0.001391751),
    "float64": (
        0.5,
        0.16666666666666677,
        0.04166666666666667,
        0.008333333333321482,
        0.0013888888888878685,
        0.00019841269886293963,
        2.4801587349964304e-05,
        2.755724416276242e-06,
        2.7557241141326005e-07,
        2.5109036719771632e-08,
        2.0927674260853338e-09,
    ),
}
# (2^r - 1) / r
EXP2 = {
    "float32": (0.6931472, 0.24022594, 0.055503663, 0.009625305, 0.0013387974, 0.00013413234),
    "float64": (
        0.6931471805599453,
        0.24022650695909997,
        0.055504108664823755,
        0.009618129107670655,
        0.0013333558145903288,
        0.0001540353031548548,
        1.525273431379991e-05,
        1.3215549465503141e-06,
        1.0177865592329568e-07,
        7.0320468004964884e-09,
        4.4838660985761775e-10,
        5.669918763635701e-11,
    ),
}
# (sinh(r) / r - 1) / r^2 and (cosh(r) - 1) / r^2, in r^2
SINH = {
    "float32": (0.16666667, 0.008333175, 0.00019973957),
    "float64": (
        0.16666666666666677,
        0.00833333333332137,
        0.0001984126988689222,
        2.7557243341935704e-06,
        2.5109369549880583e-08,
    ),
}
COSH = {
    "float32": (0.5, 0.041666456, 0.0013935842),
    "float64": (
        0.5,
        0.041666666666666685,
        0.0013888888888873244,
        2.4801587349349284e-05,
        2.7557251642625503e-07,
        2.092183846345682e-09,
    ),
}
# (tanh(x) / x - 1) / x^2, in x^2, for |x| < 0.55
TANH = {"float32": (-0.3333296, 0.1332097, -0.052685797, 0.016461577)}
# e^(2 r), in r
EXP_TWICE = (1.0, 2.0, *(c * 2.0 ** (n + 2) for n, c in enumerate(EXPM1["float32"])))


def reduce(x: Value) -> tuple[Value, Value, Value]:
    """(r, what rounding took from r, an integer whose low bits are k + bias - 1), where x = k ln 2 + r."""
    name, shifter = x.kind.name, x.kind.shifter + x.kind.bias - 1
    shifted = fma(x, LOG2_E, shifter)
    k = shifted - shifter
    exact = fma(-k, LN2[name], x)
    r = fma(-k, LN2_LOW[name], exact)
    return r, fma(-k, LN2_LOW[name], exact - r), bits(shifted)


def power_of_two(exponent: Value) -> Value:
    """The float with these low bits as its exponent field."""
    return floating(exponent << exponent.kind.mantissa)


def scale(p: Value, exponent: Value, deep: Value) -> Value:
    """P * 2^k from the bits of k + bias - 1 + the shifter, rounded once even where the result is subnormal (`deep`)."""
    if scales():
        return ldexp(p, exponent - pattern(p.kind, p.kind.shifter + p.kind.bias - 1))
    mantissa, lift = p.kind.mantissa, 8 << (p.kind.width // 32 + 2)  # 2^64 for float32, 2^128 for float64
    field = exponent << mantissa
    field = select(deep, field + ((lift + 1) << mantissa), field)
    return p * floating(field) * select(deep, p.constant(2.0**-lift), 2.0)


def exp_below(x: Value) -> Value:
    """e^x for x that does not overflow."""
    x = maximum(x, LOW[x.kind.name])
    r, _, exponent = reduce(x)
    return scale(1.0 + fma(r * r, polynomial(r, EXPM1), r), exponent, x < SHALLOW[x.kind.name])


def exp(x: Value) -> Value:
    """e^x."""
    return exp_below(minimum(x, HIGH[x.kind.name]))


def exp2(x: Value) -> Value:
    """2^x, exact for whole numbers."""
    name, shifter = x.kind.name, x.kind.shifter + x.kind.bias - 1
    x = maximum(minimum(x, x.kind.bias + 2.0), -x.kind.bias - x.kind.mantissa - 2.0)
    shifted = x + shifter
    r = x - (shifted - shifter)
    return scale(fma(r, polynomial(r, EXP2), 1.0), bits(shifted), x < SHALLOW2[name])


def half_expm1(x: Value) -> tuple[Value, Value]:
    """(e^x - 1) / 2 as a rounded value and a correction to it: 2^(k-1) (1 + r + r^2 q) - 1/2, the large terms first."""
    r, low, exponent = reduce(x)
    s = power_of_two(exponent)
    head, error = two_sum(s - 0.5, s * r)
    rest = s * fma(r * r, polynomial(r, EXPM1), low)
    total, lost = two_sum(head, rest)
    return total, error + lost


def expm1(x: Value) -> Value:
    """e^x - 1."""
    name = x.kind.name
    r, low, exponent = reduce(maximum(minimum(x, HIGH[name]), -40.0))
    s = power_of_two(exponent)
    y = 2.0 * fma(s, fma(r * r, polynomial(r, EXPM1), low), fma(s, r, s - 0.5))
    return select(fabs(x) < TINY[name], x, y)


def halves(x: Value) -> tuple[Value, Value, Value, Value, Value]:
    """(2^(k-2), 2^(-k-2), r, sinh(r) - r, cosh(r) - 1), where |x| = k ln 2 + r."""
    kind = x.kind
    r, low, exponent = reduce(minimum(fabs(x), HIGH_HALF[kind.name]))
    up = power_of_two(exponent - 1)
    down = select(up < 2.0**60, floating((2 * (kind.bias - 2) << kind.mantissa) - bits(up)), 0.0)
    z = r * r
    return up, down, r, fma(r * z, polynomial(z, SINH), low), z * polynomial(z, COSH)


def sinh(x: Value) -> Value:
    """(e^x - e^-x) / 2."""
    up, down, r, odd, even = halves(x)
    both, (gap, lost) = up + down, two_sum(up, -down)
    y = 2.0 * (fma(both, r, gap) + fma(both, odd, fma(gap, even, lost)))
    return select(fabs(x) < TINY[x.kind.name], x, copysign(y, x))


def cosh(x: Value) -> Value:
    """(e^x + e^-x) / 2."""
    up, down, r, odd, even = halves(x)
    gap, (both, lost) = up - down, two_sum(up, down)
    return 2.0 * (fma(gap, r, both) + fma(gap, odd, fma(both, even, lost)))


def tanh(x: Value) -> Value:
    """(e^2x - 1) / (e^2x + 1)."""
    a = fabs(x)
    if x.kind == FLOAT32:
        return copysign(select(a < 0.55, near_tanh(a), far_tanh(a)), x)
    e, e_low = half_expm1(2.0 * minimum(a, 20.0))
    below, above = select(e < 1.0, e, 1.0), select(e < 1.0, e.constant(1.0), e)
    d, d_low = two_sum(above, below)
    y, correction = quotient(e, e_low, d, d_low + e_low)
    return copysign(select(a < TINY[x.kind.name], a, y + correction), x)


def near_tanh(a: Value) -> Value:
    """Tanh of a small float32."""
    z = a * a
    return fma(a * z, polynomial(z, TANH), a)


def far_tanh(a: Value) -> Value:
    """1 - 2 / (e^2a + 1) of a float32 that is not small: a = k ln(2) / 2 + r."""
    a, shifter = minimum(a, 10.0), a.kind.shifter + a.kind.bias - 1
    shifted = fma(a, 2.0 * LOG2_E, shifter)
    r = fma(shifter - shifted, 0.5 * LN2["float32"], a)
    return 1.0 - 1.0 / fma(polynomial(r, EXP_TWICE), power_of_two(bits(shifted)), 0.5)


def sigmoid(x: Value) -> Value:
    """1 / (1 + e^-x): with e = e^-|x| and q = e / (1 + e), 1 - q above 0, and e - e q below, which keeps its digits."""
    e = exp_below(-fabs(x))
    whole = select(x < 0.0, e, 1.0)
    return fma(-whole, e / (1.0 + e), whole)
