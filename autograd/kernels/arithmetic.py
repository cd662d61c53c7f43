"""Python's operators on the values of a kernel, with the promotions and the limits of numba's compiled code.

Whole numbers become machine words, floating ones keep the wider of two formats, and a division of whole numbers rounds
down and gives 0 for a divisor of 0. What has no such rule raises `Unlowered`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from autograd.kernels.language import BOOL, FLOAT64, INTP, Kind, Number

Static = int | float | bool


class Unlowered(Exception):
    """A kernel says something that the small language has not."""


@dataclass(frozen=True)
class Value:
    """A value of LLVM and its kind."""

    ir: Any
    kind: Kind


SYMBOLS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "FloorDiv": "//", "Mod": "%"} | {
    "LShift": "<<",
    "RShift": ">>",
    "BitAnd": "&",
    "BitOr": "|",
    "BitXor": "^",
    "Lt": "<",
    "LtE": "<=",
    "Gt": ">",
    "GtE": ">=",
    "Eq": "==",
    "NotEq": "!=",
}
COMPARED = {"<", "<=", ">", ">=", "==", "!="}
_FLOATING = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_WHOLE = {"+": "add", "-": "sub", "*": "mul", "<<": "shl", ">>": "ashr", "&": "and_", "|": "or_", "^": "xor"}
_BITS = {"&", "|", "^"}
_KNOWN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def valued(x: Any) -> Value:
    """A number of Python's as a value: whole ones are machine words, others float64."""
    if isinstance(x, Value):
        return x
    if isinstance(x, bool):
        return Value(ir.Constant(BOOL.value, int(x)), BOOL)
    if isinstance(x, int) and -(2**63) <= x < 2**63:
        return Value(ir.Constant(INTP.value, x), INTP)
    if isinstance(x, float):
        return Value(ir.Constant(FLOAT64.value, x), FLOAT64)
    raise Unlowered(f"a {type(x).__name__} is no number")


def convert(builder: Any, x: Any, kind: Kind) -> Any:
    """A number in another kind, as C converts it; the value of LLVM."""
    x = valued(x)
    if x.kind == kind:
        return x.ir
    if not isinstance(kind, Number) or not isinstance(x.kind, Number):
        raise Unlowered(f"{x.kind} does not become {kind}")
    source, goal = x.kind, kind.value
    if kind == BOOL:
        return truth(builder, x)
    if source.floating and kind.floating:
        return builder.fpext(x.ir, goal) if kind.bits > source.bits else builder.fptrunc(x.ir, goal)
    if kind.floating:
        return builder.sitofp(x.ir, goal) if source.signed else builder.uitofp(x.ir, goal)
    if source.floating:
        return builder.fptosi(x.ir, goal) if kind.signed else builder.fptoui(x.ir, goal)
    if kind.bits == source.bits:
        return x.ir
    if kind.bits < source.bits:
        return builder.trunc(x.ir, goal)
    return builder.sext(x.ir, goal) if source.signed else builder.zext(x.ir, goal)


def truth(builder: Any, x: Any) -> Any:
    """Whether a number is not zero, as a bit of LLVM's; NaN is not."""
    x = valued(x)
    if x.kind == BOOL:
        return x.ir
    if not isinstance(x.kind, Number):
        raise Unlowered("a pointer is neither true nor false")
    zero = ir.Constant(x.ir.type, 0)
    return builder.fcmp_unordered("!=", x.ir, zero) if x.kind.floating else builder.icmp_signed("!=", x.ir, zero)


def common(symbol: str, a: Kind, b: Kind) -> Number:
    """The kind in which two numbers meet."""
    if not isinstance(a, Number) or not isinstance(b, Number):
        raise Unlowered(f"pointers have no {symbol}")
    if a.floating or b.floating:
        if a.floating and b.floating:
            return a if a.bits >= b.bits else b
        floating, whole = (a, b) if a.floating else (b, a)
        return floating if whole == BOOL or whole.bits < 32 else FLOAT64
    if a == b == BOOL and (symbol in _BITS or symbol in COMPARED):
        return BOOL
    unsigned = [x for x in (a, b) if x != BOOL and not x.signed]
    if len(unsigned) == 2 or any(x.bits == 64 for x in unsigned):
        raise Unlowered(f"{symbol} of {a.name} and {b.name}")
    return INTP


def binary(builder: Any, symbol: str, a: Any, b: Any) -> Any:
    """An operator on two numbers; of two that are known beforehand, a number that is known."""
    if isinstance(a, int) and isinstance(b, int) and symbol in _KNOWN and not (symbol in ("//", "%") and b == 0):
        return _KNOWN[symbol](a, b)
    a, b = valued(a), valued(b)
    kind = common(symbol, a.kind, b.kind)
    if symbol == "/" and not kind.floating:
        kind = FLOAT64
    x, y = convert(builder, a, kind), convert(builder, b, kind)
    if symbol in COMPARED:
        return Value(_compared(builder, symbol, x, y, kind), BOOL)
    if kind.floating:
        if symbol not in _FLOATING:
            raise Unlowered(f"{symbol} of {kind.name}")
        return Value(getattr(builder, _FLOATING[symbol])(x, y), kind)
    if symbol in ("//", "%"):
        return Value(_divided(builder, symbol, x, y), kind)
    return Value(getattr(builder, _WHOLE[symbol])(x, y), kind)


def _compared(builder: Any, symbol: str, x: Any, y: Any, kind: Number) -> Any:
    if not kind.floating:
        return (builder.icmp_signed if kind.signed else builder.icmp_unsigned)(symbol, x, y)
    return builder.fcmp_unordered(symbol, x, y) if symbol == "!=" else builder.fcmp_ordered(symbol, x, y)


def _divided(builder: Any, symbol: str, x: Any, y: Any) -> Any:
    """The quotient or the remainder of whole numbers, rounded down; 0 for a divisor of 0."""
    zero, one = ir.Constant(x.type, 0), ir.Constant(x.type, 1)
    nothing = builder.icmp_signed("==", y, zero)
    divisor = builder.select(nothing, one, y)
    quotient = builder.sdiv(x, divisor)
    rest = builder.sub(x, builder.mul(quotient, divisor))
    apart = builder.icmp_signed("<", builder.xor(rest, divisor), zero)
    over = builder.and_(builder.icmp_signed("!=", rest, zero), apart)  # a rest whose sign is not the divisor's
    if symbol == "//":
        found = builder.select(over, builder.sub(quotient, one), quotient)
    else:
        found = builder.select(over, builder.add(rest, divisor), rest)
    return builder.select(nothing, zero, found)


def unary(builder: Any, symbol: str, x: Any) -> Any:
    """`-x`, `+x`, `~x` or `not x`."""
    if not isinstance(x, Value) and isinstance(x, (int, float)):
        known: dict[str, Callable[[Any], Any]] = {"USub": operator.neg, "Invert": operator.invert}
        return not x if symbol == "Not" else known.get(symbol, operator.pos)(x)
    if symbol == "Not":
        return Value(builder.not_(truth(builder, x)), BOOL)
    if not isinstance(x.kind, Number):
        raise Unlowered(f"{symbol} of a pointer")
    if symbol == "UAdd":
        return x
    if x.kind.floating and symbol == "USub":
        return Value(builder.fneg(x.ir), x.kind)
    if x.kind != INTP:
        raise Unlowered(f"{symbol} of {x.kind.name}")
    return Value(builder.neg(x.ir) if symbol == "USub" else builder.not_(x.ir), INTP)


def extreme(builder: Any, name: str, a: Any, b: Any) -> Any:
    """`min` or `max` of two whole numbers."""
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b) if name == "min" else max(a, b)
    a, b = valued(a), valued(b)
    kind = common(name, a.kind, b.kind)
    if kind.floating:
        raise Unlowered(f"{name} of {kind.name}: say `minimum` or `maximum`, which say what becomes of NaN")
    x, y = convert(builder, a, kind), convert(builder, b, kind)
    first = _compared(builder, "<=" if name == "min" else ">=", x, y, kind)
    return Value(builder.select(first, x, y), kind)
