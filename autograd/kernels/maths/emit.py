"""Numbers that write machine code: arithmetic on a `Value` appends LLVM instructions, for one lane or for several.

A maths function written over Values is branch-free because it cannot be otherwise (`bool` of a Value is an error), and
every instruction is as strict as IEEE 754: no fast-math flag, a fused multiply-add only where `fma` stands. So two-sums
and other exact tricks survive the flags of the loop that they are inlined into.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from llvmlite import ir

from autograd.kernels import loader

Number = float | int
Coefficients = Mapping[str, Sequence[float]]
Constants = Mapping[str, float]


@dataclass(frozen=True)
class Kind:
    """A floating-point format: its name, its width in bits, and the bits of its mantissa."""

    name: str
    width: int
    mantissa: int
    type: ir.Type = field(compare=False)

    @property
    def bias(self) -> int:
        """What is added to an exponent before it is stored."""
        return (1 << (self.width - self.mantissa - 2)) - 1

    @property
    def sign(self) -> int:
        """The bit of the sign."""
        return 1 << (self.width - 1)

    @property
    def shifter(self) -> float:
        """1.5 * 2**mantissa: adding it rounds to a whole number, which then stands in the low bits."""
        return float(3 << (self.mantissa - 1))


FLOAT32 = Kind("float32", 32, 23, ir.FloatType())
FLOAT64 = Kind("float64", 64, 52, ir.DoubleType())
KINDS = {kind.name: kind for kind in (FLOAT32, FLOAT64)}
SHORT = 8  # terms up to which Horner's rule is as fast
INF, NAN = float("inf"), float("nan")


def pattern(kind: Kind, number: Number) -> int:
    """The bits of a number.

    >>> hex(pattern(FLOAT32, 1.0))
    '0x3f800000'
    """
    return int.from_bytes(struct.pack({32: "<f", 64: "<d"}[kind.width], number), "little")


class Value:
    """A float, an integer of the same width or a mask, in one lane or several; operators emit instructions."""

    __slots__ = ("builder", "ir", "kind", "lanes")

    def __init__(self, builder: ir.IRBuilder, value: ir.Value, kind: Kind, lanes: int) -> None:
        self.builder, self.ir, self.kind, self.lanes = builder, value, kind, lanes

    def __bool__(self) -> bool:
        raise TypeError("a Value is known only when the kernel runs: write select(mask, a, b) in place of `if`")

    def of(self, value: ir.Value) -> Value:
        """A Value with this one's format and lanes."""
        return Value(self.builder, value, self.kind, self.lanes)

    def constant(self, number: Number) -> Value:
        """`number` in every lane, in this Value's own type."""
        if self.lanes == 1 and number != 0 and self.ir.type in (self.kind.type, ir.IntType(self.kind.width)):
            return self.of(self.kept(number))
        return self.plain(number)

    def plain(self, number: Number) -> Value:
        """The same, of which LLVM knows that it is a constant: for counts of shifts, which stand in instructions."""
        return self.of(ir.Constant(self.ir.type, number if self.lanes == 1 else [number] * self.lanes))

    def kept(self, number: Number) -> ir.Value:
        """A number of which LLVM does not know that it is a constant.

        It is computed before the loop and stays in a register; constants are loaded from memory wherever they stand.
        """
        lane = ir.IntType(self.kind.width)
        word = number if self.whole else pattern(self.kind, number)
        identity = ir.InlineAsm(ir.FunctionType(lane, [lane]), "", "=r,0", False)
        found = self.builder.call(identity, [ir.Constant(lane, word)], attrs=("readnone", "nounwind"))
        return found if self.whole else self.builder.bitcast(found, self.kind.type)

    def like(self, other: Value | Number) -> Value:
        """`other` as a Value that an instruction takes beside this one."""
        return other if isinstance(other, Value) else self.constant(other)

    def operate(self, name: str, other: Value | Number, swap: bool = False) -> Value:
        """The instruction `name` on this Value and another one."""
        a, b = self.ir, self.like(other).ir
        return self.of(getattr(self.builder, name)(b, a) if swap else getattr(self.builder, name)(a, b))

    @property
    def whole(self) -> bool:
        """Whether the lanes hold integers (or masks)."""
        lane = self.ir.type.element if self.lanes > 1 else self.ir.type
        return isinstance(lane, ir.IntType)

    def __add__(self, other: Value | Number) -> Value:
        return self.operate("add" if self.whole else "fadd", other)

    def __radd__(self, other: Number) -> Value:
        return self + other

    def __sub__(self, other: Value | Number) -> Value:
        return self.operate("sub" if self.whole else "fsub", other)

    def __rsub__(self, other: Number) -> Value:
        return self.operate("sub" if self.whole else "fsub", other, swap=True)

    def __mul__(self, other: Value | Number) -> Value:
        return self.operate("fmul", other)

    def __rmul__(self, other: Number) -> Value:
        return self * other

    def __truediv__(self, other: Value | Number) -> Value:
        return self.operate("fdiv", other)

    def __rtruediv__(self, other: Number) -> Value:
        return self.operate("fdiv", other, swap=True)

    def __neg__(self) -> Value:
        return self.of(self.builder.fneg(self.ir))

    def __and__(self, other: Value | Number) -> Value:
        return self.operate("and_", other)

    def __or__(self, other: Value | Number) -> Value:
        return self.operate("or_", other)

    def __xor__(self, other: Value | Number) -> Value:
        return self.operate("xor", other)

    def __invert__(self) -> Value:
        return self.of(self.builder.not_(self.ir))

    def __lshift__(self, count: int) -> Value:
        return self.of(self.builder.shl(self.ir, self.plain(count).ir))

    def __rshift__(self, count: int) -> Value:
        return self.of(self.builder.lshr(self.ir, self.plain(count).ir))

    def compare(self, sign: str, other: Value | Number) -> Value:
        """A mask, false wherever a NaN takes part."""
        return self.of(self.builder.fcmp_ordered(sign, self.ir, self.like(other).ir))

    def __lt__(self, other: Value | Number) -> Value:
        return self.compare("<", other)

    def __le__(self, other: Value | Number) -> Value:
        return self.compare("<=", other)

    def __gt__(self, other: Value | Number) -> Value:
        return self.compare(">", other)

    def __ge__(self, other: Value | Number) -> Value:
        return self.compare(">=", other)


def same(a: Value, b: Value | Number) -> Value:
    """The mask of a == b."""
    return a.compare("==", b)


def nonzero(x: Value) -> Value:
    """The mask of an integer x != 0."""
    return x.of(x.builder.icmp_unsigned("!=", x.ir, x.constant(0).ir))


def above(x: Value, limit: int) -> Value:
    """The mask of an integer x > limit, both without a sign."""
    return x.of(x.builder.icmp_unsigned(">", x.ir, x.constant(limit).ir))


def select(mask: Value, a: Value | Number, b: Value | Number) -> Value:
    """`a` where the mask is set, `b` elsewhere; one of the two is a Value."""
    shape = a if isinstance(a, Value) else b
    assert isinstance(shape, Value)
    return shape.of(mask.builder.select(mask.ir, shape.like(a).ir, shape.like(b).ir))


def call(name: str, x: Value, *others: Value | Number) -> Value:
    """The LLVM intrinsic `name`, lane by lane."""
    t, module = x.ir.type, x.builder.module
    full = f"llvm.{name}.{f'v{x.lanes}' if x.lanes > 1 else ''}f{x.kind.width}"
    known = module.globals.get(full)
    function = known or ir.Function(module, ir.FunctionType(t, [t] * (1 + len(others))), full)
    return x.of(x.builder.call(function, [x.ir, *(x.like(v).ir for v in others)]))


def fma(a: Value, b: Value | Number, c: Value | Number) -> Value:
    """A * b + c, rounded once."""
    return call("fma", a, b, c)


def fabs(x: Value) -> Value:
    """|x|."""
    return call("fabs", x)


def rint(x: Value) -> Value:
    """The nearest whole number, ties to even."""
    return call("rint", x)


def sqrt(x: Value) -> Value:
    """The square root, correctly rounded."""
    return call("sqrt", x)


def copysign(x: Value, sign: Value) -> Value:
    """|x| with the sign of `sign`."""
    return call("copysign", x, sign)


def ldexp(x: Value, k: Value) -> Value:
    """X * 2^k for whole numbers k, rounded once."""
    t, n, module = x.ir.type, k.ir.type, x.builder.module
    end = "".join(f".{f'v{x.lanes}' if x.lanes > 1 else ''}{kind}{x.kind.width}" for kind in "fi")
    known = module.globals.get(f"llvm.ldexp{end}")
    function = known or ir.Function(module, ir.FunctionType(t, [t, n]), f"llvm.ldexp{end}")
    return x.of(x.builder.call(function, [x.ir, k.ir]))


@cache
def scales() -> bool:
    """Whether the machine multiplies by powers of two in one instruction (AVX-512)."""
    return "+avx512f" in loader.machine_fields()["features"].split(",")


def minimum(x: Value, limit: Value | Number) -> Value:
    """The smaller of the two; a NaN in x stays."""
    return select(x > limit, limit, x)


def maximum(x: Value, limit: Value | Number) -> Value:
    """The larger of the two; a NaN in x stays."""
    return select(x < limit, limit, x)


def bits(x: Value) -> Value:
    """The bit pattern of a float, as an integer."""
    lane = ir.IntType(x.kind.width)
    return x.of(x.builder.bitcast(x.ir, ir.VectorType(lane, x.lanes) if x.lanes > 1 else lane))


def floating(x: Value) -> Value:
    """The float whose bit pattern is x."""
    return x.of(x.builder.bitcast(x.ir, ir.VectorType(x.kind.type, x.lanes) if x.lanes > 1 else x.kind.type))


def cast(x: Value, kind: Kind) -> Value:
    """X in another format."""
    t = ir.VectorType(kind.type, x.lanes) if x.lanes > 1 else kind.type
    convert = x.builder.fpext if kind.width > x.kind.width else x.builder.fptrunc
    return Value(x.builder, convert(x.ir, t), kind, x.lanes)


def polynomial(x: Value, coefficients: Coefficients | Sequence[float]) -> Value:
    """c0 + c1 x + c2 x^2 + ... with the coefficients of x's format, by Horner's rule.

    A long one is first made half as long, in x^2, by joining neighbours (Estrin 1960): what waits for nothing is fast.
    """
    c = coefficients[x.kind.name] if isinstance(coefficients, Mapping) else coefficients
    terms = [x.constant(number) for number in c]
    if len(terms) > SHORT:
        while len(terms) > SHORT // 2:
            terms = [fma(b, x, a) for a, b in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) & ~1 :]
            x = x * x
    y = terms.pop()
    while terms:
        y = fma(y, x, terms.pop())
    return y


def two_sum(a: Value, b: Value | Number) -> tuple[Value, Value]:
    """A + b as a rounded sum and its error, for |a| >= |b| or a = 0 (Dekker 1971)."""
    total = a + b
    return total, (a - total) + b


def any_two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """A + b as a rounded sum and its error, in any order (Knuth 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Value, b: Value | Number) -> tuple[Value, Value]:
    """A * b as a rounded product and its error."""
    product = a * b
    return product, fma(a, b, -product)


def quotient(a: Value, a_low: Value | Number, b: Value, b_low: Value | Number) -> tuple[Value, Value]:
    """(a + a_low) / (b + b_low) as a rounded quotient and a correction to it."""
    inverse = 1.0 / b
    q = a * inverse
    return q, (fma(-q, b, a) + (a_low - q * b_low)) * inverse
