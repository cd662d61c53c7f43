"""Modules that hold parameters and nothing else, each kept as an attribute named by its place or key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from autograd import Tensor
from autograd.errors import ArgumentError, IndexOutOfRange
from nn.module import Module
from nn.parameter import Parameter


class _Parameters(Module):
    """Parameters by name."""

    def _row(self) -> dict[str, Tensor]:
        return {name: p for name, p in vars(self).items() if isinstance(p, Tensor)}

    def _put(self, name: str, value: Any) -> None:
        if not isinstance(name, str) or not name or "." in name or (hasattr(self, name) and name not in self._row()):
            raise ArgumentError(
                f"{type(self).__name__} was given a parameter named {name!r}. "
                "Expected a name without dots that is not one of its attributes."
            )
        if isinstance(value, Module):
            raise ArgumentError(f"{type(self).__name__} was given {value!r}. Write nn.ModuleList or nn.ModuleDict.")
        setattr(self, name, value if isinstance(value, Parameter) else Parameter(value))

    def __len__(self) -> int:
        return len(self._row())

    def extra_repr(self) -> str:
        """Name, shape and dtype of each."""
        return "\n".join(f"({name}): Parameter of shape {p.shape}, {p.dtype}" for name, p in self._row().items())

    def __repr__(self) -> str:
        lines = self.extra_repr().replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {lines}\n)" if lines else f"{type(self).__name__}()"


class ParameterList(_Parameters):
    """A list of parameters that its owner uses as it likes; named "0", "1", ... in the state.

    Parameters:
        values: Parameters; Tensors and arrays become Parameters, which are copies.

    >>> rows = ParameterList([Parameter([1.0, 2.0]), [3.0]])
    >>> rows
    ParameterList(
      (0): Parameter of shape (2,), float32
      (1): Parameter of shape (1,), float32
    )
    >>> [name for name, _ in rows.append([0.0]).named_parameters()]
    ['0', '1', '2']
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a parameter at the end; returns itself."""
        self._put(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end; returns itself."""
        for value in list(values):
            self.append(value)
        return self

    def pop(self, index: int = -1) -> Tensor:
        """Take out the parameter at `index`, the last for -1; the others are numbered anew.

        Raises:
            IndexOutOfRange: if there is none.
        """
        row = self._row()
        value = row.pop(self._name(index))
        for name in self._row():
            delattr(self, name)
        self.extend(row.values())
        return value

    def _name(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexOutOfRange(f"ParameterList was indexed with {index}. It holds {len(self)} parameters.")
        return str(index % len(self))

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._row().values())

    @overload
    def __getitem__(self, index: int) -> Tensor: ...

    @overload
    def __getitem__(self, index: slice) -> ParameterList: ...

    def __getitem__(self, index: int | slice) -> Tensor | ParameterList:
        row = self._row()
        return ParameterList(list(row.values())[index]) if isinstance(index, slice) else row[self._name(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self._put(self._name(index), value)

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)


class ParameterDict(_Parameters):
    """Parameters by name, which is their name in the state too.

    Parameters:
        parameters: Parameters by name; Tensors and arrays become Parameters, which are copies.

    >>> scales = ParameterDict({"left": [1.0], "right": [2.0]})
    >>> scales["right"].tolist(), "left" in scales, list(scales)
    ([2.0], True, ['left', 'right'])
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        self.update(parameters or {})

    def update(self, parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add parameters, or put them in the place of those of the same name."""
        for name, value in dict(parameters).items():
            self._put(name, value)

    def get(self, name: str, default: Any = None) -> Any:
        """The parameter of this name, or the default."""
        return self._row().get(name, default)

    def setdefault(self, name: str, default: Any) -> Tensor:
        """The parameter of this name, which is the default from now on if there was none."""
        if name not in self:
            self._put(name, default)
        return self[name]

    def pop(self, name: str) -> Tensor:
        """Take out the parameter of this name.

        Raises:
            ArgumentError: if there is none.
        """
        value = self[name]
        delattr(self, name)
        return value

    def __getitem__(self, name: str) -> Tensor:
        row = self._row()
        if name not in row:
            raise ArgumentError(f"ParameterDict has no parameter {name!r}. It holds: {', '.join(row) or 'none'}.")
        return row[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._put(name, value)

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._row())

    def __contains__(self, name: object) -> bool:
        return name in self._row()

    def keys(self) -> list[str]:
        """The names."""
        return list(self._row())

    def values(self) -> list[Tensor]:
        """The parameters."""
        return list(self._row().values())

    def items(self) -> list[tuple[str, Tensor]]:
        """Names and parameters."""
        return list(self._row().items())
