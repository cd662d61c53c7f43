"""A program as a list to read: its entries, the arrays between them, the user's lines, and the time that each takes."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError
from autograd.program.entry import Entry, size_of
from autograd.program.fitting import flops
from autograd.program.page import page, size, table
from autograd.program.stopwatch import microseconds
from autograd.program.symbol import Origin, Symbol

if TYPE_CHECKING:
    from autograd.program.apart import Later
    from autograd.program.compiled import Program
    from autograd.program.run import Run

Given = tuple[tuple[Any, ...], dict[str, Any]]
Make = Callable[[Given], tuple["Run", list[Any]]]  # a program that is nobody else's, and the values of its inputs
WIDEST = 60  # letters of what an entry does; `explain` has all
COLUMNS = ("", "kind", "group", "what", "reads", "writes", "read", "written", "threads", "us", "lines")


class Buffer(NamedTuple):
    """An array of a program.

    Attributes:
        name: x0 for an argument, t0 for a Tensor that it reads, c0 or k0 for a constant, b0 for one that it fills; of
            a program of gradients alone b0', and f0 for what is kept for it, g0 for a cotangent.
        role: "argument", "Tensor", "constant", "between", "result", "kept", "cotangent", "gradient of t0", "next t0".
        place: where it begins in the memory that arrays share at different times, in bytes; None if it has its own.
    """

    name: str
    role: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    place: int | None

    def cells(self) -> list[str]:
        """The row of a table."""
        shared = "" if self.place is None else f"shared, at {self.place:,}"
        return [self.name, self.role, f"{self.shape} {self.dtype}", size(self.bytes), shared]


@dataclass(frozen=True)
class Row:
    """One entry as it is shown.

    Attributes:
        kind: "kernel", "matmul", "load", the name of an operation, ... what: what it runs over.
        formulas: each operation, `(what it says, shape and dtype, origin)`.
        reads, writes: names of buffers. bytes_read, bytes_written: the size of what it looks at and fills.
        origins: the user's lines, those of which it computes the derivative included.
        group: operations that were put together have one number. threads: whether it is sliced over them.
        microseconds: that it takes by itself, or None before `profile`.
    """

    kind: str
    what: str
    formulas: list[tuple[str, str, Origin | None]]
    reads: list[str]
    writes: list[str]
    bytes_read: int
    bytes_written: int
    origins: list[Origin]
    group: int | None
    threads: bool
    microseconds: float | None = None

    def cells(self, number: int) -> list[str]:
        """The row of a table."""
        took = "" if self.microseconds is None else f"{self.microseconds:.2f}"
        where = ("" if self.group is None else str(self.group), shorten(self.what, WIDEST, placeholder=" ..."))
        names, lines = (" ".join(self.reads), " ".join(self.writes)), ", ".join(map(place, self.origins))
        much = (size(self.bytes_read), size(self.bytes_written), "yes" if self.threads else "")
        return [str(number), self.kind, *where, *names, *much, took, lines]


class Listing:
    """The program of a compiled function for one kind of arguments. Made by `Compiled.program` and `Compiled.listings`.

    Attributes:
        name: the function's. rows: its entries, in order. buffers: the arrays that they read and fill.
        turn: the first of the entries that run only when cotangents of the results are there, if there are such.
        updates: steps of optimizers, which are done after the entries and not among them.
        bytes: what the program holds for itself; Tensors and arguments are others'.
        peak: all that is held while it runs, as `compile` counts it for `fit_in`.
        recomputed: what is computed again instead of being kept, so that the peak fits.

    >>> import autograd as ag
    >>> w = ag.ones((3, 2), requires_grad=True)
    >>> program = ag.compile(lambda x: ag.sum(ag.tanh(x @ w))).program(ag.ones((4, 3)))
    >>> [(row.kind, row.reads, row.writes) for row in program.rows]
    [('matmul', ['x0', 't0'], ['b0']), ('kernel', ['b0', 'k0'], ['b1', 'b2']), ('matmul', ['x0', 'b1'], ['b3'])]
    >>> [buffer.role for buffer in program.buffers if buffer.name == "b3"]
    ['gradient of t0']
    """

    def __init__(self, name: str, run: Run, make: Make, given: Given | None = None) -> None:
        self.name, self._make, self._given = name, make, given
        both = [_Names(run.program, "", _roles(run))]
        if run.later is not None:
            both.append(_Names(run.later.program, "'", _later_roles(run, run.later)))
        self.rows = [names.row(entry) for names in both for entry in names.program.listing]
        self.turn = len(run.program.listing)
        self.buffers = list({buffer.name: buffer for names in reversed(both) for buffer in names.buffers()}.values())
        self.bytes = sum(names.own_bytes() for names in both)
        self.peak, self.recomputed, self._budget = run.peak, run.recomputed, run.budget
        more = sum(r.flops for r in self.recomputed)
        whole = sum(flops(s) for s in run.program.symbols if s.op is not None) if more else 0
        self._extra = more / max(whole - more, 1)
        self.updates = [f"{len(u.targets[0])} Tensors, with {len(u.targets) - 1} states of each" for u in run.updates]

    def profile(self, *args: Any, **settings: Any) -> Listing:
        """Measure what each entry takes, in microseconds: the median of some runs, in which each is called for itself.

        The arguments are by default those that the listing was asked for with. The entries run over buffers made for
        this alone: no Tensor, state or random number of yours is changed. Steps of optimizers are not measured.

        >>> import autograd as ag
        >>> program = ag.compile(lambda x: ag.sum(ag.exp(x))).program(ag.ones(10_000))
        >>> all(row.microseconds > 0 for row in program.profile().rows)
        True
        """
        given = (args, settings) if args or settings else self._given
        if given is None:
            raise ArgumentError(
                f"profile of {self.name} was given no arguments. Write profile(*what the function takes)."
            )
        run, values = self._make(given)
        programs = [(run.program, values)]
        if run.later is not None:
            programs.append((run.later.program, run.later.examples))
        again = [str(entry) for program, _ in programs for entry in program.listing]
        if len(again) != len(self.rows):
            raise ArgumentError(
                f"profile of {self.name} was given arguments of another kind: their program has {len(again)} entries, "
                f"this one {len(self.rows)}.\nWrite {self.name}.program(...).profile() for those arguments."
            )
        for k, took in enumerate(took for each in programs for took in microseconds(*each)):
            row = self.rows[k]
            self.rows[k] = Row(**{**row.__dict__, "microseconds": took})
        return self

    # ---- as text

    def __str__(self) -> str:
        head = [c for c in COLUMNS if c != "us" or any(r.microseconds is not None for r in self.rows)]
        skip = [k for k, c in enumerate(COLUMNS) if c not in head]
        cells = [[c for k, c in enumerate(row.cells(n)) if k not in skip] for n, row in enumerate(self.rows)]
        return "\n".join([self.title(), *table(head, cells), *self._ends()])

    def title(self) -> str:
        """What there is, in one line."""
        native = f"{len(self.rows)} entries, {sum(b.name.startswith('b') for b in self.buffers)} buffers"
        return f"{self.name}: {native}, {size(self.bytes)} of its own"

    def _ends(self) -> list[str]:
        measured = [row.microseconds for row in self.rows if row.microseconds is not None]
        took = [f"all entries: {sum(measured):.1f} us"] if measured else []
        if self.turn < len(self.rows):
            took.append(f"from entry {self.turn} on: gradients, once there are cotangents of the results")
        return [*took, *(f"then an update of {u}" for u in self.updates), *self._fitted()]

    def _fitted(self) -> list[str]:
        """What a budget of memory has brought."""
        if self._budget is None:
            return []
        again = [f"    {r}, {', '.join(map(place, r.origins))}" for r in self.recomputed]
        more = f", {self._extra:.1%} more operations" if again else ""
        head = f"{size(self.peak)} held at once, of {size(self._budget.bytes)}{more}"
        return [head, *(["computed again instead of being kept"] if again else []), *again]

    def print(self) -> None:
        """Print the entries, one to a line.

        >>> import autograd as ag
        >>> ag.compile(lambda x: ag.sum(ag.exp(x))).program(ag.ones(4)).print()
        <lambda>: 1 entries, 1 buffers, 8 B of its own
           kind    group  what        reads  writes  read  written  threads  lines
        0  kernel  0      1 x 4: exp  x0     b0      32 B  8 B               ...
        """
        print(self)

    def explain(self) -> str:
        """Every operation of every entry, with its shape and the line that it comes from; and every buffer."""
        lines = [self.title()]
        for n, row in enumerate(self.rows):
            took = "" if row.microseconds is None else f", {row.microseconds:.1f} us"
            moved = f"reads {size(row.bytes_read)}, writes {size(row.bytes_written)}"
            lines.append(f"{n}  {row.kind} {row.what.partition(':')[0]}".rstrip() + f": {moved}{took}")
            rows = [[f"    {said}", kind, with_source(origin)] for said, kind, origin in row.formulas]
            lines += table(None, rows)
        buffers = ["    " + line for line in table(None, [b.cells() for b in self.buffers])]
        return "\n".join([*lines, "buffers", *buffers, *self._ends()])

    def to_html(self, path: str | Path | None = None) -> str:
        """The same as a page that needs nothing but itself; written to a file where a path is given.

        >>> import autograd as ag
        >>> text = ag.compile(lambda x: ag.sum(ag.exp(x))).program(ag.ones(4)).to_html()
        >>> text.startswith("<!doctype html>"), "http" in text
        (True, False)
        """
        rows = [
            (row.cells(n), row.microseconds, [[said, kind, with_source(origin)] for said, kind, origin in row.formulas])
            for n, row in enumerate(self.rows)
        ]
        buffers = [b.cells() for b in self.buffers]
        text = page(self.title(), COLUMNS, rows, buffers, self._ends())
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text


def _roles(run: Run) -> list[tuple[Symbol | None, str]]:
    """What arrays of the program are there for."""
    lent = {id(t): s.label for s, t in run.program.memory.lent.items()}
    return [
        *((s, "result") for s in run.results),
        *((g, f"gradient of {name}") for g, name in _variables(run)),
        *((g, f"gradient of {lent.get(id(t), 'a Tensor')}") for t, g in run.gradients),
        *((s, f"next {lent.get(id(t), 'value of a Tensor')}") for t, s in run.assigned),
        *((s, "kept") for s in (run.later.kept if run.later is not None else ())),
    ]


def _later_roles(run: Run, later: Later) -> list[tuple[Symbol | None, str]]:
    """The same of the program of gradients."""
    inputs = later.program.inputs
    names = [name for _, name in _variables(run)]
    return [
        *((s, "kept") for s in inputs if s.label.startswith("f")),
        *((s, "cotangent") for s in inputs if s.label.startswith("g")),
        *((s, "Tensor") for s in inputs if s.label.startswith("t")),
        *((g, f"gradient of {name}") for g, name in zip(later.gradients, names, strict=True)),
    ]


def _variables(run: Run) -> list[tuple[Symbol, str]]:
    """The gradients that are wanted, and of what."""
    lent = {id(t): s.label for s, t in run.program.memory.lent.items()}
    position = dict(zip(run.places, run.program.inputs, strict=True))
    return [(g, position[x].label if isinstance(x, int) else lent.get(id(x), "a Tensor")) for x, _, g in run.wanted]


class _Names:
    """What the arrays of a program are called, and are there for."""

    def __init__(self, program: Program, mark: str, roles: Sequence[tuple[Symbol | None, str]]) -> None:
        self.program, self.memory, self.mark = program, program.memory, mark
        self.names: dict[Symbol, str] = {}
        self.inputs = set(program.inputs)
        self.roles: dict[Symbol, str] = {}
        for s, role in roles:
            if s is not None and s in self.memory:
                self.roles.setdefault(self.memory.root(s), role)

    def name(self, s: Symbol) -> str:
        """Of the array that s is, or is a view of."""
        root = self.memory.root(s)
        if root not in self.names:
            kind = "" if _is_constant(root) and root.label else "k" if _is_constant(root) else "b"
            count = sum(name.startswith(kind) for name in self.names.values())
            self.names[root] = f"{kind}{count}{self.mark}" if kind else root.label
        return self.names[root]

    def row(self, entry: Entry) -> Row:
        """An entry with its arrays by name."""
        reads, writes = (list(dict.fromkeys(map(self.name, found))) for found in (entry.reads, entry.writes))
        inside = {s: f"%{k}" for k, s in enumerate(entry.symbols)}
        inside |= {s: self.name(s) for s in entry.writes}
        formulas = [
            (f"{inside[s]} = {s.op.name}({self._inputs(s, inside)})", f"{s.shape} {s.dtype}", s.origin)
            for s in entry.symbols
            if s.op is not None
        ]
        return Row(
            *(entry.kind, entry.what, formulas, reads, writes, entry.bytes_read, entry.bytes_written),
            *(entry.origins, entry.group, entry.threads),
        )

    def _inputs(self, s: Symbol, inside: dict[Symbol, str]) -> str:
        return ", ".join(
            inside.get(x) or (self.name(x) if x in self.memory else repr(x)) if isinstance(x, Symbol) else repr(x)
            for x in s.inputs
        )

    def buffers(self) -> list[Buffer]:
        """All that were named, in the order in which they were met."""
        found = []
        for s, name in self.names.items():
            found.append(Buffer(name, self._role_of(s), s.shape, str(s.dtype), size_of(s), self._place_of(s)))
        return found

    def _place_of(self, s: Symbol) -> int | None:
        shared, x = self.memory.arena, self.memory.own.get(s)
        if shared is None or x is None or not np.may_share_memory(shared, x):
            return None
        return int(x.__array_interface__["data"][0] - shared.__array_interface__["data"][0])

    def _role_of(self, s: Symbol) -> str:
        if s in self.memory.lent:
            return "Tensor"
        if s in self.inputs:
            return self.roles.get(s, "argument")
        return self.roles.get(s, "constant" if _is_constant(s) else "between")

    def own_bytes(self) -> int:
        """What is there for this program alone: what it fills, constants, and parts of sums, each memory once."""
        arrays = [x for s, x in self.memory.own.items() if self.memory.root(s) not in self.inputs]
        whole = [owner(x) for x in (*arrays, *self.program.kept) if isinstance(x, np.ndarray)]
        return sum({id(x): x.nbytes for x in whole}.values())


def _is_constant(s: Symbol) -> bool:
    """Whether nothing in the program computes s: also of an input or a Tensor."""
    return s.op is None and s.label != "copy"


def owner(x: NDArray[Any]) -> NDArray[Any]:
    """The array whose memory x is a view of."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


def place(origin: Origin) -> str:
    """An origin in a few letters."""
    return f"{Path(origin.file).name}:{origin.line}" + ("'" if origin.backward else "")


def with_source(origin: Origin | None) -> str:
    """An origin with what stands there."""
    if origin is None:
        return ""
    source = linecache.getline(origin.file, origin.line).strip()
    return f"{'backward of ' if origin.backward else ''}{Path(origin.file).name}:{origin.line}" + (
        f": {source}" if source else ""
    )
