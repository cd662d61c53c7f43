"""Which inputs meet which taps along an axis, and how channels are cut into blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograd.kernels.convolve_source import FIELDS, Array, Pair, Shape


@dataclass(frozen=True, slots=True)
class Axis:
    """Along one axis, outputs first + step * q, q < count, read inputs start + stride * q + shift, shift by shift."""

    first: int
    step: int
    count: int
    start: int
    stride: int
    taps: tuple[int, ...]
    shifts: tuple[int, ...]

    def needs(self, size: int) -> Pair:
        """Zeros needed before and after an input of a size."""
        return -self.start, self.start + self.stride * (self.count - 1) + self.shifts[-1] - size + 1

    @property
    def even(self) -> int:
        """The distance of taps, or 0 if there are not two."""
        return self.shifts[1] - self.shifts[0] if len(self.shifts) > 1 else 0


def outputs(size: int, kernel: int, stride: int, padding: Pair, dilation: int) -> int:
    """How many outputs there are along an axis.

    >>> outputs(7, 3, 2, (1, 1), 1)
    4
    """
    return max(0, (size + sum(padding) - dilation * (kernel - 1) - 1) // stride + 1)


def along(count: int, kernel: int, stride: int, padding: Pair, dilation: int) -> tuple[Axis, ...]:
    """The axis of `forward`."""
    taps = tuple(range(kernel))
    return (Axis(0, 1, count, -padding[0], stride, taps, tuple(dilation * t for t in taps)),)


def against(size: int, kernel: int, stride: int, padding: Pair, dilation: int) -> tuple[Axis, ...]:
    """The axes of `input_gradient`: inputs a stride apart meet the same taps, each of them once."""
    axes = []
    for first in range(min(stride, size)):
        at = first + padding[0]
        taps = tuple(t for t in reversed(range(kernel)) if (at - dilation * t) % stride == 0)
        if taps:
            places = [(at - dilation * t) // stride for t in taps]
            shifts = tuple(place - places[0] for place in places)
            axes.append(Axis(first, stride, -(-(size - first) // stride), places[0], 1, taps, shifts))
    return tuple(axes)


def blocks_of(tile: Shape, groups: int, depth: int, columns: int, taps: int, alone: bool, turned: bool) -> Array:
    """The fields of each block of output channels. depth, columns: of one group."""
    rows: list[tuple[int, ...]] = []
    panel, weights = 0, depth * columns * taps
    step = taps if turned else depth * taps
    for group in range(groups):
        for start, count, width in _spans(columns, tile.lanes, alone):
            goal = (group * columns + start) * tile.size
            rows.append((len(rows) if alone else group, panel, goal, count, width, group * weights + start * step))
            panel += width * taps * depth
    return np.array(rows, np.int64).reshape(-1, FIELDS)


def _spans(columns: int, lanes: int, alone: bool) -> list[tuple[int, int, int]]:
    """Start, columns and width of blocks; of channels alone the last ends at the last channel, over again."""
    if alone:
        starts = [min(start, max(0, columns - lanes)) for start in range(0, columns, lanes)]
        return [(start, min(lanes, columns), lanes) for start in starts]
    spans, start = [], 0
    while start < columns:
        width = 2 * lanes if columns - start > lanes else lanes
        spans.append((start, min(width, columns - start), width))
        start += width
    return spans
