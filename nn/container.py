"""Modules that hold modules, each kept as an attribute named by its place or key: that is all it takes to find it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from autograd.errors import ArgumentError, IndexOutOfRange
from nn.module import Module
from nn.tree import is_module


def _checked(owner: Module, module: Any) -> Module:
    if not is_module(module):
        given = module.__name__ if isinstance(module, type) else type(module).__name__
        fix = "Write nn.ReLU(), not nn.ReLU or nn.functional.relu; for your own function, a Module that calls it."
        if isinstance(module, list | tuple | Iterator):
            fix = "Write nn.Sequential(*modules) for modules one after another."
        raise ArgumentError(f"{type(owner).__name__} was given {given}, which is not a Module.\n{fix}")
    return module  # type: ignore[no-any-return]  # it is one


class _Holder(Module):
    """Modules by name."""

    def _row(self) -> dict[str, Module]:
        return {name: m for name, m in vars(self).items() if isinstance(m, Module) or is_module(m)}

    def _add(self, name: str, module: Any) -> None:
        if not isinstance(name, str) or not name or "." in name or hasattr(self, name):
            raise ArgumentError(
                f"{type(self).__name__} was given a module named {name!r}. "
                "Expected a name without dots that is not yet one of its attributes."
            )
        setattr(self, name, _checked(self, module))

    def __len__(self) -> int:
        return len(self._row())


class _Ordered(_Holder):
    """Modules in a row: what lists do."""

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns itself."""
        row = self._row()
        taken = [int(name) + 1 for name in row if name.isdecimal()]  # a slice keeps its numbers
        self._add(str(max([len(row), *taken])), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end; returns itself."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`; all are numbered anew. Returns itself."""
        row = list(self)
        row.insert(index, _checked(self, module))
        return self._renumber(row)

    def pop(self, index: int = -1) -> Module:
        """Take out the module at `index`, the last for -1; the others are numbered anew.

        Raises:
            IndexOutOfRange: if there is none.
        """
        module = self[index]
        del self[index]
        return module

    def _renumber(self, modules: Iterable[Module]) -> Self:
        for name in self._row():
            delattr(self, name)
        for k, module in enumerate(modules):
            self._add(str(k), module)
        return self

    def _name(self, index: int) -> str:
        names = list(self._row())
        if not -len(names) <= index < len(names):
            raise IndexOutOfRange(f"{type(self).__name__} was indexed with {index}. It holds {len(names)} modules.")
        return names[index]

    def _like(self, named: dict[str, Module]) -> Self:
        """A container of this class with other modules."""
        made = type(self).__new__(type(self))
        made.training = self.training
        for name, module in named.items():
            made._add(name, module)
        return made

    def __iter__(self) -> Iterator[Module]:
        return iter(self._row().values())

    @overload
    def __getitem__(self, index: int) -> Module: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Module | Self:
        row = self._row()
        if isinstance(index, slice):
            return self._like(dict(list(row.items())[index]))
        return row[self._name(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name(index), _checked(self, module))

    def __delitem__(self, index: int | slice) -> None:
        row = list(self)
        if not isinstance(index, slice):
            self._name(index)
        del row[index]
        self._renumber(row)

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, modules: Iterable[Module]) -> Self:
        return self._like({str(k): _checked(self, m) for k, m in enumerate([*self, *modules])})


class Sequential(_Ordered):
    """Modules one after another: y = f_n(... f_2(f_1(x))).

    Parameters:
        modules: modules, named "0", "1", ... in the state; or one dict of them, named by its keys.

    It does what a list does: `append`, `insert`, `extend`, `pop`, `+`, `del`, indexing. A slice is a Sequential of the
    same modules under the same names; what moves the others numbers all of them anew.

    Raises:
        ArgumentError: if something else than a module is given, or a name with a dot.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> list(model.state_dict())
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> model[1:].append(nn.ReLU())
    Sequential(
      (1): Tanh()
      (2): Linear(in_features=3, out_features=1, bias=True)
      (3): ReLU()
    )
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

    It does what a list does: `append`, `insert`, `extend`, `pop`, `+`, `del`, indexing; a slice is numbered anew.

    >>> import nn
    >>> [name for name, _ in nn.ModuleList([nn.Linear(1, 1, bias=False), nn.ReLU()]).named_parameters()]
    ['0.weight']
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for k, module in enumerate(modules):
            self._add(str(k), module)

    def _like(self, named: dict[str, Module]) -> Self:
        return super()._like({str(k): module for k, module in enumerate(named.values())})


class ModuleDict(_Holder):
    """Modules by name, which is their name in the state too.

    >>> import nn
    >>> heads = nn.ModuleDict({"digit": nn.Linear(4, 10), "parity": nn.Linear(4, 1)})
    >>> heads["parity"].out_features, list(heads)
    (1, ['digit', 'parity'])
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, or put them in the place of those of the same name."""
        for name, module in dict(modules).items():
            self[name] = module

    def pop(self, name: str) -> Module:
        """Take out the module of this name.

        Raises:
            ArgumentError: if there is none.
        """
        module = self[name]
        delattr(self, name)
        return module

    def clear(self) -> None:
        """Take out all modules."""
        for name in self._row():
            delattr(self, name)

    def __getitem__(self, name: str) -> Module:
        if name not in self:
            raise ArgumentError(f"ModuleDict has no module {name!r}. It holds: {', '.join(self) or 'none'}.")
        return self._row()[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if name in self:
            setattr(self, name, _checked(self, module))
        else:
            self._add(name, module)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

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
