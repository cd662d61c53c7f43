"""Monte Carlo dropout: how far predictions differ when units go on being dropped says how uncertain they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import autograd as ag
from autograd.errors import ArgumentError
from autograd.tree import flatten
from nn.generators import stream_of
from nn.module import Module
from regularize.dropout import Masking


class Prediction(NamedTuple):
    """The mean and the standard deviation of sampled predictions; of a model with several outputs, tuples or dicts.

    >>> Prediction(ag.tensor(1.0), ag.tensor(0.5)).std
    tensor(0.5)
    """

    mean: Any
    std: Any


def monte_carlo(
    model: Module,
    x: Any,
    samples: int = 50,
    generator: ag.random.Generator | None = None,
    *,
    layers: tuple[type[Module], ...] = (Masking,),
) -> Prediction:
    """The mean and the standard deviation of predictions with dropout left on.

        mean = 1 / S sum_s f_s(x),  std^2 = 1 / (S - 1) sum_s (f_s(x) - mean)^2

    Everything else (batch normalisation) is in evaluation mode. Afterwards all modes are as they were. For the
    uncertainty of probabilities, give `nn.Sequential(model, nn.Softmax(1))`.

    Parameters:
        model: with layers that drop.
        x: what it takes, or a tuple for several inputs.
        samples: S, at least 2.
        generator: where the masks come from; None for each layer's own.
        layers: the classes that are to be in training mode; add those of `nn` that drop inside (`nn.LSTM`).

    Raises:
        ArgumentError: fewer than 2 samples, a model without such layers, or what is no Module or generator.

    Gal and Ghahramani, "Dropout as a Bayesian approximation", 2016.

    >>> import nn, regularize
    >>> model = nn.Sequential(regularize.Dropout(0.5), nn.Linear(4, 1, generator=ag.random.Generator(0)))
    >>> found = monte_carlo(model, ag.ones((2, 4), dtype="float32"), 100, ag.random.Generator(1))
    >>> found.mean.shape, bool((found.std > 0).all())
    ((2, 1), True)
    """
    if samples < 2:
        raise ArgumentError(f"monte_carlo was given samples={samples}. Expected at least 2: a deviation needs two.")
    if not isinstance(model, Module):
        raise ArgumentError(f"monte_carlo was given a {type(model).__name__} as model. Expected an nn.Module.")
    stream_of(generator, "monte_carlo")
    inputs = tuple(ag.asarray(part) for part in (x if isinstance(x, tuple) else (x,)))
    with _dropping(model, layers, generator), ag.no_grad():
        found = [flatten(model(*inputs)) for _ in range(samples)]
        build = found[0][1]
        parts = [ag.stack(column) for column in zip(*[leaves for leaves, _ in found], strict=True)]
        means, stds = [ag.mean(part, 0) for part in parts], [ag.std(part, 0, correction=1) for part in parts]
        return Prediction(build(means), build(stds))


@contextmanager
def _dropping(model: Module, layers: tuple[type[Module], ...], generator: ag.random.Generator | None) -> Iterator[None]:
    """These layers in training mode, drawing from the generator, the others in evaluation mode; then all as before."""
    found = [m for m in model.modules() if isinstance(m, layers)]
    if not found:
        names = ", ".join(kind.__name__ for kind in layers)
        raise ArgumentError(
            f"monte_carlo found no layer that drops in this {type(model).__name__} (looked for {names}).\n"
            "Put regularize.Dropout into the model, or write layers=(nn.LSTM,) for layers that drop inside."
        )
    modes = [(m, m.training) for m in model.modules()]
    streams = [(m, vars(m)["generator"]) for m in found if generator is not None and "generator" in vars(m)]
    try:
        model.eval()
        for m in found:
            m.training = True
        for m, _ in streams:
            vars(m)["generator"] = generator
        yield
    finally:
        for m, mode in modes:
            m.training = mode
        for m, stream in streams:
            vars(m)["generator"] = stream
