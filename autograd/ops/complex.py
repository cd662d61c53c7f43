"""What is not analytic in a complex number: its parts, its conjugate, its modulus and its angle.

The cotangent c of a complex z says how a real L moves: dL = Re(c dz). For y = Re z it is that of y, for y = Im z it is
-i times that, for the conjugate it is the conjugate; `autograd.sweep` says why no other rule has a conjugate in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.domain import Interval
from autograd.errors import DTypeError
from autograd.ops.compare import equal
from autograd.primitive import Primitive, chain, elementwise, primitives, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

NONZERO = Interval(-3, 3, avoid=(0,), margin=0.3)
_REAL = np.dtype(float)


def is_complex(x: Any) -> bool:
    """Whether x, a Tensor, array, symbol or Python number, has a complex dtype."""
    return getattr(x, "dtype", _REAL).kind == "c" or isinstance(x, complex)


def turned(x: Any) -> Any:
    """The conjugate of a complex x, a real one as it is: no operation."""
    return _conj(x) if is_complex(x) else x


_conj: Primitive = elementwise(
    "conj", "x", np.conjugate, partials=(1,), code="x", doc="The complex conjugate: x itself, if real."
)
_real: Primitive = elementwise("real", "x", np.real, partials=(1,), code="x", doc="The real part: x itself, if real.")
imag: Primitive = elementwise(
    "imag", "x", np.imag, partials=(0,), code="x * 0", doc="The imaginary part: 0, if x is real."
)
_sign: Primitive = elementwise(
    "sign",
    "x",
    np.sign,
    partials=(0,),
    domain=NONZERO,
    code="select(x > 0, 1, select(x < 0, -1, x))",
    doc="-1, 0 or 1.",
)
phase: Primitive = elementwise(
    "phase", "x", lambda x: np.sign(x), partials=(0,), domain=NONZERO, doc="x / |x|, of a complex x; 0 at 0."
)
abs = elementwise(
    "abs",
    "x",
    np.abs,
    partials=(lambda x: turned(phase(x)) if is_complex(x) else _sign(x),),
    domain=NONZERO,
    code="fabs(x)",
    doc="|x|; its slope at 0 is 0.",
)
_angle: Primitive = elementwise(
    "angle", "x", np.angle, partials=(0,), domain=NONZERO, doc="The angle of x in [-pi, pi], from the real axis."
)


def _of_complex(op: Primitive, rule: Any, reads: Sequence[int]) -> None:
    """Give an operation a rule of its own for complex inputs: of the cotangent and the saved values that it reads."""
    (of_real,) = op.pulls

    def pull(g: Any, saved: Sequence[Any], node: Any) -> Any:
        if node.parents[0].dtype.kind != "c":
            return of_real(g, saved, node)  # type: ignore[misc]  # an elementwise operation has a pull
        return rule(g, *[saved[k] for k in reads])

    op.pulls, op.reads, op.analytic = (pull,), [frozenset(reads)], False


def _off_zero(x: Any) -> tuple[Any, Any]:
    """Where x is 0, and x with 1 there."""
    zero = equal(x, 0)
    return zero, primitives["where"](zero, 1, x)


def _angle_rule(g: Any, x: Any) -> Any:
    zero, safe = _off_zero(x)
    return primitives["where"](zero, 0, chain(g, -1j / safe))


def _phase_rule(g: Any, y: Any, x: Any) -> Any:
    """d(x/|x|) = (dx - y Re(conj(y) dx)) / |x|: what turns x, without what stretches it."""
    zero, safe = _off_zero(x)
    return primitives["where"](zero, 0, (g - _real(g * y) * _conj(y)) / abs(safe))


def _refuse_sign(_g: Any) -> Any:
    raise DTypeError("the primitive sign was given complex numbers. Write ag.sign(x), which has their derivative.")


_of_complex(_sign, _refuse_sign, ())
_of_complex(_conj, lambda g: turned(g), ())
_of_complex(_real, lambda g: g, ())  # the sweep makes it complex
_of_complex(imag, lambda g: g * -1j, ())
_of_complex(_angle, _angle_rule, (1,))
_of_complex(phase, _phase_rule, (0, 1))
abs.analytic = False
_angle.code = phase.code = None


# ---- what users call


def _as_it_is(x: Any, op: Primitive) -> Any:
    return x if hasattr(x, "dtype") and not is_complex(x) else op(x)


@public(np.conjugate)
def conj(x: Operand) -> Tensor:
    """The complex conjugate: x itself, if real.

    >>> import autograd as ag
    >>> ag.conj(ag.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return _as_it_is(x, _conj)  # type: ignore[no-any-return]


@public(np.real)
def real(x: Operand) -> Tensor:
    """The real part: x itself, if real.

    >>> import autograd as ag
    >>> ag.real(ag.tensor([1 + 2j]))
    tensor([1.])
    """
    return _as_it_is(x, _real)  # type: ignore[no-any-return]


@public(np.sign)
def sign(x: Operand) -> Tensor:
    """-1, 0 or 1; of a complex x, x / |x|, and 0 at 0.

    >>> import autograd as ag
    >>> ag.sign(ag.tensor([3 + 4j]))
    tensor([0.6+0.8j])
    """
    return phase(x) if is_complex(x) else _sign(x)


@public(np.angle)
def angle(x: Operand, deg: bool = False) -> Tensor:
    """The angle of x from the real axis, in [-pi, pi], or in degrees; its slope at 0 is 0, and of a real x everywhere.

    >>> import autograd as ag
    >>> ag.angle(ag.tensor([1j, 1 + 1j]), deg=True)
    tensor([90., 45.])
    """
    return _angle(x) * (180 / np.pi) if deg else _angle(x)


public(np.imag)(imag)
