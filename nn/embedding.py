"""Embeddings: rows of a learned table, one for each number, or one reduction for each bag of numbers."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from nn import init
from nn.linear import expect_floating
from nn.module import Module, Parameter

Numbers = Tensor | ArrayLike
REDUCTIONS = ("sum", "mean", "max")


def embedding(input: Numbers, weight: Tensor, padding_idx: int | None = None, *, sparse: bool = False) -> Tensor:
    """y[..., :] = W[input[...], :].

    Parameters:
        input: whole numbers from 0 to n - 1, any shape.
        weight: W, (n, d).
        padding_idx: a row that gets no gradient.
        sparse: whether `backward` gives W a row-sparse gradient (`ag.RowSparse`): the rows that were looked up.

    Returns:
        (*input.shape, d).

    Raises:
        IndexOutOfRange: if a number names no row.
        DTypeError: if they are not whole numbers.

    Neither `max_norm`, which would change W in a forward pass, nor `scale_grad_by_freq` is here.

    >>> embedding([2, 0], ag.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    tensor([[3., 3.],
            [1., 1.]])
    """
    return _rows(input, weight, padding_row(padding_idx, len(weight), "embedding"), sparse, "embedding")


def padding_row(padding_idx: int | None, count: int, who: str) -> int | None:
    """The row for padding, counted from the start.

    Raises:
        ArgumentError: if there is no such row.

    >>> padding_row(-1, 10, "Embedding")
    9
    """
    if padding_idx is None:
        return None
    if not -count <= padding_idx < count:
        raise ArgumentError(
            f"{who} was given padding_idx={padding_idx} for {count} rows. Expected {-count} to {count - 1}."
        )
    return padding_idx % count


def _numbers(input: Numbers, count: int, who: object) -> Any:
    """The numbers, known to name rows: an array, or what stands for it in a compiled function."""
    numbers = ag.asarray(input)
    if numbers.dtype.kind not in "iu" and numbers.size:
        raise DTypeError(f"{who} was given numbers of dtype {numbers.dtype}. Write input.astype('int64').")
    ag.check(partial(_check_rows, count, who), numbers)
    return numbers.astype("int64") if ag.is_captured(numbers) else numbers.numpy().astype(np.intp, copy=False)


def _check_rows(count: int, who: object, numbers: NDArray[Any]) -> None:
    if numbers.size and not (numbers.min() >= 0 and numbers.max() < count):
        wrong = (numbers < 0) | (numbers >= count)
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        fix = "Map numbers below 0 to a row kept for them."
        if numbers[place] >= count:
            fix = (
                f"Write num_embeddings={int(numbers.max()) + 1} or more, or map unknown numbers to a row kept for them."
            )
        raise IndexOutOfRange(
            f"{who} was given {numbers[place]} at position {place}, an input of shape {numbers.shape}. "
            f"Expected 0 to {count - 1}.\n{fix}"
        )


def _taken(weight: Tensor, numbers: Any, sparse: bool) -> Tensor:
    return ag.take_rows(weight, numbers) if sparse else ag.take(weight, numbers, 0)


def _rows(input: Numbers, weight: Tensor, padding: int | None, sparse: bool, who: object) -> Tensor:
    numbers = _numbers(input, len(weight), who)
    rows = _taken(weight, numbers, sparse)
    if padding is None:
        return rows
    return ag.where(ag.expand_dims(ag.equal(numbers, padding), -1), ag.stop_gradient(rows), rows)


def embedding_bag(
    input: Numbers,
    weight: Tensor,
    offsets: Numbers | None = None,
    mode: str = "mean",
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
    *,
    sparse: bool = False,
) -> Tensor:
    """y[b] = the sum, mean or maximum of the rows W[i] over the numbers i of bag b; 0 for an empty bag.

    Parameters:
        input: whole numbers from 0 to n - 1: (B, k) for B bags of k, or (N,) for bags one after another.
        weight: W, (n, d).
        offsets: (B,), where each bag of (N,) starts, in ascending order, the first at 0.
        mode: "sum", "mean" or "max".
        per_sample_weights: what each row is multiplied by before the sum, of the shape of `input`; mode "sum" only.
        include_last_offset: whether `offsets` ends with the end of the last bag, and so is (B + 1,).
        padding_idx: a row that is left out of every bag.
        sparse: as for `embedding`.

    Returns:
        (B, d).

    Raises:
        ArgumentError: if `mode` is unknown, or has no use for weights; or the padding is no row.
        ShapeError: if input, offsets and weights do not fit each other, or offsets do not ascend from 0.
        IndexOutOfRange: if a number names no row.
        DTypeError: if numbers are not whole.

    Bags are made equally long before they are reduced: one very long bag costs as much for each of the others.

    >>> embedding_bag([0, 1, 2], ag.tensor([[1.0], [2.0], [4.0]]), [0, 2])
    tensor([[1.5],
            [4. ]])
    """
    padding = padding_row(padding_idx, len(weight), "embedding_bag")
    _expect_mode(mode, "embedding_bag")
    form = _Form(mode, include_last_offset, padding, sparse)
    return _bags(input, weight, offsets, per_sample_weights, form, "embedding_bag")


def _expect_mode(mode: str, who: str) -> None:
    if mode not in REDUCTIONS:
        raise ArgumentError(f"{who} was given mode={mode!r}. Expected one of: {', '.join(REDUCTIONS)}.")


class _Form(NamedTuple):
    """How bags are reduced."""

    mode: str
    last: bool
    padding: int | None
    sparse: bool


def _bags(
    input: Numbers, weight: Tensor, offsets: Numbers | None, shares: Tensor | None, form: _Form, who: object
) -> Tensor:
    mode, last, padding, sparse = form
    numbers = _numbers(input, len(weight), who)
    if shares is not None and mode != "sum":
        raise ArgumentError(f"{who} was given per_sample_weights for mode {mode!r}. Expected mode 'sum'.")
    if shares is not None and shares.shape != numbers.shape:
        raise ShapeError(
            f"{who} was given per_sample_weights of shape {shares.shape} for an input of shape {numbers.shape}. "
            "Expected one number for each."
        )
    places, counted = _places(numbers, offsets, last, who)
    flat = numbers.reshape(-1)
    if padding is not None and flat.size:
        counted = counted & (flat[places] != padding)
    if not flat.size:
        return ag.sum(_taken(weight, flat[places], sparse), 1)
    captured = ag.is_captured(counted)  # then which count is not known yet
    met = 0 if captured or not counted.any() else places[counted][0]
    places = np.where(counted, places, met)
    rows = _taken(weight, flat[places], sparse)
    kept = np.expand_dims(counted, -1)
    if mode == "max":
        empty = ~counted.any(1, keepdims=True)
        return ag.max(ag.where(kept | np.expand_dims(empty, -1), rows, -math.inf), 1) * ~empty
    if shares is not None:
        expect_floating(shares, who)
        rows = rows * ag.expand_dims(ag.take(ag.reshape(shares, -1), places), -1)
    total = ag.sum(rows if not captured and counted.all() else ag.where(kept, rows, 0.0), 1)
    return total if mode == "sum" else total / np.maximum(counted.sum(1, keepdims=True), 1).astype(weight.dtype)


def _places(
    numbers: NDArray[Any], offsets: Numbers | None, last: bool, who: object
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Which of the flattened numbers are in each bag, (B, longest), and which of those entries count."""
    if numbers.ndim == 2 and offsets is None:
        return np.arange(numbers.size).reshape(numbers.shape), np.ones(numbers.shape, bool)
    if numbers.ndim != 1 or offsets is None:
        given = "without offsets" if offsets is None else "with offsets"
        raise ShapeError(
            f"{who} was given an input of shape {numbers.shape} {given}. "
            "Expected (B, k) without offsets, or (N,) with offsets (B,)."
        )
    starts = ag.asarray(offsets).numpy()
    if starts.dtype.kind not in "iu":
        raise DTypeError(f"{who} was given offsets of dtype {starts.dtype}. Write offsets.astype('int64').")
    edges = starts if last else np.append(starts, numbers.size)
    if starts.ndim != 1 or not len(edges) or edges[0] or edges[-1] > numbers.size or (np.diff(edges) < 0).any():
        raise ShapeError(
            f"{who} was given offsets {starts.tolist()} for {numbers.size} numbers. Expected 0 first, then ascending, "
            f"none above {numbers.size}."
        )
    lengths = np.diff(edges)
    steps = np.arange(lengths.max(initial=0))
    counted = steps < lengths[:, None]
    return np.where(counted, edges[:-1, None] + steps, 0), counted


class _Table(Module):
    """A table of rows, looked up by number."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None,
        sparse: bool,
        dtype: DTypeLike,
        generator: ag.random.Generator | None,
    ) -> None:
        who = type(self).__name__
        if min(num_embeddings, embedding_dim) < 1:
            raise ArgumentError(
                f"{who} was given {num_embeddings} rows of {embedding_dim} numbers. Expected at least 1 each."
            )
        self.num_embeddings, self.embedding_dim, self.sparse = num_embeddings, embedding_dim, sparse
        self.padding_idx = padding_row(padding_idx, num_embeddings, who)
        self.weight = Parameter(ag.zeros((num_embeddings, embedding_dim), dtype))
        init.normal_(self.weight, generator=generator)
        if self.padding_idx is not None:
            with ag.no_grad():
                self.weight[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(cls, embeddings: Numbers, freeze: bool = True, **options: Any) -> Self:
        """A layer with the rows of `embeddings`, (num_embeddings, embedding_dim), which do not train if `freeze`.

        Raises:
            ShapeError: if they are not a table.
            DTypeError: if they are not floating.
        """
        table = ag.asarray(embeddings).detach()
        if table.ndim != 2:
            raise ShapeError(
                f"{cls.__name__}.from_pretrained was given shape {table.shape}. "
                "Expected (num_embeddings, embedding_dim)."
            )
        expect_floating(table, f"{cls.__name__}.from_pretrained")
        count, dim = table.shape
        layer = cls(num_embeddings=count, embedding_dim=dim, **options | {"dtype": table.dtype})
        layer.weight.set_(table.numpy())
        layer.weight.requires_grad_(not freeze)
        return layer

    def extra_repr(self) -> str:
        """The sizes; of the rest, what is not the default."""
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        defaults = {"mode": None, "include_last_offset": False, "padding_idx": None, "sparse": False}
        for name, usual in defaults.items():
            value = vars(self).get(name, usual)
            text += f", {name}={value!r}" if value != usual else ""
        return text


class Embedding(_Table):
    """y[..., :] = W[input[...], :]: a learned row for each number.

    W starts as standard normal numbers, the row for padding as zeros, as in PyTorch.

    Parameters:
        num_embeddings, embedding_dim: n rows of d numbers.
        padding_idx: a row that gets no gradient.
        sparse: whether the gradient of W holds the rows that were looked up and no others (`ag.RowSparse`). It is for
            `optim.SGD`, `optim.Adagrad` and `optim.SparseAdam`, whose steps then do not touch the other rows.
        dtype: of W.
        generator: where the starting values come from.

    Attributes:
        weight: W, (num_embeddings, embedding_dim).

    Raises:
        ArgumentError: if a size is not positive, or the padding is no row.
        IndexOutOfRange: if the input names a row that is not there.
        DTypeError: if the input is not made of whole numbers.

    Neither `max_norm`, which would change W in a forward pass, nor `scale_grad_by_freq` is here.

    >>> Embedding(10, 3)([[1, 2], [4, 9]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        sparse: bool = False,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, sparse, dtype, generator)

    def forward(self, input: Numbers) -> Tensor:
        """Whole numbers of any shape to (*shape, embedding_dim)."""
        return _rows(input, self.weight, self.padding_idx, self.sparse, self)


class EmbeddingBag(_Table):
    """The sum, mean or maximum of the rows of each bag of numbers: see `nn.functional.embedding_bag`.

    Parameters:
        num_embeddings, embedding_dim: n rows of d numbers, which start as those of `Embedding`.
        mode: "sum", "mean" or "max".
        include_last_offset: whether offsets end with the end of the last bag.
        padding_idx: a row that is left out of every bag.
        sparse: as for `Embedding`.
        dtype: of the rows.
        generator: where the starting values come from.

    Attributes:
        weight: (num_embeddings, embedding_dim).

    Raises:
        ArgumentError: if a size is not positive, the padding is no row, or `mode` is unknown.
        ShapeError: if input, offsets and weights do not fit each other.
        IndexOutOfRange: if the input names a row that is not there.

    >>> EmbeddingBag(10, 3, mode="sum")([[1, 2], [4, 9]]).shape
    (2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: DTypeLike = "float32",
        generator: ag.random.Generator | None = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, sparse, dtype, generator)
        _expect_mode(mode, "EmbeddingBag")
        self.mode, self.include_last_offset = mode, include_last_offset

    def forward(
        self, input: Numbers, offsets: Numbers | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        """(B, k) to (B, embedding_dim); or (N,) with offsets (B,)."""
        form = _Form(self.mode, self.include_last_offset, self.padding_idx, self.sparse)
        return _bags(input, self.weight, offsets, per_sample_weights, form, self)
