"""One process, one function: `python -m bench.firstcall JSON` prints what importing it and calling it took.

Nothing but the standard library is imported before the target, so that all its imports are in the time of its own.
"""

from __future__ import annotations

import gc
import importlib
import json
import pickle
import sys
from contextlib import redirect_stdout
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.target import kind_of, resolve

COMPILERS = ("numba", "llvmlite")
STEADY = 0.2  # seconds at most for the calls after the first


def arguments(texts: list[str], file: str) -> Any:
    """The arguments: from their texts, or from the file in which the process that asks has put them."""
    if file:
        return pickle.loads(Path(file).read_bytes())  # written a moment ago by the process that started this one
    return importlib.import_module("bench.arguments").parsed(texts)


def first(target: str, texts: list[str], file: str = "", calls: int = 0, mark: bool = False) -> dict[str, Any]:
    """Seconds of the import, of the first call, and of a later one, and the compilers that are loaded.

    With `calls`, so many calls follow, and none is timed: their instructions are counted from outside; with `mark`
    by valgrind, which is told where they begin and end.
    """
    begin = perf_counter()
    f = resolve(target)
    imported = perf_counter() - begin
    before, already = loaded(), compiled(f)
    args = arguments(texts, file)
    begin = perf_counter()
    f(*args)
    once = perf_counter() - begin
    found = {"import": imported, "first": once, "with import": before, "with call": loaded(), "compiled": already}
    if not calls:
        return found | {"later": later(f, args)}
    requests = importlib.import_module("bench.requests") if mark else None
    gc.disable()  # the instructions of a collection are not the function's
    if requests:
        requests.ask(requests.START)
    for _ in range(calls):
        f(*args)
    if requests:
        requests.ask(requests.STOP)
    return found


def later(f: Any, args: Any) -> float:
    """The least seconds of some calls."""
    least, end = float("inf"), perf_counter() + STEADY
    for _ in range(1000):
        begin = perf_counter()
        f(*args)
        done = perf_counter()
        least = min(least, done - begin)
        if done > end:
            break
    return least


def compiled(f: Any) -> bool:
    """Whether numba has compiled a function that was not called yet, as it does where it is given signatures."""
    kind = kind_of(f)
    return bool(f.signatures if kind == "numba" else f.types if kind == "numba ufunc" else ())


def loaded() -> list[str]:
    """The compilers that this process has imported."""
    return [name for name in COMPILERS if name in sys.modules]


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        answer = first(**json.loads(sys.argv[1]))
    print(json.dumps(answer))
