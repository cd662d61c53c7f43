"""Attention: for each query the mean of the values, weighted by how well their keys match it (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.dropout import expect_probability
from nn.linear import Linear, expect_floating, linear
from nn.losses import Array
from nn.masks import Forms, both, kept, lengthened, mask_over, up_to
from nn.module import Module, Parameter
from nn.scores import Weighing, attend, weights_of


def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    generator: ag.random.Generator | None = None,
) -> Tensor:
    """softmax(scale q k^T + mask) v.

    Parameters:
        query: (..., L, E); key: (..., S, E); value: (..., S, Ev). Leading axes broadcast.
        attn_mask: broadcasts to (..., L, S): True where a key takes part, or numbers added to the scaled scores.
        dropout_p: the share of weights set to 0, whenever it is called: give 0 outside training.
        is_causal: whether query i sees the keys 0 to i only; what `attn_mask` forbids it does not see either.
        scale: 1 / sqrt(E) if None.
        enable_gqa: whether query may have a multiple of the heads, axis -3, that key and value have: each of theirs
            then serves that many in a row (Ainslie et al. 2023).
        generator: where dropout's random numbers come from.

    Returns:
        (..., L, Ev). A query that all keys are masked for, or that has none, gets zeros. Millions of scores are made in
        blocks of queries where that is faster. Memory is then linear in L and in S, without a gradient; with one, from
        16 million scores on, of which each block is then made again in the backward pass.

    Raises:
        ShapeError: if the shapes do not fit each other.
        DTypeError: if q, k or v is not floating, or the mask is neither boolean nor floating.
        ArgumentError: if `dropout_p` is not a probability.

    >>> k = ag.tensor([[9.0, 0.0], [0.0, 9.0]])
    >>> scaled_dot_product_attention(k, k, ag.tensor([[1.0], [2.0]]), is_causal=True).shape
    (2, 1)
    """
    who = "scaled_dot_product_attention"
    q, k, v = (ag.asarray(x) for x in (query, key, value))
    for x in (q, k, v):
        expect_floating(x, who)
    expect_probability(dropout_p, who)
    shape = _shape_of_scores(q, k, v, enable_gqa)
    if enable_gqa and q.shape[-3] != k.shape[-3]:
        k, v = (ag.repeat(x, q.shape[-3] // x.shape[-3], -3) for x in (k, v))
    mask = None
    if attn_mask is not None:
        mask, q = mask_over(attn_mask, shape, q.dtype), ag.broadcast_to(q, (*shape[:-1], q.shape[-1]))
    factor = 1 / math.sqrt(max(1, q.shape[-1])) if scale is None else float(scale)
    return attend(q, k, v, Weighing(mask, is_causal, factor, dropout_p, generator))


def _shape_of_scores(q: Tensor, k: Tensor, v: Tensor, grouped: bool) -> tuple[int, ...]:
    """(..., L, S), once the shapes are known to fit."""
    given = (
        f"scaled_dot_product_attention was given a query of shape {q.shape}, a key of shape {k.shape} and a value of "
        f"shape {v.shape}.\nExpected "
    )
    axes = 3 if grouped else 2
    if min(q.ndim, k.ndim, v.ndim) < axes or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        heads = "H, " * grouped
        raise ShapeError(f"{given}(..., {heads}L, E), (..., {heads}S, E) and (..., {heads}S, Ev).")
    if grouped and (k.shape[-3] != v.shape[-3] or q.shape[-3] % max(1, k.shape[-3])):
        raise ShapeError(f"{given}as many heads (axis -3) in key as in value, and a multiple of them in query.")
    batches = [x.shape[:-axes] for x in (q, k, v)]
    try:
        batch = np.broadcast_shapes(*batches)
    except ValueError:
        raise ShapeError(
            f"{given}leading axes that are equal or 1. If only the numbers of heads differ, write enable_gqa=True."
        ) from None
    return (*batch, *q.shape[-axes:-1], k.shape[-2])


class MultiheadAttention(Module):
    """concat(head_1, ..., head_h) W^O, head_i = softmax(q W_i^Q (k W_i^K)^T / sqrt(d) + mask) v W_i^V, d = E / h.

    Vaswani et al. 2017, section 3.2.2. The stacked W^Q, W^K, W^V start Xavier-uniform, W^O uniform in
    +-1 / sqrt(E), biases at 0, as in PyTorch.

    Parameters:
        embed_dim: E, the length of queries and outputs.
        num_heads: h, which divides E.
        dropout: the share of weights set to 0 while training.
        bias: whether the four maps have a bias.
        add_bias_kv: whether a learned key and value stand behind those given.
        add_zero_attn: whether a key and value of zeros do.
        kdim, vdim: the lengths of keys and values; E for None.
        batch_first: whether inputs are (N, L, E) rather than (L, N, E).
        dtype: of the parameters.
        generator: where starting values and dropout come from.

    Attributes:
        in_proj_weight: (3 E, E): W^Q, W^K, W^V; if keys or values have another length, `q_proj_weight`,
            `k_proj_weight` and `v_proj_weight` instead: (E, E), (E, kdim), (E, vdim).
        in_proj_bias: (3 E,), or None.
        bias_k, bias_v: (1, 1, E), or None.
        out_proj: the map W^O.

    Raises:
        ArgumentError: if the heads do not divide E, or a length is not positive.
        ShapeError: if the inputs or the masks do not fit; inputs may have no axis N.
        DTypeError: if a mask is neither boolean nor floating.

    >>> layer = MultiheadAttention(8, 2, batch_first=True)
    >>> x = ag.ones((5, 3, 8), dtype="float32")
    >>> y, weights = layer(x, x, x)
    >>> y.shape, weights.shape
    ((5, 3, 8), (5, 3, 3))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.add_zero_attn, self.batch_first = add_zero_attn, batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        if min(embed_dim, num_heads, self.kdim, self.vdim) < 1 or embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention was given embed_dim={embed_dim}, num_heads={num_heads}, kdim={self.kdim} and "
                f"vdim={self.vdim}. Expected positive lengths, and a number of heads that divides embed_dim."
            )
        self.dropout = expect_probability(dropout, "MultiheadAttention")
        self.generator = generator
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(ag.zeros((3 * embed_dim, embed_dim), dtype))
            init.xavier_uniform_(self.in_proj_weight, generator=generator)
        else:
            self.q_proj_weight = Parameter(ag.zeros((embed_dim, embed_dim), dtype))
            self.k_proj_weight = Parameter(ag.zeros((embed_dim, self.kdim), dtype))
            self.v_proj_weight = Parameter(ag.zeros((embed_dim, self.vdim), dtype))
            for weight in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                init.xavier_uniform_(weight, generator=generator)
        self.in_proj_bias = Parameter(ag.zeros(3 * embed_dim, dtype)) if bias else None
        self.bias_k = Parameter(ag.zeros((1, 1, embed_dim), dtype)) if add_bias_kv else None
        self.bias_v = Parameter(ag.zeros((1, 1, embed_dim), dtype)) if add_bias_kv else None
        for row in (self.bias_k, self.bias_v):
            if row is not None:
                init.xavier_normal_(row, generator=generator)
        self.out_proj = Linear(embed_dim, embed_dim, bias, dtype=dtype, generator=generator)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """(L, N, E), (S, N, kdim), (S, N, vdim) to (L, N, E), and the weights, (N, L, S), or None.

        Parameters:
            key_padding_mask: (N, S): True where a key is padding, to be left out, or numbers added to the scores.
            need_weights: False where the weights are not asked for, which is faster.
            attn_mask: (L, S) or (N h, L, S): True where a key is left out, or numbers added to the scores.
            average_attn_weights: False for the weights of each head, (N, h, L, S).
            is_causal: whether query i sees the keys 0 to i only, in addition to the masks: `attn_mask` may be None.

        A query whose keys are all left out gets weights of 0 and the output out_proj(0).
        """
        alone = self._checked(query, key, value)
        given = [query] if query is key is value else [query, key, value]
        given = [ag.expand_dims(x, 1 - self.batch_first) for x in given] if alone else given
        q, k, v = (self._heads(x) for x in self._projected(given))
        mask = self._mask(key_padding_mask, attn_mask, (*q.shape[:-1], k.shape[-2]), q.dtype, alone)
        if own := self._own_keys(k):  # every query sees them
            if is_causal:
                earlier = up_to(q.shape[-2], k.shape[-2])
                mask, is_causal = earlier if mask is None else both(mask, earlier), False
            mask = None if mask is None else lengthened(mask, len(own))
            k, v = (ag.concat([x, *ends], -2) for x, ends in zip((k, v), zip(*own, strict=True), strict=True))
        share = self.dropout if self.training else 0.0
        how = Weighing(mask, is_causal, 1 / math.sqrt(q.shape[-1]), share, self.generator)
        weights = weights_of(q, k, how) if need_weights else None
        heads = attend(q, k, v, how) if weights is None else ag.matmul(weights, v)
        y = self.out_proj(self._joined(heads))
        if weights is not None:
            weights = ag.mean(weights, 1) if average_attn_weights else weights
            weights = weights[0] if alone else weights
        return ag.squeeze(y, 1 - self.batch_first) if alone else y, weights

    def _checked(self, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Whether there is no axis of the batch, once the shapes are known to fit."""
        shapes = [tuple(x.shape) for x in (query, key, value)]
        ranks = {len(shape) for shape in shapes}
        fits = ranks in ({2}, {3}) and shapes[1][:-1] == shapes[2][:-1]
        batch = 0 if self.batch_first else 1
        fits = fits and (ranks == {2} or shapes[0][batch] == shapes[1][batch])
        lengths = (self.embed_dim, self.kdim, self.vdim)
        if not fits or tuple(shape[-1] for shape in shapes) != lengths:
            axes = ("N, L", "N, S", "N, S") if self.batch_first else ("L, N", "S, N", "S, N")
            expected = ", ".join(f"({a}, {n})" for a, n in zip(axes, lengths, strict=True))
            raise ShapeError(
                f"{type(self).__name__} was given a query, key and value of shapes {', '.join(map(str, shapes))}.\n"
                f"Expected {expected}, or none with an axis N. batch_first={self.batch_first}."
            )
        for x in (query, key, value):
            expect_floating(x, type(self).__name__)
        return ranks == {2}

    def _maps(self) -> list[tuple[Tensor, Tensor | None]]:
        """The weight and the bias of W^Q, W^K and W^V."""
        packed = self.kdim == self.vdim == self.embed_dim
        weights = (
            ag.split(self.in_proj_weight, 3) if packed else [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        )
        biases = [None] * 3 if self.in_proj_bias is None else ag.split(self.in_proj_bias, 3)
        return list(zip(weights, biases, strict=True))

    def _projected(self, given: list[Tensor]) -> list[Tensor]:
        """Queries, keys and values of three inputs; of a single one by a single product."""
        if len(given) == 1 and self.kdim == self.vdim == self.embed_dim:
            return ag.split(linear(given[0], self.in_proj_weight, self.in_proj_bias), 3, -1)
        return [linear(x, w, b) for x, (w, b) in zip(given * (3 // len(given)), self._maps(), strict=True)]

    def _heads(self, x: Tensor) -> Tensor:
        """The layout of the inputs to (N, h, L, d)."""
        apart = ag.reshape(x, (*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads))
        return ag.permute_dims(apart, (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    def _joined(self, x: Tensor) -> Tensor:
        """(N, h, L, d) to the layout of the outputs."""
        y = ag.permute_dims(x, (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3))
        return ag.reshape(y, (*y.shape[:2], self.embed_dim))

    def _mask(
        self, padding: Array | None, masked: Array | None, shape: tuple[int, ...], dtype: DTypeLike, alone: bool
    ) -> Tensor | None:
        """The two masks as one for scores of a shape (N, h, L, S), its last two axes spread."""
        n, heads, rows, columns = shape
        keys: Forms = {((columns,) if alone else (n, columns)): (n, 1, 1, columns)}
        pairs: Forms = {(rows, columns): (1, 1, rows, columns), (n * heads, rows, columns): shape}
        given = [kept(padding, "key_padding_mask", keys, dtype), kept(masked, "attn_mask", pairs, dtype)]
        masks = [mask for mask in given if mask is not None]
        if not masks:
            return None
        mask = reduce(both, masks)
        return ag.broadcast_to(mask, (*mask.shape[:2], rows, columns))

    def _own_keys(self, like: Tensor) -> list[list[Tensor]]:
        """The learned key and value and those of zeros, each (N, h, 1, d), as the options have them."""
        n, heads, _, width = like.shape
        found = []
        if self.bias_k is not None and self.bias_v is not None:
            rows = [ag.reshape(row, (1, heads, 1, width)) for row in (self.bias_k, self.bias_v)]
            found.append([ag.broadcast_to(row, (n, heads, 1, width)) for row in rows])
        if self.add_zero_attn:
            found.append([ag.zeros((n, heads, 1, width), like.dtype)] * 2)
        return found

    def extra_repr(self) -> str:
        """The sizes."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, batch_first={self.batch_first}"
