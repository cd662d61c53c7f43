"""The checks of HIPS autograd, by `autograd.gradcheck`, which says what is wrong and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from autograd.arrays import floating
from autograd.errors import ArgumentError
from autograd.gradcheck import gradcheck
from autograd.gradcheck.given import leaves_of
from autograd.tracer import getval
from autograd.tree import flatten
from autograd.vspace import vspace

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


def check_vjp(f: Callable[..., Any], x: Any) -> None:
    """Raise AssertionError unless the vector-Jacobian products of a function of one argument are right.

    >>> check_vjp(lambda x: x**3, 2.0)
    """
    check_grads(f, modes=["rev"], order=1)(x)


def check_jvp(f: Callable[..., Any], x: Any) -> None:
    """Raise AssertionError unless the Jacobian-vector products of a function of one argument are right.

    >>> check_jvp(lambda x: x**3, 2.0)
    """
    check_grads(f, modes=["fwd"], order=1)(x)


def check_equivalent(x: Any, y: Any) -> None:
    """Raise AssertionError unless x and y are containers, shapes, kinds and, to 1e-6, numbers alike.

    >>> check_equivalent([1.0, np.ones(2)], [1.0 + 1e-9, np.ones(2)])
    """
    space, other = vspace(x), vspace(y)
    assert space == other, f"x is of {space}, y of {other}"
    names, others = ([name for name, _ in leaves_of(v, "")] for v in (x, y))
    assert names == others, f"x holds {names}, y {others}"
    pairs = zip(*(flatten(floating(v))[0] for v in (x, y)), strict=True)
    apart = max((float(np.max(np.abs(getval(a) - getval(b)), initial=0)) for a, b in pairs), default=0.0)
    assert apart <= 1e-6, f"x and y differ by up to {apart:.3g}"
