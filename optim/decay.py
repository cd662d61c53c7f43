"""Schedules that are a factor of the first learning rate: constant, steps, powers, lines, any function."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

from autograd.errors import ArgumentError
from optim.optimizer import Optimizer
from optim.schedule import Schedule, at_least, for_each_group


class ConstantLR(Schedule):
    """A factor of the learning rate until `total_iters`, then all of it.

        lr_t = lr_0 factor    (t < total_iters; lr_0 from there on)

    >>> ConstantLR(1.0, factor=0.5, total_iters=2).curve(4)
    [0.5, 0.5, 1.0, 1.0]
    """

    def __init__(self, optimizer: Optimizer | float, factor: float = 1.0 / 3, total_iters: int = 5) -> None:
        self.factor, self.total_iters = _fraction("ConstantLR", "factor", factor), total_iters
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return base * self.factor if step < self.total_iters else base


class LinearLR(Schedule):
    """A straight line from one factor to another: a linear warm-up, with the defaults.

        lr_t = lr_0 (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters)

    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.

    >>> LinearLR(1.0, start_factor=0.5, total_iters=2).curve(4)
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer | float,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = _fraction("LinearLR", "start_factor", start_factor)
        self.end_factor = _fraction("LinearLR", "end_factor", end_factor)
        self.total_iters = at_least("LinearLR", "total_iters", total_iters, 1)
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        done = min(step, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * done)


class StepLR(Schedule):
    """Times gamma after every `step_size` steps.

        lr_t = lr_0 gamma^floor(t / step_size)

    >>> StepLR(1.0, step_size=2, gamma=0.5).curve(5)
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer | float, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = at_least("StepLR", "step_size", step_size, 1), gamma
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return float(base * self.gamma ** (step // self.step_size))


class MultiStepLR(Schedule):
    """Times gamma at each milestone.

        lr_t = lr_0 gamma^(number of milestones <= t)

    >>> MultiStepLR(1.0, milestones=[1, 3], gamma=0.5).curve(5)
    [1.0, 0.5, 0.5, 0.25, 0.25]
    """

    def __init__(self, optimizer: Optimizer | float, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return float(base * self.gamma ** bisect_right(self.milestones, step))


class ExponentialLR(Schedule):
    """Times gamma at every step.

        lr_t = lr_0 gamma^t

    >>> ExponentialLR(1.0, gamma=0.5).curve(4)
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, optimizer: Optimizer | float, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return float(base * self.gamma**step)


class PolynomialLR(Schedule):
    """Down to zero along a power of what is left.

        lr_t = lr_0 (1 - min(t, total_iters) / total_iters)^power

    >>> PolynomialLR(1.0, total_iters=4).curve(6)
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer | float, total_iters: int = 5, power: float = 1.0) -> None:
        self.total_iters, self.power = at_least("PolynomialLR", "total_iters", total_iters, 1), power
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return float(base * (1 - min(step, self.total_iters) / self.total_iters) ** self.power)


class InverseSquareRootLR(Schedule):
    """Up along a line for `warmup_steps` steps, to the learning rate itself; then down with the root of the step.

        lr_t = lr_0 min((t + 1) / warmup_steps, sqrt(warmup_steps / (t + 1)))

    Vaswani et al., "Attention is all you need", 2017, section 5.3, where lr_0 = (d_model warmup_steps)^-0.5.

    >>> InverseSquareRootLR(1.0, warmup_steps=2).curve(8)[::7]
    [0.5, 0.5]
    """

    def __init__(self, optimizer: Optimizer | float, warmup_steps: int = 4000) -> None:
        self.warmup_steps = at_least("InverseSquareRootLR", "warmup_steps", warmup_steps, 1)
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return base * min((step + 1) / self.warmup_steps, math.sqrt(self.warmup_steps / (step + 1)))


class LambdaLR(Schedule):
    """A function of the step times the learning rate; a list of functions is one for each group.

        lr_t = lr_0 lr_lambda(t)

    >>> LambdaLR(1.0, lambda t: 1 / (1 + t)).curve(2)
    [1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer | float, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        self.lr_lambdas = for_each_group("LambdaLR", "lr_lambda", lr_lambda, groups)
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        return float(base * self.lr_lambdas[group](step))


class MultiplicativeLR(Schedule):
    """The learning rate times a function of the step, at every step; a list of functions is one for each group.

        lr_t = lr_(t-1) lr_lambda(t)

    The function is called once for each step from 1 on, and its products are kept.

    >>> MultiplicativeLR(1.0, lambda t: 1 / t).curve(4)[:3]
    [1.0, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer | float, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]]
    ) -> None:
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        self.lr_lambdas = for_each_group("MultiplicativeLR", "lr_lambda", lr_lambda, groups)
        self._factors = [[1.0] for _ in self.lr_lambdas]
        super().__init__(optimizer)

    def rate_at(self, step: int, base: float, group: int) -> float:
        """The rate at a step."""
        factors = self._factors[group]
        while len(factors) <= step:
            factors.append(float(factors[-1] * self.lr_lambdas[group](len(factors))))
        return base * factors[step]


def _fraction(name: str, setting: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ArgumentError(f"{name} was given {setting}={value}. Expected 0 to 1.")
    return value
