"""A level of batching: what a function under `ag.vmap` computes with, and who runs its operations.

Inside, a Tensor holds a `Batched` where it would hold an array: the content has the batch axis in front, the shape does
not show it. Contents belong to the world outside of the level, an enclosing level or none, and operations on them are
recorded there; the tape that the function itself writes holds `Batched` values, and is swept like any other. So
derivatives of batched functions and batched derivatives are the same few lines, to any order.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from threading import get_ident
from typing import Any, NoReturn

import numpy as np

from autograd.errors import UnsupportedError, user_line
from autograd.methods import Methods
from autograd.primitive import Primitive, Traced, capture, capturing, examine, explain, functions, primitives
from autograd.tape import Node, leaf, recording, serials
from autograd.tensor import Tensor

Flags = Sequence[bool]
Rule = Callable[[Primitive, "list[Any]", Flags, "dict[str, Any]", int], Any]
RULES: dict[str, Rule] = {}  # filled by autograd.batching.rules


class Batched(Methods):
    """A value of the function under `vmap`: `content` with the batch axis in front, or, not `mapped`, without one."""

    __slots__ = ("content", "dtype", "level", "mapped", "shape")
    __hash__ = object.__hash__
    __array_ufunc__ = None  # ndarray + Batched is left to Batched
    node = None

    def __init__(self, content: Any, level: Batching, mapped: bool) -> None:
        self.content, self.level, self.mapped = content, level, mapped
        self.shape: tuple[int, ...] = content.shape[1:] if mapped else content.shape
        self.dtype: np.dtype[Any] = content.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def nbytes(self) -> int:
        """Bytes of one sample."""
        return self.size * self.dtype.itemsize

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Leave the operation to the innermost level."""
        noting = capture()
        if noting is None or self.level.closed:
            raise _escaped(f"given to {op.name!r}")
        return noting.run(op, inputs, settings)

    def pair(self, op: Primitive, a: Any, b: Any) -> Any:
        """The result of a binary operator."""
        return self.run(op, (a, b), {})

    def __getitem__(self, index: Any) -> Any:
        return functions["getitem"](self, index)

    def __len__(self) -> int:
        return self.shape[0]

    def read(self) -> Any:
        """The array of a value that all samples share; refused for others."""
        if self.level.closed:
            raise _escaped("read")
        if self.mapped:
            self.level.refuse("it reads a value that differs from sample to sample as a Python number or array")
        x = self.content
        return self.level.aside(lambda: x.numpy() if isinstance(x, Tensor) else np.asarray(x))

    def item(self) -> Any:
        """The only element."""
        return self.read().item()

    def tolist(self) -> Any:
        """Nested lists."""
        return self.read().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.read(), dtype)

    def __bool__(self) -> bool:
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __index__(self) -> int:
        return int(self.item().__index__())

    def __repr__(self) -> str:
        return f"batched({self.shape} {self.dtype}, {self.level.size if self.mapped else 'no'} samples)"


class Batching:
    """One running call of a function under `vmap`: it notes the operations of its thread, and runs them by batch rules.

    Attributes:
        size: how many samples there are.
        same: whether all samples share their random numbers.
        start: entries of the tape with a smaller serial number belong to the world outside.
    """

    training = None  # sweeps and gradients are done, not noted

    def __init__(self, size: int, same: bool = False) -> None:
        self.size, self.same = size, same
        self.thread = get_ident()
        self.start = next(serials)
        self.record = recording.get()
        self.closed = False
        outer = capture()
        self.plain: bool = outer is None or (isinstance(outer, Batching) and outer.plain)
        self.changed: list[tuple[weakref.ref[Tensor], Any, Node | None, str]] = []

    def __enter__(self) -> Batching:
        capturing.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        capturing.remove(self)
        self.closed = True

    def aside(self, f: Callable[[], Any]) -> Any:
        """f, run in the world outside."""
        if self.closed:
            return f()
        capturing.remove(self)
        try:
            return f()
        finally:
            capturing.append(self)

    def examine(self, gradients: Iterable[Any]) -> None:
        """Let who examines the world outside look at gradients of all samples."""
        values = [g.value if isinstance(g, Tensor) else g for g in gradients]
        contents = [x.content if isinstance(x, Batched) else x for x in values]
        self.aside(lambda: examine(contents))

    # ---- values

    def content_of(self, x: Any) -> Any:
        """A value of the world outside as a content: an array, if nothing is lost by that."""
        if not isinstance(x, Tensor):
            return x if isinstance(x, Traced) else np.asarray(x)
        if x.node is not None and not self.record:
            x = Tensor(x.value)
        return x.value if self.plain and x.node is None else x

    def tensor(self, x: Any, mapped: bool) -> Tensor:
        """What the function gets for a value of the world outside, whose batch axis is in front if it is mapped."""
        return Tensor(Batched(self.content_of(x), self, mapped))

    def seen(self, x: Any) -> Any:
        """A symbol of the world outside, which a function may close over, as it sees it; all else as it is."""
        foreign = isinstance(x, Traced) and not isinstance(x, (Tensor, Batched))
        return self.tensor(x, False) if foreign else x

    def owns(self, value: Any) -> bool:
        """Whether a value was made by this level."""
        return isinstance(value, Batched) and value.level is self

    def inner(self, t: Tensor) -> Tensor:
        """A Tensor as the function sees it: one of the world outside is a constant."""
        if self.owns(t.value) or (t.node is None and not isinstance(t.value, Traced) and self.plain):
            return t
        if t.node is not None and t.node.serial >= self.start:
            return t
        return self.tensor(t, False)

    def shared(self, y: Any) -> Any:
        """A result of the world outside, as all samples share it."""
        if isinstance(y, Tensor):
            return y if y.node is None and self.plain else self.tensor(y, False)
        return Batched(y, self, False) if isinstance(y, Traced) and not isinstance(y, Batched) else y

    # ---- operations

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Run an operation by its batch rule, and record it if an input is on the function's own tape."""
        values: list[Any] = []
        parents: list[Node | None] = []
        boxed = False
        for given in inputs:
            x = self.seen(given)
            if isinstance(x, Tensor):
                boxed, x = True, self.inner(x)
                values.append(x.value)
                parents.append(x.node)
            else:
                values.append(x)
                parents.append(None)
        y = self._computed(op, values, settings)
        if not boxed:
            return y
        wanted = sum(1 << k for k, p in enumerate(parents) if p is not None)
        if not wanted or not op.differentiable or not recording.get():
            return Tensor(y)
        # a user's own array is saved as a copy, which later writes cannot reach
        values = [v.copy() if v is x and isinstance(v, np.ndarray) else v for v, x in zip(values, inputs, strict=True)]
        if op.variadic:
            saved = [None, *values] if op.first == 0 else [None, None, *values[1:]] if op.first else []
        else:
            saved = [None] * (len(values) + 1)
            for k in op.kept(wanted):
                saved[k] = values[k - 1] if k else y
        return Tensor(y, Node(op, tuple(parents), tuple(saved), settings, y.shape, y.dtype))

    def _computed(self, op: Primitive, values: list[Any], settings: dict[str, Any]) -> Any:
        flags = [self.owns(v) and v.mapped for v in values]
        own = any(map(self.owns, values))
        contents = [v.content if self.owns(v) else v for v in values]
        capturing.remove(self)
        try:
            if not any(flags):
                y = op(*contents, **settings)
                y = y.value if isinstance(y, Tensor) and y.node is None and self.plain else y
                foreign = isinstance(y, Traced) and not isinstance(y, Batched)  # recorded outside, or a symbol there
                return Batched(y, self, False) if own or foreign else y
            y = rule_of(op)(op, contents, flags, settings, self.size)
            y = y.value if isinstance(y, Tensor) and y.node is None and self.plain else y
            return Batched(y, self, True)
        except (ValueError, TypeError, IndexError) as error:
            raise explain(op, [_like(v) for v in values], settings, error) from None
        finally:
            capturing.append(self)

    # ---- what else is asked of who notes operations

    def number(self, draw: Callable[[], Any]) -> Any:
        """Random numbers: drawn once for each sample, or once for all."""
        if self.same:
            return self.shared(self.aside(draw))
        if not self.size:
            self.refuse("it draws random numbers for a batch of no samples")
        rows = self.aside(lambda: functions["stack"]([draw() for _ in range(self.size)]))
        return self.tensor(rows, True)

    def assign(self, t: Tensor, result: Tensor) -> Tensor:
        """An in-place operation: in the end, none may have put batched values into a Tensor of the world outside."""
        result = self.inner(result)
        if t.node is not None and t.node.serial < self.start and not self.owns(t.value):
            self.refuse("it changes a Tensor in place that it was not given and that requires a gradient")
        if result.dtype != t.dtype and np.can_cast(result.dtype, t.dtype, "same_kind"):
            result = result.astype(t.dtype)
        if self.owns(result.value) and not self.owns(t.value):
            self.changed.append((weakref.ref(t), t.value, t.node, user_line()))
        return self.aside(lambda: t._become(result))  # type: ignore[no-any-return]

    def settle(self, failed: bool = False) -> None:
        """Give Tensors that outlive the function their old values, and say so."""
        alive = [(t, value, node, line) for ref, value, node, line in self.changed if (t := ref()) is not None]
        self.changed = []
        for t, value, node, _ in reversed(alive):
            t.value, t.node = value, node
        if alive and not failed:
            raise UnsupportedError(
                "a function under ag.vmap changed a Tensor in place that outlives it, by values that differ from "
                f"sample to sample.\nReturn the new value instead.\n{alive[0][3]}"
            )

    def read(self, t: Tensor) -> None:
        """A Tensor's value is wanted in Python."""
        if self.owns(t.value) and t.value.mapped:
            t.value.read()

    def lift(self, x: Any) -> Any:
        """A value that is looked at, with all its samples."""
        x = x.value if isinstance(x, Tensor) else x
        return x.content if self.owns(x) else x

    def guard(self, _holder: Any, _name: str) -> None:
        """An attribute is read, as it may."""

    def refuse(self, reason: str) -> NoReturn:
        """Say what cannot be batched."""
        raise UnsupportedError(
            f"a function under ag.vmap cannot be batched: {reason}.\n"
            f"Write ag.where for a choice between values, or a loop and ag.stack.\n{user_line()}"
        )


def _escaped(what: str) -> UnsupportedError:
    return UnsupportedError(
        f"a value from inside of ag.vmap was {what} after the function had returned.\n"
        "Return it from the function instead of keeping it elsewhere."
    )


def _like(v: Any) -> Any:
    """An array of the shape and dtype of one sample, for error messages."""
    return np.broadcast_to(np.zeros((), v.dtype), v.shape) if isinstance(v, (Batched, Tensor)) else v


def rule_of(op: Primitive) -> Rule:
    """The batch rule of an operation."""
    if op.partials is not None or (isinstance(op.forward, np.ufunc) and op.forward.signature is None):
        return RULES["elementwise"]
    return RULES.get(op.name, looped) if primitives.get(op.name) is op else looped


def looped(op: Primitive, contents: list[Any], flags: Flags, settings: dict[str, Any], size: int) -> Any:
    """The operation on one sample after the other: what any operation without a batch rule runs by."""
    if not size:
        raise UnsupportedError(f"{op.name!r} has no batch rule, and a batch of no samples leaves it nothing to run on.")
    take = functions["getitem"]
    pairs = list(zip(contents, flags, strict=True))
    rows = [op(*(take(c, k) if m else c for c, m in pairs), **settings) for k in range(size)]
    if len({row.shape for row in rows}) > 1:
        raise UnsupportedError(
            f"{op.name!r} gives shapes that differ from sample to sample under ag.vmap: {rows[0].shape} and others."
        )
    return functions["stack"](rows)


def batching() -> Batching | None:
    """The innermost level of this thread, if it is what runs operations."""
    noting = capture() if capturing else None
    return noting if isinstance(noting, Batching) else None


def outside(f: Callable[[], Any]) -> Any:
    """f, run outside of all levels of this thread."""
    level = batching()
    return f() if level is None else level.aside(lambda: outside(f))


def lifted(x: Any) -> Any:
    """x, a constant, as a value of the level that runs operations: a rule then meets no array beside a `Batched`."""
    level = batching()
    return Batched(x, level, False) if level is not None and isinstance(x, (np.ndarray, np.generic)) else x


def variable(t: Tensor) -> Tensor:
    """t as a variable of its own: a leaf, or an entry of its own above t where t is on the tape already."""
    level = batching()
    if level is not None:
        t = level.inner(t) if isinstance(t, Tensor) else Tensor(t) if level.owns(t) else level.tensor(t, False)
    if t.node is None or not recording.get():
        return Tensor(t.value, leaf(t.shape, t.dtype))
    return primitives["reshape"](t, shape=t.shape)


def sample_by_sample(f: Callable[..., Sequence[Any]], g: Any, *xs: Any) -> list[Any] | None:
    """f of a cotangent and other values, run outside on one sample after the other; None if there is no level.

    For derivatives that are no composition of primitives: those of checkpoints, and those that a user wrote.
    """
    level = batching()
    if level is None:
        return None
    boxed = isinstance(g, Tensor)
    values = [x.value if isinstance(x, Tensor) and level.owns(x.value) else x for x in (g, *xs)]
    flags = [level.owns(v) and v.mapped for v in values]
    if boxed and g.node is not None:
        raise UnsupportedError(
            "the derivative of a checkpointed function, recorded outside of ag.vmap, was differentiated inside of it.\n"
            "Call the function inside."
        )
    contents = [v.content if level.owns(v) else v for v in values]
    contents[0] = Tensor(contents[0]) if boxed and not isinstance(contents[0], Traced) else contents[0]

    def rows() -> Sequence[Any]:
        if not any(flags):
            return f(*contents)
        take, stack = functions["getitem"], functions["stack"]
        pairs = list(zip(contents, flags, strict=True))
        runs = [f(*(take(c, k) if m else c for c, m in pairs)) for k in range(level.size)]
        return [None if parts[0] is None else stack(list(parts)) for parts in zip(*runs, strict=True)]

    made = [None if y is None else Batched(level.content_of(y), level, any(flags)) for y in level.aside(rows)]
    return [Tensor(y) if boxed and y is not None else y for y in made]
