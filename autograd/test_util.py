"""`check_grads` of HIPS autograd, by `autograd.gradcheck`, which says what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from autograd.arrays import floating
from autograd.errors import ArgumentError
from autograd.gradcheck import gradcheck
from autograd.tree import flatten

MODES = {("rev",): "reverse", ("fwd",): "forward", ("fwd", "rev"): "both"}


def check_grads(
    f: Callable[..., Any],
    argnum: int | Sequence[int] = 0,
    *,
    modes: Sequence[str] = ("fwd", "rev"),
    order: int = 2,
) -> Callable[..., None]:
    """A function with f's arguments that raises AssertionError unless the derivatives by `argnum` are right.

    Parameters:
        f: a function of arrays or nested containers of them.
        argnum: the position of the argument, or several.
        modes: "fwd", "rev" or both.
        order: 1, or 2 for the second derivatives too.

    Raises:
        ArgumentError: for another mode.
        AssertionError: if a derivative is not that of finite differences: with the report.

    >>> check_grads(lambda x: x**3, modes=["rev"])(2.0)
    """
    mode = MODES.get(tuple(sorted(modes)))
    if mode is None:
        raise ArgumentError(f"check_grads was given modes={list(modes)!r}. Expected 'fwd', 'rev' or both.")
    positions = [argnum] if isinstance(argnum, (int, np.integer)) else list(argnum)

    def check(*args: Any, **kwargs: Any) -> None:
        flat = [flatten(floating(args[k])) for k in positions]
        sizes = np.cumsum([0, *(len(leaves) for leaves, _ in flat)])

        def of_leaves(*xs: Any) -> Any:
            new = list(args)
            for i, (k, (_, build)) in enumerate(zip(positions, flat, strict=True)):
                new[k] = build(list(xs[sizes[i] : sizes[i + 1]]))
            return f(*new, **kwargs)

        result = gradcheck(of_leaves, [np.asarray(x) for leaves, _ in flat for x in leaves], order=order, mode=mode)
        assert result, str(result)

    return check


def combo_check(
    f: Callable[..., Any], argnum: int | Sequence[int], *, modes: Sequence[str] = ("fwd", "rev"), order: int = 2
) -> Callable[..., None]:
    """`check_grads` for every combination of one choice of each argument, which is given a list of them.

    >>> combo_check(lambda x, k=1: x**k, 0, order=1)([2.0, 3.0], k=[1, 2])
    """
    check = check_grads(f, argnum, modes=modes, order=order)

    def every(*args: Sequence[Any], **kwargs: Sequence[Any]) -> None:
        for chosen in product(*args):
            for settings in product(*kwargs.values()):
                check(*chosen, **dict(zip(kwargs, settings, strict=True)))

    return every
