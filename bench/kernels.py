"""What fused kernels take for a value and its gradient, against the plain composition, and PyTorch where installed.

PyTorch runs in a process of its own that waits for its turn in every round, with as many threads as ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autograd as ag
import nn
import optim
from autograd.config import config
from bench.report import Row, cores
from bench.timing import Subject, interleaved, ratio, spread
from bench.turns import Peer, turn

ABOUT = "value and gradient in fused kernels, against the plain composition and PyTorch"
US = 1e6
ELEMENTS, ROWS, CLASSES, WIDTH = 1 << 20, 4096, 256, 512


def layer_norm(x: ag.Tensor, gain: ag.Tensor, shift: ag.Tensor) -> ag.Tensor:
    """(x - mean) / sqrt(variance + 1e-5) * gain + shift along the last axis (Ba et al. 2016)."""
    centred = x - ag.mean(x, -1, keepdims=True)
    return centred / ag.sqrt(ag.mean(centred * centred, -1, keepdims=True) + 1e-5) * gain + shift


fused_layer_norm = ag.fused(layer_norm)


def gradient_of(f: Callable[..., ag.Tensor], *arrays: Any) -> Callable[[], None]:
    """Run f forwards and backwards, from a cotangent of ones, by all floating arrays."""
    xs = [ag.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    leaves = [x for x in xs if x.requires_grad]
    ones = np.ones(f(*xs).shape, np.float32)
    return lambda: (ag.grad(f(*xs), leaves, ones), None)[1]


def statements(elements: int, rows: int) -> dict[str, Callable[[], None]]:
    """Ours, by name."""
    rng = np.random.default_rng(0)
    f = rng.standard_normal(elements, np.float32)
    y = (rng.random(elements) < 0.5).astype(np.float32)
    logits = rng.standard_normal((rows, CLASSES), np.float32)
    labels = rng.integers(0, CLASSES, rows)
    x = rng.standard_normal((rows, WIDTH), np.float32)
    gain, shift = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    w = ag.tensor(f, requires_grad=True)
    w.grad = ag.tensor(y)
    adam = optim.Adam([w])
    loss = nn.functional
    return {
        "mse_loss": gradient_of(lambda f: loss.mse_loss(f, y), f),
        "l1_loss": gradient_of(lambda f: loss.l1_loss(f, y), f),
        "huber_loss": gradient_of(lambda f: loss.huber_loss(f, y), f),
        "bce_with_logits": gradient_of(lambda f: loss.binary_cross_entropy_with_logits(f, y), f),
        "cross_entropy": gradient_of(lambda x: loss.cross_entropy(x, labels), logits),
        "layer_norm": gradient_of(lambda *xs: fused_layer_norm(*xs), x, gain, shift),
        "silu": gradient_of(loss.silu, f),
        "Adam step": adam.step,
    }


def plainly(statement: Callable[[], None]) -> Callable[[], None]:
    """The same with kernels turned off."""

    def run() -> None:
        with config.using(kernels=False):
            statement()

    return run


def run(*, repeats: int = 15, elements: int = ELEMENTS, rows: int = ROWS, peers: bool = True) -> list[Row]:
    """The rows of the case."""
    ours = statements(elements, rows)
    source = np.ones(elements, np.float32)
    target = source.copy()
    subjects: dict[str, Subject] = {"copy": lambda: turn(lambda: np.copyto(target, source))}
    for name, statement in ours.items():
        subjects[f"ours {name}"] = partial(turn, statement)
        subjects[f"plain {name}"] = partial(turn, plainly(statement))
    with Peer("bench.kernels_torch", "torch", elements, rows, cores(), wanted=peers) as torch:
        for name in torch.names:
            subjects[f"torch {name}"] = torch.subject(name)
        t = interleaved(subjects, repeats)
        version = torch.version
    table = [Row(f"copy of {elements:,} float32", spread(t["copy"]) * US, "us")]
    for name in ours:
        table.append(Row(f"{name}, fused", spread(t[f"ours {name}"]) * US, "us"))
        table.append(Row(f"{name}, fused to plain", ratio(t[f"ours {name}"], t[f"plain {name}"]), "times"))
        if f"torch {name}" in t:
            against = ratio(t[f"ours {name}"], t[f"torch {name}"])
            table.append(Row(f"{name}, fused to PyTorch {version}", against, "times", 1.0))
    return table
