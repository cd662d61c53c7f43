"""Vectors of numbers, written for LLVM: loads and stores, whole or in part, and loops that carry them in registers.

For the source of a kernel only, like `intrinsics.py`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.language import WORD

NUMBERS = {4: ir.FloatType(), 8: ir.DoubleType()}
INDEX = ir.IntType(32)
_FUSED = ("contract", "nsz")


def word(builder: Any, address: Any, k: Any) -> Any:
    """The k-th machine word at an address."""
    return builder.load(builder.gep(builder.inttoptr(address, WORD.as_pointer()), [k]))


def whole(value: int) -> Any:
    """A machine word that is known."""
    return ir.Constant(WORD, value)


class Vectors:
    """Vectors of `lanes` numbers of `size` bytes, at the place where a builder stands."""

    def __init__(self, builder: Any, size: int, lanes: int) -> None:
        self.builder, self.size, self.lanes = builder, size, lanes
        self.number = NUMBERS[size]
        self.vector = ir.VectorType(self.number, lanes)

    @property
    def zero(self) -> Any:
        """A vector of zeros."""
        return ir.Constant(self.vector, None)

    def at(self, address: Any, k: int) -> Any:
        """The address of the k-th number after one."""
        return self.builder.add(address, whole(k * self.size))

    def load(self, address: Any) -> Any:
        """A vector from memory."""
        return self.builder.load(self.builder.inttoptr(address, self.vector.as_pointer()), align=self.size)

    def load_some(self, address: Any, mask: Any) -> Any:
        """The numbers of a mask, and zeros; the others are not read."""
        pointer = self.vector.as_pointer()
        kind = ir.FunctionType(self.vector, [pointer, INDEX, mask.type, self.vector])
        load = self._function(kind, f"llvm.masked.load.v{self.lanes}f{8 * self.size}.p0")
        place = self.builder.inttoptr(address, pointer)
        return self.builder.call(load, [place, ir.Constant(INDEX, self.size), mask, self.zero])

    def spread(self, address: Any) -> Any:
        """A number from memory, in all lanes."""
        return self._alike(self.builder.load(self.builder.inttoptr(address, self.number.as_pointer())), self.vector)

    def put(self, value: Any, address: Any) -> None:
        """Write a vector."""
        self.builder.store(value, self.builder.inttoptr(address, self.vector.as_pointer()), align=self.size)

    def put_some(self, value: Any, address: Any, mask: Any) -> None:
        """Write the numbers of a mask."""
        pointer = self.vector.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [self.vector, pointer, INDEX, mask.type])
        store = self._function(kind, f"llvm.masked.store.v{self.lanes}f{8 * self.size}.p0")
        place = self.builder.inttoptr(address, pointer)
        self.builder.call(store, [value, place, ir.Constant(INDEX, self.size), mask])

    def mask(self, count: Any, first: int = 0) -> Any:
        """Which lanes of a vector whose first number is number `first` are among the first `count` numbers."""
        kind = ir.VectorType(INDEX, self.lanes)
        left = self._alike(self.builder.trunc(self.builder.sub(count, whole(first)), INDEX), kind)
        return self.builder.icmp_signed("<", ir.Constant(kind, list(range(self.lanes))), left)

    def inside(self, first: Any, count: Any) -> Any:
        """Which lanes of a vector whose first number is number `first` are among numbers [0, count)."""
        kind = ir.VectorType(INDEX, self.lanes)
        start, end = (self._alike(self.builder.trunc(n, INDEX), kind) for n in (first, count))
        places = self.builder.add(start, ir.Constant(kind, list(range(self.lanes))))
        return self.builder.icmp_unsigned("<", places, end)

    def product(self, a: Any, b: Any, total: Any) -> Any:
        """a b + total, rounded once where the machine can."""
        return self.builder.fadd(self.builder.fmul(a, b, flags=_FUSED), total, flags=_FUSED)

    def loop(self, count: Any, begin: list[Any]) -> tuple[Any, list[Any], Any]:
        """Open a loop of one turn or more that carries values; the last is how to close it, given their next ones."""
        builder, before = self.builder, self.builder.block
        body = builder.append_basic_block("turn")
        builder.branch(body)
        builder.position_at_end(body)
        turn = builder.phi(WORD)
        turn.add_incoming(whole(0), before)
        carried = [builder.phi(value.type) for value in begin]
        for phi, value in zip(carried, begin, strict=True):
            phi.add_incoming(value, before)

        def close(values: list[Any]) -> None:
            following = builder.add(turn, whole(1))
            end, out = builder.block, builder.append_basic_block("out")
            turn.add_incoming(following, end)
            for phi, value in zip(carried, values, strict=True):
                phi.add_incoming(value, end)
            builder.cbranch(builder.icmp_signed("<", following, count), body, out)
            builder.position_at_end(out)

        return turn, carried, close

    def _alike(self, value: Any, kind: Any) -> Any:
        nothing = ir.Constant(kind, ir.Undefined)
        alone = self.builder.insert_element(nothing, value, ir.Constant(INDEX, 0))
        return self.builder.shuffle_vector(alone, nothing, ir.Constant(ir.VectorType(INDEX, self.lanes), None))

    def _function(self, kind: Any, name: str) -> Any:
        return self.builder.module.globals.get(name) or ir.Function(self.builder.module, kind, name)
