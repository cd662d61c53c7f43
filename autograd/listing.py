"""The tape as text: what was done, in order, as one reads it."""

from __future__ import annotations

from typing import Any

from autograd.errors import DifferentiationError
from autograd.tape import entries
from autograd.tensor import Tensor


def tape_of(t: Tensor) -> str:
    """The entries that t was made of, oldest first: operation, inputs, shape, dtype, and the values it saved.

    >>> import autograd as ag
    >>> x = ag.tensor(2.0, requires_grad=True)
    >>> print(ag.tape_of(ag.tanh(3.0 * x)))
    v1 = leaf()                        () float64
    v2 = multiply(3.0, v1)             () float64  saves input 0
    v3 = tanh(v2)                      () float64  saves output
    """
    if t.node is None:
        raise DifferentiationError(
            "tape_of a constant: nothing was recorded. Write ag.tensor(..., requires_grad=True)."
        )
    order = entries([t.node])
    names = {node: f"v{k}" for k, node in enumerate(order, 1)}
    lines = []
    for node in order:
        constants = [_constant(v) for v in node.saved[1:]]
        constants += ["const"] * (len(node.parents or ()) - len(constants))
        inputs = [c if p is None else names[p] for p, c in zip(node.parents or (), constants, strict=True)]
        settings = [f"{k}={v}" for k, v in (node.settings or {}).items()]
        call = f"{names[node]} = {node.op.name if node.op else 'leaf'}({', '.join(inputs + settings)})"
        kept = ["output" if k == 0 else f"input {k - 1}" for k, v in enumerate(node.saved) if v is not None]
        line = f"{call:<34} {node.shape} {node.dtype}" + (f"  saves {', '.join(kept)}" if kept else "")
        lines.append(line)
    return "\n".join(lines)


def _constant(value: Any) -> str:
    return "const" if value is None or getattr(value, "size", 1) != 1 else str(value)
