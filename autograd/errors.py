"""Named errors. Each message says what was given, what was expected, and what to write instead."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from pathlib import Path
from traceback import walk_tb
from typing import Any

_HOUSE = tuple(f"{Path(__file__).parent.parent / name}{os.sep}" for name in ("autograd", "nn", "optim", "regularize"))
_BENCH = f"{Path(__file__).parent.parent / 'bench'}{os.sep}"
_INSTALLED = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "purelib", "platlib"))
_LIBRARY = (f"{Path(os.__file__).parent}{os.sep}", "<frozen ")  # and what is installed there
_FILES: set[str] = set()  # those of the house that were met: to find one is quicker than to compare


class WengertError(Exception):
    """The base of every error that this project raises on purpose."""


class ShapeError(WengertError, ValueError):
    """Shapes that do not fit each other or the operation."""


class DTypeError(WengertError, TypeError):
    """A dtype, or a type of argument, that the operation does not take."""


class IndexOutOfRange(WengertError, IndexError):
    """An index, a label or an axis outside the range that the shape allows."""


class DifferentiationError(WengertError, RuntimeError):
    """A derivative was asked for that is not defined, or no longer available."""


class FreedTapeError(DifferentiationError):
    """A second backward pass over a tape whose saved values were freed by the first."""


class ClobberedError(DifferentiationError):
    """A value that the tape needs was changed in place after it was recorded."""


class UnsupportedError(WengertError, TypeError):
    """A function or argument that has no derivative rule here, so that a gradient would be lost."""


class DataError(WengertError, ValueError):
    """Data that cannot be trained on: empty, not finite, or of unequal lengths."""


class CheckpointError(WengertError, ValueError):
    """Stored weights that are damaged or do not match the model."""


class AnomalyError(WengertError, FloatingPointError):
    """A NaN or an infinity that reached a result or a gradient, found by `ag.detect_anomaly`."""


class ArgumentError(WengertError, ValueError):
    """An argument outside the values that the function takes."""


def user_place(above: int = 1) -> tuple[str, int]:
    """File and line of the innermost frame outside this project's packages, of those from `above` on.

    >>> user_place()[1]
    1
    """
    last = frame = sys._getframe(above)
    while frame is not None and ((file := frame.f_code.co_filename) in _FILES or _is_house(file)):
        last, frame = frame, frame.f_back  # type: ignore[assignment]
    place = last if frame is None else frame
    return place.f_code.co_filename, place.f_lineno


def _is_house(file: str) -> bool:
    if not file.startswith(_HOUSE):
        return False
    _FILES.add(file)
    return True


def asked_by_user() -> bool:
    """Whether what called the function that asks is a line outside this project's packages.

    Of a question of Python's own library, what called that counts.

    >>> (lambda: asked_by_user())()
    True
    """
    frame = sys._getframe(2)
    while frame.f_back is not None and _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return not frame.f_code.co_filename.startswith(_HOUSE)


def _is_library(file: str) -> bool:
    return file.startswith(_LIBRARY) and "site-packages" not in file


def is_ours(f: Any) -> bool:
    """Whether a function is written in this project's packages.

    >>> is_ours(user_line), is_ours(lambda: None)
    (True, False)
    """
    return getattr(getattr(f, "__code__", None), "co_filename", "").startswith(_HOUSE)


def is_users(file: str | None) -> bool:
    """Whether a file is a user's: no module of this project, of Python's library or of what is installed.

    >>> is_users("train.py"), is_users(os.__file__), is_users(None)
    (True, False, False)
    """
    return file is not None and not file.startswith((*_HOUSE, *_INSTALLED, "<frozen "))


def user_line() -> str:
    """`file:line: source` of the innermost frame outside this project's packages.

    >>> user_line().split(":")[1].isdigit()
    True
    """
    return line_at(*user_place())


def words_of(error: BaseException) -> str:
    """An error in words, for a command: its kind, what it says, and the innermost line of the user's on its way.

    >>> words_of(ValueError("no file"))
    'ValueError: no file'
    """
    others = (*_HOUSE, _BENCH, *_INSTALLED)
    places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    own = [place for place in places if os.path.isabs(place[0]) and not place[0].startswith(others)]
    said = f"{type(error).__name__}: {error}"
    return "\n".join([said, line_at(*own[-1])]) if own and f"{own[-1][0]}:{own[-1][1]}" not in said else said


def line_at(file: str, line: int) -> str:
    """`file:line: source` of a place."""
    source = linecache.getline(file, line).strip()
    return f"{file}:{line}" + (f": {source}" if source else "")
