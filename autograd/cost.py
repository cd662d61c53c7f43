"""What the operations on the tape cost: their floating-point operations, counted from shapes alone."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from autograd.tape import Node, entries, serials
from autograd.tensor import Tensor

PER_OUTPUT = {"where": 1, "cumulative_sum": 1, "cumulative_prod": 1, "linear_recurrence": 2}
PER_INPUT = {
    **dict.fromkeys(("sum", "max", "min", "prod", "fold", "scatter", "window_place", "crop_transpose"), 1),
    "norm": 2,
    "logsumexp": 4,
    "softmax": 5,
    "log_softmax": 5,  # of the largest, -, exp, +, and / or -
}
PRODUCTS = ("matmul", "inner", "affine", "einsum")
PER_CUBE = {  # for an (m, n) matrix, times m n min(m, n), after Golub and Van Loan (2013)
    "cholesky": 1 / 3,
    "solve": 2 / 3,  # and 2 n^2 for each column of the right-hand side
    **dict.fromkeys(("det", "logabsdet", "detphase"), 2 / 3),
    "inv": 2,
    "qr": 4,
    "eigh": 9,
    **dict.fromkeys(("svd", "cofactor", "pinv"), 22),
}
TRANSFORMS = {"fft": 5, "rfft": 2.5, "irfft": 2.5}  # times n log2 n for n points, after Van Loan (1992)
WINDOWS = ("window_max", "window_sum", "window_spread")
RESAMPLED = ("resample", "resample_transpose")
MOVES = (
    *("pick", "place", "getitem", "put", "reshape", "permute_dims", "broadcast_to", "astype", "concat", "pad", "tril"),
    *("window", "window_pick", "crop"),
)


class Cost(NamedTuple):
    """One operation of the tape: where it stands there, its name, the shape it makes, its operations.

    >>> Cost(7, "add", (2, 3), 6).flops
    6
    """

    position: int
    operation: str
    shape: tuple[int, ...]
    flops: int


def tape_position() -> int:
    """A number between those of the operations recorded before and those recorded from now on.

    >>> tape_position() < tape_position()
    True
    """
    return next(serials)


def costs_of(*outputs: Tensor) -> list[Cost]:
    """The cost of every operation that the outputs were made of, in the order in which they ran.

    The convention: an elementwise operation is 1 for each element that it makes, whatever it is; a product of matrices
    (m, k) and (k, n) is 2 m n k; a reduction is 1 for each element that it reads, as often as there are windows that it
    reads it in; softmax is 5 for each element (its largest, minus, exp, sum, division); an image read between its
    pixels is 8 for each element (a multiplication and an addition for each of four pixels); factors of a matrix are a
    multiple of m n min(m, n); a Fourier transform of n points is 5 n log2(n), half of that for real numbers; moving
    data is 0. Convolution is the product that it is composed of. What is off the tape, because it depends on no leaf
    that requires a gradient, is not counted. A fused function is one entry: write `with config.using(kernels=False):`
    around what is to be counted operation by operation.

    >>> import autograd as ag
    >>> w = ag.ones((4, 3), requires_grad=True)
    >>> [(c.operation, c.flops) for c in ag.costs_of(ag.tanh(ag.ones((2, 4)) @ w))]
    [('matmul', 48), ('tanh', 6)]
    """
    nodes = entries([t.node for t in outputs if t.node is not None])
    return [Cost(n.serial, n.op.name, n.shape, flops(n)) for n in nodes if n.op is not None]


def flops(node: Node) -> int:
    """The operations of one entry, by the convention of `costs_of`."""
    name, size = node.op.name, math.prod(node.shape)
    if name == "matmul":
        return 2 * size * (_shapes(node)[0] or _shapes(node)[1])[-1 if _shapes(node)[0] else -2]
    if name == "inner":
        return 2 * size * (_shapes(node)[0] or _shapes(node)[1])[-1]
    if name == "affine":
        return size + 2 * size * (_shapes(node)[0] or _shapes(node)[1] or (0,))[-1]  # 0: of constants, off the tape
    if name == "einsum":
        return _of_einsum(node)
    if name in PER_CUBE:
        return _of_factors(node)
    if name in TRANSFORMS:
        return _of_transform(node)
    if name in WINDOWS or name in RESAMPLED:
        return _of_places(node)
    if name in PER_INPUT:
        return PER_INPUT[name] * math.prod(_shapes(node)[0])
    return 0 if name in MOVES else PER_OUTPUT.get(name, 1) * size


def _of_factors(node: Node) -> int:
    shape = _shapes(node)[0] or node.saved[1].shape
    solved = 2 * math.prod(node.shape) * shape[-1] if node.op.name == "solve" else 0
    return int(PER_CUBE[node.op.name] * math.prod(shape) * min(shape[-2:])) + solved


def _of_transform(node: Node) -> int:
    """Of the longer side, that of the numbers themselves: half a spectrum is the shorter."""
    note: Any = node.settings
    shape = node.shape if node.op.name == "irfft" else _shapes(node)[0]
    points = math.prod(shape[k] for k in note.get("axes", (note.get("axis"),)))
    return int(TRANSFORMS[node.op.name] * math.prod(shape) * math.log2(points or 1))


def _of_places(node: Node) -> int:
    """For each place that an element is made of, or that a transpose adds it to; the nearest pixel is but moved."""
    note: Any = node.settings
    each = math.prod(note["size"]) if node.op.name in WINDOWS else 0 if note["nearest"] else 8
    made = node.op.name in ("window_max", "window_sum", "resample")
    return each * math.prod(node.shape if made else _shapes(node)[0])


def _of_einsum(node: Node) -> int:
    """A multiplication for each operand after the first, and an addition if anything is summed, at each label."""
    note: Any = node.settings
    lengths = {
        k: n for t, shape in zip(note["terms"], _shapes(node), strict=True) for k, n in zip(t, shape, strict=True)
    }
    summed = len(lengths) > len(note["output"])
    return (len(note["terms"]) - 1 + summed) * math.prod(lengths.values())


def _shapes(node: Node) -> list[tuple[int, ...]]:
    """The shape of each input; () for a constant that was not kept."""
    parents = node.parents or ()
    kept = [getattr(v, "shape", ()) for v in node.saved[1:]] + [()] * len(parents)
    return [k if p is None else p.shape for p, k in zip(parents, kept, strict=False)]
