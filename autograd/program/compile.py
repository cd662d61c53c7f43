"""`compile`: a function of a whole model as a program of kernels and matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from autograd.config import config
from autograd.errors import DifferentiationError, UnsupportedError, WengertError
from autograd.primitive import Primitive, Traced, capture, capturing
from autograd.program.listing import Listing
from autograd.program.run import Run, value_of
from autograd.program.symbol import NotYet, Unfusable
from autograd.sweep import sweep
from autograd.tape import Node, enable_grad, recording
from autograd.tensor import Tensor
from autograd.tree import flatten

P = ParamSpec("P")
R = TypeVar("R")
_PLAIN = frozenset((Tensor, np.ndarray))
PROGRAMS = 16  # that a function keeps: for kinds of arguments, with a gradient and without


class Compiled(Generic[P, R]):
    """A function compiled as a whole. Made by `compile`.

    >>> import autograd as ag
    >>> ag.compile(lambda x: ag.sum(x * 2.0))(ag.ones(3))
    tensor(6.)
    """

    def __init__(self, f: Callable[P, R]) -> None:
        self.__name__ = "compiled"  # where f has none
        update_wrapper(self, f)
        self.function = f
        self.programs: dict[Any, list[Run | str]] = {}
        self.op = Primitive(getattr(f, "__name__", "compiled"), "*xs", _refused, pulls=(), reads=())
        self.op.together = _together

    def __call__(self, *args: P.args, **settings: P.kwargs) -> R:
        """Run the program for arguments like these, or the function where there is none."""
        if not config.kernels or (capturing and capture()):
            return self.function(*args, **settings)
        if settings or not all([type(x) in _PLAIN for x in args]):  # noqa: C419  # a list is quicker than a generator
            leaves, build = flatten((args, settings))
        else:
            leaves, build = list(args), _unnamed
        key = (tuple([_kind(x) for x in leaves]), build is _unnamed, recording.get())
        found = next((run for run in self.programs.get(key, ()) if isinstance(run, str) or run.holds()), None)
        if found is None:
            try:
                found = self._made(leaves, build)
            except NotYet:
                return self.function(*args, **settings)
            if isinstance(found, str):
                result = self.function(*args, **settings)  # raises what is wrong with these arguments, if anything is
                self._keep(key, found)
                return result
            self._keep(key, found)
        if isinstance(found, str) or not found.program.lock.acquire(blocking=False):
            return self.function(*args, **settings)
        try:
            return found(leaves, (self.function, args, settings))  # type: ignore[no-any-return]
        finally:
            found.program.lock.release()

    def _keep(self, key: Any, run: Run | str) -> None:
        if sum(map(len, self.programs.values())) >= PROGRAMS:
            self.programs.pop(next(iter(self.programs)))
        self.programs.setdefault(key, []).append(run)

    def _made(self, leaves: Sequence[Any], build: Callable[[list[Any]], Any]) -> Run | str:
        try:
            return Run(self.function, leaves, build, self.op)
        except NotYet:
            raise
        except Unfusable as reason:
            return str(reason)
        except WengertError as error:  # the function will raise it again, in terms of what the user gave
            return str(error)
        except Exception as error:  # of Python or NumPy, which were given a symbol; or of the function itself
            return f"{type(error).__name__} on symbols: {error}"

    def explain(self, *args: P.args, **settings: P.kwargs) -> str:
        """The steps of the program for these arguments, or the reason why there is none."""
        leaves, build = flatten((args, settings))
        try:
            made = self._made(leaves, build)
        except NotYet as reason:
            return f"not yet: {reason}"
        return made if isinstance(made, str) else str(made.program)

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


def _unnamed(leaves: Sequence[Any]) -> Any:
    """The arguments and settings of a call that has arrays alone."""
    return tuple(leaves), {}


def _kind(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.shape, x.dtype, x.node is not None
    if isinstance(x, (np.ndarray, np.generic)):
        return x.shape, x.dtype
    return float if type(x) is float else (type(x), x)


def _refused(*_values: Any, **_settings: Any) -> Any:
    raise DifferentiationError("the entry of a compiled function was run by itself; call the function.")


def _together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
    note = node.settings or {}
    if isinstance(g, Traced):
        f, args, settings = note["again"]
        return _recorded(g, node, f, args, settings, note["numbers"])
    return [x if g == 1 else np.zeros_like(x) if g == 0 else g * x for x in saved[1:]]


def _recorded(g: Any, node: Node, f: Callable[..., Any], args: Any, settings: Any, random: bool) -> list[Any]:
    if random:
        raise DifferentiationError(
            "a second derivative of a compiled function that draws random numbers was asked for: they would be\n"
            "others. Call the function itself, without ag.compile."
        )
    parents = [p for p in node.parents or () if p is not None]
    with enable_grad():
        y = f(*args, **settings)
        found = sweep([y.node], [g], wanted=parents, record=True, retain=True)
    return [None if p is None else found.get(p) for p in node.parents or ()]


def compile(f: Callable[P, R]) -> Compiled[P, R]:
    """Compile a function of a whole model: loops, sums and matrix products run one after another without Python.

    The function is run once on symbols for each kind of arguments: their shapes and dtypes, whether a gradient is
    wanted, and the mode of the modules that ran. What it computes, and the gradients of a result of one number, become
    one program; parameters and buffers that it reads are read anew each time, and dropout draws anew. What has no
    kernel runs as the operation itself, and what cannot be captured at all as the function itself: `reasons()` says
    why. `explain` lists the steps.

    Parameters:
        f: returns one Tensor; with gradients, one number: the loss. Python values that it reads are taken as they are
            when it is captured; floats among its arguments may change from call to call.

    >>> import autograd as ag
    >>> w = ag.tensor([1.0, 2.0], requires_grad=True)
    >>> loss = ag.compile(lambda x: ag.sum(ag.tanh(x @ w) ** 2))
    >>> loss(ag.zeros((3, 2))).backward()
    >>> w.grad, loss.reasons()
    (tensor([0., 0.]), [])
    """
    return Compiled(f)
