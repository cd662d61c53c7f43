"""Layers whose first input says their size: afterwards they are what they stand for, and their parameters the same."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError, ShapeError

KINDS = [name for name in vars(nn) if name.startswith("Lazy")]
every_kind = pytest.mark.parametrize("kind", KINDS)


def size_of(kind):
    return int(kind[-2]) if kind.endswith("d") else 0


def arguments(kind):
    return [6] if kind == "LazyLinear" else [6, 2] if "Conv" in kind else []


def given(kind):
    return np.random.default_rng(0).normal(size=(5, 3, *[4] * size_of(kind))).astype("float32")


def test_there_is_one_for_each_of_pytorchs():
    assert len(KINDS) == 13


@every_kind
def test_it_becomes_the_layer_and_keeps_its_parameters(kind):
    ag.random.seed(0)
    tracked = {"affine": True, "track_running_stats": True} if "Norm" in kind else {}  # PyTorch's defaults
    expected = getattr(nn, kind[4:])(3, *arguments(kind), **tracked)
    ag.random.seed(0)
    layer = getattr(nn, kind)(*arguments(kind))
    assert isinstance(layer, getattr(nn, kind[4:]))
    assert repr(layer).startswith(kind)
    before = [*layer.parameters(), *layer.buffers()]
    assert list(layer.state_dict()) == list(expected.state_dict())
    assert [n for n, _ in layer.named_parameters()] == [n for n, _ in expected.named_parameters()]
    np.testing.assert_array_equal(layer(given(kind)).detach(), expected(given(kind)).detach())
    assert type(layer) is type(expected)
    assert repr(layer) == repr(expected)
    assert all(a is b for a, b in zip([*layer.parameters(), *layer.buffers()], before, strict=True))
    assert {n: t.tolist() for n, t in layer.state_dict().items()} == {
        n: t.tolist() for n, t in expected.state_dict().items()
    }


@every_kind
def test_dtype_mode_and_freezing_are_kept(kind):
    layer = getattr(nn, kind)(*arguments(kind)).to("float64").eval()
    layer.bias.requires_grad_(False)
    layer(given(kind).astype("float64"))
    assert {t.dtype for t in layer.parameters()} == {np.dtype("float64")}
    assert not layer.training
    assert [n for n, p in layer.named_parameters() if p.requires_grad] == ["weight"]


def model():
    return nn.Sequential(
        nn.LazyConv2d(4, 3, padding="same", groups=1, generator=ag.random.Generator(1)),
        *(nn.LazyBatchNorm2d(), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        nn.LazyLinear(2, generator=ag.random.Generator(2)),
    )


def trained(net, through=lambda step: step):
    o, loss = optim.Adam(net.parameters(), lr=0.01), nn.CrossEntropyLoss()
    x, y = np.random.default_rng(0).normal(size=(8, 3, 6, 6)).astype("float32"), np.arange(8) % 2

    def step(x, y):
        o.zero_grad()
        value = loss(net(x), y)
        value.backward()
        o.step()
        return value

    run = through(step)
    return [run(ag.tensor(x), ag.tensor(y)).item() for _ in range(6)]


def test_training_with_an_optimizer_that_was_made_before_the_first_call():
    ready = model()
    ready(np.ones((2, 3, 6, 6), "float32"))
    ready[1].load_state_dict(nn.BatchNorm2d(4).state_dict())
    expected = trained(ready)
    assert expected[-1] < expected[0]
    np.testing.assert_allclose(trained(model()), expected, rtol=1e-5)
    np.testing.assert_allclose(trained(model(), ag.compile), expected, rtol=1e-4)


def test_a_trainer_copies_and_hooks():
    net = model()
    seen = []
    net[0].register_forward_hook(lambda m, args, out: seen.append(type(m).__name__))
    trainer = nn.Trainer(net, nn.CrossEntropyLoss(), optim.SGD(net.parameters(), lr=0.1))
    trainer.fit((given("LazyBatchNorm2d"), np.arange(5) % 2), epochs=2)
    assert set(seen) == {"Conv2d"}
    for twin in (copy.deepcopy(model()), pickle.loads(pickle.dumps(model()))):
        assert twin(given("LazyBatchNorm2d")).shape == (5, 2)
        assert type(twin[5]) is nn.Linear
    assert model()[0] is not model()[0]


def test_settings_are_those_of_the_layer():
    with pytest.raises(TypeError, match="unexpected keyword argument 'in_features'"):
        nn.LazyLinear(3, in_features=2)
    with pytest.raises(ArgumentError, match="Conv2d was given 2 and 3 channels in 2 groups"):
        nn.LazyConv2d(3, 2, groups=2)
    with pytest.raises(ShapeError, match=r"LazyConv2d.* was given an input of shape \(3, 4\). Expected 3 axes or more"):
        nn.LazyConv2d(3, 2)(np.ones((3, 4), "float32"))
    layer = nn.LazyConv2d(4, 1, groups=2, bias=False)
    assert layer(np.ones((1, 6, 2, 2), "float32")).shape == (1, 4, 2, 2)
    assert list(layer.state_dict()) == ["weight"]
    assert layer.weight.shape == (4, 3, 1, 1)
