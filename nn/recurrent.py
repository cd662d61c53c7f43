"""Recurrent layers: RNN, LSTM and GRU, with PyTorch's parameters."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.cell import STEPS, expect_nonlinearity, gru_bias, gru_step, lstm_step
from nn.recurrence import Recurrent
from nn.sequence import Lengths, PackedSequence


class RNN(Recurrent):
    """h_t = tanh(x_t W_ih^T + b_ih + h_t-1 W_hh^T + b_hh) for t = 1 to T (Elman 1990).

    Parameters start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)), as in PyTorch.

    Parameters:
        input_size, hidden_size: the lengths of x_t and of h.
        num_layers: so many layers, each reading the outputs of the one below.
        nonlinearity: "tanh" or "relu".
        bias: whether there are a b_ih and a b_hh.
        batch_first: input and output are (B, T, ...) instead of (T, B, ...); the states stay as they are.
        dropout: the probability of dropping an output between two layers, while training.
        bidirectional: each layer also reads the sequence from its end, and its output has both halves.
        dtype: of the parameters.
        generator: where the starting values and the dropout masks come from.

    Attributes:
        weight_ih_l0, weight_hh_l0: (hidden_size, input_size) and (hidden_size, hidden_size); above the first
            layer, `weight_ih_l1` has as many columns as the output below; the other direction's end in `_reverse`.
        bias_ih_l0, bias_hh_l0: (hidden_size,), unless bias=False.

    Raises:
        ArgumentError: if a size is not positive, the nonlinearity has another name, dropout is no probability, or
            lengths are given for a single or a packed sequence.
        ShapeError: if the input does not end in `input_size`, or a state or the lengths do not fit it.
        DataError: if a sequence has no steps, or a length is beyond the input.

    >>> output, h_n = RNN(3, 4)(ag.ones((5, 2, 3), dtype="float32"))
    >>> output.shape, h_n.shape
    ((5, 2, 4), (1, 2, 4))
    """

    kind, states = "RNN", "h"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        self.nonlinearity = expect_nonlinearity("RNN", nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype, generator
        )

    def forward(
        self, x: Tensor | PackedSequence, hx: Tensor | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Any, Tensor]:
        """Outputs of every step and the last state of every sequence.

        Parameters:
            x: (T, B, input_size), (T, input_size) for a single sequence, or a PackedSequence.
            hx: (num_layers, B, hidden_size), twice as many layers if bidirectional, without B for a single sequence;
                zeros for None.
            lengths: (B,) whole numbers: how many steps of each sequence count. Outputs beyond them are 0, and the last
                state is that of a sequence's own last step.

        Returns:
            (output, h_n): output (T, B, hidden_size), twice as wide if bidirectional, in the form of x; h_n as hx.
        """
        output, (h_n,) = self._run(x, hx, lengths)
        return output, h_n

    def _step(self, suffix: str) -> tuple[Any, ...]:
        return self._both(suffix), STEPS[self.nonlinearity], getattr(self, "weight_hh" + suffix)


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

        i, f, g, o = the four parts of x_t W_ih^T + b_ih + h_t-1 W_hh^T + b_hh
        c_t = sigmoid(f) c_t-1 + sigmoid(i) tanh(g),  h_t = sigmoid(o) tanh(c_t)

    With `proj_size`, h_t is that times W_hr^T (Sak et al. 2014).

    Parameters start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)), as in PyTorch.

    Parameters:
        input_size, hidden_size: the lengths of x_t and of c, and of h if not projected.
        num_layers: so many layers, each reading the outputs of the one below.
        bias: whether there are a b_ih and a b_hh.
        batch_first: input and output are (B, T, ...) instead of (T, B, ...); the states stay as they are.
        dropout: the probability of dropping an output between two layers, while training.
        bidirectional: each layer also reads the sequence from its end, and its output has both halves.
        proj_size: the length of h, if it is to be projected to fewer than `hidden_size` numbers; 0 for no projection.
        dtype: of the parameters.
        generator: where the starting values and the dropout masks come from.

    Attributes:
        weight_ih_l0, weight_hh_l0: (4 hidden_size, input_size) and (4 hidden_size, proj_size or hidden_size); above
            the first layer, `weight_ih_l1` has as many columns as the output below; the other direction's end in
            `_reverse`.
        bias_ih_l0, bias_hh_l0: (4 hidden_size,), unless bias=False.
        weight_hr_l0: (proj_size, hidden_size), with `proj_size` only.

    Raises:
        ArgumentError: if a size is not positive, `proj_size` is not below `hidden_size`, dropout is no probability, or
            lengths are given for a single or a packed sequence.
        ShapeError: if the input does not end in `input_size`, or a state or the lengths do not fit it.
        DataError: if a sequence has no steps, or a length is beyond the input.

    >>> output, (h_n, c_n) = LSTM(3, 4, bidirectional=True)(ag.ones((5, 2, 3), dtype="float32"))
    >>> output.shape, h_n.shape, c_n.shape
    ((5, 2, 8), (2, 2, 4), (2, 2, 4))
    >>> _, (h_n, _) = LSTM(3, 4)(ag.ones((5, 2, 3), dtype="float32"), lengths=[5, 2])
    >>> h_n.shape
    (1, 2, 4)
    """

    kind, states = "LSTM", "hc"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        if not 0 <= proj_size < hidden_size:
            raise ArgumentError(
                f"LSTM was given proj_size={proj_size} for hidden_size={hidden_size}. "
                "Expected less than hidden_size, or 0 for no projection."
            )
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size, dtype, generator
        )

    def forward(
        self, x: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Outputs of every step and the last state of every sequence.

        Parameters:
            x: (T, B, input_size), (T, input_size) for a single sequence, or a PackedSequence.
            hx: (h_0, c_0), each (num_layers, B, its width), twice as many layers if bidirectional, without B for a
                single sequence; zeros for None.
            lengths: (B,) whole numbers: how many steps of each sequence count. Outputs beyond them are 0, and the last
                state is that of a sequence's own last step.

        Returns:
            (output, (h_n, c_n)): output (T, B, width of h), twice as wide if bidirectional, in the form of x; states as
            hx.
        """
        output, (h_n, c_n) = self._run(x, hx, lengths)
        return output, (h_n, c_n)

    def _step(self, suffix: str) -> tuple[Any, ...]:
        weights = ["weight_hh", "weight_hr"] if self.proj_size else ["weight_hh"]
        return self._both(suffix), lstm_step, *(getattr(self, name + suffix) for name in weights)


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014).

        r = sigmoid(x_t W_ir^T + b_ir + h_t-1 W_hr^T + b_hr),  z the same with its own part
        n = tanh(x_t W_in^T + b_in + r (h_t-1 W_hn^T + b_hn)),  h_t = (1 - z) n + z h_t-1

    Parameters start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)), as in PyTorch.

    Parameters:
        input_size, hidden_size: the lengths of x_t and of h.
        num_layers: so many layers, each reading the outputs of the one below.
        bias: whether there are a b_ih and a b_hh.
        batch_first: input and output are (B, T, ...) instead of (T, B, ...); the states stay as they are.
        dropout: the probability of dropping an output between two layers, while training.
        bidirectional: each layer also reads the sequence from its end, and its output has both halves.
        dtype: of the parameters.
        generator: where the starting values and the dropout masks come from.

    Attributes:
        weight_ih_l0, weight_hh_l0: (3 hidden_size, input_size) and (3 hidden_size, hidden_size); above the first
            layer, `weight_ih_l1` has as many columns as the output below; the other direction's end in `_reverse`.
        bias_ih_l0, bias_hh_l0: (3 hidden_size,), unless bias=False.

    Raises:
        ArgumentError: if a size is not positive, dropout is no probability, or lengths are given for a single or a
            packed sequence.
        ShapeError: if the input does not end in `input_size`, or a state or the lengths do not fit it.
        DataError: if a sequence has no steps, or a length is beyond the input.

    >>> output, h_n = GRU(3, 4, num_layers=2, batch_first=True)(ag.ones((2, 5, 3), dtype="float32"))
    >>> output.shape, h_n.shape
    ((2, 5, 4), (2, 2, 4))
    """

    kind, states = "GRU", "h"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, dtype, generator
        )

    def forward(
        self, x: Tensor | PackedSequence, hx: Tensor | None = None, *, lengths: Lengths | None = None
    ) -> tuple[Any, Tensor]:
        """Outputs of every step and the last state of every sequence.

        Parameters:
            x: (T, B, input_size), (T, input_size) for a single sequence, or a PackedSequence.
            hx: (num_layers, B, hidden_size), twice as many layers if bidirectional, without B for a single sequence;
                zeros for None.
            lengths: (B,) whole numbers: how many steps of each sequence count. Outputs beyond them are 0, and the last
                state is that of a sequence's own last step.

        Returns:
            (output, h_n): output (T, B, hidden_size), twice as wide if bidirectional, in the form of x; h_n as hx.
        """
        output, (h_n,) = self._run(x, hx, lengths)
        return output, h_n

    def _step(self, suffix: str) -> tuple[Any, ...]:
        weight_hh = getattr(self, "weight_hh" + suffix)
        if not self.bias:
            return None, gru_step, weight_hh
        bias, b_hn = gru_bias(getattr(self, "bias_ih" + suffix), getattr(self, "bias_hh" + suffix))
        return bias, gru_step, weight_hh, b_hn
