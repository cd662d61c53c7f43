"""erf: a polynomial near zero, 1 - e^(a Q(a)) beyond. erfc: e^(-a^2) P(t) / (1 + 2 a) with t = (a - m) / (a + m).

ndtr: erfc(-x / sqrt 2) / 2, with the square of x and not of its quotient, whose rounding would grow with x^2.
"""

from __future__ import annotations

from autograd.kernels.maths.emit import (
    FLOAT32,
    Value,
    any_two_sum,
    copysign,
    fabs,
    fma,
    minimum,
    polynomial,
    quotient,
    select,
    two_product,
    two_sum,
)
from autograd.kernels.maths.exponential import EXPM1, exp_below, reduce, scale

BORDER = {"float32": 0.92, "float64": 1.0}
ONE = {"float32": 3.95, "float64": 5.95}  # erf is 1 to the last bit from here

# erf(x) / x - 1, in x^2
ERF = {
    "float32": (0.12837915, -0.376125, 0.112818696, -0.026767999, 0.004994569, -0.000599528),
    "float64": (
        0.12837916709551256,
        -0.3761263890318334,
        0.1128379167093651,
        -0.026866170641858773,
        0.0052239775956965636,
        -0.0008548325426196852,
        0.00012055278504944167,
        -1.4924423488969025e-05,
        1.6443588681116325e-06,
        -1.6179408527959643e-07,
        1.3595820556164967e-08,
        -7.567114007148016e-10,
    ),
}
# log(1 - erf(a)) / a
LOG_ERFC = {
    "float32": (-1.1286522, -0.63513565, -0.10626367, 0.02378588, -0.00365406, 0.00032573735, -1.153204e-05),
    "float64": (
        -1.1283792010459255,
        -0.6366193648656989,
        -0.10277489971007865,
        0.019136529673217238,
        0.00018925937983293848,
        -0.001659575151266824,
        0.0005381055749432669,
        3.2527151607672944e-05,
        -0.00011702132212030268,
        6.77454598836469e-05,
        -2.5432199887805157e-05,
        7.141390241765674e-06,
        -1.5579375300998742e-06,
        2.652409987362396e-07,
        -3.4736964771833286e-08,
        3.3876701543637415e-09,
        -2.3191505467188106e-10,
        9.945199478805784e-12,
        -2.0095188053594837e-13,
    ),
}
ZERO = {"float32": 10.2, "float64": 27.3}  # erfc is 0 from here
SHALLOWEST = {"float32": 78.0, "float64": 699.0}  # beyond it e^-a^2 over 2 a nears the subnormal numbers
MIDDLE = {"float32": 2.5, "float64": 4.0}
# e^(a^2) erfc(a) (1 + 2 a), in t, for a > 0.38; the first coefficient has a second part
ERFC = {
    "float32": (
        1.2648382,
        -0.12235677,
        -0.09902435,
        0.15763025,
        -0.10297092,
        0.032755975,
        0.00095955626,
        -0.00435005,
        0.00040991805,
        0.0005362206,
    ),
    "float64": (
        1.2329951186255526,
        -0.1396211168405625,
        0.015379652102619415,
        0.0680970542546905,
        -0.10103906603628104,
        0.09373283499844202,
        -0.06633036581282162,
        0.03716751553554081,
        -0.016197734049765395,
        0.005031970001158319,
        -0.0007577733520260867,
        -0.00019925686310791788,
        0.00015062199522061103,
        -2.4398432725458018e-05,
        -1.1223086399027407e-05,
        5.707362712333018e-06,
        2.9609645705526977e-07,
        -8.207412230614364e-07,
        7.153019115113685e-08,
        1.0423918506639926e-07,
        -1.5532816912931232e-08,
        -9.9887894345259e-09,
        1.0485842054030247e-09,
    ),
}
ERFC_LOW = {"float32": -3.580135873885192e-08, "float64": -4.484792303565824e-17}


def near(a: Value) -> Value:
    """The error function of a number up to BORDER."""
    return fma(a, polynomial(a * a, ERF), a)


def erf(x: Value) -> Value:
    """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    name = x.kind.name
    a = minimum(fabs(x), ONE[name])
    far = 1.0 - exp_below(a * polynomial(a, LOG_ERFC))
    return copysign(select(a < BORDER[name], near(a), far), x)


# float32: ndtr(-a) e^(a^2 / 2) / s with s = 1 / (1 + SLOPE a), in 1 - s
SLOPE = 0.45
NDTR = {
    "float32": (
        0.5,
        -0.38653752,
        -0.038547765,
        0.08544084,
        0.04210518,
        0.030429112,
        -0.1178802,
        0.18652485,
        -0.25052455,
        0.17212538,
        -0.04361096,
    )
}
NOTHING = {"float32": 14.46, "float64": 38.6}  # ndtr is 0 below minus this
ROOT_HALF, ROOT_HALF_LOW = 0.7071067811865476, -4.833646656726457e-17


def far_erfc(a: Value, a_low: Value | float, square: Value, square_low: Value) -> Value:
    """1 - erf(a) for a > 0.38, given as a rounded number and what rounding took, and so is its square."""
    name = a.kind.name
    r, low, exponent = reduce(-square)
    r, low = two_sum(r, low - square_low)
    e, e_low = two_sum(a.constant(1.0), r)
    e, e_low = two_sum(e, e_low + fma(r * r, polynomial(r, EXPM1), low))
    t = (a - MIDDLE[name]) / (a + MIDDLE[name])
    p, p_low = two_sum(a.constant(ERFC[name][0]), fma(t, polynomial(t, ERFC[name][1:]), ERFC_LOW[name]))
    n, n_low = two_product(e, p)
    d, d_low = any_two_sum(a.constant(1.0), 2.0 * a)
    y, correction = quotient(n, fma(e, p_low, fma(e_low, p, n_low)), d, d_low + 2.0 * a_low)
    return scale(y + correction, exponent, square > SHALLOWEST[name])


def erfc(x: Value) -> Value:
    """1 - erf(x), to the last digits of its smallest values."""
    a = minimum(fabs(x), ZERO[x.kind.name])
    far = far_erfc(a, 0.0, *two_product(a, a))
    return select(a < 0.4, 1.0 - copysign(near(a), x), select(x < 0.0, 2.0 - far, far))


def tail(a: Value) -> Value:
    """The normal distribution below -a, for a float32."""
    square, square_low = two_product(a, a)
    r, _, exponent = reduce(-0.5 * square)
    r = fma(square_low, -0.5, r)
    slope = SLOPE * a
    s = 1.0 / (1.0 + slope)
    e = 1.0 + fma(r * r, polynomial(r, EXPM1), r)
    return scale(e * (s * polynomial(slope * s, NDTR)), exponent, square > 2.0 * SHALLOWEST["float32"])


def ndtr(x: Value) -> Value:
    """The standard normal distribution below x."""
    a = minimum(fabs(x), NOTHING[x.kind.name])
    if x.kind == FLOAT32:
        below = tail(a)
        return select(x < 0.0, below, 1.0 - below)
    square, square_low = two_product(a, a)
    b, b_low = two_product(a, ROOT_HALF)
    far = 0.5 * far_erfc(b, fma(a, ROOT_HALF_LOW, b_low), 0.5 * square, 0.5 * square_low)
    return select(b < 0.4, 0.5 + copysign(0.5 * near(b), x), select(x < 0.0, far, 1.0 - far))
