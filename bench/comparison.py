"""Two functions compared: both checked, then timed in pairs whose order is drawn by lot."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench import place
from bench.arguments import copies, untouched, words
from bench.instrument import compared, plain, time_cells
from bench.report import columns
from bench.rounds import Policy, Timings, sampled
from bench.sample import interval
from bench.ulp import LIMIT, WrongKernel
from bench.verdict import CONFIDENCE, SMALLEST, Verdict, verdict

FIRST, SECOND = "first", "second"
PAIRS = Policy(lasting=2e-3, least=50, most=2000)


@dataclass(frozen=True)
class Compared:
    """Two functions, their verdict, and all that it rests on; printed by `print`.

    Attributes:
        names: of the two. arguments: that both were given. checked: what each result was compared with.
        verdict: how the first compares with the second.
        timings: the samples, in pairs.
    """

    names: tuple[str, str]
    arguments: str
    checked: tuple[str, str]
    verdict: Verdict
    timings: Timings
    environment: dict[str, Any]

    def __str__(self) -> str:
        cells = [time_cells(interval(self.timings.seconds[side])) for side in (FIRST, SECOND)]
        rows = [(name, *cell, how) for name, cell, how in zip(self.names, cells, self.checked, strict=True)]
        head = ("function", "median", "95% interval", "")
        says = f"{self.names[0]} against {self.names[1]}: {self.verdict}"
        return f"{self.arguments}\n{place.words(self.environment)}\n\n{columns([head, *rows])}\n\n{says}"


def compare(
    f: Callable[..., Any],
    g: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    seconds: float = 2.0,
    threads: int | None = None,
    confidence: float = CONFIDENCE,
    smallest: float = SMALLEST,
    ulps: float = LIMIT,
    order: random.Random | None = None,
) -> Compared:
    """Whether f is faster than g, slower, or neither, for the same arguments.

    Without a reference, f is compared with its own composition where it has one, and g with f.

    Parameters:
        seconds: that all pairs take. confidence: that a difference is one. smallest: the least one that counts.
        reference, threads, ulps: as for `bench.kernel`. order: the lot; another one for each run by default.

    Raises:
        WrongKernel: if a result is wrong, or if those of the two differ. Nothing is timed then.

    >>> import numpy as np
    >>> compare(np.exp, np.exp, np.zeros(100), seconds=0.1).names
    ('exp', 'exp')
    """
    names = tuple(str(getattr(h, "__name__", type(h).__name__)) for h in (f, g))
    with place.using_threads(threads) as count:
        where = place.block(count)
        _, of_first, _, _ = compared(f, args, reference, ulps)
        try:
            _, of_second, _, _ = compared(g, args, reference or plain(f) or f, ulps)
        except WrongKernel as error:
            raise WrongKernel(f"as {names[1]} has it, {error}") from None
        if reference is None and plain(f) is None:
            of_first, of_second = "NOT CHECKED by itself", of_second.replace("the reference", "the first")
        ours = copies(args)
        theirs = ours if untouched(f, args) and untouched(g, args) else copies(args)
        statements = {FIRST: lambda: f(*ours), SECOND: lambda: g(*theirs)}
        policy = Policy(seconds, PAIRS.warm, PAIRS.lasting, PAIRS.least, PAIRS.most)
        timings = sampled(statements, policy, random.Random() if order is None else order, alike=True)
    found = verdict(timings.seconds[FIRST], timings.seconds[SECOND], confidence=confidence, smallest=smallest)
    return Compared((names[0], names[1]), words(args), (of_first, of_second), found, timings, where)


def tally(verdicts: Sequence[Verdict]) -> str:
    """What several comparisons of the same two came to.

    >>> tally([verdict([1.0] * 20, [1.0] * 20), verdict([2.0] * 20, [1.0] * 20)])
    '2 runs: 1 no difference, 1 slower; median ratios from 1.000 to 2.000, 1.500 in the middle'
    """
    counts = Counter(v.word for v in verdicts)
    ratios = sorted(v.ratio.median for v in verdicts)
    parts = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    return (
        f"{len(verdicts)} runs: {parts}; median ratios from {ratios[0]:.3f} to {ratios[-1]:.3f}, "
        f"{median(ratios):.3f} in the middle"
    )
