"""PyTorch's side of the kernels case: `python -m bench.kernels_torch ELEMENTS ROWS THREADS` serves its statements."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from bench.kernels import CLASSES, WIDTH
from bench.turns import serve


def statements(torch: Any, elements: int, rows: int) -> dict[str, Callable[[], Any]]:
    """The same work in eager PyTorch, its fused Adam included."""
    torch.manual_seed(0)
    loss = torch.nn.functional
    f = torch.randn(elements, requires_grad=True)
    y = (torch.rand(elements) < 0.5).float()
    logits = torch.randn(rows, CLASSES, requires_grad=True)
    labels = torch.randint(0, CLASSES, (rows,))
    x = torch.randn(rows, WIDTH, requires_grad=True)
    gain, shift = torch.ones(WIDTH, requires_grad=True), torch.zeros(WIDTH, requires_grad=True)
    w = torch.randn(elements, requires_grad=True)
    w.grad = y.clone()
    adam = torch.optim.Adam([w], fused=True)
    ones, wide = torch.ones(elements), torch.ones(rows, WIDTH)
    grad = torch.autograd.grad
    return {
        "mse_loss": lambda: grad(loss.mse_loss(f, y), f),
        "l1_loss": lambda: grad(loss.l1_loss(f, y), f),
        "huber_loss": lambda: grad(loss.huber_loss(f, y), f),
        "bce_with_logits": lambda: grad(loss.binary_cross_entropy_with_logits(f, y), f),
        "cross_entropy": lambda: grad(loss.cross_entropy(logits, labels), logits),
        "layer_norm": lambda: grad(loss.layer_norm(x, (WIDTH,), gain, shift), [x, gain, shift], wide),
        "silu": lambda: grad(loss.silu(f), f, ones),
        "Adam step": adam.step,
    }


if __name__ == "__main__":
    elements, rows, threads = map(int, sys.argv[1:])
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    serve(statements(torch, elements, rows), torch.__version__)
