"""The small language of kernels into LLVM's: one pass over the syntax tree of a function.

numba takes several times as long for the same source, most of it to find out the types of a program that might hold
anything. Here a name has one kind, that of its first value; functions of a source are written out where they are
called; and what is anything else raises `Unlowered`, for numba to try.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from autograd.kernels.arithmetic import SYMBOLS, Unlowered, Value, convert, truth
from autograd.kernels.flagged import Flagged
from autograd.kernels.language import INTP, WORDS, Kind, kept_on_stack
from autograd.kernels.phrases import Frame, Phrases

KINDS: dict[str, Kind] = {"intp": INTP, "intp*": WORDS}
DEEP = 32  # functions that call one another
STACK = 64  # bytes: where a vector on the stack straddles cache lines, a loop takes up to 1.8 times as long


def lower(source: str, file: str, scope: dict[str, Any], name: str, signature: Sequence[str], flags: Any) -> ir.Module:
    """The module of a function `name` of a source text, `wengert_name` in it; of names that `scope` gives values to.

    Raises Unlowered if the small language does not say all of it.
    """
    tree = ast.parse(source, file)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    exec(compile(tree, file, "exec"), scope)
    if name not in functions or not isinstance(scope[name], types.FunctionType):
        raise Unlowered(f"{name} is no function of this source")
    kinds = [KINDS[kind] for kind in signature]
    module = ir.Module("kernel")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [k.value for k in kinds]), f"wengert_{name}")
    function.attributes.add("nounwind")
    function.attributes.alignstack = STACK
    first, body = function.append_basic_block("stack"), function.append_basic_block("body")
    ir.IRBuilder(first).branch(body)
    builder = Flagged(body)
    builder.fast = tuple(sorted(flags))
    writer = _Statements(builder, functions, scope)
    end = function.append_basic_block("end")
    writer.function(functions[name], [Value(a, k) for a, k in zip(function.args, kinds, strict=True)], end)
    builder.ret_void()
    return module


class _Statements(Phrases):
    """Appends the code of functions where its builder stands."""

    def function(self, tree: ast.FunctionDef, arguments: Sequence[Any], end: Any) -> Any:
        """Write out a function, up to a block that the builder is left in; its result."""
        given = tree.args
        if given.vararg or given.kwarg or given.kwonlyargs or given.defaults or len(given.args) != len(arguments):
            raise Unlowered(f"{tree.name} takes other arguments")
        if len(self.frames) > DEEP:
            raise Unlowered(f"{tree.name} calls itself")
        frame = Frame(tree, end)
        self.frames.append(frame)
        for formal, x in zip(given.args, arguments, strict=True):
            if formal.arg in frame.local:
                self.store(formal.arg, x)
            else:
                frame.bound[formal.arg] = x
        self.body(tree.body)
        if not self.builder.block.is_terminated:
            self.builder.branch(end)
        self.builder.position_at_end(end)
        self.frames.pop()
        return None if frame.result is None else self.loaded(frame.result)

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """Statements one after another, up to one that leaves."""
        for statement in statements:
            if self.builder.block.is_terminated:
                return
            write = getattr(self, f"_{type(statement).__name__}", None)
            if write is None:
                raise Unlowered(f"the small language has no {type(statement).__name__}")
            write(statement)

    def _Pass(self, _: ast.Pass) -> None:
        pass

    def _Expr(self, s: ast.Expr) -> None:
        if not isinstance(s.value, ast.Constant):  # a docstring
            self.value(s.value)

    def _Assign(self, s: ast.Assign) -> None:
        x = self.value(s.value)
        for target in s.targets:
            self.assign(target, x)

    def _AugAssign(self, s: ast.AugAssign) -> None:
        symbol = SYMBOLS.get(type(s.op).__name__, "")
        if isinstance(s.target, ast.Name):
            self.store(s.target.id, self.operated(symbol, self.name(s.target.id), self.value(s.value)))
        elif isinstance(s.target, ast.Subscript):
            place, kind = self.place(s.target)
            self.put(place, kind, self.operated(symbol, self.read(place, kind), self.value(s.value)))
        else:
            raise Unlowered("what is added to is neither a name nor an element")

    def _Return(self, s: ast.Return) -> None:
        if s.value is not None:
            self.frame.result = self.kept(self.frame.result, self.value(s.value))
        self.builder.branch(self.frame.out)

    def _If(self, s: ast.If) -> None:
        test = self.value(s.test)
        if not isinstance(test, Value):
            self.body(s.body if test else s.orelse)
            return
        self.forked(truth(self.builder, test), lambda: self.body(s.body), lambda: self.body(s.orelse))

    def _While(self, s: ast.While) -> None:
        if s.orelse:
            raise Unlowered("a loop has an else")
        builder = self.builder
        test, turn, out = (builder.append_basic_block(name) for name in ("test", "turn", "out"))
        builder.branch(test)
        builder.position_at_end(test)
        builder.cbranch(truth(builder, self.value(s.test)), turn, out)
        builder.position_at_end(turn)
        self.turn(s.body, out, test)
        builder.position_at_end(out)

    def _For(self, s: ast.For) -> None:
        if isinstance(s.iter, ast.Tuple) and not s.orelse:
            self._each(s)
            return
        start, stop, step = self._range(s)
        builder = self.builder
        counter = kept_on_stack(builder, INTP.value)
        begin, end = convert(builder, start, INTP), convert(builder, stop, INTP)
        builder.store(begin, counter)
        test, turn, following, out = (builder.append_basic_block(name) for name in ("test", "turn", "next", "out"))
        builder.branch(test)
        builder.position_at_end(test)
        now = builder.load(counter)
        builder.cbranch(self._goes_on(now, end, step), turn, out)
        builder.position_at_end(turn)
        self.assign(s.target, Value(now, INTP))
        self.turn(s.body, out, following)
        builder.position_at_end(following)
        builder.store(builder.add(builder.load(counter), convert(builder, step, INTP), flags=("nsw",)), counter)
        builder.branch(test)
        builder.position_at_end(out)

    def _each(self, s: ast.For) -> None:
        """A turn of a loop for each element of a tuple, one written after the other."""
        out = self.builder.append_basic_block("out")
        for element in self.value(s.iter):
            following = self.builder.append_basic_block("next")
            self.assign(s.target, element)
            self.turn(s.body, out, following)
            self.builder.position_at_end(following)
        self.builder.branch(out)
        self.builder.position_at_end(out)

    def _goes_on(self, now: Any, end: Any, step: Any) -> Any:
        """Whether a loop has another turn; with a step that is found out to be 0 it has none."""
        builder, zero = self.builder, ir.Constant(INTP.value, 0)
        up, down = builder.icmp_signed("<", now, end), builder.icmp_signed(">", now, end)
        if isinstance(step, int):
            return up if step > 0 else down
        ways = ((">", up), ("<", down))
        return builder.or_(*(builder.and_(builder.icmp_signed(sign, step.ir, zero), way) for sign, way in ways))

    def _range(self, s: ast.For) -> tuple[Any, Any, Any]:
        call = s.iter
        known = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and self.scope_of(call.func) is range
        if not known or s.orelse or call.keywords or not 1 <= len(call.args) <= 3:  # type: ignore[attr-defined]
            raise Unlowered("a loop is not over a range")
        values = [self.value(x) for x in call.args]  # type: ignore[attr-defined]
        start, stop = (0, values[0]) if len(values) == 1 else values[:2]
        step = values[2] if len(values) == 3 else 1
        if isinstance(step, Value):
            step = Value(convert(self.builder, step, INTP), INTP)
        elif not isinstance(step, int) or step == 0:
            raise Unlowered("the step of a range is no whole number, or 0")
        return start, stop, step

    def _Break(self, _: ast.Break) -> None:
        self.builder.branch(self.frame.loops[-1][0])

    def _Continue(self, _: ast.Continue) -> None:
        self.builder.branch(self.frame.loops[-1][1])

    def turn(self, body: Sequence[ast.stmt], out: Any, following: Any) -> None:
        """One turn of a loop, and the way to the next."""
        self.frame.loops.append((out, following))
        self.body(body)
        self.frame.loops.pop()
        if not self.builder.block.is_terminated:
            self.builder.branch(following)
