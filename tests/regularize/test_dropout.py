"""Dropout: the mask, its scale and its derivative, in both modes."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError
from regularize import HIDDEN_KEEP, VISIBLE_KEEP, Dropout


def layer(p, seed=0):
    return Dropout(p, generator=ag.random.Generator(seed))


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.75])
def test_elements_are_dropped_with_probability_p_and_the_others_scaled(p):
    n = 100_000
    y = layer(p)(ag.ones(n)).numpy()
    assert np.unique(y).tolist() == [0.0, 1 / (1 - p)]
    assert abs((y == 0).mean() - p) < 4 * math.sqrt(p * (1 - p) / n)
    assert abs(y.mean() - 1) < 4 * math.sqrt(p / (1 - p) / n)


def test_keep_probabilities_of_the_notes():
    assert (HIDDEN_KEEP, VISIBLE_KEEP) == (0.5, 0.8)
    y = layer(1 - VISIBLE_KEEP)(ag.ones(100_000)).numpy()
    assert abs((y > 0).mean() - VISIBLE_KEEP) < 0.006


def test_the_mask_is_the_generators():
    x = ag.arange(1, 101, dtype="float64")
    first, second = layer(0.3), layer(0.3)
    kept = ag.uniform_like(x.numpy(), ag.random.Generator(0).seed()) < 0.7
    expected = np.where(kept, x.numpy() / 0.7, 0)
    np.testing.assert_allclose(first(x).numpy(), expected, rtol=1e-15)
    assert first(x).tolist() != second(x).tolist()  # each call draws anew


def test_the_default_stream_is_the_seeded_one():
    drop, x = Dropout(), ag.ones(50)
    ag.random.seed(3)
    first = drop(x).tolist()
    ag.random.seed(3)
    assert drop(x).tolist() == first


def test_evaluation_and_p_0_are_the_identity():
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    assert layer(0.5).eval()(x) is x
    assert layer(0)(x) is x


def test_p_1_drops_everything_even_infinities():
    x = ag.tensor([1.0, math.inf, math.nan], requires_grad=True)
    y = layer(1)(x)
    assert y.tolist() == [0.0, 0.0, 0.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_the_gradient_passes_where_the_value_does():
    x = ag.tensor(np.linspace(1, 2, 40).reshape(8, 5), requires_grad=True)
    y = layer(0.4)(x)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.where(y.numpy() > 0, 1 / 0.6, 0), rtol=1e-15)
    result = ag.gradcheck(lambda t: layer(0.4)(t), [ag.tensor(x)])
    assert result, result


def test_float32_stays_float32():
    x = ag.tensor(np.ones((3, 4)), dtype="float32", requires_grad=True)
    for p in (0.5, np.float64(0.5), 1):
        y = layer(p)(x)
        assert y.dtype == np.float32
        assert ag.grad(y.sum(), x)[0].dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_p_that_is_no_probability(p):
    with pytest.raises(ArgumentError, match=rf"p={p}. Expected the probability of dropping.*Dropout\(1 - keep\)"):
        Dropout(p)


def test_the_form_of_the_notes_scales_at_test_time():
    n = 100_000
    drop = Dropout(1 - VISIBLE_KEEP, scale_at="test", generator=ag.random.Generator(0))
    x = ag.tensor(np.full(n, 3.0), requires_grad=True)
    y = drop(x)
    assert np.unique(y.numpy()).tolist() == [0.0, 3.0]
    assert abs((y.numpy() > 0).mean() - VISIBLE_KEEP) < 0.006
    y.sum().backward()
    assert x.grad.numpy().tolist() == (y.numpy() / 3).tolist()
    np.testing.assert_allclose(drop.eval()(x).numpy(), 3 * VISIBLE_KEEP, rtol=1e-15)


def test_both_forms_draw_the_same_mask_and_differ_by_the_scale():
    x = ag.tensor(np.random.default_rng(0).standard_normal((70, 80)))
    inverted, notes = (Dropout(0.3, scale_at=when, generator=ag.random.Generator(2)) for when in ("train", "test"))
    np.testing.assert_allclose(inverted(x).numpy() * 0.7, notes(x).numpy(), rtol=1e-15)
    np.testing.assert_allclose(inverted.eval()(x).numpy() * 0.7, notes.eval()(x).numpy(), rtol=1e-15)
    assert Dropout(0, scale_at="test")(x) is x
    assert not Dropout(1, scale_at="test")(x).numpy().any()


def test_where_it_scales():
    with pytest.raises(ArgumentError, match=r"scale_at='eval'. Expected 'train' or 'test'"):
        Dropout(0.5, scale_at="eval")


def test_repr():
    assert repr(Dropout(0.25)) == "Dropout(p=0.25)"
    assert repr(Dropout(0.25, scale_at="test")) == "Dropout(p=0.25, scale_at='test')"
