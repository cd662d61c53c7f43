"""Models, losses and optimizers whose Python may do something else next time, and what changes on the way."""

import itertools
import random

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from nn import compiled as compiled_module


@pytest.fixture(autouse=True)
def early(monkeypatch):
    """Compile from the third batch of a kind on, so that tests are short."""
    monkeypatch.setattr(compiled_module, "FROM", 2)


def data(n=44, features=6, classes=3):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((n, features)).astype("float32")
    return x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)


def programs(trainer):
    return {what: [r for rs in f.programs.values() for r in rs] for what, (*_, f) in trainer.compiling._made.items()}


class Counts(nn.Module):
    """Writes to an attribute as it runs."""

    def __init__(self):
        self.layer, self.calls = nn.Linear(6, 3), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x)


class Listens(Counts):
    """Keeps what it has seen in a list."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.shape)
        return self.layer(x)


class Chance(Counts):
    """Takes another way each time."""

    def forward(self, x):
        return self.layer(x) * (2.0 if random.random() < 0.5 else 1.0)


class Draws(Counts):
    """Takes numbers of NumPy's."""

    def forward(self, x):
        return self.layer(x) + self.noise(x.shape)

    def noise(self, shape):
        return np.random.standard_normal(shape[0])[:, None]  # noqa: NPY002  (what is to be refused)


class Holds(Counts):
    """Has an array that may change unseen."""

    def __init__(self):
        super().__init__()
        self.mean = np.zeros(6, "float32")

    def forward(self, x):
        return self.layer(x - self.mean)


class Plain(Counts):
    """Nothing wrong with it: a loop, a list of its own, a helper."""

    def forward(self, x):
        parts = []
        for k in range(2):
            parts.append(self.helped(x))
            parts[k] = parts[k] * 1.0
        return sum(parts)

    def helped(self, x):
        return np.tanh(self.layer(x)) if x.ndim == 2 else x


NOISE = [0.0]
MODULES = {
    Counts: "forward assigns to calls",
    Listens: "forward calls append of what outlives it",
    Chance: "forward uses the module random",
    Draws: "noise uses the module numpy",
    Holds: "Holds.mean holds an ndarray",
    Plain: None,
}


@pytest.mark.parametrize("kind", MODULES)
def test_modules_that_may_do_something_else(kind):
    ag.random.seed(0)
    model, (x, y) = kind(), data()
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.1), progress=False)
    trainer.fit((x, y), epochs=2, batch_size=11)
    reason = MODULES[kind]
    assert (trainer.reasons() == []) if reason is None else (f"training: {reason}" in trainer.reasons()[0])
    assert ("training" in programs(trainer)) == (reason is None)
    if kind is Counts:
        assert model.calls == 8


COUNT = itertools.count()


def counting():
    return next(COUNT)


LOSSES = {
    "reads the global NOISE, a list": lambda p, y: F.cross_entropy(p, y) + NOISE[0],
    "calls print": lambda p, y: (print(end=""), F.cross_entropy(p, y))[1],
    "an object of the class count": lambda p, y: F.cross_entropy(p, y) + 0 * counting(),
}


@pytest.mark.parametrize("reason", LOSSES)
def test_losses_that_may_do_something_else(reason):
    ag.random.seed(0)
    model, (x, y) = nn.Linear(6, 3), data()
    trainer = nn.Trainer(model, LOSSES[reason], optim.SGD(model.parameters(), lr=0.1), progress=False)
    trainer.fit((x, y), (x, y), epochs=4, batch_size=11)
    assert reason in trainer.reasons()[1]
    assert trainer.reasons()[1].startswith("training")


def test_hooks():
    seen, model = [], nn.Linear(6, 3)
    model.register_forward_hook(lambda m, i, o: seen.append(1))
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters()), progress=False)
    trainer.fit(data(), epochs=2, batch_size=11)
    assert trainer.reasons() == ["training: a module has hooks"]
    assert len(seen) == 8


class Own:
    """An optimizer of a user."""

    def __init__(self, params):
        self.params = list(params)
        self.steps = 0

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        self.steps += 1
        with ag.no_grad():
            for p in self.params:
                p -= 0.1 * p.grad


def test_an_optimizer_of_ones_own():
    model = nn.Linear(6, 3)
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), Own(model.parameters()), progress=False)
    trainer.fit(data(), epochs=2, batch_size=11)
    assert trainer.optimizer.steps == 8
    assert trainer.reasons() == ["training: Own has a step of its own, which may do something else next time"]


# ---- what changes on the way


class Temperature(nn.Module):
    def __init__(self):
        self.layer, self.last, self.temperature = nn.Linear(6, 8), nn.Linear(8, 3), 1.0

    def forward(self, x):
        return self.last(ag.tanh(self.layer(x))) / self.temperature


class Acts(nn.Callback):
    """Does something at the end of some epochs."""

    def __init__(self, epochs, act):
        self.epochs, self.act = epochs, act

    def on_epoch_end(self, trainer, epoch, logs):
        if epoch in self.epochs:
            self.act(trainer)


def cool(trainer):
    trainer.model.temperature *= 0.7


def freeze(trainer):
    trainer.model.layer.requires_grad_(not trainer.model.layer.weight.requires_grad)


def widen(trainer):
    trainer.model.last = nn.Linear(8, 3, generator=ag.random.Generator(3))
    trainer.optimizer.add_param_group({"params": trainer.model.last.parameters()})


def other_loss(trainer):
    trainer.loss = nn.CrossEntropyLoss(label_smoothing=0.3)


def smoother(trainer):
    trainer.loss.label_smoothing = 0.2


CHANGES = {
    "a number of the model": ((2, 4), cool, 3),
    "frozen and freed": ((2, 4), freeze, 3),
    "another layer": ((3,), widen, 2),
    "another loss": ((3,), other_loss, 2),
    "a number of the loss": ((3,), smoother, 2),
    "over and over": (range(1, 9), cool, None),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_is_noticed(name):
    epochs, act, made_so_often = CHANGES[name]
    found = []
    for compile in (False, True):
        ag.random.seed(2)
        model = Temperature()
        loss = nn.CrossEntropyLoss(label_smoothing=0.1)
        trainer = nn.Trainer(model, loss, optim.SGD(model.parameters(), lr=0.1), compile=compile, progress=False)
        trainer.fit(data(), epochs=8, batch_size=11, callbacks=[Acts(epochs, act)])
        found.append([*trainer.history["loss"], *model.layer.weight.numpy().ravel()])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-6)
    if made_so_often is None:
        assert trainer.reasons() == ["training: what the model or the loss is made of changes as training goes on"]
    else:
        assert trainer.reasons() == []
        assert trainer.compiling._changes["training"] == made_so_often
