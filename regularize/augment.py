"""Augmentation: small changes to a batch that leave its meaning, new ones in each epoch; and how to put them together.

A transform is called as `t(x)`, giving x, or `t(x, y, ...)`, giving all of them. Arrays give arrays, Tensors give
Tensors, of the same dtype; what is given is never written into. `nn.DataLoader(x, y, transform=t)` changes batches as
they are read, anew in each epoch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from nn.generators import stream_of

Array = NDArray[Any]
Stream = ag.random.Generator | None
LARGE = 1 << 15  # numbers from which on a kernel over threads is faster than NumPy


def drawing(*streams: Stream) -> np.random.Generator:
    """NumPy's random numbers from a seed of the first stream that is not None, else of the default one.

    >>> drawing(ag.random.Generator(0)).integers(10) == drawing(None, ag.random.Generator(0)).integers(10)
    np.True_
    """
    stream = next((s for s in streams if s is not None), ag.random.default)
    return np.random.default_rng(stream.seed())


def expect_batch(x: Any, images: bool, who: str) -> Array:
    """The batch as an array.

    Raises:
        ShapeError: if it is not (N, C, H, W) for images, (N, ...) for others, or seems to have its channels last.
        DTypeError: if it is not floating.
        UnsupportedError: if it is a Tensor that a gradient is wanted for, which would be lost.
    """
    if isinstance(x, Tensor) and x.requires_grad:
        raise UnsupportedError(f"{who} was given a Tensor that requires a gradient, which ends here. Write x.detach().")
    array = x.value if isinstance(x, Tensor) else np.asarray(x)
    if images and array.ndim != 4:
        fix = "\nWrite x[:, None] for grey images without an axis of channels." if array.ndim == 3 else ""
        raise ShapeError(f"{who} was given shape {array.shape}. Expected a batch of images, (N, C, H, W).{fix}")
    if images and array.shape[3] in (1, 3, 4) and min(array.shape[1:3]) > 4:
        raise ShapeError(
            f"{who} was given shape {array.shape}, which looks like images with their channels last. Expected "
            "(N, C, H, W).\nWrite x.transpose(0, 3, 1, 2)."
        )
    if array.ndim < 2:
        raise ShapeError(f"{who} was given shape {array.shape}. Expected a batch, (N, ...).")
    if array.dtype.kind != "f":
        raise DTypeError(f"{who} was given dtype {array.dtype}. Write x.astype('float32').")
    return array


def wide(x: Array) -> Tensor:
    """A batch in a dtype that kernels have.

    >>> wide(np.ones(2, "float16")).dtype
    dtype('float32')
    """
    return ag.asarray(x.astype(np.float32 if x.dtype.itemsize < 8 else np.float64, copy=False))


def narrow(found: Tensor, x: Array) -> Array:
    """What a kernel made of a batch x, as an array of its dtype.

    >>> narrow(wide(np.ones(2, "float16")), np.ones(2, "float16")).dtype
    dtype('float16')
    """
    result: Array = found.value.astype(x.dtype, copy=False)
    return result


def one_each(x: Array, values: Any) -> Array:
    """A number for each sample, of the dtype that `wide` gives x, shaped to broadcast with it.

    >>> one_each(np.ones((2, 3), "float32"), [1, 2]).tolist()
    [[1.0], [2.0]]
    """
    return np.asarray(values, wide(x[:0]).dtype).reshape((-1,) + (1,) * (x.ndim - 1))


class Transform(ABC):
    """The interface of all transforms: `t(x)` is x changed, `t(x, *targets)` all of a batch changed.

    Parameters:
        generator: where its random numbers come from. None for those of the transform that it is part of, and
            otherwise for the default stream, which `ag.random.seed` sets.
    """

    def __init__(self, *, generator: Stream = None) -> None:
        stream_of(generator, type(self).__name__)
        self.generator = generator

    @abstractmethod
    def __call__(self, x: Any, *targets: Any, generator: Stream = None) -> Any:
        """The changed batch, drawn from `generator` if the transform has none of its own."""


class Augmentation(Transform):
    """The interface of what changes the inputs alone: write `change`, and set `images` to False for other data.

    >>> class Negative(Augmentation):
    ...     def change(self, x, rng):
    ...         return -x
    >>> Negative()(np.ones((1, 1, 1, 2)), np.array([7]))
    (array([[[[-1., -1.]]]]), array([7]))
    """

    images: ClassVar[bool] = True

    @abstractmethod
    def change(self, x: Array, rng: np.random.Generator) -> Array:
        """The batch changed: a new array of its dtype, with random numbers from NumPy's generator `rng`."""

    def __call__(self, x: Any, *targets: Any, generator: Stream = None) -> Any:
        """x changed, of the same type and dtype; with targets, a tuple of it and them.

        Raises:
            ShapeError: x is not a batch, (N, C, H, W) or, for other data, (N, ...).
            DTypeError: x is not floating.
        """
        array = expect_batch(x, self.images, type(self).__name__)
        changed = self.change(array, drawing(self.generator, generator))
        found = Tensor(changed) if isinstance(x, Tensor) else changed
        return (found, *targets) if targets else found


def transformed(transform: Callable[..., Any], x: Any, targets: tuple[Any, ...], stream: Stream) -> tuple[Any, ...]:
    """A batch through a transform of ours, or its inputs through any other callable.

    >>> transformed(lambda x: x + 1, np.zeros(2), (np.ones(2),), None)
    (array([1., 1.]), array([1., 1.]))
    """
    if not isinstance(transform, Transform):
        return transform(x), *targets
    found = transform(x, *targets, generator=stream)
    return found if targets else (found,)


class Compose(Transform):
    """Several transforms, one after another; any callable on the inputs will do.

    Parameters:
        transforms: transforms of ours, or callables that are given the inputs.
        generator: for those of them that have none of their own.

    Raises:
        ArgumentError: something that cannot be called.

    >>> double_and_add = Compose(lambda x: 2 * x, lambda x: x + 1)
    >>> double_and_add(np.ones((1, 2)))
    array([[3., 3.]])
    """

    def __init__(self, *transforms: Callable[..., Any], generator: Stream = None) -> None:
        super().__init__(generator=generator)
        wrong = [t for t in transforms if not callable(t)]
        if wrong:
            raise ArgumentError(
                f"Compose was given a {type(wrong[0]).__name__}. Expected transforms: write Compose(a, b), or "
                "Compose(*transforms) for a list of them."
            )
        self.transforms = transforms

    def __call__(self, x: Any, *targets: Any, generator: Stream = None) -> Any:
        """The batch through each in turn."""
        batch: tuple[Any, ...] = (x, *targets)
        for transform in self.transforms:
            batch = transformed(transform, batch[0], batch[1:], self.generator or generator)
        return batch if targets else batch[0]


class RandomApply(Transform):
    """A transform of the inputs for each sample with probability p, the others as they are.

    Parameters:
        transform: one of ours, or a callable that is given the chosen samples, and keeps their shape.
        p: the probability, 0 to 1.
        generator: where choices come from, and random numbers of a transform without a generator.

    Raises:
        ArgumentError: p outside 0 to 1.
        ShapeError: a transform that changes the shape.

    >>> negative = RandomApply(lambda x: -x, 0.5, generator=ag.random.Generator(0))
    >>> sorted(set(negative(np.ones((100, 1))).ravel().tolist()))
    [-1.0, 1.0]
    """

    def __init__(self, transform: Callable[..., Any], p: float = 0.5, *, generator: Stream = None) -> None:
        super().__init__(generator=generator)
        if not 0 <= p <= 1:
            raise ArgumentError(f"RandomApply was given p={p}. Expected a probability, 0 to 1.")
        self.transform, self.p = transform, p

    def __call__(self, x: Any, *targets: Any, generator: Stream = None) -> Any:
        """The batch, some samples of it changed."""
        stream = self.generator or generator
        array = expect_batch(x, False, "RandomApply")
        chosen = np.flatnonzero(drawing(stream).random(len(array)) < self.p)
        part = array[chosen]
        (changed,) = transformed(self.transform, Tensor(part) if isinstance(x, Tensor) else part, (), stream)
        values = changed.value if isinstance(changed, Tensor) else np.asarray(changed)
        if values.shape != part.shape:
            raise ShapeError(
                f"RandomApply: the transform made shape {values.shape} of {part.shape}. Expected the same: samples "
                "that are changed stand beside others that are not."
            )
        whole = array.copy()
        whole[chosen] = values
        found = Tensor(whole) if isinstance(x, Tensor) else whole
        return (found, *targets) if targets else found


class PerSample(Transform):
    """A function of one sample, for each sample of a batch: how the transforms of other libraries fit in.

    Parameters:
        function: given an array without the batch's axis, (C, H, W) for images; all results have one shape.

    >>> PerSample(np.fliplr)(np.array([[[1.0, 2.0]], [[3.0, 4.0]]])).tolist()
    [[[2.0, 1.0]], [[4.0, 3.0]]]
    """

    def __init__(self, function: Callable[[Array], Any]) -> None:
        super().__init__()
        self.function = function

    def __call__(self, x: Any, *targets: Any, generator: Stream = None) -> Any:
        """The batch of the results, of its dtype."""
        array = expect_batch(x, False, "PerSample")
        if len(array):
            array = np.stack([np.asarray(self.function(sample)) for sample in array]).astype(array.dtype, copy=False)
        found = Tensor(array) if isinstance(x, Tensor) else array
        return (found, *targets) if targets else found
