"""A peer in a process of its own that runs one statement whenever it is asked: rounds interleave across processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from time import sleep
from timeit import timeit
from types import TracebackType
from typing import Any, Self

from bench.timing import Subject

SETTLE = 0.02  # seconds after which another process's idle threads no longer spin
NUMBER = 3


def turn(statement: Callable[[], object]) -> float:
    """Seconds that a statement takes, once others have come to rest and it has run before."""
    sleep(SETTLE)
    statement()
    return timeit(statement, number=NUMBER) / NUMBER


class Peer:
    """The statements of `module`, run by a process of their own; none if `library` is not installed or not wanted.

    Attributes:
        names: what it can run.
        version: of the library.
    """

    def __init__(self, module: str, library: str, *sizes: int, wanted: bool = True) -> None:
        self.names: list[str] = []
        self.version = ""
        self.process: subprocess.Popen[str] | None = None
        if wanted and find_spec(library) is not None:
            command = [sys.executable, "-m", module, *map(str, sizes)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        if self.process is not None:
            hello = self._ask(None)
            self.names, self.version = hello["names"], hello["version"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process is not None:
            self.process.communicate()

    def _ask(self, name: str | None) -> Any:
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if name is not None:
            self.process.stdin.write(name + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer process ended with exit code {self.process.wait()}; its error is above.")
        return json.loads(answer)

    def subject(self, name: str) -> Subject:
        """The statement called `name`, timed in the other process."""
        return lambda: float(self._ask(name))


def serve(statements: Mapping[str, Callable[[], object]], version: str) -> None:
    """The other side: say what there is, then time each statement that a line of the input names."""
    print(json.dumps({"names": list(statements), "version": version}), flush=True)
    for line in sys.stdin:
        print(json.dumps(turn(statements[line.strip()])), flush=True)
