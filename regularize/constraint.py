"""What is done to the weights after a step, apart from the loss: limits to their norms, decay, and when to do it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.callback import Callback
from nn.resume import Stateful
from nn.trainer import Trainer
from regularize.targets import Groups, Patterns, Targets, chosen, grouped, other_axes

SMALLEST = 1e-30  # a square, representable in float32: rows of zeros stay zeros


@ag.fused
def _limited(w: Tensor, most: float, *, axes: tuple[int, ...]) -> Tensor:
    square = ag.sum(w * w, axes, keepdims=True)
    return ag.where(square > most * most, w * (most * ag.rsqrt(ag.clip(square, SMALLEST))), w)


@ag.fused
def _unit(w: Tensor, *, axes: tuple[int, ...]) -> Tensor:
    square = ag.sum(w * w, axes, keepdims=True)
    return ag.where(square > SMALLEST, w * ag.rsqrt(ag.clip(square, SMALLEST)), w)


@ag.fused
def _between(w: Tensor, least: float, most: float, rate: float, *, axes: tuple[int, ...]) -> Tensor:
    square = ag.sum(w * w, axes, keepdims=True)
    length = ag.sqrt(ag.clip(square, SMALLEST))
    wanted = rate * ag.clip(length, least, most) + (1 - rate) * length
    off = (square > SMALLEST) & ((length < least) | (length > most))
    return ag.where(off, w * (wanted / length), w)


class Constraint(ABC):
    """The interface: `apply_(params)` projects weights onto the set that is allowed, after a step.

    Parameters:
        axis: the axes that a norm is taken over. None for all but the first: what enters an output of a Linear, or a
            channel of a convolution; all of a vector.
    """

    def __init__(self, axis: int | tuple[int, ...] | None = None) -> None:
        self.axis = axis

    @abstractmethod
    def projected(self, w: Tensor, axes: tuple[int, ...]) -> Tensor:
        """The nearest to w that is allowed."""

    def apply_(self, params: Targets, *, exclude: Patterns = ()) -> None:
        """Change the weights to the nearest that are allowed.

        Parameters:
            params: a module, a Tensor, or several.
            exclude: patterns of names in a module to leave alone: "*.bias", "norm*".

        Raises:
            ArgumentError: an axis that a parameter lacks, a pattern that no name matches, or no parameters.
        """
        who = type(self).__name__
        tensors = [(w, other_axes(w, self.axis, who)) for w in chosen(params, exclude, who)]
        with ag.no_grad():
            for w, axes in tensors:
                w.copy_(self.projected(w, axes))


class MaxNorm(Constraint):
    """Shortens to length `max` what is longer, and leaves the rest.

        w <- w min(1, max / ||w||)              for the weights that enter a unit

    Parameters:
        max: the greatest length allowed, above 0; 3 or 4 are usual with dropout.
        axis: as in `Constraint`.

    Raises:
        ArgumentError: max not above 0.

    Srebro and Shraibman, "Rank, trace-norm and max-norm", 2005; with dropout: Srivastava et al. 2014, section 5.1.

    >>> w = ag.tensor([[3.0, 4.0], [0.3, 0.4]], requires_grad=True)
    >>> MaxNorm(1.0).apply_(w)
    >>> ag.round(w.detach(), 12).tolist()
    [[0.6, 0.8], [0.3, 0.4]]
    """

    def __init__(self, max: float = 3.0, axis: int | tuple[int, ...] | None = None) -> None:
        if not 0 < max < inf:
            raise ArgumentError(f"MaxNorm was given max={max}. Expected the greatest length, 0 < max < inf.")
        super().__init__(axis)
        self.max = float(max)

    def projected(self, w: Tensor, axes: tuple[int, ...]) -> Tensor:
        """w min(1, max / ||w||)."""
        return _limited(w, self.max, axes=axes)


class UnitNorm(Constraint):
    """Gives the weights that enter a unit the length 1; zeros stay zeros.

        w <- w / ||w||

    Parameters are those of `Constraint`.

    >>> w = ag.tensor([[3.0, 4.0], [0.3, 0.4]], requires_grad=True)
    >>> UnitNorm().apply_(w)
    >>> ag.round(w.detach(), 12).tolist()
    [[0.6, 0.8], [0.6, 0.8]]
    """

    def projected(self, w: Tensor, axes: tuple[int, ...]) -> Tensor:
        """w / ||w||."""
        return _unit(w, axes=axes)


class MinMaxNorm(Constraint):
    """Brings lengths into a range, at once or by and by; zeros stay zeros.

        w <- w (rate clip(||w||, min, max) + (1 - rate) ||w||) / ||w||      for the weights that enter a unit

    Parameters:
        min, max: the least and the greatest length allowed, 0 <= min <= max.
        rate: the share of the way that is gone in one step, above 0 and at most 1.
        axis: as in `Constraint`.

    Raises:
        ArgumentError: a setting out of its range.

    Keras's constraint of that name.

    >>> w = ag.tensor([[3.0, 4.0], [0.3, 0.4], [0.6, 0.8]], requires_grad=True)
    >>> MinMaxNorm(0.75, 2.5).apply_(w)
    >>> ag.round(w.detach(), 12).tolist()
    [[1.5, 2.0], [0.45, 0.6], [0.6, 0.8]]
    """

    def __init__(
        self, min: float = 0.0, max: float = 1.0, rate: float = 1.0, axis: int | tuple[int, ...] | None = None
    ) -> None:
        if not 0 <= min <= max < inf or max == 0:
            raise ArgumentError(
                f"MinMaxNorm was given min={min}, max={max}. Expected lengths, 0 <= min <= max and 0 < max < inf."
            )
        if not 0 < rate <= 1:
            raise ArgumentError(f"MinMaxNorm was given rate={rate}. Expected 0 < rate <= 1.")
        super().__init__(axis)
        self.min, self.max, self.rate = float(min), float(max), float(rate)

    def projected(self, w: Tensor, axes: tuple[int, ...]) -> Tensor:
        """w, its length nearer to the range."""
        return _between(w, self.min, self.max, self.rate, axes=axes)


class NonNeg(Constraint):
    """Sets to 0 what is below.

        w <- max(w, 0)

    >>> w = ag.tensor([-1.0, 2.0], requires_grad=True)
    >>> NonNeg().apply_(w)
    >>> w.tolist()
    [0.0, 2.0]
    """

    def __init__(self) -> None:
        super().__init__()

    def projected(self, w: Tensor, axes: tuple[int, ...]) -> Tensor:
        """max(w, 0)."""
        return ag.relu(w)


class DecoupledDecay:
    """Weight decay apart from the gradient, for any optimizer: neither momentum nor scaling sees it.

        w <- w (1 - lr alpha)                   before or after each step

    Parameters:
        alpha, of, exclude: as in `Penalty`.

    Raises:
        ArgumentError: alpha below 0, a pattern that no name matches, or no parameters.

    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    >>> w = ag.tensor([2.0, -4.0], requires_grad=True)
    >>> DecoupledDecay(0.5, [w]).apply_(lr=0.5)
    >>> w.tolist()
    [1.5, -3.0]
    """

    def __init__(self, alpha: float, of: Groups, *, exclude: Patterns = ()) -> None:
        self.groups = grouped(alpha, of, exclude, "DecoupledDecay")

    def apply_(self, lr: float) -> None:
        """Let the weights decay by one step.

        Raises:
            ArgumentError: lr out of the range in which lr alpha <= 1.
        """
        for alpha, _ in self.groups:
            if not 0 <= lr * float(alpha) <= 1:
                raise ArgumentError(f"DecoupledDecay was given lr={lr} for alpha={alpha}. Expected 0 <= lr alpha <= 1.")
        with ag.no_grad():
            for alpha, ws in self.groups:
                for w in ws:
                    w.copy_(w * (1 - lr * float(alpha)))


class AfterStep(Callback):
    """Does something after each step of the optimizer: a proximal step, a constraint, a decay, an average of weights.

    Parameters:
        action: called without arguments. What it is a method of is stored in checkpoints if it has a `state_dict`:
            `AfterStep(optim.WeightAverage(model.parameters(), 0.99).update)`.

    >>> w = ag.tensor([[3.0, 4.0]], requires_grad=True)
    >>> limit = AfterStep(lambda: MaxNorm(1.0).apply_(w))  # then trainer.fit(..., callbacks=[limit])
    """

    def __init__(self, action: Callable[[], Any]) -> None:
        self.action = action

    def on_batch_end(self, trainer: Trainer, step: int, loss: float) -> None:
        """Do it."""
        self.action()

    def state_dict(self) -> dict[str, Any]:
        """The state of what the action is a method of."""
        owner = getattr(self.action, "__self__", None)
        return {"owner": owner.state_dict()} if isinstance(owner, Stateful) else {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from there."""
        owner = getattr(self.action, "__self__", None)
        if "owner" in state_dict and isinstance(owner, Stateful):
            owner.load_state_dict(state_dict["owner"])
