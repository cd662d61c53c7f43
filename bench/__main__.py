"""`python -m bench` lists the cases; `python -m bench CASE` runs one and prints its table."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import kernels, layers, loader, memory, steps, tape
from bench.kernels.measure import QUICK
from bench.report import data, environment, load, place

CASES: dict[str, Any] = {
    "kernels": kernels,
    "layers": layers,
    "loader": loader,
    "memory": memory,
    "steps": steps,
    "tape": tape,
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m bench", description="Time what this project promises to be quick.")
    cases = p.add_subparsers(dest="case", metavar="case", help="left out: list the cases")
    for name, case in sorted(CASES.items()):
        one = cases.add_parser(name, help=case.ABOUT, description=case.ABOUT)
        one.add_argument("--repeats", type=int, help="rounds of each measurement; the median of them counts")
        one.add_argument("--json", type=Path, metavar="FILE", help="write what was measured, and where, to this file")
        if name in ("kernels", "layers", "memory", "steps"):
            one.add_argument("--only", nargs="+", metavar="NAME", help="those whose names contain one of these")
        if name in ("kernels", "layers", "steps"):
            one.add_argument("--quick", dest="repeats", action="store_const", const=QUICK, help="fewer rounds")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """List the cases, or run one."""
    given = parser().parse_args(arguments)
    if given.case is None:
        print("\n".join(f"python -m bench {name:8} {case.ABOUT}" for name, case in sorted(CASES.items())))
        return
    case = CASES[given.case]
    settings = {name: vars(given).get(name) for name in ("repeats", "only")}
    where = environment()  # before the load is our own
    print(f"{given.case}: {case.ABOUT}\n{place()}, {load()}\n", flush=True)
    found = case.run(**{name: value for name, value in settings.items() if value is not None})
    print(case.show(found))
    if given.json is not None:
        measured = {"case": given.case, "environment": where, "results": [data(result) for result in found]}
        given.json.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
