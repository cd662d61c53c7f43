"""What all optimizers share: groups, state, and the words of every error. SGD and Adam stand for them."""

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError, CheckpointError, DifferentiationError, DTypeError


def weight(*shape):
    return ag.tensor(np.ones(shape), requires_grad=True)


def stepped(optimizer):
    for group in optimizer.param_groups:
        for w in group["params"]:
            w.grad = ag.ones_like(w)
    optimizer.step()
    return optimizer


BAD_PARAMETERS = [
    ([], ArgumentError, r"given no parameters.*\n.*can be read only once"),
    (iter(()), ArgumentError, "given no parameters"),
    (weight(2), DTypeError, r"a single Tensor.*\n.*SGD\(\[w\]\)"),
    (3.0, DTypeError, "a single float"),
    ([weight(2), np.ones(2)], DTypeError, r"parameter 1 of SGD is a ndarray. Expected a Tensor"),
    ([("name", weight(2))], DTypeError, r"parameter 0 of SGD is a tuple.*write model.parameters\(\)"),
    (
        [weight(2), ag.tensor([1.0])],
        DifferentiationError,
        r"parameter 1 of SGD \(shape \(1,\)\) is a constant(.|\n)*frozen on purpose is left out: \(w for w in model",
    ),
    ([ag.tensor([1j], requires_grad=True)], DTypeError, r"parameter 0 of SGD .* is of complex128(.|\n)*x \+ 1j \* y"),
    ([2 * weight(2)], DifferentiationError, r"parameter 0 .*was made by an operation(.|\n)*detach"),
    ([weight(2)] * 2, ArgumentError, "parameter 1 of SGD .*was given before"),
    ([{"params": []}], ArgumentError, "group 0 of SGD has no parameters"),
    ([{"lr": 0.1}], ArgumentError, "group 0 of SGD has no 'params'"),
    ([{"params": [weight(2)], "rate": 1}], ArgumentError, "unknown setting 'rate'. Expected params, lr, momentum"),
    ([{"params": [weight(2)]}, {"params": [1.0]}], DTypeError, r"parameter 0 of SGD \(group 1\) is a float"),
    ([{"params": weight(2), "lr": -1}], ArgumentError, "lr=-1. Expected 0 <= lr < inf"),
]


@pytest.mark.parametrize(("params", "error", "words"), BAD_PARAMETERS)
def test_bad_parameters(params, error, words):
    with pytest.raises(error, match=words):
        optim.SGD(params)


def test_a_parameter_in_two_groups():
    w = weight(2)
    with pytest.raises(ArgumentError, match=r"parameter 0 of SGD \(group 1\).*given before"):
        optim.SGD([{"params": [w]}, {"params": [w]}])


BAD_SETTINGS = [
    (optim.SGD, {"lr": -0.1}, "SGD was given lr=-0.1. Expected 0 <= lr < inf"),
    (optim.SGD, {"lr": "0.1"}, "SGD was given lr='0.1'. Expected a number, 0 <= lr < inf"),
    (optim.SGD, {"lr": float("nan")}, "lr=nan"),
    (optim.SGD, {"lr": float("inf")}, "lr=inf"),
    (optim.SGD, {"lr": "fast"}, "lr='fast'"),
    (optim.SGD, {"momentum": -1}, "momentum=-1"),
    (optim.SGD, {"weight_decay": -1}, "weight_decay=-1"),
    (optim.SGD, {"nesterov": True}, "nesterov with momentum=0"),
    (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Expected momentum above 0 and dampening 0"),
    (optim.Adam, {"lr": -0.1}, "Adam was given lr=-0.1"),
    (optim.Adam, {"betas": (0.9, 1.0)}, r"betas=\(0.9, 1.0\). Expected 0 <= betas < 1"),
    (optim.Adam, {"betas": 0.9}, r"betas=0\.9\. Expected 2 numbers: betas=\(0\.9, 0\.999\)"),
    (optim.Lion, {"betas": (0.9,)}, r"betas=\(0\.9,\)\. Expected 2 numbers: betas=\(0\.9, 0\.99\)"),
    (optim.Rprop, {"etas": (0.5, 1.2, 2.0)}, r"etas=\(0\.5, 1\.2, 2\.0\)\. Expected 2 numbers"),
    (optim.Adam, {"eps": -1e-8}, "eps=-1e-08"),
    (optim.AdamW, {"weight_decay": -1}, "AdamW was given weight_decay=-1"),
    (optim.Adagrad, {"eps_mode": "under"}, "Adagrad was given eps_mode='under'. Expected 'inside' or 'outside'"),
    (optim.Rprop, {"etas": (0.5, 0.9)}, r"etas=\(0.5, 0.9\). Expected 0 < etas\[0\] < 1 < etas\[1\]"),
    (optim.RMSprop, {"momentum": -0.1}, "RMSprop was given momentum=-0.1"),
    (optim.NAdam, {"momentum_decay": -1}, "momentum_decay=-1. Expected 0 <= momentum_decay"),
    (optim.Adadelta, {"rho": 1.5}, "rho=1.5. Expected 0 <= rho < 1"),
]


@pytest.mark.parametrize(("kind", "settings", "words"), BAD_SETTINGS)
def test_bad_settings(kind, settings, words):
    with pytest.raises(ArgumentError, match=words):
        kind([weight(2)], **settings)


def test_a_recorded_setting_has_no_place_in_a_step():
    with pytest.raises(DifferentiationError, match=r"setting.item\(\), or call optimizer.update"):
        optim.SGD([weight(2)], lr=ag.tensor(0.1, requires_grad=True))


def test_a_step_without_gradients():
    with pytest.raises(DifferentiationError, match=r"Call loss.backward\(\) first"):
        optim.Adam([weight(2), weight(3)]).step()


def test_a_parameter_without_a_gradient_stays():
    used, unused = weight(2), weight(2)
    optimizer = optim.SGD([used, unused], lr=0.5)
    used.grad = ag.tensor([1.0, 2.0])
    optimizer.step()
    assert used.tolist() == [0.5, 0.0]
    assert unused.tolist() == [1.0, 1.0]
    assert list(optimizer.state) == [used]


def test_gradients_are_made_zero_if_asked():
    model = nn.Linear(2, 1)
    for owner in (model, optim.SGD(model.parameters())):
        model(ag.ones((1, 2), dtype="float32")).sum().backward()
        model.bias.grad = None
        owner.zero_grad(set_to_none=False)
        assert model.weight.grad.tolist() == [[0, 0]]
        assert model.weight.grad.dtype == np.float32
        assert model.bias.grad is None
        owner.zero_grad(set_to_none=True)
        assert model.weight.grad is None


def test_zero_grad_forgets():
    w = weight(2)
    optimizer = optim.SGD([w])
    w.grad = ag.tensor([1.0, 2.0])
    optimizer.zero_grad()
    assert w.grad is None


def test_groups_have_settings_of_their_own():
    a, b, c = weight(1), weight(1), weight(1)
    optimizer = optim.SGD([{"params": [a]}, {"params": iter([b]), "lr": 0.25}], lr=0.5)
    optimizer.add_param_group({"params": c, "weight_decay": 1.0})
    stepped(optimizer)
    assert [w.item() for w in (a, b, c)] == [0.5, 0.75, 0.0]
    optimizer.param_groups[1]["lr"] = 0.5
    stepped(optimizer)
    assert b.item() == 0.25


def test_momentum_does_not_share_memory_with_an_accumulating_gradient():
    w = weight(1)
    optimizer = optim.SGD([w], lr=1.0, momentum=0.5)
    for _ in range(2):  # no zero_grad: gradients 2, then 2 + 2 * -1
        (w * w).sum().backward()
        optimizer.step()
    assert w.tolist() == [-1.0 - (0.5 * 2 + 0)]


def test_gradients_accumulate_over_several_backwards():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=12)
    whole, parts = (ag.tensor(np.ones(3), requires_grad=True) for _ in range(2))
    first, second = optim.Adam([whole], lr=0.1), optim.Adam([parts], lr=0.1)
    for _ in range(5):
        first.zero_grad()
        ((x @ whole - y) ** 2).mean().backward()
        first.step()
        second.zero_grad()
        for rows in np.split(np.arange(12), 4):
            (((x[rows] @ parts - y[rows]) ** 2).mean() / 4).backward()
        second.step()
    np.testing.assert_allclose(whole.numpy(), parts.numpy(), rtol=1e-12)


def test_a_closure_is_called_once_and_its_loss_returned():
    w = weight(2)
    optimizer, calls = optim.SGD([w], lr=0.25), []

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        calls.append(loss)
        return loss

    with ag.no_grad():  # the closure records all the same
        assert optimizer.step(closure) is calls[0]
    assert len(calls) == 1
    assert w.tolist() == [0.5, 0.5]
    assert optimizer.step() is None


def test_state_dict_has_pytorchs_layout():
    optimizer = stepped(optim.Adam([{"params": [weight(2), weight(3)]}, {"params": [weight(1)], "lr": 0.5}]))
    saved = optimizer.state_dict()
    assert [g["params"] for g in saved["param_groups"]] == [[0, 1], [2]]
    assert [g["lr"] for g in saved["param_groups"]] == [0.001, 0.5]
    assert sorted(saved["state"]) == [0, 1, 2]
    assert list(saved["state"][1]) == ["step", "exp_avg", "exp_avg_sq"]
    assert saved["state"][1]["step"] == 1
    assert saved["state"][1]["exp_avg"].shape == (3,)


def test_pytorchs_own_numbers_are_taken():
    optimizer = optim.Adam([weight(2)])
    group = {**optimizer.state_dict()["param_groups"][0], "fused": None, "initial_lr": 0.1}
    state = {"step": np.float32(4), "exp_avg": np.array([1, 2], "f4"), "exp_avg_sq": np.array([1, 4], "f4")}
    optimizer.load_state_dict({"state": {0: state}, "param_groups": [group]})
    stepped(optimizer)
    assert optimizer.state_dict()["state"][0]["step"] == 5
    assert optimizer.param_groups[0]["initial_lr"] == 0.1
    momentum = optim.SGD([weight(2)])
    momentum.load_state_dict({**momentum.state_dict(), "state": {0: {"momentum_buffer": None}}})
    assert momentum.state_dict()["state"] == {0: {}}


def changed(saved, **entry):
    return {**saved, "state": {0: {**saved["state"][0], **entry}}}


MISMATCHES = [
    (lambda s: {"state": {}}, r"given \['state'\]. Expected state, param_groups"),
    (lambda s: {**s, "param_groups": s["param_groups"] * 2}, r"\[1, 1\] parameters in its groups. Expected \[1\]"),
    (lambda s: {**s, "param_groups": [{**s["param_groups"][0], "params": [0, 1]}]}, r"has \[2\] parameters"),
    (lambda s: {**s, "param_groups": [{"params": [0], "lr": 0.1}]}, "no .*betas.*another class than Adam"),
    (lambda s: {**s, "param_groups": [{**s["param_groups"][0], "lr": -1}]}, "lr=-1. Expected 0 <= lr"),
    (lambda s: changed(s, exp_avg=ag.zeros(3)), r"'exp_avg': \(3,\).*cannot go on with a parameter of shape \(2,\)"),
    (lambda s: changed(s, exp_avg=ag.zeros((2, 2))), r"'exp_avg': \(2, 2\)"),
    (lambda s: changed(s, momentum_buffer=ag.zeros(2)), "stored state of parameter 0 .*'momentum_buffer'"),
    (lambda s: {**s, "state": {0: {"momentum_buffer": ag.zeros(2)}}}, "Adam cannot go on"),
]


@pytest.mark.parametrize(("damage", "words"), MISMATCHES)
def test_a_state_that_does_not_match_changes_nothing(damage, words):
    optimizer = stepped(optim.Adam([weight(2)]))
    before = repr((optimizer.state_dict(), optimizer))
    with pytest.raises(CheckpointError, match=words):
        optimizer.load_state_dict(damage(optimizer.state_dict()))
    assert repr((optimizer.state_dict(), optimizer)) == before


def test_repr_and_formula():
    optimizer = optim.SGD([{"params": [weight(1), weight(1)]}, {"params": [weight(1)], "lr": 0.5}])
    assert repr(optimizer).startswith("SGD(2 parameters: lr=0.001, momentum=0, ")
    assert "; 1 parameters: lr=0.5" in repr(optimizer)
    assert optim.SGD.formula().splitlines()[0] == "g <- g + weight_decay w"
    assert len(optim.AdamW.formula().splitlines()) == 4


@pytest.mark.parametrize(
    ("kind", "settings", "changed"),
    [
        (optim.SGD, {"momentum": 0.9}, {"momentum": 0}),
        (optim.SGD, {}, {"momentum": 0.9}),
        (optim.RMSprop, {"momentum": 0.9, "centered": True}, {"centered": False}),
        (optim.RMSprop, {"centered": True}, {"momentum": 0.5, "centered": False}),
        (optim.Adam, {"amsgrad": True}, {"amsgrad": False}),
        (optim.Adam, {}, {"amsgrad": True}),
    ],
)
def test_a_state_is_taken_back_after_settings_were_changed(kind, settings, changed):
    one, two = weight(2), weight(2)
    optimizer, other = stepped(kind([one], lr=0.1, **settings)), kind([two], lr=0.1)
    optimizer.param_groups[0] |= changed
    other.load_state_dict(optimizer.state_dict())
    with ag.no_grad():
        two.copy_(one)
    for _ in range(2):
        stepped(optimizer)
        stepped(other)
    assert np.array_equal(one.numpy(), two.numpy())
