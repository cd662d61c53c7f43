"""The trainer: what a fit computes, what it reports, what it leaves behind however it ends."""

import importlib.util
import json
import math
import sys

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

import autograd as ag
import nn
import optim
import regularize
from autograd.errors import ArgumentError, DataError, ShapeError
from nn.callback import Callback
from nn.history import History
from nn.module import Module, Parameter
from nn.trainer import Trainer


class Line(Module):
    def __init__(self, slope=0.0, intercept=0.0):
        self.slope = Parameter(np.array([slope]))
        self.intercept = Parameter(np.array([intercept]))
        self.modes = []

    def forward(self, x):
        self.modes.append((self.training, ag.is_grad_enabled()))
        return self.slope * x + self.intercept


def squared(prediction, target):
    return ((prediction - target) ** 2).mean()


def points(n=10):
    x = np.linspace(-1, 1, n)
    return x, 3 * x + 1


def batches(n=10, size=4):
    x, y = points(n)
    return [(x[k : k + size], y[k : k + size]) for k in range(0, n, size)]


def trainer(model=None, lr=0.1, loss=squared, **settings):
    model = model or Line()
    return Trainer(model, loss, optim.SGD(model.parameters(), lr=lr), progress=False, **settings)


# ---- what is computed


def test_a_fit_is_the_loop_that_one_would_write():
    t = trainer()
    history = t.fit(batches(), batches(6), epochs=3)
    model = Line()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    expected = []
    for _ in range(3):
        losses = []
        for x, y in batches():
            optimizer.zero_grad()
            loss = squared(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        x, y = points(6)
        expected.append([np.average(losses, weights=[4, 4, 2]), float(squared(model(x), y))])
    np.testing.assert_allclose([history["loss"], history["val_loss"]], np.transpose(expected), rtol=1e-12)
    assert t.model.slope.item() == model.slope.item()


def test_evaluation_is_exact_over_a_last_partial_batch():
    t = trainer(Line(2.0, 0.5))
    x, y = points(11)
    exact = ((2 * x + 0.5 - y) ** 2).mean()
    for size in (1, 3, 4, 11, 100):
        assert t.evaluate((x, y), batch_size=size)["loss"] == pytest.approx(exact, rel=1e-13)


def test_metrics_see_all_targets_and_predictions_in_scikit_learns_order():
    t = trainer(
        Line(1.0), lr=0.0, metrics={"accuracy": lambda y, p: accuracy_score(y > 0, p > 0), "rows": lambda y, p: len(p)}
    )
    history = t.fit(batches(), batches(7, 3), epochs=2)
    x, y = points()
    assert list(history) == ["loss", "accuracy", "rows", "val_loss", "val_accuracy", "val_rows"]
    assert history["accuracy"].tolist() == [((y > 0) == (x > 0)).mean()] * 2
    assert (history["rows"].tolist(), history["val_rows"].tolist()) == ([10, 10], [7, 7])


def test_the_penalty_is_trained_on_and_noted_apart():
    model = Line(2.0)
    t = trainer(model, lr=0.5, penalty=regularize.L2(0.25, model, exclude="intercept"), loss=lambda p, y: (0 * p).sum())
    history = t.fit([batches()[0]], epochs=2)
    assert history["penalty"].tolist() == pytest.approx([0.5, 0.5 * 0.875**2])
    assert history["loss"].tolist() == [0, 0]
    assert model.slope.item() == pytest.approx(2 * 0.875**2)


def joined(lists):
    return [x for part in lists for x in part]


def test_tuples_of_arrays_are_batched_and_training_is_shuffled():
    seen = []

    def watch(prediction, target):
        seen.append(target.tolist())
        return squared(prediction, target)

    ag.random.seed(0)
    x, y = points(10)
    t = trainer(loss=watch, lr=1e-3)
    t.fit((x, y), (x, y), batch_size=4)
    train, validation = seen[:3], seen[3:]
    assert [len(b) for b in train] == [4, 4, 2]
    assert joined(train) != y.tolist()
    assert sorted(joined(train)) == y.tolist()
    assert joined(validation) == y.tolist()


def test_any_callables_will_do():
    w = ag.tensor(0.0, requires_grad=True)

    class Own:
        def zero_grad(self):
            w.grad = None

        def step(self):
            with ag.no_grad():
                w.copy_(w - 0.5 * w.grad)

    def model(a, b):
        return w * a + b

    def loss(prediction, target, weight):
        return (weight * (prediction - target) ** 2).mean()

    data = [((np.ones(2), np.zeros(2)), np.full(2, 3.0), np.ones(2))]
    t = Trainer(model, loss, Own(), progress=False)
    t.fit(data, data, epochs=1)
    assert w.item() == 3.0
    assert t.history["val_loss"].tolist() == [0.0]
    assert t.predict((np.ones(2), np.ones(2))).tolist() == [4.0, 4.0]


def test_predict_is_in_order_and_off_the_tape():
    t = trainer(Line(2.0, 1.0))
    x = np.arange(10.0)
    for size in (1, 3, 10, 256):
        y = t.predict(x, batch_size=size)
        assert y.tolist() == (2 * x + 1).tolist()
        assert not y.requires_grad
    assert t.predict(x[:0]).shape == (0,)
    assert set(t.model.modes) == {(False, False)}
    assert t.model.training


class TwoHeads(nn.Module):
    def __init__(self, named):
        self.first, self.second, self.named = nn.Linear(3, 2), nn.Linear(3, 2), named

    def forward(self, x):
        found = self.first(x), (self.second(x), None)
        return {"a": found[0], "b": found[1]} if self.named else found


@pytest.mark.parametrize("named", [False, True], ids=["tuple", "dict"])
@pytest.mark.parametrize("compile", [False, True], ids=["plain", "compiled"])
def test_several_outputs_and_targets_stay_apart(tmp_path, named, compile):
    model, x = TwoHeads(named), ag.random.normal(size=(250, 3), dtype="float32")
    first, second = model.first(x).numpy(), model.second(x).numpy()
    seen = []

    def metric(targets, outputs):
        seen[:] = [*targets, *(outputs.values() if named else outputs)]
        return 0.0

    def loss(outputs, y, z):
        a, (b, _) = outputs.values() if named else outputs
        return nn.functional.mse_loss(a, y) + nn.functional.mse_loss(b, z)

    trainer = nn.Trainer(
        model, loss, optim.SGD(model.parameters()), metrics={"m": metric}, compile=compile, progress=False
    )
    found = trainer.predict(x, batch_size=10)
    a, (b, nothing) = found.values() if named else found
    np.testing.assert_allclose(a.numpy(), first, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(b.numpy(), second, rtol=1e-5, atol=1e-6)
    assert nothing is None
    trainer.evaluate((x, first, 2 * second), batch_size=100)
    np.testing.assert_array_equal(seen[0], first)
    np.testing.assert_array_equal(seen[1], 2 * second)
    np.testing.assert_allclose(seen[2], first, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(seen[3][0], second, rtol=1e-5, atol=1e-6)
    keep = nn.ModelCheckpoint(tmp_path / "state", steps=3)
    trainer.fit((x, first, second), callbacks=[keep], batch_size=100)  # what metrics have seen is kept in mid-epoch


def test_all_samples_at_once():
    trainer = nn.Trainer(nn.Linear(3, 1), nn.MSELoss(), None, progress=False)
    assert trainer.predict(np.ones((300, 3), "float32"), batch_size=None).shape == (300, 1)


def test_float32_stays_float32():
    model = Line()
    model.to("float32")
    data = [(x.astype("f4"), y.astype("f4")) for x, y in batches()]
    t = trainer(model, penalty=regularize.L2(0.1, model))
    t.fit(data, data)
    assert {w.dtype for w in model.parameters()} == {w.grad.dtype for w in model.parameters()} == {np.dtype("f4")}
    assert t.predict(data[0][0]).dtype == np.float32


# ---- modes


class Frozen(Module):
    """A model of which one part is kept in evaluation mode on purpose."""

    def __init__(self):
        self.free, self.frozen = Line(), Line().eval()

    def forward(self, x):
        return self.free(x) + self.frozen(x)

    def fixed_modes(self):
        return [m.training for m in self.modules()]


def test_modes_while_training_and_while_validating_and_afterwards():
    model = Frozen()
    before = model.fixed_modes()
    trainer(model).fit(batches(4), batches(8), epochs=1)
    assert model.free.modes == [(True, True), (False, False), (False, False)]
    assert model.fixed_modes() == before == [True, True, False]


class Fails(Callback):
    def __init__(self, where):
        self.where = where

    def on_batch_end(self, trainer, step, loss):
        if self.where == "batch":
            raise ZeroDivisionError

    def on_epoch_end(self, trainer, epoch, logs):
        if self.where == "epoch":
            raise ZeroDivisionError


@pytest.mark.parametrize("where", ["batch", "epoch", "validation"])
def test_an_error_leaves_the_modes_as_they_were(where):
    model = Frozen()
    model.eval()
    bad = [(np.ones(3), np.ones(2))] if where == "validation" else batches()
    with pytest.raises((ZeroDivisionError, ShapeError)):
        trainer(model).fit(batches(), bad, callbacks=[Fails(where)])
    assert model.fixed_modes() == [False, False, False]


# ---- callbacks


class Log(Callback):
    def __init__(self, words, name=""):
        self.words, self.name = words, name

    def on_fit_start(self, trainer):
        self.words.append(f"{self.name}start")

    def on_epoch_start(self, trainer, epoch):
        self.words.append(f"{self.name}epoch {epoch}")

    def on_batch_end(self, trainer, step, loss):
        self.words.append(f"{self.name}step {step} {loss:.0f}")

    def on_epoch_end(self, trainer, epoch, logs):
        self.words.append(f"{self.name}{sorted(logs)} {len(trainer.history.epochs)}")

    def on_fit_end(self, trainer):
        self.words.append(f"{self.name}end")


def test_callbacks_are_told_of_everything_in_order():
    words = []
    t = trainer(lr=0.0)
    t.fit([(np.zeros(2), np.full(2, 2.0))], epochs=2, callbacks=[Log(words)])
    one = ["step 1 4", "['loss'] 1", "epoch 2", "step 1 4", "['loss'] 2"]
    assert words == ["start", "epoch 1", *one, "end"]
    words.clear()
    t.fit(batches(4), batches(4), callbacks=[Log(words, "a "), Log(words, "b ")])
    assert words[2:4] == ["a epoch 3", "b epoch 3"]
    assert words[-2:] == ["a end", "b end"]


class Break(Callback):
    def __init__(self, error):
        self.error = error

    def on_fit_end(self, trainer):
        raise self.error


def test_every_callback_hears_of_the_end_even_if_another_fails():
    words = []
    with pytest.raises(ZeroDivisionError):
        trainer().fit(batches(), callbacks=[Break(ZeroDivisionError()), Log(words)])
    assert words[-1] == "end"


def test_a_callback_can_stop():
    class Stop(Callback):
        def on_epoch_end(self, trainer, epoch, logs):
            trainer.stop_training = epoch == 2

    t = trainer()
    assert t.fit(batches(), epochs=9, callbacks=[Stop()]).epochs.tolist() == [1, 2]
    assert t.fit(batches(), epochs=2).epochs.tolist() == [1, 2, 3, 4]


def test_an_interrupt_ends_the_fit_but_not_silently(capsys):
    class Interrupt(Callback):
        def on_batch_end(self, trainer, step, loss):
            if len(trainer.history.epochs) == 1:
                raise KeyboardInterrupt

    words = []
    t = trainer()
    history = t.fit(batches(), epochs=5, callbacks=[Log(words), Interrupt()])
    assert t.interrupted
    assert history.epochs.tolist() == [1]
    assert words[-1] == "end"
    assert capsys.readouterr().err == "Training was interrupted in epoch 2. The history has 1 whole epochs.\n"
    t.fit(batches())
    assert not t.interrupted


# ---- history


def test_the_history_grows_and_marks_what_an_epoch_did_not_have():
    t = trainer()
    t.fit(batches())
    t.fit(batches(), batches(), epochs=2)
    assert t.history["loss"].shape == (3,)
    assert np.isnan(t.history["val_loss"]).tolist() == [True, False, False]
    stored = json.loads(t.history.to_json())
    assert stored["epochs"] == [1, 2, 3]
    assert stored["loss"] == t.history["loss"].tolist()
    assert stored["val_loss"][0] is None
    assert dict(t.history).keys() == {"loss", "val_loss"}
    assert repr(t.history) == "History(3 epochs of loss, val_loss)"


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_curves_are_drawn(tmp_path, suffix):
    history = History()
    for k in range(3):
        history.append({"loss": 1 / (k + 1), "accuracy": k / 3, "val_loss": math.nan})
    history.plot(tmp_path / f"curves.{suffix}")
    data = (tmp_path / f"curves.{suffix}").read_bytes()
    assert data.startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    assert len(data) > 5000


def test_history_errors(tmp_path, monkeypatch):
    history = History()
    with pytest.raises(ArgumentError, match=r"no 'loss'\. It has: no epoch yet"):
        history["loss"]
    with pytest.raises(ArgumentError, match=r"no epoch yet\. Call trainer.fit first"):
        history.plot(tmp_path / "a.png")
    history.append({"loss": 1.0})
    with pytest.raises(ArgumentError, match=r"no 'val_loss'\. It has: loss"):
        history["val_loss"]
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install 'wengert\[plot\]'"):
        history.plot(tmp_path / "a.png")


# ---- errors


@pytest.mark.parametrize("data", [[], iter(()), (np.zeros(0), np.zeros(0))], ids=["list", "generator", "arrays"])
def test_no_training_data(data):
    with pytest.raises(DataError, match=r"no batch in the training data of epoch 1|empty|no samples|no rows"):
        trainer().fit(data)


def test_a_generator_is_used_up_after_an_epoch():
    t = trainer()
    with pytest.raises(DataError, match=r"training data of epoch 2\.\n.*not a used-up generator"):
        t.fit(iter(batches()), epochs=2)
    assert t.history.epochs.tolist() == [1]


def test_no_evaluation_data():
    with pytest.raises(DataError, match="the data has no samples"):
        trainer().evaluate([])


def test_a_loss_that_is_not_finite_stops_before_the_step():
    model = Line(1e200, 0.0)
    data = [*batches(), (np.array([1e200]), np.array([0.0]))]
    data[:3] = [(x * 0, y * 0) for x, y in data[:3]]
    with (
        np.errstate(over="ignore"),
        pytest.raises(DataError, match=r"loss became inf in epoch 1, step 4(.|\n)*smaller lr.*gradcheck"),
    ):
        trainer(model).fit(data)
    assert model.slope.item() == 1e200


def test_nan_in_the_data_is_named():
    x, y = points(4)
    for k, part in enumerate((x, y)):
        part = np.where(np.arange(4) == 2, np.nan, part)
        batch = (part, y) if k == 0 else (x, part)
        with pytest.raises(DataError, match=rf"became nan in epoch 1, step 1(.|\n)*Part {k} of this batch holds NaN"):
            trainer().fit([batch])


def test_a_loss_of_several_elements():
    with pytest.raises(ShapeError, match=r"loss returned shape \(4,\). Expected a Tensor with a single element: take"):
        trainer(loss=lambda p, y: (p - y) ** 2).fit(batches())
    with pytest.raises(ShapeError, match="loss returned a float"):
        trainer(loss=lambda p, y: 1.0).fit(batches())


def test_bad_arguments():
    with pytest.raises(ArgumentError, match=r"epochs=-1\. Expected a whole number, 0 or more"):
        trainer().fit(batches(), epochs=-1)
    with pytest.raises(ArgumentError, match=r"batch_size=0\. Expected 1 or more"):
        trainer().predict(np.zeros(3), batch_size=0)
    with pytest.raises(ArgumentError, match="a metric named 'loss'"):
        trainer(metrics={"loss": lambda y, p: 0.0})


def test_optional_libraries_are_here_for_these_tests():
    assert [name for name in ("tqdm", "matplotlib", "safetensors") if importlib.util.find_spec(name) is None] == []
