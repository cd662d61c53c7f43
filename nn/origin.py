"""Where a NaN or an infinity came from: the batch, a parameter, the first layer that made one, or the loss."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import autograd as ag
from autograd import Tensor
from nn.module import Module


def finite(x: Any) -> bool:
    """Whether all numbers in an array, or in a structure of them, are finite.

    >>> finite([ag.tensor([1.0]), ag.tensor([ag.inf])])
    False
    """
    if isinstance(x, (tuple, list)):
        return all(map(finite, x))
    return not isinstance(x, Tensor) or bool(ag.all(ag.isfinite(x.detach())))


def origin(model: Any, x: Any, targets: Sequence[Any]) -> str:
    """In words, where the first value of a step was not finite, and what to do about it.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    >>> print(origin(model, ag.tensor([[ag.nan]]), []))
    Part 0 of this batch holds NaN or infinities: clean the data first.
    """
    flat = [a for part in (x, *targets) for a in (part if isinstance(part, tuple) else (part,))]
    bad = [k for k, a in enumerate(flat) if not finite(ag.asarray(a))]
    if bad:
        return f"Part {bad[0]} of this batch holds NaN or infinities: clean the data first."
    if isinstance(model, Module):
        for name, p in model.named_parameters():
            if not finite(p):
                return f"The parameter {name} is not finite: an earlier step was too large. Use a smaller lr, or clip."
        layer = _first_layer(model, x)
        if layer is not None:
            return (
                f"The batch and the weights are finite; the first output that is not is that of {layer}.\n"
                "Try a smaller lr, look for log(0) or x/0 there, and check its derivative with ag.gradcheck."
            )
    return (
        "The batch is finite. Try a smaller lr, look for log(0) or x/0 in the model or the loss, and check its "
        "derivative with ag.gradcheck."
    )


def _first_layer(model: Module, x: Any) -> str | None:
    """The first module whose output is not finite: the innermost one."""
    names = {id(m): name for name, m in model.named_modules()}
    found: list[str] = []

    def watch(module: Any, inputs: Any, output: Any) -> None:
        if not found and not finite(output):
            name = names[id(module)]
            found.append(f"{name} ({type(module).__name__})" if name else f"the {type(module).__name__} itself")

    before = [(b, b.detach()) for b in model.buffers()]
    with ExitStack() as stack:
        for module in model.modules():
            stack.enter_context(module.register_forward_hook(watch))
        with ag.no_grad():
            model(*x) if isinstance(x, tuple) else model(x)
    with ag.no_grad():
        for buffer, value in before:
            buffer.copy_(value)
    return found[0] if found else None
