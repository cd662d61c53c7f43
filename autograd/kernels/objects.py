"""What kernels read of ndarrays themselves: where the data lies, of what it is, and who else sees it.

A list of a thousand arrays is looked through in microseconds instead of a millisecond. It relies on the layout of
CPython's and NumPy's objects, both part of their C interfaces; `layout` tries it on known arrays first, and where
anything differs Python does the reading.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import compile

HEAD = object.__basicsize__
TYPE, DATA, RANK, SHAPE, DESCR, FLAGS = HEAD - 8, HEAD, HEAD + 8, HEAD + 16, HEAD + 40, HEAD + 48
ITEMS = HEAD + 8  # of a list, behind its length
CONTIGUOUS, ALIGNED = 1, 0x100
_NDARRAY = id(np.ndarray)


def word(address: int) -> int:
    """Eight bytes of memory as a number."""
    return ctypes.c_ssize_t.from_address(address).value


_ARRAY = f"""
@inline
def is_array(p, count, kind):
    size = 1
    shape = word_at(word_at(p + {SHAPE})[0])
    for k in range(word_at(p + {RANK})[0] & 0xFFFFFFFF):
        size *= shape[k]
    flags = word_at(p + {FLAGS})[0]
    return size == count and word_at(p + {DESCR})[0] == kind and flags & {CONTIGUOUS} != 0 and flags & {ALIGNED} != 0

"""
_SOURCE = f"""{_ARRAY}
def survey(lo, hi, args):
    ids, sizes, out = word_at(args[0]), word_at(args[1]), word_at(args[2])
    wrong = 0
    for e in range(lo, hi):
        p = ids[e]
        if word_at(p + {TYPE})[0] != args[7]:
            wrong += 1
            continue
        held = args[5] == 0 or (word_at(p)[0] & 0xFFFFFFFF) == args[5]
        if not (held and is_array(p, sizes[e], args[4])):
            wrong += 1
        out[e * args[3]] = word_at(p + {DATA})[0]
    args[6] = wrong
"""


def same(a: list[Any], b: list[Any]) -> bool:
    """Whether two lists hold the very same objects. Only where there is a `layout`.

    >>> x, y = object(), object()
    >>> same([x, y], [x, y]), same([x, y], [x, x]), same([x], [x, y])
    (True, False, False)
    """
    size = 8 * len(a)
    return len(a) == len(b) and ctypes.string_at(word(id(a) + ITEMS), size) == ctypes.string_at(
        word(id(b) + ITEMS), size
    )


class Survey:
    """Where the data of arrays lies, to be asked once or often.

    Calling it with a list of arrays writes the address of the data of each to `out`, and tells whether all are aligned,
    contiguous and as they should be: of this dtype, of as many elements as `sizes` says, and, unless `references` is 0,
    with so many references to each, those of the list included.

    >>> x, out = np.ones(3), np.empty(1, np.intp)
    >>> survey = Survey(x.dtype, np.array([3]), out)
    >>> survey([x]), int(out[0]) == x.ctypes.data
    (True, True)
    >>> survey([x[::2]])
    False
    """

    def __init__(self, dtype: np.dtype[Any], sizes: NDArray[np.intp], out: NDArray[np.intp]) -> None:
        self.dtype, self.sizes, self.out = dtype, sizes, out
        places = (sizes.ctypes.data, out.ctypes.data, out.strides[0] // 8)
        self._words = array("q", (0, *places, id(dtype), 0, 0, _NDARRAY))
        self._args = self._words.buffer_info()[0]

    def __call__(self, arrays: list[Any], references: int = 0) -> bool:
        """Whether all are as they should be."""
        if not layout():
            return self.plain(arrays, references)
        return self.native(arrays, references)

    def native(self, arrays: list[Any], references: int) -> bool:
        """By the kernel."""
        words = self._words
        words[0], words[5] = word(id(arrays) + ITEMS), references  # a list is an array of ids
        begin().call(0, len(arrays), self._args)
        return not words[6]

    def plain(self, arrays: list[Any], references: int) -> bool:
        """The same in Python."""
        right = True
        for k in range(len(arrays)):
            if type(arrays[k]) is not np.ndarray:
                right = False
                continue
            own = not references or sys.getrefcount(arrays[k]) == references + 1  # and the argument's own
            flags = arrays[k].flags
            fits = arrays[k].dtype == self.dtype and arrays[k].size == self.sizes[k]
            right &= own and fits and flags.c_contiguous and flags.aligned
            self.out[k] = arrays[k].ctypes.data
        return right


_FOLLOW = f"""{_ARRAY}
def follow(lo, hi, args):
    items, sizes, out = word_at(args[0]), word_at(args[1]), word_at(args[2])
    wrong = 0
    for e in range(lo, hi):
        p = items[e]
        right = word_at(p + {TYPE})[0] == args[6]
        for k in range(args[7]):
            if right:
                p = word_at(p + args[10 + k])[0]
                right = p != 0 and p != args[8]
        if right:
            right = word_at(p + {TYPE})[0] == args[9]
        if right and args[2] != 0:
            p = word_at(p + args[10 + args[7]])[0]
            right = word_at(p + {TYPE})[0] == {_NDARRAY}
            if right:
                right = is_array(p, sizes[e], args[4])
                out[e * args[3]] = word_at(p + {DATA})[0]
        if not right:
            wrong += 1
    args[5] = wrong
"""


class Followed:
    """What stands at the end of a path of attributes, looked up natively for all objects of a list.

    path: classes and the names of their slots, from the objects of a list on. end: the class of what is to stand there,
    and the name of the slot where it has its array. Nothing is read from where an attribute is None.

    Calling it with a list tells whether all objects are of the class of the first, and at the end of each path is an
    object of that class. With `Survey`'s dtype, sizes and `out` its array is looked at as a `Survey` does.

    >>> from autograd.tape import Node
    >>> from autograd.tensor import Tensor
    >>> path, end = [(Tensor, "node"), (Node, "watch")], (Tensor, "value")
    >>> Followed(path, end)([Tensor(np.ones(3))])
    False
    """

    def __init__(
        self,
        path: Sequence[tuple[type, str]],
        end: tuple[type, str],
        dtype: np.dtype[Any] | None = None,
        sizes: NDArray[np.intp] | None = None,
        out: NDArray[np.intp] | None = None,
    ) -> None:
        self.kept = dtype, sizes, out
        self.first = path[0][0]
        places = [0, 0, 0]
        if sizes is not None and out is not None:
            places = [sizes.ctypes.data, out.ctypes.data, out.strides[0] // 8]
        slots = [slot(kind, name) for kind, name in (*path, end)]
        self._words = array("q", (0, *places, id(dtype), 0, 0, len(path), id(None), id(end[0]), *slots))
        self._args = self._words.buffer_info()[0]

    def __call__(self, objects: list[Any]) -> bool:
        """Whether all is as it should be."""
        if not objects or not isinstance(objects[0], self.first):
            return False
        words = self._words
        words[0], words[6] = word(id(objects) + ITEMS), id(type(objects[0]))
        _follow()(0, len(objects), self._args)
        return not words[5]


@cache
def _follow() -> Any:
    """The kernel, called without letting go of the interpreter's lock: nobody may change a path meanwhile."""
    kernel = compile.get(_FOLLOW, "follow", flags=(), hot=False)
    return ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 3)(kernel.address)


_BEGIN = f"""
def begin(kernel, chunks, args, first, end):
    words = word_at(args)
    for k in range(first, end):
        words[k] = word_at(words[k] + {DATA})[0]
    if kernel != 0:
        call(kernel, 0, chunks, words)
"""


def starter() -> Callable[[int, int, int, int, int], None] | None:
    """`begin(kernel, chunks, args, first, end)`, or None where objects are laid out in another way.

    It replaces the words [first, end) of `args`, each the `id` of an ndarray, by the addresses of their data, and runs
    the kernel on [0, chunks) if its address is not 0. Asking each array for its address takes Python ten times longer.
    """
    return compile.get(_BEGIN, "begin", signature=("intp",) * 5, flags=(), hot=False).call if layout() else None


@cache
def slot(kind: Any, name: str) -> int:
    """How far into an object of a class one of its slots lies."""
    probe: Any = object.__new__(kind)
    mark = object()
    setattr(probe, name, mark)
    words = np.frombuffer(ctypes.string_at(id(probe), kind.__basicsize__), np.intp)
    (place,) = np.flatnonzero(words == id(mark))
    return int(place) * words.itemsize


@cache
def begin() -> compile.Kernel:
    """The kernel of a survey, which may still be compiled."""
    return compile.begin(_SOURCE, "survey", flags=(), hot=False)


@cache
def layout() -> bool:
    """Whether objects are laid out as the kernel reads them, which arrays of every kind must show."""
    if sys.implementation.name != "cpython" or not getattr(sys, "_is_gil_enabled", lambda: True)():
        return False
    if sys.byteorder != "little" or np.dtype(np.intp).itemsize != 8:
        return False
    for whole in (np.ones((2, 3), np.float32), np.ones(5), np.array(2.0)):
        for x in (whole, whole.T, whole[..., ::2] if whole.ndim else whole):
            found, expected = np.zeros(2, np.intp), np.zeros(2, np.intp)
            sizes = np.array([x.size, x.size])
            for pair in ([x, x], [x.copy(), x.copy()]):
                for dtype in (x.dtype, np.dtype(np.int8)):
                    native, plain = Survey(dtype, sizes, found).native, Survey(dtype, sizes, expected).plain
                    for references in (0, 1, 3):
                        if native(pair, references) != plain(pair, references) or (found != expected).any():
                            return False
    return True
