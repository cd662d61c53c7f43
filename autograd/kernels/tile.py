"""The register tile: sums of products that stay in vector registers, written as vector code for LLVM.

    C[r, :] (+)= sum over runs q and steps k of  A[r; q, k] * B[q, k, :]

for a fixed number of rows r and of whole vectors of columns. Rows lie anywhere: a table holds their addresses, so the
rows of one tile may be any pixels of any images. Products, convolutions and their transposes are all such sums.

For the source of a kernel only, like `intrinsics.py`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from autograd.kernels.intrinsics import WORD

_NUMBERS = {4: ir.FloatType(), 8: ir.DoubleType()}
_INDEX = ir.IntType(32)
_alloca_once: Any = cgutils.alloca_once
_FUSED = ("contract", "nsz")


def scratch(words: int) -> Any:
    """`scratch(words)()`: the address of so many machine words of the stack."""

    def room(context: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            place = _alloca_once(builder, ir.ArrayType(WORD, words))
            place.align = 64
            return builder.ptrtoint(place, WORD)

        return types.intp(), generate

    return intrinsic(room)


def tile(size: int, lanes: int, rows: int, vectors: int, *, spread: bool = True, steps: int = 0) -> Any:
    """The tile of `rows` by `lanes * vectors` numbers of `size` bytes, as a function of addresses and strides in bytes.

    at, pitch: row r begins at at[q * pitch + r], an address; pitch is in words. shifts: added to it in run q.
    runs, depth: how many runs, and steps in each. step: from one step to the next in A.
    b, b_step: B's first vector and the way to the next; runs follow one another.
    to, shift, add: row r of C is at to[r] + shift; it is added to if `add`, else written.
    columns: how many of the columns are written.
    spread: A holds one number a step, for all columns; False: one vector (a sum for each channel alone).
    steps: the depth, if it is known beforehand.
    """

    def product(context, at, pitch, shifts, runs, depth, step, b, b_step, to, shift, add, columns):  # type: ignore[no-untyped-def]  # numba reads the bare signature
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            _Tile(builder, size, lanes, rows, vectors, spread, steps).write(*values)
            return target.get_dummy_value()

        return types.void(*[types.intp] * 12), generate

    return intrinsic(product)


def turned(size: int, lanes: int) -> Any:
    """Transpose a square of `lanes` numbers a side: rows every `pitch` bytes from `at`, to the addresses at `to`."""

    def transpose(context: Any, at: Any, pitch: Any, to: Any, shift: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            at, pitch, to, shift = values
            vector = ir.VectorType(_NUMBERS[size], lanes).as_pointer()
            places = [builder.add(at, builder.mul(pitch, _int(k))) for k in range(lanes)]
            rows = [builder.load(builder.inttoptr(place, vector), align=size) for place in places]
            side = 1
            while side < lanes:  # swap the off-diagonal quarters of squares of twice the side
                for k in (k for k in range(lanes) if not k & side):
                    above, below = rows[k], rows[k + side]
                    left = [j if not j & side else lanes + j - side for j in range(lanes)]
                    right = [j + side if not j & side else lanes + j for j in range(lanes)]
                    for row, picks in ((k, left), (k + side, right)):
                        mask = ir.Constant(ir.VectorType(_INDEX, lanes), picks)
                        rows[row] = builder.shuffle_vector(above, below, mask)
                side *= 2
            for k, row in enumerate(rows):
                place = builder.add(_word(builder, to, _int(k)), shift)
                builder.store(row, builder.inttoptr(place, vector), align=size)
            return target.get_dummy_value()

        return types.void(*[types.intp] * 4), generate

    return intrinsic(transpose)


class _Tile:
    """One tile being written at the place where a builder stands."""

    def __init__(self, builder: Any, size: int, lanes: int, rows: int, vectors: int, spread: bool, steps: int) -> None:
        self.builder, self.size, self.lanes, self.rows = builder, size, lanes, range(rows)
        self.spread, self.steps = spread, steps
        self.columns = [lanes * j for j in range(vectors)]  # where each vector begins
        self.number = _NUMBERS[size]
        self.vector = ir.VectorType(self.number, lanes)

    def write(self, at: Any, pitch: Any, shifts: Any, runs: Any, depth: Any, step: Any, *rest: Any) -> None:
        b, b_step, to, shift, add, columns = rest
        builder = self.builder
        zeros = [ir.Constant(self.vector, None)] * (len(self.rows) * len(self.columns))
        q, (b, *sums), close = self._loop(runs, [b, *zeros])
        first = builder.mul(q, pitch)
        moved = _word(builder, shifts, q)
        starts = [builder.add(_word(builder, at, builder.add(first, _int(r))), moved) for r in self.rows]
        if self.steps:
            for k in range(self.steps):
                sums = self._step(starts, builder.mul(step, _int(k)), b, sums)
                b = builder.add(b, b_step)
        else:
            _, (a, b, *sums), close_steps = self._loop(depth, [_int(0), b, *sums])
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
        builder = self.builder
        columns = [self._load(builder.add(b, _int(place * self.size))) for place in self.columns]
        new = []
        for r in self.rows:
            place = builder.add(starts[r], a_off)
            a = self._spread(place) if self.spread else self._load(place)
            for j, column in enumerate(columns):
                old = sums[r * len(columns) + j]
                new.append(builder.fadd(builder.fmul(a, column, flags=_FUSED), old, flags=_FUSED))
        return new

    def _store(self, sums: list[Any], to: Any, shift: Any, add: Any, columns: Any) -> None:
        builder = self.builder
        full = builder.icmp_signed(">=", columns, _int(self.lanes * len(self.columns)))
        with builder.if_else(builder.icmp_signed("!=", add, _int(0))) as (adding, writing):
            with adding:
                self._rows(sums, to, shift, lambda value, at, place: self._put(builder.fadd(value, self._load(at)), at))
            with writing, builder.if_else(full) as (whole, part):
                with whole:
                    self._rows(sums, to, shift, lambda value, at, place: self._put(value, at))
                with part:
                    masks = [self._mask(columns, place) for place in self.columns]
                    self._rows(sums, to, shift, lambda value, at, j: self._put_some(value, at, masks[j]))

    def _rows(self, sums: list[Any], to: Any, shift: Any, put: Any) -> None:
        for r in self.rows:
            row = self.builder.add(_word(self.builder, to, _int(r)), shift)
            for j, place in enumerate(self.columns):
                put(sums[r * len(self.columns) + j], self.builder.add(row, _int(place * self.size)), j)

    def _put(self, value: Any, at: Any) -> None:
        self.builder.store(value, self.builder.inttoptr(at, self.vector.as_pointer()), align=self.size)

    def _put_some(self, value: Any, at: Any, mask: Any) -> None:
        pointer = self.vector.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [self.vector, pointer, _INDEX, mask.type])
        name = f"llvm.masked.store.v{self.lanes}f{8 * self.size}.p0"
        store = _function(self.builder.module, kind, name)
        self.builder.call(store, [value, self.builder.inttoptr(at, pointer), ir.Constant(_INDEX, self.size), mask])

    def _mask(self, columns: Any, place: int) -> Any:
        kind = ir.VectorType(_INDEX, self.lanes)
        left = self._alike(self.builder.trunc(self.builder.sub(columns, _int(place)), _INDEX), kind)
        return self.builder.icmp_signed("<", ir.Constant(kind, list(range(self.lanes))), left)

    def _alike(self, value: Any, kind: Any) -> Any:
        nothing = ir.Constant(kind, ir.Undefined)
        alone = self.builder.insert_element(nothing, value, ir.Constant(_INDEX, 0))
        return self.builder.shuffle_vector(alone, nothing, ir.Constant(ir.VectorType(_INDEX, self.lanes), None))

    def _loop(self, count: Any, begin: list[Any]) -> tuple[Any, list[Any], Any]:
        """Open a loop of one turn or more that carries values; the last is how to close it, given their next ones."""
        builder, before = self.builder, self.builder.block
        body = builder.append_basic_block("turn")
        builder.branch(body)
        builder.position_at_end(body)
        turn = builder.phi(WORD)
        turn.add_incoming(_int(0), before)
        carried = [builder.phi(value.type) for value in begin]
        for phi, value in zip(carried, begin, strict=True):
            phi.add_incoming(value, before)

        def close(values: list[Any]) -> None:
            following = builder.add(turn, _int(1))
            end, out = builder.block, builder.append_basic_block("out")
            turn.add_incoming(following, end)
            for phi, value in zip(carried, values, strict=True):
                phi.add_incoming(value, end)
            builder.cbranch(builder.icmp_signed("<", following, count), body, out)
            builder.position_at_end(out)

        return turn, carried, close

    def _load(self, address: Any) -> Any:
        return self.builder.load(self.builder.inttoptr(address, self.vector.as_pointer()), align=self.size)

    def _spread(self, address: Any) -> Any:
        return self._alike(self.builder.load(self.builder.inttoptr(address, self.number.as_pointer())), self.vector)


def _word(builder: Any, address: Any, k: Any) -> Any:
    return builder.load(builder.gep(builder.inttoptr(address, WORD.as_pointer()), [k]))


def _function(module: Any, kind: Any, name: str) -> Any:
    return module.globals.get(name) or ir.Function(module, kind, name)


def _int(value: int) -> Any:
    return ir.Constant(WORD, value)
