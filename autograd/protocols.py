"""NumPy's own functions on Tensors: answered by ours, or refused by name, so that no gradient is dropped.

Where there is no gradient to drop, on constants, a function that is not ours is NumPy's, and gives arrays.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from inspect import signature
from opcode import opmap
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from autograd.errors import ShapeError, UnsupportedError
from autograd.ops.ufuncs import METHODS, as_kind
from autograd.primitive import Eager, Traced, from_numpy, functions
from autograd.tape import no_grad, recording
from autograd.tree import flatten

_STORE = opmap["STORE_SUBSCR"]
KNOWN = (np.ndarray, float, int, np.generic, list, tuple, complex)


def bare(x: Any) -> Any:
    """An array of another library, such as a Series of pandas, as NumPy's; anything else as it is.

    >>> bare(2.0)
    2.0
    """
    return x if isinstance(x, KNOWN) or not hasattr(x, "__array__") else np.asarray(x)


def array_of(x: Any, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
    """NumPy's `asarray`, or a copy.

    Raises:
        ShapeError: nested lists of unequal lengths.

    >>> array_of([1, 2])
    array([1, 2])
    """
    try:
        return np.array(x, dtype, copy=copy)
    except ValueError as error:
        found = re.search(r"shape after (\d+) dim.* was (\(.*\)) \+ inhom", str(error))
        if found is None:
            raise
        raise ShapeError(
            f"a Tensor was asked for of sequences of unequal lengths: shape {found[2]}, then as many as there are.\n"
            "Expected equal lengths: fill them up, as nn.pad_sequence does, or keep a list of Tensors."
        ) from None


def _refuse(name: str, why: str) -> UnsupportedError:
    known = sorted({getattr(f, "__name__", str(f)) for f in from_numpy})
    near = difflib.get_close_matches(name, known, 1, 0.8)
    other = f"The nearest function with a derivative is np.{near[0]}; for" if near else "For"
    return UnsupportedError(
        f"np.{name} was called on a Tensor, {why}, and would drop its gradient.\n"
        f"{other} the plain array write np.{name}(t.numpy())."
    )


def _of_constants(tree: Any) -> Any:
    """Arguments with arrays in the places of Tensors, which are read-only; None if one has a gradient to drop."""
    leaves, build = flatten(tree)
    constant = [
        isinstance(x, Eager) and not isinstance(x.value, Traced) and (x.node is None or not recording.get())
        for x in leaves
    ]
    if any(isinstance(x, Traced) and not known for x, known in zip(leaves, constant, strict=True)):
        return None
    return build([x.numpy() if known else x for x, known in zip(leaves, constant, strict=True)])


def answer_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Run our operation in place of a NumPy ufunc."""
    op = from_numpy.get(ufunc) or _of_scipy(ufunc)
    if (op is None or method != "__call__") and settings.get("out") is None:
        plain = _of_constants((inputs, settings))
        if plain is not None:
            return getattr(ufunc, method)(*plain[0], **plain[1])
    if method == "at":
        raise UnsupportedError(
            f"np.{ufunc.__name__}.at changes an array in place, which a Tensor's tape does not see.\n"
            "Write y = t.copy(), then y[i] += v, or ag.index_add(t, i, v) where places repeat."
        )
    if settings.get("out") is not None:
        raise UnsupportedError(
            f"np.{ufunc.__name__} was asked to write a Tensor's result into an ndarray, which drops its gradient.\n"
            "Write a = a + t instead of a += t, and leave out `out=`."
        )
    if op is None:
        raise _refuse(ufunc.__name__, "for which there is no rule")
    if method != "__call__":
        return METHODS[method](ufunc, op, *inputs, **settings)
    kind = settings.pop("dtype", None)
    if settings:
        raise _refuse(ufunc.__name__, f"with {sorted(settings)}, which the rule does not take")
    return op(*inputs) if kind is None else op(*[as_kind(x, kind) for x in inputs])


def _of_scipy(ufunc: np.ufunc) -> Callable[..., Any] | None:
    """Our function of that name, if the ufunc is one of `scipy.special`."""
    name = {"psi": "digamma", "expit": "sigmoid"}.get(ufunc.__name__, ufunc.__name__)
    known = getattr(sys.modules.get("scipy.special"), ufunc.__name__, None)
    return functions.get(name) if known is ufunc else None


def number_of(t: Any) -> Any:
    """The number in a Tensor for `float(t)`, refused to NumPy's `a[i] = t`, which looks the same from here.

    A slice, `a[i:j] = t`, asks for an array and is refused there.
    """
    line = sys._getframe(2)
    stored = line.f_code.co_code[line.f_lasti] == _STORE
    if stored and t.node is not None and recording.get() and (t.node.op is None or t.node.parents is not None):
        raise UnsupportedError(
            "A Tensor on the tape was written into an ndarray, which would drop its gradient.\n"
            "Write ag.stack([...]) for one array of several Tensors, or a[i] = t.item() if that is meant."
        )
    return t.item()


_OF_THE_VALUE = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj}
_OF_THE_VALUE |= {np.may_share_memory, np.shares_memory}
_WRITTEN = {
    np.copyto: "y[...] = v",
    np.fill_diagonal: "i = np.arange(len(y)) and y[i, i] = v",
    np.place: "y[mask] = v",
    np.put: "y[i] = v, of y = t.flatten()",
    np.put_along_axis: "y[i, j] = v",
    np.putmask: "y[mask] = v",
}
_OF_THE_VALUE |= {np.diag_indices_from, np.tril_indices_from, np.triu_indices_from}

# what they say of values is whole numbers, truths or text, which have no gradient to drop
_OF_VALUES = """argpartition argwhere array2string array_equiv array_repr array_str digitize flatnonzero iscomplex isin
isneginf isposinf isreal lexsort nanargmax nanargmin"""
_WITHOUT_GRADIENT = {getattr(np, name) for name in _OF_VALUES.split()}


def answer_function(function: Callable[..., Any], args: Sequence[Any], settings: dict[str, Any]) -> Any:
    """Run our function in place of a NumPy function."""
    own = from_numpy.get(function)
    if function in _WITHOUT_GRADIENT:
        with no_grad():
            plain = _of_constants((args, settings))
        if plain is not None:
            return function(*plain[0], **plain[1])
    if function in _OF_THE_VALUE:  # they read shape, dtype and place alone
        return function(*[getattr(a, "value", a) for a in args], **settings)
    if own is None and function in _WRITTEN:
        raise UnsupportedError(
            f"np.{function.__name__} changes an array in place, which a Tensor's tape does not see.\n"
            f"Write y = t.copy(), then {_WRITTEN[function]}."
        )
    if own is None:
        plain = _of_constants((args, settings))
        if plain is not None:
            return function(*plain[0], **plain[1])
        raise _refuse(function.__name__, "for which there is no rule")
    if settings.get("out") is not None:
        raise _refuse(function.__name__, "with out=")
    try:
        return own(*args, **settings)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        named = _by_our_names(function, own, args, settings)
        if named is None:
            raise _refuse(function.__name__, f"with arguments that the rule does not take ({error})") from None
    return own(named[0], **named[1])


def _by_our_names(
    function: Callable[..., Any], own: Callable[..., Any], args: Sequence[Any], settings: dict[str, Any]
) -> tuple[Any, dict[str, Any]] | None:
    """NumPy's first argument and the others by name, without those at their defaults; None if ours lacks one."""
    try:
        theirs, ours = signature(function), signature(own).parameters
        given = theirs.bind(*args, **settings).arguments
    except (TypeError, ValueError):  # functions written in C do not say what they take
        return None
    first = next(iter(theirs.parameters))
    told = {k: v for k, v in given.items() if k != first and v is not theirs.parameters[k].default}
    return (given[first], told) if first in given and ours.keys() >= told.keys() else None
