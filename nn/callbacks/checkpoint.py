"""Keep the state of the training on disk while it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from autograd.errors import ArgumentError
from nn.callback import Callback
from nn.callbacks.figure import figure_of

if TYPE_CHECKING:
    from nn.trainer import Trainer


_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")  # {name} and {name:format}


class ModelCheckpoint(Callback):
    """Calls `trainer.save(path)` after epochs, or steps: `trainer.fit(..., resume=path)` goes on from it, bitwise.

    It is told after the other callbacks, whose state it keeps. The file is replaced whole or not at all, so that a
    process that is killed at any moment leaves the one before.

    Parameters:
        path: the file; "{epoch}" in it gives each epoch its own, "{epoch:03d}-{val_loss:.2f}" with figures of the
            history, as Keras has it. Its folder is made if there is none.
        every: after how many epochs.
        steps: after how many steps of an epoch as well, so that training goes on in the middle of an epoch.
        monitor: a figure; the state is then kept only after one of these epochs in which it is the best of them so far.
        mode: "min" if small is good, "max" if large is.

    Raises:
        ArgumentError: settings out of range, or a figure that is not in the history.

    >>> ModelCheckpoint("digits.safetensors", monitor="val_loss").best is None
    True
    """

    last: ClassVar[bool] = True

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        every: int = 1,
        steps: int | None = None,
        monitor: str | None = None,
        mode: Literal["min", "max"] = "min",
    ) -> None:
        if every < 1 or (steps is not None and steps < 1) or mode not in ("min", "max"):
            raise ArgumentError(
                f"ModelCheckpoint was given every={every}, steps={steps}, mode={mode!r}. Expected 1 or more, and 'min' "
                "or 'max'."
            )
        self.path, self.every, self.steps = fspath(path), every, steps
        self.monitor, self.mode = monitor, mode
        self.best: float | None = None

    def on_fit_start(self, trainer: Trainer) -> None:
        """Make the folder, rather than find after an epoch that there is none."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """Save after this step, if it is one of those."""
        if self.steps is not None and step % self.steps == 0:
            self._save(trainer, {"epoch": len(trainer.history.epochs) + 1})

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Save after this epoch, if it is one of those."""
        if epoch % self.every:
            return
        if self.monitor is not None:
            figure = figure_of(logs, self.monitor, "ModelCheckpoint")
            if self.best is not None and not (figure < self.best if self.mode == "min" else figure > self.best):
                return
            if figure != figure:  # NaN is never the best
                return
            self.best = figure
        self._save(trainer, {"epoch": epoch, **logs})

    def _save(self, trainer: Trainer, figures: Mapping[str, float]) -> None:
        trainer.save(_FIELD.sub(lambda field: self._written(field, figures), self.path))

    def _written(self, field: re.Match[str], figures: Mapping[str, float]) -> str:
        if field[1] not in figures:
            more = " In the middle of an epoch no other is known." if len(figures) == 1 else ""
            raise ArgumentError(
                f"ModelCheckpoint has {field[0]} in its path, and there is no such figure. There are: "
                f"{', '.join(figures)}.{more}"
            )
        return format(figures[field[1]], field[2] or "")

    def state_dict(self) -> dict[str, Any]:
        """The best figure so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.best = state_dict["best"]
