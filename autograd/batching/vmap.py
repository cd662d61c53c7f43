"""`vmap`: a function of one sample, run once on a whole batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal

import numpy as np

from autograd.batching import indexing as _indexing  # noqa: F401  # fills the table of rules
from autograd.batching.level import Batched, Batching, batching
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import one_axis
from autograd.ops.shape import broadcast_to, moveaxis
from autograd.primitive import Traced
from autograd.tensor import Tensor, as_tensor
from autograd.tree import flatten

Axes = Any  # a number, None, or a tree of them
RANDOMNESS = ("different", "same")


def vmap(
    f: Callable[..., Any],
    in_axes: Axes = 0,
    out_axes: Axes = 0,
    *,
    randomness: Literal["different", "same"] = "different",
) -> Callable[..., Any]:
    """f of every sample of a batch, computed at once: f is written for one sample, and never sees the batch axis.

    Each primitive runs by its batch rule on all samples; the few without one (`autograd.batching.rules.loops()`), and
    operations of `ag.primitive`, run on one after the other. Differentiable like any function, and f may differentiate
    in turn.

    Parameters:
        f: a function of arrays or nested containers of them, and with such a result. It may not read values that
            differ from sample to sample as Python numbers, and not change Tensors in place that it was not given.
        in_axes: which axis of each positional argument counts the samples, None for an argument that all share; one
            for all, or a tuple with one for each argument, in which a container of axes may stand for a container.
            Keyword arguments are always mapped over axis 0.
        out_axes: where that axis goes in the results; None for a result that all samples share.
        randomness: "different" draws from generators once for each sample, one after the other; "same" once for all.

    Raises:
        ArgumentError: if nothing is mapped, or axes do not fit the arguments.
        ShapeError: if an axis does not exist, or lengths differ.
        UnsupportedError: if f does what cannot be batched.

    >>> import autograd as ag
    >>> x, w = ag.tensor([[1.0, 2.0], [3.0, 4.0]]), ag.tensor([1.0, 10.0])
    >>> ag.vmap(lambda x, w: ag.sum(x * w), in_axes=(0, None))(x, w)
    tensor([21., 43.])

    The gradient for each sample of a batch:

    >>> import nn
    >>> model = nn.Linear(2, 1)
    >>> parameters, y = dict(model.named_parameters()), ag.tensor([[1.0], [2.0]])
    >>> def loss(parameters, x, y):
    ...     return ag.sum((nn.functional_call(model, parameters, (x,), strict=False) - y) ** 2)
    >>> gradients = ag.vmap(ag.grad(loss), in_axes=(None, 0, 0))(parameters, x, y)
    >>> gradients["weight"].shape, gradients["bias"].shape
    ((2, 1, 2), (2, 1))
    """
    if randomness not in RANDOMNESS:
        raise ArgumentError(f"vmap was given randomness={randomness!r}. Expected 'different' or 'same'.")

    @wraps(f)
    def batched(*args: Any, **kwargs: Any) -> Any:
        given, build = flatten((args, kwargs))
        axes = [*_axes_of_arguments(in_axes, args), *[0] * len(flatten(kwargs)[0])]
        names = [*_names(args), *(f"{k!r}" for k, v in kwargs.items() for _ in flatten(v)[0])]
        moved = [_in_front(x, axis, name) for x, axis, name in zip(given, axes, names, strict=True)]
        size = _size(moved, axes, names)
        level = Batching(size, randomness == "same")
        parts, rebuild, sides = _run(level, f, moved, axes, build, out_axes)
        return rebuild([_returned(c, m, axis, size) for (c, m), axis in zip(parts, sides, strict=True)])

    return batched


def _run(
    level: Batching,
    f: Callable[..., Any],
    moved: Sequence[Any],
    axes: Sequence[int | None],
    build: Callable[[list[Any]], Any],
    out_axes: Axes,
) -> tuple[list[tuple[Any, bool]], Callable[[list[Any]], Any], list[int | None]]:
    """f on the level: the contents of its results, whether each is mapped, what builds the result, and axes for it."""
    try:
        with level:
            args, kwargs = build(
                [x if axis is None or x is None else level.tensor(x, True) for x, axis in zip(moved, axes, strict=True)]
            )
            result = f(*args, **kwargs)
            leaves, rebuild = flatten(result)
            parts = [content(level, y) for y in leaves]
            sides = spread_axes(out_axes, result, "out_axes")
    except BaseException:
        level.settle(failed=True)
        raise
    del args, kwargs, result, leaves  # what still lives after this is the world's outside
    level.settle()
    return parts, rebuild, sides


def anew(f: Callable[..., Sequence[Any]], *xs: Any) -> list[Any]:
    """f of values of the levels that there are, on levels made now: what was recorded since is in the world outside."""
    level = batching()
    if level is None:
        return list(f(*xs))
    values = [x.value if isinstance(x, Tensor) and level.owns(x.value) else x for x in xs]
    mapped = [level.owns(v) and v.mapped for v in values]
    contents = [v.content if level.owns(v) else v for v in values]
    axes = tuple(0 if m else None for m in mapped)
    again = vmap(f, axes) if any(mapped) else f
    found = level.aside(lambda: anew(again, *contents))
    boxed = any(isinstance(x, Tensor) for x in xs)
    made = [None if y is None else Batched(level.content_of(y), level, any(mapped)) for y in found]
    return [Tensor(y) if boxed and y is not None else y for y in made]


def content(level: Batching, y: Any) -> tuple[Any, bool]:
    """A result in terms of the world outside of a level, and whether it has the batch axis."""
    value = y.value if isinstance(y, Tensor) else y
    if isinstance(value, Batched) and value.level is level:
        return value.content, value.mapped
    if isinstance(y, Tensor):
        return (Tensor(value) if y.node is not None and y.node.serial >= level.start else y), False
    if y is None or isinstance(y, Traced):
        return y, False
    if not isinstance(y, (np.ndarray, np.generic, int, float, complex, list)):
        raise ArgumentError(f"a function under vmap returned a {type(y).__name__}. Expected arrays, or None.")
    return np.asarray(y), False


def _returned(y: Any, mapped: bool, axis: int | None, size: int) -> Any:
    if y is None:
        return None
    if axis is None:
        if mapped:
            raise ArgumentError(
                f"vmap was given out_axes=None for a result of shape {y.shape[1:]} that differs from sample to sample. "
                "Expected the axis that its samples go to."
            )
    else:
        y = y if mapped else broadcast_to(y, (size, *y.shape))
        place = one_axis(axis, y.ndim, "out_axes of vmap")
        y = moveaxis(y, 0, place) if place else y
    return y if isinstance(y, Traced) and not isinstance(y, Batched) else Tensor(y)


# ---- axes and sizes


def spread_axes(axes: Axes, tree: Any, name: str) -> list[int | None]:
    """An axis for each leaf of a tree, from one for all or a tree of them that is a part of it."""
    if axes is None or (isinstance(axes, int) and not isinstance(axes, bool)):
        return [axes] * len(flatten(tree)[0])
    pairs: list[tuple[Any, Any]] | None = None
    if isinstance(axes, dict) and isinstance(tree, dict) and axes.keys() == tree.keys():
        pairs = [(axes[k], v) for k, v in tree.items()]
    elif isinstance(axes, (list, tuple)) and isinstance(tree, (list, tuple)) and len(axes) == len(tree):
        pairs = list(zip(axes, tree, strict=True))
    elif dataclasses.is_dataclass(axes) and type(axes) is type(tree):
        pairs = [(getattr(axes, f.name), getattr(tree, f.name)) for f in dataclasses.fields(axes)]
    if pairs is None:
        raise ArgumentError(
            f"vmap was given {name}={axes!r} for a {type(tree).__name__}. "
            "Expected a number, None, or a container of them of the same structure."
        )
    return [axis for a, part in pairs for axis in spread_axes(a, part, name)]


def _axes_of_arguments(in_axes: Axes, args: tuple[Any, ...]) -> list[int | None]:
    if isinstance(in_axes, (list, tuple)) and len(in_axes) != len(args):
        raise ArgumentError(
            f"vmap was given in_axes={in_axes!r} for {len(args)} positional arguments. Expected one axis for each."
        )
    return spread_axes(in_axes, args, "in_axes")


def _names(args: tuple[Any, ...]) -> list[str]:
    """What to call each leaf of the arguments."""
    names = []
    for k, arg in enumerate(args):
        count = len(flatten(arg)[0])
        names += [f"argument {k}" + (f", array {j}" if count > 1 else "") for j in range(count)]
    return names


def _in_front(x: Any, axis: int | None, name: str) -> Any:
    if axis is None or x is None:
        return as_tensor(x) if isinstance(x, np.ndarray) and x.dtype.kind in "biufc" else x
    if not isinstance(x, (Traced, np.ndarray, np.generic, int, float, complex)):
        raise ArgumentError(f"vmap was given a {type(x).__name__} for {name} to map. Write in_axes=None for it.")
    t: Tensor = x if isinstance(x, Traced) else as_tensor(x)  # type: ignore[assignment]  # a symbol passes for one
    if not -t.ndim <= axis < t.ndim:
        raise ShapeError(
            f"vmap was asked to map {name} over axis {axis}, but it has shape {t.shape}. "
            "Write in_axes=None for what all samples share."
        )
    return moveaxis(t, axis, 0) if axis % t.ndim else t


def _size(moved: Sequence[Any], axes: Sequence[int | None], names: Sequence[str]) -> int:
    sizes = {n: x.shape[0] for n, x, axis in zip(names, moved, axes, strict=True) if axis is not None and x is not None}
    if not sizes:
        raise ArgumentError("vmap was given nothing to map: every axis is None. Expected an axis for one argument.")
    if len(set(sizes.values())) > 1:
        listed = ", ".join(f"{n} has {size}" for n, size in sizes.items())
        raise ShapeError(f"vmap was given batches of different lengths: {listed}. Expected one length for all.")
    return int(next(iter(sizes.values())))
