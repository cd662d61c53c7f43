"""Programs written for HIPS autograd run here unchanged and give the figures that they gave there."""

from pathlib import Path
from runpy import run_path

import numpy as np
import pytest

FIGURES = Path(__file__).parents[2] / "figures"
FILES = ("hips_programs.py", "hips_complex.py")
PROGRAMS = {name: f for file in FILES for name, f in run_path(str(FIGURES / file))["PROGRAMS"].items()}
STORED = np.load(FIGURES / "hips.npz")
LOOSE = {
    "differential_equation": 1e-6,
    "trust_region": 1e-7,
    "gaussian_process": 1e-6,
    "convolution_and_fixed_point": 1e-8,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_the_stored_figures(name):
    found = PROGRAMS[name]()
    stored = {k.partition("/")[2]: STORED[k] for k in STORED.files if k.startswith(f"{name}/")}
    assert set(found) == set(stored) != set()
    for k, expected in stored.items():
        assert isinstance(found[k], (np.ndarray, np.generic)), f"{k} is a {type(found[k]).__name__}"
        tol = LOOSE.get(name, 1e-9)
        np.testing.assert_allclose(found[k], expected, rtol=tol, atol=tol, err_msg=f"{name}: {k}")


def test_the_figures_say_where_they_come_from():
    assert str(STORED["origin"]).startswith("HIPS autograd ")
