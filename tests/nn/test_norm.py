"""Normalisation: statistics, running statistics, kernels against the plain composition, and what is refused."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError

BATCHES = [(nn.BatchNorm1d, (6, 3)), (nn.BatchNorm1d, (6, 3, 4)), (nn.BatchNorm2d, (6, 3, 4, 2))]
BATCHES += [(nn.BatchNorm3d, (6, 3, 4, 2, 2))]
every_batch = pytest.mark.parametrize(("kind", "shape"), BATCHES)


def numbers(shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(2, 3, shape).astype(dtype)


def over_channels(x):
    return (0, *range(2, x.ndim))


# ---- kernels: arrays of more than a few thousand elements

LARGE = {
    "LayerNorm": (lambda: nn.LayerNorm(48), (20, 6, 48)),
    "LayerNorm, two axes": (lambda: nn.LayerNorm((6, 48)), (20, 6, 48)),
    "LayerNorm, no bias": (lambda: nn.LayerNorm(48, bias=False), (120, 48)),
    "LayerNorm, plain": (lambda: nn.LayerNorm(48, elementwise_affine=False), (120, 48)),
    "RMSNorm": (lambda: nn.RMSNorm(48), (20, 6, 48)),
    "RMSNorm, plain": (lambda: nn.RMSNorm(48, elementwise_affine=False), (120, 48)),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(48), (120, 48)),
    "BatchNorm1d, positions": (lambda: nn.BatchNorm1d(6), (20, 6, 48)),
    "BatchNorm1d, evaluation": (lambda: nn.BatchNorm1d(48).eval(), (120, 48)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(6), (20, 6, 8, 6)),
    "BatchNorm2d, evaluation": (lambda: nn.BatchNorm2d(6).eval(), (20, 6, 8, 6)),
    "GroupNorm": (lambda: nn.GroupNorm(3, 6), (20, 6, 8, 6)),
    "InstanceNorm2d": (lambda: nn.InstanceNorm2d(6, affine=True), (20, 6, 8, 6)),
}


def run(make, shape, dtype, kernels):
    layer = make().to(dtype)
    with ag.no_grad():
        for k, p in enumerate(layer.parameters()):
            p.copy_(numbers(p.shape, k + 1))
    x = ag.tensor(numbers(shape, dtype=dtype), requires_grad=True)
    before, config.kernels = config.kernels, kernels
    try:
        y = layer(x)
        (y * ag.tensor(numbers(shape, 9, dtype))).sum().backward()
        quiet = layer(x.detach())
    finally:
        config.kernels = before
    return [y, x.grad, *(p.grad for p in layer.parameters()), *layer.buffers(), quiet]


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 2e-4)])
def test_kernels_and_composition_agree(name, dtype, tolerance):
    make, shape = LARGE[name]
    compared = zip(run(make, shape, dtype, True), run(make, shape, "float64", False), strict=True)
    for ours, plain in compared:
        assert ours.dtype.kind == "i" or ours.dtype == dtype
        scale = max(1.0, np.abs(plain.detach().numpy()).max())
        np.testing.assert_allclose(ours.detach(), plain.detach(), rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 8), (600, 8)])
def test_an_offset_does_not_cost_the_digits_of_the_variance(shape, dtype):
    x = numbers(shape) + 1e4
    exact = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    y = F.layer_norm(ag.tensor(x.astype(dtype)), 8, eps=0.0)
    np.testing.assert_allclose(y, exact, atol=2e-3 if dtype == "float32" else 1e-10)


@pytest.mark.parametrize("rows", [2, 600])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: F.layer_norm(x, 8),
        lambda x: F.group_norm(x, 2),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.instance_norm(ag.expand_dims(x, 1)),
        lambda x: F.rms_norm(x - 3, 8),
        lambda x: F.normalize(x - 3),
        lambda x: F.local_response_norm(ag.expand_dims(x - 3, 2), 3),
    ],
)
def test_equal_elements_give_zeros_and_a_finite_gradient(f, rows):
    x = ag.full((rows, 8), 3.0, requires_grad=True)
    y = f(x)
    (y * ag.arange(8, dtype="float64").reshape(8, *(1,) * (y.ndim == 3 and y.shape[2] == 1))).sum().backward()
    np.testing.assert_array_equal(y.detach(), 0)
    assert np.isfinite(x.grad.value).all()


# ---- batch normalisation


@every_batch
def test_training_normalises_each_channel_over_the_batch(kind, shape):
    x = numbers(shape)
    y = kind(3, eps=0.0).to("float64")(ag.tensor(x)).detach().numpy()
    axes = over_channels(x)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axes), 1, rtol=1e-12)


@every_batch
def test_running_statistics_move_towards_those_of_the_batch(kind, shape):
    layer = kind(3, momentum=0.25).to("float64")
    mean, variance = np.zeros(3), np.ones(3)
    for seed in range(3):
        x = numbers(shape, seed)
        layer(ag.tensor(x, requires_grad=True))
        mean = 0.75 * mean + 0.25 * x.mean(over_channels(x))
        variance = 0.75 * variance + 0.25 * x.var(over_channels(x), ddof=1)
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, variance, rtol=1e-12)
    assert not layer.running_var.requires_grad
    assert layer.num_batches_tracked.item() == 3
    assert layer.num_batches_tracked.dtype == np.int64


@every_batch
def test_without_momentum_they_are_averages_over_the_batches(kind, shape):
    layer = kind(3, momentum=None).to("float64")
    batches = [numbers(shape, seed) for seed in range(4)]
    for x in batches:
        layer(ag.tensor(x))
    np.testing.assert_allclose(layer.running_mean, np.mean([x.mean(over_channels(x)) for x in batches], 0))
    np.testing.assert_allclose(layer.running_var, np.mean([x.var(over_channels(x), ddof=1) for x in batches], 0))


@every_batch
def test_evaluation_uses_running_statistics_and_leaves_them_alone(kind, shape):
    layer = kind(3).to("float64")
    layer(ag.tensor(numbers(shape)))
    state = layer.eval().state_dict()
    x, wide = numbers((1, *shape[1:]), 5), (-1, *(1,) * (len(shape) - 2))
    mean, variance = (state[name].value.reshape(wide) for name in ("running_mean", "running_var"))
    np.testing.assert_allclose(layer(ag.tensor(x)).detach(), (x - mean) / np.sqrt(variance + 1e-5), rtol=1e-12)
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_the_function_moves_the_statistics_it_is_given():
    mean, variance = ag.zeros(2), ag.ones(2)
    x = ag.tensor([[1.0, 0.0], [3.0, 4.0]])
    F.batch_norm(x, mean, variance, training=True, momentum=0.5)
    assert (mean.tolist(), variance.tolist()) == ([1.0, 1.0], [1.5, 4.5])
    F.batch_norm(x, mean, variance)
    assert (mean.tolist(), variance.tolist()) == ([1.0, 1.0], [1.5, 4.5])


def test_the_state_has_the_names_of_pytorch():
    expected = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert list(nn.BatchNorm2d(3).state_dict()) == expected
    assert list(nn.BatchNorm2d(3, affine=False).state_dict()) == expected[2:]
    assert list(nn.BatchNorm2d(3, track_running_stats=False).state_dict()) == expected[:2]
    assert list(nn.InstanceNorm2d(3).state_dict()) == []
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]


def test_a_mean_of_what_is_frozen_still_moves():
    layer = nn.BatchNorm1d(2).requires_grad_(False)
    layer(ag.ones((4, 2), dtype="float32"))
    np.testing.assert_allclose(layer.running_mean, [0.1, 0.1], rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (nn.BatchNorm1d, (1, 3)),
        (nn.BatchNorm1d, (1, 3, 1)),
        (nn.BatchNorm2d, (1, 3, 1, 1)),
        (nn.BatchNorm3d, (1, 3, 1, 1, 1)),
        (nn.BatchNorm1d, (0, 3)),
    ],
)
def test_a_batch_of_one_is_refused_in_training(kind, shape):
    x = ag.ones(shape, dtype="float32")
    layer = kind(3)
    with pytest.raises(ShapeError) as caught:
        layer(x)
    message = str(caught.value)
    assert message.startswith(f"{kind.__name__}(3, eps=1e-05")
    assert f"a batch of shape {shape} in training mode" in message
    assert "drop_last=True" in message
    assert "model.eval()" in message
    assert layer.eval()(x).shape == shape


def test_a_refused_batch_does_not_count():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ShapeError, match="in training mode"):
        layer(ag.ones((1, 3), dtype="float32"))
    assert layer.num_batches_tracked.item() == 0


# ---- relations between layers


@pytest.mark.parametrize("shape", [(0, 4), (0, 4, 3), (0, 4, 3, 2)])
def test_groups_of_no_samples(shape):
    layer, x = nn.GroupNorm(2, 4), ag.zeros(shape, "float32", requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
    assert not layer.weight.grad.numpy().any()


def test_one_group_is_layer_norm_and_a_group_for_each_channel_is_instance_norm():
    x = ag.tensor(numbers((3, 4, 5)))
    np.testing.assert_allclose(F.group_norm(x, 1), F.layer_norm(x, (4, 5)), rtol=1e-12)
    np.testing.assert_allclose(F.group_norm(x, 4), F.instance_norm(x), rtol=1e-12)


def test_a_bias_alone_is_added():
    x, b = ag.tensor(numbers((3, 4))), ag.tensor(numbers((4,), 1))
    np.testing.assert_allclose(F.layer_norm(x, 4, bias=b), F.layer_norm(x, 4) + b, rtol=1e-12)
    np.testing.assert_allclose(F.group_norm(x, 2, bias=b), F.group_norm(x, 2) + b, rtol=1e-12)
    np.testing.assert_allclose(
        F.batch_norm(x, None, None, bias=b, training=True), F.batch_norm(x, None, None, training=True) + b, rtol=1e-12
    )


def test_the_default_eps_of_rms_norm_is_that_of_the_dtype():
    for dtype in ("float32", "float64"):
        x = np.full(4, 1e-4, dtype)
        expected = 1e-4 / np.sqrt(1e-8 + np.finfo(dtype).eps)
        np.testing.assert_allclose(F.rms_norm(ag.tensor(x), 4), np.full(4, expected), rtol=1e-5)


# ---- division by a norm


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_normalize_gives_vectors_of_length_one(p, dim):
    x = numbers((3, 4))
    y = F.normalize(ag.tensor(x), p, dim)
    np.testing.assert_allclose(y, x / np.linalg.norm(x, p, dim, keepdims=True), rtol=1e-12)
    result = ag.gradcheck(lambda t: F.normalize(t, p, dim), [ag.tensor(x)])
    assert result, result


def test_normalize_divides_what_is_short_by_eps():
    x = ag.tensor([[3e-3, 4e-3], [0.0, 0.0]], requires_grad=True)
    y = F.normalize(x, eps=0.1)
    y.sum().backward()
    np.testing.assert_allclose(y.detach(), [[0.03, 0.04], [0.0, 0.0]])
    np.testing.assert_allclose(x.grad, np.full((2, 2), 10.0))


def test_the_response_is_over_neighbouring_channels():
    x = numbers((2, 5, 3))
    y = F.local_response_norm(ag.tensor(x), 4, alpha=0.5, beta=0.6, k=2.0).numpy()
    for c in range(5):
        power = (x[:, max(0, c - 2) : c + 2] ** 2).sum(1) / 4
        np.testing.assert_allclose(y[:, c], x[:, c] / (2 + 0.5 * power) ** 0.6, rtol=1e-12)


# ---- bad input

ONES = {k: ag.ones((2, 3, 4, 5)[:k]) for k in range(5)}
WRONG = {
    "LayerNorm, length": (lambda: nn.LayerNorm(5)(ONES[2]), ShapeError, r"LayerNorm\(\(5,\).*Expected \(\.\.\., 5\)"),
    "LayerNorm, fix": (lambda: nn.LayerNorm(5)(ONES[2]), ShapeError, r"Write LayerNorm\(3\) for its last axis"),
    "LayerNorm, rank": (lambda: nn.LayerNorm((2, 3))(ONES[1]), ShapeError, r"shape \(2,\). Expected \(\.\.\., 2, 3\)"),
    "LayerNorm, scalar": (lambda: nn.LayerNorm(2)(ONES[0]), ShapeError, r"shape \(\). Expected \(\.\.\., 2\)\.$"),
    "LayerNorm, int": (lambda: nn.LayerNorm(3)(ag.ones((2, 3), dtype="int64")), DTypeError, r"LayerNorm.* int64"),
    "LayerNorm, sizes": (lambda: nn.LayerNorm(0), ArgumentError, r"LayerNorm was given normalized_shape=0. Expected"),
    "LayerNorm, none": (lambda: nn.LayerNorm(()), ArgumentError, r"LayerNorm was given normalized_shape=\(\)"),
    "RMSNorm, length": (lambda: nn.RMSNorm(5)(ONES[2]), ShapeError, r"RMSNorm\(\(5,\).*\nWrite RMSNorm\(3\)"),
    "RMSNorm, sizes": (lambda: nn.RMSNorm((2, -1)), ArgumentError, r"RMSNorm was given normalized_shape=\(2, -1\)"),
    "layer_norm, length": (lambda: F.layer_norm(ONES[2], 5), ShapeError, r"Write layer_norm\(x, 3\)"),
    "layer_norm, weight": (lambda: F.layer_norm(ONES[2], 3, ag.ones(2)), ShapeError, r"a weight of shape \(2,\). Exp"),
    "layer_norm, bias": (lambda: F.layer_norm(ONES[2], 3, None, ag.ones(2)), ShapeError, r"a bias of shape \(2,\)"),
    "rms_norm, weight": (lambda: F.rms_norm(ONES[2], 3, ag.ones(2)), ShapeError, r"rms_norm was given a weight of"),
    "BatchNorm1d, rank": (lambda: nn.BatchNorm1d(3)(ONES[4]), ShapeError, r"Expected \(N, C\) or \(N, C, L\), C = 3"),
    "BatchNorm2d, rank": (lambda: nn.BatchNorm2d(3)(ONES[3]), ShapeError, r"BatchNorm2d.*Expected \(N, C, H, W\), C ="),
    "BatchNorm3d, rank": (lambda: nn.BatchNorm3d(3)(ONES[4]), ShapeError, r"Expected \(N, C, D, H, W\), C = 3"),
    "BatchNorm2d, channels": (lambda: nn.BatchNorm2d(4)(ONES[4]), ShapeError, r"3 channels. Expected 4.\nWrite BatchN"),
    "BatchNorm1d, int": (lambda: nn.BatchNorm1d(3)(ag.ones((2, 3), dtype="int64")), DTypeError, r"dtype int64"),
    "BatchNorm1d, size": (lambda: nn.BatchNorm1d(0), ArgumentError, r"BatchNorm1d was given num_features=0"),
    "batch_norm, rank": (lambda: F.batch_norm(ONES[1], None, None), ShapeError, r"batch_norm was given an input of"),
    "batch_norm, mean": (
        lambda: F.batch_norm(ONES[2], ag.ones(2), ag.ones(3)),
        ShapeError,
        r"batch_norm was given a running_mean of shape \(2,\) for an input of shape \(2, 3\). Expected \(3,\)",
    ),
    "batch_norm, one": (
        lambda: F.batch_norm(ag.ones((1, 3)), None, None, training=True),
        ShapeError,
        r"batch_norm was given a batch of shape \(1, 3\) in training mode: 1 value for each channel",
    ),
    "GroupNorm, groups": (
        lambda: nn.GroupNorm(3, 4),
        ArgumentError,
        r"GroupNorm was given num_groups=3 for 4 channels",
    ),
    "GroupNorm, channels": (lambda: nn.GroupNorm(2, 4)(ONES[2]), ShapeError, r"GroupNorm\(2, 4.*C = 4"),
    "group_norm, groups": (lambda: F.group_norm(ONES[2], 2), ArgumentError, r"num_groups=2 for 3 channels. Expected a"),
    "group_norm, rank": (
        lambda: F.group_norm(ONES[1], 1),
        ShapeError,
        r"group_norm was given an input of shape \(2,\)",
    ),
    "InstanceNorm1d, one": (
        lambda: nn.InstanceNorm1d(3)(ag.ones((2, 3, 1))),
        ShapeError,
        r"InstanceNorm1d\(3.*\(2, 3, 1\): 1 position for each channel.*\n?.*\nWrite LayerNorm or GroupNorm",
    ),
    "InstanceNorm2d, rank": (lambda: nn.InstanceNorm2d(3)(ONES[2]), ShapeError, r"Expected \(N, C, H, W\), C = 3"),
    "instance_norm, rank": (lambda: F.instance_norm(ONES[2]), ShapeError, r"instance_norm was given an input of shape"),
    "LocalResponseNorm, size": (lambda: nn.LocalResponseNorm(0), ArgumentError, r"LocalResponseNorm was given size=0"),
    "LocalResponseNorm, rank": (
        lambda: nn.LocalResponseNorm(2)(ONES[2]),
        ShapeError,
        r"LocalResponseNorm\(2.*\(2, 3\)",
    ),
    "local_response_norm": (lambda: F.local_response_norm(ONES[3], 0), ArgumentError, r"local_response_norm was given"),
    "normalize, axis": (lambda: F.normalize(ONES[1]), IndexOutOfRange, r"norm was given axis 1"),
    "normalize, int": (
        lambda: F.normalize(ag.ones((2, 2), dtype="int64")),
        DTypeError,
        r"normalize was given an input",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name):
    call, error, words = WRONG[name]
    with pytest.raises(error, match=words):
        call()
