"""A primitive is one record in one place: its forward, its derivative, where it is defined, what it is for.

A rule is written as mathematics over named values, and the names say what it reads: `y` is the output, the others are
the primitive's own inputs. What no rule names is not saved. The same text serves raw arrays (first-order backward),
Tensors (higher orders) and symbols (code generation), because a primitive called on any of them answers in kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from autograd.domain import REALS, Case, Domain
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError, WengertError

if TYPE_CHECKING:
    from autograd.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])
Rule = Callable[..., Any]
Pull = Callable[[Any, Sequence[Any], Any], Any]  # (cotangent, saved values, entry) -> cotangent of one input

ALONE = 10_000  # numbers up to which BLAS adds products up on one thread: others are slow to wake, and in the way
capturing: list[Any] = []  # what operations on Tensors are noted by instead of being computed, innermost last
primitives: dict[str, Primitive] = {}
functions: dict[str, Callable[..., Any]] = {}
from_numpy: dict[Callable[..., Any], Callable[..., Any]] = {}


class Traced:
    """What a primitive does not run on directly but hands itself to: a Tensor, or a symbol of a compiler."""

    __slots__ = ()

    def run(self, op: Primitive, inputs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        """Apply `op`; each reader of the tape has its own way."""
        raise NotImplementedError


def capture() -> Any:
    """What captures the operations of this thread, or None."""
    me = get_ident()
    for noting in capturing[::-1]:  # a copy: other threads come and go
        if noting.thread == me:
            return noting
    return None


def training() -> Any:
    """What notes the backward sweeps and gradients of this thread instead of doing them, or None."""
    return None if (noting := capture()) is None else noting.training


def examiner() -> Any:
    """What examines the backward sweeps of this thread, called with (seeds, entries, the sweep, retain), or None."""
    return getattr(capture(), "examined", None)


def examine(derivatives: Any) -> None:
    """Let who examines the sweeps of this thread look at derivatives that no sweep has found."""
    look = getattr(capture(), "examine", None)
    if look is not None:
        look(derivatives)


class Eager(Traced):
    """A `Traced` that holds its value: operators between two such are computed at once."""

    __slots__ = ()
    value: Any
    node: Any

    @staticmethod
    def pair(op: Primitive, a: Any, b: Any) -> Any:
        """Apply `op` to two operands, of which one holds its value."""
        raise NotImplementedError


class Primitive:
    """The record of one operation; called on arrays it computes, called on Tensors it computes and records.

    Attributes:
        name: the key in the registry `primitives`.
        inputs: the names of the array inputs, in order; `variadic` if there may be any number of them.
        forward: arrays and settings to the output array.
        partials: for an elementwise primitive, the partial derivative for each input (None for others).
        pulls: for each input, the adjoint, or None where there is no derivative.
        cases: test inputs; `domain` where an elementwise primitive is smooth.
        code: the machine expression of an elementwise primitive, in the names of its inputs.
        composition: the same in other primitives, for the compiler to fuse.
        together: (cotangent, saved values, entry) to the cotangents of all inputs, where they share their work.
        deposit: (what gives a buffer and says whether it is all zero, cotangent, saved values, entry) adds the
            cotangent of the first input into the buffer where that is cheaper than making it, and returns it, or None.
        into: (array, *inputs, **settings) writes the result into an array, where that is cheaper than making one.
        analytic: whether a complex input has a complex derivative, so that the slope is all there is to know of it;
            the real part, the conjugate, the modulus and the larger of two have none.
    """

    def __init__(
        self,
        name: str,
        inputs: str,
        forward: Callable[..., Any],
        *,
        pulls: Sequence[Pull | None],
        reads: Sequence[frozenset[int]],
        partials: tuple[Rule | int, ...] | None = None,
        domain: tuple[Domain, ...] = (),
        cases: tuple[Case, ...] = (),
        code: str | None = None,
        composition: Callable[..., Any] | None = None,
        doc: str = "",
    ) -> None:
        self.name = self.__name__ = name
        self.inputs = tuple(inputs.split())
        self.variadic = inputs.startswith("*")
        self.forward = forward
        self.pulls = pulls
        self.reads = reads
        self.partials = partials
        self.domain = domain
        self.cases = cases
        self.code = code
        self.composition = composition
        self.together: Callable[..., Any] | None = None
        self.deposit: Callable[..., Any] | None = None
        self.into: Callable[..., None] | None = None
        self.analytic = True
        self.differentiable = any(pull is not None for pull in pulls)
        self.first = pulls.first if isinstance(pulls, _Repeated) else None
        self.keeps: dict[int, tuple[int, ...]] = {}
        pair = len(reads) == 2
        self.of_first, self.of_second, self.of_both = (self.kept(wanted) if pair else () for wanted in (1, 2, 3))
        self.__doc__ = doc

    def __deepcopy__(self, _memo: dict[int, Any]) -> Primitive:
        return self

    def __reduce__(self) -> Any:
        if primitives.get(self.name) is not self:
            raise TypeError(f"the operation {self.name!r} is not registered, so that it cannot be pickled by its name")
        return registered, (self.name,)

    def __call__(self, *inputs: Any, **settings: Any) -> Tensor:
        """Run on what the inputs are: arrays give an array, a Tensor a Tensor."""
        for x in inputs:
            if isinstance(x, Traced):
                return x.run(self, inputs, settings)  # type: ignore[no-any-return]
        return self.forward(*inputs, **settings)  # type: ignore[no-any-return]  # arrays in, an array out

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def kept(self, wanted: int) -> tuple[int, ...]:
        """Positions in (output, *inputs) that the rules of the inputs in the bit set `wanted` read."""
        found = self.keeps.get(wanted)
        if found is None:
            read = [self.reads[i] for i in range(len(self.reads)) if wanted >> i & 1]
            found = self.keeps[wanted] = tuple(sorted(frozenset[int]().union(*read)))
        return found


def _absorbing_product(a: Any, b: Any) -> Any:
    product = a * b
    # each total is NaN if and only if the product holds one: a pass at memory speed
    if product.size > ALONE:
        total = np.maximum.reduce(product.ravel("K"))
    elif product.ndim == 1:
        total = product.dot(product)
    else:
        total = np.vdot(product, product)
    if total == total:
        return product
    nought = a == 0
    return np.where(nought | ~b if np.asarray(b).dtype.kind == "b" else nought, 0, product)


def _undefined(a: Any, g: Any) -> Any:
    """Where a cotangent a of zero stands beside a g that is not finite; for any kind of array."""
    return primitives["logical_and"](primitives["equal"](a, 0), primitives["logical_not"](primitives["isfinite"](g)))


def _defined_part(a: Any, g: Any) -> Any:
    flat = g.ravel("K")
    total = flat.dot(flat) if flat.size <= ALONE else np.maximum.reduce(flat) - np.minimum.reduce(flat)
    whole = total - total == 0 and np.broadcast_shapes(np.shape(a), g.shape) == g.shape
    return g if whole else np.where(_undefined(a, g), 0, g)


def elementwise(
    name: str,
    inputs: str,
    forward: Callable[..., Any],
    *,
    partials: tuple[Rule | int, ...],
    domain: Domain | tuple[Domain, ...] = REALS,
    code: str | None = None,
    doc: str,
) -> Primitive:
    """Register y = f(a, b, ...), element by element with broadcasting.

    Each partial derivative is a function of the values that it names (`lambda y: ...`, `lambda a, b: ...`), or the
    constant 1, -1 or 0. `code` is the expression of generated kernels, by default a call of the kernel function `name`.
    """
    names = inputs.split()
    known = {"y": 0} | {n: k + 1 for k, n in enumerate(names)}
    taken = [() if isinstance(p, int) else tuple(known[n] for n in signature(p).parameters) for p in partials]
    domains = domain if isinstance(domain, tuple) else (domain,) * len(names)
    op = Primitive(
        name,
        inputs,
        forward,
        pulls=tuple(_elementwise_pull(p, t) for p, t in zip(partials, taken, strict=True)),
        reads=[frozenset(t) for t in taken],
        partials=partials,
        domain=domains,
        code=code or f"{name}({', '.join(names)})",
        doc=f"{doc}\n\n    Elementwise, with NumPy's broadcasting and dtype promotion.",
    )
    primitives[name] = op
    functions[name] = op
    if isinstance(forward, np.ufunc):
        from_numpy[forward] = op
    return op


def _elementwise_pull(partial: Rule | int, taken: tuple[int, ...]) -> Pull:
    if isinstance(partial, int):
        constant: dict[int, Pull] = {1: lambda g, _s, _n: g, -1: lambda g, _s, _n: -g, 0: _nothing}
        return constant[partial]
    if len(taken) == 1:
        (k,) = taken

        def pull(g: Any, saved: Sequence[Any], _node: Any) -> Any:
            slope = partial(saved[k])
            return chain(g, slope) if isinstance(g, Traced) else _absorbing_product(g, slope)

        return pull

    def pull_of_several(g: Any, saved: Sequence[Any], _node: Any) -> Any:
        slope = partial(*[saved[k] for k in taken])
        return chain(g, slope) if isinstance(g, Traced) else _absorbing_product(g, slope)

    return pull_of_several


def _nothing(g: Any, _saved: Sequence[Any], _node: Any) -> Any:
    return chain(0.0, g) if isinstance(g, Traced) else np.zeros(g.shape, g.dtype)


def registered(name: str) -> Primitive:
    """The operation of this name."""
    return primitives[name]


def primitive(
    name: str,
    inputs: str,
    forward: Callable[..., Any],
    *,
    vjp: tuple[Rule | None, ...] = (),
    cases: tuple[Case, ...] = (),
    code: str | None = None,
    composition: Callable[..., Any] | None = None,
    doc: str = "",
) -> Primitive:
    """Register an operation that is not elementwise in the plain sense.

    A rule takes the cotangent `g`, then the values that it names, then by keyword the settings that it names; the
    keyword `input_shape` gives the shape of the input that it is the rule of. `inputs` starting with a star means any
    number of them; then there is one rule; it takes all inputs as `xs`, or all but the first as `rest`, if it reads
    them, and the keyword `position`.
    """
    variadic = inputs.startswith("*")
    names = [] if variadic else inputs.split()
    known = {"y": 0} | {n: k + 1 for k, n in enumerate(names)}
    if variadic:
        (rule,) = vjp
        assert rule is not None
        pulls: Sequence[Pull | None] = _Repeated(rule)
        reads: Sequence[frozenset[int]] = ()
    else:
        bound = [_bind(rule, known, k) for k, rule in enumerate(vjp)] or [(None, frozenset[int]())] * len(names)
        pulls, reads = tuple(b[0] for b in bound), [b[1] for b in bound]
    op = primitives[name] = Primitive(
        name, inputs, forward, pulls=pulls, reads=reads, cases=cases, code=code, composition=composition, doc=doc
    )
    return op


def _keywords(rule: Rule) -> list[str]:
    return [n for n, p in signature(rule).parameters.items() if p.kind is Parameter.KEYWORD_ONLY]


def _bind(rule: Rule | None, known: dict[str, int], position: int) -> tuple[Pull | None, frozenset[int]]:
    if rule is None:
        return None, frozenset()
    keywords = [k for k in _keywords(rule) if k != "input_shape"]
    shaped = "input_shape" in _keywords(rule)
    taken = [
        known[n] for n in list(signature(rule).parameters)[1 : len(signature(rule).parameters) - len(_keywords(rule))]
    ]

    if not keywords and not shaped and len(taken) == 1:  # each sweep comes here often
        (only,) = taken
        return lambda g, saved, _node: rule(g, saved[only]), frozenset(taken)

    def pull(g: Any, saved: Sequence[Any], node: Any) -> Any:
        settings = {k: node.settings[k] for k in keywords}
        if shaped:
            settings["input_shape"] = node.parents[position].shape
        return rule(g, *[saved[k] for k in taken], **settings)

    return pull, frozenset(taken)


class _Repeated(Sequence[Pull]):
    """One rule for any number of inputs; those from `first` on are saved."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        named = signature(rule).parameters
        self.first = 0 if "xs" in named else 1 if "rest" in named else None

    def __len__(self) -> int:
        return 1

    def __getitem__(self, position: Any) -> Any:
        def pull(g: Any, saved: Sequence[Any], node: Any) -> Any:
            read = () if self.first is None else (saved[self.first + 1 :],)
            return self.rule(g, *read, position=position, **node.settings)

        return pull


def nondifferentiable(
    name: str, inputs: str, forward: Callable[..., Any], *, code: str | None = None, doc: str = ""
) -> Primitive:
    """Register an operation whose output never carries a gradient: comparisons, rounding to integers, orders."""
    op = primitive(name, inputs, forward, vjp=(None,) * len(inputs.split()), code=code, doc=doc)
    functions[name] = op
    if isinstance(forward, np.ufunc):
        from_numpy[forward] = op
    return op


def public(*numpy_functions: Callable[..., Any]) -> Callable[[F], F]:
    """Enter a function in the table of names that Tensor methods and NumPy's own functions are answered from."""

    def enter(f: F) -> F:
        functions[f.__name__] = f
        for numpy_function in numpy_functions:
            from_numpy[numpy_function] = f
        return f

    return enter


def explain(op: Primitive, values: Sequence[Any], settings: dict[str, Any], error: Exception) -> Exception:
    """The named error for what NumPy refused, in terms of the operation that the user called."""
    if isinstance(error, WengertError):
        return error
    if not op.variadic and len(values) != len(op.inputs):
        wanted = f"{len(op.inputs)}: {', '.join(op.inputs)}"
        return ArgumentError(f"{op.name} was given {len(values)} positional arguments. Expected {wanted}.")
    shapes = ", ".join(str(np.shape(v)) for v in values)
    given = f"{op.name} was given shapes {shapes}" + (f" with {settings}" if settings else "")
    if isinstance(error, IndexError):
        return IndexOutOfRange(f"{given}: {error}.")
    if isinstance(error, TypeError):
        if "unexpected keyword" in str(error):
            return TypeError(f"{op.name} was given {', '.join(settings)}. Write {op.name}({', '.join(op.inputs)}).")
        dtypes = ", ".join(str(np.asarray(v).dtype) for v in values)
        return DTypeError(f"{op.name} was given dtypes {dtypes}, which it does not take ({error}).")
    if op.domain and "broadcast" not in str(error):  # as of whole numbers to negative powers
        dtypes = ", ".join(str(np.asarray(v).dtype) for v in values)
        return ArgumentError(f"{op.name} was given what it does not take, of dtypes {dtypes}: {error}")
    if op.domain:
        return ShapeError(
            f"{given}: they do not broadcast.\nExpected each axis, counted from the last, to be equal or 1. "
            "Write reshape or expand_dims to line the axes up."
        )
    return ShapeError(f"{given}: {error}.")


chain = elementwise(
    "chain",
    "a b",
    _absorbing_product,
    partials=(lambda b: b, lambda a: a),
    code="select(a == 0, 0, a * b)",
    doc="a b, where a zero of the cotangent a stays zero even beside an infinite or undefined b: the chain rule.\n\n"
    "    A b of truths lets a pass or not, as infinite or undefined as it may be.",
)


defined = elementwise(
    "defined",
    "a g",
    _defined_part,
    partials=(0, lambda a, g: primitives["where"](_undefined(a, g), 0.0, 1.0)),
    domain=(REALS, REALS),
    code="select((a == 0) & (g - g != 0), 0, g)",
    doc="g, without what is infinite or undefined beside a zero of a: what comes back along a cotangent a.",
)
defined.pulls = (
    defined.pulls[0],
    lambda t, saved, _node: primitives["where"](_undefined(saved[1], saved[2]), 0, t),
)


def _pull_of_slope(g: Any, saved: Sequence[Any], _node: Any) -> Any:
    """The cotangent of the slope b: none where the cotangent a was zero, however undefined what comes back is.

    What is undefined is taken out before the product: after it, the derivative along a zero a would be lost.
    """
    a = saved[1]
    return chain(defined(a, g), a) if isinstance(g, Traced) else _absorbing_product(_defined_part(a, g), a)


chain.pulls = (chain.pulls[0], _pull_of_slope)
