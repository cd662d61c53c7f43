"""Arrays in, arrays out: how the gradient functions answer a program that is written with `autograd.numpy`.

Such a program expects the gradient of an array to be an array; ours is a Tensor, which a program of our own may go on
with. It expects that of a real L by a complex z = x + iy to be dL/dx - i dL/dy, the conjugate of ours. The module that
asks decides: see `autograd.numpy` for the rule in full.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial, wraps
from inspect import signature
from types import FunctionType, ModuleType
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

from autograd import derivative, recompute, transforms
from autograd.errors import ArgumentError
from autograd.ops.complex import is_complex, real, turned
from autograd.ops.reduce import sum
from autograd.primitive import Traced
from autograd.tensor import Tensor, as_tensor
from autograd.tree import flatten

P = ParamSpec("P")
R = TypeVar("R")
ROOMS = tuple(f"autograd.{room}" for room in ("numpy", "scipy", "misc", "extend", "builtins", "test_util"))


def written_for_arrays(f: Any, caller: dict[str, Any]) -> bool:
    """Whether f, or the module that asks for its derivative, has a name bound to `autograd.numpy` or its company."""
    if not any(room in sys.modules for room in ROOMS):
        return False
    while isinstance(f, partial) or hasattr(f, "__wrapped__"):
        f = f.func if isinstance(f, partial) else f.__wrapped__
    own = getattr(f, "__globals__", getattr(type(f).__call__, "__globals__", {}))
    return any(_at_home(v) for names in (own, caller) for v in list(names.values()))


def _at_home(thing: Any) -> bool:
    """Whether a name is bound to a module of these rooms or to something out of one."""
    if isinstance(thing, ModuleType):
        home: Any = thing.__name__
    elif isinstance(thing, (FunctionType, type)):
        home = thing.__module__
    else:
        return False
    return isinstance(home, str) and home.startswith(ROOMS)


def plain(x: Any) -> Any:
    """The array of a Tensor that is off the tape, as one to write into; anything else as it is."""
    if not isinstance(x, Tensor) or x.node is not None or isinstance(x.value, Traced):
        return x
    return x.value[()] if x.ndim == 0 else np.array(x.value)


def as_arrays(tree: Any) -> Any:
    """A container with each Tensor off the tape replaced by its array."""
    leaves, build = flatten(tree)
    return build([plain(x) for x in leaves])


def floating(tree: Any) -> Any:
    """A container with its integers, which have no derivative, as floating numbers; each leaf as it is otherwise."""
    leaves, build = flatten(tree)
    return build([_floating(x) for x in leaves])


def _floating(x: Any) -> Any:
    whole = isinstance(x, (int, np.integer)) or (isinstance(x, np.ndarray) and x.dtype.kind in "iu")
    return np.asarray(x, np.float64)[()] if whole and not isinstance(x, bool) else x


def conjugated(tree: Any) -> Any:
    """A container with the conjugate of what is complex in it: our gradients as those of HIPS autograd, or back."""
    leaves, build = flatten(tree)
    return build([turned(x) for x in leaves])


def of_arrays(
    derived: Callable[..., Any], argnums: Any = 0, then: Callable[[Any], Any] = conjugated
) -> Callable[..., Any]:
    """A gradient function with arrays as its results, unless they depend on what an outer one differentiates by.

    `then` is what is done to the results first.
    """
    positions = {argnums} if isinstance(argnums, int) else set(argnums)

    @wraps(derived)
    def answer(*args: Any, **kwargs: Any) -> Any:
        return as_arrays(then(derived(*[floating(x) if k in positions else x for k, x in enumerate(args)], **kwargs)))

    return answer


def _as_it_is(result: Any) -> Any:
    return result


def _first_conjugated(result: Any) -> Any:
    """Of derivatives and what was returned beside the value."""
    return conjugated(result[0]), result[1]


def _second_conjugated(result: Any) -> Any:
    """Of a value and its gradient."""
    return result[0], conjugated(result[1])


def _either(
    own: Callable[P, R], in_arrays: Callable[..., Any] | None = None, then: Callable[[Any], Any] = conjugated
) -> Callable[P, R]:
    """`own`, or `in_arrays` with the arguments and results of HIPS autograd where the program is written for it."""
    run: Callable[..., Any] = own
    first = next(iter(signature(own).parameters))

    @wraps(own)
    def derive(*args: Any, **settings: Any) -> Any:
        if not args and first not in settings:
            return run(**settings)  # whose error says what is missing
        f, args = (args[0], args[1:]) if args else (settings.pop(first), ())
        if isinstance(f, Tensor) or not callable(f):
            return run(f, *args, **settings)  # the form with outputs and inputs
        if "argnum" in settings:
            settings["argnums"] = settings.pop("argnum")
        if args:
            if args[0] is None:
                args = args[1:]
            elif len(args) > 1 or not isinstance(args[0], (int, np.integer, tuple, list)):
                raise ArgumentError(
                    f"{own.__name__} of a function was given {args!r}. Expected argnums, the positions of arguments."
                )
            else:
                settings["argnums"], args = args[0], ()
        if "argnums" in settings:
            settings["argnums"] = _positions(settings["argnums"], own.__name__)
        if not written_for_arrays(f, sys._getframe(1).f_globals):
            return run(f, **settings)
        turn = _first_conjugated if then is conjugated and settings.get("has_aux") else then
        return of_arrays((in_arrays or run)(f, **settings), settings.get("argnums", 0), turn)

    return cast(Callable[P, R], derive)


def _positions(argnums: Any, name: str) -> int | tuple[int, ...]:
    """The positions of arguments as Python's numbers, one or several."""
    several = isinstance(argnums, (tuple, list))
    given = argnums if several else [argnums]
    if not all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) for k in given):
        raise ArgumentError(
            f"{name} was given argnums={argnums!r}. Expected the position of an argument, from 0, or a tuple of them."
        )
    return tuple(int(k) for k in given) if several else int(argnums)


def _second_derivatives(f: Callable[..., Any], argnums: Any = 0, **settings: Any) -> Callable[..., Any]:
    """The Jacobian of the Jacobian, which is the Hessian of each element of f's result."""
    settings |= {"compile": False}
    return derivative.jacobian(derivative.jacobian(f, argnums, **settings), argnums, **settings)


def _holomorphic(f: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """f'(z) of an analytic f = u + iv, as du/dx - i du/dy."""
    slopes = transforms.grad(lambda *args, **kwargs: sum(real(as_tensor(f(*args, **kwargs)))), argnums=argnums)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        chosen = [args[k] for k in ((argnums,) if isinstance(argnums, int) else argnums)]
        if not any(map(is_complex, flatten(chosen)[0])):
            warnings.warn("holomorphic_grad was given real arguments. Write grad for these.", stacklevel=3)
        return slopes(*args, **kwargs)

    return derivative


grad = _either(transforms.grad)
value_and_grad = _either(
    transforms.value_and_grad, partial(transforms.value_and_grad, compile=False), then=_second_conjugated
)
jacobian = _either(derivative.jacobian, derivative.jacobian_by_complex)
hessian = _either(derivative.hessian, _second_derivatives)
elementwise_grad = _either(derivative.elementwise_grad)
holomorphic_grad = _either(transforms.holomorphic_grad, _holomorphic)


@wraps(recompute.checkpoint)
def checkpoint(f: Callable[P, R]) -> Callable[P, R]:
    """`autograd.recompute.checkpoint`, with arrays for arrays in a program that is written with `autograd.numpy`."""
    kept = recompute.checkpoint(f)
    return of_arrays(kept, (), _as_it_is) if written_for_arrays(f, sys._getframe(1).f_globals) else kept
