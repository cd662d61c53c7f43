"""The operators and methods of a Tensor, each looked up by name in the table that `autograd.ops` fills."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from autograd.elsewhere import of_setting, of_tensor
from autograd.primitive import Eager, Primitive, Traced, capturing, explain, functions
from autograd.tape import Node, recording, serials

if TYPE_CHECKING:
    from autograd.tensor import Tensor

_NOTHING = (None, None, None)
_new = object.__new__
_recording = recording.get
_serial = serials.__next__
_plain: type = object  # Tensor, which stands on this floor and not under it, and says so by `results_are`
_QUICK = (Eager, float, int, np.ndarray, np.generic, complex)
_OPERANDS = (Traced, *_QUICK, list, tuple)


def results_are(kind: type) -> None:
    """Say what the result of an operator is."""
    global _plain
    _plain = kind


def _operand(x: Any) -> Any:
    """What stands beside a Tensor, arrays of other libraries as NumPy's; None for what is no operand."""
    if isinstance(x, _OPERANDS):
        return x
    return np.asarray(x) if getattr(x, "__array_ufunc__", True) is not None and hasattr(x, "__array__") else None


def operator(name: str, swapped: bool = False) -> Callable[[Any, Any], Tensor]:
    """A binary operator; `swapped` for the reflected form."""
    short: Primitive | None = None  # found at the first call: the tables are filled after the class is made

    def resolve(self: Any, other: Any) -> Any:
        nonlocal short
        other = _operand(other)
        if other is None:
            return NotImplemented
        op = functions[name]
        if isinstance(op, Primitive) and op.differentiable and not op.variadic:
            short = op
        return op(other, self) if swapped else op(self, other)

    def beside(self: Any, other: Any) -> Any:
        """The operation with a number or an array."""
        if short is None or not isinstance(self, Eager) or not isinstance(other, _QUICK):
            return resolve(self, other)
        return self.pair(short, other, self) if swapped else self.pair(short, self, other)

    def apply(self: Any, other: Any) -> Any:
        """What `pair` does, written out: this is the way of `a + b`, and each call within it would cost a tenth."""
        if short is None or capturing or not isinstance(other, Eager):
            return beside(self, other)
        try:
            p, x, q, z = self.node, self.value, other.node, other.value
        except AttributeError:  # a symbol has neither
            return resolve(self, other)
        op = short
        try:
            y = op.forward(x, z)
        except (ValueError, TypeError) as error:
            raise explain(op, (x, z), {}, error) from None
        t: Any = _new(_plain)
        t.value = y
        if p is not None:
            keep = op.of_both if q is not None else op.of_first
        elif q is not None:
            keep = op.of_second
        else:
            t.node = None
            return t
        if not _recording():
            t.node = None
            return t
        n = t.node = _new(Node)
        n.op = op
        n.parents = (p, q)
        n.saved = (y if 0 in keep else None, x if 1 in keep else None, z if 2 in keep else None) if keep else _NOTHING
        n.settings = n.watch = None
        n.shape = y.shape
        n.dtype = y.dtype
        n.serial = _serial()
        return t

    chosen = beside if swapped else apply
    chosen.__name__ = name
    return chosen


def inplace(name: str) -> Callable[[Tensor, Any], Tensor]:
    """An augmented assignment: the result of the operation takes the place of the Tensor's value."""

    def apply(self: Tensor, other: Any) -> Any:
        other = _operand(other)
        if other is None:
            return NotImplemented
        return self._become(functions[name](self, other))

    apply.__name__ = name
    return apply


def method(name: str) -> Callable[..., Tensor]:
    """A method with the arguments of the function of that name."""

    def apply(self: Tensor, *args: Any, **settings: Any) -> Any:
        try:
            return functions[name](self, *args, **settings)
        except TypeError as error:
            known = of_setting(error)
            if known is None:
                raise
            raise known from None

    apply.__name__ = name
    apply.__doc__ = f"See `autograd.{name}`."
    return apply


class Methods(Traced):
    """NumPy's operators and methods."""

    __slots__ = ()

    if not TYPE_CHECKING:  # a checker would take any name for one of ours

        def __getattr__(self, name: str) -> NoReturn:
            of_tensor(name)

    __add__ = operator("add")
    __radd__ = operator("add", swapped=True)
    __iadd__ = inplace("add")
    __sub__ = operator("subtract")
    __rsub__ = operator("subtract", swapped=True)
    __isub__ = inplace("subtract")
    __mul__ = operator("multiply")
    __rmul__ = operator("multiply", swapped=True)
    __imul__ = inplace("multiply")
    __truediv__ = operator("divide")
    __rtruediv__ = operator("divide", swapped=True)
    __itruediv__ = inplace("divide")
    __floordiv__ = operator("floor_divide")
    __rfloordiv__ = operator("floor_divide", swapped=True)
    __mod__ = operator("remainder")
    __rmod__ = operator("remainder", swapped=True)
    __divmod__ = operator("divmod")
    __rdivmod__ = operator("divmod", swapped=True)
    __pow__ = operator("pow")
    __rpow__ = operator("pow", swapped=True)
    __ipow__ = inplace("pow")
    __matmul__ = operator("matmul")
    __rmatmul__ = operator("matmul", swapped=True)
    __and__ = operator("bitwise_and")
    __rand__ = operator("bitwise_and", swapped=True)
    __or__ = operator("bitwise_or")
    __ror__ = operator("bitwise_or", swapped=True)
    __xor__ = operator("bitwise_xor")
    __rxor__ = operator("bitwise_xor", swapped=True)
    __lshift__ = operator("bitwise_left_shift")
    __rshift__ = operator("bitwise_right_shift")
    __eq__ = operator("equal")  # type: ignore[assignment]
    __ne__ = operator("not_equal")  # type: ignore[assignment]
    __lt__ = operator("less")
    __le__ = operator("less_equal")
    __gt__ = operator("greater")
    __ge__ = operator("greater_equal")
    __neg__ = method("negative")
    __pos__ = method("positive")
    __abs__ = method("abs")
    __invert__ = method("bitwise_invert")
    __round__ = method("round")

    abs = method("abs")
    all = method("all")
    any = method("any")
    argmax = method("argmax")
    argmin = method("argmin")
    argsort = method("argsort")
    astype = method("astype")
    clip = method("clip")
    conj = method("conj")
    conjugate = method("conj")
    cumprod = method("cumulative_prod")
    cumsum = method("cumulative_sum")
    diagonal = method("diagonal")
    dot = method("dot")
    exp = method("exp")
    flatten = method("flatten")
    log = method("log")
    max = method("max")
    mean = method("mean")
    min = method("min")
    nonzero = method("nonzero")
    prod = method("prod")
    ravel = method("flatten")
    relu = method("relu")
    repeat = method("repeat")
    round = method("round")
    sigmoid = method("sigmoid")
    sort = method("sort")
    sqrt = method("sqrt")
    squeeze = method("squeeze")
    std = method("std")
    sum = method("sum")
    swapaxes = method("swapaxes")
    take = method("take")
    tanh = method("tanh")
    trace = method("trace")
    var = method("var")

    @property
    def T(self) -> Tensor:
        """All axes reversed."""
        return self.transpose()

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return functions["matrix_transpose"](self)  # type: ignore[no-any-return]

    @property
    def mH(self) -> Tensor:
        """The last two axes exchanged, and complex numbers conjugated."""
        return functions["conj"](functions["matrix_transpose"](self))  # type: ignore[no-any-return]

    @property
    def real(self) -> Tensor:
        """The real part."""
        return functions["real"](self)  # type: ignore[no-any-return]

    @property
    def imag(self) -> Tensor:
        """The imaginary part, 0 of a real number."""
        return functions["imag"](self)  # type: ignore[no-any-return]

    def transpose(self, *axes: Any) -> Tensor:
        """Axes in the given order (reversed if none is given), as NumPy's method."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return functions["permute_dims"](self, order or None)  # type: ignore[no-any-return]

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """The same elements in another shape; one length may be -1."""
        sizes = shape[0] if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)) else shape
        return functions["reshape"](self, sizes, order)  # type: ignore[no-any-return]
