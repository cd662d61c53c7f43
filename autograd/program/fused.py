"""`fused`: a composition that runs as machine kernels, forwards and backwards, and is otherwise the composition."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from itertools import zip_longest
from typing import Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from autograd.batching.level import variable
from autograd.config import config
from autograd.errors import WengertError
from autograd.named import Method
from autograd.primitive import Primitive, Traced, capture, capturing
from autograd.program.capture import Capture
from autograd.program.convolution import Convolution
from autograd.program.convolving import noted
from autograd.program.indices import RULES
from autograd.program.launch import build, source_of
from autograd.program.part import Part
from autograd.program.plan import Order, Plan, has_kernels
from autograd.program.several import cotangents_of, parts_of, refused
from autograd.program.symbol import Symbol, Unfusable
from autograd.sweep import saved_tensors, sweep
from autograd.tape import Node, enable_grad, recording
from autograd.tensor import Tensor, as_tensor

P = ParamSpec("P")
R = TypeVar("R")
PLANS = 256  # combinations of shapes and dtypes that a function keeps a plan for
SMALLEST = 1024  # elements from which on kernels beat NumPy, their launch included
_DTYPES = frozenset(map(np.dtype, ("float32", "float64", "int64", "int32", "bool")))


class Fused(Method, Generic[P, R]):
    """A function of arrays and Python numbers, compiled for the shapes and dtypes that it meets. Made by `fused`."""

    def __init__(self, f: Callable[P, R], smallest: int = SMALLEST) -> None:
        update_wrapper(self, f)
        self.composition = f
        self.smallest = smallest
        self.plans: dict[Any, Plan | Convolution | str] = {}
        self.op = Primitive(f.__name__, "*xs", refused, pulls=(), reads=(), doc=f.__doc__ or "")
        self.op.together = _together

    def options(self) -> dict[str, Any]:
        """What its class is given beside the function."""
        return {"smallest": self.smallest}

    def __call__(self, *args: P.args, **settings: P.kwargs) -> R:
        """Run the kernels, or the composition where there are none."""
        noting = capture() if capturing else None
        watched = None if noting is None else getattr(noting, "whole", None)  # who looks at what is made, as it is made
        if noting is not None and watched is None:
            whole = self._convolution([_like(x) for x in args], settings) if isinstance(noting, Capture) else None
            return self.composition(*args, **settings) if whole is None else noted(whole, args)
        values = [x.value if isinstance(x, Tensor) else x for x in args]
        if not config.kernels or not _reaches(values, self.smallest):
            return self.composition(*args, **settings)
        plan = self.plan(values, settings)
        if isinstance(plan, str):
            return self.composition(*args, **settings)
        if watched is None:
            return self._run(plan, args, values, settings)  # type: ignore[no-any-return]
        run, again = partial(self._run, plan, args, values, settings), partial(self.composition, *args, **settings)
        return watched(run, again)  # type: ignore[no-any-return]

    def _run(
        self, plan: Plan | Convolution, args: Sequence[Any], values: Sequence[Any], settings: dict[str, Any]
    ) -> Any:
        """Run the kernels."""
        parents = tuple(x.node if isinstance(x, Tensor) else None for x in args)
        if any(p is not None for p in parents) and recording.get():
            return self._recorded(plan, args, values, parents, settings)
        outputs = plan.seen(plan.look(values, plan.forward(plan.laid(values)))[: len(plan.outputs)])
        made = [Tensor(y) for y in outputs] if any(isinstance(x, Tensor) for x in args) else outputs
        return made[0] if plan.single else tuple(made)

    def _recorded(
        self, plan: Plan | Convolution, args: Any, values: Any, parents: Any, settings: dict[str, Any]
    ) -> Any:
        """Run the forward kernels and leave one entry on the tape, and one for each part of several outputs."""
        asked = tuple(p is not None and has for p, has in zip(parents, plan.differentiable(), strict=True))
        whole = plan.at_once(asked) if any(asked) else None
        if whole is not None:
            first, *gradients = plan.look(values, whole(plan.laid(values)))
            results = [first, *plan.seen(gradients)]
        else:
            results = plan.look(values, plan.forward(plan.laid(values)))
        outputs, extras = plan.seen(results[: len(plan.outputs)]), results[len(plan.outputs) :]
        own = [x.copy() if x is v and isinstance(v, np.ndarray) else v for x, v in zip(args, values, strict=True)]
        note: dict[str, Any] = {"plan": plan, "composition": self.composition, "settings": settings, "asked": asked}
        note["gradients"] = whole is not None
        first = outputs[0]
        if any(y.dtype.kind != "f" for y in outputs):
            made = [Tensor(y) for y in outputs]
            return made[0] if plan.single else tuple(made)
        node = Node(self.op, parents, (None, *own, *extras), note, first.shape, first.dtype)
        made = parts_of(node, outputs)
        return made[0] if plan.single else tuple(made)

    def _convolution(self, values: Sequence[Any], settings: dict[str, Any]) -> Convolution | None:
        if not config.kernels or not _reaches(values, self.smallest) or has_kernels(self.composition, values, settings):
            return None
        plan = self.plan(values, settings)
        return plan if isinstance(plan, Convolution) else None

    def plan(self, values: Sequence[Any], settings: dict[str, Any]) -> Plan | Convolution | str:
        """How values like these are run, or the reason why they run as the plain composition."""
        try:
            order = _order(values)
            chosen = tuple(sorted((k, *_exactly(v)) for k, v in settings.items())) if settings else ()
            key = (tuple(map(_kind, values)), chosen, order)
            found = self.plans.get(key)
            if found is None:
                if len(self.plans) >= PLANS:
                    self.plans.pop(next(iter(self.plans)))  # the oldest: its kernels stay on the disk
                found = self.plans[key] = _planned(self.composition, values, settings, order)
        except Unfusable as reason:
            self.plans[str(reason)] = str(reason)
            return str(reason)
        except TypeError as error:
            return f"a setting cannot be told from others ({error})"
        return found

    def reasons(self) -> list[str]:
        """Why, for some of the arguments so far, the plain composition ran instead of kernels."""
        found = {plan for plan in self.plans.values() if isinstance(plan, str)}
        return sorted(found.union(*(plan.reasons() for plan in self.plans.values() if isinstance(plan, Plan))))


def _reaches(values: Sequence[Any], smallest: int) -> bool:
    """Whether an array has so many elements, or what arrays of several shapes give together."""
    if any(getattr(x, "size", 0) >= smallest for x in values):
        return True
    shapes = [x.shape for x in values if isinstance(x, np.ndarray)]
    if len(set(shapes)) < 2:
        return False
    columns = zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1)
    return bool(math.prod(map(max, columns)) >= smallest)


def _planned(
    f: Callable[..., Any], values: Sequence[Any], settings: dict[str, Any], order: Order | None
) -> Plan | Convolution | str:
    try:
        return Plan(f, values, settings, build, order)
    except Unfusable as reason:
        if order is not None:  # in the order of the axes: arrays are copied first
            return _planned(f, values, settings, None)
        try:
            return Convolution(f, values, settings)
        except Unfusable as other:
            rest = f", and as a convolution: {other}" if str(reason).partition(" ")[0] in RULES else ""
            return f"{reason}{rest}"
    except WengertError as error:  # the composition will raise it again, in terms of what the user gave
        return str(error)


def _exactly(setting: Any) -> tuple[Any, ...]:
    """A setting told from others that are equal: 1, 1.0 and True, 0.0 and -0.0."""
    if isinstance(setting, tuple):
        return ("", tuple(map(_exactly, setting)))
    return (type(setting).__name__, repr(setting) if isinstance(setting, (float, type(None))) else setting)


def _like(x: Any) -> Any:
    """An array of the kind that a symbol or a Tensor stands for."""
    return np.empty(x.shape, x.dtype) if isinstance(x, (Tensor, Symbol)) else x


def _order(values: Sequence[Any]) -> Order | None:
    """How the largest array lies in memory that is not laid out as its axes are: channels last, say."""
    order, largest = None, 0
    for x in values:
        if isinstance(x, np.ndarray) and not x.flags.c_contiguous and x.size > largest:
            axes = tuple(sorted(range(x.ndim), key=lambda k, x=x: (-abs(x.strides[k]), k)))  # type: ignore[misc]
            if x.transpose(axes).flags.c_contiguous:
                order, largest = axes, x.size
    return order


def _kind(x: Any) -> Any:
    """What a plan is made for: shape and dtype of an array, the type of a number."""
    if type(x) in (int, float):
        return type(x)
    if not isinstance(x, (np.ndarray, np.generic)):
        raise Unfusable(f"an argument is a {type(x).__name__}")
    if x.dtype not in _DTYPES:
        raise Unfusable(f"kernels have no {x.dtype}")
    return x.shape, x.dtype


def _together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
    """The cotangents of all inputs: by the kernels, or by the composition's own tape where they are recorded."""
    note = node.settings or {}
    plan: Plan | Convolution = note["plan"]
    count = len(plan.inputs)
    cotangents = cotangents_of(g)
    asked = note["asked"]
    if any(isinstance(part, Tensor) for part in cotangents):
        xs = saved_tensors(node)[1 : count + 1]
        return _by_tape(note["composition"], note["settings"], xs, cotangents, record=True)
    if any(isinstance(part, Traced) for part in cotangents):  # of all samples under `ag.vmap`
        xs = [as_tensor(x).requires_grad_() if w else x for x, w in zip(saved[1 : count + 1], asked, strict=True)]
        return _by_tape(note["composition"], note["settings"], xs, cotangents, record=False)
    if note["gradients"]:
        ready = iter(saved[count + 1 :])
        return [_scaled(g, next(ready)) if wanted else None for wanted in asked]
    if not any(asked):
        return [None] * count
    kernels = plan.backward(asked)
    if isinstance(kernels, str):
        xs = [as_tensor(x).requires_grad_() if w else x for x, w in zip(saved[1 : count + 1], asked, strict=True)]
        return _by_tape(note["composition"], note["settings"], xs, cotangents, record=False)
    seeds = zip(plan.outputs, plan.laid(cotangents), strict=True)
    values = [*plan.laid(saved[1 : count + 1]), *saved[count + 1 :]]
    values += [np.zeros(y.shape, y.dtype) if c is None else c for y, c in seeds]
    parts = iter(plan.seen(kernels(values)))
    return [next(parts) if wanted else None for wanted in asked]


def _scaled(g: Any, gradient: Any) -> Any:
    """A gradient times the cotangent of its result, which nearly always is 1."""
    return gradient if g == 1 else np.zeros_like(gradient) if g == 0 else g * gradient


def _by_tape(
    f: Callable[..., Any], settings: dict[str, Any], xs: Sequence[Any], cotangents: list[Any], record: bool
) -> list[Any]:
    """The cotangents of the inputs by the composition's own tape."""
    with enable_grad():
        own = [variable(x) if isinstance(x, Tensor) and x.requires_grad else x for x in xs]
        y = f(*own, **settings)
        ys = [y] if isinstance(y, Tensor) else y
        given = [(t.node, g) for t, g in zip(ys, cotangents, strict=True) if g is not None and t.node is not None]
        nodes = [x.node if isinstance(x, Tensor) else None for x in own]
        wanted = [n for n in nodes if n is not None]
        found = sweep([n for n, _ in given], [g for _, g in given], wanted=wanted, record=record, retain=record)
    return [None if n is None else found.get(n) for n in nodes]


@overload
def fused(f: Callable[P, R], *, smallest: int = SMALLEST) -> Fused[P, R]: ...


@overload
def fused(f: None = None, *, smallest: int = SMALLEST) -> Callable[[Callable[P, R]], Fused[P, R]]: ...


def fused(f: Callable[..., Any] | None = None, *, smallest: int = SMALLEST) -> Any:
    """Compile a composition of autograd functions into fused machine kernels, its derivative included.

    The composition is traced once for each combination of shapes and dtypes; its backward half is derived from the
    rules of its primitives; each half becomes one kernel for each sum over all rows that it must wait for, run over
    threads. Windows and a matrix product that come to a convolution, or to its transpose, run as one, without a matrix
    of windows. Kernels are kept on the disk. Arguments with fewer than a few thousand elements run as the plain
    composition, which is then faster, and so does what has no kernel form: `reasons()` of the result says why.

    Parameters:
        f: a function of autograd operations. Positional arguments are arrays, Tensors, or Python numbers that may
            change from call to call; keyword arguments are settings, each value of which is compiled for itself. Other
            Python values that f reads (globals, attributes) are taken as they are when it is traced.
        smallest: with no array of so many elements the composition runs as it stands.

    Returns:
        A function with the arguments of f, differentiable to any order.

    >>> import autograd as ag
    >>> @ag.fused
    ... def swish(x):
    ...     return x * ag.sigmoid(x)
    >>> x = ag.zeros(10_000, requires_grad=True)
    >>> ag.grad(swish(x).sum(), x)[0][:2]
    tensor([0.5, 0.5])
    >>> swish.reasons()
    []
    """
    return partial(Fused, smallest=smallest) if f is None else Fused(f, smallest)


def explain(f: Callable[..., Any], *args: Any, **settings: Any) -> str:
    """The graph of a fused function for these arguments, its stages, their source, and what is kept for the derivative.

    >>> import autograd as ag
    >>> print(ag.explain(lambda x: ag.sum(x * x), ag.zeros((3, 4))).splitlines()[0])
    forward: 3 symbols, 1 kernel over 1 x 12
    """
    own = f if isinstance(f, Fused) else Fused(f)
    plan = own.plan([x.value if isinstance(x, Tensor) else x for x in args], settings)
    if isinstance(plan, str):
        return f"not fused: {plan}"
    if isinstance(plan, Convolution):
        return plan.explanation()
    parts: list[tuple[str, Part | str]] = [("forward", plan.forward)]
    if any(plan.differentiable()):
        parts.append(("backward", plan.backward(plan.differentiable())))
    return "\n".join(_explained(name, part) for name, part in parts) + (
        f"\nkept for the backward half: {', '.join(map(repr, plan.saved)) or 'the inputs alone'}"
    )


def _explained(name: str, part: Part | str) -> str:
    if isinstance(part, str):
        return f"{name}: the plain composition, as {part}"
    sizes = " and ".join(dict.fromkeys("{} x {}".format(*stage.loops.sizes) for stage in part.stages))
    names = {s: f"%{k}" for k, s in enumerate(part.symbols)}
    count = len(part.stages)
    lines = [f"{name}: {len(names)} symbols, {count} kernel{'s' * (count != 1)} over {sizes}"]
    for s in part.symbols:
        inputs = ", ".join(names.get(x, repr(x)) if isinstance(x, Symbol) else repr(x) for x in s.inputs)
        lines.append(f"  {names[s]} = {s.op.name if s.op else s.label}({inputs}) {s.shape} {s.dtype}")
    return "\n".join([*lines, *(f"\n{source_of(stage)}" for stage in part.stages)])
