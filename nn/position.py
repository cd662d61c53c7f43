"""Positions: what tells attention, which is blind to order, where in a sequence an element stands."""

from __future__ import annotations

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.dropout import dropout, expect_probability
from nn.linear import expect_floating
from nn.module import Module, Parameter


def angles(length: int, dim: int, base: float = 10000.0, first: int = 0) -> Tensor:
    """p / base^(2 i / dim), for the positions p from `first` on and the pairs i of elements: (length, ceil(dim / 2)).

    >>> angles(2, 4)
    tensor([[0.  , 0.  ],
            [1.  , 0.01]])
    """
    frequencies = base ** -(ag.arange(0, dim, 2, dtype="float64") / dim)
    return ag.outer(ag.arange(first, first + length, dtype="float64"), frequencies)


def sinusoids(length: int, dim: int) -> Tensor:
    """PE(p, 2i) = sin(p / 10000^(2i / dim)), PE(p, 2i + 1) = cos(p / 10000^(2i / dim)): Vaswani et al. 2017, 3.5.

    >>> sinusoids(1, 4)
    tensor([[0., 1., 0., 1.]])
    """
    turns = angles(length, dim)
    return ag.reshape(ag.stack([ag.sin(turns), ag.cos(turns)], -1), (length, -1))[:, :dim]


class _Positions(Module):
    """Rows of a table, one for each position, added to the input."""

    def __init__(
        self, d_model: int, max_len: int, dropout: float, batch_first: bool, generator: ag.random.Generator | None
    ) -> None:
        who = type(self).__name__
        if min(d_model, max_len) < 1:
            raise ArgumentError(f"{who} was given d_model={d_model} and max_len={max_len}. Expected at least 1 each.")
        self.d_model, self.max_len, self.batch_first = d_model, max_len, batch_first
        self.dropout, self.generator = expect_probability(dropout, who), generator

    def table(self) -> Tensor:
        """(max_len, d_model)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """(L, N, d_model), or (N, L, d_model) if batch_first, or (L, d_model), to the same shape."""
        if x.ndim not in (2, 3) or x.shape[-1] != self.d_model:
            axes = f"(N, L, {self.d_model})" if self.batch_first else f"(L, N, {self.d_model})"
            raise ShapeError(f"{self!r} was given shape {x.shape}. Expected {axes} or (L, {self.d_model}).")
        expect_floating(x, self)
        axis = x.ndim - 2 if self.batch_first else 0
        length = x.shape[axis]
        if length > self.max_len:
            raise ShapeError(
                f"{self!r} was given {length} positions. Expected at most {self.max_len}: write max_len={length}, or "
                f"batch_first={not self.batch_first} if axis {x.ndim - 2 - axis} is that of the positions."
            )
        rows = self.table()[:length].astype(x.dtype)
        y = x + (rows if axis == x.ndim - 2 else ag.expand_dims(rows, 1))
        return dropout(y, self.dropout, self.training, generator=self.generator)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"d_model={self.d_model}, max_len={self.max_len}, batch_first={self.batch_first}"


class PositionalEncoding(_Positions):
    """y = dropout(x + PE), PE(p, 2i) = sin(p / 10000^(2i / d)), PE(p, 2i + 1) = cos(p / 10000^(2i / d)).

    Vaswani et al. 2017, "Attention is all you need", section 3.5. It has no parameters and no state.

    Parameters:
        d_model: d, the length of the last axis.
        max_len: how many positions there are at most.
        dropout: the share of elements set to 0 while training.
        batch_first: whether inputs are (N, L, d) rather than (L, N, d).
        generator: where dropout comes from.

    Raises:
        ArgumentError: if a size is not positive, or `dropout` not a probability.
        ShapeError: if the input has another rank or last axis, or more than `max_len` positions.

    >>> PositionalEncoding(2, batch_first=True)(ag.zeros((1, 2, 2)))[0, 0]
    tensor([0., 1.])
    """

    def __init__(
        self,
        d_model: int,
        max_len: int = 5000,
        dropout: float = 0.0,
        batch_first: bool = False,
        *,
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first, generator)
        self._waves = sinusoids(max_len, d_model)

    def table(self) -> Tensor:
        """PE."""
        return self._waves


class LearnedPositionalEncoding(_Positions):
    """y = dropout(x + W[:L]), a learned row for each position (Gehring et al. 2017; Devlin et al. 2018).

    W starts Gaussian with deviation 0.02.

    Parameters:
        d_model: the length of the last axis.
        max_len: how many positions there are at most.
        dropout: the share of elements set to 0 while training.
        batch_first: whether inputs are (N, L, d_model) rather than (L, N, d_model).
        dtype: of W.
        generator: where W's starting values and dropout come from.

    Attributes:
        weight: W, (max_len, d_model).

    Raises:
        ArgumentError: if a size is not positive, or `dropout` not a probability.
        ShapeError: if the input has another rank or last axis, or more than `max_len` positions.

    >>> LearnedPositionalEncoding(2, 8)(ag.zeros((3, 1, 2), dtype="float32")).shape
    (3, 1, 2)
    """

    def __init__(
        self,
        d_model: int,
        max_len: int,
        dropout: float = 0.0,
        batch_first: bool = False,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(d_model, max_len, dropout, batch_first, generator)
        self.weight = Parameter(ag.zeros((max_len, d_model), dtype))
        init.normal_(self.weight, std=0.02, generator=generator)

    def table(self) -> Tensor:
        """W."""
        return self.weight


class RotaryEmbedding(Module):
    """Each pair (a, b) of elements turned by an angle t of its position: (a cos t - b sin t, a sin t + b cos t).

    t = p / base^(2i / dim) for pair i at position p, so that q k^T depends on the distance of positions alone: Su et
    al. 2021, "RoFormer", equation 34. For queries and keys before `scaled_dot_product_attention`.

    Parameters:
        dim: the length of the last axis, even.
        base: what sets the slowest turn.
        interleaved: whether elements 2i and 2i + 1 are a pair, as in the paper, rather than i and i + dim / 2.

    Raises:
        ArgumentError: if `dim` is not even and positive, or `base` not positive.
        ShapeError: if the input does not end in (L, dim).

    >>> RotaryEmbedding(2)(ag.tensor([[1.0, 0.0], [1.0, 0.0]]))
    tensor([[1.        , 0.        ],
            [0.54030231, 0.84147098]])
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = True) -> None:
        if dim < 2 or dim % 2 or not base > 0:
            raise ArgumentError(
                f"RotaryEmbedding was given dim={dim} and base={base}. Expected an even length and a base above 0."
            )
        self.dim, self.base, self.interleaved = dim, base, interleaved

    def forward(self, x: Tensor, offset: int = 0) -> Tensor:
        """(..., L, dim) to the same shape; the first row has position `offset`."""
        if x.ndim < 2 or x.shape[-1] != self.dim:
            raise ShapeError(f"{self!r} was given shape {x.shape}. Expected (..., L, {self.dim}).")
        expect_floating(x, self)
        turns = angles(x.shape[-2], self.dim, self.base, offset)
        cos, sin = ag.cos(turns).astype(x.dtype), ag.sin(turns).astype(x.dtype)
        half = self.dim // 2
        if not self.interleaved:
            a, b = x[..., :half], x[..., half:]
            return ag.concat([a * cos - b * sin, a * sin + b * cos], -1)
        a, b = x[..., ::2], x[..., 1::2]
        return ag.reshape(ag.stack([a * cos - b * sin, a * sin + b * cos], -1), x.shape)

    def extra_repr(self) -> str:
        """The length, the base and how pairs are made."""
        return f"dim={self.dim}, base={self.base}, interleaved={self.interleaved}"
