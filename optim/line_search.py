"""The strong-Wolfe line search: a step that goes down enough, to where the slope has become small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt

from autograd import Tensor

DESCENT, CURVATURE = 1e-4, 0.9  # c1 and c2 of the two conditions


@dataclass(frozen=True)
class Point:
    """A point on the line: its place t, the loss f, the gradient g there, and the slope g . d along the line."""

    t: float
    f: float
    g: Tensor
    slope: float


Evaluate = Callable[[float], Point]


def strong_wolfe(evaluate: Evaluate, start: Point, t: float, *, length: float, smallest: float, limit: int) -> Point:
    """A point that meets both of Wolfe's conditions, or the best that was found by then.

        f(t) <= f(0) + 1e-4 t f'(0)             |f'(t)| <= 0.9 |f'(0)|

    A first loop goes on until such a point, or a bracket of one, is found; a second one narrows the bracket. A place
    where f or its slope is not finite counts as too far.

    Parameters:
        evaluate: the point at t.
        start: the point at 0.
        t: the first place that is tried.
        length: the largest magnitude in the direction; a bracket shorter than `smallest` / length is not narrowed.
        limit: the number of places that are tried after the first.

    Nocedal and Wright, "Numerical optimization", 2006, algorithms 3.5 and 3.6.
    """
    previous, new = start, _finite(evaluate, t)
    for k in range(limit):
        if _too_high(new, start) or (k > 1 and new.f >= previous.f) or (new.slope >= 0 and not _flat(new, start)):
            return _narrowed(evaluate, start, [previous, new], length=length, smallest=smallest, limit=limit - k)
        if _flat(new, start):
            return new
        t = cubic_minimum(previous, new, (new.t + 0.01 * (new.t - previous.t), 10 * new.t))
        previous, new = new, _finite(evaluate, t)
    return start if start.f <= new.f else new


def _narrowed(
    evaluate: Evaluate, start: Point, ends: list[Point], *, length: float, smallest: float, limit: int
) -> Point:
    low, high = (0, 1) if ends[0].f <= ends[1].f else (1, 0)
    stuck = False
    for _ in range(limit):
        left, right = sorted(p.t for p in ends)
        if (right - left) * length < smallest:
            break
        t, stuck = _away(cubic_minimum(ends[0], ends[1], (left, right)), left, right, stuck)
        new = _finite(evaluate, t)
        if _too_high(new, start) or new.f >= ends[low].f:
            ends[high] = new
            low, high = (0, 1) if ends[0].f <= ends[1].f else (1, 0)
            continue
        if _flat(new, start):
            return new
        if new.slope * (ends[high].t - ends[low].t) >= 0:
            ends[high] = ends[low]
        ends[low] = new
    return ends[low]


def _finite(evaluate: Evaluate, t: float) -> Point:
    p = evaluate(t)
    return p if isfinite(p.f) and isfinite(p.slope) else replace(p, f=inf)


def _too_high(p: Point, start: Point) -> bool:
    return p.f > start.f + DESCENT * p.t * start.slope


def _flat(p: Point, start: Point) -> bool:
    return abs(p.slope) <= -CURVATURE * start.slope


def _away(t: float, left: float, right: float, stuck: bool) -> tuple[float, bool]:
    """A place near an end is moved inwards if it is at the end, or the second in succession."""
    margin = 0.1 * (right - left)
    if min(right - t, t - left) >= margin:
        return t, False
    if stuck or t >= right or t <= left:
        return (right - margin if abs(t - right) < abs(t - left) else left + margin), False
    return t, True


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through the values and slopes of two points is smallest, within bounds; else their middle.

    >>> from autograd import tensor
    >>> g = tensor([0.0])
    >>> cubic_minimum(Point(0.0, 1.0, g, -2.0), Point(3.0, 4.0, g, 4.0), (0.0, 3.0))  # (t - 1)^2
    1.0
    """
    if a.t > b.t:
        a, b = b, a
    low, high = bounds
    if a.t < b.t and isfinite(a.f) and isfinite(b.f):
        d1 = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
        square = d1 * d1 - a.slope * b.slope
        if square >= 0:
            d2 = sqrt(square)
            whole = b.slope - a.slope + 2 * d2
            if whole != 0:
                return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / whole), low), high)
    return (low + high) / 2
