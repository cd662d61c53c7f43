"""Which kernels make a convolution or one of its transposes, for shapes and strides: plans, each made once."""

from __future__ import annotations

from functools import lru_cache

from autograd.kernels.convolve_axis import against, along, outputs
from autograd.kernels.convolve_fold import Fold
from autograd.kernels.convolve_fold import fitting as folding
from autograd.kernels.convolve_pixels import Pixels
from autograd.kernels.convolve_planes import Planes, Taps, fitting, taps_fitting
from autograd.kernels.convolve_source import Pair
from autograd.kernels.convolve_sums import Sums

Sizes = tuple[int, ...]
Pairs = tuple[Pair, Pair]
BEYOND = 1.3  # times the pixels of the cotangent that the images may have before products for each tap are faster


@lru_cache(1024)
def forward_plan(
    size: int,
    shape: Sizes,
    strides: Sizes,
    weights: Sizes,
    stride: Pair,
    padding: Pairs,
    dilation: Pair,
    groups: int,
    free: bool,
) -> Planes | Sums:
    """The plan of a convolution. free: its result may lie in any order."""
    settings = list(zip(shape[2:], weights[2:], stride, padding, dilation, strict=True))
    high, wide = (outputs(*setting) for setting in settings)
    if free and fitting(size, shape, strides, weights, (high, wide), stride, dilation, groups):
        before, result = (padding[0][0], padding[1][0]), (shape[0], weights[0], high, wide)
        return Planes(size, shape, strides, weights, result, stride, before, dilation, groups)
    axes = tuple(along(n, *setting[1:]) for n, setting in zip((high, wide), settings, strict=True))
    return Sums(size, shape, strides, weights, (shape[0], high, wide, weights[0]), axes, groups, turned=False)


@lru_cache(1024)
def input_plan(
    size: int,
    shape: Sizes,
    strides: Sizes,
    weights: Sizes,
    result: Sizes,
    stride: Pair,
    padding: Pairs,
    dilation: Pair,
    groups: int,
    free: bool,
) -> Planes | Fold | Sums:
    """The plan of the transpose in the images."""
    n, channels, high, wide = result
    folds = 0 not in (*shape, *result) and folding(size, shape, strides, weights, groups)
    fewer = not folds or high * wide <= BEYOND * shape[2] * shape[3]
    turned = (channels, weights[0] // groups, *weights[2:])
    apart = free and fewer and stride == (1, 1)
    if apart and fitting(size, shape, strides, turned, (high, wide), stride, dilation, groups):
        before = (dilation[0] * (weights[2] - 1) - padding[0][0], dilation[1] * (weights[3] - 1) - padding[1][0])
        return Planes(size, shape, strides, turned, result, stride, before, dilation, groups, turned=True)
    if folds:
        return Fold(size, shape, strides, weights, result, stride, padding, dilation, groups)
    settings = zip(result[2:], weights[2:], stride, padding, dilation, strict=True)
    axes = tuple(against(*setting) for setting in settings)
    return Sums(size, shape, strides, weights, (n, high, wide, channels), axes, groups, turned=True)


@lru_cache(1024)
def weight_plan(
    size: int,
    shapes: tuple[Sizes, Sizes, Sizes, Sizes],
    kernel: Pair,
    stride: Pair,
    padding: Pairs,
    dilation: Pair,
    groups: int,
) -> Taps | Pixels:
    """The plan of the transpose in the weights. shapes: of x, its strides, those of g."""
    if taps_fitting(size, shapes, kernel, stride, groups):
        before = (padding[0][0], padding[1][0])
        return Taps(size, *shapes, kernel, stride, before, dilation, groups)
    settings = zip(shapes[2][2:], kernel, stride, padding, dilation, strict=True)
    axes = tuple(along(*setting)[0] for setting in settings)
    return Pixels(size, *shapes, axes, groups)
