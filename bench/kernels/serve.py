"""One library in a process of its own: `python -m bench.kernels.serve LIBRARY THREADS SHRINK`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from time import perf_counter
from typing import Any

import numpy as np

from bench.kernels.case import Case
from bench.kernels.cases import CASES
from bench.kernels.libraries import LIBRARIES, Library
from bench.timing import Subject
from bench.turns import LASTING, enough, rest, serve, turn


def copying(size: int, threads: int) -> Subject:
    """A turn of copies that read and write `size` bytes together, a slice for each thread, again and again."""
    source = np.ones(size // 2, np.uint8)
    target = source.copy()
    parts = list(zip(np.array_split(target, threads), np.array_split(source, threads), strict=True))
    pool, start = ThreadPoolExecutor(threads), Barrier(threads)

    def repeat(number: int, part: tuple[Any, Any]) -> tuple[float, float]:
        start.wait()
        begun = perf_counter()
        for _ in range(number):
            np.copyto(*part)
        return begun, perf_counter()

    def run(number: int) -> float:
        spans = list(pool.map(partial(repeat, number), parts))
        return (max(end for _, end in spans) - min(begun for begun, _ in spans)) / number

    def subject(number: int) -> float:
        rest()
        run(1)
        return run(number)

    run(1)
    return partial(subject, max(2, min(1000, round(LASTING / max(run(1), 1e-9)))))


class Room:
    """The statements of the case at hand, which is one of `cases`."""

    def __init__(self, library: Library, shrink: int, cases: Mapping[str, Case] = CASES) -> None:
        self.library, self.shrink, self.cases = library, shrink, cases
        self.subjects: dict[str, Subject] = {}

    def answer(self, what: str, *arguments: Any) -> Any:
        """Prepare a case, take a turn, make a copy, or forget the case."""
        return getattr(self, f"answer_{what}")(*arguments)

    def answer_case(self, name: str, label: str) -> dict[str, Any]:
        """The figures of one side, which must agree with those of others; from now on it takes turns."""
        case = self.cases[name]
        arrays = case.arrays(self.shrink)
        try:
            statement = case.sides[label].make(self.library, *arrays)
            outputs = self.library.results(statement())
            found = {"figures": case.figures(arrays, outputs), "bytes": case.bytes(arrays, outputs)}
            self.subjects[label] = partial(turn, statement, enough(statement, case.lasting))
        except Exception as error:
            traceback.print_exc()
            return {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
        return found

    def answer_copy(self, label: str, size: int) -> None:
        """Copies of so many bytes take turns as well."""
        self.subjects[label] = copying(size, self.library.threads)

    def answer_turn(self, label: str) -> float:
        """Seconds."""
        return self.subjects[label]()

    def answer_forget(self) -> None:
        """The case is over."""
        self.subjects.clear()
        self.library.forget()


def main(name: str, threads: int, shrink: int, cases: Mapping[str, Case] = CASES) -> None:
    """Serve one library, or say why it is absent."""
    try:
        library = LIBRARIES[name](threads)
    except (ImportError, RuntimeError) as error:
        serve({"absent": str(error)}, lambda *_: None)
        return
    serve({"version": library.version}, Room(library, shrink, cases).answer)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
