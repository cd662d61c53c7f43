"""What `nn.Trainer` adds to a step: the same steps of nothing through it and in a bare loop; and its progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import autograd as ag
import nn
from bench.report import Row
from bench.timing import difference, interleaved, spread
from nn.callback import Bar

STEPS = 2000
TARGET = 20.0  # microseconds a step
US = 1e6
BAR_STEPS, BAR_STEP, BAR_TARGET = 10_000, 1e-4, 0.5  # steps of so many seconds; percent of them


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


def bar_share(steps: int) -> float:
    """Which part of the time of steps that come at their pace the progress bar takes, what it draws included."""
    from tqdm import tqdm

    nobody: Any = None
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        bar = Bar(range(steps), 1, partial(tqdm, file=nowhere))
        taken, due = 0.0, perf_counter()
        for k in range(steps):
            due += BAR_STEP
            while perf_counter() < due:
                pass
            before = perf_counter()
            bar.on_batch_end(nobody, k, 0.0)
            after = perf_counter()
            taken += 2 * after - before - perf_counter()  # without what a look at the clock takes
        bar.on_fit_end(nobody)
    return taken / (steps * BAR_STEP)


def rows(repeats: int, steps: int = STEPS, bar_steps: int = BAR_STEPS) -> list[Row]:
    """An empty step through the trainer, in a bare loop, what the one takes more than the other; the bar's share."""
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
    share = interleaved({"bar": partial(bar_share, bar_steps)}, repeats)["bar"]
    return [
        Row("an empty step through Trainer", spread(t["Trainer"]) * US, "us", TARGET),
        Row("the progress bar, of the time of 10,000 steps a second", spread(share) * 100, "%", BAR_TARGET),
        Row("an empty step in a bare loop", spread(t["loop"]) * US, "us"),
        Row("an empty step, Trainer beyond the loop", difference(t["Trainer"], t["loop"]) * US, "us"),
    ]
