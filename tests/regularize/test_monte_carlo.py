"""Monte Carlo dropout: its figures against a closed form, and a model that is left as it was."""

from contextlib import nullcontext

import numpy as np
import pytest

import autograd as ag
import nn
import regularize
from autograd.errors import ArgumentError, WengertError
from regularize import Dropout, Prediction, monte_carlo


def model():
    return nn.Sequential(
        nn.BatchNorm1d(3), Dropout(0.2, generator=ag.random.Generator(0)), nn.Linear(3, 1, bias=False)
    ).to("float64")


def test_mean_and_deviation_are_those_of_the_masks():
    net = model().eval()
    x = np.array([[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]])
    found = monte_carlo(net, x, 4000, ag.random.Generator(1))
    assert isinstance(found, Prediction)
    terms = net[2].weight.numpy()[0] * net[0](ag.tensor(x)).numpy()
    deviation = np.sqrt((terms**2).sum(1) * 0.2 / 0.8)  # of a sum of w x m / 0.8, m ~ Bernoulli(0.8)
    np.testing.assert_allclose(found.mean.numpy()[:, 0], terms.sum(1), atol=4 * deviation.max() / np.sqrt(4000))
    np.testing.assert_allclose(found.std.numpy()[:, 0], deviation, rtol=0.05)
    assert not found.mean.requires_grad


def test_it_is_the_mean_and_deviation_of_single_passes():
    net, x = model(), np.random.default_rng(0).standard_normal((5, 3))
    found = monte_carlo(net, x, 7, ag.random.Generator(1))
    net.eval()
    net[1].train()
    net[1].generator = ag.random.Generator(1)
    outputs = np.stack([net(ag.tensor(x)).detach().numpy() for _ in range(7)])
    np.testing.assert_allclose(found.mean.numpy(), outputs.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.std.numpy(), outputs.std(0, ddof=1), rtol=1e-12)


def test_a_seed_repeats_and_the_layers_own_streams_are_not_touched():
    net, x = model(), np.ones((2, 3))
    own = net[1].generator
    state = own.get_state()
    first, second = (monte_carlo(net, x, 5, ag.random.Generator(8)).std.tolist() for _ in range(2))
    assert first == second
    assert net[1].generator is own
    assert own.get_state() == state
    assert monte_carlo(net, x, 5).std.tolist() != first
    assert own.get_state() != state


@pytest.mark.parametrize("fails", [False, True])
def test_modes_and_statistics_stay_as_they_were(fails):
    net = model().train()
    net[2].eval()
    statistics = net[0].running_mean.tolist()
    x = np.ones((2, 4 if fails else 3))
    with pytest.raises(WengertError) if fails else nullcontext():
        monte_carlo(net, x, 3)
    assert [m.training for m in net.modules()] == [True, True, True, False]
    assert net[0].running_mean.tolist() == statistics


def test_drop_connect_and_layers_that_drop_inside():
    linear = regularize.drop_connect(nn.Linear(3, 2), generator=ag.random.Generator(0))
    assert (monte_carlo(linear, np.ones((1, 3), "f4"), 20).std.numpy() > 0).all()
    gru = nn.GRU(3, 2, num_layers=2, dropout=0.5, generator=ag.random.Generator(0))

    class Last(nn.Module):
        def __init__(self):
            self.gru = gru

        def forward(self, x):
            return self.gru(x)[0]

    found = monte_carlo(Last(), np.ones((4, 2, 3), "f4"), 20, layers=(nn.GRU,))
    assert (found.std.numpy() > 0).all()
    assert found.std.dtype == np.float32


def test_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            self.drop = Dropout(0.5, generator=ag.random.Generator(0))

        def forward(self, a, b):
            return self.drop(a) + b

    found = monte_carlo(Sum(), (np.zeros(3), np.arange(3.0)), 2)
    assert found.mean.tolist() == [0.0, 1.0, 2.0]
    assert found.std.tolist() == [0.0, 0.0, 0.0]


def test_bad_arguments():
    with pytest.raises(ArgumentError, match=r"samples=1. Expected at least 2"):
        monte_carlo(model(), np.ones((1, 3)), 1)
    with pytest.raises(
        ArgumentError, match=r"no layer that drops in this Linear \(looked for Masking\).\nPut regularize"
    ):
        monte_carlo(nn.Linear(3, 2), np.ones((1, 3), "f4"))


class TwoHeads(nn.Module):
    def __init__(self):
        self.body = nn.Sequential(nn.Linear(3, 4, generator=ag.random.Generator(0)), Dropout(0.5))

    def forward(self, x):
        h = self.body(x)
        return {"a": h, "b": (h.sum(1),)}


def test_several_outputs_have_deviations_of_their_own():
    model, x = TwoHeads(), np.ones((2, 3), "float32")
    found = monte_carlo(model, x, 5, ag.random.Generator(1))
    plain = monte_carlo(model.body, x, 5, ag.random.Generator(1))
    for several, one in zip(found, plain, strict=True):
        np.testing.assert_array_equal(several["a"].numpy(), one.numpy())
    np.testing.assert_allclose(found.mean["b"][0].numpy(), plain.mean.numpy().sum(1), rtol=1e-6)


def test_what_is_no_model_or_generator():
    with pytest.raises(ArgumentError, match=r"a function as model\. Expected an nn\.Module"):
        monte_carlo(lambda x: x, np.ones((2, 3)))
    with pytest.raises(ArgumentError, match=r"monte_carlo was given generator=0"):
        monte_carlo(TwoHeads(), np.ones((2, 3), "float32"), generator=0)
