"""Running indices, and whole multiples of them: where in an array an element lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

Sizes = tuple[int, ...]


class Label:
    """A running index, itself and no other."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


Labels = tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """offset + the sum of multiple * label."""

    terms: Mapping[Label, int] = field(default_factory=dict)
    offset: int = 0

    def __add__(self, other: Form) -> Form:
        terms = dict(self.terms)
        for label, multiple in other.terms.items():
            terms[label] = terms.get(label, 0) + multiple
        return Form({label: m for label, m in terms.items() if m}, self.offset + other.offset)

    def __mul__(self, number: int) -> Form:
        return Form({label: number * m for label, m in self.terms.items() if number}, number * self.offset)

    def __sub__(self, other: Form) -> Form:
        return self + other * -1

    def moved(self, by: int) -> Form:
        """Plus a number."""
        return Form(self.terms, self.offset + by)

    def put(self, label: Label, form: Form) -> Form:
        """With a form in the place of a label."""
        multiple = self.terms.get(label)
        if multiple is None:
            return self
        return Form({k: m for k, m in self.terms.items() if k is not label}, self.offset) + form * multiple

    def ends(self) -> tuple[int, int]:
        """The least and the largest value."""
        spans = [m * (label.size - 1) for label, m in self.terms.items()]
        return self.offset + sum(s for s in spans if s < 0), self.offset + sum(s for s in spans if s > 0)

    def counts(self, size: int) -> bool:
        """Whether it takes each value from 0 to size - 1 exactly once."""
        reach = 1
        for label, multiple in sorted(self.bare().terms.items(), key=lambda term: term[1]):
            if multiple != reach:
                return False
            reach *= label.size
        return self.offset == 0 and reach == size

    def bare(self) -> Form:
        """Without the labels of size 1, which are always 0."""
        return Form({label: m for label, m in self.terms.items() if label.size > 1}, self.offset)


def joint(labels: Sequence[Label]) -> Form:
    """The index that several labels make together, the last moving fastest."""
    terms, step = {}, 1
    for label in reversed(labels):
        terms[label] = step
        step *= label.size
    return Form(terms)


@dataclass(frozen=True, slots=True)
class Read:
    """An element of an input: a form for each of its axes."""

    name: int
    shape: Sizes
    at: tuple[Form, ...]

    def put(self, label: Label, form: Form) -> Read:
        """With a form in the place of a label."""
        return replace(self, at=tuple(f.put(label, form) for f in self.at))
