"""The register tile: sums of products that stay in vector registers, written as vector code for LLVM.

    C[r, :] (+)= sum over runs q and steps k of  A[r; q, k] * B[q, k, :]

for a fixed number of rows r and of whole vectors of columns. Rows lie anywhere: a table holds their addresses, so the
rows of one tile may be any pixels of any images. Products, convolutions and their transposes are all such sums.

For the source of a kernel only, like `intrinsics.py`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.language import INTP, VOID, WORD, Instruction, instruction, kept_on_stack
from autograd.kernels.vectors import INDEX, NUMBERS, Vectors, whole, word


def scratch(words: int) -> Instruction:
    """`scratch(words)()`: the address of so many machine words of the stack."""

    @instruction(INTP)
    def room(builder: Any) -> Any:
        place = kept_on_stack(builder, ir.ArrayType(WORD, words))
        place.align = 64
        return builder.ptrtoint(place, WORD)

    return room


def tile(
    size: int, lanes: int, rows: int, vectors: int, *, spread: bool = True, steps: int = 0, based: bool = False
) -> Instruction:
    """The tile of `rows` by `lanes * vectors` numbers of `size` bytes, as a function of addresses and strides in bytes.

    at, pitch: row r begins at at[q * pitch + r], an address; pitch is in words. shifts: added to it in run q.
    runs, depth: how many runs, and steps in each. step: from one step to the next in A.
    b, b_step: B's first vector and the way to the next; runs follow one another.
    to, shift, add: row r of C is at to[r] + shift; it is added to if `add`, else written. If `based` it is written, and
    `add` is the address of numbers that are added to every row.
    columns: how many of the columns are written.
    spread: A holds one number a step, for all columns; False: one vector (a sum for each channel alone).
    steps: the depth, if it is known beforehand.
    """

    @instruction(VOID, *[INTP] * 12)
    def product(builder: Any, *values: Any) -> None:
        _Tile(builder, size, lanes, rows, vectors, spread, steps, based).write(*values)

    return product


def turned(size: int, lanes: int) -> Instruction:
    """Transpose a square of `lanes` numbers a side: rows every `pitch` bytes from `at`, to the addresses at `to`."""

    @instruction(VOID, *[INTP] * 4)
    def transpose(builder: Any, at: Any, pitch: Any, to: Any, shift: Any) -> None:
        vector = ir.VectorType(NUMBERS[size], lanes).as_pointer()
        places = [builder.add(at, builder.mul(pitch, whole(k))) for k in range(lanes)]
        rows = [builder.load(builder.inttoptr(place, vector), align=size) for place in places]
        side = 1
        while side < lanes:  # swap the off-diagonal quarters of squares of twice the side
            for k in (k for k in range(lanes) if not k & side):
                above, below = rows[k], rows[k + side]
                left = [j if not j & side else lanes + j - side for j in range(lanes)]
                right = [j + side if not j & side else lanes + j for j in range(lanes)]
                for row, picks in ((k, left), (k + side, right)):
                    mask = ir.Constant(ir.VectorType(INDEX, lanes), picks)
                    rows[row] = builder.shuffle_vector(above, below, mask)
            side *= 2
        for k, row in enumerate(rows):
            place = builder.add(word(builder, to, whole(k)), shift)
            builder.store(row, builder.inttoptr(place, vector), align=size)

    return transpose


class _Tile:
    """One tile being written at the place where a builder stands."""

    def __init__(
        self, builder: Any, size: int, lanes: int, rows: int, vectors: int, spread: bool, steps: int, based: bool
    ) -> None:
        self.builder, self.rows, self.v = builder, range(rows), Vectors(builder, size, lanes)
        self.spread, self.steps, self.based = spread, steps, based
        self.columns = [lanes * j for j in range(vectors)]  # where each vector begins

    def write(self, at: Any, pitch: Any, shifts: Any, runs: Any, depth: Any, step: Any, *rest: Any) -> None:
        b, b_step, to, shift, add, columns = rest
        builder = self.builder
        zeros = [self.v.zero] * (len(self.rows) * len(self.columns))
        q, (b, *sums), close = self.v.loop(runs, [b, *zeros])
        first = builder.mul(q, pitch)
        moved = word(builder, shifts, q)
        starts = [builder.add(word(builder, at, builder.add(first, whole(r))), moved) for r in self.rows]
        if self.steps:
            for k in range(self.steps):
                sums = self._step(starts, builder.mul(step, whole(k)), b, sums)
                b = builder.add(b, b_step)
        else:
            _, (a, b, *sums), close_steps = self.v.loop(depth, [whole(0), b, *sums])
            a = self._opaque(a)
            sums = self._step(starts, a, b, sums)
            b = builder.add(b, b_step)
            close_steps([builder.add(a, step), b, *sums])
        close([b, *sums])
        self._store(sums, to, shift, add, columns)

    def _opaque(self, value: Any) -> Any:
        """The value, not known to be a loop's counter: LLVM would keep a counter for each row, in memory."""
        return self.builder.asm(ir.FunctionType(WORD, [WORD]), "", "=r,0", [value], False)

    def _step(self, starts: list[Any], a_off: Any, b: Any, sums: list[Any]) -> list[Any]:
        columns = [self.v.load(self.v.at(b, place)) for place in self.columns]
        new: list[Any] = []
        for r in self.rows:
            place = self.builder.add(starts[r], a_off)
            a = self.v.spread(place) if self.spread else self.v.load(place)
            new += [self.v.product(a, column, sums[len(new) + j]) for j, column in enumerate(columns)]
        return new

    def _store(self, sums: list[Any], to: Any, shift: Any, add: Any, columns: Any) -> None:
        builder = self.builder
        if self.based:
            base = [self.v.load(self.v.at(add, place)) for place in self.columns]
            self._write([builder.fadd(x, base[k % len(base)]) for k, x in enumerate(sums)], to, shift, columns)
            return
        with builder.if_else(builder.icmp_signed("!=", add, whole(0))) as (adding, writing):
            with adding:
                self._rows(sums, to, shift, lambda value, at, j: self.v.put(builder.fadd(value, self.v.load(at)), at))
            with writing:
                self._write(sums, to, shift, columns)

    def _write(self, sums: list[Any], to: Any, shift: Any, columns: Any) -> None:
        full = self.builder.icmp_signed(">=", columns, whole(self.v.lanes * len(self.columns)))
        with self.builder.if_else(full) as (all_, part):
            with all_:
                self._rows(sums, to, shift, lambda value, at, j: self.v.put(value, at))
            with part:
                masks = [self.v.mask(columns, place) for place in self.columns]
                self._rows(sums, to, shift, lambda value, at, j: self.v.put_some(value, at, masks[j]))

    def _rows(self, sums: list[Any], to: Any, shift: Any, put: Any) -> None:
        for r in self.rows:
            row = self.builder.add(word(self.builder, to, whole(r)), shift)
            for j, place in enumerate(self.columns):
                put(sums[r * len(self.columns) + j], self.v.at(row, place), j)
