"""The training loop: any callable model, loss and optimizer, over batches, with validation and callbacks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import islice
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import autograd as ag
from autograd import Tensor
from autograd.elsewhere import hinted
from autograd.errors import ArgumentError, DataError
from nn.batch import batches_of, joined, mode_of, parts_of, samples_in
from nn.callback import Callback, reporters
from nn.compiled import Compiling
from nn.data import DataLoader
from nn.elsewhere import FIT
from nn.history import History
from nn.misuse import check_callbacks, check_parts, check_settings
from nn.module import Module
from nn.objective import parameters_of, predicted
from nn.resume import write_state
from nn.session import Session, load_training
from nn.step import Steps, forward, step
from nn.strict import Strict
from nn.tally import Metric, Tally
from nn.weighting import ClassWeight, balanced, each


class Trainer:
    """Trains a model: `fit`, `evaluate`, `predict`; `save` and `load` for going on later.

    Data is any iterable of batches (inputs, targets), to be read once an epoch (an `nn.DataLoader`, a list), a function
    that gives a new one (a generator function), or a tuple of arrays (x, y), put into a `DataLoader`: ((a, b), y) for
    a model with two inputs. Of a batch, the
    first part goes to the model, as `model(x)` (or `model(*x)` for a tuple), the others to the loss, as
    `loss(prediction, *targets)`.

    Parameters:
        model: a Module or any other callable. A Module is in training mode while it is trained, in evaluation mode
            while it is evaluated, and otherwise in the mode that it came in. Of `ag.compile(module)` the Module is
            taken: steps are compiled as a whole.
        loss: the mean loss over a batch, a single element.
        optimizer: anything with `zero_grad()` and `step()`; one whose `needs_closure` is True (`optim.LBFGS`) is given
            a function that computes the loss and its gradients anew, and the figures are those of its first call.
        penalty: called without arguments, gives what is added to the loss in training (`regularize.L2`).
        metrics: by name, functions of all targets and all predictions (ndarrays, scikit-learn's order); of several
            targets or outputs, a tuple.
        clip: called with the list of parameters before each step: `lambda ps: optim.clip_grad_norm_(ps, 1.0)`.
        accumulate: how many batches make one step, whose gradient is that of their joint mean loss.
        class_weight: what the samples of each class count in training, by label; a list counts labels from 0;
            "balanced" is N / (classes N_c) for N_c of the N training samples in class c, as in scikit-learn.
        weighted: the last part of each batch is a weight for each of its samples, in training and evaluation.
        strict: look for the classic mistakes in each step, see `nn.strict`.
        compile: run steps, evaluation and prediction as programs (`ag.compile`) where they can be, see below.
        fit_in: how much memory a training step may take, as "512MB": what does not fit is computed again in the
            backward half. From the first batch on every step is such a program (from the second for an optimizer whose
            first step differs, as that of SGD with momentum), and what cannot be one is refused.
        progress: a bar where tqdm is installed and stderr is a terminal, else a line for each epoch, on stderr.

    A kind of batch (its shapes and dtypes) runs as it stands the first twenty times, so that short trainings wait for
    no compiler, and from then on as one program: forward, loss, penalty, backward, clipping and the optimizer's step.
    `reasons()` says what is not compiled and why: strict mode, `accumulate`, LBFGS, hooks, callbacks with
    `on_gradients`, or Python that may do something else next time (it draws from `random`, prints, assigns to an
    attribute, reads a list that may change or a Tensor's value as a number). Numbers that the model, the loss or the
    penalty hold may change, now and then. Programs give the same figures up to rounding; how often each kind was seen
    is part of what `save` stores, so a resumed training goes on bitwise. `compile=False` always works.

    With weights the loss is sum_i w_i l_i / sum_i w_i, for which it must take `reduction="none"`, as all of `nn` do.

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
        clip: Callable[[list[Tensor]], object] | None = None,
        accumulate: int = 1,
        class_weight: ClassWeight | Literal["balanced"] | None = None,
        weighted: bool = False,
        strict: bool = False,
        compile: bool = True,
        fit_in: int | str | None = None,
        progress: bool = True,
    ) -> None:
        check_parts(model, loss, optimizer, metrics)
        check_settings(penalty, clip, accumulate, class_weight)
        if isinstance(model, ag.Compiled) and isinstance(model.function, Module):
            fit_in = model.options()["fit_in"] if fit_in is None else fit_in
            model = model.function
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.penalty = penalty
        self.metrics = dict(metrics or {})
        self.clip, self.accumulate = clip, accumulate
        self.class_weight, self.weighted = class_weight, weighted
        self.strict = Strict(model, optimizer) if strict else None
        self.compiling = Compiling(compile, fit_in)
        self.progress = progress
        self.history = History()
        self.stop_training = False
        self.interrupted = False
        self._session: Session | None = None  # the present one, or the last
        self._stored: Mapping[str, Any] | None = None  # what the next fit goes on from
        reserved = {"loss", "penalty"} & self.metrics.keys()
        if reserved:
            raise ArgumentError(f"Trainer was given a metric named {min(reserved)!r}, which the trainer notes itself.")
        self.closed = bool(getattr(optimizer, "needs_closure", False))
        self.each = each(loss) if weighted or class_weight is not None else None

    # ---- training

    @hinted(FIT)
    def fit(
        self,
        train: Any,
        validation: Any = None,
        epochs: int = 1,
        callbacks: Sequence[Callback] = (),
        *,
        batch_size: int = 32,
        resume: str | PathLike[str] | None = None,
    ) -> History:
        """Train for a number of epochs; Ctrl-C ends the training early, with the history so far.

        Parameters:
            train: batches, or a tuple of arrays, which is shuffled anew in each epoch.
            validation: the same, in order; evaluated after each epoch.
            epochs: how often the training data is read.
            callbacks: told of each epoch and step; `on_fit_end` is called however training ends.
            batch_size: for tuples of arrays.
            resume: the file that an `nn.ModelCheckpoint` writes. If it is there, go on from it, bitwise as if training
                had not ended; `epochs` is then how many there are in all.

        Returns:
            The history, which goes on growing with further calls.

        Raises:
            DataError: no batches, or a loss that is no longer finite.
            ShapeError: a loss of several elements.
            CheckpointError: a checkpoint of another model, optimizer, or other callbacks.
        """
        if not isinstance(epochs, Integral) or epochs < 0:
            raise ArgumentError(f"fit was given epochs={epochs}. Expected a whole number, 0 or more.")
        check_callbacks(callbacks)
        batches = batches_of(train, batch_size, shuffle=True)
        held_out = None if validation is None else batches_of(validation, batch_size)
        if resume is not None and Path(resume).exists():
            self.load(resume)
            ended = self._stored is not None and self._stored["stopped"]
            epochs = 0 if ended else max(0, epochs - len(self.history.epochs))
        self.stop_training = self.interrupted = False
        by_class = self.class_weight
        counts = balanced(batches, self.weighted) if isinstance(by_class, str) else by_class
        told = reporters(self.progress, batches, epochs)
        self._session = session = Session(batches, held_out, callbacks, told, class_weight=counts)
        epoch = first = len(self.history.epochs) + 1
        try:
            with ExitStack() as stack:
                for watcher in reversed(session.watchers):
                    stack.callback(watcher.on_fit_end, self)
                for watcher in session.watchers:
                    watcher.on_fit_start(self)
                state, self._stored = self._stored, None
                begun = None if state is None else session.restore(self, state)
                stack.enter_context(self._strictly(batches))
                for epoch in range(first, first + epochs):
                    self._epoch(epoch, session, begun)
                    begun = None
                    if self.stop_training:
                        break
        except KeyboardInterrupt:
            self.interrupted = True
            print(
                f"Training was interrupted in epoch {epoch}. The history has {len(self.history.epochs)} whole epochs.",
                file=sys.stderr,
            )
        return self.history

    def _epoch(self, epoch: int, session: Session, begun: Tally | None) -> None:
        if begun is None:
            for watcher in session.watchers:
                watcher.on_epoch_start(self, epoch)
        logs = self._train(epoch, session, begun or Tally(self.metrics))
        if session.validation is not None:
            logs |= {f"val_{name}": value for name, value in self.evaluate(session.validation).items()}
        self.history.append(logs)
        for watcher in session.watchers:
            watcher.on_epoch_end(self, epoch, self.history.last)

    def _train(self, epoch: int, session: Session, tally: Tally) -> dict[str, float]:
        with mode_of(self.model, training=True):
            session.tally = tally
            batches = () if tally.exhausted else session.batches(tally.step * self.accumulate)
            if self.accumulate == 1:
                for batch in batches:
                    step(self, epoch, (batch,), tally, session)
            else:
                groups = iter(batches)
                while group := tuple(islice(groups, self.accumulate)):
                    tally.exhausted = len(group) < self.accumulate
                    step(self, epoch, group, tally, session)
            session.tally = None
        if not tally.step:
            raise DataError(
                f"fit found no batch in the training data of epoch {epoch}.\n"
                "Expected what can be read once an epoch: a DataLoader, a list, or a function that gives a new "
                "generator; not a used-up generator."
            )
        logs = tally.result()
        if self.penalty is not None:
            logs = {"loss": logs.pop("loss"), "penalty": tally.penalties / tally.step, **logs}
        return logs

    def parameters(self) -> list[Tensor]:
        """The parameters that are trained: those of the model, or of the optimizer where the model is a function.

        Raises:
            ArgumentError: where neither says what they are.
        """
        return parameters_of(self.model, self.optimizer)

    def reasons(self) -> list[str]:
        """Why training, evaluation or prediction are not compiled, so far as they are not."""
        return self.compiling.reasons()

    def _strictly(self, data: Any = None) -> AbstractContextManager[object]:
        return nullcontext() if self.strict is None else self.strict.watching(data)

    # ---- using the trained model

    def evaluate(self, data: Any, *, batch_size: int = 256) -> dict[str, float]:
        """The mean loss and the metrics over a data set, in evaluation mode, off the tape.

        The loss of each batch counts by its number of samples, so a last, smaller batch does no harm.

        Raises:
            DataError: no batches.
        """
        tally = Tally(self.metrics)
        with mode_of(self.model, training=False), ag.no_grad(), self._strictly():
            for batch in batches_of(data, batch_size):
                part = parts_of(batch, None, self.weighted)
                compiled = self.compiling.evaluation(self, part)
                if compiled is None:
                    prediction, loss = forward(self, part)
                else:
                    prediction, loss = compiled(part.x, part.targets, part.weights)
                tally.add(loss.item(), part.size, part.targets, prediction)
        return tally.result()

    def predict(self, inputs: Any, batch_size: int | None = 256) -> Any:
        """The model's output for an array of inputs (or a tuple of them), in evaluation mode, off the tape.

        Parameters:
            inputs: samples along the first axis; or a `DataLoader`, whose targets are left aside.
            batch_size: how many of them at a time; None for all.

        Returns:
            A Tensor, or what the model gives of several (a tuple, a dict), each for all samples.

        Raises:
            ArgumentError: something else, or no samples at a time.
        """
        if batch_size is not None and batch_size < 1:
            raise ArgumentError(f"predict was given batch_size={batch_size}. Expected 1 or more.")
        if isinstance(inputs, DataLoader):
            inputs = joined([parts_of(batch).x for batch in inputs])
        if isinstance(inputs, (Iterator, Mapping)) or callable(inputs):
            raise ArgumentError(
                f"predict was given a {type(inputs).__name__}. Expected an array of inputs, a tuple of them, or a "
                "DataLoader."
            )
        arrays = [ag.asarray(a) for a in (inputs if isinstance(inputs, tuple) else (inputs,))]
        rows = max(samples_in(arrays[0]), 1)
        size = batch_size or rows
        with mode_of(self.model, training=False), ag.no_grad():
            return joined([self._predicted([a[k : k + size] for a in arrays]) for k in range(0, rows, size)])

    def _predicted(self, inputs: list[Tensor]) -> Any:
        compiled = self.compiling.prediction(self, inputs)
        return predicted(self.model, inputs) if compiled is None else compiled(*inputs)

    # ---- going on later

    def save(self, path: str | PathLike[str]) -> None:
        """Store all that a training needs to go on, bitwise, in one file: safetensors and JSON, whole or not at all.

        That is the model (the optimizer's parameters where it is a function), a loss that is a Module, the optimizer,
        the history, the callbacks of the present fit (or the last), where its loaders stand, and all generators in
        reach of model, loss, data and callbacks, the default one included. Callbacks that change weights when a fit
        ends, as `EarlyStopping` does, have then done so: let an `nn.ModelCheckpoint` save while training.

        Raises:
            CheckpointError: a state that holds something else than arrays, numbers and strings.
            ImportError: without safetensors: `pip install 'wengert[weights]'`.
        """
        session = self._session or Session((), None, [], [])
        write_state(session.state(self), path)

    def load(self, path: str | PathLike[str]) -> None:
        """Take over what `save` has stored; callbacks, loaders and generators at the next `fit`, which goes on from it.

        Make model, optimizer, data and callbacks as they were; then `load`, then `fit` for the epochs that are left.

        Raises:
            CheckpointError: a file that is damaged, holds weights only, or does not match.
        """
        self._stored = load_training(self, path)
