"""Gradients that vanish or explode, units that are dead: seen while it happens."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.callback import Callback
from nn.module import Module
from nn.rectifier import ReLU, ReLU6

if TYPE_CHECKING:
    from nn.trainer import Trainer


class GradientMonitor(Callback):
    """The norm of each parameter's gradient at every n-th step; a warning when they vanish or explode.

        ||g|| = sqrt(sum_i g_i^2), measured before clipping

    Parameters:
        steps: n.
        vanishing: the least norm of a parameter's gradient, in proportion to the greatest of the same step.
        exploding: the greatest norm.

    Attributes:
        norms: by parameter, the norms measured so far.

    Raises:
        ArgumentError: settings out of range.

    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013.

    >>> import nn, optim
    >>> model, monitor = nn.Linear(1, 1), GradientMonitor(steps=1)
    >>> x = ag.ones((2, 1), dtype="float32")
    >>> trainer = nn.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), progress=False)
    >>> _ = trainer.fit([(x, x + 1)], callbacks=[monitor])
    >>> [len(norms) for norms in monitor.norms.values()]
    [1, 1]
    """

    def __init__(self, steps: int = 100, *, vanishing: float = 1e-6, exploding: float = 1e3) -> None:
        if steps < 1 or not 0 <= vanishing < 1 or not exploding > 0:
            raise ArgumentError(
                f"GradientMonitor was given steps={steps}, vanishing={vanishing}, exploding={exploding}. Expected 1 or "
                "more, a proportion below 1, and a norm above 0."
            )
        self.steps, self.vanishing, self.exploding = steps, vanishing, exploding
        self.norms: dict[str, list[float]] = {}
        self._seen, self._said = 0, {""}

    def on_gradients(self, trainer: Trainer, step: int) -> None:
        """Measure, if it is the turn of this step."""
        self._seen += 1
        if self._seen % self.steps:
            return
        model = trainer.model
        named = model.named_parameters() if isinstance(model, Module) else enumerate(trainer.parameters())
        found = {str(name): norm(p.grad) for name, p in named if p.grad is not None}
        for name, size in found.items():
            self.norms.setdefault(name, []).append(size)
        greatest = max(found.values(), default=0.0)
        for name, size in found.items():
            if size > self.exploding or size != size:
                self._warn(f"exploding gradient: {name} has norm {size:.3g} in step {step}. Clip it, or lower lr.")
            elif size < self.vanishing * greatest:
                self._warn(
                    f"vanishing gradient: {name} has norm {size:.3g} in step {step}, the greatest is {greatest:.3g}. "
                    "Try another initialisation or activation, normalisation, or residual connections."
                )

    def _warn(self, text: str) -> None:
        """Once for each parameter and kind."""
        kind = text.partition(" has ")[0]
        if kind not in self._said:
            self._said.add(kind)
            warnings.warn(text, stacklevel=2)


class DeadUnitMonitor(Callback):
    """How many units behind a ReLU are 0 for every sample that was seen in an epoch; a warning beyond a share.

    Units are the second axis, channels in images. Dead units get no gradient, and stay dead.

    Parameters:
        steps: one batch in so many is looked at.
        share: from which share of a layer's units on it warns.

    Attributes:
        dead: by layer, the share of dead units in each epoch.

    Raises:
        ArgumentError: settings out of range.

    >>> import nn, optim
    >>> ag.random.seed(0)
    >>> model, monitor = nn.Sequential(nn.Linear(1, 64), nn.ReLU()), DeadUnitMonitor(steps=1, share=1)
    >>> x = ag.ones((2, 1), dtype="float32")
    >>> trainer = nn.Trainer(model, lambda p: p.mean(), optim.SGD(model.parameters()), progress=False)
    >>> _ = trainer.fit([x], epochs=3, callbacks=[monitor])
    >>> {name: len(shares) for name, shares in monitor.dead.items()}
    {'1': 3}
    """

    def __init__(self, steps: int = 10, *, share: float = 0.5) -> None:
        if steps < 1 or not 0 < share <= 1:
            raise ArgumentError(f"DeadUnitMonitor was given steps={steps}, share={share}. Expected 1 or more, 0 to 1.")
        self.steps, self.share = steps, share
        self.dead: dict[str, list[float]] = {}
        self._alive: dict[str, Tensor] = {}
        self._stack = ExitStack()
        self._step = 0

    def on_fit_start(self, trainer: Trainer) -> None:
        """Listen at every ReLU."""
        model = trainer.model
        if not isinstance(model, Module):
            raise ArgumentError(f"DeadUnitMonitor cannot see into a {type(model).__name__}. Expected an nn.Module.")
        for name, module in model.named_modules():
            if isinstance(module, (ReLU, ReLU6)):
                self._stack.enter_context(module.register_forward_hook(self._watch(name)))

    def on_batch_start(self, trainer: Trainer, step: int) -> None:
        """Know whose turn it is."""
        self._step = step

    def on_epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Count the dead."""
        for name, alive in self._alive.items():
            share = 1 - float(ag.mean(ag.asarray(alive, "float64")).item())
            self.dead.setdefault(name, []).append(share)
            if share >= self.share:
                warnings.warn(
                    f"dead units: {share:.0%} of those behind {name or 'the ReLU'} were 0 for all samples of epoch "
                    f"{epoch}. Lower lr, or use LeakyReLU or a smaller bias.",
                    stacklevel=2,
                )
        self._alive.clear()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Listen no more."""
        self._stack.close()

    def _watch(self, name: str) -> Any:
        def watch(module: Module, inputs: Any, output: Tensor) -> None:
            if module.training and (self._step - 1) % self.steps == 0 and output.ndim > 1:
                y = output.detach()
                live = ag.any(y != 0, axis=tuple(k for k in range(y.ndim) if k != 1))
                self._alive[name] = ag.logical_or(self._alive[name], live) if name in self._alive else live

        return watch


def norm(g: Tensor) -> float:
    """The Euclidean norm of all elements.

    >>> norm(ag.tensor([3.0, 4.0]))
    5.0
    """
    with ag.no_grad():
        return float(ag.sqrt(ag.sum(g.detach() * g.detach())).item())
