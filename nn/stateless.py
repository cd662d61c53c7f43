"""A module as a pure function of its parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError
from nn.parameter import Buffer
from nn.state import nearest

if TYPE_CHECKING:
    from nn.module import Module


def functional_call(
    module: Module,
    parameters_and_buffers: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Any:
    """module(*args, **kwargs) with other values for its parameters and buffers; the module's own stay as they are.

    A value stands in for a parameter under all names that lead to it. Running statistics that the call updates are
    those given, which are then changed, or copies of the module's.

    Parameters:
        module: what is called. Not from several threads at a time: it holds the values while it runs.
        parameters_and_buffers: Tensors or arrays by their names, as in `dict(module.named_parameters())`; or several
            such dicts, each with names of its own.
        args: the positional arguments: a tuple of them, or a single one.
        kwargs: the keyword arguments.
        strict: whether every parameter and buffer must be given.

    Raises:
        ArgumentError: for a name unknown to the module, two values for what is shared, or one missing if strict.

    >>> import nn
    >>> model = nn.Linear(2, 1, dtype="float64")
    >>> def loss(parameters):
    ...     return nn.functional_call(model, parameters, ag.ones((4, 2))).sum()
    >>> ag.grad(loss)({"weight": ag.ones((1, 2)), "bias": ag.zeros(1)})
    {'weight': tensor([[4., 4.]]), 'bias': tensor([4.])}

    PyTorch's `torch.func.functional_call`.
    """
    values = parameters_and_buffers
    given = _by_identity(module, values if isinstance(values, Mapping) else _merged(values), strict)
    with _replaced(module, given):
        return module(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))


def _merged(some: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of several dicts; none may be in two of them."""
    merged: dict[str, Any] = {}
    for values in some:
        if twice := sorted(merged.keys() & values.keys()):
            raise ArgumentError(f"functional_call was given {', '.join(twice)} in two dicts. Expected each name once.")
        merged |= values
    return merged


def _by_identity(module: Module, values: Mapping[str, Any], strict: bool) -> dict[int, Tensor]:
    """The value for each parameter and buffer, by its id; copies of the buffers that have none."""
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    unknown = [f"{name}{nearest(name, own)}" for name in values if name not in own]
    if unknown:
        raise ArgumentError(
            f"functional_call was given {', '.join(unknown)}, which {type(module).__name__} does not have. "
            "Expected names of module.named_parameters() and module.named_buffers()."
        )
    given: dict[int, Tensor] = {}
    names: dict[int, str] = {}
    for name, value in values.items():
        key = id(own[name])
        if key in given and given[key] is not value:
            raise ArgumentError(
                f"functional_call was given values for {names[key]} and {name}, which are one and the same.\n"
                f"Leave out {name}, as dict(module.named_parameters()) does."
            )
        given[key], names[key] = value if isinstance(value, Tensor) else ag.asarray(value), name
    missing = [name for name, t in own.items() if id(t) not in given]
    if strict and missing:
        raise ArgumentError(
            f"functional_call was not given {', '.join(missing)} of {type(module).__name__}. "
            "Expected every parameter and buffer: write strict=False to take the module's own."
        )
    buffers = [t for t in own.values() if isinstance(t, Buffer)]
    return {id(t): Buffer(t, t.persistent) for t in buffers} | given


@contextmanager
def _replaced(module: Module, given: Mapping[int, Tensor]) -> Iterator[None]:
    """The values in the attributes of the module and of all below it, for as long as the block runs."""
    held = []
    for part in module.modules():
        for name, value in vars(part).items():
            other = _substituted(value, given)
            if other is not value:
                held.append((part, name, value, other))
    try:
        for part, name, _, other in held:
            vars(part)[name] = other
        yield
    finally:
        for part, name, value, _ in held:
            vars(part)[name] = value


def _substituted(value: Any, given: Mapping[int, Tensor]) -> Any:
    """The value itself if nothing in it is to be replaced, else a container like it."""
    if isinstance(value, Tensor):
        return given.get(id(value), value)
    if isinstance(value, dict):
        parts = {k: _substituted(v, given) for k, v in value.items()}
        return value if all(parts[k] is v for k, v in value.items()) else parts
    if isinstance(value, list | tuple):
        row = [_substituted(v, given) for v in value]
        if all(a is b for a, b in zip(row, value, strict=True)):
            return value
        return type(value)(*row) if hasattr(value, "_fields") else type(value)(row)
    return value
