"""Elastic distortion: each image bent by a smooth random field, as a hand's tremor bends its writing."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError
from regularize.augment import Array, Augmentation, Stream
from regularize.resample import Fill, Order, check_resampling, resample


def gaussian_matrix(n: int, sigma: float) -> NDArray[np.float64]:
    """The matrix that convolves n numbers with a Gaussian, cut off at 4 sigma, zeros beyond the ends.

    >>> np.round(gaussian_matrix(2, 1.0), 4).tolist()
    [[0.3989, 0.242], [0.242, 0.3989]]
    """
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    apart = np.abs(np.arange(n)[:, None] - np.arange(n))
    inside = apart <= reach
    found: NDArray[np.float64] = np.where(inside, weights[np.where(inside, reach + apart, 0)], 0.0) / weights.sum()
    return found


class ElasticDistortion(Augmentation):
    """Each pixel taken from a place nearby; the displacements are uniform noise, smoothed by a Gaussian.

        y[p] = x[p + alpha (G_sigma * u)[p]],  u uniform in [-1, 1) for rows and for columns

    Parameters:
        alpha: the strength, in pixels before smoothing, at least 0; Simard et al. take 34 for 28 x 28 digits.
        sigma: the width of the Gaussian in pixels, above 0; they take 4.
        order: "bilinear" or "nearest".
        fill: what comes in from outside: a number, or "edge".
        generator: as in `Transform`.

    Raises:
        ArgumentError: alpha below 0, sigma not above 0, another order or fill.

    Simard, Steinkraus and Platt, "Best practices for convolutional neural networks", 2003.

    >>> ElasticDistortion(8.0, 2.0)(np.ones((4, 1, 8, 8), "float32")).shape
    (4, 1, 8, 8)
    """

    def __init__(
        self,
        alpha: float = 34.0,
        sigma: float = 4.0,
        *,
        order: Order = "bilinear",
        fill: Fill = 0.0,
        generator: Stream = None,
    ) -> None:
        super().__init__(generator=generator)
        if not 0 <= alpha < inf or not 0 < sigma < inf:
            raise ArgumentError(
                f"ElasticDistortion was given alpha={alpha}, sigma={sigma}. Expected 0 <= alpha and 0 < sigma."
            )
        check_resampling(order, fill, "ElasticDistortion")
        self.alpha, self.sigma, self.order, self.fill = alpha, sigma, order, fill

    def displacements(self, n: int, height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """How far from its own place each pixel is taken: rows and columns, (n, 2, height, width)."""
        noise = rng.uniform(-1, 1, (n, 2, height, width))
        return self.alpha * (gaussian_matrix(height, self.sigma) @ noise @ gaussian_matrix(width, self.sigma))

    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """(N, C, H, W) to the same."""
        n, _, height, width = x.shape
        grid = np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"))
        return resample(x, grid + self.displacements(n, height, width, rng), order=self.order, fill=self.fill)
