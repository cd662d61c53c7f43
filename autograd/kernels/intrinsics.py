"""What kernels need and Python cannot say: typed pointers out of `args`, bits as numbers, atomics, calls by address.

Every function here is for the source of a kernel only. `args` is a pointer to machine words; `args[k]` holds an
address, a size, a stride, or the bits of a scalar.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WORD = ir.IntType(64)
_pointer_to: Any = types.CPointer
_alloca_once: Any = cgutils.alloca_once
_HINTS = {  # tells the processor that this is a loop of waiting
    "x86_64": ("llvm.x86.sse2.pause", ()),
    "AMD64": ("llvm.x86.sse2.pause", ()),
    "aarch64": ("llvm.aarch64.hint", (1,)),
    "arm64": ("llvm.aarch64.hint", (1,)),
}


def _pointer(dtype: type[np.generic]) -> Any:
    """`pointer_xx(args, k)`: args[k] as a pointer to elements of a dtype, to be indexed."""
    element = _pointer_to(getattr(types, np.dtype(dtype).name))

    def pointer(context: Any, args: Any, k: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            word = builder.load(builder.gep(values[0], [values[1]]))
            return builder.inttoptr(word, target.get_value_type(signature.return_type))

        return element(args, types.intp), generate

    return intrinsic(pointer)


def _scalar(dtype: type[np.generic]) -> Any:
    """`scalar_xx(args, k)`: the low bits of args[k] as a number of a dtype."""
    number = getattr(types, np.dtype(dtype).name)

    def scalar(context: Any, args: Any, k: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            word = builder.load(builder.gep(values[0], [values[1]]))
            kind = target.get_value_type(signature.return_type)
            if isinstance(number, types.Integer):
                return word if kind == WORD else builder.trunc(word, kind)
            bits = ir.IntType(number.bitwidth)
            return builder.bitcast(word if bits == WORD else builder.trunc(word, bits), kind)

        return number(args, types.intp), generate

    return intrinsic(scalar)


pointer_f4, pointer_f8 = _pointer(np.float32), _pointer(np.float64)
pointer_i1, pointer_i2, pointer_i4, pointer_i8 = (_pointer(t) for t in (np.int8, np.int16, np.int32, np.int64))
pointer_u1, pointer_u2, pointer_u4, pointer_u8 = (_pointer(t) for t in (np.uint8, np.uint16, np.uint32, np.uint64))
pointer_b1 = _pointer(np.bool_)
scalar_f4, scalar_f8 = _scalar(np.float32), _scalar(np.float64)
scalar_i4, scalar_i8, scalar_u4, scalar_u8 = (_scalar(t) for t in (np.int32, np.int64, np.uint32, np.uint64))


@intrinsic
def call(context, address, lo, hi, args):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Run the kernel at an address on [lo, hi)."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = WORD.as_pointer()
        kernel = ir.FunctionType(ir.VoidType(), [WORD, WORD, pointer]).as_pointer()
        block = builder.inttoptr(values[3], pointer) if values[3].type == WORD else values[3]
        builder.call(builder.inttoptr(values[0], kernel), [values[1], values[2], block])
        return target.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, args), generate


def _foreign(count: int) -> Any:
    """`foreign_n(address, ...)`: call a C function of n machine words; its result's low 32 bits, signed."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), [WORD] * count).as_pointer()
        return builder.sext(builder.call(builder.inttoptr(values[0], function), values[1:]), WORD)

    signature = types.intp(*[types.intp] * (count + 1))
    if count == 0:
        return intrinsic(lambda context, address: (signature, generate))
    if count == 1:
        return intrinsic(lambda context, address, a: (signature, generate))
    if count == 2:
        return intrinsic(lambda context, address, a, b: (signature, generate))
    return intrinsic(lambda context, address, a, b, c: (signature, generate))


foreign_0, foreign_1, foreign_2, foreign_3 = map(_foreign, range(4))


@intrinsic
def word_at(context, address):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """An address as a pointer to machine words."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], WORD.as_pointer())

    return _pointer_to(types.intp)(types.intp), generate


@intrinsic
def address_of(context, pointer):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """The address that a pointer holds."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ptrtoint(values[0], WORD)

    return types.intp(pointer), generate


# Atomics act on the machine word at an address, in one order that all threads agree on (sequentially consistent).


@intrinsic
def atomic_load(context, address):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Read a word."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(builder.inttoptr(values[0], WORD.as_pointer()), "seq_cst", 8)

    return types.intp(types.intp), generate


@intrinsic
def atomic_store(context, address, value):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Write a word."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store_atomic(values[1], builder.inttoptr(values[0], WORD.as_pointer()), "seq_cst", 8)
        return target.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@intrinsic
def atomic_add(context, address, value):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Add to a word; the value before."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.atomic_rmw("add", builder.inttoptr(values[0], WORD.as_pointer()), values[1], "seq_cst")

    return types.intp(types.intp, types.intp), generate


@intrinsic
def atomic_replace(context, address, expected, value):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Write a word if it still is what was expected; whether it was."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = builder.inttoptr(values[0], WORD.as_pointer())
        return builder.extract_value(builder.cmpxchg(word, values[1], values[2], "seq_cst", "seq_cst"), 1)

    return types.boolean(types.intp, types.intp, types.intp), generate


@intrinsic
def pause(context):  # type: ignore[no-untyped-def]  # numba reads the bare signature
    """Wait a moment inside a loop that watches a word."""

    def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
        if platform.machine() in _HINTS:
            name, settings = _HINTS[platform.machine()]
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)] * len(settings))
            hint = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
            builder.call(hint, [ir.Constant(ir.IntType(32), value) for value in settings])
        return target.get_dummy_value()

    return types.void(), generate


def _gemm(number: Any) -> Any:
    """`gemm_xx(address, turn_a, turn_b, m, n, k, a, lda, b, ldb, c, ldc)`: column-major C = op(A) op(B), by BLAS.

    Turns are the character codes of "N" and "T"; the rest are whole numbers and addresses.
    """

    def gemm(context, address, turn_a, turn_b, m, n, k, a, lda, b, ldb, c, ldc):  # type: ignore[no-untyped-def]  # as above
        def generate(target: Any, builder: Any, signature: Any, v: Any) -> Any:
            def kept(value: Any, kind: Any) -> Any:
                place = _alloca_once(builder, kind)  # once: this stands inside a loop
                builder.store(value, place)
                return place

            def narrow(value: Any, bits: int) -> Any:
                return kept(builder.trunc(value, ir.IntType(bits)), ir.IntType(bits))

            def pointer(value: Any) -> Any:
                return builder.inttoptr(value, number.as_pointer())

            one, zero = (kept(ir.Constant(number, value), number) for value in (1.0, 0.0))
            values = [narrow(v[1], 8), narrow(v[2], 8), narrow(v[3], 32), narrow(v[4], 32), narrow(v[5], 32), one]
            values += [pointer(v[6]), narrow(v[7], 32), pointer(v[8]), narrow(v[9], 32), zero]
            values += [pointer(v[10]), narrow(v[11], 32)]
            function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            builder.call(builder.inttoptr(v[0], function.as_pointer()), values)
            return target.get_dummy_value()

        return types.void(*[types.intp] * 12), generate

    return intrinsic(gemm)


gemm_f4, gemm_f8 = _gemm(ir.FloatType()), _gemm(ir.DoubleType())
