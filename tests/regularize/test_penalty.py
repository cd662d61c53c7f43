"""Penalties: their value, their gradient, what they leave out, what they say."""

import numpy as np
import pytest

import autograd as ag
import optim
import regularize
from autograd.errors import ArgumentError
from nn.module import Module, Parameter

ALPHA = 0.3
OMEGA = {"L1": lambda w: ALPHA * np.abs(w).sum(), "L2": lambda w: ALPHA / 2 * (w**2).sum()}
SLOPE = {"L1": lambda w: ALPHA * np.sign(w), "L2": lambda w: ALPHA * w}
KINDS = [kind for kind in vars(regularize).values() if isinstance(kind, type) and kind.__base__ is regularize.Penalty]
every_kind = pytest.mark.parametrize("kind", KINDS)


class Net(Module):
    def __init__(self):
        self.weight = Parameter([[1.0, -2.0], [0.0, 0.5]])
        self.bias = Parameter([3.0, -1.0])
        self.head = Parameter([0.25])


def test_every_penalty_is_in_the_tables():
    assert {kind.__name__ for kind in KINDS} == set(OMEGA) == set(SLOPE)


@every_kind
def test_value_and_gradient_are_the_notes(kind):
    ws = [ag.tensor(x, requires_grad=True) for x in ([[1.0, -2.0], [0.0, 0.5]], 3.0)]
    penalty = kind(ALPHA, ws)()
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(sum(OMEGA[kind.__name__](w.numpy()) for w in ws), rel=1e-15)
    penalty.backward()
    for w in ws:
        np.testing.assert_allclose(w.grad.numpy(), SLOPE[kind.__name__](w.numpy()), rtol=1e-15)


@every_kind
def test_names_can_be_left_out(kind):
    net = Net()
    assert len(kind(ALPHA, net).parameters) == 3
    for exclude in ("*bias", ("*bias",)):
        penalty = kind(ALPHA, net, exclude=exclude)
        expected = OMEGA[kind.__name__](net.weight.numpy()) + OMEGA[kind.__name__](net.head.numpy())
        assert penalty().item() == pytest.approx(expected, rel=1e-6)
        assert not any(w is net.bias for w in penalty.parameters)


@every_kind
def test_float32_stays_float32(kind):
    net = Net()
    penalty = kind(ALPHA, net)()
    penalty.backward()
    assert {penalty.dtype, *(w.grad.dtype for w in net.parameters())} == {np.dtype("float32")}


@every_kind
def test_alpha_can_be_differentiated_by(kind):
    alpha = ag.tensor(ALPHA, requires_grad=True)
    w = ag.tensor([1.0, -2.0], requires_grad=True)
    penalty = kind(alpha, [w])()
    assert ag.grad(penalty, alpha)[0].item() == pytest.approx(penalty.item() / ALPHA)


DECAYING = [(optim.SGD, {}), (optim.SGD, {"momentum": 0.9}), (optim.Adam, {})]


@pytest.mark.parametrize(("kind", "settings"), DECAYING)
def test_l2_is_the_weight_decay_of_coupled_optimizers(kind, settings):
    start = [1.0, -2.0, 0.5]
    penalised, decayed = (ag.tensor(start, requires_grad=True) for _ in range(2))
    l2 = regularize.L2(ALPHA, [penalised])
    for w, optimizer, extra in (
        (penalised, kind([penalised], lr=0.1, **settings), l2),
        (decayed, kind([decayed], lr=0.1, weight_decay=ALPHA, **settings), lambda: 0),
    ):
        for _ in range(5):
            optimizer.zero_grad()
            (ag.softplus(w).sum() + extra()).backward()
            optimizer.step()
    np.testing.assert_allclose(penalised.numpy(), decayed.numpy(), rtol=1e-12)
    assert np.abs(decayed.numpy() - start).min() > 0.01


def test_l1_makes_zeros_where_l2_makes_small_numbers():
    x = np.random.default_rng(0).standard_normal((200, 5))
    y = x @ np.array([2.0, 0, 0, 0, 0])
    found = {}
    for kind in (regularize.L1, regularize.L2):
        w = ag.tensor(np.full(5, 0.5), requires_grad=True)
        penalty, optimizer = kind(0.2, [w]), optim.SGD([w], lr=0.01)
        for _ in range(1000):
            optimizer.zero_grad()
            (((x @ w - y) ** 2).mean() + penalty()).backward()
            optimizer.step()
        found[kind.__name__] = np.abs(w.numpy())
    assert found["L1"][1:].max() < 0.003 < found["L2"][1:].max()
    assert found["L1"][0] > 1.5


BAD = [
    ((-1.0, Net()), {}, "alpha=-1.0. Expected 0 <= alpha < inf"),
    ((float("nan"), Net()), {}, "alpha=nan"),
    ((0.1, []), {}, "no parameters to penalise"),
    ((0.1, Net()), {"exclude": "*"}, "no parameters to penalise"),
    ((0.1, Net()), {"exclude": ["*.bias"]}, r"no parameter matches '\*.bias'. There are: weight, bias, head"),
    ((0.1, [Parameter([1.0])]), {"exclude": "*bias"}, r"which have no names to exclude. Write L[12]\(alpha, model\)"),
]


@every_kind
@pytest.mark.parametrize(("args", "settings", "words"), BAD)
def test_bad_arguments(kind, args, settings, words):
    with pytest.raises(ArgumentError, match=words):
        kind(*args, **settings)
