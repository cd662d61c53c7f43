"""Functions that are called as a module runs, and as the gradient comes back through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError

if TYPE_CHECKING:
    from nn.module import Module

Hook = Callable[..., Any]
Gradients = tuple[Tensor | None, ...]


@dataclass(eq=False)
class Entry:
    """A hook, and whether it takes the keyword arguments too.

    >>> Entry(print).with_kwargs
    False
    """

    hook: Hook
    with_kwargs: bool = False


class RemovableHandle:
    """What takes a hook away again: `handle.remove()`, or the end of `with handle:`.

    >>> row = [Entry(print)]
    >>> with RemovableHandle(row, row[0]):
    ...     len(row)
    1
    >>> row
    []
    """

    def __init__(self, row: list[Entry], entry: Entry) -> None:
        self._row, self._entry = row, entry

    def remove(self) -> None:
        """Take the hook away; once more does nothing."""
        if self._entry in self._row:
            self._row.remove(self._entry)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@dataclass(eq=False)
class Hooks:
    """The hooks of one module, each kind in the order in which it is called.

    >>> hooks = Hooks()
    >>> handle = hooks.add(hooks.before, print)
    >>> len(hooks.before)
    1
    """

    before: list[Entry] = field(default_factory=list)
    after: list[Entry] = field(default_factory=list)
    outputs: list[Entry] = field(default_factory=list)
    inputs: list[Entry] = field(default_factory=list)

    def add(self, row: list[Entry], hook: Hook, prepend: bool = False, with_kwargs: bool = False) -> RemovableHandle:
        """Enter a hook at the end of a row, or at its start."""
        entry = Entry(hook, with_kwargs)
        row.insert(0 if prepend else len(row), entry)
        return RemovableHandle(row, entry)

    def run(self, module: Module, *args: Any, **kwargs: Any) -> Any:
        """Call `module.forward` between the hooks."""
        for entry in tuple(self.before):
            args, kwargs = _entering(entry, module, args, kwargs)
        crossing = Crossing(module, self) if (self.inputs or self.outputs) and ag.is_grad_enabled() else None
        if crossing is not None:
            args = crossing.enter(args)
        output = module.forward(*args, **kwargs)
        for entry in tuple(self.after):
            given = (args, kwargs) if entry.with_kwargs else (args,)
            found = entry.hook(module, *given, output)
            output = output if found is None else found
        return output if crossing is None else crossing.leave(output)


def _entering(entry: Entry, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The arguments after a hook before the call."""
    if not entry.with_kwargs:
        found = entry.hook(module, args)
        return (args if found is None else found if isinstance(found, tuple) else (found,)), kwargs
    found = entry.hook(module, args, kwargs)
    if found is None:
        return args, kwargs
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)):
        raise ArgumentError(
            f"a forward pre-hook with_kwargs of {type(module).__name__} returned {type(found).__name__}. "
            "Expected None or (args, kwargs)."
        )
    return found


class Crossing:
    """One call of a module, watched as the gradient comes back: outputs first, then inputs."""

    def __init__(self, module: Module, hooks: Hooks) -> None:
        self.module = module
        self.to_outputs = [entry.hook for entry in hooks.outputs]
        self.to_inputs = [entry.hook for entry in hooks.inputs]
        self.gate = Gate(self._at_inputs)
        self.arrived: Gradients = ()

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, seen from here on."""
        return tuple(self.gate.through(args))

    def leave(self, output: Any) -> Any:
        """The output, seen from here on."""
        gate = Gate(self._at_outputs)
        if isinstance(output, Tensor):
            return gate.through([output])[0]
        if not isinstance(output, tuple):
            raise ArgumentError(
                f"{type(self.module).__name__} has hooks for gradients and returned {type(output).__name__}. "
                "Expected a Tensor or a tuple of them: write t.register_hook(hook) for Tensors inside other things."
            )
        parts = gate.through(output)
        return type(output)(*parts) if hasattr(output, "_fields") else tuple(parts)

    def _at_outputs(self, arriving: Gradients) -> Gradients:
        for hook in self.to_outputs:
            arriving = self._replaced(arriving, hook(self.module, arriving))
        self.arrived = arriving
        if not self.gate.places:
            self._at_inputs((None,) * self.gate.count)
        return arriving

    def _at_inputs(self, leaving: Gradients) -> Gradients:
        for hook in self.to_inputs:
            leaving = self._replaced(leaving, hook(self.module, leaving, self.arrived))
        self.arrived = ()
        return leaving

    def _replaced(self, before: Gradients, found: Any) -> Gradients:
        if found is None:
            return before
        after = found if isinstance(found, tuple) else (found,)
        if len(after) != len(before):
            raise ArgumentError(
                f"a hook for gradients of {type(self.module).__name__} returned {len(after)} of them. "
                f"Expected None or {len(before)}, one for each of those that it was given."
            )
        return after


class Gate:
    """Tensors whose gradients are all seen together before any of them goes on.

    Each passes two entries of the tape. All those nearer the end come first in a backward pass, and note what arrives;
    the first of the others then decides for all.

    >>> gate = Gate(lambda gradients: tuple(g * 10 for g in gradients))
    >>> x = ag.tensor(2.0, requires_grad=True)
    >>> (y,) = gate.through([x])
    >>> (y * y).backward()
    >>> x.grad
    tensor(40.)
    """

    def __init__(self, decide: Callable[[Gradients], Gradients]) -> None:
        self.decide = decide
        self.places: list[int] = []
        self.count = 0
        self._seen: dict[int, Tensor] = {}
        self._going: dict[int, Tensor | None] = {}

    def through(self, values: Sequence[Any]) -> list[Any]:
        """The values, each Tensor on the tape with a place of its own there."""
        passed, self.count = list(values), len(values)
        self.places = [k for k, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
        for act in (self._go, self._see):
            for k in self.places:
                passed[k] = ag.reshape(passed[k], passed[k].shape)
                passed[k].register_hook(partial(act, k))
        return passed

    def _see(self, k: int, gradient: Tensor) -> None:
        self._going = {}
        self._seen[k] = gradient

    def _go(self, k: int, _gradient: Tensor) -> Tensor | None:
        if self._seen:
            decided = self.decide(tuple(self._seen.get(i) for i in range(self.count)))
            self._going, self._seen = {i: decided[i] for i in self._seen}, {}
        return self._going.pop(k, None)
