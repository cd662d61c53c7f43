"""The loss of a batch, and whose gradients are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DataError, DifferentiationError, ShapeError
from autograd.tree import flatten
from nn.module import Module
from nn.weighting import weighted_mean

Loss = Callable[..., Tensor]


def output_of(model: Callable[..., Any], x: Any) -> Any:
    """The model's output for the inputs of a batch.

    >>> output_of(max, (1, 2))
    2
    """
    return model(*x) if isinstance(x, tuple) else model(x)


def predicted(model: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """The model's output in Tensors: one, or a tuple or dict of them.

    >>> predicted(lambda x: (x, [x.numpy()]), [ag.ones(1)])
    (tensor([1.]), [tensor([1.])])
    """
    found = model(*inputs)
    leaves, build = flatten(found)
    if not any(isinstance(x, (Tensor, np.ndarray)) for x in leaves):
        return ag.asarray(found)
    return build([ag.asarray(x) if isinstance(x, np.ndarray) else x for x in leaves])


def loss_of(loss: Loss, each: Loss | None, prediction: Any, targets: Sequence[Any], weights: Tensor | None) -> Tensor:
    """The loss of a prediction, its weighted mean where there are weights.

    Raises:
        ShapeError: a loss of several elements.

    >>> import nn
    >>> loss_of(nn.MSELoss(), None, ag.ones(2), [ag.zeros(2)], None)
    tensor(1.)
    """
    if weights is None or each is None:
        found = loss(prediction, *targets)
    else:
        found = weighted_mean(each(prediction, *targets), weights)
    return single(found, "loss", "mean() over the batch")


def single(found: Any, what: str, reduced: str) -> Tensor:
    """What a loss or a penalty returned, if it is a Tensor of one element.

    Raises:
        ShapeError: if it is not.

    >>> single(ag.tensor(1.0), "loss", "mean()")
    tensor(1.)
    """
    if not (isinstance(found, Tensor) or ag.is_captured(found)):
        raise ShapeError(
            f"the {what} returned a {type(found).__name__}. Expected a Tensor with a single element: return what "
            "functions of ag or nn give, not a number or an array made of it."
        )
    if found.size != 1:
        raise ShapeError(
            f"the {what} returned shape {found.shape}. Expected a Tensor with a single element: take its {reduced}."
        )
    only: Tensor = found
    return only


def check_recorded(objective: Tensor) -> None:
    """Refuse what nothing could be learned from.

    Raises:
        DifferentiationError: a loss without a gradient.

    >>> check_recorded(ag.tensor(1.0, requires_grad=True))
    """
    if not objective.requires_grad:
        raise DifferentiationError(
            "the loss depends on no parameter: nothing that it was made of requires a gradient.\nLook for .numpy(), "
            "detach(), float() or no_grad() on the way through the model and the loss, or for frozen parameters."
        )


def check_targets(loss: Loss, prediction: Any) -> None:
    """Refuse a batch without targets, unless the loss wants none.

    Raises:
        DataError: saying what to write.

    >>> check_targets(lambda prediction: prediction.mean(), None)
    """
    try:
        signature(loss.forward if isinstance(loss, Module) else loss).bind(prediction)
    except ValueError:  # it is not written in Python
        return
    except TypeError:
        raise DataError(
            "a batch holds inputs and no targets, which the loss wants. Expected (inputs, targets): write fit((x, y)) "
            "for two arrays,\nfit((x, x)) for an autoencoder; with weighted=True, weights come after the targets; a "
            "transform gives the targets back, too."
        ) from None


def parameters_of(model: Any, optimizer: Any) -> list[Tensor]:
    """The parameters of a model, or of the optimizer where the model is a function.

    Raises:
        ArgumentError: where neither says what they are.

    >>> import nn
    >>> len(parameters_of(nn.Linear(2, 1), None))
    2
    """
    if isinstance(model, Module):
        return list(model.parameters())
    groups = getattr(optimizer, "param_groups", None)
    if groups is None:
        raise ArgumentError("neither the model nor the optimizer says what its parameters are. Expected an nn.Module.")
    return [w for group in groups for w in group["params"]]
