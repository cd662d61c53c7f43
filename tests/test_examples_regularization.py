"""The regularization example at reduced length: every recipe does to the network what it is for."""

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "regularization.py"), run_name="regularization")


@pytest.fixture(scope="module")
def found():
    return EXAMPLE["run"](seeds=1, epochs=50, progress=False)


def test_the_parts_are_stratified_and_do_not_meet():
    digits = EXAMPLE["prepare"](0)
    parts = (digits.train, digits.validation, digits.test)
    assert [len(y) for _, y in parts] == [100, 200, 1497]
    assert (np.bincount(digits.train[1]) == 10).mean() > 0.5
    assert sum(x.sum(dtype="f8") for x, _ in parts) * 16 == 561718  # of all digits: none is there twice
    assert digits.train[0].dtype == np.float32


def test_every_recipe_learns_and_the_network_is_too_large(found):
    for name, (result,) in found.items():
        assert result.accuracy > 0.8, name
    plain = found["nothing"][0]
    assert plain.history["accuracy"][-1] == 1
    assert plain.accuracy < 0.95
    assert plain.weights.size > 10 * 6400


def test_what_each_buys(found):
    plain = found["nothing"][0]
    small = {name: (abs(result.weights) < 1e-3).mean() for name, (result,) in found.items()}
    norm = {name: np.square(result.weights).sum() for name, (result,) in found.items()}
    assert small["L1"] > 0.3 > small["nothing"]
    assert norm["L2"] < 0.8 * norm["nothing"]
    gap = {name: result.loss - result.history["loss"][-1] for name, (result,) in found.items()}
    for name in ("L1", "L2", "dropout", "augmentation", "all"):  # harder to learn, nearer to what is to come
        result = found[name][0]
        assert result.history["loss"][-1] > 1.5 * plain.history["loss"][-1], name
        assert gap[name] < 0.95 * gap["nothing"], name


def test_the_table_and_the_picture(found, tmp_path):
    lines = EXAMPLE["table"](found).splitlines()
    assert [line[:15].strip() for line in lines[1:]] == list(EXAMPLE["RECIPES"])
    assert f"{found['dropout'][0].accuracy:.4f}" in lines[4]
    assert "+0.0000" in lines[1]
    path = tmp_path / "new" / "curves.png"
    EXAMPLE["draw"](found, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 30_000
