"""Numeric derivatives with an error bar, and the recognition of kinks.

D(h) = (f(x + h) - f(x - h)) / 2h errs by O(h^2), so (4 D(h/2) - D(h)) / 3 by O(h^4) (Richardson 1911). Its error bar is
its distance from D(h/2) plus the rounding of f divided by h: some units in the last place, or, where f cancels, as much
as its third differences show (More and Wild 2011). `autograd.gradcheck.imaginary` has what needs neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
At = Callable[[float], Array]
ROUNDING = 8.0  # units in the last place that f is taken to err by
PERSISTS = 0.8  # a jump between one-sided slopes halves with h where f is smooth, and stays at a kink
GROWS = 0.4  # slopes that grow faster than this power of one over the step have no limit
SWINGS = 1.75  # the way that a function goes on one side of a kink, as a part of how far it comes: 1 there and 2 back
PARTS = (1 / 8, 0.2, 1 / 4, 0.37, 1 / 2, 0.61, 0.83, 1)  # of a step, where a kink is looked at: not evenly spaced
DROWNED = 0.1  # part of the way that a function goes at all: what errs by more is not resolved by any step
SAMPLES = 16  # places that the rounding of a function is told from
BENDS = 3.0  # times as large third differences at twice the spacing: more is the function itself
INFORMATIVE = 0.02  # an error bar wider than this part of the derivatives cannot tell right from wrong


@dataclass(frozen=True)
class Estimate:
    """Numeric derivatives of every output with their error bars.

    `kink` marks where no derivative exists, and `left` and `right` are the one-sided ones, infinite where they grow
    without end; `blur` is what rounding may add to each of them. `imaginary` marks what no difference was taken for.
    """

    value: Array
    error: Array
    kink: Array
    left: Array
    right: Array
    blur: Array
    imaginary: Array


@dataclass(frozen=True)
class Judge:
    """When two derivatives agree: the tolerances, the precision of f, and the size of the derivatives around.

    `noise` is by how much each output was seen to err.
    """

    atol: float
    rtol: float
    eps: float
    scale: float = 0.0
    noise: Any = 0.0

    def tolerance(self, value: Array) -> Array:
        """How far from `value` a derivative may be."""
        found: Array = self.atol + self.rtol * np.abs(value)
        return found

    def vague(self, exact: Array, e: Estimate) -> Array:
        """Where the error bar is too wide to tell; two zeros that nothing moves agree."""
        size = np.maximum(np.abs(np.nan_to_num(e.value)), self.scale)
        found: Array = ~(e.error <= self.tolerance(e.value) + INFORMATIVE * size)
        still: Array = (exact == 0) & (e.value == 0)
        return found & ~still

    def differs(self, exact: Array, e: Estimate) -> Array:
        """Where the analytic derivative lies outside of tolerance and error bar."""
        found: Array = ~(np.abs(exact - e.value) <= self.tolerance(e.value) + e.error)
        return found & ~np.isinf(e.error)

    def confirmed(self, sure: Estimate, e: Estimate) -> Array:
        """Where differences neither show a kink nor lie further from a surer derivative than they may be wrong."""
        slack = self.tolerance(e.value) + e.error
        near = np.isinf(e.error) | (np.abs(sure.value - e.value) <= slack)
        found: Array = near & ~e.kink & ~(sure.error > slack) & np.isfinite(sure.error)
        return found

    def outside(self, exact: Array, e: Estimate) -> Array:
        """Where the analytic derivative is not even between the one-sided ones."""
        low, high = np.minimum(e.left, e.right), np.maximum(e.left, e.right)
        below = exact < low - self.tolerance(low) - 2 * e.blur
        above = exact > high + self.tolerance(high) + 2 * e.blur
        found: Array = (below | above | np.isnan(exact)) & ~np.isnan(low)
        return found


def step(scale: float, eps: float, power: float = 0.3) -> float:
    """A step for a variable of that scale: a power of 2, so that x + h is exact."""
    return float(steps_of(scale, eps, power))


def steps_of(scale: Any, eps: float, power: float = 0.3) -> Any:
    """`step` for many variables."""
    return 2.0 ** np.round(np.log2(scale * eps**power))


def scale_around(x: Array) -> float:
    """The size of the elements of an array."""
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) if x.size else 0.0


def scale_of(own: Any, around: float) -> Any:
    """The size of elements, or of their neighbours if they are much smaller than those are; 1 for zeros."""
    found = np.maximum(own, 0.01 * around) if np.isfinite(around) else own
    return np.where(found == 0, 1.0, found)


def steps_for(scale: float, others: Sequence[float], eps: float, smallest: float, power: float = 0.3) -> list[float]:
    """The step to begin with, then those to fall back on, none below what x can resolve."""
    h = step(scale, eps)
    wider = [h * 2.0**k for k in (-7, -14, 0, 7, 14)] + [step(s, eps) for s in (*others, 1.0) if s > 0]
    return list(dict.fromkeys(max(s, step(smallest, 1.0)) for s in (step(scale, eps, power), *wider)))


def settled(above: Array, below: Array, base: Array, h: Any, exact: Array, judge: Judge) -> Array:
    """Whether, for each variable, one step already agrees so well, without a jump, that a second changes nothing."""
    tolerance = judge.tolerance(exact)
    jump = slope(above, base, h) - slope(base, below, h)
    blur = ROUNDING * judge.eps * np.abs(base) / h
    close = np.abs(slope(above, below, 2 * h) - exact) <= 0.1 * tolerance
    found: Array = (close & (np.abs(jump) <= tolerance) & (blur <= tolerance)).all(0)
    return found


def estimate(at: At, base: Array, h: float, judge: Judge, exact: Array | None = None) -> Estimate:
    """Richardson's extrapolation from the steps h and h/2; from h alone where `exact` agrees with it at once."""
    above, below = at(h), at(-h)
    if exact is not None and settled(above, below, base, h, exact, judge).all():
        nothing = np.zeros(len(base))
        return Estimate(slope(above, below, 2 * h), nothing, nothing > 0, nothing, nothing, nothing, nothing > 0)
    above2, below2 = at(h / 2), at(-h / 2)
    first, second = slope(above, below, 2 * h), slope(above2, below2, h)
    value = (4 * second - first) / 3
    size = np.maximum.reduce([np.abs(base), np.abs(above), np.abs(below)])
    blur = np.maximum(ROUNDING * judge.eps * size, judge.noise) / h
    blur = np.where(np.isfinite(blur), blur, 0.0)
    error = np.abs(value - second) + blur
    right, left = slope(above2, base, h / 2), slope(base, below2, h / 2)
    jump, wide = right - left, slope(above, base, h) - slope(base, below, h)
    size_of = np.maximum(np.abs(right), np.abs(left))
    kink = (np.abs(jump) > PERSISTS * np.abs(wide)) & (np.abs(jump) > judge.tolerance(size_of) + 8 * blur)
    kink |= np.isfinite(base) & (np.isfinite(above2) != np.isfinite(below2))
    error = np.where(np.isfinite(error) & np.isfinite(value), error, np.inf)
    return Estimate(value, error, kink, left, right, blur, np.zeros(len(base), bool))


def unseen(count: int) -> Estimate:
    """Of an input that cannot be moved, an infinity: that nothing changes agrees with a derivative 0, and no other."""
    nothing = np.zeros(count)
    no = nothing > 0
    return Estimate(nothing, np.full(count, np.inf), no, nothing, nothing, nothing, no)


def noise(at: At, steps: Sequence[float]) -> Array:
    """By how much each output errs: what is left of equally spaced values after three differences.

    What is eight times as much at twice the spacing is no rounding: from there on the function bends. The places are on
    one side of x, so that a jump at x itself does not count.
    """
    low, high = min(steps) / SAMPLES, steps[0] / SAMPLES
    worst: Any = 0.0
    straight: Any = True
    for spacing in (low, float(np.sqrt(low * high)), high):
        values = np.array([at(spacing * k) for k in range(1, SAMPLES + 1)])
        near, far = _third(values), np.maximum(_third(values[::2]), _third(values[1::2]))
        straight = straight & (far <= BENDS * near)  # never so of what is not finite
        worst = np.where(straight, np.maximum(worst, near), worst)
    return 3 * np.asarray(worst)


def _third(values: Array) -> Array:
    """The size of third differences, as of independent errors of size 1."""
    found: Array = np.sqrt(np.mean(np.square(np.diff(values, 3, axis=0)), axis=0) / 20)  # 20: of 1, 9, 9 and 1
    return found


def slope(a: Array, b: Array, h: Any) -> Array:
    """(a - b) / h, 0 between equal infinities."""
    found: Array = np.where(a == b, 0.0, a - b) / h
    return found


def derivative(
    at: At, base: Array, steps: Sequence[float], exact: Array, judge: Judge, sure: Callable[[], Estimate | None]
) -> Estimate:
    """The numeric derivative, by the first step if that settles the matter, else by what all steps agree on.

    `sure` gives that of an imaginary step, if f is analytic; it is taken where differences do not speak against it.
    """
    with np.errstate(all="ignore"):
        first = estimate(at, base, steps[0], judge, exact)
        doubt = first.kink | judge.differs(exact, first) | judge.vague(exact, first)
        if not doubt.any():
            return first
        other = sure()
        beyond = doubt & ~np.isfinite(base)  # differences see nothing there
        first = replace(first, error=np.where(beyond, np.inf, first.error))
        doubt &= ~beyond
        if other is not None:
            clear = np.isfinite(other.value) & (other.error <= judge.tolerance(other.value))
            first = _chosen(beyond & np.isinf(base) & clear, other, first)  # of NaN it sees another branch
            first = _chosen(judge.confirmed(other, first) & doubt & np.isfinite(base), other, first)
            doubt &= ~first.imaginary
        if not doubt.any() or len(steps) == 1:
            return first
        judge, steps = replace(judge, noise=noise(at, steps)), sorted(steps)
        best, used = _agreed([estimate(at, base, h, judge) for h in steps], steps, judge, exact)
        far = np.array([base, *(at(h) for h in (-steps[-1], -steps[-1] / 2, steps[-1] / 2, steps[-1]))])
        drowned = judge.noise > DROWNED * np.ptp(far, axis=0)
        best = replace(best, kink=best.kink & ~drowned, error=np.where(drowned, np.inf, best.error))
        kinked = doubt & best.kink
        for j in np.unique(used[kinked]):
            best = _chosen(kinked & (used == j), _looked_at(at, base, steps[j], best), best)
        if other is not None:
            best = _chosen(judge.confirmed(other, best) & np.isfinite(base), other, best)
        return _chosen(doubt, best, first)


def _chosen(where: Array, a: Estimate, b: Estimate) -> Estimate:
    return Estimate(*(np.where(where, getattr(a, n), getattr(b, n)) for n in Estimate.__dataclass_fields__))


def _looked_at(at: At, base: Array, h: float, e: Estimate) -> Estimate:
    """A kink from nearer by: none of a function that only swings, and infinite slopes where they grow without end."""
    sides = [np.array([at(way * h * part) for part in PARTS]) for way in (-1, 1)]
    every = np.concatenate([base[None], *sides])
    within = SWINGS * (np.max(every, axis=0) - np.min(every, axis=0))
    ways = [np.sum(np.abs(np.diff(side, axis=0, prepend=base[None])), axis=0) for side in sides]
    left, right = (
        np.where(_endless(side, base, 64 * e.blur, h), (side[0] - base) * way * np.inf, own)
        for side, way, own in zip(sides, (-1, 1), (e.left, e.right), strict=True)
    )
    near, far = (slope(sides[0][k] + sides[1][k], 2 * base, h * PARTS[k]) for k in (0, -1))  # jumps between the slopes
    stays = ~(np.abs(near) + 16 * e.blur < PERSISTS * np.abs(far))
    return replace(
        e, kink=~(np.maximum(*ways) > within) & stays, error=np.full(len(base), np.inf), left=left, right=right
    )


def _endless(side: Array, base: Array, blur: Array, h: float) -> NDArray[np.bool_]:
    """Whether slopes from `base` to the values at `PARTS` of h grow like a power of one over the distance."""
    sizes = np.array([np.abs(slope(side[PARTS.index(part)], base, h * part)) for part in (1 / 8, 1 / 4, 1 / 2, 1)])
    found: NDArray[np.bool_] = (sizes[:-1] > 2**GROWS * sizes[1:]).all(0) & (sizes[0] > blur)
    return found


def _agreed(
    found: Sequence[Estimate], steps: Sequence[float], judge: Judge, exact: Array
) -> tuple[Estimate, NDArray[np.intp]]:
    """One estimate from those by ascending steps, and the number of the step that it is of.

    It is where two neighbours agree best, without kinks further off, and its error bar reaches to what smaller steps
    see. Where the slopes grow with every smaller step there is a kink, or nothing to tell by.
    """
    value, error, kink, left, right, blur, imaginary = (
        np.stack([getattr(e, n) for e in found]) for n in Estimate.__dataclass_fields__
    )
    jump = np.where(kink, np.nan_to_num(np.abs(right - left), nan=np.inf), 0)
    clear = 8 * blur + judge.tolerance(np.maximum(np.abs(left), np.abs(right))) < 0.5 * jump.max(0)
    nearest = np.argmax(clear | ~np.isfinite(left + right), axis=0)  # the smallest step at which the jump would show
    columns = np.arange(value.shape[1])
    one, two = left[nearest, columns], right[nearest, columns]
    beside = (value + 4 * error < np.minimum(one, two)) | (value - 4 * error > np.maximum(one, two))
    beside &= (np.arange(len(value))[:, None] < nearest) & ~kink  # smaller steps, which a kink's slopes lie around
    kinked = kink[nearest, columns] & ~beside.any(0)
    usable = np.where(kink & ~kinked, np.inf, error)
    apart = np.abs(value[1:] - value[:-1])
    cost = np.maximum(usable[1:], usable[:-1]) + np.where(np.isnan(apart), np.inf, apart)
    pair = np.argmin(np.where(np.isnan(cost), np.inf, cost), axis=0)
    low = pair + (usable[pair + 1, columns] < usable[pair, columns])
    low = np.where(np.isinf(cost[pair, columns]), np.argmin(usable, axis=0), low)
    spread = np.where(np.isinf(cost[pair, columns]), 0, apart[pair, columns])
    at = np.where(kinked, nearest, low)
    grown = ~kinked & _growing(value, steps) & (np.abs(value[0]) > 8 * blur[0])
    steeper = np.isfinite(exact) & (np.abs(exact) > np.abs(value[0]))  # it may be smooth where no step has come
    bare = value[0] * np.inf
    claimed, away = usable[at, columns] + spread, np.abs(value - value[at, columns])
    refuted = (np.arange(len(value))[:, None] < at) & ~kink & (away > 4 * (error + claimed))  # by smaller steps
    best = Estimate(
        value[at, columns],
        np.where(kinked | grown, np.inf, np.maximum(claimed, np.max(np.where(refuted, away + error, 0), axis=0))),
        kinked | (grown & ~steeper),
        np.where(grown, bare, left[at, columns]),
        np.where(grown, bare, right[at, columns]),
        blur[at, columns],
        imaginary[at, columns],
    )
    return best, at


def _growing(slopes: Array, steps: Sequence[float]) -> NDArray[np.bool_]:
    """Whether slopes by ascending steps grow like a power of one over the step, at the three smallest."""
    if len(steps) < 3:
        return np.zeros(slopes.shape[1], bool)
    size = np.abs(slopes[:3])
    finer = np.array([(steps[k + 1] / steps[k]) ** GROWS for k in (0, 1)])
    found: NDArray[np.bool_] = np.all(size[:2] >= finer[:, None] * size[1:], axis=0)
    return found
