"""What compiled steps take for granted: the structure of a model, and that nobody else holds what they write."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize

RNG = np.random.default_rng(0)


def data():
    return RNG.standard_normal((24, 9)).astype("float32"), RNG.integers(0, 4, 24)


def structure(change):
    """A model before and after a change, under a compiled loss that was captured before it."""
    model = nn.Sequential(nn.Linear(9, 5), nn.LeakyReLU(0.1), regularize.Dropout(0.0), nn.Linear(5, 4))
    loss = lambda x, t: F.cross_entropy(model(x), t)  # noqa: E731
    compiled = ag.compile(loss)
    x, t = data()
    before = [compiled(x, t).item() for _ in range(2)]
    change(model)
    ag.random.seed(0)
    expected = loss(x, t).item()
    ag.random.seed(0)
    assert compiled(x, t).item() == pytest.approx(expected, rel=1e-5)
    assert expected != pytest.approx(before[1], rel=1e-5)
    assert compiled.reasons() == []


CHANGES = {
    "a number": lambda model: setattr(model[1], "negative_slope", 0.9),
    "dropout": lambda model: setattr(model[2], "p", 0.5),
    "a parameter": lambda model: setattr(model[0], "bias", nn.Parameter(np.full(5, 2, "float32"))),
    "no bias": lambda model: setattr(model[3], "bias", None),
    "a layer": lambda model: setattr(model, "1", nn.Tanh()),
    "a hook": lambda model: model[1].register_forward_hook(lambda module, args, y: y * 2.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_a_model_are_noticed(name):
    structure(CHANGES[name])


@pytest.mark.parametrize("held", ["parameter", "gradient", "its array", "state"])
def test_the_short_way_is_left_when_somebody_holds_what_it_writes(held):
    x, t = data()
    model = nn.Sequential(nn.Linear(9, 6), nn.Tanh(), nn.Linear(6, 4))
    adam = optim.Adam(model.parameters(), lr=0.05)

    @ag.compile
    def step(x, t):
        adam.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        adam.step()
        return loss

    weight = model[0].weight
    for _ in range(6):
        step(x, t)
    assert [run.steady is not None for runs in step.programs.values() for run in runs] == [True]
    kept = {
        "parameter": lambda: weight.numpy(),
        "gradient": lambda: weight.grad,
        "its array": lambda: weight.grad.numpy(),
        "state": lambda: adam.state[weight]["exp_avg"].numpy(),
    }[held]()
    before = np.array(ag.asarray(kept).numpy())
    for _ in range(3):
        step(x, t)
    np.testing.assert_array_equal(ag.asarray(kept).numpy(), before)


def told(compiled):
    """Weights after steps that return gradients, and what these were."""
    x, t = RNG.standard_normal((24, 9)).astype("float32"), RNG.integers(0, 4, 24)
    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(9, 6), nn.Tanh(), nn.Linear(6, 4))
    sgd = optim.SGD(model.parameters(), lr=0.5)

    def step(x, t):
        sgd.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        sgd.step()
        return loss, model[0].weight.grad, model[2].weight.grad * 2.0

    step = ag.compile(step) if compiled else step
    seen = [np.copy(g.numpy()) for _ in range(8) for g in step(x, t)[1:]]
    return seen + [p.numpy() for p in model.parameters()]


def test_a_step_may_return_the_gradients_that_it_steps_by():
    state = RNG.bit_generator.state
    eager = told(compiled=False)
    RNG.bit_generator.state = state
    for a, b in zip(told(compiled=True), eager, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
