"""Every layer and loss, found by introspection: PyTorch's figures, finite differences to second order, float32."""

import importlib.util
import inspect
import json
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_nn.py"))
CASES = FIGURE["CASES"]
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
FRAMES = {"Module", "Loss", "Sequential", "ModuleList", "ModuleDict"}  # what holds or describes others
KINDS = {name for name, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module) and name not in FRAMES}
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
every_case = pytest.mark.parametrize("k", range(len(CASES)), ids=[f"{c['kind']}-{k}" for k, c in enumerate(CASES)])


@cache
def figures(source):
    found = FIGURE["records"]() if source == "live" else FIGURE["load"](FIGURES / "nn.npz")
    assert found["origin"].startswith("torch 2.")
    assert found["cases"] == json.dumps(CASES)  # else: python tests/figures/make_nn.py
    return found["records"]


def module_of(c, record, dtype="float64"):
    module = getattr(nn, c["kind"])(*c["args"], **c["options"]).to(dtype)
    module.load_state_dict({name[6:]: v for name, v in record.items() if name.startswith("state.")})
    return module


def arguments(record, dtype="float64"):
    x = ag.tensor(record["x"], dtype=dtype, requires_grad=True)
    return (x, record["target"]) if "target" in record else (x,)


def test_every_layer_and_loss_is_in_the_table():
    assert len(KINDS) > 20
    assert {c["kind"] for c in CASES} == KINDS


@every_kind
def test_every_option_is_in_the_table(kind):
    parameters = inspect.signature(getattr(nn, kind)).parameters
    given = {name for c in CASES if c["kind"] == kind for name in c["options"]}
    assert set(parameters) - {"dtype", "generator"} == given


@every_case
@pytest.mark.parametrize("source", SOURCES)
def test_output_and_gradients_are_those_of_pytorch(k, source):
    record = figures(source)[k]
    module = module_of(CASES[k], record)
    x, *target = arguments(record)
    y = module(x, *target)
    np.testing.assert_allclose(y.detach(), record["y"], rtol=1e-9, atol=1e-9)
    y.backward(record["cotangent"])
    np.testing.assert_allclose(x.grad, record["grad.x"], rtol=1e-9, atol=1e-9)
    gradients = {name[5:]: v for name, v in record.items() if name.startswith("grad.") and name != "grad.x"}
    assert [name for name, _ in module.named_parameters()] == list(gradients)
    for name, p in module.named_parameters():
        np.testing.assert_allclose(p.grad, gradients[name], rtol=1e-9, atol=1e-9)


@every_case
@pytest.mark.parametrize("check", [ag.gradcheck, ag.gradgradcheck])
def test_derivatives_match_finite_differences(k, check):
    record = figures("stored")[k]
    module = module_of(CASES[k], record)
    x, *target = arguments(record)
    result = check(lambda x, *_: module(x, *target), [x, *module.parameters()], rtol=1e-3, atol=1e-5, max_elements=8)
    assert result, result


@every_case
def test_float32_stays_float32(k):
    record = figures("stored")[k]
    module = module_of(CASES[k], record, "float32")
    x, *target = arguments(record, "float32")
    y = module(x, *target)
    y.sum().backward()
    assert {t.dtype for t in (y, x.grad, *(p.grad for p in module.parameters()))} == {np.dtype("float32")}
    np.testing.assert_allclose(y.detach(), record["y"], rtol=1e-4, atol=1e-5)


@every_kind
def test_repr_shows_class_and_settings(kind):
    c = next(c for c in CASES if c["kind"] == kind)
    module = getattr(nn, kind)(*c["args"], **c["options"])
    assert repr(module).startswith(f"{kind}(")
    assert module.extra_repr() in repr(module)
