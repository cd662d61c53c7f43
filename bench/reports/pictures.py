"""Pictures of the report, as SVG: ratios as bars around 1, and costs against sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from bench.reports import words
from bench.reports.findings import OURS, Comparison

WIDTH, LINE, NAME = 1000, 18, 490
COLOURS = ("#c2410c", "#2563eb", "#7c3aed", "#0d9488", "#a16207", "#be185d", "#4d7c0f", "#0369a1", "#6b7280", "#92400e")
Curves = Mapping[str, Sequence[tuple[float, float]]]


def svg(width: float, height: float, parts: Sequence[str], title: str) -> str:
    """A picture that fits the page."""
    head = f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">'
    return "\n".join([head, *parts, "</svg>"])


def text(x: float, y: float, said: str, anchor: str = "start", kind: str = "") -> str:
    """A word in a picture."""
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(said)}</text>'


def bars(found: Sequence[Comparison]) -> str:
    """A bar for each comparison, to the left of 1 where ours is faster and to the right where it is slower."""
    reach = max([2.0, *(max(c.ratio.median, 1 / c.ratio.median) for c in found)])
    middle, half = NAME + (WIDTH - NAME) / 2, (WIDTH - NAME) / 2 - 125
    parts = [f'<line class="axis" x1="{middle}" y1="0" x2="{middle}" y2="{LINE * len(found)}"/>']
    for k, c in enumerate(found):
        size = half * math.log(c.ratio.median) / math.log(reach)
        top, kind = k * LINE, "win" if c.won else "loss"
        x = middle + min(size, 0)
        parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{top + 3}" width="{max(abs(size), 1):.1f}" height="12"/>')
        parts.append(text(NAME - 10, top + 13, c.what, "end"))
        end, anchor = (middle + size - 4, "end") if c.won else (middle + size + 4, "start")
        parts.append(text(end, top + 13, f"{words.times(c.ratio.median)} {c.peer}", anchor, "small"))
    return svg(WIDTH, LINE * len(found), parts, "ours to the best peer")


def ticks(low: float, high: float) -> list[int]:
    """Powers of ten, as exponents, from low to high, eight at most.

    >>> ticks(1, 1000)
    [0, 1, 2, 3]
    """
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    step = max(1, math.ceil((last - first) / 8))
    return list(range(first, max(last, first + 1) + 1, step))


def growth(curves: Curves, title: str) -> str:
    """Seconds against sizes, both on logarithmic axes; ours is the heavy line."""
    points = [point for curve in curves.values() for point in curve if point[1] > 0]
    xs, ys = (ticks(min(v), max(v)) for v in zip(*points, strict=True))
    left, right, top, bottom = 70.0, WIDTH - 190.0, 30.0, 330.0

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - xs[0]) / (xs[-1] - xs[0])
        up = (math.log10(y) - ys[0]) / (ys[-1] - ys[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    parts = [text(left, 16, title, kind="title")]
    for k in xs:
        x, _ = at(10.0**k, 10.0 ** ys[0])
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(text(x, bottom + 16, f"{10**k:,}" if k >= 0 else f"1e{k}", "middle", "small"))
    for k in ys:
        _, y = at(10.0 ** xs[0], 10.0**k)
        parts.append(f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(text(left - 6, y + 4, words.time(10.0**k), "end", "small"))
    for k, (label, curve) in enumerate(curves.items()):
        places = [at(*point) for point in curve if point[1] > 0]
        colour, wide = COLOURS[k % len(COLOURS)], 3 if label in OURS else 1.5
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="{wide}" points="{line}"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{wide + 0.5}" fill="{colour}"/>' for x, y in places]
        y = top + 8 + 18 * k
        parts.append(f'<rect x="{right + 14:.0f}" y="{y - 9:.0f}" width="10" height="10" fill="{colour}"/>')
        parts.append(text(right + 30, y, label))
    return svg(WIDTH, bottom + 26, parts, title)
