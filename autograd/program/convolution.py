"""Convolution, recognised: a composition of windows and a product that comes to one sum over taps, and its kernels.

    y[n, o, h, ...] = b[o] + the sum over c, i, ... of  x[n, g(o) C / G + c, h s + i d - p, ...] * w[o, c, i, ...]

and the transpose of this in x. What a composition comes to is found by `indices`; here it is compared with the formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograd.ops.reduce import sum as total
from autograd.program.forms import Form, Label, Read, Sizes, joint
from autograd.program.indices import Indexed, argument
from autograd.program.launch import build, kernel_module
from autograd.program.plan import Plan
from autograd.program.symbol import Unfusable, looking

Forms = Sequence[Form]
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True, slots=True)
class Output:
    """Shape and dtype of a result."""

    shape: Sizes
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Match:
    """Which inputs are the images, the weights and the bias, and the settings of the kernels.

    Attributes:
        large, small: shapes of the images on both sides, (N, C, H, W) and (N, O, Ho, Wo).
        transposed: whether the small images are given and the large ones are the result.
    """

    x: int
    w: int
    bias: int | None
    large: Sizes
    small: Sizes
    kernel: Sizes
    settings: dict[str, Any]
    transposed: bool


def recognised(y: Indexed) -> Match:
    """The convolution that a composition comes to.

    Raises:
        Unfusable: if it is none.
    """
    if len(y.reads) < 2 or y.ndim not in (3, 4):
        raise Unfusable("it is no convolution of signals or images")
    if any((label,) not in y.axes and form.ends() != (0, 0) for label, form in y.places.items()):
        raise Unfusable("it reshapes what windows were added into")
    out = [y.places.get(labels[0], joint(labels)) if len(labels) == 1 else joint(labels) for labels in y.axes]
    names = [read.name for read in y.reads]
    if len(set(names)) < len(names) or any(len(read.shape) != y.ndim for read in y.reads[:2]):
        raise Unfusable("it is no product of images and weights")
    bias = y.reads[2] if len(y.reads) > 2 else None
    if bias is not None and not _counts_channels(bias, out[1], y.shape[1]):
        raise Unfusable("what it adds is not one number for each output channel")
    labels = {k for read in y.reads[:2] for form in read.at for k in form.terms if k.size > 1}
    for x, w in (y.reads[:2], y.reads[1::-1]):
        sides = [(x.at, x.shape), (out, y.shape)]
        for transposed in (False, True):
            (large, sizes), (small, counts) = reversed(sides) if transposed else sides
            found = _compared(large, sizes, small, counts, w, labels)
            if found is not None:
                name = None if bias is None else bias.name
                lead = [_images(shape) for shape in (sizes, counts, w.shape)]
                return Match(x.name, w.name, name, lead[0], lead[1], lead[2][2:], found, transposed)
    raise Unfusable("its sum is not that of a convolution")


def _images(shape: Sizes) -> Sizes:
    """A shape of signals as that of images of height 1."""
    return shape if len(shape) == 4 else (*shape[:2], 1, shape[2])


def _counts_channels(bias: Read, channel: Form, count: int) -> bool:
    """Whether the element of the bias that is read is, counted through all of it, that of the channel."""
    place = Form()
    for form, n in zip(bias.at, bias.shape, strict=True):
        least, most = form.ends()
        if least < 0 or most >= n:
            return False
        place = place * n + form
    return math.prod(bias.shape) == count and place.bare() == channel.bare()


def _compared(
    large: Forms, sizes: Sizes, small: Forms, counts: Sizes, w: Read, labels: set[Label]
) -> dict[str, Any] | None:
    """The settings with which large[n, c, h s + i d - p] meets small[n, o, h] and w[o, c, i], or None.

    n, o, c, the h and the i together take each of their values exactly once, by labels that occur in one of them only.
    """
    batch, channels, *positions = [form.bare() for form in large]
    image, output, *places = [form.bare() for form in small]
    column, depth, *taps = [form.bare() for form in w.at]
    parts = [image, output, *places, depth, *taps]
    if not all(form.counts(n) for form, n in zip(parts, (*counts, *w.shape[1:]), strict=True)):
        return None
    if sum(len(form.terms) for form in parts) != len(labels) or set().union(*(f.terms for f in parts)) != labels:
        return None
    groups, rest = divmod(sizes[1], w.shape[1])
    if rest or batch != image or sizes[0] != counts[0] or column != output or counts[1] != w.shape[0]:
        return None
    if counts[1] % groups or not _grouped(channels, output, depth, w.shape[1], counts[1] // groups, groups):
        return None
    along = [_along(*forms) for forms in zip(positions, places, taps, strict=True)]
    if None in along:
        return None
    return _settings([a for a in along if a], sizes[2:], counts[2:], w.shape[2:], groups)


def _grouped(channels: Form, output: Form, depth: Form, share: int, columns: int, groups: int) -> bool:
    """Whether channel = group * share + depth, where group = output // columns."""
    group = channels - depth
    if group.offset or any(multiple % share for multiple in group.terms.values()):
        return False
    group = Form({label: multiple // share for label, multiple in group.terms.items()})
    return group.counts(groups) and (output - group * columns).counts(columns)


def _along(position: Form, place: Form, tap: Form) -> tuple[int, int, int] | None:
    """The stride, the dilation and the zeros before, where position = place * stride + tap * dilation - before."""
    steps = []
    for form in (place, tap):
        label = next((k for k, multiple in form.terms.items() if multiple == 1), None)
        steps.append(1 if label is None else position.terms.get(label, 0))
    stride, dilation = steps
    left = position - place * stride - tap * dilation
    return None if left.terms or min(steps) < 1 else (stride, dilation, -left.offset)


def _settings(
    along: list[tuple[int, int, int]], sizes: Sizes, counts: Sizes, kernel: Sizes, groups: int
) -> dict[str, Any]:
    """The settings of the kernels; a signal is an image of height 1."""
    padding = []
    for (s, d, before), size, count, k in zip(along, sizes, counts, kernel, strict=True):
        padding.append((before, (count - 1) * s + d * (k - 1) + 1 - size - before))  # just as many as are met
    lone = len(along) == 1
    stride, dilation = (tuple(a[k] for a in ([(1, 1, 0)] * lone + along)) for k in (0, 1))
    return {
        "stride": stride,
        "padding": tuple([(0, 0)] * lone + padding),
        "dilation": dilation,
        "groups": groups,
    }


class Convolution:
    """A plan, as `Plan` is, of a composition that is a convolution."""

    single = True

    def __init__(self, f: Callable[..., Any], examples: Sequence[Any], settings: dict[str, Any]) -> None:
        if not all(isinstance(x, np.ndarray) and x.dtype in FLOATS and x.size for x in examples):
            raise Unfusable("a convolution takes arrays of float32 or float64 that are not empty")
        if len({x.dtype for x in examples}) > 1:
            raise Unfusable("its arguments have several dtypes")
        self.inputs = [Output(x.shape, x.dtype) for x in examples]
        with looking() as looks:
            y = f(*[argument(x, k) for k, x in enumerate(examples)], **settings)
        if looks or not isinstance(y, Indexed):
            raise Unfusable("it returns something that it did not compute")
        self.match = recognised(y)
        self.outputs = [Output(y.shape, y.dtype)]
        self.kernels = kernel_module("convolve")
        self._sums: dict[int, Plan] = {}

    def laid(self, values: Sequence[Any]) -> Sequence[Any]:
        """Arrays as the kernels see them: as they are."""
        return values

    seen = laid

    def differentiable(self) -> tuple[bool, ...]:
        """Which inputs have a cotangent."""
        m = self.match
        return tuple(k in (m.x, m.w, m.bias) for k in range(len(self.inputs)))

    def look(self, _values: Sequence[Any], results: list[Any]) -> list[Any]:
        """The results: no check looks at them."""
        return results

    def at_once(self, asked: tuple[bool, ...]) -> None:
        """No kernel makes the result together with its gradients."""
        return

    def forward(self, values: Sequence[Any]) -> list[Any]:
        """The result."""
        m, kernels = self.match, self.kernels
        x, w = self._image(values[m.x]), self._image(values[m.w])
        ways = kernels.forward, partial(kernels.input_gradient, shape=m.large)
        bias = None if m.bias is None else values[m.bias].reshape(-1)
        y = ways[m.transposed](x, w, **m.settings, bias=bias)
        return [y.reshape(self.outputs[0].shape)]

    def backward(self, asked: tuple[bool, ...]) -> Callable[[Sequence[Any]], list[Any]]:
        """What gives the cotangents of the inputs that are asked for."""

        def run(values: Sequence[Any]) -> list[Any]:
            g, m = self._image(values[-1]), self.match
            if m.transposed:
                g = self.kernels.channels_last(g)
            elif asked[m.x] and asked[m.w]:
                g = self.kernels.cotangent(g, self._image(values[m.x]), self._image(values[m.w]), **m.settings)
            return [self._cotangent(k, values, g) for k, wanted in enumerate(asked) if wanted]

        return run

    def _cotangent(self, k: int, values: Sequence[Any], g: Any) -> Any:
        m, kernels = self.match, self.kernels
        if k == m.bias:
            part = self._over_pixels(g)
        elif k == m.w:
            x = self._image(values[m.x])
            large, small = (g, x) if m.transposed else (x, g)
            part = kernels.weight_gradient(large, small, m.kernel, **m.settings)
        else:
            ways = partial(kernels.input_gradient, shape=m.large), kernels.forward
            part = ways[m.transposed](g, self._image(values[m.w]), **m.settings)
        return part.reshape(self.inputs[k].shape)

    def _image(self, x: Any) -> Any:
        return x.reshape(_images(x.shape))

    def _over_pixels(self, g: Any) -> Any:
        """The sum for each channel, in the order in which the numbers lie."""
        rows = self.kernels.channels_last(g) if not g.flags.c_contiguous else g
        if rows is g and g.flags.c_contiguous:
            n, channels, high, wide = g.shape
            planes = g.reshape(n * channels, high * wide)
            return self._sum(planes, 1).forward([planes])[0].reshape(n, channels).sum(0)
        pixels = rows.transpose(0, 2, 3, 1).reshape(-1, g.shape[1])
        return self._sum(pixels, 0).forward([pixels])[0]

    def _sum(self, g: Any, axis: int) -> Plan:
        """The kernel of the bias."""
        if axis not in self._sums:
            self._sums[axis] = Plan(lambda g: total(g, axis), [np.empty(g.shape, g.dtype)], {}, build)
        return self._sums[axis]

    def explanation(self) -> str:
        """The settings, and what runs."""
        m, names = self.match, [f"x{k}" for k in range(len(self.inputs))]
        kind = "transposed convolution" if m.transposed else "convolution"
        settings = ", ".join(f"{k} {v}" for k, v in m.settings.items())
        ways = ["input_gradient", "forward"] if m.transposed else ["forward", "input_gradient"]
        bias = "" if m.bias is None else f", plus {names[m.bias]} for each channel"
        lines = [
            f"{kind}: windows of {names[m.x]} {self.inputs[m.x].shape} times {names[m.w]} {self.inputs[m.w].shape}"
            f"{bias}: {self.outputs[0].shape} {self.outputs[0].dtype}",
            f"  {settings}",
            f"forward: {ways[0]} of kernels.convolve",
            f"backward: {ways[1]} for {names[m.x]}, weight_gradient for {names[m.w]}"
            + ("" if m.bias is None else f", a sum over pixels for {names[m.bias]}"),
        ]
        return "\n".join(lines)
