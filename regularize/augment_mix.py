"""Mixtures of two samples, whose labels are mixed in the same proportion: mixup and CutMix."""

from __future__ import annotations

from abc import abstractmethod
from math import inf
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from regularize.augment import LARGE, Array, Stream, Transform, drawing, expect_batch, narrow, wide
from regularize.augment_place import expect_share


@ag.fused(smallest=LARGE)
def _mean(x: Tensor, other: Tensor, share: float, rest: float) -> Tensor:
    return share * x + rest * other


class Mixing(Transform):
    """The interface of what mixes samples, called as `t(x, y)`: write `blend`.

    Labels become distributions, which `nn.CrossEntropyLoss` takes:
    y' = lambda y + (1 - lambda) y[order].

    Parameters:
        alpha: lambda ~ Beta(alpha, alpha), above 0; small for mixtures that are nearly one of the two.
        classes: how many there are, for labels that are class indices; None for labels that are distributions.
        p: the probability that a batch is mixed.
        generator: as in `Transform`.

    Raises:
        ArgumentError: alpha not above 0, p outside 0 to 1, no labels, or class indices without `classes`.
        ShapeError: not a label for each sample.
        IndexOutOfRange: a label that is no class.
    """

    images: ClassVar[bool] = False

    def __init__(
        self, alpha: float = 0.2, classes: int | None = None, *, p: float = 1.0, generator: Stream = None
    ) -> None:
        super().__init__(generator=generator)
        who = type(self).__name__
        if not 0 < alpha < inf:
            raise ArgumentError(f"{who} was given alpha={alpha}. Expected 0 < alpha < inf.")
        self.alpha, self.classes, self.p = alpha, classes, expect_share(p, who)

    @abstractmethod
    def blend(self, x: Array, other: Array, share: float, rng: np.random.Generator) -> tuple[Array, float]:
        """A mixture of x and other, in which x has about this share, and the share that it has exactly."""

    def __call__(self, x: Any, *targets: Any, generator: Stream = None) -> Any:
        """The mixed inputs, of the same type and dtype, and the labels, (N, classes) of that dtype."""
        who = type(self).__name__
        if len(targets) != 1:
            raise ArgumentError(
                f"{who} was given {len(targets)} targets. Expected the labels, which it mixes too: {who}(...)(x, y)."
            )
        array = expect_batch(x, self.images, who)
        labels = _distributions(targets[0], len(array), self.classes, array.dtype, who)
        rng = drawing(self.generator, generator)
        if rng.random() < self.p:
            order = rng.permutation(len(array))
            array, share = self.blend(array, array[order], float(rng.beta(self.alpha, self.alpha)), rng)
            labels = share * labels + (1 - share) * labels[order]
        return (
            Tensor(array) if isinstance(x, Tensor) else array,
            Tensor(labels) if isinstance(targets[0], Tensor) else labels,
        )


def _distributions(y: Any, n: int, classes: int | None, dtype: np.dtype[Any], who: str) -> Array:
    """Labels as rows of shares."""
    labels = y.value if isinstance(y, Tensor) else np.asarray(y)
    if not labels.ndim or len(labels) != n:
        raise ShapeError(f"{who} was given {n} samples and labels of shape {labels.shape}. Expected one for each.")
    if labels.dtype.kind == "f":
        return labels.astype(dtype, copy=False)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DTypeError(
            f"{who} was given labels of shape {labels.shape} and dtype {labels.dtype}. "
            "Expected class indices (N,), or floating distributions."
        )
    if classes is None:
        raise ArgumentError(f"{who} was given class indices. Write {who}(classes=10), their number.")
    if n and not 0 <= labels.min() <= labels.max() < classes:
        raise IndexOutOfRange(f"{who} was given labels {labels.min()} to {labels.max()}. Expected 0 to {classes - 1}.")
    rows: Array = np.eye(classes, dtype=dtype)[labels]
    return rows


class Mixup(Mixing):
    """Each sample mixed with another one of the batch, and its label likewise.

        x' = lambda x + (1 - lambda) x[order],  lambda ~ Beta(alpha, alpha), one for the batch

    Parameters and errors are those of `Mixing`; x has any shape (N, ...).

    Zhang et al., "mixup: beyond empirical risk minimization", 2018.

    >>> import autograd as ag
    >>> x, y = Mixup(1.0, classes=2, generator=ag.random.Generator(0))(np.array([[0.0], [1.0]]), np.array([0, 1]))
    >>> np.allclose(x[:, 0], y[:, 1])
    True
    """

    def blend(self, x: Array, other: Array, share: float, rng: np.random.Generator) -> tuple[Array, float]:
        """The weighted mean."""
        return narrow(_mean(wide(x), wide(other), share, 1 - share), x), share


class CutMix(Mixing):
    """A box of each image replaced by that of another one of the batch; the label is mixed by the box's area.

        lambda ~ Beta(alpha, alpha); the box is sqrt(1 - lambda) of height and width, at one random place for the batch

    Parameters and errors are those of `Mixing`; x is (N, C, H, W). The paper takes alpha = 1.

    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features", 2019.

    >>> import autograd as ag
    >>> images, labels = np.arange(2.0).repeat(16).reshape(2, 1, 4, 4), np.array([0, 1])
    >>> x, y = CutMix(1.0, classes=2, generator=ag.random.Generator(1))(images, labels)
    >>> np.allclose(x.mean((1, 2, 3)), y[:, 1])
    True
    """

    images: ClassVar[bool] = True

    def blend(self, x: Array, other: Array, share: float, rng: np.random.Generator) -> tuple[Array, float]:
        """x with a box of the other; its share is what is left."""
        height, width = x.shape[2:]
        side = (1 - share) ** 0.5
        (top, bottom), (left, right) = (
            np.clip(rng.integers(n) + np.array([-1, 1]) * round(n * side) // 2, 0, n) for n in (height, width)
        )
        mixed = x.copy()
        mixed[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
        return mixed, 1 - float((bottom - top) * (right - left)) / (height * width)
