"""The history where other programs read it: a CSV file, TensorBoard."""

from __future__ import annotations

import csv
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from autograd.errors import ArgumentError
from nn.callback import Callback

if TYPE_CHECKING:
    from nn.trainer import Trainer


class CSVLogger(Callback):
    """The whole history as a CSV file, a line for each epoch, written anew after each.

    A figure that an epoch does not have is empty. After a resumed training the file has all epochs.

    Parameters:
        path: the file; an old one is replaced, and its folder made if there is none.

    >>> import pathlib, tempfile, nn
    >>> trainer = nn.Trainer(lambda x: x, lambda p: p, None, progress=False)
    >>> trainer.history.append({"loss": 0.5})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     CSVLogger(f"{folder}/log.csv").on_epoch_end(trainer, 1, {})
    ...     pathlib.Path(f"{folder}/log.csv").read_text().split()
    ['epoch,loss', '1,0.5']
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = fspath(path)

    def on_fit_start(self, trainer: Trainer) -> None:
        """Make the folder."""
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Write the file."""
        history = trainer.history
        columns = [history[name].tolist() for name in history]
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["epoch", *history])
            for row in zip(history.epochs.tolist(), *columns, strict=True):
                lines.writerow(["" if x != x else x for x in row])


class Writer(Protocol):
    """What is asked of TensorBoard's SummaryWriter."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> Any:
        """Note a figure."""

    def flush(self) -> Any:
        """Write what is waiting."""


class TensorBoard(Callback):
    """The figures of each epoch, and the loss of every n-th step, for TensorBoard.

    Parameters:
        target: a folder for tensorboardX to write to, or a writer: anything with `add_scalar(name, value, step)` and
            `flush()`, as torch.utils.tensorboard.SummaryWriter.
        steps: n; None for epochs only.

    Raises:
        ImportError: a folder without tensorboardX: `pip install tensorboardX`.

    >>> class Print:
    ...     def add_scalar(self, name, value, step): print(name, value, step)
    ...     def flush(self): pass
    >>> TensorBoard(Print()).on_epoch_end(None, 1, {"loss": 0.5})
    epoch/loss 0.5 1
    """

    def __init__(self, target: str | PathLike[str] | Writer, *, steps: int | None = None) -> None:
        if steps is not None and steps < 1:
            raise ArgumentError(f"TensorBoard was given steps={steps}. Expected 1 or more, or None.")
        self.writer: Writer = _writer(fspath(target)) if isinstance(target, (str, PathLike)) else target
        self.steps, self.seen = steps, 0

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """Note the loss, if it is the turn of this step."""
        self.seen += 1
        if self.steps is not None and self.seen % self.steps == 0:
            self.writer.add_scalar("step/loss", loss, self.seen)

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Note the figures."""
        for name, value in logs.items():
            self.writer.add_scalar(f"epoch/{name}", value, epoch)
        self.writer.flush()

    def state_dict(self) -> dict[str, Any]:
        """How many steps it has seen."""
        return {"seen": self.seen}

    def load_state_dict(self, state_dict: Any) -> None:
        """Go on from there."""
        self.seen = state_dict["seen"]


def _writer(folder: str) -> Writer:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "nn.TensorBoard needs tensorboardX to write to a folder. Write pip install tensorboardX, or give it "
            "a writer."
        ) from error
    writer: Writer = SummaryWriter(folder)
    return writer
