"""What a check says: a verdict, what it compared, and the derivatives that it could not agree with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import isfinite
from typing import Any


class Verdict(StrEnum):
    """What a check of derivatives found.

    >>> Verdict.PASS == "PASS"
    True
    """

    PASS = "PASS"
    WRONG_GRADIENT = "WRONG_GRADIENT"
    KINK = "KINK"
    PRECISION = "PRECISION"
    NONDETERMINISTIC = "NONDETERMINISTIC"
    OVERLAP = "OVERLAP"
    NOTHING_CHECKED = "NOTHING_CHECKED"


@dataclass(frozen=True)
class Mismatch:
    """One element of a Jacobian on which the derivatives differ, or that has none.

    `error` bounds the numeric derivative; `left` and `right` are the one-sided ones; `mode` is how the analytic one was
    read; `where` is the value of the input's element, `value` that of the output's; `imaginary` says that the numeric
    one is of an imaginary step.
    """

    input: str
    index: tuple[int, ...]
    output: tuple[int, ...]
    analytic: float
    numeric: float
    error: float = 0.0
    left: float = float("nan")
    right: float = float("nan")
    where: float = float("nan")
    value: float = 0.0
    mode: str = "reverse"
    imaginary: bool = False

    @property
    def smooth(self) -> bool:
        """Whether the one-sided derivatives are one, to a part of a thousand."""
        size = max(abs(self.left), abs(self.right), abs(self.numeric))
        return isfinite(size) and abs(self.left - self.right) <= 1e-3 * size

    def __str__(self) -> str:
        ratio = self.analytic / self.numeric if self.numeric else float("nan")
        numeric = _shown(self.numeric, self.error)
        return (
            f"{self.input}{list(self.index)} -> output{list(self.output)}: analytic {self.analytic:.10g}, "
            f"numeric {numeric} +- {self.error:.1g}{', by an imaginary step' * self.imaginary}, ratio {ratio:.6g}"
        )

    def of_kink(self) -> str:
        """In words, for a place without a derivative."""
        return (
            f"{self.input}{list(self.index)} = {self.where:.10g} -> output{list(self.output)}: {self.left:.6g} from "
            f"the left, {self.right:.6g} from the right, analytic {self.analytic:.6g}"
        )


def _shown(value: float, error: float) -> str:
    """A number to the digits that its error leaves."""
    if not error > 0 or not abs(value) > error:
        return f"{value:.10g}"
    digits = len(f"{abs(value) / error:.0f}")
    return f"{value:.{min(max(digits, 2), 10)}g}"


@dataclass(frozen=True)
class GradcheckResult:
    """The verdict: true if every derivative that was compared agrees.

    An empty input has no derivative that could be wrong: its verdict is NOTHING_CHECKED, and true nevertheless.

    Attributes:
        compared: how many derivatives were. imaginary: how many of them with numeric derivatives by an imaginary step;
            with differences the others.
        mismatches: those that differ, the worst first.
        reason: why nothing could be compared, if so.
        verdict: PASS, WRONG_GRADIENT, KINK, PRECISION, NONDETERMINISTIC, OVERLAP or NOTHING_CHECKED.
        kinks: places without a derivative. imprecise: places where the error bar is too wide to tell.
        suggestion: what the ratio of the two derivatives suggests. culprit: the operation and the user's line.
        seed: what random choices were made from. reproducer: a program to paste.

    >>> import autograd as ag
    >>> result = ag.gradcheck(lambda x: ag.stop_gradient(x) * x, 2.0)
    >>> bool(result), result.verdict.value
    (False, 'WRONG_GRADIENT')
    """

    compared: int
    mismatches: tuple[Mismatch, ...]
    reason: str = ""
    verdict: Verdict = Verdict.PASS
    kinks: tuple[Mismatch, ...] = ()
    imprecise: tuple[Mismatch, ...] = ()
    suggestion: str = ""
    culprit: str = ""
    seed: int = 0
    reproducer: str = field(default="", repr=False)
    vacuous: bool = False
    imaginary: int = 0

    def __bool__(self) -> bool:
        return self.verdict is Verdict.PASS or self.vacuous

    def __repr__(self) -> str:
        return self.report()

    def report(self) -> str:
        """The verdict in words, with the worst five places, what they suggest and a program to paste."""
        if self.verdict is Verdict.PASS:
            seen = f", {self.imaginary} by an imaginary step" if self.imaginary else ""
            return f"gradcheck passed: {self.compared} derivatives agree{seen}"
        if self.vacuous:
            return f"gradcheck passed: {self.reason}"
        lines = [f"gradcheck failed: {self.verdict.value}: {self.reason}".removesuffix(": ")]
        kinked = self.verdict is Verdict.KINK
        places = {Verdict.KINK: self.kinks, Verdict.PRECISION: self.imprecise}.get(self.verdict, self.mismatches)
        lines += [f"  {m.of_kink() if kinked else m}" for m in places[:5]]
        if self.suggestion:
            lines.append(f"suggests: {self.suggestion}")
        if self.culprit:
            lines.append(f"operation: {self.culprit}")
        if self.reproducer:
            lines += [f"seed: {self.seed}", "to reproduce:", *(f"    {line}" for line in self.reproducer.splitlines())]
        return "\n".join(lines)

    def to_json(self) -> str:
        """All of it as JSON; numbers that are not finite are strings."""
        found: dict[str, Any] = {"verdict": self.verdict.value, "passed": bool(self)} | asdict(self)
        return json.dumps(_plain(found), allow_nan=False)


def _plain(x: Any) -> Any:
    if isinstance(x, dict):
        return {k: _plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(v) for v in x]
    return str(x) if isinstance(x, float) and not abs(x) < float("inf") else x
