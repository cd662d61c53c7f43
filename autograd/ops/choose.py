"""One element along an axis for each label: how a class index chooses its logit."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.domain import REALS, Integers, case
from autograd.primitive import Primitive, primitive


def _pick(x: Any, labels: Any, *, axis: int) -> Any:
    return np.take_along_axis(np.asarray(x), np.asarray(labels), axis)


def _place(g: Any, labels: Any, *, axis: int, length: int) -> Any:
    g = np.asarray(g)
    out = np.zeros((*g.shape[:axis], length, *g.shape[axis + 1 :]), g.dtype)
    np.put_along_axis(out, np.asarray(labels), g, axis)
    return out


_LABELS = (REALS, Integers(0, 4))
pick: Primitive = primitive(
    "pick",
    "x labels",
    _pick,
    vjp=(lambda g, labels, *, axis, input_shape: place(g, labels, axis=axis, length=input_shape[axis]), None),
    cases=(
        case((3, 4), (3, 1), on=_LABELS, axis=1),
        case((2, 4, 3), (2, 1, 3), on=_LABELS, axis=1),
    ),
    doc="x[i, labels[i, 0]] along an axis, kept with length 1.",
)
place: Primitive = primitive(
    "place",
    "g labels",
    _place,
    vjp=(lambda g, labels, *, axis: pick(g, labels, axis=axis), None),
    cases=(case((3, 1), (3, 1), on=_LABELS, axis=1, length=4),),
    doc="Zeros, but for g[i, 0] at [i, labels[i, 0]]: the transpose of pick.",
)
