"""Capture: a function run once on symbols, with every operation noted, also those on Tensors that it closes over.

Where `ag.fused` takes a composition of arrays alone, this takes a whole model: parameters and buffers become inputs of
the program, assignments to them become outputs, seeds of random numbers are drawn anew for each run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from threading import get_ident
from typing import Any, NoReturn

import numpy as np

from autograd.batching.level import Batched, Batching
from autograd.errors import UnsupportedError, line_at, user_place
from autograd.primitive import Primitive, capture, capturing, functions, primitives
from autograd.program.meaning import meaning
from autograd.program.outside import Outside
from autograd.program.pieces import Pieces
from autograd.program.symbol import NotYet, Origin, Symbol, Unfusable, _weak, graph, is_empty, look_later
from autograd.program.training import Training
from autograd.tape import recording
from autograd.tensor import Tensor

MASKED = {"getitem": 1, "index_add": 1}  # how many of whose values depends on truths, from this input on
SWEPT = 1 << 16  # elements of a matrix from which on its product with a vector waits for memory


HELD = 4  # references to a Tensor that only a capture holds: in two tables, and while they are counted


class Captured(Symbol):
    """A symbol whose operations a capture notes."""

    __slots__ = ("capture",)
    __hash__ = object.__hash__
    capture: Capture

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Note an operation: by who captures, or by a level of `ag.vmap` that was entered since."""
        self._while_captured()
        noting = capture()
        return (noting if isinstance(noting, Batching) else self.capture).run(op, inputs, settings)

    def refuse(self, reason: str) -> NoReturn:
        """Say why there is no program; once it is there, what to do instead of keeping a symbol."""
        self._while_captured()
        self.capture.refuse(reason)

    def _while_captured(self) -> None:
        if self.capture not in capturing:
            made = "" if self.origin is None else f", made in {line_at(*self.origin[:2])}"
            raise UnsupportedError(
                f"a value of a compiled function was used outside of it{made}.\nIt stands for the values of all calls "
                "and has none of its own. Return it from the function, or copy_ it to a Tensor that was made before."
            )

    def _become(self, result: Any) -> Any:
        """What `s += v` leaves in s: the sum, where it is known that nothing else holds s."""
        alike = self.weak or (result.shape, result.dtype) == (self.shape, self.dtype)
        if not self.capture.rebinding or not alike:
            self.capture.refuse("it changes a value in place, which others may hold: write s = s + v for s += v")
        return result

    def stands_for(self) -> type:
        """A Tensor, or what an argument or a constant is; refused for what is computed of arrays alone."""
        return self.capture.kind_of(self)

    def detach(self) -> Any:
        """The same value as a constant."""
        self._while_captured()
        return self.capture.run(primitives["stop_gradient"], (self,), {})

    def __getitem__(self, index: Any) -> Any:
        return functions["getitem"](self, index)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[k] for k in range(self.shape[0]))

    @property
    def requires_grad(self) -> bool:
        """Whether it would be on the tape, were the function run as it stands."""
        return self.capture.is_taped(self)

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Accumulate the gradient of this value into the leaves that it was made of."""
        self._while_captured()
        self.capture.training.backward([self], [gradient], create_graph)


class Capture:
    """What one run of a function did.

    Attributes:
        tensors: the Tensors that it read, with their symbols. constants: arrays that it holds.
        drawn: symbols of numbers and arrays that each run draws anew, with what draws them.
        assigned: Tensors that it changed, with the symbols of their new values.
        guards: (object, attribute, value) that hold as long as the program stands for the function.
        frozen: symbols made under `no_grad`. checks: functions that look at values and may raise.
        training: what it did to gradients and parameters.
    """

    def __init__(self) -> None:
        self.thread = get_ident()
        self.tensors: dict[int, tuple[Tensor, Symbol]] = {}
        self.now: dict[int, Symbol] = {}
        self.constants: list[tuple[Symbol, Any]] = []
        self.drawn: list[tuple[Symbol, Callable[[], Any]]] = []
        self.assigned: dict[int, tuple[Tensor, Symbol]] = {}
        self.past: set[Symbol] = set()  # values of leaves from before a change
        self.guards: list[tuple[Any, str, Any]] = []
        self.held: dict[int, tuple[Any, dict[str, Any]]] = {}  # objects with the attributes that they began with
        self.frozen: set[Symbol] = set()
        self.checks: list[tuple[Callable[..., None], list[Symbol]]] = []
        self.known: dict[Any, Symbol] = {}
        self.looked: list[tuple[Tensor, Any]] = []  # constants that Python has read, with their arrays
        self.training = Training(self)
        self.apart: set[Symbol] = set()  # sums that are not to run with what reads them
        self.pieces = Pieces()
        self.late: set[Symbol] = set()  # what waits until it is read
        self.wanted_arguments = False  # whether one of them requires a gradient
        self.sought: set[Symbol] = set()  # what gradients are asked for by, arguments or within the function
        self.kinds: dict[Symbol, type] = {}  # of arguments and constants that are no Tensors
        self.outside = Outside()
        self.rebinding = False  # whether it is known that `s += v` does what `s = s + v` does

    def __enter__(self) -> Capture:
        capturing.append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        capturing.remove(self)
        if kind is not None:
            self.outside.restore()
            self.training.restore()

    def input(self, x: Any, label: str) -> Captured:
        """A symbol for a value that each run brings along."""
        if type(x) in (int, float):
            return self.fresh((), np.dtype(np.float64), weak=True, label=label)
        if x.dtype.kind == "c":  # its gradient is the conjugate of what rules compute with
            self.refuse(f"it reads a Tensor of {x.dtype}, and programs take real ones")
        return self.fresh(x.shape, x.dtype, label=label)

    def fresh(self, *args: Any, **settings: Any) -> Captured:
        """A new symbol, even where there is one like it."""
        s = Captured(*args, **settings)
        s.capture = self
        return s

    def lift(self, x: Any) -> Any:
        """The symbol of a value."""
        if type(x) is Captured:
            return x
        if isinstance(x, Tensor):
            if id(x) in self.training.stepped:
                self.training.settle()
            if id(x) not in self.now:
                s = self.input(x.value, f"t{len(self.tensors)}")
                self.tensors[id(x)], self.now[id(x)] = (x, s), s
            return self.now[id(x)]
        if isinstance(x, (np.ndarray, np.generic)):
            s = self.fresh(np.shape(x), x.dtype, label=f"c{len(self.constants)}")
            self.constants.append((s, np.array(x)))
            self.kinds[s] = type(x)
            return s
        return x

    def seen(self, x: Any) -> Any:
        """A symbol as the function sees it."""
        return x

    def number(self, draw: Callable[[], float]) -> Captured:
        """A number that each run draws anew."""
        s = self.input(0, f"n{len(self.drawn)}")
        self.kinds[s] = int
        self.drawn.append((s, draw))
        return s

    def draws(self, draw: Callable[[], Any], like: Any) -> Captured:
        """An array that each run draws anew, of the shape and dtype of another."""
        s = self.input(like, f"n{len(self.drawn)}")
        self.drawn.append((s, draw))
        return s

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Note an operation; the same one on the same inputs is one."""
        lifted = tuple(self.lift(x) for x in inputs)
        if op.composition is not None and not is_empty(lifted):
            return op.composition(*lifted, **settings)
        if op.name == "add" and (joined := self.pieces.joined(*lifted)) is not None:
            return joined
        if op.name == "matmul":
            if is_outer(*lifted):
                return functions["multiply"](*lifted)
            if (swept := as_sums(lifted[0], lifted[1], self.apart)) is not None:
                return swept
        if op.name in MASKED and any(isinstance(x, Symbol) and x.dtype.kind == "b" for x in lifted[MASKED[op.name] :]):
            self.refuse("it takes elements by a mask, and how many that are depends on values: write ag.where")
        if op.name == "nonzero":
            self.refuse("it looks for what is not zero, and how much that is depends on values: write ag.where")
        if op.name == "add" and all(isinstance(x, Symbol) and x.dtype.kind == "b" for x in lifted):
            self.refuse("it adds truths, which NumPy takes for `or`: write ag.logical_or, or .astype(int) before")
        record = recording.get()
        key = (
            op,
            tuple(id(x) if isinstance(x, Symbol) else (type(x), repr(x)) for x in lifted),
            repr(settings),
            record,
        )
        found = self.known.get(key)
        if found is None:
            shape, dtype = meaning(op, lifted, settings)
            weak = _weak(op, lifted)
            found = self.fresh(shape, dtype, op=op, inputs=lifted, settings=settings, weak=weak)
            self.pieces.note(found)
            found.origin = found.origin or Origin(*user_place())
            self.known[key] = found
            if not record:
                self.frozen.add(found)
        return found

    def assign(self, t: Tensor, value: Any) -> Tensor:
        """Note that t holds `value` from now on."""
        self.lift(t)
        s = self.lift(value)
        if s.shape != t.shape or s.dtype != t.dtype:
            self.refuse(f"it assigns {s.shape} {s.dtype} to a Tensor of {t.shape} {t.dtype}")
        if t.node is not None and t.node.op is not None:
            self.refuse("it changes the result of an operation in place")
        if t.node is not None:
            self.past.add(self.now[id(t)])
        self.now[id(t)] = s
        self.assigned[id(t)] = (t, s)
        return t

    def variables(self, leaves: Sequence[Tensor], results: Sequence[Symbol]) -> list[Symbol]:
        """The values of leaves by which results are differentiated: those that they have now."""
        now = [self.now[id(t)] for t in leaves]
        if self.past and self.past & set(graph(results, self.frozen.union(now))) - set(now):
            self.refuse("it changes a Tensor in place between its use and the gradient by it")
        return now

    def is_taped(self, s: Symbol) -> bool:
        """Whether a value would be on the tape: it is, or is made of, what requires a gradient."""
        wanted = self.sought.union(x for t, x in self.tensors.values() if t.node is not None)
        made_of = _made_of(s, lambda x: x.op is not None and x.op.differentiable and x not in self.frozen)
        return any(x in wanted for x in made_of)

    def kind_of(self, s: Symbol) -> type:
        """What a value would be: a Tensor, where one is among what it is made of."""
        if s in self.kinds:
            return self.kinds[s]
        if not any(x.op is None and x not in self.kinds for x in _made_of(s, lambda _: True)):
            self.refuse("it asks for the type of what it computes of arrays")
        return Tensor

    def guard(self, holder: Any, name: str) -> None:
        """The program stands for the function only while an attribute keeps its value."""
        self.guards.append((holder, name, getattr(holder, name)))

    def kept(self) -> list[tuple[dict[str, Any], list[str] | None, list[Any]]]:
        """The attributes that the function depends on: where they stand, their names (None for all), their values."""
        found: list[tuple[dict[str, Any], list[str] | None, list[Any]]] = []
        for holder, before in self.held.values():
            now = vars(holder)
            same = {name: x for name, x in now.items() if name in before and before[name] is x}
            found.append((now, None if len(same) == len(now) else list(same), list(same.values())))
        return found

    def read(self, t: Tensor) -> None:
        """A Tensor's value is wanted in Python."""
        if id(t) in self.assigned:
            self.refuse("it reads a value that it has changed before")
        if t.node is not None or id(t) in self.tensors:
            self.refuse("it reads a value as a Python number or array")
        self.looked.append((t, t.value))

    def own(self, results: list[Any]) -> list[Any]:
        """The results, with Tensors that the function made itself and nobody else holds as values, made anew each time.

        What it did to such Tensors in place is part of their values then, and no assignment.
        """
        counts = [sys.getrefcount(t) for t in results]
        alone = {
            id(t)
            for t, count in zip(results, counts, strict=True)
            if isinstance(t, Tensor)
            and t.node is None
            and count - 2 <= sum(x is t for x in results) + (id(t) in self.tensors) + (id(t) in self.assigned)
        }
        for key, (t, _) in list(self.assigned.items()):
            if t.node is None and (key in alone or sys.getrefcount(t) <= HELD):
                alone.add(key)
                del self.assigned[key]
        for key in alone & self.tensors.keys():
            t, s = self.tensors.pop(key)
            self.constants.append((s, np.array(t.value)))
        return [self._value_of(t) if id(t) in alone else t for t in results]

    def _value_of(self, t: Tensor) -> Symbol:
        now = self.now.get(id(t))
        return self.lift(np.array(t.value)) if now is None else now

    def refuse(self, reason: str) -> NoReturn:
        """Say why there is no program."""
        raise Unfusable(reason)


def _made_of(s: Symbol, through: Callable[[Symbol], bool]) -> Iterator[Symbol]:
    """s and what it is made of, as far as one may look through."""
    seen = {s}
    for x in (queue := [s]):
        yield x
        fresh = [y for y in x.inputs if isinstance(y, Symbol) and y not in seen] if through(x) else []
        seen.update(fresh)
        queue += fresh


def is_outer(a: Any, b: Any) -> bool:
    """Whether matrices are columns times rows: products without a sum, which loops make together with what follows."""
    both = isinstance(a, Symbol) and isinstance(b, Symbol) and min(a.ndim, b.ndim) > 1
    return both and a.shape[-1] == b.shape[-2] == 1


def as_sums(a: Any, b: Any, apart: set[Symbol]) -> Any:
    """A large matrix times a column, or a row times one, as sums of products at the speed of memory.

    BLAS would take them as products of matrices, at a fraction of the speed of memory. They go to `apart`.
    """
    if not (isinstance(a, Symbol) and isinstance(b, Symbol) and a.ndim == b.ndim == 2 and a.dtype == b.dtype):
        return None
    if a.dtype.kind != "f" or max(a.size, b.size) < SWEPT or 1 not in (a.shape[0], b.shape[1]):
        return None
    turned, total = functions["permute_dims"], functions["sum"]
    if b.shape[1] == 1:
        x, v, column = _rows_of(a), b, True
    else:
        x, v, column = turned(b, (1, 0)), turned(a, (1, 0)), False
    if x.ndim > 2:  # rows of several axes, added up where they lie
        found = total(x * functions["reshape"](v, (v.shape[0],)), axis=x.ndim - 1, keepdims=True)
        y = functions["reshape"](found, (a.shape[0], 1))
    elif x.op is not None and x.op.name == "permute_dims":  # of a matrix that lies turned: sums down its columns
        found = total(x.inputs[0] * v, axis=0, keepdims=True)
        y = turned(found, (1, 0))
    else:
        y = found = total(x * turned(v, (1, 0)), axis=1, keepdims=True)
    apart.add(found)
    return y if column else turned(y, (1, 0))


def _rows_of(a: Symbol) -> Symbol:
    """What a is only the rows of, in the order of several axes, or a itself."""
    x = a.inputs[0] if a.op is not None and a.op.name == "reshape" else a
    return x if isinstance(x, Symbol) and x.ndim > 2 and x.shape[-1] == a.shape[-1] else a


def is_captured(x: Any) -> bool:
    """Whether x stands for a value that is not known yet: a function is being compiled, or batched by `ag.vmap`.

    >>> import autograd as ag
    >>> is_captured(ag.ones(3))
    False
    """
    noting = capture()
    if isinstance(noting, Batching):
        value = x.value if isinstance(x, Tensor) else x
        if not isinstance(value, Batched):
            return isinstance(value, Symbol)
        return value.mapped or bool(noting.aside(lambda: is_captured(value.content)))
    return isinstance(noting, Capture) and isinstance(x, (Symbol, Tensor))


def check(f: Callable[..., None], *xs: Any) -> None:
    """Let f look at the arrays of xs and raise what it has to: now, or whenever a program that is being compiled runs.

    In a fused function too: what f looks at is then computed by the kernels that compute the result. Under `ag.vmap` f
    looks at all samples at once, whose axis is in front.

    >>> import autograd as ag
    >>> def whole(x):
    ...     if (x % 1).any():
    ...         raise ValueError("a whole number was expected")
    >>> check(whole, ag.ones(3))
    """
    noting = capture()
    if isinstance(noting, Batching):
        noting.aside(lambda: check(f, *map(noting.lift, xs)))
    elif look_later(f, xs):
        pass
    elif not isinstance(noting, Capture):
        f(*(x.numpy() if isinstance(x, Tensor) else np.asarray(x) for x in xs))
    else:
        noting.checks.append((f, [noting.lift(x) for x in xs]))


def depends_on(holder: Any, *names: str) -> None:
    """Say to a function that is being compiled that its program stands only while attributes keep their values.

    Without names: while an object has the same attributes, each of them the very same object, but for those that the
    function itself changes.

    >>> import nn
    >>> depends_on(nn.ReLU(), "training")
    """
    if capturing and isinstance(noting := capture(), Capture):
        for name in names:
            noting.guard(holder, name)
        if not names:
            noting.held.setdefault(id(holder), (holder, dict(vars(holder))))
            noting.outside.look_at(holder)


def not_yet(reason: str, prepare: Callable[[], object] | None = None) -> None:
    """Let a function that is being compiled run as it stands this time, and be compiled at a later call.

    For what makes its own state when it is first called. Does nothing where no function is being compiled. If `prepare`
    is given, it makes that state, and the function is captured at once.

    >>> not_yet("the first call makes the buffers")
    """
    if capturing and isinstance(capture(), Capture):
        raise NotYet(reason, prepare)
