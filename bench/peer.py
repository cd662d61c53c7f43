"""The same measurements of another library, in a process of its own: two thread pools in one disturb each other.

Run as a program (`python -m bench.peer torch ...`) it measures and prints JSON, which `measure` reads.
"""

from __future__ import annotations

import argparse
import importlib
import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec

from bench.report import cores
from bench.timing import interleaved, seconds_per
from bench.turns import fresh


@dataclass(frozen=True)
class Figures:
    """Seconds for each round: recording one add, and a chain of adds forward and backward, per add."""

    version: str
    record: list[float]
    chain: list[float]


def measure(library: str, *, repeats: int, length: int, number: int) -> Figures | None:
    """The figures of a library that has PyTorch's interface; None where it is not installed."""
    if find_spec(library) is None:
        return None
    return Figures(**fresh("bench.peer", library, repeats, length, number, threads=cores()))


def here(library: str, repeats: int, length: int, number: int) -> Figures:
    """The figures, taken in this process, with as many threads as our own case may use."""
    torch = importlib.import_module(library)
    torch.set_num_threads(cores())
    a = torch.linspace(0.1, 0.9, 16, dtype=torch.float64, requires_grad=True)
    b = torch.linspace(0.5, 1.5, 16, dtype=torch.float64)
    names = {"a": a, "b": b, "g": torch.ones_like(b), "links": range(length)}
    both = "t = a\nfor _ in links: t = t + b\nt.backward(g)"
    found = interleaved(
        {
            "record": seconds_per("a + b", number=number, **names),
            "chain": seconds_per(both, counts=length, **names),
        },
        repeats,
    )
    return Figures(torch.__version__, **found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.peer", description="Figures of a peer, as JSON.")
    parser.add_argument("library")
    for size in ("repeats", "length", "number"):
        parser.add_argument(size, type=int)
    print(json.dumps(asdict(here(**vars(parser.parse_args())))))
