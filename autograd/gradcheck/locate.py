"""Which operation is at fault, at which line of the user's, and a program that shows it again."""

from __future__ import annotations

import base64
import inspect
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.config import config
from autograd.errors import user_line
from autograd.gradcheck.given import is_tree
from autograd.gradcheck.problem import Problem
from autograd.primitive import Primitive, primitives
from autograd.tape import entries
from autograd.tensor import Tensor

Array = NDArray[Any]
Call = tuple[Primitive, tuple[Any, ...], dict[str, Any], str]
MOST = 200  # operations are looked at, and 20,000 elements of each at most
LISTED, PACKED = 64, 512  # elements that a reproducer writes out, or packs


def culprit(problem: Problem, passes: Callable[..., bool]) -> tuple[str, Call | None, bool]:
    """The first operation whose own derivative fails, the line that called it, and whether all were looked at."""
    with config.using(kernels=False):
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


def reproducer(f: Callable[..., Any], inputs: Sequence[Any], call: Call | None, settings: str) -> str:
    """A program to paste: the operation at fault on its inputs if it is known, else f."""
    lines = ["import numpy as np", "import autograd as ag"]
    if call is not None and primitives.get(call[0].name) is call[0]:
        lines.append("from autograd.primitive import primitives")
        kept = "".join(f", {k}={v!r}" for k, v in call[2].items())
        lines.append(f"def f(*xs): return primitives[{call[0].name!r}](*xs{kept})")
        inputs = call[1]
    else:
        lines += _source(f)
    values = ", ".join(_written(x) for x in inputs)
    return "\n".join([*lines, f"print(ag.gradcheck(f, [{values}]{settings}))"])


def _source(f: Callable[..., Any]) -> list[str]:
    module, name = getattr(f, "__module__", None), getattr(f, "__qualname__", "")
    if module and name.isidentifier():
        return [f"from {module} import {name} as f"]
    try:
        source = inspect.getsource(f).strip().splitlines()
    except (OSError, TypeError):
        source = [repr(f)]
    return ["# f is", *(f"#   {line}" for line in source[:20])]


def _written(x: Any) -> str:
    """An input as an expression that makes it."""
    if isinstance(x, dict):
        return "{" + ", ".join(f"{k!r}: {_written(v)}" for k, v in x.items()) + "}"
    if isinstance(x, (list, tuple)) and is_tree(x):
        parts = ", ".join(map(_written, x))
        return f"[{parts}]" if isinstance(x, list) else f"({parts},)"
    if not isinstance(x, (Tensor, np.ndarray, np.generic, float, complex, list)):
        return repr(x)
    a = np.asarray(x.value if isinstance(x, Tensor) else x)
    if a.size <= LISTED:
        return f"np.array({a.tolist()!r}, {a.dtype.name!r})".replace("nan", "np.nan").replace("inf", "np.inf")
    if a.size > PACKED:
        return f"np.random.default_rng(0).standard_normal({a.shape}).astype({a.dtype.name!r})"
    text = base64.b85encode(zlib.compress(np.ascontiguousarray(a).tobytes())).decode()
    packed = f"__import__('zlib').decompress(__import__('base64').b85decode({text!r}))"
    return f"np.frombuffer({packed}, {a.dtype.name!r}).reshape({a.shape})"
