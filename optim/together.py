"""Parameters of one group that are updated together: their rule as one kernel over all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

import autograd as ag
from autograd import Tensor

State = dict[str, Any]
Rule = Callable[..., tuple[Tensor, State]]


class Together:
    """Parameters whose states look alike: the same names, the same numbers, different Tensors.

    Attributes:
        columns: the parameters, then their Tensors of state, one column for each name.
        numbers: what is a number in the state of each of them, and equal for all: the step count.
    """

    def __init__(self, params: list[Tensor], states: Sequence[State]) -> None:
        first = states[0]
        self.names = [name for name, x in first.items() if isinstance(x, Tensor)]
        self.numbers = {name: x for name, x in first.items() if not isinstance(x, Tensor)}
        self.columns = (tuple(params), *(tuple([state[name] for state in states]) for name in self.names))
        self.states = states

    def stable(self, update: Rule, settings: Mapping[str, Any], known: dict[Any, bool]) -> bool:
        """Whether the state keeps its names in an update, tried once on arrays of one element."""
        key = (tuple(self.names), tuple(self.numbers), split(settings)[0])
        if key not in known:
            tiny = {name: ag.zeros(1) for name in self.names} | self.numbers
            with ag.no_grad():
                known[key] = update(ag.ones(1), ag.ones(1), tiny, **settings)[1].keys() == tiny.keys()
        return known[key]

    def step(
        self, foreach: ag.Foreach, gradients: Sequence[Tensor], settings: Mapping[str, Any], live: Any = None
    ) -> None:
        """Update them all."""
        shape, values = split(settings)
        key = (tuple(self.names), tuple(self.numbers), shape)
        numbers = (*self.numbers.values(), *values)
        found = foreach.update_(self.columns, [gradients], *numbers, key=key, live=live)
        if live is not None:  # noted, and not done yet
            return
        self.numbers = dict(zip(self.numbers, found, strict=True))

    def settled(self) -> Sequence[State]:
        """The states, with the numbers that they have now."""
        for state in self.states:
            state.update(self.numbers)
        return self.states


def alike(params: Sequence[Tensor], states: Mapping[Tensor, State]) -> list[tuple[list[int], Together]]:
    """The parameters in sets whose states look alike, with their positions."""
    found: dict[Hashable, list[int]] = {}
    for k, w in enumerate(params):
        signature = tuple((name, None if isinstance(x, Tensor) else x) for name, x in states[w].items())
        found.setdefault(signature, []).append(k)
    return [(some, Together([params[k] for k in some], [states[params[k]] for k in some])) for some in found.values()]


def rule_of(update: Callable[[], Rule | None]) -> Callable[[Hashable], Callable[..., Any]]:
    """An optimizer's `update` as a function of Tensors and numbers alone, for each key that `Together.step` makes."""

    def keyed(key: Any) -> Callable[..., Any]:
        names, counts, shape = key

        def rule(w: Tensor, *rest: Any) -> tuple[Any, ...]:
            slots, g, numbers = rest[: len(names)], rest[len(names)], rest[len(names) + 1 :]
            state = dict(zip(names, slots, strict=True)) | dict(zip(counts, numbers, strict=False))
            own = update()
            assert own is not None  # who steps is alive
            new, after = own(w, g, state, **joined(shape, numbers[len(counts) :]))
            return new, *(after[name] for name in (*names, *counts))

        return rule

    return keyed


def split(settings: Mapping[str, Any]) -> tuple[Hashable, list[float]]:
    """Settings as a form, which is compiled for, and the numbers in it that may change from step to step.

    A zero belongs to the form: rules leave out what a zero makes vanish.

    >>> split({"lr": 0.1, "betas": (0.9, 0), "nesterov": True})
    ((('lr', None), ('betas', (None, 0)), ('nesterov', True)), [0.1, 0.9])
    """
    numbers: list[float] = []
    return tuple([(name, _form(x, numbers)) for name, x in settings.items()]), numbers


def _form(x: Any, numbers: list[float]) -> Any:
    if isinstance(x, tuple):
        return tuple([_form(part, numbers) for part in x])
    if x is None:
        return "None"
    if isinstance(x, (bool, str)) or x == 0:
        return x
    numbers.append(x)
    return None


def joined(shape: Any, numbers: Sequence[Any]) -> dict[str, Any]:
    """The settings again, of their form and numbers.

    >>> joined((("lr", None), ("betas", (None, 0))), [0.1, 0.9])
    {'lr': 0.1, 'betas': (0.9, 0)}
    """
    rest = iter(numbers)
    return {name: _filled(x, rest) for name, x in shape}


def _filled(x: Any, numbers: Iterator[Any]) -> Any:
    if isinstance(x, tuple):
        return tuple([_filled(part, numbers) for part in x])
    return next(numbers) if x is None else None if x == "None" else x
