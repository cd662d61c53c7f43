"""`compile`: a function of a whole model as a program of kernels and matrix products."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from threading import Lock
from typing import Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from autograd.batching.level import Batched, Batching, batching, outside
from autograd.batching.vmap import anew
from autograd.config import config
from autograd.errors import DifferentiationError, UnsupportedError, WengertError
from autograd.named import Method
from autograd.primitive import Primitive, Traced, capture, capturing
from autograd.program.budget import Budget, bytes_of
from autograd.program.fitting import TooLarge
from autograd.program.listing import Listing
from autograd.program.run import Run, is_input, value_of
from autograd.program.several import cotangents_of, refused
from autograd.program.symbol import NotYet, Place, Unfusable
from autograd.sweep import sweep
from autograd.tape import Node, enable_grad, no_grad, recording
from autograd.tensor import Tensor
from autograd.tree import flatten, outline

P = ParamSpec("P")
R = TypeVar("R")
PREPARED = 100  # groups of optimizers whose states may be made before a function is captured
TURN = 3e-4  # seconds that one thread may have the interpreter for while others want it
PROGRAMS = 16  # that a function keeps: for kinds of arguments, with a gradient and without


class Compiled(Method, Generic[P, R]):
    """A function compiled as a whole. Made by `compile`.

    >>> import autograd as ag
    >>> ag.compile(lambda x: ag.sum(x * 2.0))(ag.ones(3))
    tensor(6.)
    """

    def __init__(self, f: Callable[P, R], fit_in: int | str | None = None) -> None:
        self.__name__ = "compiled"  # where f has none
        update_wrapper(self, f, updated=())
        self.function = f
        self.budget = None if fit_in is None else Budget(self.__name__, fit_in, bytes_of(fit_in))
        self.programs: dict[Any, list[Run | str]] = {}
        self.changed: set[Any] = set()  # kinds of arguments for which the function was seen to change something
        self.places: list[Place] = []  # and where that was
        self.last: Any = None  # what the call before asked for, and what is kept for that
        self.runs: Sequence[Run | str] = ()
        self.op = Primitive(getattr(f, "__name__", "compiled"), "*xs", refused, pulls=(), reads=())
        self.op.together = _together

    def __getattr__(self, name: str) -> Any:
        """What it has not is the function's: the parameters of a module, its modes."""
        if name == "function" or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"a compiled function has no {name}")
        return getattr(self.function, name)

    def options(self) -> dict[str, Any]:
        """What its class is given beside the function."""
        return {"fit_in": None if self.budget is None else self.budget.given}

    def __call__(self, *args: P.args, **settings: P.kwargs) -> R:
        """Run the program for arguments like these, or the function where there is none."""
        if not config.kernels or (capturing and capture()):
            return self.function(*args, **settings)
        leaves: Sequence[Any] = args
        build: Callable[[list[Any]], Any] = _unnamed
        form, kinds = None, None if settings else _kinds(args)
        if kinds is None:
            leaves, build = flatten((args, settings))
            form, kinds = outline((args, settings)), [_kind(x) for x in leaves]
        asked = (kinds, form, recording.get())
        if asked != self.last:  # to compare is quicker than to hash
            self.last, self.runs = asked, self.programs.get(_key(asked), ())
        found: Run | str | None = None
        for found in self.runs:
            if isinstance(found, str) or found.holds():
                break
        else:
            try:
                found = self._made(leaves, build)
            except NotYet as reason:
                if not (reason.changed and _key(asked) in self.changed):
                    self._noticed(reason, _key(asked))
                    return self.function(*args, **settings)
                found = str(reason)
            if isinstance(found, str):
                if self.budget is not None:
                    raise UnsupportedError(
                        f"{self.__name__} was given fit_in={self.budget.given!r}, and there is no program for these "
                        f"arguments: {found}.\nLeave out fit_in to run it as it stands, whatever memory that takes."
                    )
                result = self.function(*args, **settings)  # raises what is wrong with these arguments, if anything is
                self._keep(_key(asked), found)
                return result
            found.premises.some += [(holder, [name], [holder.get(name)]) for holder, name, _ in self.places]
            self._keep(_key(asked), found)
        if isinstance(found, str) or not found.program.lock.acquire(blocking=False):
            return self.function(*args, **settings)
        try:
            return found(leaves, (self.function, args, settings))  # type: ignore[no-any-return]
        finally:
            found.program.lock.release()

    def _noticed(self, reason: NotYet, key: Any) -> None:
        """Take notice of what the function has changed: its programs stand only while that stays as it is."""
        if reason.changed:
            self.changed.add(key)
            places = [place for place in reason.changed if place is not None]
            self.places += places
            if not all(place.empty for place in places):  # a program made before would not have changed it
                for runs in self.programs.values():
                    runs[:] = [run for run in runs if isinstance(run, str)]
                self.last = None

    def _keep(self, key: Any, run: Run | str) -> None:
        if sum(map(len, self.programs.values())) >= PROGRAMS:
            self.programs.pop(next(iter(self.programs)))
        self.programs.setdefault(key, []).append(run)
        self.last = None

    def _made(self, leaves: Sequence[Any], build: Callable[[list[Any]], Any]) -> Run | str:
        untold = [x for x in leaves if not is_input(x) and not _is_told(x)]
        if untold:
            return f"it is given a {type(untold[0]).__name__}, which cannot be told from another: write a tuple"
        try:
            with _undisturbed:
                return self._captured(leaves, build)
        except (NotYet, TooLarge):
            raise
        except Unfusable as reason:
            return str(reason)
        except WengertError as error:  # the function will raise it again, in terms of what the user gave
            if self.budget is not None:  # and would take more memory
                raise
            return str(error)
        except Exception as error:  # of Python or NumPy, which were given a symbol; or of the function itself
            return f"{type(error).__name__} on symbols: {error}"

    def _captured(self, leaves: Sequence[Any], build: Callable[[list[Any]], Any]) -> Run:
        """A program, made at the first call: state that this would only then have is made beforehand."""
        for _ in range(PREPARED):
            try:
                return Run(self.function, leaves, build, self.op, self.budget)
            except NotYet as error:
                if error.prepare is None:
                    raise
                with no_grad():
                    error.prepare()
        return Run(self.function, leaves, build, self.op, self.budget)

    def explain(self, *args: P.args, **settings: P.kwargs) -> str:
        """The steps of the program for these arguments, or the reason why there is none."""
        leaves, build = flatten((args, settings))
        try:
            made = self._made(leaves, build)
        except NotYet as reason:
            return f"not yet: {reason}"
        if isinstance(made, str) or made.later is None:
            return made if isinstance(made, str) else str(made.program)
        return f"{made.program}\nonce there are cotangents of the results\n{made.later.program}"

    def program(self, *args: P.args, **settings: P.kwargs) -> Listing:
        """The program for these arguments as a list to read: `print()`, `explain()`, `to_html()`, `profile()`.

        Raises UnsupportedError if there is none, with the reason.

        >>> import autograd as ag
        >>> ag.compile(lambda x: ag.sum(ag.exp(x))).program(ag.ones(4)).rows[0].kind
        'kernel'
        """
        given = (args, settings)
        return Listing(self.__name__, self._apart(given)[0], self._apart, given)

    def listings(self) -> list[Listing]:
        """The programs that the function has so far; to be measured they need arguments: `listing.profile(*args)`."""
        runs = [run for runs in self.programs.values() for run in runs if not isinstance(run, str)]
        return [Listing(self.__name__, run, self._apart) for run in runs]

    def _apart(self, given: Any) -> tuple[Run, list[Any]]:
        """A program that nobody else runs, and the values of its inputs."""
        leaves, build = flatten(given)
        try:
            made = self._made(leaves, build)
        except NotYet as reason:
            made = f"not yet: {reason}"
        if isinstance(made, str):
            raise UnsupportedError(
                f"{self.__name__} has no program for these arguments: {made}.\nIt runs as the function itself; "
                f"what it leaves on the tape is shown by ag.tape_of(result)."
            )
        return made, [value_of(leaves[k]) for k in made.places]

    def reasons(self) -> list[str]:
        """Why, for some of the arguments so far, the function ran as it stands."""
        return sorted({run for runs in self.programs.values() for run in runs if isinstance(run, str)})


class _Undisturbed:
    """Without the collector of cycles, which would look at thousands of new objects again and again to find none.

    Threads that compile what is captured get the interpreter as soon as LLVM is done; else each waits for its turn.
    """

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0
        self.before = True, TURN

    def __enter__(self) -> None:
        with self.lock:
            if not self.inside:
                self.before = gc.isenabled(), sys.getswitchinterval()
                gc.disable()
                sys.setswitchinterval(min(TURN, self.before[1]))
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                collecting, turn = self.before
                sys.setswitchinterval(turn)
                if collecting:
                    gc.enable()


_undisturbed = _Undisturbed()


def _unnamed(leaves: Sequence[Any]) -> Any:
    """The arguments and settings of a call that has arrays alone."""
    return tuple(leaves), {}


def _kinds(args: Sequence[Any]) -> list[Any] | None:
    """What a program is made for, of arguments that are arrays alone; None of others."""
    found: list[Any] = []
    for x in args:
        if type(x) is Tensor:
            value = x.value
            found.append((value.shape, value.dtype, x.node is not None))
        elif type(x) is np.ndarray:
            found.append((x.shape, x.dtype))
        else:
            return None
    return found


def _key(asked: tuple[Sequence[Any], Any, Any]) -> Any:
    return (tuple(asked[0]), *asked[1:])


def _kind(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.shape, x.dtype, x.node is not None
    if isinstance(x, (np.ndarray, np.generic)):
        return x.shape, x.dtype
    return float if type(x) is float else (type(x), x if _is_told(x) else None)


def _is_told(x: Any) -> bool:
    """Whether a value can be told from others in a table; a set may change."""
    try:
        hash(x)
    except TypeError:
        return False
    return True


def _together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
    note = node.settings or {}
    cotangents = cotangents_of(g)
    level = batching()
    if level is not None and all(c is None or _is_rows(c) for c in cotangents):
        return _for_each(level, cotangents, partial(_pulled, note, saved))
    if any(isinstance(part, Traced) for part in cotangents):
        f, args, settings = note["again"]
        return _recorded(cotangents, node, lambda: f(*args, **settings), note["made"], note["numbers"])
    return _pulled(note, saved, cotangents)


def _pulled(note: dict[str, Any], saved: Sequence[Any], cotangents: Sequence[Any]) -> list[Any]:
    """The gradients for cotangents that are arrays: by the second program, or as factors of those that are there."""
    if note["later"] is not None:
        return note["later"].run(saved[1:], cotangents)  # type: ignore[no-any-return]
    (g,) = cotangents
    return [x if g == 1 else np.zeros_like(x) if g == 0 else g * x for x in saved[1:]]


def _is_rows(cotangent: Any) -> bool:
    """Whether a cotangent is an array for each sample of a level of batching, or one for all."""
    return isinstance(cotangent, Batched) and isinstance(cotangent.content, np.ndarray)


def _for_each(level: Batching, cotangents: Sequence[Any], pulled: Callable[[Sequence[Any]], list[Any]]) -> list[Any]:
    """The gradients for rows of cotangents, as of a matrix of derivatives, one row after the other."""
    rows = [
        pulled([c if c is None else c.content[k] if c.mapped else c.content for c in cotangents])
        for k in range(level.size)
    ]
    return [None if parts[0] is None else Batched(np.stack(parts), level, True) for parts in zip(*rows, strict=True)]


def _recorded(
    cotangents: Sequence[Any], node: Node, f: Callable[[], Any], made: Sequence[int], random: bool
) -> list[Any]:
    """The gradients that can be differentiated again: by the tape of the function itself, run where its program ran."""
    if random:
        raise DifferentiationError(
            "a second derivative of a compiled function that draws random numbers was asked for: they would be\n"
            "others. Call the function itself, without ag.compile."
        )
    parents = [p for p in node.parents or () if p is not None]
    with enable_grad():
        results, _ = flatten(outside(f))
    ends = [(results[k].node, g) for k, g in zip(made, cotangents, strict=True) if g is not None]
    ends = [(end, g) for end, g in ends if end is not None]

    record = any(isinstance(g, Tensor) for _, g in ends)

    def swept(*given: Any) -> list[Any]:
        seeds = given if record else [g.value if isinstance(g, Tensor) else g for g in given]
        found = sweep([end for end, _ in ends], seeds, wanted=parents, record=record, retain=True)
        return [found.get(p) for p in parents]

    found = dict(zip(parents, anew(swept, *(g for _, g in ends)), strict=True))
    return [None if p is None else found[p] for p in node.parents or ()]


@overload
def compile(f: Callable[P, R], *, fit_in: int | str | None = None) -> Compiled[P, R]: ...


@overload
def compile(*, fit_in: int | str | None = None) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...


def compile(f: Callable[P, R] | None = None, *, fit_in: int | str | None = None) -> Any:
    """Compile a function of a whole model: loops, sums and matrix products run one after another without Python.

    The function is run once on symbols for each kind of arguments: their shapes and dtypes, whether a gradient is
    wanted, and the mode of the modules that ran. What it computes, and the gradients of a result of one number, become
    one program; for other results, as those of a model, the gradients are a second program, which runs when their
    cotangents come. Parameters and buffers that it reads are read anew each time, and dropout draws anew. What has no
    kernel runs as the operation itself, and what cannot be captured at all as the function itself: `reasons()` says
    why. `explain` lists the steps.

    Parameters:
        f: returns Tensors, in lists, tuples and dicts of any nesting. Python values that it reads are taken as they are
            when it is captured; floats among its arguments may change from call to call.
        fit_in: the memory that a program may take: bytes, or text as "512MB", "1.5GB", "64MiB". Counted is all that is
            there while it runs for one kind of arguments: these, Tensors that it reads, gradients, what optimizers
            keep, its own arrays, and what operations without a kernel make for themselves. Where that is more, results
            of the forward half are computed again, just before the backward half reads them, instead of being kept:
            those that free most bytes for their operations first. Random numbers are drawn again as they were. Values
            are those of a program that keeps everything, but for the last bits where other operations stand in one
            loop with them. `program(...)` has `peak` and `recomputed`. What is `not_yet` to be captured, and does not
            say how its state is made, runs once as it stands, whatever that takes.

    Raises:
        ArgumentError: if fit_in is no amount of memory; when called, if no choice of what to compute again is enough.
        UnsupportedError: when called, if fit_in is given and the function cannot be captured.

    >>> import autograd as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = ag.compile(lambda x: ag.sum(ag.tanh(x @ w) ** 2))
    >>> loss(ag.zeros((3, 2))).backward()
    >>> w.grad, loss.reasons()
    (tensor([0., 0.]), [])

    >>> model = ag.compile(lambda x: ag.tanh(x @ w))
    >>> ag.grad(ag.sum(model(ag.ones((3, 2))) * 0.0), w)[0]
    tensor([0., 0.])

    >>> def deep(x):
    ...     for _ in range(8):
    ...         x = ag.tanh(ag.exp(x * w[0]) @ weight)
    ...     return ag.sum(x)
    >>> weight, x = ag.ones((64, 64)), ag.ones((2000, 64))
    >>> kept, fitted = (ag.compile(deep, fit_in=most).program(x) for most in ("1GB", "8MB"))
    >>> kept.peak > 10_000_000, fitted.peak <= 8_000_000, kept.recomputed, fitted.recomputed[0].operations
    (True, True, [], ('multiply', 'exp'))
    """
    return Compiled(f, fit_in) if f is not None else partial(Compiled, fit_in=fit_in)
