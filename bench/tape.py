"""What the tape costs: recording an operation, and one step of the sweep over it.

Sixteen float64 elements, so that almost nothing is arithmetic. What NumPy itself takes for the same values is measured
in the same rounds and subtracted: what is left is the price of the tape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from bench import peer
from bench.report import Row, table
from bench.timing import Subject, difference, interleaved, seconds_per, spread

ABOUT = "recording an operation, and one step of the sweep"
ELEMENTS = 16
RECORDING, STEP = 1.2, 1.5  # microseconds, the targets
US = 1e6
show = table


def subjects(length: int, number: int) -> dict[str, Subject]:
    """Every statement that is timed; the chains are `length` operations long, the others run `number` times."""
    x, c = np.linspace(0.1, 0.9, ELEMENTS), np.linspace(0.5, 1.5, ELEMENTS)
    names: dict[str, Any] = {
        "x": x,
        "c": c,
        "a": ag.tensor(x, requires_grad=True),
        "b": ag.tensor(c),
        "tanh": ag.tanh,
        "np": np,
    }
    names["links"] = range(length)
    found = {
        "numpy add": seconds_per("x + c", number=number, **names),
        "record add": seconds_per("a + b", number=number, **names),
        "numpy multiply rule": seconds_per("x * c", number=number, **names),
        "numpy tanh rule": seconds_per("x * (1 - c * c)", number=number, **names),
    }
    for name, link in {"add": "t + b", "multiply": "t * b", "tanh": "tanh(t)"}.items():
        forward = f"t = a\nfor _ in links: t = {link}"
        found[f"sweep {name}"] = seconds_per("t.backward(x)", setup=forward, counts=length, **names)
    both = "t = a\nfor _ in links: t = t + b\nt.backward(x)"
    found["forward and backward"] = seconds_per(both, counts=length, **names)
    return found


def run(*, repeats: int = 61, length: int = 1000, number: int = 2000, peers: bool = True) -> list[Row]:
    """The rows of the case."""
    t = interleaved(subjects(length, number), repeats)
    rows = [
        Row("record a + b, beyond NumPy's own add", difference(t["record add"], t["numpy add"]) * US, "us", RECORDING),
        Row("sweep one add", spread(t["sweep add"]) * US, "us", STEP),
        Row(
            "sweep one multiply, beyond NumPy's g * c",
            difference(t["sweep multiply"], t["numpy multiply rule"]) * US,
            "us",
            STEP,
        ),
        Row(
            "sweep one tanh, beyond NumPy's g * (1 - y * y)",
            difference(t["sweep tanh"], t["numpy tanh rule"]) * US,
            "us",
            STEP,
        ),
        Row("a + b of NumPy", spread(t["numpy add"]) * US, "us"),
        Row("a + b recorded", spread(t["record add"]) * US, "us"),
        Row("chain of adds, forward and backward, per add", spread(t["forward and backward"]) * US, "us"),
    ]
    return rows + (peer_rows(repeats, length, number) if peers else [])


def peer_rows(repeats: int, length: int, number: int) -> list[Row]:
    """The same two figures of PyTorch, where it is installed."""
    found = peer.measure("torch", repeats=repeats, length=length, number=number)
    if found is None:
        return []
    name = f"PyTorch {found.version}"
    return [
        Row(f"{name}: a + b recorded", spread(found.record) * US, "us"),
        Row(f"{name}: chain of adds, per add", spread(found.chain) * US, "us"),
    ]
