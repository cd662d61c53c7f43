"""Penalties: their value, their gradient, what they leave out, what they say."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import ElasticNet as SkElasticNet
from sklearn.linear_model import Lasso

import autograd as ag
import optim
import regularize
from autograd.config import config
from autograd.errors import ArgumentError
from nn.module import Module, Parameter

ALPHA = 0.3


def lengths(w):
    """Of the rows of a matrix, or of a vector."""
    return np.sqrt((w**2).sum(axis=tuple(range(1, w.ndim)) or None, keepdims=True)), np.sqrt(
        w[0].size if w.ndim > 1 else w.size
    )


OMEGA = {
    "L1": lambda w: ALPHA * np.abs(w).sum(),
    "L2": lambda w: ALPHA / 2 * (w**2).sum(),
    "ElasticNet": lambda w: ALPHA * (np.abs(w).sum() / 2 + (w**2).sum() / 4),
    "GroupLasso": lambda w: ALPHA * lengths(w)[1] * lengths(w)[0].sum(),
}
SLOPE = {
    "L1": lambda w: ALPHA * np.sign(w),
    "L2": lambda w: ALPHA * w,
    "ElasticNet": lambda w: ALPHA * (np.sign(w) + w) / 2,
    "GroupLasso": lambda w: ALPHA * lengths(w)[1] * w / np.where(lengths(w)[0] > 0, lengths(w)[0], 1),
}
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
    ws = [ag.tensor(x, requires_grad=True) for x in ([[1.0, -2.0], [0.0, 0.0], [0.0, 0.5]], [3.0, -4.0])]
    penalty = kind(ALPHA, ws)()
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(sum(OMEGA[kind.__name__](w.numpy()) for w in ws), rel=1e-15)
    penalty.backward()
    for w in ws:
        np.testing.assert_allclose(w.grad.numpy(), SLOPE[kind.__name__](w.numpy()), rtol=1e-15)


@every_kind
def test_kernels_agree_with_the_formula(kind):
    start = np.random.default_rng(0).standard_normal((90, 50))
    start[3] = 0
    w = ag.tensor(start, requires_grad=True)
    penalty = kind(ALPHA, w)()
    penalty.backward()
    assert penalty.item() == pytest.approx(OMEGA[kind.__name__](start), rel=1e-13)
    np.testing.assert_allclose(w.grad.numpy(), SLOPE[kind.__name__](start), rtol=1e-13)
    shrunk = kind(ALPHA, w).shrunk(w.detach(), 0.7).numpy()
    with config.using(kernels=False):
        np.testing.assert_allclose(kind(ALPHA, w).shrunk(w.detach(), 0.7).numpy(), shrunk, rtol=1e-13, atol=1e-15)
    assert not np.signbit(shrunk[3]).any()


@every_kind
@pytest.mark.parametrize("lr", [0.0, 0.2, 2.0])
def test_prox_is_the_minimiser(kind, lr):
    start = np.random.default_rng(1).standard_normal((3, 2))
    w = ag.tensor(start, requires_grad=True)
    kind(ALPHA, w).prox_(lr)

    def objective(v):
        return ((v.reshape(3, 2) - start) ** 2).sum() / 2 + lr * OMEGA[kind.__name__](v.reshape(3, 2))

    best = minimize(objective, start.ravel(), method="Powell", options={"xtol": 1e-10, "ftol": 1e-14})
    assert objective(w.numpy()) <= best.fun + 1e-12
    np.testing.assert_allclose(w.numpy(), best.x.reshape(3, 2), atol=1e-5)
    assert w.requires_grad
    assert w.is_leaf


@pytest.mark.parametrize("kind", ["L1", "ElasticNet", "GroupLasso"])
def test_prox_gives_exact_zeros(kind):
    x = np.random.default_rng(0).standard_normal((200, 6))
    y = x[:, :2] @ np.array([2.0, -1.0])
    w = ag.tensor(np.full((6, 1), 0.5), requires_grad=True)
    penalty, optimizer = getattr(regularize, kind)(0.4, w), optim.SGD([w], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        ((ag.matmul(x, w)[:, 0] - y) ** 2).mean().backward()
        optimizer.step()
        penalty.prox_(0.1)
    found = w.numpy()[:, 0]
    assert found[2:].tolist() == [0.0] * 4
    assert found[0] > 1.5
    assert found[1] < -0.5


def test_the_lasso_of_proximal_steps_is_scikit_learns():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((50, 8))
    y = x[:, 0] - 2 * x[:, 3] + 0.1 * rng.standard_normal(50)
    for penalty, reference in (
        (lambda w: regularize.L1(0.3, w), Lasso(alpha=0.3, fit_intercept=False, tol=1e-12)),
        (
            lambda w: regularize.ElasticNet(0.3, w, l1_ratio=0.7),
            SkElasticNet(alpha=0.3, l1_ratio=0.7, fit_intercept=False, tol=1e-12),
        ),
    ):
        w = ag.tensor(np.zeros(8), requires_grad=True)
        extra, optimizer = penalty(w), optim.SGD([w], lr=0.3)
        for _ in range(500):
            optimizer.zero_grad()
            (((ag.matmul(x, w) - y) ** 2).mean() / 2).backward()
            optimizer.step()
            extra.prox_(0.3)
        expected = reference.fit(x, y).coef_
        np.testing.assert_allclose(w.numpy(), expected, atol=1e-9)
        assert (w.numpy() == 0).tolist() == (expected == 0).tolist()


def test_group_lasso_along_other_axes():
    w = ag.tensor([[3.0, 0.0], [4.0, 0.1]], requires_grad=True)
    lasso = regularize.GroupLasso(1.0, w, axis=0)
    assert lasso().item() == pytest.approx(5.1 * np.sqrt(2))
    lasso.prox_(1 / np.sqrt(2))
    np.testing.assert_allclose(w.numpy(), [[2.4, 0], [3.2, 0]], rtol=1e-14)
    whole = regularize.GroupLasso(1.0, w, axis=(0, 1))
    assert whole().item() == pytest.approx(4.0 * 2)


@every_kind
def test_groups_have_strengths_of_their_own(kind):
    net, head = Net(), ag.tensor([2.0, -1.0], requires_grad=True)
    groups = [{"params": net, "exclude": ("bias", "head")}, {"params": [head], "alpha": 5 * ALPHA}]
    penalty = kind(ALPHA, groups)
    omega = OMEGA[kind.__name__]
    assert penalty().item() == pytest.approx(omega(net.weight.numpy()) + 5 * omega(head.numpy()), rel=1e-6)
    assert [alpha for alpha, _ in penalty.groups] == [ALPHA, 5 * ALPHA]
    assert len(penalty.parameters) == 2
    before = net.weight.numpy(), head.numpy()
    penalty.prox_(0.1)
    moved = [np.abs(a - b).max() for a, b in zip((net.weight.numpy(), head.numpy()), before, strict=True)]
    assert 0 < moved[0] < moved[1]


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
    ((0.1, []), {}, "no parameters to work on"),
    ((0.1, Net()), {"exclude": "*"}, "no parameters to work on"),
    ((0.1, Net()), {"exclude": ["*.bias"]}, r"no parameter matches '\*.bias'. There are: weight, bias, head"),
    ((0.1, [Parameter([1.0])]), {"exclude": "*bias"}, r"which have no names to exclude. Write \w+\(alpha, model\)"),
]


BAD_GROUPS = [
    ([{"params": Net(), "lr": 1}], "group 0 of .* has an unknown setting 'lr'. Expected params, alpha, exclude"),
    ([{"params": Net()}, {"alpha": 1}], "group 1 of .* has no 'params'"),
    ([{"params": Net(), "alpha": -1}], "alpha=-1. Expected 0 <= alpha"),
    ([Net(), Net()], r"given a Net to work on\. Expected a module, Tensors.*: write .*\(alpha, model\)"),
    (0.5, "given a float to work on"),
    ([np.ones(2)], "given a ndarray to work on"),
    (list(Net().named_parameters()), r"given a tuple to work on.* or .*\(alpha, model\.parameters\(\)\)"),
]


@every_kind
@pytest.mark.parametrize(("groups", "words"), BAD_GROUPS)
def test_bad_groups(kind, groups, words):
    with pytest.raises(ArgumentError, match=words):
        kind(0.1, groups)


def test_bad_settings():
    w = Parameter([1.0])
    with pytest.raises(ArgumentError, match=r"l1_ratio=1.5. Expected the share of L1, 0 to 1"):
        regularize.ElasticNet(0.1, w, l1_ratio=1.5)
    assert [regularize.ElasticNet(1.0, [ag.tensor([3.0, -4.0])], l1_ratio=r)().item() for r in (0, 1)] == [12.5, 7.0]
    with pytest.raises(ArgumentError, match=r"GroupLasso was given axis=1 for a parameter of shape \(1,\).*exclude="):
        regularize.GroupLasso(0.1, w, axis=1)
    with pytest.raises(ArgumentError, match=r"prox_ was given lr=-1.0. Expected the learning rate"):
        regularize.L1(0.1, w).prox_(-1.0)


@every_kind
@pytest.mark.parametrize(("args", "settings", "words"), BAD)
def test_bad_arguments(kind, args, settings, words):
    with pytest.raises(ArgumentError, match=words):
        kind(*args, **settings)
