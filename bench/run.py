"""The command `python -m bench run`: one function of the user's, measured, compared with another or with a file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from autograd.errors import words_of
from bench.arguments import HOW, parsed
from bench.attribution import Call
from bench.comparison import compare, tally
from bench.instructions import instructions
from bench.instrument import CALL, Measured, kernel
from bench.numbers import amount, positive, share, whole, writable
from bench.roofline import picture
from bench.saved import TOLERANCE, against, document, read, write
from bench.sweeping import count
from bench.target import resolve
from bench.ulp import LIMIT, WrongKernel
from bench.verdict import CONFIDENCE, SLOWER, SMALLEST

ABOUT = "a function of yours: checked, its time taken apart, compared"
WRONG, MISUSED, IS_SLOWER = 1, 2, 3  # exit codes
ELEMENTS = 1_000_000  # of each argument, where none is described

__all__ = ["ABOUT", "main", "options"]


def options(p: argparse.ArgumentParser) -> None:
    """What the command understands."""
    p.add_argument("target", help="module:function or file.py:function")
    p.add_argument("--args", nargs="+", metavar="ARG", default=[], help=HOW)
    p.add_argument("--reference", metavar="TARGET", help="what is right: a function of the same arguments")
    p.add_argument("--ulps", type=amount, default=LIMIT, help="the largest error that is no mistake (%(default)g)")
    p.add_argument("--bytes", type=whole(0), help="that a call must move; left out: counted, or those of the arrays")
    p.add_argument("--flops", type=whole(0), help="operations of a call; left out: counted where that is possible")
    p.add_argument("--smallest", nargs="+", metavar="ARG", help="arguments with next to no work, for dispatch")
    p.add_argument("--threads", type=whole(1), help="for the engine, numba and BLAS")
    p.add_argument("--seconds", type=positive, default=2.0, help="that the rounds take (%(default)g)")
    p.add_argument("--fresh", type=whole(0), default=3, help="pairs of fresh processes; 0: no import, compile, load")
    p.add_argument("--instructions", action="store_true", help="count them too: perf, else valgrind (a minute)")
    p.add_argument("--picture", type=writable, metavar="FILE", help="draw the roofline")
    p.add_argument("--save", type=writable, metavar="FILE", help="write what was measured, as pytest-benchmark does")
    p.add_argument("--against", type=Path, metavar="FILE", help="compare with a file; exit code 3 if it is slower")
    p.add_argument("--tolerance", type=amount, default=TOLERANCE, help="by which it may be slower (%(default)g)")
    p.add_argument("--versus", metavar="TARGET", help="compare with another function, in pairs")
    p.add_argument("--confidence", type=share, default=CONFIDENCE, help="of that verdict (%(default)g)")
    p.add_argument("--difference", type=amount, default=SMALLEST, help="the least that counts (%(default)g)")
    p.add_argument(
        "--runs", type=whole(1), default=1, help="compare so many times, and say how often there is which verdict"
    )


def main(given: argparse.Namespace) -> int:
    """Run the command: 0; 1 for a wrong kernel; 2 where nothing was measured or compared; 3 if slower than the file."""
    try:
        f = resolve(given.target)
        reference = resolve(given.reference) if given.reference else None
        texts = given.args or [f"float32[{ELEMENTS}]"] * count(f)
        args = parsed(texts)
        if given.versus:
            refuse_unused(given)
            return versus(f, resolve(given.versus), args, reference, given)
        return alone(f, args, texts, reference, given)
    except WrongKernel as error:
        print(f"WRONG: {given.target}: {error}\nNothing was timed.", file=sys.stderr)
        return WRONG
    except Exception as error:  # whatever the function or its module says: 1 is kept for what is wrong
        print(f"{given.target}: {said(error)}", file=sys.stderr)
        return MISUSED


def said(error: Exception) -> str:
    """An error in words: ours and the system's as they are, of others the kind and the line too."""
    words = words_of(error)
    ours = words == f"ValueError: {error}"  # no line of the user's is on its way
    return str(error) if ours or isinstance(error, (ImportError, OSError)) else words


def alone(f: Any, args: Any, texts: list[str], reference: Any, given: argparse.Namespace) -> int:
    """One function by itself."""
    then = read(given.against) if given.against else None  # a file that is none is said before the measuring
    call = Call(given.target, tuple(texts))
    found = kernel(
        f,
        *args,
        reference=reference,
        bytes=given.bytes,
        flops=given.flops,
        threads=given.threads,
        seconds=given.seconds,
        ulps=given.ulps,
        smallest=parsed(given.smallest) if given.smallest else None,
        call=call,
        fresh=given.fresh,
    )
    if given.instructions:
        found = counted(found, call)
    print(found)
    if given.picture:
        picture({found.name: found.roof}, given.picture)
    now = document([replace(found, target=given.target)])
    if given.save:
        write(now, given.save)
    if then is None:
        return 0
    changes = against(now, then, given.tolerance)
    if not changes:  # nothing was compared, which is not to pass for "no slower"
        raise ValueError(f"{given.against} has no {given.target} with these arguments, as --save would write it")
    print("\n" + "\n".join(map(str, changes)))
    return IS_SLOWER if any(change.word == SLOWER for change in changes) else 0


def counted(found: Measured, call: Call) -> Measured:
    """The same with its instructions, or with why there are none."""
    number = instructions(call, found.parts[CALL].median)
    if number.count is None:
        return replace(found, notes=[*found.notes, str(number)])
    return replace(found, instructions=asdict(number))


def refuse_unused(given: argparse.Namespace) -> None:
    """Raise for what `--versus` would pass over in silence."""
    alone = ("save", "against", "picture", "instructions", "bytes", "flops", "smallest")
    unused = [f"--{name}" for name in alone if getattr(given, name)]
    if unused:
        raise ValueError(f"--versus was given with {', '.join(unused)}. Leave that out, or measure one function alone.")


def versus(f: Any, g: Any, args: Any, reference: Any, given: argparse.Namespace) -> int:
    """Two functions in pairs, once or several times."""
    verdicts = []
    for k in range(given.runs):
        found = compare(
            f,
            g,
            *args,
            reference=reference,
            seconds=given.seconds,
            threads=given.threads,
            confidence=given.confidence,
            smallest=given.difference,
            ulps=given.ulps,
        )
        verdicts.append(found.verdict)
        print(found if not k else found.verdict, flush=True)
    if given.runs > 1:
        print(tally(verdicts))
    return 0
