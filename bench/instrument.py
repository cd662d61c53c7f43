"""One kernel measured: checked first, then its time taken apart and set against what the machine can do."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Any

import numpy as np

import autograd as ag
from autograd.config import config
from bench import place
from bench.arguments import copies, results, small, untouched, words
from bench.attribution import COMPILE, IMPORT, LOAD, Call, attributed, told
from bench.peaks import COPY, GEMM, TRIAD, peaks
from bench.report import columns
from bench.roofline import Roofline, roofline
from bench.rounds import Policy, Timings, sampled
from bench.sample import CONFIDENCE, Interval, interval, moved, outliers
from bench.target import kind_of, target_of
from bench.turns import Statement
from bench.ulp import LIMIT, Error, WrongKernel, check
from bench.work import Work, fused_of, work

CALL, DISPATCH, KERNEL = "call", "dispatch", "kernel"
PARTS = (IMPORT, COMPILE, LOAD, DISPATCH, KERNEL, CALL)
MEANING = {
    IMPORT: "of the module, with all that it imports",
    COMPILE: "the first call of a process, the folder of kernels empty, less a later call",
    LOAD: "the first call of a process that finds its kernels on the disk, less a later call",
    DISPATCH: "a call with next to no work",
    KERNEL: "a call less dispatch, round by round",
    CALL: "a call, warm",
}


@dataclass(frozen=True)
class Measured:
    """What was measured of one function; printed by `print`.

    Attributes:
        name, target, kind, arguments: what it was.
        checked: what its result was compared with. error: the largest error, None where there was no reference.
        parts: seconds by PARTS, those that could be measured.
        timings: all samples.
        work: bytes and operations. roof: the rates, and the peaks of the same rounds.
        environment: where, when and on what. notes: what is missing, and why.
    """

    name: str
    target: str
    kind: str
    arguments: str
    checked: str
    error: Error | None
    parts: dict[str, Interval]
    timings: Timings
    work: Work
    roof: Roofline
    environment: dict[str, Any]
    policy: Policy
    notes: list[str] = field(default_factory=list)
    instructions: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        head = f"{self.name} ({self.kind}): {self.arguments}\n{place.words(self.environment)}"
        sure = f"{CONFIDENCE:.0%} interval"
        rows = [("part", "median", sure, "")]
        rows += [(name, *time_cells(self.parts[name]), MEANING[name]) for name in PARTS if name in self.parts]
        w = self.work
        flops = "operations not counted (give flops=...)" if w.flops is None else f"{w.flops:,} FLOP, {w.flops_from}"
        amount = f"{w.bytes:,} bytes, {w.bytes_from}; {flops}"
        counted = [f"{n:,.0f} instructions of a call, {self.instructions['by']}"] if (n := self.instructed) else []
        notes = [*counted, *self.notes]
        return "\n\n".join(
            [head, self.checked, columns(rows), f"{amount}\n{self.roof}", "\n".join([str(self.policy), *notes])]
        )

    @property
    def instructed(self) -> float:
        """Instructions of a call; 0 where they were not counted."""
        return float(self.instructions.get("count", 0))


def time_cells(seconds: Interval) -> tuple[str, str]:
    """A median and its interval in a unit that suits.

    >>> time_cells(Interval(0.0021, 0.002, 0.0025, 0.95))
    ('2.100 ms', '2.000 to 2.500')
    """
    factor, unit = unit_of(abs(seconds.median))
    width = f"{seconds.low * factor:.3f} to {seconds.high * factor:.3f}"
    if seconds.confidence < CONFIDENCE:  # of a few processes
        width = f"{width} ({seconds.confidence:.0%})" if seconds.confidence else "of one run"
    return f"{seconds.median * factor:.3f} {unit}", width


def unit_of(seconds: float) -> tuple[float, str]:
    """The unit in which a time has one to three digits before the point.

    >>> unit_of(0.0021)
    (1000.0, 'ms')
    """
    units = [(1.0, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns")]
    return next((u for u in units if seconds * u[0] >= 1), units[-1])


def kernel(
    f: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    bytes: int | None = None,
    flops: int | None = None,
    threads: int | None = None,
    seconds: float = 1.0,
    ulps: float = LIMIT,
    smallest: Sequence[Any] | None = None,
    call: Call | None = None,
    fresh: int = 3,
    name: str = "",
) -> Measured:
    """Measure a function of arrays: any callable, a fused or elementwise one, a function or ufunc of numba's.

    Its result is compared with the reference first. Then import, compiling and loading are timed in fresh processes;
    dispatch, the call, a copy, a triad and a matrix product take turns in this one.

    Parameters:
        f: the function; one that writes into its arguments returns None.
        args: arrays and numbers; each side gets copies of its own.
        reference: a function of the same arguments, for which a wider dtype is fine. Left out, a fused function is
            compared with its composition in float64, and any other is not checked, which is said.
        bytes, flops: of a call, where they are known better than by counting.
        threads: for the engine, numba and BLAS; None for as many as are set.
        seconds: that the rounds take.
        ulps: the largest error that is no mistake.
        smallest: arguments with next to no work, for dispatch; the given ones cut to two along each axis by default.
        call: how a fresh process finds f and its arguments; found out by default.
        fresh: pairs of fresh processes; 0 leaves out import, compiling and loading.
        name: for the output.

    Raises:
        WrongKernel: if the result is not the reference's. Nothing is timed then.

    >>> found = kernel(np.negative, np.ones(100), reference=lambda x: -x, seconds=0.01, fresh=0)
    >>> found.error.ulp, sorted(found.parts)
    (0.0, ['call', 'dispatch', 'kernel'])
    """
    name = name or getattr(f, "__name__", type(f).__name__)
    with place.using_threads(threads) as count:
        where = place.block(count)  # before the load is our own
        error, checked, outputs, written = compared(f, args, reference, ulps)
        kept = untouched(f, args)
        amount = work(f, args, [] if written else outputs, bytes=bytes, flops=flops)
        found = apart(f, args, smallest, amount, Policy(seconds))
    said = "it writes into its arguments, which change from call to call"
    if kept:
        said = "it returns nothing, and leaves its arguments as they are" if written else ""
    notes = [*found.notes, *([said] if said else [])]
    parts, of_fresh = once(f, args, call, count, fresh)
    return replace(
        found,
        name=name,
        arguments=words(args),
        checked=checked,
        error=error,
        parts=parts | found.parts,
        environment=where,
        notes=[*of_fresh, *notes],
    )


def compared(
    f: Any, args: Sequence[Any], reference: Callable[..., Any] | None, ulps: float
) -> tuple[Error | None, str, list[Any], bool]:
    """The largest error, what it was found against, the results, and whether f writes into its arguments."""
    own = copies(args)
    y = f(*own)
    outputs, written = results(y, own), y is None
    by = reference or plain(f)
    if by is None:
        return None, "NOT CHECKED: no reference was given (reference=..., --reference)", outputs, written
    theirs = copies(args)
    expected = results(by(*theirs), theirs)
    error = check(outputs, expected, ulps)
    against = "the reference" if reference else "its composition in float64"
    largest = f"{error.ulp:.3g} ulp, {error.of_largest:.3g} of the largest element's ({error.words})"
    return error, f"checked against {against}: largest error {largest}", outputs, written


def plain(f: Any) -> Callable[..., Any] | None:
    """A function of the engine's, operation by operation and in float64; None for any other."""
    fused = fused_of(f)
    ours = str(getattr(f, "__module__", "")).partition(".")[0] in ("autograd", "nn", "regularize")
    if fused is None and not ours:
        return None
    composition = f if fused is None else fused.composition

    def wide(*args: Any) -> Any:
        with config.using(kernels=False), np.errstate(all="ignore"):
            return composition(*(x.astype(np.float64) if _is_single(x) else x for x in args))

    return wide


def _is_single(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == np.float32


def dispatching(f: Any, args: Sequence[Any], smallest: Sequence[Any] | None) -> tuple[Statement | None, str]:
    """A call with next to no work, or why there is none."""
    little = copies(small(args) if smallest is None else smallest)
    fused = fused_of(f)
    if fused is not None and smallest is None:  # the function itself would run its composition on so little
        fused = ag.fused(fused.composition, smallest=1)
        with suppress(Exception):
            fused(*little)
            if not fused.reasons():
                return lambda: fused(*little), ""
    try:
        f(*little)
    except Exception as error:  # of the user's function, which may not take arrays that small
        return None, f"dispatch is not apart: {type(error).__name__} on {words(little)}. Give smallest=..., --smallest"
    return lambda: f(*little), ""


def apart(f: Any, args: Sequence[Any], smallest: Sequence[Any] | None, amount: Work, policy: Policy) -> Measured:
    """What is timed in this process: the call, dispatch and the peaks, round by round."""
    own = copies(args)
    arrays = [x for x in args if isinstance(x, np.ndarray) and x.dtype.kind == "f"]
    dtype = max(arrays, key=lambda x: x.size).dtype if arrays else np.dtype(np.float64)
    most = peaks(amount.bytes, dtype, ag.get_num_threads())
    dispatch, reason = dispatching(f, args, smallest)
    statements: dict[str, Statement] = {CALL: lambda: f(*own)}
    statements |= {DISPATCH: dispatch} if dispatch is not None else {}
    statements |= {peak: most[peak].statement for peak in (COPY, TRIAD, GEMM)}
    timings = sampled(statements, policy, random.Random(0))
    called = timings.seconds[CALL]
    parts = {CALL: interval(called)}
    if dispatch is not None:
        idle = timings.seconds[DISPATCH]
        parts[DISPATCH] = interval(idle)
        parts[KERNEL] = interval([a - b for a, b in zip(called, idle, strict=True)])
    roof = roofline(amount, called, most, timings.seconds)
    notes = [*([reason] if reason else []), *steadiness(timings)]
    return Measured("", target_of(f), kind_of(f), "", "", None, parts, timings, amount, roof, {}, policy, notes)


def steadiness(timings: Timings) -> list[str]:
    """How many samples lie far out, and whether the machine changed its speed meanwhile."""
    called = timings.seconds[CALL]
    below, above = outliers(called)
    lines = [
        f"{len(called)} rounds, {timings.calls[CALL]} calls in a sample, {timings.warm[CALL]} calls to warm up; "
        f"{below} samples lie below and {above} above the fences of 1.5 interquartile ranges"
    ]
    change = moved(called)
    if not isnan(change):
        lines.append(f"NOT STEADY: in the later half of the rounds a call took {change:.2f} times as long")
    return lines


def once(
    f: Any, args: Sequence[Any], call: Call | None, threads: int, repeats: int
) -> tuple[dict[str, Interval], list[str]]:
    """Import, compiling and loading, where a fresh process can find the function."""
    if not repeats:
        return {}, []
    target = target_of(f) if call is None else call.target
    if not target:
        return {}, ["import, compile and cache load are missing: no other process finds this function by its name"]
    if call is not None:
        found = attributed(call, threads=threads, repeats=repeats)
    else:
        with told(target, args) as made:
            found = attributed(made, threads=threads, repeats=repeats)
    return found.parts, found.notes


__all__ = ["Measured", "WrongKernel", "kernel"]
