"""grid_sample and affine_grid: PyTorch's figures, derivatives to second order, what they mean, their errors."""

import importlib.util
import itertools
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd.errors import ArgumentError, DTypeError, ShapeError

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_grid.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])


@cache
def records(source):
    found = FIGURE["records"]() if source == "live" else dict(np.load(FIGURES / "grid.npz"))
    assert str(found["origin"]).startswith("torch 2.")
    return found


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("mode", "padding", "aligned"), FIGURE["CASES"])
def test_values_and_gradients_are_pytorchs(mode, padding, aligned, source):
    for k in range(len(FIGURE["SHAPES"])):
        x, grid, cotangent = FIGURE["arrays"](k)
        x, grid = (ag.tensor(a, requires_grad=True) for a in (x, grid))
        y = F.grid_sample(x, grid, mode, padding, aligned)
        y.backward(cotangent)
        for part, got in (("y", y.detach()), ("x", x.grad), ("grid", grid.grad)):
            wanted = records(source)[f"{mode} {padding} {aligned} {k} {part}"]
            np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-10, atol=1e-12, err_msg=f"{part} {k}")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 1, 5, 2)])
def test_affine_grids_are_pytorchs(aligned, size, source):
    wanted = records(source)[f"affine {aligned} {size}"]
    np.testing.assert_allclose(F.affine_grid(FIGURE["theta"](), size, aligned).numpy(), wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("mode", "padding"), list(itertools.product(("bilinear", "bicubic"), FIGURE["PADDINGS"])))
def test_second_derivatives_match_finite_differences(mode, padding):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1, 2, 3, 4))
    pixels = rng.integers(-2, 6, (1, 2, 3, 2)) + rng.uniform(0.2, 0.3, (1, 2, 3, 2))  # smooth there
    grid = (2 * pixels + 1) / np.array([4, 3]) - 1
    found = ag.gradgradcheck(lambda x, grid: F.grid_sample(x, grid, mode, padding), [x, grid], rtol=1e-3, atol=1e-5)
    assert found, found


def test_by_theta_through_the_grid():
    x = np.random.default_rng(4).normal(size=(2, 1, 5, 6))
    theta = np.array([[[0.9, 0.2, 0.037], [-0.1, 1.1, 0.083]], [[1.05, 0.11, -0.217], [0.3, 0.8, 0.139]]])
    found = ag.gradcheck(lambda x, t: F.grid_sample(x, F.affine_grid(t, x.shape)), [x, theta])
    assert found, found


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("mode", FIGURE["MODES"])
def test_the_identity_gives_the_image_and_a_mirror_its_mirror_image(mode, aligned):
    x = np.random.default_rng(5).normal(size=(1, 2, 6, 5)).astype("float32")
    for theta, wanted in (([[1, 0, 0], [0, 1, 0]], x), ([[-1, 0, 0], [0, 1, 0]], x[..., ::-1])):
        grid = F.affine_grid(ag.tensor([theta], dtype="float32"), x.shape, aligned)
        y = F.grid_sample(x, grid, mode, align_corners=aligned)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.numpy(), wanted, atol=1e-6 if mode != "nearest" else 0)


def test_sampling_errors():
    x, grid = ag.ones((2, 1, 3, 3)), ag.zeros((2, 4, 4, 2))
    with pytest.raises(
        ArgumentError, match=r"given mode='linear', padding_mode='zeros'\. Expected one of bilinear, nea"
    ):
        F.grid_sample(x, grid, "linear")
    with pytest.raises(ArgumentError, match="padding_mode='wrap'"):
        F.grid_sample(x, grid, padding_mode="wrap")
    with pytest.raises(
        ShapeError, match=r"shape \(2, 1, 3, 3\) and a grid of shape \(4, 4, 2\)\. Expected \(N, C, H, W\)"
    ):
        F.grid_sample(x, grid[0])
    with pytest.raises(ShapeError, match=r"\(2, 1, 0, 3\) and a grid"):
        F.grid_sample(x[:, :, :0], grid)
    with pytest.raises(DTypeError, match="grid_sample was given an input of dtype int64"):
        F.grid_sample(ag.asarray(np.ones((2, 1, 3, 3), int)), grid)
    with pytest.raises(ShapeError, match=r"theta of shape \(2, 2\) and size=\(2, 1, 3, 3\)\. Expected \(N, 2, 3\)"):
        F.affine_grid(ag.ones((2, 2)), (2, 1, 3, 3))
