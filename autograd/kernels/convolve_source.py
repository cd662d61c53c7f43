"""The kernels of convolution: rows of channels, panels of weights, sums over taps, sums over pixels.

Rows of channels: images that lie in memory pixel by pixel, the channels of a pixel together. A panel: for a block of
output channels, the weights in the order in which its sums read them. A run: steps of a sum that lie at equal
distances. A block's fields: its place in the input, its panel, its place in the output, how many of its columns
count, how many it has, and its place in the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from numpy.typing import NDArray

from autograd.kernels import compile, loader

Pair = tuple[int, int]
Array = NDArray[Any]
TILES = 4  # tiles of pixels whose addresses stand in a table at once
RUNS = 32  # runs that have a table each: where pixels beyond the edge are read from a row of zeros
CHUNK = 16  # channels that are packed at once
FIELDS = 6
STRETCH = 256  # pixels whose addresses stand in a table while channels are moved to them
ROW_WORDS, SUM_WORDS = 16, 33

_HEAD = """from autograd.kernels.tile import scratch, tile, turned
wide = tile({size}, {lanes}, {rows}, 2, based={based})
narrow = tile({size}, {lanes}, {rows}, 1, based={based})
alone = tile({size}, {lanes}, {rows}, 1, spread=False, steps={steps}, based={based})
turn = turned({size}, {side})
table, targets, pointers = scratch({pixels} * {RUNS}), scratch({pixels}), scratch({rows})
spans = scratch(2 * {TILES})
copied, summed = scratch({ROW_WORDS}), scratch({SUM_WORDS})
squares, room = scratch({side}), scratch(2 * {side} * {lanes})
stretch = scratch({STRETCH})
"""
_ROWS = """
@inline
def clear(y, begin, end):
    for k in range(begin, end):
        y[k] = 0

@inline
def margins(args, y, begin, end):
    # zeros around the images, and behind the channels of a pixel
    high, wide_, channels, broad, pitch, top, left = args[2], args[3], args[4], args[6], args[7], args[8], args[9]
    for h in range(begin, end):
        to = h * broad * pitch
        if h < top or h >= top + high:
            clear(y, to, to + broad * pitch)
        else:
            clear(y, to, to + left * pitch)
            clear(y, to + (left + wide_) * pitch, to + broad * pitch)
            if channels < pitch:
                for w in range(left, left + wide_):
                    clear(y, to + w * pitch + channels, to + w * pitch + pitch)

@inline
def squared(args, at, to, count, places):
    # squares of channels by pixels, along the planes; the last ones reach back where they would reach too far
    wide_, channels, broad, pitch, channel = args[3], args[4], {size} * args[6], args[7], {size} * args[11]
    first = 0
    while first < count:
        first = max(0, min(first, count - {side}))
        many = min({STRETCH}, count - first)
        w, line = first % wide_, to + first // wide_ * broad * pitch
        for k in range(many):
            places[k] = line + {size} * w * pitch
            w += 1
            if w == wide_:
                w, line = 0, line + broad * pitch
        c = 0
        while c < channels:
            c = min(c, channels - {side})
            p = 0
            while p < many:
                p = min(p, many - {side})
                turn(at + {size} * (first + p) + c * channel, channel, address_of(places) + 8 * p, {size} * c)
                p += {side}
            c += {side}
        first += many

def kernel(lo, hi, args):
    high, wide_, channels, tall, broad, pitch = args[2], args[3], args[4], args[5], args[6], args[7]
    top, left, image, channel, down, right = args[8], args[9], args[10], args[11], args[12], args[13]
    bands, band = args[14], args[15]
    held, places = pointers(), stretch()
    for job in range(lo, hi):
        n, begin = job // bands, job % bands * band
        end = min(tall, begin + band)
        word_at(held)[0] = args[0] + {size} * n * image
        word_at(held)[1] = args[1] + {size} * n * tall * broad * pitch
        x, y = {pointer}(word_at(held), 0), {pointer}(word_at(held), 1)
        margins(args, y, begin, end)
        begin, end = max(begin - top, 0), min(end - top, high)
        count = (end - begin) * wide_
        if right == 1 and down == wide_ and channels >= {side} and count >= {side} and channel != 1:
            to = word_at(held)[1] + {size} * ((begin + top) * broad + left) * pitch
            squared(args, word_at(held)[0] + {size} * begin * down, to, count, word_at(places))
            continue
        for h in range(begin, end):
            at, to = h * down, ((h + top) * broad + left) * pitch
            if channel == 1 and right == channels and channels == pitch:
                for k in range(wide_ * channels):
                    y[to + k] = x[at + k]
            else:
                for w in range(wide_):
                    for c in range(channels):
                        y[to + w * pitch + c] = x[at + w * right + c * channel]
"""
_PANELS = """
@inline
def lines(args, at, panel, columns, width, begin, end):
    # as the weights stand in memory: squares of output channels by taps of all channels
    depth, lane_step, count = args[5], {size} * args[6], args[4]
    held = squares()
    places = word_at(held)
    p = begin * count
    while p < end * count:
        p = min(p, end * count - {side})
        for k in range({side}):
            places[k] = args[1] + {size} * (panel + ((p + k) % count * depth + (p + k) // count) * width)
        for lane in range(0, columns, {side}):
            turn(args[0] + {size} * (at + p) + lane * lane_step, lane_step, held, {size} * lane)
        p += {side}

def kernel(lo, hi, args):
    w, y, blocks, taps = {pointer}(args, 0), {pointer}(args, 1), pointer_i8(args, 2), pointer_i8(args, 3)
    count, depth, lane_step, step, chunks, plain = args[4], args[5], args[6], args[7], args[8], args[9]
    for job in range(lo, hi):
        b = job // chunks * {FIELDS}
        panel, columns, width, at = blocks[b + 1], blocks[b + 3], blocks[b + 4], blocks[b + 5]
        begin = job % chunks * {CHUNK}
        end = min(depth, begin + {CHUNK})
        if plain and columns % {side} == 0 and (end - begin) * count >= {side}:
            lines(args, at, panel, columns, width, begin, end)
            if columns == width:
                continue
        for k in range(begin, end):
            for t in range(count):
                source, to = at + k * step + taps[t], panel + (t * depth + k) * width
                for lane in range(columns):
                    y[to + lane] = w[source + lane * lane_step]
                for lane in range(columns, width):
                    y[to + lane] = 0
"""
_SUMS = """
@inline
def places(args, first, count, at, to):
    # where each pixel is read, for each run where edges matter, and where its sums go; the last again and again.
    # Of so many images at once the same lines follow one another
    high, wide_, runs, edges, offsets, beside = args[3], args[4], args[11], args[17], pointer_i8(args, 18), args[32]
    w, side, h = first % wide_, first // wide_ % beside, first // (wide_ * beside) % high
    n = first // (high * wide_ * beside) * beside + side
    for p in range({pixels}):
        place = args[0] + n * args[5] + h * args[6] + w * args[7]
        to[p] = args[1] + n * args[8] + h * args[9] + w * args[10]
        at[p] = place
        if edges != 0:
            y, x = h * args[19] + args[21], w * args[20] + args[22]
            for run in range(runs):
                dy, dx = y + offsets[2 * run], x + offsets[2 * run + 1]
                inside = dy >= 0 and dy < args[23] and dx >= 0 and dx < args[24]
                shift = offsets[2 * run] * args[25] + offsets[2 * run + 1] * args[26]
                at[run * {pixels} + p] = place + shift if inside else edges
        if p + 1 < count:
            w += 1
            if w == wide_:
                w = 0
                side += 1
                n += 1
                if side == beside:
                    side = 0
                    n -= beside
                    h += 1
                    if h == high:
                        h = 0
                        n += beside

@inline
def keep(args, first, count, kept):
    # the runs of each tile that meet a line of its image: above and below it all is zero
    high, wide_, offsets = args[3], args[4] * args[32], pointer_i8(args, 18)
    for t in range({TILES}):
        head = first + min(t * {rows}, count - 1)
        tail = first + min(t * {rows} + {rows}, count) - 1
        begin, end = 0, args[11]
        if head // (high * wide_) == tail // (high * wide_):
            above = tail // wide_ % high * args[19] + args[21]
            below = head // wide_ % high * args[19] + args[21] - args[23]
            while begin + 1 < end and above + offsets[2 * begin] < 0:
                begin += 1
            while begin + 1 < end and below + offsets[2 * end - 2] >= 0:
                end -= 1
        kept[t] = begin
        kept[{TILES} + t] = end - begin

def kernel(lo, hi, args):
    count, blocks, splits = args[15], pointer_i8(args, 16), args[27]
    whole, tables = args[29], args[30]
    depth, step, shifts = args[12], args[13], args[14]
    at, to, kept = table(), targets(), spans()
    pitch = 0 if args[17] == 0 else {pixels}
    share = (count + splits - 1) // splits
    for job in range(lo, hi):
        line, first = job // splits // tables, job // splits % tables * {pixels}
        size = min({pixels}, whole - first)
        first += line * whole
        places(args, first, size, word_at(at), word_at(to))
        keep(args, first, size, word_at(kept))
        begin = job % splits * share
        for block in range(begin, min(count, begin + share)):
            b = block * {FIELDS}
            shift_table, begun = shifts + 8 * args[11] * blocks[b], args[28] + {size} * blocks[b + 1]
            shift, add = blocks[b + 2], args[31] + blocks[b + 2]
            columns, width = blocks[b + 3], blocks[b + 4]
            for t in range(0, size, {rows}):
                start, runs = word_at(kept)[t // {rows}], word_at(kept)[{TILES} + t // {rows}]
                source, goal = at + 8 * (t + start * pitch), to + 8 * t
                moved, panel = shift_table + 8 * start, begun + start * depth * width * {size}
                {call}
"""
_TURNS = """
def kernel(lo, hi, args):
    # some images are copied, then read while they are in the cache; all images of a slice are copied to one place
    rows, sums = copied(), summed()
    for n in range(lo, hi):
        for k in range({ROW_WORDS}):
            word_at(rows)[k] = word_at(args[2])[k]
        for k in range({SUM_WORDS}):
            word_at(sums)[k] = word_at(args[3])[k]
        word_at(rows)[1] += (lo - n) * args[4]
        word_at(sums)[0] += (lo - n) * args[4]
        call(args[0], n * args[5], (n + 1) * args[5], rows)
        call(args[1], n * args[6], (n + 1) * args[6], sums)
"""
_PIXELS = """
def kernel(lo, hi, args):
    x, g, out, offsets, shifts = args[0], args[1], args[2], pointer_i8(args, 3), args[4]
    tiles, row, run_count, part_runs, chunk, depth = args[5], args[6], args[7], args[8], args[9], args[10]
    step, g_step, count, blocks, splits = args[11], args[12], args[13], pointer_i8(args, 14), args[15]
    source, goal, pitch, columns = targets(), pointers(), 0, 2 * {lanes}
    share = (tiles + splits - 1) // splits
    for job in range(lo, hi):
        part, begin = job // splits, job % splits * share
        first = part * part_runs
        stop = min(run_count, first + part_runs)
        for run in range(first, stop, chunk):
            runs = min(chunk, stop - run)
            for block in range(count):
                b = block * {FIELDS}
                panel, width, shift = g + run * depth * g_step + blocks[b + 1], blocks[b + 4], blocks[b + 2]
                for t in range(begin, min(tiles, begin + share)):
                    for r in range({rows}):
                        m = t * {rows} + r
                        word_at(source)[r] = x + offsets[m] + blocks[b]
                        word_at(goal)[r] = out + (part * tiles * {rows} + m) * row
                    moved, add = shifts + 8 * run, run - first
                    {call}
"""
_PARTS = """
@inline
def add(args, x, total, at, width):
    parts, part = args[3], args[4]
    for lane in range(width):
        total[lane] = x[at + lane]
    for p in range(1, parts):
        for lane in range(width):
            total[lane] += x[at + p * part + lane]

def kernel(lo, hi, args):
    x, order, blocks = {pointer}(args, 0), pointer_i8(args, 2), pointer_i8(args, 9)
    pitch, rows, chunks, lane_step = args[5], args[6], args[7], {size} * args[8]
    held, squares_, total = pointers(), squares(), room()
    places = word_at(squares_)
    for job in range(lo, hi):
        b = job // chunks * {FIELDS}
        column, columns, width, to = blocks[b + 2] // {size}, blocks[b + 3], blocks[b + 4], blocks[b + 5]
        begin = job % chunks * 64
        end = min(rows, begin + 64)
        while begin < end:
            begin = max(0, min(begin, end - {side}))
            count = min({side}, end - begin)
            for k in range(count):
                word_at(held)[0] = total + {size} * k * width
                add(args, x, {pointer}(word_at(held), 0), order[begin + k] * pitch + column, width)
            goal = args[1] + {size} * (to + begin)
            if columns >= {side} and count == {side}:
                lane = 0
                while lane < columns:
                    lane = min(lane, columns - {side})
                    for k in range({side}):
                        places[k] = goal + (lane + k) * lane_step
                    turn(total + {size} * lane, {size} * width, squares_, 0)
                    lane += {side}
            else:
                word_at(held)[0] = total
                word_at(held)[1] = goal
                y, sums = {pointer}(word_at(held), 1), {pointer}(word_at(held), 0)
                for lane in range(columns):
                    for k in range(count):
                        y[lane * args[8] + k] = sums[k * width + lane]
            begin += {side}
"""
_SPREAD = """if width == {lanes}:
    narrow(source, pitch, moved, runs, depth, step, panel, {one}, goal, shift, add, columns)
else:
    wide(source, pitch, moved, runs, depth, step, panel, {two}, goal, shift, add, columns)"""
_ALONE = "alone(source, pitch, moved, runs, depth, step, panel, {one}, goal, shift, add, columns)"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a tile is on a machine: vectors of `lanes` numbers of `size` bytes, `rows` of them."""

    size: int
    lanes: int
    rows: int
    lone: int  # rows of a tile that keeps channels apart

    @property
    def pixels(self) -> int:
        """Pixels of a table."""
        return TILES * self.rows


def shape_for(size: int, features: str | None = None) -> Shape:
    """The tile that fills the registers of a machine with such features; by default of this one.

    >>> shape_for(4, "+avx2,+avx"), shape_for(8, "+avx512f")
    (Shape(size=4, lanes=8, rows=6, lone=9), Shape(size=8, lanes=8, rows=14, lone=9))
    """
    known = (loader.machine_fields()["features"] if features is None else features).split(",")
    for feature, width, rows in (("+avx512f", 64, 14), ("+avx", 32, 6), ("+neon", 16, 12)):
        if feature in known:
            return Shape(size, width // size, rows, 9)
    return Shape(size, 16 // size, 6, 9)


@cache
def kernel(what: str, shape: Shape, alone: bool = False, steps: int = 0) -> int:
    """The address of a kernel: "rows", "panels", "sums", "turns", "pixels" or "parts".

    alone: the channels each for itself, not all together. steps: of a run, if they are known.
    """
    source = {"rows": _ROWS, "panels": _PANELS, "sums": _SUMS, "turns": _TURNS, "pixels": _PIXELS, "parts": _PARTS}[
        what
    ]
    vector = shape.size * shape.lanes
    rows = shape.lone if alone else shape.rows
    b_steps = {"one": vector, "two": 2 * vector} if what == "sums" else {"one": "g_step", "two": "g_step"}
    call = (_ALONE if alone else _SPREAD).format(lanes=shape.lanes, **b_steps)
    indent = " " * (len(source.split("{call}")[0].rsplit("\n", 1)[1]) if "{call}" in source else 0)
    names = {"pointer": f"pointer_f{shape.size}", "lanes": shape.lanes, "size": shape.size, "rows": rows}
    names |= {"pixels": TILES * rows, "RUNS": RUNS, "FIELDS": FIELDS, "CHUNK": CHUNK, "steps": steps}
    names |= {
        "STRETCH": STRETCH,
        "based": what == "sums",
        "TILES": TILES,
        "ROW_WORDS": ROW_WORDS,
        "SUM_WORDS": SUM_WORDS,
    }
    names["side"] = shape.lanes if what in ("parts", "panels") else min(8, shape.lanes)
    text = (_HEAD + source).format(call=call.replace("\n", "\n" + indent), **names)
    return compile.get(text).address
