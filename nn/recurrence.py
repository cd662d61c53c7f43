"""What recurrent layers share: one product for the inputs of all steps, then a loop over the steps of `nn.cell`.

Inside, a batch is always packed: the rows of step 0, those of step 1, and so on, each step at most as many as the one
before. A batch of equal lengths is the case in which no step has fewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from numpy.typing import DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError, ShapeError
from nn.cell import GATES, State, Step, add_parameters, expect_sizes
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


def _steps(data: Tensor, sizes: Sequence[int]) -> list[Tensor]:
    """The rows of each step, cut out of blocks of steps: the cotangent of a cut is as large as what it was cut from."""
    length = math.isqrt(len(sizes))
    blocks = [sizes[k : k + length] for k in range(0, len(sizes), length)]
    cuts = list(accumulate(map(sum, blocks)))[:-1]
    pairs = zip(ag.split(data, cuts), blocks, strict=True)
    return [part for rows, block in pairs for part in ag.split(rows, list(accumulate(block))[:-1])]


def _from_start(step: Step, parts: Sequence[Tensor], sizes: Sequence[int], state: State) -> tuple[list[Tensor], State]:
    """h of every step, and the last state of every sequence; those that end leave at the bottom."""
    outputs, ended = [], []
    for k, x in enumerate(parts):
        n = sizes[k]
        if k and n < sizes[k - 1]:
            ended.append(tuple(s[n:] for s in state))
            state = tuple(s[:n] for s in state)
        state = step(x, state)
        outputs.append(state[0])
    rows = [state, *reversed(ended)]
    return outputs, tuple(ag.concat(list(s)) for s in zip(*rows, strict=True)) if ended else state


def _from_end(step: Step, parts: Sequence[Tensor], sizes: Sequence[int], start: State) -> tuple[list[Tensor], State]:
    """The same from the last step to the first; sequences join, with their first state, at their own last step."""
    outputs: list[Tensor] = []
    n, state = sizes[-1], tuple(s[: sizes[-1]] if sizes[-1] < sizes[0] else s for s in start)
    for x, size in zip(reversed(parts), reversed(sizes), strict=True):
        if size > n:
            state = tuple(ag.concat([s, first[n:size]]) for s, first in zip(state, start, strict=True))
            n = size
        state = step(x, state)
        outputs.append(state[0])
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

    def _step(self, suffix: str) -> tuple[Tensor | None, Step]:
        """The bias that goes with the inputs' product, and the step."""
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
        firsts = list(zip(*map(ag.unstack, first), strict=True))
        lasts: list[State] = []
        for layer in range(self.num_layers):
            if layer:
                data = dropout(data, self.dropout, self.training, generator=self.generator)
            found = []
            for scan, suffix in zip((_from_start, _from_end), self._suffixes(layer), strict=False):
                bias, step = self._step(suffix)
                parts = _steps(linear(data, getattr(self, "weight_ih" + suffix), bias), sizes)
                outputs, last = scan(step, parts, sizes, firsts[len(lasts)])
                found.append(ag.concat(outputs))
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
