"""Parametrisations: a weight computed from other parameters each time it is read.

A parametrised module is moved to a class made for it: a subclass of its own with a property in the weight's place. The
weight itself becomes `module.parametrizations.<name>.original`, or `original0`, `original1`, ...: PyTorch's keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar, runtime_checkable

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from nn.container import ModuleDict, ModuleList
from nn.module import Module, Parameter

M = TypeVar("M", bound=Module)


@runtime_checkable
class Invertible(Protocol):
    """A parametrisation that knows which parameters give a value.

    >>> isinstance(Module(), Invertible)
    False
    """

    def right_inverse(self, value: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Tensors for which `forward` returns `value`, or what is nearest to it."""


class ParametrizationList(ModuleList):
    """The parametrisations of one tensor, applied one after another, and what they start from.

    >>> parts = ParametrizationList([], Parameter([1.0, 2.0]))
    >>> parts()
    tensor([1., 2.], dtype=float32, requires_grad=True)
    """

    def __init__(self, modules: Iterable[Module], tensor: Tensor) -> None:
        super().__init__(modules)
        found = self._inverse(tensor)
        self.count = len(found) if isinstance(found, tuple) else 0
        if not isinstance(found, tuple):
            self.original = found if found is tensor else Parameter(found.detach(), tensor.requires_grad)
            return
        for k, part in enumerate(found):
            setattr(self, f"original{k}", Parameter(part.detach(), tensor.requires_grad))

    def _inverse(self, value: Tensor) -> Tensor | tuple[Tensor, ...]:
        """What gives `value`, last parametrisation first; those without an inverse are taken for the identity."""
        found: Any = value
        for module in reversed(list(self)):
            if isinstance(module, Invertible):
                found = module.right_inverse(found)
        return found  # type: ignore[no-any-return]

    def originals(self) -> tuple[Tensor, ...]:
        """The parameters that the tensor is computed from."""
        return tuple(getattr(self, f"original{k}") for k in range(self.count)) if self.count else (self.original,)

    def forward(self) -> Tensor:
        """The tensor as it is now."""
        values: tuple[Tensor, ...] = self.originals()
        for module in self:
            values = (module(*values),)
        return values[0]

    def assign(self, value: Tensor) -> None:
        """Change the originals so that the tensor becomes `value`, as near as that is possible.

        Raises:
            UnsupportedError: if a parametrisation has no `right_inverse`.
        """
        for module in self:
            if not isinstance(module, Invertible):
                raise UnsupportedError(
                    f"a value was assigned to a tensor parametrised by {module!r}, which has no inverse.\n"
                    "Write `def right_inverse(self, value): ...` in it, or change .original itself."
                )
        found = self._inverse(ag.asarray(value).detach())
        with ag.no_grad():
            for original, part in zip(self.originals(), found if isinstance(found, tuple) else (found,), strict=True):
                original.copy_(part)


def _reader(name: str) -> property:
    """The property in the place of a parametrised tensor."""

    def read(module: Module) -> Tensor:
        value: Tensor = parametrized(module)[name]()
        return value

    def write(module: Module, value: Tensor) -> None:
        parametrized(module)[name].assign(value)

    return property(read, write, doc=f"{name}, computed from parametrizations.{name}.")


def parametrized(module: Module) -> dict[str, ParametrizationList]:
    """The parametrisations of a module's own tensors, by name.

    >>> parametrized(Module())
    {}
    """
    held = vars(module).get("parametrizations")
    found = held.items() if isinstance(held, ModuleDict) else []
    return {name: parts for name, parts in found if isinstance(parts, ParametrizationList)}


def tensor_of(module: Module, name: str) -> Tensor | None:
    """A module's own tensor as it is now, parametrised or not; None if there is none of this name.

    >>> tensor_of(Module(), "weight")
    """
    held = parametrized(module)
    found = held[name]() if name in held else vars(module).get(name)
    return found if isinstance(found, Tensor) else None


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the tensor of this name, or any for None, is parametrised.

    >>> is_parametrized(Module())
    False
    """
    names = parametrized(module)
    return bool(names) if tensor_name is None else tensor_name in names


def _become(module: Module, names: Iterable[str]) -> None:
    """Move the module to a subclass of its class that has properties of these names; back to its class for none."""
    own: type[Module] = vars(type(module)).get("plain", type(module))
    readers = {name: _reader(name) for name in names}
    if readers:
        module.__class__ = type(
            f"Parametrized{own.__name__}", (own,), {"plain": own, "__doc__": own.__doc__, **readers}
        )
    else:
        module.__class__ = own


def register_parametrization(module: M, tensor_name: str, parametrization: Module) -> M:
    """Compute a module's tensor by `parametrization` from now on, each time that it is read; returns the module.

    The parameter itself becomes `module.parametrizations.<name>.original`. If the parametrisation has a method
    `right_inverse(value)`, that gives the original instead, or several: `original0`, `original1`, ..., the arguments of
    its `forward`. A tensor may have several parametrisations, which are applied in the order of registration. Build the
    optimizer afterwards.

    Parameters:
        module: where the tensor is; changed.
        tensor_name: its name there.
        parametrization: a module whose `forward` takes the original and returns a tensor of its shape and dtype.

    Raises:
        ArgumentError: if the module has no parameter of this name.
        ShapeError: if the parametrisation changes the shape.
        DTypeError: if it changes the dtype.

    >>> import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return (x + x.mT) / 2
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool(ag.all(layer.weight == layer.weight.mT))
    True
    >>> list(layer.state_dict())
    ['bias', 'parametrizations.weight.original']

    PyTorch's `torch.nn.utils.parametrize`.
    """
    parametrization.train(module.training)
    held = parametrized(module)
    if tensor_name in held:
        now = held[tensor_name]()
        _expect_alike(parametrization, now.detach(), parametrization(now).detach())
        held[tensor_name].append(parametrization)
        return module
    tensor = vars(module).get(tensor_name)
    if not isinstance(tensor, Tensor):
        raise ArgumentError(
            f"{type(module).__name__} has no parameter {tensor_name!r} to parametrise. "
            f"It has: {', '.join(name for name, _ in module.named_parameters(recurse=False)) or 'none'}."
        )
    parts = ParametrizationList([parametrization], tensor).train(module.training)
    _expect_alike(parametrization, tensor.detach(), parts().detach())
    if not held:
        vars(module)["parametrizations"] = ModuleDict()
    vars(module)["parametrizations"][tensor_name] = parts
    delattr(module, tensor_name)
    _become(module, (*held, tensor_name))
    return module


def _expect_alike(parametrization: Module, before: Tensor, after: Tensor) -> None:
    if after.shape != before.shape:
        raise ShapeError(
            f"{parametrization!r} makes a tensor of shape {after.shape} out of one of shape {before.shape}. "
            "Expected the same shape."
        )
    if after.dtype != before.dtype:
        raise DTypeError(
            f"{parametrization!r} makes a tensor of dtype {after.dtype} out of one of dtype {before.dtype}. "
            "Expected the same dtype: write Python numbers for constants."
        )


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a parametrised tensor an ordinary parameter again; returns the module.

    Parameters:
        module: where the tensor is; changed.
        tensor_name: its name there.
        leave_parametrized: whether it keeps the computed value; else it is the original.

    Raises:
        ArgumentError: if the tensor is not parametrised, or has several originals and is to be one of them.

    >>> import nn
    >>> from nn.parametrizations import weight_norm
    >>> layer = weight_norm(nn.Linear(3, 2))
    >>> remove_parametrizations(layer, "weight")
    Linear(in_features=3, out_features=2, bias=True)
    """
    held = parametrized(module)
    if tensor_name not in held:
        raise ArgumentError(
            f"{type(module).__name__} has no parametrised tensor {tensor_name!r}. It has: {', '.join(held) or 'none'}."
        )
    parts = held.pop(tensor_name)
    originals = parts.originals()
    if not leave_parametrized and len(originals) > 1:
        raise ArgumentError(
            f"{tensor_name!r} is computed from {len(originals)} originals, none of which can stand in its place.\n"
            "Write leave_parametrized=True to keep the value that they give."
        )
    value = parts().detach()
    tensor = originals[0] if len(originals) == 1 else Parameter(value, originals[0].requires_grad)
    if leave_parametrized:
        tensor.set_(value.value)
    _become(module, held)
    if held:
        delattr(vars(module)["parametrizations"], tensor_name)
    else:
        del vars(module)["parametrizations"]
    setattr(module, tensor_name, tensor)
    return module
