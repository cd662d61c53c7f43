"""Images read at the places of a grid, and the grids of affine maps: spatial transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from nn.linear import expect_floating

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Images read at the places of a grid: y[n, c, i, j] is x[n, c] at grid[n, i, j] = (column, row), from -1 to 1.

    Differentiable in both; at a whole pixel the derivative by the grid is that to the right.

    Parameters:
        input: (N, C, H, W).
        grid: (N, H', W', 2). -1 and 1 are the borders of the image, or the middles of its outermost pixels if aligned.
        mode: "bilinear"; "nearest", halves to the even pixel; "bicubic", a cubic through 4 x 4 pixels, a = -3/4.
        padding_mode: what is outside: "zeros", "border" repeats the border, "reflection" mirrors the image at it.
        align_corners: whether -1 and 1 are the middles of the outermost pixels.

    Returns:
        (N, C, H', W').

    Raises:
        ArgumentError: an unknown mode.
        ShapeError: shapes that do not fit, or an empty image.
        DTypeError: whole numbers.

    Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", 2015.

    >>> x = ag.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
    >>> grid_sample(x, ag.zeros((1, 1, 1, 2))).item()
    1.5
    """
    if mode not in MODES or padding_mode not in PADDINGS:
        raise ArgumentError(
            f"grid_sample was given mode={mode!r}, padding_mode={padding_mode!r}. Expected one of {', '.join(MODES)}; "
            f"one of {', '.join(PADDINGS)}."
        )
    x, grid = ag.asarray(input), ag.asarray(grid)
    if x.ndim != 4 or grid.ndim != 4 or grid.shape[0] != x.shape[0] or grid.shape[3] != 2 or 0 in x.shape[2:]:
        raise ShapeError(
            f"grid_sample was given images of shape {x.shape} and a grid of shape {grid.shape}. "
            "Expected (N, C, H, W) and (N, H', W', 2)."
        )
    expect_floating(x, "grid_sample")
    expect_floating(grid, "grid_sample")
    aligned = bool(align_corners)
    sizes = x.shape[2:]
    places = [_pixels(grid[..., 1 - axis], n, aligned) for axis, n in enumerate(sizes)]
    if mode == "bicubic":
        return _cubic(x, places, padding_mode, aligned)
    places = [_inside(p, n, padding_mode, aligned) for p, n in zip(places, sizes, strict=True)]
    if mode == "nearest":
        places = [ag.round(p) for p in places]
    return ag.resample(x, ag.stack(places, axis=1), order=mode, fill=_fill(padding_mode))  # type: ignore[arg-type]


def _fill(padding_mode: str) -> Any:
    return 0.0 if padding_mode == "zeros" else "edge"


def _pixels(g: Tensor, n: int, aligned: bool) -> Tensor:
    """Coordinates in pixels from those in [-1, 1]."""
    return (g + 1) * ((n - 1) / 2) if aligned else ((g + 1) * n - 1) / 2


def _inside(p: Tensor, n: int, padding_mode: str, aligned: bool) -> Tensor:
    """Mirrored at the middles of the outermost pixels, or at their outer borders."""
    if padding_mode != "reflection":
        return p
    low, span = (0.0, n - 1) if aligned else (-0.5, n)
    if span == 0:
        return 0 * p
    way = ag.abs(p - low)
    turns = ag.floor(way / span).detach()
    beyond = way - turns * span
    return low + ag.where(turns % 2 == 0, beyond, span - beyond)


def _cubic(x: Tensor, places: list[Tensor], padding_mode: str, aligned: bool) -> Tensor:
    """The sum of 4 x 4 pixels by the cubics of their distances (Keys 1981)."""
    wholes = [ag.floor(p).detach() for p in places]
    weights = [[ag.expand_dims(w, 1) for w in _keys(p - low)] for p, low in zip(places, wholes, strict=True)]
    total = ag.zeros((), dtype=x.dtype)
    for i, above in enumerate(weights[0]):
        row: Any = 0.0
        for j, left in enumerate(weights[1]):
            near = [
                _inside(low + (k - 1), n, padding_mode, aligned)
                for low, k, n in zip(wholes, (i, j), x.shape[2:], strict=True)
            ]
            row = row + left * ag.resample(x, ag.stack(near, axis=1), order="nearest", fill=_fill(padding_mode))
        total = total + above * row
    return total


def _keys(t: Tensor, a: float = -0.75) -> list[Tensor]:
    """What the pixels at -1, 0, 1 and 2 weigh at t from 0 to 1."""

    def near(t: Tensor) -> Tensor:
        return ((a + 2) * t - (a + 3)) * t * t + 1

    def far(t: Tensor) -> Tensor:
        return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid of an affine map: grid[n, i, j] = theta[n] (column, row, 1), for `grid_sample`.

    Columns and rows go from -1 to 1: middles of pixels between the borders, or from the first to the last if aligned.

    Parameters:
        theta: (N, 2, 3).
        size: of the images, (N, C, H, W).
        align_corners: whether -1 and 1 are the middles of the outermost pixels.

    Returns:
        (N, H, W, 2).

    Raises:
        ShapeError: another shape of theta, or another size.

    >>> affine_grid(ag.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2))
    tensor([[[[-0.5,  0. ],
              [ 0.5,  0. ]]]])
    """
    theta = ag.asarray(theta)
    sizes = tuple(size)
    if theta.ndim != 3 or theta.shape[1:] != (2, 3) or len(sizes) != 4 or sizes[0] != theta.shape[0] or min(sizes) < 1:
        raise ShapeError(
            f"affine_grid was given theta of shape {theta.shape} and size={sizes}. Expected (N, 2, 3) and (N, C, H, W)."
        )
    expect_floating(theta, "affine_grid")
    high, wide = (_middles(n, bool(align_corners)) for n in sizes[2:])
    rows, columns = np.meshgrid(high, wide, indexing="ij")
    base = np.stack([columns, rows, np.ones_like(rows)], -1).reshape(-1, 3).astype(theta.dtype)
    return ag.reshape(ag.asarray(base) @ ag.matrix_transpose(theta), (sizes[0], *sizes[2:], 2))


def _middles(n: int, aligned: bool) -> Any:
    if aligned:
        return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
    return (2 * np.arange(n) + 1) / n - 1
