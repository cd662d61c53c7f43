"""Gradient functions that are called again and again: programs, where a replay can be shown to equal a call.

The first calls run as they stand and cost nothing more. Then the function is read (`purity.py`); what cannot be shown
to do the same each time is left alone for good. Of the rest, arguments that go on coming in the same kinds get a
program, which must give what the function gave before it takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from autograd.config import config
from autograd.errors import UnsupportedError, WengertError
from autograd.primitive import Primitive, capture, capturing
from autograd.program.compile import PROGRAMS
from autograd.program.premises import Premises
from autograd.program.purity import Impure, premises_of
from autograd.program.run import Run
from autograd.program.symbol import NotYet, Symbol, Unfusable, graph
from autograd.program.trusted import is_library, is_plain
from autograd.tape import enable_grad, recording
from autograd.tensor import Tensor
from autograd.tree import Build, flatten

FIRST = 100  # calls that are not looked at
AGAIN = 200  # calls with arguments of a kind before these are compiled: some are as much work as one capture
KINDS = 64  # of arguments that are counted
CHANGES = 4  # of what a program takes for granted, until no further one is made
NUMBERS = 100  # operations on single numbers, those that are done again included, up to which a program is faster
TRIALS = 5  # replays of a program that are compared with calls
LENGTH = 5000  # operations of a program
CLOSE = {4: 1e-3, 8: 1e-6}  # by bytes of a number: how far a program may be from the function, of the largest number


class _Other(Exception):
    """An argument is something else than arrays, numbers and containers of them; the message says what."""


class Repeated:
    """The programs of one gradient function, and the reasons where there are none.

    Parameters:
        f: what is differentiated. plain: its gradient function, as it stands.
        asked: whether programs were asked for: then they are made at once, and what prevents one is raised.

    Attributes:
        rest: calls that run as they stand until arguments are looked at again; below zero for ever.
    """

    def __init__(self, f: Callable[..., Any], plain: Callable[..., Any], asked: bool) -> None:
        self.f, self.plain, self.asked = f, plain, asked
        self.rest = 0 if asked else FIRST
        self.programs: dict[Any, list[Run]] = {}
        self.counts: dict[Any, int] = {}
        self.trials: dict[Run, int] = {}  # comparisons that are left
        self.premises: Premises | None = None
        self.changes = 0
        self.given_up: str | None = None
        self.passing: str | None = None
        self.op = Primitive(getattr(f, "__name__", "gradient"), "*xs", plain, pulls=(), reads=())
        self.lock = Lock()

    def reasons(self) -> list[str]:
        """Why calls ran as they stand, apart from being the first ones."""
        return [why for why in (self.given_up, self.passing) if why is not None]

    def __call__(self, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Run the program for arguments like these, or the function as it stands."""
        if not config.kernels or (capturing and capture()) or _raises():
            return self.plain(*args, **settings)
        if not recording.get():
            with enable_grad():  # refused in inference mode, as by the function
                pass
        try:
            kind, leaves = _kind_of(args, settings)
        except _Other as other:
            return self._stands(str(other), args, settings)
        if recording.get() and any(isinstance(x, Tensor) and x.node is not None for x in leaves):
            why = "an argument requires a gradient, so the result is recorded: give it detached, or under ag.no_grad()"
            return self._stands(why, args, settings)
        if not self.asked and not self._granted():
            return self.plain(*args, **settings)
        run = next((run for run in self.programs.get(kind, ()) if run.holds()), None)
        if run is None:
            return self._first(kind, leaves, args, settings)
        return self._replayed(run, leaves, args, settings)

    def _stands(self, why: str, args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Run the function as it stands, this time and for some more."""
        result = self.plain(*args, **settings)
        if self.asked:
            raise _refused(self.op.name, why)
        self.passing, self.rest = why, AGAIN
        return result

    def _give_up(self, why: str) -> None:
        self.given_up, self.passing, self.rest = why, None, -1
        self._forget()

    def _forget(self) -> None:
        for kept in (self.programs, self.counts, self.trials):
            kept.clear()
        self.premises = None

    def _granted(self) -> bool:
        """Whether what the function reads is as it was when it was looked at, or now that it is looked at."""
        premises = self.premises
        if premises is None:
            try:
                premises = self.premises = premises_of(self.f)
            except Impure as reason:
                self._give_up(str(reason))
                return False
        name = premises.broken()
        if name is None:
            return True
        self.changes += 1
        if self.changes > CHANGES:
            self._give_up(f"`{name}`, which it reads, changes between calls: make it an argument")
        else:
            self._forget()
            self.rest = AGAIN
        return False

    # ---- programs

    def _first(self, kind: Any, leaves: list[Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """A call that has no program: count it, or make one."""
        seen = self.counts.get(kind, 0) + 1
        if not self.asked and seen < AGAIN:
            if seen > 1 or len(self.counts) < KINDS:
                self.counts[kind] = seen
            elif not self.programs:
                self._give_up(f"its arguments are of more than {KINDS} kinds: shapes, dtypes, or Python values")
            return self.plain(*args, **settings)
        _, build = flatten((args, settings))
        expected = self.plain(*args, **settings)  # raises what is wrong with these arguments, if anything is
        if not self.lock.acquire(blocking=False):
            return expected
        try:
            run = self._made(leaves, build, (args, settings), expected)
        finally:
            self.lock.release()
        if isinstance(run, Run):
            self.passing, self.trials[run] = None, 0 if self.asked else TRIALS - 1
            if sum(map(len, self.programs.values())) >= PROGRAMS:
                self.programs.pop(next(iter(self.programs)))
            self.programs.setdefault(kind, []).append(run)
        elif self.asked and run is not None:
            raise _refused(self.op.name, run)
        elif run is not None:
            self._give_up(run)
        else:
            self.counts.pop(kind, None)
        return expected

    def _made(self, leaves: list[Any], build: Build, call: Any, expected: Any) -> Run | str | None:
        """A program that gives what was expected, or why there is none; None if there may be one later."""
        given: list[Any] = []

        def noted(symbols: list[Any]) -> Any:
            capture().rebinding = not self.asked
            parts = build(symbols)
            given[:] = [parts, _outline(parts)]
            return parts

        try:
            run = _captured(self.plain if self.asked else self._weighed, leaves, noted, self.op)
        except NotYet:
            return None
        if isinstance(run, str):
            return run
        own = _otherwise(run) or _own_copies(run)
        if self.asked:
            return own or run
        parts, outline = given
        if _outline(parts) != outline:
            return "it changes a container that it was given"
        premises = self.premises  # which another thread may take away
        others = leaves if premises is None else [*leaves, *(t for t, *_ in premises.tensors)]
        if any(x is y for x in flatten(expected)[0] if isinstance(x, (Tensor, np.ndarray)) for y in others):
            return "it returns something that it was given as it is"
        return own or _effect(run) or self._differs(run, leaves, call, expected) or run

    def _weighed(self, *args: Any, **settings: Any) -> Any:
        """The function on symbols, refused where a program would be no faster."""
        result = self.plain(*args, **settings)
        symbols = graph([x for x in flatten(result)[0] if isinstance(x, Symbol)])
        if len(symbols) > LENGTH:
            raise Unfusable(f"it is of {len(symbols)} operations: ag.scan is a loop that is not unrolled")
        if all(s.size == 1 for s in symbols):
            raise Unfusable("it computes with single numbers alone, for which a program is no faster")
        work = dict.fromkeys(symbols, 0)  # of numbers, each computed anew wherever it is read
        for s in symbols:
            if s.op is not None and not s.shape:
                work[s] = 1 + sum(work[x] for x in s.inputs if isinstance(x, Symbol))
        if max(work.values(), default=0) > NUMBERS:
            raise Unfusable("it computes much with single numbers, for which a program is slower")
        return result

    def _differs(self, run: Run, leaves: list[Any], call: Any, expected: Any) -> str | None:
        if not run.holds():
            return "what it takes for granted changes while it runs"
        try:
            with np.errstate(all="ignore"):
                found = run(leaves, (self.plain, *call))
        except Exception as error:  # of whatever the program runs: the call that it is compared with raised nothing
            return f"its program raised {type(error).__name__}: {error}"
        return _difference(expected, found)

    def _replayed(self, run: Run, leaves: list[Any], args: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        if not run.program.lock.acquire(blocking=False):
            return self.plain(*args, **settings)
        try:
            if not self.trials.get(run):
                return run(leaves, (self.plain, args, settings))
            self.trials[run] -= 1
            expected = self.plain(*args, **settings)
            why = self._differs(run, leaves, (args, settings), expected)
            if why is not None:
                self._give_up(why)
            return expected
        except Exception as error:  # the function says it in its own words, or has not raised: it is run below
            if self.asked:
                raise
            raised = error
        finally:
            run.program.lock.release()
        result = self.plain(*args, **settings)  # most often raises, in terms of what the user gave
        self._give_up(f"its program raised {type(raised).__name__}: {raised}")
        return result


def _captured(f: Callable[..., Any], leaves: list[Any], build: Callable[[list[Any]], Any], op: Primitive) -> Run | str:
    """The program of f for arguments that `build` makes of leaves, or the reason why there is none."""
    try:
        return Run(f, leaves, build, op)
    except NotYet as reason:
        if reason.changed:
            return str(reason)
        raise
    except Unfusable as reason:
        return str(reason)
    except WengertError as error:  # the function will raise it again, in terms of what the user gave
        return str(error)
    except Exception as error:  # of Python or NumPy, which were given a symbol; or of the function itself
        return f"{type(error).__name__} on symbols: {error}"


# ---- arguments


def _kind_of(args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[Any, list[Any]]:
    """What a program depends on, and the leaves."""
    leaves: list[Any] = []
    kinds = [_kind(x, leaves) for x in args]
    if settings:
        kinds.append(("settings", _kind(settings, leaves)))
    return (tuple(kinds), recording.get()), leaves


def _kind(x: Any, leaves: list[Any]) -> Any:
    t = type(x)
    if t is Tensor or t is np.ndarray or (isinstance(x, Tensor) and is_library(t.__module__)):
        leaves.append(x)
        return t, x.shape, x.dtype, isinstance(x, Tensor) and x.node is not None
    if t is list or t is tuple:
        return t, tuple([_kind(part, leaves) for part in x])
    if t is dict:
        return tuple(x), tuple([_kind(part, leaves) for part in x.values()])
    leaves.append(x)
    if t is float:
        return float
    if t is int or t is bool or t is str or x is None:
        return t, x
    if isinstance(x, np.generic):
        return t
    raise _Other(f"an argument holds a {t.__name__}: arrays, numbers, and lists, tuples and dicts of them are compiled")


def _outline(x: Any) -> Any:
    """A container as one that can be compared later: its parts by their ids."""
    if isinstance(x, dict):
        return tuple(x), tuple(map(_outline, x.values()))
    return tuple(map(_outline, x)) if isinstance(x, (list, tuple)) else id(x)


def _raises() -> bool:
    """Whether NumPy is to raise, or to call somebody, where kernels are silent."""
    modes = np.geterr().values()
    return "raise" in modes or "call" in modes


# ---- results


def _own_copies(run: Run) -> str | None:
    """Let each call have its own copy of an array that no argument changes; or say that there is something else."""
    places = [k for k, s in enumerate(run.results) if s is None and isinstance(run.constants[k], (Tensor, np.ndarray))]
    for k, s in enumerate(run.results):
        if s is None and k not in places and not is_plain(run.constants[k]):
            return f"it returns a {type(run.constants[k]).__name__}, which calls would share"
    if places:
        build = run.build

        def copied(leaves: list[Any]) -> Any:
            return build([_copy(x) if k in places else x for k, x in enumerate(leaves)])

        run.build = copied
    return None


def _copy(x: Any) -> Any:
    return Tensor(np.array(x.value)) if isinstance(x, Tensor) else x.copy()


def _effect(run: Run) -> str | None:
    """What a captured function does besides returning something, or reads unseen."""
    if run.assigned or run.updates or run.gradients:
        return "it changes a Tensor that it was not given, or gradients"
    if run.random:
        return "it draws random numbers"
    if run.looked:
        return "it reads the value of a Tensor that it was not given in Python"
    return "it leaves something on the tape" if run.wanted else None


def _otherwise(run: Run) -> str | None:
    """What programs compute otherwise than NumPy: what a mask takes is not known before the values are."""
    for s in graph(run.program.outputs):
        if s.op is None:
            continue
        masked = any(isinstance(x, Symbol) and x.dtype.kind == "b" for x in s.inputs[1:])
        if s.op.name == "nonzero" or (masked and s.op.name in ("getitem", "index_add")):
            return "it takes elements by a mask, and how many that are depends on values: write ag.where"
        if s.dtype.kind == "b" and s.op.name == "add":
            return "it adds truths, which NumPy takes for `or`: write ag.logical_or"
        if s.op.code is not None and s.dtype.kind in "iu" and s.dtype.itemsize < 8:
            return f"it computes with {s.dtype}, which may run over"
    return None


def _difference(expected: Any, found: Any) -> str | None:
    """What a replay gives otherwise than a call; None if it gives the same."""
    some, others = flatten(expected)[0], flatten(found)[0]
    if _shell(expected) != _shell(found):
        return "a replay gives another container"
    for a, b in zip(some, others, strict=True):
        why = _unlike(a, b)
        if why is not None:
            return f"a replay gives {why}"
    return None


def _shell(x: Any) -> Any:
    """The containers of a result."""
    if isinstance(x, dict):
        return type(x), tuple(x), tuple(map(_shell, x.values()))
    return (type(x), tuple(map(_shell, x))) if isinstance(x, (list, tuple)) else None


def _unlike(a: Any, b: Any) -> str | None:
    if type(a) is not type(b):
        return f"a {type(b).__name__} where a call gives a {type(a).__name__}"
    if not isinstance(a, (Tensor, np.ndarray)):
        return None if repr(a) == repr(b) else f"{b!r} where a call gives {a!r}"
    if isinstance(a, Tensor):
        if a.requires_grad is not b.requires_grad:
            return "a constant where a call gives a Tensor on the tape: detach it in the function"
        a, b = a.value, b.value
    if a.shape != b.shape or a.dtype != b.dtype:
        return f"{b.shape} {b.dtype} where a call gives {a.shape} {a.dtype}"
    with np.errstate(all="ignore"):
        finite = np.abs(a[np.isfinite(a)])
        scale = finite.max(initial=0) if a.dtype.kind == "f" else 0
        close = np.allclose(a, b, rtol=0, atol=scale * CLOSE.get(a.dtype.itemsize, 1e-2), equal_nan=True)
    return None if close else "other values"


def _refused(name: str, why: str) -> UnsupportedError:
    return UnsupportedError(f"{name} was to be compiled, and has no program for these arguments: {why}.")
