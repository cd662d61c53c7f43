"""Activations: kinks, far out, kernels against the plain composition, random slopes, and what is refused."""

import inspect

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from nn import activation, gate, hard, rectifier, shrink, softmax

INF = np.inf
MADE = {  # every activation with what it is made with
    nn.CELU: (0.5,),
    nn.ELU: (0.5,),
    nn.GELU: (),
    nn.GLU: (),
    nn.Hardshrink: (0.5,),
    nn.Hardsigmoid: (),
    nn.Hardswish: (),
    nn.Hardtanh: (-2.0, 1.0),
    nn.LeakyReLU: (0.25,),
    nn.LogSigmoid: (),
    nn.LogSoftmax: (-1,),
    nn.Mish: (),
    nn.PReLU: (1, 0.25),
    nn.RReLU: (0.25, 0.25),
    nn.ReLU: (),
    nn.ReLU6: (),
    nn.SELU: (),
    nn.SiLU: (),
    nn.Sigmoid: (),
    nn.Softmax: (-1,),
    nn.Softmax2d: (),
    nn.Softmin: (-1,),
    nn.Softplus: (),
    nn.Softshrink: (0.5,),
    nn.Softsign: (),
    nn.Tanh: (),
    nn.Tanhshrink: (),
    nn.Threshold: (1.0, -3.0),
}
SELU = 1.0507009873554805
# the value and the slope at -inf and at +inf, of each activation that takes one number to one number
LIMITS = {
    nn.CELU: ((-0.5, 0), (INF, 1)),
    nn.ELU: ((-0.5, 0), (INF, 1)),
    nn.Hardshrink: ((-INF, 1), (INF, 1)),
    nn.Hardsigmoid: ((0, 0), (1, 0)),
    nn.Hardswish: ((0, 0), (INF, 1)),
    nn.Hardtanh: ((-2, 0), (1, 0)),
    nn.LeakyReLU: ((-INF, 0.25), (INF, 1)),
    nn.LogSigmoid: ((-INF, 1), (0, 0)),
    nn.Mish: ((0, 0), (INF, 1)),
    nn.PReLU: ((-INF, 0.25), (INF, 1)),
    nn.RReLU: ((-INF, 0.25), (INF, 1)),
    nn.ReLU: ((0, 0), (INF, 1)),
    nn.ReLU6: ((0, 0), (6, 0)),
    nn.SELU: ((-SELU * 1.6732632423543772, 0), (INF, SELU)),
    nn.SiLU: ((0, 0), (INF, 1)),
    nn.Sigmoid: ((0, 0), (1, 0)),
    nn.Softplus: ((0, 0), (INF, 1)),
    nn.Softshrink: ((-INF, 1), (INF, 1)),
    nn.Softsign: ((-1, 0), (1, 0)),
    nn.Tanh: ((-1, 0), (1, 0)),
    nn.Tanhshrink: ((-INF, 1), (INF, 1)),
    nn.Threshold: ((-3, 0), (INF, 1)),
}
# where, and the slope there
KINKS = {
    "ReLU": (nn.ReLU(), {0: 0}),
    "ReLU6": (nn.ReLU6(), {0: 0, 6: 1}),
    "LeakyReLU": (nn.LeakyReLU(0.25), {0: 0.25}),
    "PReLU": (nn.PReLU(1, 0.25), {0: 0.25}),
    "RReLU": (nn.RReLU(0.25, 0.25), {0: 0.25}),
    "ELU": (nn.ELU(0.5), {0: 0.5}),
    "CELU": (nn.CELU(0.5), {0: 1}),
    "SELU": (nn.SELU(), {0: SELU * 1.6732632423543772}),
    "Threshold": (nn.Threshold(1.0, -3.0), {1: 0}),
    "Hardtanh": (nn.Hardtanh(-2.0, 1.0), {-2: 1, 1: 1}),
    "Hardsigmoid": (nn.Hardsigmoid(), {-3: 1 / 6, 3: 1 / 6}),
    "Hardswish": (nn.Hardswish(), {-3: -0.5, 3: 1.5}),
    "Hardshrink": (nn.Hardshrink(0.5), {-0.5: 0, 0.5: 0}),
    "Softshrink": (nn.Softshrink(0.5), {-0.5: 0, 0.5: 0}),
    "Softsign": (nn.Softsign(), {0: 1}),
    "Softplus": (nn.Softplus(1.0, 1.0), {1: 1 / (1 + np.exp(-1))}),
}
every_made = pytest.mark.parametrize("kind", MADE, ids=lambda kind: kind.__name__)
every_limit = pytest.mark.parametrize("kind", LIMITS, ids=lambda kind: kind.__name__)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


def made(kind, dtype="float64"):
    return kind(*MADE[kind]).to(dtype)


def differentiated(layer, x, kernels):
    """The value, and the gradient of its sum; by kernels or not."""
    t = ag.tensor(x, requires_grad=True)
    before, config.kernels = config.kernels, kernels
    try:
        y = layer(t)
        y.sum().backward()
    finally:
        config.kernels = before
    return y.detach().numpy(), t.grad.numpy()


def test_every_activation_is_here():
    rooms = (activation, gate, hard, rectifier, shrink, softmax)
    found = {c for room in rooms for c in vars(room).values() if inspect.isclass(c) and c.__module__ == room.__name__}
    assert found == set(MADE)
    assert set(LIMITS) == set(MADE) - {nn.GELU, nn.GLU, nn.Softmax, nn.Softmin, nn.LogSoftmax, nn.Softmax2d}


@pytest.mark.parametrize("name", KINKS)
@every_dtype
@pytest.mark.parametrize("size", [1, 5000])
def test_the_slope_at_a_kink_is_the_one_that_is_written(name, dtype, size):
    layer, slopes = KINKS[name]
    for at, slope in slopes.items():
        y, gradient = differentiated(layer.to(dtype), np.full(size, at, dtype), True)
        assert gradient.dtype == y.dtype == dtype
        np.testing.assert_allclose(gradient, np.full(size, slope), rtol=1e-6)


@every_limit
@every_dtype
@pytest.mark.parametrize("size", [1, 5000])
def test_infinities_give_the_limits(kind, dtype, size):
    for at, (value, slope) in zip((-INF, INF), LIMITS[kind], strict=True):
        y, gradient = differentiated(made(kind, dtype), np.full(size, at, dtype), True)
        np.testing.assert_allclose(y, np.full(size, value), rtol=1e-6)
        np.testing.assert_allclose(gradient, np.full(size, slope), rtol=1e-6)


@every_limit
@every_dtype
@pytest.mark.parametrize("size", [1, 5000])
@pytest.mark.parametrize("far", [90.0, 1e4, 1e18])
def test_far_out_is_near_the_limits(kind, dtype, size, far):
    for at, (value, slope) in zip((-far, far), LIMITS[kind], strict=True):
        y, gradient = differentiated(made(kind, dtype), np.full(size, at, dtype), True)
        expected = value if np.isfinite(value) else np.copysign(far, value) * slope
        near = 1 / far if kind is nn.Softsign else 1e-6 + 1 / far if kind in (nn.Tanhshrink, nn.Softshrink) else 1e-6
        np.testing.assert_allclose(y, np.full(size, expected), rtol=near, atol=near)
        np.testing.assert_allclose(gradient, np.full(size, slope), rtol=1e-6, atol=near)


@every_made
@every_dtype
@pytest.mark.parametrize("far", [1e4, 1e18])
@pytest.mark.parametrize("size", [1, 3000])
def test_large_inputs_give_no_nan_to_second_order(kind, dtype, far, size):
    if kind is nn.GELU and far > 1e9:
        far = 1e9  # x^3 of the tanh form is beyond float32
    x = ag.tensor(np.tile([[-far, far], [1.0, -2.0]], (1, 1, size)).reshape(1, 4, size, 1).astype(dtype))
    layer, t = made(kind, dtype), x.requires_grad_()
    t = ag.moveaxis(t, 1, -1) if kind is not nn.Softmax2d else t
    y = layer(t)
    (g,) = ag.grad((y * y / far).sum(), x, create_graph=True)
    (h,) = ag.grad(g.sum(), x, allow_unused=True) if g.requires_grad else (g,)
    for found in (y, g, h):
        assert found.dtype == dtype
        assert np.isfinite(found.detach().numpy()).all()


@every_made
@every_dtype
def test_kernels_and_composition_agree(kind, dtype):
    x = np.random.default_rng(0).normal(0, 3, (2, 4, 40, 20)).astype(dtype)
    layer, plain = made(kind, dtype), made(kind)
    for ours, theirs in zip(differentiated(layer, x, True), differentiated(plain, np.float64(x), False), strict=True):
        assert ours.dtype == dtype
        tolerance = 1e-12 if dtype == "float64" else 3e-6
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@every_made
def test_nan_stays_nan(kind):
    y = made(kind)(ag.full((1, 2, 2, 2), np.nan))
    assert np.isnan(y.detach().numpy()).all()


def test_large_inputs_run_as_kernels():
    x = ag.ones((2, 4, 40, 20), requires_grad=True)
    for kind in MADE:
        made(kind)(x)
    nn.GELU("tanh")(x)
    fused = {n: f for room in (activation, gate, hard, rectifier, shrink) for n, f in vars(room).items()}
    fused = {n: f for n, f in fused.items() if isinstance(f, type(gate.silu)) and n != "_gelu"}  # erfc has no kernel
    assert len(fused) > 14
    assert {n: f.reasons() for n, f in fused.items()} == {n: [] for n in fused}
    assert all(f.plans for f in fused.values())


# ---- random slopes


def test_random_slopes_lie_in_their_range_and_are_reproducible():
    layer = nn.RReLU(0.2, 0.4, generator=ag.random.Generator(0))
    x = ag.full((1000,), -1.0, dtype="float32", requires_grad=True)
    y = layer(x)
    y.sum().backward()
    slopes = -y.detach().numpy()
    assert slopes.dtype == np.float32
    np.testing.assert_array_equal(x.grad, slopes)
    assert slopes.min() >= 0.2
    assert slopes.max() < 0.4 + 1e-7
    assert slopes.mean() == pytest.approx(0.3, abs=0.01)
    again = F.rrelu(x, 0.2, 0.4, training=True, generator=ag.random.Generator(0))
    np.testing.assert_array_equal(again.detach(), y.detach())
    assert (layer(x).detach().numpy() != y.detach().numpy()).mean() > 0.9


def test_positive_inputs_pass_a_random_rectifier():
    x = ag.tensor([1.0, 2.0])
    np.testing.assert_array_equal(nn.RReLU()(x), [1.0, 2.0])


def test_the_default_stream_is_used_without_a_generator():
    x = ag.full((4,), -1.0)
    ag.random.seed(7)
    first = nn.RReLU()(x)
    ag.random.seed(7)
    np.testing.assert_array_equal(nn.RReLU()(x), first)


def test_each_channel_has_a_slope_of_its_own():
    layer = nn.PReLU(3, dtype="float64")
    with ag.no_grad():
        layer.weight.copy_([0.0, 0.5, 2.0])
    y = layer(ag.full((2, 3, 2), -1.0))
    np.testing.assert_array_equal(y.detach()[:, :, 0], [[0.0, -0.5, -2.0]] * 2)
    y.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad, [-4.0, -4.0, -4.0])


def test_probabilities_of_each_position_sum_to_one():
    y = nn.Softmax2d()(ag.tensor(np.random.default_rng(0).normal(size=(2, 3, 4, 5)))).numpy()
    np.testing.assert_allclose(y.sum(1), np.ones((2, 4, 5)))


# ---- bad input

WRONG = {
    "prelu, channels": (
        lambda: F.prelu(ag.ones((2, 4)), ag.ones(3)),
        ShapeError,
        r"prelu was given a weight of shape \(3,\) for an input of shape \(2, 4\). Expected \(1,\) or \(4,\)",
    ),
    "prelu, vector": (lambda: F.prelu(ag.ones(3), ag.ones(3)), ShapeError, r"shape \(3,\). Expected \(1,\)\.$"),
    "prelu, int": (lambda: F.prelu(ag.ones(3, dtype="int64"), ag.ones(1)), DTypeError, r"prelu.*int64"),
    "PReLU": (lambda: nn.PReLU(0), ArgumentError, r"PReLU was given num_parameters=0. Expected 1, or one for each"),
    "rrelu": (lambda: F.rrelu(ag.ones(3), 0.5, 0.25), ArgumentError, r"rrelu was given lower=0.5 and upper=0.25"),
    "rrelu, int": (lambda: F.rrelu(ag.ones(3, dtype="int64"), training=True), DTypeError, r"rrelu.*int64"),
    "RReLU": (lambda: nn.RReLU(0.5, 0.25), ArgumentError, r"RReLU was given lower=0.5 and upper=0.25. Expected lower"),
    "celu": (lambda: F.celu(ag.ones(3), 0.0), ArgumentError, r"celu was given alpha=0.0. Expected a positive number"),
    "CELU": (lambda: nn.CELU(-1.0), ArgumentError, r"CELU was given alpha=-1.0. Expected a positive number"),
    "hardtanh": (
        lambda: F.hardtanh(ag.ones(3), 1.0, 1.0),
        ArgumentError,
        r"hardtanh was given min_val=1.0 and max_val",
    ),
    "Hardtanh": (lambda: nn.Hardtanh(2.0, 1.0), ArgumentError, r"Hardtanh was given min_val=2.0 and max_val=1.0. Exp"),
    "hardshrink": (lambda: F.hardshrink(ag.ones(3), -1.0), ArgumentError, r"hardshrink was given lambd=-1.0. Expected"),
    "Hardshrink": (lambda: nn.Hardshrink(-1.0), ArgumentError, r"Hardshrink was given lambd=-1.0. Expected a number"),
    "softshrink": (lambda: F.softshrink(ag.ones(3), -1.0), ArgumentError, r"softshrink was given lambd=-1.0. Expected"),
    "Softshrink": (lambda: nn.Softshrink(-1.0), ArgumentError, r"Softshrink was given lambd=-1.0. Expected a number"),
    "glu, odd": (
        lambda: F.glu(ag.ones((2, 3))),
        ShapeError,
        r"glu.*shape \(2, 3\), whose axis -1 has the odd length 3",
    ),
    "glu, axis": (lambda: nn.GLU(2)(ag.ones((2, 4))), IndexOutOfRange, r"glu was given dim=2 for an input of 2 axes"),
    "Softmax2d": (
        lambda: nn.Softmax2d()(ag.ones((2, 4))),
        ShapeError,
        r"Softmax2d.*\(2, 4\).*\nWrite Softmax\(dim=1\)",
    ),
    "gelu": (lambda: F.gelu(ag.ones(2), "fast"), ArgumentError, r"gelu was given approximate='fast'. Expected 'none'"),
    "GELU": (lambda: nn.GELU("fast"), ArgumentError, r"GELU was given approximate='fast'. Expected 'none' or 'tanh'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused(name):
    call, error, words = WRONG[name]
    with pytest.raises(error, match=words):
        call()
