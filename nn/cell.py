"""One step of a recurrent layer: the arithmetic of each kind, and the cells that take a single step.

A step gets what the inputs contribute to its gates, x W_ih^T + b, as one product that was formed for all steps before.
What is left is a product with the state before, and one fused function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.linear import expect_floating, linear
from nn.module import Module, Parameter

State = tuple[Tensor, ...]  # (h,), or (h, c) of an LSTM
Step = Callable[..., State]  # of the state, the inputs of the step, and weights
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
NONLINEARITIES = ("tanh", "relu")


@ag.fused
def _tanh_cell(x: Tensor, h: Tensor) -> Tensor:
    return ag.tanh(x + h)


@ag.fused
def _relu_cell(x: Tensor, h: Tensor) -> Tensor:
    return ag.relu(x + h)


@ag.fused
def _lstm_cell(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
    return ag.sigmoid(o) * ag.tanh(c), c


@ag.fused
def _gru_cell(xr: Tensor, xz: Tensor, xn: Tensor, hr: Tensor, hz: Tensor, hn: Tensor, b: Any, h: Tensor) -> Tensor:
    n = ag.tanh(xn + ag.sigmoid(xr + hr) * (hn + b))
    return n + ag.sigmoid(xz + hz) * (h - n)


def tanh_step(state: State, x: Tensor, weight_hh: Tensor) -> State:
    """h' = tanh(x + h W_hh^T).

    >>> tanh_step((ag.ones((1, 1)),), ag.tensor([[-2.0]]), ag.tensor([[2.0]]))
    (tensor([[0.]]),)
    """
    return (_tanh_cell(x, ag.inner(state[0], weight_hh)),)


def relu_step(state: State, x: Tensor, weight_hh: Tensor) -> State:
    """h' = relu(x + h W_hh^T).

    >>> relu_step((ag.tensor([[3.0]]),), ag.tensor([[1.0]]), ag.tensor([[2.0]]))
    (tensor([[7.]]),)
    """
    return (_relu_cell(x, ag.inner(state[0], weight_hh)),)


def lstm_step(state: State, x: Tensor, weight_hh: Tensor, weight_hr: Tensor | None = None) -> State:
    """The step of an LSTM: see `LSTMCell`; h' W_hr^T in place of h' if there is a W_hr.

    >>> lstm_step((ag.zeros((1, 1)), ag.ones((1, 1))), ag.zeros((1, 4)), ag.zeros((4, 1)))[1]
    tensor([[0.5]])
    """
    h, c = state
    i, f, g, o = ag.split(x + ag.inner(h, weight_hh), 4, axis=1)
    h, c = _lstm_cell(i, f, g, o, c)
    return h if weight_hr is None else ag.inner(h, weight_hr), c


def gru_step(state: State, x: Tensor, weight_hh: Tensor, bias_hn: Any = 0.0) -> State:
    """The step of a GRU: see `GRUCell`. x holds all of the bias but b_hn, which the reset gate scales.

    >>> gru_step((ag.ones((1, 1)),), ag.zeros((1, 3)), ag.zeros((3, 1)))
    (tensor([[0.5]]),)
    """
    (h,) = state
    xr, xz, xn = ag.split(x, 3, axis=1)
    hr, hz, hn = ag.split(ag.inner(h, weight_hh), 3, axis=1)
    return (_gru_cell(xr, xz, xn, hr, hz, hn, bias_hn, h),)


STEPS: dict[str, Step] = {"tanh": tanh_step, "relu": relu_step}


def gru_bias(bias_ih: Tensor, bias_hh: Tensor) -> tuple[Tensor, Tensor]:
    """The bias that the inputs' product can take, and the rest, b_hn.

    >>> gru_bias(ag.tensor([1.0, 2.0, 3.0]), ag.tensor([10.0, 20.0, 30.0]))
    (tensor([11., 22., 3.]), tensor([30.]))
    """
    cut = bias_hh.shape[0] // 3 * 2
    return ag.concat([bias_ih[:cut] + bias_hh[:cut], bias_ih[cut:]]), bias_hh[cut:]


def add_parameters(
    module: Module,
    shapes: Mapping[str, tuple[int, ...]],
    hidden_size: int,
    dtype: DTypeLike,
    generator: ag.random.Generator | None,
) -> None:
    """Give a module parameters that start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)).

    >>> module = Module()
    >>> add_parameters(module, {"weight": (2, 3)}, 4, "float64", None)
    >>> bool(ag.all(abs(module.weight) <= 0.5))
    True
    """
    bound = 1 / math.sqrt(hidden_size)
    for name, shape in shapes.items():
        setattr(module, name, init.uniform_(Parameter(ag.zeros(shape, dtype)), -bound, bound, generator=generator))


def expect_sizes(who: str, **sizes: int) -> None:
    """Refuse sizes below 1.

    >>> expect_sizes("LSTM", input_size=3)
    """
    if min(sizes.values()) < 1:
        given = ", ".join(f"{name}={n}" for name, n in sizes.items())
        raise ArgumentError(f"{who} was given {given}. Expected at least 1 each.")


def expect_nonlinearity(who: str, nonlinearity: str) -> str:
    """The name, if it is one of "tanh" and "relu".

    >>> expect_nonlinearity("RNN", "relu")
    'relu'
    """
    if nonlinearity not in NONLINEARITIES:
        raise ArgumentError(f"{who} was given nonlinearity={nonlinearity!r}. Expected 'tanh' or 'relu'.")
    return nonlinearity


class _Cell(Module):
    """What the three cells share: sizes, parameters, and one step for a batch or a single row."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor | None = None
    bias_hh: Tensor | None = None

    def __init__(
        self,
        kind: str,
        input_size: int,
        hidden_size: int,
        bias: bool,
        dtype: DTypeLike,
        generator: ag.random.Generator | None,
    ) -> None:
        expect_sizes(f"{kind}Cell", input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = GATES[kind] * hidden_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        if bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        add_parameters(self, shapes, hidden_size, dtype, generator)

    def _begin(self, x: Tensor, hx: Any, names: str) -> tuple[Tensor, State]:
        """The input as (N, input_size) and the state as (N, hidden_size) each, zeros for None."""
        x = ag.asarray(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            last = x.shape[-1] if x.ndim else 1
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}. Expected (N, {self.input_size}) or "
                f"({self.input_size},).\nWrite {type(self).__name__}({last}, {self.hidden_size}), or "
                f"{type(self).__name__.removesuffix('Cell')} for a whole sequence."
            )
        expect_floating(x, self)
        shape = (*x.shape[:-1], self.hidden_size)
        given = [None] * len(names) if hx is None else [hx] if len(names) == 1 else list(hx)
        if len(given) != len(names):
            raise ArgumentError(f"{self!r} was given a state of {len(given)} parts. Expected ({', '.join(names)}).")
        states = []
        for name, t in zip(names, given, strict=True):
            state = ag.zeros(shape, self.weight_hh.dtype) if t is None else ag.asarray(t)
            if state.shape != shape:
                raise ShapeError(
                    f"{self!r} was given a state {name} of shape {state.shape} for an input of shape {x.shape}. "
                    f"Expected {shape}."
                )
            states.append(ag.reshape(state, (-1, self.hidden_size)))
        return ag.reshape(x, (-1, self.input_size)), tuple(states)

    def _bias(self) -> Tensor | None:
        return None if self.bias_ih is None or self.bias_hh is None else self.bias_ih + self.bias_hh

    def extra_repr(self) -> str:
        """The sizes; of the rest, what is not the default."""
        text = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")
        relu = getattr(self, "nonlinearity", "tanh") == "relu"
        return f"{text}, nonlinearity=relu" if relu else text


class RNNCell(_Cell):
    """One step of a plain recurrent network: h' = tanh(x W_ih^T + b_ih + h W_hh^T + b_hh) (Elman 1990).

    Parameters start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)), as in PyTorch.

    Parameters:
        input_size, hidden_size: the lengths of x and h.
        bias: whether there are a b_ih and a b_hh.
        nonlinearity: "tanh" or "relu".
        dtype: of the parameters.
        generator: where the starting values come from.

    Attributes:
        weight_ih, weight_hh: (hidden_size, input_size) and (hidden_size, hidden_size).
        bias_ih, bias_hh: (hidden_size,), or None.

    Raises:
        ArgumentError: if a size is not positive, or for another nonlinearity.
        ShapeError: if the input is not (N, input_size) or (input_size,), or the state does not fit it.

    >>> RNNCell(3, 2)(ag.ones((5, 3), dtype="float32")).shape
    (5, 2)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        self.nonlinearity = expect_nonlinearity("RNNCell", nonlinearity)
        super().__init__("RNN", input_size, hidden_size, bias, dtype, generator)

    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        """(N, input_size) and h of (N, hidden_size), zeros for None, to h'; both without N for a single row."""
        rows, state = self._begin(x, hx, "h")
        (h,) = STEPS[self.nonlinearity](state, linear(rows, self.weight_ih, self._bias()), self.weight_hh)
        return ag.reshape(h, (*x.shape[:-1], self.hidden_size))


class LSTMCell(_Cell):
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).

        i, f, g, o = the four parts of x W_ih^T + b_ih + h W_hh^T + b_hh
        c' = sigmoid(f) c + sigmoid(i) tanh(g),  h' = sigmoid(o) tanh(c')

    Parameters start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)), as in PyTorch.

    Parameters:
        input_size, hidden_size: the lengths of x, and of h and c.
        bias: whether there are a b_ih and a b_hh.
        dtype: of the parameters.
        generator: where the starting values come from.

    Attributes:
        weight_ih, weight_hh: (4 hidden_size, input_size) and (4 hidden_size, hidden_size).
        bias_ih, bias_hh: (4 hidden_size,), or None.

    Raises:
        ArgumentError: if a size is not positive, or the state is not a pair.
        ShapeError: if the input is not (N, input_size) or (input_size,), or the state does not fit it.

    >>> h, c = LSTMCell(3, 2)(ag.ones((5, 3), dtype="float32"))
    >>> h.shape, c.shape
    ((5, 2), (5, 2))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__("LSTM", input_size, hidden_size, bias, dtype, generator)

    def forward(self, x: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """(N, input_size) and (h, c) of (N, hidden_size), zeros for None, to (h', c'); without N for a single row."""
        rows, state = self._begin(x, hx, "hc")
        h, c = lstm_step(state, linear(rows, self.weight_ih, self._bias()), self.weight_hh)
        shape = (*x.shape[:-1], self.hidden_size)
        return ag.reshape(h, shape), ag.reshape(c, shape)


class GRUCell(_Cell):
    """One step of a gated recurrent unit (Cho et al. 2014).

        r = sigmoid(x W_ir^T + b_ir + h W_hr^T + b_hr),  z the same with its own part
        n = tanh(x W_in^T + b_in + r (h W_hn^T + b_hn)),  h' = (1 - z) n + z h

    Parameters start uniform in [-1 / sqrt(hidden_size), 1 / sqrt(hidden_size)), as in PyTorch.

    Parameters:
        input_size, hidden_size: the lengths of x and h.
        bias: whether there are a b_ih and a b_hh.
        dtype: of the parameters.
        generator: where the starting values come from.

    Attributes:
        weight_ih, weight_hh: (3 hidden_size, input_size) and (3 hidden_size, hidden_size): the parts r, z and n.
        bias_ih, bias_hh: (3 hidden_size,), or None.

    Raises:
        ArgumentError: if a size is not positive.
        ShapeError: if the input is not (N, input_size) or (input_size,), or the state does not fit it.

    >>> GRUCell(3, 2)(ag.ones(3, dtype="float32")).shape
    (2,)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__("GRU", input_size, hidden_size, bias, dtype, generator)

    def forward(self, x: Tensor, hx: Tensor | None = None) -> Tensor:
        """(N, input_size) and h of (N, hidden_size), zeros for None, to h'; both without N for a single row."""
        rows, state = self._begin(x, hx, "h")
        b, b_hn = (None, 0.0) if self.bias_ih is None or self.bias_hh is None else gru_bias(self.bias_ih, self.bias_hh)
        (h,) = gru_step(state, linear(rows, self.weight_ih, b), self.weight_hh, b_hn)
        return ag.reshape(h, (*x.shape[:-1], self.hidden_size))
