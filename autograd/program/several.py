"""One entry of the tape for several results: each of them is a part of it, and so is its cotangent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.errors import DifferentiationError
from autograd.primitive import Primitive
from autograd.tape import Node
from autograd.tensor import Tensor


class Several:
    """The cotangents of several outputs, None for those that have none so far; the sweep adds them up."""

    __slots__ = ("dtype", "parts")
    shape = ()

    def __init__(self, parts: list[Any], dtype: Any) -> None:
        self.parts, self.dtype = parts, dtype

    def __add__(self, other: Several) -> Several:
        pairs = zip(self.parts, other.parts, strict=True)
        return Several([b if a is None else a if b is None else a + b for a, b in pairs], self.dtype)


def refused(*_values: Any, **_settings: Any) -> Any:
    """The forward function of an operation that is an entry of what ran together."""
    raise DifferentiationError("the entry of a function that runs as a whole was run by itself; call the function.")


def _pull_part(g: Any, _saved: Sequence[Any], node: Node) -> Several:
    note = node.settings or {}
    parts = [None] * note["of"]
    parts[note["position"]] = g
    (whole,) = node.parents or ()
    return Several(parts, whole.dtype if whole is not None else None)


_part_of = Primitive("part_of", "whole", refused, pulls=(_pull_part,), reads=(frozenset(),))


def parts_of(node: Node, outputs: Sequence[Any]) -> list[Tensor]:
    """The outputs of one entry as Tensors on the tape; a single one stands at the entry itself."""
    if len(outputs) == 1:
        return [Tensor(outputs[0], node)]
    node.shape = ()  # of its cotangent, `Several`
    return [
        Tensor(y, Node(_part_of, (node,), (), {"position": k, "of": len(outputs)}, y.shape, y.dtype))
        for k, y in enumerate(outputs)
    ]


def cotangents_of(g: Any) -> list[Any]:
    """The cotangent of each output, None where there is none."""
    return g.parts if isinstance(g, Several) else [g]
