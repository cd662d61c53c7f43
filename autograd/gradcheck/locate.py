"""Which operation is at fault, and at which line of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.config import config
from autograd.errors import user_line
from autograd.gradcheck.problem import Problem
from autograd.primitive import Primitive
from autograd.tape import entries

Array = NDArray[Any]
Call = tuple[Primitive, tuple[Any, ...], dict[str, Any], str]
MOST = 200  # operations are looked at, and 20,000 elements of each at most


def culprit(problem: Problem, passes: Callable[..., bool]) -> tuple[str, Call | None, bool]:
    """The first operation whose own derivative fails, the line that called it, and whether all were looked at."""
    with config.using(kernels=False), np.errstate(all="ignore"):  # f has warned already
        outputs = problem.outputs()
        ops = {node.op for node in entries([y.node for y in outputs if y.node is not None]) if node.op is not None}
        calls: list[Call] = []
        with _listening(ops, calls):
            problem.outputs()
        tried: set[Any] = set()
        every = len(calls) <= MOST and ops == {op for op, *_ in calls}
        for call in calls[:MOST]:
            op, inputs, settings, line = call
            key = (op.name, tuple(np.shape(x) for x in inputs), repr(settings))
            if key in tried or sum(np.size(x) for x in inputs) > 20_000:
                every &= key in tried
                continue
            tried.add(key)
            if not passes(lambda *xs, op=op, settings=settings: op(*xs, **settings), inputs):
                return f"{op.name} at {line}", call, every
    if len(ops) == 1 and not tried:
        return next(iter(ops)).name, None, every
    return "", None, every


@contextmanager
def _listening(ops: set[Primitive], calls: list[Call]) -> Iterator[None]:
    """What each operation is called with, noted for as long as the block runs."""
    held = {op: op.forward for op in ops}

    def noting(op: Primitive, forward: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*inputs: Any, **settings: Any) -> Any:
            calls.append(
                (op, tuple(np.array(x) if isinstance(x, np.ndarray) else x for x in inputs), settings, user_line())
            )
            return forward(*inputs, **settings)

        return noted

    try:
        for op, forward in held.items():
            op.forward = noting(op, forward)
        yield
    finally:
        for op, forward in held.items():
            op.forward = forward
