"""PyTorch's trajectories under row-sparse gradients: `python tests/figures/make_sparse.py` writes sparse.npz."""

import json
import warnings
from pathlib import Path

import numpy as np

SHAPE, STEPS = (6, 2), 20
CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adagrad", {"lr": 0.3}),
    ("Adagrad", {"lr": 0.3, "lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("SparseAdam", {"lr": 0.1}),
    ("SparseAdam", {"lr": 0.1, "betas": [0.7, 0.95], "eps": 1e-3, "maximize": True}),
]


def start():
    """The table before the first step."""
    return np.random.default_rng(0).standard_normal(SHAPE)


def lookups():
    """Which rows each step looks up, some twice, one never, and the cotangents of what it finds."""
    rng = np.random.default_rng(1)
    return [(rng.integers(0, SHAPE[0] - 1, 3), rng.standard_normal((3, SHAPE[1]))) for _ in range(STEPS)]


def trajectory(name, options):
    """The table after each step."""
    import torch

    w = torch.tensor(start(), requires_grad=True)
    optimizer = getattr(torch.optim, name)([w], **options)
    for rows, g in lookups():
        optimizer.zero_grad()
        found = torch.nn.functional.embedding(torch.tensor(rows), w, sparse=True)
        (found * torch.tensor(g)).sum().backward()
        optimizer.step()
        yield w.detach().numpy().copy()


def records():
    """The origin, the cases, and the tables (case, step, *SHAPE)."""
    import torch

    with warnings.catch_warnings(action="ignore", category=UserWarning):  # its advice on checking sparse Tensors
        paths = np.array([list(trajectory(name, options)) for name, options in CASES])
    return {"origin": f"torch {torch.__version__}", "cases": json.dumps(CASES), "paths": paths}


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("sparse.npz"), **records())
