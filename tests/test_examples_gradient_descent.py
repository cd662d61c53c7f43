"""The gradient descent example at reduced length: the three variants take the steps that they are named for."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = runpy.run_path(
    str(Path(__file__).parents[1] / "examples" / "gradient_descent.py"), run_name="gradient_descent"
)


@pytest.fixture(scope="module")
def found():
    return EXAMPLE["run"](seeds=1, length=0.05, progress=False)


def test_the_parts_are_scaled_by_the_training_part():
    parts = EXAMPLE["prepare"](0)
    assert [len(y) for _, y in parts] == [1258, 180, 359]
    assert parts.train[0].dtype == np.float32
    live = parts.train[0].std(0) > 0
    np.testing.assert_allclose(parts.train[0][:, live].std(0), 1, rtol=1e-4)
    assert abs(parts.test[0].mean(0)).max() > 0.01


def test_each_variant_takes_its_steps_and_learns(found):
    epochs = {"batch": 50, "mini-batch": 3, "stochastic": 1}
    steps = {"batch": 50, "mini-batch": 3 * 40, "stochastic": 1258}
    for name, (result,) in found.items():
        assert len(result.history.epochs) == len(result.seconds) == epochs[name]
        assert result.steps == steps[name]
        assert result.accuracy > 0.8, name
        assert (np.diff(result.seconds) > 0).all()
    loss = {name: result.history["loss"] for name, (result,) in found.items()}
    assert (np.diff(loss["batch"]) < 0).mean() > 0.9  # the gradient of all samples goes down
    assert loss["stochastic"][0] < loss["mini-batch"][0] < loss["batch"][0]  # in one epoch: the more steps the better


def test_the_time_to_an_accuracy(found):
    (result,) = found["batch"]
    k = np.flatnonzero(result.history["val_accuracy"] >= 0.7)[0]
    assert 0 < k < 50
    assert result.until(0.7) == result.seconds[k]
    assert np.isnan(result.until(1.01))


def test_the_table_and_the_picture(found, tmp_path):
    lines = EXAMPLE["table"](found, 0.7).splitlines()
    assert lines[0].split() == list(EXAMPLE["VARIANTS"])
    assert lines[1].split() == ["accuracy", *(f"{result.accuracy:.4f}" for (result,) in found.values())]
    assert "seconds to 70%" in lines[4]
    assert lines[7].split() == ["steps", "50", "120", "1258"]
    path = tmp_path / "new" / "curves.png"
    EXAMPLE["draw"](found, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 30_000
