"""Where a NaN came from: the first operation, forward or backward, that made one that reached the result."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from threading import get_ident
from typing import Any, Self

import numpy as np

from autograd.errors import AnomalyError, is_ours, user_place
from autograd.finding import SMALL, Finding, Place, bad, first, made, said
from autograd.primitive import Primitive, capturing
from autograd.rows import RowSparse
from autograd.sweep import backward, differentiated
from autograd.tape import Node, Watch, enable_grad, entries
from autograd.tensor import Tensor, as_tensor

Sweep = Callable[[list[Node], bool], dict[Node, Any]]  # over these entries, which it frees for False
_by_parents, _by_saved = attrgetter("parents"), attrgetter("saved")
BEFORE = "a line before ag.detect_anomaly"


class _Mark:
    """What hangs on an entry of the tape while a sweep is run again, and hears of its cotangent.

    Attributes:
        backward: who made the NaN or infinity in its cotangent.
        consumers: the marks that its cotangent came from, with theirs.
        parents: the marks of what it was made of.
        given: who made the cotangent that the sweep began with here not finite.
    """

    __slots__ = ("backward", "consumers", "detective", "given", "line", "node", "parents")

    def __init__(
        self,
        detective: Detective,
        node: Node,
        parents: Sequence[_Mark | None],
        line: Place,
        given: Finding | None,
    ) -> None:
        self.detective, self.node, self.parents, self.line, self.given = detective, node, parents, line, given
        self.backward: Finding | None = None
        self.consumers: list[tuple[_Mark, Any]] = []

    def __call__(self, cotangent: Any) -> None:
        g = _array(cotangent)
        self.backward = self._origin(g, self.consumers) if bad(g) else None
        if self.backward is not None and self.node.op is None:
            raise AnomalyError(f"a gradient (shape {cotangent.shape}) is not finite.\n{self.backward.text}")
        for parent in {id(p): p for p in self.parents if p is not None}.values():
            parent.consumers.append((self, g))

    def _origin(self, cotangent: Any, consumers: list[tuple[_Mark, Any]]) -> Finding:
        known = [mark.backward for mark, _ in consumers if mark.backward is not None]
        if known:
            return max(known, key=lambda f: f.serial)  # the sweep goes down: the largest was the first
        for mark, g in consumers:
            for k, parent in enumerate(mark.parents):
                if parent is self and (found := mark.blamed(k, g)) is not None:
                    return found
        if self.given is not None:
            return self.given
        where = (
            f"the cotangent that it was given, at index {first(cotangent)}" if not consumers else "a sum of cotangents"
        )
        return Finding(self.node.serial, f"It came from {where}.")

    def blamed(self, position: int, g: Any) -> Finding | None:
        """What this operation's derivative made of a finite cotangent, if that is not finite."""
        node = self.node
        with np.errstate(all="ignore"):
            parts = node.op.together(g, node.saved, node) if node.op.together else None
            part = parts[position] if parts is not None else node.op.pulls[position](g, node.saved, node)
        if part is None or not bad(part):
            return None
        if "composition" in (node.settings or {}) and (inside := self._inside(g)) is not None:
            return inside
        index = first(part)
        name = node.op.inputs[position] if not node.op.variadic else f"input {position}"
        saved = [(n, v) for n, v in zip(("output", *node.op.inputs), node.saved, strict=False) if v is not None]
        at = [f"{n}={np.asarray(v)[index]}" for n, v in saved if np.shape(v) == np.shape(part)]
        if np.shape(g) == np.shape(part):
            at.append(f"cotangent={np.asarray(g)[index]}")
        return Finding(
            node.serial,
            f"The derivative of {node.op.name!r} by {name} made {np.asarray(part)[index]} at index {index}"
            + (f" of {', '.join(at)}" if at else "")
            + f".\nRecorded at {said(self.line)}",
        )

    def _inside(self, g: Any) -> Finding | None:
        """Which operation of a fused function's composition has such a derivative, found by running it again."""
        node, note = self.node, self.node.settings or {}
        composition = note["composition"]
        xs = [as_tensor(x) if isinstance(x, np.ndarray) else x for x in node.saved[1 : len(note["asked"]) + 1]]
        xs = [x.requires_grad_() if wanted else x for x, wanted in zip(xs, note["asked"], strict=True)]
        try:
            with self.detective.aside(), enable_grad(), Detective(self.line if is_ours(composition) else ""):
                y = composition(*xs, **note["settings"])
                pairs = zip([y] if isinstance(y, Tensor) else y, getattr(g, "parts", [g]), strict=True)
                ends = [(t, part) for t, part in pairs if part is not None and t.node is not None]
                backward([t for t, _ in ends], [Tensor(np.asarray(part)) for _, part in ends])
        except AnomalyError as error:
            return Finding(node.serial, str(error).partition("\n")[2])
        return None


def _array(g: Any) -> Any:
    """The elements of a gradient, of a row-sparse one those that it holds."""
    return g.values.value if isinstance(g, RowSparse) else getattr(g, "value", g)


def _values(inputs: Sequence[Any]) -> list[Any]:
    return [x.value if isinstance(x, Tensor) else x for x in inputs]


class _Origin(Watch):
    """What was noted when an entry was made.

    Attributes:
        value: the result, if it is still to be looked at, which was made of `inputs`.
        finding: who made it not finite.
    """

    __slots__ = ("detective", "finding", "inputs", "line", "value")

    def __init__(
        self, detective: Detective, line: Place, finding: Finding | None, value: Any = None, inputs: Any = ()
    ) -> None:
        self.changed, self.grad, self.hooks = None, None, []
        self.detective, self.line, self.finding = detective, line, finding
        self.value, self.inputs = value, inputs


class _Checks:
    """`ag.check` looks at once."""

    def append(self, check: tuple[Callable[..., None], Sequence[Any]]) -> None:
        """Run it."""
        f, xs = check
        f(*(x.value if isinstance(x, Tensor) else np.asarray(x) for x in xs))


class Detective:
    """Looks at what every operation of its thread makes. Made by `detect_anomaly`.

    Large values are looked at when they are made. To look at one of up to `SMALL` elements takes as long as to make it:
    it is kept with what it was made of, as the `watch` of its entry, until a backward sweep frees the tape, and looked
    at if a result or a gradient is not finite.
    """

    training = None  # sweeps and gradients are done, not noted

    def __init__(self, line: Place = "") -> None:
        self.thread = get_ident()
        self.sweeping = False
        self.line = line  # of all operations, if they are run again for one
        self.checks = _Checks()
        self._found: dict[int, tuple[weakref.ref[Tensor], Finding]] = {}  # of the Tensors that are on no tape

    def __enter__(self) -> Self:
        capturing.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        capturing.remove(self)

    def check(self, t: Any) -> None:
        """Raise if t is not finite, and say what made it so."""
        found = self.finding(t)
        if found is not None:
            raise AnomalyError(f"the result is not finite.\n{found.text}")
        value = np.asarray(t.value if isinstance(t, Tensor) else t)
        if bad(value):
            at = f"at index {first(value)}"
            raise AnomalyError(
                f"the result is not finite, {at}.\nNo operation inside of ag.detect_anomaly is known to "
                "have made it so: a backward sweep frees what is kept of them. Write check before it."
            )

    def finding(self, t: Any) -> Finding | None:
        """Who made the NaN or the infinity in t; None if it holds none, or is not one of ours."""
        if isinstance(t, Tensor) and self._origin(t.node) is not None and t.node.parents is not None:
            self._look(entries([t.node]))
            return self._finding(t.node)
        entry = self._found.get(id(t))
        return entry[1] if entry is not None and entry[0]() is t else None

    def examine(self, gradients: Iterable[Any]) -> None:
        """Raise if a derivative of all samples, or along a tangent, is not finite."""
        for g in gradients:
            if bad(_array(g)):
                found = self.finding(g)
                text = (
                    f"No operation is known that made it so, at index {first(_array(g))}."
                    if found is None
                    else found.text
                )
                raise AnomalyError(f"a derivative (shape {g.shape}) is not finite.\n{text}")

    def examined(self, seeds: dict[Node, Any], order: list[Node], run: Sweep, retain: bool) -> dict[Node, Any]:
        """A backward sweep, run again with marks on its entries if what it found is not finite: they say why."""
        if self.sweeping:
            return run(order, retain)
        self.sweeping = True
        try:
            for root in seeds:
                origin = self._origin(root)
                if origin is not None and origin.value is not None and bad(origin.value):
                    self._look(order)
                if origin is not None and origin.finding is not None:
                    raise AnomalyError(f"the result is not finite.\n{origin.finding.text}")
            tape = list(zip(order, map(_by_parents, order), map(_by_saved, order), strict=True))
            found = run(order, retain)
            if any(bad(_array(g)) for g in found.values()):
                freed = [node for node, *_ in tape if node.parents is None]
                for node, parents, saved in tape:
                    node.parents, node.saved = parents, saved
                self._search(seeds, [node for node, *_ in tape], run)
                for node in freed:
                    node.parents, node.saved = None, ()
            if not retain:
                for node, *_ in tape:
                    if isinstance(node.watch, _Origin):
                        node.watch.value = node.watch.inputs = None
            return found
        finally:
            self.sweeping = False

    def _search(self, seeds: dict[Node, Any], tape: Sequence[Node], run: Sweep) -> None:
        marks: dict[Node, _Mark] = {}
        for node in tape:
            above = [None if p is None else marks[p] for p in node.parents or ()]
            origin = self._origin(node)
            given = self.finding(seeds.get(node))
            marks[node] = _Mark(self, node, above, BEFORE if origin is None else origin.line, given)
            node.watched().hooks.append(marks[node])
        try:
            run(list(tape), True)
        finally:
            for node, mark in marks.items():
                node.watched().hooks.remove(mark)

    def _origin(self, node: Node | None) -> _Origin | None:
        """What was noted when an entry was made."""
        origin = None if node is None else node.watch
        return origin if isinstance(origin, _Origin) and origin.detective is self else None

    def _finding(self, node: Node) -> Finding | None:
        origin = self._origin(node)
        return None if origin is None else origin.finding

    def _look(self, order: Sequence[Node]) -> None:
        """Look at the values that were kept, of what was made first first."""
        for node in order:
            origin = self._origin(node)
            if origin is not None and origin.value is not None:
                if bad(origin.value):
                    known = [None if p is None else self._finding(p) for p in node.parents or ()]
                    values = _values(origin.inputs)
                    with np.errstate(all="ignore"):
                        again = node.op.forward(*values, **(node.settings or {}))
                    same = np.array_equal(again, origin.value, equal_nan=True)  # not changed in place since
                    origin.finding = made(
                        node.op, values if same else (), origin.value, origin.line, known, node.serial
                    )
                origin.value = origin.inputs = None

    def _note(self, t: Tensor, found: Finding | None) -> None:
        key = id(t)
        if found is None:
            self._found.pop(key, None)
        else:
            self._found[key] = (weakref.ref(t, lambda _: self._found.pop(key, None)), found)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Operations run as ever inside."""
        capturing.remove(self)
        try:
            yield
        finally:
            capturing.append(self)

    # ---- what an operation asks of who notes it

    def run(self, op: Primitive, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
        """Run an operation, and look at what it made, or keep it to be looked at."""
        capturing.remove(self)  # as `aside`, which takes longer to enter than a small operation
        try:
            if (
                len(inputs) == 2
                and op.partials is not None
                and isinstance(inputs[0], Tensor)
                and isinstance(inputs[1], Tensor)
            ):
                y: Any = Tensor.pair(op, *inputs)
            else:
                y = op(*inputs, **settings)
        finally:
            capturing.append(self)
        if not isinstance(y, Tensor):
            return y
        value, node = y.value, y.node
        if node is not None and value.size <= SMALL and not self._found:
            node.watch = _Origin(self, self.line or user_place(above=3), None, value, inputs)
            return y
        wrong = bad(value)
        if not wrong and node is None:
            return y
        line, found = self.line or user_place(above=3), None
        if wrong:
            serial = 0 if node is None else node.serial
            found = made(op, _values(inputs), value, line, map(self.finding, inputs), serial, differentiated())
        if node is None:
            self._note(y, found)
        else:
            node.watch = _Origin(self, line, found)
        return y

    def whole(self, run: Callable[[], Any], again: Callable[[], Any]) -> Any:
        """A fused function as it runs ever; operation by operation where what it made is not finite."""
        with self.aside():
            y = run()
        made = [t for t in (y if isinstance(y, tuple) else (y,)) if isinstance(t, Tensor)]
        if any(bad(t.value) for t in made):
            return again()
        line = self.line or user_place()
        for node in dict.fromkeys(p for t in made if t.node is not None for p in (*_wholes(t.node), t.node)):
            node.watch = _Origin(self, line, None)
        return y

    def assign(self, t: Tensor, result: Tensor) -> Tensor:
        """An in-place operation."""
        with self.aside():
            made = t._become(result)
        if t.node is None or t.node is not result.node:
            self._note(t, self.finding(result))
        return made

    def number(self, draw: Callable[[], Any]) -> Any:
        """A random number."""
        with self.aside():
            return draw()

    def draws(self, draw: Callable[[], Any], _like: Any) -> Tensor:
        """Random numbers of a generator."""
        with self.aside():
            return Tensor(draw())

    def lift(self, x: Any) -> Any:
        """A value that is looked at."""
        return x

    def read(self, _t: Tensor) -> None:
        """A value is read in Python, as it may."""

    def guard(self, _holder: Any, _name: str) -> None:
        """An attribute is read, as it may."""

    def refuse(self, _reason: str) -> None:
        """Nothing is refused."""


def detect_anomaly() -> Detective:
    """Inside, a NaN or an infinity that reaches a differentiated result or a gradient is an error that says its origin.

    It names the first operation that made it, forward or backward, with the user's line, the index and the values that
    it was made of. One that is masked on its way raises nothing. Compiled functions run operation by operation inside,
    and so do fused ones when what they make is not finite. `check(t)` of what `with` gives looks at a result that is
    not differentiated.

    Raises:
        AnomalyError: from the backward pass, or from `check`.

    >>> import autograd as ag
    >>> x = ag.tensor([1.0, 0.0], requires_grad=True)
    >>> with ag.detect_anomaly():
    ...     try:
    ...         ag.sum(ag.sqrt(x)).backward()
    ...     except ag.errors.AnomalyError as error:
    ...         print(str(error).splitlines()[1])
    The derivative of 'sqrt' by x made inf at index (1,) of output=0.0, cotangent=1.0.
    """
    return Detective()


def _wholes(node: Node) -> Sequence[Node]:
    """The entry that this one is a part of the results of."""
    return [p for p in node.parents or () if p is not None and node.op.name == "part_of"]
