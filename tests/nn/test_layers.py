"""Every layer and loss, found by introspection: PyTorch's figures, finite differences to second order, float32."""

import importlib.util
import inspect
import json
import runpy
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F

FIGURES = Path(__file__).parents[1] / "figures"
sys.path.insert(0, str(FIGURES))
FIGURE = runpy.run_path(str(FIGURES / "make_nn.py"))
CASES = [(topic, k, c) for topic in FIGURE["TOPICS"] for k, c in enumerate(FIGURE["topic"](topic)["CASES"])]
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
FRAMES = {  # what holds or describes others
    *("Module", "Loss", "Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"),
    *(name for name in vars(nn) if name.startswith("Lazy")),  # tests/nn/test_lazy.py
}
KINDS = {name for name, c in vars(nn).items() if inspect.isclass(c) and issubclass(c, nn.Module) and name not in FRAMES}
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
every_case = pytest.mark.parametrize(("topic", "k", "c"), CASES, ids=[f"{t}-{c['kind']}-{k}" for t, k, c in CASES])


@cache
def figures(source, topic):
    found = FIGURE["records"](topic) if source == "live" else FIGURE["load"](topic)
    assert found["origin"].startswith("torch 2.")
    assert found["cases"] == json.dumps(FIGURE["topic"](topic)["CASES"])  # else: python tests/figures/make_nn.py
    return found["records"]


def named(record, prefix):
    return {name[len(prefix) :]: v for name, v in record.items() if name.startswith(prefix)}


def made(c):
    """The module of a case; an option that is itself a kind with options is a module too."""
    options = {k: made({"args": ()} | v) if isinstance(v, dict) and "kind" in v else v for k, v in c["options"].items()}
    return getattr(nn, c["kind"])(*c["args"], **options)


def module_of(c, record, dtype="float64"):
    module = made(c).to(dtype)
    module.load_state_dict(named(record, "state."))
    return module.train(c["training"])


def arguments(c, record, dtype="float64"):
    """The inputs of a call; those that may have a gradient require one."""
    found = []
    for k, a in enumerate(named(record, "in.").values()):
        floating = a.dtype.kind == "f"
        free = floating and k not in c["fixed"]
        found.append(ag.tensor(a, dtype=dtype if floating else a.dtype, requires_grad=free))
    return found


def outputs(c, module, xs):
    return FIGURE["flat"](module(*xs, **c["call"]))


def test_every_layer_and_loss_is_in_the_table():
    assert len(KINDS) > 20
    assert {c["kind"] for _, _, c in CASES} == KINDS


@every_kind
def test_every_option_is_in_the_table(kind):
    parameters = inspect.signature(getattr(nn, kind)).parameters
    given = {name for _, _, c in CASES if c["kind"] == kind for name in c["options"]}
    assert {n for n in parameters if parameters[n].kind is not inspect.Parameter.VAR_POSITIONAL} - {
        "dtype",
        "generator",
    } == given


@every_case
@pytest.mark.parametrize("source", SOURCES)
def test_outputs_gradients_and_buffers_are_those_of_pytorch(topic, k, c, source):
    record = figures(source, topic)[k]
    module, xs = module_of(c, record), arguments(c, record)
    ys = outputs(c, module, xs)
    expected = named(record, "out.")
    assert len(ys) == len(expected)
    for y, value in zip(ys, expected.values(), strict=True):
        np.testing.assert_allclose(y.detach(), value, rtol=1e-9, atol=1e-9)
    sum((y * g).sum() for y, g in zip(ys, named(record, "cotangent.").values(), strict=True)).backward()
    for i, gradient in named(record, "grad.in.").items():
        np.testing.assert_allclose(xs[int(i)].grad, gradient, rtol=1e-9, atol=1e-9)
    gradients = {name: v for name, v in named(record, "grad.").items() if not name.startswith("in.")}
    assert {name for name, p in module.named_parameters() if p.grad is not None} == set(gradients)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(dict(module.named_parameters())[name].grad, gradient, rtol=1e-9, atol=1e-9)
    after = named(record, "after.")
    for name, b in module.named_buffers():
        np.testing.assert_allclose(b, after[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("topic", "k", "c", "order"),
    [(*found, order) for found in CASES for order in range(1, found[2]["order"] + 1)],
    ids=[f"{t}-{c['kind']}-{k}-{order}" for t, k, c in CASES for order in range(1, c["order"] + 1)],
)
def test_derivatives_match_finite_differences(topic, k, c, order):
    record = figures("stored", topic)[k]
    module, xs = module_of(c, record), arguments(c, record)
    free = [i for i, x in enumerate(xs) if x.requires_grad]
    given = [*(xs[i] for i in free), *module.parameters()]

    def f(*values):
        called = list(xs)
        for i, x in zip(free, values[: len(free)], strict=True):
            called[i] = x
        ys = outputs(c, module, called)
        return ys[0] if len(ys) == 1 else sum((y * (n + 1)).sum() for n, y in enumerate(ys))

    check = ag.gradcheck if order == 1 else ag.gradgradcheck
    result = check(f, given, rtol=1e-3, atol=1e-5, max_elements=8)
    assert result, result


@every_case
def test_states_have_pytorchs_names_and_order(topic, k, c):
    assert list(made(c).state_dict()) == list(named(figures("stored", topic)[k], "state."))


@every_case
def test_float32_stays_float32(topic, k, c):
    record = figures("stored", topic)[k]
    module, xs = module_of(c, record, "float32"), arguments(c, record, "float32")
    ys = outputs(c, module, xs)
    sum(y.sum() for y in ys).backward()
    gradients = [t.grad for t in [*xs, *module.parameters()] if t.requires_grad and t.grad is not None]
    assert {t.dtype for t in (*ys, *gradients) if t.dtype.kind == "f"} == {np.dtype("float32")}
    for y, value in zip(ys, named(record, "out.").values(), strict=True):
        np.testing.assert_allclose(y.detach(), value, rtol=1e-3, atol=1e-4)


@every_kind
def test_repr_shows_class_and_settings(kind):
    c = next(c for _, _, c in CASES if c["kind"] == kind)
    module = made(c)
    assert repr(module).startswith(f"{kind}(")
    assert module.extra_repr() in repr(module)


def of_numpy(x):
    """Whole numbers, in lists and dicts too, as `len(np.unique(...))` or an entry of a shape may be given."""
    if isinstance(x, dict):
        return {k: of_numpy(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(map(of_numpy, x))
    return np.int64(x) if type(x) is int else x


@every_case
def test_numpys_whole_numbers_are_sizes_too(topic, k, c):
    numpys = c | {"args": of_numpy(c["args"]), "options": of_numpy(c["options"])}
    record = figures("stored", topic)[k]
    for y, expected in zip(
        outputs(c, module_of(numpys, record), arguments(c, record)), named(record, "out.").values(), strict=True
    ):
        np.testing.assert_allclose(y.detach(), expected, rtol=1e-6, atol=1e-6)


def test_numpys_whole_numbers_are_widths_and_lengths():
    x = ag.ones((2, 3))
    assert F.pad(x, np.array([1, 2])).shape == F.pad(x, tuple(np.array([1, 2]))).shape == (2, 6)
    assert nn.ConstantPad1d((np.int64(1), 2), 0.0)(x).shape == (2, 6)
    assert nn.LayerNorm(np.int64(3))(x).shape == (2, 3)
    assert nn.Upsample(size=np.int64(5))(x[None]).shape == (1, 2, 5)
