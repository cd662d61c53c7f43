"""What a function may use and still be shown to do the same each time, and what such values are called in a reason."""

from __future__ import annotations

import math
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd.primitive import Primitive, from_numpy, primitives
from autograd.program.fused import Fused
from autograd.tape import enable_grad, no_grad

REDUCTIONS = frozenset(("dot", "logsumexp", "max", "mean", "min", "norm", "prod", "std", "sum", "trace", "var"))
SCOPES = (no_grad, enable_grad)
CLASSES = (bool, dict, enumerate, filter, float, int, list, map, range, reversed, slice, tuple, zip)
TOLD = (bool, dict, int, list, str, tuple, type(None))  # which isinstance tells apart on symbols as on arrays
_BUILTINS = (abs, all, any, divmod, isinstance, len, max, min, pow, round, sorted, sum)
_CREATORS = "arange array asarray eye full full_like identity linspace ones ones_like zeros zeros_like"
_NUMPY = {getattr(np, name) for name in _CREATORS.split()}
_ROOMS = (
    "autograd.ops.",
    "autograd.create",
    "autograd.spaced",
    "autograd.transforms",
    "autograd.scanning",
    "autograd.recompute",
)
_UNTRUSTED = {"autograd.ops.draw"}
_UNTRUSTED_NAMES = {"empty", "empty_like", "from_dlpack", "nonzero", "uniform_like"}
_UNTRUSTED_NAMES |= {"apply_along_axis", "apply_over_axes", "bincount", "choose", "piecewise"}  # call, or look
_LIBRARY = {"autograd", "nn", "optim", "regularize"}
_PLAIN = {bool, int, float, complex, str, bytes, type(None), type(...), range}

# Attributes of arrays and containers that compute and do nothing else. `sort` is missing: an ndarray's is in place.
_ATTRIBUTES = """
T abs all any append argmax argmin argsort astype clip conj conjugate copy cumprod cumsum detach diagonal dtype exp
expand_dims extend flatten get imag index insert itemsize items keys log mT matmul max mean min moveaxis ndim
permute_dims pop prod ravel real relu repeat reshape reverse round setdefault shape sigmoid size softmax sqrt square
squeeze start std step stop sum swapaxes take tanh trace transpose update values var
"""
ATTRIBUTES = frozenset(_ATTRIBUTES.split())


def is_plain(x: Any) -> bool:
    """Whether x cannot change.

    >>> is_plain((1.0, "a")), is_plain(([],))
    (True, False)
    """
    if type(x) in (tuple, frozenset):
        return all(map(is_plain, x))
    if type(x) is slice:
        return all(map(is_plain, (x.start, x.stop, x.step)))
    return type(x) in _PLAIN or (isinstance(x, (np.dtype, np.generic)) and not isinstance(x, (np.void, np.object_)))


def is_trusted(x: Any) -> bool:
    """Whether x is a function, or a class, of which it is known that it computes and does nothing else.

    >>> is_trusted(len), is_trusted(np.exp), is_trusted(print), is_trusted(np.random.normal)
    (True, True, False, False)
    """
    if isinstance(x, type):
        return x in CLASSES or issubclass(x, (np.generic, Exception))
    if isinstance(x, Primitive):
        return primitives.get(x.name) is x and x.name not in _UNTRUSTED_NAMES
    if isinstance(x, BuiltinFunctionType):
        return x in _BUILTINS or vars(math).get(x.__name__) is x or x in _NUMPY
    if isinstance(x, np.ufunc):
        return vars(np).get(x.__name__) is x
    home, name = str(getattr(x, "__module__", "")), str(getattr(x, "__name__", ""))
    if is_library(home):
        ours = isinstance(x, (FunctionType, Fused)) and name not in _UNTRUSTED_NAMES and home not in _UNTRUSTED
        return ours and (x in SCOPES or any(vars(room).get(name) is x for room in _rooms(home)))
    return callable(x) and _hashable(x) and (x in from_numpy or x in _NUMPY)


def _rooms(home: str) -> list[ModuleType]:
    """Where a function of this project must be found under its name to be trusted."""
    ours = ("autograd", home) if home.startswith(_ROOMS) else ("nn.functional",)
    return [sys.modules[room] for room in ours if room in sys.modules]


def gives_new(f: Any) -> bool:
    """Whether the result of a function is always another object than its arguments.

    >>> import autograd as ag
    >>> gives_new(ag.exp), gives_new(ag.sum), gives_new(ag.reshape), gives_new(max)
    (True, True, False, False)
    """
    if isinstance(f, Primitive):
        return f.partials is not None
    home, name = str(getattr(f, "__module__", "")), str(getattr(f, "__name__", ""))
    return is_library(home) and (name in REDUCTIONS or name.endswith("_loss") or "cross_entropy" in name)


def is_library(home: str) -> bool:
    """Whether a module is of this project."""
    return home.partition(".")[0] in _LIBRARY


def _hashable(x: Any) -> bool:
    return type(x).__hash__ is not None


def refusal(x: Any, name: str) -> str:
    """What to say of something that may change unseen, or do something else next time."""
    home = str(getattr(x, "__module__", None) or getattr(type(x), "__module__", ""))
    if isinstance(x, np.ndarray):
        return f"reads `{name}`, an ndarray, which may be written into unseen: make it an argument, or ag.tensor of it"
    if isinstance(x, (list, dict, set, bytearray)):
        return f"reads `{name}`, a {type(x).__name__}, which may change unseen: make it an argument, or a tuple"
    if any("random" in part or "draw" in part for part in (home, type(x).__module__)):
        return f"uses `{name}`, which draws random numbers"
    if isinstance(x, type):
        return f"uses the class `{name}`, which is not looked into"
    if callable(x) and hasattr(x, "__name__") and not isinstance(x, ModuleType):
        return f"calls `{name}`, of which it is not known that it computes and does nothing else"
    return f"reads `{name}`, a {type(x).__name__}, which may change unseen"
