"""Operations of the user's own: a forward, and a derivative that is given, better conditioned, or numeric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import update_wrapper
from inspect import Parameter, signature
from typing import Any, Generic, Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from autograd.batching.level import sample_by_sample
from autograd.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError
from autograd.gradcheck import gradcheck
from autograd.gradcheck.given import listed
from autograd.gradcheck.numeric import Judge, derivative, scale_around, scale_of, slope, steps_for
from autograd.linear import pulled_back
from autograd.named import Named
from autograd.ops.linalg import tensordot
from autograd.primitive import Primitive, Traced, capturing
from autograd.tape import Node, enable_grad, leaf, no_grad
from autograd.tensor import Tensor, as_tensor

P = ParamSpec("P")
R = TypeVar("R")
Rule = Callable[..., Any]
EPS = float(np.finfo(np.float64).eps)
STEP = EPS ** (1 / 3)  # of central differences, where truncation and rounding are equal
NEAR = 1e-6  # as close as the differences of two steps are to each other where one is enough


class Custom(Named, Generic[P, R]):
    """A function that is one entry of the tape. Made by `primitive` and `custom_rule`."""

    def __init__(self, f: Callable[P, R], derive: Callable[[list[str]], _Derivative], name: str, checked: bool) -> None:
        update_wrapper(self, f)
        run = f if checked else _on_copies(f)
        parameters = signature(f).parameters.values()
        if any(p.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD) for p in parameters):
            raise ArgumentError(f"{name} has * or ** arguments. Expected one name for each array and setting.")
        inputs = [p.name for p in parameters if p.kind is not Parameter.KEYWORD_ONLY]
        self.settings = {p.name: p.default for p in parameters if p.kind is Parameter.KEYWORD_ONLY}
        rule, reads = derive(inputs)

        def together(g: Any, saved: Sequence[Any], node: Node) -> Sequence[Any]:
            """Under `ag.vmap` sample by sample, since a rule may compute with NumPy alone."""
            several = capturing and not isinstance(g, Tensor)
            found = sample_by_sample(lambda g, *saved: rule(g, saved, node), g, *saved) if several else None
            return rule(g, saved, node) if found is None else found

        def pull_of(position: int) -> Callable[..., Any]:
            return lambda g, saved, node: together(g, saved, node)[position]

        def forward(*xs: Any, **settings: Any) -> Any:
            with no_grad():
                return _array(run(*xs, **settings), name)

        self.op = Primitive(
            name,
            " ".join(inputs),
            forward,
            pulls=[pull_of(k) for k in range(len(inputs))],
            reads=[reads] * len(inputs),
            doc=f.__doc__ or "",
        )
        self.op.together = together

    def __call__(self, *args: P.args, **settings: P.kwargs) -> R:
        """Compute, and record one entry if an argument is on the tape."""
        chosen: dict[str, Any] = {k: v for k, v in self.settings.items() if v is not Parameter.empty} | settings
        missing = [n for n in self.op.inputs[len(args) :] if n not in chosen]
        if missing or len(args) > len(self.op.inputs):
            raise ArgumentError(f"{self.op.name} was called with {len(args)} arrays. Expected {list(self.op.inputs)}.")
        inputs = [_input(x) for x in (*args, *(chosen.pop(n) for n in self.op.inputs[len(args) :]))]
        return self.op(*inputs, **chosen)  # type: ignore[return-value]  # what f returns, as the caller's kind of array


def _on_copies(f: Callable[..., Any]) -> Callable[..., Any]:
    """f, of which it is not known that it writes into none of its arguments, on arrays of its own."""
    return lambda *xs, **settings: f(*(x.copy("K") if isinstance(x, np.ndarray) else x for x in xs), **settings)


_Derivative = tuple[Callable[..., Sequence[Any]], frozenset[int]]


def _input(x: Any) -> Any:
    return x if isinstance(x, (Traced, np.ndarray, np.generic)) else np.asarray(x)


def _array(y: Any, name: str) -> Any:
    y = y.value if isinstance(y, Tensor) else y
    if not isinstance(y, (np.ndarray, np.generic, float, int)):
        raise ArgumentError(
            f"{name} returned a {type(y).__name__}. Expected one array: write a primitive for each of several results."
        )
    return y if isinstance(y, (np.ndarray, np.generic)) else np.asarray(y)


def primitive(
    f: Callable[P, R] | None = None,
    *,
    vjp: Rule | Literal["numeric"] | None = None,
    jvp: Rule | None = None,
    example: Any = (),
    check: bool = True,
) -> Any:
    """Make a function of arrays an operation of the tape, with a derivative of your own.

    The positional arguments of f are arrays, its keyword-only ones settings. f is given ndarrays and returns one, by
    whatever means. A rule is written in functions of `autograd` if derivatives of higher order are wanted; after its
    first argument it names what it reads: arguments of f, `y` for f's result, settings by keyword.

    Parameters:
        f: the forward pass.
        vjp: `(g, ...)`, the cotangent of the result, to that of the argument, of complex numbers without a conjugate
            (`g * 3 * x**2` below is right for them too); for several arguments it returns a tuple, with None
            for an argument without a derivative. "numeric" for central differences, of first order: the entry is
            called numeric in `ag.tape_of`.
        jvp: in place of `vjp`, `(t, ...)`, the tangent of the argument (a tuple for several), to that of the result.
        example: a tuple of arguments on which the rule is compared with finite differences, here and now.
        check: False declines that. f is then given copies of its arguments, as with "numeric", since it is not known
            whether it writes into them.

    Raises:
        ArgumentError: if there is not one rule, or nothing to check it on, or it names what there is not.
        DifferentiationError: if the rule and finite differences differ.

    >>> import autograd as ag
    >>> @ag.primitive(vjp=lambda g, x: g * 3 * x**2, example=([0.5, 2.0],))
    ... def cube(x):
    ...     return x**3
    >>> ag.grad(ag.grad(cube))(2.0)
    tensor(12.)
    """
    if (vjp is None) == (jvp is None):
        raise ArgumentError(
            "primitive was given " + ("no rule" if vjp is None else "two rules") + ". Expected vjp or jvp."
        )
    rule = vjp if jvp is None else jvp
    if not callable(rule) and not isinstance(rule, str):
        raise ArgumentError(
            f"primitive was given a {type(rule).__name__} as its rule. Expected one function, which returns a tuple "
            "for several arguments: vjp=lambda g, a, b: (g * b, g * a)."
        )

    rule = jvp if vjp is None else vjp
    if not callable(rule) and rule != "numeric":
        raise ArgumentError(f'primitive was given the rule {rule!r}. Expected a function, or vjp="numeric".')

    def make(f: Callable[P, R]) -> Custom[P, R]:
        if not callable(f):
            raise ArgumentError(f"primitive was given a {type(f).__name__}. Expected a function of arrays.")
        name = getattr(f, "__name__", type(f).__name__)
        if vjp == "numeric":
            return Custom(f, lambda inputs: _numeric(_on_copies(f), len(inputs), name), f"numeric:{name}", False)
        made = Custom(
            f, lambda inputs: _given(vjp, inputs, name) if callable(vjp) else _turned(jvp, inputs, name), name, check
        )
        return _checked(made, example, check)

    return make if f is None else make(f)


def custom_rule(f: Callable[P, R] | None = None, **rule: Any) -> Any:
    """Give a composition of autograd functions a derivative of your own, where the derived one is badly conditioned.

    The arguments are those of `ag.primitive`; f is run as it is written, and only its derivative is the rule's.

    >>> import autograd as ag
    >>> @ag.custom_rule(vjp=lambda g, x: g * ag.sign(x), example=([-1.0, 2.0],))
    ... def size(x):
    ...     return ag.sqrt(x * x)
    >>> ag.grad(size)(0.0)  # where the derived rule gives 0 / 0
    tensor(0.)
    """
    return primitive(f, **rule)


def _checked(made: Custom[P, R], example: Any, check: bool) -> Custom[P, R]:
    if not check:
        return made
    given = listed(example)
    if not given:
        raise ArgumentError(
            f"{made.op.name} was given no example to check its rule on. Write example=(x, ...) or check=False."
        )
    arrays = [np.asarray(x.value if isinstance(x, Tensor) else x) for x in given]
    result = gradcheck(made, [np.asarray(x, np.float64) if x.dtype.kind == "f" else x for x in arrays])
    if not result:
        raise DifferentiationError(f"the rule of {made.op.name} is not its derivative on the example.\n{result}")
    return made


# ---- rules


def _reader(rule: Rule, inputs: list[str], name: str) -> tuple[list[int], list[str]]:
    """Positions in (y, *inputs) that a rule names after its first argument, and the settings that it names."""
    known = {"y": 0} | {n: k for k, n in enumerate(inputs, 1)}
    _, *rest = signature(rule).parameters.values()
    wrong = [p.name for p in rest if p.kind is not Parameter.KEYWORD_ONLY and p.name not in known]
    if wrong:
        raise ArgumentError(f"the rule of {name} names {wrong}. Expected, after the first, some of {list(known)}.")
    positions = [known[p.name] for p in rest if p.kind is not Parameter.KEYWORD_ONLY]
    return positions, [p.name for p in rest if p.kind is Parameter.KEYWORD_ONLY]


def _given(rule: Rule, inputs: list[str], name: str) -> _Derivative:
    positions, keywords = _reader(rule, inputs, name)

    def together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
        parts = rule(g, *[saved[k] for k in positions], **{k: (node.settings or {})[k] for k in keywords})
        several = list(parts) if isinstance(parts, (tuple, list)) else [parts]
        if len(several) != len(inputs):
            raise ArgumentError(f"the rule of {name} returned {len(several)} cotangents for {len(inputs)} arguments.")
        return [_fitting(part, g, p, name) for part, p in zip(several, node.parents or (), strict=True)]

    return together, frozenset(positions)


def _fitting(part: Any, g: Any, parent: Node | None, name: str) -> Any:
    """A cotangent in the kind of the sweep, of a shape that sums to the argument's."""
    if part is None or parent is None:
        return None
    part = as_tensor(part) if isinstance(g, Traced) else np.asarray(part.value if isinstance(part, Tensor) else part)
    try:
        fits = np.broadcast_shapes(part.shape, parent.shape) == part.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"the rule of {name} returned shape {part.shape} for an argument of shape {parent.shape}.")
    return part


def _turned(rule: Any, inputs: list[str], name: str) -> _Derivative:
    """The transpose of a rule for tangents: it is linear, so its own tape at zero is its matrix."""
    positions, keywords = _reader(rule, inputs, name)

    def together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
        probes = [
            Tensor(np.zeros(s.shape, p.dtype if p is not None else s.dtype))
            if p is None
            else Tensor(np.zeros(p.shape, p.dtype), leaf(p.shape, p.dtype))
            for p, s in zip(node.parents or (), saved[1:], strict=True)
        ]
        with enable_grad():
            settings = {k: (node.settings or {})[k] for k in keywords}
            moved = rule(probes[0] if len(probes) == 1 else tuple(probes), *[saved[k] for k in positions], **settings)
        found = pulled_back([moved], probes, [as_tensor(g)], record=isinstance(g, Traced), transposed=True)
        parts = [t if isinstance(g, Traced) else t.value for t in found]
        return [None if p is None else t for p, t in zip(node.parents or (), parts, strict=True)]

    return together, frozenset((*range(1, len(inputs) + 1), *positions))


def _numeric(f: Callable[..., Any], count: int, name: str) -> _Derivative:
    """The Jacobian by central differences as an array, and what refuses to differentiate that once more."""

    def refuse(*_: Any) -> Any:
        raise DifferentiationError(
            f"the second derivative of {name} was asked for, whose first is numeric. Write its vjp to have it."
        )

    def slope_by(position: int) -> Callable[..., Any]:
        return lambda *xs, **settings: _differences(f, xs, settings, position)

    inputs = " ".join(f"x{k}" for k in range(count))
    slopes = [
        Primitive(
            f"numeric:slope of {name}",
            inputs,
            slope_by(k),
            pulls=[refuse] * count,
            reads=[frozenset[int]()] * count,
        )
        for k in range(count)
    ]

    def together(g: Any, saved: Sequence[Any], node: Node) -> list[Any]:
        return [
            None if p is None else tensordot(g, slope(*saved[1:], **(node.settings or {})), axes=g.ndim)
            for p, slope in zip(node.parents or (), slopes, strict=True)
        ]

    return together, frozenset(range(1, count + 1))


def _differences(f: Callable[..., Any], xs: Sequence[Any], settings: dict[str, Any], position: int) -> NDArray[Any]:
    """d f / d x[position], of the shape of the result followed by that of the argument, in float64."""
    arrays = [np.asarray(x, np.float64) if np.asarray(x).dtype.kind == "f" else np.asarray(x) for x in xs]
    if any(a.dtype.kind == "c" for a in (*arrays, np.asarray(f(*arrays, **settings)))):
        raise DTypeError("a numeric derivative of complex numbers was asked for. Write a vjp, or pass real parts.")
    x = arrays[position]
    base = np.asarray(f(*arrays, **settings), np.float64)

    def along(place: tuple[int, ...]) -> Callable[[float], NDArray[Any]]:
        def at(by: float) -> NDArray[Any]:
            moved = x.copy()
            moved[place] += by
            y = f(*arrays[:position], moved, *arrays[position + 1 :], **settings)
            return np.asarray(y, np.float64).ravel()

        return at

    columns = [
        _slope(along(place), base.ravel(), abs(float(x[place])), scale_around(x)) for place in np.ndindex(x.shape)
    ]
    return np.stack(columns, -1).reshape((*base.shape, *x.shape)) if columns else np.zeros((*base.shape, *x.shape))


def _slope(at: Callable[[float], NDArray[Any]], base: NDArray[Any], own: float, around: float) -> NDArray[Any]:
    """The derivative by one element: of one step where half of it says the same, else what many steps agree on."""
    h = STEP * max(1.0, own)
    with np.errstate(all="ignore"):
        first, second = (slope(at(s), at(-s), 2 * s) for s in (h, h / 2))
        rounding = EPS * np.max(np.abs(base), initial=0.0) / h
        if (np.abs(first - second) <= NEAR * np.abs(second) + 8 * rounding).all():
            return np.asarray(second)
        scale = float(scale_of(own, around))
        steps = steps_for(scale, (own, own / 128), EPS, 16 * float(np.spacing(own)))
        return derivative(at, base, steps, np.full(base.shape, np.nan), Judge(0.0, NEAR, EPS), lambda: None).value
