"""All parameters as one vector, and back: for methods that are written for vectors."""

from __future__ import annotations

from collections.abc import Iterable

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, ShapeError


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters in one vector, in order; differentiable.

    Parameters:
        parameters: Tensors, as `model.parameters()` gives them; of gradients, `[p.grad for p in ...]`.

    Raises:
        ArgumentError: no parameters.
        DTypeError: something else than Tensors.

    >>> parameters_to_vector([ag.tensor([[1.0, 2.0]]), ag.tensor(3.0)])
    tensor([1., 2., 3.])
    """
    return ag.concat([ag.reshape(p, -1) for p in _listed(parameters, "parameters_to_vector")])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give the parameters the elements of a vector, in order, each cast to its dtype: not recorded.

    Raises:
        ShapeError: if they are not as many.
        ArgumentError: no parameters.
        DTypeError: something else than Tensors as parameters.

    >>> a, b = ag.zeros((1, 2), requires_grad=True), ag.tensor(0.0, requires_grad=True)
    >>> vector_to_parameters(ag.tensor([1.0, 2.0, 3.0]), [a, b])
    >>> a.tolist(), b.item()
    ([[1.0, 2.0]], 3.0)
    """
    into = _listed(parameters, "vector_to_parameters")
    values, size = ag.asarray(vec).detach(), sum(p.size for p in into)
    if values.shape != (size,):
        raise ShapeError(
            f"vector_to_parameters was given shape {values.shape} for parameters of {size} elements. "
            f"Expected a vector of shape ({size},)."
        )
    at = 0
    with ag.no_grad():
        for p in into:
            p.copy_(ag.reshape(values[at : at + p.size], p.shape))
            at += p.size


def _listed(parameters: Iterable[Tensor], who: str) -> list[Tensor]:
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not given:
        raise ArgumentError(f"{who} was given no parameters. Write model.parameters() anew: it is read only once.")
    for p in given:
        if not isinstance(p, Tensor):
            raise DTypeError(f"{who} was given a {type(p).__name__}. Expected Tensors: write model.parameters().")
    return given
