"""Losses between distributions over classes: cross-entropy, and the Kullback-Leibler divergence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError, DTypeError, IndexOutOfRange, ShapeError
from nn.losses import REDUCTIONS, Array, Loss, check_reduction, matched, reduced, scores
from nn.module import Buffer


@ag.fused
def _from_labels(x: Tensor, labels: Tensor, *, axis: int, reduction: str) -> Tensor:
    return reduced(-ag.squeeze(ag.take_along_axis(ag.log_softmax(x, axis), labels, axis), axis), reduction)


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
    x, axis = _class_axis(input, who)
    y = ag.asarray(target)
    if weight is None and not label_smoothing and y.dtype.kind in "iu":
        labels = _labels(x, y, ignore_index, axis, who)
        if bool(np.all(labels != ignore_index)):
            return _from_labels(x, ag.asarray(np.expand_dims(labels, axis)), axis=axis, reduction=reduction)
    logp = ag.log_softmax(x, axis)
    if y.dtype.kind == "f" and y.shape == x.shape:
        if ignore_index >= 0:
            raise ArgumentError(
                f"{who} was given ignore_index={ignore_index} with distributions, which have no labels."
            )
        return _from_distributions(logp, ag.asarray(y, x.dtype), weight, reduction, label_smoothing, axis)
    labels = _labels(logp, y, ignore_index, axis, who)
    counted = labels != ignore_index
    losses, shares = _picked(logp, labels, counted, weight, axis)
    cost = _averaged(losses, counted, shares, reduction)
    if not label_smoothing:
        return cost
    spread = -ag.sum(logp if weight is None else _along(_class_weights(logp, weight, axis), logp, axis) * logp, axis)
    smooth = _averaged(spread, counted, shares, reduction)
    return (1 - label_smoothing) * cost + (label_smoothing / x.shape[axis]) * smooth


def nll_loss(
    input: Array, target: Array, weight: Array | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """-w_y log p_y for each sample of class y: the negative log-likelihood, from log-probabilities.

    Parameters, shapes and errors are those of `cross_entropy` with class indices.

    >>> nll_loss(ag.log(ag.tensor([[0.25, 0.75]])), [1])
    tensor(0.28768207)
    """
    check_reduction(reduction, "nll_loss")
    logp, axis = _class_axis(input, "nll_loss")
    labels = _labels(logp, ag.asarray(target), ignore_index, axis, "nll_loss")
    counted = labels != ignore_index
    losses, shares = _picked(logp, labels, counted, weight, axis)
    return _averaged(losses, counted, shares, reduction)


def _picked(
    logp: Tensor, labels: NDArray[Any], counted: NDArray[Any], weight: Array | None, axis: int
) -> tuple[Tensor, Tensor | None]:
    """-w_y log p_y of each sample, of class 0 where the label is ignored; and the weights w_y, None if all are 1."""
    known = np.where(counted, labels, 0)
    losses = -ag.squeeze(ag.take_along_axis(logp, np.expand_dims(known, axis), axis), axis)
    if weight is None:
        return losses, None
    shares = ag.take(_class_weights(logp, weight, axis), known)
    return shares * losses, shares


def _averaged(losses: Tensor, counted: NDArray[Any], shares: Tensor | None, reduction: str) -> Tensor:
    """The losses that count, reduced; their mean is over the shares."""
    every = bool(np.all(counted))
    if not every:
        losses = ag.where(counted, losses, 0.0)
    if reduction != "mean" or (every and shares is None):
        return reduced(losses, reduction)
    total = int(np.sum(counted)) if shares is None else ag.sum(shares * counted)
    if not float(total):
        raise DataError(
            "a mean was asked for of losses none of which counts: labels are ignore_index, or of weight 0.\n"
            "Leave such batches out, or write reduction='sum'."
        )
    return ag.sum(losses) / total


def _from_distributions(
    logp: Tensor, q: Tensor, weight: Array | None, reduction: str, smoothing: float, axis: int
) -> Tensor:
    if smoothing:
        q = (1 - smoothing) * q + smoothing / q.shape[axis]
    terms = q * logp
    if weight is not None:
        terms = _along(_class_weights(logp, weight, axis), logp, axis) * terms
    return reduced(-ag.sum(terms, axis), reduction)


def _along(weights: Tensor, x: Tensor, axis: int) -> Tensor:
    return ag.reshape(weights, (-1,) + (1,) * (x.ndim - 1 - axis))


def _class_axis(input: Array, who: str) -> tuple[Tensor, int]:
    x = scores(input, who)
    if not x.ndim or not x.shape[min(1, x.ndim - 1)]:
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected (N, C), (N, C, ...) or (C,), C > 0.")
    return x, min(1, x.ndim - 1)


def _class_weights(logp: Tensor, weight: Array, axis: int) -> Tensor:
    weights = ag.asarray(weight, logp.dtype)
    if weights.shape != (logp.shape[axis],):
        raise ShapeError(
            f"cross_entropy was given a weight of shape {weights.shape} for {logp.shape[axis]} classes. "
            "Expected one number for each class."
        )
    return weights


def _labels(logp: Tensor, y: Tensor, ignore_index: int, axis: int, who: str) -> NDArray[Any]:
    """The class indices, once they are known to be some."""
    classes = logp.shape[axis]
    expected = logp.shape[:axis] + logp.shape[axis + 1 :]
    if y.shape != expected:
        fix = "target.reshape(-1)" if y.size == math.prod(expected) else "target.argmax(1) for one-hot rows"
        raise ShapeError(
            f"{who} was given an input of shape {logp.shape} and a target of shape {y.shape}.\n"
            f"Expected class indices of shape {expected}, or floating distributions of shape {logp.shape}. Write {fix}."
        )
    if y.dtype.kind not in "iu":
        raise DTypeError(f"{who} was given class indices of dtype {y.dtype}. Write target.astype('int64').")
    labels = y.numpy()
    wrong = ((labels < 0) | (labels >= classes)) & (labels != ignore_index)
    if wrong.any():
        where = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise IndexOutOfRange(
            f"{who} was given the label {labels[where]} at position {where}. Expected 0 to {classes - 1}."
            f"\nWrite target - 1 if labels start at 1, or ignore_index={labels[where]} to leave it out."
        )
    return labels


def _check_smoothing(smoothing: float, who: str) -> None:
    if not 0 <= smoothing <= 1:
        raise ArgumentError(f"{who} was given label_smoothing={smoothing}. Expected 0 to 1.")


def kl_div(input: Array, target: Array, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """p (log p - log q) for each element: the Kullback-Leibler divergence of q from p, before it is summed.

    Where p = 0 the loss is 0. The divergence itself, sum p log(p / q) for each sample, then averaged over samples, is
    reduction="batchmean"; "mean" divides by the number of elements, as in PyTorch.

    Parameters:
        input: log q, log-probabilities as `log_softmax` gives them, of any shape.
        target: p of the same shape, or log p if `log_target`; cast to the dtype of the input.
        reduction: "none" for each element, "batchmean" for the sum over the length of the first axis, "mean", "sum".

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        ArgumentError: for negative probabilities, or an unknown reduction.

    >>> kl_div(ag.log(ag.tensor([[0.5, 0.5]])), [[1.0, 0.0]], reduction="batchmean")
    tensor(0.69314718)
    """
    check_reduction(reduction, "kl_div", (*REDUCTIONS, "batchmean"))
    log_q, p = matched(input, target, "kl_div")
    if log_target:
        none = p == -math.inf
        log_p, p = ag.where(none, 0.0, p), ag.exp(p)
    else:
        if p.size and p.numpy().min() < 0:
            raise ArgumentError(
                f"kl_div was given the probability {p.numpy().min():g}. Expected none below 0: write ag.exp(target), "
                "or log_target=True, if they are logarithms."
            )
        none = p == 0
        log_p = ag.log(ag.where(none, 1.0, p))
    losses = p * (log_p - ag.where(none, 0.0, log_q))
    if reduction != "batchmean":
        return reduced(losses, reduction)
    if not losses.ndim or not len(losses):
        raise ShapeError(
            f"kl_div was given shape {losses.shape} and reduction='batchmean'. Expected a batch: (N, ...)."
        )
    return ag.sum(losses) / len(losses)


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


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence: see `nn.functional.kl_div`.

    >>> KLDivLoss(reduction="batchmean")(ag.log(ag.tensor([[0.5, 0.5]])), [[1.0, 0.0]])
    tensor(0.69314718)
    """

    allowed = (*REDUCTIONS, "batchmean")

    def __init__(self, *, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Array, target: Array) -> Tensor:
        """Log-probabilities and target distributions to losses."""
        return kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
