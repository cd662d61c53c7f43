"""Shape and dtype of the result of an operation on symbols: what a capture must know before anything is computed."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import WengertError
from autograd.primitive import Primitive
from autograd.program.convolving import Sum
from autograd.program.symbol import Symbol, Unfusable, _meaning

WINDOWED = frozenset(("window_max", "window_argmax", "window_sum", "window_spread", "window_pick", "window_place"))
LOOPS = frozenset(("scan_turns", "scan_back"))


def meaning(op: Primitive, inputs: Sequence[Any], settings: dict[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of a result: by what is known of the operation, or tried on zeros."""
    if isinstance(op, Sum):
        return op.shape(inputs, settings), inputs[0].dtype
    if op.name == "stop_gradient":
        return inputs[0].shape, inputs[0].dtype
    if op.name == "matmul" and (found := _product(*inputs)) is not None:
        return found
    if op.name in LOOPS:  # all of a loop's turns on zeros would take their time, and their memory
        return (settings["plan"].flat.size,), np.dtype(np.uint8)
    if op.name in WINDOWED:
        return _windowed(op.name, inputs, settings)
    if op.name == "concat" and all(isinstance(x, Symbol) and x.dtype == inputs[0].dtype for x in inputs):
        shape, axis = inputs[0].shape, settings["axis"]
        return (*shape[:axis], settings["bounds"][-1], *shape[axis + 1 :]), inputs[0].dtype
    if op.name == "scatter" and isinstance(inputs[0], Symbol):
        return tuple(settings["shape"]), inputs[0].dtype
    try:
        return _meaning(op, inputs, settings)
    except Unfusable:
        for example in (_zeros, _ones):
            tried = [(1.0 if x.weak else example(x.shape, x.dtype)) if isinstance(x, Symbol) else x for x in inputs]
            try:
                with np.errstate(all="ignore"):
                    y = np.asarray(op.forward(*tried, **settings))
            except (WengertError, ValueError, TypeError, IndexError, ArithmeticError) as error:
                refused = Unfusable(f"{op.name} cannot be tried on zeros or ones ({error})")
                continue
            return y.shape, y.dtype
        raise refused from None


def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros; many take no memory before somebody writes to them, wherever that of earlier arrays lies ready."""
    size = prod(shape) * dtype.itemsize
    if size < mmap.PAGESIZE:
        return np.zeros(shape, dtype)
    return np.frombuffer(mmap.mmap(-1, size), dtype).reshape(shape)


def _ones(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """A vector of ones, or matrices with ones on their diagonals, which have an inverse."""
    if len(shape) < 2:
        return np.ones(shape, dtype)
    return np.broadcast_to(np.eye(*shape[-2:], dtype=dtype), shape)


def _product(a: Any, b: Any) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
    """Shape and dtype of a product of matrices that fit; None leaves the answer to NumPy."""
    if not (isinstance(a, Symbol) and isinstance(b, Symbol)) or min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        return None
    try:
        lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        return None
    return (*lead, a.shape[-2], b.shape[-1]), np.result_type(a.dtype, b.dtype)


def _windowed(name: str, inputs: Sequence[Any], settings: dict[str, Any]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of windows reduced, or of their transposes."""
    x = inputs[0]
    if name == "window_pick":
        return inputs[1].shape, x.dtype
    if name in ("window_spread", "window_place"):
        lengths = settings["lengths"]
        return (*x.shape[: x.ndim - len(lengths)], *lengths), x.dtype
    lead = x.ndim - len(settings["size"])
    along = zip(x.shape[lead:], *(settings[k] for k in ("size", "stride", "dilation", "padding")), strict=True)
    counts = ((n + a + b - d * (k - 1) - 1) // s + 1 for n, k, s, d, (a, b) in along)
    return (*x.shape[:lead], *counts), np.dtype(np.int32) if name == "window_argmax" else x.dtype
