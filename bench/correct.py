"""`python -m bench.correct --seeds 20`: our gradient checker on all that is right, in search of a false alarm.

Every primitive, every layer and loss, and the updates of every optimizer, as the tables of the tests have them, on
inputs drawn anew for each seed; it prints what was accused, and how many judgements and seconds that took.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from runpy import run_path
from time import perf_counter
from typing import Any

import numpy as np

import autograd as ag
from autograd.domain import case
from autograd.errors import WengertError

TESTS = Path(__file__).parents[1] / "tests"
Check = Callable[[int], Any]  # from a seed to a result


@dataclass(frozen=True)
class Right:
    """One thing that is right: what it is called, and how to check it with the inputs of a seed."""

    name: str
    check: Check


def primitives() -> Iterator[Right]:
    """Each record of the registry on each of its test inputs, in both modes and by projections."""
    planted = run_path(str(TESTS / "autograd" / "gradcheck" / "mutants.py"))
    for op in planted["DIFFERENTIABLE"]:
        of = op.cases or tuple(case(*shapes, on=op.domain) for shapes in planted["SHAPES"][len(op.inputs)])
        for k, c in enumerate(of):

            def check(seed: int, op: Any = op, c: Any = c) -> Any:
                xs = c.sample(np.random.default_rng(1000 + seed))
                f = lambda *ts: op(*ts, **c.settings)  # noqa: E731  # both checks are of this
                whole = ag.gradcheck(f, xs, seed=seed, mode="both")
                return whole and ag.gradcheck(f, xs, seed=seed, fast=True)

            yield Right(f"{op.name} {k}", check)


def layers() -> Iterator[Right]:
    """Each layer and loss, by its free inputs and its parameters, which are moved a little with the seed."""
    sys.path.insert(0, str(TESTS / "figures"))
    table = run_path(str(TESTS / "nn" / "test_layers.py"))
    for topic, k, c in table["CASES"]:
        if not c["order"]:  # a gradient that is meant to be another, as that of an embedding's padding
            continue

        def check(seed: int, topic: str = topic, k: int = k, c: Any = c) -> Any:
            record = table["figures"]("stored", topic)[k]
            module, xs = table["module_of"](c, record), table["arguments"](c, record)
            free = [i for i, x in enumerate(xs) if x.requires_grad]
            rng = np.random.default_rng(seed)
            moved = [*(xs[i] for i in free), *module.parameters()]
            before = [t.detach() for t in moved]
            with ag.no_grad():
                for t in moved:
                    t.copy_(t * (1 + 0.05 * rng.uniform(-1, 1, t.shape)))
                try:
                    table["outputs"](c, module, xs)
                except WengertError:  # probabilities that no longer sum to 1, say: then as the table has them
                    for t, value in zip(moved, before, strict=True):
                        t.copy_(value)

            def f(*values: Any) -> Any:
                called = list(xs)
                for i, x in zip(free, values[: len(free)], strict=True):
                    called[i] = x
                ys = table["outputs"](c, module, called)
                total = (ys[0] * 1.0).sum()
                for n, y in enumerate(ys[1:], 2):
                    total = total + (y * n).sum()
                return ys[0] if len(ys) == 1 else total

            return ag.gradcheck(f, moved, rtol=1e-3, atol=1e-5, max_elements=8, seed=seed)

        yield Right(f"{topic} {c['kind']} {k}", check)


def optimizers() -> Iterator[Right]:
    """A few updates of each optimizer, by the first weights and the settings."""
    table = run_path(str(TESTS / "optim" / "test_optimizers.py"))
    for k, (kind, fixed, settings) in enumerate(table["HYPER"]):

        def check(seed: int, kind: Any = kind, fixed: Any = fixed, settings: Any = settings) -> Any:
            after = table["unrolled"](kind, **fixed)
            names, start = list(settings), np.asarray(table["FIGURE"]["START"]["w"])
            w = start + 0.1 + 0.05 * np.random.default_rng(seed).uniform(-1, 1, np.shape(start))
            values = [ag.tensor(x) for x in settings.values()]
            f = lambda w, *given: after(w, **dict(zip(names, given, strict=True)))  # noqa: E731  # its own line
            return ag.gradcheck(f, [ag.tensor(w), *values], seed=seed)

        yield Right(f"{kind.__name__} {k}", check)


GROUPS = {"primitives": primitives, "layers": layers, "optimizers": optimizers}


def alarms(right: list[Right], seeds: range, say: Callable[[str], None]) -> list[tuple[str, int, str]]:
    """What was accused: its name, the seed and the report."""
    found = []
    done, start = 0, perf_counter()
    for seed in seeds:
        for one in right:
            with np.errstate(all="ignore"):
                try:
                    result = one.check(seed)
                except Exception as error:  # a check that breaks is an alarm too, and the others go on
                    found.append((one.name, seed, f"{type(error).__name__}: {error}"))
                else:
                    if not result:
                        found.append((one.name, seed, str(result)))
            done += 1
        rate = (perf_counter() - start) / done
        say(f"seed {seed}: {done} of {len(right) * len(seeds)} checked, {len(found)} accused, {1e3 * rate:.1f} ms each")
    return found


def main() -> None:
    """Check everything that is right with every seed, and say what was accused."""
    parser = argparse.ArgumentParser(prog="python -m bench.correct", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    given = parser.parse_args()
    start, total, wrong = perf_counter(), 0, 0
    for group in given.only:
        right = list(GROUPS[group]())
        print(f"{group}: {len(right)}", flush=True)
        found = alarms(right, range(given.seeds), lambda line: print(f"  {line}", flush=True))
        total, wrong = total + len(right) * given.seeds, wrong + len(found)
        for name, seed, report in found:
            print(f"ACCUSED {name}, seed {seed}: {report}\n")
    print(f"{total} judgements, {wrong} false alarms, {perf_counter() - start:.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
