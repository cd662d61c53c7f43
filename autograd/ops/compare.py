"""Comparisons, logic and bits: what has no derivative, and what is declared to have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.primitive import Primitive, nondifferentiable, public

if TYPE_CHECKING:
    from autograd.tensor import Tensor

_stop = nondifferentiable("stop_gradient", "x", lambda x: x, code="x", doc="x as a constant.")


@public()
def stop_gradient(x: Any) -> Tensor:
    """x as a constant: nothing flows back through it.

    >>> import autograd as ag
    >>> ag.grad(lambda x: x * ag.stop_gradient(x))(3.0)
    tensor(3.)
    """
    return _stop(x)


equal: Primitive = nondifferentiable("equal", "a b", np.equal, code="a == b", doc="a = b.")
not_equal = nondifferentiable("not_equal", "a b", np.not_equal, code="a != b", doc="Whether a and b differ.")
less: Primitive = nondifferentiable("less", "a b", np.less, code="a < b", doc="a < b.")
less_equal: Primitive = nondifferentiable("less_equal", "a b", np.less_equal, code="a <= b", doc="a <= b.")
greater: Primitive = nondifferentiable("greater", "a b", np.greater, code="a > b", doc="a > b.")
greater_equal: Primitive = nondifferentiable("greater_equal", "a b", np.greater_equal, code="a >= b", doc="a >= b.")
logical_and: Primitive = nondifferentiable(
    "logical_and", "a b", np.logical_and, code="truth(a) & truth(b)", doc="Both hold."
)
logical_or = nondifferentiable(
    "logical_or", "a b", np.logical_or, code="truth(a) | truth(b)", doc="At least one holds."
)
logical_xor = nondifferentiable("logical_xor", "a b", np.logical_xor, doc="Exactly one holds.")
logical_not = nondifferentiable("logical_not", "x", np.logical_not, code="x == 0", doc="x does not hold.")
isfinite = nondifferentiable("isfinite", "x", np.isfinite, code="x - x == 0", doc="Neither infinite nor NaN.")
isinf = nondifferentiable("isinf", "x", np.isinf, code="fabs(x) == INFINITY", doc="Infinite.")
isnan = nondifferentiable("isnan", "x", np.isnan, code="x != x", doc="NaN.")
signbit = nondifferentiable("signbit", "x", np.signbit, doc="Whether the sign bit is set, as in -0.0.")
nextafter = nondifferentiable("nextafter", "a b", np.nextafter, doc="The next number after a towards b.")
bitwise_and = nondifferentiable("bitwise_and", "a b", np.bitwise_and, doc="Bits set in both.")
bitwise_or = nondifferentiable("bitwise_or", "a b", np.bitwise_or, doc="Bits set in either.")
bitwise_xor = nondifferentiable("bitwise_xor", "a b", np.bitwise_xor, doc="Bits set in one only.")
bitwise_invert = nondifferentiable("bitwise_invert", "x", np.bitwise_invert, doc="Every bit flipped.")
bitwise_left_shift = nondifferentiable("bitwise_left_shift", "a b", np.left_shift, doc="a times 2^b.")
bitwise_right_shift = nondifferentiable("bitwise_right_shift", "a b", np.right_shift, doc="a over 2^b, rounded down.")
