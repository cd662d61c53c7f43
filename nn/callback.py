"""What can watch a training: the interface, and the two callbacks that report progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence, Sized
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from nn.trainer import Trainer


class Callback:
    """Called by `Trainer.fit` as training goes on. Write the methods that matter; the others do nothing.

    Epochs count from 1 over all calls of `fit`, steps from 1 in each epoch. Set `trainer.stop_training = True` to end
    the training after this epoch. `on_fit_end` is called however training ends, after an error too. What a callback
    must remember for a training to go on from a checkpoint, it gives in `state_dict`.

    Attributes:
        last: whether it is told after the others: what keeps their state.

    >>> class Shout(Callback):
    ...     def on_epoch_end(self, trainer, epoch, logs):
    ...         print(f"EPOCH {epoch}!")
    """

    last: ClassVar[bool] = False

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first epoch."""

    def on_epoch_start(self, trainer: Trainer, epoch: int) -> None:
        """Before the first batch of an epoch."""

    def on_batch_start(self, trainer: Trainer, step: int) -> None:
        """Before the model is called."""

    def on_gradients(self, trainer: Trainer, step: int) -> None:
        """When all gradients of a step are there, before they are clipped and used."""

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """After a step of the optimizer, with the loss before it."""

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """After an epoch and its validation, with what the history notes of it, to which figures can be added."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """When training has ended."""

    def state_dict(self) -> dict[str, Any]:
        """What it must remember: numbers, strings, Tensors, in lists and dicts."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there; called after `on_fit_start`."""


class Watching:
    """The methods of some callbacks that do something, so that the others cost nothing in each step.

    >>> Watching([Callback(), Lines()]).batch_end
    []
    """

    def __init__(self, watchers: Sequence[Callback]) -> None:
        def written(name: str) -> list[Callable[..., None]]:
            return [getattr(w, name) for w in watchers if getattr(type(w), name) is not getattr(Callback, name)]

        self.batch_start, self.gradients = written("on_batch_start"), written("on_gradients")
        self.batch_end = written("on_batch_end")


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
    """One tqdm bar for a whole fit, which shows the last epoch's figures and moves four times a second.

    A step only counts; how many steps there are to a movement follows from how long the last ones took.

    Parameters:
        train: the batches; the bar knows its end if they have a length.
        epochs: how often they are read.
        tqdm: the class of the bar.
        seconds: the time between two movements.
    """

    def __init__(self, train: Any, epochs: int, tqdm: Any, seconds: float = 0.25) -> None:
        self.bar = tqdm(total=_steps(train, epochs), unit="step", dynamic_ncols=True, mininterval=0)
        self.seconds = seconds
        self.waiting, self.stride, self.moved = 0, 1, perf_counter()

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """One step further."""
        self.waiting += 1
        if self.waiting >= self.stride:
            self._move()

    def _move(self) -> None:
        now = perf_counter()
        passed = now - self.moved
        if passed >= self.seconds:
            self.stride = max(1, int(self.waiting * self.seconds / passed))
            self.bar.update(self.waiting)
            self.waiting, self.moved = 0, perf_counter()
        else:  # at most twice as many steps until the clock is looked at again
            self.stride = self.waiting + max(1, int(min(1.0, self.seconds / max(passed, 1e-9) - 1) * self.waiting))

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Show the figures of the epoch."""
        self.bar.set_postfix_str(Lines.text(epoch, logs), refresh=False)

    def on_fit_end(self, trainer: Trainer) -> None:
        """Leave the bar as it stands."""
        self.bar.update(self.waiting)
        self.waiting = 0
        self.bar.refresh()
        self.bar.close()


def _steps(train: Any, epochs: int) -> int | None:
    """How many there are in all; None for batches that do not know, as a loader of an iterable."""
    try:
        return epochs * len(train) if isinstance(train, Sized) else None
    except TypeError:
        return None


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
