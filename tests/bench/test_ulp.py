"""The largest error in units in the last place."""

import numpy as np
import pytest

from bench.ulp import WrongKernel, check, error


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [1.0, -3.7, 1e-30, 6e4, 0.0])
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_neighbours_are_one_apart(dtype, value, steps):
    y = x = dtype(value)
    for _ in range(steps):
        y = np.nextafter(y, dtype(np.inf))
    assert error(np.array([y]), np.array([x])).ulp == pytest.approx(steps, abs=1e-6)


def test_a_wider_reference_shows_parts_of_a_unit():
    assert error(np.float32([1.0]), np.float64([1 + 2.0**-24])).ulp == 0.5


def test_a_narrower_reference_asks_for_no_more_digits_than_it_has():
    exact, rounded = np.linspace(0.1, 0.9, 9), np.linspace(0.1, 0.9, 9).astype(np.float32)
    assert error(exact, rounded).ulp == 0
    assert error(exact + 1j, rounded + np.complex64(1j)).ulp == 0
    assert error(exact * 1.001, rounded).ulp > 1e4


def test_the_worst_element_is_named():
    found = error(np.float64([[1.0, 2.0], [3.0, 5.0]]), np.float64([[1.0, 2.0], [3.0, 4.0]]))
    assert found.words == "element (1, 1): 5.0, expected 4.0"
    assert found.ulp == 2.0**50


def test_an_error_by_cancellation_is_small_beside_the_largest_element():
    found = error(np.float32([1000.0, 2e-5]), np.float64([1000.0, 1e-5]))
    assert found.ulp > 1e6
    assert found.of_largest == pytest.approx(1e-5 / 2.0**-14, rel=1e-3)


@pytest.mark.parametrize(
    ("y", "r", "ulp"),
    [
        ([np.nan], [np.nan], 0.0),
        ([np.inf], [np.inf], 0.0),
        ([np.inf], [-np.inf], np.inf),
        ([np.nan], [1.0], np.inf),
        ([1.0], [np.nan], np.inf),
        ([np.inf], [1e300], 0.0),  # beyond float32, so that infinity is right
        ([3.0e38], [np.inf], np.inf),
        ([-0.0], [0.0], 0.0),
    ],
)
def test_special_values_must_stand_where_the_reference_has_them(y, r, ulp):
    assert error(np.float32(y), np.float64(r)).ulp == ulp


def test_whole_numbers_and_truth_must_be_equal():
    assert error(np.array([1, 2]), np.array([1, 2])).ulp == 0
    assert error(np.array([True]), np.array([False])).ulp == np.inf


def test_complex_numbers_are_as_far_off_as_their_worse_part():
    x = np.complex64([1 + 1j])
    y = x + np.complex64(1j * np.spacing(np.float32(1)))
    found = error(y, x.astype(complex))
    assert (found.ulp, found.of_largest) == (1.0, 1.0)


def test_an_infinite_error_is_no_part_of_the_largest_element():
    assert error(np.full(3, np.nan), np.ones(3)).of_largest == np.inf


def test_empty_results_have_no_error():
    assert error(np.ones((0, 3)), np.ones((0, 3))).ulp == 0


def test_wrong_shapes_and_numbers_of_results_are_refused():
    with pytest.raises(WrongKernel, match=r"shape \(2,\), and the reference has \(3,\)"):
        error(np.ones(2), np.ones(3))
    with pytest.raises(WrongKernel, match="there are 2 results, and the reference has 1"):
        check([np.ones(1)] * 2, [np.ones(1)])


def test_the_limit_is_what_is_allowed():
    y, r = np.float32([1.0]), np.float64([1.0 + 3 * 2.0**-23])
    assert check([y], [r], 3.0).ulp == 3.0
    with pytest.raises(WrongKernel, match=r"wrong by 3 ulp.*\n.*At most 2 are allowed: ulps="):
        check([y], [r], 2.0)
