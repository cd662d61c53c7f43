"""The function under the check: its variables, and its values again and again as if for the first time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError, DTypeError
from autograd.gradcheck.given import Numbers, in_leaves
from autograd.ops.complex import imag, real
from autograd.random import Generator, generators
from autograd.tape import enable_grad, entries, leaf, no_grad
from autograd.tensor import Tensor, as_tensor
from autograd.tree import flatten

Array = NDArray[Any]


class Problem:
    """A function of some leaves, whose random generators are set back before every run.

    Attributes:
        variables: what the function is called with; floating arrays among them are float64 leaves, and a complex one
            is two, its real and its imaginary part.
        checked: positions of those. names: what each variable is called.
        count: how many values it has, once that is known.
        record: whether the tape must run even for values, as for a function that differentiates.
    """

    def __init__(
        self, f: Callable[..., Any], inputs: Sequence[Any], names: Sequence[str], record: bool = False
    ) -> None:
        self.f, parts, self.names = in_parts(*in_leaves(f, inputs, names))
        self.variables = [raised(x) for x in parts]
        self.checked = [k for k, v in enumerate(self.variables) if isinstance(v, Tensor) and v.requires_grad]
        self.record = record
        self.states: list[tuple[Generator, Any]] = []
        self.settled = False
        self.count = 0

    def leaves(self) -> list[Tensor]:
        """The variables that are checked."""
        return [self.variables[k] for k in self.checked]

    def run(self) -> list[Tensor]:
        """The floating outputs, complex ones in two parts, with generators where they stood before the first run."""
        return [
            p
            for y in self.results()
            for p in ((real(y), imag(y)) if y.dtype.kind == "c" else (y,))
            if p.dtype.kind == "f"
        ]

    def results(self) -> list[Tensor]:
        """All outputs as they are."""
        if not self.settled:
            before = [(g, g.get_state(), g._bits.state) for g in list(generators)]
            result = self.f(*self.variables)
            self.states = [(g, kept) for g, state, kept in before if g.get_state() != state]
            self.settled = True
        else:
            for g, kept in self.states:
                g._bits.state = kept
            result = self.f(*self.variables)
        return _tensors(result)

    def outputs(self) -> list[Tensor]:
        """The outputs, recorded."""
        with enable_grad():
            return self.run()

    def values(self) -> NDArray[np.float64]:
        """All elements of all outputs in one row."""
        with enable_grad() if self.record else no_grad(), np.errstate(all="ignore"):
            parts = [np.ravel(y.value).astype(np.float64) for y in self.run()]
        return np.concatenate([*parts, np.zeros(0)])

    def beside(self) -> NDArray[np.float64]:
        """The values where inputs are moved a little: as many as where they are not."""
        found = self.values()
        if len(found) != self.count:
            raise ArgumentError(
                f"the function under gradcheck returned {self.count} numbers for its inputs and {len(found)} a little "
                "beside them. Expected as many: choose the shape of the result by what does not move, as x[:2], and "
                "not by values, as x[x > 0.5]."
            )
        return found

    @contextmanager
    def moved(self, shifts: dict[int, Array]) -> Iterator[None]:
        """Variables shifted by arrays, and put back afterwards whatever happens."""
        before = {k: self.variables[k].value for k in shifts}
        try:
            for k, shift in shifts.items():
                self.variables[k].value = np.asarray(before[k] + shift)
            yield
        finally:
            for k, value in before.items():
                self.variables[k].value = value

    def along(self, k: int, index: tuple[int, ...]) -> Callable[[float], Array]:
        """The values as a function of how far one element is moved."""
        x = self.variables[k]

        def at(t: float) -> Array:
            before = x.value
            after = np.array(before)
            after[index] += t
            x.value = after
            try:
                return self.beside()
            finally:
                x.value = before

        return at


def _tensors(result: Any) -> list[Tensor]:
    """What f returned, one Tensor after another; a None among them is nothing."""
    leaves = [y for y in flatten(result)[0] if y is not None]
    other = next((y for y in leaves if not isinstance(y, Numbers)), None)
    if other is not None or result is None:
        raise ArgumentError(
            f"the function under gradcheck returned a {type(other).__name__}. Expected a Tensor, or a nested container "
            "of Tensors: write `return` and the result."
        )
    return [as_tensor(y) for y in leaves]


def in_parts(
    f: Callable[..., Any], inputs: Sequence[Any], names: Sequence[str]
) -> tuple[Callable[..., Any], list[Any], list[str]]:
    """f as a function of real inputs, with the real and the imaginary part in place of each complex one."""
    joined = [getattr(x, "dtype", np.dtype(type(x) if type(x) is complex else float)).kind == "c" for x in inputs]
    if not any(joined):
        return f, list(inputs), list(names)
    parts: list[Any] = []
    titles: list[str] = []
    for x, name, two in zip(inputs, names, joined, strict=True):
        value = np.asarray(x.value if isinstance(x, Tensor) else x)
        parts += [value.real.astype(np.float64), value.imag.astype(np.float64)] if two else [x]
        titles += [f"{name} (real part)", f"{name} (imaginary part)"] if two else [name]

    def of_parts(*given: Any) -> Any:
        rest = iter(given)
        whole = [next(rest) + 1j * next(rest) if two else next(rest) for two in joined]
        leaves = [(x, w) for x, w, two in zip(inputs, whole, joined, strict=True) if two and isinstance(x, Tensor)]
        held = [(x, x.value, x.node) for x, _ in leaves]
        for x, w in leaves:  # f may read the leaves themselves
            x.value, x.node = w.value, w.node
        try:
            return f(*whole)
        finally:
            for x, value, node in held:
                x.value, x.node = value, node

    return of_parts, parts, titles


def raised(x: Any) -> Any:
    """A floating input as a float64 leaf; others as they are."""
    if isinstance(x, Tensor) and x.requires_grad and x.is_leaf and x.dtype == np.float64:
        return x
    if not isinstance(x, (*Numbers, list, tuple)):
        return x
    try:
        t = as_tensor(x)
    except (DTypeError, ValueError):  # a tuple of words, say
        return x
    return Tensor(np.array(t.value, np.float64), leaf(t.shape, np.dtype(np.float64))) if t.dtype.kind == "f" else x


def precision(outputs: Sequence[Tensor]) -> float:
    """The machine epsilon of the coarsest floating numbers on the way to the outputs."""
    dtypes = {y.dtype for y in outputs}
    dtypes |= {
        node.dtype for node in entries([y.node for y in outputs if y.node is not None]) if node.dtype.kind in "fc"
    }
    return max((float(np.finfo(d).eps) for d in dtypes), default=float(np.finfo(np.float64).eps))


def overlapping(inputs: Sequence[Any], names: Sequence[str]) -> str:
    """In words, which inputs share memory with themselves or with each other; nothing if none do."""
    _, leaves, titles = in_leaves(len, inputs, names)
    arrays = [(n, x.value if isinstance(x, Tensor) else x) for n, x in zip(titles, leaves, strict=True)]
    floating = [(n, a) for n, a in arrays if isinstance(a, np.ndarray) and a.dtype.kind in "fc" and a.size]
    for name, a in floating:
        if _folded(a):
            return f"elements of {name} share memory: moving one moves others. Write {name}.copy()."
    for j, (name, a) in enumerate(floating):
        for other, b in floating[:j]:
            if np.may_share_memory(a, b) and np.shares_memory(a, b):
                return f"{other} and {name} share memory: moving one moves the other. Write .copy(), or pass it once."
    return ""


def _folded(a: Array) -> bool:
    """Whether two elements of an array lie at one place."""
    if a.flags.c_contiguous or a.flags.f_contiguous:
        return False
    reach = 0
    for n, stride in sorted(zip(a.shape, map(abs, a.strides), strict=True), key=lambda pair: pair[1]):
        if n > 1 and stride <= reach:  # the axis turns back before the finer ones have ended
            return len(np.unique(_places(a))) < a.size
        reach += (n - 1) * stride
    return False


def _places(a: Array) -> Array:
    at: Array = np.zeros((), np.int64)
    for n, stride in zip(a.shape, a.strides, strict=True):
        at = np.add.outer(at, np.arange(n) * stride)
    return at.ravel()
