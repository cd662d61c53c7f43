"""Convolution inside of programs: one operation for each of the three sums, each the derivative of the others.

    y = the convolution of x with w;   sum(y g) = sum(x x') = sum(w w'), where x' and w' are its transposes at g

So a derivative of any order is made of the same three. The result of the first two lies pixel by pixel in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from autograd.primitive import Primitive, functions
from autograd.program.convolution import Convolution
from autograd.program.launch import empty, kernel_module

PIXELS = (0, 3, 1, 2)  # the axes of (N, H, W, C) in the order (N, C, H, W)


class Sum(Primitive):
    """One of the three: `of` names the function of `kernels.convolve`.

    Attributes:
        pixels: whether the result lies pixel by pixel.
    """

    def __init__(self, name: str, inputs: str, of: str, pixels: bool) -> None:
        self.of, self.pixels = of, pixels
        super().__init__(name, inputs, self._run, pulls=(None, None), reads=(frozenset({1, 2}),) * 2)
        self.differentiable = True

    def _run(self, a: Any, b: Any, **settings: Any) -> Any:
        if not self.pixels:
            return kernel_module("convolve").weight_gradient(a, b, **settings)
        n, channels, high, wide = self.shape((a, b), settings)
        out = empty((n, high, wide, channels), a.dtype)
        self.write(out, a, b, **settings)
        return out.transpose(0, 3, 1, 2)

    def write(self, out: Any, a: Any, b: Any, **settings: Any) -> None:
        """Write the result into `out`, pixel by pixel."""
        getattr(kernel_module("convolve"), self.of)(a, b, **settings, out=out)

    def shape(self, inputs: Sequence[Any], settings: dict[str, Any]) -> tuple[int, ...]:
        """The shape of the result."""
        if self.of == "input_gradient":
            return tuple(settings["shape"])
        a, b = inputs
        if self.of == "weight_gradient":
            return (b.shape[1], a.shape[1] // settings["groups"], *settings["kernel"])
        steps = (settings[name] for name in ("stride", "padding", "dilation"))
        along = zip(a.shape[2:], b.shape[2:], *steps, strict=True)
        return a.shape[0], b.shape[0], *((n + p + q - d * (k - 1) - 1) // s + 1 for n, k, s, (p, q), d in along)


def copied(name: str, inputs: Sequence[Any], settings: dict[str, Any]) -> int:
    """The bytes of the images with zeros at their edges that a sum makes for itself; 0 where it makes none."""
    if name not in ("convolve", "convolve_weight") or not any(map(any, settings["padding"])):
        return 0
    x = inputs[0]
    lengths = (n + p + q for n, (p, q) in zip(x.shape[2:], settings["padding"], strict=True))
    return int(prod((*x.shape[:2], *lengths)) * x.dtype.itemsize)


def _common(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("stride", "padding", "dilation", "groups")}


forward = Sum("convolve", "x w", "forward", True)
input_gradient = Sum("convolve_input", "g w", "input_gradient", True)
weight_gradient = Sum("convolve_weight", "x g", "weight_gradient", False)


def _to_input(g: Any, w: Any, x: Any, settings: dict[str, Any]) -> Any:
    return input_gradient(g, w, shape=tuple(x.shape), **_common(settings))


def _to_weight(x: Any, g: Any, w: Any, settings: dict[str, Any]) -> Any:
    return weight_gradient(x, g, kernel=tuple(w.shape[2:]), **_common(settings))


def _pull(rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda g, saved, node: rule(g, saved[1], saved[2], node.settings)


forward.pulls = (
    _pull(lambda g, x, w, settings: _to_input(g, w, x, settings)),
    _pull(lambda g, x, w, settings: _to_weight(x, g, w, settings)),
)
input_gradient.pulls = (
    _pull(lambda h, _g, w, settings: forward(h, w, **_common(settings))),
    _pull(lambda h, g, w, settings: _to_weight(h, g, w, settings)),
)
weight_gradient.pulls = (
    _pull(lambda v, x, g, settings: _to_input(g, v, x, settings)),
    _pull(lambda v, x, _g, settings: forward(x, v, **_common(settings))),
)


def noted(plan: Convolution, args: Sequence[Any]) -> Any:
    """The operations that a recognised convolution is made of, on what a capture computes with."""
    m = plan.match
    x, w = (_image(args[k]) for k in (m.x, m.w))
    y = input_gradient(x, w, shape=tuple(m.large), **m.settings) if m.transposed else forward(x, w, **m.settings)
    if m.bias is not None:
        y = y + functions["reshape"](args[m.bias], (1, -1, 1, 1))
    return functions["reshape"](y, plan.outputs[0].shape)


def _image(x: Any) -> Any:
    """A signal as an image of height 1."""
    return x if len(x.shape) == 4 else functions["reshape"](x, (*x.shape[:2], 1, *x.shape[2:]))
