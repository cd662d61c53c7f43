"""Transformers: attention and a network for each position, in residual branches, stacked (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn import init
from nn.activation import gelu
from nn.attention import MultiheadAttention
from nn.container import ModuleList
from nn.dropout import dropout, expect_probability
from nn.linear import Linear
from nn.losses import Array
from nn.module import Module
from nn.norm import LayerNorm

Activation = str | Callable[[Tensor], Tensor]


def _activate(x: Tensor, activation: Activation) -> Tensor:
    if callable(activation):
        return activation(x)
    return ag.relu(x) if activation == "relu" else gelu(x)


class _Layer(Module):
    """What both layers are made of: attention to itself and to a memory, and W_2 act(W_1 x + b_1) + b_2."""

    reads_memory: ClassVar[bool] = False

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        if isinstance(activation, str) and activation not in ("relu", "gelu"):
            raise ArgumentError(
                f"{type(self).__name__} was given activation={activation!r}. Expected 'relu', 'gelu' or a function."
            )
        self.d_model, self.nhead, self.dim_feedforward = d_model, nhead, dim_feedforward
        self.dropout, self.generator = expect_probability(dropout, type(self).__name__), generator
        self.activation, self.norm_first = activation, norm_first
        self.self_attn = self._attention(batch_first, bias, dtype)
        if self.reads_memory:
            self.multihead_attn = self._attention(batch_first, bias, dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype, generator=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype, generator=generator)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        if self.reads_memory:
            self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)

    def _attention(self, batch_first: bool, bias: bool, dtype: DTypeLike) -> MultiheadAttention:
        return MultiheadAttention(
            self.d_model,
            self.nhead,
            self.dropout,
            bias,
            batch_first=batch_first,
            dtype=dtype,
            generator=self.generator,
        )

    def _add(self, x: Tensor, norm: Module, branch: Callable[[Tensor], Tensor]) -> Tensor:
        """x + branch(norm(x)), or norm(x + branch(x)), with dropout at the end of the branch."""
        change = branch(norm(x) if self.norm_first else x)
        y = x + dropout(change, self.dropout, self.training, generator=self.generator)
        return y if self.norm_first else norm(y)

    def _feed(self, x: Tensor) -> Tensor:
        hidden = _activate(self.linear1(x), self.activation)
        hidden = dropout(hidden, self.dropout, self.training, generator=self.generator)
        return self.linear2(hidden)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        """The sizes."""
        return (
            f"d_model={self.d_model}, nhead={self.nhead}, dim_feedforward={self.dim_feedforward}, "
            f"dropout={self.dropout}, norm_first={self.norm_first}"
        )


class TransformerEncoderLayer(_Layer):
    """x <- norm(x + attention(x)), x <- norm(x + W_2 act(W_1 x + b_1) + b_2).

    With `norm_first` each branch reads norm(x), and its result is added as it is (Xiong et al. 2020).

    Parameters:
        d_model: the length of the last axis.
        nhead: the number of heads, which divides it.
        dim_feedforward: the rows of W_1.
        dropout: the share set to 0 while training: of the weights of attention, behind act and behind each branch.
        activation: act: "relu", "gelu" or a function.
        layer_norm_eps: of the norms.
        batch_first: whether inputs are (N, L, d_model) rather than (L, N, d_model).
        norm_first: see above.
        bias: whether linear maps and norms have a bias.
        dtype: of the parameters.
        generator: where starting values and dropout come from.

    Raises:
        ArgumentError: if the heads do not divide `d_model`, or `activation` is unknown.
        ShapeError: if the input or a mask does not fit.

    >>> layer = TransformerEncoderLayer(8, 2, 16, batch_first=True)
    >>> layer(ag.ones((5, 3, 8), dtype="float32"), is_causal=True).shape
    (5, 3, 8)
    """

    def forward(
        self,
        src: Tensor,
        src_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """(L, N, d_model) to the same shape. Masks, and positions without any key left: see `MultiheadAttention`."""
        attend = _attending(self.self_attn, src_mask, src_key_padding_mask, is_causal)
        x = self._add(src, self.norm1, attend)
        return self._add(x, self.norm2, self._feed)


def _attending(
    attention: MultiheadAttention,
    mask: Array | None,
    padding: Array | None,
    is_causal: bool,
    memory: Tensor | None = None,
) -> Callable[[Tensor], Tensor]:
    """Attention to oneself, or to a memory, as a function of the queries."""

    def attend(x: Tensor) -> Tensor:
        seen = x if memory is None else memory
        return attention(x, seen, seen, padding, False, mask, is_causal=is_causal)[0]  # type: ignore[no-any-return]

    return attend


class TransformerDecoderLayer(_Layer):
    """x <- norm(x + attention(x)), x <- norm(x + attention(x, memory)), x <- norm(x + W_2 act(W_1 x + b_1) + b_2).

    Parameters, `norm_first` and errors are those of `TransformerEncoderLayer`.

    >>> layer = TransformerDecoderLayer(8, 2, 16)
    >>> layer(ag.ones((3, 5, 8), dtype="float32"), ag.ones((4, 5, 8), dtype="float32"), tgt_is_causal=True).shape
    (3, 5, 8)
    """

    reads_memory = True

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(T, N, d_model) and a memory (S, N, d_model) to (T, N, d_model)."""
        to_itself = _attending(self.self_attn, tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        to_memory = _attending(self.multihead_attn, memory_mask, memory_key_padding_mask, memory_is_causal, memory)
        x = self._add(tgt, self.norm1, to_itself)
        x = self._add(x, self.norm2, to_memory)
        return self._add(x, self.norm3, self._feed)


def _copies(layer: Module, count: int, who: str) -> ModuleList:
    """Copies with parameters of their own; generators and functions are shared."""
    if count < 1:
        raise ArgumentError(f"{who} was given num_layers={count}. Expected at least 1.")
    values = [value for module in layer.modules() for value in vars(module).values()]
    shared = [v for v in values if isinstance(v, ag.random.Generator) or (callable(v) and not isinstance(v, Module))]
    return ModuleList(deepcopy(layer, {id(v): v for v in shared}) for _ in range(count))


class TransformerEncoder(Module):
    """Encoder layers one after another, then a norm if there is one.

    Parameters:
        encoder_layer: what is copied, its starting values included.
        num_layers: how often.
        norm: what is applied to the end.

    Raises:
        ArgumentError: if there are no layers.

    >>> encoder = TransformerEncoder(TransformerEncoderLayer(8, 2, 16), 3)
    >>> encoder(ag.ones((4, 5, 8), dtype="float32")).shape
    (4, 5, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies(encoder_layer, num_layers, type(self).__name__)
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Each layer with the same masks."""
        x = src
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, is_causal)
        return x if self.norm is None else self.norm(x)


class TransformerDecoder(Module):
    """Decoder layers one after another, then a norm if there is one: as `TransformerEncoder`.

    >>> decoder = TransformerDecoder(TransformerDecoderLayer(8, 2, 16), 2)
    >>> decoder(ag.ones((4, 5, 8), dtype="float32"), ag.ones((3, 5, 8), dtype="float32")).shape
    (4, 5, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        self.layers = _copies(decoder_layer, num_layers, type(self).__name__)
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Each layer with the same memory and masks."""
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        x = tgt
        for layer in self.layers:
            x = layer(x, memory, *masks, tgt_is_causal, memory_is_causal)
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """decoder(tgt, encoder(src)), each with a norm at its end. Every matrix starts Xavier-uniform, as in PyTorch.

    Parameters:
        d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias: of the
            layers, see `TransformerEncoderLayer`.
        num_encoder_layers, num_decoder_layers: how many there are.
        dtype: of the parameters.
        generator: where starting values and dropout come from.

    Raises:
        ArgumentError: if the heads do not divide `d_model`, or there are no layers.
        ShapeError: if `src`, `tgt` or a mask does not fit.

    >>> model = Transformer(8, 2, 1, 1, 16)
    >>> model(ag.ones((4, 5, 8), dtype="float32"), ag.ones((3, 5, 8), dtype="float32")).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = "relu",
        *,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        own: dict[str, Any] = {"dtype": dtype, "generator": generator}
        ends = [LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype) for _ in range(2)]
        self.encoder = TransformerEncoder(TransformerEncoderLayer(*sizes, **own), num_encoder_layers, ends[0])
        self.decoder = TransformerDecoder(TransformerDecoderLayer(*sizes, **own), num_decoder_layers, ends[1])
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p, generator=generator)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Array | None = None,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """(S, N, d_model) and (T, N, d_model) to (T, N, d_model)."""
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)  # type: ignore[no-any-return]

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: DTypeLike = "float32") -> Tensor:
        """0 where a key may be seen, -inf behind the query: (sz, sz). `is_causal` does the same without a mask.

        >>> Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        earlier = ag.arange(sz) <= ag.arange(sz)[:, None]
        return ag.where(earlier, 0.0, -math.inf).astype(dtype)
