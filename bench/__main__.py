"""`python -m bench` lists the cases; `python -m bench CASE` runs one and prints its table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from bench import (
    conditions,
    derivatives,
    gradcheck,
    kernels,
    layers,
    loader,
    memory,
    peers,
    reports,
    run,
    scaling,
    steps,
    sweep,
    tape,
    train,
)
from bench.kernels.measure import QUICK
from bench.numbers import whole, writable
from bench.report import data, environment, load, place

CASES: dict[str, Any] = {
    "conditions": conditions,
    "derivatives": derivatives,
    "gradcheck": gradcheck,
    "kernels": kernels,
    "layers": layers,
    "loader": loader,
    "memory": memory,
    "scaling": scaling,
    "steps": steps,
    "tape": tape,
    "train": train,
}
ONLY = ("conditions", "derivatives", "kernels", "layers", "memory", "scaling", "steps", "train")  # have parts
COMMANDS: dict[str, Any] = {
    "peers": peers,
    "report": reports,
    "run": run,
    "sweep": sweep,
}  # with options and a `main` of their own


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m bench", description="Time what this project promises to be quick.")
    cases = p.add_subparsers(dest="case", metavar="case", help="left out: list the cases")
    for name, case in sorted(CASES.items()):
        one = cases.add_parser(name, help=case.ABOUT, description=case.ABOUT)
        one.add_argument("--repeats", type=whole(1), help="rounds of each measurement; the median of them counts")
        one.add_argument(
            "--json", type=writable, metavar="FILE", help="write what was measured, and where, to this file"
        )
        if name in ONLY:
            one.add_argument("--only", nargs="+", metavar="NAME", help="those whose names contain one of these")
        if name in ("derivatives", "kernels", "layers", "steps", "train"):
            one.add_argument("--quick", dest="repeats", action="store_const", const=QUICK, help="fewer rounds")
        if name == "gradcheck":
            one.add_argument("--most", type=whole(1), metavar="N", help="judge only the first so many operations")
        if name in ("conditions", "scaling"):
            one.add_argument("--quick", action="store_true", default=None, help="fewer rounds and smaller sizes")
    for name, command in sorted(COMMANDS.items()):
        command.options(cases.add_parser(name, help=command.ABOUT, description=command.ABOUT))
    return p


def main(arguments: Sequence[str] | None = None) -> int:
    """List the cases, or run one; the exit code."""
    given = parser().parse_args(arguments)
    if given.case is None:
        listed = sorted((CASES | COMMANDS).items())
        print("\n".join(f"python -m bench {name:11} {case.ABOUT}" for name, case in listed))
        return 0
    if given.case in COMMANDS:
        return int(COMMANDS[given.case].main(given))
    case = CASES[given.case]
    settings = {name: vars(given).get(name) for name in ("repeats", "only", "quick", "most")}
    where = environment()  # before the load is our own
    print(f"{given.case}: {case.ABOUT}\n{place()}, {load()}\n", flush=True)
    found = case.run(**{name: value for name, value in settings.items() if value is not None})
    if given.case in ONLY and given.only and not found:
        print(f"nothing of {given.case} is called {' or '.join(given.only)}", file=sys.stderr)
        return 2
    print(case.show(found))
    if given.json is not None:
        measured = {"case": given.case, "environment": where, "results": [data(result) for result in found]}
        given.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
