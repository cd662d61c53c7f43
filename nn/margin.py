"""Losses between two classes or two scores that ask for a margin: hinges, soft or squared, and rankings."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from nn.losses import Array, Loss, check_reduction, check_signs, matched, reduced


@ag.fused
def _hinge(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    check_signs(y, "hinge_loss")
    return reduced(ag.relu(1 - y * f), reduction)


@ag.fused
def _squared_hinge(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    check_signs(y, "squared_hinge_loss")
    return reduced(ag.square(ag.relu(1 - y * f)), reduction)


@ag.fused
def _soft_margin(f: Tensor, y: Tensor, *, reduction: str) -> Tensor:
    check_signs(y, "soft_margin_loss")
    return reduced(ag.softplus(-y * f), reduction)


@ag.fused
def _ranking(a: Tensor, b: Tensor, y: Tensor, margin: float, *, reduction: str) -> Tensor:
    check_signs(y, "margin_ranking_loss")
    return reduced(ag.relu(margin - y * (a - b)), reduction)


def hinge_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """max(0, 1 - y f) for each score f and label y, -1 or +1; its slope at the margin is 0 (Cortes & Vapnik 1995).

    Parameters:
        input: scores f, floating, of any shape.
        target: labels y of the same shape; cast to the dtype of the input.
        reduction: "none" for the loss of each element, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for other labels than -1 and +1, or an unknown reduction.

    >>> hinge_loss([2.0, 0.5, 0.5], [1, 1, -1], reduction="none")
    tensor([0. , 0.5, 1.5])
    """
    check_reduction(reduction, "hinge_loss")
    return _hinge(*matched(input, target, "hinge_loss"), reduction=reduction)


def squared_hinge_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """max(0, 1 - y f)^2 for each score f and label y, -1 or +1: the hinge without its kink.

    Parameters, shapes and errors are those of `hinge_loss`.

    >>> squared_hinge_loss([2.0, 0.5, 0.5], [1, 1, -1], reduction="none")
    tensor([0.  , 0.25, 2.25])
    """
    check_reduction(reduction, "squared_hinge_loss")
    return _squared_hinge(*matched(input, target, "squared_hinge_loss"), reduction=reduction)


def soft_margin_loss(input: Array, target: Array, *, reduction: str = "mean") -> Tensor:
    """log(1 + e^(-y f)) for each score f and label y, -1 or +1: logistic regression, without overflow.

    Parameters, shapes and errors are those of `hinge_loss`.

    >>> soft_margin_loss([0.0, -1e4], [1, 1], reduction="none")
    tensor([6.93147181e-01, 1.00000000e+04])
    """
    check_reduction(reduction, "soft_margin_loss")
    return _soft_margin(*matched(input, target, "soft_margin_loss"), reduction=reduction)


def margin_ranking_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """max(0, margin - y (a - b)) for each pair of scores: a should be larger for y = 1, b for y = -1.

    Its slope at the margin is 0, where PyTorch's is that of the loss beyond.

    Parameters:
        input1, input2: scores a and b, floating, of one shape.
        target: labels y of the same shape; cast to the dtype of the scores.
        margin: by how much the larger one should win.
        reduction: "none" for the loss of each pair, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for other labels than -1 and +1, or an unknown reduction.

    >>> margin_ranking_loss([1.0, 1.0], [3.0, 3.0], [1, -1], margin=0.5, reduction="none")
    tensor([2.5, 0. ])
    """
    who = "margin_ranking_loss"
    check_reduction(reduction, who)
    a, b = matched(input1, input2, who, ("input1", "input2"))
    _, y = matched(a, target, who, ("input1", "target"))
    return _ranking(a, b, y, margin, reduction=reduction)


class HingeLoss(Loss):
    """The margin of a linear classifier: see `nn.functional.hinge_loss`.

    >>> HingeLoss()([0.5], [-1])
    tensor(1.5)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Scores and labels to losses."""
        return hinge_loss(input, target, reduction=self.reduction)


class SquaredHingeLoss(Loss):
    """The square of the hinge: see `nn.functional.squared_hinge_loss`.

    >>> SquaredHingeLoss()([0.5], [-1])
    tensor(2.25)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Scores and labels to losses."""
        return squared_hinge_loss(input, target, reduction=self.reduction)


class SoftMarginLoss(Loss):
    """Logistic regression with labels -1 and +1: see `nn.functional.soft_margin_loss`.

    >>> SoftMarginLoss()([0.0], [-1])
    tensor(0.69314718)
    """

    def forward(self, input: Array, target: Array) -> Tensor:
        """Scores and labels to losses."""
        return soft_margin_loss(input, target, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """Which of two scores should be larger: see `nn.functional.margin_ranking_loss`.

    >>> MarginRankingLoss(0.5)([1.0], [3.0], [1])
    tensor(2.5)
    """

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.margin = margin

    def forward(self, input1: Array, input2: Array, target: Array) -> Tensor:
        """Two scores and a label for each pair to losses."""
        return margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)
