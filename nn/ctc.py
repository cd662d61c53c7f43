"""Connectionist temporal classification: the likelihood of a transcript over all its alignments with time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from nn.losses import Array, Loss, check_reduction, reduced, scores

Labels = NDArray[Any]
WHO = "ctc_loss"


def ctc_loss(
    log_probs: Array,
    targets: Array,
    input_lengths: Array,
    target_lengths: Array,
    blank: int = 0,
    *,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log p(l | x), p summed over every path through T steps that reads l once repeats and blanks are dropped.

    With l' = (b, l_1, b, l_2, ..., b) the forward recursion is, in logarithms (Graves et al. 2006, equations 6 and 7),
    a_t(s) = (a_{t-1}(s) + a_{t-1}(s-1) + a_{t-1}(s-2)) y_t(l'_s), the last term only where l'_s is no blank and differs
    from l'_{s-2}; p = a_T(|l'|) + a_T(|l'| - 1). Its derivative is the tape's: -(posterior of the class at t), without
    the share e^log_probs of log_softmax that PyTorch adds here; through `log_softmax` the two agree.

    A transcript longer than its steps allow has the loss inf, or 0 with `zero_infinity`; its gradient is 0.

    Parameters:
        log_probs: log-probabilities of shape (T, N, C), or (T, C) for one sample, as `log_softmax` gives them.
        targets: class indices without blanks: padded rows (N, S), whose padding counts for nothing; or all transcripts
            one after the other; (S,) for one sample.
        input_lengths: steps of each sample, 1 to T, of shape (N,) or ().
        target_lengths: labels of each transcript, 0 or more, of shape (N,) or ().
        blank: the class of the blank.
        reduction: "none" for the loss of each sample, "mean" for the mean of each loss over the length of its
            transcript (at least 1), as in PyTorch, "sum".
        zero_infinity: whether infinite losses are 0.

    Raises:
        ShapeError: if shapes and lengths do not belong together.
        DTypeError: if labels or lengths are not whole numbers.
        IndexOutOfRange: for a length, a label or a blank outside its range.
        ArgumentError: for a blank among the labels, or an unknown reduction.

    >>> log_probs = ag.log(ag.tensor([[0.5, 0.5], [0.5, 0.5]]))  # of 4 paths, 11, 1- and -1 read "1"
    >>> ag.exp(-ctc_loss(log_probs, [1], 2, 1))
    tensor(0.75)
    """
    check_reduction(reduction, WHO)
    x = scores(log_probs, WHO)
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ShapeError(f"{WHO} was given log_probs of shape {x.shape}. Expected (T, N, C), or (T, C) for one sample.")
    single = x.ndim == 2
    if single:
        x = ag.expand_dims(x, 1)
    steps, count, classes = x.shape
    if not 0 <= blank < classes:
        raise IndexOutOfRange(f"{WHO} was given blank={blank} with {classes} classes. Expected 0 to {classes - 1}.")
    times = _lengths(input_lengths, "input_lengths", count)
    sizes = _lengths(target_lengths, "target_lengths", count)
    _check_times(times, steps)
    labels = _padded(_whole(targets, "targets"), sizes, count, single)
    _check_labels(labels, sizes, classes, blank)
    losses = _negative_log_likelihood(x, _with_blanks(labels, sizes, blank), times, sizes, blank, zero_infinity)
    if reduction == "mean":
        return ag.mean(losses / np.maximum(sizes, 1).astype(x.dtype))
    return reduced(ag.squeeze(losses, 0) if single else losses, reduction)


def _negative_log_likelihood(
    x: Tensor, states: Labels, times: Labels, sizes: Labels, blank: int, zero_infinity: bool
) -> Tensor:
    """The forward recursion: all samples and all states s of l' at once, one step after the other."""
    steps, count, _ = x.shape
    samples = np.arange(count)
    emitted = ag.unstack(x[np.arange(steps)[:, None, None], samples, states])  # y_t(l'_s) for each t, (L, N)
    entering, reached = _doors(states, sizes, blank, x.dtype)
    a = emitted[0] + entering
    for t in range(1, steps):
        before = ag.pad(a, ((2, 0), (0, 0)), constant_values=-math.inf)
        ways = ag.moveaxis(ag.window(before, 3, axes=(0,)), -1, 0) + reached  # from s - 2, s - 1 and s
        following = ag.logsumexp(ways, 0) + emitted[t]
        over = t >= times
        a = ag.where(over, a, following) if over.any() else following
    last, previous = a[2 * sizes, samples], a[np.maximum(2 * sizes - 1, 0), samples]
    found = ag.logaddexp(last, ag.where(sizes > 0, previous, -math.inf))
    return ag.where(found == -math.inf, 0.0 if zero_infinity else math.inf, -found)


def _with_blanks(labels: Labels, sizes: Labels, blank: int) -> Labels:
    """l' for each sample: the labels with blanks before, between and after them, of shape (2 S + 1, N)."""
    count, longest = labels.shape
    states = np.full((2 * longest + 1, count), blank, np.int64)
    states[1::2] = np.where(np.arange(longest) < sizes[:, None], labels, blank).T
    return states


def _doors(states: Labels, sizes: Labels, blank: int, dtype: Any) -> tuple[Labels, Labels]:
    """0 where a path may start in s, and where it may come to s from s - 2, s - 1 and s; -inf elsewhere."""
    entering = np.full(states.shape, -math.inf, dtype)
    entering[0] = 0
    if len(states) > 1:
        entering[1, sizes > 0] = 0
    reached = np.zeros((3, *states.shape), dtype)
    reached[0, :2] = -math.inf
    reached[0, 2:][(states[2:] == blank) | (states[2:] == states[:-2])] = -math.inf
    return entering, reached


# ---- what is given


def _whole(values: Array, name: str) -> Labels:
    found = ag.asarray(values).numpy()
    if found.dtype.kind not in "iu" and found.size:
        raise DTypeError(f"{WHO} was given {name} of dtype {found.dtype}. Write {name}.astype('int64').")
    return found.astype(np.int64)


def _lengths(values: Array, name: str, count: int) -> Labels:
    lengths = np.atleast_1d(_whole(values, name))
    if lengths.shape != (count,):
        raise ShapeError(
            f"{WHO} was given {name} of shape {lengths.shape} for {count} samples. Expected one length for each."
        )
    if lengths.min() < 0:
        raise IndexOutOfRange(f"{WHO} was given the length {lengths.min()} in {name}. Expected none below 0.")
    return lengths


def _check_times(times: Labels, steps: int) -> None:
    wrong = (times < 1) | (times > steps)
    if wrong.any():
        n = int(wrong.argmax())
        raise IndexOutOfRange(
            f"{WHO} was given {times[n]} steps for sample {n} in input_lengths. Expected 1 to {steps}, the first axis "
            "of log_probs.\nLeave out samples without a step; log_probs are (T, N, C): write log_probs.swapaxes(0, 1) "
            "if the batch comes first."
        )


def _padded(targets: Labels, sizes: Labels, count: int, single: bool) -> Labels:
    """The transcripts as rows (N, S)."""
    longest = int(sizes.max())
    if targets.ndim == 2 and len(targets) == count and targets.shape[1] >= longest:
        return targets[:, :longest]
    if targets.ndim == 1 and (len(targets) == sizes.sum() or (single and len(targets) >= longest)):
        rows = np.zeros((count, longest), np.int64)
        rows[np.arange(longest) < sizes[:, None]] = targets[: sizes.sum()]
        return rows
    raise ShapeError(
        f"{WHO} was given targets of shape {targets.shape} and target_lengths with largest {longest} and sum "
        f"{sizes.sum()}.\nExpected padded rows of shape ({count}, {longest}) or wider, or {sizes.sum()} labels one "
        "after the other."
    )


def _check_labels(labels: Labels, sizes: Labels, classes: int, blank: int) -> None:
    given = np.arange(labels.shape[1]) < sizes[:, None]
    wrong = given & ((labels < 0) | (labels >= classes) | (labels == blank))
    if not wrong.any():
        return
    n, k = (int(i) for i in np.argwhere(wrong)[0])
    if labels[n, k] == blank:
        raise ArgumentError(
            f"{WHO} was given the blank, {blank}, as label {k} of sample {n}. Expected transcripts without blanks: "
            "write target + 1, or blank=C - 1 and a class more."
        )
    raise IndexOutOfRange(
        f"{WHO} was given the label {labels[n, k]} at position {(n, k)}. Expected 0 to {classes - 1}, but for the "
        f"blank, {blank}."
    )


class CTCLoss(Loss):
    """The likelihood of transcripts without an alignment: see `nn.functional.ctc_loss`.

    >>> log_probs = ag.log(ag.tensor([[0.5, 0.5], [0.5, 0.5]]))
    >>> ag.exp(-CTCLoss()(log_probs, [1], 2, 1))
    tensor(0.75)
    """

    def __init__(self, blank: int = 0, *, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Array, targets: Array, input_lengths: Array, target_lengths: Array) -> Tensor:
        """Log-probabilities, transcripts and the lengths of both to losses."""
        settings: dict[str, Any] = {"reduction": self.reduction, "zero_infinity": self.zero_infinity}
        return ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, **settings)
