"""Initial values of parameters, filled in place off the tape: PyTorch's names.

For a weight of shape (out, in, *receptive field) of m elements per (out, in) pair, fan_in = in m and fan_out = out m.
Random numbers come from `generator`, by default the stream that `ag.random.seed` sets. What is filled is returned.
"""

from __future__ import annotations

import math

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError

Generator = ag.random.Generator


def _filled(tensor: Tensor, values: Tensor) -> Tensor:
    with ag.no_grad():
        return tensor.copy_(values)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere.

    >>> zeros_(ag.ones(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere.

    >>> ones_(ag.zeros(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """`val` everywhere.

    >>> constant_(ag.zeros(2), 0.5)
    tensor([0.5, 0.5])
    """
    with ag.no_grad():
        return tensor.fill_(val)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Uniform in [a, b).

    >>> bool(ag.all(uniform_(ag.zeros(9), 2.0, 3.0) >= 2))
    True
    """
    return _filled(tensor, (generator or ag.random.default).uniform(a, b, tensor.shape, tensor.dtype))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Gaussian with the given mean and standard deviation.

    >>> normal_(ag.zeros(3), 5.0, 0.0)
    tensor([5., 5., 5.])
    """
    return _filled(tensor, (generator or ag.random.default).normal(mean, std, tensor.shape, tensor.dtype))


def _fans(tensor: Tensor, name: str) -> tuple[int, int]:
    """fan_in and fan_out."""
    if tensor.ndim < 2 or not tensor.size:
        raise ShapeError(
            f"{name} was given shape {tensor.shape}, which has no fan_in. Expected (out, in, ...), none of them 0. "
            "Write zeros_ or uniform_ for a bias."
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance of activations the same behind a nonlinearity (He et al. 2015 for ReLU).

    1 for "linear", "conv2d" and "sigmoid", 5/3 for "tanh", sqrt(2) for "relu", sqrt(2 / (1 + slope^2)) for
    "leaky_relu" with slope `param` (0.01 if None), 3/4 for "selu".

    Raises:
        ArgumentError: for another name.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    slope = 0.01 if param is None else param
    gains = {
        **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d", "sigmoid"), 1.0),
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ArgumentError(f"calculate_gain was given {nonlinearity!r}. Expected one of: {', '.join(gains)}.")
    return gains[nonlinearity]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """U(-b, b) with b = gain sqrt(6 / (fan_in + fan_out)): Glorot & Bengio 2010, equation 16.

    >>> xavier_uniform_(ag.zeros((2, 4))).max().item() <= 1.0
    True
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor, "xavier_uniform_")))
    return uniform_(tensor, -bound, bound, generator=generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """N(0, s^2) with s = gain sqrt(2 / (fan_in + fan_out)): Glorot & Bengio 2010.

    >>> xavier_normal_(ag.zeros((2, 4)), gain=0.0).max().item()
    0.0
    """
    std = gain * math.sqrt(2 / sum(_fans(tensor, "xavier_normal_")))
    return normal_(tensor, 0.0, std, generator=generator)


def _he_std(tensor: Tensor, a: float, mode: str, nonlinearity: str, name: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{name} was given mode={mode!r}. Expected 'fan_in' or 'fan_out'.")
    fan = _fans(tensor, name)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    generator: Generator | None = None,
) -> Tensor:
    """U(-b, b) with b = gain sqrt(3 / fan), the gain that of a (leaky) ReLU of slope `a`: He et al. 2015.

    >>> kaiming_uniform_(ag.zeros((2, 6)), nonlinearity="relu").max().item() <= 1.0
    True
    """
    bound = math.sqrt(3) * _he_std(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, generator=generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    generator: Generator | None = None,
) -> Tensor:
    """N(0, s^2) with s = gain / sqrt(fan), the gain that of a (leaky) ReLU of slope `a`: He et al. 2015.

    >>> kaiming_normal_(ag.zeros((2, 6)), mode="fan_out").shape
    (2, 6)
    """
    return normal_(tensor, 0.0, _he_std(tensor, a, mode, nonlinearity, "kaiming_normal_"), generator=generator)


def lecun_uniform_(tensor: Tensor, *, generator: Generator | None = None) -> Tensor:
    """U(-b, b) with b = sqrt(3 / fan_in), which has variance 1 / fan_in: LeCun et al. 1998, "Efficient BackProp", 4.6.

    >>> lecun_uniform_(ag.zeros((2, 3))).max().item() <= 1.0
    True
    """
    bound = math.sqrt(3 / _fans(tensor, "lecun_uniform_")[0])
    return uniform_(tensor, -bound, bound, generator=generator)


def lecun_normal_(tensor: Tensor, *, generator: Generator | None = None) -> Tensor:
    """N(0, 1 / fan_in): LeCun et al. 1998, "Efficient BackProp", 4.6.

    >>> lecun_normal_(ag.zeros((2, 3))).shape
    (2, 3)
    """
    return normal_(tensor, 0.0, 1 / math.sqrt(_fans(tensor, "lecun_normal_")[0]), generator=generator)


def orthogonal_(tensor: Tensor, gain: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """gain Q, where Q, as a matrix of shape (out, everything else), has orthonormal rows or columns: Saxe et al. 2013.

    >>> w = orthogonal_(ag.zeros((3, 3)))
    >>> bool(ag.all(ag.abs(w @ w.mT - ag.eye(3)) < 1e-12))
    True
    """
    _fans(tensor, "orthogonal_")
    rows, columns = tensor.shape[0], tensor.size // tensor.shape[0]
    draw = (generator or ag.random.default).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw.numpy())
    q = q * np.sign(np.diagonal(r))  # makes Q unique, and so uniformly distributed
    return _filled(tensor, ag.asarray(gain * (q if rows >= columns else q.T)).reshape(tensor.shape))
