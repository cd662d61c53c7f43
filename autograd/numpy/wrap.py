"""One name of NumPy for arrays and for Tensors: NumPy's own function on arrays, a derivative's on Tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from autograd.arrays import as_arrays, plain
from autograd.errors import UnsupportedError
from autograd.numpy.manipulation import array
from autograd.primitive import Traced, from_numpy
from autograd.protocols import answer_function, answer_ufunc

Function = Callable[..., Any]

_SILENT = """
    all allclose alltrue any argmax argmin argpartition argsort argwhere array_equal array_equiv around
    ceil count_nonzero digitize equal fix flatnonzero floor floor_divide greater greater_equal histogram isclose
    iscomplex iscomplexobj isfinite isin isinf isnan isneginf isposinf isreal isrealobj isscalar less less_equal
    logical_and logical_not logical_or logical_xor nanargmax nanargmin ndim nonzero not_equal ones_like result_type
    rint round searchsorted shape sign signbit size sometrue spacing trunc zeros_like empty_like common_type
    can_cast array_repr array_str array2string
"""  # of a Tensor on the tape, they give an array off it
WITHOUT_DERIVATIVE = frozenset(_SILENT.split())


def traced(x: Any) -> bool:
    """Whether a Tensor is in x, or in a list in it."""
    return isinstance(x, Traced) or (isinstance(x, (list, tuple)) and any(traced(part) for part in x))


def valued(x: Any) -> Any:
    """x with the arrays of its Tensors in their places."""
    if isinstance(x, Traced):
        return x.value  # type: ignore[attr-defined]  # a symbol of a compiler has none, and says so
    return type(x)(valued(part) for part in x) if type(x) in (list, tuple) and traced(x) else x


def wrapped(name: str, function: Function, own: Function | None, *, lists: bool = False) -> Function:
    """`function` of NumPy, with what stands for it on Tensors.

    Parameters:
        name: its name.
        function: what arrays are given to.
        own: what Tensors are given to; None to look for it where NumPy's protocols do.
        lists: `own` takes a list with Tensors in it as it is; otherwise such a list is stacked first.
    """
    silent = name in WITHOUT_DERIVATIVE

    def call(*args: Any, **settings: Any) -> Any:
        if not (any(traced(a) for a in args) or (settings and any(traced(a) for a in settings.values()))):
            return function(*args, **settings)
        if silent and not traced(settings.get("weights")):
            return function(*[valued(a) for a in args], **{k: valued(a) for k, a in settings.items()})
        given = args if lists else [array(a) if isinstance(a, (list, tuple)) and traced(a) else a for a in args]
        return as_arrays((own or _found(name, function))(*given, **settings))

    call.__name__ = call.__qualname__ = name
    call.__module__ = "autograd.numpy"
    call.__doc__ = f"NumPy's `{name}`, " + ("of arrays and of Tensors, without a derivative." if silent else
                                            "of arrays and of Tensors.")  # fmt: skip
    call.numpy_function = function  # type: ignore[attr-defined]  # which one it stands for
    if isinstance(function, np.ufunc):
        for method in ("reduce", "accumulate", "reduceat", "outer", "at"):
            setattr(call, method, _method(function, method))
    return call


def _method(ufunc: np.ufunc, method: str) -> Function:
    """A method of a ufunc, such as `np.add.reduce`."""
    return wrapped(f"{ufunc.__name__}.{method}", getattr(ufunc, method),
                   lambda *a, **k: answer_ufunc(ufunc, method, a, k))  # fmt: skip


def _found(name: str, function: Function) -> Function:
    """Our function for one of NumPy's, or NumPy's own on constants, or what refuses."""
    op = from_numpy.get(function)
    if op is not None:
        if isinstance(function, np.ufunc):
            return lambda *a, **k: answer_ufunc(function, "__call__", a, k) if k else op(*a)
        return lambda *a, **k: answer_function(function, a, k)
    return lambda *a, **k: _unknown(name, function, a, k)


def _unknown(name: str, function: Function, args: Any, settings: dict[str, Any]) -> Any:
    values = [plain(x) for x in [*args, *settings.values()]]
    if any(traced(x) for x in values):
        raise UnsupportedError(
            f"autograd.numpy.{name} was called on a Tensor on the tape, for which there is no rule, and would drop its "
            "gradient.\nWrite it in functions that have one, or give it a rule with autograd.extend.primitive and "
            "defvjp."
        )
    return function(*[valued(a) for a in args], **{k: valued(a) for k, a in settings.items()})


def namespace(
    module: ModuleType, own: Mapping[str, Function], lists: Mapping[str, Function] | None = None
) -> dict[str, Any]:
    """Every public name of a module of NumPy, functions wrapped, and the names of our own that it lacks.

    Parameters:
        module: whose names are taken.
        own: what stands for a name on Tensors.
        lists: the same, for functions that take lists of arrays.
    """
    found: dict[str, Any] = {}
    for name in sorted({*getattr(module, "__all__", ()), *own, *(lists or {})} - {"test"}):
        thing = getattr(module, name, None)
        takes = (lists or {}).get(name)
        if not hasattr(module, name):
            ours: Function = takes or own[name]
            found[name] = wrapped(name, lambda *a, ours=ours, **k: as_arrays(ours(*a, **k)), ours, lists=True)
        elif callable(thing) and not isinstance(thing, type):
            found[name] = wrapped(name, thing, takes or own.get(name), lists=takes is not None)
        else:
            found[name] = thing
    return found
