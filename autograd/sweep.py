"""Reverse accumulation: the tape read backwards.

The sweep does, once, what no rule has to think about: it adds up cotangents, undoes broadcasting, casts to the dtype of
the input, checks that what was saved is still what was computed with, and frees it.

The gradient of a real L by a complex z = x + iy is dL/dx + i dL/dy, as in PyTorch: the direction of steepest ascent, so
that `z -= lr * z.grad` descends. Inside, a cotangent is its conjugate c, for which dL = Re(c dz) without a conjugate:
then the rule of an analytic function of complex numbers is the rule for real ones, c f'(z), transposes stay transposes,
and a sum of cotangents is one. So gradients are conjugated here, where they enter and leave a sweep, and in no rule.
A real input of a complex result takes the real part of its cotangent.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from autograd.batching.level import batching, lifted
from autograd.broadcast import unbroadcast
from autograd.errors import ClobberedError, DifferentiationError, DTypeError, ShapeError
from autograd.primitive import Traced, capturing, examiner, functions, public, training
from autograd.rows import RowSparse, shown
from autograd.tape import Node, Watch, enable_grad, entries
from autograd.tensor import Operand, Tensor, as_tensor


def sweep(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    *,
    wanted: Collection[Node] | None = None,
    record: bool = False,
    retain: bool = False,
    transposed: bool = False,
) -> dict[Node, Any]:
    """The gradient by each wanted entry (by every leaf for None), given those by the roots.

    Arrays in, arrays out; with `record`, Tensors in and recorded Tensors out, so that the result can be differentiated.
    With `transposed` both are cotangents as rules have them: conjugated, where they are complex.
    """
    order = entries(roots)

    def run(order: list[Node], retain: bool) -> dict[Node, Any]:
        if record:
            with enable_grad():
                return _sweep(roots, seeds, order, wanted, record, retain, transposed)
        return _sweep(roots, seeds, order, wanted, record, retain, transposed)

    if not capturing:
        return run(order, retain)
    examined, level = examiner(), batching()
    if examined is not None:
        return examined(dict(zip(roots, seeds, strict=True)), order, run, retain)  # type: ignore[no-any-return]
    found = run(order, retain)
    if level is not None:
        level.examine(found.values())
    return found


def differentiated() -> str:
    """The operation whose derivative this thread is taking, by its stack: nothing is noted for those who do not ask."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not _sweep.__code__:
        frame = frame.f_back
    node = None if frame is None else frame.f_locals.get("node")
    return "" if node is None or node.op is None else str(node.op.name)


def conjugated(g: Any) -> Any:
    """The conjugate of a complex array or Tensor, a real one as it is."""
    return functions["conj"](g) if g.dtype.kind == "c" else g


def _sweep(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    order: list[Node],
    wanted: Collection[Node] | None,
    record: bool,
    retain: bool,
    transposed: bool,
) -> dict[Node, Any]:
    needed = None if wanted is None else _leading_to(wanted, order)
    held: dict[Node, Any] = {}
    owned: set[Node] = set()  # entries whose cotangent is a buffer that was allocated here, and may be added into
    found: dict[Node, Any] = {}
    for root, seed in zip(roots, map(lifted, seeds) if capturing else seeds, strict=True):
        if root.dtype.kind == "c" and not transposed:
            seed = conjugated(seed)
        held[root] = held[root] + seed if root in held else seed
    with np.errstate(all="ignore"):  # a derivative may be infinite: that is a value, not an accident
        while order:
            node = order.pop()
            g = held.pop(node, None)
            if g is None:
                continue
            if node.watch is not None and node.watch.hooks:
                g = _run_hooks(node, node.watch, g, record)
            op = node.op
            if op is None if wanted is None else node in wanted:
                g = g.numpy() if wanted is not None and isinstance(g, RowSparse) else g
                found[node] = g if node.dtype.kind != "c" or transposed else conjugated(g)
            if op is None or (needed is not None and node not in needed):
                continue
            saved = saved_tensors(node) if record else node.saved
            pulls = op.pulls
            parts = None if op.together is None else op.together(g, saved, node)
            for i, parent in enumerate(node.parents):  # type: ignore[arg-type]  # entries() has seen that it is not freed
                if parent is None:
                    continue
                if parent.watch is not None and parent.watch.changed is not None:
                    _check_unchanged(node, i, parent, parent.watch.changed)
                if needed is not None and parent not in needed:
                    continue
                if op.deposit is not None and i == 0 and _deposited(g, node, parent, held, owned):
                    continue
                if parts is not None:
                    part = parts[i]
                else:
                    pull = pulls[i]
                    part = None if pull is None else pull(g, saved, node)
                if part is None:
                    continue
                if part.shape != parent.shape:
                    part = unbroadcast(part, parent.shape)
                if part.dtype is not parent.dtype and part.dtype != parent.dtype:
                    part = fitted(part, parent.dtype)
                other = held.get(parent)
                if other is None:
                    held[parent] = part
                elif parent in owned:
                    other += part
                else:
                    total = held[parent] = other + part
                    if not record and type(total) is np.ndarray:
                        owned.add(parent)
            if not retain:
                node.parents = None
                node.saved = ()
    return found


def _deposited(g: Any, node: Node, parent: Node, held: dict[Node, Any], owned: set[Node]) -> bool:
    """Add a cotangent into the buffer of its place, if its operation can; a place read k times then costs k parts."""
    if not isinstance(g, (np.ndarray, np.generic)):
        return False

    def buffer() -> tuple[Any, bool]:
        present = held.get(parent)
        if present is None:
            return np.zeros(parent.shape, parent.dtype), True
        return present if parent in owned else np.array(present), False

    changed = node.op.deposit(buffer, g, node.saved, node)
    if changed is None:
        return False
    held[parent] = changed
    owned.add(parent)
    return True


def _leading_to(wanted: Collection[Node], order: Sequence[Node]) -> set[Node]:
    """The wanted entries and those made of them."""
    needed = set(wanted)
    for node in order:
        if any(parent in needed for parent in node.parents or ()):
            needed.add(node)
    return needed


def saved_tensors(node: Node) -> list[Any]:
    """The saved values of an entry as Tensors at their places on the tape."""
    places = (node, *(node.parents or ()))
    return [
        Tensor(value, place) if isinstance(value, (np.ndarray, np.generic, Traced)) else value
        for value, place in zip(node.saved, places, strict=False)
    ]


def fitted(part: Any, dtype: np.dtype[Any]) -> Any:
    """A cotangent or tangent in the dtype of its value: the real part of a complex one, if that is real."""
    if part.dtype.kind == "c" and dtype.kind != "c":
        part = functions["real"](part)
    return part if part.dtype == dtype else part.astype(dtype)


def _check_unchanged(node: Node, position: int, parent: Node, changed: tuple[int, str]) -> None:
    serial, line = changed
    if serial > node.serial and position + 1 < len(node.saved) and node.saved[position + 1] is not None:
        raise ClobberedError(
            f"{node.op.name!r} saved its input {position} (shape {parent.shape}) for the backward pass, "
            f"which came after that input was changed in place.\nChanged at {line}"
        )


def _run_hooks(node: Node, watch: Watch, g: Any, record: bool) -> Any:
    if node.dtype.kind == "c":
        return conjugated(_shown(node, watch, conjugated(g), record))
    return _shown(node, watch, g, record)


def _shown(node: Node, watch: Watch, g: Any, record: bool) -> Any:
    """What the hooks of an entry make of its gradient."""
    for hook in tuple(watch.hooks):
        t = shown(g)
        if isinstance(hook, str):  # RETAIN
            watch.grad = t if watch.grad is None else watch.grad + t
            continue
        result = hook(t)
        if result is not None:
            if result.shape != node.shape:
                raise ShapeError(f"a hook returned shape {result.shape} for a gradient of shape {node.shape}.")
            g = result if record or isinstance(result, RowSparse) else result.value
    return g


def seed_of(t: Tensor, gradient: Operand | None, name: str) -> Tensor:
    """The cotangent that a sweep starts from: 1 for a single element, else what the user gave."""
    if t.node is None:
        raise DifferentiationError(
            f"{name} of a Tensor that is not on the tape: nothing that it was made of has requires_grad=True, or it "
            "was made under no_grad.\nWrite ag.tensor(..., requires_grad=True) for what is to be differentiated by."
        )
    if gradient is None:
        if t.size != 1:
            raise ShapeError(
                f"{name} of shape {t.shape} without a gradient. Expected a single element.\n"
                f"Write .sum() or .mean() first, or give gradient= an array of shape {t.shape}."
            )
        if t.dtype.kind == "c":
            raise DifferentiationError(complex_result(name, t.dtype))
        return Tensor(np.ones(t.shape, t.dtype))
    seed = as_tensor(gradient)
    if seed.shape != t.shape:
        raise ShapeError(
            f"{name} of shape {t.shape} was given a gradient of shape {seed.shape}. Expected equal shapes."
        )
    seed = beside(seed, t, f"{name} of dtype {t.dtype} was given a gradient")
    return seed if seed.dtype == t.dtype else seed.astype(t.dtype)


def beside(t: Tensor, x: Tensor, said: str) -> Tensor:
    """A cotangent or tangent of x, complex if x is; a complex one of a real x is refused."""
    if t.dtype.kind == "c" and x.dtype.kind != "c":
        raise DTypeError(f"{said} of dtype {t.dtype}. Expected a real one.")
    return fitted(t, x.dtype) if x.dtype.kind == "c" else t


def complex_result(name: str, dtype: np.dtype[Any]) -> str:
    """What is said where a complex number was to be made small or large."""
    return (
        f"{name} of a complex number ({dtype}), which has no direction of ascent.\n"
        "Write ag.real(t), ag.imag(t) or ag.abs(t) for what is meant, give gradient= a cotangent, or write "
        "ag.holomorphic_grad(f) for the complex derivative of a function."
    )


@public()
def backward(
    t: Tensor | Sequence[Tensor],
    gradient: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Accumulate d(sum of gradient * t) into `.grad` of every leaf that t was made of.

    Parameters:
        t: one Tensor, or several, whose gradients add up.
        gradient: the cotangent of each, of its shape; may be left out for single elements.
        retain_graph: keep what the tape saved, so that it can be swept again; as `create_graph` for None.
        create_graph: record the sweep, so that the gradients can be differentiated. They then refer to the leaves that
            they hang on, a cycle: set `.grad = None` when done, or use `ag.grad`, which makes none.

    Raises:
        DifferentiationError: if t is not on the tape, or complex and without a gradient.
        ShapeError: if t has several elements and no gradient, or one of another shape.
        DTypeError: if t is real and the gradient complex.
        FreedTapeError: if an earlier sweep freed a part of the tape.
        ClobberedError: if a saved value was changed in place since.

    >>> import autograd as ag
    >>> x = ag.tensor(3.0, requires_grad=True)
    >>> ag.backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    alone = isinstance(t, Traced)
    ts: list[Any] = [t] if alone else list(t)
    given = [gradient] if alone else list(gradient or [None] * len(ts))
    if capturing and (noting := training()):
        noting.backward(ts, given, create_graph)
        return
    seeds = [seed_of(x, g, "backward") for x, g in zip(ts, given, strict=True)]
    roots = [x.node for x in ts if x.node is not None]
    retain = create_graph if retain_graph is None else retain_graph
    found = sweep(roots, seeds if create_graph else [s.value for s in seeds], record=create_graph, retain=retain)
    for leaf, g in found.items():
        part = shown(g)
        watch = leaf.watched()
        watch.grad = part if watch.grad is None else watch.grad + part
