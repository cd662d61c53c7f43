"""functional_call: PyTorch's numbers, derivatives by the parameters, and a module that stays as it was."""

import importlib.util
import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError
from nn.parametrizations import weight_norm

FIGURE = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "make_module.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])


@pytest.mark.parametrize("source", SOURCES)
def test_outputs_and_gradients_are_those_of_pytorch(source):
    if source == "live":
        import torch

        expected = FIGURE["torch_call"](torch)
    else:
        expected = FIGURE["load"]()["call"]
    a = FIGURE["arrays"]()
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).to("float64")
    before = model.state_dict()
    given = {"0.weight": a["w0"], "0.bias": a["b0"], "2.weight": a["w2"], "2.bias": a["b2"]}

    def loss(parameters, x):
        y = nn.functional_call(model, parameters, x)
        return (y * a["seed"]).sum(), y

    (gradients, by_x), y = ag.grad(loss, argnums=(0, 1), has_aux=True)(given, a["x"])
    for ours, theirs in zip([y, *gradients.values(), by_x], expected, strict=True):
        np.testing.assert_allclose(ours.detach(), theirs, rtol=1e-12)
    assert {n: t.tolist() for n, t in model.state_dict().items()} == {n: t.tolist() for n, t in before.items()}
    assert [p.grad for p in model.parameters()] == [None] * 4


class Odd(nn.Module):
    """Parameters in every kind of place, and a function that closes over the module."""

    def __init__(self):
        self.pair = (nn.Parameter([1.0]), {"deep": [nn.Parameter([2.0])]})
        self.tied = self.pair[0]
        self.close = lambda: self.tied
        self.steps = nn.Buffer([0.0])

    def forward(self, x, *, scale=1.0):
        self.steps.copy_(self.steps + 1)
        return (self.pair[0] * x + self.pair[1]["deep"][0] + self.close()) * scale


def test_values_reach_every_place_of_a_parameter():
    odd = Odd()
    parts = dict(vars(odd))
    y = nn.functional_call(odd, {"pair.0": [10.0], "pair.1.deep.0": [0.5]}, (ag.tensor([3.0]),), {"scale": 2.0})
    assert y.tolist() == [2 * (30 + 0.5 + 10)]
    assert all(vars(odd)[name] is part for name, part in parts.items())
    assert odd.steps.tolist() == [0.0]
    steps = ag.tensor([5.0])
    nn.functional_call(odd, {"steps": steps}, (1.0,))
    assert (steps.tolist(), odd.steps.tolist()) == ([6.0], [0.0])


def test_the_module_is_restored_after_an_error():
    odd = Odd()
    parts = dict(vars(odd))
    with pytest.raises(TypeError):
        nn.functional_call(odd, {"tied": [1.0]}, (), {"unknown": 1})
    assert vars(odd) == parts


def test_batch_statistics_of_a_pure_call_go_nowhere():
    norm = nn.BatchNorm1d(2)
    before = repr(norm.state_dict())
    nn.functional_call(norm, dict(norm.named_parameters()), ag.tensor([[1.0, 2.0], [3.0, 5.0]], dtype="float32"))
    assert repr(norm.state_dict()) == before
    mean = ag.zeros(2, dtype="float32")
    nn.functional_call(norm, {"running_mean": mean}, ag.tensor([[1.0, 2.0], [3.0, 5.0]], dtype="float32"))
    np.testing.assert_allclose(mean, [0.2, 0.35], rtol=1e-6)
    assert repr(norm.state_dict()) == before


def test_parametrised_and_nested_models():
    model = nn.Sequential(
        weight_norm(nn.Linear(2, 2, dtype="float64")), nn.Sequential(nn.Linear(2, 1, dtype="float64"))
    )
    given = {n: ag.ones(p.shape) for n, p in model.named_parameters()}
    y = nn.functional_call(model, given, ag.ones((1, 2)), strict=True)
    assert y.item() == pytest.approx(2 * (np.sqrt(2) + 1) + 1)


def test_second_derivatives():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).to("float64")
    x = np.random.default_rng(0).standard_normal((4, 2))
    names = [n for n, _ in model.named_parameters()]

    def f(*values):
        return nn.functional_call(model, dict(zip(names, values, strict=True)), x).mean()

    result = ag.gradgradcheck(f, [p.detach().requires_grad_() for p in model.parameters()], max_elements=6)
    assert result, result


def test_parameters_and_buffers_in_dicts_of_their_own():
    model, x = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), ag.ones((4, 2), dtype="float32")
    parameters, buffers = dict(model.named_parameters()), {n: b.detach() for n, b in model.named_buffers()}
    expected = nn.functional_call(model, parameters | buffers, x)
    np.testing.assert_array_equal(nn.functional_call(model, (parameters, buffers), x).detach(), expected.detach())
    with pytest.raises(ArgumentError, match=r"given 0.bias in two dicts. Expected each name once"):
        nn.functional_call(model, [parameters, {"0.bias": ag.zeros(3)}], x)


def test_names_that_do_not_fit():
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    x, w = ag.ones((1, 2), dtype="float32"), ag.ones((2, 2), dtype="float32")
    with pytest.raises(
        ArgumentError, match=r"given 0.wieght \(nearest: 0.weight, 1.weight\), which Sequential does not"
    ):
        nn.functional_call(model, {"0.wieght": w}, x)
    with pytest.raises(ArgumentError, match=r"was not given 1.weight of Sequential. .*strict=False"):
        nn.functional_call(model, {"0.weight": w}, x, strict=True)
    model[1].weight = model[0].weight
    with pytest.raises(
        ArgumentError, match=r"values for 0.weight and 1.weight, which are one and the same.\nLeave out"
    ):
        nn.functional_call(model, {"0.weight": w, "1.weight": w * 2}, x)
    assert nn.functional_call(model, {"0.weight": w, "1.weight": w}, x).tolist() == [[4.0, 4.0]]
    assert nn.functional_call(model, {"1.weight": w}, x).tolist() == [[4.0, 4.0]]
