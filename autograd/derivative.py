"""Derivatives of whole arrays: Jacobians, Hessians, and products with them that never make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import pairwise
from typing import Any, Literal, Protocol, cast

import numpy as np

from autograd.batching.apart import apart
from autograd.batching.level import batching
from autograd.batching.vmap import vmap
from autograd.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from autograd.linear import Linear, flat_tensors, pulled_back
from autograd.ops.index import getitem
from autograd.ops.join import concat, stack
from autograd.ops.reduce import sum
from autograd.ops.shape import moveaxis, reshape
from autograd.program.repeated import Repeated
from autograd.tape import entries
from autograd.tensor import Tensor, as_tensor
from autograd.transforms import grad
from autograd.tree import flatten_present

Mode = Literal["forward", "reverse"]
AT_ONCE = 1 << 16  # elements of the largest value of a tape, times the sweeps that share a run over it
COMPILED = 1 << 17  # the same in a program, which takes no new memory for each value
PARTS = 8  # runs over a tape that a program consists of at most
MOST = 1 << 24  # elements of the largest value in a program, which keeps some of that size at once


class MatrixFunction(Protocol):
    """What `jacobian` and `hessian` return."""

    reasons: Callable[[], list[str]]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The derivatives, at these arguments."""


def jacobian(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    mode: Mode | None = None,
    compile: bool | None = None,
    has_aux: bool = False,
) -> MatrixFunction:
    """A function that gives d f(...)[i] / d argument[j] for all i and j.

    The result has the structure of f's result, with a structure like the argument's in place of each array (a tuple of
    them for several `argnums`); an entry has the shape of the result followed by that of the argument.

    Parameters:
        f: a function of arrays or nested containers of them, and with such a result.
        argnums: which positional arguments to differentiate by.
        mode: "reverse" takes a sweep for each element of the result, "forward" a push for each element of the
            arguments; None chooses the fewer.
        compile: None for a program after some hundreds of calls where that can be shown to be the same, True for one at
            once, False for never; as of `value_and_grad`. `reasons()` of the returned function says why there is none.
        has_aux: f returns (result, anything), and the returned function (derivatives, anything).

    Raises:
        ArgumentError: if `mode` is another, or there is nothing beside the result.
        DTypeError: if the arguments or the result are complex.
        UnsupportedError: when called, if `compile` is True and there is no program for the arguments.

    >>> import autograd as ag
    >>> ag.jacobian(lambda x: x * x)(ag.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    return _repeated(f, _matrix(f, argnums, mode, has_aux=has_aux), compile)


def _repeated(f: Callable[..., Any], matrix: Callable[..., Any], compile: bool | None) -> MatrixFunction:
    """The matrices of f, by a program where that may be."""
    repeated = Repeated(f, matrix, asked=compile is True)

    @wraps(matrix)
    def counted(*args: Any, **kwargs: Any) -> Any:
        if compile is False:
            return matrix(*args, **kwargs)
        if not repeated.rest:
            return repeated(args, kwargs)
        repeated.rest -= 1
        return matrix(*args, **kwargs)

    counted.reasons = repeated.reasons  # type: ignore[attr-defined]  # a function with an attribute of its own
    return cast(MatrixFunction, counted)


def jacobian_by_complex(
    f: Callable[..., Any], argnums: int | tuple[int, ...] = 0, *, mode: Mode | None = None, has_aux: bool = False
) -> Callable[..., Any]:
    """`jacobian`, and by complex arguments of a real f the gradient of each element of its result."""
    return _matrix(f, argnums, mode, by_complex=True, has_aux=has_aux)


def _matrix(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...],
    mode: Mode | None,
    by_complex: bool = False,
    has_aux: bool = False,
) -> Callable[..., Any]:
    if mode not in (None, "forward", "reverse"):
        raise ArgumentError(f"jacobian was given mode={mode!r}. Expected 'forward', 'reverse' or None.")
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @apart
    @wraps(f)
    def matrix(*args: Any, **kwargs: Any) -> Any:
        run = Linear(f, args, kwargs, positions, mode == "forward", has_aux)
        reverse = by_complex and any(t.dtype.kind == "c" for t in run.inputs)
        for t in run.outputs if reverse else (*run.inputs, *run.outputs):
            if t.dtype.kind == "c":
                raise DTypeError(
                    f"jacobian met dtype {t.dtype}. Expected real numbers: a function of real and imaginary parts, as "
                    "lambda x, y: ag.real(f(x + 1j * y)), or ag.holomorphic_grad, ag.jvp or ag.vjp."
                )
        chosen = "reverse" if reverse else mode or _cheaper(run)
        if chosen == "forward" and any(n.op is not None and not n.op.pulls for n in entries(run.roots)):
            run = Linear(f, args, kwargs, positions, True, has_aux)  # fused entries have no rule for each input
        rows = _by_inputs(run) if chosen == "forward" else _by_outputs(run)
        parts = [run.arguments(row) for row in rows]
        found = run.build([row[0] if isinstance(argnums, int) else row for row in parts])
        return (found, run.aux) if has_aux else found

    return matrix


def _cheaper(run: Linear) -> Mode:
    into, out = (_count(run.inputs), _count(run.outputs))
    return "forward" if into < out else "reverse"


def _count(ts: Sequence[Tensor]) -> int:
    return int(np.sum([t.size for t in ts], dtype=int))


def _applied(
    f: Callable[[list[Tensor | None]], list[Tensor]], ts: Sequence[Tensor], like: Sequence[Tensor], run: Linear
) -> Any:
    """f of each element of `ts` in turn as 1 among zeros: for each of its results, all of them along a new first axis.

    Many at once, as far as memory allows and unless something in f cannot be batched.
    """
    total = _count(ts)
    rows = _at_once(run, total)
    if rows > 1 and total > 1:
        try:
            parts = [_batched(f, _identity(ts, *ends)) for ends in pairwise(_cuts([t.size for t in ts], rows))]
            return parts[0] if len(parts) == 1 else [concat(p) for p in zip(*parts, strict=True)]
        except TypeError:  # as of NumPy's own functions, in a rule of the user's
            pass
    units = ([None if t is None else getitem(t, 0) for t in _identity(ts, k, k + 1)] for k in range(total))
    columns = list(zip(*map(f, units), strict=True)) if total else []
    return [stack(c) for c in columns] or [Tensor(np.zeros((0, *t.shape), t.dtype)) for t in like]


def _batched(f: Callable[[list[Tensor | None]], list[Tensor]], units: Sequence[Tensor | None]) -> list[Tensor]:
    """f of all rows of the units at once; what is zero in all of them is left out of its sweep."""
    moving = [k for k, t in enumerate(units) if t is not None]

    def of_moving(*given: Tensor) -> list[Tensor]:
        places = dict(zip(moving, given, strict=True))
        return f([places.get(k) for k in range(len(units))])

    return vmap(of_moving, randomness="same")(*(units[k] for k in moving))  # type: ignore[no-any-return]


def _cuts(sizes: Sequence[int], rows: int) -> list[int]:
    """Where to cut all elements into runs of at most `rows`: large arrays into equal parts, none with its neighbours.

    >>> _cuts([6, 2, 1, 2], 4)
    [0, 3, 6, 9, 11]
    """
    cuts, at = [0], 0
    for size in sizes:
        if at + size - cuts[-1] > rows and at > cuts[-1]:
            cuts.append(at)
        if size > rows:
            parts = -(-size // rows)
            cuts += [at + size * k // parts for k in range(1, parts + 1)]
        at += size
    return cuts if cuts[-1] == at else [*cuts, at]


def _at_once(run: Linear, total: int) -> int:
    """How many sweeps may share their run over the tape: as many as keep its largest value in a cache."""
    tape = entries(run.roots)
    if any(n.watch is not None and n.watch.hooks for n in tape):
        return 1  # a hook is to see one cotangent
    largest = max([1, *(int(np.prod(n.shape, dtype=int)) for n in tape)])
    level = batching()
    if level is None or level.plain:
        return AT_ONCE // largest
    rows = max(COMPILED // largest, -(-total // PARTS))
    if rows * largest > MOST:
        raise UnsupportedError(
            f"a matrix of derivatives takes {total} sweeps over values of up to {largest} numbers, too much for the "
            "memory of one program. Leave ag.compile out, or write ag.hvp or ag.vjp."
        )
    return rows


def _identity(ts: Sequence[Tensor], first: int, last: int) -> list[Tensor | None]:
    """Rows `first` to `last` of the identity over all elements of several arrays, cut up as the arrays are.

    None for an array of which all elements are zero in these rows.
    """
    parts: list[Tensor | None] = []
    at = 0
    for t in ts:
        places = np.arange(max(first, at), min(last, at + t.size))
        rows = np.zeros((last - first, t.size), t.dtype) if places.size else None
        if rows is not None:
            rows[places - first, places - at] = 1
        parts.append(None if rows is None else Tensor(rows.reshape(last - first, *t.shape)))
        at += t.size
    return parts


def _by_outputs(run: Linear) -> list[list[Tensor]]:
    """For each output and input, the derivative, a sweep for each element of the output."""
    found = _applied(run.pull, run.outputs, run.inputs, run)
    return [
        [reshape(getitem(rows, part), (*y.shape, *x.shape)) for rows, x in zip(found, run.inputs, strict=True)]
        for y, part in zip(run.outputs, _parts(run.outputs), strict=True)
    ]


def _by_inputs(run: Linear) -> list[list[Tensor]]:
    """The same, a push for each element of the input."""
    found = _applied(run.push, run.inputs, run.outputs, run)
    inputs = list(zip(run.inputs, _parts(run.inputs), strict=True))
    return [
        [_turned(reshape(getitem(rows, part), (*x.shape, *y.shape)), x.ndim, y.ndim) for x, part in inputs]
        for rows, y in zip(found, run.outputs, strict=True)
    ]


def _parts(ts: Sequence[Tensor]) -> list[slice]:
    """Where the elements of each array are among those of all."""
    ends = np.cumsum([0, *(t.size for t in ts)]).tolist()
    return [slice(a, b) for a, b in pairwise(ends)]


def _turned(t: Tensor, leading: int, trailing: int) -> Tensor:
    return moveaxis(t, list(range(leading)), list(range(trailing, trailing + leading))) if leading and trailing else t


def hessian(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    mode: Mode | None = None,
    compile: bool | None = None,
    has_aux: bool = False,
) -> MatrixFunction:
    """A function that gives the second derivatives of a single-element f: the Jacobian of its gradient.

    `mode`, `compile` and `has_aux` as of `jacobian`; `ag.compile(ag.hessian(f))` is one program as well.

    >>> import autograd as ag
    >>> ag.hessian(lambda x: ag.sum(x**3))(ag.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    slopes = grad(f, argnums=argnums, has_aux=has_aux)
    return _repeated(f, _matrix(slopes, argnums, mode, has_aux=has_aux), compile)


@apart
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
    directions = flat_tensors(tangents, primals, "hvp")
    gradients = run.pull([Tensor(np.ones(y.shape, y.dtype))], record=True)
    for k, (x, t) in enumerate(zip(run.inputs, directions, strict=True)):
        if x.shape != t.shape:
            raise ShapeError(f"hvp was given tangent {k} of shape {t.shape} for a primal of shape {x.shape}.")
    products = pulled_back(gradients, run.inputs, directions, run.beyond)  # the Hessian is symmetric
    return run.build(run.values), run.arguments(products)


@apart
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
    moved = run.push(flat_tensors(tangents, primals, "gauss_newton_vp"))
    value, bent = hvp(lambda y: loss(y), [run.build(run.values)], [run.build(moved)])
    return value, run.arguments(run.pull([as_tensor(t) for t in flatten_present(bent[0])[0]]))


def elementwise_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The derivative of each element of f's result, for an f that works element by element: the gradient of its sum.

    >>> import autograd as ag
    >>> ag.elementwise_grad(lambda x: x**3)(ag.tensor([1.0, 2.0]))
    tensor([ 3., 12.])
    """

    @wraps(f)
    def total(*args: Any, **kwargs: Any) -> Any:
        first, *rest = (sum(as_tensor(y)) for y in flatten_present(f(*args, **kwargs))[0])
        for part in rest:
            first = first + part
        return first

    return grad(total, argnums=argnums)  # type: ignore[no-any-return]
