"""Every optimizer, found by introspection: what it minimises, PyTorch's trajectory, resuming, dtypes, derivatives."""

import importlib.util
import inspect
import json
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

import autograd as ag
import optim

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_optim.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
CLASSES = sorted(
    (c for c in vars(optim).values() if inspect.isclass(c) and not inspect.isabstract(c)), key=lambda c: c.__name__
)
CASES = [
    pytest.param(getattr(optim, name), options, id=f"{name}-{k}") for k, (name, options) in enumerate(FIGURE["cases"]())
]
every_class = pytest.mark.parametrize("kind", CLASSES)
every_case = pytest.mark.parametrize(("kind", "options"), CASES)


@cache
def torch_records(source):
    found = FIGURE["records"]() if source == "live" else json.loads((FIGURES / "optim.json").read_text())
    assert found["origin"].startswith("torch 2.")
    return found["records"]


def leaves(dtype="float64"):
    return [ag.tensor(FIGURE["START"][key], dtype=dtype, requires_grad=True) for key in "wb"]


def run(optimizer, ws, steps):
    """The weights after each step."""
    curvature = ag.tensor(FIGURE["CURVATURE"], dtype=ws[0].dtype)
    for _ in range(steps):
        optimizer.zero_grad()
        FIGURE["loss"](*ws, curvature).backward()
        optimizer.step()
        yield [w.numpy() for w in ws]


# ---- the options


@every_class
def test_every_option_is_varied_in_the_figures(kind):
    names = set(inspect.signature(kind.__init__).parameters) - {"self", "params"}
    assert set(FIGURE["OPTIONS"][kind.__name__]) == names
    assert [n for n, values in FIGURE["OPTIONS"][kind.__name__].items() if len(values) < 2 and n != "lr"] == []


@every_class
def test_update_takes_the_options_of_the_constructor(kind):
    options = [n for n in inspect.signature(kind.__init__).parameters if n not in ("self", "params")]
    assert [n for n in inspect.signature(kind.update).parameters if n not in ("self", "w", "g", "state")] == options


# ---- against PyTorch


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("k", range(len(CASES)), ids=[c.id for c in CASES])
def test_trajectory_is_pytorchs(source, k):
    kind, options = CASES[k].values
    record = torch_records(source)[k]
    assert (record["class"], json.loads(json.dumps(options))) == (
        kind.__name__,
        json.loads(json.dumps(record["options"])),
    )
    ws = leaves()
    path = list(run(kind(ws, **options), ws, 100))
    for step, expected in record["weights"].items():
        for got, wanted in zip(path[int(step) - 1], expected, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=f"after step {step}")


# ---- what they minimise


def parabola():
    w = ag.tensor(-4.0, requires_grad=True)
    return [w], lambda: (w - 3) ** 2, 1e-4


def ill_conditioned():
    w = ag.tensor([1.0, -1.0, 2.0], requires_grad=True)
    curvature = np.array([1.0, 10.0, 100.0])
    return [w], lambda: 0.5 * (curvature * w * w).sum(), 1e-4


def rosenbrock():
    x, y = (ag.tensor(v, requires_grad=True) for v in (-1.2, 1.0))
    return [x, y], lambda: (1 - x) ** 2 + 100 * (y - x * x) ** 2, 1e-3


def logistic():
    data = load_breast_cancer()
    x, sign = StandardScaler().fit_transform(data.data), 2.0 * data.target - 1
    w, b = ag.tensor(np.zeros(30), requires_grad=True), ag.tensor(0.0, requires_grad=True)
    return (
        [w, b],
        lambda: ag.softplus(-sign * (x @ w + b)).mean(),
        0.06,
    )  # 0.693 at the start, 8 of 569 wrong below 0.06


PROBLEMS = {  # the step of each problem: of gradient descent along its steepest curvature, and of the adaptive rules
    parabola: ({"SGD": {"lr": 0.1}}, {"lr": 0.1}, 300),
    ill_conditioned: ({"SGD": {"lr": 0.01, "momentum": 0.9}}, {"lr": 0.05}, 1000),
    rosenbrock: ({"SGD": {"lr": 3e-4, "momentum": 0.95}}, {"lr": 0.02}, 3000),
    logistic: ({"SGD": {"lr": 0.1, "momentum": 0.9}}, {"lr": 0.1}, 300),
}


@every_class
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.__name__)
def test_minimises(kind, problem):
    special, common, steps = PROBLEMS[problem]
    ws, loss, below = problem()
    optimizer = kind(ws, **special.get(kind.__name__, common), weight_decay=0)
    start = loss().item()
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < below < start / 5


# ---- state


@every_case
def test_resumes_exactly(kind, options):
    ws = leaves()
    whole = list(run(kind(ws, **options), ws, 20))[-1]
    ws = leaves()
    first = kind(ws, **options)
    list(run(first, ws, 10))
    saved = first.state_dict()
    list(run(first, ws, 3))  # a snapshot: later steps do not reach it
    ws = leaves()
    path = list(run(kind(ws, **options), ws, 10))
    again = [ag.tensor(w, requires_grad=True) for w in path[-1]]
    second = kind(again, lr=7.0)
    second.load_state_dict(saved)
    for got, expected in zip(list(run(second, again, 10))[-1], whole, strict=True):
        np.testing.assert_array_equal(got, expected)


@every_case
def test_float32_stays_float32(kind, options):
    ws = [*leaves("float32"), ag.tensor(2.0, dtype="float32", requires_grad=True)]
    optimizer = kind(ws, **options)
    for lr in (0.1, np.float64(0.05), ag.tensor(0.05)):  # schedules write NumPy's numbers
        optimizer.param_groups[0]["lr"] = lr
        ws[2].grad = ag.tensor(0.5, dtype="float32")
        list(run(optimizer, ws[:2], 1))
        ws[2].grad = ag.tensor(0.5, dtype="float32")
        optimizer.step()
    kept = [x for state in optimizer.state.values() for x in state.values() if isinstance(x, ag.Tensor)]
    assert {t.dtype for t in (*ws, *kept)} == {np.dtype("float32")}


@every_case
def test_update_is_pure(kind, options):
    ws = leaves()
    optimizer = kind(ws, **options)
    list(run(optimizer, ws, 2))
    w, g = ag.tensor(ws[0]), ag.tensor(np.linspace(-1, 1, 6).reshape(3, 2))
    state = optimizer.state[ws[0]]
    before = {key: np.array(x) for key, x in state.items()}
    arrays = [w.value.copy(), g.value.copy()]
    settings = {key: optimizer.param_groups[0][key] for key in optimizer.defaults}
    once, after = optimizer.update(w, g, state, **settings)
    twice, _ = optimizer.update(w, g, state, **settings)
    np.testing.assert_array_equal(once.numpy(), twice.numpy())
    assert after is not state
    for old, new in zip([*arrays, *before.values()], [w, g, *state.values()], strict=True):
        np.testing.assert_array_equal(np.asarray(new), old)


@every_class
def test_steps_leave_no_tape_behind(kind):
    ws = leaves()
    optimizer = kind(ws)
    FIGURE["loss"](*ws, ag.tensor(FIGURE["CURVATURE"])).backward(create_graph=True)
    optimizer.step()
    kept = [x for state in optimizer.state.values() for x in state.values() if isinstance(x, ag.Tensor)]
    assert [t for t in kept if t.requires_grad] == []
    assert all(w.is_leaf and w.requires_grad for w in ws)


# ---- differentiable


def unrolled(kind, steps=4, **fixed):
    """The loss after a few steps, as a function of the first weights and of settings."""
    curvature = ag.tensor(FIGURE["CURVATURE"])

    def loss(w):
        return 0.5 * (curvature * w * w).sum() + ag.softplus(w).sum()

    def after(w, **settings):
        optimizer = kind([ag.tensor(0.0, requires_grad=True)])
        state = optimizer.init(w)
        for _ in range(steps):
            w, state = optimizer.update(w, ag.grad(loss)(w), state, **fixed, **settings)
        return loss(w)

    return after


HYPER = [
    (optim.SGD, {}, {"lr": 0.1}),
    (optim.SGD, {"momentum": 0.9, "nesterov": True}, {"lr": 0.1}),
    (optim.SGD, {}, {"lr": 0.1, "momentum": 0.8, "dampening": 0.2, "weight_decay": 0.0}),
    (optim.Adam, {}, {"lr": 0.1}),
    (optim.Adam, {"amsgrad": True}, {"lr": 0.1, "eps": 0.1, "weight_decay": 0.3}),
    (optim.AdamW, {}, {"lr": 0.1, "weight_decay": 0.2}),
]


def test_every_class_has_hypergradients_in_the_table():
    assert {kind for kind, _, _ in HYPER} == set(CLASSES)


@pytest.mark.parametrize(("kind", "fixed", "settings"), HYPER)
def test_hypergradients_match_finite_differences(kind, fixed, settings):
    after = unrolled(kind, **fixed)
    names = list(settings)
    result = ag.gradcheck(
        lambda w, *values: after(w, **dict(zip(names, values, strict=True))),
        [ag.tensor(FIGURE["START"]["w"]) + 0.1, *(ag.tensor(x) for x in settings.values())],
    )
    assert result, result


def test_hypergradients_by_the_betas():
    after = unrolled(optim.Adam, lr=0.1)
    start = ag.tensor(FIGURE["START"]["w"]) + 0.1
    result = ag.gradcheck(lambda b1, b2: after(start, betas=(b1, b2)), [ag.tensor(0.9), ag.tensor(0.99)])
    assert result, result


# ---- words


@every_class
def test_formula_ends_in_the_new_weights(kind):
    last = [line for line in kind.formula().splitlines() if line.startswith("w <- w - lr")]
    assert len(last) == 1
