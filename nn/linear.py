"""Affine maps, and what changes nothing but shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from nn import init
from nn.module import Module, Parameter


def expect_floating(x: Any, who: object) -> None:
    """Refuse whole numbers, which NumPy's promotion would turn into float64.

    Raises:
        DTypeError: if x is not floating.

    >>> expect_floating(ag.ones(2), "linear")
    """
    if x.dtype.kind != "f":
        raise DTypeError(f"{who} was given an input of dtype {x.dtype}. Write x.astype('float32').")


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x W^T + b.

    Parameters:
        x: (..., in_features).
        weight: (out_features, in_features).
        bias: (out_features,).

    Raises:
        ShapeError: if the last axis of x is not as long as that of the weight.

    >>> linear(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0]]), ag.tensor([0.5]))
    tensor([[11.5]])
    """
    return ag.inner(x, weight) if bias is None else ag.affine(x, weight, bias)


def bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y_k = x1^T A_k x2 + b_k.

    Parameters:
        x1: (..., in1_features).
        x2: (..., in2_features), the other axes those of x1.
        weight: A, (out_features, in1_features, in2_features).
        bias: (out_features,).

    Raises:
        ShapeError: if the shapes do not fit.

    >>> bilinear(ag.tensor([1.0, 2.0]), ag.tensor([10.0]), ag.tensor([[[3.0], [4.0]]]))
    tensor([110.])
    """
    return _bilinear(x1, x2, weight, bias, "bilinear")


def _bilinear(x1: Tensor, x2: Tensor, weight: Tensor, bias: Tensor | None, who: object) -> Tensor:
    if weight.ndim != 3:
        raise ShapeError(
            f"{who} was given a weight of shape {weight.shape}. Expected (out_features, in1_features, in2_features)."
        )
    outputs, first, second = weight.shape
    if not x1.ndim or not x2.ndim or (x1.shape[-1], x2.shape[-1], x1.shape[:-1]) != (first, second, x2.shape[:-1]):
        raise ShapeError(
            f"{who} was given inputs of shapes {x1.shape} and {x2.shape}. Expected (..., {first}) and (..., {second}), "
            "alike before the last axis.\nWrite ag.broadcast_to if one of them is to serve every row of the other."
        )
    expect_floating(x1, who)
    expect_floating(x2, who)
    # one product for all outputs: x1^T A for each, then the product with x2
    columns = ag.reshape(ag.permute_dims(weight, (1, 0, 2)), (first, outputs * second))
    part = ag.reshape(ag.matmul(x1, columns), (*x1.shape[:-1], outputs, second))
    y = ag.squeeze(ag.matmul(part, ag.expand_dims(x2, -1)), -1)
    return y if bias is None else y + bias


class Linear(Module):
    """y = x W^T + b, on the last axis of x.

    W and b start uniform in [-1 / sqrt(in_features), 1 / sqrt(in_features)), as in PyTorch.

    Parameters:
        in_features, out_features: the lengths of the last axis of x and y.
        bias: whether there is a b.
        dtype: of W and b.
        generator: where the starting values come from.

    Attributes:
        weight: (out_features, in_features).
        bias: (out_features,), or None.

    Raises:
        ArgumentError: if a number of features is not positive.
        ShapeError: if x does not end in `in_features`.

    >>> layer = Linear(3, 2)
    >>> layer(ag.ones((5, 3), dtype="float32")).shape
    (5, 2)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        if min(in_features, out_features) < 1:
            raise ArgumentError(
                f"Linear was given {in_features} and {out_features} features. Expected at least 1 each."
            )
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features)
        self.weight = Parameter(ag.zeros((out_features, in_features), dtype))
        init.uniform_(self.weight, -bound, bound, generator=generator)
        self.bias = Parameter(ag.zeros(out_features, dtype)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        if not x.ndim or x.shape[-1] != self.in_features:
            last = x.shape[-1] if x.ndim else 1
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}. Expected (..., {self.in_features}).\n"
                f"Write Linear({last}, {self.out_features}), or x.reshape(len(x), -1) if axes are to be joined."
            )
        expect_floating(x, self)
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """y_k = x1^T A_k x2 + b_k, on the last axes of x1 and x2.

    A and b start uniform in [-1 / sqrt(in1_features), 1 / sqrt(in1_features)), as in PyTorch.

    Parameters:
        in1_features, in2_features, out_features: the lengths of the last axis of x1, x2 and y.
        bias: whether there is a b.
        dtype: of A and b.
        generator: where the starting values come from.

    Attributes:
        weight: A, (out_features, in1_features, in2_features).
        bias: (out_features,), or None.

    Raises:
        ArgumentError: if a number of features is not positive.
        ShapeError: if the inputs do not end in so many features, or differ before them.

    >>> Bilinear(3, 4, 2)(ag.ones((5, 3), dtype="float32"), ag.ones((5, 4), dtype="float32")).shape
    (5, 2)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        features = (in1_features, in2_features, out_features)
        if min(features) < 1:
            raise ArgumentError(f"Bilinear was given {features} features. Expected at least 1 each.")
        self.in1_features, self.in2_features, self.out_features = features
        bound = 1 / math.sqrt(in1_features)
        self.weight = Parameter(ag.zeros((out_features, in1_features, in2_features), dtype))
        init.uniform_(self.weight, -bound, bound, generator=generator)
        self.bias = Parameter(ag.zeros(out_features, dtype)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound, generator=generator)

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """(..., in1_features) and (..., in2_features) to (..., out_features)."""
        return _bilinear(x1, x2, self.weight, self.bias, self)

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class Flatten(Module):
    """Axes start_dim to end_dim joined into one: all but the first, the batch's, unless told otherwise.

    >>> Flatten()(ag.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Tensor) -> Tensor:
        """(n, a, b, ...) to (n, a b ...)."""
        return ag.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """The axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Axis `dim` taken apart into axes of the given lengths, of which one may be -1.

    Raises:
        ArgumentError: if the lengths are not positive, or more than one of them is -1.
        ShapeError: if their product is not the length of the axis.

    >>> Unflatten(1, (3, -1))(ag.ones((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        lengths = tuple(unflattened_size)
        if not lengths or lengths.count(-1) > 1 or any(n < 1 and n != -1 for n in lengths):
            raise ArgumentError(
                f"Unflatten was given unflattened_size={lengths}. Expected positive lengths, of which one may be -1."
            )
        self.dim, self.unflattened_size = dim, lengths

    def forward(self, x: Tensor) -> Tensor:
        """(..., a b, ...) to (..., a, b, ...)."""
        if not -x.ndim <= self.dim < x.ndim:
            raise IndexOutOfRange(f"{self!r} was given an input of shape {x.shape}, which has no axis {self.dim}.")
        k, lengths = self.dim % x.ndim, self.unflattened_size
        known = math.prod(n for n in lengths if n != -1)
        if x.shape[k] % known or (-1 not in lengths and x.shape[k] != known):
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}: {x.shape[k]} along axis {k}. "
                f"Expected {'a multiple of ' if -1 in lengths else ''}{known}."
            )
        lengths = tuple(x.shape[k] // known if n == -1 else n for n in lengths)
        return ag.reshape(x, (*x.shape[:k], *lengths, *x.shape[k + 1 :]))

    def extra_repr(self) -> str:
        """The axis and the lengths."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """x itself: a place to put a layer later.

    >>> Identity()(ag.tensor(2.0))
    tensor(2.)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Any x to itself."""
        return x
