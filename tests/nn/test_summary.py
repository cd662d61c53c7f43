"""The table of a model: counts by hand, PyTorch's count of products, and a model that stays as it was."""

import importlib.util
import math
import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from nn.parametrizations import weight_norm

FIGURE = runpy.run_path(str(Path(__file__).parents[1] / "figures" / "make_module.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])


@pytest.mark.parametrize("source", SOURCES)
def test_products_of_matrices_cost_what_pytorch_counts(source):
    if source == "live":
        import torch

        expected = FIGURE["torch_flops"](torch)
    else:
        expected = FIGURE["load"]()["flops"]
    for name, (model, shape) in FIGURE["models"](nn).items():
        with ag.config.config.using(kernels=False):
            costs = ag.costs_of(model(ag.zeros(shape, dtype="float32")))
        products = [c for c in costs if c.operation in ("matmul", "inner", "affine")]
        biases = sum(math.prod(c.shape) for c in products if c.operation == "affine")  # which PyTorch counts as nothing
        assert sum(c.flops for c in products) - biases == expected[name] > 0
        assert model.summary(shape).flops >= expected[name]


def rows(summary):
    return {r.name: r for r in summary.rows}


def test_counts_by_hand():
    n, c, o = 5, 3, 4
    model = nn.Sequential(nn.Conv2d(c, o, 3), nn.ReLU(), nn.Flatten(), nn.Linear(o * 16, 10), nn.Softmax(1))
    found = rows(model.summary((n, c, 6, 6)))
    assert [r.flops for r in found.values()] == [
        0,
        2 * n * o * 16 * c * 9 + n * o * 16,
        n * o * 16,
        0,
        2 * n * o * 16 * 10 + n * 10,
        5 * n * 10,
    ]
    assert [r.activations for r in found.values()] == [4 * k for k in (50, n * o * 16, n * o * 16, n * o * 16, 50, 50)]
    assert [r.output for r in found.values()][2:5] == ["(5, 4, 4, 4)", "(5, 64)", "(5, 10)"]
    views = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Identity()).summary((2, 3, 4))
    assert ([r.activations for r in views.rows], views.activations) == ([96] * 4, 96)
    assert model.summary((n, c, 6, 6)).flops == sum(r.flops for r in found.values())


def test_an_lstm_costs_its_gates():
    t, n, i, h = 3, 2, 5, 4
    found = nn.LSTM(i, h).summary((t, n, i))
    products = 2 * t * n * (i + h) * 4 * h
    assert products < found.flops < products + t * n * h * 40


def test_shared_and_frozen_parameters_count_once_each():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2), nn.Linear(2, 2))
    model[3].weight = nn.Parameter(np.zeros((2, 2)), requires_grad=False)
    model.tied = model[2].weight
    table = model.summary((5, 1, 4, 4))
    assert [r.name for r in table.rows] == ["", "0", "1", "2", "3"]
    assert [r.parameters for r in table.rows] == [16, 20, 0, 2, 6]
    assert (table.parameters, table.trainable, table.nbytes) == (44, 40, 192)
    lines = repr(table).splitlines()
    assert lines[-2] == "parameters: 44, of which trainable: 40; 192 B"
    assert "(5, 2, 2, 2)" in lines[3]
    assert "output" not in repr(model.summary())
    assert (model.summary().flops, model.summary().parameters) == (0, 44)
    assert not model[3].weight.requires_grad


def test_a_shared_module_costs_each_call():
    shared = nn.Linear(3, 3)
    once, twice = nn.Sequential(shared), nn.Sequential(shared, nn.Tanh(), shared)
    single = rows(once.summary((2, 3)))["0"]
    both = rows(twice.summary((2, 3)))["0"]
    assert list(rows(twice.summary((2, 3)))) == ["", "0", "1"]
    assert (both.flops, both.activations, both.parameters) == (2 * single.flops, 2 * single.activations, 12)
    assert single.flops == 2 * 2 * 3 * 3 + 6


class Residual(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return ag.tanh(self.inner(x * 2) + x)


def test_a_modules_own_operations_are_apart_from_its_parts():
    model = Residual(nn.Sequential(Residual(nn.Linear(4, 4)), nn.ReLU()))
    found = rows(model.summary((2, 4)))
    assert {name: r.flops for name, r in found.items()} == {
        "": 24,
        "inner": 0,
        "inner.0": 24,
        "inner.0.inner": 72,
        "inner.1": 8,
    }


def test_frozen_models_parametrised_ones_and_given_inputs():
    x = np.ones((2, 3), "float32")
    layer = nn.Linear(3, 4)
    assert layer.freeze().summary(x).flops == nn.Linear(3, 4).summary((2, 3)).flops == 56
    assert not layer.weight.requires_grad
    assert nn.Linear(3, 4).summary(ag.tensor(x)).rows[0].output == "(2, 4)"
    found = rows(weight_norm(nn.Linear(3, 4)).summary((2, 3)))
    assert found["parametrizations.weight.0"].flops > 2 * 12
    assert found[""].flops == 56
    embedding = nn.Sequential(Table(), nn.Linear(2, 1)).summary(np.array([0, 1, 1]))
    assert embedding.flops == 2 * 3 * 2 + 3


class Table(nn.Module):
    def __init__(self):
        self.weight = nn.Parameter(np.zeros((5, 2), "float32"))

    def forward(self, rows):
        return self.weight[rows]


def test_it_runs_in_evaluation_mode_and_leaves_no_trace():
    class Probe(nn.Module):
        def forward(self, x):
            self.seen = (self.training, ag.random.normal().item())
            x += 1
            return {"any": x, "none": None}

    probe = Probe()
    model = nn.Sequential(nn.BatchNorm1d(1), probe)
    before = repr(model.state_dict())
    ag.random.seed(3)
    with ag.no_grad():
        table = model.summary((2, 1))
    assert "dict" in repr(table)
    assert table.rows[2].flops == 2
    assert not probe.seen[0]
    assert ag.random.normal().item() == probe.seen[1]
    assert (probe.training, repr(model.state_dict())) == (True, before)
    assert [p.grad for p in model.parameters()] == [None, None]
    with pytest.raises(ag.errors.ShapeError, match=r"Linear.*was given an input of shape \(2, 3\)"):
        nn.Sequential(nn.Linear(1, 1), probe).summary((2, 3))
    assert probe.training


@pytest.mark.parametrize(
    ("width", "text"), [(1, "4 B"), (255, "1020 B"), (256, "1.0 KiB"), (2**18, "1.0 MiB"), (3 * 2**27, "1.5 GiB")]
)
def test_bytes_are_readable(width, text):
    row = nn.summary.Row("", "Any", "", 0, 0, 4 * width)
    assert repr(nn.summary.Summary((row,), 0, 0, 0, 0, 0, True)).splitlines()[2].endswith(f" {text}")
