"""A schedule that goes up and down between two learning rates, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from autograd.errors import ArgumentError
from optim.optimizer import Optimizer
from optim.schedule import Schedule, at_least, check_momentum, for_each_group, set_momentum

Scale = Callable[[float], float]


class CyclicLR(Schedule):
    """Up along a line and down again, in cycles whose height may fall; momentum the other way round.

        lr_t = base_lr + (max_lr - base_lr) h_t s        h_t: 0 at the ends of cycle c = 1, 2, ..., 1 at its top

    s is 1 for the mode "triangular", 2^(1 - c) for "triangular2", gamma^t for "exp_range".

    Parameters:
        optimizer: as for every schedule; its own learning rate does not matter here.
        base_lr: the rate at the ends; a list has one for each group.
        max_lr: the rate at the top of the first cycle; a list has one for each group.
        step_size_up: how many steps go up.
        step_size_down: how many go down; None for as many.
        scale_fn: a function that gives s, in the place of a mode.
        scale_mode: whether scale_fn is given the number of the cycle, from 1 on, or of the step: "iterations".
        cycle_momentum: False to leave the momentum (beta1 in Adam's family) alone.

    Raises:
        ArgumentError: another mode, lengths below 1, or a momentum to cycle where there is none.

    Smith, "Cyclical learning rates for training neural networks", 2017.

    >>> CyclicLR(0.0, base_lr=1.0, max_lr=3.0, step_size_up=2, mode="triangular2").curve(9)
    [1.0, 2.0, 3.0, 2.0, 1.0, 1.5, 2.0, 1.5, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer | float,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Scale | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
    ) -> None:
        if mode not in ("triangular", "triangular2", "exp_range") or scale_mode not in ("cycle", "iterations"):
            raise ArgumentError(
                f"CyclicLR was given mode={mode!r}, scale_mode={scale_mode!r}. "
                "Expected 'triangular', 'triangular2' or 'exp_range', and 'cycle' or 'iterations'."
            )
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        self.low_lrs = [float(lr) for lr in for_each_group("CyclicLR", "base_lr", base_lr, groups)]
        self.max_lrs = [float(lr) for lr in for_each_group("CyclicLR", "max_lr", max_lr, groups)]
        self.step_size_up = at_least("CyclicLR", "step_size_up", step_size_up, 1)
        down = step_size_up if step_size_down is None else step_size_down
        self.step_size_down = at_least("CyclicLR", "step_size_down", down, 1)
        self.mode, self.gamma, self.scale_fn, self.scale_mode = mode, gamma, scale_fn, scale_mode
        self.cycle_momentum, self.base_momentum, self.max_momentum = cycle_momentum, base_momentum, max_momentum
        if cycle_momentum:
            check_momentum("CyclicLR", optimizer)
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        low = self.low_lrs[group]
        return low + (self.max_lrs[group] - low) * self._height(step)

    def momentum_at(self, step: int) -> float:
        """The momentum at a step, counted from 0."""
        return self.max_momentum - (self.max_momentum - self.base_momentum) * self._height(step)

    def _height(self, step: int) -> float:
        length = self.step_size_up + self.step_size_down
        cycle, place = 1 + step // length, step % length
        up = place <= self.step_size_up
        line = place / self.step_size_up if up else (length - place) / self.step_size_down
        return float(line * self._scale(cycle, step))

    def _scale(self, cycle: int, step: int) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(cycle if self.scale_mode == "cycle" else step)
        if self.mode == "exp_range":
            return float(self.gamma**step)
        return 1.0 if self.mode == "triangular" else 0.5 ** (cycle - 1)

    def _apply(self) -> None:
        super()._apply()
        if self.cycle_momentum:
            set_momentum(self.groups(), self.momentum_at(self.last_epoch))
