"""Which of two things is faster, judged by pairs of timings that were taken one right after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from bench.sample import Interval, cut, interval

CONFIDENCE = 0.99
SMALLEST = 0.02  # a difference below this is called none, however certain: the place of code in memory makes as much
FASTER, SLOWER, NONE = "faster", "slower", "no difference"


@dataclass(frozen=True)
class Verdict:
    """How the first of two compares with the second.

    Attributes:
        word: faster, slower or no difference.
        ratio: the time of the first as a multiple of the second's: the median over the pairs, with its interval.
        smallest: the least difference that counts.
        pairs: how many there were.
    """

    word: str
    ratio: Interval
    smallest: float
    pairs: int

    def __str__(self) -> str:
        r, sure = self.ratio, f"{self.ratio.confidence:.0%} confidence"
        figures = f"{r.median:.3f} times the time, {r.low:.3f} to {r.high:.3f} at {sure}, {self.pairs} pairs"
        return f"{self.word} ({figures}; less than {self.smallest:.0%} counts as none)"


def verdict(
    of: Sequence[float], to: Sequence[float], *, confidence: float = CONFIDENCE, smallest: float = SMALLEST
) -> Verdict:
    """Judge pairs whose order was drawn by lot.

    Where both are the same, either of a pair is the longer one with probability 1/2, because a coin decided which came
    first. That is so however the machine's speed drifts, or flips between two speeds, in between. The interval of the
    median of log(of / to) by order statistics is the sign test turned round, so that an interval without 1 is wrong in
    at most a share 1 - confidence of all comparisons.

    >>> verdict([1.1, 2.2, 3.3, 4.4] * 5, [1.0, 2.0, 3.0, 4.0] * 5).word
    'slower'
    >>> verdict([1.0, 2.0, 4.0] * 5, [1.01, 2.02, 4.04] * 5).word
    'no difference'
    """
    logs = [log(a / b) for a, b in zip(of, to, strict=True)]
    found = interval(logs, confidence)
    ratio = Interval(exp(found.median), exp(found.low), exp(found.high), found.confidence)
    least = log(1 + smallest)
    word = NONE
    if cut(len(logs), confidence) >= 0:
        word = FASTER if found.high < 0 and found.median <= -least else word
        word = SLOWER if found.low > 0 and found.median >= least else word
    return Verdict(word, ratio, smallest, len(logs))
