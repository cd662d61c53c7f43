"""Losses over many classes: cross-entropy of logits, and the negative log-likelihood."""

from __future__ import annotations

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.labels import along, averaged, check_some, class_axis, class_labels, class_weights, picked
from nn.losses import FEW, Array, Loss, check_reduction, reduced
from nn.module import Buffer


@ag.fused(smallest=FEW)
def _from_labels(x: Tensor, labels: Tensor, *, axis: int, reduction: str) -> Tensor:
    return reduced(-ag.squeeze(ag.take_along_axis(ag.log_softmax(x, axis), labels, axis), axis), reduction)


@ag.fused(smallest=FEW)
def _smoothed(
    x: Tensor,
    labels: Tensor,
    share: Tensor | float,
    weight: Tensor | float,
    smoothing: float,
    *,
    axis: int,
    smooth: bool,
) -> Tensor:
    logp = ag.log_softmax(x, axis)
    losses = -share * ag.squeeze(ag.take_along_axis(logp, labels, axis), axis)
    if not smooth:  # then the logarithm of an impossible class may be infinite
        return losses
    return (1 - smoothing) * losses - (smoothing / x.shape[axis]) * ag.sum(weight * logp, axis)


@ag.fused(smallest=FEW)
def _from_distributions(
    x: Tensor, q: Tensor, weight: Tensor | float, smoothing: float, *, axis: int, reduction: str
) -> Tensor:
    q = (1 - smoothing) * q + smoothing / q.shape[axis]
    logp = ag.where(q == 0, 0.0, ag.log_softmax(x, axis))  # 0 log 0 is 0
    return reduced(-ag.sum(weight * q * logp, axis), reduction)


def _from_known_labels(x: Tensor, labels: Tensor, ignore_index: int, axis: int, reduction: str) -> Tensor:
    """The same where it is not known yet which labels are `ignore_index`."""
    counted = labels != ignore_index
    own = ag.take_along_axis(ag.log_softmax(x, axis), ag.where(counted, labels, 0), axis)
    losses = ag.squeeze(ag.where(counted, -own, 0.0), axis)
    if reduction != "mean":
        return reduced(losses, reduction)
    total = ag.sum(counted.astype(x.dtype))
    ag.check(check_some, total)
    return ag.sum(losses) / total


def cross_entropy(
    input: Array,
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-sum over c of w_c q_c log softmax(x)_c for each sample: categorical cross-entropy from logits.

    q is the target distribution, or 1 at the target class; with label smoothing s it is (1 - s) q + s / C. The mean is
    over the samples; with class indices it is weighted with the weight of each sample's class, and leaves out samples
    whose label is `ignore_index`. All as in PyTorch, but that a mean over no sample at all is an error.

    Parameters:
        input: logits x of shape (N, C), (N, C, ...) or (C,).
        target: class indices of shape (N,), (N, ...) or (); or distributions, floating, of the shape of the input.
        weight: w of shape (C,); 1 if None.
        ignore_index: a label that counts for nothing.
        reduction: "none" for the loss of each sample, "mean" for the cost, "sum".
        label_smoothing: s, 0 to 1 (Szegedy et al. 2016).

    Raises:
        ShapeError: if the shapes do not belong together.
        DTypeError: if class indices are floating.
        IndexOutOfRange: if a label is not among the C classes.
        DataError: for the mean where all labels are `ignore_index`.
        ArgumentError: for an unknown reduction, or smoothing outside 0 to 1.

    >>> cross_entropy([[0.0, 0.0], [1e4, 0.0]], [1, 1], reduction="none")
    tensor([6.93147181e-01, 1.00000000e+04])
    """
    who = "cross_entropy"
    check_reduction(reduction, who)
    _check_smoothing(label_smoothing, who)
    x, axis = class_axis(input, who)
    y = ag.asarray(target)
    if weight is None and not label_smoothing and y.dtype.kind in "iu":
        labels = class_labels(x, y, ignore_index, axis, who)
        if ag.is_captured(y):
            return _from_known_labels(x, ag.expand_dims(y, axis), ignore_index, axis, reduction)
        if bool(np.all(labels != ignore_index)):
            return _from_labels(x, ag.asarray(np.expand_dims(labels, axis)), axis=axis, reduction=reduction)
    if y.dtype.kind == "f" and y.shape == x.shape:
        if ignore_index >= 0:
            raise ArgumentError(
                f"{who} was given ignore_index={ignore_index} with distributions, which have no labels."
            )
        each = 1.0 if weight is None else along(class_weights(x, weight, axis, who), x, axis)
        q = ag.asarray(y, x.dtype)
        return _from_distributions(x, q, each, label_smoothing, axis=axis, reduction=reduction)
    labels = class_labels(x, y, ignore_index, axis, who)
    counted = labels != ignore_index
    known = np.where(counted, labels, 0)
    places = ag.asarray(np.expand_dims(known, axis))
    w = None if weight is None else class_weights(x, weight, axis, who)
    shares, spread = (None, 1.0) if w is None else (ag.take(w, known), along(w, x, axis))
    share = 1.0 if shares is None else shares
    losses = _smoothed(x, places, share, spread, label_smoothing, axis=axis, smooth=label_smoothing > 0)
    return averaged(losses, counted, shares, reduction)


def nll_loss(
    input: Array, target: Array, weight: Array | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-w_y log p_y for each sample of class y: the negative log-likelihood, from log-probabilities.

    Parameters, shapes and errors are those of `cross_entropy` with class indices.

    >>> nll_loss(ag.log(ag.tensor([[0.25, 0.75]])), [1])
    tensor(0.28768207)
    """
    check_reduction(reduction, "nll_loss")
    logp, axis = class_axis(input, "nll_loss")
    labels = class_labels(logp, ag.asarray(target), ignore_index, axis, "nll_loss")
    counted = labels != ignore_index
    losses, shares = picked(logp, labels, counted, weight, axis, "nll_loss")
    return averaged(losses, counted, shares, reduction)


def _check_smoothing(smoothing: float, who: str) -> None:
    if not 0 <= smoothing <= 1:
        raise ArgumentError(f"{who} was given label_smoothing={smoothing}. Expected 0 to 1.")


class CrossEntropyLoss(Loss):
    """Categorical cross-entropy of logits: see `nn.functional.cross_entropy`.

    >>> CrossEntropyLoss()([[0.0, 0.0]], [1])
    tensor(0.69314718)
    """

    def __init__(
        self,
        weight: Array | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction=reduction)
        _check_smoothing(label_smoothing, "CrossEntropyLoss")
        self.weight = None if weight is None else Buffer(weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Array, target: Array) -> Tensor:
        """Logits, and class indices or distributions, to losses."""
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """Negative log-likelihood: see `nn.functional.nll_loss`.

    >>> NLLLoss()([[-1.0, -2.0]], [1])
    tensor(2.)
    """

    def __init__(self, weight: Array | None = None, *, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.weight = None if weight is None else Buffer(weight)
        self.ignore_index = ignore_index

    def forward(self, input: Array, target: Array) -> Tensor:
        """Log-probabilities and class indices to losses."""
        return nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)
