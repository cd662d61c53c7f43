"""`fused`: a composition that runs as machine kernels, forwards and backwards, and is otherwise the composition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from autograd.config import config
from autograd.ops.shape import reshape_
from autograd.primitive import Primitive, Traced
from autograd.program.launch import build, launch
from autograd.program.plan import Plan
from autograd.program.symbol import Symbol, Unfusable
from autograd.sweep import saved_tensors, sweep
from autograd.tape import Node, enable_grad, recording
from autograd.tensor import Tensor

_DTYPES = frozenset({"float32", "float64", "int64", "int32", "bool"})


class Fused:
    """A function of arrays and Python numbers, compiled for the shapes and dtypes that it meets.

    Positional arguments are arrays, Tensors, or Python numbers that may change from call to call; keyword arguments are
    settings, each value of which is compiled for itself.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        update_wrapper(self, f)
        self.composition = f
        self.plans: dict[Any, Plan | str] = {}
        self.op = Primitive(f.__name__, "*xs", self._forward, pulls=(), reads=(), doc=f.__doc__ or "")
        self.op.together = _together
        self.op.differentiable = True

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """Run the kernels, or the composition where there are none."""
        if not config.kernels or any(isinstance(x, Symbol) for x in args):
            return self.composition(*args, **settings)
        plan = self.plan(args, settings)
        if isinstance(plan, str):
            return self.composition(*args, **settings)
        values = [x.value if isinstance(x, Tensor) else x for x in args]
        parents = tuple(x.node if isinstance(x, Tensor) else None for x in args)
        record = recording.get() and any(p is not None for p in parents)
        if record and not plan.single:
            return self.composition(*args, **settings)
        results = plan.forward(values, launch)
        outputs, extras = results[: len(plan.outputs)], results[len(plan.outputs) :]
        if not record:
            tensors = any(isinstance(x, Tensor) for x in args)
            made = [Tensor(y) if tensors else y for y in outputs]
            return made[0] if plan.single else tuple(made)
        y = outputs[0]
        saved = (None, *values, *extras)
        note = {"plan": plan, "composition": self.composition, "settings": settings}
        return Tensor(y, Node(self.op, parents, saved, note, y.shape, y.dtype))

    def plan(self, args: Sequence[Any], settings: dict[str, Any]) -> Plan | str:
        """How these arguments are run, or the reason why they run as the plain composition."""
        try:
            key = (tuple(map(_kind, args)), tuple(sorted(settings.items())))
            found = self.plans.get(key)
        except TypeError:
            return "a setting cannot be hashed"
        except Unfusable as reason:
            return str(reason)
        if found is None:
            examples = [x.value if isinstance(x, Tensor) else x for x in args]
            try:
                found = Plan(self.composition, examples, settings, build)
            except Unfusable as reason:
                found = str(reason)
            self.plans[key] = found
        return found

    def reasons(self) -> list[str]:
        """Why, for some of the arguments so far, the plain composition ran instead of kernels."""
        return sorted({plan for plan in self.plans.values() if isinstance(plan, str)})

    def _forward(self, *values: Any, plan: Plan, **_: Any) -> Any:
        return plan.forward(values, launch)[0]


def _kind(x: Any) -> Any:
    """What a plan is made for: shape and dtype of an array, the type of a number."""
    if isinstance(x, Tensor):
        x = x.value
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        return type(x)
    if not isinstance(x, (np.ndarray, np.generic)):
        raise Unfusable(f"an argument is a {type(x).__name__}")
    if x.dtype.name not in _DTYPES:
        raise Unfusable(f"kernels have no {x.dtype}")
    return x.shape, x.dtype


def _together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
    """The cotangents of all inputs: by the kernels for arrays, by the composition's own tape where they are recorded."""
    note = node.settings or {}
    plan: Plan = note["plan"]
    count = len(plan.inputs)
    if isinstance(g, Traced):
        xs = saved_tensors(node)[1 : count + 1]
        return _recorded(note["composition"], note["settings"], xs, g)
    values = [*saved[1:], np.ascontiguousarray(g)]
    parts = iter(plan.backward(values, launch))
    live = dict(zip(plan.wanted, plan.gradients, strict=True))
    return [None if live.get(s) is None else next(parts) for s in plan.inputs]


def _recorded(f: Callable[..., Any], settings: dict[str, Any], xs: Sequence[Any], g: Any) -> list[Any]:
    with enable_grad():
        own = [reshape_(x, shape=x.shape) if isinstance(x, Tensor) and x.requires_grad else x for x in xs]
        y = f(*own, **settings)
        nodes = [x.node if isinstance(x, Tensor) else None for x in own]
        found = sweep([y.node], [g], wanted=[n for n in nodes if n is not None], record=True, retain=True)
    return [None if n is None else found.get(n) for n in nodes]


def fused(f: Callable[..., Any]) -> Fused:
    """Compile a composition of primitives into one fused forward and one fused backward kernel."""
    return Fused(f)
