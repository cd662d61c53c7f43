"""How many bytes a function must move and how many operations it does: counted from its program, or given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

import autograd as ag
from autograd.config import config
from autograd.cost import MOVES, PER_OUTPUT, costs_of
from autograd.program.fused import Fused
from autograd.program.part import Part
from autograd.program.plan import Plan
from autograd.program.scalar import Elementwise
from autograd.program.symbol import REDUCTIONS, Symbol

GIVEN, PROGRAM, TAPE, ARRAYS = "given", "counted from the generated program", "counted from the tape", "of the arrays"
NEITHER = "not counted: give flops=..."


@dataclass(frozen=True)
class Work:
    """Bytes read and written, floating-point operations (None where unknown), and where each was taken from.

    An operation on an element is one, whatever it is, as in `ag.costs_of`: an exponential counts like an addition.
    """

    bytes: int
    flops: int | None
    bytes_from: str
    flops_from: str

    @property
    def intensity(self) -> float | None:
        """Operations for each byte."""
        return None if self.flops is None or not self.bytes else self.flops / self.bytes


def work(
    f: Any,
    args: Sequence[Any],
    outputs: Sequence[Any],
    *,
    bytes: int | None = None,
    flops: int | None = None,
) -> Work:
    """The work of f on args, which made these outputs.

    >>> x = np.ones(10_000, np.float32)
    >>> work(ag.fused(lambda x: x * x + 1), [x], [x])
    Work(bytes=80000, flops=20000, bytes_from='counted from the generated program', flops_from='counted ...')
    """
    part = program(f, args)
    moved, found = (of_part(part) if part is not None else (None, None)) if bytes is None or flops is None else (0, 0)
    if bytes is not None:
        by = GIVEN
    elif moved is not None:
        bytes, by = moved, PROGRAM
    else:
        bytes, by = of_arrays(args, outputs), ARRAYS
    if flops is not None:
        return Work(bytes, flops, by, GIVEN)
    if found is not None:
        return Work(bytes, found, by, PROGRAM)
    on_tape = of_tape(f, args)
    return Work(bytes, on_tape, by, NEITHER if on_tape is None else TAPE)


def fused_of(f: Any) -> Fused[..., Any] | None:
    """The fused function that runs f's kernels, for those that have one."""
    if isinstance(f, Elementwise):
        return f._version(f.settings)[1]
    return f if isinstance(f, Fused) else None


def program(f: Any, args: Sequence[Any]) -> Part | None:
    """The forward kernels of a fused function, if it runs any for these arguments."""
    fused = fused_of(f)
    if fused is None or max((np.size(x) for x in args), default=0) < fused.smallest:
        return None
    plan = fused.plan(list(args), {})
    return plan.forward if isinstance(plan, Plan) else None


def of_part(part: Part) -> tuple[int, int]:
    """Bytes that the kernels read and write, and operations that they do."""
    moved = flops = 0
    for stage in part.stages:
        moved += sum(s.size * s.dtype.itemsize for s in (*stage.arrays, *stage.outputs, *stage.totals))
        flops += sum(map(operations, (*stage.order, *stage.totals)))
    return moved, flops


def operations(s: Symbol) -> int:
    """Those of one symbol, by the convention of `ag.costs_of`."""
    name = s.op.name if s.op is not None else "reshape"
    if name in MOVES:
        return 0
    return s.inputs[0].size if name in REDUCTIONS else PER_OUTPUT.get(name, 1) * s.size


def of_tape(f: Callable[..., Any], args: Sequence[Any]) -> int | None:
    """The operations that f records when it is given Tensors; None where it does not run on them."""
    try:
        leaves = [ag.tensor(x, requires_grad=True) if _is_float(x) else x for x in args]
        with config.using(kernels=False):
            found = f(*leaves)
        outputs = [y for y in (found if isinstance(found, (tuple, list)) else (found,)) if isinstance(y, ag.Tensor)]
        recorded = any(y.node is not None for y in outputs)
        return sum(cost.flops for cost in costs_of(*outputs)) if recorded else None
    except Exception:
        return None


def of_arrays(args: Sequence[Any], outputs: Sequence[Any]) -> int:
    """Bytes of the arrays that are read and of those that are written, each once.

    >>> of_arrays([np.ones(4), np.broadcast_to(1.0, (4,))], [np.ones(4)])
    72
    """
    return sum(_held(x) for x in (*args, *outputs) if isinstance(x, np.ndarray))


def _held(x: Any) -> int:
    lengths = [n for n, step in zip(x.shape, x.strides, strict=True) if step]
    return int(prod(lengths) * x.itemsize)


def _is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"
