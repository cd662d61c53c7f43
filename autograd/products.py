"""The other functional names of HIPS autograd: products with derivatives, and gradients by name.

Each takes arrays and gives arrays; `argnum` is the position of the argument to differentiate by. A gradient, and a
cotangent, of a complex z = x + iy is dL/dx - i dL/dy, as it is there and in rules: the conjugate of that of `ag.grad`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any

import numpy as np

from autograd.arrays import as_arrays, conjugated, floating, of_arrays
from autograd.derivative import gauss_newton_vp, jacobian, jacobian_by_complex
from autograd.ops.linalg import tensordot
from autograd.ops.reduce import sum
from autograd.tensor import Tensor, as_tensor
from autograd.transforms import grad, jvp, value_and_grad, vjp

__all__ = [
    "deriv",
    "grad_and_aux",
    "grad_named",
    "hessian_tensor_product",
    "hessian_vector_product",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "vector_jacobian_product",
]

Argnum = int | tuple[int, ...]
Function = Callable[..., Any]


def _alone(f: Function, argnum: Argnum, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Function, Any]:
    """f as a function of the arguments in question alone, and they."""
    positions = (argnum,) if isinstance(argnum, int) else tuple(argnum)

    def of_one(x: Any) -> Any:
        new = list(args)
        for k, part in zip(positions, (x,) if isinstance(argnum, int) else x, strict=True):
            new[k] = part
        return f(*new, **kwargs)

    chosen = tuple(floating(args[k]) for k in positions)
    return of_one, chosen[0] if isinstance(argnum, int) else chosen


def grad_and_aux(f: Function, argnum: Argnum = 0) -> Function:
    """For an f that returns (value, anything), a function that gives (gradient, anything).

    >>> import autograd as ag
    >>> print(*ag.grad_and_aux(lambda x: (x**2, "seen"))(3.0))
    6.0 seen
    """

    @wraps(f)
    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        of_one, x = _alone(f, argnum, args, kwargs)
        (_, aux), gradient = value_and_grad(of_one, has_aux=True)(x)
        return as_arrays(conjugated(gradient)), as_arrays(aux)

    return both


def make_vjp(f: Function, argnum: Argnum = 0) -> Function:
    """A function with f's arguments that gives (pull, result): `pull(g)` is the cotangent g times the Jacobian.

    >>> import autograd as ag
    >>> pull, y = ag.make_vjp(lambda x: x**2)(np.array([1.0, 2.0]))
    >>> y, pull(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """

    @wraps(f)
    def made(*args: Any, **kwargs: Any) -> tuple[Function, Any]:
        y, pull = vjp(*_alone(f, argnum, args, kwargs))
        return (lambda g: as_arrays(conjugated(pull(conjugated(g))[0]))), as_arrays(y)

    return made


def make_jvp(f: Function, argnum: Argnum = 0) -> Function:
    """A function with f's arguments that gives `push`: `push(v)` is the result and the Jacobian times v.

    >>> import autograd as ag
    >>> ag.make_jvp(lambda x: x**2)(np.array([1.0, 2.0]))(np.array([1.0, 10.0]))
    (array([1., 4.]), array([ 2., 40.]))
    """

    @wraps(f)
    def made(*args: Any, **kwargs: Any) -> Function:
        of_one, x = _alone(f, argnum, args, kwargs)
        return lambda v: as_arrays(jvp(of_one, [x], [v]))

    return made


def make_hvp(f: Function, argnum: Argnum = 0) -> Function:
    """A function with f's arguments that gives (product, gradient): `product(v)` is the Hessian times v.

    >>> import autograd as ag
    >>> product, gradient = ag.make_hvp(lambda x: ag.sum(x**3))(np.array([1.0, 2.0]))
    >>> gradient, product(np.array([1.0, 10.0]))
    (array([ 3., 12.]), array([  6., 120.]))
    """
    slopes = grad(f, argnums=argnum)
    return make_vjp(lambda *args, **kwargs: conjugated(slopes(*args, **kwargs)), argnum)


def deriv(f: Function, argnum: int = 0) -> Function:
    """The derivative by a number, in forward mode: for a result of any shape, one run.

    >>> import autograd as ag
    >>> print(ag.deriv(lambda x: x**3)(2.0))
    12.0
    """

    @wraps(f)
    def slope(*args: Any, **kwargs: Any) -> Any:
        of_one, x = _alone(f, argnum, args, kwargs)
        t = as_tensor(x)
        return as_arrays(jvp(of_one, [x], [Tensor(np.ones(t.shape, t.dtype))])[1])

    return slope


def hessian_tensor_product(f: Function, argnum: int = 0) -> Function:
    """A function of f's arguments and then a tensor, that gives the Hessian of f times it, contracted over its axes.

    >>> import autograd as ag
    >>> ag.hessian_tensor_product(lambda x: ag.sum(x**3))(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([  6., 120.])
    """
    slopes = grad(f, argnums=argnum)

    def along(*args: Any, **kwargs: Any) -> Any:
        *given, direction = args
        return tensordot(slopes(*given, **kwargs), direction, axes=np.ndim(direction))

    return of_arrays(jacobian(along, argnum, compile=False), argnum)


def tensor_jacobian_product(f: Function, argnum: int = 0) -> Function:
    """A function of f's arguments and then a tensor, that gives it times the Jacobian of f, contracted over its axes.

    >>> import autograd as ag
    >>> ag.tensor_jacobian_product(lambda x: x**2)(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 2., 40.])
    """

    def against(*args: Any, **kwargs: Any) -> Any:
        *given, weight = args
        return tensordot(weight, f(*given, **kwargs), axes=np.ndim(weight))

    return of_arrays(jacobian_by_complex(against, argnum), argnum)


hessian_vector_product, vector_jacobian_product = hessian_tensor_product, tensor_jacobian_product


def _half_square(y: Any) -> Any:
    return sum(y * y) / 2


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: int = 0) -> Function:
    """A function with f's arguments that gives `product`: `product(v)` is the Gauss-Newton matrix of g(f(x)) times v.

    The matrix is J^T H J with the Jacobian J of f and the Hessian H of g, by default half the squared length of f.

    >>> import autograd as ag
    >>> product = ag.make_ggnvp(lambda x: x**2)(np.array([1.0, 2.0]))
    >>> product(np.array([1.0, 1.0]))
    array([ 4., 16.])
    """

    @wraps(f)
    def made(*args: Any, **kwargs: Any) -> Function:
        of_one, x = _alone(f, f_argnum, args, kwargs)
        return lambda v: as_arrays(conjugated(gauss_newton_vp(of_one, g, [x], [v])[1][0]))

    return made


def grad_named(f: Function, argname: str) -> Function:
    """The gradient by the argument of a name.

    >>> import autograd as ag
    >>> print(ag.grad_named(lambda x, y: x * y**2, "y")(2.0, 3.0))
    12.0
    """
    position = list(signature(f).parameters).index(argname)
    return of_arrays(grad(f, argnums=position), position)


def multigrad_dict(f: Function) -> Function:
    """The gradients by all arguments, those left at their defaults included, in a dictionary by name.

    >>> import autograd as ag
    >>> found = ag.multigrad_dict(lambda x, y=3.0: x * y**2)(2.0)
    >>> print({name: float(g) for name, g in found.items()})
    {'x': 9.0, 'y': 12.0}
    """
    takes = signature(f)
    rest = [p.name for p in takes.parameters.values() if p.kind is Parameter.VAR_KEYWORD]

    def of_dict(given: dict[str, Any]) -> Any:
        bound = takes.bind_partial()
        named = {name: x for name, x in given.items() if name in takes.parameters}
        extra = {name: x for name, x in given.items() if name not in takes.parameters}
        bound.arguments.update(named | dict.fromkeys(rest, extra))
        return f(*bound.args, **bound.kwargs)

    @wraps(f)
    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = takes.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        for name in rest:
            given |= given.pop(name)
        found: dict[str, Any] = of_arrays(grad(of_dict))(given)
        return found

    return gradients
