"""The angle |x| less a whole number of quarter turns, for x of any size (Payne and Hanek 1983).

x = m 2^e with a whole m of 53 bits. Only the bits of 2 / pi from weight 2^(1-e) on can change x * 2 / pi by less than
four turns of a quarter; 192 of them, times m, give two bits of quarter turns and 190 bits of the rest.
"""

from __future__ import annotations

from llvmlite import ir

from autograd.kernels.maths.emit import FLOAT64, Value, two_product, two_sum

HALF_PI, HALF_PI_LOW = 1.5707963267948966, 6.123233995736766e-17
# A word of zeros, so that the bits before the first can be read, then 2 / pi.
TWO_OVER_PI = (
    0,
    0xA2F9836E4E441529,
    0xFC2757D1F534DDC0,
    0xDB6295993C439041,
    0xFE5163ABDEBBC561,
    0xB7246E3A424DD2E0,
    0x06492EEA09D1921C,
    0xFE1DEB1CB129A73E,
    0xE88235F52EBB4484,
    0xE99C7026B45F7E41,
    0x3991D639835339F4,
    0x9C845F8BBDF9283B,
    0x1FF897FFDE05980F,
    0xEF2F118B5A0A6D1F,
    0x6D367ECF27CB09B7,
    0x4F463F669E5FEA2D,
    0x7527BAC7EBE5F17B,
    0x3D0739F78A5292EA,
    0x6BFB5FB11F8D5D08,
    0x56033046FC7B6BAB,
    0xF0CFBC209AF4361D,
    0xA9E391615EE61B08,
)
WORD, PRODUCT, WINDOW = ir.IntType(64), ir.IntType(192), ir.IntType(256)


def table(module: ir.Module) -> ir.GlobalVariable:
    """The bits of 2 / pi as a constant of the module."""
    name = "wengert_two_over_pi"
    if name in module.globals:
        return module.globals[name]
    words = ir.GlobalVariable(module, ir.ArrayType(WORD, len(TWO_OVER_PI)), name)
    words.linkage, words.global_constant = "private", True
    words.initializer = ir.Constant(words.value_type, [ir.Constant(WORD, word) for word in TWO_OVER_PI])
    return words


def window(b: ir.IRBuilder, position: ir.Value) -> ir.Value:
    """192 bits of the table from bit `position` on."""
    words, first = table(b.module), b.lshr(position, WORD(6))
    bits = ir.Constant(WINDOW, 0)
    for k in range(4):
        word = b.load(b.gep(words, [WORD(0), b.add(first, WORD(k))]))
        bits = b.or_(b.shl(bits, WINDOW(64)), b.zext(word, WINDOW))
    shifted = b.shl(bits, b.zext(b.and_(position, WORD(63)), WINDOW))
    return b.trunc(b.lshr(shifted, WINDOW(64)), PRODUCT)


def large_angle(x: Value) -> tuple[Value, Value, Value]:
    """(r, what rounding took from r, the integer k), where |x| = k pi / 2 + r, for one float64 number > 1."""
    assert x.kind == FLOAT64
    assert x.lanes == 1
    b = x.builder
    raw = b.and_(b.bitcast(x.ir, WORD), WORD(FLOAT64.sign - 1))
    mantissa = b.or_(b.and_(raw, WORD((1 << 52) - 1)), WORD(1 << 52))
    # The exponent field less 1075 is e; the first bit wanted has weight 2^(1-e) and stands 62 + e bits into the table.
    product = b.mul(b.zext(mantissa, PRODUCT), window(b, b.sub(b.lshr(raw, WORD(52)), WORD(1075 - 62))))
    turns = b.lshr(b.add(product, PRODUCT(1 << 189)), PRODUCT(190))
    rest = b.sub(product, b.shl(turns, PRODUCT(190)))
    below = b.icmp_signed("<", rest, PRODUCT(0))
    size = b.select(below, b.sub(PRODUCT(0), rest), rest)
    high, low = x.constant(0.0), x.constant(0.0)
    for shift in range(160, -1, -32):  # pieces of 32 bits, exact as floats
        piece = b.uitofp(b.trunc(b.lshr(size, PRODUCT(shift)), ir.IntType(32)), FLOAT64.type)
        high, lost = two_sum(high, x.of(piece) * 2.0 ** (shift - 190))
        low = low + lost
    high, low = (x.of(b.select(below, (-part).ir, part.ir)) for part in (high, low))
    r, r_low = two_product(high, HALF_PI)
    r, r_low = two_sum(r, r_low + (high * HALF_PI_LOW + low * HALF_PI))
    return r, r_low, x.of(b.trunc(turns, WORD))
