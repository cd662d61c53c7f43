"""A plan: a traced composition, its derivative, and the kernels that run them on arrays of these shapes and dtypes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.errors import WengertError
from autograd.ops.shape import permute_dims
from autograd.program.loops import parted
from autograd.program.part import Part
from autograd.program.stages import along_row, is_total
from autograd.program.symbol import Symbol, Unfusable, derive, graph, looking

Order = tuple[int, ...]  # the axes of an array as they lie in memory, the last one moving fastest


class Plan:
    """The forward half of a composition and, once it is asked for, the backward half.

    Sums that the backward half needs again are kept from the forward half; all else is recomputed from the inputs.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        examples: Sequence[Any],
        settings: dict[str, Any],
        build: Any,
        order: Order | None = None,
    ) -> None:
        self.order = order
        self.back = None if order is None else tuple(np.argsort(order).tolist())
        self.inputs = [_input(x, k) for k, x in enumerate(self.laid(examples))]
        given = [self._turned(s, self.back) for s in self.inputs]
        with looking() as looks:
            result = f(*given, **settings)
        self.single = not isinstance(result, tuple)
        self.outputs = [self._turned(y, order) for y in ([result] if self.single else result)]
        for y in self.outputs:
            if not isinstance(y, Symbol) or y.op is None:
                raise Unfusable("it returns something that it did not compute")
        seen = dict.fromkeys([*given, *(s for _, read in looks for s in read)])
        place = {s: k for k, s in enumerate(seen)}
        self.looks = [(f, [place[s] for s in read]) for f, read in looks]
        self.looked = [self._turned(s, order) for s in list(seen)[len(given) :]]
        if any(0 in s.shape for s in graph([*self.outputs, *self.looked])):
            raise Unfusable("an array is empty")
        self.build = build
        self.wanted = [s for s in self.inputs if s.dtype.kind == "f" and not s.weak]
        self.saved: list[Symbol] = []
        self.gradients: dict[Symbol, Symbol] = {}
        self.seeds: list[Symbol] = []
        self.twins: list[tuple[Symbol, Symbol]] = []
        if self.wanted and all(y.dtype.kind == "f" for y in self.outputs):
            self._derive()
        self.forward = Part(self.inputs, [*self.outputs, *self.saved, *self.looked], build)
        self._backward: dict[tuple[bool, ...], Part | str] = {}
        self._at_once: dict[tuple[bool, ...], Part | None] = {}

    def _turned(self, s: Any, axes: Order | None) -> Any:
        return permute_dims(s, axes) if axes is not None and isinstance(s, Symbol) and s.ndim == len(axes) else s

    def laid(self, values: Sequence[Any]) -> Sequence[Any]:
        """Arrays as the kernels see them: their axes in the order of memory."""
        order = self.order
        if order is None:
            return values
        return [x.transpose(order) if np.ndim(x) == len(order) else x for x in values]

    def seen(self, values: Sequence[Any]) -> Sequence[Any]:
        """Arrays from kernels as the user sees them."""
        back = self.back
        if back is None:
            return values
        return [x if x is None or x.ndim != len(back) else x.transpose(back) for x in values]

    def look(self, values: Sequence[Any], results: list[Any]) -> list[Any]:
        """Let the checks of the composition look at its arguments and at what was computed for them; the other results.

        values, results: as the user sees them; the last results are those that are looked at.
        """
        if not self.looks:
            return results
        count = len(results) - len(self.looked)
        seen = [*values, *self.seen(results[count:])]
        for f, read in self.looks:
            f(*(np.asarray(seen[k]) for k in read))
        return results[:count]

    def _derive(self) -> None:
        self.seeds = [Symbol(y.shape, y.dtype, label=f"g{k}") for k, y in enumerate(self.outputs)]
        cotangents, self.twins = derive(self.outputs, self.seeds, self.wanted)
        derived = zip(self.wanted, cotangents, strict=True)
        self.gradients = {x: g for x, g in derived if g is not None}
        live = list(self.gradients.values())
        forward = set(graph(self.outputs))
        arrays = [*self.inputs, *self.seeds, *self.outputs]
        loops = parted(graph([*self.outputs, *live]), arrays, twins=self.twins)
        backward = [s for s in graph(live) if s in forward]
        returned = set(self.outputs)
        self.saved = [s for s in backward if s not in returned and (is_total(s, loops[s]) or along_row(s, loops[s]))]

    def backward(self, asked: tuple[bool, ...]) -> Part | str:
        """The kernels for the cotangents that are asked for, made when first asked for, or why there are none."""
        if asked not in self._backward:
            given = [*self.inputs, *self.saved, *self.seeds]
            outputs = [self.gradients[s] for s, wanted in zip(self.inputs, asked, strict=True) if wanted]
            try:
                self._backward[asked] = Part(given, outputs, self.build, self.twins)
            except Unfusable as reason:
                self._backward[asked] = f"backwards {reason}"
        return self._backward[asked]

    def reasons(self) -> list[str]:
        """Why some derivative runs as the plain composition."""
        return [part for part in self._backward.values() if isinstance(part, str)]

    def at_once(self, asked: tuple[bool, ...]) -> Part | None:
        """For a result of one element, the kernels for it together with its gradients: the inputs are read only once.

        What comes in from the tape then is a factor of them. None where there are no such kernels.
        """
        if asked not in self._at_once:
            try:
                self._at_once[asked] = self._whole(asked) if self.single and not self.outputs[0].shape else None
            except Unfusable:
                self._at_once[asked] = None
        return self._at_once[asked]

    def _whole(self, asked: tuple[bool, ...]) -> Part:
        gradients = [self.gradients[s] for s, wanted in zip(self.inputs, asked, strict=True) if wanted]
        outputs = [*self.outputs, *gradients, *self.looked]
        known = {seed: np.ones((), seed.dtype) for seed in self.seeds}
        return Part(self.inputs, outputs, self.build, self.twins, known=known)

    def differentiable(self) -> tuple[bool, ...]:
        """Which inputs have a cotangent."""
        return tuple(s in self.gradients for s in self.inputs)


def has_kernels(f: Callable[..., Any], values: Sequence[Any], settings: dict[str, Any]) -> bool:
    """Whether each operation of a composition has a kernel form, by itself."""
    try:
        with looking():
            f(*(_input(x, k) for k, x in enumerate(values)), **settings)
    except (Unfusable, WengertError):
        return False
    return True


def _input(x: Any, k: int) -> Symbol:
    if type(x) in (int, float):
        return Symbol((), np.dtype(np.float64), weak=True, label=f"x{k}")
    return Symbol(x.shape, x.dtype, label=f"x{k}")
