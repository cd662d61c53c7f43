"""Rectifiers: the identity for positive x, something smaller below."""

from __future__ import annotations

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating
from nn.module import Module, Parameter

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # the fixed point of Klambauer et al. 2017


@ag.fused
def relu6(x: Tensor) -> Tensor:
    """min(max(x, 0), 6) (Krizhevsky 2010); its slope is 0 at 0 and 1 at 6.

    >>> relu6(ag.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """
    return ag.clip(ag.relu(x), max=6.0)


@ag.fused
def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, else negative_slope x (Maas et al. 2013); its slope at 0 is negative_slope.

    >>> leaky_relu(ag.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2, 3. ])
    """
    return ag.where(x > 0, x, negative_slope * x)


@ag.fused
def _with_slopes(x: Tensor, slopes: Tensor) -> Tensor:
    return ag.where(x > 0, x, slopes * x)


def prelu(x: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, else w x, with a learned slope w (He et al. 2015); its slope at 0 is w.

    Parameters:
        x: (N, C, ...), or any shape for a single slope.
        weight: w of shape (1,), or (C,) for a slope for each channel.

    Raises:
        ShapeError: if the weight is neither.

    >>> prelu(ag.tensor([[-2.0, -2.0, 3.0]]), ag.tensor([0.5, 0.1, 0.1]))
    tensor([[-1. , -0.2, 3. ]])
    """
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeError(
            f"prelu was given a weight of shape {weight.shape} for an input of shape {x.shape}. "
            f"Expected (1,){f' or ({channels},)' if channels > 1 else ''}."
        )
    expect_floating(x, "prelu")
    return _with_slopes(x, ag.reshape(weight, (1, -1, *(1,) * (x.ndim - 2)) if x.ndim > 1 else (1,) * x.ndim))


def rrelu(
    x: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    generator: ag.random.Generator | None = None,
) -> Tensor:
    """x where x > 0, else a x, with a ~ U(lower, upper) for each element in training (Xu et al. 2015).

    Otherwise a = (lower + upper) / 2. The slope at 0 is a.

    Parameters:
        x: any shape.
        lower, upper: the range of a.
        training: whether a is drawn.
        generator: where it comes from; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: if lower is above upper.

    >>> rrelu(ag.tensor([-2.0, 3.0]), 0.25, 0.75)
    tensor([-1., 3.])
    """
    _expect_range(lower, upper, "rrelu")
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    expect_floating(x, "rrelu")
    return _with_slopes(x, (generator or ag.random.default).uniform(lower, upper, x.shape, x.dtype))


def _expect_range(lower: float, upper: float, who: str) -> None:
    if lower > upper:
        raise ArgumentError(f"{who} was given lower={lower} and upper={upper}. Expected lower <= upper.")


@ag.fused
def threshold(x: Tensor, threshold: float, value: float) -> Tensor:
    """x where x > threshold, else value; its slope at the threshold is 0.

    >>> threshold(ag.tensor([0.5, 2.0]), 1.0, -3.0)
    tensor([-3., 2.])
    """
    return ag.where(x <= threshold, value, x)


@ag.fused
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (e^x - 1) (Clevert et al. 2015); its slope at 0 is alpha.

    >>> elu(ag.tensor([-1e4, 3.0]))
    tensor([-1., 3.])
    """
    return ag.where(x > 0, x, alpha * ag.expm1(ag.clip(x, max=0.0)))


@ag.fused
def selu(x: Tensor) -> Tensor:
    """scale x where x > 0, else scale alpha (e^x - 1) (Klambauer et al. 2017); its slope at 0 is scale alpha.

    scale = 1.0507... and alpha = 1.6732... keep mean 0 and variance 1 from layer to layer.

    >>> selu(ag.tensor([0.0, 1.0]))
    tensor([0. , 1.05070099])
    """
    return ag.where(x > 0, SELU_SCALE * x, SELU_SCALE * SELU_ALPHA * ag.expm1(ag.clip(x, max=0.0)))


def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, else alpha (e^(x / alpha) - 1) (Barron 2017); its slope at 0 is 1.

    Raises:
        ArgumentError: if alpha is not positive.

    >>> celu(ag.tensor([-1e4, 3.0]), 2.0)
    tensor([-2., 3.])
    """
    _expect_positive(alpha, "celu")
    return _celu(x, alpha)


@ag.fused
def _celu(x: Tensor, alpha: float) -> Tensor:
    return ag.where(x > 0, x, alpha * ag.expm1(ag.clip(x, max=0.0) / alpha))


def _expect_positive(alpha: float, who: str) -> None:
    if not alpha > 0:
        raise ArgumentError(f"{who} was given alpha={alpha}. Expected a positive number.")


class ReLU(Module):
    """max(x, 0); its slope at 0 is 0.

    >>> ReLU()(ag.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return ag.relu(x)


class ReLU6(Module):
    """See `nn.functional.relu6`.

    >>> ReLU6()(ag.tensor([-1.0, 2.0, 9.0]))
    tensor([0., 2., 6.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return relu6(x)


class LeakyReLU(Module):
    """See `nn.functional.leaky_relu`.

    >>> LeakyReLU(0.5)(ag.tensor([-1.0, 2.0]))
    tensor([-0.5, 2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """The slope."""
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """See `nn.functional.prelu`.

    Parameters:
        num_parameters: 1, or C for a slope for each channel.
        init: what the slopes start at.
        dtype: of the slopes.

    Attributes:
        weight: (num_parameters,). Weight decay would pull it towards a plain ReLU.

    Raises:
        ArgumentError: if num_parameters is not positive.
        ShapeError: if there are several slopes, and the input has another number of channels.

    He et al., "Delving deep into rectifiers", 2015.

    >>> PReLU()(ag.tensor([-4.0, 3.0])).detach()
    tensor([-1., 3.])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: DTypeLike = "float32") -> None:
        if num_parameters < 1:
            raise ArgumentError(
                f"PReLU was given num_parameters={num_parameters}. Expected 1, or one for each channel."
            )
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(ag.full(num_parameters, init, dtype))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...), or any shape for a single slope."""
        return prelu(x, self.weight)

    def extra_repr(self) -> str:
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class RReLU(Module):
    """See `nn.functional.rrelu`.

    Parameters:
        lower, upper: the range of the slopes.
        generator: where they come from in training; the default stream of `ag.random` for None.

    Raises:
        ArgumentError: if lower is above upper.

    Xu et al., "Empirical evaluation of rectified activations in convolutional network", 2015.

    >>> RReLU(0.25, 0.75).eval()(ag.tensor([-2.0, 3.0]))
    tensor([-1., 3.])
    """

    def __init__(
        self, lower: float = 1 / 8, upper: float = 1 / 3, *, generator: ag.random.Generator | None = None
    ) -> None:
        _expect_range(lower, upper, "RReLU")
        self.lower, self.upper, self.generator = lower, upper, generator

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return rrelu(x, self.lower, self.upper, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        """The range."""
        return f"lower={self.lower}, upper={self.upper}"


class Threshold(Module):
    """See `nn.functional.threshold`.

    >>> Threshold(1.0, -3.0)(ag.tensor([0.5, 2.0]))
    tensor([-3., 2.])
    """

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold, self.value = threshold, value

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        """Where, and what below."""
        return f"threshold={self.threshold}, value={self.value}"


class ELU(Module):
    """See `nn.functional.elu`.

    >>> ELU()(ag.tensor([-1e4, 3.0]))
    tensor([-1., 3.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return elu(x, self.alpha)

    def extra_repr(self) -> str:
        """The depth."""
        return f"alpha={self.alpha}"


class SELU(Module):
    """See `nn.functional.selu`.

    >>> SELU()(ag.tensor([0.0, 1.0]))
    tensor([0. , 1.05070099])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return selu(x)


class CELU(Module):
    """See `nn.functional.celu`.

    >>> CELU(2.0)(ag.tensor([-1e4, 3.0]))
    tensor([-2., 3.])
    """

    def __init__(self, alpha: float = 1.0) -> None:
        _expect_positive(alpha, "CELU")
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return celu(x, self.alpha)

    def extra_repr(self) -> str:
        """The depth."""
        return f"alpha={self.alpha}"
