"""From scores to weights to means of values: the hot part of attention, whole or in blocks of queries."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import autograd as ag
from autograd import Tensor
from nn.dropout import dropout
from nn.masks import both, up_to

LOWEST = -1e30  # in place of -inf, so that a row without a key has finite exponents; its weights are then set to 0
WHOLE = 1 << 22  # scores up to which they are made all at once: beyond, they leave the cache between two steps
KEPT = 1 << 24  # scores up to which the tape keeps them
BLOCK = 256  # queries in a block: fewer make the products slow, more make causal ones wasteful


@ag.fused
def _weigh(scores: Tensor, scale: float) -> Tensor:
    return ag.softmax(scores * scale, -1)


@ag.fused
def _weigh_where(scores: Tensor, scale: float, allowed: Tensor) -> Tensor:
    return ag.where(allowed, ag.softmax(ag.where(allowed, scores * scale, LOWEST), -1), 0)


@ag.fused
def _weigh_biased(scores: Tensor, scale: float, bias: Tensor) -> Tensor:
    allowed = ag.not_equal(bias, -math.inf)
    return ag.where(allowed, ag.softmax(ag.where(allowed, scores * scale + bias, LOWEST), -1), 0)


@ag.fused
def _weigh_up_to(scores: Tensor, scale: float, last: Tensor, column: Tensor) -> Tensor:
    allowed = column <= last
    return ag.where(allowed, ag.softmax(ag.where(allowed, scores * scale, LOWEST), -1), 0)


class Weighing(NamedTuple):
    """How scores become weights, the same for every block of queries.

    Attributes:
        mask: (..., L, S), True where a key takes part, or numbers added to the scaled scores; None for neither.
        is_causal: whether query i sees the keys 0 to i only.
        scale: the factor of the scores.
        dropout_p: the share of weights set to 0.
        generator: where dropout's random numbers come from.
    """

    mask: Tensor | None = None
    is_causal: bool = False
    scale: float = 1.0
    dropout_p: float = 0.0
    generator: ag.random.Generator | None = None


def weights_of(query: Tensor, key: Tensor, how: Weighing, first: int = 0) -> Tensor:
    """softmax(scale q k^T + mask) after dropout, of the queries numbered from `first` on; 0 where no key is allowed.

    >>> weights_of(ag.ones((2, 1)), ag.ones((2, 1)), Weighing(is_causal=True))
    tensor([[1. , 0. ],
            [0.5, 0.5]])
    """
    scores = ag.matmul(query, key.mT)
    rows, columns = scores.shape[-2:]
    if not scores.size:
        return scores
    if how.mask is not None:
        mask = how.mask[..., first : first + rows, :columns]
        joined = both(mask, up_to(rows, columns, first)) if how.is_causal else mask
        weigh = _weigh_where if mask.dtype.kind == "b" else _weigh_biased
        weights = weigh(scores, how.scale, ag.broadcast_to(joined, scores.shape))
    elif how.is_causal:  # a whole number for each row is cheaper to read than a mask as large as the scores
        last = ag.tile(ag.arange(first, first + rows, dtype="int32"), scores.size // (rows * columns))
        flat = ag.reshape(scores, (-1, columns))
        weights = _weigh_up_to(flat, how.scale, last[:, None], ag.arange(columns, dtype="int32"))
        weights = ag.reshape(weights, scores.shape)
    else:
        weights = _weigh(scores, how.scale)
    return dropout(weights, how.dropout_p, generator=how.generator) if how.dropout_p else weights


def attend(query: Tensor, key: Tensor, value: Tensor, how: Weighing) -> Tensor:
    """weights_of(query, key) v: whole, or in blocks of queries where there are very many scores.

    Off the tape only one block of scores is held at a time. The tape keeps them all, and takes blocks where each is
    cheaper: a causal one leaves out the keys behind its last query. Beyond `KEPT` scores it keeps none of them: each
    block is run again in the backward pass, which takes a third more time and memory linear in L and in S.

    >>> attend(ag.ones((2, 1)), ag.ones((2, 1)), ag.tensor([[1.0], [3.0]]), Weighing(is_causal=True))
    tensor([[1.],
            [2.]])
    """
    length, keys = query.shape[-2], key.shape[-2]
    scores = max(math.prod(query.shape[:-1]) * keys, math.prod(key.shape[:-1]) * length)
    taped = ag.is_grad_enabled() and any(x.requires_grad for x in (query, key, value))
    if scores <= WHOLE or (taped and scores <= KEPT and not how.is_causal):
        return ag.matmul(weights_of(query, key, how), value)
    parts = []
    for first in range(0, length, BLOCK):
        seen = min(keys, first + BLOCK) if how.is_causal else keys
        part: Any = partial(_block, how=how, first=first)
        part = ag.checkpoint(part) if taped and scores > KEPT else part
        parts.append(part(query[..., first : first + BLOCK, :], key[..., :seen, :], value[..., :seen, :]))
    return ag.concat(parts, -2)


def _block(query: Tensor, key: Tensor, value: Tensor, how: Weighing, first: int) -> Tensor:
    return ag.matmul(weights_of(query, key, how, first), value)
