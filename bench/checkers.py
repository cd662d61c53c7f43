"""Gradient checkers on the planted mistakes of the tests and on what is right: which of them each is right about.

Ours, `torch.autograd.gradcheck` and `jax.test_util.check_grads`, each with its own tolerances and in a process of its
own (`python -m bench.checkers NAME` prints what it says as JSON); the same rules, spoiled or right, stand behind
functions of each library, so that all judge the same numbers.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from runpy import run_path
from time import perf_counter
from typing import Any

import numpy as np

import autograd as ag
from bench.report import Row, columns
from bench.timing import Spread

MUTANTS = Path(__file__).parents[1] / "tests" / "autograd" / "gradcheck" / "mutants.py"
RIGHT = "nothing wrong"
OURS = "ours"
Verdict = bool | None  # whether it passes; None where the checker does not take the inputs
Judge = Callable[[Any, Any, Any], Verdict]
Judged = dict[str, Any]  # counts by kind in "total", "rightly" and "silent", and "seconds"


@dataclass(frozen=True)
class Kind:
    """A kind of mistake: how many were planted, and of which of them each checker said the right thing, or nothing."""

    kind: str
    total: int
    rightly: dict[str, int]
    silent: dict[str, int]
    rows: list[Row]


def pulled(op: Any, xs: Any, settings: dict[str, Any], g: Any) -> list[Any]:
    """The cotangents of the floating inputs, by our rule."""
    leaves = [ag.tensor(x, requires_grad=x.dtype.kind == "f") for x in xs]
    live = [x for x in leaves if x.requires_grad]
    return [t.numpy() for t in ag.grad(op(*leaves, **settings), live, g, allow_unused=True)]


def ours() -> Judge:
    """`ag.gradcheck`."""
    return lambda op, xs, settings: bool(ag.gradcheck(lambda *ts: op(*ts, **settings), xs))


def torchs() -> Judge:
    """`torch.autograd.gradcheck`, on a `torch.autograd.Function`."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)

    def judge(op: Any, xs: Any, settings: dict[str, Any]) -> Verdict:
        class Rule(torch.autograd.Function):  # type: ignore[misc, name-defined]  # torch is optional: no known class
            @staticmethod
            def forward(ctx: Any, *ts: Any) -> Any:
                ctx.xs = [t.detach().numpy() for t in ts]
                return torch.from_numpy(np.array(op(*ctx.xs, **settings)))

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                found = iter(pulled(op, ctx.xs, settings, g.numpy()))
                return tuple(torch.from_numpy(np.array(next(found))) if x.dtype.kind == "f" else None for x in ctx.xs)

        inputs = [torch.tensor(np.array(x, order="C"), requires_grad=x.dtype.kind == "f") for x in xs]
        try:
            return bool(torch.autograd.gradcheck(Rule.apply, inputs, raise_exception=False))
        except (RuntimeError, ValueError):  # as with an empty input
            return None

    return judge


def jaxs() -> Judge:
    """`jax.test_util.check_grads` of order 1 in reverse mode, on a `jax.custom_vjp`."""
    jax = importlib.import_module("jax")
    check_grads = importlib.import_module("jax.test_util").check_grads
    jax.config.update("jax_enable_x64", True)

    def judge(op: Any, xs: Any, settings: dict[str, Any]) -> Verdict:
        live = [k for k, x in enumerate(xs) if x.dtype.kind == "f"]

        def whole(ts: Any) -> list[Any]:
            found = [np.asarray(x) for x in xs]
            for k, t in zip(live, ts, strict=True):
                found[k] = np.asarray(t)
            return found

        @jax.custom_vjp  # type: ignore[untyped-decorator, unused-ignore]  # jax is optional
        def f(*ts: Any) -> Any:
            return jax.numpy.asarray(np.array(op(*whole(ts), **settings)))

        def forward(*ts: Any) -> Any:
            return f(*ts), ts

        def backward(ts: Any, g: Any) -> Any:
            return tuple(jax.numpy.asarray(t) for t in pulled(op, whole(ts), settings, np.conj(np.asarray(g))))

        f.defvjp(forward, backward)
        try:
            check_grads(f, [jax.numpy.asarray(xs[k]) for k in live], order=1, modes=["rev"])
        except AssertionError:
            return False
        except (TypeError, ValueError):
            return None
        return True

    return judge


CHECKERS = {OURS: ours, "torch": torchs, "jax": jaxs}


def cases(most: int | None) -> Iterator[tuple[str, Any, Any, bool]]:
    """Each mistake, and the right rule behind it: its kind, the operation, the mutant, whether it is right."""
    planted = run_path(str(MUTANTS))
    for op in planted["DIFFERENTIABLE"][:most]:
        for m in planted["mutants_of"](op):
            yield m.kind, m.op, m, False
            yield RIGHT, m.right, m, True


def judged(checker: str, most: int | None = None) -> Judged:
    """How often a checker was right about each kind, and how often it gave no verdict; its seconds."""
    judge = CHECKERS[checker]()
    total, rightly, silent, seconds = Counter[str](), Counter[str](), Counter[str](), 0.0
    with np.errstate(all="ignore"):
        for kind, op, m, right in cases(most):
            total[kind] += 1
            start = perf_counter()
            verdict = judge(op, m.xs, m.settings)
            seconds += perf_counter() - start
            rightly[kind] += verdict is right
            silent[kind] += verdict is None
    return {"total": total, "rightly": rightly, "silent": silent, "seconds": seconds}


def named(checker: str) -> str:
    """A checker with the version of its library."""
    try:
        return checker if checker == OURS else f"{checker} {version(checker)}"
    except PackageNotFoundError:
        return checker


def kinds(found: Mapping[str, Judged]) -> list[Kind]:
    """What all checkers were right about, kind by kind; we are to misjudge nothing."""
    results = []
    for kind, total in found[OURS]["total"].items():
        rightly, silent = ({name: of[said][kind] for name, of in found.items()} for said in ("rightly", "silent"))
        rows = []
        for name in found:
            refused = f" ({silent[name]} refused)" if silent[name] else ""
            wrong = float(total - rightly[name] - (silent[name] if name != OURS else 0))
            what = f"{kind}: misjudged of {total}{refused}, {name}"
            rows.append(Row(what, Spread(wrong, wrong, wrong), "", 0.0 if name == OURS else None))
        results.append(Kind(kind, total, rightly, silent, rows))
    return results


def beside(results: list[Kind]) -> str:
    """The table: a row for each kind of mistake, a column for each checker."""
    lines = [("judged rightly", "of", *results[0].rightly)]
    for r in results:
        quiet = {name: f" (+{n} refused)" if n else "" for name, n in r.silent.items()}
        lines.append((r.kind, str(r.total), *(f"{n}{quiet[name]}" for name, n in r.rightly.items())))
    return columns(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.checkers", description=__doc__)
    parser.add_argument("checker", choices=list(CHECKERS))
    parser.add_argument("most", type=int, help="judge only the first so many operations")
    given = parser.parse_args()
    print(json.dumps(judged(given.checker, given.most)))
