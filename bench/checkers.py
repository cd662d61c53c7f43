"""`python -m bench.checkers`: three gradient checkers on the planted mistakes of the tests and on what is right.

Ours, `torch.autograd.gradcheck` and `jax.test_util.check_grads`, side by side, each with its own tolerances and in a
process of its own; the same rules, spoiled or right, stand behind functions of each library, so that all judge the
same numbers. JAX may live elsewhere: `--jax PYTHON` names an interpreter that has it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from runpy import run_path
from time import perf_counter
from typing import Any

import numpy as np

import autograd as ag

ROOT = Path(__file__).parents[1]
MUTANTS = ROOT / "tests" / "autograd" / "gradcheck" / "mutants.py"
RIGHT = "nothing wrong"
Verdict = bool | None  # whether it passes; None where the checker does not take the inputs
Judge = Callable[[Any, Any, Any], Verdict]


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


CHECKERS = {"wengert": ours, "torch": torchs, "jax": jaxs}


def cases(most: int | None) -> Iterator[tuple[str, Any, Any, bool]]:
    """Each mistake, and the right rule behind it: its kind, the operation, the mutant, whether it is right."""
    planted = run_path(str(MUTANTS))
    for op in planted["DIFFERENTIABLE"][:most]:
        for m in planted["mutants_of"](op):
            yield m.kind, m.op, m, False
            yield RIGHT, m.right, m, True


def judged(checker: str, most: int | None) -> dict[str, Any]:
    """How often a checker was right about each kind, and how often it gave no verdict; its seconds and version."""
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
    return {"total": total, "rightly": rightly, "silent": silent, "seconds": seconds, "version": released(checker)}


def released(name: str) -> str:
    """The version of a library, empty for one that runs from its sources."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def elsewhere(python: str, checker: str, most: int | None) -> dict[str, Any] | None:
    """The same from a process of its own; None where the library is not installed."""
    limit = [] if most is None else ["--most", str(most)]
    command = [python, "-m", "bench.checkers", "--judge", checker, *limit]
    place = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=ROOT, env=place, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{checker}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def shown(found: dict[str, dict[str, Any]]) -> str:
    """The table: a row for each kind of mistake, a column for each checker."""
    first = next(iter(found.values()))
    heads = [f"{name} {of['version']}" for name, of in found.items()]
    lines = [f"{'judged rightly':22}{'of':>6}" + "".join(f"{head:>18}" for head in heads)]
    for kind, n in first["total"].items():
        cells = []
        for of in found.values():
            quiet = of["silent"][kind]
            cells.append(f"{of['rightly'][kind]}" + (f" (+{quiet} refused)" if quiet else ""))
        lines.append(f"{kind:22}{n:6}" + "".join(f"{cell:>18}" for cell in cells))
    lines.append(f"{'seconds':28}" + "".join(f"{of['seconds']:18.1f}" for of in found.values()))
    return "\n".join(lines)


def main() -> None:
    """Judge with one checker, or run all in turn and print what each was right about."""
    parser = argparse.ArgumentParser(prog="python -m bench.checkers", description=__doc__)
    parser.add_argument("--jax", default=sys.executable, metavar="PYTHON", help="an interpreter that has jax")
    parser.add_argument("--most", type=int, help="judge only the first so many operations")
    parser.add_argument("--judge", choices=list(CHECKERS), help="print what this one says, as JSON")
    given = parser.parse_args()
    if given.judge:
        print(json.dumps(judged(given.judge, given.most)))
        return
    found = {}
    for checker in CHECKERS:
        print(f"{checker} ...", file=sys.stderr, flush=True)
        got = elsewhere(given.jax if checker == "jax" else sys.executable, checker, given.most)
        if got is not None:
            found[checker] = got
    print(shown(found))


if __name__ == "__main__":
    main()
