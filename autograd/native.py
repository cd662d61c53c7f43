"""Operations that run otherwise where there are enough numbers: as kernels of their own, or in memory used before.

Large products are jobs of our own pool: NumPy's BLAS has threads of its own, which go on watching for work long after a
product and take the cores from ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from autograd.config import config
from autograd.ops.index import ARRAY
from autograd.ops.pool import argmax_of, max_of, pick_at, place_at, spread_over, sum_of
from autograd.primitive import primitives
from autograd.program.launch import empty, kernel_module

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
LEAST = 1 << 11  # numbers from which on a launch is worth it


def _fits(x: Any, least: int = LEAST) -> bool:
    return isinstance(x, np.ndarray) and x.size >= least and x.dtype in FLOATS and config.kernels


def _kernels() -> Any:
    return kernel_module("windows")


def _multiplying(plain: Callable[..., Any], turned: bool = False) -> Callable[..., Any]:
    def forward(a: Any, b: Any) -> Any:
        if not (isinstance(a, np.ndarray) and a.size >= LEAST and config.kernels):
            return plain(a, b)
        return _blas().matmul(a, b.mT if turned else b)

    return forward


@cache
def _blas() -> Any:
    return kernel_module("blas")


def _reduction(plain: Callable[..., Any], op: str) -> Callable[..., Any]:
    def forward(x: Any, *, size: Any, stride: Any, dilation: Any, padding: Any, out: Any = None) -> Any:
        if not (_fits(x, 1) and len(size) <= 3):
            return plain(x, size=size, stride=stride, dilation=dilation, padding=padding)
        lengths = zip(x.shape[x.ndim - len(size) :], size, stride, dilation, padding, strict=True)
        counts = tuple((n + a + b - d * (k - 1) - 1) // s + 1 for n, k, s, d, (a, b) in lengths)
        before = tuple(a for a, _ in padding)
        return _kernels().reduced(op, x, counts, size=size, stride=stride, dilation=dilation, before=before, out=out)

    return forward


def _spreading(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(g: Any, *, size: Any, stride: Any, dilation: Any, padding: Any, lengths: Any, out: Any = None) -> Any:
        if not (_fits(g, 1) and len(size) <= 3):
            return plain(g, size=size, stride=stride, dilation=dilation, padding=padding, lengths=lengths)
        before = tuple(a for a, _ in padding)
        return _kernels().spread(g, lengths, size=size, stride=stride, dilation=dilation, before=before, out=out)

    return forward


def _placing(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(g: Any, places: Any, *, lengths: Any, out: Any = None) -> Any:
        if not (_fits(g, 1) and isinstance(places, np.ndarray) and g.shape == places.shape):
            return plain(g, places, lengths=lengths)
        return _kernels().place(g, places, lengths, out)

    return forward


def _picking(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(x: Any, places: Any, *, dims: int, out: Any = None) -> Any:
        if not (_fits(x, 1) and isinstance(places, np.ndarray)):
            return plain(x, places, dims=dims)
        return _kernels().pick(x, places, dims, out)

    return forward


def _adding(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(g: Any, *arrays: Any, index: Any, shape: Any) -> Any:
        if not (_fits(g) and index == (ARRAY,) and arrays[0].dtype.kind in "iu" and shape[0]):
            return plain(g, *arrays, index=index, shape=shape)
        places = arrays[0].reshape(-1)
        inside = places.size and -shape[0] <= int(places.min()) and int(places.max()) < shape[0]
        if not inside or g.shape != (*arrays[0].shape, *shape[1:]):
            return plain(g, *arrays, index=index, shape=shape)
        return kernel_module("table").added(g.reshape(places.size, -1), places, shape[0]).reshape(shape)

    return forward


def _taking(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(x: Any, *arrays: Any, index: Any, shape: Any) -> Any:
        if index == (ARRAY,) and _fits(x) and x.flags.c_contiguous and isinstance(arrays[0], np.ndarray):
            places = arrays[0]
            width = x.size // len(x)
            if places.dtype.kind in "iu" and places.size * width >= LEAST:
                rows = kernel_module("table").taken(x.reshape(len(x), width), places.reshape(-1))
                if rows is not None:
                    return rows.reshape(*places.shape, *x.shape[1:])
        return plain(x, *arrays, index=index, shape=shape)

    return forward


def _joining(plain: Callable[..., Any]) -> Callable[..., Any]:
    def forward(*xs: Any, axis: int, bounds: Any) -> Any:
        if not (all(map(_fits, xs)) and len({x.dtype for x in xs}) == 1):
            return plain(*xs, axis=axis, bounds=bounds)
        shape = (*xs[0].shape[:axis], bounds[-1], *xs[0].shape[axis + 1 :])
        return np.concatenate(xs, axis, out=empty(shape, xs[0].dtype))

    return forward


def _writing(forward: Callable[..., Any]) -> Callable[..., None]:
    def into(out: Any, *inputs: Any, **settings: Any) -> None:
        found = forward(*inputs, **settings, out=out)
        if found is not out:
            np.copyto(out, found)

    return into


primitives["matmul"].forward = _multiplying(primitives["matmul"].forward)
primitives["inner"].forward = _multiplying(primitives["inner"].forward, turned=True)
primitives["concat"].forward = _joining(primitives["concat"].forward)
primitives["getitem"].forward = _taking(primitives["getitem"].forward)
primitives["scatter"].forward = _adding(primitives["scatter"].forward)
max_of.forward = _reduction(max_of.forward, "max")
argmax_of.forward = _reduction(argmax_of.forward, "argmax")
sum_of.forward = _reduction(sum_of.forward, "sum")
spread_over.forward = _spreading(spread_over.forward)
place_at.forward = _placing(place_at.forward)
pick_at.forward = _picking(pick_at.forward)
for _op in (max_of, argmax_of, sum_of, spread_over, place_at, pick_at):
    _op.into = _writing(_op.forward)
