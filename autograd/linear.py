"""A function at a point as a linear map: its tape, read forwards and backwards as often as one likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.batching.level import batching
from autograd.broadcast import unbroadcast
from autograd.config import config
from autograd.errors import ShapeError
from autograd.primitive import Traced, capturing, chain, examine, training
from autograd.sweep import beside, fitted, saved_tensors, sweep
from autograd.tape import Node, enable_grad, entries, leaf
from autograd.tensor import Tensor, as_tensor
from autograd.transforms import _call, _recorded_beyond, apart_from_aux, settled, vjp
from autograd.tree import flatten_present, leaves_beside


class Linear:
    """One recorded run of f at its primals, and the derivative there as a linear map of lists of leaves.

    Attributes:
        inputs: the variables, one for each leaf of the primals.
        outputs: the leaves of the result.
        aux: what f returned beside its result, if that was said.
        build: what makes a result of them.
        builds: what makes each primal of its leaves.
        beyond: whether the tape reaches further than the primals, so that derivatives are recorded themselves.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: Sequence[Any],
        kwargs: dict[str, Any],
        positions: Sequence[int],
        push: bool,
        has_aux: bool = False,
    ) -> None:
        with config.using(kernels=False if push else config.kernels):  # a fused entry has no rule for each input
            result, variables, self.builds = _call(f, args, kwargs, positions)
        result, aux = apart_from_aux(result) if has_aux else (result, None)
        self.sizes = [len(group) for group in variables]
        self.inputs = [v for group in variables for v in group]
        leaves, self.build = flatten_present(result)
        self.outputs = [as_tensor(y) for y in leaves]
        self.roots = [y.node for y in self.outputs if y.node is not None]
        self.beyond = any(_recorded_beyond(r, self.inputs) for r in self.roots)
        self.aux = settled(aux, self.inputs)
        self._order: list[Node] | None = None
        self._maps: dict[tuple[Node, int, Any], Any] = {}

    @property
    def values(self) -> list[Tensor]:
        """The result's leaves, on the tape only as far as it is the user's own."""
        return [y if self.beyond else Tensor(y.value) for y in self.outputs]

    def arguments(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """A flat list in the shape of the primals."""
        rest = iter(leaves)
        return tuple(build([next(rest) for _ in range(n)]) for build, n in zip(self.builds, self.sizes, strict=True))

    def pull(self, seeds: Sequence[Tensor | None], record: bool = False) -> list[Tensor]:
        """Cotangents of the outputs, None for zero, to those of the inputs."""
        return pulled_back(self.outputs, self.inputs, seeds, record or self.beyond)

    def push(self, tangents: Sequence[Tensor | None]) -> list[Tensor]:
        """Tangents of the inputs, None for zero, to those of the outputs: the rules of the sweep, transposed."""
        moving: list[tuple[Node, Tensor]] = []
        for k, (x, t) in enumerate(zip(self.inputs, tangents, strict=True)):
            if t is not None and x.shape != t.shape:
                raise ShapeError(f"tangent {k} was given with shape {t.shape} for a primal of shape {x.shape}.")
            if t is not None and x.node is not None:
                moving.append((x.node, beside(t, x, "a real primal was given a tangent")))
        record = (
            self.beyond or bool(capturing) or any(t.node is not None for _, t in moving)
        )  # arrays are noted by nobody
        moved: dict[Node, Any] = {node: t if record else t.value for node, t in moving}
        if self._order is None:
            own = {x.node for x in self.inputs}
            self._order = [n for n in entries(self.roots) if n.op is not None and n not in own]
        with enable_grad(), np.errstate(all="ignore"):
            for node in self._order:
                total = None
                for i, parent in enumerate(node.parents or ()):
                    if parent is not None and parent in moved:
                        part = self._pushed(node, i, parent, moved[parent], record)
                        total = part if total is None or part is None else total + part
                if total is not None:
                    moved[node] = total
        found = [_tensor(moved.get(y.node) if y.node is not None else None, y) for y in self.outputs]
        if capturing:
            examine(found)
        return found

    def _pushed(self, node: Node, position: int, parent: Node, tangent: Any, record: bool) -> Any:
        """The part of an entry's tangent that comes from one input."""
        pull = node.op.pulls[position]
        if pull is None:
            return np.zeros(node.shape, node.dtype)
        key = (node, position, batching())  # what is made inside of ag.vmap is of no use outside
        if node.op.partials is not None and (node.op.analytic or parent.dtype.kind != "c"):
            if key not in self._maps:
                ones = np.ones(node.shape, node.dtype)
                saved = saved_tensors(node) if self.beyond else node.saved
                boxed = self.beyond or any(isinstance(v, Traced) for v in saved)
                found = pull(Tensor(ones) if boxed else ones, saved, node)
                self._maps[key] = found.value if boxed and not self.beyond else found
            slope = self._maps[key]
            return chain(fitted(tangent, node.dtype), Tensor(slope) if record and not self.beyond else slope)
        if key not in self._maps:
            probe = Tensor(np.zeros(node.shape, node.dtype), leaf(node.shape, node.dtype))
            saved = saved_tensors(node) if self.beyond else node.saved
            pulled = fitted(unbroadcast(pull(probe, saved, node), parent.shape), parent.dtype)
            self._maps[key] = (probe, pulled)
        probe, pulled = self._maps[key]
        if pulled.node is None:
            return np.zeros(node.shape, node.dtype)
        moved = fitted(tangent, parent.dtype)
        found = sweep([pulled.node], [moved], wanted={probe.node}, record=record, retain=True, transposed=True)
        return found.get(probe.node, np.zeros(node.shape, node.dtype))


def pulled_back(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Tensor | None],
    record: bool,
    transposed: bool = False,
) -> list[Tensor]:
    """A sweep that leaves the tape whole, from cotangents of outputs to those of inputs, zero where there is no way."""
    given = [(y, s) for y, s in zip(outputs, seeds, strict=True) if s is not None]
    record = record or any(s.node is not None for _, s in given)
    started = [(y.node, fitted(s, y.dtype)) for y, s in given if y.node is not None]
    found = sweep(
        [r for r, _ in started],
        [s if record else s.value for _, s in started],
        wanted={x.node for x in inputs if x.node is not None},
        record=record,
        retain=True,
        transposed=transposed,
    )
    return [_tensor(found.get(x.node) if x.node is not None else None, x) for x in inputs]


def _tensor(g: Any, like: Tensor) -> Tensor:
    if g is None:
        return Tensor(np.zeros(like.shape, like.dtype))
    return g if isinstance(g, Tensor) else Tensor(g)


def linearize(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """f(*primals), and its derivative there as a function of tangents: f runs once, the derivative as often as called.

    Primals and results may be nested containers; the function takes one tangent for each primal, of its structure.
    With `has_aux`, f returns (result, anything), and what is returned is (result, function, anything).

    Raises:
        ShapeError: if a tangent has another shape than its primal.

    >>> import autograd as ag
    >>> y, push = ag.linearize(lambda x: x * x, ag.tensor(3.0))
    >>> y, push(1.0), push(10.0)
    (tensor(9.), tensor(6.), tensor(60.))
    """
    if capturing and training():  # symbols are on no tape: the cotangent map, which is linear, is transposed
        y, pull, *aux = vjp(f, *primals, has_aux=has_aux)
        return y, lambda *tangents: vjp(pull, y)[1](tangents)[0], *aux
    run = Linear(f, primals, {}, range(len(primals)), push=True, has_aux=has_aux)

    def push(*tangents: Any) -> Any:
        return run.build(run.push(flat_tensors(tangents, primals, "linearize")))

    value = run.build(run.values)
    return (value, push, run.aux) if has_aux else (value, push)


def flat_tensors(trees: Any, primals: Any, name: str) -> list[Tensor]:
    """The leaves of directions as Tensors, in the order of those of the primals."""
    return [as_tensor(t) for t in leaves_beside(trees, primals, f"{name} was given as directions")]
