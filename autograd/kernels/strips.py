"""Strips of rows of images, written as vector code for LLVM: rows copied and added, convolved, and summed by taps.

For the source of a kernel only, like `intrinsics.py`.
"""

from __future__ import annotations

from typing import Any

from autograd.kernels.language import INTP, VOID, Instruction, instruction
from autograd.kernels.vectors import Vectors, whole, word


def gathered(size: int, lanes: int) -> Instruction:
    """`gather(rows, count, shift, first, wide, to)`: add to a vector the sum of parts of rows, each of `wide` numbers.

    rows: for each row its address, to which `shift` is added, and the place of its first number.
    first: the place of the vector's first number.
    """

    @instruction(VOID, *[INTP] * 6)
    def gather(builder: Any, rows: Any, count: Any, shift: Any, first: Any, wide: Any, to: Any) -> None:
        v = Vectors(builder, size, lanes)
        _, (at, total), close = v.loop(count, [rows, v.load(to)])
        row, place = word(builder, at, whole(0)), word(builder, at, whole(1))
        before = builder.sub(first, place)
        row = builder.add(row, shift)
        part = v.load_some(builder.add(row, builder.mul(before, whole(size))), v.inside(before, wide))
        close([builder.add(at, whole(16)), builder.fadd(total, part)])
        v.put(builder.fadd(total, part), to)

    return gather


def laid(size: int, lanes: int) -> Instruction:
    """`lay(at, to, left, wide, vectors)`: write so many vectors: zeros, with `wide` numbers from place `left` on."""

    @instruction(VOID, *[INTP] * 5)
    def lay(builder: Any, at: Any, to: Any, left: Any, wide: Any, vectors: Any) -> None:
        v = Vectors(builder, size, lanes)
        _, (goal, first), close = v.loop(vectors, [to, builder.sub(whole(0), left)])
        source = builder.add(at, builder.mul(first, whole(size)))
        v.put(v.load_some(source, v.inside(first, wide)), goal)
        close([v.at(goal, lanes), builder.add(first, whole(lanes))])

    return lay


def strip(
    size: int, lanes: int, kernel: tuple[int, int], down: tuple[int, int], rows: int, vectors: int
) -> Instruction:
    """`rows` by `lanes * vectors` pixels of a channel: sums over taps of weights, spread, times vectors of pixels.

    kernel: kh and kw. down: stride and dilation along the lines.

    at, channel, depth: the first line of the first of `depth` channels, so many bytes apart. pitch: bytes of a line.
    places: for each tap along a line, bytes to what it meets. w, w_step: the weights of the first channel, and the way
    to the next. to, to_pitch, count: where the rows go, and how many numbers of each. base: a number that is added.
    """

    @instruction(VOID, *[INTP] * 11)
    def convolve(
        builder: Any,
        at: Any,
        channel: Any,
        depth: Any,
        pitch: Any,
        places: Any,
        w: Any,
        w_step: Any,
        to: Any,
        to_pitch: Any,
        count: Any,
        base: Any,
    ) -> None:
        v = Vectors(builder, size, lanes)
        shifts = [word(builder, places, whole(j)) for j in range(kernel[1])]
        _, (at, w, *sums), close = v.loop(depth, [at, w, *[v.zero] * (rows * vectors)])
        for line, meets in _lines(kernel[0], down, rows).items():
            start = builder.add(at, builder.mul(pitch, whole(line)))
            for j, shift in enumerate(shifts):
                place = builder.add(start, shift)
                pixels = [v.load(v.at(place, lanes * k)) for k in range(vectors)]
                for r, i in meets:
                    weight = v.spread(v.at(w, i * kernel[1] + j))
                    for k, x in enumerate(pixels):
                        sums[r * vectors + k] = v.product(weight, x, sums[r * vectors + k])
        close([builder.add(at, channel), builder.add(w, w_step), *sums])
        bias = v.spread(base)
        masks = [v.mask(count, lanes * k) for k in range(vectors)]
        for k, total in enumerate(sums):
            goal = builder.add(to, builder.mul(to_pitch, whole(k // vectors)))
            v.put_some(builder.fadd(total, bias), v.at(goal, lanes * (k % vectors)), masks[k % vectors])

    return convolve


def summed(size: int, lanes: int, kernel: tuple[int, int], down: tuple[int, int], rows: int) -> Instruction:
    """Sums over pixels for each tap: vectors of pixels of one channel times those of another, added to vectors.

    x, pitch, places: as in `strip`. g, g_pitch: the other channel. blocks: of `rows` of its lines, one at least.
    wide: how long its lines are. to: a vector for each tap.
    """

    @instruction(VOID, *[INTP] * 8)
    def add_taps(
        builder: Any, x: Any, pitch: Any, places: Any, g: Any, g_pitch: Any, blocks: Any, wide: Any, to: Any
    ) -> None:
        v = Vectors(builder, size, lanes)
        count = kernel[0] * kernel[1]
        vectors = builder.sdiv(builder.add(wide, whole(lanes - 1)), whole(lanes))
        begin = [v.load(v.at(to, lanes * k)) for k in range(count)]
        _, (x_line, g_line, *sums), close = v.loop(blocks, [x, g, *begin])
        _, (left, x_at, g_at, *sums), close_line = v.loop(vectors, [wide, x_line, g_line, *sums])
        mask = v.mask(left)
        cotangents = [v.load_some(builder.add(g_at, builder.mul(g_pitch, whole(r))), mask) for r in range(rows)]
        for line, meets in _lines(kernel[0], down, rows).items():
            start = builder.add(x_at, builder.mul(pitch, whole(line)))
            for j in range(kernel[1]):
                place = builder.add(start, word(builder, places, whole(j)))
                pixels = builder.select(mask, v.load(place), v.zero)  # beyond the line: not 0 times infinity
                for r, i in meets:
                    k = i * kernel[1] + j
                    sums[k] = v.product(cotangents[r], pixels, sums[k])
        close_line([builder.sub(left, whole(lanes)), v.at(x_at, lanes), v.at(g_at, lanes), *sums])
        x_next = builder.add(x_line, builder.mul(pitch, whole(rows * down[0])))
        close([x_next, builder.add(g_line, builder.mul(g_pitch, whole(rows))), *sums])
        for k, total in enumerate(sums):
            v.put(total, v.at(to, lanes * k))

    return add_taps


def _lines(taps: int, down: tuple[int, int], rows: int) -> dict[int, list[tuple[int, int]]]:
    """For each line of the images that several rows meet: which of the rows, and with which tap."""
    stride, dilation = down
    found: dict[int, list[tuple[int, int]]] = {}
    for r in range(rows):
        for i in range(taps):
            found.setdefault(r * stride + i * dilation, []).append((r, i))
    return dict(sorted(found.items()))
