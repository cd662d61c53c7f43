"""The source of a kernel: one stage of a graph as loops over chunks, rows and columns.

A kernel has the contract `void kernel(intp lo, intp hi, intp* args)` and computes the chunks [lo, hi). Its arguments
are the number of rows, of columns, of rows in a chunk (of columns, if there are no rows), and of rows in the inner one
of two loops over rows; then a pointer to the scalars as float64; then one for each array: those read, those written,
and the totals: partial ones, one for each chunk, but for those of an outer loop, no round of which two chunks share.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.program.loops import COLUMNS, OUTER, ROWS
from autograd.program.stages import Stage, along_row
from autograd.program.symbol import Symbol, Unfusable, is_whole_extreme

CODES = {"float32": "f4", "float64": "f8", "int64": "i8", "int32": "i4", "bool": "b1", "uint8": "u1"}
GENERIC = {
    "select", "maximum", "minimum", "fabs", "floor", "ceil", "rint", "trunc", "sqrt", "fmod", "copysign", "truth",
    "uniform", "INFINITY",
}  # fmt: skip
FLOATING = GENERIC - {"select", "truth", "uniform"}
MATHS = {
    "exp", "expm1", "exp2", "log", "log1p", "log2", "tanh", "sigmoid", "softplus", "erf", "erfc", "sin", "cos", "tan",
    "sinh", "cosh", "atan", "pow", "rsqrt", "ndtr",
}  # fmt: skip  # of `autograd.kernels.maths`, which is not imported for their names: that would load LLVM
LITERAL = (0, 1, -1, 2, -2, 0.5, -0.5, 3)  # numbers that formulas hold, written into the source
LONGEST = 32  # letters of their names
SCOPED = 32  # outputs that a kernel tells apart; further ones share the last scope
COSTLY = {
    "exp",
    "log",
    "tanh",
    "sigmoid",
    "softplus",
    "erf",
    "ndtr",
    "erfc",
    "sin",
    "cos",
    "pow",
    "log1p",
    "expm1",
    "divide",
    "sqrt",
}
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_LAST = re.compile(r"\b[a-z]\w*$")
_NAME = re.compile(r"[A-Za-z_]\w*")
START = {"sum": "0", "max": "-INFINITY", "min": "INFINITY"}
COMBINE = {"sum": "plus({}, {})", "max": "maximum({}, {})", "min": "minimum({}, {})"}


def code_of(dtype: np.dtype[Any]) -> str:
    """The short name of a dtype in kernels."""
    try:
        return CODES[dtype.name]
    except KeyError:
        raise Unfusable(f"kernels have no {dtype}") from None


class Writer:
    """Writes the source of one stage."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.loops = stage.loops
        self.level = stage.loops.level
        self.head: list[str] = []
        self.lines: list[str] = []
        self.depth = 1
        self.names: dict[Symbol, str] = {s: f"v{k}" for k, s in enumerate(stage.order)}
        self.address: dict[Symbol, str] = {}
        self.pitch: dict[Symbol, str] = {}
        self.outputs = set(stage.outputs)
        self.scratch: dict[Symbol, Symbol] = {}  # costly values kept, between passes, where an output will stand
        self.passes = max((stage.phase[s] for s in stage.order), default=0)

    def line(self, text: str) -> None:
        """Add a line at the present depth."""
        self.lines.append("    " * self.depth + text)

    def write(self) -> str:
        """The whole kernel."""
        self.lines = ["def kernel(lo, hi, args):"]
        for k, name in enumerate(("n", "m", "step", "b")):
            self.line(f"{name} = args[{k}]")
        self._arguments()
        head = len(self.lines)
        self._keep_costly()
        self.line("for c in range(lo, hi):")
        self.depth += 1
        if self.loops.has_rows:
            self._rows()
        else:
            self._columns()
        constants = [f"    c{k} = scalars[{k}]" for k, s in enumerate(self.stage.scalars) if not isinstance(s, Symbol)]
        return "\n".join([*self.head, *self.lines[:head], *constants, *self.lines[head:]]) + "\n"

    def _arguments(self) -> None:
        stage = self.stage
        self.line("scalars = pointer_f8(args, 4)")
        for k, s in enumerate(stage.scalars):
            if isinstance(s, Symbol):
                self.names[s] = f"s{k}"
                self.line(f"s{k} = {code_of(s.dtype)}(scalars[{k}])")
        for k, s in enumerate([*stage.arrays, *stage.outputs, *stage.totals]):
            role = "a" if k < len(stage.arrays) else "o" if k < len(stage.arrays) + len(stage.outputs) else "t"
            self.address[s] = f"{role}{k}"
            stored = "u1" if s.dtype == np.bool_ else code_of(s.dtype)
            self.line(f"{role}{k} = pointer_{stored}(args, {k + 5})")
            if role != "a":
                self.head.append(f"read_{role}{k}, write_{role}{k} = outputs[{min(k - len(stage.arrays), SCOPED - 1)}]")
        for k, s in enumerate(stage.pitched, len(self.address)):
            self.pitch[s] = f"p{k}"
            self.line(f"p{k} = args[{k + 5}]")

    def _keep_costly(self) -> None:
        """Choose, for costly values needed in a later pass, an output in whose place they wait until it is written."""
        phase, free = self.stage.phase, [o for o in self.stage.outputs if self.level[o] == self.loops.full]
        needed = dict.fromkeys(self.stage.order, 0)  # the last pass in which each is read: cheap readers are made again
        for u in reversed(self.stage.order):
            for x in u.inputs:
                if isinstance(x, Symbol) and x in needed:
                    needed[x] = max(needed[x], phase[u], 0 if along_row(u, self.loops) else needed[u])
        for s in self.stage.order:
            last = needed[s]
            costly = s.op is not None and s.op.name in COSTLY and self.level[s] == self.loops.full
            for o in list(free) if costly and last > phase[s] and s not in self.outputs else ():
                if o.dtype == s.dtype and phase[o] >= last:
                    self.scratch[s] = o
                    free = [other for other in free if other is not o]
                    break

    # ---- loops

    def _rows(self) -> None:
        for t in self.stage.totals:
            if not self.level[t]:
                self.line(f"{self.address[t]}_sum = {self._start(t)}")
            elif not self.level[t] & OUTER:
                self.line(f"for j in range({self._length(t)}):")
                self.line("    " + self._writes(t, f"c * {self._length(t)} + j", self._start(t)))
        self.line("for i in range(c * step, min(n, c * step + step)):")
        self.depth += 1
        if self.loops.across == OUTER | ROWS:
            self.line("ia = i // b")
            self.line("ib = i - ia * b")
        done: set[Symbol] = set()
        for p in range(self.passes + 1):
            self._pass(p, done)
        self.depth -= 1
        for t in self.stage.totals:
            if not self.level[t]:
                self.line(self._writes(t, "c", f"{self.address[t]}_sum"))

    def _length(self, t: Symbol) -> str:
        """The number of elements of a partial total."""
        return {ROWS: "b", COLUMNS: "m", ROWS | COLUMNS: "b * m"}[self.level[t]]

    def _into_total(self, t: Symbol, value: str) -> None:
        """Add a value to a total: a local one, or where it stands in memory for this row and column."""
        if not self.level[t]:
            self.line(f"{self.address[t]}_sum = {self._combined(t, f'{self.address[t]}_sum', value)}")
            return
        place = self._place(t, "j")
        if not self.level[t] & OUTER:
            place = f"c * {self._length(t)} + {place}"
        here = f"read_{self.address[t]}({self.address[t]}, {place})"
        self.line(self._writes(t, place, self._combined(t, here, value)))

    def _summed_by_row(self, t: Symbol) -> bool:
        """Whether a total first gets a sum of its own for each row."""
        return bool(self.level[t]) and not self.level[t] & COLUMNS and bool(self.level[t.inputs[0]] & COLUMNS)

    def _pass(self, p: int, row: set[Symbol]) -> None:
        """The values of a row known in pass p, then one loop along it."""
        stage, phase = self.stage, self.stage.phase
        for s in [*stage.arrays, *stage.order]:
            if self._per_row(s) and phase[s] == p and s not in row and not along_row(s, self.loops):
                self._define(s, row, "j")
        for s in stage.outputs:
            if self._per_row(s) and phase[s] + along_row(s, self.loops) == p:
                self._store(s, "j")
        for t in stage.totals:
            if self._per_row(t.inputs[0]) and phase[t.inputs[0]] + along_row(t.inputs[0], self.loops) == p:
                self._into_total(t, self._typed(t.inputs[0], t.dtype))
        reduced = [s for s in stage.order if along_row(s, self.loops) and phase[s] == p]
        outputs = [s for s in stage.outputs if self.level[s] & COLUMNS and phase[s] == p]
        totals = [t for t in stage.totals if self.level[t.inputs[0]] & COLUMNS and phase[t.inputs[0]] == p]
        kept = [s for s in self.scratch if phase[s] == p]
        for s in reduced:
            self.line(f"{self.names[s]} = {self._start(s)}")
        for t in filter(self._summed_by_row, totals):
            self.line(f"{self.address[t]}_row = {self._start(t)}")
        if reduced or outputs or totals or kept:
            self.line("for j in range(m):")
            self.depth += 1
            self._body(reduced, outputs, totals, set(row), p)
            self.depth -= 1
        for t in filter(self._summed_by_row, totals):
            self._into_total(t, f"{self.address[t]}_row")
        row.update(reduced)
        if p == self.passes:
            self._last(row)

    def _last(self, row: set[Symbol]) -> None:
        """Sums along the row that are themselves outputs or totals, known after the last pass."""
        for s in self.stage.outputs:
            if along_row(s, self.loops) and self.stage.phase[s] == self.passes:
                self._store(s, "j")
        for t in self.stage.totals:
            x = t.inputs[0]
            if along_row(x, self.loops) and self.stage.phase[x] == self.passes:
                self._into_total(t, self._typed(x, t.dtype))

    def _columns(self) -> None:
        for t in self.stage.totals:
            self.line(f"{self.address[t]}_sum = {self._start(t)}")
        self.line("for j in range(c * step, min(m, c * step + step)):")
        self.depth += 1
        self._body([], self.stage.outputs, self.stage.totals, set(), 0)
        self.depth -= 1
        for t in self.stage.totals:
            self.line(self._writes(t, "c", f"{self.address[t]}_sum"))

    def _body(
        self, reduced: Sequence[Symbol], outputs: Sequence[Symbol], totals: Sequence[Symbol], done: set[Symbol], p: int
    ) -> None:
        """What is done for each column."""
        for s in self.scratch:
            if self.stage.phase[s] == p:
                self._define(s, done, "j")
                self.line(self._writes(self.scratch[s], self._place(s, "j"), self.names[s]))
        for s in reduced:
            self._define(s.inputs[0], done, "j")
            name = self.names[s]
            self.line(f"{name} = {self._combined(s, name, self._typed(s.inputs[0], s.dtype))}")
        for t in totals:
            self._define(t.inputs[0], done, "j")
            value, row = self._typed(t.inputs[0], t.dtype), f"{self.address[t]}_row"
            if self._summed_by_row(t):
                self.line(f"{row} = {self._combined(t, row, value)}")
            else:
                self._into_total(t, value)
        for s in outputs:
            self._define(s, done, "j")
        for s in outputs:  # written after all is read: an output may stand in for what is read
            self._store(s, "j")

    # ---- values

    def _start(self, s: Symbol) -> str:
        if is_whole_extreme(s):
            raise Unfusable(f"kernels have no {s.op.name} of {s.dtype}")  # type: ignore[union-attr]
        return f"{code_of(s.dtype)}({START[s.op.name]})"  # type: ignore[union-attr]

    def _combined(self, s: Symbol, total: str, value: str) -> str:
        return COMBINE[s.op.name].format(total, value)  # type: ignore[union-attr]

    def _per_row(self, s: Symbol) -> bool:
        """Whether s varies over rows alone."""
        return bool(self.level[s]) and not self.level[s] & COLUMNS

    def _place(self, s: Symbol, column: str) -> str:
        """Where the element of this row and column stands in memory."""
        across = self.level[s] & self.loops.across
        row = "" if not across else "i" if across == self.loops.across else "ia" if across == OUTER else "ib"
        return row if not self.level[s] & COLUMNS else f"{row} * {self.pitch.get(s, 'm')} + {column}" if row else column

    def _reads(self, s: Symbol, place: str) -> str:
        """An array that an output is written over is read as that output: with two names, loops do not vectorise."""
        over = self.stage.over.get(s)
        if over is None:
            return f"read({self.address[s]}, {place})"
        return f"read_{self.address[over]}({self.address[over]}, {place})"

    def _writes(self, s: Symbol, place: str, value: str) -> str:
        return f"write_{self.address[s]}({self.address[s]}, {place}, {value})"

    def _store(self, s: Symbol, column: str) -> None:
        value = f"u1({self.names[s]})" if s.dtype == np.bool_ else self.names[s]
        self.line(self._writes(s, self._place(s, column), value))

    def _define(self, s: Any, done: set[Symbol], column: str, suffix: str = "") -> None:
        """Write the lines that give a value, and first those of what it is made of; without recursion."""
        stack = [s]
        while stack:
            x = stack[-1]
            if not isinstance(x, Symbol) or x in done or not self.level[x] or (suffix and not self.level[x] & COLUMNS):
                stack.pop()
                continue
            if x in self.address and x not in self.outputs:
                self.names.setdefault(x, self.address[x] + "v")
                load = self._reads(x, self._place(x, column if suffix else "j"))
                self.line(f"{self.names[x]}{suffix} = {load}" + (" != 0" if x.dtype == np.bool_ else ""))
            elif x in self.scratch and self.stage.phase[x] < self._now(done, x):
                stand = self.address[self.scratch[x]]
                place = self._place(x, column if suffix else "j")
                self.line(f"{self.names[x]}{suffix} = read_{stand}({stand}, {place})")
            elif x.op is not None and x.op.name == "pick":
                label = self._text(x.inputs[1])
                if x.inputs[1] in self.address and x.inputs[1] not in done:
                    stack.append(x.inputs[1])
                    continue
                inner: set[Symbol] = set()
                self._define(x.inputs[0], inner, label, suffix="p")
                self.line(f"{self.names[x]} = {self.names[x.inputs[0]]}p")
            else:
                missing = [y for y in x.inputs if isinstance(y, Symbol) and y not in done and self.level[y]]
                missing = [y for y in missing if not (suffix and not self.level[y] & COLUMNS)]
                if missing:
                    stack.extend(missing)
                    continue
                self.line(f"{self.names[x]}{suffix} = {self._expression(x, suffix, column if suffix else 'j')}")
            done.add(x)
            stack.pop()

    def _now(self, done: set[Symbol], x: Symbol) -> int:
        """The pass being written: one more than that of the last sum along the row that is done."""
        return max(
            (self.stage.phase[s] + 1 for s in done if along_row(s, self.loops) and s in self.stage.phase), default=0
        )

    def _text(self, x: Symbol, suffix: str = "") -> str:
        return self.names[x] + (suffix if self.level[x] & COLUMNS else "")

    def _typed(self, x: Any, dtype: np.dtype[Any], suffix: str = "") -> str:
        if isinstance(x, Symbol):
            text = self._text(x, suffix)
            return text if x.dtype == dtype else f"{code_of(dtype)}({text})"
        return f"{code_of(dtype)}({x!r})" if x in LITERAL else f"{code_of(dtype)}({self._constant(x)})"

    def _constant(self, x: Any) -> str:
        """A Python number as one of the scalars: most come from shapes, and a kernel serves them all."""
        if not np.isfinite(x):
            return "INFINITY" if x > 0 else "-INFINITY" if x < 0 else "NAN"
        known = [k for k, s in enumerate(self.stage.scalars) if not isinstance(s, Symbol) and s == x]
        if not known:
            self.stage.scalars.append(x)
        return f"c{known[0] if known else len(self.stage.scalars) - 1}"

    def _expression(self, s: Symbol, suffix: str, column: str) -> str:
        op = s.op
        assert op is not None
        if op.name == "place":
            label, value = self._text(s.inputs[1]), self._typed(s.inputs[0], s.dtype)
            return f"select({column} == {label}, {value}, {code_of(s.dtype)}(0))"
        if op.code is None:  # a change of shape alone
            return self._typed(s.inputs[0], s.dtype, suffix)
        dtype = _computing(s)
        texts = {}
        mask = _mask(s)
        for k, (name, x) in enumerate(zip(op.inputs, s.inputs, strict=True)):
            seed = op.name == "uniform_like" and k == 1
            kind = np.dtype(bool) if k == mask else np.dtype(np.int64) if seed else dtype
            texts[name] = self._typed(x, kind, suffix)
        if op.name == "uniform_like":
            texts["index"] = self._place(s, column)
        code = "select(b, a, 0)" if op.name == "chain" and mask else op.code
        code = _NUMBER.sub(lambda number: f"{code_of(dtype)}({number[0]})", code)

        def translated(match: re.Match[str]) -> str:
            word = match[0]
            if word in texts:
                return f"({texts[word]})"
            if dtype.kind != "f" and word in FLOATING:
                raise Unfusable(f"{op.name} has no kernel form for {dtype}")
            if word in GENERIC or word in CODES.values():
                return word
            if word not in MATHS or dtype.kind != "f":
                raise Unfusable(f"{op.name} has no kernel function for {dtype}")
            return f"{word}_{code_of(dtype)}"

        text = _NAME.sub(translated, code)
        return f"{code_of(dtype)}({text})" if op.name == "uniform_like" else text


def called(source: str) -> list[tuple[str, str]]:
    """The functions of `kernels.maths` that a source calls, with the dtype of each.

    >>> called("y = exp_f4(x) + fabs(x)")
    [('exp_f4', 'float32')]
    """
    before = (text for text in source.split("(") if text.endswith(("_f4", "_f8")))
    found = {name for text in before for name in _LAST.findall(text[-LONGEST:])} - {"pointer_f4", "pointer_f8"}
    return [(name, "float32" if name.endswith("_f4") else "float64") for name in sorted(found)]


def _mask(s: Symbol) -> int | None:
    """Which operand chooses between others: the condition of `where`, or a slope that is a truth."""
    name = s.op.name if s.op is not None else ""
    if name == "chain" and isinstance(s.inputs[1], Symbol) and s.inputs[1].dtype == np.bool_:
        return 1
    return 0 if name == "where" else None


def _computing(s: Symbol) -> np.dtype[Any]:
    """The dtype that an operation computes in: what NumPy promotes its operands to."""
    operands = s.inputs[1:] if s.op is not None and s.op.name == "where" else s.inputs
    strong = [x.dtype for x in operands if isinstance(x, Symbol) and not x.weak]
    weak = [x for x in operands if not isinstance(x, Symbol) or x.weak]
    if not strong:
        return s.dtype
    base = np.result_type(*strong)
    return (
        np.result_type(base, s.dtype) if s.dtype.kind == "f" or not weak else np.result_type(base, *map(_value, weak))
    )


def _value(x: Any) -> Any:
    return 1.0 if isinstance(x, Symbol) else x
