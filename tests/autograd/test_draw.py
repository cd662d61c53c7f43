"""Counter-based random numbers: Random123's own known answers, and the same bits from kernels."""

import numpy as np
import pytest
from scipy import stats

import autograd as ag
from autograd.ops.draw import philox
from autograd.program.fused import Fused

KNOWN = [  # philox2x32-10 of Random123's kat_vectors: counter, key, first word
    ((0x00000000, 0x00000000), 0x00000000, 0xFF1DAE59),
    ((0xFFFFFFFF, 0xFFFFFFFF), 0xFFFFFFFF, 0x2C3F628B),
    ((0x243F6A88, 0x85A308D3), 0x13198A2E, 0xDD7CE038),
]


@pytest.mark.parametrize(("counter", "key", "word"), KNOWN)
def test_known_answers(counter, key, word):
    index = np.array([counter[0] | counter[1] << 32], np.uint64)
    assert int(philox(index, key)[0]) == word


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**53 - 1])
@pytest.mark.parametrize("shape", [(1,), (70_001,), (300, 37), (2, 30, 17, 3)])
def test_kernels_draw_the_same_bits(dtype, seed, shape):
    x = np.zeros(shape, dtype)
    compiled = Fused(lambda x, seed: ag.uniform_like(x, seed) + x, smallest=0)
    np.testing.assert_array_equal(compiled(x, seed), ag.uniform_like(x, seed))
    assert compiled.reasons() == []


def test_the_place_of_an_element_is_the_users_whatever_the_loops():
    x = np.zeros((40, 30))
    rows = Fused(lambda x, seed: ag.uniform_like(x, seed) - ag.mean(ag.uniform_like(x, seed), 1, keepdims=True), 0)
    u = ag.uniform_like(x, 5)
    np.testing.assert_allclose(rows(x, 5), u - u.mean(1, keepdims=True), rtol=1e-12, atol=1e-15)
    turned = Fused(lambda x, seed: ag.uniform_like(x.T, seed).T + x, 0)
    np.testing.assert_array_equal(turned(x, 5), ag.uniform_like(x.T, 5).T)


def test_numbers_are_uniform_and_independent():
    draws = [ag.uniform_like(np.zeros(200_000), seed) for seed in range(5)]
    for u in draws:
        assert u.min() >= 0
        assert u.max() < 1
        assert stats.kstest(u, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.01
    assert np.abs(np.corrcoef(draws) - np.eye(5)).max() < 0.01
    ones = (draws[0] < 0.5).reshape(-1, 8) @ (1 << np.arange(8))
    assert stats.chisquare(np.bincount(ones, minlength=256)).pvalue > 1e-3


def test_seeds_come_from_the_generators_stream():
    a, b = ag.random.Generator(3), ag.random.Generator(3)
    first = [a.seed(), a.seed()]
    assert first[0] != first[1]
    assert first == [b.seed(), b.seed()]
    assert all(0 <= s < 2**53 for s in first)
