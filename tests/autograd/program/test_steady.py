"""What compiled steps take for granted: the structure of a model, and that nobody else holds what they write."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize
from autograd.kernels.snapshot import versions

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


class Trained:
    """A model and its optimizer, trained by a compiled step or by the step itself."""

    def __init__(self, compiled, **settings):
        ag.random.seed(0)
        self.model = nn.Sequential(nn.Linear(9, 6), nn.LeakyReLU(0.1), nn.Linear(6, 4))
        self.optimizer = optim.Adam(self.model.parameters(), **{"lr": 0.05, **settings})
        self.data = np.random.default_rng(1).standard_normal((24, 9)).astype("float32"), np.arange(24) % 4
        self.step = ag.compile(self.plain) if compiled else self.plain

    def plain(self, x, t):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), t)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def run(self, steps):
        return [self.step(*self.data).item() for _ in range(steps)]

    def weights(self):
        return [np.array(w.numpy()) for w in self.model.parameters()]


def _loaded(it):
    other = Trained(False, lr=0.3)
    other.run(2)
    it.optimizer.load_state_dict(other.optimizer.state_dict())


def _counted(it):
    for state in it.optimizer.state.values():
        state["step"] = 100


def _further(it):
    extra = nn.Parameter(np.ones(4, "float32"))
    it.model[2].bias, it.extra = extra, it.model[2].bias
    it.optimizer.add_param_group({"params": [extra], "lr": 0.5})


def _swapped(it):
    it.optimizer = optim.SGD(it.model.parameters(), lr=0.5)


WRITES = {
    "a learning rate": lambda it: it.optimizer.param_groups[0].update(lr=0.5),
    "a learning rate of NumPy's": lambda it: it.optimizer.param_groups[0].update(lr=np.float64(0.5)),
    "two settings": lambda it: it.optimizer.param_groups[0].update(betas=(0.5, 0.6), eps=0.1),
    "a setting that was zero": lambda it: it.optimizer.param_groups[0].update(weight_decay=0.5),
    "the whole group": lambda it: setattr(it.optimizer, "param_groups", [{**it.optimizer.param_groups[0], "lr": 0.5}]),
    "the states": _loaded,
    "the count of steps": _counted,
    "another group": _further,
    "fewer parameters": lambda it: it.optimizer.param_groups[0]["params"].pop(),
    "a number of a layer": lambda it: setattr(it.model[1], "negative_slope", 0.9),
    "a layer": lambda it: setattr(it.model, "1", nn.Tanh()),
    "a hook of a layer": lambda it: it.model[1].register_forward_hook(lambda module, args, y: y * 2.0),
    "a hook of a parameter": lambda it: it.model[0].weight.register_hook(lambda g: g * 3.0),
    "a frozen parameter": lambda it: it.model[0].weight.requires_grad_(False),
    "values of a parameter": lambda it: it.model[0].weight.copy_(np.full((6, 9), 0.25, "float32")),
    "an attribute that is not read": lambda it: setattr(it.model, "remark", "new"),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_is_written_between_steps_counts(name):
    eager, compiled = Trained(False), Trained(True)
    for it in (eager, compiled):
        it.run(5)
    (run,) = compiled.step.programs[next(iter(compiled.step.programs))]
    assert run.steady is not None
    assert run.steady.quick is versions()
    for it in (eager, compiled):
        WRITES[name](it)
    for more in (1, 1, 3):
        np.testing.assert_allclose(compiled.run(more), eager.run(more), rtol=1e-4)
    for ours, theirs in zip(compiled.weights(), eager.weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("after", [0.5, 0.0])  # a zero is of another form
def test_a_setting_may_change_in_place(after):
    rates = [np.array(0.05), np.array(0.05)]
    eager, compiled = Trained(False), Trained(True)
    for it, rate in zip((eager, compiled), rates, strict=True):
        it.optimizer.param_groups[0]["lr"] = rate
        it.run(5)
        rate[...] = after
    np.testing.assert_allclose(compiled.run(4), eager.run(4), rtol=1e-4)
    assert compiled.step.reasons() == []


def test_a_schedule_changes_every_step():
    eager, compiled = Trained(False), Trained(True)
    for it in (eager, compiled):
        for k in range(12):
            it.optimizer.param_groups[0]["lr"] = 0.1 / (k + 1)
            it.run(1)
    np.testing.assert_allclose(compiled.run(2), eager.run(2), rtol=1e-4)
    (run,) = compiled.step.programs[next(iter(compiled.step.programs))]
    assert run.steady is not None


def test_two_parameters_may_share_a_gradient():
    """The biases of a recurrent layer: their gradients are one array, and the short way is taken nevertheless."""
    trained = []
    for compiled in (True, False):
        ag.random.seed(0)
        a, b = (nn.Parameter(np.zeros(5, "float32")) for _ in range(2))
        sgd = optim.SGD([a, b], lr=0.5)

        def step(x, a=a, b=b, sgd=sgd):
            sgd.zero_grad()
            loss = ag.mean((x + a + b) ** 2)
            loss.backward()
            sgd.step()
            return loss.detach()

        run = ag.compile(step) if compiled else step
        losses = [run(ag.ones((8, 5), dtype="float32")).item() for _ in range(6)]
        trained.append((losses, a.numpy(), b.numpy()))
        if compiled:
            assert [r.steady is not None for runs in run.programs.values() for r in runs] == [True]
            mine, held = a.grad, np.array(a.grad.numpy())
            run(ag.ones((8, 5), dtype="float32"))
            np.testing.assert_array_equal(mine.numpy(), held)
            trained[0] = (losses, np.array(trained[0][1]), np.array(trained[0][2]))
    for ours, theirs in zip(trained[0], trained[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
