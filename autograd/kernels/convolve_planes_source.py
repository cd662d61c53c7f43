"""The kernels of convolution plane by plane: strips of outputs, and sums over pixels for each tap."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from autograd.kernels import compile
from autograd.kernels.convolve_source import Pair, Shape

LINES = 4  # of outputs that are made at once

_COPY = """
@inline
def copied(copy, x, image_pitch, y):
    # a plane with zeros around; of a stride the pixels that meet the same taps lie together
    high, wide, top, left, tall, part, step, pitch = (
        copy[0], copy[1], copy[2], copy[3], copy[4], copy[5], copy[6], copy[7]
    )
    held = spare()
    for line in range(tall):
        h = line - top
        inside = h >= 0 and h < high
        if step == 1:
            lay(x + h * image_pitch, y + line * pitch, left, wide if inside else 0, part // {lanes})
            continue
        lay(x, y + line * pitch, 0, 0, step * part // {lanes})
        word_at(held)[0] = x + h * image_pitch
        word_at(held)[1] = y + line * pitch
        source, goal = {pointer}(word_at(held), 0), {pointer}(word_at(held), 1)
        for phase in range(step if inside else 0):  # number q of a part is pixel q * step + phase - left
            first = max(0, (left - phase + step - 1) // step)
            last = min(part, (wide + left - phase + step - 1) // step)
            for q in range(first, last):
                goal[phase * part + q] = source[q * step + phase - left]
"""
_STRIPS = """from autograd.kernels.strips import laid, strip
from autograd.kernels.tile import scratch
lay, spare = laid({size}, {lanes}), scratch(2)
convolve = strip({size}, {lanes}, {taps}, {down}, {rows}, {vectors})
{copy}
def kernel(lo, hi, args):
    depth, share, splits, groups, high, wide = args[8], args[11], args[12], args[13], args[14], args[15]
    room, copy = args[3] + lo // args[28] * args[16], word_at(address_of(args) + 8 * {COPY})
    pitch, plane = copy[7], copy[8]
    for job in range(lo, hi):
        n, group, split = job // (groups * splits), job // splits % groups, job % splits
        for c in range(depth):
            copied(copy, args[0] + n * args[5] + (group * depth + c) * args[6], args[7], room + c * plane)
        for k in range(share):
            o = (group * splits + split) * share + k
            w, base = args[1] + o * args[9], args[4] + {size} * o
            y = args[2] + (n * groups * splits * share + o) * high * wide * {size}
            for h in range(0, high, {rows}):
                line = min(h, high - {rows})
                source, goal = room + line * args[18] * pitch, y + line * wide * {size}
                for q in range(0, wide, {vectors} * {lanes}):
                    at = source + q * {size}
                    to = goal + q * {size}
                    convolve(at, plane, depth, pitch, args[17], w, args[10], to, wide * {size}, wide - q, base)
"""
_TAPS = """from autograd.kernels.strips import laid, summed
from autograd.kernels.tile import scratch
lay, spare = laid({size}, {lanes}), scratch(2)
several, single = summed({size}, {lanes}, {taps}, {down}, {LINES}), summed({size}, {lanes}, {taps}, {down}, 1)
{copy}
def kernel(lo, hi, args):
    images, parts, share, depth, high, wide = args[11], args[12], args[13], args[14], args[15], args[16]
    room, copy = args[3] + lo // args[30] * args[17], word_at(address_of(args) + 8 * {COPY})
    sums, places, pitch, step = room + args[19], args[18], copy[7], {down}[0]
    held, out = spare(), {pointer}(args, 2)
    word_at(held)[0] = sums
    total, count = {pointer}(word_at(held), 0), {taps}[0] * {taps}[1]
    blocks = high // {LINES}
    for job in range(lo, hi):
        channel, part = job // parts, job % parts
        group, c = channel // depth, channel % depth
        for k in range(share * count * {lanes}):
            total[k] = 0
        for n in range(images * part // parts, images * (part + 1) // parts):
            copied(copy, args[0] + n * args[5] + channel * args[6], args[7], room)
            for k in range(share):
                to, g = sums + k * count * {lanes} * {size}, args[1] + n * args[8] + (group * share + k) * args[9]
                if blocks > 0:
                    several(room, pitch, places, g, args[10], blocks, wide, to)
                done = blocks * {LINES}
                if done < high:
                    single(
                        room + done * step * pitch, pitch, places, g + done * args[10], args[10], high - done, wide, to
                    )
        for k in range(share):
            for tap in range(count):
                value = total[k * count * {lanes} + tap * {lanes}]
                for lane in range(1, {lanes}):
                    value += total[k * count * {lanes} + tap * {lanes} + lane]
                out[(((part * args[20] + group) * share + k) * depth + c) * count + tap] = value
"""
COPIES = {"strips": 19, "taps": 21}  # the first word of the copy


@dataclass(frozen=True, slots=True)
class Plane:
    """What a kernel is made for: taps along both axes, stride and dilation of lines, and how much is made at once."""

    tile: Shape
    taps: Pair
    down: Pair
    rows: int
    vectors: int


def vectors_for(tile: Shape, wide: int) -> int:
    """How many vectors of a line are made at once."""
    return 1 if wide <= tile.lanes else 2


@cache
def kernel(what: str, plane: Plane) -> int:
    """The address of a kernel: "strips" or "taps"."""
    names = {"size": plane.tile.size, "lanes": plane.tile.lanes, "pointer": f"pointer_f{plane.tile.size}"}
    names |= {"taps": plane.taps, "down": plane.down, "rows": plane.rows, "vectors": plane.vectors}
    names |= {"LINES": LINES, "COPY": COPIES[what]}
    source = {"strips": _STRIPS, "taps": _TAPS}[what]
    return compile.get(source.format(**names, copy=_COPY.format(**names))).address
