"""The cost of operations: by hand, and for every primitive by a stated rule."""

import numpy as np
import pytest

import autograd as ag
from autograd import cost
from autograd.config import config
from autograd.errors import FreedTapeError
from autograd.primitive import primitives

RULES = [cost.MOVES, cost.PRODUCTS, cost.PER_INPUT, cost.PER_OUTPUT, cost.PER_CUBE, cost.TRANSFORMS, cost.WINDOWS]
RULES.append(cost.RESAMPLED)
WINDOW = {"size": (2,), "stride": (2,), "dilation": (1,), "padding": ((0, 0),)}


def test_every_primitive_has_one_rule():
    others = [name for name, op in primitives.items() if op.differentiable and op.partials is None]
    assert {name: sum(name in rule for rule in RULES) for name in others} == dict.fromkeys(others, 1)
    assert set().union(*RULES) <= set(primitives)


def leaf(*shape):
    return ag.ones(shape, requires_grad=True)


def spread_pixels(g, coordinates):
    return primitives["resample_transpose"](g, coordinates, shape=(4, 4), orders=(0, 0), nearest=False, edge=False)


@pytest.mark.parametrize(
    ("make", "flops"),
    [
        (lambda: leaf(2, 3) + leaf(3), 6),
        (lambda: ag.exp(leaf(2, 3)), 6),
        (lambda: leaf(2, 3) @ leaf(3, 4), 48),
        (lambda: leaf(2, 3) @ ag.ones((3, 4)), 48),
        (lambda: ag.ones((2, 3)) @ leaf(3, 4), 48),
        (lambda: leaf(5, 2, 3) @ leaf(3, 4), 5 * 48),
        (lambda: leaf(5, 2, 3) @ leaf(5, 3, 4), 5 * 48),
        (lambda: leaf(0, 3) @ leaf(3, 4), 0),
        (lambda: ag.sum(leaf(2, 3)), 6),
        (lambda: ag.max(leaf(2, 3), 1), 6),
        (lambda: ag.mean(leaf(2, 3)), 6 + 1),
        (lambda: ag.softmax(leaf(2, 3), 1), 30),
        (lambda: ag.cumulative_sum(leaf(4)), 4),
        (lambda: ag.linear_recurrence(ag.ones(4), leaf(4)), 8),
        (lambda: ag.reshape(leaf(2, 3), (6,))[1:], 0),
        (lambda: ag.window(leaf(5), (2,), axes=(0,)), 0),
        (lambda: ag.window_max(leaf(2, 5, 5), (3, 3)), 2 * 9),
        (lambda: ag.window_sum(leaf(2, 5, 5), (2, 3), stride=1), 2 * 12 * 6),
        (lambda: primitives["window_spread"](leaf(2, 3), **WINDOW, lengths=(6,)), 6 * 2),
        (lambda: primitives["window_place"](leaf(2, 3), np.ones((2, 3), int), lengths=(6,)), 6),
        (lambda: primitives["window_pick"](leaf(2, 6), np.ones((2, 3), int), dims=1), 0),
        (lambda: ag.resample(leaf(2, 3, 4, 4), np.ones((1, 2, 5, 6))), 2 * 3 * 30 * 8),
        (lambda: ag.resample(leaf(2, 3, 4, 4), np.ones((1, 2, 5, 6)), order="nearest"), 0),
        (lambda: spread_pixels(leaf(2, 3, 5, 6), np.ones((1, 2, 5, 6))), 2 * 3 * 30 * 8),
        (lambda: spread_pixels(np.ones((2, 3, 5, 6)), leaf(1, 2, 5, 6)), 2 * 3 * 30 * 8),
        (lambda: ag.einsum("bij,bjk->bik", leaf(5, 2, 3), ag.ones((5, 3, 4))), 2 * 5 * 24),
        (lambda: ag.einsum("i,j->ij", leaf(2), leaf(3)), 6),
        (lambda: ag.einsum("ij->i", leaf(2, 3)), 6),
        (lambda: ag.cholesky(ag.eye(6) * leaf(6, 1)), 36 + 72),
        (lambda: ag.solve(ag.eye(3), leaf(3, 2)), 18 + 2 * 3 * 6),
        (lambda: ag.inv(ag.eye(2) + leaf(5, 2, 1)), 20 + 5 * 16),
        (lambda: ag.fft.fft2(leaf(3, 4, 8)), 5 * 96 * 5),
        (lambda: ag.fft.irfft(ag.fft.rfft(leaf(2, 8))), 2 * 5 * 16 * 3 // 2),
    ],
)
def test_costs_by_hand(make, flops):
    assert sum(c.flops for c in ag.costs_of(make())) == flops


def test_operations_come_in_order_between_positions_and_once_each():
    x = leaf(3)
    before = ag.tape_position()
    y = ag.tanh(x)
    middle = ag.tape_position()
    z = y * y
    found = ag.costs_of(z, y, z)
    assert [(c.operation, c.shape, c.flops) for c in found] == [("tanh", (3,), 3), ("multiply", (3,), 3)]
    assert before < found[0].position < middle < found[1].position
    assert ag.costs_of(ag.ones(3), x) == []


def test_a_fused_function_is_one_entry():
    @ag.fused
    def swish(x):
        return x * ag.sigmoid(x)

    x = leaf(5000)
    with config.using(kernels=False):
        assert [c.operation for c in ag.costs_of(swish(x))] == ["sigmoid", "multiply"]
    assert [(c.operation, c.flops) for c in ag.costs_of(swish(x))] == [("swish", 5000)]


def test_a_freed_tape_says_so():
    y = ag.tanh(leaf(1))
    ag.backward(y)
    with pytest.raises(FreedTapeError, match="whose tape an earlier one freed"):
        ag.costs_of(y)


def test_counting_is_exact_for_sizes_beyond_32_bits():
    big = np.broadcast_to(np.float32(1), (2**20, 2**16))
    x = ag.asarray(big)
    assert x.size == 2**36
    assert ag.costs_of(ag.broadcast_to(leaf(1, 1), (2**20, 2**16)))[0].flops == 0
