"""The derivatives that are timed, each by the functions that a library has for it.

`torch.func` and JAX have the same names for them, and so have we for `grad` and `vmap`: what is written of `T`
is one text for all who have them. JAX is jitted as a whole; matrices are ours as programs, asked for at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import nn.functional
from bench.derivatives.network import (
    classification,
    directed,
    flat_inputs,
    functional,
    labelled,
    network,
    regression,
    sample,
)
from bench.kernels.case import EAGER, JAX, OURS, TORCH, Arrays, Case, Figure, Limit, Maker, Side

PROGRAM, GRADIENT = "ours, compiled", "a gradient"
GRADIENT_PROGRAM = "a gradient, compiled"
NO_SLOWER, PRODUCT = 1.0, 4.0  # the time of a Hessian to JAX's, and of a product with it to a gradient's
SECOND = 1e-3  # how far second derivatives of float32 may differ
MLP = (128, 784, 256, 128, 10)  # the batch, and the widths
Function = Callable[..., Any]  # of the case's arrays


def sides(ours: Mapping[str, Maker], peer: Callable[[Any, Any], Function] | None = None) -> dict[str, Side]:
    """Ours by label, and from T and F the function of both peers."""
    found = {label: Side("ours", make) for label, make in ours.items()}
    if peer is not None:
        found[TORCH] = Side("torch", plain(lambda torch: peer(torch.func, torch.nn.functional)))
        found[JAX] = Side("jax", plain(lambda jax: peer(jax, functional(jax))))
    return found


def plain(f: Any) -> Maker:
    """What a library calls, as it stands: for peers it is made from their module."""
    return lambda library, *arrays: library.call(f, *arrays)


def program(f: Function) -> Maker:
    """Ours by `ag.compile`."""
    return lambda library, *arrays: library.call(ag.compile(f), *arrays)


def matrix(of: Callable[..., Function], f: Function) -> dict[str, Maker]:
    """`ag.hessian` or `ag.jacobian`: a program of its own, and without one."""

    def made(compile: bool) -> Maker:
        return lambda library, *arrays: library.call(of(f, compile=compile), *arrays)

    return {OURS: made(True), EAGER: made(False)}


def case(name: str, shape: tuple[int, ...], inputs: Any, of: dict[str, Side], **settings: Any) -> Case:
    """A case without a copy beside it: what counts is arithmetic."""
    return Case(name, shape, inputs, of, moves=lambda _: 0, **settings)


def halves(parts: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Parameters and directions."""
    return parts[: len(parts) // 2], parts[len(parts) // 2 :]


# ---- matrices


def hessian(T: Any, F: Any) -> Function:
    """By the vector of all parameters."""
    f: Function = T.hessian(partial(regression, F))
    return f


def results(F: Any, x: Any, *params: Any) -> Any:
    """What the tanh network gives for one sample."""
    return network(F, "tanh", params, x)


def jacobian(T: Any, F: Any) -> Function:
    """By the sample."""
    f: Function = T.jacrev(partial(results, F))
    return f


# ---- products and gradients of the mlp


def gradients_of_samples(T: Any, F: Any) -> Function:
    """The gradient of every sample's loss, which is that of a batch of one."""

    def loss(params: Sequence[Any], x: Any, label: Any) -> Any:
        return classification(F, params, x[None], label[None])

    each = T.vmap(T.grad(loss), (None, 0, 0))
    return lambda x, labels, *params: each(params, x, labels)


def product(T: Any, F: Any) -> Function:
    """The Hessian times a direction: a sweep over the sweep, which both peers run faster than a push over it."""

    def run(x: Any, labels: Any, *parts: Any) -> Any:
        params, directions = halves(parts)
        gradient = T.grad(lambda params: classification(F, params, x, labels))
        return T.vjp(gradient, params)[1](directions)[0]

    return run


def our_product(x: Any, labels: Any, *parts: Any) -> Any:
    """The same by `ag.hvp`."""
    params, directions = halves(parts)
    return ag.hvp(lambda *params: classification(nn.functional, params, x, labels), params, directions)[1]


def product_and_slope(x: Any, labels: Any, *parts: Any) -> Any:
    """The same of t * loss at t = 1, whose product by t is the gradient times the direction: it can be compared."""
    params, directions = halves(parts)
    one = ag.tensor(1.0, dtype=np.float32)

    def loss(t: Any, *params: Any) -> Any:
        return t * classification(nn.functional, params, x, labels)

    return ag.hvp(loss, [one, *params], [0 * one, *directions])[1]


def gradient(x: Any, labels: Any, *parts: Any) -> Any:
    """The gradient by all parameters."""
    params, _ = halves(parts)
    return ag.grad(lambda params: classification(nn.functional, params, x, labels))(params)


def slope(inputs: Arrays, outputs: Sequence[NDArray[Any]]) -> list[Figure]:
    """The gradient times the direction: as it is given, or of the gradient itself."""
    params, directions = halves(inputs[2:])
    if len(outputs) > len(params):
        found = float(outputs[0])
    else:
        found = sum(float(np.vdot(np.float64(g), v)) for g, v in zip(outputs, directions, strict=True))
    return [(found, abs(found))]


SLOPES = {
    OURS: plain(product_and_slope),
    PROGRAM: program(product_and_slope),
    GRADIENT: plain(gradient),
    GRADIENT_PROGRAM: program(gradient),
}
OF_SAMPLES = gradients_of_samples(ag, nn.functional)
ALL = [
    case(
        "Hessian, 485 parameters",
        (64, 20, 22),
        flat_inputs,
        sides(matrix(ag.hessian, partial(regression, nn.functional)), hessian),
        limits=(Limit(NO_SLOWER, (JAX,)),),
        tolerance=SECOND,
    ),
    case(
        "gradient and its product, mlp",
        MLP,
        directed,
        sides(SLOPES),
        limits=(Limit(PRODUCT, (GRADIENT,)), Limit(PRODUCT, (GRADIENT_PROGRAM,), PROGRAM)),
        figures=slope,
        tolerance=SECOND,
    ),
    case(
        "Hessian times vector, mlp",
        MLP,
        directed,
        sides({OURS: plain(our_product), PROGRAM: program(our_product)}, product),
        tolerance=SECOND,
    ),
    case(
        "Jacobian of 32 results by 64 inputs",
        (64, 64, 32),
        sample,
        sides(matrix(ag.jacobian, partial(results, nn.functional)), jacobian),
    ),
    case(
        "per-sample gradients, mlp, batch 128",
        MLP,
        labelled,
        sides({OURS: plain(OF_SAMPLES), PROGRAM: program(OF_SAMPLES)}, gradients_of_samples),
    ),
]
CASES = {one.name: one for one in ALL}
