"""One step of a training: gradients of one batch or several, then the optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

import autograd as ag
from autograd import Tensor
from autograd.errors import DataError
from nn.batch import Parts, parts_of
from nn.callback import Watching
from nn.compiled import NotFinite
from nn.objective import check_recorded, check_targets, loss_of, output_of, single
from nn.origin import origin
from nn.session import Session
from nn.tally import Tally

if TYPE_CHECKING:
    from nn.trainer import Trainer


class Steps(Protocol):
    """What the trainer asks of an optimizer."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> None:
        """Change the parameters."""


def step(trainer: Trainer, epoch: int, batches: Sequence[Any], tally: Tally, session: Session) -> None:
    """One step of the optimizer, for one batch or several that count by their samples."""
    number = tally.step + 1
    watching = session.watching
    for tell in watching.batch_start:
        tell(trainer, number)
    parts = [parts_of(batch, session.class_weight, trainer.weighted) for batch in batches]
    compiled = trainer.compiling.training(trainer, parts, watching)
    if compiled is not None:
        value = _compiled_step(compiled, trainer, epoch, parts[0], tally)
    elif trainer.closed:
        value = _closed_step(trainer, epoch, parts, tally, watching)
    else:
        value, _ = _gradients(trainer, epoch, parts, tally, watching)
        trainer.optimizer.step()
    tally.step = number
    for tell in watching.batch_end:
        tell(trainer, number, value)


def _compiled_step(compiled: Callable[..., Any], trainer: Trainer, epoch: int, part: Parts, tally: Tally) -> float:
    """The same as a plain step, by a program."""
    try:
        loss, penalty, prediction = compiled(part.x, part.targets, part.weights)
    except NotFinite as found:
        cause = origin(trainer.model, part.x, part.targets)
        raise _not_finite(found.value, epoch, tally.step + 1, cause) from None
    value: float = loss.item()
    if penalty is not None:
        tally.penalties += penalty.item()
    tally.add(value, part.size, part.targets, prediction)
    return value


def _closed_step(trainer: Trainer, epoch: int, parts: list[Parts], tally: Tally, watching: Watching) -> float:
    """A step that looks at the loss in several places; the first of them is where the weights are."""
    values: list[float] = []

    def closure() -> Tensor:
        seen = Tally({}, step=tally.step) if values else tally  # only the first counts in the history
        value, objective = _gradients(trainer, epoch, parts, seen, watching, first=not values)
        values.append(value)
        return ag.tensor(objective)

    step: Any = trainer.optimizer.step
    step(closure)
    return values[0]


def _gradients(
    trainer: Trainer, epoch: int, parts: list[Parts], tally: Tally, watching: Watching, first: bool = True
) -> tuple[float, float]:
    """New gradients for all batches of a step; gives their joint loss, without and with the penalty."""
    trainer.optimizer.zero_grad()
    if len(parts) == 1:
        value, objective = _sweep(trainer, epoch, parts[0], 1.0, tally, check=first)
    else:
        whole = sum([part.size for part in parts]) or 1.0
        found = [
            _sweep(trainer, epoch, part, part.size / whole, tally, check=first, penalised=not k)
            for k, part in enumerate(parts)
        ]
        value, objective = (sum(column) for column in zip(*found, strict=True))
    for tell in watching.gradients:
        tell(trainer, tally.step + 1)
    if trainer.clip is not None:
        trainer.clip(trainer.parameters())
    return value, objective


def _sweep(
    trainer: Trainer, epoch: int, part: Parts, share: float, tally: Tally, *, check: bool, penalised: bool = True
) -> tuple[float, float]:
    """Add a batch's share to the gradients, and the penalty's; gives its share of the loss, and that with it."""
    prediction, loss = forward(trainer, part)
    value = total = loss.item()
    objective = loss if share == 1 else loss * share
    if penalised and trainer.penalty is not None:
        extra = single(trainer.penalty(), "penalty", "sum()")
        objective = objective + extra
        tally.penalties += extra.item()
        total = objective.item()
    elif share != 1:
        total = share * value
    if check and not isfinite(total):
        raise _not_finite(total, epoch, tally.step + 1, origin(trainer.model, part.x, part.targets))
    check_recorded(objective)
    objective.backward()
    tally.add(value, part.size, part.targets, prediction)
    return share * value, total


def forward(trainer: Trainer, part: Parts) -> tuple[Any, Tensor]:
    """The model's output for a batch, and its loss.

    Raises:
        ShapeError: a loss of several elements.
        DataError: no targets for a loss that wants them.
    """
    prediction = output_of(trainer.model, part.x)
    if not part.targets:
        check_targets(trainer.loss, prediction)
    if trainer.strict is not None:
        trainer.strict.check_loss(trainer.loss, prediction, part.targets)
    value = loss_of(trainer.loss, trainer.each, prediction, part.targets, part.weights)
    if trainer.strict is not None and part.weights is None:
        trainer.strict.check_value(value, prediction, part.targets)
    return prediction, value


def _not_finite(value: float, epoch: int, step: int, cause: str) -> DataError:
    return DataError(f"the loss became {value} in epoch {epoch}, step {step}; the weights are as before it.\n{cause}")
