"""The small language that kernels are written in: its kinds of values, and instructions, which say how LLVM does them.

A kernel is a Python function of numbers and pointers: assignments, arithmetic, comparisons, `if`, `while`, `for` over
`range`, calls of instructions and of its own `@inline` functions. `lowering` turns it into machine code's language.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from llvmlite import ir

Generate = Callable[..., Any]  # of a builder and the values of LLVM, the value that results or None
WORD = ir.IntType(64)
BYTE = ir.IntType(8)


class Signature(NamedTuple):
    """What an instruction gives, and what it takes."""

    result: Kind
    parameters: tuple[Kind, ...]


class _Called:
    """A kind, called with those of parameters, is the signature of a function that gives it."""

    def __call__(self, *parameters: Kind) -> Signature:
        return Signature(self, parameters)  # type: ignore[arg-type]  # only kinds inherit from this


@dataclass(frozen=True)
class Number(_Called):
    """A number as NumPy names it: in a register, where a truth value is one bit, and in memory, where it is a byte."""

    name: str
    bits: int
    floating: bool = False
    signed: bool = True

    @property
    def value(self) -> Any:
        """Its type in a register."""
        if self.floating:
            return ir.FloatType() if self.bits == 32 else ir.DoubleType()
        return ir.IntType(self.bits)

    @property
    def stored(self) -> Any:
        """Its type in memory."""
        return BYTE if self.bits == 1 else self.value


@dataclass(frozen=True)
class Pointer(_Called):
    """The address of numbers of a kind, which are indexed."""

    element: Number

    @property
    def value(self) -> Any:
        """Its type in a register."""
        return self.element.stored.as_pointer()


@dataclass(frozen=True)
class Void(_Called):
    """No value."""

    @property
    def value(self) -> Any:
        """Its type as the result of a function."""
        return ir.VoidType()


Kind = Number | Pointer | Void

VOID = Void()
BOOL = Number("bool", 1, signed=False)
FLOAT32, FLOAT64 = Number("float32", 32, floating=True), Number("float64", 64, floating=True)
INT8, INT16, INT32, INT64 = (Number(f"int{bits}", bits) for bits in (8, 16, 32, 64))
UINT8, UINT16, UINT32, UINT64 = (Number(f"uint{bits}", bits, signed=False) for bits in (8, 16, 32, 64))
NUMBERS = {
    number.name: number for number in (BOOL, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64)
}
INTP = INT64  # machine words: sizes, addresses and strides
WORDS = Pointer(INTP)


@dataclass(frozen=True, eq=False)
class Instruction:
    """A function of kernels that Python cannot say.

    Attributes:
        typed: of the kinds of the arguments, the signature and what appends LLVM's instructions to a builder.
        arity: how many arguments it takes.
        exact: whether a kernel's fast-math flags leave it alone.
    """

    typed: Callable[..., tuple[Signature, Generate]]
    arity: int
    exact: bool = False


def generic(typed: Callable[..., tuple[Signature, Generate]]) -> Instruction:
    """An instruction whose signature depends on the kinds that it is given."""
    return Instruction(typed, len(inspect.signature(typed).parameters))


def instruction(result: Kind, *parameters: Kind) -> Callable[[Generate], Instruction]:
    """An instruction of one signature, from the function that appends it: of a builder and a value for each parameter.

    >>> @instruction(INTP, INTP)
    ... def twice(builder, x):
    ...     return builder.add(x, x)
    >>> twice.arity
    1
    """
    return lambda generate: Instruction(lambda *_: (Signature(result, parameters), generate), len(parameters))


def kept_on_stack(builder: Any, kind: Any) -> Any:
    """Room for a value of one of LLVM's types, the same in every turn of the loops around."""
    with builder.goto_entry_block():
        return builder.alloca(kind)
