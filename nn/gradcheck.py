"""The derivatives of a module by its parameters and its batch, against finite differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import GradcheckResult, Tensor
from autograd.gradcheck.given import named
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
    return ag.gradcheck(call, given, fast=fast, names=titles, **settings)


def _raised(x: Any) -> Any:
    t = x.detach() if isinstance(x, Tensor) else x
    return ag.tensor(t.astype("float64")) if getattr(t, "dtype", None) == "float32" else t
