"""The kernels of windows: reduced to one number each, or to where it is, and the transposes of both.

Every kernel has two forms. Planes: images lie plane by plane, and the innermost loop runs along their rows. Pixels: the
channels of a pixel lie together, and it runs along them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from autograd.kernels import compile

LANES = 64  # channels that are taken together
UNROLLED = 16  # taps of a window up to which a kernel of planes is made for its size
WORDS = 28

_HEAD = """from autograd.kernels.expressions import maximum
from autograd.kernels.tile import scratch
room, spot = scratch({LANES}), scratch(1)

@inline
def first(o, s, p, d):
    # the first tap of window o that is inside
    return 0 if p <= o * s else (p - o * s + d - 1) // d

@inline
def beyond(o, s, p, d, k, n):
    # one past the last that is
    return min(k, (n - 1 - o * s + p) // d + 1)
"""
_NAMES = """    x, y, nx, cx, ny, cy = {kind}(args, 0), {result}(args, 1), args[2], args[3], args[4], args[5]
    channels, nothing = args[6], scalar_f{size}(args, 7)
    deep, high, wide, od, oh, ow = args[8], args[9], args[10], args[11], args[12], args[13]
    sd, sh, sw, pd, ph, pw, dd, dh = args[17], args[18], args[19], args[20], args[21], args[22], args[23], args[24]"""
_SIZES = "    kd, kh, kw, dw = args[14], args[15], args[16], args[25]"
_ALONE = """
@inline
def alone(args, x, y, image, to, o, p, q):
    # one window by its taps inside, wherever it is
    nothing = scalar_f{size}(args, 7)
    deep, high, wide, kd, kh, kw = args[8], args[9], args[10], args[14], args[15], args[16]
    sd, sh, sw, pd, ph, pw, dd, dh, dw = (
        args[17], args[18], args[19], args[20], args[21], args[22], args[23], args[24], args[25]
    )
    a0, a1 = first(o, sd, pd, dd), beyond(o, sd, pd, dd, kd, deep)
    i0, i1 = first(p, sh, ph, dh), beyond(p, sh, ph, dh, kh, high)
    k0, k1 = first(q, sw, pw, dw), beyond(q, sw, pw, dw, kw, wide)
    corner = ((o * sd - pd) * high + p * sh - ph) * wide + q * sw - pw
    start = corner + (a0 * dd * high + i0 * dh) * wide + k0 * dw
    start = start if a0 < a1 and i0 < i1 and k0 < k1 else -1
    m, where = nothing, start
    for a in range(a0, a1):
        for i in range(i0, i1):
            for k in range(k0, k1):
                at = corner + (a * dd * high + i * dh) * wide + k * dw
                v = x[image + at]
                {step}
    y[to] = {end}
"""
_PLANES = """
def kernel(lo, hi, args):
{names}
    kd, kh, kw, sw, dw = {constants}
    left = min(ow, (pw + sw - 1) // sw)
    right = max(left, min(ow, (wide - 1 + pw - (kw - 1) * dw) // sw + 1))
    for job in range(lo, hi):
        plane, o = job // od, job % od
        image = plane // channels * nx + plane % channels * cx
        to = plane // channels * ny + plane % channels * cy + o * oh * ow
        deeply = first(o, sd, pd, dd) == 0 and beyond(o, sd, pd, dd, kd, deep) == kd
        for p in range(oh):
            row = to + p * ow
            whole = deeply and first(p, sh, ph, dh) == 0 and beyond(p, sh, ph, dh, kh, high) == kh
            begun, ended = (left, right) if whole else (ow, ow)
            for q in range(begun):
                alone(args, x, y, image, row + q, o, p, q)
            line = ((o * sd - pd) * high + p * sh - ph) * wide - pw
            for q in range(begun, ended):
                start = line + q * sw
                m, where = nothing, start
                for a in range(kd):
                    for i in range(kh):
                        for k in range(kw):
                            at = start + (a * dd * high + i * dh) * wide + k * dw
                            v = x[image + at]
                            {step}
                y[row + q] = {end}
            for q in range(ended, ow):
                alone(args, x, y, image, row + q, o, p, q)
"""
_PIXELS = """
def kernel(lo, hi, args):
{names}
{sizes}
    held = spot()
    word_at(held)[0] = room()
    best = {kind}(word_at(held), 0)
    for job in range(lo, hi):
        n, o, p = job // (od * oh), job // oh % od, job % oh
        image, row = n * nx, n * ny + (o * oh + p) * ow * channels
        a0, a1 = first(o, sd, pd, dd), beyond(o, sd, pd, dd, kd, deep)
        i0, i1 = first(p, sh, ph, dh), beyond(p, sh, ph, dh, kh, high)
        for q in range(ow):
            k0, k1 = first(q, sw, pw, dw), beyond(q, sw, pw, dw, kw, wide)
            corner = ((o * sd - pd) * high + p * sh - ph) * wide + q * sw - pw
            start = corner + (a0 * dd * high + i0 * dh) * wide + k0 * dw
            start = start if a0 < a1 and i0 < i1 and k0 < k1 else -1
            for c in range(0, channels, {LANES}):
                to, count = row + q * channels + c, min({LANES}, channels - c)
                for l in range(count):
                    {lanes_begin}
                for a in range(a0, a1):
                    for i in range(i0, i1):
                        for k in range(k0, k1):
                            at = corner + (a * dd * high + i * dh) * wide + k * dw
                            source = image + at * channels + c
                            for l in range(count):
                                v = x[source + l]
                                {lanes_step}
"""
_BACK_PLANES = """
def kernel(lo, hi, args):
{names}
    kd, kh, kw, sw, dw = {constants}
    for job in range(lo, hi):
        image = job // channels * nx + job % channels * cx
        of = job // channels * ny + job % channels * cy
        for at in range(deep * high * wide):
            x[image + at] = 0
        for o in range(od):
            a0, a1 = first(o, sd, pd, dd), beyond(o, sd, pd, dd, kd, deep)
            for p in range(oh):
                i0, i1 = first(p, sh, ph, dh), beyond(p, sh, ph, dh, kh, high)
                row = of + (o * oh + p) * ow
                for a in range(a0, a1):
                    for i in range(i0, i1):
                        line = image + ((o * sd - pd + a * dd) * high + p * sh - ph + i * dh) * wide - pw
                        for q in range(ow):
                            g = y[row + q]
                            for k in range(first(q, sw, pw, dw), beyond(q, sw, pw, dw, kw, wide)):
                                x[line + q * sw + k * dw] += g
"""
_BACK_PIXELS = """
def kernel(lo, hi, args):
{names}
{sizes}
    blocks = (channels + {LANES} - 1) // {LANES}
    for job in range(lo, hi):
        c = job % blocks * {LANES}
        count = min({LANES}, channels - c)
        image, of = job // blocks * nx + c, job // blocks * ny + c
        for at in range(deep * high * wide):
            for l in range(count):
                x[image + at * channels + l] = 0
        for o in range(od):
            a0, a1 = first(o, sd, pd, dd), beyond(o, sd, pd, dd, kd, deep)
            for p in range(oh):
                i0, i1 = first(p, sh, ph, dh), beyond(p, sh, ph, dh, kh, high)
                for q in range(ow):
                    k0, k1 = first(q, sw, pw, dw), beyond(q, sw, pw, dw, kw, wide)
                    corner = ((o * sd - pd) * high + p * sh - ph) * wide + q * sw - pw
                    row = of + ((o * oh + p) * ow + q) * channels
                    for a in range(a0, a1):
                        for i in range(i0, i1):
                            for k in range(k0, k1):
                                to = image + (corner + (a * dd * high + i * dh) * wide + k * dw) * channels
                                for l in range(count):
                                    x[to + l] += y[row + l]
"""
_PLACES = """
def kernel(lo, hi, args):
    x, y, places = {kind}(args, 0), {kind}(args, 1), pointer_i4(args, 2)
    elements, windows, channels = args[3], args[4], args[5]
    blocks = (channels + {LANES} - 1) // {LANES}
    for job in range(lo, hi):
        c = job % blocks * {LANES}
        count = min({LANES}, channels - c)
        image, of = job // blocks * elements * channels + c, job // blocks * windows * channels + c
        if {clears}:
            whole = elements * channels if count == channels else 0
            for at in range(whole):
                x[image + at] = 0
            for at in range(0 if whole else elements):
                for l in range(count):
                    x[image + at * channels + l] = 0
        rounds, count, own = (1, windows, 0) if channels == 1 else (windows, count, 1)  # a plane is one long row
        for at in range(rounds):
            for l in range(count):
                n = of + at * channels + l
                to = image + places[n] * channels + l * own
                if places[n] >= 0:
                    {inside}
                {outside}
"""
_BETTER = "(v > {m}) | ((v != v) & ({m} == {m}))"  # NaN counts as the largest; the first of equals stays
_OPS: dict[str, dict[str, Any]] = {
    "max": {
        "step": "m = maximum(m, v)",
        "end": "m",
        "lanes_begin": "y[to + l] = nothing",
        "lanes_step": "y[to + l] = maximum(y[to + l], v)",
    },
    "argmax": {
        "step": f"better = {_BETTER.format(m='m')}; m = v if better else m; where = at if better else where",
        "end": "where",
        "lanes_begin": "best[l], y[to + l] = nothing, start",
        "lanes_step": f"m = best[l]; better = {_BETTER.format(m='m')}; best[l] = v if better else m; "
        "y[to + l] = at if better else y[to + l]",
    },
    "sum": {
        "step": "m += v",
        "end": "m",
        "lanes_begin": "y[to + l] = nothing",
        "lanes_step": "y[to + l] += v",
    },
    "spread": {},
    "place": {"clears": True, "inside": "x[to] += y[n]", "outside": ""},
    "pick": {"clears": False, "inside": "y[n] = x[to]", "outside": "else:\n                    y[n] = 0"},
}


@cache
def kernel(op: str, size: int, pixels: bool, window: tuple[int, ...] | None = None) -> int:
    """The address of the kernel of an operation on numbers of `size` bytes.

    op: "max", "argmax", "sum", and "spread", the transpose of "sum"; "place" and its transpose "pick".
    window: kd, kh, kw, sw, dw, if the kernel is to be made for them.
    """
    if op in ("place", "pick"):
        source = _PLACES
    elif op == "spread":
        source = _BACK_PIXELS if pixels else _BACK_PLANES
    else:
        source = _PIXELS if pixels else _ALONE + _PLANES
    pointer = f"pointer_f{size}"
    names = {"kind": pointer, "result": "pointer_i4" if op == "argmax" else pointer, "size": size, "LANES": LANES}
    names["constants"] = ", ".join(map(str, window)) if window else "args[14], args[15], args[16], args[19], args[25]"
    text = source.replace("{names}", _NAMES).replace("{sizes}", _SIZES)
    return compile.get((_HEAD + text).format(**names, **_OPS[op])).address
