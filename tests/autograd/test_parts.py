"""Cotangents of parts of an array: added into one buffer, whatever the parts."""

import tracemalloc

import numpy as np
import pytest

import autograd as ag


def test_parts_of_one_array_cost_their_size_backwards():
    x = ag.tensor(np.arange(20_000.0).reshape(10_000, 2), requires_grad=True)
    total = ag.sum(x[0] * 1.0)
    for k in range(1, 10_000):
        total = total + ag.sum(x[k] * (k + 1.0))
    before = tracemalloc_peak(total.backward)
    np.testing.assert_array_equal(x.grad, np.arange(1.0, 10_001)[:, None] * np.ones(2))
    assert before < 4 * x.nbytes + 10_000 * 1000  # not an array of zeros for each of them


def test_a_part_is_added_into_no_cotangent_that_others_have_too():
    x, w = (ag.tensor(np.ones((3, 2)), requires_grad=True) for _ in range(2))
    part = ag.sum(x[0])
    both = x + w  # later than the part: x and w get the seed itself
    seed = np.arange(6.0).reshape(3, 2)
    by_x, by_w = ag.grad([part, both], [x, w], [1.0, given := seed.copy()])
    np.testing.assert_array_equal(by_x, seed + np.array([[1.0], [0.0], [0.0]]))
    np.testing.assert_array_equal(by_w, seed)
    np.testing.assert_array_equal(given, seed)


def test_a_result_that_is_asked_for_twice_counts_twice():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    y = ag.sum(x * x)
    np.testing.assert_array_equal(ag.grad([y, y], x, [1.0, 10.0])[0], [22.0, 44.0])


def tracemalloc_peak(f):
    tracemalloc.start()
    f()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    "read", [lambda x: x[1:] * x[:-1], lambda x: x[::2] + ag.sum(x[x > 0]), lambda x: x[[0, 0, 2]] * x[2]]
)
def test_parts_and_the_whole_add_up(read):
    x = np.array([0.5, -1.0, 2.0, 3.0])[:, None] * np.array([1.0, 2.0])
    f = lambda x: ag.sum(read(x)) + ag.sum(x * x) + ag.sum(ag.sin(x)[1])  # noqa: E731
    assert ag.gradcheck(f, [x])
    assert ag.gradgradcheck(f, [x])
