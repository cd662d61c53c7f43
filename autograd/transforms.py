"""Derivatives as functions: gradients, vector-Jacobian and Jacobian-vector products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol

import numpy as np

from autograd.batching.apart import apart
from autograd.batching.level import variable
from autograd.broadcast import unbroadcast
from autograd.config import config
from autograd.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError
from autograd.primitive import Traced, capturing, chain, examine, training
from autograd.program.repeated import Repeated
from autograd.sweep import beside, complex_result, fitted, saved_tensors, seed_of, sweep
from autograd.tape import Node, enable_grad, entries, leaf, recording
from autograd.tensor import Tensor, as_tensor
from autograd.tree import flatten, flatten_present, leaves_beside, opens

VALUES: Any = (Traced, np.ndarray, np.generic, int, float, complex)


def grad(
    outputs: Callable[..., Any] | Tensor | Sequence[Tensor],
    inputs: Any = None,
    grad_outputs: Any = None,
    *,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> Any:
    """The gradient function of a function, or the gradients of Tensors.

    `ag.grad(f)` returns a function with the arguments of f that gives df/d(argument `argnums`), for an f with a single
    element as its result; arguments may be nested containers. `ag.grad(outputs, inputs)` returns a tuple with
    d(sum of grad_outputs * outputs) / d(input) for each input.

    Parameters:
        outputs: a function, or one Tensor or several.
        inputs: the Tensors to differentiate by; unused with a function.
        grad_outputs: cotangents of the outputs; may be left out for single elements.
        argnums: which positional arguments of the function to differentiate by.
        has_aux: the function returns (result, anything); so does the gradient function.
        retain_graph: keep the tape for another sweep; as `create_graph` for None.
        create_graph: record the sweep, for derivatives of the gradients.
        allow_unused: give zeros for an input that the outputs do not depend on, instead of an error.

    >>> import autograd as ag
    >>> ag.grad(lambda x: x**3)(2.0)
    tensor(12.)
    >>> x = ag.tensor(2.0, requires_grad=True)
    >>> ag.grad(x**3, x)
    (tensor(12.),)
    """
    if callable(outputs) and not isinstance(outputs, Tensor):
        both = value_and_grad(outputs, argnums, has_aux=has_aux, compile=False)

        @wraps(outputs)
        def gradient(*args: Any, **kwargs: Any) -> Any:
            value, gradients = both(*args, **kwargs)
            return (gradients, value[1]) if has_aux else gradients

        return gradient
    alone = isinstance(outputs, Traced)
    of: list[Any] = [outputs] if alone else list(outputs)
    by: list[Any] = [inputs] if isinstance(inputs, Traced) else list(inputs or ())
    if not by:
        raise ArgumentError(
            "grad(outputs, inputs) was given no inputs. Write grad(loss, [w, b]), or grad(f) for a function."
        )
    if grad_outputs is None:
        grad_outputs = [None] * len(of)
    given = [grad_outputs] if alone and not isinstance(grad_outputs, list) else list(grad_outputs)
    if capturing and (noting := training()):
        return tuple(_noted(noting, of, given, by, create_graph, allow_unused))
    seeds = [seed_of(y, g, "grad") for y, g in zip(of, given, strict=True)]
    retain = create_graph if retain_graph is None else retain_graph
    return tuple(_pull([y.node for y in of], seeds, by, create_graph, retain, allow_unused))


def _pull(
    roots: Sequence[Node | None],
    seeds: Sequence[Tensor],
    by: Sequence[Tensor],
    record: bool,
    retain: bool,
    allow_unused: bool,
    transposed: bool = False,
) -> list[Tensor]:
    """Gradients by Tensors, zeros for those that the roots do not depend on if that is allowed."""
    for k, x in enumerate(by):
        if x.node is None:
            raise DifferentiationError(
                f"grad by input {k}, which is a constant. Write x.requires_grad_() before using it."
            )
    wanted = {x.node for x in by if x.node is not None}
    started = [(r, s) for r, s in zip(roots, seeds, strict=True) if r is not None]
    start = [s if record else s.value for _, s in started]
    found = sweep([r for r, _ in started], start, wanted=wanted, record=record, retain=retain, transposed=transposed)
    return _each(by, [found.get(x.node) for x in by], allow_unused)


def _each(by: Sequence[Any], found: Sequence[Any], allow_unused: bool) -> list[Tensor]:
    gradients: list[Any] = []
    for k, (x, g) in enumerate(zip(by, found, strict=True)):
        if g is None:
            if not allow_unused:
                raise DifferentiationError(
                    f"grad by input {k} (shape {x.shape}), which the outputs were not made of.\n"
                    "Use it in the computation, or write allow_unused=True for zeros."
                )
            g = np.zeros(x.shape, x.dtype)
        gradients.append(g if isinstance(g, Traced) else Tensor(g))
    return gradients


def _noted(
    noting: Any, ys: Sequence[Any], seeds: Sequence[Any], by: Sequence[Any], record: bool, allow_unused: bool
) -> list[Tensor]:
    """Gradients within a function that is being compiled."""
    return _each(by, noting.pull(ys, seeds, by, record), allow_unused)


def _variable(x: Any, position: int) -> Tensor:
    """An argument as a variable of its own, so that what f closes over stays constant."""
    t = as_tensor(x)
    if t.dtype.kind not in "fc":
        raise DTypeError(
            f"argument {position} to differentiate by has dtype {t.dtype}. Expected floating numbers: write 2.0 for 2."
        )
    return noting.variable(t) if capturing and (noting := training()) else variable(t)


def _call(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], positions: Sequence[int]
) -> tuple[Any, list[list[Tensor]], list[Callable[[list[Any]], Any]]]:
    """f with the arguments at `positions` made variables: its result, they, and how to rebuild each argument."""
    if not isinstance(args, (list, tuple)):
        raise ArgumentError(
            f"primals were given as a {type(args).__name__}. Expected a list with one for each argument: write [x]."
        )
    count = len(args)
    for k in positions:
        if not -count <= k < count:
            raise ArgumentError(f"argnums asks for argument {k} of a call with {count} positional arguments.")
    places = [k % count for k in positions]
    if capturing and training() and any(map(opens, flatten([args[k] for k in places])[0])):
        training().capture.refuse("it differentiates by a module: write a dict of its parameters and functional_call")
    if len(set(places)) < len(places):
        raise ArgumentError(f"argnums names an argument twice: {tuple(positions)}. Expected different ones.")
    new, variables, builds = list(args), [], []
    with enable_grad():
        for k in places:
            leaves, build = flatten_present(args[k])
            made = [_variable(x, k) for x in leaves]
            new[k] = build(made)
            variables.append(made)
            builds.append(build)
        return f(*new, **kwargs), variables, builds


def _recorded_beyond(root: Node | None, variables: Sequence[Tensor]) -> bool:
    """Whether the tape reaches further than the variables: then a gradient must itself be recorded."""
    own = {v.node for v in variables}
    if root is None or not recording.get():
        return False
    return any(v.node is not None and v.node.op is not None for v in variables) or any(
        e.op is None and e not in own for e in entries([root])
    )


class GradientFunction(Protocol):
    """What `value_and_grad` returns: f with its gradient."""

    reasons: Callable[[], list[str]]

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """The value of f, or (value, aux), and the gradient."""


def value_and_grad(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    compile: bool | None = None,
) -> GradientFunction:
    """A function that returns f(...) and its gradient by the arguments `argnums`, from one run of f.

    By default both become one program, as `ag.compile` makes it, after some 300 calls with arguments of the same shapes
    and dtypes, where it can be shown that this is the same: f computes with its arguments, constants and Tensors, by
    functions of `ag`, NumPy and `math`, and of its own, that do nothing else. Any other f goes on running as it stands,
    and `reasons()` of the returned function says why. A program keeps its arrays, is silent where NumPy warns, and may
    differ in the last bits, since sums are taken in another order.

    Parameters:
        f: returns a single element, or with `has_aux` a pair of that and anything. argnums: positions of arguments.
        compile: False for never. True for at once, whatever f does besides: as with `ag.compile`, Python values that
            it reads are taken as they are then, and its `aux` is off the tape.

    Raises:
        UnsupportedError: when called, if `compile` is True and there is no program for the arguments.

    >>> import autograd as ag
    >>> ag.value_and_grad(lambda x: x**3)(2.0)
    (tensor(8.), tensor(12.))
    >>> seen = []
    >>> noting = ag.value_and_grad(lambda x: seen.append(x) or x**3)
    >>> total = sum(noting(0.1 * k)[0] for k in range(101))
    >>> noting.reasons()
    ['<lambda> reads `seen.append`, an attribute of a list, which may change unseen (line 1)']
    """
    plain = _value_and_grad(f, argnums, has_aux)
    if compile is False:
        return _with_reasons(plain, lambda: ["compile=False was asked for"])
    repeated = Repeated(f, plain, asked=compile is True)
    return _with_reasons(_value_and_grad(f, argnums, has_aux, repeated), repeated.reasons)


def _with_reasons(both: Any, reasons: Callable[[], list[str]]) -> GradientFunction:
    both.reasons = reasons
    return both  # type: ignore[no-any-return]


def _value_and_grad(
    f: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool, repeated: Repeated | None = None
) -> Callable[..., tuple[Any, Any]]:
    """`value_and_grad` as it stands, but for the calls that are left to `repeated`."""
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(f)
    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        if repeated is not None:
            if not repeated.rest:
                return repeated(args, kwargs)  # type: ignore[no-any-return]
            repeated.rest -= 1
        out, variables, builds = _call(f, args, kwargs, positions)
        result, aux = apart_from_aux(out) if has_aux else (out, None)
        if not isinstance(result, VALUES):
            raise ArgumentError(
                f"the gradient of a function that returned {_kind(result)}. Expected a single element: return the "
                "value alone, or (value, anything) and write has_aux=True."
            )
        flat = [v for group in variables for v in group]
        aux = settled(aux, flat)  # before the sweep, which frees the tape
        y = as_tensor(result)
        if y.size != 1:
            raise ShapeError(
                f"the gradient of a function that returned shape {y.shape}. Expected a single element: sum it."
            )
        if y.dtype.kind == "c":
            raise DifferentiationError(complex_result("the gradient", y.dtype))
        if capturing and (noting := training()):
            record = recording.get()
            gradients = iter(_noted(noting, [y], [None], flat, record, allow_unused=True))
        else:
            record = _recorded_beyond(y.node, flat)
            seed = Tensor(np.ones(y.shape, y.dtype))
            gradients = iter(_pull([y.node], [seed], flat, record, record, allow_unused=True))
        parts = [build([next(gradients) for _ in group]) for group, build in zip(variables, builds, strict=True)]
        value = y if record else y.detach()
        return (value, aux) if has_aux else value, parts[0] if isinstance(argnums, int) else tuple(parts)

    return both


def _kind(result: Any) -> str:
    return "None" if result is None else f"a {type(result).__name__}"


def apart_from_aux(out: Any) -> tuple[Any, Any]:
    """What a function returned of which has_aux=True was said: the value, and anything else."""
    if not (isinstance(out, (tuple, list)) and len(out) == 2):
        raise ArgumentError(f"has_aux=True of a function that returned {_kind(out)}. Expected (value, anything).")
    return out[0], out[1]


def settled(aux: Any, variables: Sequence[Tensor]) -> Any:
    """What a function returned beside its value, on the tape only as far as that is the user's own."""
    if aux is None or (capturing and training()):
        return aux
    leaves, build = flatten(aux)
    own = {k for k, x in enumerate(leaves) if isinstance(x, Tensor) and x.node is not None}
    own -= {k for k in own if _recorded_beyond(leaves[k].node, variables)}
    return build([x.detach() if k in own else x for k, x in enumerate(leaves)])


def vjp(f: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """f(*primals), and the function that takes a cotangent of the result to one of each primal.

    With `has_aux`, f returns (result, anything), and what is returned is (result, function, anything).

    >>> import autograd as ag
    >>> y, pull = ag.vjp(lambda a, b: a * b, ag.tensor([1.0, 2.0]), ag.tensor([3.0, 4.0]))
    >>> pull(ag.tensor([1.0, 10.0]))
    (tensor([ 3., 40.]), tensor([ 1., 20.]))
    """
    out, variables, builds = _call(f, primals, {}, range(len(primals)))
    out, aux = apart_from_aux(out) if has_aux else (out, None)
    flat = [v for group in variables for v in group]
    outs, build_out = flatten_present(out)
    ys = [as_tensor(y) for y in outs]
    noting = training() if capturing else None
    record = recording.get() if noting else any(_recorded_beyond(y.node, flat) for y in ys)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given = leaves_beside(cotangent, build_out(ys), "vjp was given as cotangent")
        seeds = [as_tensor(c) for c in given]
        for y, s in zip(ys, seeds, strict=True):
            if s.shape != y.shape:
                raise ShapeError(f"vjp was given a cotangent of shape {s.shape} for a result of shape {y.shape}.")
        seeds = [beside(s, y, "vjp of a real result was given a cotangent") for y, s in zip(ys, seeds, strict=True)]
        if noting:
            found = iter(_noted(noting, ys, seeds, flat, True, allow_unused=True))
        else:
            again = record or any(s.node is not None for s in seeds)
            found = iter(_pull([y.node for y in ys], seeds, flat, again, retain=True, allow_unused=True))
        return tuple(build([next(found) for _ in group]) for group, build in zip(variables, builds, strict=True))

    value = build_out([y if record else y.detach() for y in ys])
    return (value, pull, settled(aux, flat)) if has_aux else (value, pull)


@apart
def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], *, has_aux: bool = False) -> Any:
    """f(*primals) and its derivative along `tangents`: the tape read forwards, by the same rules.

    With `has_aux`, f returns (result, anything), and what is returned is (result, derivative, anything).

    >>> import autograd as ag
    >>> ag.jvp(lambda x: x * x, [ag.tensor(3.0)], [ag.tensor(1.0)])
    (tensor(9.), tensor(6.))
    """
    with config.using(kernels=False):  # a fused entry has no rule for each input: its composition has
        out, variables, _ = _call(f, primals, {}, range(len(primals)))
    out, aux = apart_from_aux(out) if has_aux else (out, None)
    flat = [v for group in variables for v in group]
    moves = [as_tensor(t) for t in leaves_beside(tangents, primals, "jvp was given as tangents")]
    for k, (x, t) in enumerate(zip(flat, moves, strict=True)):
        if x.shape != t.shape:
            raise ShapeError(f"jvp was given tangent {k} of shape {t.shape} for a primal of shape {x.shape}.")
        moves[k] = beside(t, x, "jvp by a real primal was given a tangent")
    outs, build = flatten_present(out)
    ys = [as_tensor(y) for y in outs]
    roots = [y.node for y in ys if y.node is not None]
    keep = any(t.node is not None for t in moves) or any(_recorded_beyond(r, flat) for r in roots)
    moved: dict[Node, Tensor] = {x.node: t for x, t in zip(flat, moves, strict=True) if x.node is not None}
    with enable_grad(), np.errstate(all="ignore"):
        for node in entries(roots):
            if node in moved or node.op is None:
                continue
            parts = [_push(node, i, moved[p]) for i, p in enumerate(node.parents or ()) if p is not None and p in moved]
            if parts:
                total = parts[0]
                for part in parts[1:]:
                    total = total + part
                moved[node] = total
    if capturing:
        examine([moved[y.node] for y in ys if y.node in moved])
    derivatives = []
    for y in ys:
        d = moved.get(y.node) if y.node is not None else None
        d = Tensor(np.zeros(y.shape, y.dtype)) if d is None else d
        derivatives.append(d if keep else Tensor(d.value))
    value = build([y if keep else Tensor(y.value) for y in ys])
    return (value, build(derivatives), settled(aux, flat)) if has_aux else (value, build(derivatives))


def _push(node: Node, position: int, tangent: Tensor) -> Tensor:
    """The part of an entry's tangent that comes from one input: its pull, which is linear, transposed."""
    pull = node.op.pulls[position]
    parent = (node.parents or ())[position]
    if pull is None or parent is None:
        return Tensor(np.zeros(node.shape, node.dtype))
    saved = saved_tensors(node)
    if node.op.partials is not None and (node.op.analytic or parent.dtype.kind != "c"):
        partial = pull(Tensor(np.ones(node.shape, node.dtype)), saved, node)
        return chain(fitted(tangent, node.dtype), partial)
    probe = Tensor(np.zeros(node.shape, node.dtype), leaf(node.shape, node.dtype))
    pulled = fitted(unbroadcast(pull(probe, saved, node), parent.shape), parent.dtype)
    moved = fitted(tangent, parent.dtype)
    return _pull([pulled.node], [moved], [probe], record=True, retain=True, allow_unused=True, transposed=True)[0]


def holomorphic_grad(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """The complex derivative f'(z) of an analytic f, as a function of the arguments of f.

    Of a result of several elements it is that of their sum. Unlike `ag.grad`, which gives dL/dx + i dL/dy of a real L,
    this is df/dz without a conjugate, and says nothing useful of an f that is not analytic.

    Raises:
        DTypeError: if an argument to differentiate by, or the result, is not complex.

    >>> import autograd as ag
    >>> ag.holomorphic_grad(lambda z: z**3)(1j)
    tensor(-3.+0.j)
    """
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        out, variables, builds = _call(f, args, kwargs, positions)
        flat = [v for group in variables for v in group]
        y = as_tensor(out)
        for said, dtype in (
            ("result of the function", y.dtype),
            *(("argument to differentiate by", v.dtype) for v in flat),
        ):
            if dtype.kind != "c":
                raise DTypeError(
                    f"holomorphic_grad was given dtype {dtype} for the {said}. Expected a complex one: write "
                    "ag.grad for a real function, z.astype('complex128') for a real argument."
                )
        record = _recorded_beyond(y.node, flat)
        seed = Tensor(np.ones(y.shape, y.dtype))
        found = iter(_pull([y.node], [seed], flat, record, record, allow_unused=True, transposed=True))
        parts = [build([next(found) for _ in group]) for group, build in zip(variables, builds, strict=True)]
        return parts[0] if isinstance(argnums, int) else tuple(parts)

    return derivative
