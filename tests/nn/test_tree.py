"""Modules as arguments of transforms: what a derivative by a module is, and that the module stays as it was."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ShapeError
from nn.parametrizations import weight_norm

X = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
MODELS = {
    "layers": lambda: nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)),
    "normalised": lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)),
    "recurrent": lambda: nn.GRU(4, 2),
    "parametrised": lambda: weight_norm(nn.Linear(4, 2)),
    "in a list": lambda: nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 2)]),
}


def loss(model, x=X):
    y = ag.tensor(x)
    for part in model if isinstance(model, nn.ModuleList) else [model]:
        y = part(y)
    return ag.sum(ag.square(y[0] if isinstance(y, tuple) else y))


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_gradient_by_a_module_is_such_a_module(make):
    ag.random.seed(0)
    model = make()
    before = {name: p.numpy().copy() for name, p in model.named_parameters()}
    state = model.state_dict()
    value, found = ag.value_and_grad(loss)(model)
    model.load_state_dict(state)  # running statistics have moved, as in any call
    own = loss(model)
    own.backward()
    np.testing.assert_allclose(value.numpy(), own.numpy(), rtol=1e-6)
    assert type(found) is type(model)
    assert found is not model
    gradients = dict(found.named_parameters())
    assert list(gradients) == list(before)
    for name, p in model.named_parameters():
        np.testing.assert_allclose(gradients[name].numpy(), p.grad, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(p.numpy(), before[name])
        assert p.requires_grad


def test_transforms_agree_by_modules():
    ag.random.seed(1)
    model = MODELS["layers"]()
    along = ag.grad(loss)(model)
    flat = {name: p.numpy() for name, p in model.named_parameters()}

    def by_names(parameters):
        return ag.sum(ag.square(nn.functional_call(model, parameters, (ag.tensor(X),))))

    directions = {name: g.numpy() for name, g in along.named_parameters()}
    _, expected = ag.jvp(by_names, (flat,), (directions,))
    _, found = ag.jvp(loss, (model,), (along,))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)
    _, products = ag.hvp(by_names, (flat,), (directions,))
    _, (product,) = ag.hvp(loss, (model,), (along,))
    for name, p in product.named_parameters():
        np.testing.assert_allclose(p.numpy(), products[0][name].numpy(), rtol=1e-4, atol=1e-5)
    _, pull = ag.vjp(loss, model)
    pulled = pull(1.0)
    pulled = pulled[0] if isinstance(pulled, tuple) else pulled
    np.testing.assert_allclose(pulled[0].weight.numpy(), along[0].weight.numpy(), rtol=1e-6)
    matrix = ag.jacobian(lambda model: model(ag.tensor(X)))(model)
    assert matrix[0].weight.shape == (5, 2, 3, 4)


def test_modules_in_containers_frozen_and_shared_parameters():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)
    second.weight = first.weight
    first.bias.requires_grad_(False)
    model = nn.Sequential(first, second)
    found = ag.grad(lambda parts, x: loss(parts["model"], x) * parts["scale"][0])({"model": model, "scale": [2.0]}, X)
    loss(model).backward()
    np.testing.assert_allclose(found["model"][0].weight.numpy(), 2 * first.weight.grad.numpy(), rtol=1e-5)
    assert found["model"][0].weight is found["model"][1].weight
    assert found["model"][0].bias is first.bias  # it does not train: it is the module's own
    np.testing.assert_allclose(found["scale"][0].numpy(), loss(model).numpy(), rtol=1e-6)


def test_many_calls_and_compiled_ones_give_the_same():
    model = MODELS["layers"]()
    gradient = ag.grad(loss)
    expected = gradient(model)[0].weight.numpy()
    for _ in range(150):
        found = gradient(model)
    np.testing.assert_allclose(found[0].weight.numpy(), expected, rtol=1e-6)
    step = ag.compile(lambda x: ag.grad(loss)(model, x)[0].weight)
    for _ in range(3):
        np.testing.assert_allclose(step(X).numpy(), expected, rtol=1e-5)
    assert any("functional_call" in reason for reason in step.reasons())


def test_a_tangent_of_another_kind_is_refused():
    with pytest.raises(ShapeError, match="Expected the structure of a Linear"):
        ag.jvp(lambda m: ag.sum(m.weight), (nn.Linear(2, 1),), ([1.0, 2.0],))
