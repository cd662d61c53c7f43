"""Symbolic scalars, and the list of steps that arithmetic on them leaves behind: a scalar function without branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.errors import DTypeError, UnsupportedError, user_line
from autograd.methods import Methods
from autograd.ops.compare import equal, logical_and
from autograd.ops.elementwise import where_
from autograd.ops.shape import astype
from autograd.primitive import Primitive, chain, primitives

LIMIT = 10_000  # steps of one function: a kernel of so many lines compiles for a minute
UNWRITTEN = "A plain file, where its source can be read, allows `if`, min, max and the functions of math."


def is_scalar(op: Primitive) -> bool:
    """Whether an operation takes single numbers to a single number."""
    return op.partials is not None or op.code is not None or op.name in ("logical_xor", "signbit")


class Scalar(Methods):
    """One number of which only its origin is known: an argument, or the result of a step.

    Attributes:
        steps: the list that it belongs to.
        place: its position there.
        boolean: whether it is true or false, rather than a number.
        reach: the arguments along which it has a derivative; of a boolean, those that it depends on.
    """

    __slots__ = ("boolean", "place", "reach", "steps")
    __hash__ = object.__hash__

    def __init__(self, steps: Steps, place: int, boolean: bool, reach: frozenset[int]) -> None:
        self.steps, self.place, self.boolean, self.reach = steps, place, boolean, reach

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Note one step."""
        if not is_scalar(op):
            raise UnsupportedError(f"{op.name} is not a function of single numbers.\n{user_line()}")
        return self.steps.add(op, inputs)

    def __bool__(self) -> bool:
        raise UnsupportedError(
            f"a branch depends on data in a function whose source cannot be read.\n{user_line()}\n{UNWRITTEN}"
        )

    def __float__(self) -> float:
        raise UnsupportedError(
            "a function of Python numbers was called on data in a function whose source cannot be read.\n"
            f"{user_line()}\nWrite ag.exp for math.exp, and so on. {UNWRITTEN}"
        )

    __index__ = __int__ = __trunc__ = __floor__ = __ceil__ = __float__

    def __iter__(self) -> Any:
        raise UnsupportedError(f"a number was unpacked or looped over.\n{user_line()}")


class Steps:
    """A growing list of steps. A step that is there already is not done twice."""

    def __init__(self, names: Sequence[str]) -> None:
        self.inputs = [Scalar(self, k, False, frozenset([k])) for k in range(len(names))]
        self.places: list[Any] = list(self.inputs)  # of each place: an argument, a Python number, or a Scalar
        self.lines: dict[int, tuple[Primitive | None, tuple[int, ...]]] = {}
        self._known: dict[Any, int] = {}

    def add(self, op: Primitive, operands: Sequence[Any]) -> Scalar:
        """Apply a primitive; a boolean that is reckoned with is 0 or 1, as in Python."""
        first = 1 if op is where_ else 0
        values = operands[first:]
        boolean = op.partials is None and op.name != "stop_gradient"
        if op is where_:
            boolean = all(isinstance(x, bool) or (isinstance(x, Scalar) and x.boolean) for x in values)
        if not boolean:
            values = [self.number(x) for x in values]
        reach = frozenset[int]().union(*(x.reach for x in values if isinstance(x, Scalar)))
        if boolean and first and isinstance(operands[0], Scalar):
            reach |= operands[0].reach
        if op.name == "stop_gradient":
            reach = frozenset()
        made = self._step(op, (*operands[:first], *values), boolean, reach)
        weak = not boolean and not any(isinstance(x, Scalar) for x in values)
        return self._step(None, (made,), False, reach) if weak else made  # a choice of two Python numbers

    def number(self, x: Any) -> Any:
        """0 or 1 for a boolean, else x."""
        if isinstance(x, Scalar) and x.boolean:
            return self._step(None, (x,), False, frozenset())
        return int(x) if isinstance(x, bool) else x

    def _step(self, op: Primitive | None, operands: Sequence[Any], boolean: bool, reach: frozenset[int]) -> Scalar:
        places = tuple(self._place(x, op) for x in operands)
        place = self._known.get((op, places))
        if place is None:
            place = self._known[op, places] = len(self.places)
            self.places.append(Scalar(self, place, boolean, reach))
            self.lines[place] = (op, places)
        found: Scalar = self.places[place]
        return found

    def _place(self, x: Any, op: Primitive | None) -> int:
        if isinstance(x, Scalar):
            return x.place
        if isinstance(x, (np.bool_, np.number)):
            x = x.item()
        if not isinstance(x, (bool, int, float)):
            raise UnsupportedError(
                f"{op.name if op else 'a step'} was given a {type(x).__name__}. Expected a number: make an array or a "
                f"Tensor that the function closes over one of its positional arguments.\n{user_line()}"
            )
        key = (type(x), repr(x))  # 1, 1.0 and True are three, and so are 0.0 and -0.0
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = len(self.places)
            self.places.append(float(x) if isinstance(x, int) and abs(x) > 2**53 else x)
        return place

    def program(self, result: Any) -> Program:
        """What computes the result, which then has the shape of all arguments together, and a derivative along each."""
        nought = [self.add(chain, (0, x)) for x in self.inputs]  # 0 whatever x is, and so is its slope
        y = result
        if isinstance(y, bool):
            y = self.add(equal, (nought[0], int(not y)))
        elif not isinstance(y, Scalar):
            y = self.add(primitives["add"], (nought[0], y))
        elif y.place < len(self.inputs):
            y = self.add(primitives["positive"], (y,))
        for k in sorted(frozenset(range(len(nought))) - y.reach):
            zero = nought[k]
            if y.boolean:
                y = self.add(logical_and, (y, self.add(equal, (zero, 0))))
            else:
                y = self.add(primitives["add"], (y, zero))
        return Program(self, y)


class Program:
    """Steps that compute one value, run on arrays, Tensors or the symbols of the compiler.

    Attributes:
        boolean: whether the result is true or false.
        lines: (operation, places of its operands, places that nobody reads afterwards); no operation for a cast.
    """

    def __init__(self, steps: Steps, result: Scalar) -> None:
        self.boolean = result.boolean
        self.count = len(steps.inputs)
        self.constants = {k: x for k, x in enumerate(steps.places) if not isinstance(x, Scalar)}
        last = {result.place: -1}  # the step that reads a place last, found from behind
        lines: list[tuple[Callable[..., Any] | None, int, tuple[int, ...], list[int]]] = []
        for place in sorted(steps.lines, reverse=True):
            if place in last:
                op, operands = steps.lines[place]
                lines.append((op, place, operands, [k for k in set(operands) if k not in last]))
                last |= {k: place for k in operands if k not in last}
        self.result = result.place
        self.lines = lines[::-1]

    def __call__(self, *xs: Any) -> Any:
        """The value for these arguments, in the floating dtype that they promote to."""
        dtype = dtype_of(xs)
        values = dict(self.constants)
        values |= {
            k: x if getattr(x, "dtype", None) == dtype and not weak(x) else astype(x, dtype) for k, x in enumerate(xs)
        }
        with np.errstate(all="ignore"):  # a branch that is not taken may be undefined
            for op, place, operands, done in self.lines:
                read = [values[k] for k in operands]
                values[place] = astype(read[0], dtype) if op is None else op(*read)
                for k in done:
                    del values[k]
        return values[self.result]


def weak(x: Any) -> bool:
    """Whether x is a Python number, or the symbol of one."""
    return (isinstance(x, (int, float)) and not isinstance(x, np.generic)) or getattr(x, "weak", False)


def dtype_of(xs: Sequence[Any]) -> np.dtype[Any]:
    """The floating dtype that arguments promote to; whole numbers and booleans are taken as float64."""
    dtype = np.result_type(*(x.dtype for x in xs if not weak(x)), 1.0)
    if dtype.kind != "f":
        raise DTypeError(f"a scalar function was given {dtype}. Expected real numbers: pass x.real and x.imag.")
    return dtype
