"""Fused and compiled functions, operations and the like are copied, pickled and bound as functions are."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import UnsupportedError

X = np.random.default_rng(0).standard_normal((2000, 3)).astype("float32")


@ag.fused
def swish(x: Any) -> Any:
    return x * ag.sigmoid(x)


@ag.compile
def doubled(x: Any) -> Any:
    return ag.tanh(x) * 2.0


@ag.elementwise
def cubed(x: float) -> float:
    return x * x * x


@ag.primitive(vjp=lambda g, x: 2 * g * x, check=False)
def squared(x: Any) -> Any:
    return x * x


class Layer(nn.Module):
    def __init__(self, activation: Any) -> None:
        super().__init__()
        self.linear, self.activation = nn.Linear(3, 3), activation
        self.after = [ag.compile(self.linear)]

    def forward(self, x: Any) -> Any:
        return self.activation(self.linear(x))


class Method(nn.Module):
    """A model whose methods are compiled and fused."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)

    @ag.compile
    def forward(self, x: Any) -> Any:
        return self.half(self.linear(x))

    @ag.fused
    def half(self, x: Any) -> Any:
        """Half of its tanh."""
        return 0.5 * ag.tanh(x)


ACTIVATIONS = [swish, doubled, cubed, squared, F.relu, F.gelu, ag.tanh, ag.relu]
COPIES = [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]


@pytest.mark.parametrize("again", COPIES, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("f", ACTIVATIONS, ids=lambda f: f.__name__)
def test_a_function_is_copied_and_pickled_by_name(f: Any, again: Any) -> None:
    f(ag.tensor(X))
    assert again(f) is f
    model = Layer(f)
    before = model(X).numpy()
    twin = again(model)
    assert twin.activation is f
    np.testing.assert_array_equal(twin(X).numpy(), before)


def test_a_copy_of_a_compiled_module_is_of_the_copy() -> None:
    model = Layer(ag.tanh)
    model.after[0](X)
    twin = copy.deepcopy(model)
    with ag.no_grad():
        twin.linear.weight.copy_(twin.linear.weight * 0.0)
    np.testing.assert_array_equal(twin.after[0](X).numpy(), np.broadcast_to(twin.linear.bias.numpy(), X.shape))
    assert np.abs(model.after[0](X).numpy() - twin.after[0](X).numpy()).max() > 0.1


def test_what_has_no_name_is_copied_and_not_pickled() -> None:
    f = ag.fused(lambda x: x + 1)
    assert copy.deepcopy(f) is f
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(f)


def test_methods() -> None:
    one, two = Method(), Method()
    for model in (one, two, one):
        y = model(ag.tensor(X))
        np.testing.assert_allclose(y.numpy(), 0.5 * np.tanh(model.linear(X).numpy()), rtol=1e-5, atol=1e-6)
        y.sum().backward()
        assert model.linear.weight.grad is not None
    assert one.forward is one.forward
    assert one.forward is not two.forward
    assert one.forward.reasons() == []
    assert (Method.half.__doc__, one.half.__doc__) == ("Half of its tanh.",) * 2
    assert list(one.state_dict()) == ["linear.weight", "linear.bias"]


@pytest.mark.parametrize("again", COPIES[1:], ids=["deepcopy", "pickle"])
def test_copies_have_methods_of_their_own(again: Any) -> None:
    model = Method()
    model(X)
    twin = again(model)
    with ag.no_grad():
        twin.linear.weight.copy_(twin.linear.weight * 0.0)
    expected = np.broadcast_to(0.5 * np.tanh(twin.linear.bias.numpy()), X.shape)
    np.testing.assert_allclose(twin(X).numpy(), expected, rtol=1e-6)


def test_an_object_with_compiled_methods_is_not_kept_alive() -> None:
    model = Method()
    model(X)
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


def test_slots_have_no_place() -> None:
    class Slotted:
        __slots__ = ()

        @ag.compile
        def run(self, x: Any) -> Any:
            return x + 1

    with pytest.raises(UnsupportedError, match=r"run is compiled for each Slotted, which has __slots__"):
        Slotted().run(X)
