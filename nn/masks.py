"""The masks of attention: the forms that they come in, and how they join."""

from __future__ import annotations

import math

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import DTypeError, ShapeError
from nn.losses import Array

Forms = dict[tuple[int, ...], tuple[int, ...]]  # the shapes that a mask may have, and how each lines up with scores


def _read(mask: Array, name: str, dtype: DTypeLike, meaning: str) -> Tensor:
    """The mask as booleans, or as numbers of `dtype`."""
    m = ag.asarray(mask)
    if m.dtype.kind not in "bf":
        raise DTypeError(
            f"{name} was given in dtype {m.dtype}. Expected booleans, True where a key {meaning}, or numbers that are "
            f"added to the scores. Write {name}.astype('bool') for the first."
        )
    return m if m.dtype.kind == "b" else m.astype(dtype)


def mask_over(mask: Array, shape: tuple[int, ...], dtype: DTypeLike) -> Tensor:
    """A mask that broadcasts to scores of `shape`, True where a key takes part, or numbers; its last two axes spread.

    Raises:
        ShapeError: if it does not broadcast.
        DTypeError: if it is neither boolean nor floating.

    >>> mask_over([True, False], (5, 3, 2), "float32").shape
    (3, 2)
    """
    m = _read(mask, "attn_mask", dtype, "takes part")
    if m.ndim > len(shape) or any(n not in (1, full) for n, full in zip(m.shape[::-1], shape[::-1], strict=False)):
        raise ShapeError(
            f"attn_mask was given in shape {m.shape} for scores of shape {shape}. Expected {shape[-2:]}, or that with "
            "leading axes that broadcast."
        )
    return ag.broadcast_to(m, (*m.shape[:-2], *shape[-2:]))


def kept(mask: Array | None, name: str, forms: Forms, dtype: DTypeLike) -> Tensor | None:
    """A mask that is True where a key is left out, turned into one that is True where it takes part; or numbers.

    Parameters:
        forms: the shapes that it may have, and for each how it then lines up with scores of shape (N, h, L, S).

    Raises:
        ShapeError: if it has another shape.
        DTypeError: if it is neither boolean nor floating.

    >>> kept([[False, True]], "key_padding_mask", {(1, 2): (1, 1, 1, 2)}, "float32")
    tensor([[[[ True, False]]]])
    """
    if mask is None:
        return None
    m = _read(mask, name, dtype, "is left out")
    if m.shape not in forms:
        raise ShapeError(f"{name} was given in shape {m.shape}. Expected {' or '.join(map(str, forms))}.")
    lined = ag.reshape(m, forms[m.shape])
    return ag.logical_not(lined) if m.dtype.kind == "b" else lined


def both(a: Tensor, b: Tensor) -> Tensor:
    """One mask for two, each True where a key takes part, or numbers.

    >>> both(ag.tensor([True, False]), ag.tensor([0.5, 0.5]))
    tensor([ 0.5, -inf])
    """
    if a.dtype.kind == b.dtype.kind:
        return a & b if a.dtype.kind == "b" else a + b
    allowed, numbers = (a, b) if a.dtype.kind == "b" else (b, a)
    return ag.where(allowed, numbers, -math.inf)


def up_to(rows: int, columns: int, first: int = 0) -> Tensor:
    """True where column j stands at or before row `first` + i.

    >>> up_to(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return ag.arange(columns) <= ag.arange(first, first + rows)[:, None]


def lengthened(mask: Tensor, extra: int) -> Tensor:
    """A mask with `extra` more keys at the end, which take part.

    >>> lengthened(ag.tensor([[-1.0, -2.0]]), 1)
    tensor([[-1., -2.,  0.]])
    """
    shape = (*mask.shape[:-1], extra)
    return ag.concat([mask, ag.ones(shape, "bool") if mask.dtype.kind == "b" else ag.zeros(shape, mask.dtype)], -1)
