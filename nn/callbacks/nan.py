"""Stop where a gradient is no longer finite, before it reaches the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import autograd as ag
from autograd.errors import DataError
from nn.callback import Callback
from nn.module import Module

if TYPE_CHECKING:
    from nn.trainer import Trainer


class TerminateOnNaN(Callback):
    """Ends the training with an error if a gradient is NaN or infinite, and says of which parameters.

    A loss that is not finite ends it in any case, with the first layer whose output is not.

    Raises:
        DataError: naming the parameters; the weights are as before the step.

    >>> TerminateOnNaN().last
    False
    """

    def on_gradients(self, trainer: Trainer, step: int) -> None:
        """Look at all gradients."""
        model = trainer.model
        if isinstance(model, Module):
            named = list(model.named_parameters())
        else:
            named = [(str(k), p) for k, p in enumerate(trainer.parameters())]
        bad = [name for name, p in named if p.grad is not None and not bool(ag.all(ag.isfinite(p.grad.detach())))]
        if bad:
            rest = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
            raise DataError(
                f"the loss of step {step} is finite, and the gradient of {', '.join(bad[:3])}{rest} is not; the "
                f"weights are as before it.\nThe gradient comes back through {bad[-1]} first. Look there for sqrt, log "
                "or a division at 0, whose slope is infinite; or clip values before them: ag.sqrt(x + 1e-12)."
            )
