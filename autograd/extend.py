"""Operations of the user's own with the names of HIPS autograd: `primitive`, then `defvjp` or `defjvp`.

For new programs `autograd.primitive` says the same in one place, and checks the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any, Literal

import numpy as np

from autograd.batching.level import Batching, batching, sample_by_sample
from autograd.batching.samples import by_sample, values_of
from autograd.errors import ArgumentError, DifferentiationError
from autograd.linear import pulled_back
from autograd.named import Named
from autograd.ops.elementwise import multiply
from autograd.ops.join import stack
from autograd.ops.reduce import sum
from autograd.ops.shape import reshape
from autograd.primitive import Primitive, Traced, capture, capturing
from autograd.tape import Node, enable_grad, leaf, no_grad, recording
from autograd.tensor import Tensor, as_tensor
from autograd.tracer import getval as _value_of
from autograd.vspace import VSpace, vspace

__all__ = [
    "Box",
    "JVPNode",
    "SparseObject",
    "VJPNode",
    "VSpace",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "notrace_primitive",
    "primitive",
    "register_notrace",
    "vspace",
]

Box = Tensor  # what stands for an array while a derivative is taken
VJPNode = JVPNode = Node  # an entry of the tape, which is read both ways

Rule = Callable[..., Any]
_ARGUMENTS = range(16)  # more than any function has


class SparseObject:
    """A cotangent that a rule gives without its zeros.

    Parameters:
        vs: the space that it is of. mut_add: adds it to an element of that, and gives the sum.

    >>> print(dense(SparseObject(vspace(np.ones(3)), lambda x: x + [0, 5, 0])))
    [0. 5. 0.]
    """

    def __init__(self, vs: VSpace, mut_add: Callable[[Any], Any]) -> None:
        self.vs, self.mut_add = vs, mut_add


def dense(x: Any) -> Any:
    """The same with its zeros, if x is sparse."""
    return x.mut_add(x.vs.zeros()) if isinstance(x, SparseObject) else x


class Extended(Named):
    """A function that is one entry of the tape, with rules that are added to it. Made by `primitive`."""

    def __init__(self, f: Callable[..., Any]) -> None:
        update_wrapper(self, f)
        self.f = f
        self.pulls: Callable[..., Any] | None = None  # (positions, result, args, settings) to a rule of cotangents
        self.pushes: dict[int, Rule | Literal["same"] | None] = {}
        self.silent = False  # whether it leaves no entry
        self.name = getattr(f, "__name__", "extended")
        self.op = Primitive(self.name, "*xs", f, pulls=_Pulls(self), reads=(), doc=f.__doc__ or "")
        self.op.differentiable, self.op.together = True, self.together

    def __call__(self, *args: Any, **settings: Any) -> Any:
        """Compute; leave an entry if an argument is on the tape."""
        live = [k for k, x in enumerate(args) if isinstance(x, Tensor) and x.node is not None]
        if capturing and (noting := capture()):
            if isinstance(noting, Batching):
                return self._batched(noting, args, settings)
            noting.refuse(f"it runs {self.name}, a primitive of autograd.extend")
        with no_grad():
            y = dense(self.f(*[_value_of(x) for x in args], **settings))
        if not live or not recording.get() or self.silent:
            return y
        if not isinstance(y, (np.ndarray, np.generic, float)):
            raise ArgumentError(f"{self.name} returned a {type(y).__name__}. Expected one array of each primitive.")
        kept = {k: args[k].value for k in live}
        return self._entry(np.asarray(y), args, kept, [args[k].node for k in live], settings)

    def _batched(self, level: Batching, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        """Under `ag.vmap`: outside on one sample after the other, and one entry on the tape of the level."""
        values = values_of(level, args)
        y = by_sample(level, lambda *xs: self(*xs, **settings), values, self.name)
        own = [k for k, v in enumerate(values) if level.owns(v)]
        nodes = [x.node if isinstance(x, Tensor) and level.inner(x) is x else None for x in (args[k] for k in own)]
        if not level.owns(y):
            return y
        if not any(nodes) or not recording.get() or self.silent:
            return Tensor(y)
        return self._entry(y, args, {k: values[k] for k in own}, nodes, settings)

    def _entry(
        self, y: Any, args: Sequence[Any], kept: dict[int, Any], nodes: Sequence[Node | None], settings: dict[str, Any]
    ) -> Tensor:
        """A result on the tape: `kept` are the arguments that it saves, `nodes` their places, None for constants."""
        given = [None if k in kept else x.copy() if isinstance(x, np.ndarray) else x for k, x in enumerate(args)]
        live = [k for k, node in zip(kept, nodes, strict=True) if node is not None]
        plan = {"plan": (given, list(kept), live, settings), "settings": {}}
        return Tensor(y, Node(self.op, tuple(nodes), (y, *kept.values()), plan, y.shape, y.dtype))

    def together(self, g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
        """The cotangents of the arguments on the tape, by the rules, in the kind of g; under `ag.vmap` one by one."""
        given, kept, live, settings = (node.settings or {})["plan"]

        def parts(g: Any, *saved: Any) -> list[Any]:
            args, record = list(given), isinstance(g, Traced)
            for k, x in zip(kept, saved[1:], strict=True):
                args[k] = x
            with enable_grad() if record else no_grad():
                pulled = self._pulled(g, saved[0], args, live, settings)
                found = dict(zip(live, map(dense, pulled), strict=True))
            kind: Callable[[Any], Any] = as_tensor if record else (lambda t: np.asarray(_value_of(t)))
            return [None if found.get(k) is None else kind(found[k]) for k in kept]

        alone = sample_by_sample(parts, g, *saved) if capturing and not isinstance(g, Tensor) else None
        return parts(g, *saved) if alone is None else alone

    def _pulled(self, g: Any, y: Any, args: list[Any], live: list[int], settings: dict[str, Any]) -> list[Any]:
        if self.pulls is not None:
            return list(self.pulls(tuple(live), y, tuple(args), settings)(g))
        if not self.pushes:
            raise DifferentiationError(f"{self.name} has no rule. Write defvjp({self.name}, ...) after it.")
        return [self._transposed(g, k, y, args, settings) for k in live]

    def _transposed(self, g: Any, k: int, y: Any, args: list[Any], settings: dict[str, Any]) -> Any:
        """The rule for tangents of argument k, which is linear, read backwards."""
        rule = self.pushes.get(k)
        if rule is None:
            return None
        shape, dtype = np.shape(_value_of(args[k])), _value_of(args[k]).dtype
        if rule == "same":
            return self._summed(g, k, args, settings)
        probe = Tensor(np.zeros(shape, dtype), leaf(shape, dtype))
        with enable_grad():
            moved = rule(probe, y, *args, **settings)
            record = isinstance(g, Traced)
            return pulled_back([as_tensor(moved)], [probe], [as_tensor(g)], record=record, transposed=True)[0]

    def _summed(self, g: Any, k: int, args: list[Any], settings: dict[str, Any]) -> Any:
        """The same where the result is linear in argument k: its value at each unit, times g."""
        value = _value_of(args[k])
        shape, dtype = np.shape(value), getattr(value, "dtype", np.dtype(float))
        parts = []
        for unit in np.eye(int(np.prod(shape, dtype=int)), dtype=dtype):
            moved = self(*[unit.reshape(shape) if j == k else x for j, x in enumerate(args)], **settings)
            parts.append(sum(multiply(g, moved)))
        return reshape(stack(parts), shape) if parts else np.zeros(shape, dtype)


class _Pulls(Sequence[Any]):
    """For each argument on the tape, the cotangent of that one."""

    def __init__(self, owner: Extended) -> None:
        self.owner = owner

    def __len__(self) -> int:
        return 1

    def __getitem__(self, position: Any) -> Any:
        return lambda g, saved, node: self.owner.together(g, saved, node)[position]


def primitive(f: Callable[..., Any]) -> Extended:
    """A function of arrays as one entry of the tape, which `defvjp` gives its derivative.

    >>> from autograd import grad
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defvjp(cube, lambda y, x: lambda g: g * 3 * x**2)
    >>> print(grad(grad(cube))(2.0))
    12.0
    """
    return Extended(f)


def _own(f: Any) -> Extended:
    if not isinstance(f, Extended):
        raise ArgumentError(f"a rule was given for {f!r}. Expected a function made with autograd.extend.primitive.")
    return f


def defvjp(f: Any, *makers: Rule | None, argnums: Sequence[int] | None = None) -> None:
    """Give a primitive its rules: for each argument, `(result, *args)` to the function of cotangents, or None.

    Parameters:
        f: what `primitive` made.
        makers: one for each argument, in order; None where the derivative is zero.
        argnums: the positions that the makers stand for, if not 0, 1, 2 and so on.
    """
    rules = dict(zip(range(len(makers)) if argnums is None else argnums, makers, strict=True))
    own = _own(f)

    def one(argnum: int, y: Any, args: tuple[Any, ...], settings: dict[str, Any]) -> Rule:
        if argnum not in rules:
            raise DifferentiationError(
                f"{own.name} has no rule for argument {argnum}. Expected one of {sorted(rules)}: give one to defvjp."
            )
        maker = rules[argnum]
        return (lambda g: None) if maker is None else maker(y, *args, **settings)

    defvjp_argnum(own, one)


def defvjp_argnum(f: Any, maker: Rule) -> None:
    """Give a primitive one rule for all arguments: `(position, result, args, kwargs)` to the function of cotangents."""

    def several(argnums: Sequence[int], y: Any, args: Any, settings: Any) -> Rule:
        rules = [maker(k, y, args, settings) for k in argnums]
        return lambda g: [rule(g) for rule in rules]

    defvjp_argnums(f, several)


def defvjp_argnums(f: Any, maker: Rule) -> None:
    """The same, of all positions at once: `(positions, result, args, kwargs)` to the function that gives a list."""
    _own(f).pulls = maker


def defjvp(f: Any, *rules: Rule | Literal["same"] | None, argnums: Sequence[int] | None = None) -> None:
    """Give a primitive its rules for tangents: for each argument `(t, result, *args)` to the tangent of the result.

    "same" is for an argument that the result is linear in. Reverse mode reads them backwards where `defvjp` gave none;
    where it gave some, forward mode reads those forwards.
    """
    _own(f).pushes.update(zip(range(len(rules)) if argnums is None else argnums, rules, strict=True))


def defjvp_argnum(f: Any, rule: Rule) -> None:
    """One rule for tangents of all arguments: `(position, t, result, args, kwargs)`."""

    def of(position: int) -> Rule:
        return lambda t, y, *args, **settings: rule(position, t, y, args, settings)

    _own(f).pushes.update({k: of(k) for k in _ARGUMENTS})


def defjvp_argnums(f: Any, rule: Rule) -> None:
    """The same of several arguments at once: `(positions, tangents, result, args, kwargs)`."""
    defjvp_argnum(f, lambda position, t, y, args, settings: rule((position,), (t,), y, args, settings))


def def_linear(f: Any) -> None:
    """Say that a primitive is linear in each of its arguments."""
    _own(f).pushes.update(dict.fromkeys(_ARGUMENTS, "same"))


def notrace_primitive(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is given arrays, whatever is on the tape, and has no derivative."""

    def silent(*args: Any, **settings: Any) -> Any:
        if (level := batching()) is not None:
            y = by_sample(level, lambda *xs: silent(*xs, **settings), values_of(level, args), f.__name__)
            return Tensor(y) if level.owns(y) else y
        return f(*[_value_of(x) for x in args], **settings)

    return update_wrapper(silent, f)


def register_notrace(kind: type, f: Any) -> None:
    """Let a primitive leave no entry on the tape, as one that has no derivative.

    Parameters:
        kind: VJPNode or JVPNode; the tape is one, so that either stands for both.
        f: what `primitive` made.
    """
    if not (isinstance(kind, type) and issubclass(kind, Node)):
        raise ArgumentError(f"register_notrace was given {kind!r}. Expected VJPNode or JVPNode, then a primitive.")
    _own(f).silent = True
