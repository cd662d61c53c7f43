"""What `nn.Trainer` adds to a step: the same steps of nothing through it and in a bare loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import autograd as ag
import nn
from bench.report import Row
from bench.timing import difference, interleaved, spread

STEPS = 2000
TARGET = 20.0  # microseconds a step
US = 1e6


class Idle:
    """An optimizer that does nothing."""

    def zero_grad(self) -> None:
        """Nothing."""

    def step(self) -> None:
        """Nothing."""


def seconds(run: Callable[[], Any], steps: int) -> float:
    """For each step."""
    start = perf_counter()
    run()
    return (perf_counter() - start) / steps


def rows(repeats: int, steps: int = STEPS) -> list[Row]:
    """An empty step through the trainer, in a bare loop, and what the one takes more than the other."""
    one = ag.tensor(1.0, requires_grad=True)
    batches = [(ag.ones((1, 1)), ag.ones((1, 1)))] * steps
    idle = Idle()

    def model(x: Any) -> Any:
        return x

    def loss_of(_prediction: Any, _target: Any) -> Any:
        return one

    trainer = nn.Trainer(model, loss_of, idle, progress=False)

    def loop() -> None:
        for x, y in batches:
            idle.zero_grad()
            loss = loss_of(model(x), y)
            loss.item()
            loss.backward()
            idle.step()
            one.grad = None

    t = interleaved(
        {"Trainer": partial(seconds, lambda: trainer.fit(batches), steps), "loop": partial(seconds, loop, steps)},
        repeats,
    )
    return [
        Row("an empty step through Trainer", spread(t["Trainer"]) * US, "us", TARGET),
        Row("an empty step in a bare loop", spread(t["loop"]) * US, "us"),
        Row("an empty step, Trainer beyond the loop", difference(t["Trainer"], t["loop"]) * US, "us"),
    ]
