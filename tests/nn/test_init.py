"""Starting values: their spread against the formula of each scheme, their seed, and their layers."""

import inspect
import math

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, ShapeError
from nn import init

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
    ("constant_", {"val": 0.5}, 0, 0.5),
    ("zeros_", {}, 0, 0),
    ("ones_", {}, 0, 1),
]


def test_every_scheme_is_in_the_table():
    assert {name for name, *_ in SPREAD} == set(FILLS)


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
    def draw(seed):
        return FILLS[name](ag.zeros((4, 3)), generator=ag.random.Generator(seed)).tolist()

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    ag.random.seed(1)
    assert FILLS[name](ag.zeros((4, 3))).tolist() == draw(1)


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
    with pytest.raises(ArgumentError, match=r"calculate_gain was given 'swish'. Expected one of: linear"):
        init.kaiming_uniform_(ag.zeros((2, 2)), nonlinearity="swish")


def test_gains():
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("selu") == 0.75
