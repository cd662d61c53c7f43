"""Early stopping: end the training when the validation no longer improves, and keep the best weights."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from os import PathLike
from typing import Any, Literal

from autograd import Tensor
from autograd.errors import ArgumentError, CheckpointError
from nn.callback import Callback
from nn.checkpoint import save
from nn.module import Module
from nn.trainer import Trainer

_SMALL_IS_GOOD = ("loss", "err", "mse", "mae", "perplexity")
_LARGE_IS_GOOD = ("acc", "auc", "f1", "score", "precision", "recall", "r2")

_STATE = ("best", "best_epoch", "stopped_epoch", "epochs", "waited")


class EarlyStopping(Callback):
    """Stops when a figure has not improved for `patience` epochs; the best weights are restored however training ends.

    A figure has improved if it is better than the best so far by more than `min_delta`; NaN never is. Weights are kept
    in memory and restored at the end of `fit`: after a stop, after the last epoch, after Ctrl-C, after an error.

    Parameters:
        monitor: a name in the history: "val_loss", "val_accuracy", "loss".
        patience: how many epochs in a row without improvement end the training.
        min_delta: the least change that counts as an improvement.
        mode: "min" if small is good, "max" if large is; "auto" judges by the name.
        start_from_epoch: how many epochs of a fit to let pass first.
        restore_best_weights: False to end with the last weights.
        path: a safetensors file to keep the best weights in as well, each time that they are found; `nn.load` reads it.

    Attributes:
        best: the best figure of the last fit, None before there is one.
        best_epoch: its epoch, counted from 1 as in the history.
        stopped_epoch: the epoch after which patience ended the training, None if it did not.
        epochs, waited: how many epochs the fit has had, and how many of the last in a row did not improve.

    Raises:
        ArgumentError: settings out of range, a mode that the name does not tell, a figure that is not in the history.
        ImportError: a path without safetensors: `pip install 'wengert[weights]'`.

    Prechelt, "Early stopping - but when?", 1998; arguments as in Keras.

    >>> EarlyStopping("val_accuracy", patience=3).mode
    'max'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: Literal["auto", "min", "max"] = "auto",
        start_from_epoch: int = 0,
        restore_best_weights: bool = True,
        path: str | PathLike[str] | None = None,
    ) -> None:
        if patience < 0 or start_from_epoch < 0 or not 0 <= min_delta < inf:
            raise ArgumentError(
                f"EarlyStopping was given patience={patience}, min_delta={min_delta}, "
                f"start_from_epoch={start_from_epoch}. Expected 0 or more."
            )
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.mode = _direction(monitor, mode)
        self.start_from_epoch = start_from_epoch
        self.restore_best_weights = restore_best_weights
        self.path = path
        self._reset()

    def _reset(self) -> None:
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self._weights: dict[str, Tensor] | None = None
        self.epochs = self.waited = 0

    def on_fit_start(self, trainer: Trainer) -> None:
        """Begin anew."""
        if not isinstance(trainer.model, Module) and (self.restore_best_weights or self.path is not None):
            raise ArgumentError(
                f"EarlyStopping cannot keep the weights of a {type(trainer.model).__name__}. Expected an nn.Module, "
                "or write restore_best_weights=False and no path."
            )
        self._reset()

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Compare with the best, and stop if patience is at an end."""
        if self.monitor not in logs:
            hint = " Give fit a validation set." if self.monitor.startswith("val_") else ""
            raise ArgumentError(
                f"EarlyStopping monitors {self.monitor!r}, which is not in the history. There are: "
                f"{', '.join(logs)}.{hint}"
            )
        self.epochs += 1
        if self.epochs <= self.start_from_epoch:
            return
        figure = logs[self.monitor]
        if self._improves(figure):
            self._keep(trainer.model)
            self.best, self.best_epoch, self.waited = figure, epoch, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.stopped_epoch = epoch
            trainer.stop_training = True

    def on_fit_end(self, trainer: Trainer) -> None:
        """Restore the best weights."""
        if self._weights is not None and isinstance(trainer.model, Module):
            trainer.model.load_state_dict(self._weights)
            self._weights = None

    def state_dict(self) -> dict[str, Any]:
        """The best figure, the best weights, and how long there was no better one."""
        return {name: getattr(self, name) for name in _STATE} | {"weights": self._weights}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            CheckpointError: something that is no such state.
        """
        if not {*_STATE, "weights"} <= state_dict.keys():
            raise CheckpointError(
                f"EarlyStopping was given the state {list(state_dict)}. Expected {', '.join(_STATE)}, weights."
            )
        for name in _STATE:
            setattr(self, name, state_dict[name])
        self._weights = state_dict["weights"]

    def _keep(self, model: Any) -> None:
        if not isinstance(model, Module):
            return
        if self.restore_best_weights:
            self._weights = model.state_dict()
        if self.path is not None:
            save(model, self.path)

    def _improves(self, figure: float) -> bool:
        if self.best is None:
            return figure == figure  # not NaN
        gain = self.best - figure if self.mode == "min" else figure - self.best
        return gain > self.min_delta


def _direction(monitor: str, mode: str) -> str:
    if mode in ("min", "max"):
        return mode
    if mode != "auto":
        raise ArgumentError(f"EarlyStopping was given mode={mode!r}. Expected 'auto', 'min' or 'max'.")
    name = monitor.lower()
    if any(part in name for part in _SMALL_IS_GOOD):
        return "min"
    if any(part in name for part in _LARGE_IS_GOOD):
        return "max"
    raise ArgumentError(
        f"EarlyStopping cannot tell from the name {monitor!r} whether small or large is good.\n"
        "Write mode='min' or mode='max'."
    )
