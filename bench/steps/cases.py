"""The workloads: from a network of 337 numbers to a transformer and a million rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.steps import jitted
from bench.steps.jitted import perceptron, trained
from bench.steps.workload import Workload

Batch = tuple[NDArray[Any], NDArray[Any]]
CLASSES, CHARACTERS, POSITIONS = 10, 96, 64


def normal(*shape: int, targets: tuple[int, ...] = (1,)) -> Any:
    """Normal inputs and targets of these shapes for each sample."""

    def data(rng: np.random.Generator, n: int) -> Batch:
        return rng.standard_normal((n, *shape), np.float32), rng.standard_normal((n, *targets), np.float32)

    return data


def classes(*shape: int, count: int = CLASSES) -> Any:
    """Normal inputs and class indices."""

    def data(rng: np.random.Generator, n: int) -> Batch:
        return rng.standard_normal((n, *shape), np.float32), rng.integers(0, count, n)

    return data


def characters(rng: np.random.Generator, n: int) -> Batch:
    """Texts, and their next characters."""
    text = rng.integers(0, CHARACTERS, (n, POSITIONS + 1))
    return np.ascontiguousarray(text[:, :-1]), np.ascontiguousarray(text[:, 1:])


def halves(rng: np.random.Generator, n: int) -> Batch:
    """Points on two sides of a plane."""
    x = rng.standard_normal((n, 32), np.float32)
    return x, (x[:, :1] + x[:, 1:2] > 0).astype(np.float32)


def layers(nn: Any, sizes: tuple[int, ...], activation: str) -> Any:
    """Linear layers with an activation between them."""
    parts = []
    for k, (a, b) in enumerate(pairwise(sizes)):
        parts += [nn.Linear(a, b), *([getattr(nn, activation)()] if k < len(sizes) - 2 else [])]
    return nn.Sequential(*parts)


def cnn(nn: Any) -> Any:
    """Two convolutions with pooling, then a classifier."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding="same"),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, CLASSES),
    )


def lstm(nn: Any) -> Any:
    """The last state of an LSTM, classified."""

    class Last(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = nn.LSTM(32, 128, batch_first=True), nn.Linear(128, 5)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0][:, -1])

    return Last()


def transformer(nn: Any) -> Any:
    """Two pre-norm blocks over characters; causal by a mask that is made once."""

    class Characters(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(CHARACTERS, 128)
            blocks = [
                nn.TransformerEncoderLayer(128, 4, 512, 0.0, "gelu", batch_first=True, norm_first=True)
                for _ in range(2)
            ]
            self.blocks = nn.ModuleList(blocks)
            self.head = nn.Linear(128, CHARACTERS)

        def forward(self, x: Any) -> Any:
            h = self.embedding(x)
            for block in self.blocks:
                h = block(h)
            return self.head(h).reshape(-1, CHARACTERS)

    return Characters()


def by_class(F: Any, z: Any, y: Any) -> Any:
    """Cross-entropy of class indices."""
    return F.cross_entropy(z, y.reshape(-1))


WORKLOADS = [
    Workload(
        "tiny",
        lambda nn: layers(nn, (2, 16, 16, 1), "Tanh"),
        lambda F, z, y: F.mse_loss(z, y),
        normal(2),
        32,
        0.05,
        "SGD",
        {"lr": 0.01},
        trained(perceptron("tanh"), jitted.squares, 0.01, "SGD"),
        eager=0.7,
    ),
    Workload(
        "mlp",
        lambda nn: layers(nn, (784, 256, 128, CLASSES), "ReLU"),
        by_class,
        classes(784),
        128,
        0.45,
        jax=trained(perceptron("relu"), jitted.cross_entropy, 1e-3),
        eager=0.7,
    ),
    Workload(
        "deepmlp",
        lambda nn: layers(nn, (*(64,) * 21, 1), "GELU"),
        lambda F, z, y: F.smooth_l1_loss(z, y),
        normal(64),
        64,
        0.2,
        eager=0.7,
        jax=trained(perceptron("gelu"), jitted.smooth, 1e-3),
    ),
    Workload("cnn", cnn, by_class, classes(1, 28, 28), 64, 0.4, jax=trained(jitted.cnn, jitted.cross_entropy, 1e-3)),
    Workload(
        "lstm", lstm, by_class, classes(50, 32, count=5), 32, 0.7, jax=trained(jitted.lstm, jitted.cross_entropy, 1e-3)
    ),
    Workload(
        "transformer",
        transformer,
        by_class,
        characters,
        16,
        0.65,
        "AdamW",
        jax=trained(jitted.transformer, jitted.cross_entropy, 1e-3, "AdamW"),
    ),
    Workload(
        "logistic",
        lambda nn: layers(nn, (32, 1), "ReLU"),
        lambda F, z, y: F.binary_cross_entropy_with_logits(z, y),
        halves,
        1_000_000,
        0.5,
        "SGD",
        {"lr": 0.1},
        trained(perceptron(""), jitted.logistic, 0.1, "SGD"),
    ),
]
CASES = {work.name: work.case() for work in WORKLOADS}
