"""The diabetes example at reduced length: where outliers are planted, and which losses they carry away."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "diabetes.py"), run_name="diabetes")


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.1, 35), (1.0, 353)])
def test_outliers_are_planted_in_the_training_part_alone(share, count):
    clean, patients = EXAMPLE["prepare"](0.0, 1), EXAMPLE["prepare"](share, 1)
    assert patients.planted.sum() == count
    np.testing.assert_array_equal(patients.target, np.where(patients.planted, 10, 1) * clean.target)
    np.testing.assert_array_equal(patients.held_out_target, clean.held_out_target)
    targets = np.concatenate([clean.target, clean.held_out_target])
    np.testing.assert_array_equal(np.sort(targets), np.sort(load_diabetes().target))
    np.testing.assert_allclose(patients.train.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(patients.train.std(0), 1, atol=1e-5)


def test_the_error_is_in_units_of_the_target():
    patients = EXAMPLE["prepare"](0.0, 0)
    assert EXAMPLE["error"](patients.held_out_target + 3.0, patients) == pytest.approx(3.0)


def test_outliers_carry_the_squared_error_away_and_not_hubers(capsys):
    found = EXAMPLE["run"](shares=(0.0, 0.1), epochs=40, seeds=2)
    (mse, mse_planted), (_, _), (huber, huber_planted) = (found[name] for name in ("MSE", "L1", "Huber"))
    assert 48 < huber < 64
    assert abs(mse - huber) < 6  # of clean data both learn the same
    assert mse_planted > 2 * mse
    assert max(huber_planted - huber, found["L1"][1] - found["L1"][0]) < 6
    printed = capsys.readouterr().out
    assert printed.splitlines()[4].split() == ["10%", *(f"{found[n][1]:.1f}" for n in ("MSE", "L1", "Huber"))]
    guess = float(printed.partition("for everyone: ")[2].partition(";")[0])
    assert 70 < guess < 85
    assert huber_planted < guess - 10
