"""Schedules that follow cosines: annealing, warm restarts, one cycle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from autograd.errors import ArgumentError
from optim.optimizer import Optimizer
from optim.schedule import Schedule, at_least, check_momentum, for_each_group, set_momentum


class CosineAnnealingLR(Schedule):
    """Down along half a wave in `T_max` steps, and up again after that.

        lr_t = eta_min + (lr_0 - eta_min) (1 + cos(pi t / T_max)) / 2

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> [round(lr, 3) for lr in CosineAnnealingLR(1.0, T_max=4).curve(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.146]
    """

    def __init__(self, optimizer: Optimizer | float, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = at_least("CosineAnnealingLR", "T_max", T_max, 1), eta_min
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return _cosine(base, self.eta_min, step / self.T_max)


class CosineAnnealingWarmRestarts(Schedule):
    """Down along half a wave, then at once to the top again; each period `T_mult` times as long as the one before.

        lr_t = eta_min + (lr_0 - eta_min) (1 + cos(pi T_cur / T_i)) / 2

    T_cur counts from the last restart, T_i = T_0 T_mult^i is the length of its period.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.

    >>> [round(lr, 3) for lr in CosineAnnealingWarmRestarts(1.0, T_0=2, T_mult=2).curve(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    def __init__(self, optimizer: Optimizer | float, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        name = "CosineAnnealingWarmRestarts"
        self.T_0, self.T_mult = at_least(name, "T_0", T_0, 1), at_least(name, "T_mult", T_mult, 1)
        self.eta_min = eta_min
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        current, period = step, self.T_0
        if self.T_mult == 1:
            current %= period
        else:
            while current >= period:
                current, period = current - period, period * self.T_mult
        return _cosine(base, self.eta_min, current / period)


class OneCycleLR(Schedule):
    """Up to `max_lr` and down far below where it began, in `total_steps` steps; momentum the other way round.

        lr_0 = max_lr / div_factor  ->  max_lr  ->  lr_0 / final_div_factor

    The first phase takes `pct_start` of the steps; with `three_phase`, the second one goes down to lr_0 in as many, and
    a third one to the end. The momentum (beta1 in Adam's family) goes from `max_momentum` to `base_momentum` and back.
    After the last step the rate stays where it is.

    Parameters:
        optimizer: as for every schedule; its own learning rate does not matter here.
        max_lr: the rate at the top; a list has one for each group.
        total_steps: how many steps there are; or say `epochs` and `steps_per_epoch`.
        anneal_strategy: "cos" for half waves, "linear" for straight lines.
        cycle_momentum: False to leave the momentum alone.

    Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates", 2018.

    >>> schedule = OneCycleLR(0.0, max_lr=1.0, total_steps=11, pct_start=0.5)
    >>> [round(lr, 3) for lr in schedule.curve(12)[::2]]
    [0.04, 0.437, 0.971, 0.827, 0.292, 0.0]
    """

    def __init__(
        self,
        optimizer: Optimizer | float,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError(
                    "OneCycleLR was given no length. Write total_steps=, or epochs= and steps_per_epoch=."
                )
            total_steps = epochs * steps_per_epoch
        if anneal_strategy not in ("cos", "linear") or not 0 <= pct_start <= 1:
            raise ArgumentError(
                f"OneCycleLR was given anneal_strategy={anneal_strategy!r}, pct_start={pct_start}. "
                "Expected 'cos' or 'linear', and 0 to 1."
            )
        self.total_steps = at_least("OneCycleLR", "total_steps", total_steps, 1)
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        self.max_lrs = [float(lr) for lr in for_each_group("OneCycleLR", "max_lr", max_lr, groups)]
        self.anneal, self.cycle_momentum = _cosine if anneal_strategy == "cos" else _line, cycle_momentum
        self.base_momentum, self.max_momentum = base_momentum, max_momentum
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        self.ends = _phases(self.total_steps, pct_start, three_phase)
        if cycle_momentum:
            check_momentum("OneCycleLR", optimizer)
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        top = self.max_lrs[group]
        low = top / self.div_factor
        end = low / self.final_div_factor
        return self._along(step, [low, top, low, end] if len(self.ends) == 3 else [low, top, end])

    def momentum_at(self, step: int) -> float:
        """The momentum at a step, counted from 0."""
        low, high = self.base_momentum, self.max_momentum
        return self._along(step, [high, low, high, high])

    def _along(self, step: int, levels: Sequence[float]) -> float:
        step, start = min(step, self.total_steps - 1), 0.0
        for k, end in enumerate(self.ends):
            if step <= end or k == len(self.ends) - 1:
                done = (step - start) / (end - start) if end > start else 1.0
                return self.anneal(levels[k], levels[k + 1], done)
            start = end
        raise AssertionError("the last phase has no end")

    def _apply(self) -> None:
        super()._apply()
        if self.cycle_momentum:
            set_momentum(self.groups(), self.momentum_at(self.last_epoch))


def _phases(steps: int, pct_start: float, three: bool) -> list[float]:
    """The last step of each phase."""
    up = pct_start * steps - 1
    return [up, 2 * up, steps - 1] if three else [up, steps - 1]


def _cosine(first: float, last: float, done: float) -> float:
    """From `first` to `last` along half a wave."""
    return last + (first - last) * (1 + math.cos(math.pi * done)) / 2


def _line(first: float, last: float, done: float) -> float:
    """From `first` to `last` along a straight line."""
    return (last - first) * done + first
