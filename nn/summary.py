"""A model as a table of its layers, and what each of them costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.config import config
from autograd.tree import flatten

if TYPE_CHECKING:
    from nn.module import Module

Watcher = Callable[[Any, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
_COLUMNS = ("layer", "kind", "output", "parameters", "FLOPs", "activations")
_LEFT = 3  # columns of text


@dataclasses.dataclass(frozen=True)
class Row:
    """One module: what it is, and what it costs without its parts.

    Attributes:
        name, kind: as in `named_modules`; its class.
        output: the shape of its output in its last call, as text; "" if it was not called.
        parameters: elements of its own parameters that no row before has counted.
        flops: of its own operations, in all its calls.
        activations: bytes of its outputs, in all its calls.

    >>> Row("0", "ReLU", "(1, 4)", 0, 4, 16).flops
    4
    """

    name: str
    kind: str
    output: str
    parameters: int
    flops: int
    activations: int


@dataclasses.dataclass(frozen=True, repr=False)
class Summary:
    """The table of `Module.summary`: its `repr` is the text.

    Attributes:
        rows: one for each module, parents first.
        parameters, trainable, nbytes: elements of all parameters, of those that are trained, and bytes of all.
        flops: of one call of the model.
        activations: bytes of all outputs, those that share memory counted once.
        measured: whether the model was run; else the last two are 0.

    >>> import nn
    >>> nn.Linear(3, 4).summary((1, 3)).flops
    28
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    nbytes: int
    flops: int
    activations: int
    measured: bool

    def __repr__(self) -> str:
        cells = [
            (r.name, r.kind, r.output, f"{r.parameters:,}", f"{r.flops:,}", _in_bytes(r.activations)) for r in self.rows
        ]
        table = [_COLUMNS, *cells]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        kept = range(len(_COLUMNS)) if self.measured else (0, 1, 3)
        lines = ["  ".join(_cell(row[k], widths[k], k >= _LEFT) for k in kept) for row in table]
        rule = "-" * len(lines[0])
        foot = [f"parameters: {self.parameters:,}, of which trainable: {self.trainable:,}; {_in_bytes(self.nbytes)}"]
        if self.measured:
            foot.append(f"FLOPs: {self.flops:,}; activations: {_in_bytes(self.activations)}, shared ones counted once")
        return "\n".join(line.rstrip() for line in [lines[0], rule, *lines[1:], rule, *foot])


def summarize(model: Module, inputs: Sequence[Any]) -> Summary:
    """The table of `Module.summary`."""
    run = _measured(model, inputs) if inputs else _Run()
    flops = run.flops()
    counted: set[int] = set()
    rows = []
    for name, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if id(p) not in counted]
        counted |= {id(p) for p in own}
        calls = [call for call in run.calls if call.module is module]
        outputs = [t for call in calls for t in _tensors(call.output)]
        rows.append(
            Row(
                name,
                type(module).__name__,
                _shape(calls[-1].output) if calls else "",
                sum(p.size for p in own),
                sum(flops[call.place] for call in calls),
                sum(t.nbytes for t in outputs),
            )
        )
    ps = list(model.parameters())
    return Summary(
        tuple(rows),
        sum(p.size for p in ps),
        sum(p.size for p in ps if p.requires_grad),
        sum(p.nbytes for p in ps),
        sum(flops.values()),
        run.activations(),
        bool(inputs),
    )


@dataclasses.dataclass(eq=False)
class _Call:
    """One call of a module: where on the tape it began and ended, and what came out."""

    module: Any
    place: int
    end: int = 0
    output: Any = None


class _Run:
    """The calls of one pass through a model, in the order of their beginnings."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []

    def watch(self, module: Any, forward: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Call forward, and note when and what."""
        call = _Call(module, ag.tape_position())
        self.calls.append(call)
        call.output = forward(*inputs, **settings)
        call.end = ag.tape_position()
        return call.output

    def flops(self) -> dict[int, int]:
        """For each call, by its place, the cost of the operations in it and in no call inside it."""
        found = {call.place: 0 for call in self.calls}
        open_calls: list[_Call] = []
        waiting = iter(self.calls)
        following = next(waiting, None)
        for cost in ag.costs_of(*(t for call in self.calls for t in _tensors(call.output))):
            while following is not None and following.place < cost.position:
                open_calls.append(following)
                following = next(waiting, None)
            while open_calls and open_calls[-1].end < cost.position:
                open_calls.pop()
            if open_calls:
                found[open_calls[-1].place] += cost.flops
        return found

    def activations(self) -> int:
        """Bytes of all outputs; those of one memory, once, as the largest."""
        sizes: dict[int, int] = {}
        for t in (t for call in self.calls for t in _tensors(call.output)):
            memory = id(_memory(t))
            sizes[memory] = max(sizes.get(memory, 0), t.nbytes)
        return sum(sizes.values())


def _measured(model: Module, inputs: Sequence[Any]) -> _Run:
    """One pass in evaluation mode, operation by operation, all that is floating on the tape."""
    run = _Run()
    dtype = next((p.dtype for p in model.parameters()), "float32")
    frozen = [p for p in model.parameters() if not p.requires_grad]
    with _unchanged(model), config.using(kernels=False), ag.enable_grad():
        for p in frozen:
            p.requires_grad_()
        arguments = [_on_tape(ag.zeros(x, dtype) if _is_shape(x) else x) for x in inputs]
        token = watcher.set(run.watch)
        try:
            model(*arguments)
        finally:
            watcher.reset(token)
            for p in frozen:
                p.requires_grad_(False)
    return run


def _on_tape(x: Any) -> Any:
    """A floating argument as the result of an operation, which a model may change in place; others as they are."""
    if not isinstance(x, Tensor | np.ndarray) or x.dtype.kind != "f":
        return x
    return ag.asarray(x).detach().requires_grad_().copy()


@contextmanager
def _unchanged(model: Module) -> Iterator[None]:
    """Evaluation mode; then the modes, and the default stream of random numbers, as they were before."""
    modes = [(module, module.training) for module in model.modules()]
    stream = ag.random.default.get_state()
    model.eval()
    try:
        yield
    finally:
        ag.random.default.set_state(stream)
        for module, mode in modes:
            module.training = mode


def _tensors(output: Any) -> list[Tensor]:
    return [t for t in flatten(output)[0] if isinstance(t, Tensor)]


def _memory(t: Tensor) -> Any:
    """The array that owns the memory of a Tensor."""
    array = t.value
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(n, Integral) for n in x)


def _shape(output: Any) -> str:
    if isinstance(output, Tensor):
        return str(output.shape)
    if isinstance(output, list | tuple):
        return ", ".join(map(_shape, output))
    return "None" if output is None else type(output).__name__


def _cell(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _in_bytes(n: int) -> str:
    """A number of bytes, in the largest unit that leaves at least one.

    >>> _in_bytes(2048)
    '2.0 KiB'
    """
    size, units = float(n), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{n} B" if n < 1024 else f"{size:.1f} {units[0]}"
