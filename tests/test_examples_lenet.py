"""The LeNet example at reduced length: the digits it is given, its network, and a short course on a fifth of them."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "lenet.py"), run_name="lenet")


def test_a_stratified_fifth_is_held_out():
    train, held_out, train_labels, labels = EXAMPLE["prepare"]()
    assert train.shape == (4000, 1, 28, 28)
    assert held_out.shape == (1000, 1, 28, 28)
    assert np.bincount(train_labels).tolist() == [400] * 10
    assert np.bincount(labels).tolist() == [100] * 10
    assert train.dtype == np.float32
    assert abs(train.mean()) < 1e-5
    assert abs(train.std() - 1) < 1e-5
    assert not {x.tobytes() for x in train} & {x.tobytes() for x in held_out}


def test_the_network_ends_in_ten_scores_and_its_maps_are_lenets():
    model = EXAMPLE["build"](ag.random.Generator(0)).eval()
    sizes, x = [], ag.zeros((2, 1, 28, 28), dtype="float32")
    for layer in model:
        x = layer(x)
        sizes.append(x.shape[1:])
    kept = [a for a, b in zip(sizes, [*sizes[1:], None], strict=True) if a != b]
    assert kept == [(16, 28, 28), (16, 14, 14), (32, 10, 10), (32, 5, 5), (800,), (120,), (84,), (10,)]


def test_the_rate_falls_along_a_cosine():
    class Trained:
        class optimizer:
            param_groups = ({"lr": 0.0},)

    rates, cosine = [], EXAMPLE["Cosine"](0.8, 4)
    for epoch in (1, 2, 3, 4):
        cosine.on_epoch_start(Trained, epoch)
        rates.append(Trained.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.8, 0.4 + 0.4 * 0.5**0.5, 0.4, 0.4 - 0.4 * 0.5**0.5])


def test_a_short_course_on_a_fifth_of_the_digits(capsys):
    accuracy = EXAMPLE["run"](epochs=4, count=1000, progress=False)
    assert accuracy > 0.88  # 800 digits, four times each
    printed = capsys.readouterr().out
    assert "800 digits to train on, 200 held out; 120,382 parameters" in printed
    wrong = round(200 * (1 - accuracy))
    assert f"held out: {accuracy:.2%} ({wrong} of 200 wrong)" in printed
    matrix = np.array([[int(n) for n in line.strip(" []").split()] for line in printed.splitlines()[-10:]])
    assert matrix.sum(1).tolist() == [20] * 10
    assert np.trace(matrix) == 200 - wrong
