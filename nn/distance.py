"""How far apart two vectors are, and how alike their directions."""

from __future__ import annotations

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.losses import Array, check_positive, scores
from nn.module import Module


def p_norm(x: Tensor, p: float, keepdim: bool = False) -> Tensor:
    """(sum |x|^p)^(1/p) over the last axis, max |x| for p = inf; its slope is 0 at 0, and finite everywhere.

    >>> p_norm(ag.tensor([3.0, -4.0]), 2)
    tensor(5.)
    """
    size = ag.abs(x)
    if p == 1:
        return ag.sum(size, -1, keepdims=keepdim)
    largest = ag.max(size, -1, keepdims=True)
    if p == ag.inf:
        return largest if keepdim else ag.squeeze(largest, -1)
    top = ag.stop_gradient(largest)  # powers of x / top do not overflow, and the norm does not depend on top
    none = top == 0
    share = size / ag.where(none, 1.0, top)
    absent = share == 0
    powers = ag.square(share) if p == 2 else ag.where(absent, 0.0, ag.where(absent, 1.0, share) ** p)
    total = ag.where(none, 1.0, ag.sum(powers, -1, keepdims=True))
    found = top * (ag.sqrt(total) if p == 2 else total ** (1 / p))
    return found if keepdim else ag.squeeze(found, -1)


@ag.fused
def _distance(x1: Tensor, x2: Tensor, eps: float, *, p: float, keepdim: bool) -> Tensor:
    return p_norm(x1 - x2 + eps, p, keepdim)


@ag.fused
def _cosine(x1: Tensor, x2: Tensor, least: float, *, dim: int) -> Tensor:
    first, second = (ag.sqrt(ag.maximum(ag.sum(x * x, dim), least)) for x in (x1, x2))
    return ag.sum(x1 * x2, dim) / (first * second)


def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """(sum |x1 - x2 + eps|^p)^(1/p) over the last axis: the distance between vectors.

    Parameters:
        x1, x2: vectors of shapes (..., D) that broadcast.
        p: which norm, positive; 1, 2 and inf are the usual ones.
        eps: added to each difference, which keeps vectors that are equal away from the kink.
        keepdim: whether the last axis stays, with length 1.

    Raises:
        DTypeError: if the vectors are not floating.
        ArgumentError: for another p.

    >>> pairwise_distance([[0.0, 0.0]], [[3.0, 4.0]], eps=0.0)
    tensor([5.])
    """
    check_positive(p, "pairwise_distance", "p")
    return _distance(*_vectors(x1, x2, "pairwise_distance"), float(eps), p=p, keepdim=keepdim)


def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along axis `dim`: the cosine of the angle between vectors.

    Parameters:
        x1, x2: floating, of shapes that broadcast.
        dim: the axis of the vectors' components.
        eps: the smallest length, positive.

    Raises:
        DTypeError: if the vectors are not floating.
        ArgumentError: for another eps.

    >>> cosine_similarity([[3.0, 4.0]], [[4.0, 3.0]])
    tensor([0.96])
    """
    check_positive(eps, "cosine_similarity", "eps")
    return _cosine(*_vectors(x1, x2, "cosine_similarity"), eps * eps, dim=dim)


def pdist(x: Array, p: float = 2.0) -> Tensor:
    """The distances between all pairs of N vectors: rows 0 and 1, 0 and 2, ..., N - 2 and N - 1; N (N - 1) / 2 of them.

    Parameters:
        x: (N, D), floating.
        p: which norm of the difference, positive; 1, 2 and inf are the usual ones.

    Raises:
        ShapeError: if x has another rank.
        DTypeError: if it is not floating.
        ArgumentError: for another p.

    The same as SciPy's `pdist`, whose `squareform` makes a matrix of it.

    >>> pdist([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    tensor([5. , 1. , 4.24264069])
    """
    check_positive(p, "pdist", "p")
    rows = scores(x, "pdist")
    if rows.ndim != 2:
        raise ShapeError(f"pdist was given shape {rows.shape}. Expected vectors in rows: (N, D).")
    first, second = np.triu_indices(len(rows), 1)
    return _distance(rows[first], rows[second], 0.0, p=p, keepdim=False)


def _vectors(x1: Array, x2: Array, who: str) -> tuple[Tensor, Tensor]:
    return scores(x1, who), scores(x2, who)


class PairwiseDistance(Module):
    """The distance between vectors: see `nn.functional.pairwise_distance`.

    >>> PairwiseDistance(p=1.0, eps=0.0)([[0.0, 0.0]], [[3.0, 4.0]])
    tensor([7.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        check_positive(p, "PairwiseDistance", "p")
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Array, x2: Array) -> Tensor:
        """Two rows of vectors to distances."""
        return pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors: see `nn.functional.cosine_similarity`.

    >>> CosineSimilarity()([[3.0, 4.0]], [[4.0, 3.0]])
    tensor([0.96])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        check_positive(eps, "CosineSimilarity", "eps")
        self.dim, self.eps = dim, eps

    def forward(self, x1: Array, x2: Array) -> Tensor:
        """Two rows of vectors to cosines."""
        return cosine_similarity(x1, x2, self.dim, self.eps)
