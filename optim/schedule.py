"""Learning rates that change as training goes on: what all schedules share. Each is a pure function of the step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from autograd.elsewhere import Hinted
from autograd.errors import ArgumentError, CheckpointError
from optim.elsewhere import SCHEDULE
from optim.optimizer import Group, Optimizer

Number = TypeVar("Number", int, float)


class Schedule(Hinted, ABC):
    """A learning rate for each step; a step is an epoch or a batch, whichever `step()` is called after.

    A schedule is attached to an optimizer by being made: it sets `group["lr"]` of each group for step 0, and for the
    next step at each call of `step()`. The rate of a step depends on nothing but the step and the group's first rate,
    `group["initial_lr"]`, so that `lr_at` can be asked, and drawn, for any step.

    Parameters:
        optimizer: the optimizer to set, or a number: the first learning rate, for a schedule that is only looked at.

    Attributes:
        last_epoch: the number of calls of `step()`.
        base_lrs: the first learning rate of each group.
    """

    elsewhere = SCHEDULE

    def __init__(self, optimizer: Optimizer | float) -> None:
        self.optimizer = optimizer if isinstance(optimizer, Optimizer) else None
        self.last_epoch = 0
        if isinstance(optimizer, Optimizer):
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", group["lr"])
            self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        elif isinstance(optimizer, (int, float)) and not isinstance(optimizer, bool):
            self.base_lrs = [float(optimizer)]
        else:
            raise ArgumentError(
                f"{type(self).__name__} was given a {type(optimizer).__name__}. Expected an optimizer, or a number: "
                "the first learning rate, for a schedule to look at."
            )
        self._apply()

    @abstractmethod
    def rate_at(self, step: int, base: float, group: int) -> float:
        """The learning rate of group number `group`, which was made with the rate `base`, at a step: pure."""

    def lr_at(self, step: int, group: int = 0) -> float:
        """The learning rate at a step, counted from 0.

        Raises:
            ArgumentError: a step below 0.
        """
        if step < 0:
            raise ArgumentError(f"{type(self).__name__}.lr_at was given step={step}. Expected 0 or more.")
        return self.rate_at(step, self.base_lrs[group], group)

    def curve(self, steps: int, group: int = 0) -> list[float]:
        """The learning rates of the first steps, for a picture: `plt.plot(schedule.curve(100))`."""
        return [self.lr_at(k, group) for k in range(steps)]

    def step(self, metrics: float | None = None) -> None:
        """Go on to the next step: set the learning rates for it. The figure is for `ReduceLROnPlateau`."""
        self.last_epoch += 1
        self._apply()

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group now."""
        return [self.lr_at(self.last_epoch, k) for k in range(len(self.base_lrs))]

    def groups(self) -> list[Group]:
        """The groups of the optimizer; none for a schedule that is only looked at."""
        return [] if self.optimizer is None else self.optimizer.param_groups

    def _apply(self) -> None:
        for k, group in enumerate(self.groups()[: len(self.base_lrs)]):
            group["lr"] = self.lr_at(self.last_epoch, k)

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, in plain numbers. Its settings are not in it: make the schedule again as it was."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was called.

        Raises:
            CheckpointError: the state of another kind of schedule, or for another number of groups.
        """
        name, mine = type(self).__name__, self.state_dict()
        missing = sorted(mine.keys() - state_dict.keys())
        if missing:
            raise CheckpointError(f"the stored state of {name} has no {missing}. Was it saved by another schedule?")
        if len(state_dict["base_lrs"]) != len(self.base_lrs):
            raise CheckpointError(
                f"the stored state of {name} has {len(state_dict['base_lrs'])} groups. Expected {len(self.base_lrs)}."
            )
        self._restore(state_dict)
        self._apply()

    def _restore(self, state_dict: Mapping[str, Any]) -> None:
        self.last_epoch = int(state_dict["last_epoch"])
        self.base_lrs = [float(lr) for lr in state_dict["base_lrs"]]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(step {self.last_epoch}: lr={', '.join(f'{lr:g}' for lr in self.get_last_lr())})"


def at_least(name: str, setting: str, value: Number, low: float) -> Number:
    """A setting, if it is not below its least value.

    Raises:
        ArgumentError: if it is.

    >>> at_least("StepLR", "step_size", 3, 1)
    3
    """
    if not value >= low:
        raise ArgumentError(f"{name} was given {setting}={value}. Expected {low} or more.")
    return value


def for_each_group(name: str, setting: str, value: Any, groups: int) -> list[Any]:
    """One value for each group, from one for all or a list.

    Raises:
        ArgumentError: a list of another length.

    >>> for_each_group("LambdaLR", "lr_lambda", 0.5, 2)
    [0.5, 0.5]
    """
    if not isinstance(value, Sequence):
        return [value] * groups
    if len(value) != groups:
        raise ArgumentError(f"{name} was given {len(value)} values of {setting}. Expected {groups}, one for a group.")
    return list(value)


def check_momentum(name: str, optimizer: Optimizer | float) -> None:
    """Refuse an optimizer without a momentum to cycle.

    Raises:
        ArgumentError: if a group has none.

    >>> check_momentum("OneCycleLR", 0.1)
    """
    groups = optimizer.param_groups if isinstance(optimizer, Optimizer) else ()
    if not all("betas" in group or bool(group.get("momentum")) for group in groups):
        raise ArgumentError(
            f"{name} was to cycle the momentum of {type(optimizer).__name__}, which has none.\n"
            "Write cycle_momentum=False, or give the optimizer a momentum."
        )


def set_momentum(groups: Sequence[Group], momentum: float) -> None:
    """Set the momentum of groups of an optimizer: beta1 in Adam's family.

    >>> group = {"betas": (0.5, 0.9)}
    >>> set_momentum([group], 0.8)
    >>> group
    {'betas': (0.8, 0.9)}
    """
    for group in groups:
        if "betas" in group:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum
