"""Hooks: what they see and change is what PyTorch's do, and nothing is left behind."""

import copy
import gc
import importlib.util
import runpy
import weakref
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError

FIGURE = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "make_module.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])


@pytest.mark.parametrize("source", SOURCES)
def test_hooks_see_and_change_what_pytorchs_do(source):
    if source == "live":
        import torch

        expected = FIGURE["torch_hooks"](torch)
    else:
        expected = FIGURE["load"]()["hooks"]
    left, right = (ag.tensor(FIGURE["arrays"]()[name], requires_grad=True) for name in ("w0", "w2"))
    found = FIGURE["hooked"](nn, left, right, ag.tanh, lambda t: t.tolist())
    assert (
        [name for name, _ in found["log"]] == [name for name, _ in expected["log"]] == ["before", "after", "gradients"]
    )
    for (_, ours), (_, theirs) in zip(found["log"], expected["log"], strict=True):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-12)
    for a, b in zip(found["gradients"], expected["gradients"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def line():
    layer = nn.Linear(1, 1, bias=False, dtype="float64")
    layer.load_state_dict({"weight": [[3.0]]})
    return layer


def test_hooks_run_in_order_until_they_are_removed():
    layer, seen = line(), []
    first = layer.register_forward_hook(lambda m, args, y: seen.append("first"))
    layer.register_forward_hook(lambda m, args, y: seen.append("second"))
    with layer.register_forward_hook(lambda m, args, y: seen.append("zeroth"), prepend=True):
        layer(ag.ones((1, 1)))
    first.remove()
    first.remove()
    layer(ag.ones((1, 1)))
    assert seen == ["zeroth", "first", "second", "second"]


def test_a_hook_may_remove_itself_and_knows_its_module():
    layer, seen = line(), []

    def once(module, args):
        seen.append(module)
        handle.remove()

    handle = layer.register_forward_pre_hook(once)
    layer(ag.ones((1, 1)))
    layer(ag.ones((1, 1)))
    assert seen == [layer]


def test_hooks_are_no_part_of_the_state_and_are_copied_with_the_module():
    layer = line()
    layer.register_forward_hook(lambda m, args, y: y * 2)
    layer.register_forward_pre_hook(nn.Linear(1, 1))  # a module that is a hook is not a child
    assert list(layer.state_dict()) == ["weight"]
    assert list(layer.children()) == []
    plain = line()
    plain.register_forward_hook(lambda m, args, y: y * 2)
    assert copy.deepcopy(plain)(ag.ones((1, 1))).item() == 6


def test_gradients_come_once_for_each_sweep():
    layer, seen = line(), []
    layer.register_full_backward_hook(lambda m, into, out: seen.append((into[0].item(), out[0].item())))
    x = ag.ones((1, 1), requires_grad=True)
    y = layer(x) * 5
    y.backward(retain_graph=True)
    y.backward()
    assert seen == [(15, 5), (15, 5)]
    assert x.grad.item() == 30
    with ag.no_grad():
        layer(x)
    assert len(seen) == 2


def test_an_input_that_was_not_used_has_no_gradient():
    class First(nn.Module):
        def forward(self, a, b, c):
            return a * 2

    seen, module = [], First()
    module.register_full_backward_hook(lambda m, into, out: seen.append(into))
    a, b = (ag.ones(1, requires_grad=True) for _ in range(2))
    module(a, b, 3.0).sum().backward()
    assert [[None if g is None else g.item() for g in into] for into in seen] == [[2.0, None, None]]
    assert b.grad is None


def test_without_a_trained_input_the_hook_is_called_with_none():
    layer, seen = line(), []
    layer.register_full_backward_hook(lambda m, into, out: seen.append((into, out[0].item())))
    (layer(ag.ones((1, 1))) * 4).backward()
    assert seen == [((None,), 4.0)]
    assert layer.weight.grad.item() == 4


def test_replaced_gradients_are_differentiable():
    layer = line()
    layer.register_full_backward_hook(lambda m, into, out: (into[0] * out[0],))
    x = ag.tensor([[2.0]], requires_grad=True)
    y = layer(x) ** 2  # (3 x)^2: out = 6 x, into = 18 x, what goes on 108 x^2
    (g,) = ag.grad(y, [x], create_graph=True)
    assert g.item() == 108 * 4
    (h,) = ag.grad(g, [x])
    assert np.isfinite(h.item())


def test_nothing_is_left_of_a_call_without_the_garbage_collector():
    layer = line()
    layer.register_full_backward_hook(lambda m, into, out: (into[0] * 2,))
    layer.register_full_backward_pre_hook(lambda m, out: (out[0] * 2,))
    gc.disable()
    try:
        x = ag.ones((1, 1), requires_grad=True)
        y = layer(x)
        gone = weakref.ref(y)
        y.backward()
        assert x.grad.item() == 12
        del y
        assert gone() is None
        (g,) = ag.grad(layer(x), [x], create_graph=True)
        gone = weakref.ref(g)
        del g
        assert gone() is None
    finally:
        gc.enable()


class Listed(nn.Module):
    def forward(self, x):
        return {"y": x}


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (lambda m: m.register_full_backward_hook(lambda *_: (1, 2)), "hook for gradients of Linear returned 2 of them"),
        (lambda m: m.register_full_backward_pre_hook(lambda *_: ()), "Linear returned 0 of them. Expected None or 1"),
        (
            lambda m: m.register_forward_pre_hook(lambda m, a, k: a, with_kwargs=True),
            r"pre-hook with_kwargs of Linear returned tuple. Expected None or \(args, kwargs\)",
        ),
    ],
)
def test_what_hooks_may_return(register, words):
    layer = line()
    register(layer)
    with pytest.raises(ArgumentError, match=words):
        layer(ag.ones((1, 1), requires_grad=True)).backward()


def test_gradients_are_watched_at_tensors_and_tuples_only():
    module = Listed()
    module.register_full_backward_hook(lambda m, into, out: None)
    with pytest.raises(ArgumentError, match=r"Listed has hooks for gradients and returned dict. .*t.register_hook"):
        module(ag.ones(1, requires_grad=True))


class Pair(NamedTuple):
    double: ag.Tensor
    same: ag.Tensor


@pytest.mark.parametrize("kind", [tuple, Pair])
def test_gradients_of_several_outputs_keep_their_places(kind):
    class Two(nn.Module):
        def forward(self, x):
            return (2 * x, x + 0) if kind is tuple else Pair(2 * x, x + 0)

    module, seen = Two(), []
    module.register_full_backward_hook(lambda m, inside, outside: seen.append((inside, outside)))
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    found = module(x)
    assert type(found) is kind
    (3 * found[0] + 5 * found[1]).sum().backward()
    ((inside,), outside) = seen[0]
    assert (inside.tolist(), [g.tolist() for g in outside]) == ([11.0, 11.0], [[3.0, 3.0], [5.0, 5.0]])
    assert x.grad.tolist() == [11.0, 11.0]
