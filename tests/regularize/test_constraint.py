"""Constraints and decay: what they do to weights of every shape, and when a training calls them."""

import numpy as np
import pytest

import autograd as ag
import nn
import optim
import regularize
from autograd.config import config
from autograd.errors import ArgumentError
from regularize import AfterStep, DecoupledDecay, MaxNorm, MinMaxNorm, NonNeg, UnitNorm

KINDS = [c for c in vars(regularize).values() if isinstance(c, type) and c.__base__ is regularize.Constraint]
KINDS.remove(NonNeg)  # has no length
EXPECTED = {
    "MaxNorm": lambda w, length: w * np.minimum(1, 3 / length),
    "MinMaxNorm": lambda w, length: w * np.minimum(1, 1 / length),
    "UnitNorm": lambda w, length: w / length,
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def test_every_constraint_is_in_the_table():
    assert {kind.__name__ for kind in KINDS} == set(EXPECTED)


@every_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("shape", "axis", "over"),
    [
        ((4, 6), None, (1,)),
        ((4, 6), 0, (0,)),
        ((90, 60), None, (1,)),
        ((4, 3, 2, 2), None, (1, 2, 3)),
        ((4, 3, 5), (-1, 0), (0, 2)),
        ((12,), None, (0,)),
    ],
)
def test_lengths_over_axes(kind, dtype, shape, axis, over):
    start = 3 * np.random.default_rng(0).standard_normal(shape).astype(dtype)
    start[0] /= 10
    expected = EXPECTED[kind.__name__](start, np.sqrt((start**2).sum(axis=over, keepdims=True)))
    for kernels in (True, False):
        w = ag.tensor(start, requires_grad=True)
        with config.using(kernels=kernels):
            kind(axis=axis).apply_(w)
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-6 if dtype == "float32" else 1e-14)
        assert w.dtype == dtype
        assert w.requires_grad
        assert w.is_leaf


@every_kind
def test_zeros_stay_zeros(kind):
    w = ag.zeros((2, 3), requires_grad=True)
    kind().apply_([w])
    assert not w.numpy().any()


@pytest.mark.parametrize("rate", [1.0, 0.25])
def test_lengths_come_into_a_range(rate):
    start = np.array([[0.3, 0.4], [0.6, 0.8], [1.5, 2.0], [6.0, 8.0], [0.0, 0.0]])
    w = ag.tensor(start, requires_grad=True)
    MinMaxNorm(0.75, 2.5, rate).apply_(w)
    length = np.array([0.5, 1.0, 2.5, 10.0])
    wanted = rate * np.clip(length, 0.75, 2.5) + (1 - rate) * length
    np.testing.assert_allclose(w.numpy()[:4], start[:4] * (wanted / length)[:, None], rtol=1e-15)
    assert np.array_equal(w.numpy()[[1, 2, 4]], start[[1, 2, 4]])  # to the bit


def test_nothing_is_below_zero():
    start = np.random.default_rng(0).standard_normal((40, 50)).astype("float32")
    w = ag.tensor(start, requires_grad=True)
    NonNeg().apply_(w)
    np.testing.assert_array_equal(w.numpy(), np.maximum(start, 0))
    assert w.is_leaf
    assert w.dtype == np.float32


def test_what_is_short_enough_is_left_to_the_bit():
    start = np.random.default_rng(0).standard_normal((5, 4))
    w = ag.tensor(start, requires_grad=True)
    MaxNorm(100.0).apply_(w)
    assert w.tolist() == start.tolist()


def test_names_can_be_left_alone():
    layer = nn.Linear(3, 4)
    bias = layer.bias.tolist()
    UnitNorm().apply_(layer, exclude="*bias")
    np.testing.assert_allclose(np.linalg.norm(layer.weight.numpy(), axis=1), 1, rtol=1e-6)
    assert layer.bias.tolist() == bias


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_decoupled_decay_is_a_factor_apart_from_the_step(kind):
    start = np.array([1.0, -2.0, 0.5])
    decayed, plain = (ag.tensor(start, requires_grad=True) for _ in range(2))
    decay = DecoupledDecay(0.5, decayed)
    for w in (decayed, plain):
        optimizer = kind([w], lr=0.1)
        (w * w).sum().backward()
        optimizer.step()
    decay.apply_(0.1)
    np.testing.assert_allclose(decayed.numpy(), plain.numpy() * (1 - 0.1 * 0.5), rtol=1e-15)


def test_decay_of_groups():
    body, head = nn.Linear(2, 2), nn.Linear(2, 1)
    before = [t.numpy().copy() for t in (body.weight, body.bias, head.weight)]
    DecoupledDecay(0.5, [{"params": body, "exclude": "bias"}, {"params": head, "alpha": 1.0}]).apply_(0.5)
    for t, old, factor in zip((body.weight, body.bias, head.weight), before, (0.75, 1.0, 0.5), strict=True):
        np.testing.assert_allclose(t.numpy(), old * np.float32(factor), rtol=1e-7)
        assert t.dtype == np.float32


@pytest.mark.parametrize(("lr", "left"), [(0.0, [2.0, -4.0]), (0.5, [0.0, 0.0]), (0.25, [1.0, -2.0])])
def test_decay_at_the_ends_of_its_range(lr, left):
    w = ag.tensor([2.0, -4.0], requires_grad=True)
    decay = DecoupledDecay(2.0, [w])
    decay.apply_(lr)
    assert w.tolist() == left
    for wrong in (-1e-9, 0.5000001):
        with pytest.raises(ArgumentError, match=r"for alpha=2.0. Expected 0 <= lr alpha <= 1"):
            decay.apply_(wrong)
    assert w.tolist() == left


def test_a_training_keeps_to_the_limit_after_every_step():
    ag.random.seed(0)
    model = nn.Linear(3, 2)
    seen = []

    class Watch(nn.Callback):
        def on_batch_end(self, trainer, step, loss):
            seen.append(np.linalg.norm(model.weight.numpy(), axis=1).max())

    limit = AfterStep(lambda: MaxNorm(0.5).apply_(model, exclude="bias"))
    trainer = nn.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.5), progress=False)
    x = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
    trainer.fit((x, 10 * x[:, :2]), epochs=3, batch_size=4, callbacks=[limit, Watch()])
    assert len(seen) == 6
    assert max(seen) < 0.5 + 1e-6
    assert min(seen) > 0.499


def test_an_average_goes_on_from_a_checkpoint(tmp_path):
    x = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")

    def averaged(epochs, resume=None):
        model = nn.Linear(3, 2, generator=ag.random.Generator(0))
        average = optim.WeightAverage(model.parameters())
        trainer = nn.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), progress=False)
        callbacks = [AfterStep(average.update), nn.ModelCheckpoint(tmp_path / f"{epochs}")]
        trainer.fit([(x, x[:, :2])], epochs=epochs, callbacks=callbacks, resume=resume)
        return average

    whole, _, resumed = averaged(5), averaged(2), averaged(5, resume=tmp_path / "2")
    assert resumed.n_averaged == whole.n_averaged == 5
    for a, b in zip(resumed.averages, whole.averages, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


BAD = [
    (lambda: MaxNorm(0), "MaxNorm was given max=0. Expected the greatest length, 0 < max"),
    (lambda: MaxNorm(float("inf")), "max=inf"),
    (lambda: MaxNorm(1.0, axis=1).apply_(nn.Linear(2, 3)), r"axis=1 for a parameter of shape \(3,\).*exclude="),
    (lambda: UnitNorm().apply_(nn.Linear(2, 3), exclude="norm*"), r"matches 'norm\*'. There are: weight, bias"),
    (lambda: UnitNorm().apply_([]), "UnitNorm was given no parameters"),
    (lambda: DecoupledDecay(-1.0, nn.Linear(2, 3)), "DecoupledDecay was given alpha=-1.0"),
    (lambda: MinMaxNorm(2.0, 1.0), "MinMaxNorm was given min=2.0, max=1.0. Expected lengths, 0 <= min <= max"),
    (lambda: MinMaxNorm(0.0, 0.0), "0 < max < inf"),
    (lambda: MinMaxNorm(rate=0.0), "MinMaxNorm was given rate=0.0. Expected 0 < rate <= 1"),
    (lambda: DecoupledDecay(4.0, nn.Linear(2, 3)).apply_(1.0), "lr=1.0 for alpha=4.0. Expected 0 <= lr alpha <= 1"),
]


@pytest.mark.parametrize(("call", "words"), BAD)
def test_bad_arguments(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()
