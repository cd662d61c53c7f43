"""A model as a table of its layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import Tensor

if TYPE_CHECKING:
    from nn.module import Module

watcher: ContextVar[Callable[[Any, Any], None] | None] = ContextVar("watcher", default=None)
_COLUMNS = ("layer", "kind", "output", "parameters")


def summarize(model: Module, inputs: Sequence[Any]) -> str:
    """The table of `Module.summary`."""
    shapes = _output_shapes(model, inputs) if inputs else {}
    counted: set[int] = set()
    rows = [_COLUMNS]
    for name, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted |= {id(p) for p in own}
        rows.append((name, type(module).__name__, shapes.get(id(module), ""), f"{sum(p.size for p in own):,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    kept = [k for k in range(4) if k != 2 or inputs]
    lines = ["  ".join(_cell(row[k], widths[k], k == 3) for k in kept) for row in rows]
    rule = "-" * len(lines[0])
    parameters = list(model.parameters())
    total, nbytes = sum(p.size for p in parameters), sum(p.nbytes for p in parameters)
    trainable = sum(p.size for p in parameters if p.requires_grad)
    foot = f"parameters: {total:,}, of which trainable: {trainable:,}; {nbytes:,} bytes"
    return "\n".join([lines[0], rule, *lines[1:], rule, foot])


def _cell(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _output_shapes(model: Module, inputs: Sequence[Any]) -> dict[int, str]:
    """The output shape of each module, by id, of one pass in evaluation mode."""
    found: dict[int, str] = {}

    def watch(module: Module, output: Any) -> None:
        found[id(module)] = _shape(output)

    dtype = next((p.dtype for p in model.parameters()), "float32")
    arguments = [ag.zeros(x, dtype) if _is_shape(x) else x for x in inputs]
    with _evaluating(model), ag.no_grad():
        token = watcher.set(watch)
        try:
            model(*arguments)
        finally:
            watcher.reset(token)
    return found


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(n, int) for n in x)


def _shape(output: Any) -> str:
    if isinstance(output, Tensor):
        return str(output.shape)
    if isinstance(output, list | tuple):
        return ", ".join(map(_shape, output))
    return type(output).__name__
