"""What can watch a training: the interface, and the two callbacks that report progress."""

from __future__ import annotations

import sys
from collections.abc import Sized
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nn.trainer import Trainer


class Callback:
    """Called by `Trainer.fit` as training goes on. Write the methods that matter; the others do nothing.

    Epochs count from 1 over all calls of `fit`, steps from 1 in each epoch. Set `trainer.stop_training = True` to end
    the training after this epoch. `on_fit_end` is called however training ends, after an error too.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, trainer, epoch, logs):
    ...         print(f"EPOCH {epoch}!")
    """

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first epoch."""

    def on_epoch_start(self, trainer: Trainer, epoch: int) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """After a step of the optimizer, with the loss before it."""

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """After an epoch and its validation, with what the history has noted of it."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """When training has ended."""


class Lines(Callback):
    """A line on stderr for each epoch.

    >>> Lines.text(3, {"loss": 0.25, "val_loss": 1 / 3})
    'epoch 3: loss 0.25, val_loss 0.3333'
    """

    @staticmethod
    def text(epoch: int, logs: dict[str, float]) -> str:
        """An epoch in one line."""
        return f"epoch {epoch}: " + ", ".join(f"{name} {value:.4g}" for name, value in logs.items())

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Print the line."""
        print(self.text(epoch, logs), file=sys.stderr, flush=True)


class Bar(Callback):
    """One tqdm bar for a whole fit, which moves with each batch and shows the last epoch's figures.

    Parameters:
        train: the batches; the bar knows its end if they have a length.
        epochs: how often they are read.
        tqdm: the class of the bar.
    """

    def __init__(self, train: Any, epochs: int, tqdm: Any) -> None:
        total = epochs * len(train) if isinstance(train, Sized) else None
        self.bar = tqdm(total=total, unit="step", dynamic_ncols=True)

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """One step further."""
        self.bar.update()

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Show the figures of the epoch."""
        self.bar.set_postfix_str(Lines.text(epoch, logs))

    def on_fit_end(self, trainer: Trainer) -> None:
        """Leave the bar as it stands."""
        self.bar.close()


def reporters(progress: bool, train: Any, epochs: int) -> list[Callback]:
    """A bar on a terminal that has tqdm, lines elsewhere, nothing if no progress is wanted."""
    if not progress:
        return []
    if not sys.stderr.isatty():
        return [Lines()]
    try:
        from tqdm import tqdm
    except ImportError:
        return [Lines()]
    return [Bar(train, epochs, tqdm)]
