"""What the expressions of operations are written with in kernels: choices, rounding, extremes. All vectorise.

Each name works on float32, float64, and where it makes sense on whole numbers and booleans.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.language import BOOL, FLOAT32, INT64, INTP, VOID, Instruction, generic, instruction
from autograd.ops import draw

INFINITY = float("inf")
NAN = float("nan")


def _rounding(name: str) -> Instruction:
    """A function of LLVM's on one floating number."""

    def generate(builder: Any, x: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [x.type]), [x])

    return generic(lambda x: (x(x), generate))


floor, ceil, trunc, rint = (_rounding(name) for name in ("floor", "ceil", "trunc", "rint"))
fabs, sqrt = _rounding("fabs"), _rounding("sqrt")


def _pairing(name: str) -> Instruction:
    """A function of LLVM's on two floating numbers."""

    def generate(builder: Any, x: Any, y: Any) -> Any:
        kind = ir.FunctionType(x.type, [x.type, x.type])
        return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [x.type], kind), [x, y])

    return generic(lambda x, y: (x(x, x), generate))


maximum, minimum = _pairing("maximum"), _pairing("minimum")  # NaN if either is, as NumPy's
copysign = _pairing("copysign")


@generic
def fmod(x: Any, y: Any) -> Any:
    """What is left of x after as many y as there are in it, exact, with the sign of x."""
    return x(x, x), lambda builder, x, y: builder.frem(x, y)


@generic
def select(condition: Any, a: Any, b: Any) -> Any:
    """Give a where the condition holds, else b: both are computed, nothing branches."""
    return a(BOOL, a, a), lambda builder, condition, a, b: builder.select(condition, a, b)


@generic
def truth(x: Any) -> Any:
    """Whether x is not zero; NaN is not."""

    def generate(builder: Any, value: Any) -> Any:
        zero = ir.Constant(value.type, 0)
        return builder.fcmp_unordered("!=", value, zero) if x.floating else builder.icmp_signed("!=", value, zero)

    return BOOL(x), generate


@generic
def plus(a: Any, b: Any) -> Any:
    """Add to a running sum: the one addition whose order the compiler may change, so that sums vectorise."""

    def generate(builder: Any, total: Any, value: Any) -> Any:
        if not a.floating:
            return builder.add(total, value)
        return builder.fadd(total, value, flags=("reassoc", "nsz", "contract"))

    return a(a, a), generate


@instruction(FLOAT32, INT64, INT64)
def uniform(builder: Any, index: Any, seed: Any) -> Any:
    """Uniform in [0, 1) for an index and a seed, as multiples of 2^-24: `autograd.ops.draw` in machine code."""

    def word(value: int) -> Any:
        return ir.Constant(ir.IntType(64), value)

    low = word(0xFFFFFFFF)
    left, high = builder.and_(index, low), builder.lshr(index, word(32))
    right = builder.add(high, builder.shl(builder.lshr(seed, word(32)), word(11)))
    key = builder.and_(seed, low)
    for _ in range(draw.ROUNDS):
        product = builder.mul(left, word(draw.MULTIPLIER))
        left = builder.xor(builder.xor(builder.lshr(product, word(32)), key), right)
        right = builder.and_(product, low)
        key = builder.and_(builder.add(key, word(draw.WEYL)), low)
    bits = builder.trunc(builder.lshr(left, word(8)), ir.IntType(32))
    number = builder.sitofp(bits, ir.FloatType())  # 24 bits: exact
    return builder.fmul(number, ir.Constant(ir.FloatType(), 2.0**-24))


# Reading and writing memory. All arrays of a kernel are different ones, and saying so is what lets loops with many of
# them vectorise: each output has an alias scope of its own, all inputs share one.

OUTPUTS = 32
_DOMAIN = ["wengert"]
_INPUTS = ["wengert inputs", _DOMAIN]
_SCOPES = [[f"wengert output {k}", _DOMAIN] for k in range(OUTPUTS)]


def _mark(builder: Any, instruction: Any, own: list[Any]) -> Any:
    """Say that an access touches its own array and none of the others."""
    others = [scope for scope in (_INPUTS, *_SCOPES) if scope is not own]
    instruction.set_metadata("alias.scope", builder.module.add_metadata([own]))
    instruction.set_metadata("noalias", builder.module.add_metadata(others))
    return instruction


def _reading(scope: list[Any]) -> Instruction:
    def generate(builder: Any, pointer: Any, place: Any) -> Any:
        return _mark(builder, builder.load(builder.gep(pointer, [place])), scope)

    return generic(lambda pointer, place: (pointer.element(pointer, INTP), generate))


def _writing(scope: list[Any]) -> Instruction:
    def generate(builder: Any, pointer: Any, place: Any, value: Any) -> None:
        _mark(builder, builder.store(value, builder.gep(pointer, [place])), scope)

    return generic(lambda pointer, place, value: (VOID(pointer, INTP, pointer.element), generate))


read = _reading(_INPUTS)
outputs = [(_reading(scope), _writing(scope)) for scope in _SCOPES]
