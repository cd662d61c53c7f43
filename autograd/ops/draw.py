"""Random numbers that are a function of a seed and of the place of an element: drawn again instead of kept.

Philox2x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds of a multiplication on
the number of the element, in any order, on any number of threads, forwards and again backwards.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.primitive import nondifferentiable

MULTIPLIER, WEYL, ROUNDS = 0xD256D193, 0x9E3779B9, 10
SEEDS = 1 << 53  # seeds are whole numbers below, which a float64 holds
_LOW = np.uint64(0xFFFFFFFF)


def philox(index: NDArray[np.uint64], seed: int) -> NDArray[np.uint64]:
    """32 random bits for each index.

    >>> philox(np.arange(2, dtype=np.uint64), 0).tolist()
    [4280135257, 3705464917]
    """
    left = index & _LOW
    right = (index >> np.uint64(32)) + np.uint64((seed >> 32) << 11)
    key = seed & 0xFFFFFFFF
    for _ in range(ROUNDS):
        product = left * np.uint64(MULTIPLIER)
        left, right = (product >> np.uint64(32)) ^ np.uint64(key) ^ right, product & _LOW
        key = (key + WEYL) & 0xFFFFFFFF
    return left


def _uniform(x: Any, seed: Any) -> NDArray[Any]:
    x = np.asarray(x)
    bits = philox(np.arange(x.size, dtype=np.uint64), int(seed))
    return ((bits >> np.uint64(8)) * 2.0**-24).astype(x.dtype).reshape(x.shape)


uniform_like = nondifferentiable(
    "uniform_like",
    "x seed",
    _uniform,
    code="uniform(index, seed)",
    doc="""Uniform in [0, 1), in the shape and dtype of x: a function of the seed and of each element's place.

    Multiples of 2^-24. Seeds are whole numbers from 0 to 2^53 - 1; `Generator.seed` draws one.

    >>> import autograd as ag
    >>> ag.uniform_like(ag.zeros(2), 0)
    tensor([0.99654663, 0.86274576])
    """,
)
