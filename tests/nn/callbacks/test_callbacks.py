"""Callbacks: what each writes, measures, changes or ends."""

import inspect
import json
import sys
import types
import warnings

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError, DataError
from nn import callbacks
from nn.callback import Bar, Callback


def pairs(n=6):
    x = np.linspace(-1, 1, n, dtype="f4")[:, None]
    return [(x[k : k + 2], 2 * x[k : k + 2]) for k in range(0, n, 2)]


def trainer(model=None, lr=0.1, loss=None, **settings):
    model = model or nn.Linear(1, 1, generator=ag.random.Generator(0))
    return nn.Trainer(model, loss or nn.MSELoss(), optim.SGD(model.parameters(), lr=lr), progress=False, **settings)


class Script(Callback):
    def __init__(self, figures):
        self.figures = figures

    def on_epoch_end(self, trainer, epoch, logs):
        logs["val_loss"] = self.figures[epoch - 1]


def test_every_callback_is_exported():
    found = {n for n, c in vars(callbacks).items() if inspect.isclass(c) and issubclass(c, Callback)}
    assert found == set(callbacks.__all__)
    assert all(getattr(nn, name) is getattr(callbacks, name) for name in found)


# ---- ModelCheckpoint


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"every": 2}, [2, 4]),
        ({"monitor": "val_loss"}, [1, 3, 5]),
        ({"monitor": "val_loss", "mode": "max"}, [1, 2, 4]),
        ({"monitor": "val_loss", "every": 2}, [2]),
        ({"monitor": "val_loss", "every": 3}, [3]),
        ({"monitor": "val_loss", "mode": "max", "every": 2}, [2, 4]),
    ],
)
def test_which_epochs_are_kept(tmp_path, settings, epochs):
    keep = nn.ModelCheckpoint(tmp_path / "at {epoch}", **settings)
    trainer().fit(pairs(), epochs=5, callbacks=[Script([5, 6, 4, 7, 1]), keep])
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"at {k}" for k in epochs]
    again = trainer()
    again.load(tmp_path / f"at {epochs[0]}")
    assert again.history.epochs.tolist() == list(range(1, epochs[0] + 1))


def test_figures_in_the_name_of_a_checkpoint(tmp_path):
    keep = nn.ModelCheckpoint(tmp_path / "{epoch:03d}-{val_loss:.2f}")
    trainer().fit(pairs(), epochs=2, callbacks=[Script([5, 6]), keep])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["001-5.00", "002-6.00"]
    with pytest.raises(ArgumentError, match=r"ModelCheckpoint has \{acc\} in its path, .* There are: epoch, loss"):
        trainer().fit(pairs(), callbacks=[nn.ModelCheckpoint(tmp_path / "{acc}")])
    with pytest.raises(ArgumentError, match=r"has \{loss\} in its path.*In the middle of an epoch no other is known"):
        trainer().fit(pairs(), callbacks=[nn.ModelCheckpoint(tmp_path / "{loss}", steps=1)])


def test_checkpoint_errors(tmp_path):
    with pytest.raises(ArgumentError, match="every=0, steps=None, mode='min'"):
        nn.ModelCheckpoint(tmp_path, every=0)
    with pytest.raises(
        ArgumentError, match=r"ModelCheckpoint monitors 'val_loss', which is not.*Give fit a validation"
    ):
        trainer().fit(pairs(), callbacks=[nn.ModelCheckpoint(tmp_path / "a", monitor="val_loss")])


# ---- LearningRateScheduler


def test_schedules_follow_epochs_steps_and_figures():
    for every, expected in (("epoch", 1 / 4), ("step", 1 / 2**6)):
        t = trainer(lr=1e-3)
        t.fit(pairs(), epochs=2, callbacks=[nn.LearningRateScheduler(optim.ExponentialLR(t.optimizer, 0.5), every)])
        assert t.optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * expected)
    t = trainer(lr=1e-3)
    plateau = optim.ReduceLROnPlateau(t.optimizer, patience=0)
    watch = nn.LearningRateScheduler(plateau, monitor="val_loss")
    t.fit(pairs(), epochs=4, callbacks=[Script([3, 3, 2, 2]), watch])
    assert t.optimizer.param_groups[0]["lr"] == pytest.approx(1e-5)
    with pytest.raises(ArgumentError, match="every='batch'"):
        nn.LearningRateScheduler(plateau, "batch")
    with pytest.raises(ArgumentError, match="a monitor for epochs only"):
        nn.LearningRateScheduler(plateau, "step", monitor="loss")


# ---- loggers


def test_the_csv_file_has_every_epoch(tmp_path):
    path, log = tmp_path / "log.csv", nn.CSVLogger(tmp_path / "log.csv")
    t = trainer()
    t.fit(pairs(), callbacks=[log])
    t.fit(pairs(), pairs(), epochs=2, callbacks=[log])
    lines = [line.split(",") for line in path.read_text().splitlines()]
    assert lines[0] == ["epoch", "loss", "val_loss"]
    assert [line[0] for line in lines[1:]] == ["1", "2", "3"]
    assert lines[1][2] == ""
    assert [float(line[1]) for line in lines[1:]] == t.history["loss"].tolist()


class Writer:
    def __init__(self, folder=None):
        self.folder, self.seen = folder, []

    def add_scalar(self, name, value, step):
        self.seen.append((name, value, step))

    def flush(self):
        self.seen.append("flush")


def test_tensorboard_is_given_epochs_and_steps(monkeypatch, tmp_path):
    board = nn.TensorBoard(Writer(), steps=2)
    t = trainer()
    t.fit(pairs(), epochs=2, callbacks=[board])
    losses = t.history["loss"].tolist()
    names = [x if x == "flush" else (x[0], x[2]) for x in board.writer.seen]
    assert names == [
        ("step/loss", 2),
        ("epoch/loss", 1),
        "flush",
        ("step/loss", 4),
        ("step/loss", 6),
        ("epoch/loss", 2),
        "flush",
    ]
    assert [x[1] for x in board.writer.seen if x[0] == "epoch/loss"] == losses
    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=Writer))
    assert nn.TensorBoard(tmp_path).writer.folder == str(tmp_path)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match="Write pip install tensorboardX, or give it a writer"):
        nn.TensorBoard(tmp_path)
    with pytest.raises(ArgumentError, match="steps=0"):
        nn.TensorBoard(Writer(), steps=0)


# ---- NaN and its origin


class Root(nn.Module):
    """Its output at 0 is finite, and its slope there is not."""

    def __init__(self):
        self.inner = nn.Linear(1, 1, generator=ag.random.Generator(0))
        self.inner.bias.set_(np.zeros(1, "f4"))

    def forward(self, x):
        return ag.sqrt(ag.abs(self.inner(x)))


def test_a_gradient_that_is_not_finite_is_named_before_it_does_harm():
    model = Root()
    before = model.inner.weight.tolist()
    zero = np.zeros((2, 1), "f4")
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            DataError, match=r"loss of step 1 is finite, and the gradient of inner\.(.|\n)*Look there for sqrt"
        ),
    ):
        trainer(model, loss=lambda p, y: (p - 1).sum() * 1.0).fit(
            [(zero, zero)], callbacks=[Infinite(), nn.TerminateOnNaN()]
        )
    assert model.inner.weight.tolist() == before


class Infinite(Callback):
    """Makes sure of the infinite slope, whatever rule sqrt(abs(0)) has."""

    def on_gradients(self, trainer, step):
        w = trainer.model.inner.weight
        w.grad = w.grad * ag.inf


class Bad(nn.Module):
    def forward(self, x):
        return (x - x) / (x - x)


@pytest.mark.parametrize("where", ["layer", "parameter"])
def test_a_loss_that_is_not_finite_names_its_origin(where):
    model = nn.Sequential(nn.Linear(1, 1), *([Bad()] if where == "layer" else []), nn.Tanh())
    if where == "parameter":
        model[0].bias.set_(np.array([np.nan], "f4"))
    words = {
        "layer": r"the first output that is not is that of 1 \(Bad\)",
        "parameter": r"The parameter 0\.bias is not finite: an earlier step was too large",
    }
    with np.errstate(all="ignore"), pytest.raises(DataError, match=words[where]):
        trainer(model).fit(pairs())


# ---- monitors


def deep(activation, layers=12):
    g = ag.random.Generator(0)
    return nn.Sequential(
        *[m for _ in range(layers) for m in (nn.Linear(4, 4, generator=g), activation())], nn.Linear(4, 1, generator=g)
    )


def test_vanishing_and_exploding_gradients_are_told_once():
    x = np.ones((8, 4), "f4")
    monitor = nn.GradientMonitor(steps=1, vanishing=1e-4)
    model = deep(nn.Sigmoid)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        trainer(model).fit([(x, x[:, :1])], epochs=3, callbacks=[monitor])
    assert any(str(w.message).startswith("vanishing gradient: 0.weight has norm") for w in told)
    assert len({str(w.message).partition(" has ")[0] for w in told}) == len(told)
    assert [len(norms) for norms in monitor.norms.values()] == [3] * len(list(model.parameters()))
    with pytest.warns(UserWarning, match=r"exploding gradient: weight has .* Clip it, or lower lr"):
        trainer(
            nn.Linear(1, 1, bias=False, generator=ag.random.Generator(0)),
            loss=lambda p, y: 1e4 * ((p - y) ** 2).mean(),
            lr=1e-9,
        ).fit(pairs(), callbacks=[nn.GradientMonitor(steps=1)])


def test_norms_are_those_of_the_gradients():
    model = nn.Linear(1, 1, generator=ag.random.Generator(0))
    monitor = nn.GradientMonitor(steps=2)
    seen = []

    class Note(Callback):
        def on_gradients(self, trainer, step):
            seen.append(abs(model.weight.grad.item()))

    trainer(model).fit(pairs(), epochs=2, callbacks=[monitor, Note()])
    assert monitor.norms["weight"] == pytest.approx(seen[1::2])


def test_dead_units_are_counted():
    model = nn.Sequential(nn.Linear(1, 4, generator=ag.random.Generator(0)), nn.ReLU(), nn.Linear(4, 1))
    model[0].bias.set_(np.array([-9, -9, -9, 9], "f4"))
    monitor = nn.DeadUnitMonitor(steps=1)
    with pytest.warns(UserWarning, match="dead units: 75% of those behind 1 were 0"):
        trainer(model, lr=0.0).fit(pairs(), epochs=2, callbacks=[monitor])
    assert monitor.dead == {"1": [0.75, 0.75]}
    model(ag.ones((1, 1), dtype="float32"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trainer(model, lr=0.0).fit(pairs(), callbacks=[nn.DeadUnitMonitor(steps=1, share=0.8)])
    with pytest.raises(ArgumentError, match="cannot see into a function"):
        nn.Trainer(lambda x: x, nn.MSELoss(), None).fit([], callbacks=[nn.DeadUnitMonitor()])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.GradientMonitor(0), "GradientMonitor was given steps=0"),
        (lambda: nn.GradientMonitor(vanishing=1), "vanishing=1"),
        (lambda: nn.DeadUnitMonitor(share=0), "share=0"),
    ],
)
def test_bad_settings(make, words):
    with pytest.raises(ArgumentError, match=words):
        make()


# ---- the bar


class Tqdm:
    def __init__(self, **settings):
        self.moves = []

    def update(self, n):
        self.moves.append(n)

    def refresh(self):
        pass

    close = refresh


def test_the_bar_moves_seldom_and_counts_all(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("nn.callback.perf_counter", lambda: clock[0])
    bar = Bar([0] * 10_000, 1, Tqdm)
    for step in range(10_000):
        clock[0] += 1e-4
        bar.on_batch_end(None, step, 0.0)
    bar.on_fit_end(None)
    assert sum(bar.bar.moves) == 10_000
    assert len(bar.bar.moves) <= 6  # in one second, four times, and at the end
    slow = Bar([0] * 5, 1, Tqdm)
    for step in range(5):
        clock[0] += 1.0
        slow.on_batch_end(None, step, 0.0)
    assert slow.bar.moves == [1] * 5


def test_states_go_through_json():
    for callback in (nn.ModelCheckpoint("x"), nn.CSVLogger("x"), nn.TensorBoard(Writer()), Callback()):
        state = json.loads(json.dumps(callback.state_dict()))
        callback.load_state_dict(state)
        assert callback.state_dict() == state
