"""The training loop: any callable model, loss and optimizer, over batches, with validation and callbacks."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError, ShapeError
from nn.callback import Callback, reporters
from nn.data import DataLoader
from nn.history import History
from nn.module import Module

Metric = Callable[[NDArray[Any], NDArray[Any]], float]


class Steps(Protocol):
    """What the trainer asks of an optimizer."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> None:
        """Change the parameters."""


class Trainer:
    """Trains a model: `fit`, `evaluate`, `predict`.

    Data is any iterable of batches (inputs, targets), to be read once an epoch (an `nn.DataLoader`, a list), or a tuple
    of arrays (x, y), which is put into a `DataLoader`. Of a batch, the first part goes to the model, as `model(x)` (or
    `model(*x)` for a tuple), the others to the loss, as `loss(prediction, *targets)`.

    Parameters:
        model: a Module or any other callable. A Module is in training mode while it is trained, in evaluation mode
            while it is evaluated, and otherwise in the mode that it came in.
        loss: the mean loss over a batch, a single element.
        optimizer: anything with `zero_grad()` and `step()`.
        penalty: called without arguments, gives what is added to the loss in training (`regularize.L2`).
        metrics: by name, functions of all targets and all predictions (ndarrays, scikit-learn's order).
        progress: a bar where tqdm is installed and stderr is a terminal, else a line for each epoch, on stderr.

    Attributes:
        history: the figures of every epoch: `loss` (without the penalty), `penalty`, the metrics, and all but the
            penalty again as `val_...` for the validation data. Training figures are those of the passing batches.
        stop_training: set it to True, in a callback, to stop after this epoch.
        interrupted: whether the last fit was ended by Ctrl-C.

    >>> import autograd as ag, nn, optim
    >>> ag.random.seed(0)
    >>> x = ag.linspace(-1, 1, 8, dtype="float32").reshape(8, 1)
    >>> model = nn.Linear(1, 1)
    >>> trainer = Trainer(model, nn.functional.mse_loss, optim.SGD(model.parameters(), lr=0.5), progress=False)
    >>> history = trainer.fit([(x, 3 * x + 1)], epochs=50)
    >>> round(trainer.predict(ag.ones((1, 1), dtype="float32")).item(), 3)
    4.0
    """

    def __init__(
        self,
        model: Callable[..., Any],
        loss: Callable[..., Tensor],
        optimizer: Steps,
        *,
        penalty: Callable[[], Tensor] | None = None,
        metrics: Mapping[str, Metric] | None = None,
        progress: bool = True,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.penalty = penalty
        self.metrics = dict(metrics or {})
        self.progress = progress
        self.history = History()
        self.stop_training = False
        self.interrupted = False
        reserved = {"loss", "penalty"} & self.metrics.keys()
        if reserved:
            raise ArgumentError(f"Trainer was given a metric named {min(reserved)!r}, which the trainer notes itself.")

    # ---- training

    def fit(
        self,
        train: Any,
        validation: Any = None,
        epochs: int = 1,
        callbacks: Sequence[Callback] = (),
        *,
        batch_size: int = 32,
    ) -> History:
        """Train for a number of epochs; Ctrl-C ends the training early, with the history so far.

        Parameters:
            train: batches, or a tuple of arrays, which is shuffled anew in each epoch.
            validation: the same, in order; evaluated after each epoch.
            epochs: how often the training data is read.
            callbacks: told of each epoch and step; `on_fit_end` is called however training ends.
            batch_size: for tuples of arrays.

        Returns:
            The history, which goes on growing with further calls.

        Raises:
            DataError: no batches, or a loss that is no longer finite.
            ShapeError: a loss of several elements.
        """
        if epochs < 0:
            raise ArgumentError(f"fit was given epochs={epochs}. Expected 0 or more.")
        batches = _batches(train, batch_size, shuffle=True)
        held_out = None if validation is None else _batches(validation, batch_size)
        self.stop_training = self.interrupted = False
        watchers = [*callbacks, *reporters(self.progress, batches, epochs)]
        epoch = first = len(self.history.epochs) + 1
        try:
            with ExitStack() as stack:
                for watcher in reversed(watchers):
                    stack.callback(watcher.on_fit_end, self)
                for watcher in watchers:
                    watcher.on_fit_start(self)
                for epoch in range(first, first + epochs):
                    self._epoch(epoch, batches, held_out, watchers)
                    if self.stop_training:
                        break
        except KeyboardInterrupt:
            self.interrupted = True
            print(
                f"Training was interrupted in epoch {epoch}. The history has {len(self.history.epochs)} whole epochs.",
                file=sys.stderr,
            )
        return self.history

    def _epoch(self, epoch: int, train: Iterable[Any], validation: Any, watchers: Sequence[Callback]) -> None:
        for watcher in watchers:
            watcher.on_epoch_start(self, epoch)
        logs = self._train(epoch, train, watchers)
        if validation is not None:
            logs |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
        self.history.append(logs)
        for watcher in watchers:
            watcher.on_epoch_end(self, epoch, logs)

    def _train(self, epoch: int, train: Iterable[Any], watchers: Sequence[Callback]) -> dict[str, float]:
        tally = _Tally(self.metrics)
        penalties, step = 0.0, 0
        with _mode(self.model, training=True):
            for step, batch in enumerate(train, 1):
                x, targets = _parts(batch)
                self.optimizer.zero_grad()
                prediction, loss = self._forward(x, targets)
                objective = loss
                if self.penalty is not None:
                    extra = self.penalty()
                    objective = loss + extra
                    penalties += extra.item()
                value = loss.item()
                if not math.isfinite(objective.item()):
                    raise _not_finite(objective.item(), epoch, step, (x, *targets))
                objective.backward()
                self.optimizer.step()
                tally.add(value, x, targets, prediction)
                for watcher in watchers:
                    watcher.on_batch_end(self, step, value)
        if not step:
            raise DataError(
                f"fit found no batch in the training data of epoch {epoch}.\n"
                "Expected an iterable that can be read once an epoch: a DataLoader or a list, not a used-up generator."
            )
        logs = tally.result()
        if self.penalty is not None:
            logs = {"loss": logs.pop("loss"), "penalty": penalties / step, **logs}
        return logs

    def _forward(self, x: Any, targets: Sequence[Any]) -> tuple[Any, Tensor]:
        prediction = self.model(*x) if isinstance(x, tuple) else self.model(x)
        loss = self.loss(prediction, *targets)
        if not isinstance(loss, Tensor) or loss.size != 1:
            given = f"shape {loss.shape}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
            raise ShapeError(
                f"the loss returned {given}. Expected a Tensor with a single element: take its mean() over the batch."
            )
        return prediction, loss

    # ---- using the trained model

    def evaluate(self, data: Any, *, batch_size: int = 256) -> dict[str, float]:
        """The mean loss and the metrics over a data set, in evaluation mode, off the tape.

        The loss of each batch counts by its number of samples, so a last, smaller batch does no harm.

        Raises:
            DataError: no batches.
        """
        tally = _Tally(self.metrics)
        with _mode(self.model, training=False), ag.no_grad():
            for batch in _batches(data, batch_size):
                x, targets = _parts(batch)
                prediction, loss = self._forward(x, targets)
                tally.add(loss.item(), x, targets, prediction)
        return tally.result()

    def predict(self, inputs: Any, batch_size: int = 256) -> Tensor:
        """The model's output for an array of inputs (or a tuple of them), in evaluation mode, off the tape.

        Parameters:
            inputs: samples along the first axis.
            batch_size: how many of them at a time.
        """
        if batch_size < 1:
            raise ArgumentError(f"predict was given batch_size={batch_size}. Expected 1 or more.")
        arrays = [ag.asarray(a) for a in (inputs if isinstance(inputs, tuple) else (inputs,))]
        starts = range(0, max(_samples(arrays[0]), 1), batch_size)
        with _mode(self.model, training=False), ag.no_grad():
            outputs = [ag.asarray(self.model(*[a[k : k + batch_size] for a in arrays])) for k in starts]
            return outputs[0] if len(outputs) == 1 else ag.concat(outputs, axis=0)


class _Tally:
    """The loss over a data set, weighted by samples, and the metrics over all of its predictions."""

    def __init__(self, metrics: Mapping[str, Metric]) -> None:
        self.metrics = metrics
        self.total, self.samples = 0.0, 0
        self.seen: list[tuple[NDArray[Any], NDArray[Any]]] = []

    def add(self, loss: float, x: Any, targets: Sequence[Any], prediction: Any) -> None:
        n = _samples(x[0] if isinstance(x, tuple) else x)
        self.total += n * loss
        self.samples += n
        if self.metrics:
            self.seen.append((ag.asarray(targets[-1]).numpy(), ag.asarray(prediction).numpy()))

    def result(self) -> dict[str, float]:
        if not self.samples:
            raise DataError("the data has no samples. Expected at least one batch of at least one sample.")
        logs = {"loss": self.total / self.samples}
        if self.metrics:
            target, prediction = (np.concatenate(parts) for parts in zip(*self.seen, strict=True))
            logs |= {name: float(metric(target, prediction)) for name, metric in self.metrics.items()}
        return logs


def _samples(x: Any) -> int:
    shape = ag.asarray(x).shape
    return shape[0] if shape else 1


def _batches(data: Any, batch_size: int, shuffle: bool = False) -> Iterable[Any]:
    """The batches of a data set: a tuple is one of arrays, anything else holds batches already."""
    if isinstance(data, tuple):
        return DataLoader(*data, batch_size=batch_size, shuffle=shuffle)
    batches: Iterable[Any] = data
    return batches


def _parts(batch: Any) -> tuple[Any, Sequence[Any]]:
    """Inputs and targets of a batch, arrays as Tensors."""
    found = batch if isinstance(batch, (tuple, list)) else (batch,)
    parts = [ag.asarray(part) if isinstance(part, np.ndarray) else part for part in found]
    return parts[0], parts[1:]


@contextmanager
def _mode(model: Any, *, training: bool) -> Iterator[None]:
    """A Module in training or evaluation mode, and each of its parts in its own mode again afterwards."""
    before = [(m, m.training) for m in model.modules()] if isinstance(model, Module) else []
    try:
        if isinstance(model, Module):
            model.train(training)
        yield
    finally:
        for module, mode in before:
            module.training = mode


def _not_finite(value: float, epoch: int, step: int, arrays: Sequence[Any]) -> DataError:
    flat = [a for part in arrays for a in (part if isinstance(part, tuple) else (part,))]
    bad = [k for k, a in enumerate(flat) if not bool(ag.all(ag.isfinite(ag.asarray(a).detach())))]
    if bad:
        cause = f"Part {bad[0]} of this batch holds NaN or infinities: clean the data first."
    else:
        cause = (
            "The batch is finite. Try a smaller lr, look for log(0) or x/0 in the model, and check its derivative with "
            "ag.gradcheck."
        )
    return DataError(f"the loss became {value} in epoch {epoch}, step {step}; the weights are as before it.\n{cause}")
