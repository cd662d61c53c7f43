"""Progress while training: a line for each epoch, or a bar that moves four times a second and costs next to nothing."""

import sys

import numpy as np

import optim
from nn.callback import Bar, Lines, reporters
from nn.module import Module, Parameter
from nn.trainer import Trainer


class Line(Module):
    def __init__(self, slope=0.0, intercept=0.0):
        self.slope = Parameter(np.array([slope]))
        self.intercept = Parameter(np.array([intercept]))

    def forward(self, x):
        return self.slope * x + self.intercept


def squared(prediction, target):
    return ((prediction - target) ** 2).mean()


def batches(n=10, size=4):
    x = np.linspace(-1, 1, n)
    return [(x[k : k + size], 3 * x[k : k + size] + 1) for k in range(0, n, size)]


def test_lines_where_there_is_no_terminal(capsys):
    model = Line(1.0, 1.0)
    t = Trainer(model, squared, optim.SGD(model.parameters(), lr=0.0))
    t.fit(batches(), batches(2), epochs=2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "epoch 1: loss 1.63, val_loss 4\nepoch 2: loss 1.63, val_loss 4\n"


def test_nothing_without_progress(capsys):
    model = Line(1.0, 1.0)
    Trainer(model, squared, optim.SGD(model.parameters(), lr=0.0), progress=False).fit(batches(), epochs=2)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    model = Line(1.0, 1.0)
    t = Trainer(model, squared, optim.SGD(model.parameters(), lr=0.0))
    t.fit(batches(), epochs=2)
    err = capsys.readouterr().err
    assert "6/6" in err
    assert "epoch 2: loss 1.63" in err
    assert err.count("\n") == 1


def test_the_bar_knows_its_end_only_if_the_data_has_a_length(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bars = [reporters(True, data, 3)[0] for data in (batches(), iter(batches()))]
    assert [type(b) for b in bars] == [Bar, Bar]
    assert [b.bar.total for b in bars] == [9, None]
    for b in bars:
        b.bar.close()
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert [type(b) for b in reporters(True, batches(), 3)] == [Lines]


def test_the_bar_moves_four_times_a_second_whatever_the_speed(monkeypatch):
    now, moves = [0.0], []
    monkeypatch.setattr("nn.callback.perf_counter", lambda: now[0])
    for step in (1e-4, 1e-6, 0.01, 1.0):  # seconds; the first is 10,000 steps a second

        class Moves:
            def __init__(self, **settings):
                moves.clear()

            def update(self, n):
                moves.append(n)

        bar, looks = Bar([], 1, Moves), []
        move = bar._move
        bar._move = lambda move=move, looks=looks: (looks.append(1), move())
        seconds = 20
        for _ in range(min(round(seconds / step), 200_000)):
            now[0] += step
            bar.on_batch_end(None, 0, 0.0)
        passed = min(seconds, 200_000 * step)
        assert len(moves) <= 4 * passed + 1
        assert len(moves) >= min(passed / step, 3.9 * passed) / 1.5 - 2
        assert len(looks) <= 8 * passed + 25  # looks at the clock
