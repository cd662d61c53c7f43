"""Normalisation of each channel of each sample over its positions."""

from __future__ import annotations

import math

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ShapeError
from nn.batch_norm import Tracked, by_given_statistics, by_own_statistics, expect_channels, expect_parameters, track
from nn.linear import expect_floating
from nn.norm import present


def instance_norm(
    x: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """y = (x - mean) / sqrt(var + eps) w + b, for each channel of each sample (Ulyanov et al. 2016).

    With `use_input_stats`, mean and var (without correction) are over the positions of each channel of each sample,
    and the running ones, if any, move towards their averages over the batch, the variance with Bessel's correction.

    Parameters:
        x: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        running_mean, running_var: (C,), changed if `use_input_stats`; or None.
        weight, bias: w and b of shape (C,); 1 and 0 if None.
        use_input_stats: False to normalise by the running statistics.
        momentum: the weight of the new statistics.
        eps: what keeps the root away from 0.

    Raises:
        ShapeError: if x has fewer than three axes or a single position, or a parameter is not of shape (C,).
        DTypeError: if x is not floating.

    >>> instance_norm(ag.tensor([[[1.0, 3.0]]]), eps=0.0)
    tensor([[[-1., 1.]]])
    """
    if x.ndim < 3:
        raise ShapeError(f"instance_norm was given an input of shape {x.shape}. Expected (N, C, L) or (N, C, H, W).")
    expect_parameters(x, "instance_norm", running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    expect_floating(x, "instance_norm")
    affine = present(weight, bias)
    return _instance_norm(x, running_mean, running_var, affine, use_input_stats, momentum, eps, "instance_norm")


def _instance_norm(
    x: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    affine: tuple[Tensor, ...],
    own: bool,
    momentum: float,
    eps: float,
    who: object,
) -> Tensor:
    if not own and running_mean is not None and running_var is not None:
        return by_given_statistics(x, running_mean, running_var, *affine, eps=eps)
    count = math.prod(x.shape[2:])
    if count < 2:
        raise ShapeError(
            f"{who} was given an input of shape {x.shape}: {count} position for each channel, whose variance is 0. "
            "Expected at least 2.\nWrite LayerNorm or GroupNorm for features without positions."
        )
    y, mean, variance = by_own_statistics(x, *affine, axes=tuple(range(2, x.ndim)), eps=eps)
    if own and running_mean is not None and running_var is not None:
        track(running_mean, mean, momentum)
        track(running_var, variance, momentum, count / (count - 1))
    return y


class _InstanceNorm(Tracked):
    """Instance normalisation of any rank."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: DTypeLike = "float32",
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    @property
    def use_input_stats(self) -> bool:
        """Whether the next call normalises by the input's own statistics."""
        return self.training or not self.track_running_stats

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) or one sample (C, ...), its shape kept."""
        if x.ndim + 1 in self.ranks:
            return ag.squeeze(self._batch(ag.expand_dims(x, 0)), 0)
        return self._batch(x)

    def _batch(self, x: Tensor) -> Tensor:
        expect_channels(x, self.num_features, self.ranks, self)
        affine = present(self.weight, self.bias)
        momentum = 0.0 if self.momentum is None else self.momentum
        own = self.use_input_stats
        return _instance_norm(x, self.running_mean, self.running_var, affine, own, momentum, self.eps, self)


class InstanceNorm1d(_InstanceNorm):
    """y = (x - mean) / sqrt(var + eps) w + b for each channel of each sample: see `nn.functional.instance_norm`.

    Parameters:
        num_features: C.
        eps: what keeps the root away from 0.
        momentum: the weight of a batch in the running statistics.
        affine: whether there are w and b, which start at 1 and 0.
        track_running_stats: whether there are running statistics, which evaluation then normalises by.
        dtype: of w, b and the statistics.

    Attributes:
        weight, bias: (C,), or None.
        running_mean, running_var: (C,), 0 and 1 at the start; or None.
        num_batches_tracked: stays 0, as in PyTorch; or None.

    Raises:
        ArgumentError: if num_features is not positive.
        ShapeError: if the input is not (N, C, L) or (C, L), or has a single position.

    Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast stylization", 2016.

    >>> InstanceNorm1d(1, eps=0.0)(ag.tensor([[[1.0, 3.0]]]))
    tensor([[[-1., 1.]]])
    """

    ranks = (3,)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images (N, C, H, W) or (C, H, W): see `InstanceNorm1d`.

    >>> InstanceNorm2d(3)(ag.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    ranks = (4,)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes (N, C, D, H, W) or (C, D, H, W): see `InstanceNorm1d`.

    >>> InstanceNorm3d(3)(ag.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 4, 4, 4)
    """

    ranks = (5,)
