"""Matrix products, and what our threads do to those that a user runs with NumPy between two of our kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from bench.kernels.case import JAX, NUMPY, OURS, TORCH, Arrays, Case, Limit, Side

SIZES = [(128, 784, 256), (1024, 128, 512), (1024, 1024, 1024)]
KERNEL, PRODUCT = "the kernel", "the product"
ROWS = 512  # of the kernel's array: enough for threads, and about what a hidden layer gives to its activation
AGAIN = 0.05  # seconds: pairs are run again and again


@ag.fused
def swish(x: Any) -> Any:
    """A threaded kernel."""
    return x * ag.sigmoid(x)


def matrices(rng: np.random.Generator, shape: tuple[int, ...]) -> Arrays:
    """(m, k) and (k, n)."""
    m, k, n = shape
    return rng.standard_normal((m, k), np.float32), rng.standard_normal((k, n), np.float32)


def product(size: tuple[int, int, int]) -> Case:
    """`ag.matmul` against `np.matmul`."""
    sides = {
        OURS: Side("ours", lambda lib, *a: lib.call(ag.matmul, *a)),
        NUMPY: Side("numpy", lambda lib, *a: lib.call(np.matmul, *a)),
        TORCH: Side("torch", lambda lib, *a: lib.call(lambda torch: torch.matmul, *a)),
        JAX: Side("jax", lambda lib, *a: lib.call(lambda jax: jax.numpy.matmul, *a)),
    }
    name = f"matmul {'x'.join(map(str, size))}"
    return Case(name, size, matrices, sides, (Limit(1.0, (NUMPY,)),))


def interference(name: str, matmul: Callable[..., Any], most: float) -> Case:
    """The kernel and the product in turn, against the two apart; all three in the same process."""

    def kernel(_lib: Any, a: NDArray[Any], b: NDArray[Any]) -> Any:
        x = ag.tensor(np.resize(a, (ROWS, b.shape[1])))
        return lambda: swish(x)

    def multiply(_lib: Any, a: NDArray[Any], b: NDArray[Any]) -> Any:
        return lambda: matmul(a, b)

    def both(lib: Any, a: NDArray[Any], b: NDArray[Any]) -> Any:
        first, second = kernel(lib, a, b), multiply(lib, a, b)

        def pair() -> Any:
            first()
            return second()

        return pair

    sides = {OURS: Side("ours", both), KERNEL: Side("ours", kernel), PRODUCT: Side("ours", multiply)}
    limit = Limit(most, (KERNEL, PRODUCT))
    return Case(name, SIZES[0], matrices, sides, (limit,), moves=lambda _: 0, figures=lambda *_: [], lasting=AGAIN)


CASES = [
    *map(product, SIZES),
    interference("kernel, then np.matmul", np.matmul, 1.15),
    interference("kernel, then ag.matmul", ag.matmul, 1.05),
]
