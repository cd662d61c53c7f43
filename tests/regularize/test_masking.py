"""Every layer that drops: its mask, its mean, its derivative; the same on any number of threads and without kernels."""

import importlib.util
import math
import subprocess
import sys

import numpy as np
import pytest

import autograd as ag
import nn
import regularize
from autograd.config import config
from autograd.errors import ArgumentError, ShapeError
from regularize import (
    AlphaDropout,
    DropConnect,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    FeatureAlphaDropout,
    StochasticDepth,
    drop_connect,
)

LEAVES = [c for c in vars(regularize).values() if isinstance(c, type) and issubclass(c, regularize.Masking)]
LEAVES.remove(regularize.Masking)

#         how to make one, a shape that it takes, the axes that share a draw
TABLE = {
    "Dropout": (Dropout, (6, 5, 4), ()),
    "Dropout of the notes": (lambda p, **s: Dropout(p, scale_at="test", **s), (6, 5, 4), ()),
    "Dropout1d": (Dropout1d, (6, 5, 4), (2,)),
    "Dropout1d of one sequence": (Dropout1d, (9, 4), (1,)),
    "Dropout2d": (Dropout2d, (6, 5, 3, 4), (2, 3)),
    "Dropout3d": (Dropout3d, (6, 5, 2, 3, 4), (2, 3, 4)),
    "Dropout3d of one volume": (Dropout3d, (9, 2, 3, 4), (1, 2, 3)),
    "AlphaDropout": (AlphaDropout, (6, 5, 4), ()),
    "FeatureAlphaDropout": (FeatureAlphaDropout, (6, 5, 4), (2,)),
    "DropConnect": (DropConnect, (6, 7), ()),
    "StochasticDepth": (StochasticDepth, (9, 2, 3), (1, 2)),
    "StochasticDepth of the batch": (lambda p, **s: StochasticDepth(p, "batch", **s), (5, 4), (0, 1)),
}
every_layer = pytest.mark.parametrize("name", TABLE)


def made(name, p=0.4, seed=0):
    return TABLE[name][0](p, generator=ag.random.Generator(seed))


@every_layer
def test_a_seed_is_no_generator(name):
    with pytest.raises(
        ArgumentError, match=r"generator=0\. Expected one of ag\.random: write generator=ag\.random\.Gen"
    ):
        TABLE[name][0](0.5, generator=0)


def test_every_layer_is_in_the_table():
    assert {type(made(name)) for name in TABLE} == set(LEAVES)


@every_layer
def test_elements_that_share_a_draw_share_their_fate(name):
    _, shape, together = TABLE[name]
    layer = made(name)
    dropped = []
    for _ in range(400):
        fate = ~np.isclose(layer(ag.ones(shape)).numpy(), layer_scale(name, 0.4), rtol=1e-12)
        assert (fate.all(axis=together) == fate.any(axis=together)).all()
        dropped.append(fate.all(axis=together).ravel())
    draws = np.concatenate(dropped)
    assert abs(draws.mean() - 0.4) < 4 * math.sqrt(0.24 / draws.size)


def layer_scale(name, p):
    """What a kept 1 becomes."""
    if name == "Dropout of the notes":
        return 1.0
    if name in ("AlphaDropout", "FeatureAlphaDropout"):
        s = -1.7580993408473766
        gain = ((1 - p) * (1 + p * s**2)) ** -0.5
        return gain * 1.0 + -gain * p * s
    return 1.0 * (1 / (1 - p))


@every_layer
def test_it_is_the_same_on_any_number_of_threads_and_without_kernels(name):
    shape = tuple(8 * n for n in TABLE[name][1])
    start = np.random.default_rng(0).standard_normal(shape)
    before, found = ag.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            ag.set_num_threads(threads)
            found.append(run(name, start))
    finally:
        ag.set_num_threads(before)
    for y, g in found[1:]:
        assert y.tobytes() == found[0][0].tobytes()
        assert g.tobytes() == found[0][1].tobytes()
    with config.using(kernels=False):
        for with_kernels, plain in zip(found[0], run(name, start), strict=True):
            np.testing.assert_allclose(with_kernels, plain, rtol=1e-13, atol=1e-14)


def run(name, start):
    x = ag.tensor(start, requires_grad=True)
    y = made(name, seed=3)(x)
    (y * y).sum().backward()
    return y.numpy(), x.grad.numpy()


@every_layer
def test_the_derivative_is_of_the_same_mask(name):
    x = np.random.default_rng(1).standard_normal(TABLE[name][1])
    result = ag.gradcheck(lambda t: made(name)(t), [ag.tensor(x)])
    assert result, result
    assert ag.gradgradcheck(lambda t: made(name)(t) ** 3, [ag.tensor(x)])


@every_layer
def test_evaluation_and_edges(name):
    x = ag.tensor(np.random.default_rng(2).standard_normal(TABLE[name][1]), requires_grad=True)
    assert made(name, 0)(x) is x
    if name != "Dropout of the notes":
        assert made(name).eval()(x) is x
    gone = made(name, 1)(x)
    gone.sum().backward()
    assert not gone.numpy().any()
    assert not x.grad.numpy().any()
    drops = made(name)
    assert drops(x).tolist() != drops(x).tolist() or "batch" in name


@every_layer
def test_float32_stays_float32(name):
    x = ag.ones(TABLE[name][1], "float32", requires_grad=True)
    y = made(name)(x)
    assert (y.dtype, ag.grad(y.sum(), x)[0].dtype) == (np.dtype("float32"),) * 2


@every_layer
@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_that_is_no_probability(name, p):
    with pytest.raises(ArgumentError, match=rf"p={p}. Expected the probability of dropping.*write \w+\(1 - keep\)"):
        made(name, p)


@every_layer
def test_repr(name):
    assert "(p=0.4" in repr(made(name))


def test_alpha_dropout_keeps_mean_and_variance():
    x = ag.random.Generator(0).normal(size=400_000)
    for p in (0.1, 0.5):
        y = AlphaDropout(p, generator=ag.random.Generator(1))(x).numpy()
        assert abs(y.mean()) < 0.01
        assert abs(y.std() - 1) < 0.01


TORCH = """
import torch
torch.manual_seed(0)
print(torch.nn.AlphaDropout(0.3)(torch.ones(50, dtype=torch.float64)).unique().tolist())
print(torch.nn.Dropout1d(0.3).eval()(torch.ones(2, 3, 4)).unique().tolist())
print(torch.nn.Dropout2d(0.3)(torch.ones(20, 30, 2, 2, dtype=torch.float64)).unique().tolist())
"""


def test_the_values_are_pytorchs():
    found = [
        np.unique(AlphaDropout(0.3)(ag.ones(50)).numpy()),
        np.unique(Dropout1d(0.3).eval()(ag.ones((2, 3, 4))).numpy()),
        np.unique(Dropout2d(0.3)(ag.ones((20, 30, 2, 2))).numpy()),
    ]
    stored = [[-1.0595481589864801, 1.315044684383419], [1.0], [0.0, 1.4285714285714286]]
    for ours, theirs in zip(found, stored, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    if importlib.util.find_spec("torch"):
        done = subprocess.run([sys.executable, "-c", TORCH], capture_output=True, text=True, check=True)
        for line, theirs in zip(done.stdout.splitlines(), stored, strict=True):
            np.testing.assert_allclose(eval(line), theirs, rtol=1e-12)


# ---- DropConnect on layers


def test_drop_connect_masks_weights_anew_in_each_use():
    layer = drop_connect(nn.Linear(30, 20, generator=ag.random.Generator(0)), p=0.25, generator=ag.random.Generator(1))
    whole = layer.parametrizations.weight.original.numpy()
    x = ag.ones((1, 30), "float32")
    assert layer(x).tolist() != layer(x).tolist()
    ratio = layer.weight.numpy() / whole
    assert np.unique(np.round(ratio, 5)).tolist() == pytest.approx([0, 4 / 3], rel=1e-5)
    layer.eval()
    assert layer.weight.tolist() == whole.tolist()
    nn.parametrize.remove_parametrizations(layer, "weight")
    assert layer.weight.tolist() == whole.tolist()


def test_drop_connect_trains_what_was_used():
    layer = drop_connect(nn.Conv2d(2, 3, 3), generator=ag.random.Generator(0))
    layer(ag.ones((1, 2, 5, 5), "float32")).sum().backward()
    g = layer.parametrizations.weight.original.grad.numpy()
    assert 0.2 < (g == 0).mean() < 0.8
    with pytest.raises(ArgumentError, match="has no parameter 'kernel'"):
        drop_connect(nn.Linear(2, 2), "kernel")


# ---- what they refuse

BAD = [
    (lambda: StochasticDepth(0.5, "column"), ArgumentError, "mode='column'. Expected 'row' or 'batch'"),
    (lambda: StochasticDepth(0.5)(ag.tensor(1.0)), ShapeError, "was given a number. Expected a batch"),
    (lambda: Dropout1d()(ag.ones((2, 3, 4, 5))), ShapeError, r"shape \(2, 3, 4, 5\). Expected \(N, C, L\) or \(C, L\)"),
    (lambda: Dropout2d()(ag.ones((3, 4, 5))), ShapeError, r"Expected \(N, C, H, W\).\nWrite x\[None\] for one image"),
    (lambda: Dropout3d()(ag.ones((3, 5))), ShapeError, r"Expected \(N, C, D, H, W\) or \(C, D, H, W\)"),
    (lambda: FeatureAlphaDropout()(ag.ones(3)), ShapeError, r"shape \(3,\). Expected \(N, C, ...\)"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()
