"""Losses that shape a space of embeddings: what is alike should be near, what is not should be a margin away."""

from __future__ import annotations

from collections.abc import Callable

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.distance import p_norm, pairwise_distance
from nn.losses import Array, Loss, check_positive, check_reduction, check_signs, matched, reduced

Distance = Callable[[Tensor, Tensor], Tensor]
TINY = 1e-12  # added to squared lengths, as PyTorch does


def _slack(near: Tensor, far: Tensor, between: Tensor | None, margin: float, reduction: str) -> Tensor:
    far = far if between is None else ag.minimum(far, between)
    return reduced(ag.relu(margin + near - far), reduction)


@ag.fused
def _triplet(
    a: Tensor, b: Tensor, c: Tensor, margin: float, eps: float, *, p: float, swap: bool, reduction: str
) -> Tensor:
    between = p_norm(b - c + eps, p) if swap else None
    return _slack(p_norm(a - b + eps, p), p_norm(a - c + eps, p), between, margin, reduction)


@ag.fused
def _cosine_embedding(x1: Tensor, x2: Tensor, y: Tensor, margin: float, *, reduction: str) -> Tensor:
    check_signs(y, "cosine_embedding_loss")
    first, second = (ag.sqrt(ag.sum(x * x, -1) + TINY) for x in (x1, x2))
    cosine = ag.sum(x1 * x2, -1) / (first * second)
    return reduced(ag.where(y > 0, 1 - cosine, ag.relu(cosine - margin)), reduction)


@ag.fused
def _hinge_embedding(x: Tensor, y: Tensor, margin: float, *, reduction: str) -> Tensor:
    check_signs(y, "hinge_embedding_loss")
    return reduced(ag.where(y > 0, x, ag.relu(margin - x)), reduction)


def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(a, b) - d(a, c)) for each anchor a, b of its kind and c of another (Balntas et al. 2016).

    d is `pairwise_distance` with p and eps. Its slope at the margin is 0.

    Parameters:
        anchor, positive, negative: vectors a, b and c of one shape (..., D).
        margin: how much farther c should be, positive.
        p, eps: of the distance.
        swap: whether d(b, c) takes the place of d(a, c) where it is smaller.
        reduction: "none" for the loss of each triplet, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for a margin or p that is not positive, or an unknown reduction.

    >>> triplet_margin_loss([[0.0]], [[3.0]], [[-2.0]])
    tensor(1.999998)
    """
    who = "triplet_margin_loss"
    check_reduction(reduction, who)
    check_positive(margin, who, "margin")
    check_positive(p, who, "p")
    a, b, c = _triplets(anchor, positive, negative, who)
    return _triplet(a, b, c, margin, eps, p=p, swap=swap, reduction=reduction)


def triplet_margin_with_distance_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(a, b) - d(a, c)) for each anchor a, b of its kind and c of another, with a distance of choice.

    Parameters:
        anchor, positive, negative, margin, swap, reduction: as of `triplet_margin_loss`.
        distance_function: d, of two Tensors, smaller for what is more alike; `pairwise_distance` if None.

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for a margin that is not positive, or an unknown reduction.

    >>> def city(x, y):
    ...     return abs(x - y).sum(-1)
    >>> triplet_margin_with_distance_loss([[0.0]], [[3.0]], [[-2.0]], distance_function=city)
    tensor(2.)
    """
    who = "triplet_margin_with_distance_loss"
    check_reduction(reduction, who)
    check_positive(margin, who, "margin")
    a, b, c = _triplets(anchor, positive, negative, who)
    distance: Distance = pairwise_distance if distance_function is None else distance_function
    return _slack(distance(a, b), distance(a, c), distance(b, c) if swap else None, margin, reduction)


def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """1 - cos(x1, x2) for each pair that is alike, y = 1; max(0, cos(x1, x2) - margin) for others, y = -1.

    As in PyTorch 1e-12 is added to the squares of both lengths. Its slope at the margin is 0.

    Parameters:
        input1, input2: vectors x1 and x2 of one shape, (N, D) or (D,).
        target: labels y, -1 or +1, of shape (N,) or ().
        margin: -1 to 1.
        reduction: "none" for the loss of each pair, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes do not belong together, even where they would broadcast.
        ArgumentError: for other labels than -1 and +1, another margin, or an unknown reduction.

    >>> cosine_embedding_loss([[3.0, 4.0], [3.0, 4.0]], [[4.0, 3.0], [4.0, 3.0]], [1, -1], reduction="none")
    tensor([0.04, 0.96])
    """
    who = "cosine_embedding_loss"
    check_reduction(reduction, who)
    _check_cosine(margin, who)
    x1, x2 = matched(input1, input2, who, ("input1", "input2"))
    y = ag.asarray(target, x1.dtype)
    if not x1.ndim or y.shape != x1.shape[:-1]:
        fix = "target.reshape(-1)" if y.size * max(1, x1.shape[-1] if x1.ndim else 1) == x1.size else "one label a row"
        raise ShapeError(
            f"{who} was given vectors of shape {x1.shape} and a target of shape {y.shape}.\n"
            f"Expected vectors (N, D) and labels (N,), or (D,) and (): write {fix}."
        )
    return _cosine_embedding(x1, x2, y, margin, reduction=reduction)


def hinge_embedding_loss(input: Array, target: Array, margin: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """x for each distance between what is alike, y = 1; max(0, margin - x) between others, y = -1.

    Its slope at the margin is 0 (Hadsell et al. 2006 square both).

    Parameters:
        input: distances x, floating, of any shape.
        target: labels y, -1 or +1, of the same shape; cast to the dtype of the input.
        margin: how far apart others should be.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for other labels than -1 and +1, or an unknown reduction.

    >>> hinge_embedding_loss([0.25, 0.25], [1, -1], reduction="none")
    tensor([0.25, 0.75])
    """
    who = "hinge_embedding_loss"
    check_reduction(reduction, who)
    x, y = matched(input, target, who)
    return _hinge_embedding(x, y, margin, reduction=reduction)


def _triplets(anchor: Array, positive: Array, negative: Array, who: str) -> tuple[Tensor, Tensor, Tensor]:
    a, b = matched(anchor, positive, who, ("anchor", "positive"))
    _, c = matched(a, negative, who, ("anchor", "negative"))
    if not a.ndim or not a.shape[-1]:
        raise ShapeError(f"{who} was given vectors of shape {a.shape}. Expected (N, D) or (D,), D > 0.")
    return a, b, c


def _check_cosine(margin: float, who: str) -> None:
    if not -1 <= margin <= 1:
        raise ArgumentError(f"{who} was given margin={margin}. Expected a cosine, -1 to 1.")


class TripletMarginLoss(Loss):
    """A margin between two distances: see `nn.functional.triplet_margin_loss`.

    >>> TripletMarginLoss(p=1.0)([[0.0]], [[3.0]], [[-2.0]])
    tensor(1.999998)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_positive(margin, "TripletMarginLoss", "margin")
        check_positive(p, "TripletMarginLoss", "p")
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Array, positive: Array, negative: Array) -> Tensor:
        """Three vectors a sample to losses."""
        settings = self.margin, self.p, self.eps, self.swap
        return triplet_margin_loss(anchor, positive, negative, *settings, reduction=self.reduction)


class TripletMarginWithDistanceLoss(Loss):
    """A margin between two distances of choice: see `nn.functional.triplet_margin_with_distance_loss`.

    >>> TripletMarginWithDistanceLoss(margin=2.0)([[0.0]], [[3.0]], [[-2.0]])
    tensor(2.999998)
    """

    def __init__(
        self,
        *,
        distance_function: Distance | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_positive(margin, "TripletMarginWithDistanceLoss", "margin")
        self.distance_function, self.margin, self.swap = distance_function, margin, swap

    def forward(self, anchor: Array, positive: Array, negative: Array) -> Tensor:
        """Three vectors a sample to losses."""
        return triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CosineEmbeddingLoss(Loss):
    """Whether two vectors should point the same way: see `nn.functional.cosine_embedding_loss`.

    >>> CosineEmbeddingLoss()([[3.0, 4.0]], [[4.0, 3.0]], [-1])
    tensor(0.96)
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        _check_cosine(margin, "CosineEmbeddingLoss")
        self.margin = margin

    def forward(self, input1: Array, input2: Array, target: Array) -> Tensor:
        """Two vectors and a label a sample to losses."""
        return cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """Whether a distance should be small or large: see `nn.functional.hinge_embedding_loss`.

    >>> HingeEmbeddingLoss()([0.25], [-1])
    tensor(0.75)
    """

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input: Array, target: Array) -> Tensor:
        """Distances and labels to losses."""
        return hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)
