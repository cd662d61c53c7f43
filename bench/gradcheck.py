"""`python bench/gradcheck.py`: the planted mistakes of the tests, as our checker and as PyTorch's sees them.

The same spoiled rules stand behind a `torch.autograd.Function`, so that both judge the same numbers.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from runpy import run_path
from time import perf_counter
from typing import Any

import numpy as np

import autograd as ag

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


def main() -> None:
    """Print how many mistakes of each kind each checker catches, and how often each accuses what is right."""
    try:
        import torch
    except ImportError:
        sys.exit("bench/gradcheck.py compares with PyTorch: pip install torch")
    planted = run_path(str(MUTANTS))
    total, ours, theirs = Counter[str](), Counter[str](), Counter[str]()
    seconds = [0.0, 0.0]
    for op in planted["DIFFERENTIABLE"]:
        for m in planted["mutants_of"](op):
            rows: list[tuple[str, Any, bool]] = [(m.kind, m.op, False), ("(right)", m.right, True)]
            for kind, f, right in rows:
                total[kind] += 1
                start = perf_counter()
                ours[kind] += bool(ag.gradcheck(lambda *xs, f=f, m=m: f(*xs, **m.settings), m.xs)) is right
                middle = perf_counter()
                theirs[kind] += torch_passes(torch, f, m.xs, m.settings) is right
                seconds = [seconds[0] + middle - start, seconds[1] + perf_counter() - middle]
    print(f"{'mistake':20} {'planted':>8} {'wengert':>8} {'torch':>8}   judged rightly")
    for kind in total:
        print(f"{kind:20} {total[kind]:8} {ours[kind]:8} {theirs[kind]:8}")
    print(f"{'seconds':20} {'':8} {seconds[0]:8.1f} {seconds[1]:8.1f}")


if __name__ == "__main__":
    main()
