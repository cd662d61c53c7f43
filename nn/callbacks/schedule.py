"""Let a schedule set the learning rate as training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from autograd.errors import ArgumentError
from nn.callback import Callback
from nn.callbacks.figure import figure_of

if TYPE_CHECKING:
    from nn.trainer import Trainer


@runtime_checkable
class Scheduled(Protocol):
    """What is asked of a schedule: `optim`'s have it."""

    def step(self, metrics: float | None = None) -> None:
        """Go on to the next step."""

    def state_dict(self) -> dict[str, Any]:
        """Where it stands."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""


class LearningRateScheduler(Callback):
    """Calls `schedule.step()` after each epoch, or after each step of the optimizer.

    Parameters:
        schedule: made for the trainer's optimizer.
        every: "epoch" or "step".
        monitor: the figure that the schedule looks at, for `optim.ReduceLROnPlateau`: "val_loss".

    Raises:
        ArgumentError: another word for `every`, a monitor for steps, or a figure that is not in the history.

    >>> import autograd as ag, nn, optim
    >>> model = nn.Linear(1, 1)
    >>> optimizer = optim.SGD(model.parameters(), lr=1.0)
    >>> halve = LearningRateScheduler(optim.ExponentialLR(optimizer, gamma=0.5))
    >>> x = ag.zeros((1, 1), dtype="float32")
    >>> _ = nn.Trainer(model, nn.MSELoss(), optimizer, progress=False).fit([(x, x)], epochs=3, callbacks=[halve])
    >>> optimizer.param_groups[0]["lr"]
    0.125
    """

    def __init__(
        self, schedule: Scheduled, every: Literal["epoch", "step"] = "epoch", *, monitor: str | None = None
    ) -> None:
        if every not in ("epoch", "step") or (every == "step" and monitor is not None):
            raise ArgumentError(
                f"LearningRateScheduler was given every={every!r}, monitor={monitor!r}. Expected 'epoch' or 'step', "
                "and a monitor for epochs only."
            )
        self.schedule, self.every, self.monitor = schedule, every, monitor

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """Go on, if steps are counted."""
        if self.every == "step":
            self.schedule.step()

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Go on, if epochs are counted."""
        if self.every == "epoch":
            name = self.monitor
            self.schedule.step(None if name is None else figure_of(logs, name, "LearningRateScheduler"))

    def state_dict(self) -> dict[str, Any]:
        """The state of the schedule."""
        return self.schedule.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.schedule.load_state_dict(state_dict)
