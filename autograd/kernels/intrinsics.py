"""What kernels need and Python cannot say: typed pointers out of `args`, bits as numbers, atomics, calls by address.

Every function here is for the source of a kernel only. `args` is a pointer to machine words; `args[k]` holds an
address, a size, a stride, or the bits of a scalar.
"""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels.language import (
    BOOL,
    INTP,
    NUMBERS,
    VOID,
    WORD,
    WORDS,
    Instruction,
    Pointer,
    generic,
    instruction,
    kept_on_stack,
)

_HINTS = {  # tells the processor that this is a loop of waiting
    "x86_64": ("llvm.x86.sse2.pause", ()),
    "AMD64": ("llvm.x86.sse2.pause", ()),
    "aarch64": ("llvm.aarch64.hint", (1,)),
    "arm64": ("llvm.aarch64.hint", (1,)),
}


def _pointer(dtype: type[np.generic]) -> Instruction:
    """`pointer_xx(args, k)`: args[k] as a pointer to elements of a dtype, to be indexed."""
    kind = Pointer(NUMBERS[np.dtype(dtype).name])

    @instruction(kind, WORDS, INTP)
    def pointer(builder: Any, args: Any, k: Any) -> Any:
        return builder.inttoptr(builder.load(builder.gep(args, [k])), kind.value)

    return pointer


def _scalar(dtype: type[np.generic]) -> Instruction:
    """`scalar_xx(args, k)`: the low bits of args[k] as a number of a dtype."""
    kind = NUMBERS[np.dtype(dtype).name]

    @instruction(kind, WORDS, INTP)
    def scalar(builder: Any, args: Any, k: Any) -> Any:
        word = builder.load(builder.gep(args, [k]))
        bits = word if kind.bits == 64 else builder.trunc(word, ir.IntType(kind.bits))
        return builder.bitcast(bits, kind.value) if kind.floating else bits

    return scalar


pointer_f4, pointer_f8 = _pointer(np.float32), _pointer(np.float64)
pointer_i1, pointer_i2, pointer_i4, pointer_i8 = (_pointer(t) for t in (np.int8, np.int16, np.int32, np.int64))
pointer_u1, pointer_u2, pointer_u4, pointer_u8 = (_pointer(t) for t in (np.uint8, np.uint16, np.uint32, np.uint64))
pointer_b1 = _pointer(np.bool_)
scalar_f4, scalar_f8 = _scalar(np.float32), _scalar(np.float64)
scalar_i4, scalar_i8, scalar_u4, scalar_u8 = (_scalar(t) for t in (np.int32, np.int64, np.uint32, np.uint64))


@generic
def call(address: Any, lo: Any, hi: Any, args: Any) -> Any:
    """Run the kernel at an address on [lo, hi)."""

    def generate(builder: Any, address: Any, lo: Any, hi: Any, args: Any) -> None:
        pointer = WORD.as_pointer()
        kernel = ir.FunctionType(ir.VoidType(), [WORD, WORD, pointer]).as_pointer()
        block = builder.inttoptr(args, pointer) if args.type == WORD else args
        builder.call(builder.inttoptr(address, kernel), [lo, hi, block])

    return VOID(INTP, INTP, INTP, args), generate


def _foreign(count: int) -> Instruction:
    """`foreign_n(address, ...)`: call a C function of n machine words; its result's low 32 bits, signed."""

    @instruction(INTP, *[INTP] * (count + 1))
    def foreign(builder: Any, address: Any, *words: Any) -> Any:
        function = ir.FunctionType(ir.IntType(32), [WORD] * count).as_pointer()
        return builder.sext(builder.call(builder.inttoptr(address, function), words), WORD)

    return foreign


foreign_0, foreign_1, foreign_2, foreign_3 = map(_foreign, range(4))


@instruction(WORDS, INTP)
def word_at(builder: Any, address: Any) -> Any:
    """An address as a pointer to machine words."""
    return builder.inttoptr(address, WORD.as_pointer())


@generic
def address_of(pointer: Any) -> Any:
    """The address that a pointer holds."""
    return INTP(pointer), lambda builder, value: builder.ptrtoint(value, WORD)


# Atomics act on the machine word at an address, in one order that all threads agree on (sequentially consistent).


@instruction(INTP, INTP)
def atomic_load(builder: Any, address: Any) -> Any:
    """Read a word."""
    return builder.load_atomic(builder.inttoptr(address, WORD.as_pointer()), "seq_cst", 8)


@instruction(VOID, INTP, INTP)
def atomic_store(builder: Any, address: Any, value: Any) -> None:
    """Write a word."""
    builder.store_atomic(value, builder.inttoptr(address, WORD.as_pointer()), "seq_cst", 8)


@instruction(INTP, INTP, INTP)
def atomic_add(builder: Any, address: Any, value: Any) -> Any:
    """Add to a word; the value before."""
    return builder.atomic_rmw("add", builder.inttoptr(address, WORD.as_pointer()), value, "seq_cst")


@instruction(BOOL, INTP, INTP, INTP)
def atomic_replace(builder: Any, address: Any, expected: Any, value: Any) -> Any:
    """Write a word if it still is what was expected; whether it was."""
    word = builder.inttoptr(address, WORD.as_pointer())
    return builder.extract_value(builder.cmpxchg(word, expected, value, "seq_cst", "seq_cst"), 1)


@instruction(VOID)
def pause(builder: Any) -> None:
    """Wait a moment inside a loop that watches a word."""
    if platform.machine() in _HINTS:
        name, settings = _HINTS[platform.machine()]
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)] * len(settings))
        hint = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(hint, [ir.Constant(ir.IntType(32), value) for value in settings])


def _gemm(number: Any) -> Instruction:
    """`gemm_xx(address, turn_a, turn_b, m, n, k, a, lda, b, ldb, c, ldc)`: column-major C = op(A) op(B), by BLAS.

    Turns are the character codes of "N" and "T"; the rest are whole numbers and addresses.
    """

    @instruction(VOID, *[INTP] * 12)
    def gemm(builder: Any, *v: Any) -> None:
        def kept(value: Any, kind: Any) -> Any:
            place = kept_on_stack(builder, kind)  # once: this stands inside a loop
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

    return gemm


gemm_f4, gemm_f8 = _gemm(ir.FloatType()), _gemm(ir.DoubleType())
