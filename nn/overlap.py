"""The Dice loss: how little a predicted region and a given one overlap."""

from __future__ import annotations

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.losses import FEW, Array, Loss, check_positive, check_reduction, check_unit, matched, reduced


@ag.fused(smallest=FEW)
def _dice(p: Tensor, y: Tensor, smooth: float, *, reduction: str) -> Tensor:
    check_unit(p, "dice_loss", "probabilities", "Write ag.sigmoid(input) for logits.")
    check_unit(y, "dice_loss", "targets", "Write one-hot targets for class indices.")
    p, y = ag.reshape(p, (p.shape[0], p.size // p.shape[0])), ag.reshape(y, (p.shape[0], p.size // p.shape[0]))
    both, either = ag.sum(p * y, 1), ag.sum(p + y, 1)
    return reduced(1 - (2 * both + smooth) / (either + smooth), reduction)


def dice_loss(input: Array, target: Array, smooth: float = 1.0, *, reduction: str = "mean") -> Tensor:
    """1 - (2 sum p y + s) / (sum p + sum y + s) for each sample, sums over all its elements (Sudre et al. 2017).

    s keeps the loss smooth where both regions are empty, and 0 there. Milletari et al. (2016) square p and y below the
    line; for targets of 0 and 1 and certain predictions that is the same. PyTorch has no such function.

    Parameters:
        input: probabilities p of shape (N, ...); for a loss of each class, input.reshape(N * C, -1).
        target: y, 0 to 1, of the same shape; cast to the dtype of the input.
        smooth: s, positive.
        reduction: "none" for the loss of each sample, "mean" for the cost, "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast, or have no samples.
        ArgumentError: for probabilities or targets outside 0 to 1, another s, or an unknown reduction.

    >>> dice_loss([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]], [[1, 0, 0, 0], [0, 0, 0, 0]], reduction="none")
    tensor([0.25, 0.  ])
    """
    check_reduction(reduction, "dice_loss")
    check_positive(smooth, "dice_loss", "smooth")
    p, y = matched(input, target, "dice_loss")
    if p.ndim < 2 or not len(p):
        raise ShapeError(
            f"dice_loss was given shape {p.shape}. Expected a batch of samples (N, ...): write input[None] for one."
        )
    return _dice(p, y, smooth, reduction=reduction)


class DiceLoss(Loss):
    """How little two regions overlap: see `nn.functional.dice_loss`.

    >>> DiceLoss()([[1.0, 1.0, 0.0]], [[1, 0, 0]])
    tensor(0.25)
    """

    def __init__(self, smooth: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        check_positive(smooth, "DiceLoss", "smooth")
        self.smooth = smooth

    def forward(self, input: Array, target: Array) -> Tensor:
        """Probabilities and regions to losses."""
        return dice_loss(input, target, self.smooth, reduction=self.reduction)
