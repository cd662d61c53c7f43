"""`python -m bench` lists the cases; `python -m bench CASE` runs one and prints its table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bench import kernels, loader, tape
from bench.report import place, table

CASES = {"kernels": kernels, "loader": loader, "tape": tape}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m bench", description="Time what this project promises to be quick.")
    p.add_argument("case", nargs="?", choices=sorted(CASES), help="left out: list the cases")
    p.add_argument("--repeats", type=int, default=None, help="rounds of each measurement; the median of them counts")
    return p


def main(arguments: Sequence[str] | None = None) -> None:
    """List the cases, or run one."""
    given = parser().parse_args(arguments)
    if given.case is None:
        print("\n".join(f"python -m bench {name:8} {case.ABOUT}" for name, case in sorted(CASES.items())))
        return
    settings = {} if given.repeats is None else {"repeats": given.repeats}
    print(f"{given.case}: {CASES[given.case].ABOUT}\n{place()}\n")
    print(table(CASES[given.case].run(**settings)))


if __name__ == "__main__":
    main()
