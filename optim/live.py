"""Numbers of an optimizer that a compiled step asks for anew each time it runs: its settings and its step count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from autograd import Tensor, same_tensors
from autograd.errors import DifferentiationError
from optim.together import Together, split

_PLAIN = frozenset((float, int, bool, str, type(None)))


class Owner(Protocol):
    """What is asked of an optimizer."""

    param_groups: list[dict[str, Any]]
    defaults: dict[str, Any]
    _together: dict[int, Any]

    def sets(self, k: int, params: list[Tensor]) -> list[tuple[list[int], Together]]:
        """The parameters of group k that have gradients, in sets that are updated together."""


class Numbers:
    """Those of one set of parameters of one group."""

    def __init__(
        self,
        owner: Owner,
        group: int,
        place: int,
        params: list[Tensor],
        some: Together,
        settings: Mapping[str, Any],
    ) -> None:
        self.owner, self.group, self.place, self.params, self.some = owner, group, place, list(params), some
        self.form, self.values = split(settings)
        self.seen: list[Any] | None = None
        self.sizes = [len(group["params"]) for group in owner.param_groups]

    def read(self) -> Sequence[float] | None:
        """The counts and settings as they are now; None where others than these parameters and this form are asked."""
        if [len(group["params"]) for group in self.owner.param_groups] != self.sizes:
            return None
        group = self.owner.param_groups[self.group]
        now = [weak(group[name]) for name in self.owner.defaults]
        if now != self.seen:
            form, values = split(dict(zip(self.owner.defaults, now, strict=True)))
            if form != self.form:
                return None
            self.seen, self.values = now, values
        sets = self.owner.sets(self.group, self.params)
        some = sets[self.place][1] if self.place < len(sets) else None
        if some is not self.some:  # the state was looked at, or loaded
            mine = self.some.columns
            if some is None or len(some.columns) != len(mine) or not all(map(same_tensors, some.columns, mine)):
                return None
            self.some = some
        return self.again()

    def watched(self) -> tuple[list[dict[Any, Any]], list[list[Any]]] | None:
        """What `read` looks at, unless a setting may change in place."""
        groups = self.owner.param_groups
        if not all(_plain(groups[self.group][name]) for name in self.owner.defaults):
            return None
        return [vars(self.owner), self.owner._together, *groups], [groups, *(group["params"] for group in groups)]

    def again(self) -> Sequence[float]:
        """The counts as they are now, with the settings as they were read."""
        return [*self.some.numbers.values(), *self.values]

    def write(self, numbers: Sequence[float]) -> None:
        """The counts after a step."""
        if numbers:
            self.some.numbers = dict(zip(self.some.numbers, numbers, strict=True))


def weak(setting: Any) -> Any:
    """A setting in Python's own numbers, which do not promote float32: a schedule may have put NumPy's in its place."""
    if isinstance(setting, Tensor) and setting.requires_grad:
        raise DifferentiationError(
            "a setting that requires a gradient was given to an optimizer, whose steps are not recorded.\n"
            "Write setting.item(), or call optimizer.update(w, g, state, ...) yourself, which is differentiable."
        )
    if isinstance(setting, (Tensor, np.generic, np.ndarray)):
        return setting.item()
    return tuple([weak(x) for x in setting]) if isinstance(setting, (tuple, list)) else setting


def _plain(setting: Any) -> bool:
    """Whether a setting is what it is for as long as it is the same object."""
    return all(map(_plain, setting)) if type(setting) is tuple else type(setting) in _PLAIN
