"""A schedule that looks at how training goes: the learning rate falls when a figure no longer improves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from autograd.errors import ArgumentError
from optim.optimizer import Optimizer
from optim.schedule import Schedule, at_least, for_each_group


class ReduceLROnPlateau(Schedule):
    """Times `factor` when a figure has not improved for more than `patience` steps.

        lr <- max(factor lr, min_lr)    after patience + 1 bad steps in a row

    A step is bad unless its figure is better than the best by the threshold: below best (1 - threshold) for
    `threshold_mode="rel"`, best - threshold for "abs" (above, for mode "max"). `lr_at` gives what the rate was at past
    steps, and for later ones what it is now.

    Parameters:
        mode: "min" if small figures are good, "max" if large ones are.
        cooldown: for how many steps after a change nothing is counted as bad.
        min_lr: where the rate stops falling; a list has one for each group.
        eps: a change that is not larger than this is not made.

    >>> schedule = ReduceLROnPlateau(1.0, factor=0.5, patience=0)
    >>> for loss in (3.0, 2.0, 2.0, 1.0, 1.0):
    ...     schedule.step(loss)
    >>> schedule.curve(6)
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer | float,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs") or not 0 <= factor < 1:
            raise ArgumentError(
                f"ReduceLROnPlateau was given mode={mode!r}, threshold_mode={threshold_mode!r}, factor={factor}. "
                "Expected 'min' or 'max', 'rel' or 'abs', and a factor from 0 to below 1."
            )
        self.mode, self.factor, self.threshold_mode = mode, factor, threshold_mode
        self.patience = at_least("ReduceLROnPlateau", "patience", patience, 0)
        self.threshold, self.cooldown, self.eps = threshold, cooldown, eps
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        self.min_lrs = for_each_group("ReduceLROnPlateau", "min_lr", min_lr, groups)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        self.cuts: list[int] = []
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        for cut in self.cuts:
            lower = max(base * self.factor, self.min_lrs[group])
            if cut <= step and base - lower > self.eps:
                base = lower
        return base

    def step(self, metrics: float | None = None) -> None:
        """Go on to the next step, after this one's figure.

        Raises:
            ArgumentError: no figure.
        """
        if metrics is None:
            raise ArgumentError(
                "ReduceLROnPlateau.step was given no figure. Write schedule.step(val_loss), or in a trainer\n"
                "nn.LearningRateScheduler(schedule, monitor='val_loss')."
            )
        figure = float(metrics)
        if self._improves(figure):
            self.best, self.num_bad_epochs = figure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.cuts.append(self.last_epoch + 1)
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        super().step()

    def _improves(self, figure: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * figure < sign * self.best * (1 - sign * self.threshold)
        return sign * figure < sign * self.best - self.threshold

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: the best figure, how many bad ones there were, and when the rate fell."""
        return {
            **super().state_dict(),
            "best": self.best,
            "num_bad_epochs": self.num_bad_epochs,
            "cooldown_counter": self.cooldown_counter,
            "cuts": list(self.cuts),
        }

    def _restore(self, state_dict: Mapping[str, Any]) -> None:
        super()._restore(state_dict)
        self.best, self.cuts = float(state_dict["best"]), [int(k) for k in state_dict["cuts"]]
        self.num_bad_epochs = int(state_dict["num_bad_epochs"])
        self.cooldown_counter = int(state_dict["cooldown_counter"])
