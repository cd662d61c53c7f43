"""Modules: parts of a model, found by walking their attributes. No metaclass, no registration, no `__setattr__`.

What is stored on a module is what it is made of. An attribute is a parameter if it is a `Parameter` or any other leaf
that requires a gradient, state if it is a `Buffer`, and a child if it is a `Module`; lists, tuples and dicts of these
are walked too, their keys joined by dots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from reprlib import recursive_repr
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import autograd as ag
from autograd import Tensor
from autograd.errors import DTypeError
from nn.state import check_state
from nn.summary import summarize, watcher

T = TypeVar("T")


def _own_tensor(data: Tensor | ArrayLike) -> Tensor:
    """A copy of `data`; Python floats, which carry no dtype, become float32."""
    t = ag.tensor(data)
    return t.astype("float32") if t.dtype.kind == "f" and not hasattr(data, "dtype") else t


class Parameter(Tensor):
    """A leaf of the tape that training changes.

    Parameters:
        data: what it starts from, copied. Arrays and Tensors keep their floating dtype, Python floats give float32.
        requires_grad: False for a frozen parameter, which is still listed and saved.

    Raises:
        DTypeError: if `data` is not floating, and a gradient is wanted.

    >>> Parameter([1.0, 2.0])
    tensor([1., 2.], dtype=float32, requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | ArrayLike, requires_grad: bool = True) -> None:
        super().__init__(_own_tensor(data).value)
        self.requires_grad_(requires_grad)


class Buffer(Tensor):
    """State that is saved with a model but has no gradient: running statistics, counters.

    >>> Buffer([0.0, 0.0])
    tensor([0., 0.], dtype=float32)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | ArrayLike) -> None:
        super().__init__(_own_tensor(data).value)


class Unmatched(NamedTuple):
    """The names that `load_state_dict(strict=False)` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A part of a model: assign parameters, buffers and other modules to attributes, and write `forward`.

    `super().__init__()` need not be called. What is to be frozen should be a `Parameter`: a plain Tensor that no longer
    requires a gradient is a constant, and no longer found.

    Attributes:
        training: True while training, False after `eval()`; what dropout and normalisation look at.

    >>> import autograd as ag
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Parameter(2.0)
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(ag.tensor([1.0, 3.0], dtype="float32"))
    tensor([2., 6.], dtype=float32, made_by='multiply')
    >>> [name for name, _ in line.named_parameters()]
    ['slope']
    """

    training: bool = True

    def forward(self, *inputs: Any, **settings: Any) -> Any:
        """Compute the output; every module writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward. Write `def forward(self, x): ...` in it.")

    def __call__(self, *inputs: Any, **settings: Any) -> Any:
        """Call `forward`; how a module is used."""
        output = self.forward(*inputs, **settings)
        watch = watcher.get()
        if watch is not None:
            watch(self, output)
        return output

    # ---- what it is made of

    def _paths(self, name: str = "", above: tuple[Module, ...] = ()) -> Iterator[tuple[str, Module]]:
        """Every path to a module, parents first; a module that leads back to itself is not entered again."""
        yield name, self
        for key, part in _parts(self):
            if isinstance(part, Module) and part is not self and not any(part is m for m in above):
                yield from part._paths(f"{name}.{key}" if name else key, (*above, self))

    def _state(self, kind: bool, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Every path to a buffer (`kind` true) or a parameter (false)."""
        for path, module in self._paths() if recurse else [("", self)]:
            for key, part in _parts(module):
                if isinstance(part, Tensor) and isinstance(part, Buffer) == kind:
                    yield f"{path}.{key}" if path else key, part

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """This module, named "", and all below it, parents first, each once."""
        return _once(self._paths())

    def modules(self) -> Iterator[Module]:
        """This module and all below it, parents first, each once."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below, each once."""
        return _once((key, part) for key, part in _parts(self) if isinstance(part, Module))

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        return (child for _, child in self.named_children())

    def named_parameters(self, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Each parameter once, under the first name that leads to it; only this module's own without `recurse`."""
        return _once(self._state(False, recurse))

    def parameters(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each parameter once; only this module's own without `recurse`."""
        return (p for _, p in self.named_parameters(recurse))

    def named_buffers(self, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """Each buffer once, under the first name that leads to it; only this module's own without `recurse`."""
        return _once(self._state(True, recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer once; only this module's own without `recurse`."""
        return (b for _, b in self.named_buffers(recurse))

    # ---- saving and loading

    def _entries(self) -> dict[str, Tensor]:
        """The live parameters and buffers under PyTorch's names, in its order; what is shared, under each name."""
        found: dict[str, Tensor] = {}
        for path, module in self._paths():
            prefix = f"{path}." if path else ""
            for kind in (False, True):
                found |= {prefix + key: t for key, t in module._state(kind, recurse=False)}
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and buffer as it is now, detached, by name: PyTorch's keys and order.

        A snapshot that later training does not reach, without a copy: arrays of Tensors are never written into.
        """
        return {name: t.detach() for name, t in self._entries().items()}

    def load_state_dict(self, state: Mapping[str, Tensor | ArrayLike], strict: bool = True) -> Unmatched:
        """Take over the values in `state`, each cast to the dtype of its parameter or buffer.

        Parameters:
            state: arrays or Tensors by name, as `state_dict` gives them.
            strict: whether names missing from `state`, or unknown to the module, are errors. Shapes always are.

        Returns:
            The names without a partner, which are none if `strict`.

        Raises:
            CheckpointError: listing everything that does not fit; the module is then as it was before.

        >>> source, target = Module(), Module()
        >>> source.gain, target.gain = Parameter([1.0]), Parameter([5.0])
        >>> target.load_state_dict(source.state_dict())
        Unmatched(missing_keys=[], unexpected_keys=[])
        >>> target.gain
        tensor([1.], dtype=float32, requires_grad=True)
        """
        entries = self._entries()
        values = check_state(type(self).__name__, entries, state, strict)
        with ag.no_grad():
            for name, value in values.items():
                entries[name].copy_(value)
        return Unmatched([n for n in entries if n not in state], [n for n in state if n not in entries])

    # ---- changing all of it

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and below; returns itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def to(self, dtype: DTypeLike) -> Self:
        """Cast floating parameters and buffers to `dtype`, dropping their gradients; returns itself.

        Raises:
            DTypeError: if `dtype` is not a real floating one.
        """
        wanted = np.dtype(dtype)
        if wanted.kind != "f":
            raise DTypeError(f"to() was given dtype {wanted}. Expected a floating one: 'float32' or 'float64'.")
        for t in self._entries().values():
            if t.dtype.kind == "f" and t.dtype != wanted:
                t.set_(t.detach().astype(wanted).value)
        return self

    def zero_grad(self) -> None:
        """Forget the gradient of every parameter."""
        for p in self.parameters():
            p.grad = None

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Train every parameter, or freeze it; returns itself."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module, children before their parents; returns itself."""
        for module in reversed(list(self.modules())):
            fn(module)
        return self

    # ---- reading

    def extra_repr(self) -> str:
        """What stands between the parentheses of the `repr`, besides the children."""
        return ""

    @recursive_repr("...")
    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({key}): {part!r}" for key, part in _parts(self) if isinstance(part, Module)]
        if not children:
            return f"{type(self).__name__}({extra})"
        lines = "\n".join([extra, *children] if extra else children).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {lines}\n)"

    def summary(self, *inputs: Any) -> str:
        """A table of the layers: name, kind, output shape, parameters; and what they add up to.

        Parameters:
            inputs: what `forward` takes, or a tuple of lengths for zeros of that shape, the batch's axis included.
                Run once, in evaluation mode and off the tape. Without them the table has no output shapes.

        >>> import nn
        >>> print(nn.Sequential(nn.Linear(3, 4), nn.ReLU()).summary((1, 3)))
        layer  kind        output  parameters
        -------------------------------------
               Sequential  (1, 4)           0
        0      Linear      (1, 4)          16
        1      ReLU        (1, 4)           0
        -------------------------------------
        parameters: 16, of which trainable: 16; 64 bytes
        """
        return summarize(self, inputs)


def _parts(module: Module) -> Iterator[tuple[str, Tensor | Module]]:
    """The parameters, buffers and modules among a module's attributes."""
    for name, value in vars(module).items():
        yield from _found(name, value)


def _found(key: str, value: Any) -> Iterator[tuple[str, Tensor | Module]]:
    if isinstance(value, Tensor):
        if isinstance(value, Parameter | Buffer) or (value.requires_grad and value.is_leaf):
            yield key, value
    elif isinstance(value, Module):
        yield key, value
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _found(f"{key}.{k}", v)
    elif isinstance(value, list | tuple):
        for i, v in enumerate(value):
            yield from _found(f"{key}.{i}", v)


def _once(named: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Each thing under its first name."""
    seen: set[int] = set()
    for name, thing in named:
        if id(thing) not in seen:
            seen.add(id(thing))
            yield name, thing
