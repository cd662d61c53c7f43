"""Elementary functions for float32 and float64 as code that LLVM vectorises.

All are within 2 units in the last place, but for `ndtr` of float32, which is within 5.

`instructions[name, dtype]` is a function for kernels, `table[name, dtype]` the same one for numba's code; `sources()`
is what a cache of compiled code has to hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from autograd.kernels.language import NUMBERS, Instruction
from autograd.kernels.maths import circular, exponential, logarithm, power, special
from autograd.kernels.maths.emit import KINDS, Value, sqrt

Function = TypeVar("Function")

unary: dict[str, Callable[[Value], Value]] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "exp2": exponential.exp2,
    "log": logarithm.log,
    "log1p": logarithm.log1p,
    "log2": logarithm.log2,
    "tanh": exponential.tanh,
    "sigmoid": exponential.sigmoid,
    "softplus": logarithm.softplus,
    "erf": special.erf,
    "erfc": special.erfc,
    "ndtr": special.ndtr,
    "sin": circular.sin,
    "cos": circular.cos,
    "tan": circular.tan,
    "sinh": exponential.sinh,
    "cosh": exponential.cosh,
    "atan": circular.atan,
    "sqrt": sqrt,
    "rsqrt": power.rsqrt,
}
binary: dict[str, Callable[[Value, Value], Value]] = {"pow": power.pow}


def _instruction(name: str, dtype: str) -> Instruction:
    """A function of one format, deaf to the caller's fast-math flags."""
    number, kind = NUMBERS[dtype], KINDS[dtype]
    arity, body = (1, unary[name]) if name in unary else (2, binary[name])

    def generate(builder: Any, *arguments: Any) -> Any:
        return body(*(Value(builder, x, kind, 1) for x in arguments)).ir

    return Instruction(lambda *_: (number(*[number] * arity), generate), arity, exact=True)


def _for_numba(name: str, dtype: str) -> Any:
    from autograd.kernels import through_numba  # late: it imports numba, which kernels do not need

    return through_numba.function(f"{name}_{dtype}", instructions[name, dtype])


class Table(Mapping[tuple[str, str], Function]):
    """The functions by name and dtype, each made when it is first asked for."""

    def __init__(self, make: Callable[[str, str], Function]) -> None:
        self.make = make
        self.made: dict[tuple[str, str], Function] = {}

    def __getitem__(self, key: tuple[str, str]) -> Function:
        if key not in self.made:
            self.made[key] = self.make(*key)
        return self.made[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, dtype) for name in (*unary, *binary) for dtype in KINDS)

    def __len__(self) -> int:
        return (len(unary) + len(binary)) * len(KINDS)


instructions: Table[Instruction] = Table(_instruction)
table: Table[Any] = Table(_for_numba)


def sources() -> tuple[str, ...]:
    """The texts that the machine code of `table` follows from, for the key of a cache."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py")))
