"""The planted mistakes of the tests, as our gradient checker and as PyTorch's sees them; and what a check costs.

The same spoiled rules stand behind a `torch.autograd.Function`, so that both judge the same numbers.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from time import perf_counter
from typing import Any

import numpy as np

import autograd as ag
import nn
from bench.report import Row, table
from bench.timing import Spread, spread

ABOUT = "which planted mistakes our gradient checker sees, and which PyTorch's does; what a check costs"
RIGHT = "nothing wrong"
show = table
MUTANTS = Path(__file__).parents[1] / "tests" / "autograd" / "gradcheck" / "mutants.py"


def on_torch(torch: Any, op: Callable[..., Any], settings: dict[str, Any]) -> Callable[..., Any]:
    """The operation with our (spoiled) rule as a function of torch's tensors."""

    class Ours(torch.autograd.Function):  # type: ignore[misc]  # torch is optional, so its class is not known here
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            leaves = [ag.tensor(x.detach().numpy(), requires_grad=x.dtype == torch.float64) for x in xs]
            ctx.ours = (leaves, op(*leaves, **settings))
            return torch.from_numpy(np.array(ctx.ours[1].detach().numpy()))

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            leaves, y = ctx.ours
            live = [x for x in leaves if x.requires_grad]
            found = iter(ag.grad(y, live, g.numpy(), retain_graph=True, allow_unused=True))
            return tuple(torch.from_numpy(np.array(next(found).numpy())) if x.requires_grad else None for x in leaves)

    return Ours.apply  # type: ignore[no-any-return]


def torch_passes(torch: Any, op: Callable[..., Any], xs: Any, settings: dict[str, Any]) -> bool | None:
    """PyTorch's verdict with its own tolerances; None where it refuses the inputs, as with an empty one."""
    inputs = [torch.tensor(np.array(x, order="C"), requires_grad=x.dtype.kind == "f") for x in xs]
    try:
        return bool(torch.autograd.gradcheck(on_torch(torch, op, settings), inputs, raise_exception=False))
    except RuntimeError:
        return None


def judged(most: int | None, torch: Any) -> tuple[Counter[str], Counter[str], Counter[str], list[float]]:
    """Of each kind how many were planted, how many we and how many PyTorch judged wrongly; the seconds of both."""
    planted = run_path(str(MUTANTS))
    total, ours, theirs = Counter[str](), Counter[str](), Counter[str]()
    seconds = [0.0, 0.0]
    for op in planted["DIFFERENTIABLE"][:most]:
        for m in planted["mutants_of"](op):
            rows: list[tuple[str, Any, bool]] = [(m.kind, m.op, False), (RIGHT, m.right, True)]
            for kind, f, right in rows:
                total[kind] += 1
                start = perf_counter()
                ours[kind] += bool(ag.gradcheck(lambda *xs, f=f, m=m: f(*xs, **m.settings), m.xs)) is not right
                middle = perf_counter()
                theirs[kind] += torch is not None and torch_passes(torch, f, m.xs, m.settings) is not right
                seconds = [seconds[0] + middle - start, seconds[1] + perf_counter() - middle]
    return total, ours, theirs, seconds


def run(*, repeats: int = 1, most: int | None = None, peers: bool = True) -> list[Row]:
    """What each checker misjudges, by kind, over the first `most` operations; judged once, whatever `repeats` says."""
    torch = importlib.import_module("torch") if peers and find_spec("torch") is not None else None
    total, ours, theirs, seconds = judged(most, torch)
    rows = [Row(f"{kind}: misjudged of {n}, ours", exactly(ours[kind]), "", 0.0) for kind, n in total.items()]
    rows += [Row(f"{sum(total.values())} judgements, ours", exactly(seconds[0]), "s")]
    if torch is not None:
        rows += [Row(f"{kind}: misjudged of {n}, PyTorch's", exactly(theirs[kind]), "") for kind, n in total.items()]
        rows += [Row(f"{sum(total.values())} judgements, PyTorch's", exactly(seconds[1]), "s")]
    return rows + costs(repeats)


def costs(repeats: int) -> list[Row]:
    """The seconds that checks of a network of 10,000 parameters take: every element, and random projections."""
    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(40, 120), nn.Tanh(), nn.Linear(120, 40), nn.Sigmoid(), nn.Linear(40, 10))
    x = ag.tensor(np.random.default_rng(0).standard_normal((8, 40)))
    count = sum(p.size for p in model.parameters())
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(repeats + 1):
        for fast, seconds in times.items():
            start = perf_counter()
            if not nn.gradcheck(model, x, fast=fast):
                raise AssertionError("a right network was judged to be wrong")
            seconds.append(perf_counter() - start)
    full, fast = (spread(seconds[1:]) for seconds in times.values())  # without the first round, which loads kernels
    return [
        Row(f"{count} parameters and 80 results, every element", full, "s", 10.0),
        Row(f"{count} parameters and 80 results, fast", fast, "s", 0.1),
    ]


def exactly(figure: float) -> Spread:
    """A figure that does not spread."""
    return Spread(float(figure), float(figure), float(figure))
