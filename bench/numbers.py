"""Numbers on a command line that must lie in a range: what argparse takes for `type`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def whole(least: int) -> Callable[[str], int]:
    """A whole number, `least` or more; 1e3 is one.

    >>> whole(1)("1e3")
    1000
    """

    def read(text: str) -> int:
        number = _number(text)
        if not (number == number // 1 and number >= least):
            raise argparse.ArgumentTypeError(f"{text!r} was given. Expected a whole number, {least} or more.")
        return int(number)

    return read


def positive(text: str) -> float:
    """A number larger than 0."""
    return _between(text, "a number larger than 0", 0, float("inf"))


def share(text: str) -> float:
    """A number between 0 and 1.

    >>> share("0.95")
    0.95
    """
    return _between(text, "a number between 0 and 1", 0, 1)


def amount(text: str) -> float:
    """A number, 0 or more."""
    return 0.0 if _number(text) == 0 else _between(text, "a number, 0 or more", 0, float("inf"))


def writable(text: str) -> Path:
    """A file in a folder that is there: that it is not is said before an hour of measuring, not after it."""
    file = Path(text)
    if file.is_dir() or not file.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written. Expected a file in a folder that is there.")
    return file


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} was given. Expected a number.") from None


def _between(text: str, words: str, low: float, high: float) -> float:
    number = _number(text)
    if not low < number < high:
        raise argparse.ArgumentTypeError(f"{text!r} was given. Expected {words}.")
    return number
