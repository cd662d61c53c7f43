"""What a kernel says short of a statement: names, elements of memory, expressions, calls."""

from __future__ import annotations

import ast
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels.arithmetic import (
    COMPARED,
    SYMBOLS,
    Unlowered,
    Value,
    binary,
    common,
    convert,
    extreme,
    truth,
    unary,
    valued,
)
from autograd.kernels.flagged import Flagged
from autograd.kernels.language import (
    BOOL,
    FLOAT64,
    INTP,
    NUMBERS,
    VOID,
    Instruction,
    Kind,
    Number,
    Pointer,
    kept_on_stack,
)


class Frame:
    """A function being written: its names, and where `return`, `break` and `continue` go."""

    def __init__(self, tree: ast.FunctionDef, out: Any) -> None:
        stores = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        self.local = {node.id for node in stores}
        self.slots: dict[str, Any] = {}  # where the value of a name is kept, with its kind; a tuple of them
        self.bound: dict[str, Any] = {}  # what a name stands for throughout
        self.out = out
        self.result: Any = None
        self.loops: list[tuple[Any, Any]] = []  # after the loop, and to its next turn


class Phrases(ABC):
    """Appends the code of expressions where its builder stands."""

    def __init__(self, builder: Flagged, functions: Mapping[str, ast.FunctionDef], scope: Mapping[str, Any]) -> None:
        self.builder, self.functions, self.scope = builder, functions, scope
        self.frames: list[Frame] = []

    @property
    def frame(self) -> Frame:
        """The innermost function."""
        return self.frames[-1]

    @abstractmethod
    def function(self, tree: ast.FunctionDef, arguments: Sequence[Any], end: Any) -> Any:
        """Write out a function, up to a block that the builder is left in; its result."""

    def forked(self, test: Any, this: Callable[[], None], other: Callable[[], None]) -> None:
        """One way where a bit is set, the other where it is not."""
        builder = self.builder
        yes, no, after = (builder.append_basic_block(name) for name in ("yes", "no", "after"))
        builder.cbranch(test, yes, no)
        for block, write in ((yes, this), (no, other)):
            builder.position_at_end(block)
            write()
            if not builder.block.is_terminated:
                builder.branch(after)
        builder.position_at_end(after)

    # ---- names and memory

    def assign(self, target: ast.expr, x: Any) -> None:
        """Give a name, an element or several of them a value."""
        if isinstance(target, ast.Name):
            self.store(target.id, x)
        elif isinstance(target, ast.Subscript):
            place, kind = self.place(target)
            self.put(place, kind, x)
        elif isinstance(target, ast.Tuple) and isinstance(x, tuple) and len(x) == len(target.elts):
            for one, value in zip(target.elts, x, strict=True):
                self.assign(one, value)
        else:
            raise Unlowered("an assignment is neither to names nor to elements")

    def room(self, kind: Kind) -> Value:
        """A place for a value of a kind."""
        if kind == VOID:
            raise Unlowered("nothing is given a name")
        return Value(kept_on_stack(self.builder, kind.value), kind)

    def keep(self, slot: Any, x: Any) -> None:
        """Put a value in a place for one."""
        x = valued(x)
        if isinstance(slot, tuple) or x.kind != slot.kind:
            raise Unlowered("a name has values of two kinds")
        self.builder.store(x.ir, slot.ir)

    def kept(self, slot: Any, x: Any) -> Any:
        """Put a value or a tuple of them in a place, a new one if there is none; the place."""
        if isinstance(x, tuple):
            slots = slot or (None,) * len(x)
            if not isinstance(slots, tuple) or len(slots) != len(x):
                raise Unlowered("a tuple stands beside something else")
            return tuple(self.kept(*pair) for pair in zip(slots, x, strict=True))
        slot = slot or self.room(valued(x).kind)
        self.keep(slot, x)
        return slot

    def loaded(self, slot: Any) -> Any:
        """The value that is kept."""
        if isinstance(slot, tuple):
            return tuple(map(self.loaded, slot))
        return Value(self.builder.load(slot.ir), slot.kind)

    def store(self, name: str, x: Any) -> None:
        """Give a name a value."""
        slots = self.frame.slots
        slots[name] = self.kept(slots.get(name), x)

    def name(self, name: str) -> Any:
        """What a name stands for."""
        frame = self.frame
        if name in frame.slots:
            return self.loaded(frame.slots[name])
        if name in frame.bound:
            return frame.bound[name]
        if name in frame.local:
            raise Unlowered(f"{name} has no value here")
        return self.scope_of(ast.Name(name))

    def scope_of(self, name: ast.Name) -> Any:
        """What a name means outside of all functions."""
        builtins = self.scope["__builtins__"]
        known = builtins if isinstance(builtins, dict) else vars(builtins)
        if name.id in self.scope:
            return self.scope[name.id]
        if name.id in known:
            return known[name.id]
        raise Unlowered(f"there is no {name.id}")

    def place(self, target: ast.Subscript) -> tuple[Any, Number]:
        """Where an element stands, and what it is."""
        base, index = self.value(target.value), self.value(target.slice)
        if not isinstance(base, Value) or not isinstance(base.kind, Pointer):
            raise Unlowered("what is indexed is no pointer")
        where = convert(self.builder, index, INTP)
        return self.builder.gep(base.ir, [where]), base.kind.element

    def read(self, place: Any, kind: Number) -> Value:
        """The element that stands there."""
        x = self.builder.load(place)
        return Value(self.builder.icmp_signed("!=", x, ir.Constant(x.type, 0)) if kind == BOOL else x, kind)

    def put(self, place: Any, kind: Number, x: Any) -> None:
        """Write an element."""
        value = convert(self.builder, x, kind)
        self.builder.store(self.builder.zext(value, kind.stored) if kind == BOOL else value, place)

    # ---- expressions

    def value(self, e: ast.expr) -> Any:
        """The value of an expression: one of LLVM's, one of Python's that is known beforehand, or a tuple of them."""
        write = getattr(self, f"_{type(e).__name__}", None)
        if write is None:
            raise Unlowered(f"the small language has no {type(e).__name__}")
        return write(e)

    def _Constant(self, e: ast.Constant) -> Any:
        return e.value

    def _Name(self, e: ast.Name) -> Any:
        return self.name(e.id)

    def _Tuple(self, e: ast.Tuple) -> Any:
        return tuple(self.value(x) for x in e.elts)

    def _Attribute(self, e: ast.Attribute) -> Any:
        owner = self.value(e.value)
        if not isinstance(owner, types.ModuleType) or not hasattr(owner, e.attr):
            raise Unlowered(f"there is no {e.attr}")
        return getattr(owner, e.attr)

    def _Subscript(self, e: ast.Subscript) -> Any:
        base = self.value(e.value)
        if isinstance(base, tuple):
            index = self.value(e.slice)
            if not isinstance(index, int):
                raise Unlowered("the place in a tuple is not known")
            return base[index]
        place, kind = self.place(e)
        return self.read(place, kind)

    def _BinOp(self, e: ast.BinOp) -> Any:
        return self.operated(SYMBOLS.get(type(e.op).__name__, ""), self.value(e.left), self.value(e.right))

    def operated(self, symbol: str, a: Any, b: Any) -> Any:
        """An operator on two numbers."""
        if not symbol:
            raise Unlowered("the small language has no such operator")
        return binary(self.builder, symbol, a, b)

    def _UnaryOp(self, e: ast.UnaryOp) -> Any:
        return unary(self.builder, type(e.op).__name__, self.value(e.operand))

    def _Compare(self, e: ast.Compare) -> Any:
        left, found = self.value(e.left), None
        for op, right in zip(e.ops, map(self.value, e.comparators), strict=True):
            symbol = SYMBOLS.get(type(op).__name__, "")
            if symbol not in COMPARED:
                raise Unlowered("the small language has no such comparison")
            part = binary(self.builder, symbol, left, right)
            found = part if found is None else binary(self.builder, "&", found, part)
            left = right
        return found

    def _BoolOp(self, e: ast.BoolOp) -> Any:
        either = isinstance(e.op, ast.Or)
        first, *rest = e.values
        x = self.value(first)
        for following in rest:
            x = self._either(x, following, either)
        return x

    def _either(self, x: Any, following: ast.expr, either: bool) -> Any:
        """`x or following`, `x and following`, the second looked at only if it matters."""
        if not isinstance(x, Value):
            return x if bool(x) == either else self.value(following)
        builder, slot = self.builder, kept_on_stack(self.builder, BOOL.value)
        bit = truth(builder, x)
        builder.store(bit, slot)

        def look() -> None:
            builder.store(truth(builder, self.value(following)), slot)

        ways = (lambda: None, look) if either else (look, lambda: None)
        self.forked(bit, *ways)
        return Value(builder.load(slot), BOOL)

    def _IfExp(self, e: ast.IfExp) -> Any:
        test = self.value(e.test)
        if not isinstance(test, Value):
            return self.value(e.body if test else e.orelse)
        builder, ends = self.builder, []
        yes, no, after = (builder.append_basic_block(name) for name in ("yes", "no", "after"))
        builder.cbranch(truth(builder, test), yes, no)
        for block, part in ((yes, e.body), (no, e.orelse)):
            builder.position_at_end(block)
            x = self.value(part)
            ends.append((builder.block, x))
        slot = self._room_for_both(ends[0][1], ends[1][1])
        for block, x in ends:
            builder.position_at_end(block)
            self.kept(slot, self._as(x, slot))
            builder.branch(after)
        builder.position_at_end(after)
        return self.loaded(slot)

    def _room_for_both(self, a: Any, b: Any) -> Any:
        """A place for either of two values: in a kind in which they meet."""
        if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
            return tuple(map(self._room_for_both, a, b))
        x, y = valued(a), valued(b)
        return self.room(x.kind if x.kind == y.kind else common("choice", x.kind, y.kind))

    def _as(self, x: Any, slot: Any) -> Any:
        """A value in the kind of a place."""
        if isinstance(x, tuple):
            return tuple(map(self._as, x, slot))
        return Value(convert(self.builder, x, slot.kind), slot.kind)

    def _Call(self, e: ast.Call) -> Any:
        if e.keywords:
            raise Unlowered("a call names its arguments")
        called, arguments = self.value(e.func), [self.value(x) for x in e.args]
        if isinstance(called, Instruction):
            return self.instruction(called, arguments)
        if called in (min, max) and len(arguments) == 2:
            return extreme(self.builder, called.__name__, *arguments)
        kind = _cast(called)
        if kind is not None and len(arguments) == 1:
            return Value(convert(self.builder, arguments[0], kind), kind)
        name = getattr(called, "__name__", "")
        if isinstance(called, types.FunctionType) and self.scope.get(name) is called and name in self.functions:
            return self.function(self.functions[name], arguments, self.builder.append_basic_block("after"))
        raise Unlowered(f"the small language cannot call {called!r}")

    def instruction(self, called: Instruction, arguments: Sequence[Any]) -> Any:
        """What an instruction gives."""
        if len(arguments) != called.arity or any(isinstance(x, tuple) for x in arguments):
            raise Unlowered("an instruction takes other arguments")
        values = [valued(x) for x in arguments]
        signature, generate = called.typed(*(x.kind for x in values))
        given = [convert(self.builder, x, kind) for x, kind in zip(values, signature.parameters, strict=True)]
        fast = self.builder.fast
        self.builder.fast = () if called.exact else fast
        result = generate(self.builder, *given)
        self.builder.fast = fast
        return None if signature.result == VOID else Value(result, signature.result)


def _cast(called: Any) -> Number | None:
    """The kind that a type converts to: one of NumPy's, or Python's own."""
    if isinstance(called, type) and issubclass(called, np.generic):
        return NUMBERS.get(np.dtype(called).name)
    return {float: FLOAT64, int: INTP, bool: BOOL}.get(called) if isinstance(called, type) else None
