"""The derivatives of a module by its parameters and its batch, against finite differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import GradcheckResult, Tensor
from autograd.gradcheck.given import named
from autograd.gradcheck.reproduce import written
from nn.stateless import functional_call

if TYPE_CHECKING:
    from nn.module import Module


def gradcheck(module: Module, *batch: Any, fast: bool = False, **settings: Any) -> GradcheckResult:
    """Check d module(*batch) by every parameter, under its name, and by every floating part of the batch.

    The same as `module.gradcheck(*batch)`.
    Parameters and buffers are raised to float64 for it; running statistics that the module updates are copies, set back
    for each run. The module itself stays as it is.

    Parameters:
        module: what is called, in the mode that it is in.
        batch: the arguments of the call.
        fast: compare random projections only, whatever the size.
        settings: those of `ag.gradcheck`: order, mode, eps, atol, rtol, max_elements, seed.

    >>> import nn
    >>> nn.gradcheck(nn.Linear(2, 1), ag.tensor([[1.0, 2.0]]))
    gradcheck passed: 5 derivatives agree
    """
    names = [name for name, _ in module.named_parameters()]
    buffers = {name: _raised(b) for name, b in module.named_buffers()}
    count = len(names)

    def call(*values: Any) -> Any:
        fresh = {name: ag.tensor(b) for name, b in buffers.items()}
        return functional_call(module, dict(zip(names, values[:count], strict=True)) | fresh, values[count:])

    given = [_raised(p) for p in module.parameters()] + [_raised(x) for x in batch]
    titles = names + named(module.forward, (), len(batch))
    result = ag.gradcheck(call, given, fast=fast, names=titles, **settings)
    if "def call(" not in result.reproducer:  # but an operation by itself
        return result
    return replace(result, reproducer=_program(module, batch, {"fast": fast} | settings))


def _program(module: Module, batch: Sequence[Any], settings: Mapping[str, Any]) -> str:
    """The check again; how the module is made, the reader knows."""
    made = [f"# {line}" for line in f"model is {module!r}".splitlines()]
    given = [written(x) for x in batch] + [f"{k}={v!r}" for k, v in settings.items() if v]
    lines = ["import numpy as np", "import autograd as ag", *made, f"print(model.gradcheck({', '.join(given)}))"]
    return "\n".join(lines)


def _raised(x: Any) -> Any:
    t = x.detach() if isinstance(x, Tensor) else x
    return ag.tensor(t.astype("float64")) if getattr(t, "dtype", None) == "float32" else t
