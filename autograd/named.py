"""Objects that stand for functions are copied, pickled and bound to objects as functions are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from operator import attrgetter
from types import MethodType
from typing import Any

from autograd.errors import UnsupportedError


class Named:
    """What `functools.update_wrapper` has made to look like a function f: copied as f is, and pickled by name."""

    __wrapped__: Callable[..., Any]
    __name__: str

    def options(self) -> dict[str, Any]:
        """What its class is given beside the function."""
        return {}

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        again = deepcopy(self.__wrapped__, memo)  # itself, but for a method of an object that is copied
        return self if again == self.__wrapped__ else type(self)(again, **self.options())  # type: ignore[call-arg]

    def __reduce__(self) -> Any:
        name = getattr(self, "__qualname__", self.__name__)
        try:
            named = attrgetter(name)(sys.modules[self.__module__]) is self
        except (KeyError, AttributeError):
            named = False
        return name if named else (partial(type(self), **self.options()), (self.__wrapped__,))


class Method(Named):
    """A function that may be a method: each object has one of its own."""

    def __get__(self, holder: Any, owner: type | None = None) -> Any:
        if holder is None:
            return self
        name = f"{self.__name__} of this object"
        try:
            own = vars(holder)
        except TypeError:
            what, kind = self.__name__, type(holder).__name__
            raise UnsupportedError(
                f"{what} is compiled for each {kind}, which has __slots__ and no place for it.\n"
                f"Leave out the decorator, and write run = ag.compile(x.{what}), or ag.fused, for an object x."
            ) from None
        found = own.get(name)
        if found is None:
            found = own[name] = _Kept(type(self)(MethodType(self.__wrapped__, holder), **self.options()))  # type: ignore[call-arg]
        return found.method


class _Kept:
    """A method that stays with its object: a copy of that makes its own."""

    def __init__(self, method: Any) -> None:
        self.method = method

    def __reduce__(self) -> Any:
        return type(None), ()
