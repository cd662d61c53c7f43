"""erf: a polynomial near zero, 1 - e^(a Q(a)) beyond."""

from __future__ import annotations

from autograd.kernels.maths.emit import Value, copysign, fabs, fma, minimum, polynomial, select
from autograd.kernels.maths.exponential import exp_below

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
ERFC = {
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


def erf(x: Value) -> Value:
    """The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    name = x.kind.name
    a = minimum(fabs(x), ONE[name])
    near = fma(a, polynomial(a * a, ERF), a)
    far = 1.0 - exp_below(a * polynomial(a, ERFC))
    return copysign(select(a < BORDER[name], near, far), x)
