"""Convolution over chosen axes, as HIPS autograd's `scipy.signal.convolve` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.signal

import autograd as ag
from autograd.arrays import as_arrays
from autograd.errors import ArgumentError
from autograd.numpy.manipulation import array
from autograd.numpy.wrap import traced

Axes = Sequence[Sequence[int]]


def convolve(a: Any, b: Any, axes: Axes | None = None, dot_axes: Axes = ((), ()), mode: str = "full") -> Any:
    """a convolved with b.

    y[.., n, ..] = sum over k of a[.., n - k, ..] b[.., k, ..], along each pair of `axes`.

    Parameters:
        a, b: arrays; the longer first where mode is "valid".
        axes: those of a, and those of b, to convolve along; all for None.
        dot_axes: those of a, and those of b, to sum products over. The axes that are left, of a and then of b, come
            first in the result, those convolved along last.
        mode: "full" for all places where the two overlap, "valid" for those where they do so wholly.

    Raises:
        ArgumentError: for another mode, or arrays of which neither covers the other.

    >>> convolve([1.0, 2.0, 3.0], [1.0, 10.0])
    array([ 1., 12., 23., 30.])
    """
    recorded = traced(a) or traced(b)
    a, b = array(a), array(b)
    along = [[k % x.ndim for k in (axes[i] if axes else range(x.ndim))] for i, x in enumerate((a, b))]
    dots = [[k % x.ndim for k in dot_axes[i]] for i, x in enumerate((a, b))]
    if mode not in ("full", "valid"):
        raise ArgumentError(f"convolve was given mode={mode!r}. Expected 'full' or 'valid'.")
    lengths = [(a.shape[p], b.shape[q]) for p, q in zip(*along, strict=True)]
    if mode == "valid" and any(m < n for m, n in lengths):
        if any(m > n for m, n in lengths):
            raise ArgumentError(f"convolve of lengths {lengths} in mode 'valid'. Expected one to cover the other.")
        return convolve(b, a, axes and axes[::-1], dot_axes[::-1], mode)
    moved = [p + sum(q < p for q in along[0]) for p in range(a.ndim)]  # each axis convolved along becomes two
    for p, (_, n) in sorted(zip(along[0], lengths, strict=True)):
        at = moved[p]
        if mode == "full":
            a = ag.pad(a, [(n - 1, n - 1) if j == at else (0, 0) for j in range(a.ndim)])
        starts = np.arange(a.shape[at] - n + 1)[:, None]
        a = ag.take(a, starts + np.arange(n)[::-1], at)
    taps = [moved[p] + 1 for p in along[0]]
    y = ag.tensordot(a, b, axes=(taps + [moved[p] for p in dots[0]], along[1] + dots[1]))
    left = [j for j in range(a.ndim) if j not in taps and j not in [moved[p] for p in dots[0]]]
    places = [left.index(moved[p]) for p in along[0]]
    y = ag.moveaxis(y, places, list(range(-len(places), 0))) if places else y
    return y if recorded else as_arrays(y)


def __getattr__(name: str) -> Any:
    return getattr(scipy.signal, name)
