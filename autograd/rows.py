"""Row-sparse gradients: the rows of a table that were looked up, and nothing for the others."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import DTypeLike, NDArray

from autograd.errors import DTypeError, IndexOutOfRange, ShapeError
from autograd.ops.index import ARRAY, put, take
from autograd.primitive import Primitive, Traced, capture, capturing, examiner, primitives, training
from autograd.tape import recording
from autograd.tensor import Operand, Tensor, as_tensor

_ALONG_ROWS: dict[str, Any] = {"index": (ARRAY,)}
_LINEAR = (np.multiply, np.divide, np.negative, np.positive)


class RowSparse(NDArrayOperatorsMixin):
    """An array of which some rows are held and all others are zero; a row that is held twice is the sum of both.

    The gradient of a table by a lookup with `take_rows`. Sums with another, multiples and negatives are row-sparse;
    with anything else, and in NumPy's functions, it is the dense array.

    Parameters:
        indices: (k,), which rows are held, counted from 0.
        values: (k, *shape[1:]).
        shape: of the whole array.

    Raises:
        ShapeError: if they do not fit each other.
        DTypeError: if indices are not whole numbers, or values not floating.
        IndexOutOfRange: if an index names no row.

    >>> g = RowSparse([2, 0, 2], [[1.0], [2.0], [3.0]], (4, 1))
    >>> g.coalesce()
    RowSparse(indices=[0, 2], shape=(4, 1), dtype=float64)
    >>> g.to_dense().tolist()
    [[2.0], [0.0], [4.0], [0.0]]
    """

    __slots__ = ("_places", "_rows", "_sorted", "shape")
    __hash__ = object.__hash__

    def __init__(self, indices: Operand, values: Operand, shape: Sequence[int]) -> None:
        places, rows = (np.asarray(getattr(x, "value", x)) for x in (indices, values))
        self.shape = tuple(shape)
        if places.ndim != 1 or rows.shape != (*places.shape, *self.shape[1:]) or not self.shape:
            raise ShapeError(
                f"RowSparse was given indices of shape {places.shape} and values of shape {rows.shape} for an array of "
                f"shape {self.shape}. Expected (k,) and (k, *shape[1:])."
            )
        if (places.dtype.kind not in "iu" and places.size) or rows.dtype.kind not in "fc":
            raise DTypeError(
                f"RowSparse was given indices of {places.dtype} and values of {rows.dtype}. Expected whole numbers, "
                "and floating ones."
            )
        if places.size and not (places.min() >= 0 and places.max() < self.shape[0]):
            raise IndexOutOfRange(
                f"RowSparse was given indices from {places.min()} to {places.max()} for {self.shape[0]} rows."
            )
        self._places, self._rows, self._sorted = places.astype(np.intp, copy=False), rows, False

    @classmethod
    def _of(cls, places: NDArray[Any], rows: NDArray[Any], shape: tuple[int, ...], ordered: bool = False) -> Self:
        """What is known to fit."""
        g = cls.__new__(cls)
        g._places, g._rows, g.shape, g._sorted = places, rows, shape, ordered
        return g

    @classmethod
    def from_dense(cls, x: Operand) -> Self:
        """The rows of an array that are not all zero.

        >>> RowSparse.from_dense(np.array([[0.0], [3.0]])).indices.tolist()
        [1]
        """
        a = np.asarray(getattr(x, "value", x))
        (places,) = np.nonzero((a != 0).reshape(len(a), -1).any(1))
        return cls._of(places, a[places], a.shape, True)

    # ---- what it holds

    @property
    def indices(self) -> Tensor:
        """(k,), which rows are held."""
        return Tensor(self._places)

    @property
    def values(self) -> Tensor:
        """(k, *shape[1:]), the rows that are held."""
        return Tensor(self._rows)

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy dtype of the elements."""
        return self._rows.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements, the zeros included."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that are held."""
        return self._rows.nbytes + self._places.nbytes

    @property
    def is_coalesced(self) -> bool:
        """Whether each row is held once at most, in ascending order."""
        return self._sorted

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"RowSparse(indices={self._places.tolist()}, shape={self.shape}, dtype={self.dtype})"

    # ---- other forms

    def coalesce(self) -> Self:
        """The same array with each row held once, in ascending order; rows that were held twice are added up."""
        if self._sorted:
            return self
        places, owners = np.unique(self._places, return_inverse=True)
        if places.size == self._places.size:
            order = np.argsort(self._places)
            return self._of(places, self._rows[order], self.shape, True)
        rows = primitives["scatter"].forward(self._rows, owners, **_ALONG_ROWS, shape=(places.size, *self.shape[1:]))
        return self._of(places, rows, self.shape, True)

    def to_dense(self) -> Tensor:
        """The whole array."""
        return Tensor(self.numpy())

    def numpy(self) -> NDArray[Any]:
        """The whole array as an ndarray."""
        found = primitives["scatter"].forward(self._rows, self._places, **_ALONG_ROWS, shape=self.shape)
        return found  # type: ignore[no-any-return]  # arrays in, an array out

    def rows(self, indices: Operand) -> Tensor:
        """The rows of these numbers, each once; zero where none is held.

        >>> RowSparse([2, 0], [[1.0], [2.0]], (4, 1)).rows([2, 3]).tolist()
        [[1.0], [0.0]]
        """
        g, wanted = self.coalesce(), np.asarray(getattr(indices, "value", indices))
        if wanted is g._places:
            return Tensor(g._rows)
        out = np.zeros((len(wanted), *self.shape[1:]), self.dtype)
        near = np.minimum(np.searchsorted(g._places, wanted), max(0, len(g._places) - 1))
        here = g._places[near] == wanted if len(g._places) else np.zeros(len(wanted), bool)
        out[here] = g._rows[near[here]]
        return Tensor(out)

    def union(self, other: RowSparse) -> Tensor:
        """Which rows this one or the other holds, in ascending order.

        >>> RowSparse([2], [[1.0]], (4, 1)).union(RowSparse([0], [[1.0]], (4, 1))).tolist()
        [0, 2]
        """
        return Tensor(np.union1d(self._places, other._places))

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        """`function`, which leaves zeros zero, of the rows, each held once.

        >>> import autograd as ag
        >>> RowSparse([1, 1], [[1.0], [-3.0]], (2, 1)).map(ag.abs).values.tolist()
        [[2.0]]
        """
        g = self.coalesce()
        return self._of(g._places, np.asarray(function(g.values).value), self.shape, True)

    def detach(self) -> Self:
        """Itself: it is off the tape."""
        return self

    def astype(self, dtype: DTypeLike) -> Self:
        """The same in another dtype."""
        return self._of(self._places, self._rows.astype(dtype), self.shape, self._sorted)

    # ---- NumPy's protocols

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.numpy(), dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if method == "__call__" and ufunc in (np.add, np.subtract) and not settings.keys() - {"out"}:
            a, b = inputs
            if isinstance(b, RowSparse):
                return self._added(a, -b if ufunc is np.subtract else b, settings.get("out"))
            if ufunc is np.add and not settings:
                return self._added(b, a, None)
        linear = method == "__call__" and ufunc in _LINEAR and not settings
        if linear and inputs[0] is self and all(np.ndim(x) == 0 for x in inputs[1:]):
            rows = ufunc(self._rows, *(getattr(x, "value", x) for x in inputs[1:]))
            return self._of(self._places, rows, self.shape, self._sorted)
        if linear and ufunc is np.multiply and np.ndim(inputs[0]) == 0:
            return self * inputs[0]
        whole = [x.numpy() if isinstance(x, RowSparse) else x for x in inputs]
        return getattr(ufunc, method)(*whole, **settings)

    def _added(self, a: Any, b: RowSparse, out: Any) -> Any:
        """a + b: rows one after another, or a dense array to which they are added."""
        if np.shape(a) != b.shape:
            return np.add(a.numpy() if isinstance(a, RowSparse) else a, b.numpy())
        if isinstance(a, RowSparse):
            return self._of(np.concatenate((a._places, b._places)), np.concatenate((a._rows, b._rows)), self.shape)
        if isinstance(a, Tensor):
            return a + b.numpy()
        b = b.coalesce()
        target = np.array(a, np.result_type(a, b.dtype)) if out is None else out[0]
        if out is not None and target is not a:
            target[...] = a
        target[b._places] += b._rows
        return target


def shown(g: Any) -> Any:
    """A cotangent as what the user sees: a Tensor, or the row-sparse array that it is."""
    return g if isinstance(g, (Traced, RowSparse)) else Tensor(g)


def _dense(g: Any, places: Any, shape: tuple[int, ...]) -> Any:
    return primitives["scatter"](g, places, **_ALONG_ROWS, shape=shape)


def _pull(g: Any, saved: Sequence[Any], node: Any) -> Any:
    """Row-sparse for a leaf in a sweep over arrays; a recorded sweep, or what the table was made of, wants it whole."""
    shape, places = node.parents[0].shape, getattr(saved[2], "value", saved[2])
    if isinstance(g, Traced) or node.parents[0].op is not None or not places.size:
        return _dense(g, places, shape)
    rows = np.asarray(g).reshape(-1, *shape[1:])
    places = places.reshape(-1)
    if int(places.min()) < 0:
        places = np.where(places < 0, places + shape[0], places)
    return RowSparse._of(places.astype(np.intp, copy=False), rows, shape)


_lookup = Primitive(  # not in the registry: what captures operations sees `take`
    "take_rows",
    "x places",
    lambda x, places: np.take(x, places, 0),
    pulls=(_pull, None),
    reads=(frozenset({2}), frozenset()),
    doc="Rows of a table, whose gradient is row-sparse.",
)


def take_rows(x: Operand, indices: Operand) -> Tensor:
    """x[indices] for whole numbers, with a row-sparse gradient: `backward` gives x, if it is a leaf, a `RowSparse`.

    `.grad` then holds the rows that were looked up, whatever the number of the others. `ag.grad` and its like, and a
    sweep with create_graph, give the dense array. A function that looks rows of a leaf up so is not compiled: programs
    have dense gradients, and by those the rules of optimizers move all rows.

    Raises:
        IndexOutOfRange: if an index names no row.

    >>> import autograd as ag
    >>> w = ag.ones((5, 2), requires_grad=True)
    >>> ag.take_rows(w, [1, 1, 4]).sum().backward()
    >>> w.grad.coalesce()
    RowSparse(indices=[1, 4], shape=(5, 2), dtype=float64)
    """
    places = indices if isinstance(indices, Traced) else np.asarray(indices)
    leaf = isinstance(x, Tensor) and x.node is not None and x.node.op is None
    if leaf and capturing and recording.get() and training() is not None and (noting := capture()):
        noting.refuse("the gradient of a table is wanted row-sparse, and a program's is dense: leave out sparse=True")
    known = isinstance(x, Tensor) and (isinstance(places, Tensor) or not isinstance(places, Traced))
    noting = capture() if capturing else None
    if not known or places.dtype.kind not in "iu" or (noting is not None and examiner() is None):
        return take(x, places, 0)
    look = partial(_lookup, x, getattr(places, "value", places))
    return look() if noting is None else noting.whole(look, partial(take, x, places, 0))


def put_rows_(t: Tensor, indices: Operand, values: Operand) -> Tensor:
    """t[indices] = values, without touching other rows if nobody but `t` holds its array; returns t.

    Else t gets a new array first, so that no other value changes.

    >>> import autograd as ag
    >>> t = ag.zeros((3, 1))
    >>> ag.put_rows_(t, [2], [[5.0]]).tolist()
    [[0.0], [0.0], [5.0]]
    """
    noted = bool(capturing) and capture() is not None and examiner() is None
    free = (t.node is None or not recording.get()) and not noted
    rows, places = as_tensor(values), indices if isinstance(indices, Traced) else np.asarray(indices)
    if not (free and _holders(t) == _ALONE and _own(t.value)):
        return t._become(put(t, places, rows))
    t.value[getattr(places, "value", places)] = rows.value
    return t


def _own(a: Any) -> bool:
    return type(a) is np.ndarray and a.base is None and a.flags.owndata and a.flags.writeable


def _holders(t: Tensor) -> int:
    a = t.value
    return sys.getrefcount(a)


def _counted() -> bool:
    """Whether references are counted exactly: not without the interpreter's lock, and not elsewhere than in CPython."""
    return sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


_ALONE = _holders(Tensor(np.zeros(1))) if _counted() else -1
