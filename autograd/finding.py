"""What was found of a NaN or an infinity: whether there is one, and the words that say who made it."""

from __future__ import annotations

from cmath import isfinite
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.errors import line_at
from autograd.primitive import Primitive

Place = str | tuple[str, int]  # a file and a line, or words
NUMERIC = (np.ndarray, np.generic)
SMALL = 4096  # elements up to which each is looked at


@dataclass(frozen=True)
class Finding:
    """One operation that made a NaN or an infinity.

    Attributes:
        serial: where it stands among all that were run.
        text: what it made, of what, where, on which line.
    """

    serial: int
    text: str


def bad(value: Any) -> bool:
    """Whether a floating array holds NaN or infinity; a finite sum of squares, the usual case, says no in one pass.

    >>> bad(np.ones(3)), bad(np.array([1.0, np.inf])), bad(np.arange(2)), bad(None)
    (False, True, False, False)
    """
    if not isinstance(value, NUMERIC) or value.dtype.kind not in "fc":
        return False
    size = value.size
    if size == 1:
        return not isfinite(value.item())
    if size <= SMALL:
        return bool(np.count_nonzero(np.isfinite(value)) != size)
    flat = value.ravel("K")
    flat = flat.view(flat.real.dtype)  # complex ones in two parts
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(flat.dot(flat))
    return total - total != 0 and not bool(np.isfinite(value).all())


def said(place: Place) -> str:
    """A place in words."""
    return place if isinstance(place, str) else line_at(*place)


def first(value: Any) -> tuple[int, ...]:
    """The first index at which a value is not finite.

    >>> first([[1.0, 2.0], [3.0, np.nan]])
    (1, 1)
    """
    return tuple(map(int, np.argwhere(~np.isfinite(np.asarray(value)))[0]))


def shown(op: Primitive, inputs: Sequence[Any], y: Any, index: tuple[int, ...]) -> str:
    """The inputs: their values at the place, if the operation works element by element, else their range."""
    texts = []
    for k, x in enumerate(inputs):
        name = op.inputs[k] if k < len(op.inputs) and not op.variadic else f"input {k}"
        array = np.asarray(x)
        if op.partials is not None:
            texts.append(f"{name}={np.broadcast_to(array, np.shape(y))[index]}")
        elif array.size and array.dtype.kind in "iuf":
            texts.append(f"{name} of shape {array.shape} in [{np.min(array)}, {np.max(array)}]")
        else:
            texts.append(f"{name} of shape {array.shape}")
    return ", ".join(texts)


def made(
    op: Primitive,
    inputs: Sequence[Any],
    y: Any,
    line: Place,
    known: Iterable[Finding | None],
    serial: int,
    rule: str = "",
) -> Finding:
    """Who made y, an operation's result, not finite: what made an input so, or the operation itself.

    `rule` names the operation in whose derivative it was run, if it was in one.
    """
    earlier = [found for found in known if found is not None]
    if earlier:
        return min(earlier, key=lambda found: found.serial)
    index = first(y)
    given = any(bad(np.asarray(x)) for x in inputs)
    where = f", in the derivative of {rule!r}," if rule else ""
    return Finding(
        serial,
        f"{op.name!r}{where} {'was given' if given else 'made'} {np.asarray(y)[index]} at index {index} "
        f"of {shown(op, inputs, y, index) or 'inputs that were changed since'}.\nAt {said(line)}",
    )
