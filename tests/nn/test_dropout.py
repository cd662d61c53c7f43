"""Dropout as a function."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import regularize
from autograd.errors import ArgumentError


def test_each_element_is_dropped_with_probability_p_and_the_others_scaled():
    y = F.dropout(ag.ones((100, 200)), 0.3, generator=ag.random.Generator(0)).numpy()
    np.testing.assert_allclose(np.unique(y), [0, 1 / 0.7], rtol=1e-15)
    assert abs((y == 0).mean() - 0.3) < 0.01


def test_gradient_passes_where_the_element_did():
    x = ag.ones((50,), requires_grad=True)
    y = F.dropout(x, generator=ag.random.Generator(1))
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.detach())


def test_edges():
    x = ag.tensor([1.0, np.inf])
    assert F.dropout(x, training=False) is x
    assert F.dropout(x, 0.0) is x
    np.testing.assert_array_equal(F.dropout(x, 1.0), [0, 0])
    assert F.dropout(ag.ones(4, "float32")).dtype == np.float32


def test_default_generator_is_the_seeded_one():
    drawn = []
    for _ in range(2):
        ag.random.seed(3)
        drawn.append(F.dropout(ag.ones(64)).tolist())
    assert drawn[0] == drawn[1]
    assert 0 < sum(x == 0 for x in drawn[0]) < 64


def test_it_draws_what_the_layer_draws():
    layer = regularize.Dropout(0.4, generator=ag.random.Generator(5))
    np.testing.assert_array_equal(layer(ag.ones(99)), F.dropout(ag.ones(99), 0.4, generator=ag.random.Generator(5)))


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("dropout1d", "Dropout1d", (7, 9, 2)),
        ("dropout2d", "Dropout2d", (7, 9, 2, 3)),
        ("dropout3d", "Dropout3d", (7, 9, 2, 2, 3)),
        ("alpha_dropout", "AlphaDropout", (99,)),
        ("feature_alpha_dropout", "FeatureAlphaDropout", (7, 9, 4)),
    ],
)
def test_the_other_kinds_draw_what_their_layers_draw(name, layer, shape):
    x, f = ag.ones(shape, "float32"), getattr(F, name)
    y = f(x, 0.3, training=True, generator=ag.random.Generator(5))
    np.testing.assert_array_equal(y, getattr(regularize, layer)(0.3, generator=ag.random.Generator(5))(x))
    assert y.dtype == np.float32
    assert len(np.unique(y)) == 2
    assert f(x, 0.3, training=False) is x
    assert (f(x) is x) == ("alpha" in name)  # PyTorch's defaults
    with pytest.raises(ArgumentError, match=f"{name} was given the probability 2"):
        f(x, 2)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_probabilities_are_checked(p):
    with pytest.raises(ArgumentError, match=r"dropout was given the probability .* write 1 - keep"):
        F.dropout(ag.ones(2), p)
    with pytest.raises(ArgumentError, match="GRU was given the probability"):
        nn.GRU(2, 3, 2, dropout=p)
