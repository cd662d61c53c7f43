"""The command `python -m bench sweep`: a function of the user's over sizes, dtypes and threads."""

from __future__ import annotations

import argparse
import json
import sys

from bench.numbers import amount, positive, whole, writable
from bench.run import MISUSED, WRONG, said
from bench.sweeping import maker, picture, sizes, sweep, tune
from bench.target import resolve
from bench.ulp import LIMIT, WrongKernel

ABOUT = "a function of yours over sizes, dtypes and threads"
SECONDS, QUICK = 60.0, 15.0

__all__ = ["ABOUT", "main", "options"]


def options(p: argparse.ArgumentParser) -> None:
    """What the command understands."""
    p.add_argument("target", help="module:function or file.py:function")
    p.add_argument(
        "--args", nargs="+", metavar="ARG", default=[], help="T[n], T[n,64], 2.0; or module:function of n, T"
    )
    p.add_argument("--sizes", default="1e3:1e7", metavar="LOW:HIGH", help="%(default)s")
    p.add_argument(
        "--per-decade", type=whole(1), default=2, help="sizes from one power of ten to the next (%(default)d)"
    )
    p.add_argument("--dtypes", nargs="+", default=["float32"], help="float32")
    p.add_argument("--threads", type=whole(1), nargs="+", default=[], help="one and all by default")
    p.add_argument("--reference", metavar="TARGET", help="what is right: a function of the same arguments")
    p.add_argument("--ulps", type=amount, default=LIMIT, help="the largest error that is no mistake (%(default)g)")
    p.add_argument(
        "--seconds", type=positive, default=SECONDS, help="that all of it takes, compiling aside (%(default)g)"
    )
    p.add_argument("--quick", dest="seconds", action="store_const", const=QUICK, help="less than a minute")
    p.add_argument("--picture", type=writable, metavar="FILE", help="draw time, GB/s and speed-up")
    p.add_argument("--json", type=writable, metavar="FILE", help="write what was measured")
    p.add_argument("--tune", action="store_true", help="keep where threads begin to pay for the engine's own kernels")


def main(given: argparse.Namespace) -> int:
    """Run the command: 0; 1 for a wrong kernel; 2 for a target that is none, or fails."""
    try:
        f = resolve(given.target)
        found = sweep(
            f,
            maker(f, given.args),
            over=sizes(given.sizes, given.per_decade),
            dtypes=given.dtypes,
            threads=given.threads,
            seconds=given.seconds,
            reference=resolve(given.reference) if given.reference else None,
            ulps=given.ulps,
        )
        print(found)
        if given.picture:
            picture(found, given.picture)
        if given.json:
            given.json.write_text(json.dumps(found.data(), indent=1) + "\n", encoding="utf-8")
        if given.tune:
            print(tune(found))
        return 0
    except WrongKernel as error:
        print(f"WRONG: {given.target}: {error}", file=sys.stderr)
        return WRONG
    except Exception as error:  # whatever the function or its module says: 1 is kept for what is wrong
        print(f"{given.target}: {said(error)}", file=sys.stderr)
        return MISUSED
