"""Initial values of parameters, filled in place off the tape: PyTorch's names.

For a weight of shape (out, in, *receptive field) of m elements per (out, in) pair, fan_in = in m and fan_out = out m.
Random numbers come from `generator`, by default the stream that `ag.random.seed` sets. What is filled is returned.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.generators import stream_of
from nn.pretrained import from_pretrained as from_pretrained

Generator = ag.random.Generator
_CONVOLUTIONS = [f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3)]


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
    return _filled(tensor, stream_of(generator, "uniform_").uniform(a, b, tensor.shape, tensor.dtype))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Gaussian with the given mean and standard deviation.

    >>> normal_(ag.zeros(3), 5.0, 0.0)
    tensor([5., 5., 5.])
    """
    return _filled(tensor, stream_of(generator, "normal_").normal(mean, std, tensor.shape, tensor.dtype))


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Gaussian with the given mean and standard deviation, on condition that it lies in [a, b].

    With u uniform between Phi((a - mean) / std) and Phi((b - mean) / std): mean + std Phi^-1(u), Phi the Gaussian's
    cumulative distribution.

    Raises:
        ArgumentError: if a is not below b, or std is not positive.

    >>> w = trunc_normal_(ag.zeros(100), std=5.0)
    >>> bool(ag.all(ag.abs(w) <= 2.0))
    True
    """
    if not (a < b and std > 0):
        raise ArgumentError(f"trunc_normal_ was given a={a}, b={b} and std={std}. Expected a < b and std > 0.")
    low, high = (a - mean) / std, (b - mean) / std
    side = -1 if low > 0 else 1  # in the upper tail Phi is 1 and tells nothing apart: take its mirror image
    first, last = sorted(float(scipy.special.ndtr(side * end)) for end in (low, high))
    u = stream_of(generator, "trunc_normal_").uniform(first, last, tensor.shape)
    z = np.clip(side * scipy.special.ndtri(u.numpy()), low, high)
    return _filled(tensor, ag.asarray(mean + std * z))


def eye_(tensor: Tensor) -> Tensor:
    """1 on the diagonal, else 0.

    Raises:
        ShapeError: unless it is a matrix.

    >>> eye_(ag.zeros((2, 3)))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ was given shape {tensor.shape}. Expected a matrix; write dirac_ for a convolution.")
    return _filled(tensor, ag.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight that hands each channel on: 1 at the centre of the kernel where output is input, else 0.

    Parameters:
        tensor: (out, in / groups, kernel ...) of 1 to 3 axes of the kernel; outputs beyond the inputs are 0.
        groups: as many times the same, each for its share of the outputs.

    Raises:
        ShapeError: for another rank.
        ArgumentError: if the groups do not divide the outputs.

    >>> dirac_(ag.zeros((2, 2, 3)))
    tensor([[[0., 1., 0.],
             [0., 0., 0.]],
            [[0., 0., 0.],
             [0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_ was given shape {tensor.shape}. Expected (out, in, kernel ...) of 3 to 5 axes.")
    if groups < 1 or tensor.shape[0] % groups:
        raise ArgumentError(f"dirac_ was given groups={groups} for {tensor.shape[0]} outputs. Expected a divisor.")
    share = tensor.shape[0] // groups
    centre: Any = (slice(None), *(n // 2 for n in tensor.shape[2:]))
    values = np.zeros(tensor.shape)
    by_place = values.reshape(groups, share, tensor.shape[1], *tensor.shape[2:])
    for k in range(min(share, tensor.shape[1])):
        by_place[:, k, k][centre] = 1
    return _filled(tensor, ag.asarray(values))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, *, generator: Generator | None = None) -> Tensor:
    """Gaussian with standard deviation `std`, but for a share `sparsity` of each column, rounded up: 0. Martens 2010.

    Raises:
        ShapeError: unless it is a matrix.
        ArgumentError: if sparsity is not between 0 and 1.

    >>> w = sparse_(ag.zeros((10, 3)), sparsity=0.75)
    >>> ag.sum(w == 0, 0)
    tensor([8, 8, 8])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_ was given shape {tensor.shape}. Expected a matrix.")
    if not 0 <= sparsity <= 1:
        raise ArgumentError(f"sparse_ was given sparsity={sparsity}. Expected the share of zeros, 0 to 1.")
    rows, stream = tensor.shape[0], stream_of(generator, "sparse_")
    values = np.array(stream.normal(0.0, std, tensor.shape))
    order = np.argsort(stream.random(tensor.shape).numpy(), axis=0)  # each column's rows in a random order of its own
    np.put_along_axis(values, order[: math.ceil(sparsity * rows)], 0.0, axis=0)
    return _filled(tensor, ag.asarray(values))


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

    1 for "linear", "sigmoid" and convolutions ("conv2d", "conv_transpose2d", ...), 5/3 for "tanh", sqrt(2) for "relu",
    sqrt(2 / (1 + slope^2)) for "leaky_relu" with slope `param` (0.01 if None), 3/4 for "selu".

    Raises:
        ArgumentError: for another name.

    >>> calculate_gain("leaky_relu", 1.0)
    1.0
    """
    slope = 0.01 if param is None else param
    gains = {
        **dict.fromkeys(("linear", *_CONVOLUTIONS, "sigmoid"), 1.0),
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
    draw = stream_of(generator, "orthogonal_").normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draw.numpy())
    q = q * np.sign(np.diagonal(r))  # makes Q unique, and so uniformly distributed
    return _filled(tensor, ag.asarray(gain * (q if rows >= columns else q.T)).reshape(tensor.shape))
