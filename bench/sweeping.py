"""A function over sizes, dtypes and threads: its time, its bytes in a second, and where threads begin to pay."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from inspect import Parameter, signature
from math import inf, log10
from pathlib import Path
from typing import Any

import threadpoolctl

import autograd as ag
from autograd.kernels import tuning
from autograd.program.launch import kind_of as kind_of_stage
from bench import place
from bench.arguments import parsed, words
from bench.instrument import compared, time_cells
from bench.report import columns
from bench.roofline import GIGA, pyplot
from bench.rounds import Policy, sampled
from bench.sample import Interval, interval
from bench.target import resolve
from bench.turns import Statement
from bench.ulp import LIMIT
from bench.verdict import FASTER, verdict
from bench.work import fused_of, program, work

THREADED = (tuning.MAP, tuning.COSTLY, tuning.TOTAL)
Maker = Callable[[int, str], tuple[Any, ...]]


@dataclass(frozen=True)
class Point:
    """One size, dtype and number of threads.

    Attributes:
        seconds: of a call. bytes: that it moves.
        speedup: over one thread, round by round; None for one thread. word: the verdict on that.
    """

    dtype: str
    size: int
    threads: int
    seconds: Interval
    bytes: int
    speedup: float | None = None
    word: str = ""

    @property
    def rate(self) -> float:
        """Bytes in a second."""
        return self.bytes / self.seconds.median

    def cells(self) -> tuple[str, ...]:
        """The point's line of the table."""
        gain = "" if self.speedup is None else f"{self.speedup:.2f}"
        return (
            self.dtype,
            f"{self.size:,}",
            str(self.threads),
            *time_cells(self.seconds),
            f"{self.rate * GIGA:.2f}",
            gain,
        )


@dataclass(frozen=True)
class Swept:
    """All points of a sweep; printed by `print`.

    Attributes:
        name: of the function. kind: of its kernel, as the tuning has it; nothing where it has none.
        crossings: for each dtype the least size from which on the most threads are faster; None if they never are.
    """

    name: str
    kind: str
    points: list[Point]
    crossings: dict[str, int | None]
    environment: dict[str, Any]
    checked: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        head = ("dtype", "size", "threads", "median", "95% interval", "GB/s", "speed-up")
        most = max(p.threads for p in self.points)
        lines = [
            f"{dtype}: {most} threads pay from {n:,} elements on" if n else f"{dtype}: {most} threads do not pay"
            for dtype, n in self.crossings.items()
        ]
        told = f"{self.name}\n{place.words(self.environment)}"
        parts = [told, "\n".join(dict.fromkeys(self.checked)), columns([head, *(p.cells() for p in self.points)])]
        return "\n\n".join([*parts, "\n".join(lines)] if lines else parts)

    def data(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        return asdict(self)


def sizes(text: str, per_decade: int = 2) -> list[int]:
    """Sizes from one to another, evenly on a logarithmic scale; or the one that is given.

    >>> sizes("1e3:1e5"), sizes("4096")
    ([1000, 3162, 10000, 31623, 100000], [4096])
    """
    low, _, high = text.partition(":")
    try:
        least, most = float(low), float(high or low)
    except ValueError:
        least = most = 0.0
    if not 1 <= least <= most < inf:
        raise ValueError(f"{text!r} is no range of sizes. Expected LOW:HIGH, as in 1e3:1e7, or one size.")
    if not high:
        return [int(least)]
    first, last = log10(least), log10(most)
    steps = max(1, round((last - first) * per_decade))
    return [round(10 ** (first + (last - first) * k / steps)) for k in range(steps + 1)]


def maker(f: Any, texts: Sequence[str] = ()) -> Maker:
    """What makes the arguments for a size and a dtype.

    texts: `T` stands for the dtype and `n` for the size, as in T[n] or T[n,64]; or module:function of both. Left out,
    there is a T[n] for each parameter without a default.

    >>> [x.shape for x in maker(None, ["T[n,2]", "3"])(5, "float32")[:1]]
    [(5, 2)]
    """
    if len(texts) == 1 and ":" in texts[0]:
        made = resolve(texts[0])
        return lambda n, dtype: tuple(made(n, dtype))
    given = list(texts) or ["T[n]"] * count(f)

    def make(n: int, dtype: str) -> tuple[Any, ...]:
        return parsed([t.replace("T[", f"{dtype}[").replace("[n", f"[{n}").replace(",n", f",{n}") for t in given])

    return make


def count(f: Any) -> int:
    """How many arguments a function must be given.

    >>> count(lambda x, y, z=1: x), count(ag.fused(lambda x: x))
    (2, 1)
    """
    if hasattr(f, "nin"):
        return int(f.nin)
    given = signature(getattr(f, "py_func", getattr(f, "composition", f))).parameters.values()
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in kinds and p.default is Parameter.empty for p in given)


def sweep(
    f: Callable[..., Any],
    make: Maker | None = None,
    *,
    over: Sequence[int] = (),
    dtypes: Sequence[str] = ("float32",),
    threads: Sequence[int] = (),
    seconds: float = 40.0,
    reference: Callable[..., Any] | None = None,
    ulps: float = LIMIT,
    name: str = "",
) -> Swept:
    """Measure a function over sizes, dtypes and threads; the threads of one size take turns.

    Parameters:
        f: the function. make: its arguments for a size and a dtype.
        over: sizes; 1e3 to 1e7 by default. threads: one and all by default.
        seconds: that the whole sweep takes, compiling aside.
        reference, ulps: as for `bench.kernel`; the result is checked at each size.

    >>> found = sweep(ag.fused(lambda x: x + 1), over=[100, 20_000], threads=[1], seconds=0.1)
    >>> [(p.size, p.threads) for p in found.points]
    [(100, 1), (20000, 1)]
    """
    make = make or maker(f)
    over = list(over) or sizes("1e3:1e7")
    threads = sorted(set(threads)) or sorted({1, ag.get_num_threads()})
    where = place.block(max(threads))
    policy = Policy(seconds / (len(over) * len(dtypes)), warm=0.03, least=15)
    points, checked, kind = [], [], ""
    with place.using_threads(max(threads)):
        for dtype in dtypes:
            for n in over:
                args = make(n, dtype)
                _, how, outputs, written = compared(f, args, reference, ulps)
                checked.append(how.partition(":")[0])
                moved = work(f, args, [] if written else outputs).bytes
                kind = kind_of(f, args) or kind
                points += at(f, args, dtype, n, threads, moved, policy)
    crossings = {dtype: crossing([p for p in points if p.dtype == dtype]) for dtype in dtypes}
    named = name or getattr(f, "__name__", type(f).__name__)
    several = crossings if max(threads) > 1 else {}
    return Swept(f"{named}: {words(make(over[-1], dtypes[-1]))}", kind, points, several, where, checked)


def at(
    f: Any, args: Sequence[Any], dtype: str, n: int, threads: Sequence[int], moved: int, policy: Policy
) -> list[Point]:
    """The points of one size and dtype."""
    statements = {str(t): on(f, args, t) for t in threads}
    pools = threadpoolctl.ThreadpoolController()  # BLAS and OpenMP too: all that is loaded by now

    def before(name: str) -> None:
        place.set_threads(int(name))
        pools.limit(limits=int(name))

    with pools.limit(limits=max(threads)):
        found = sampled(statements, policy, random.Random(0), alike=True, before=before)
    points = []
    for t in threads:
        seconds = found.seconds[str(t)]
        judged = verdict(seconds, found.seconds["1"]) if t > 1 and "1" in statements else None
        gain = (1 / judged.ratio.median, judged.word) if judged else (None, "")
        points.append(Point(dtype, n, t, interval(seconds), moved, *gain))
    return points


def on(f: Any, args: Sequence[Any], threads: int) -> Statement:
    """A call; a fused function runs its kernels, over threads if there are several, however few elements there are."""
    fused = fused_of(f)
    if fused is None:
        return lambda: f(*args)
    own = ag.fused(fused.composition, smallest=1)
    with tuning.using(dict.fromkeys(THREADED, 1 if threads > 1 else 1 << 62)):
        own(*args)
    return lambda: own(*args)


def kind_of(f: Any, args: Sequence[Any]) -> str:
    """What the tuning calls the kernels of a function, by the first of them."""
    part = program(f, args)
    return kind_of_stage(part.stages[0]) if part is not None and part.stages else ""


def crossing(points: Sequence[Point]) -> int | None:
    """The least size from which on the most threads are faster than one, at every larger size too.

    >>> def p(n, word):
    ...     return Point("float32", n, 2, Interval(1.0, 1.0, 1.0, 0.95), 8, 1.5, word)
    >>> crossing([p(10, "faster"), p(20, "no difference"), p(40, "faster"), p(80, "faster")])
    40
    """
    most = max(p.threads for p in points)
    found = None
    for p in sorted((p for p in points if p.threads == most), key=lambda p: -p.size):
        if p.word != FASTER:
            break
        found = p.size
    return found


def tune(found: Swept) -> str:
    """Write where threads begin to pay to the file that the launcher reads; what was done, in words."""
    if not found.kind:
        return "nothing is written: only the kernels of fused and elementwise functions are tuned"
    if not found.crossings or None in found.crossings.values():
        return "nothing is written: threads do not pay at every dtype within these sizes"
    value = max(n for n in found.crossings.values() if n is not None)
    file = tuning.write({found.kind: value})
    return f"{file}: {found.kind}: threads from {value:,} elements on"


def picture(found: Swept, file: Path) -> None:
    """Draw time, bytes in a second and speed-up over the size."""
    plot = pyplot()
    figure, (time, rate, gain) = plot.subplots(1, 3, figsize=(15, 4.5))
    for dtype, threads in dict.fromkeys((p.dtype, p.threads) for p in found.points):
        own = [p for p in found.points if (p.dtype, p.threads) == (dtype, threads)]
        xs, label = [p.size for p in own], f"{dtype}, {threads} threads"
        time.plot(xs, [p.seconds.median * 1e6 for p in own], "o-", label=label)
        time.fill_between(xs, [p.seconds.low * 1e6 for p in own], [p.seconds.high * 1e6 for p in own], alpha=0.2)
        rate.plot(xs, [p.rate * GIGA for p in own], "o-", label=label)
        if own[0].speedup is not None:
            gain.plot(xs, [p.speedup for p in own], "o-", label=label)
    gain.axhline(1.0, color="black", linewidth=0.5)
    for n in filter(None, found.crossings.values()):
        gain.axvline(n, color="grey", linestyle=":")
    for axes, what in ((time, "microseconds"), (rate, "GB/s"), (gain, "speed-up over one thread")):
        axes.set(xscale="log", xlabel="elements", ylabel=what)
        axes.grid(which="both", alpha=0.2)
        axes.legend() if axes.lines[1:] or axes is not gain else None
    time.set_yscale("log")
    figure.suptitle(found.name)
    figure.savefig(file, dpi=110, bbox_inches="tight")
    plot.close(figure)
