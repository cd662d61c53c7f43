"""Parametrised weights: the keys, values and gradients of PyTorch, and a module that stays itself otherwise."""

import copy
import importlib.util
import json
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError, UnsupportedError
from nn.parametrizations import SpectralNorm, WeightNorm, orthogonal, spectral_norm, weight_norm
from nn.parametrize import is_parametrized, register_parametrization, remove_parametrizations


class Symmetric(nn.Module):
    def forward(self, x):
        return (x + x.mT) / 2


class Exponential(nn.Module):
    """Positive weights."""

    def forward(self, x):
        return ag.exp(x)

    def right_inverse(self, value):
        return ag.log(value)


class Cut(nn.Module):
    def forward(self, x):
        return x[:1]


class Widened(nn.Module):
    def forward(self, x):
        return x.astype("float64")


def linear(dtype="float64"):
    return nn.Linear(3, 3, dtype=dtype, generator=ag.random.Generator(0))


# ---- any parametrisation


def test_the_weight_is_computed_from_the_original():
    layer = linear()
    before = layer.weight
    assert register_parametrization(layer, "weight", Symmetric()) is layer
    assert layer.parametrizations.weight.original is before
    np.testing.assert_array_equal(layer.weight.detach(), (before.value + before.value.T) / 2)
    layer(ag.ones((1, 3))).sum().backward()
    np.testing.assert_allclose(before.grad, np.ones((3, 3)))
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]


def test_the_module_stays_an_instance_of_its_class():
    layer = register_parametrization(linear(), "weight", Symmetric())
    assert isinstance(layer, nn.Linear)
    assert type(layer).__name__ == "ParametrizedLinear"
    assert repr(layer).startswith("ParametrizedLinear(\n  in_features=3")
    assert "Symmetric()" in repr(layer)
    assert type(linear()) is nn.Linear


def test_one_layer_of_a_model_is_parametrised_and_not_its_class():
    first, second = linear(), linear()
    register_parametrization(first, "weight", Symmetric())
    assert is_parametrized(first)
    assert is_parametrized(first, "weight")
    assert not is_parametrized(first, "bias")
    assert not is_parametrized(second)


def test_the_weight_of_a_copy_is_its_own():
    layer = register_parametrization(linear(), "weight", Symmetric())
    other = copy.deepcopy(layer)
    with ag.no_grad():
        other.parametrizations.weight.original.zero_()
    assert other.weight.detach().tolist() == np.zeros((3, 3)).tolist()
    assert np.abs(layer.weight.value).min() > 0


def test_several_parametrisations_are_applied_in_order():
    layer = register_parametrization(linear(), "weight", Symmetric())
    symmetric = layer.weight.value
    register_parametrization(layer, "weight", Exponential())
    np.testing.assert_array_equal(layer.weight.detach(), np.exp(symmetric))


def test_two_tensors_of_a_module_are_parametrised():
    layer = linear()
    weight, bias = layer.weight.value, layer.bias.value
    with ag.no_grad():
        layer.bias.copy_(abs(bias))
    register_parametrization(register_parametrization(layer, "weight", Symmetric()), "bias", Exponential())
    assert list(layer.state_dict()) == ["parametrizations.weight.original", "parametrizations.bias.original"]
    np.testing.assert_allclose(layer.bias.detach(), abs(bias), rtol=1e-12)
    np.testing.assert_allclose(layer.parametrizations.bias.original.detach(), np.log(abs(bias)))
    remove_parametrizations(layer, "bias")
    assert is_parametrized(layer, "weight")
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert "parametrizations" not in vars(layer)
    np.testing.assert_array_equal(layer.weight.detach(), (weight + weight.T) / 2)


def test_a_value_can_be_assigned_where_there_is_an_inverse():
    layer = linear()
    with ag.no_grad():
        layer.weight.copy_(abs(layer.weight))
    register_parametrization(layer, "weight", Exponential())
    layer.weight = ag.full((3, 3), 2.0)
    np.testing.assert_allclose(layer.weight.detach(), np.full((3, 3), 2.0), rtol=1e-12)
    np.testing.assert_allclose(layer.parametrizations.weight.original.detach(), np.full((3, 3), np.log(2)))


def test_removing_leaves_the_value_or_the_original():
    for leave in (True, False):
        layer = linear()
        original = layer.weight
        raw = original.value
        register_parametrization(layer, "weight", Symmetric())
        remove_parametrizations(layer, "weight", leave_parametrized=leave)
        assert layer.weight is original
        assert layer.weight.requires_grad
        np.testing.assert_array_equal(layer.weight.detach(), (raw + raw.T) / 2 if leave else raw)


def test_a_frozen_parameter_stays_frozen():
    layer = linear()
    layer.weight.requires_grad_(False)
    weight_norm(layer)
    assert [p.requires_grad for p in layer.parameters()] == [True, False, False]
    remove_parametrizations(layer, "weight")
    assert not layer.weight.requires_grad


def test_what_is_not_there_cannot_be_parametrised():
    with pytest.raises(ArgumentError, match=r"Linear has no parameter 'wait' to parametrise. It has: weight, bias"):
        register_parametrization(linear(), "wait", Symmetric())
    with pytest.raises(ArgumentError, match=r"ReLU has no parameter 'weight' to parametrise. It has: none"):
        weight_norm(nn.ReLU())
    with pytest.raises(ArgumentError, match=r"ReLU has no parameter 'weight'"):
        spectral_norm(nn.ReLU())


@pytest.mark.parametrize("earlier", [[], [Symmetric]])
def test_a_parametrisation_keeps_shape_and_dtype(earlier):
    layer = linear("float32")
    for kind in earlier:
        register_parametrization(layer, "weight", kind())
    before = repr(layer)
    with pytest.raises(ShapeError, match=r"Cut\(\) makes a tensor of shape \(1, 3\) out of one of shape \(3, 3\)"):
        register_parametrization(layer, "weight", Cut())
    with pytest.raises(DTypeError, match=r"Widened\(\) makes a tensor of dtype float64 out of one of dtype float32"):
        register_parametrization(layer, "weight", Widened())
    assert repr(layer) == before


def test_removing_what_is_not_there():
    with pytest.raises(ArgumentError, match=r"Linear has no parametrised tensor 'weight'. It has: none"):
        remove_parametrizations(linear(), "weight")
    with pytest.raises(ArgumentError, match=r"has no parametrised tensor 'bias'. It has: weight"):
        remove_parametrizations(weight_norm(linear()), "bias")
    with pytest.raises(ArgumentError, match=r"computed from 2 originals.*\nWrite leave_parametrized=True"):
        remove_parametrizations(weight_norm(linear()), "weight", leave_parametrized=False)


def test_assigning_without_an_inverse():
    layer = register_parametrization(linear(), "weight", Symmetric())
    with pytest.raises(
        UnsupportedError, match=r"parametrised by Symmetric\(\), which has no inverse.\nWrite `def right"
    ):
        layer.weight = ag.ones((3, 3))


# ---- weight and spectral norm, orthogonal weights


FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_parametrize.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
MAKERS = {"weight_norm": weight_norm, "spectral_norm": spectral_norm, "orthogonal": orthogonal}
every_case = pytest.mark.parametrize("k", range(len(FIGURE["CASES"])))


@cache
def figures(source):
    return FIGURE["records"]() if source == "live" else json.loads(FIGURE["FILE"].read_text(encoding="utf-8"))


def made(k, dtype="float64"):
    norm, kind, args, options = FIGURE["CASES"][k]
    return MAKERS[norm](getattr(nn, kind)(*args, dtype=dtype), **options)


@every_case
@pytest.mark.parametrize("source", SOURCES)
def test_states_values_and_gradients_are_those_of_pytorch(source, k):
    assert figures(source)["origin"].startswith("torch 2.")
    assert figures(source)["cases"] == FIGURE["CASES"]
    record, layer = figures(source)["records"][k], made(k)
    assert list(layer.state_dict()) == list(record["state"])
    layer.load_state_dict({name: np.array(v) for name, v in record["state"].items()})
    y = layer(ag.tensor(record["x"]))
    np.testing.assert_allclose(y.detach(), record["y"], rtol=1e-9, atol=1e-12)
    (y * y).sum().backward()
    gradients = {name: p.grad for name, p in layer.named_parameters()}
    assert set(gradients) == set(record["gradients"])
    for name, gradient in record["gradients"].items():
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-9, atol=1e-9)
    for name, value in record["after"].items():
        np.testing.assert_allclose(layer.state_dict()[name], value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        layer.eval()(ag.tensor(record["x"])).detach(), record["evaluated"], rtol=1e-9, atol=1e-12
    )


@every_case
def test_the_weight_is_what_it_was_or_has_norm_one(k):
    norm, kind, args, options = FIGURE["CASES"][k]
    plain = getattr(nn, kind)(*args, generator=ag.random.Generator(3))
    before = plain.weight.value
    options = options | ({"n_power_iterations": 200} if norm == "spectral_norm" else {})
    after = MAKERS[norm](plain, **options).weight
    assert after.dtype == np.float32
    if norm == "orthogonal":
        return
    if norm == "weight_norm":
        np.testing.assert_allclose(after.detach(), before, rtol=1e-6)
    else:
        rows = np.moveaxis(after.detach().numpy(), options.get("dim", 0), 0)
        assert np.linalg.norm(rows.reshape(len(rows), -1), 2) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("check", [ag.gradcheck, ag.gradgradcheck], ids=["first", "second"])
@every_case
def test_derivatives_match_finite_differences(k, check):
    layer, record = made(k).eval(), figures("stored")["records"][k]
    layer.load_state_dict({name: np.array(v) for name, v in record["state"].items()})
    x = ag.tensor(record["x"])
    result = check(lambda *_: layer(x), list(layer.parameters()), rtol=1e-4, atol=1e-6, max_elements=6)
    assert result, result


ORTHOGONAL = [  # map, shape of the weight
    *((None, (3, 3)), (None, (5, 3)), (None, (3, 5)), ("cayley", (4, 2)), ("householder", (4, 4))),
    *(("matrix_exp", (2, 6)), (None, (1, 1))),
]


@pytest.mark.parametrize(("kind", "shape"), ORTHOGONAL)
@pytest.mark.parametrize("based", [False, True])
def test_an_orthogonal_weight_stays_so_while_it_is_trained(kind, shape, based):
    layer = nn.Linear(shape[1], shape[0], generator=ag.random.Generator(0))
    nn.init.orthogonal_(layer.weight, generator=ag.random.Generator(1))
    first = layer.weight.numpy()
    orthogonal(layer, orthogonal_map=kind, use_trivialization=based)
    if based or kind == "householder":
        np.testing.assert_allclose(layer.weight.detach(), first, atol=1e-6)
    o = optim.SGD(layer.parameters(), lr=0.5, weight_decay=0.1)
    x, t = np.random.default_rng(0).normal(size=(2, 20, max(shape))).astype("float32")
    for _ in range(20):
        o.zero_grad()
        nn.MSELoss()(layer(x[:, : shape[1]]), t[:, : shape[0]]).backward()
        o.step()
    w = layer.weight.detach().numpy()
    small = w @ w.T if shape[0] < shape[1] else w.T @ w
    np.testing.assert_allclose(small, np.eye(min(shape)), atol=1e-5)
    assert shape == (1, 1) or np.abs(w - first).max() > 1e-2
    assert w.dtype == np.float32


def test_a_value_assigned_to_an_orthogonal_weight_is_made_orthogonal():
    layer = orthogonal(linear())
    layer.weight = ag.tensor([[0.0, 2.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    np.testing.assert_allclose(layer.weight.detach(), [[0, 1, 0], [1, 0, 0], [0, 0, -1]], atol=1e-15)
    with pytest.raises(UnsupportedError, match="has no inverse"):
        orthogonal(linear(), orthogonal_map="cayley", use_trivialization=False).weight = ag.eye(3)
    with pytest.raises(ArgumentError, match=r"orthogonal_map='exp'. Expected 'matrix_exp', 'cayley'"):
        orthogonal(linear(), orthogonal_map="exp")
    with pytest.raises(ShapeError, match=r"orthogonal was given a weight of shape \(3,\). Expected a matrix"):
        orthogonal(linear(), "bias")
    with pytest.raises(ArgumentError, match="has no parameter 'kernel'"):
        orthogonal(linear(), "kernel")


def test_large_weights_run_as_kernels():
    layer = weight_norm(nn.Linear(100, 50, generator=ag.random.Generator(0)))
    g, v = layer.parametrizations.weight.originals()
    (layer.weight * layer.weight * layer.weight).sum().backward()
    length, w = np.float64(g.value), np.float64(v.value)
    sizes = np.linalg.norm(w, axis=1, keepdims=True)
    unit = w / sizes
    slope = 3 * (length * unit) ** 2
    along = (slope * unit).sum(1, keepdims=True)
    np.testing.assert_allclose(g.grad, along, rtol=1e-4)
    np.testing.assert_allclose(v.grad, length / sizes * (slope - along * unit), rtol=1e-3, atol=1e-6)


def test_training_reaches_the_originals():
    layer = spectral_norm(weight_norm(linear()))
    originals = [p.value for p in layer.parameters()]
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    rng = np.random.default_rng(0)
    x, y = ag.tensor(rng.normal(size=(20, 3))), ag.tensor(rng.normal(size=(20, 3)))
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(layer(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all((p.value != before).any() for p, before in zip(layer.parameters(), originals, strict=True))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, abs=1e-2)


def test_two_calls_before_one_backward_pass():
    layer, once = spectral_norm(linear(), generator=ag.random.Generator(0)), ag.ones((2, 3))
    layer(once).sum().backward(retain_graph=True)
    (layer(once) + layer(2 * once)).sum().backward()
    assert np.isfinite(layer.parametrizations.weight.original.grad.value).all()


def test_evaluation_leaves_the_vectors_alone():
    layer = spectral_norm(linear()).eval()
    before = layer.state_dict()
    layer(ag.ones((2, 3)))
    for name, value in layer.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_the_vectors_come_from_the_generator():
    name = "parametrizations.weight.0._u"
    wide = [
        spectral_norm(nn.Linear(3, 5, generator=ag.random.Generator(0)), generator=ag.random.Generator(n))
        for n in (1, 1, 2)
    ]
    first, again, other = (layer.state_dict()[name].tolist() for layer in wide)
    assert first == again != other


@pytest.mark.parametrize("norm", [weight_norm, spectral_norm])
def test_a_weight_of_zeros_stays_zeros_without_nan(norm):
    layer = linear()
    with ag.no_grad():
        layer.weight.zero_()
    norm(layer)
    layer(ag.ones((2, 3))).sum().backward()
    assert not layer.weight.value.any()
    assert all(np.isfinite(p.grad.value).all() for p in layer.parameters())


def test_a_vector_is_divided_by_its_length():
    layer = linear()
    expected = layer.bias.value / np.linalg.norm(layer.bias.value)
    spectral_norm(layer, "bias")
    np.testing.assert_allclose(layer.bias.detach(), expected, rtol=1e-12)
    assert list(layer.state_dict()) == ["weight", "parametrizations.bias.original"]


def test_axes_and_counts_are_checked():
    with pytest.raises(
        IndexOutOfRange, match=r"weight_norm was given dim=2 for a weight of shape \(3, 3\). Expected 0"
    ):
        weight_norm(linear(), dim=2)
    with pytest.raises(IndexOutOfRange, match=r"spectral_norm was given dim=-2 for a weight of shape \(3, 3\)"):
        spectral_norm(linear(), dim=-2)
    with pytest.raises(ArgumentError, match=r"SpectralNorm was given n_power_iterations=0. Expected a positive"):
        spectral_norm(linear(), n_power_iterations=0)


def test_the_settings_are_shown():
    assert "orthogonal_map='matrix_exp', use_trivialization=True" in repr(orthogonal(linear()))
    assert repr(WeightNorm(1)) == "WeightNorm(dim=1)"
    assert repr(SpectralNorm(ag.ones((2, 2)))) == "SpectralNorm(n_power_iterations=1, dim=0, eps=1e-12)"
