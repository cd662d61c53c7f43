"""The gradients of many Tensors at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from operator import attrgetter, is_
from typing import Any

from autograd.config import config
from autograd.primitive import capturing
from autograd.program.launch import kernel_module
from autograd.tape import Node, Watch
from autograd.tensor import Tensor

MANY = 16  # Tensors whose gradients are looked for natively
PATH = [(Tensor, "node"), (Node, "watch"), (Watch, "grad")], (Tensor, "value")
_gradient = attrgetter("node.watch.grad")


class Gradients(Sequence[Any]):
    """The gradients of Tensors that all have one, which is not row-sparse; looked up when they are asked for."""

    def __init__(self, of: list[Tensor]) -> None:
        self.of = of

    def __len__(self) -> int:
        return len(self.of)

    def __getitem__(self, k: Any) -> Any:
        return list(self)[k] if isinstance(k, slice) else _gradient(self.of[k])

    def __iter__(self) -> Iterator[Any]:
        return map(_gradient, self.of)


def gradients_of(ts: Sequence[Tensor]) -> Sequence[Any]:
    """The `grad` of each: of thousands in a fraction of the time that asking one after the other takes.

    A `Gradients` if all have one that is a Tensor.

    >>> import autograd as ag
    >>> gradients_of([ag.ones(2)])
    [None]
    """
    if not capturing:
        if type(ts) is list and len(ts) >= MANY and config.kernels and _all_there()(ts):
            return Gradients(ts)
        with suppress(AttributeError):  # one is a constant, or has had no gradient yet
            return list(map(_gradient, ts))
    return [t.grad for t in ts]


def same_tensors(a: Sequence[Any], b: Sequence[Any]) -> bool:
    """Whether two sequences hold the very same Tensors; quick for thousands, if both are lists.

    >>> import autograd as ag
    >>> t = ag.ones(2)
    >>> same_tensors([t], [t]), same_tensors([t], [ag.ones(2)])
    (True, False)
    """
    if type(a) is type(b) is list and len(a) >= MANY and config.kernels and kernel_module("objects").layout():
        return bool(kernel_module("objects").same(a, b))
    return len(a) == len(b) and all(map(is_, a, b))


@cache
def _all_there() -> Callable[[list[Tensor]], bool]:
    objects = kernel_module("objects")
    if not objects.layout():
        return lambda _: False
    return objects.Followed(*PATH)  # type: ignore[no-any-return]
