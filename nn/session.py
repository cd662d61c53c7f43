"""One call of `Trainer.fit`: what it was given, which epoch it is in, and how all of it is stored and restored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd.errors import CheckpointError
from nn.callback import Callback, Watching
from nn.data import DataLoader
from nn.generators import objects_in
from nn.resume import Stateful, read_state, restore_surroundings, surroundings
from nn.tally import Tally
from nn.weighting import ClassWeight

if TYPE_CHECKING:
    from nn.trainer import Trainer


class Session:
    """What one call of fit was given, and the epoch that it is in.

    Parameters:
        train: batches.
        validation: batches, or None.
        callbacks: those of the user, whose state is stored.
        reporters: those that show progress.
        class_weight: what samples count in training, by class.

    >>> Session([], None, [], []).tally is None
    True
    """

    def __init__(
        self,
        train: Iterable[Any],
        validation: Iterable[Any] | None,
        callbacks: Sequence[Callback],
        reporters: Sequence[Callback],
        *,
        class_weight: ClassWeight | None = None,
    ) -> None:
        self.train, self.validation, self.callbacks = train, validation, list(callbacks)
        self.class_weight = class_weight
        self.watchers = sorted([*callbacks, *reporters], key=lambda w: w.last)
        self.watching = Watching(self.watchers)
        self.tally: Tally | None = None  # of the epoch that has begun and not ended

    def batches(self, seen: int) -> Iterable[Any]:
        """The training data after so many batches of an epoch; a DataLoader knows for itself where it stands."""
        if not seen or objects_in(DataLoader, train=self.train):
            return self.train
        return islice(self.train, seen, None)

    def roots(self, trainer: Trainer) -> dict[str, Any]:
        """Where loaders and generators are looked for."""
        return {
            "model": trainer.model,
            "loss": trainer.loss,
            "penalty": trainer.penalty,
            "train": self.train,
            "validation": self.validation,
            "callbacks": self.callbacks,
        }

    def state(self, trainer: Trainer) -> dict[str, Any]:
        """All that the training needs to go on."""
        model, optimizer = trainer.model, trainer.optimizer
        return {
            "model": model.state_dict() if isinstance(model, Stateful) else None,
            "loss": trainer.loss.state_dict() if isinstance(trainer.loss, Stateful) else None,
            "parameters": None if isinstance(model, Stateful) else [w.detach() for w in _parameters(optimizer)],
            "optimizer": optimizer.state_dict() if isinstance(optimizer, Stateful) else None,
            "history": trainer.history.state_dict(),
            "callbacks": [[type(c).__name__, c.state_dict()] for c in self.callbacks],
            "epoch": None if self.tally is None else self.tally.state_dict(),
            "stopped": trainer.stop_training,
            "compiling": trainer.compiling.state_dict(),
            **surroundings(**self.roots(trainer)),
        }

    def restore(self, trainer: Trainer, state: Mapping[str, Any]) -> Tally | None:
        """Set callbacks, loaders and generators to where they stood; gives the epoch that was begun, if one was.

        Raises:
            CheckpointError: other callbacks, loaders or generators than those that were stored.
        """
        names, mine = [name for name, _ in state["callbacks"]], [type(c).__name__ for c in self.callbacks]
        if names and names != mine:
            raise CheckpointError(f"the checkpoint was stored with callbacks {names}. Expected the same, not {mine}.")
        for callback, (_, stored) in zip(self.callbacks, state["callbacks"], strict=False):
            callback.load_state_dict(stored)
        restore_surroundings(state, **self.roots(trainer))
        if "compiling" in state:  # else it is of an earlier version
            trainer.compiling.load_state_dict(state["compiling"])
        if state["epoch"] is None:
            return None
        tally = Tally(trainer.metrics)
        tally.load_state_dict(state["epoch"])
        return tally


def load_training(trainer: Trainer, path: str | PathLike[str]) -> Mapping[str, Any]:
    """Take over model, optimizer and history from a file; gives the rest, for `Session.restore`.

    Raises:
        CheckpointError: a file that is damaged, holds weights only, or does not match.
    """
    state: Mapping[str, Any] = read_state(path)
    for name, x in (("model", trainer.model), ("optimizer", trainer.optimizer)):
        if (state[name] is not None) != isinstance(x, Stateful):
            raise CheckpointError(f"{path} was stored with another kind of {name} than a {type(x).__name__}.")
        if isinstance(x, Stateful):
            x.load_state_dict(state[name])
    if isinstance(trainer.loss, Stateful) and state.get("loss") is not None:
        trainer.loss.load_state_dict(state["loss"])
    _restore_parameters(trainer, path, state.get("parameters") or [])
    trainer.history.load_state_dict(state["history"])
    return state


def _parameters(optimizer: Any) -> list[Any]:
    """Where the model is a function, only the optimizer has its parameters."""
    return [w for group in getattr(optimizer, "param_groups", ()) for w in group["params"]]


def _restore_parameters(trainer: Trainer, path: str | PathLike[str], stored: Sequence[Any]) -> None:
    mine = _parameters(trainer.optimizer) if stored else []
    if [w.shape for w in stored] != [w.shape for w in mine]:
        raise CheckpointError(
            f"{path} has parameters of shapes {[w.shape for w in stored]}, and the optimizer those of "
            f"{[w.shape for w in mine]}. Expected the same."
        )
    with ag.no_grad():
        for w, value in zip(mine, stored, strict=True):
            w.copy_(value)
