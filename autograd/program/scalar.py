"""`elementwise`: a Python function of numbers as an operation on arrays, with kernels and all derivatives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from inspect import Parameter, signature
from types import FunctionType
from typing import Any
from weakref import WeakSet

import numpy as np

from autograd.batching.level import variable
from autograd.errors import ArgumentError
from autograd.named import Named
from autograd.primitive import Primitive, Traced
from autograd.program.fused import Fused
from autograd.program.steps import Program, Steps
from autograd.program.translate import translate
from autograd.sweep import sweep
from autograd.tape import Node, leaf, recording
from autograd.tensor import Tensor

VERSIONS = 256  # combinations of settings that an operation is kept translated for
FUSED = 500  # steps up to which kernels are made: compiling takes some 10 ms for each
_living: WeakSet[Elementwise] = WeakSet()
_serials = itertools.count()


class Elementwise(Named):
    """An operation made of a function of numbers by `elementwise`.

    Attributes:
        op: its entry on the tape.
        inputs: the names of its positional parameters, which may be arrays.
        settings: its keyword-only parameters with their defaults.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        if not isinstance(f, FunctionType):
            raise ArgumentError(
                f"elementwise was given a {type(f).__name__}. Expected a plain Python function of numbers:\n"
                "write def f(x): return ..., or lambda x: ..."
            )
        update_wrapper(self, f)
        self.f = f
        self.__name__: str = f.__name__
        self.serial = next(_serials)
        self.signature = signature(f)
        self.inputs, self.settings = _parameters(f)
        count = len(self.inputs)
        self.op = Primitive(
            f.__name__,
            " ".join(self.inputs),
            self._forward,
            pulls=[partial(_pull, self._cotangents, k) for k in range(count)],
            reads=[frozenset(range(1, count + 1))] * count,
            composition=self._forward,
            doc=f.__doc__ or "",
        )
        self.op.together = self._cotangents
        self.versions: dict[Any, tuple[Program, Fused[..., Any] | None]] = {}
        if Parameter.empty not in self.settings.values():
            self._version(self.settings)  # what cannot be translated is refused here, where it is written
        _living.add(self)

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """Run on arrays, Tensors or numbers that broadcast together."""
        if settings or len(args) != len(self.inputs):
            args, settings = self._bound(args, settings)
        else:
            settings = self.settings
        values = [_value(x, name, self.__name__) for x, name in zip(args, self.inputs, strict=True)]
        program, fused = self._version(settings)
        if program.boolean:
            values = [x.detach() if isinstance(x, Tensor) else x for x in values]
        y = self.op(*values, **settings) if fused is None else fused(*values)
        return y[()] if isinstance(y, np.ndarray) and not y.ndim else y

    def __repr__(self) -> str:
        return f"<elementwise {self.__name__}{self.signature}>"

    def reasons(self) -> list[str]:
        """Why, for some of the arguments so far, no kernel ran."""
        found = {reason for _, fused in self.versions.values() if fused is not None for reason in fused.reasons()}
        long = max((len(program.lines) for program, fused in self.versions.values() if fused is None), default=0)
        return sorted(found) + ([f"it takes {long} steps, and kernels are made for at most {FUSED}"] if long else [])

    def _bound(self, args: Sequence[Any], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            bound = self.signature.bind(*args, **settings)
        except TypeError as error:
            raise ArgumentError(f"{self.__name__}: {error}. Expected {self.__name__}{self.signature}.") from None
        bound.apply_defaults()
        return tuple(bound.arguments[n] for n in self.inputs), {n: bound.arguments[n] for n in self.settings}

    def _version(self, settings: dict[str, Any]) -> tuple[Program, Fused[..., Any] | None]:
        """The function translated for these settings."""
        key = tuple((type(v), repr(v)) for v in settings.values())  # 1, 1.0 and True are three, 0.0 and -0.0 two
        found = self.versions.get(key)
        if found is None:
            for name, value in settings.items():
                _check_setting(name, value, self.__name__)
            steps = Steps(self.inputs)
            program = steps.program(translate(self.f, steps, settings))
            if len(self.versions) >= VERSIONS:
                self.versions.pop(next(iter(self.versions)))
            fused = None if len(program.lines) > FUSED else Fused(_entry(self.op, settings, self.f))
            found = self.versions[key] = program, fused
        return found

    def _forward(self, *values: Any, **settings: Any) -> Any:
        """The value for arrays; for Tensors and symbols step by step."""
        return self._version(settings)[0](*values)

    def _cotangents(self, g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
        """The cotangents of all inputs: the sweep over the steps, run once more as a tape of their own."""
        traced = isinstance(g, Tensor)
        parents = node.parents or ()
        before = recording.set(True)  # not enable_grad, which inference_mode refuses: this tape is ours
        try:
            own = [
                x if p is None else variable(x) if isinstance(x, Tensor) else Tensor(x, leaf(x.shape, x.dtype))
                for x, p in zip(saved[1:], parents, strict=True)
            ]
            y = self._forward(*own, **(node.settings or {}))
            nodes = [None if p is None else x.node for x, p in zip(own, parents, strict=True)]
            found = sweep([y.node], [g], wanted=[n for n in nodes if n is not None], record=traced, retain=traced)
        finally:
            recording.reset(before)
        return [None if n is None else found.get(n) for n in nodes]


def _parameters(f: FunctionType) -> tuple[list[str], dict[str, Any]]:
    """The names of the positional parameters, and the keyword-only ones with their defaults."""
    inputs, settings = [], {}
    for name, parameter in signature(f).parameters.items():
        if parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            raise ArgumentError(
                f"{f.__name__} takes {parameter}. Expected a fixed number of arguments: write a name for each."
            )
        if parameter.kind is Parameter.KEYWORD_ONLY:
            settings[name] = parameter.default
        else:
            inputs.append(name)
    if not inputs:
        raise ArgumentError(f"{f.__name__} takes no positional argument. Expected at least one, which is an array.")
    return inputs, settings


def _entry(op: Primitive, settings: dict[str, Any], f: FunctionType) -> Callable[..., Any]:
    """The operation with its settings, under the name of the function."""

    def entry(*args: Any) -> Any:
        return op(*args, **settings)

    entry.__name__, entry.__doc__ = f.__name__, f.__doc__
    return entry


def _pull(together: Callable[..., Any], k: int, g: Any, saved: Sequence[Any], node: Node) -> Any:
    return together(g, saved, node)[k]


def _value(x: Any, name: str, function: str) -> Any:
    """An argument as an array, a Tensor, a symbol or a Python number."""
    if isinstance(x, (np.ndarray, Traced)) or type(x) in (int, float):
        return x
    if isinstance(x, (bool, int, float)) and not isinstance(x, np.generic):
        return float(x)
    if isinstance(x, (np.generic, list, tuple)):
        return np.asarray(x)
    raise ArgumentError(
        f"{name} of {function} was given a {type(x).__name__}. Expected an array, a Tensor or a number."
    )


def _check_setting(name: str, value: Any, function: str) -> None:
    if isinstance(value, tuple):
        for x in value:
            _check_setting(name, x, function)
    elif not isinstance(value, (bool, int, float, str, np.number, np.bool_, type(None))):
        raise ArgumentError(
            f"{name} of {function} was given a {type(value).__name__}. Expected a number, a string or a tuple of them, "
            f"for which it is compiled.\nFor an array or a Tensor, write {name} before the * in def {function}(...)."
        )


def registered(name: str) -> list[Elementwise]:
    """Every living operation that `elementwise` made of a function of that name, in the order of making.

    >>> from autograd.program.scalar import elementwise, registered
    >>> double = elementwise(lambda x: 2 * x)
    >>> double in registered("<lambda>")
    True
    """
    return sorted((op for op in _living if op.__name__ == name), key=lambda op: op.serial)


def elementwise(f: Callable[..., Any]) -> Elementwise:
    """Turn a Python function of numbers into an operation on arrays and Tensors, with derivatives of all orders.

    The function is translated when it is decorated: into one composition of operations, in which every branch of an
    `if` is computed and `where` chooses. It then runs as fused kernels where arrays are large, as `fused` does, and
    stands on the tape under its name.

    Parameters:
        f: a function of one or more numbers that returns one. It may use arithmetic, comparisons, `and`, `or`, `not`,
            the functions of math (or those of NumPy and autograd by the same names), min, max, abs, round, local
            variables, `if`, `return` anywhere, `for` loops over constant ranges or tuples with `break` and `continue`,
            and other such functions. Numbers that it reads from outside are taken as they are when it is translated.
            Positional parameters are arrays, Tensors or Python numbers; keyword-only ones are settings, for each value
            of which it is translated anew (at the first call, if they have no defaults).

    Returns:
        A function of arrays that broadcast together; it computes in the floating dtype that they promote to, and whole
        numbers are taken as float64. A point that a branch leaves out gets no gradient from it, not even a NaN; where
        math would raise, the result is NaN or infinite. min and max are `ag.minimum` and `ag.maximum`: at a tie, their
        arguments share the slope.

    Raises:
        UnsupportedError: if how the function runs depends on data in another way than by `if`. It shows the line.
        ArgumentError: if f is not a function of a fixed number of arguments.

    >>> import math
    >>> import autograd as ag
    >>> @ag.elementwise
    ... def huber(error, *, delta=1.0):
    ...     if abs(error) <= delta:
    ...         return 0.5 * error**2
    ...     return delta * (abs(error) - 0.5 * delta)
    >>> x = ag.tensor([-3.0, 0.5, 2.0], requires_grad=True)
    >>> huber(x)
    tensor([2.5  , 0.125, 1.5  ], made_by='huber')
    >>> ag.grad(huber(x, delta=2.0).sum(), x)
    (tensor([-2. ,  0.5,  2. ]),)
    >>> ag.elementwise(lambda x: math.log(x) if x > 0 else 0.0)([-1.0, 1.0])
    array([0., 0.])
    """
    return Elementwise(f)
