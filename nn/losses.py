"""What all losses share: a loss for each sample, and how those become one number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn.module import Module

Array = Tensor | ArrayLike
REDUCTIONS = ("none", "mean", "sum")
FEW = 64  # elements from which on kernels beat the many operations of a loss


def check_reduction(reduction: str, who: str, allowed: Sequence[str] = REDUCTIONS) -> None:
    """Refuse an unknown reduction.

    Raises:
        ArgumentError: if it is not among those allowed.

    >>> check_reduction("mean", "mse_loss")
    """
    if reduction not in allowed:
        names = ", ".join(map(repr, allowed))
        raise ArgumentError(f"{who} was given reduction={reduction!r}. Expected one of {names}.")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses themselves ("none": a loss for each sample), their mean (the cost over the batch) or their sum.

    >>> reduced(ag.tensor([1.0, 3.0]), "mean")
    tensor(2.)
    """
    return losses if reduction == "none" else ag.mean(losses) if reduction == "mean" else ag.sum(losses)


def scores(input: Array, who: str) -> Tensor:
    """The predictions as a Tensor.

    Raises:
        DTypeError: if they are not floating.

    >>> scores([0.5], "mse_loss")
    tensor([0.5])
    """
    x = ag.asarray(input)
    if x.dtype.kind != "f":
        raise DTypeError(
            f"{who} was given an input of dtype {x.dtype}. Expected predictions: input.astype('float32'); they come "
            "first, the targets second."
        )
    return x


def matched(
    input: Array, target: Array, who: str, names: tuple[str, str] = ("input", "target")
) -> tuple[Tensor, Tensor]:
    """Predictions and targets of one shape, the targets in the dtype of the predictions; `names` are for the error.

    Raises:
        ShapeError: if the shapes differ, even where they would broadcast.
        DTypeError: if the predictions are not floating.

    >>> matched([0.5], [1], "mse_loss")
    (tensor([0.5]), tensor([1.]))
    """
    x, y = scores(input, who), ag.asarray(target)
    if x.shape != y.shape:
        first, second = names
        fix = (
            f"Write {second}.reshape({x.shape}), or {first}.reshape({y.shape}), if that is what is meant."
            if x.size == y.size
            else f"Expected {x.size} elements in both, not {x.size} and {y.size}."
        )
        raise ShapeError(
            f"{who} was given an {first} of shape {x.shape} and a {second} of shape {y.shape}. "
            f"Expected equal shapes: broadcasting them would compare every element with others' {second}s.\n{fix}"
        )
    return x, ag.asarray(y, x.dtype)


def check_signs(target: Tensor, who: str) -> None:
    """Refuse what is not a label -1 or +1.

    Raises:
        ArgumentError: naming the first of other labels.

    >>> check_signs(ag.tensor([1.0, -1.0]), "hinge_loss")
    """

    def look(worst: NDArray[Any], y: NDArray[Any]) -> None:
        if not (worst <= 0).all():
            raise ArgumentError(
                f"{who} was given the label {y[np.abs(y) != 1][0]:g}. "
                "Expected -1 and +1: write 2 * target - 1 for labels 0 and 1."
            )

    check_worst(_off_one, target, look)


def check_unit(x: Tensor, who: str, name: str, fix: str) -> None:
    """Refuse numbers outside 0 to 1.

    Raises:
        ArgumentError: with their range, and how to write it instead.

    >>> check_unit(ag.tensor([0.0, 1.0]), "binary_cross_entropy", "targets", "")
    """

    def look(worst: NDArray[Any], values: NDArray[Any]) -> None:
        if not (worst <= 0).all():
            raise ArgumentError(
                f"{who} was given {name} from {values.min():g} to {values.max():g}. Expected 0 to 1.\n{fix}"
            )

    check_worst(_outside_unit, x, look)


def check_not_negative(x: Tensor, who: str, name: str, fix: str) -> None:
    """Refuse numbers below 0, and NaN.

    Raises:
        ArgumentError: with the first of them, and how to write it instead.

    >>> check_not_negative(ag.tensor([0.0, 1.0]), "poisson_nll_loss", "count", "")
    """

    def look(worst: NDArray[Any], values: NDArray[Any]) -> None:
        if not (worst <= 0).all():
            raise ArgumentError(
                f"{who} was given the {name} {values[~(values >= 0)].flat[0]:g}. Expected none below 0.\n{fix}"
            )

    check_worst(_below_zero, x, look)


def _below_zero(x: Tensor) -> Tensor:
    return ag.max(-x)


def _off_one(y: Tensor) -> Tensor:
    return ag.max(ag.abs(ag.abs(y) - 1))


def _outside_unit(x: Tensor) -> Tensor:
    return ag.max(ag.maximum(-x, x - 1))


def check_worst(measure: Callable[[Tensor], Tensor], x: Tensor, look: Callable[..., None]) -> None:
    """Let `look` see by how much the worst of x is out of its place, which a kernel finds in one pass, and x.

    >>> check_worst(ag.max, ag.tensor([0.25, 0.5]), lambda worst, x: print(worst, x))
    0.5 [0.25 0.5 ]
    """
    if x.size:
        with ag.no_grad():
            ag.check(look, measure(x), x)


def check_positive(value: float, who: str, name: str, why: str = "") -> None:
    """Refuse a setting that is not above 0.

    Raises:
        ArgumentError: naming it.

    >>> check_positive(1.0, "huber_loss", "delta")
    """
    if not value > 0:
        raise ArgumentError(f"{who} was given {name}={value}. Expected a positive number{why}.")


class Loss(Module):
    """A loss as a module: called with predictions and targets. Subclasses write `forward` with the function's formula.

    Parameters:
        reduction: "none" for a loss for each sample, "mean" for the cost, which is their mean, "sum" for their sum.
    """

    allowed: tuple[str, ...] = REDUCTIONS

    @classmethod
    def _look_at(cls, args: tuple[Any, ...], settings: dict[str, Any]) -> None:
        """Refuse predictions and targets, which are for the call."""
        if len(args) > 1 and all(isinstance(x, (Tensor, np.ndarray)) for x in args):
            name = cls.__name__
            raise TypeError(
                f"{name} was given {len(args)} arrays where it is made. Write loss = {name}(), then "
                "loss(prediction, target)."
            )
        super()._look_at(args, settings)

    def __init__(self, *, reduction: str = "mean") -> None:
        check_reduction(reduction, type(self).__name__, self.allowed)
        self.reduction = reduction
