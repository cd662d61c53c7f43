"""PyTorch's grid_sample and affine_grid, with gradients: `python tests/figures/make_grid.py` writes grid.npz."""

import itertools
from pathlib import Path

import numpy as np

MODES, PADDINGS, ALIGNED = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
CASES = list(itertools.product(MODES, PADDINGS, ALIGNED))
SHAPES = [((2, 3, 4, 5), (2, 4, 3, 2)), ((1, 1, 1, 3), (1, 2, 2, 2))]  # of images and grids


def arrays(k):
    """Images, a grid that goes well outside, and a cotangent."""
    x, grid = SHAPES[k]
    rng = np.random.default_rng(k)
    return rng.normal(size=x), rng.uniform(-2.2, 2.2, grid), rng.uniform(0.5, 1.5, (*x[:2], *grid[1:3]))


def theta():
    """Affine maps."""
    return np.random.default_rng(9).normal(size=(2, 2, 3))


def records():
    """For each case and shape: the images read, and the gradients by images and grid."""
    import torch
    from torch.nn import functional as F

    found = {}
    for (mode, padding, aligned), k in itertools.product(CASES, range(len(SHAPES))):
        x, grid, cotangent = (torch.tensor(a) for a in arrays(k))
        leaves = [x.requires_grad_(), grid.requires_grad_()]
        y = F.grid_sample(x, grid, mode, padding, aligned)
        y.backward(cotangent)
        for part, value in zip(("y", "x", "grid"), (y, *(leaf.grad for leaf in leaves)), strict=True):
            found[f"{mode} {padding} {aligned} {k} {part}"] = value.detach().numpy()
    for aligned, size in itertools.product(ALIGNED, ((2, 1, 3, 4), (2, 1, 5, 2))):
        found[f"affine {aligned} {size}"] = F.affine_grid(torch.tensor(theta()), size, aligned).numpy()
    return {"origin": f"torch {torch.__version__}", **found}


if __name__ == "__main__":
    np.savez_compressed(Path(__file__).with_name("grid.npz"), **records())
