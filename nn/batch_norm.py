"""Normalisation of each channel over the batch, with running statistics for evaluation."""

from __future__ import annotations

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating
from nn.module import Buffer, Module, Parameter
from nn.norm import FEW, present


def expect_channels(x: Tensor, channels: int, ranks: tuple[int, ...], who: object) -> None:
    """Refuse what is not a floating input (N, C) or (N, C, ...) of so many channels and one of these ranks.

    Raises:
        ShapeError: if the rank or the number of channels is another.
        DTypeError: if x is not floating.

    >>> expect_channels(ag.ones((2, 3)), 3, (2, 3), "BatchNorm1d")
    """
    if x.ndim not in ranks:
        layouts = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)", 5: "(N, C, D, H, W)"}
        expected = " or ".join(layouts[k] for k in ranks)
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected {expected}, C = {channels}.")
    if x.shape[1] != channels:
        kind = type(who).__name__
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}, which has {x.shape[1]} channels. Expected {channels}.\n"
            f"Write {kind}({x.shape[1]}), or ag.moveaxis(x, -1, 1) if the channels are the last axis."
        )
    expect_floating(x, who)


def expect_parameters(x: Tensor, who: str, **given: Tensor | None) -> None:
    """Refuse parameters and statistics that are not one number for each channel of x.

    Raises:
        ShapeError: naming the first that is not.

    >>> expect_parameters(ag.ones((2, 3)), "batch_norm", weight=ag.ones(3), bias=None)
    """
    for name, t in given.items():
        if t is not None and tuple(t.shape) != (x.shape[1],):
            raise ShapeError(
                f"{who} was given a {name} of shape {tuple(t.shape)} for an input of shape {x.shape}. "
                f"Expected ({x.shape[1]},)."
            )


def along_channels(t: Tensor, ndim: int) -> Tensor:
    """A value for each channel, laid out to broadcast against (N, C, ...).

    >>> along_channels(ag.ones(3), 4).shape
    (1, 3, 1, 1)
    """
    return ag.reshape(t, (1, -1, *(1,) * (ndim - 2)))


def scaled(centred: Tensor, variance: Tensor, affine: tuple[Tensor, ...], eps: float) -> Tensor:
    """centred / sqrt(variance + eps) w + b, with w and b for each channel as far as there are any.

    >>> scaled(ag.tensor([[2.0, 3.0]]), ag.tensor([4.0, 9.0]), (), 0.0)
    tensor([[1., 1.]])
    """
    y = centred * ag.rsqrt(variance + eps)
    for weight in affine[:1]:
        y = y * along_channels(weight, y.ndim)
    for bias in affine[1:]:
        y = y + along_channels(bias, y.ndim)
    return y


@ag.fused(smallest=FEW)
def by_own_statistics(x: Tensor, *affine: Tensor, axes: tuple[int, ...], eps: float) -> tuple[Tensor, Tensor, Tensor]:
    """x normalised over `axes`; and the mean and variance that were used, as constants.

    >>> by_own_statistics(ag.tensor([[1.0], [3.0]]), axes=(0,), eps=0.0)[2]
    tensor([[1.]])
    """
    mean = ag.mean(x, axes, keepdims=True)
    centred = x - mean
    variance = ag.mean(centred * centred, axes, keepdims=True)
    return scaled(centred, variance, affine, eps), ag.stop_gradient(mean), ag.stop_gradient(variance)


@ag.fused(smallest=FEW)
def by_given_statistics(x: Tensor, mean: Tensor, variance: Tensor, *affine: Tensor, eps: float) -> Tensor:
    """x normalised by a mean and a variance for each channel.

    >>> by_given_statistics(ag.tensor([[5.0]]), ag.tensor([1.0]), ag.tensor([4.0]), eps=0.0)
    tensor([[2.]])
    """
    centred = x - along_channels(mean, x.ndim)
    return scaled(centred, along_channels(variance, x.ndim), affine, eps)


def track(running: Tensor | None, now: Tensor, momentum: float | Tensor, correction: float = 1.0) -> None:
    """running <- (1 - momentum) running + momentum correction now, averaged over samples; off the tape.

    >>> running = ag.tensor([1.0])
    >>> track(running, ag.tensor([3.0]), 0.5)
    >>> running
    tensor([2.])
    """
    if running is not None:
        with ag.no_grad():
            alone = now.size == running.size
            mean = ag.reshape(now, running.shape) if alone else ag.mean(ag.reshape(now, (-1, *running.shape)), 0)
            running.copy_((1 - momentum) * running + (momentum * correction) * mean)


def expect_several(x: Tensor, who: object) -> None:
    """Refuse to take a variance of one value.

    Raises:
        ShapeError: if each channel has fewer than two.

    >>> expect_several(ag.ones((2, 3)), "BatchNorm1d")
    """
    count = x.size // max(x.shape[1], 1)
    if count < 2:
        raise ShapeError(
            f"{who} was given a batch of shape {x.shape} in training mode: {count} value for each channel, whose "
            "variance is 0. Expected at least 2.\nWrite DataLoader(..., drop_last=True) where the last batch is a "
            "single sample, or model.eval() to predict."
        )


def batch_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """y = (x - mean) / sqrt(var + eps) w + b, for each channel (Ioffe & Szegedy 2015).

    In training, mean and var (without correction) are those of the batch, and the running ones move towards them, the
    variance with Bessel's correction: running <- (1 - momentum) running + momentum now. Else they are the running
    ones; those of the batch where there are none.

    Parameters:
        x: (N, C) or (N, C, ...).
        running_mean, running_var: (C,), changed in training; or None.
        weight, bias: w and b of shape (C,); 1 and 0 if None.
        training: whether the batch's own statistics are used.
        momentum: the weight of the new statistics.
        eps: what keeps the root away from 0.

    Raises:
        ShapeError: if x has fewer than two axes, the channels do not match, or a channel has one value in training.
        DTypeError: if x is not floating.

    >>> batch_norm(ag.tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    tensor([[-1.],
            [ 1.]])
    """
    if x.ndim < 2:
        raise ShapeError(f"batch_norm was given an input of shape {x.shape}. Expected (N, C) or (N, C, ...).")
    expect_parameters(x, "batch_norm", running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    expect_floating(x, "batch_norm")
    affine = present(weight, bias)
    if not training and running_mean is not None and running_var is not None:
        return by_given_statistics(x, running_mean, running_var, *affine, eps=eps)
    expect_several(x, "batch_norm")
    y, mean, variance = by_own_statistics(x, *affine, axes=(0, *range(2, x.ndim)), eps=eps)
    if training:
        _track_batch(x, running_mean, running_var, mean, variance, momentum)
    return y


def _track_batch(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float | Tensor,
) -> None:
    count = x.size // x.shape[1]
    track(running_mean, mean, momentum)
    track(running_var, variance, momentum, count / (count - 1))


class Tracked(Module):
    """Parameters and running statistics for each channel: what batch and instance normalisation are made of.

    >>> [name for name, _ in Tracked(2, 1e-5, 0.1, False, True, "float32").named_buffers()]
    ['running_mean', 'running_var', 'num_batches_tracked']
    """

    ranks: tuple[int, ...] = ()

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        dtype: DTypeLike,
    ) -> None:
        if num_features < 1:
            raise ArgumentError(
                f"{type(self).__name__} was given num_features={num_features}. Expected the number of channels."
            )
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(ag.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(ag.zeros(num_features, dtype)) if affine else None
        self.running_mean = Buffer(ag.zeros(num_features, dtype)) if track_running_stats else None
        self.running_var = Buffer(ag.ones(num_features, dtype)) if track_running_stats else None
        self.num_batches_tracked = Buffer(ag.zeros((), "int64")) if track_running_stats else None

    def extra_repr(self) -> str:
        """The number of channels and the settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(Tracked):
    """Batch normalisation of any rank."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: DTypeLike = "float32",
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C) or (N, C, ...), its shape kept."""
        expect_channels(x, self.num_features, self.ranks, self)
        affine = present(self.weight, self.bias)
        mean, variance = self.running_mean, self.running_var
        if not self.training and mean is not None and variance is not None:
            return by_given_statistics(x, mean, variance, *affine, eps=self.eps)
        expect_several(x, self)
        y, now, spread = by_own_statistics(x, *affine, axes=(0, *range(2, x.ndim)), eps=self.eps)
        if self.training:
            _track_batch(x, mean, variance, now, spread, self._count())
        return y

    def _count(self) -> float | Tensor:
        """One more batch; and the weight of its statistics."""
        if self.num_batches_tracked is None or self.running_mean is None:
            return 0.0
        with ag.no_grad():
            self.num_batches_tracked.copy_(self.num_batches_tracked + 1)
        if self.momentum is None:
            return 1 / self.num_batches_tracked.astype(self.running_mean.dtype)
        return self.momentum


class BatchNorm1d(_BatchNorm):
    """y = (x - mean) / sqrt(var + eps) w + b for each channel of (N, C) or (N, C, L): see `nn.functional.batch_norm`.

    Mean and variance are the batch's in training, the running ones in evaluation.

    Parameters:
        num_features: C.
        eps: what keeps the root away from 0.
        momentum: the weight of a batch in the running statistics; None for their plain average over all batches.
        affine: whether there are w and b, which start at 1 and 0.
        track_running_stats: whether there are running statistics; without them evaluation, too, uses the batch's.
        dtype: of w, b and the statistics.

    Attributes:
        weight, bias: (C,), or None.
        running_mean, running_var: (C,), 0 and 1 at the start; or None.
        num_batches_tracked: how many batches they have seen; or None.

    Raises:
        ArgumentError: if num_features is not positive.
        ShapeError: if the input has another rank or number of channels, or one value for each channel in training.

    Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal covariate shift",
    2015.

    >>> layer = BatchNorm1d(1, momentum=0.5, eps=0.0)
    >>> layer(ag.tensor([[1.0], [3.0]], dtype="float32")).detach().tolist()
    [[-1.0], [1.0]]
    >>> layer.running_mean, layer.running_var
    (tensor([1.], dtype=float32), tensor([1.5], dtype=float32))
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W): see `BatchNorm1d` for the formula and the parameters.

    >>> BatchNorm2d(3)(ag.ones((2, 3, 4, 4), dtype="float32")).shape
    (2, 3, 4, 4)
    """

    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W): see `BatchNorm1d` for the formula and the parameters.

    >>> BatchNorm3d(3)(ag.ones((2, 3, 4, 4, 4), dtype="float32")).shape
    (2, 3, 4, 4, 4)
    """

    ranks = (5,)
