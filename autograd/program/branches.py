"""Truth that is known and truth that is not, and the choice between what two branches left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograd.ops.compare import logical_and, logical_not, logical_or, not_equal
from autograd.ops.elementwise import where
from autograd.program.steps import Scalar


@dataclass(frozen=True)
class Unset:
    """A variable without a value that could be read; the reason completes the sentence that starts with its name."""

    reason: str


NOWHERE = Unset("has no value yet")
ONE_SIDE = Unset("has a value on one side of an `if` only")
UNLIKE = Unset("is not a number, and differs between the two sides of an `if`")


def is_number(x: Any) -> bool:
    """Whether x is a Python number, a boolean included."""
    return isinstance(x, (bool, int, float))


def known(x: Any) -> bool:
    """Whether x holds nothing that depends on data."""
    return all(map(known, x)) if isinstance(x, tuple) else not isinstance(x, Scalar)


def truth(x: Any) -> Any:
    """What `if x:` asks: True, False, or a boolean symbol."""
    return bool(x) if not isinstance(x, Scalar) else x if x.boolean else not_equal(x, 0)


def both(a: Any, b: Any) -> Any:
    """A and b, for truths."""
    if isinstance(a, bool) or isinstance(b, bool):
        return b if a is True else a if b is True else False
    return a if a is b else logical_and(a, b)


def either(a: Any, b: Any) -> Any:
    """A or b, for truths."""
    if isinstance(a, bool) or isinstance(b, bool):
        return b if a is False else a if b is False else True
    return a if a is b else logical_or(a, b)


def opposite(a: Any) -> Any:
    """Not a, for a truth."""
    return not a if isinstance(a, bool) else logical_not(a)


def choose(condition: Any, a: Any, b: Any) -> Any:
    """A where the condition holds, else b, whatever they are; an `Unset` where that cannot be told before any data."""
    if isinstance(condition, bool):
        return a if condition else b
    if a is b:
        return a
    if isinstance(a, Unset) or isinstance(b, Unset):
        return UNLIKE if a is UNLIKE or b is UNLIKE else ONE_SIDE
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        parts = tuple(choose(condition, x, y) for x, y in zip(a, b, strict=True))
        return next((p for p in parts if isinstance(p, Unset)), parts)
    if known(a) and known(b) and type(a) is type(b) and repr(a) == repr(b):
        return a
    if not all(is_number(x) or isinstance(x, Scalar) for x in (a, b)):
        return UNLIKE
    if isinstance(a, bool) or isinstance(b, bool):
        return _choose_truth(condition, a, b)
    return where(condition, a, b)


def _choose_truth(condition: Any, a: Any, b: Any) -> Any:
    """`choose` where a or b is True or False."""
    if not all(isinstance(x, bool) or (isinstance(x, Scalar) and x.boolean) for x in (a, b)):
        return where(condition, a, b)
    if isinstance(a, bool):
        return either(condition, b) if a else both(opposite(condition), b)
    return either(opposite(condition), a) if b else both(condition, a)


@dataclass
class State:
    """Where a point of the data is, in a function that is being run: truths may be True, False or a symbol.

    Attributes:
        env: the local variables.
        done: whether it has returned, and if so with what `result`.
        broken, continued: whether it has left the present loop, or the present turn of it.
    """

    env: dict[str, Any]
    done: Any = False
    result: Any = NOWHERE
    broken: Any = False
    continued: Any = False

    def copy(self) -> State:
        """The same, to be changed apart."""
        return State(dict(self.env), self.done, self.result, self.broken, self.continued)

    def become(self, condition: Any, a: State, b: State) -> None:
        """Be a where the condition holds, else b. What has returned reads its variables no more."""
        if a.done is True or b.done is True:
            self.env = (b if a.done is True else a).env
        else:
            names = [*a.env, *(n for n in b.env if n not in a.env)]
            self.env = {n: choose(condition, a.env.get(n, NOWHERE), b.env.get(n, NOWHERE)) for n in names}
        results = [s.result for s in (a, b) if s.result is not NOWHERE]
        self.result = choose(condition, *results) if len(results) == 2 else results[0] if results else NOWHERE
        self.done = choose(condition, a.done, b.done)
        self.broken = choose(condition, a.broken, b.broken)
        self.continued = choose(condition, a.continued, b.continued)
