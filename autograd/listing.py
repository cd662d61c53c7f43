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
        saved = [*node.saved[1:], *(None for _ in node.parents or ())]
        inputs = [names[p] if p is not None else _constant(saved[k]) for k, p in enumerate(node.parents or ())]
        known = node.settings or {}
        shown = known.get("settings", {}) if "plan" in known else known  # of a fused function, what its caller gave
        settings = [f"{k}={v}" for k, v in shown.items()]
        call = f"{names[node]} = {node.op.name if node.op else 'leaf'}({', '.join(inputs + settings)})"
        kept = ["output" if k == 0 else f"input {k - 1}" for k, v in enumerate(node.saved) if v is not None]
        line = f"{call:<34} {node.shape} {node.dtype}" + (f"  saves {', '.join(kept)}" if kept else "")
        lines.append(line)
    return "\n".join(lines)


def _constant(value: Any) -> str:
    return "const" if value is None or getattr(value, "size", 1) != 1 else str(value)
