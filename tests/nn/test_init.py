"""Starting values: PyTorch's and the spread of each scheme's formula, their seed, and their layers."""

import importlib.util
import inspect
import math
import runpy
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

import autograd as ag
import nn
from autograd.errors import ArgumentError, CheckpointError, ShapeError
from nn import init

FIGURE = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "make_module.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])

FILLS = {name: f for name, f in vars(init).items() if name.endswith("_") and not name.startswith("_")}
OUT, IN = 200, 300
SPREAD = [  # function, settings, standard deviation, largest size (infinite for a Gaussian)
    ("uniform_", {"a": -2.0, "b": 4.0}, math.sqrt(3), 4),
    ("normal_", {"mean": 0.0, "std": 0.5}, 0.5, math.inf),
    ("xavier_uniform_", {}, math.sqrt(2 / 500), math.sqrt(6 / 500)),
    ("xavier_uniform_", {"gain": 3.0}, 3 * math.sqrt(2 / 500), 3 * math.sqrt(6 / 500)),
    ("xavier_normal_", {"gain": 2.0}, 2 * math.sqrt(2 / 500), math.inf),
    ("kaiming_uniform_", {}, math.sqrt(2 / 300), math.sqrt(6 / 300)),
    ("kaiming_uniform_", {"a": math.sqrt(5)}, 1 / 30, math.sqrt(1 / 300)),
    ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "linear"}, math.sqrt(1 / 200), math.sqrt(3 / 200)),
    ("kaiming_normal_", {"nonlinearity": "relu"}, math.sqrt(2 / 300), math.inf),
    ("kaiming_normal_", {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(300), math.inf),
    ("lecun_uniform_", {}, math.sqrt(1 / 300), math.sqrt(3 / 300)),
    ("lecun_normal_", {}, math.sqrt(1 / 300), math.inf),
    ("orthogonal_", {"gain": 2.0}, 2 / math.sqrt(300), math.inf),
    ("trunc_normal_", {}, scipy.stats.truncnorm(-2, 2).std(), 2),
    ("trunc_normal_", {"std": 10.0, "a": -1.0, "b": 1.0}, math.sqrt(1 / 3), 1),
    ("constant_", {"val": 0.5}, 0, 0.5),
    ("zeros_", {}, 0, 0),
    ("ones_", {}, 0, 1),
]


SHAPED = {"eye_", "dirac_", "sparse_"}  # schemes that take some shapes only


def test_every_scheme_is_in_the_table():
    assert {name for name, *_ in SPREAD} | SHAPED == set(FILLS)
    tried = {name for name, *_ in (*FIGURE["DRAWS"], *FIGURE["FILLS"])}
    assert tried == {name for name in FILLS if not name.startswith("lecun")}


def test_every_scheme_of_pytorch_is_here():
    if importlib.util.find_spec("torch"):
        import torch

        theirs = {n for n in vars(torch.nn.init) if n.endswith("_") and not n.startswith("_")}
        assert theirs - set(FILLS) == set()
    assert {name for name, *_ in (*FIGURE["DRAWS"], *FIGURE["FILLS"])} >= SHAPED


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("k", range(len(FIGURE["DRAWS"])))
def test_statistics_are_those_of_pytorch(k, source):
    name, settings, shape = FIGURE["DRAWS"][k]
    if source == "live":
        import torch

        torch.manual_seed(1)
        expected = FIGURE["statistics"](getattr(torch.nn.init, name)(torch.empty(shape), **settings).numpy())
    else:
        expected = FIGURE["load"]()["draws"][k]
    w = FILLS[name](ag.zeros(shape, dtype="float32"), **settings, generator=ag.random.Generator(1))
    found = FIGURE["statistics"](w.numpy())
    assert found["std"] == pytest.approx(expected["std"], rel=0.02)
    assert found["mean"] == pytest.approx(expected["mean"], abs=0.02 * expected["std"])
    assert (found["zeros"] == expected["zeros"]) or name != "sparse_"
    if "uniform" in name or ("trunc" in name and settings.get("std") != 0.02):
        assert found["low"] == pytest.approx(expected["low"], abs=0.01 * expected["std"])
        assert found["high"] == pytest.approx(expected["high"], abs=0.01 * expected["std"])


@pytest.mark.parametrize("source", SOURCES)
def test_constants_and_gains_are_those_of_pytorch(source):
    if source == "live":
        import torch

        init_ = torch.nn.init
        fills = [getattr(init_, f)(torch.empty(shape), **s).tolist() for f, s, shape in FIGURE["FILLS"]]
        gains = {n: init_.calculate_gain(n, 0.2 if n == "leaky_relu" else None) for n in FIGURE["GAINS"]}
    else:
        fills, gains = FIGURE["load"]()["fills"], FIGURE["load"]()["gains"]
    found = [FILLS[f](ag.full(shape, 7.0), **settings) for f, settings, shape in FIGURE["FILLS"]]
    for w, values in zip(found, fills, strict=True):
        np.testing.assert_array_equal(w, values)
    for name, gain in gains.items():
        assert init.calculate_gain(name, 0.2 if name == "leaky_relu" else None) == pytest.approx(gain, rel=1e-12)


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [(0, 1, -2, 2), (1, 2, -1, 1.5), (0, 1, 5, 9), (0, 1, -7, -6), (3, 0.5, -10, 2), (0, 1, 30, 31)],
)
def test_a_truncated_gaussian_has_its_distribution_in_the_tails_too(mean, std, a, b):
    w = init.trunc_normal_(ag.zeros(4000), mean, std, a, b, generator=ag.random.Generator(0)).numpy()
    assert a <= w.min() < w.max() <= b
    law = scipy.stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert scipy.stats.kstest(w, law.cdf).pvalue > 0.01


def test_a_dirac_convolution_hands_its_input_on():
    x = np.random.default_rng(0).standard_normal((2, 4, 5, 7))
    w = init.dirac_(ag.zeros((4, 2, 3, 5)), groups=2)
    np.testing.assert_array_equal(nn.functional.conv2d(ag.tensor(x), w, padding=(1, 2), groups=2), x)


def test_sparse_columns_have_zeros_in_places_of_their_own():
    w = init.sparse_(ag.zeros((50, 40)), 0.5, generator=ag.random.Generator(0)).numpy()
    assert ((w == 0).sum(0) == 25).all()
    assert len({tuple(column) for column in (w == 0).T}) == 40
    assert not init.sparse_(ag.ones((3, 2)), 1.0).numpy().any()
    assert init.sparse_(ag.zeros((3, 2)), 0.0).numpy().all()


@pytest.mark.parametrize(("name", "settings", "std", "largest"), SPREAD)
@pytest.mark.parametrize("shape", [(OUT, IN), (OUT, IN // 6, 2, 3)])
def test_spread_is_that_of_the_formula(name, settings, std, largest, shape):
    if "xavier" in name or settings.get("mode") == "fan_out":
        shape = (OUT, IN)  # with a receptive field, fan_out is another
    ag.random.seed(0)
    w = nn.Parameter(np.full(shape, 7.0, "float32"))
    assert FILLS[name](w, **settings) is w
    assert w.requires_grad
    assert w.dtype == np.float32
    assert w.numpy().std() == pytest.approx(std, rel=0.02, abs=1e-7)
    assert np.abs(w.numpy()).max() <= np.float32(largest)
    assert math.isinf(largest) or np.abs(w.numpy()).max() >= 0.99 * largest


def test_fan_out_counts_the_receptive_field():
    ag.random.seed(0)
    w = init.kaiming_normal_(ag.zeros((100, 20, 3, 4)), mode="fan_out", nonlinearity="linear")
    assert w.numpy().std() == pytest.approx(math.sqrt(1 / 1200), rel=0.02)
    w = init.xavier_normal_(ag.zeros((100, 20, 3, 4)))
    assert w.numpy().std() == pytest.approx(math.sqrt(2 / 1440), rel=0.02)


@pytest.mark.parametrize("name", sorted(n for n, f in FILLS.items() if "generator" in inspect.signature(f).parameters))
def test_numbers_come_from_the_generator(name):
    settings = {"sparsity": 0.3} if name == "sparse_" else {}

    def draw(seed):
        return FILLS[name](ag.zeros((4, 3)), **settings, generator=ag.random.Generator(seed)).tolist()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    ag.random.seed(1)
    assert FILLS[name](ag.zeros((4, 3)), **settings).tolist() == draw(1)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 2, 2)])
def test_orthogonal_rows_or_columns(shape):
    w = init.orthogonal_(ag.zeros(shape), gain=3.0).numpy().reshape(shape[0], -1)
    small = w @ w.T if len(w) <= len(w.T) else w.T @ w
    np.testing.assert_allclose(small, 9 * np.eye(len(small)), atol=1e-12)


@pytest.mark.parametrize(
    "make", [lambda **s: nn.Linear(300, 200, **s), lambda **s: nn.Conv2d(24, 100, (3, 4), groups=2, **s)]
)
def test_layers_start_within_one_over_the_root_of_fan_in(make):
    layer = make(generator=ag.random.Generator(0))
    bound = 1 / math.sqrt(math.prod(layer.weight.shape[1:]))
    for p in (layer.weight, layer.bias):
        assert 0.95 * bound < np.abs(p.numpy()).max() <= np.float32(bound)
        assert p.numpy().std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        assert p.dtype == np.float32
    again, double = make(generator=ag.random.Generator(0)), make(dtype="float64")
    np.testing.assert_array_equal(again.weight.numpy(), layer.weight.numpy())
    assert double.weight.dtype == double.bias.dtype == np.float64


def test_errors_say_what_is_expected():
    with pytest.raises(ShapeError, match=r"lecun_normal_ was given shape \(3,\), which has no fan_in"):
        init.lecun_normal_(ag.zeros(3))
    with pytest.raises(ShapeError, match="orthogonal_ was given"):
        init.orthogonal_(ag.zeros((0, 3)))
    with pytest.raises(ArgumentError, match=r"mode='in'. Expected 'fan_in' or 'fan_out'"):
        init.kaiming_normal_(ag.zeros((2, 2)), mode="in")
    with pytest.raises(ShapeError, match=r"eye_ was given shape \(2,\). Expected a matrix; write dirac_"):
        init.eye_(ag.zeros(2))
    with pytest.raises(ShapeError, match=r"dirac_ was given shape \(2, 2\). Expected \(out, in, kernel ...\)"):
        init.dirac_(ag.zeros((2, 2)))
    with pytest.raises(ArgumentError, match=r"dirac_ was given groups=2 for 3 outputs. Expected a divisor"):
        init.dirac_(ag.zeros((3, 1, 1)), groups=2)
    with pytest.raises(ShapeError, match=r"sparse_ was given shape \(2,\)"):
        init.sparse_(ag.zeros(2), 0.5)
    with pytest.raises(ArgumentError, match=r"sparsity=2. Expected the share of zeros, 0 to 1"):
        init.sparse_(ag.zeros((2, 2)), 2)
    for wrong in ({"a": 2.0}, {"std": 0.0}):
        with pytest.raises(ArgumentError, match=r"trunc_normal_ was given a=.* Expected a < b and std > 0"):
            init.trunc_normal_(ag.zeros(2), **wrong)
    with pytest.raises(ArgumentError, match=r"calculate_gain was given 'swish'. Expected one of: linear"):
        init.kaiming_uniform_(ag.zeros((2, 2)), nonlinearity="swish")


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("selu") == 0.75


# ---- from weights that were trained before


def old_and_new():
    old = nn.Sequential({"body": nn.Linear(2, 3), "head": nn.Linear(3, 5), "aux": nn.PReLU()})
    new = nn.Sequential(
        {"body": nn.Linear(2, 3), "norm": nn.BatchNorm1d(3), "head": nn.Linear(3, 2), "aus": nn.PReLU()}
    )
    return old, new


@pytest.mark.parametrize("form", ["module", "state", "arrays", "safetensors", "npz"])
def test_what_fits_is_taken_over_and_the_rest_reported(tmp_path, form):
    old, new = old_and_new()
    source = old
    if form == "state":
        source = old.state_dict()
    elif form == "arrays":
        source = {name: t.numpy() for name, t in old.state_dict().items()}
    elif form == "safetensors":
        source = tmp_path / "old.safetensors"
        nn.save(old, source)
    elif form == "npz":
        source = tmp_path / "old.npz"
        np.savez(source, **{name: t.numpy() for name, t in old.state_dict().items()})
    before = new.state_dict()
    found = init.from_pretrained(new, source)
    assert found.matched == ["body.weight", "body.bias"]
    assert found.missing == [
        *("norm.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked", "aus.weight")
    ]
    assert found.unexpected == ["aux.weight"]
    assert found.unfit == ["head.weight", "head.bias"]
    lines = repr(found).splitlines()
    assert lines[:2] == ["matched 2 of 10 entries of Sequential, 9 of 31 values", "  matched: body.weight, body.bias"]
    assert "  missing: aus.weight of shape (1,) (nearest: aux.weight)" in lines
    assert "  unexpected: aux.weight (nearest: aus.weight" in repr(found)
    assert "  wrong shape: head.weight is (5, 3) in the source, (2, 3) in the module" in lines
    for name, t in new.state_dict().items():
        np.testing.assert_array_equal(t, old.state_dict()[name] if name in found.matched else before[name])
    assert new.body.weight.requires_grad


def test_strictly_everything_must_fit():
    old, new = old_and_new()
    before = repr(new.state_dict())
    with pytest.raises(
        CheckpointError, match=r"does not fit this Sequential, and nothing of it was loaded:\n  missing: norm"
    ):
        init.from_pretrained(new, old, strict=True)
    with pytest.raises(CheckpointError, match=r"unexpected: other"):
        init.from_pretrained(new, {"other": [1.0]})
    assert repr(new.state_dict()) == before
    twin = old_and_new()[0]
    found = init.from_pretrained(twin, old, strict=True)
    assert (len(found.matched), found.missing, found.unexpected, found.unfit) == (5, [], [], [])
    assert repr(twin.state_dict()) == repr(old.state_dict())
    with pytest.raises(FileNotFoundError, match="nowhere"):
        init.from_pretrained(new, "nowhere.safetensors")


def test_a_seed_is_no_generator():
    for draw in (init.uniform_, init.normal_, init.trunc_normal_, init.orthogonal_, init.kaiming_uniform_):
        with pytest.raises(
            ArgumentError, match=r"generator=0\. Expected one of ag\.random: write generator=ag\.random"
        ):
            draw(ag.zeros((3, 3)), generator=0)
