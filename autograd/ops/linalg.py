"""Products of matrices and tensors."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.broadcast import unbroadcast
from autograd.domain import case
from autograd.errors import ShapeError
from autograd.ops.axes import one_axis, rank, shape_of
from autograd.ops.complex import turned
from autograd.ops.elementwise import add, multiply
from autograd.ops.index import getitem
from autograd.ops.reduce import sum
from autograd.ops.shape import broadcast_to, expand_dims, matrix_transpose, moveaxis, permute_dims, reshape
from autograd.primitive import Primitive, primitive, public

if TYPE_CHECKING:
    from autograd.tensor import Operand, Tensor

_matmul: Primitive = primitive(
    "matmul",
    "a b",
    np.matmul,
    vjp=(lambda g, b: _matmul(g, b.mT), lambda g, a: _matmul(a.mT, g)),
    cases=(
        case((2, 3), (3, 4)),
        case((5, 2, 3), (5, 3, 2)),
        case((2, 1, 2, 3), (3, 3, 2)),
        case((0, 3), (3, 2)),
        case((2, 0), (0, 2)),
    ),
    doc="The matrix product over the last two axes, the others broadcast.",
)


@public(np.matmul)
def matmul(a: Operand, b: Operand) -> Tensor:
    """The matrix product over the last two axes, leading axes broadcast; a 1-d operand is a row or a column.

    Shapes: (..., m, k) and (..., k, n) to (..., m, n).

    Raises:
        ShapeError: if an operand is 0-d or the inner lengths differ.

    >>> import autograd as ag
    >>> ag.matmul(ag.tensor([[1.0, 2.0]]), ag.tensor([3.0, 4.0]))
    tensor([11.])
    """
    rank_a, rank_b = rank(a), rank(b)
    if not rank_a or not rank_b or shape_of(a)[-1] != shape_of(b)[-2 if rank_b > 1 else 0]:
        raise ShapeError(
            f"matmul was given shapes {shape_of(a)} and {shape_of(b)}.\n"
            "Expected (..., m, k) and (..., k, n): the last axis of the first as long as the last but one of the "
            "second. Write b.mT where its axes are the other way round, a * b for the elementwise product."
        )
    if rank_a == 1 or rank_b == 1:
        row = expand_dims(a, 0) if rank_a == 1 else a
        column = expand_dims(b, 1) if rank_b == 1 else b
        y = matmul(row, column)
        dropped = (-2,) * (rank_a == 1) + (-1,) * (rank_b == 1)
        return reshape(y, tuple(n for k, n in enumerate(y.shape, -y.ndim) if k not in dropped))
    if rank_b == 2 and rank_a > 2:  # one product of many rows: faster than a batch of them, and so is its derivative
        shape = shape_of(a)
        rows = 1
        for n in shape[:-1]:
            rows *= n
        return reshape(_matmul(reshape(a, (rows, shape[-1])), b), (*shape[:-1], shape_of(b)[1]))
    return _matmul(a, b)


_inner: Primitive = primitive(
    "inner",
    "a b",
    lambda a, b: np.matmul(a, b.mT),
    vjp=(lambda g, b: _matmul(g, b), lambda g, a: _matmul(g.mT, a)),
    cases=(
        case((2, 3), (4, 3)),
        case((5, 2, 3), (5, 4, 3)),
        case((2, 1, 2, 3), (3, 4, 3)),
        case((0, 3), (2, 3)),
        case((2, 0), (3, 0)),
    ),
    composition=lambda a, b: _matmul(a, matrix_transpose(b)),
    doc="The products of the rows of one matrix with those of another, a b^T; the other axes broadcast.",
)


@public(np.inner)
def inner(a: Operand, b: Operand) -> Tensor:
    """The sum of products over the last axis of both: of matrices a b^T.

    What `matmul(a, b.mT)` gives, with the gradient of b in the order in which b lies in memory.

    Shapes: (..., k) and (n, k) to (..., n); (k,) and (k,) to ().

    Raises:
        ShapeError: if the last axes differ in length.

    >>> import autograd as ag
    >>> ag.inner(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0], [5.0, 6.0]]))
    tensor([[11., 17.]])
    """
    shape, other = shape_of(a), shape_of(b)
    if not shape or not other:
        return multiply(a, b)
    if shape[-1] != other[-1]:
        raise ShapeError(
            f"inner was given shapes {shape} and {other}. Expected last axes of the same length: write matmul(a, b) "
            "where that of a goes with the last but one of b."
        )
    rows, columns = (x if len(n) == 2 else reshape(x, (math.prod(n[:-1]), n[-1])) for x, n in ((a, shape), (b, other)))
    y = _inner(rows, columns)
    return y if len(shape) == len(other) == 2 else reshape(y, (*shape[:-1], *other[:-1]))


_affine: Primitive = primitive(
    "affine",
    "a b c",
    lambda a, b, c: np.add(y := _inner.forward(a, b), c, out=y),
    vjp=(lambda g, b: _matmul(g, b), lambda g, a: _matmul(g.mT, a), lambda g: unbroadcast(g, g.shape[1:])),
    cases=(case((2, 3), (4, 3), (4,)), case((0, 3), (2, 3), (2,)), case((2, 0), (3, 0), (3,))),
    composition=lambda a, b, c: add(_matmul(a, matrix_transpose(b)), c),
    doc="The products of the rows of one matrix with those of another, plus a row: a b^T + c.",
)


@public()
def affine(x: Operand, weight: Operand, bias: Operand) -> Tensor:
    """y = x W^T + b: `inner(x, weight) + bias`, in one operation.

    Shapes: (..., k), (n, k) and (n,) to (..., n).

    Raises:
        ShapeError: if the last axes of x and weight differ in length, or the bias does not broadcast.

    >>> import autograd as ag
    >>> ag.affine(ag.tensor([[1.0, 2.0]]), ag.tensor([[3.0, 4.0], [5.0, 6.0]]), ag.tensor([0.5, 1.0]))
    tensor([[11.5, 18. ]])
    """
    shape, other = shape_of(x), shape_of(weight)
    alike = shape and len(other) == 2 and shape[-1] == other[-1] and shape_of(bias) == other[:1]
    dtype = getattr(x, "dtype", None)
    if not alike or dtype is None or not dtype == getattr(weight, "dtype", None) == getattr(bias, "dtype", None):
        return add(inner(x, weight), bias)
    if len(shape) == 2:
        return _affine(x, weight, bias)
    return reshape(_affine(reshape(x, (math.prod(shape[:-1]), shape[-1])), weight, bias), (*shape[:-1], other[0]))


@public(np.vecdot)
def vecdot(a: Operand, b: Operand, axis: int = -1) -> Tensor:
    """The sum of products along an axis, the others broadcast; complex elements of a are conjugated.

    >>> import autograd as ag
    >>> ag.vecdot(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor(11.)
    """
    a, b = moveaxis(a, axis, -1), moveaxis(b, axis, -1)
    if shape_of(a)[-1] != shape_of(b)[-1]:
        raise ShapeError(f"vecdot was given shapes {shape_of(a)} and {shape_of(b)}. Expected axis {axis} equally long.")
    return sum(turned(a) * b, -1)


@public(np.tensordot)
def tensordot(a: Operand, b: Operand, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products over pairs of axes: the last n of a with the first n of b, or the two lists given.

    >>> import autograd as ag
    >>> ag.tensordot(ag.ones((2, 3, 4)), ag.ones((4, 3)), axes=([1, 2], [1, 0])).shape
    (2,)
    """
    ra, rb = rank(a), rank(b)
    if isinstance(axes, int | np.integer):
        of_a, of_b = list(range(ra - axes, ra)), list(range(axes))
    else:
        given = [list(x) if isinstance(x, Sequence) else [x] for x in axes]
        of_a = [one_axis(k, ra, "tensordot") for k in given[0]]
        of_b = [one_axis(k, rb, "tensordot") for k in given[1]]
    lengths = [[shape_of(x)[k] for k in ks] for x, ks in ((a, of_a), (b, of_b))]
    if lengths[0] != lengths[1]:
        raise ShapeError(f"tensordot was given shapes {shape_of(a)} and {shape_of(b)} and axes {axes}: lengths differ.")
    rest_a, rest_b = [k for k in range(ra) if k not in of_a], [k for k in range(rb) if k not in of_b]
    inner = int(np.prod(lengths[0], dtype=int))
    left = reshape(permute_dims(a, rest_a + of_a), (_product(a, rest_a), inner))
    right = reshape(permute_dims(b, of_b + rest_b), (inner, _product(b, rest_b)))
    return reshape(_matmul(left, right), [shape_of(a)[k] for k in rest_a] + [shape_of(b)[k] for k in rest_b])


def _product(x: Any, axes: Sequence[int]) -> int:
    return int(np.prod([shape_of(x)[k] for k in axes], dtype=int))


@public(np.outer)
def outer(a: Operand, b: Operand) -> Tensor:
    """All products of an element of a 1-d a with one of a 1-d b.

    >>> import autograd as ag
    >>> ag.outer(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0])).shape
    (2, 2)
    """
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


@public(np.dot)
def dot(a: Operand, b: Operand) -> Tensor:
    """NumPy's dot: products for scalars, else the last axis of a with the last but one (or only) of b.

    >>> import autograd as ag
    >>> ag.dot(ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if not rank(a) or not rank(b):
        return a * b  # type: ignore[operator, return-value]
    return matmul(a, b) if rank(b) <= 2 else tensordot(a, b, ([-1], [-2]))


# ---- Einstein summation


def _einsum_rule(g: Any, xs: Sequence[Any], *, position: int, terms: tuple[str, ...], output: str) -> Any:
    """The cotangent takes the place of one term, whose labels become the output; labels only it has are spread."""
    others = [k for k in range(len(xs)) if k != position]
    reach = set(output).union(*(terms[k] for k in others))
    present = "".join(label for label in terms[position] if label in reach)
    part = _einsum(g, *(xs[k] for k in others), terms=(output, *(terms[k] for k in others)), output=present)
    shape = shape_of(xs[position])
    lined = reshape(part, tuple(n if label in reach else 1 for label, n in zip(terms[position], shape, strict=True)))
    return broadcast_to(lined, shape)


_einsum = primitive(
    "einsum",
    "*xs",
    lambda *xs, terms, output: np.einsum(f"{','.join(terms)}->{output}", *xs, optimize=len(xs) > 1),
    vjp=(_einsum_rule,),
    cases=(
        case((2, 3), (3, 4), terms=("ij", "jk"), output="ik"),
        case((2, 3), terms=("ij",), output="j"),
        case((2, 3), (2, 3), terms=("ij", "ij"), output=""),
        case((2, 3), (4,), (3, 4), terms=("ij", "k", "jk"), output="ki"),
    ),
    doc="Products of elements, summed over the labels that the output does not name.",
)


def _in_letters(given: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Arrays with lists of whole numbers for labels, as subscripts in letters and arrays."""
    if len(given) < 2:
        raise ShapeError('einsum was given one array alone. Expected subscripts before it: ag.einsum("ij->ji", x).')

    def term(labels: Any) -> str:
        return "".join("..." if k is Ellipsis else string.ascii_letters[k] for k in labels)

    xs = given[: len(given) // 2 * 2 : 2]
    subscripts = ",".join(term(labels) for labels in given[1::2])
    return subscripts + ("->" + term(given[-1]) if len(given) % 2 else ""), xs


@public(np.einsum)
def einsum(subscripts: Any, *xs: Any, optimize: bool = True) -> Tensor:
    """Einstein summation: products over all labels, summed over those that the output does not name.

    Parameters:
        subscripts: a letter for each axis, as "ij,jk->ik"; "..." for axes that broadcast; a letter twice in a term for
            its diagonal; without "->", the labels that occur once, in alphabetical order. Or, as NumPy takes it too,
            an array, its labels as a list of whole numbers, the next array, and so on, the output's labels last.

    >>> import autograd as ag
    >>> ag.einsum("ii->", ag.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if not isinstance(subscripts, str):
        subscripts, xs = _in_letters((subscripts, *xs))
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise ShapeError(f"einsum was given {len(xs)} arrays for {len(terms)} terms in {subscripts!r}.")
    if not arrow:
        labels = left.replace(",", "").replace("...", "")
        output = ("..." if "..." in left else "") + "".join(sorted(c for c in set(labels) if labels.count(c) == 1))
    spare = [c for c in string.ascii_letters if c not in subscripts]
    widest = max((rank(x) - len(t.replace("...", "")) for t, x in zip(terms, xs, strict=True) if "..." in t), default=0)
    names = "".join(spare[:widest])
    plain: list[str] = []
    arrays: list[Any] = []
    for term, x in zip(terms, xs, strict=True):
        extra = rank(x) - len(term.replace("...", ""))
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(f"einsum was given shape {shape_of(x)} for the term {term!r} of {subscripts!r}.")
        full = term.replace("...", names[len(names) - extra :])
        x, full = _without_repeats(x, full)
        plain.append(full)
        arrays.append(x)
    output = output.replace("...", names)
    lengths: dict[str, int] = {}
    for term, x in zip(plain, arrays, strict=True):
        for label, n in zip(term, shape_of(x), strict=True):
            if lengths.setdefault(label, n) != n and 1 not in (n, lengths[label]):
                raise ShapeError(f"einsum was given lengths {lengths[label]} and {n} for {label!r} of {subscripts!r}.")
            lengths[label] = max(lengths[label], n)
    if unknown := set(output) - set(lengths):
        raise ShapeError(f"einsum was given the output labels {sorted(unknown)}, which no term of {subscripts!r} has.")
    spread = [broadcast_to(x, [lengths[c] for c in t]) for t, x in zip(plain, arrays, strict=True)]
    return _einsum(*spread, terms=tuple(plain), output=output)


def _without_repeats(x: Any, term: str) -> tuple[Any, str]:
    """The diagonal over axes of one label, so that each label stands once."""
    for label in dict.fromkeys(term):
        places = [k for k, c in enumerate(term) if c == label]
        if len(places) > 1:
            x = moveaxis(x, places, list(range(-len(places), 0)))
            term = term.replace(label, "") + label
            i = np.arange(shape_of(x)[-1])
            x = getitem(x, (..., *(i,) * len(places)))
    return x, term
