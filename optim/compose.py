"""Schedules made of schedules: one upon the other, one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from autograd.errors import ArgumentError
from optim.optimizer import Optimizer
from optim.plateau import ReduceLROnPlateau
from optim.schedule import Schedule


class ChainedScheduler(Schedule):
    """Schedules upon each other: each takes for its first learning rate what the one before it gives.

        lr_t = s_n(t, ... s_2(t, s_1(t, lr_0)))

    For schedules that are a factor of the first rate, this is the product of their factors.

    Parameters:
        schedulers: made for the same optimizer (or for the same number).

    >>> from optim import ConstantLR, ExponentialLR
    >>> ChainedScheduler([ConstantLR(1.0, 0.5, total_iters=2), ExponentialLR(1.0, gamma=0.5)]).curve(4)
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[Schedule]) -> None:
        self.schedulers = _parts("ChainedScheduler", schedulers, schedulers[0].optimizer if schedulers else None)
        super().__init__(self.schedulers[0].optimizer or self.schedulers[0].base_lrs[0])

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        for part in self.schedulers:
            base = part.rate_at(step, base, group)
        return base


class SequentialLR(Schedule):
    """Schedules after each other: each from its milestone on, from its own beginning.

        lr_t = s_i(t - milestone_i, lr_0)    for milestone_i <= t < milestone_(i + 1), milestone_0 = 0

    Parameters:
        optimizer: the optimizer (or number) that all of them were made for.
        schedulers: in their order.
        milestones: at which steps the second, the third ... begins.

    >>> from optim import ExponentialLR, LinearLR
    >>> warm, fall = LinearLR(1.0, 0.5, total_iters=2), ExponentialLR(1.0, gamma=0.5)
    >>> SequentialLR(1.0, [warm, fall], milestones=[2]).curve(5)
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer | float, schedulers: Sequence[Schedule], milestones: Sequence[int]) -> None:
        owner = optimizer if isinstance(optimizer, Optimizer) else None
        self.schedulers, self.milestones = _parts("SequentialLR", schedulers, owner), list(milestones)
        if len(milestones) != len(schedulers) - 1 or sorted(set(milestones)) != self.milestones:
            raise ArgumentError(
                f"SequentialLR was given {len(schedulers)} schedules and milestones={self.milestones}. "
                f"Expected {len(schedulers) - 1} rising milestones, one between each two schedules."
            )
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        k = bisect_right(self.milestones, step)
        return self.schedulers[k].rate_at(step - (self.milestones[k - 1] if k else 0), base, group)


def _parts(name: str, schedulers: Sequence[Schedule], optimizer: Optimizer | None) -> list[Schedule]:
    if not schedulers:
        raise ArgumentError(f"{name} was given no schedules.")
    for k, part in enumerate(schedulers):
        if isinstance(part, ReduceLROnPlateau):
            raise ArgumentError(f"schedule {k} of {name} is a ReduceLROnPlateau, which is no function of the step.")
        if part.optimizer is not optimizer:
            raise ArgumentError(f"schedule {k} of {name} was made for another optimizer. Expected the same for all.")
    return list(schedulers)
