"""The models of the examples and their losses, written once: layers, functions and arguments of `nn` are PyTorch's.

A recipe is given a library and returns the modules that hold parameters, and the loss as a function of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Batch = tuple[NDArray[Any], ...]
Loss = Callable[..., Any]
CHARACTERS, CONTEXT = 100, 64


@dataclass(frozen=True)
class Kit:
    """What a recipe needs of a library: its layers and losses, an exponential, dropout."""

    nn: Any
    exp: Callable[[Any], Any]
    dropout: Callable[[float], Any]


@dataclass(frozen=True)
class Model:
    """A recipe, the batch of so many samples that a step is taken on, and how many the example takes."""

    recipe: Callable[[Kit], tuple[list[Any], Loss]]
    batch: Callable[[np.random.Generator, int], Batch]
    size: int


def digits(kit: Kit) -> tuple[list[Any], Loss]:
    """Of `examples/digits.py`."""
    nn = kit.nn
    model = nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1),
        nn.ReLU(),
        kit.dropout(0.2),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        kit.dropout(0.5),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 128),
        nn.ReLU(),
        kit.dropout(0.5),
        nn.Linear(128, 10),
    )
    return [model], lambda x, y: nn.functional.cross_entropy(model(x), y)


def lenet(kit: Kit) -> tuple[list[Any], Loss]:
    """Of `examples/lenet.py`."""
    nn = kit.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 5 * 5, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        kit.dropout(0.25),
        nn.Linear(84, 10),
    )
    return [model], lambda x, y: nn.functional.cross_entropy(model(x), y)


def recurrent(kind: str) -> Callable[[Kit], tuple[list[Any], Loss]]:
    """Of `examples/text.py`, with one of its two cells."""

    def recipe(kit: Kit) -> tuple[list[Any], Loss]:
        nn = kit.nn
        vectors, classifier = nn.Embedding(CHARACTERS, 32), nn.Linear(128, CHARACTERS)
        layer = getattr(nn, kind)(32, 128, batch_first=True)

        def loss(x: Any, y: Any) -> Any:
            scores = classifier(layer(vectors(x))[0])
            return nn.functional.cross_entropy(scores.reshape(-1, CHARACTERS), y.reshape(-1))

        return [vectors, layer, classifier], loss

    return recipe


def transformer(kit: Kit) -> tuple[list[Any], Loss]:
    """Of `examples/transformer.py`."""
    nn, width = kit.nn, 128
    vectors, positions = nn.Embedding(CHARACTERS, width), nn.Embedding(CONTEXT, width)
    layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "relu", batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(width))
    mask = nn.Transformer.generate_square_subsequent_mask(CONTEXT)

    def loss(x: Any, places: Any, y: Any) -> Any:
        seen = encoder(vectors(x) + positions(places), mask=mask, is_causal=True)
        scores = seen @ vectors.weight.mT
        return nn.functional.cross_entropy(scores.reshape(-1, CHARACTERS), y.reshape(-1))

    return [vectors, positions, encoder], loss


def perceptron(nn: Any, *widths: int) -> Any:
    """Linear maps with SiLU between them."""
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.SiLU())]
    return nn.Sequential(*layers[:-1])


def autoencoder(kit: Kit) -> tuple[list[Any], Loss]:
    """Of `examples/autoencoder.py`, the plain one."""
    model = perceptron(kit.nn, 64, 128, 128, 8, 128, 128, 64)
    return [model], lambda x: kit.nn.functional.mse_loss(model(x), x)


def variational(kit: Kit) -> tuple[list[Any], Loss]:
    """Of `examples/autoencoder.py`, the variational one; its noise is part of the batch."""
    encoder, decoder = perceptron(kit.nn, 64, 128, 128, 16), perceptron(kit.nn, 8, 128, 128, 64)

    def loss(x: Any, noise: Any) -> Any:
        code = encoder(x)
        mean, log_variance = code[:, :8], code[:, 8:]
        scaled = (x - decoder(mean + kit.exp(0.5 * log_variance) * noise)) * math.e
        divergence = mean * mean + kit.exp(log_variance) - log_variance - 1
        return 0.5 * ((scaled * scaled).sum(1) + divergence.sum(1)).mean()

    return [encoder, decoder], loss


def diabetes(kit: Kit) -> tuple[list[Any], Loss]:
    """Of `examples/diabetes.py`."""
    nn = kit.nn
    model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
    return [model], lambda x, y: nn.functional.huber_loss(model(x), y, delta=0.5)


def images(side: int) -> Callable[[np.random.Generator, int], Batch]:
    """Grey images and their labels."""
    return lambda rng, n: (rng.standard_normal((n, 1, side, side), np.float32), rng.integers(0, 10, n))


def rows(*widths: int) -> Callable[[np.random.Generator, int], Batch]:
    """Arrays of so many columns."""
    return lambda rng, n: tuple(rng.standard_normal((n, width), np.float32) for width in widths)


def text(rng: np.random.Generator, n: int) -> Batch:
    """Pieces of text, each with itself a character later."""
    x = rng.integers(0, CHARACTERS, (n, CONTEXT + 1))
    return x[:, :-1].copy(), x[:, 1:].copy()


def placed_text(rng: np.random.Generator, n: int) -> Batch:
    """The same with the numbers of the places in between."""
    x, y = text(rng, n)
    return x, np.arange(CONTEXT), y


MODELS = {
    "digits": Model(digits, images(8), 32),
    "LeNet": Model(lenet, images(28), 32),
    "LSTM": Model(recurrent("LSTM"), text, 32),
    "GRU": Model(recurrent("GRU"), text, 32),
    "transformer": Model(transformer, placed_text, 16),
    "autoencoder": Model(autoencoder, rows(64), 64),
    "variational autoencoder": Model(variational, rows(64, 8), 64),
    "diabetes": Model(diabetes, rows(10, 1), 64),
}
