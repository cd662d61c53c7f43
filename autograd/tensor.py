"""Tensor: an array and its place on the tape. No derivative here.

A Tensor is a variable, its array is a value: operations and in-place assignments bind a Tensor to a new array and never
write into one that another Tensor or the tape may see. Operators and methods are looked up, by name, in the tables that
`autograd.ops` fills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import EllipsisType
from typing import Any, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from autograd.errors import DifferentiationError, DTypeError, ShapeError, UnsupportedError, user_line
from autograd.methods import Methods, results_are
from autograd.primitive import Eager, Primitive, Traced, capture, capturing, explain, functions, training
from autograd.protocols import KNOWN, answer_function, answer_ufunc, array_of, bare, number_of
from autograd.tape import Node, gradient_of, leaf, recording, serials

_NOTHING = (None, None, None)
_new = object.__new__
RETAIN = "retain"  # among a node's hooks: keep the cotangent as `.grad`
Operand: TypeAlias = "Tensor | ArrayLike"
Index: TypeAlias = "SupportsIndex | slice | EllipsisType | Tensor | ArrayLike | tuple[Any, ...] | None"


class Tensor(Methods, Eager):
    """An n-dimensional array that remembers how it was made, so that it can be differentiated.

    Make one with `ag.tensor`, `ag.asarray` or any function of the `autograd` namespace. Operators, methods and indexing
    follow NumPy; `np.exp(t)`, `2.0 * t` and `ndarray @ t` give recorded Tensors.

    Attributes:
        value: the ndarray or NumPy scalar. Read it; to change it, assign to the Tensor.
        node: the entry of the tape that made it, or a leaf, or None if no gradient is wanted.

    >>> import autograd as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "node", "value")
    __hash__ = object.__hash__

    def __init__(self, value: Any, node: Node | None = None) -> None:
        self.value = value
        self.node = node

    # ---- recording

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Compute `op` on the arrays, and record it if an input is on the tape."""
        if capturing and (noting := capture()):
            return noting.run(op, inputs, settings)
        if len(inputs) == 1 and not op.variadic:
            return self._run_alone(op, settings)
        values, parents, wanted, foreign, bit = [], [], 0, 0, 1
        for x in inputs:
            if isinstance(x, Tensor):
                node = x.node
                values.append(x.value)
                parents.append(node)
                if node is not None:
                    wanted += bit
            elif isinstance(x, Traced):
                return x.run(op, inputs, settings)
            else:
                values.append(x if isinstance(x, KNOWN) else bare(x))
                parents.append(None)
                foreign += bit
            bit += bit
        if len(values) > len(op.inputs) and not op.variadic:  # NumPy would write into the last
            raise explain(op, values, settings, TypeError())
        try:
            y = op.forward(*values, **settings)
        except (ValueError, TypeError, IndexError) as error:
            raise explain(op, values, settings, error) from None
        if not wanted or not op.differentiable or not recording.get():
            return Tensor(y)
        if foreign:  # a user's own array is saved as a copy, which later writes cannot reach
            values = [v.copy() if foreign >> k & 1 and isinstance(v, np.ndarray) else v for k, v in enumerate(values)]
        if op.variadic:
            saved = [None, *values] if op.first == 0 else [None, None, *values[1:]] if op.first else []
        else:
            saved = [None] * (len(values) + 1)
            for k in op.keeps.get(wanted) or op.kept(wanted):
                saved[k] = values[k - 1] if k else y
        return Tensor(y, Node(op, tuple(parents), tuple(saved), settings, y.shape, y.dtype))

    def _run_alone(self, op: Primitive, settings: dict[str, Any]) -> Any:
        """`run` for a single operand: the short way for functions of one array."""
        x, node = self.value, self.node
        try:
            y = op.forward(x, **settings)
        except (ValueError, TypeError, IndexError) as error:
            raise explain(op, (x,), settings, error) from None
        if node is None or not op.differentiable or not recording.get():
            return Tensor(y)
        keep = op.keeps.get(1)
        if keep is None:
            keep = op.kept(1)
        saved = (y if 0 in keep else None, x if 1 in keep else None) if keep else _NOTHING
        return Tensor(y, Node(op, (node,), saved, settings, y.shape, y.dtype))

    @staticmethod
    def pair(op: Primitive, a: Any, b: Any) -> Any:
        """`run` for two operands, of which one is a Tensor: the short way for operators."""
        if capturing and (noting := capture()):
            return noting.run(op, (a, b), {})
        p, x = (a.node, a.value) if isinstance(a, Tensor) else (None, a)
        q, z = (b.node, b.value) if isinstance(b, Tensor) else (None, b)
        try:
            y = op.forward(x, z)
        except (ValueError, TypeError) as error:
            raise explain(op, (x, z), {}, error) from None
        t = _new(Tensor)  # not Tensor(y): half the price of recording is making two objects
        t.value = y
        wanted = (p is not None) + 2 * (q is not None)
        if not wanted or not recording.get():
            t.node = None
            return t
        keep = op.keeps.get(wanted)
        if keep is None:
            keep = op.kept(wanted)
        if keep:
            x = x if 1 not in keep else x.copy() if x is a and isinstance(x, np.ndarray) else x
            z = z if 2 not in keep else z.copy() if z is b and isinstance(z, np.ndarray) else z
            saved = (y if 0 in keep else None, x if 1 in keep else None, z if 2 in keep else None)
        else:
            saved = _NOTHING
        t.node = Node(op, (p, q), saved, None, y.shape, y.dtype)
        return t

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.requires_grad_(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Make this Tensor a leaf whose gradient is wanted, or a constant; returns itself."""
        if capturing and (noting := training()):
            noting.frees(self, requires_grad)
        if requires_grad and self.node is None:
            if self.dtype.kind not in "fc":
                raise DTypeError(
                    f"requires_grad was asked for on dtype {self.dtype}.\n"
                    "Expected a floating or complex dtype: write t.astype('float32') first."
                )
            self.node = leaf(self.shape, self.dtype)
        elif not requires_grad:
            if self.node is not None and self.node.op is not None:
                raise DifferentiationError(
                    f"requires_grad_(False) on the output of {self.node.op.name!r} would cut the tape in place.\n"
                    "Write t = t.detach()."
                )
            self.node = None
        return self

    @property
    def is_leaf(self) -> bool:
        """True for a Tensor that no recorded operation made."""
        return self.node is None or self.node.op is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward` accumulated, for a leaf or after `retain_grad`."""
        if capturing and (noting := training()):
            return noting.gradient(self)  # type: ignore[no-any-return]
        return gradient_of(self.node)  # type: ignore[no-any-return]

    @grad.setter
    def grad(self, gradient: Tensor | None) -> None:
        if capturing and (noting := training()):
            noting.keep_gradient(self, gradient)
            return
        if self.node is None:
            if gradient is None:
                return
            raise DifferentiationError("grad was set on a constant. Write t.requires_grad_() first.")
        if gradient is not None and gradient.shape != self.shape:
            raise ShapeError(f"grad of shape {gradient.shape} was set on a Tensor of shape {self.shape}.")
        if gradient is not None or self.node.watch is not None:
            self.node.watched().grad = gradient

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate result in `.grad`."""
        if self.node is None:
            raise DifferentiationError("retain_grad on a constant: nothing that it was made of has requires_grad=True.")
        if self.node.op is not None:
            self.node.watched().hooks.append(RETAIN)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Callable[[], None]:
        """Call `hook(gradient)` when the gradient of this Tensor is known; what it returns, if anything, replaces it.

        Returns a function that removes the hook.
        """
        if self.node is None:
            raise DifferentiationError("register_hook on a constant. Write t.requires_grad_() first.")
        hooks = self.node.watched().hooks
        hooks.append(hook)
        return lambda: hooks.remove(hook) if hook in hooks else None

    def backward(
        self, gradient: Operand | None = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Accumulate the gradient of this Tensor into `.grad` of every leaf that it was made of. See `ag.backward`."""
        functions["backward"](self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def detach(self) -> Tensor:
        """The same array as a constant, off the tape."""
        if capturing and capture():
            return functions["stop_gradient"](self)  # type: ignore[no-any-return]
        return Tensor(self.value)

    # ---- reading

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.value.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of the elements."""
        return self.value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.value.ndim  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.value.size  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self.value.nbytes  # type: ignore[no-any-return]

    def numpy(self) -> NDArray[Any]:
        """The array, read-only, without a copy and off the tape; `np.array(t.detach())` is a copy to write into."""
        if capturing and (noting := capture()):
            noting.read(self)
        view = np.asarray(self.value).view()
        view.flags.writeable = False
        return view

    def item(self) -> Any:
        """The only element, as a Python scalar."""
        if capturing and (noting := capture()):
            noting.read(self)
        if self.size != 1:
            raise ShapeError(
                f"item() was called on shape {self.shape}. Expected one element: index or reduce it first."
            )
        return self.value.item()

    def tolist(self) -> Any:
        """Nested Python lists of Python scalars."""
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(number_of(self))

    def __complex__(self) -> complex:
        return complex(number_of(self))

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return int(self.numpy().__index__())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"the truth of a Tensor of shape {self.shape} is not one value. Write ag.any(t) or ag.all(t)."
            )
        return bool(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise ShapeError("len() of a 0-d Tensor. Expected at least one axis: t.size is 1, t.item() its value.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __contains__(self, x: Any) -> bool:
        if capturing and (noting := capture()):
            noting.read(self)
        return bool((self.value == (x.value if isinstance(x, Tensor) else x)).any())

    def __repr__(self) -> str:
        if isinstance(self.value, Traced):
            return f"tensor({self.value!r})"
        text = np.array2string(np.asarray(self.value), separator=", ", prefix="tensor(")
        if self.dtype not in (np.float64, np.complex128, np.int64, np.bool_):
            text += f", dtype={self.dtype}"
        if self.node is not None:
            text += ", requires_grad=True" if self.node.op is None else f", made_by={self.node.op.name!r}"
        return f"tensor({text})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    # ---- NumPy's protocols

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if self.node is not None and recording.get():
            raise UnsupportedError(
                "A Tensor on the tape was turned into an ndarray, which would drop its gradient.\n"
                "Write ag.stack([...]) for one array of several Tensors, t.detach() or t.numpy() if that is meant."
            )
        return np.array(self.numpy(), dtype) if copy else np.asarray(self.numpy(), dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return answer_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], _types: Any, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        return answer_function(function, args, kwargs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return np.array(self.__array__()).__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise DifferentiationError(
                f"A Tensor made by {self.node.op.name!r} cannot be copied or pickled with its tape.\n"
                "Write t.detach() first."
            )
        return _rebuild, (type(self), np.array(self.value), self.requires_grad)

    # ---- changing

    def _become(self, result: Tensor) -> Tensor:
        """Take over the value and the place on the tape of `result`: what every in-place operation ends in."""
        if capturing and (noting := capture()):
            return noting.assign(self, result)  # type: ignore[no-any-return]
        if result.node is not None and not recording.get():
            result = Tensor(result.value)
        if result.shape != self.shape:
            raise ShapeError(
                f"an in-place operation on shape {self.shape} gave shape {result.shape}. Write t = ... instead."
            )
        if result.dtype != self.dtype:
            if not np.can_cast(result.dtype, self.dtype, "same_kind"):
                raise DTypeError(f"an in-place operation on {self.dtype} gave {result.dtype}. Write t = ... instead.")
            result = result.astype(self.dtype)
        if self.node is not None and result.node is None:
            self._changed()
        elif self.node is not None and self.node.op is None:
            raise DifferentiationError(
                "a leaf that requires a gradient was changed in place while recording.\n"
                f"Write `with ag.no_grad():` around it, or make a new Tensor.\n{user_line()}"
            )
        else:
            self.node = result.node
        self.value = result.value
        return self

    def _changed(self) -> None:
        """Note, on the tape, that this leaf now has another value than what was saved of it."""
        if self.node is None:
            return
        if self.node.op is not None:
            raise DifferentiationError(
                f"the output of {self.node.op.name!r} changed in place under no_grad: its gradient would be wrong.\n"
                f"Write t = t.detach() first, or record the change.\n{user_line()}"
            )
        self.node.watched().changed = (next(serials), user_line())

    def copy(self) -> Tensor:
        """A Tensor of its own: recorded, if this one is on the tape."""
        return self.astype(self.dtype)

    def copy_(self, source: Operand) -> Tensor:
        """Take the values of `source`, broadcast to this shape and cast to this dtype; returns itself."""
        if (
            isinstance(source, Tensor)
            and source.value.shape == self.value.shape
            and source.value.dtype == self.value.dtype
        ):
            return self._become(source)
        return self._become(functions["astype"](functions["broadcast_to"](as_tensor(source), self.shape), self.dtype))

    def set_(self, array: ArrayLike) -> Tensor:
        """Hold `array` from now on, whatever its shape and dtype: a new leaf, without a gradient; returns itself."""
        if capturing and (noting := capture()):
            noting.refuse("it gives a Tensor another array with set_")
        wanted = self.requires_grad
        self._changed()
        self.value, self.node = as_tensor(np.array(array)).value, None
        return self.requires_grad_(wanted)

    def fill_(self, value: float) -> Tensor:
        """Set every element; returns itself."""
        return self.copy_(np.asarray(value, self.dtype))

    def zero_(self) -> Tensor:
        """Set every element to zero; returns itself."""
        return self.fill_(0)

    def __getitem__(self, index: Index) -> Tensor:
        return functions["getitem"](self, index)  # type: ignore[no-any-return]

    def __setitem__(self, index: Index, value: Operand) -> None:
        self._become(functions["put"](self, index, value))


def _rebuild(kind: type[Tensor], array: NDArray[Any], requires_grad: bool) -> Tensor:
    t = kind.__new__(kind)
    Tensor.__init__(t, array)
    return t.requires_grad_() if requires_grad else t


def as_tensor(x: Operand, dtype: DTypeLike | None = None) -> Tensor:
    """`x` itself if it is a Tensor of that dtype, else a Tensor that shares its memory where it can."""
    if isinstance(x, Traced):
        if capturing and not isinstance(x, Tensor) and (noting := capture()):
            x = noting.seen(x)
        return x if dtype is None or x.dtype == dtype else functions["astype"](x, dtype)
    array = array_of(x, dtype)
    array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"a Tensor was asked for of dtype {array.dtype}. Expected numbers or booleans.")
    return Tensor(array)


results_are(Tensor)
