"""Modules that hold modules, each kept as an attribute named by its place or key: that is all it takes to find it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd.errors import ArgumentError, IndexOutOfRange
from nn.module import Module


def _checked(owner: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        given = module.__name__ if isinstance(module, type) else type(module).__name__
        raise ArgumentError(
            f"{type(owner).__name__} was given {given}, which is not a Module.\n"
            "Write nn.ReLU(), not nn.ReLU or nn.functional.relu; for your own function, a Module that calls it."
        )
    return module


class _Holder(Module):
    """Modules by name."""

    def _row(self) -> dict[str, Module]:
        return {name: m for name, m in vars(self).items() if isinstance(m, Module)}

    def _add(self, name: str, module: Any) -> None:
        if not name or "." in name or hasattr(self, name):
            raise ArgumentError(
                f"{type(self).__name__} was given a module named {name!r}. "
                "Expected a name without dots that is not yet one of its attributes."
            )
        setattr(self, name, _checked(self, module))

    def __len__(self) -> int:
        return len(self._row())


class _Ordered(_Holder):
    """Modules in a row: iteration and indexing over them."""

    def append(self, module: Module) -> None:
        """Add a module at the end."""
        self._add(str(len(self)), module)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._row().values())

    def _name(self, index: int) -> str:
        names = list(self._row())
        if not -len(names) <= index < len(names):
            raise IndexOutOfRange(f"{type(self).__name__} was indexed with {index}. It holds {len(names)} modules.")
        return names[index]

    def __getitem__(self, index: int) -> Module:
        return self._row()[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), _checked(self, module))


class Sequential(_Ordered):
    """Modules one after another: y = f_n(... f_2(f_1(x))).

    Parameters:
        modules: modules, named "0", "1", ... in the state; or one dict of them, named by its keys.

    Raises:
        ArgumentError: if something else than a module is given, or a name with a dot.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> model[1]
    Tanh()
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        first = modules[0] if len(modules) == 1 else None
        named = first if isinstance(first, Mapping) else {str(k): module for k, module in enumerate(modules)}
        for name, module in named.items():
            self._add(name, module)

    def forward(self, x: Any) -> Any:
        """Pass x through each module in turn."""
        for module in self:
            x = module(x)
        return x


class ModuleList(_Ordered):
    """A list of modules that its owner calls as it likes; named "0", "1", ... in the state.

    >>> import nn
    >>> [name for name, _ in nn.ModuleList([nn.Linear(1, 1, bias=False), nn.ReLU()]).named_parameters()]
    ['0.weight']
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for k, module in enumerate(modules):
            self._add(str(k), module)

    def extend(self, modules: Iterable[Module]) -> None:
        """Add modules at the end."""
        for module in modules:
            self.append(module)


class ModuleDict(_Holder):
    """Modules by name, which is their name in the state too.

    >>> import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(4, 10), "parity": nn.Linear(4, 1)})
    >>> heads["parity"].out_features, list(heads)
    (1, ['digit', 'parity'])
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        for name, module in (modules or {}).items():
            self._add(name, module)

    def __getitem__(self, name: str) -> Module:
        if name not in self:
            raise ArgumentError(f"ModuleDict has no module {name!r}. It holds: {', '.join(self) or 'none'}.")
        return self._row()[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if name in self:
            setattr(self, name, _checked(self, module))
        else:
            self._add(name, module)

    def __iter__(self) -> Iterator[str]:
        return iter(self._row())

    def __contains__(self, name: object) -> bool:
        return name in self._row()

    def keys(self) -> list[str]:
        """The names."""
        return list(self._row())

    def values(self) -> list[Module]:
        """The modules."""
        return list(self._row().values())

    def items(self) -> list[tuple[str, Module]]:
        """Names and modules."""
        return list(self._row().items())
