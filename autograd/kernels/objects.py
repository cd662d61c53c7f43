"""What kernels read of ndarrays themselves: where the data lies, of what it is, and who else sees it.

A list of a thousand arrays is looked through in microseconds instead of a millisecond. It relies on the layout of
CPython's and NumPy's objects, both part of their C interfaces; `layout` tries it on known arrays first, and where
anything differs Python does the reading.
"""

from __future__ import annotations

import ctypes
import sys
from array import array
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.kernels import compile

HEAD = object.__basicsize__
TYPE, DATA, RANK, SHAPE, DESCR, FLAGS = HEAD - 8, HEAD, HEAD + 8, HEAD + 16, HEAD + 40, HEAD + 48
ITEMS = HEAD + 8  # of a list, behind its length
VERSION = HEAD + 8  # of a dictionary, behind its length
CONTIGUOUS, ALIGNED = 1, 0x100
_NDARRAY = id(np.ndarray)



def _word(address: int) -> int:
    return ctypes.c_ssize_t.from_address(address).value


_SOURCE = f"""
def survey(lo, hi, args):
    ids, sizes, out = word_at(args[0]), word_at(args[1]), word_at(args[2])
    stride, kind, counts = args[3], args[4], args[5]
    wrong = 0
    for e in range(lo, hi):
        p = ids[e]
        if word_at(p + {TYPE})[0] != args[7]:
            wrong += 1
            continue
        size = 1
        shape = word_at(word_at(p + {SHAPE})[0])
        for k in range(word_at(p + {RANK})[0] & 0xFFFFFFFF):
            size *= shape[k]
        flags = word_at(p + {FLAGS})[0]
        held = counts == 0 or (word_at(p)[0] & 0xFFFFFFFF) == counts
        fits = size == sizes[e] and word_at(p + {DESCR})[0] == kind
        if not (held and fits and flags & {CONTIGUOUS} and flags & {ALIGNED}):
            wrong += 1
        out[e * stride] = word_at(p + {DATA})[0]
    args[6] = wrong
"""


class Identities:
    """Arrays to be surveyed, once or often, and where their ids stand; the list must stay as long as it is."""

    def __init__(self, arrays: list[Any]) -> None:
        self.arrays = arrays

    @property
    def address(self) -> int:
        """A list is an array of ids: nobody else needs to write them down."""
        return _word(id(self.arrays) + ITEMS)


def survey(
    arrays: Identities,
    dtype: np.dtype[Any],
    sizes: NDArray[np.intp],
    out: NDArray[np.intp],
    references: int = 0,
) -> bool:
    """Write the address of each array's data to `out`; whether all are aligned, contiguous and as they should be.

    sizes: the number of elements expected of each. references: how many references to each there must be, those of the
    caller's list included; 0 for any number.

    >>> x = np.ones(3)
    >>> out = np.empty(1, np.intp)
    >>> survey(Identities([x]), x.dtype, np.array([3]), out), int(out[0]) == x.ctypes.data
    (True, True)
    >>> survey(Identities([x[::2]]), x.dtype, np.array([2]), out)
    False
    """
    read = _native if layout() else _plain
    return read(arrays, dtype, sizes, out, references)


def _native(
    arrays: Identities, dtype: np.dtype[Any], sizes: NDArray[np.intp], out: NDArray[np.intp], references: int
) -> bool:
    count = len(arrays.arrays)
    stride = out.strides[0] // 8
    words = array("q", (arrays.address, sizes.ctypes.data, out.ctypes.data, stride, id(dtype), references, 0, _NDARRAY))
    _kernel().call(0, count, words.buffer_info()[0])
    return not words[6]


def _plain(
    given: Identities, dtype: np.dtype[Any], sizes: NDArray[np.intp], out: NDArray[np.intp], references: int
) -> bool:
    right, arrays = True, given.arrays
    for k in range(len(arrays)):
        if type(arrays[k]) is not np.ndarray:
            right = False
            continue
        own = not references or sys.getrefcount(arrays[k]) == references + 1  # and the argument's own
        flags = arrays[k].flags
        fits = arrays[k].dtype == dtype and arrays[k].size == sizes[k]
        right &= own and fits and flags.c_contiguous and flags.aligned
        out[k] = arrays[k].ctypes.data
    return right


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
    return compile.get(_BEGIN, "begin", signature=("intp",) * 5, flags=()).call if layout() else None


_FIRST = """
def first(lo, hi, args):
    words = word_at(args[1])
    found = hi
    for k in range(hi - 1, lo - 1, -1):
        if word_at(words[3 * k])[0] & words[3 * k + 2] != words[3 * k + 1]:
            found = k
    args[0] = found
"""


class Snapshot:
    """What attributes objects have and how many references there are to some, to be compared later in one native call.

    The objects must outlive the snapshot, which holds none.

    >>> from autograd.tensor import Tensor
    >>> t, x, snapshot = Tensor(np.ones(3)), np.ones(2), Snapshot()
    >>> snapshot.attribute(t, "value", t.value)
    >>> snapshot.references(x, 1)
    >>> snapshot.holds()
    True
    >>> t.value = x
    >>> snapshot.holds(), snapshot.first()
    (False, 0)
    """

    def __init__(self) -> None:
        self.words = array("q")
        self._args: array[int] | None = None

    def __len__(self) -> int:
        return len(self.words) // 3

    def _expect(self, address: int, word: int, bits: int = -1) -> None:
        self.words.extend((address, word, bits))
        self._args = None

    def attribute(self, owner: Any, name: str, value: Any) -> None:
        """Expect an attribute, one of the `__slots__` of the owner's class, to be this very object."""
        kind: Any = type(owner)
        self._expect(id(owner) + _slot(kind, name), id(value))

    def references(self, x: Any, count: int) -> None:
        """Expect so many references to an object."""
        self._expect(id(x), count, 0xFFFFFFFF)

    def length(self, x: list[Any]) -> None:
        """Expect a list to be as long as it is."""
        self._expect(id(x) + HEAD, len(x))

    def untouched(self, x: dict[Any, Any]) -> None:
        """Expect that nobody has written to a dictionary since now. Only where there are `versions`."""
        self._expect(id(x) + VERSION, _word(id(x) + VERSION))

    def cut(self, count: int) -> None:
        """Forget what was expected after the first `count`."""
        del self.words[3 * count :]
        self._args = None

    def first(self) -> int:
        """The place of the first that is not as expected; their number if all are."""
        count = len(self.words) // 3
        if self._args is None:
            self._args = array("q", (0, self.words.buffer_info()[0]))
        _compare()(0, count, self._args.buffer_info()[0])
        return self._args[0]

    def holds(self) -> bool:
        """Whether all is as expected."""
        return self.first() == len(self)


@cache
def _compare() -> Any:
    return compile.get(_FIRST, "first", flags=()).call


@cache
def _slot(kind: Any, name: str) -> int:
    """How far into an object of a class one of its slots lies."""
    probe: Any = object.__new__(kind)
    mark = object()
    setattr(probe, name, mark)
    words = np.frombuffer(ctypes.string_at(id(probe), kind.__basicsize__), np.intp)
    (place,) = np.flatnonzero(words == id(mark))
    return int(place) * words.itemsize


@cache
def _kernel() -> compile.Kernel:
    return compile.get(_SOURCE, "survey", flags=())


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
            for pair in (Identities([x, x]), Identities([x.copy(), x.copy()])):
                for dtype in (x.dtype, np.dtype(np.int8)):
                    for references in (0, 1, 3):
                        ours = _native(pair, dtype, sizes, found, references)
                        if ours != _plain(pair, dtype, sizes, expected, references) or (found != expected).any():
                            return False
    return True


@cache
def versions() -> bool:
    """Whether each write to a dictionary gives it another version, as in CPython up to 3.12, seen on every kind of write.

    >>> isinstance(versions(), bool)
    True
    """
    if not layout():
        return False

    class Holder:
        pass

    def assign(holder: Any, value: Any) -> None:
        for _ in range(100):  # until the interpreter has a shorter way for it
            holder.name = value

    for d in ({"name": 0, "other": 0}, vars(holder := Holder())):
        holder.name = holder.other = 0
        seen = {_word(id(d) + VERSION)}
        writes: list[Callable[[], Any]] = [
            lambda d=d: d.update(name=object()),
            lambda d=d: d.__setitem__("name", object()),
            lambda d=d: d.pop("other"),
            lambda d=d: d.setdefault("third", 3),
            lambda d=d: d.__ior__({"third": object()}),
            lambda d=d: d.popitem(),
            lambda d=d: assign(holder, object()) if d is vars(holder) else d.clear(),
            lambda d=d: delattr(holder, "name") if d is vars(holder) else d.update(name=1),
        ]
        for write in writes:
            write()
            now = _word(id(d) + VERSION)
            if now in seen:
                return False
            seen.add(now)
    return True
