"""What grows in each topic, over which sizes, and from which size on the law is fitted."""

from __future__ import annotations

from dataclasses import dataclass

LINEAR = 1.1  # the exponent that a cost which is to grow linearly may have, caches and all


@dataclass(frozen=True)
class Topic:
    """A family of the same work in growing sizes.

    Attributes:
        name: of the phases in the programs. about: what is measured.
        sizes: all of them. quick: the greatest for `--quick`.
        start: the law is fitted from here on, where the cost of a call no longer shows.
        linear: whether ours is promised to grow linearly.
        bytes: that a library needs for each unit of the size, roughly, where that may be more than there is.
        parts: phases, and the bytes that the first one holds, are fitted apart; else all phases together.
        orders: the size is an order of differentiation, and what is fitted is the factor for each further one.
    """

    name: str
    about: str
    sizes: tuple[int, ...]
    quick: int
    start: int
    linear: bool = False
    bytes: int = 0
    parts: bool = False
    orders: bool = False


def powers(low: int, high: int) -> tuple[int, ...]:
    """10^low to 10^high.

    >>> powers(0, 3)
    (1, 10, 100, 1000)
    """
    return tuple(10**k for k in range(low, high + 1))


TOPICS = {
    topic.name: topic
    for topic in (
        Topic(
            "depth",
            "a chain of multiplications of 16 float64, recorded and swept",
            powers(0, 6),
            10**6,
            1000,
            linear=True,
            bytes=4000,
            parts=True,
        ),
        Topic(
            "width",
            "sum(tanh(x w)) and its gradient by w: n x n float32, 64 rows",
            (16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
            1024,
            256,
        ),
        Topic(
            "batch",
            "a perceptron 64-128-10 and its gradient, on n rows of float32",
            (1, 8, 64, 512, 4096, 32768, 262144),
            32768,
            512,
            bytes=4 * 64 * 24,
        ),
        Topic(
            "parameters",
            "sum(w tanh(w)), its gradient and a step, n float32",
            powers(3, 8),
            10**7,
            10**5,
            bytes=4 * 10,
        ),
        Topic(
            "product", "the Hessian of sum(tanh(x[1:] x[:-1])) times a vector, n float64", powers(2, 6), 10**6, 10**4
        ),
        Topic("order", "derivatives of tanh by order, 1,000 float64", (1, 2, 3, 4), 4, 1, orders=True),
    )
}
THREADS = {"width": (2048, 1024), "parameters": (10**7, 10**6)}  # the size that is shared out, whole and quick
