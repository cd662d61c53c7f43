"""Symbols: values known by shape and dtype alone. Running a composition on them gives its graph.

A symbol is to the compiler what a Tensor is to the user: primitives hand themselves to it, and it notes what was done.
The derivative of a graph is found by the very sweep that reads the tape, run over symbols instead of arrays.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autograd.errors import asked_by_user
from autograd.methods import Methods
from autograd.ops.axes import kept_shape
from autograd.primitive import Primitive, Traced, explain, from_numpy, functions
from autograd.sweep import sweep
from autograd.tape import Node
from autograd.tensor import Tensor

_serials = itertools.count()
REDUCTIONS = ("sum", "max", "min")
SHAPERS = ("reshape", "broadcast_to", "permute_dims")


class Unfusable(BaseException):
    """A composition uses what has no kernel form; the message is the reason.

    No `except Exception` of the composition itself comes between: it is about values, which only symbols lack.
    """


class Place(NamedTuple):
    """Where a function has changed something: a dictionary, a name in it, and whether nothing stood there before."""

    holder: dict[Any, Any]
    name: Any
    empty: bool


class NotYet(Unfusable):
    """What can be compiled at a later call, but not at this one; `prepare`, if there is one, does what it waits for.

    changed: what the function changes, where that is why; None for a change that no name tells of. A function that does
    so again cannot be compiled.
    """

    def __init__(
        self, reason: str, prepare: Callable[[], object] | None = None, changed: Sequence[Place | None] = ()
    ) -> None:
        super().__init__(reason)
        self.prepare, self.changed = prepare, changed


class NoSuchAttribute(Unfusable, AttributeError):
    """A composition asks a symbol for what Tensors and arrays have not either."""


def is_known(name: str) -> bool:
    """Whether a Tensor or an array has an attribute; to `hasattr`, what none of them has is not there."""
    return not name.startswith("__") and (hasattr(Tensor, name) or hasattr(np.ndarray, name))


class Origin(NamedTuple):
    """The user's line that a symbol comes from; `backward` if it is of the derivative of what stands there."""

    file: str
    line: int
    backward: bool = False


Look = tuple[Callable[..., None], list[Any]]  # a function, and the values that it looks at
_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
_looks: ContextVar[list[Look] | None] = ContextVar("looks", default=None)


@contextmanager
def looking() -> Iterator[list[Look]]:
    """What is to look at values of a composition that is traced inside."""
    found: list[Look] = []
    token = _looks.set(found)
    try:
        yield found
    finally:
        _looks.reset(token)


def look_later(f: Callable[..., None], xs: Sequence[Any]) -> bool:
    """Whether a composition is traced, whose symbols f looks at, and this was noted."""
    found = _looks.get()
    if found is None:
        return False
    if not all(type(x) is Symbol for x in xs):
        raise Unfusable("it checks a value that does not follow from its arguments")
    found.append((f, list(xs)))
    return True


@contextmanager
def made_for(origin: Origin | None) -> Iterator[None]:
    """Symbols made inside come from this line."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


class Symbol(Methods):
    """The result of `op` on `inputs`, or an input of the graph (`op` None).

    Attributes:
        shape, dtype: as of an array; `weak` for a Python number, which takes the dtype of what it meets.
        label: the name of an input. origin: where it comes from, if that was noted.
    """

    __slots__ = ("dtype", "inputs", "label", "op", "origin", "serial", "settings", "shape", "weak")
    __hash__ = object.__hash__

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        op: Primitive | None = None,
        inputs: tuple[Any, ...] = (),
        settings: dict[str, Any] | None = None,
        *,
        weak: bool = False,
        label: str = "",
    ) -> None:
        self.shape, self.dtype, self.weak, self.label = shape, dtype, weak, label
        self.op, self.inputs, self.settings, self.serial = op, inputs, settings or {}, next(_serials)
        self.origin = _origin.get()

    @property  # type: ignore[misc]  # nobody sets it
    def __class__(self) -> Any:
        """What `isinstance` is told in a function of the user's; our own code sees the symbol."""
        return self.stands_for() if asked_by_user() else type(self)

    def stands_for(self) -> type:
        """What the value would be, were the composition run as it stands."""
        self.refuse("it asks for the type of a value")

    def __getattr__(self, name: str) -> Any:
        if asked_by_user() and is_known(name):
            self.refuse(f"it reads .{name} of a value")
        raise NoSuchAttribute(f"it reads .{name} of a value")

    def refuse(self, reason: str) -> NoReturn:
        """Say why there is no program."""
        raise Unfusable(reason)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        if not self.shape:
            self.refuse("it asks for the length of a number")
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        return functions["getitem"](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.refuse("it assigns to elements of a value: write y = ag.put(y, index, v) for y[index] = v")

    def pair(self, op: Primitive, a: Any, b: Any) -> Any:
        """The result of a binary operator."""
        return self.run(op, (a, b), {})

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Note an operation: its shape and dtype follow from those of its inputs."""
        for x in inputs:
            if isinstance(x, Traced) and not isinstance(x, Symbol):
                self.refuse("it closes over a Tensor, which must be an argument")
            if isinstance(x, np.ndarray) and x.ndim:
                self.refuse("it closes over an array, which must be an argument")
        if op.composition is not None and not is_empty(inputs):
            return op.composition(*inputs, **settings)
        return Symbol(*_meaning(op, inputs, settings), op=op, inputs=inputs, settings=settings, weak=_weak(op, inputs))

    def __bool__(self) -> bool:
        self.refuse("its control flow depends on a value")

    def __float__(self) -> float:
        self.refuse("it reads a value as a Python number")

    __index__ = __int__ = __float__

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.refuse("it reads a value as a NumPy array")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        op = from_numpy.get(ufunc)
        if op is None or method != "__call__" or settings:
            self.refuse(f"it calls np.{ufunc.__name__} on a value")
        return op(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        own = from_numpy.get(function)
        if own is None:
            self.refuse(f"it calls np.{function.__name__} on a value")
        return own(*args, **settings)

    def __repr__(self) -> str:
        name = self.label or (self.op.name if self.op else "?")
        return f"<{name} {self.shape} {self.dtype}>"


def _weak(op: Primitive, inputs: Sequence[Any]) -> bool:
    """Whether the result is still a Python number: computed of nothing but such."""
    return op.partials is not None and all(not isinstance(x, Symbol) or x.weak for x in inputs)


def _shown(op: Primitive, inputs: Sequence[Any]) -> np.dtype[Any]:
    """The dtype of a result, which an operation shows on values of the dtypes of its inputs."""
    kinds = [x if not isinstance(x, Symbol) else 1.0 if x.weak else x.dtype for x in inputs]
    if any(isinstance(x, (np.ndarray, np.generic)) for x in kinds):
        return _applied(op, kinds)
    return _of_kinds(op, *((type(x), x) for x in kinds))


@lru_cache(4096)
def _of_kinds(op: Primitive, *kinds: tuple[type, Any]) -> np.dtype[Any]:
    return _applied(op, [x for _, x in kinds])


def _applied(op: Primitive, kinds: Sequence[Any]) -> np.dtype[Any]:
    with np.errstate(all="ignore"):
        probes = [np.ones((), x) if isinstance(x, np.dtype) else x for x in kinds]
        return np.asarray(op.forward(*probes)).dtype


def _meaning(op: Primitive, inputs: Sequence[Any], settings: dict[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of a result."""
    shapes = [x.shape if isinstance(x, Symbol) else () for x in inputs]
    if op.code is not None:
        try:
            return (shapes[0] if len({*shapes}) == 1 else np.broadcast_shapes(*shapes)), _shown(op, inputs)
        except (ValueError, TypeError) as error:
            raise explain(op, [np.broadcast_to(0, shape) for shape in shapes], settings, error) from None
    x = inputs[0]
    if op.name in REDUCTIONS:
        axes = settings["axis"]
        kept = kept_shape(x.shape, axes)
        shape = kept if settings["keepdims"] else tuple(n for k, n in enumerate(x.shape) if k not in axes)
        dtype = np.add.reduce(np.ones(1, x.dtype)).dtype if op.name == "sum" else x.dtype
        return shape, dtype
    if op.name in ("pick", "place"):
        axis = settings["axis"]
        return (*x.shape[:axis], settings.get("length", 1), *x.shape[axis + 1 :]), x.dtype
    if op.name == "permute_dims":
        return tuple(x.shape[k] for k in settings["axes"]), x.dtype
    if op.name in SHAPERS:
        return tuple(settings["shape"]), x.dtype
    if op.name == "astype":
        return x.shape, settings["dtype"]
    raise Unfusable(f"{op.name} has no kernel form")


def is_empty(inputs: Sequence[Any]) -> bool:
    """Whether an operation is one of no elements, of which there is no largest for its composition to begin with."""
    return any(isinstance(x, Symbol) and not x.size for x in inputs)


def is_whole_extreme(s: Symbol) -> bool:
    """Whether it is the largest or the smallest of whole numbers or truths, which kernels do not look for."""
    return s.op is not None and s.op.name in ("max", "min") and s.dtype.kind != "f"


def graph(outputs: Sequence[Symbol], known: Collection[Symbol] = ()) -> list[Symbol]:
    """Every symbol that the outputs are made of, in order of making; what is `known` is not looked into."""
    seen = set(outputs)
    found = list(seen)
    stop = set(known)
    for s in found:
        for x in s.inputs if s not in stop else ():
            if isinstance(x, Symbol) and x not in seen:
                seen.add(x)
                found.append(x)
    return sorted(found, key=lambda s: s.serial)


Twins = list[tuple[Symbol, Symbol]]  # a value and its cotangent, which run along the same axes


def _noted(twins: Twins, s: Symbol, cotangent: Any) -> None:
    _origin.set(s.origin and s.origin._replace(backward=True))  # of what the rules of s will make
    twins.append((s, cotangent if isinstance(cotangent, Symbol) else cotangent.value))


def derive(
    outputs: Sequence[Symbol],
    seeds: Sequence[Symbol],
    wanted: Sequence[Symbol],
    frozen: Collection[Symbol] = frozenset(),
) -> tuple[list[Symbol | None], Twins]:
    """The cotangents of the wanted inputs, as symbols: the tape's sweep, over a tape made of the graph.

    Also every value that the sweep came by, with its cotangent. Nothing flows back through what is frozen.
    """
    nodes: dict[Symbol, Node] = {}
    twins: Twins = []
    reaches = set(wanted)
    for s in graph(outputs):
        if s in reaches:
            nodes[s] = Node(None, (), (), None, s.shape, s.dtype)
        elif s.op is not None:
            parents = tuple(nodes.get(x) if isinstance(x, Symbol) else None for x in s.inputs)
            if s.op.differentiable and s not in frozen and any(p is not None for p in parents):
                nodes[s] = Node(s.op, parents, (s, *s.inputs), s.settings, s.shape, s.dtype)
        if s in nodes:
            nodes[s].watched().hooks.append(partial(_noted, twins, s))
    started = [(nodes[y], seed) for y, seed in zip(outputs, seeds, strict=True) if y in nodes]
    with made_for(None):
        found = sweep([n for n, _ in started], [g for _, g in started], wanted={nodes[w] for w in wanted if w in nodes})
    return [found.get(nodes[w]) if w in nodes else None for w in wanted], twins
