"""What the expressions of operations are written with in kernels: choices, rounding, extremes. All vectorise.

Each name works on float32, float64, and where it makes sense on whole numbers and booleans.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.ops import draw

INFINITY = float("inf")
NAN = float("nan")


def _rounding(name: str) -> Any:
    """A function of LLVM's on one floating number."""

    def apply(context: Any, x: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [values[0].type]), values)

        return x(x), generate

    return intrinsic(apply)


floor, ceil, trunc, rint = (_rounding(name) for name in ("floor", "ceil", "trunc", "rint"))
fabs, sqrt = _rounding("fabs"), _rounding("sqrt")


def _pairing(name: str) -> Any:
    """A function of LLVM's on two floating numbers."""

    def apply(context: Any, x: Any, y: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
            kind = values[0].type
            function = builder.module.declare_intrinsic(f"llvm.{name}", [kind], ir.FunctionType(kind, [kind, kind]))
            return builder.call(function, values)

        return x(x, x), generate

    return intrinsic(apply)


maximum, minimum = _pairing("maximum"), _pairing("minimum")  # NaN if either is, as NumPy's
copysign = _pairing("copysign")


@intrinsic
def select(context, condition, a, b):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Give a where the condition holds, else b: both are computed, nothing branches."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(values[0], values[1], values[2])

    return a(types.boolean, a, a), generate


@intrinsic
def truth(context, x):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Whether x is not zero; NaN is not."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        zero = ir.Constant(values[0].type, 0)
        floating = isinstance(values[0].type, (ir.FloatType, ir.DoubleType))
        return builder.fcmp_unordered("!=", values[0], zero) if floating else builder.icmp_signed("!=", values[0], zero)

    return types.boolean(x), generate


@intrinsic
def plus(context, a, b):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Add to a running sum: the one addition whose order the compiler may change, so that sums vectorise."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        if isinstance(values[0].type, ir.IntType):
            return builder.add(*values)
        return builder.fadd(*values, flags=("reassoc", "nsz", "contract"))

    return a(a, a), generate


@intrinsic
def uniform(context, index, seed):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Uniform in [0, 1) for an index and a seed, as multiples of 2^-24: `autograd.ops.draw` in machine code."""

    def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
        def word(value: int) -> Any:
            return ir.Constant(ir.IntType(64), value)

        low = word(0xFFFFFFFF)
        left, high = builder.and_(values[0], low), builder.lshr(values[0], word(32))
        right = builder.add(high, builder.shl(builder.lshr(values[1], word(32)), word(11)))
        key = builder.and_(values[1], low)
        for _ in range(draw.ROUNDS):
            product = builder.mul(left, word(draw.MULTIPLIER))
            left = builder.xor(builder.xor(builder.lshr(product, word(32)), key), right)
            right = builder.and_(product, low)
            key = builder.and_(builder.add(key, word(draw.WEYL)), low)
        bits = builder.trunc(builder.lshr(left, word(8)), ir.IntType(32))
        number = builder.sitofp(bits, ir.FloatType())  # 24 bits: exact
        return builder.fmul(number, ir.Constant(ir.FloatType(), 2.0**-24))

    return types.float32(types.int64, types.int64), generate


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


def _reading(scope: list[Any]) -> Any:
    def read(context: Any, pointer: Any, place: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return _mark(builder, builder.load(builder.gep(values[0], [values[1]])), scope)

        return pointer.dtype(pointer, types.intp), generate

    return intrinsic(read)


def _writing(scope: list[Any]) -> Any:
    def write(context: Any, pointer: Any, place: Any, value: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            _mark(builder, builder.store(values[2], builder.gep(values[0], [values[1]])), scope)
            return target.get_dummy_value()

        return types.void(pointer, types.intp, pointer.dtype), generate

    return intrinsic(write)


read = _reading(_INPUTS)
outputs = [(_reading(scope), _writing(scope)) for scope in _SCOPES]
