"""What recurrent layers share: scans of the steps of `nn.cell`, one for each run of steps of equally many rows.

Inside, a batch is always packed: the rows of step 0, those of step 1, and so on, each step at most as many as the one
before. A batch of equal lengths is the case in which no step has fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, groupby
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError, ShapeError
from nn.cell import GATES, STEPS, State, Step, add_parameters, expect_sizes, gru_step, lstm_step
from nn.dropout import dropout, expect_probability
from nn.linear import expect_floating, linear
from nn.module import Module
from nn.sequence import (
    Lengths,
    PackedSequence,
    checked_lengths,
    expect_packed,
    pack_padded_sequence,
    pad_packed_sequence,
)

Turn = Callable[..., tuple[State, Tensor]]
Weights = Sequence[Tensor | None]


def _runs(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """How many steps of one size follow one another, and that size."""
    return [(len(list(same)), n) for n, same in groupby(sizes)]


def _parts(data: Tensor, runs: Sequence[tuple[int, int]]) -> list[Tensor]:
    """The rows of each run of steps, (steps, rows of a step, ...)."""
    if len(runs) == 1:
        return [ag.reshape(data, (*runs[0], data.shape[1]))]
    cuts = list(accumulate(steps * n for steps, n in runs))[:-1]
    return [ag.reshape(rows, (*run, data.shape[1])) for rows, run in zip(ag.split(data, cuts), runs, strict=True)]


def _turn(step: Step) -> Turn:
    """A step as `ag.scan` takes it: to the new state, and h as the result."""

    def turn(state: State, x: Tensor, weight_ih: Tensor, bias: Tensor | None, *weights: Tensor) -> tuple[State, Tensor]:
        state = step(state, linear(x, weight_ih, bias), *weights)
        return state, state[0]

    return turn


TURNS = {step: _turn(step) for step in (*STEPS.values(), lstm_step, gru_step)}


def _from_start(
    turn: Turn, weights: Weights, parts: Sequence[Tensor], runs: Any, state: State
) -> tuple[list[Tensor], State]:
    """h of every step, and the last state of every sequence; those that end leave at the bottom."""
    outputs, ended = [], []
    for k, (x, (_, n)) in enumerate(zip(parts, runs, strict=True)):
        if k:
            ended.append(tuple(s[n:] for s in state))
            state = tuple(s[:n] for s in state)
        state, y = ag.scan(turn, state, x, *weights)
        outputs.append(y)
    rows = [state, *reversed(ended)]
    return outputs, tuple(ag.concat(list(s)) for s in zip(*rows, strict=True)) if ended else state


def _from_end(
    turn: Turn, weights: Weights, parts: Sequence[Tensor], runs: Any, start: State
) -> tuple[list[Tensor], State]:
    """The same from the last step to the first; sequences join, with their first state, at their own last step."""
    outputs: list[Tensor] = []
    n = runs[-1][1]
    state = start if len(runs) == 1 else tuple(s[:n] for s in start)
    for x, (_, size) in zip(reversed(parts), reversed(runs), strict=True):
        if size > n:
            state = tuple(ag.concat([s, first[n:size]]) for s, first in zip(state, start, strict=True))
            n = size
        state, y = ag.scan(turn, state, x, *weights, reverse=True)
        outputs.append(y)
    return outputs[::-1], state


class Recurrent(Module):
    """Layers and directions of one kind of step, over padded, packed or single sequences; `nn.recurrent` has the kinds.

    Attributes:
        kind: the key in `GATES`.
        states: a letter for each part of the state.
    """

    kind: str
    states: str

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        dtype: DTypeLike,
        generator: ag.random.Generator | None,
    ) -> None:
        expect_sizes(self.kind, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout = expect_probability(dropout, self.kind)
        self.proj_size = proj_size
        self.generator = generator
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                add_parameters(self, self._shapes(layer, suffix), hidden_size, dtype, generator)

    def _suffixes(self, layer: int) -> list[str]:
        """How the names of the parameters of a layer end, a direction each."""
        return [f"_l{layer}", f"_l{layer}_reverse"][: 1 + self.bidirectional]

    def _shapes(self, layer: int, suffix: str) -> dict[str, tuple[int, ...]]:
        rows, width = GATES[self.kind] * self.hidden_size, self.proj_size or self.hidden_size
        inputs = width * (1 + self.bidirectional) if layer else self.input_size
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (rows, width)}
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return {name + suffix: shape for name, shape in shapes.items()}

    def _step(self, suffix: str) -> tuple[Any, ...]:
        """The bias that goes with the inputs' product, the step, and the weights that it takes."""
        raise NotImplementedError(f"{type(self).__name__} has no step.")

    # ---- one call

    def _run(self, x: Any, hx: Any, lengths: Lengths | None) -> tuple[Any, State]:
        """The output in the form of the input, and the last states."""
        if isinstance(x, PackedSequence):
            if lengths is not None:
                raise ArgumentError(f"{self!r} was given lengths with a PackedSequence, which has its own.")
            data, state = self._packed(expect_packed(x, self), hx)
            return PackedSequence(data, *x[1:]), state
        x = self._padded(ag.asarray(x), lengths)
        if lengths is not None:
            batch, steps = x.shape[:2] if self.batch_first else x.shape[1::-1]
            counts = checked_lengths(lengths, batch, steps, repr(self))
            packed = pack_padded_sequence(x, counts, self.batch_first, enforce_sorted=False)
            data, state = self._packed(packed, hx)
            padded, _ = pad_packed_sequence(PackedSequence(data, *packed[1:]), self.batch_first, total_length=steps)
            return padded, state
        rows = ag.swapaxes(x, 0, 1) if self.batch_first and x.ndim == 3 else x
        steps, batch = len(rows), rows.shape[1] if x.ndim == 3 else 1
        first = self._first(hx, batch, single=x.ndim == 2)
        data, state = self._layers(ag.reshape(rows, (steps * batch, self.input_size)), [batch] * steps, first)
        if x.ndim == 2:
            return data, tuple(ag.squeeze(s, 1) for s in state)
        y = ag.reshape(data, (steps, batch, data.shape[1]))
        return ag.swapaxes(y, 0, 1) if self.batch_first else y, state

    def _padded(self, x: Tensor, lengths: Lengths | None) -> Tensor:
        axes = "(B, T, " if self.batch_first else "(T, B, "
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            last = x.shape[-1] if x.ndim else 1
            raise ShapeError(
                f"{self!r} was given an input of shape {x.shape}. Expected {axes}{self.input_size}), or "
                f"(T, {self.input_size}) for a single sequence.\n"
                f"Write {self.kind}({last}, {self.hidden_size}) for inputs of {last} numbers a step."
            )
        if lengths is not None and x.ndim == 2:
            raise ArgumentError(
                f"{self!r} was given lengths for a single sequence of shape {x.shape}. Write x[:length] instead."
            )
        if not x.shape[1 if self.batch_first and x.ndim == 3 else 0]:
            raise DataError(f"{self!r} was given a sequence of no steps, shape {x.shape}. Expected at least one.")
        expect_floating(x, self)
        return x

    def _packed(self, packed: PackedSequence, hx: Any) -> tuple[Tensor, State]:
        if packed.data.ndim != 2 or packed.data.shape[1] != self.input_size:
            raise ShapeError(
                f"{self!r} was given a PackedSequence of shape {packed.data.shape}. Expected (..., {self.input_size})."
            )
        expect_floating(packed.data, self)
        sizes = packed.batch_sizes.tolist()
        first = self._first(hx, sizes[0], single=False)
        if packed.sorted_indices is None or packed.unsorted_indices is None:
            return self._layers(packed.data, sizes, first)
        order, back = packed.sorted_indices, packed.unsorted_indices
        data, state = self._layers(packed.data, sizes, tuple(ag.take(s, order, axis=1) for s in first))
        return data, tuple(ag.take(s, back, axis=1) for s in state)

    def _first(self, hx: Any, batch: int, single: bool) -> State:
        """The initial state, each part (layers and directions, B, its width); zeros for None."""
        names = self.states
        given = [None] * len(names) if hx is None else [hx] if len(names) == 1 else list(hx)
        if len(given) != len(names):
            raise ArgumentError(
                f"{self!r} was given an initial state of {len(given)} parts. "
                f"Expected {', '.join(f'{name}_0' for name in names)}: write {self.kind.lower()}(x, (h_0, c_0))."
            )
        states = []
        for name, t in zip(names, given, strict=True):
            width = self.proj_size if self.proj_size and name == "h" else self.hidden_size
            full = (self.num_layers * (1 + self.bidirectional), batch, width)
            shape = (full[0], width) if single else full
            if t is None:
                states.append(ag.zeros(full, next(self.parameters()).dtype))
                continue
            state = ag.asarray(t)
            if state.shape != shape:
                raise ShapeError(
                    f"{self!r} was given {name}_0 of shape {state.shape} for "
                    f"{'a single sequence' if single else f'a batch of {batch}'}. Expected {shape}: "
                    f"(num_layers{' * 2' if self.bidirectional else ''}, {'' if single else 'B, '}width)"
                    f"{', also with batch_first' if self.batch_first else ''}."
                )
            states.append(ag.reshape(state, full))
        return tuple(states)

    def _layers(self, data: Tensor, sizes: Sequence[int], first: State) -> tuple[Tensor, State]:
        """The packed rows through all layers and directions."""
        dtype = np.result_type(data.dtype, next(self.parameters()).dtype, *(s.dtype for s in first))
        firsts = list(zip(*(ag.unstack(s if s.dtype == dtype else s.astype(dtype)) for s in first), strict=True))
        lasts: list[State] = []
        runs = _runs(sizes)
        for layer in range(self.num_layers):
            if layer:
                data = dropout(data, self.dropout, self.training, generator=self.generator)
            found = []
            for read, suffix in zip((_from_start, _from_end), self._suffixes(layer), strict=False):
                bias, step, *weights = self._step(suffix)
                weights = [getattr(self, "weight_ih" + suffix), bias, *weights]
                outputs, last = read(TURNS[step], weights, _parts(data, runs), runs, firsts[len(lasts)])
                rows = [ag.reshape(y, (-1, y.shape[2])) for y in outputs]
                found.append(rows[0] if len(rows) == 1 else ag.concat(rows))
                lasts.append(last)
            data = found[0] if len(found) == 1 else ag.concat(found, axis=1)
        return data, tuple(ag.stack(list(s)) for s in zip(*lasts, strict=True))

    def _both(self, suffix: str) -> Tensor | None:
        """b_ih + b_hh."""
        if not self.bias:
            return None
        total: Tensor = getattr(self, "bias_ih" + suffix) + getattr(self, "bias_hh" + suffix)
        return total

    def extra_repr(self) -> str:
        """The sizes; of the rest, what is not the default."""
        text = f"{self.input_size}, {self.hidden_size}"
        defaults: dict[str, Any] = {
            "proj_size": 0,
            "num_layers": 1,
            "nonlinearity": "tanh",
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        for name, usual in defaults.items():
            value = getattr(self, name, usual)
            text += f", {name}={value}" if value != usual else ""
        return text
