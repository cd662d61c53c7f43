"""The tape: what one operation leaves behind, and whether anything is being recorded at all.

A `Node` is one entry. It points at the entries of its inputs, never at a Tensor and never forward, so there are no
reference cycles: dropping a result drops its tape. Entries carry serial numbers in the order of their making; reading
them in descending order is reverse accumulation (Wengert 1964).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import wraps
from inspect import isgeneratorfunction
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from autograd.errors import DifferentiationError, FreedTapeError

if TYPE_CHECKING:
    import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

serials: Iterator[int] = itertools.count(1)
recording: ContextVar[bool] = ContextVar("recording", default=True)
_inference: ContextVar[bool] = ContextVar("inference", default=False)
_by_serial = attrgetter("serial")


class Watch:
    """What is kept about the few entries that have a gradient, a hook, or a value that was changed in place.

    Attributes:
        changed: serial and user's line of the last change in place.
        grad: the gradient that was accumulated.
        hooks: functions of the cotangent, and marks of what else to do with it.
    """

    __slots__ = ("changed", "grad", "hooks")

    def __init__(self) -> None:
        self.changed: tuple[int, str] | None = None
        self.grad: Any = None
        self.hooks: list[Callable[[Any], Any] | str] = []


class Node:
    """One entry of the tape, or a leaf (an entry without an operation, where gradients end up).

    `saved` holds the output and the inputs, in that order, with None for each that no rule will read. `parents` holds
    the entry of each input, with None for constants; it is None itself once the tape is freed.
    """

    __slots__ = ("dtype", "op", "parents", "saved", "serial", "settings", "shape", "watch")

    def __init__(
        self,
        op: Any,
        parents: tuple[Node | None, ...] | None,
        saved: tuple[Any, ...],
        settings: dict[str, Any] | None,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self.op = op
        self.parents = parents
        self.saved = saved
        self.settings = settings
        self.shape = shape
        self.dtype = dtype
        self.serial = next(serials)
        self.watch: Watch | None = None

    def watched(self) -> Watch:
        """What is kept about this entry, from now on."""
        if self.watch is None:
            self.watch = Watch()
        return self.watch


def gradient_of(node: Node | None) -> Any:
    """The gradient that was accumulated; a warning where none ever is, for what an operation made."""
    if node is None or node.watch is not None:
        return None if node is None else node.watch.grad  # type: ignore[union-attr]
    if node.op is not None:
        warnings.warn(
            f".grad of a Tensor made by {node.op.name!r} is None: gradients are kept for leaves. Write t.retain_grad() "
            "before backward; for a parameter that was updated, `with ag.no_grad(): w -= lr * w.grad`.",
            stacklevel=3,
        )
    return None


class _Heard:
    """The same numbers, each of which is told to who listens."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self.numbers = numbers
        self.listeners: list[Callable[[int], None]] = []

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        serial = next(self.numbers)
        for listener in tuple(self.listeners):
            listener(serial)
        return serial


_heard = _Heard(serials)


@contextmanager
def listening(listener: Callable[[int], None]) -> Iterator[None]:
    """Inside, `listener` hears the number of each entry at its making, in any thread; outside this costs nothing.

    >>> heard = []
    >>> with listening(heard.append):
    ...     leaf((), None).serial == heard[0]
    True
    """
    global serials
    _heard.listeners.append(listener)
    serials = _heard
    try:
        yield
    finally:
        _heard.listeners.remove(listener)
        if not _heard.listeners:
            serials = _heard.numbers


def leaf(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Node:
    """An entry without an operation."""
    return Node(None, (), (), None, shape, dtype)


def entries(roots: Iterable[Node]) -> list[Node]:
    """Every entry that the roots were made of, themselves included, in ascending order of making."""
    seen = set(roots)
    found = list(seen)
    for node in found:  # grows while it is read
        if node.parents is None:
            raise FreedTapeError(
                f"backward reached {node.op.name!r} (shape {node.shape}), whose tape an earlier one freed.\n"
                "Expected a tape that is still whole. Write backward(retain_graph=True) the first time, or run the "
                "forward pass again; across training steps, cut the tape with t.detach()."
            )
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                found.append(parent)
    found.sort(key=_by_serial)
    return found


class _Scope:
    """Sets recording on or off inside a `with` block or a decorated function; restored however the block ends."""

    def __init__(self, record: bool, inference: bool = False) -> None:
        self._record = record
        self._inference = inference
        self._tokens: list[tuple[Token[bool], Token[bool]]] = []

    def __enter__(self) -> None:
        if self._record and _inference.get():
            raise DifferentiationError(
                "enable_grad was entered inside inference_mode, which promises that nothing is recorded.\n"
                "Write no_grad instead of inference_mode where a part must be differentiated."
            )
        self._tokens.append((recording.set(self._record), _inference.set(_inference.get() or self._inference)))

    def __exit__(self, *_: object) -> None:
        record, inference = self._tokens.pop()
        recording.reset(record)
        _inference.reset(inference)

    def __call__(self, f: Callable[P, R]) -> Callable[P, R]:
        if isgeneratorfunction(f):
            raise DifferentiationError(
                f"{f.__name__} is a generator: its body runs outside the decorator's scope.\n"
                "Use `with` inside the body instead."
            )

        @wraps(f)
        def scoped(*args: P.args, **kwargs: P.kwargs) -> R:
            with _Scope(self._record, self._inference):
                return f(*args, **kwargs)

        return scoped


@overload
def no_grad() -> _Scope: ...
@overload
def no_grad(f: Callable[P, R], /) -> Callable[P, R]: ...
def no_grad(f: Callable[..., Any] | None = None, /) -> Any:
    """Nothing is recorded inside: `with no_grad():`, or `@no_grad` on a function.

    >>> import autograd as ag
    >>> w = ag.tensor(2.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     (w * w).requires_grad
    False
    """
    return _Scope(False) if f is None else _Scope(False)(f)


@overload
def enable_grad() -> _Scope: ...
@overload
def enable_grad(f: Callable[P, R], /) -> Callable[P, R]: ...
def enable_grad(f: Callable[..., Any] | None = None, /) -> Any:
    """Recording is on again inside, as within a `no_grad` block.

    >>> import autograd as ag
    >>> w = ag.tensor(2.0, requires_grad=True)
    >>> with ag.no_grad(), ag.enable_grad():
    ...     (w * w).requires_grad
    True
    """
    return _Scope(True) if f is None else _Scope(True)(f)


@overload
def inference_mode() -> _Scope: ...
@overload
def inference_mode(f: Callable[P, R], /) -> Callable[P, R]: ...
def inference_mode(f: Callable[..., Any] | None = None, /) -> Any:
    """A `no_grad` that `enable_grad` cannot undo: nothing inside is ever recorded.

    >>> import autograd as ag
    >>> w = ag.tensor(2.0, requires_grad=True)
    >>> with ag.inference_mode():
    ...     (w * w).requires_grad
    False
    """
    return _Scope(False, inference=True) if f is None else _Scope(False, inference=True)(f)


def is_grad_enabled() -> bool:
    """Whether operations are being recorded here.

    >>> is_grad_enabled()
    True
    """
    return recording.get()
