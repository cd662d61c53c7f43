"""Dropout as functions: of elements, of whole channels, and the kind that goes with SELU."""

from __future__ import annotations

import math

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError

FLOOR = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717  # SELU at minus infinity
_AXES = {1: "L", 2: "H, W", 3: "D, H, W"}


def expect_probability(p: float, who: object) -> float:
    """p, if it is a probability of dropping.

    Raises:
        ArgumentError: if it is not between 0 and 1.

    >>> expect_probability(0.5, "dropout")
    0.5
    """
    if not 0 <= p <= 1:
        raise ArgumentError(
            f"{who} was given the probability {p}. Expected that of dropping an element, 0 to 1; for a probability of "
            "keeping, write 1 - keep."
        )
    return float(p)


def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """y = x m / (1 - p), m ~ Bernoulli(1 - p) for each element; x itself unless `training` (Srivastava et al. 2014).

    Parameters:
        x: any shape.
        p: the probability of dropping an element.
        training: False for x itself.
        generator: where the mask comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: if p is not between 0 and 1.

    >>> y = dropout(ag.ones(100), 0.5, generator=ag.random.Generator(0))
    >>> sorted(set(y.tolist()))
    [0.0, 2.0]
    """
    p = expect_probability(p, "dropout")
    if not training or not p:
        return x
    if p == 1:
        return ag.where(False, x, 0.0)
    return _dropped(x, (generator or ag.random.default).seed(), 1 - p)


@ag.fused(smallest=1)  # the bits are cheap for a kernel and not for NumPy
def _dropped(x: Tensor, seed: int, keep: float) -> Tensor:
    """The mask is drawn in here, forwards and again backwards: none is kept."""
    return ag.where(ag.uniform_like(x, seed) < keep, x, 0.0) * (1 / keep)  # where: a dropped infinity is 0


@ag.fused(smallest=1)
def masked(x: Tensor, places: Tensor, seed: int, keep: float, scale: float) -> Tensor:
    """x m * scale, with an m ~ Bernoulli(keep) for each of `places`, whose shape broadcasts to that of x.

    The mask is drawn in here, forwards and again backwards: none is kept.

    >>> masked(ag.ones((1, 3)), ag.zeros((1, 1)), 0, 1.0, 2.0).tolist()
    [[2.0, 2.0, 2.0]]
    """
    return ag.where(ag.uniform_like(places, seed) < keep, x, 0.0) * scale  # where: a dropped infinity is 0


def _places(x: Tensor, first: int) -> Tensor:
    """One place for all that shares the first axes."""
    return ag.zeros(x.shape[:first] + (1,) * (x.ndim - first), x.dtype)


def channels_dropped(
    x: Tensor, n: int, p: float, training: bool, generator: ag.random.Generator | None, who: object
) -> Tensor:
    """`dropout` with one draw for each channel, all of whose places lie along the last n axes; `who` is for errors.

    >>> channels_dropped(ag.ones((1, 4, 3)), 1, 0.5, True, ag.random.Generator(1), "").sum(2).tolist()
    [[0.0, 6.0, 0.0, 0.0]]
    """
    p = expect_probability(p, who)
    single = n != 2  # three axes may be an image, or sequences: PyTorch takes them for these
    if x.ndim != n + 2 and not (single and x.ndim == n + 1):
        other = f" or (C, {_AXES[n]})." if single else ".\nWrite x[None] for one image, Dropout1d for sequences."
        raise ShapeError(f"{who} was given an input of shape {x.shape}. Expected (N, C, {_AXES[n]}){other}")
    if not training or not p:
        return x
    if p == 1:
        return ag.where(False, x, 0.0)
    return masked(x, _places(x, x.ndim - n), (generator or ag.random.default).seed(), 1 - p, 1 / (1 - p))


def dropout1d(
    x: Tensor, p: float = 0.5, training: bool = True, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """y[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p) for each channel; x itself unless `training`.

    Parameters are those of `dropout`. Shapes: (N, C, L), or (C, L).

    Raises:
        ArgumentError: if p is not between 0 and 1.
        ShapeError: for an input with other axes.

    >>> dropout1d(ag.ones((1, 4, 3)), generator=ag.random.Generator(1)).sum(2).tolist()
    [[0.0, 6.0, 0.0, 0.0]]
    """
    return channels_dropped(x, 1, p, training, generator, "dropout1d")


def dropout2d(
    x: Tensor, p: float = 0.5, training: bool = True, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """y[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p) for each channel; x itself unless `training`.

    Parameters are those of `dropout`. Shape: (N, C, H, W).

    Raises:
        ArgumentError: if p is not between 0 and 1.
        ShapeError: for an input with other axes.

    >>> dropout2d(ag.ones((1, 4, 2, 2)), generator=ag.random.Generator(1)).sum((2, 3)).tolist()
    [[0.0, 8.0, 0.0, 0.0]]
    """
    return channels_dropped(x, 2, p, training, generator, "dropout2d")


def dropout3d(
    x: Tensor, p: float = 0.5, training: bool = True, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """y[n, c] = x[n, c] m[n, c] / (1 - p), m ~ Bernoulli(1 - p) for each channel; x itself unless `training`.

    Parameters are those of `dropout`. Shapes: (N, C, D, H, W), or (C, D, H, W).

    Raises:
        ArgumentError: if p is not between 0 and 1.
        ShapeError: for an input with other axes.

    >>> dropout3d(ag.ones((1, 4, 1, 2, 2)), generator=ag.random.Generator(1)).sum((2, 3, 4)).tolist()
    [[0.0, 8.0, 0.0, 0.0]]
    """
    return channels_dropped(x, 3, p, training, generator, "dropout3d")


@ag.fused(smallest=1)
def _floored(x: Tensor, places: Tensor, seed: int, keep: float, gain: float, shift: float) -> Tensor:
    return ag.where(ag.uniform_like(places, seed) < keep, x, FLOOR) * gain + shift


def _alpha(x: Tensor, places: Tensor, p: float, generator: ag.random.Generator | None) -> Tensor:
    """What is dropped at SELU's floor, all of it scaled and shifted so that mean and variance stay."""
    if p == 1:
        return ag.where(False, x, 0.0)
    gain = 1 / math.sqrt((1 - p) * (1 + p * FLOOR**2))
    return _floored(x, places, (generator or ag.random.default).seed(), 1 - p, gain, -gain * p * FLOOR)


def alpha_dropout(
    x: Tensor, p: float = 0.5, training: bool = False, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """SELU's least value for each element with probability p, then mean and variance as before (Klambauer 2017).

    Parameters are those of `dropout`, but for `training`, which has to be asked for, as in PyTorch.

    Raises:
        ArgumentError: if p is not between 0 and 1.

    >>> y = alpha_dropout(ag.random.Generator(0).normal(size=10_000), training=True)
    >>> round(y.std().item(), 1)
    1.0
    """
    p = expect_probability(p, "alpha_dropout")
    return _alpha(x, x.detach(), p, generator) if training and p else x


def feature_alpha_dropout(
    x: Tensor, p: float = 0.5, training: bool = False, *, generator: ag.random.Generator | None = None
) -> Tensor:
    """`alpha_dropout` with one draw for each sample and channel: the first two axes of (N, C, ...).

    Raises:
        ArgumentError: if p is not between 0 and 1.
        ShapeError: for an input with fewer than two axes.

    >>> y = feature_alpha_dropout(ag.ones((9, 9, 3)), training=True)
    >>> bool(ag.all(y[..., 0] == y[..., 2]))
    True
    """
    p = expect_probability(p, "feature_alpha_dropout")
    if x.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout was given an input of shape {x.shape}. Expected (N, C, ...).")
    return _alpha(x, _places(x, 2), p, generator) if training and p else x
