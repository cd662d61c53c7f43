"""Steps of a trainer as programs: which run so, from when on, and why others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from operator import is_
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, UnsupportedError
from autograd.program.budget import bytes_of
from nn.batch import Parts
from nn.callback import Watching
from nn.objective import check_recorded, loss_of, output_of, parameters_of, predicted, single
from nn.settled import Settled

if TYPE_CHECKING:
    from nn.trainer import Trainer

FROM = 20  # batches of a kind that run as they stand, which costs about as much as one capture with known kernels
KINDS = 6  # of batches that are compiled, for each purpose
CHANGES = 4  # of what a program takes for granted, until no further one is made
Kind = tuple[Any, ...]
_Made = tuple[list[Any], int, Settled, Any]  # roots, parameters, what it takes for granted


class NotFinite(Exception):
    """A compiled step came by a loss that is not finite, and has changed nothing."""

    def __init__(self, value: float) -> None:
        super().__init__(value)
        self.value = value


class Compiling:
    """The compiled functions of one trainer: of training steps, evaluation and prediction.

    A batch of a kind (shapes and dtypes) runs as it stands the first `FROM` times, and from then on as a program. The
    counts are part of what a checkpoint stores: a training that is resumed takes the same way at the same step.
    With `fit_in` every training step is a program that fits into so much memory, or is refused.

    >>> Compiling(False).reasons()
    ['compile=False was asked for']
    """

    def __init__(self, wanted: bool, fit_in: int | str | None = None) -> None:
        self.wanted, self.fit_in = wanted, fit_in
        if fit_in is not None:
            bytes_of(fit_in)  # says what is wrong with it
            if not wanted:
                raise ArgumentError(
                    f"Trainer was given fit_in={fit_in!r} and compile=False. Expected one of them: what is computed "
                    "again is chosen for a program. Leave out compile=False."
                )
        self._seen: dict[Kind, int] = {}
        self._stored: dict[str, int] = {}  # counts of an earlier process
        self._changes: dict[str, int] = {}
        self._refused: dict[str, str] = {}  # for good
        self._passing: dict[str, str] = {}  # while it is so
        self._made: dict[str, _Made] = {}

    def training(self, trainer: Trainer, parts: list[Parts], watching: Watching) -> Callable[..., Any] | None:
        """A whole step for a batch, compiled: gives loss, penalty, prediction. None where it runs as it stands."""
        if not self.wanted:
            return None
        reason, step = _step_by_step(trainer, watching), None
        if reason is not None:
            self._passing["training"] = reason
        else:
            t, part = trainer, parts[0]
            roots = [t.model, t.loss, t.each, t.penalty, t.clip, t.optimizer, bool(t.metrics)]
            step = self._ready("training", roots, (part.x, *part.targets, part.weights), _step, self.fit_in)
        if step is None and self.fit_in is not None:
            raise UnsupportedError(
                f"Trainer was given fit_in={self.fit_in!r}, and a step is no program: "
                f"{self._refused.get('training') or self._passing['training']}.\n"
                "Leave out fit_in to run it as it stands, whatever memory that takes, or do without the reason."
            )
        return step

    def evaluation(self, trainer: Trainer, part: Parts) -> Callable[..., Any] | None:
        """Prediction and loss of a batch, compiled."""
        if not self.wanted or trainer.strict is not None:
            return None
        roots = [trainer.model, trainer.loss, trainer.each, bool(trainer.metrics)]
        return self._ready("evaluation", roots, (part.x, *part.targets, part.weights), _measured)

    def prediction(self, trainer: Trainer, inputs: list[Any]) -> Callable[..., Any] | None:
        """The prediction for a batch, compiled."""
        return self._ready("prediction", [trainer.model], inputs, _predicted) if self.wanted else None

    def reasons(self) -> list[str]:
        """Why something runs as it stands."""
        if not self.wanted:
            return ["compile=False was asked for"]
        of_programs = {what: reason for what, (*_, f) in self._made.items() for reason in f.reasons()}
        return [f"{what}: {why}" for what, why in sorted({**self._passing, **self._refused, **of_programs}.items())]

    # ---- when

    def _ready(
        self, what: str, roots: list[Any], leaves: Any, make: Callable[..., Any], fit_in: int | str | None = None
    ) -> Callable[..., Any] | None:
        if what in self._refused:
            return None
        kind = _kind(what, leaves)
        if kind is None:
            self._passing[what] = "a batch holds something else than arrays and tuples of them"
            return None
        self._passing.pop(what, None)
        seen = self._seen.get(kind)
        if seen is None:
            seen = self._seen[kind] = self._stored.pop(str(kind), 0)
        if seen < FROM:
            if fit_in is not None:
                seen = FROM - 1
            full = seen == FROM - 1 and self._full(what)
            self._seen[kind] = seen if full else seen + 1
            if full or fit_in is None:
                return None
        made = self._made.get(what)
        if made is None or not all(map(is_, made[0], roots)) or made[1] != _trained(roots) or not made[2].holds():
            made = self._make(what, roots, make, fit_in)
        return None if made is None else cast("Callable[..., Any]", made[-1])

    def _full(self, what: str) -> bool:
        """Whether enough kinds of batches are compiled already."""
        mine = [kind for kind, n in self._seen.items() if kind[0] == what and n >= FROM]
        waiting = [kind for kind, n in self._stored.items() if kind.startswith(f"({what!r}") and n >= FROM]
        full = len(mine) + len(waiting) >= KINDS
        if full:
            self._passing[what] = f"the batches are of more than {KINDS} kinds; of one length, or few, they run faster"
        return full

    def _make(self, what: str, roots: list[Any], make: Callable[..., Any], fit_in: int | str | None) -> _Made | None:
        self._changes[what] = self._changes.get(what, 0) + 1
        settled = Settled(*(x for x in roots if not hasattr(x, "zero_grad") or callable(x)))  # all but the optimizer
        reason = settled.reason or _steps_otherwise(roots)
        if reason is None and self._changes[what] > CHANGES:
            reason = "what the model or the loss is made of changes as training goes on"
        if reason is not None:
            self._refused[what] = reason
            self._made.pop(what, None)
            return None
        self._made[what] = made = (roots, _trained(roots), settled, ag.compile(make(*roots), fit_in=fit_in))
        return made

    # ---- going on later

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles, whose programs are made anew."""
        return {**vars(self), "_made": {}}

    def state_dict(self) -> dict[str, Any]:
        """How often each kind of batch was seen, and what was given up."""
        seen = self._stored | {str(kind): n for kind, n in self._seen.items()}
        return {"seen": seen, "changes": dict(self._changes), "refused": dict(self._refused)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._seen, self._made = {}, {}
        self._stored, self._changes = dict(state_dict["seen"]), dict(state_dict["changes"])
        self._refused = dict(state_dict["refused"])


def _trained(roots: list[Any]) -> int:
    """How many parameters the optimizer has, to which more may be added."""
    groups = [group for x in roots for group in getattr(x, "param_groups", ())]
    return sum([len(group["params"]) for group in groups])


def _kind(what: str, leaves: Any) -> Kind | None:
    """Shapes and dtypes; None where there is something else."""
    found: list[Any] = [what]
    for x in leaves:
        if isinstance(x, Tensor):
            found.append((x.shape, x.dtype.str))
        elif isinstance(x, tuple):
            inner = _kind("", x)
            if inner is None:
                return None
            found.append(inner)
        elif x is not None:
            return None
    return tuple(found)


def _step_by_step(trainer: Trainer, watching: Watching) -> str | None:
    """Why the parts of a step must run one by one."""
    if trainer.strict is not None:
        return "strict mode looks at each step"
    if trainer.closed:
        return f"{type(trainer.optimizer).__name__} computes the loss several times in a step"
    if trainer.accumulate > 1:
        return "the gradients of several batches are added up (accumulate)"
    if watching.gradients:
        names = sorted({type(getattr(f, "__self__", f)).__name__ for f in watching.gradients})
        return f"{', '.join(names)} looks at the gradients before the step (on_gradients)"
    return None


def _steps_otherwise(roots: list[Any]) -> str | None:
    """Why the step of an optimizer cannot be part of a program."""
    for x in roots:
        if hasattr(x, "step") and hasattr(x, "zero_grad") and not callable(x):
            ours = type(x).step.__module__.partition(".")[0] == "optim" and not {"step", "zero_grad"} & vars(x).keys()
            if not ours:
                return f"{type(x).__name__} has a step of its own, which may do something else next time"
    return None


# ---- what is compiled


def _step(
    model: Any, loss: Any, each: Any, penalty: Any, clip: Any, optimizer: Any, keep: bool
) -> Callable[..., tuple[Any, Any, Any]]:
    def training_step(x: Any, targets: list[Any], weights: Any) -> tuple[Any, Any, Any]:
        optimizer.zero_grad()
        prediction = output_of(model, x)
        objective = value = loss_of(loss, each, prediction, targets, weights)
        extra = None
        if penalty is not None:
            extra = single(penalty(), "penalty", "sum()")
            objective = objective + extra
        ag.check(_check_finite, objective)
        check_recorded(objective)
        objective.backward()
        if clip is not None:
            clip(parameters_of(model, optimizer))
        optimizer.step()
        return value, extra, prediction if keep else None

    return training_step


def _measured(model: Any, loss: Any, each: Any, keep: bool) -> Callable[..., tuple[Any, Any]]:
    def evaluation(x: Any, targets: list[Any], weights: Any) -> tuple[Any, Any]:
        prediction = output_of(model, x)
        return prediction if keep else None, loss_of(loss, each, prediction, targets, weights)

    return evaluation


def _predicted(model: Any) -> Callable[..., Any]:
    def prediction(*x: Any) -> Any:
        return predicted(model, x)

    return prediction


def _check_finite(objective: np.ndarray[Any, Any]) -> None:
    value = objective.item()
    if not isfinite(value):
        raise NotFinite(value)
