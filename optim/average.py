"""Averages of weights along training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, CheckpointError, DTypeError


class WeightAverage:
    """The average of weights over the calls of `update`, to be put in their place.

        a <- a + (w - a) / (n + 1)                  decay None: the mean of all (stochastic weight averaging)
        a <- decay a + (1 - decay) w                decay a number: the exponential moving average
        a <- w                                      at the first call

    Parameters:
        params: Tensors, or pairs of a name and a Tensor, as `model.named_parameters()` gives.
        decay: None, or from 0 to below 1.

    Attributes:
        averages: a Tensor for each parameter, in their order; the parameters' own values before the first `update`.
        n_averaged: how often `update` was called.

    Raises:
        ArgumentError: no parameters, one of them twice, a decay out of its range, or `update` inside `swap`.
        DTypeError: a parameter that is not a Tensor.

    Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018; Polyak and Juditsky,
    "Acceleration of stochastic approximation by averaging", 1992.

    >>> import autograd as ag
    >>> w = ag.tensor([0.0], requires_grad=True)
    >>> average = WeightAverage([w])
    >>> for value in (1.0, 2.0, 6.0):
    ...     with ag.no_grad():
    ...         w.fill_(value)
    ...     average.update()
    tensor([1.], requires_grad=True)
    tensor([2.], requires_grad=True)
    tensor([6.], requires_grad=True)
    >>> with average.swap():
    ...     print(w.item())
    3.0
    >>> w.item()
    6.0
    """

    def __init__(self, params: Iterable[Tensor] | Iterable[tuple[str, Tensor]], decay: float | None = None) -> None:
        if decay is not None and not 0 <= decay < 1:
            raise ArgumentError(f"WeightAverage was given decay={decay}. Expected None, or 0 <= decay < 1.")
        given: list[Any] = [] if isinstance(params, Tensor) else list(params)
        pairs = [pair if isinstance(pair, tuple) else (str(k), pair) for k, pair in enumerate(given)]
        if not pairs:
            raise ArgumentError(
                "WeightAverage was given no list of parameters.\nWrite WeightAverage(model.parameters()); an iterator "
                "can be read only once."
            )
        for name, w in pairs:
            if not isinstance(w, Tensor):
                raise DTypeError(f"parameter {name!r} of WeightAverage is a {type(w).__name__}. Expected a Tensor.")
        self.names, self.params = [name for name, _ in pairs], [w for _, w in pairs]
        if len({id(w) for w in self.params}) < len(pairs) or len(set(self.names)) < len(pairs):
            raise ArgumentError("WeightAverage was given a parameter, or a name, twice. Expected each one once.")
        self.decay, self.n_averaged, self._swapped = decay, 0, False
        self.averages = [w.detach() for w in self.params]
        self._foreach = ag.foreach(_nearer)

    def update(self) -> None:
        """Take the parameters as they are now into the average."""
        if self._swapped:
            raise ArgumentError(
                "WeightAverage.update was called inside `with average.swap()`, where the parameters are the averages.\n"
                "Call it after the block."
            )
        if self.n_averaged == 0:
            ag.not_yet("the first update of a WeightAverage takes the weights as they are")
            for a, w in zip(self.averages, self.params, strict=True):
                a.copy_(w.detach())
        elif ag.is_captured(self.params[0]):  # noted, and not done yet
            self._foreach.update_([self.averages], [self.params], self.rate(), live=_Live(self))
            return
        else:
            self._foreach.update_([self.averages], [self.params], self.rate())
        self.n_averaged += 1

    def rate(self) -> float:
        """What the next value counts beside the average."""
        return 1 / (self.n_averaged + 1) if self.decay is None else 1 - self.decay

    @property
    def swapped(self) -> bool:
        """Whether the averages are in the place of the parameters."""
        return self._swapped

    @contextmanager
    def swap(self) -> Iterator[None]:
        """The averages in the parameters for a block; afterwards, however it ends, the parameters are back."""
        if self._swapped:
            raise ArgumentError("WeightAverage.swap was entered twice. Leave the first block before.")
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        with ag.no_grad():
            for a, w in zip(self.averages, self.params, strict=True):
                mine, its = a.detach(), w.detach()
                w.copy_(mine)
                a.copy_(its)
        self._swapped = not self._swapped

    def copy_(self) -> None:
        """Give the parameters the averages for good."""
        with ag.no_grad():
            for a, w in zip(self.averages, self.params, strict=True):
                w.copy_(a.detach())

    def state_dict(self) -> dict[str, Any]:
        """The averages by name, how many values they are of, and the decay."""
        averages = {name: a.detach() for name, a in zip(self.names, self.averages, strict=True)}
        return {"n_averaged": self.n_averaged, "decay": self.decay, "averages": averages}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called.

        Raises:
            CheckpointError: if it does not match these parameters, which are then averaged as before.
        """
        if not {"n_averaged", "decay", "averages"} <= state_dict.keys():
            raise CheckpointError(
                f"WeightAverage.load_state_dict was given {list(state_dict)}. Expected n_averaged, decay, averages."
            )
        stored = state_dict["averages"]
        if sorted(stored) != sorted(self.names):
            raise CheckpointError(f"the stored averages are of {sorted(stored)}. Expected {sorted(self.names)}.")
        new = [ag.tensor(stored[name], dtype=w.dtype) for name, w in zip(self.names, self.params, strict=True)]
        for name, a, w in zip(self.names, new, self.params, strict=True):
            if a.shape != w.shape:
                raise CheckpointError(f"the stored average of {name!r} has shape {a.shape}. Expected {w.shape}.")
        self.averages, self.n_averaged, self.decay = new, int(state_dict["n_averaged"]), state_dict["decay"]

    def __repr__(self) -> str:
        return f"WeightAverage({len(self.params)} parameters, decay={self.decay}, n_averaged={self.n_averaged})"


class _Live:
    """The rate of an average, which a compiled step asks for anew each time it runs."""

    def __init__(self, average: WeightAverage) -> None:
        self.average, self.averages = average, average.averages

    def read(self) -> Sequence[float] | None:
        """The rate; None where other averages are kept, the first update is to come, or `update` would refuse."""
        average = self.average
        if average.swapped or not average.n_averaged or average.averages is not self.averages:
            return None
        return [average.rate()]

    def watched(self) -> None:
        """More than can be watched: the rate is asked for each time."""

    def again(self) -> Sequence[float]:
        """The rate."""
        return [self.average.rate()]

    def write(self, numbers: Sequence[float]) -> None:
        """One more value was taken."""
        self.average.n_averaged += 1


def _nearer(a: Tensor, w: Tensor, rate: Any) -> Tensor:
    nearer: Tensor = a + rate * (w - a)
    return nearer
