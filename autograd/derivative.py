"""Derivatives of whole arrays: Jacobians, Hessians, and products with them that never make them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, Literal

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.linear import Linear, flat_tensors, pulled_back
from autograd.ops.join import stack
from autograd.ops.reduce import sum
from autograd.ops.shape import moveaxis, reshape
from autograd.tape import entries
from autograd.tensor import Tensor, as_tensor
from autograd.transforms import grad
from autograd.tree import flatten

Mode = Literal["forward", "reverse"]


def jacobian(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, mode: Mode | None = None
) -> Callable[..., Any]:
    """A function that gives d f(...)[i] / d argument[j] for all i and j.

    The result has the structure of f's result, with a structure like the argument's in place of each array (a tuple of
    them for several `argnums`); an entry has the shape of the result followed by that of the argument.

    Parameters:
        f: a function of arrays or nested containers of them, and with such a result.
        argnums: which positional arguments to differentiate by.
        mode: "reverse" takes a sweep for each element of the result, "forward" a push for each element of the
            arguments; None chooses the fewer.

    Raises:
        ArgumentError: if `mode` is another.

    >>> import autograd as ag
    >>> ag.jacobian(lambda x: x * x)(ag.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if mode not in (None, "forward", "reverse"):
        raise ArgumentError(f"jacobian was given mode={mode!r}. Expected 'forward', 'reverse' or None.")
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Linear(f, args, kwargs, positions, push=mode == "forward")
        chosen = mode or _cheaper(run)
        if chosen == "forward" and any(n.op is not None and not n.op.pulls for n in entries(run.roots)):
            run = Linear(f, args, kwargs, positions, push=True)  # fused entries have no rule for each input
        rows = _by_inputs(run) if chosen == "forward" else _by_outputs(run)
        parts = [run.arguments(row) for row in rows]
        return run.build([row[0] if isinstance(argnums, int) else row for row in parts])

    return matrix


def _cheaper(run: Linear) -> Mode:
    into, out = (_count(run.inputs), _count(run.outputs))
    return "forward" if into < out else "reverse"


def _count(ts: Sequence[Tensor]) -> int:
    return int(np.sum([t.size for t in ts], dtype=int))


def _units(ts: Sequence[Tensor]) -> Iterator[tuple[int, list[Tensor]]]:
    """Each element of several arrays in turn as 1 among zeros, and the number of its array."""
    for k, t in enumerate(ts):
        for place in range(t.size):
            unit = np.zeros(t.size, t.dtype)
            unit[place] = 1
            yield k, [Tensor(unit.reshape(t.shape) if j == k else np.zeros(x.shape, x.dtype)) for j, x in enumerate(ts)]


def _by_outputs(run: Linear) -> list[list[Tensor]]:
    """For each output and input, the derivative, a sweep for each element of the output."""
    found: list[list[list[Tensor]]] = [[] for _ in run.outputs]
    for k, unit in _units(run.outputs):
        found[k].append(run.pull(unit))
    return [
        [_stacked([row[j] for row in rows], y, x) for j, x in enumerate(run.inputs)]
        for rows, y in zip(found, run.outputs, strict=True)
    ]


def _by_inputs(run: Linear) -> list[list[Tensor]]:
    """The same, a push for each element of the input."""
    found: list[list[list[Tensor]]] = [[] for _ in run.inputs]
    for k, unit in _units(run.inputs):
        found[k].append(run.push(unit))
    table = []
    for i, y in enumerate(run.outputs):
        columns = [_stacked([c[i] for c in cs], x, y) for cs, x in zip(found, run.inputs, strict=True)]
        table.append([_turned(c, x.ndim, y.ndim) for c, x in zip(columns, run.inputs, strict=True)])
    return table


def _stacked(rows: Sequence[Tensor], first: Tensor, last: Tensor) -> Tensor:
    shape = (*first.shape, *last.shape)
    return reshape(stack(rows), shape) if rows else Tensor(np.zeros(shape, last.dtype))


def _turned(t: Tensor, leading: int, trailing: int) -> Tensor:
    return moveaxis(t, list(range(leading)), list(range(trailing, trailing + leading))) if leading and trailing else t


def hessian(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, mode: Mode | None = None
) -> Callable[..., Any]:
    """A function that gives the second derivatives of a single-element f: the Jacobian of its gradient.

    >>> import autograd as ag
    >>> ag.hessian(lambda x: ag.sum(x**3))(ag.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(grad(f, argnums=argnums), argnums, mode=mode)


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """f(*primals), a single element, and its Hessian times `tangents`: a sweep over the sweep, no matrix.

    Returns:
        The value, and one product for each primal, of its structure.

    Raises:
        ShapeError: if f has a result of several elements, or a tangent another shape than its primal.

    >>> import autograd as ag
    >>> ag.hvp(lambda x: ag.sum(x**3), [ag.tensor([1.0, 2.0])], [ag.tensor([1.0, 10.0])])
    (tensor(9.), (tensor([  6., 120.]),))
    """
    run = Linear(f, primals, {}, range(len(primals)), push=False)
    (y,) = run.outputs if len(run.outputs) == 1 else (None,)
    if y is None or y.size != 1:
        raise ShapeError(f"hvp of a function that returned {run.build(run.outputs)!r}. Expected a single element.")
    directions = flat_tensors(tangents, "hvp", len(run.inputs))
    gradients = run.pull([Tensor(np.ones(y.shape, y.dtype))], record=True)
    for k, (x, t) in enumerate(zip(run.inputs, directions, strict=True)):
        if x.shape != t.shape:
            raise ShapeError(f"hvp was given tangent {k} of shape {t.shape} for a primal of shape {x.shape}.")
    products = pulled_back(gradients, run.inputs, directions, run.beyond)  # the Hessian is symmetric
    return run.build(run.values), run.arguments(products)


def gauss_newton_vp(
    f: Callable[..., Any], loss: Callable[[Any], Any], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, tuple[Any, ...]]:
    """loss(f(*primals)), and its Gauss-Newton matrix J^T H J times `tangents`.

    J is the Jacobian of f and H the Hessian of the loss at its result: never negative for a convex loss, and equal to
    the Hessian where f is linear (Schraudolph 2002).

    Returns:
        The value, and one product for each primal, of its structure.

    >>> import autograd as ag
    >>> f, loss = (lambda x: x * x), (lambda y: ag.sum(y * y) / 2)
    >>> ag.gauss_newton_vp(f, loss, [ag.tensor([1.0, 2.0])], [ag.tensor([1.0, 1.0])])
    (tensor(8.5), (tensor([ 4., 16.]),))
    """
    run = Linear(f, primals, {}, range(len(primals)), push=True)
    moved = run.push(flat_tensors(tangents, "gauss_newton_vp", len(run.inputs)))
    value, bent = hvp(lambda y: loss(y), [run.build(run.values)], [run.build(moved)])
    return value, run.arguments(run.pull([as_tensor(t) for t in flatten(bent[0])[0]]))


def elementwise_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The derivative of each element of f's result, for an f that works element by element: the gradient of its sum.

    >>> import autograd as ag
    >>> ag.elementwise_grad(lambda x: x**3)(ag.tensor([1.0, 2.0]))
    tensor([ 3., 12.])
    """

    @wraps(f)
    def total(*args: Any, **kwargs: Any) -> Any:
        first, *rest = (sum(as_tensor(y)) for y in flatten(f(*args, **kwargs))[0])
        for part in rest:
            first = first + part
        return first

    return grad(total, argnums=argnums)  # type: ignore[no-any-return]
