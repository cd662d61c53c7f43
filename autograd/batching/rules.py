"""The batch rules: for each primitive, the same primitive (or others) on contents with the batch axis in front.

A rule takes the contents, whether each has the batch axis, the settings for one sample, and the number of samples; it
returns a content that has the axis. It is written in primitives, so that derivatives of what it does are theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_letters
from typing import Any

import numpy as np

from autograd.batching.level import RULES, Flags, Rule, looped, rule_of
from autograd.ops.axes import rank, shape_of
from autograd.ops.linalg import affine, inner, matmul
from autograd.ops.shape import broadcast_to, expand_dims, reshape_
from autograd.primitive import Primitive, primitives

Contents = list[Any]
Settings = dict[str, Any]


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Enter a rule for primitives of these names."""

    def enter(f: Rule) -> Rule:
        for name in names:
            RULES[name] = f
        return f

    return enter


def rank_of(x: Any, mapped: bool) -> int:
    """The number of axes of one sample."""
    return rank(x) - mapped


def lined_up(x: Any, mapped: bool, ndim: int) -> Any:
    """A content whose samples have `ndim` axes, new ones in front of their own."""
    missing = ndim - rank_of(x, mapped)
    if not mapped or missing <= 0:
        return x
    shape = shape_of(x)
    return reshape_(x, shape=(shape[0], *(1,) * missing, *shape[1:]))


def spread_out(x: Any, mapped: bool, size: int) -> Any:
    """A content with the batch axis, whether it had it or not."""
    return x if mapped else broadcast_to(x, (size, *shape_of(x)))


def broadcasting(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    """Elementwise operations, and those over the last two axes: operands of as many axes, counted from the last."""
    ndim = max(rank_of(x, m) for x, m in zip(xs, flags, strict=True))
    return op(*(lined_up(x, m, ndim) for x, m in zip(xs, flags, strict=True)), **settings)


rule("elementwise", "where", "astype", "astype_whole", "stop_gradient")(broadcasting)
rule("solve", "inv", "cofactor", "det", "logabsdet", "detsign", "detphase")(broadcasting)
rule("cholesky", "eigh", "svd", "qr", "pinv")(broadcasting)


@rule("tril", "matrix_rank")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, **settings) if rank_of(xs[0], True) > 1 else looped(op, xs, flags, settings, size)


# ---- axes


@rule("sum", "max", "min", "norm", "prod", "logsumexp", "all", "any", "count_nonzero")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, **settings | {"axis": tuple(k + 1 for k in settings["axis"])})


@rule("softmax", "log_softmax", "argsort", "cumulative_sum", "cumulative_prod", "rfft", "irfft")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, **settings | {"axis": settings["axis"] + 1})


@rule("fft")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, **settings | {"axes": tuple(k + 1 for k in settings["axes"])})


@rule("argmax", "argmin")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    (x,) = xs
    if settings["axis"] is not None:
        return op(x, **settings | {"axis": settings["axis"] + 1})
    flat = reshape_(x, shape=(size, int(np.prod(shape_of(x)[1:], dtype=int))))
    y = op(flat, axis=1, keepdims=False)
    return reshape_(y, shape=(size, *(1,) * rank_of(x, True))) if settings["keepdims"] else y


@rule("linear_recurrence")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    ndim = max(rank_of(x, m) for x, m in zip(xs, flags, strict=True))
    spread = [spread_out(x, m, size) for x, m in zip(xs, flags, strict=True)]
    return op(*(lined_up(x, True, ndim) for x in spread), **settings | {"axis": settings["axis"] + 1})


@rule("pick", "place")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    spread = [spread_out(x, m, size) for x, m in zip(xs, flags, strict=True)]
    return op(*spread, **settings | {"axis": settings["axis"] + 1})


# ---- shapes


@rule("reshape")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, shape=(size, *settings["shape"]))


@rule("broadcast_to")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(lined_up(xs[0], True, len(settings["shape"])), shape=(size, *settings["shape"]))


@rule("permute_dims")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, axes=(0, *(k + 1 for k in settings["axes"])))


@rule("concat")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    spread = [spread_out(x, m, size) for x, m in zip(xs, flags, strict=True)]
    return op(*spread, **settings | {"axis": settings["axis"] + 1})


@rule("pad")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*xs, **settings | {"widths": ((0, 0), *settings["widths"])})


@rule("window", "fold")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    moved = {"axes": tuple(k + 1 for k in settings["axes"]), "shape": (size, *settings["shape"])}
    return op(*xs, **settings | moved)


@rule("window_max", "window_argmax", "window_sum", "window_spread", "window_pick", "window_place")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return op(*(spread_out(x, m, size) for x, m in zip(xs, flags, strict=True)), **settings)  # over the last axes


@rule("resample", "resample_transpose")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    images, places = (spread_out(x, m, size) for x, m in zip(xs, flags, strict=True))
    count = shape_of(images)[1]
    places = broadcast_to(places, (size, count, *shape_of(places)[2:]))  # the operation has a batch axis of its own
    flat = [reshape_(x, shape=(size * count, *shape_of(x)[2:])) for x in (images, places)]
    y = op(*flat, **settings)
    return reshape_(y, shape=(size, count, *shape_of(y)[1:]))


@rule("crop", "crop_transpose")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    parts = [spread_out(x, m, size) for x, m in zip(xs, flags, strict=True)]  # a batch axis of its own in each
    y = op(*(reshape_(x, shape=(size * shape_of(x)[1], *shape_of(x)[2:])) for x in parts), **settings)
    return reshape_(y, shape=(size, shape_of(y)[0] // size, *shape_of(y)[1:]))


# ---- products


@rule("matmul")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    a, b = xs
    if flags == [False, True] and shape_of(b)[2:] == (1,) and rank(a) == 2:  # one product of all vectors
        rows = op(reshape_(b, shape=shape_of(b)[:2]), a.mT)
        return reshape_(rows, shape=(*shape_of(rows), 1))
    ndim = max(rank_of(x, m) for x, m in zip(xs, flags, strict=True))
    a, b = (lined_up(x, m, ndim) for x, m in zip(xs, flags, strict=True))
    return a * b if shape_of(a)[-1] == 1 else matmul(a, b)  # columns times rows: products without a sum


@rule("inner")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    if flags == [True, False] and rank(xs[1]) == 2:  # one product of the rows of all samples
        return inner(*xs)
    return broadcasting(op, xs, flags, settings, size)


@rule("affine")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    if flags == [True, False, False]:
        return affine(*xs)
    product = (
        RULES["inner"](primitives["inner"], xs[:2], flags[:2], settings, size) if any(flags[:2]) else inner(*xs[:2])
    )
    return product + (expand_dims(xs[2], 1) if flags[2] else xs[2])


@rule("einsum")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    used = {*settings["output"], *"".join(settings["terms"])}
    label = next(c for c in ascii_letters if c not in used)
    terms = tuple(label + t if m else t for t, m in zip(settings["terms"], flags, strict=True))
    return op(*xs, terms=terms, output=label + settings["output"])


# ---- searching


@rule("searchsorted")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    return looped(op, xs, flags, settings, size) if flags[0] else op(*xs, **settings)


@rule("uniform_like")
def _(op: Primitive, xs: Contents, flags: Flags, settings: Settings, size: int) -> Any:
    if flags[1]:
        return looped(op, xs, flags, settings, size)
    one = op(np.zeros(shape_of(xs[0])[1:], xs[0].dtype), xs[1])  # a function of the seed and of the place alone
    return spread_out(one, False, size)


def loops() -> tuple[str, ...]:
    """The primitives that `ag.vmap` runs on one sample after the other.

    `searchsorted` does so where the sorted array differs from sample to sample, `uniform_like` where the seed does.

    >>> loops()
    ('nonzero', 'searchsorted', 'uniform_like')
    """
    without = {name for name, op in primitives.items() if rule_of(op) is looped}
    return tuple(sorted(without | {"searchsorted", "uniform_like"}))
