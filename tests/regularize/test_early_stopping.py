"""Early stopping on scripted figures: when it stops, and what weights are left however training ends."""

import math

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, CheckpointError, DataError
from nn.callback import Callback
from nn.module import Module, Parameter
from nn.trainer import Trainer
from regularize import EarlyStopping


class Counter(Module):
    """Its weight is the number of steps taken; its output is looked up by it."""

    def __init__(self, script):
        self.weight = Parameter([0.0])
        self.script = script

    def forward(self, x):
        return self.weight * 0 + self.script[round(float(self.weight.detach())) - 1]


class Count:
    def __init__(self, model):
        self.model = model

    def zero_grad(self):
        pass

    def step(self):
        self.model.weight.set_(np.array(self.model.weight.numpy() + 1))


#        figures by epoch, settings, (best epoch, stopped epoch, epochs run, weight at the end)
TABLE = [
    ([5, 4, 3, 2, 1], {}, (5, None, 5, 5)),
    ([5, 4, 6, 6, 6, 6], {"patience": 2}, (2, 4, 4, 2)),
    ([5, 4, 6, 6, 6, 6], {"patience": 2, "restore_best_weights": False}, (2, 4, 4, 4)),
    ([5, 4, 6, 3, 6, 6, 1], {"patience": 2}, (4, 6, 6, 4)),
    ([5, 4, 6, 6], {"patience": 5}, (2, None, 4, 2)),
    ([5, 6, 1], {"patience": 0}, (1, 2, 2, 1)),
    ([5, 5, 5, 1], {"patience": 2}, (1, 3, 3, 1)),
    ([5, 4.95, 4.9, 4.85], {"patience": 2, "min_delta": 0.2}, (1, 3, 3, 1)),
    ([5, 4.5, 4.0, 4.0], {"patience": 2, "min_delta": 0.2}, (3, None, 4, 3)),
    ([1, 5, 4, 6, 7], {"patience": 2, "start_from_epoch": 1}, (3, 5, 5, 3)),
    ([1, 2, 3, 1, 1], {"patience": 2, "mode": "max"}, (3, 5, 5, 3)),
    ([math.nan, 5, math.nan, math.nan, 1], {"patience": 2}, (2, 4, 4, 2)),
    ([math.nan, math.nan], {"patience": 9}, (None, None, 2, 2)),
]


class Script(Callback):
    """Puts the scripted figure in place of the validation loss."""

    def __init__(self, script):
        self.script = script

    def on_epoch_end(self, trainer, epoch, logs):
        logs["val_loss"] = self.script[epoch - 1]


def scripted(script, stopping, others=()):
    model = Counter([0.0] * 100)
    trainer = Trainer(model, lambda p: p.mean(), Count(model), progress=False)
    batches = [(np.zeros((1, 1), "f4"),)]
    try:
        trainer.fit(batches, batches, epochs=len(script), callbacks=[Script(script), stopping, *others])
    finally:
        trainer.weight = model.weight.item()
    return trainer


@pytest.mark.parametrize(("script", "settings", "expected"), TABLE)
def test_when_it_stops_and_what_it_keeps(script, settings, expected):
    stopping = EarlyStopping(**settings)
    trainer = scripted(script, stopping)
    assert (stopping.best_epoch, stopping.stopped_epoch, len(trainer.history.epochs), trainer.weight) == expected
    assert stopping.best == (None if stopping.best_epoch is None else script[stopping.best_epoch - 1])


class Raise(Callback):
    def __init__(self, error, epoch):
        self.error, self.epoch = error, epoch

    def on_epoch_start(self, trainer, epoch):
        self.step_of = epoch

    def on_batch_end(self, trainer, step, loss):
        if self.step_of == self.epoch:
            raise self.error


class Stop(Callback):
    def on_epoch_end(self, trainer, epoch, logs):
        trainer.stop_training = epoch == 3


def test_best_weights_come_back_when_another_callback_stops():
    assert scripted([5, 4, 6, 7], EarlyStopping(), [Stop()]).weight == 2


def test_best_weights_come_back_after_an_interrupt(capsys):
    trainer = scripted([5, 4, 6, 7], EarlyStopping(), [Raise(KeyboardInterrupt(), 3)])
    assert (trainer.weight, trainer.interrupted) == (2, True)
    assert "interrupted in epoch 3" in capsys.readouterr().err


def test_best_weights_come_back_after_an_error():
    model = Counter([0.0] * 100)
    trainer = Trainer(model, lambda p: p.mean(), Count(model), progress=False)
    batches = [(np.zeros((1, 1), "f4"),)]
    callbacks = [Script([5, 4, 6, 7]), EarlyStopping(), Raise(ZeroDivisionError(), 4)]
    with pytest.raises(ZeroDivisionError):
        trainer.fit(batches, batches, epochs=4, callbacks=callbacks)
    assert model.weight.item() == 2


def test_best_weights_come_back_after_a_loss_that_is_not_finite():
    model = Counter([3.0, 2.0, math.nan])
    trainer = Trainer(model, lambda p: p.mean(), Count(model), progress=False)
    batches = [(np.zeros((1, 1), "f4"),)]
    model.weight.set_(np.ones(1, "f4"))
    with pytest.raises(DataError, match="loss became nan in epoch 3"):
        trainer.fit(batches, callbacks=[EarlyStopping("loss")], epochs=9)
    assert model.weight.item() == 3  # after the second epoch, whose loss was the best


ENDINGS = {
    "patience": (list, {"patience": 2}, 4),
    "the last epoch": (list, {}, 6),
    "another callback": (lambda: [Stop()], {}, 3),
    "an interrupt": (lambda: [Raise(KeyboardInterrupt(), 4)], {}, 3),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("restore", [True, False])
def test_the_best_is_on_disk_as_well_however_training_ends(ending, restore, tmp_path):
    others, settings, epochs = ENDINGS[ending]
    path = tmp_path / "best.safetensors"
    stopping = EarlyStopping(**settings, restore_best_weights=restore, path=path)
    trainer = scripted([5, 4, 6, 7, 8, 9], stopping, others())
    assert {name: t.tolist() for name, t in nn.load(path).items()} == {"weight": [2.0]}
    assert len(trainer.history.epochs) == epochs
    last = epochs + (ending == "an interrupt")  # whose step was taken
    assert trainer.weight == (2 if restore else last)
    assert [p.name for p in tmp_path.iterdir()] == ["best.safetensors"]


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_its_state_goes_on_where_another_stood(epoch):
    class Swap(Callback):
        def on_epoch_end(self, trainer, now, logs):
            if now == epoch:
                second.on_fit_start(trainer)
                second.load_state_dict(first.state_dict())
            elif now > epoch:
                second.on_epoch_end(trainer, now, logs)

    first, second = EarlyStopping(patience=9, start_from_epoch=1), EarlyStopping(patience=3, start_from_epoch=1)
    scripted([1, 5, 4, 6, 7, 8, 9], first, [Swap()])
    assert (second.best, second.best_epoch, second.stopped_epoch, second.waited) == (4, 3, 6, 3)
    assert second.state_dict()["weights"]["weight"].tolist() == [3.0]
    with pytest.raises(CheckpointError, match=r"given the state \['best'\]. Expected best, best_epoch, .* weights"):
        second.load_state_dict({"best": 1.0})


def test_nothing_is_on_disk_before_there_is_a_best(tmp_path):
    scripted([math.nan, 4, 3], EarlyStopping(start_from_epoch=3, path=tmp_path / "best.safetensors"))
    assert list(tmp_path.iterdir()) == []


def test_a_second_fit_begins_anew():
    stopping = EarlyStopping(patience=1)
    scripted([5, 6], stopping)
    assert (stopping.best, stopping.stopped_epoch) == (5, 2)
    scripted([9, 8, 7], stopping)
    assert (stopping.best, stopping.best_epoch, stopping.stopped_epoch) == (7, 3, None)


@pytest.mark.parametrize(
    ("monitor", "mode"),
    [("val_loss", "min"), ("loss", "min"), ("val_err", "min"), ("mae", "min"), ("val_accuracy", "max"), ("auc", "max")],
)
def test_mode_by_name(monitor, mode):
    assert EarlyStopping(monitor).mode == mode


BAD = [
    ({"patience": -1}, "patience=-1.*Expected 0 or more"),
    ({"min_delta": -0.1}, "min_delta=-0.1"),
    ({"start_from_epoch": -2}, "start_from_epoch=-2"),
    ({"mode": "up"}, "mode='up'. Expected 'auto', 'min' or 'max'"),
    ({"monitor": "val_kappa"}, r"cannot tell from the name 'val_kappa'(.|\n)*Write mode='min' or mode='max'"),
]


@pytest.mark.parametrize(("settings", "words"), BAD)
def test_bad_settings(settings, words):
    with pytest.raises(ArgumentError, match=words):
        EarlyStopping(**settings)


def test_an_unknown_figure_lists_those_that_exist():
    with pytest.raises(
        ArgumentError, match=r"'val_accuracy', which is not in the history. There are: loss, val_loss\."
    ):
        scripted([1.0], EarlyStopping("val_accuracy"))


def test_a_figure_of_validation_without_validation():
    model = Counter([1.0, 1.0])
    trainer = Trainer(model, lambda p: p.mean(), Count(model), progress=False)
    with pytest.raises(ArgumentError, match=r"There are: loss\. Give fit a validation set"):
        trainer.fit([(np.zeros((1, 1), "f4"),)], callbacks=[EarlyStopping()])


def test_a_plain_function_has_no_weights_to_keep():
    trainer = Trainer(lambda x: x, lambda p: p.mean(), None, progress=False)
    with pytest.raises(ArgumentError, match=r"of a function\. Expected an nn.Module.*restore_best_weights=False"):
        trainer.fit([], callbacks=[EarlyStopping()])
    with pytest.raises(ArgumentError, match=r"restore_best_weights=False and no path"):
        trainer.fit([], callbacks=[EarlyStopping(restore_best_weights=False, path="best.safetensors")])
