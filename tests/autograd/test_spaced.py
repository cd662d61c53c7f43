"""Evenly spaced numbers: NumPy's values, shapes and dtypes, and derivatives by the ends."""

import itertools

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError

ENDS = [1.0, -3, np.array([1.0, 2.0]), np.array([[1.0], [4.0]]), [3, 5], np.array(-2.5)]
A, B = np.array([1.0, 2.0]), np.array([3.0, 0.5])


@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace"])
@pytest.mark.parametrize("num", [0, 1, 5])
def test_values_are_numpys(name, num):
    for start, stop in itertools.product(ENDS, ENDS):
        for endpoint, axis, dtype in itertools.product((True, False), (0, -1), (None, "float32")):
            settings = {"num": num, "endpoint": endpoint, "axis": axis, "dtype": dtype}
            expected = getattr(np, name)(start, stop, **settings)
            ends = [ag.tensor(x, requires_grad=True) if isinstance(x, np.ndarray) else x for x in (start, stop)]
            for found in (getattr(ag, name)(start, stop, **settings), getattr(np, name)(*ends, **settings)):
                values = np.asarray(found.detach() if isinstance(found, ag.Tensor) else found)
                np.testing.assert_allclose(values, expected, rtol=1e-6 if dtype else 1e-12, atol=1e-15)
                assert values.dtype == expected.dtype


@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace"])
@pytest.mark.parametrize("settings", [{"axis": 1}, {"endpoint": False}])
def test_derivatives_by_the_ends(name, settings):
    assert ag.gradcheck(lambda a, b: getattr(ag, name)(a, b, 4, **settings), [A, B], order=2)


def test_derivatives_by_the_base_and_of_the_step():
    assert ag.gradcheck(lambda a, b, base: ag.logspace(a, b, 3, base=base), [A, B, A + 1], order=2)
    assert ag.gradcheck(lambda a, b: ag.linspace(a, b, 4, retstep=True)[1], [A, B])
    assert ag.jacobian(lambda b: np.geomspace(-1.0, b, 3))(-4.0).tolist() == [0.0, 0.25, 1.0]


def test_a_number_takes_the_dtype_of_the_other_end():
    for name in ("linspace", "logspace", "geomspace"):
        assert getattr(ag, name)(1.0, ag.tensor(2.0, dtype="float32"), 3).dtype == np.float32


def test_integers_are_floored_and_steps_of_one_number_undefined():
    t = ag.tensor([0.0], requires_grad=True)
    assert np.linspace(t, 5.0, 4, dtype=int).ravel().tolist() == [0, 1, 3, 5]
    assert np.isnan(np.linspace(t, 5.0, 1, retstep=True)[1].item())


def test_spaced_numbers_in_programs():
    run = ag.compile(lambda a: ag.linspace(a, 1.0, 3) + ag.geomspace(a, 4.0, 3))
    assert run(ag.tensor(1.0)).tolist() == [2.0, 3.0, 5.0]
    assert run.reasons() == []


def test_what_is_no_number_of_numbers_is_refused():
    with pytest.raises(ArgumentError, match=r"linspace was given num=2\.5"):
        ag.linspace(0, 1, 2.5)
    with pytest.raises(ArgumentError, match="geomspace was given num=-1"):
        ag.geomspace(1, 2, -1)
    with pytest.raises(ArgumentError, match=r"logspace was given endpoint='float32'\. Expected"):
        ag.logspace(0, 1, 3, "float32")
