"""Every optimizer, found by introspection: PyTorch's trajectory and states, resuming, dtypes, derivatives."""

import importlib.util
import inspect
import json
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import optim
from autograd.config import config
from optim.lamb import _moved
from optim.together import split

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_optim.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
CLASSES = sorted(
    (c for c in vars(optim).values() if inspect.isclass(c) and not inspect.isabstract(c)), key=lambda c: c.__name__
)
CLASSES = [c for c in CLASSES if issubclass(c, optim.Optimizer)]
ALONE = {optim.LAMB, optim.LBFGS}  # their rules take norms and products over a parameter
CASES = [(getattr(optim, name), options) for name, options in FIGURE["cases"]()]
OURS = {  # what PyTorch does not have; the figures are those of test_reference.py
    optim.Lion: [{"lr": 0.02}, {"lr": 0.02, "betas": (0.5, 0.7), "weight_decay": 0.1, "maximize": True}],
    optim.LAMB: [{"lr": 0.02}, {"lr": 0.02, "weight_decay": 0.1, "maximize": True, "eps_mode": "inside"}],
    optim.SparseAdam: [{"lr": 0.02}, {"lr": 0.02, "betas": (0.5, 0.7), "maximize": True}],  # of dense gradients
}


def forms():
    """A case of each form: settings that are zero, flags and words make the code, other numbers run through it."""
    seen = {}
    for kind, options in [*CASES, *((kind, options) for kind, some in OURS.items() for options in some)]:
        seen.setdefault((kind, split(options)[0]), (kind, options))
    return [pytest.param(*case, id=f"{case[0].__name__}-{k}") for k, case in enumerate(seen.values())]


every_class = pytest.mark.parametrize("kind", CLASSES)
every_form = pytest.mark.parametrize(("kind", "options"), forms())


@cache
def torch_records(source):
    found = FIGURE["records"]() if source == "live" else dict(np.load(FIGURES / "optim.npz"))
    assert str(found["origin"]).startswith("torch 2.")
    assert json.loads(str(found["cases"])) == json.loads(json.dumps(list(FIGURE["cases"]())))
    return found


def leaves(dtype="float64"):
    return [ag.tensor(FIGURE["START"][key], dtype=dtype, requires_grad=True) for key in "wb"]


def closing(optimizer, loss):
    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    return closure


def run(optimizer, ws, steps):
    """The weights after each step."""
    curvature = ag.tensor(FIGURE["CURVATURE"], dtype=ws[0].dtype)
    for _ in range(steps):
        optimizer.step(closing(optimizer, lambda: FIGURE["loss"](*ws, curvature)))
        yield [w.numpy() for w in ws]


# ---- the options


@every_class
def test_every_option_is_varied_in_the_figures(kind):
    names = set(inspect.signature(kind.__init__).parameters) - {"self", "params", "eps_mode"}
    if kind in OURS:
        varied = {name for name in names if len({str(case.get(name)) for case in OURS[kind]}) > 1}
        assert varied == names - {"lr", "eps"} or varied | {"betas"} == names - {"lr", "eps"}
    else:
        assert set(FIGURE["OPTIONS"][kind.__name__]) == names
        assert [n for n, values in FIGURE["OPTIONS"][kind.__name__].items() if len(values) < 2 and n != "lr"] == []


@every_class
def test_update_takes_the_options_of_the_constructor(kind):
    options = [n for n in inspect.signature(kind.__init__).parameters if n not in ("self", "params")]
    assert [n for n in inspect.signature(kind.update).parameters if n not in ("self", "w", "g", "state")] == options


@every_class
def test_every_epsilon_can_be_inside_or_outside(kind):
    options = inspect.signature(kind.__init__).parameters
    assert ("eps" in options) == ("eps_mode" in options)


# ---- against PyTorch


@cache
def path(k):
    """The weights after each step: the gradients are written out, as in the figures, for the sake of time."""
    kind, options = CASES[k]
    ws, curvature, found = leaves(), ag.tensor(FIGURE["CURVATURE"]), []
    optimizer = kind(ws, **options)

    def closure():
        with ag.no_grad():
            for w, g in zip(ws, FIGURE["gradients"](*ws, curvature), strict=True):
                w.grad = g
            return FIGURE["loss"](*ws, curvature) if kind is optim.LBFGS else None

    for _ in range(FIGURE["STEPS"]):
        optimizer.step(closure)
        found.append(np.concatenate([w.numpy().ravel() for w in ws]))
    return found


def test_the_gradients_of_the_figures_are_those_of_their_loss():
    ws, curvature = leaves(), ag.tensor(FIGURE["CURVATURE"])
    found = ag.grad(FIGURE["loss"](*ws, curvature), ws)
    for got, wanted in zip(found, FIGURE["gradients"](*ws, curvature), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.detach().numpy(), rtol=1e-14)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", [c for c in CLASSES if c not in OURS])
def test_trajectories_are_pytorchs(kind, source):
    mine = [k for k, (other, _) in enumerate(CASES) if other is kind]
    records = torch_records(source)[kind.__name__]
    assert len(records) == len(mine) > 1
    for k, record in zip(mine, records, strict=True):
        for step, wanted in zip(FIGURE["KEPT"], record, strict=True):
            np.testing.assert_allclose(
                path(k)[step - 1], wanted, rtol=1e-12, atol=1e-12, err_msg=f"{CASES[k][1]} after step {step}"
            )


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", [c for c in CLASSES if c not in OURS])
def test_states_are_pytorchs_and_go_on(kind, source):
    mine = [k for k, (other, _) in enumerate(CASES) if other is kind]
    states = FIGURE["arrays"](json.loads(str(torch_records(source)["states"])))[kind.__name__]
    for k, theirs in zip((mine[0], mine[-1]), states, strict=True):
        ws = leaves()
        optimizer = kind(ws, **CASES[k][1])
        list(run(optimizer, ws, FIGURE["STORED"]))
        expect_same(optimizer.state_dict(), theirs)
        optimizer = kind(ws, **CASES[k][1])
        optimizer.load_state_dict(theirs)
        list(run(optimizer, ws, 3))
        np.testing.assert_allclose(
            np.concatenate([w.numpy().ravel() for w in ws]), path(k)[FIGURE["STORED"] + 2], rtol=1e-12, atol=1e-12
        )


def test_a_stored_adam_says_whether_its_decay_is_decoupled():
    w = ag.tensor([1.0], requires_grad=True)
    stored = optim.Adam([w], weight_decay=0.1, decoupled_weight_decay=True).state_dict()
    for given, wanted in ((stored, True), (without(stored, "decoupled_weight_decay"), False)):  # an older PyTorch
        optimizer = optim.Adam([w], lr=0.5)
        optimizer.load_state_dict(given)
        assert optimizer.param_groups[0]["decoupled_weight_decay"] == wanted


def without(state, setting):
    """A stored state whose groups lack a setting."""
    groups = [{key: x for key, x in group.items() if key != setting} for group in state["param_groups"]]
    return {**state, "param_groups": groups}


def expect_same(mine, theirs):
    """The same settings, where both have them, and the same entries of the states, but for PyTorch's scratch space."""
    for ours, other in zip(mine["param_groups"], theirs["param_groups"], strict=True):
        common = ours.keys() & other.keys()
        assert len(common) > len(ours) / 2
        assert [as_lists(ours[key]) for key in common] == [other[key] for key in common]
    for number, state in mine["state"].items():
        stored = theirs["state"].get(number, {}).items()
        other = {key: x for key, x in stored if key != "al" and x is not None}
        assert state.keys() == other.keys()
        for key, entry in state.items():
            for got, wanted in zip(*((x if isinstance(x, list) else [x]) for x in (entry, other[key])), strict=True):
                np.testing.assert_allclose(np.asarray(got), wanted, rtol=1e-12, atol=1e-12, err_msg=key)


def as_lists(setting):
    return list(setting) if isinstance(setting, tuple) else setting


if SOURCES[1:]:  # what takes PyTorch's own code: ours to theirs and back, for every form

    @pytest.mark.parametrize(("kind", "options"), [c.values for c in forms() if c.values[0] not in OURS])
    def test_states_go_over_to_pytorch_and_come_back(kind, options):
        torch = importlib.import_module("torch")
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            ws = leaves()
            path = list(run(kind(ws, **options), ws, 9))
            ws = leaves()
            optimizer = kind(ws, **options)
            list(run(optimizer, ws, 3))
            theirs = [torch.tensor(w.numpy(), requires_grad=True) for w in ws]
            other = getattr(torch.optim, kind.__name__)(theirs, **options)
            other.load_state_dict(as_torch(torch, optimizer.state_dict()))
            curvature = torch.tensor(FIGURE["CURVATURE"])
            for _ in range(3):
                other.step(closing(other, lambda: FIGURE["loss"](*theirs, curvature)))
            again = [ag.tensor(w.detach().numpy(), requires_grad=True) for w in theirs]
            optimizer = kind(again, **options)
            optimizer.load_state_dict(other.state_dict())
            list(run(optimizer, again, 3))
        finally:
            torch.set_default_dtype(before)
        for got, wanted in zip(again, path[-1], strict=True):
            np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-12, atol=1e-12)


def as_torch(torch, x):
    if isinstance(x, ag.Tensor):
        return torch.tensor(x.numpy())
    if isinstance(x, dict):
        return {key: as_torch(torch, entry) for key, entry in x.items()}
    return [as_torch(torch, entry) for entry in x] if isinstance(x, list) else x


# ---- state


@every_form
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
    second = kind(again, **{**options, "lr": 7.0})
    second.load_state_dict(saved)
    for got, expected in zip(list(run(second, again, 10))[-1], whole, strict=True):
        np.testing.assert_array_equal(got, expected)


@every_form
def test_float32_stays_float32(kind, options):
    ws = [*leaves("float32"), ag.tensor(2.0, dtype="float32", requires_grad=True)]
    curvature = ag.tensor(FIGURE["CURVATURE"], dtype="float32")
    optimizer = kind(ws, **options)
    for lr in (0.1, np.float64(0.05), ag.tensor(0.05)):  # schedules write NumPy's numbers
        optimizer.param_groups[0]["lr"] = lr
        for _ in range(2):
            optimizer.step(closing(optimizer, lambda: FIGURE["loss"](*ws[:2], curvature) + ws[2] * ws[2]))
    kept = [x for state in optimizer.state.values() for entry in state.values() for x in tensors_in(entry)]
    assert {t.dtype for t in (*ws, *kept)} == {np.dtype("float32")}


def tensors_in(entry):
    return [x for x in (entry if isinstance(entry, list) else [entry]) if isinstance(x, ag.Tensor)]


@every_form
def test_update_is_pure(kind, options):
    w = ag.tensor(FIGURE["START"]["w"], requires_grad=True)
    optimizer = kind([w], **options)
    for slope in (0.5, 0.25):
        optimizer.step(closing(optimizer, lambda slope=slope: slope * (w * w).sum()))
    w, state, g = w.detach(), optimizer.state[w], ag.tensor(np.linspace(-1, 1, 6).reshape(3, 2))
    entries = [w, g, *(x for entry in state.values() for x in (entry if isinstance(entry, list) else [entry]))]
    before = [np.array(x) for x in entries]
    settings = {key: optimizer.param_groups[0][key] for key in optimizer.defaults}
    once, after = optimizer.update(w, g, state, **settings)
    twice, _ = optimizer.update(w, g, state, **settings)
    np.testing.assert_array_equal(once.numpy(), twice.numpy())
    assert not np.array_equal(once.numpy(), w.numpy())
    assert after is not state
    for old, new in zip(before, entries, strict=True):
        np.testing.assert_array_equal(np.asarray(new), old)


@every_class
def test_steps_leave_no_tape_behind(kind):
    ws = leaves()
    optimizer = kind(ws)

    def closure():
        optimizer.zero_grad()
        value = FIGURE["loss"](*ws, ag.tensor(FIGURE["CURVATURE"]))
        value.backward(create_graph=True)
        return value

    for _ in range(2):
        optimizer.step(closure)
    kept = [x for state in optimizer.state.values() for entry in state.values() for x in tensors_in(entry)]
    assert [t for t in kept if t.requires_grad] == []
    assert all(w.is_leaf and w.requires_grad for w in ws)


# ---- together


@every_form
def test_parameters_of_a_group_move_together(kind, options):
    ws = [ag.tensor(np.full(shape, 2.0), requires_grad=True) for shape in ((3, 2), (4,), (), (5,))]
    alone = [ag.tensor(w.numpy(), requires_grad=True) for w in ws]
    optimizer, others = kind(ws, **options), [kind([w], **options) for w in alone]
    for step in range(0 if kind is optim.LBFGS else 3):
        for w, v, other in zip(ws, alone, others, strict=True):
            w.grad, v.grad = ((step + 1) * x.detach() ** 3 for x in (w, v))
            with config.using(kernels=False):
                other.step()
        optimizer.step()
    for got, wanted in zip(ws, alone, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-13)
    assert bool(optimizer._foreach.reasons) == (kind is optim.LAMB)
    ranks = [len(sets) for sets in optimizer._foreach._sets.values()]
    assert max(ranks, default=0) == (0 if kind in ALONE else 1)  # whatever their ranks


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
    (optim.AdamW, {"eps_mode": "inside"}, {"lr": 0.1, "eps": 0.1, "weight_decay": 0.2}),
    (optim.Adagrad, {}, {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "eps": 0.1}),
    (optim.RMSprop, {"centered": True}, {"lr": 0.1, "alpha": 0.7, "momentum": 0.5, "eps": 0.1}),
    (optim.Adadelta, {}, {"lr": 0.1, "rho": 0.9, "eps": 0.1}),
    (optim.Adamax, {}, {"lr": 0.1, "eps": 0.1, "weight_decay": 0.1}),
    (optim.NAdam, {"decoupled_weight_decay": True}, {"lr": 0.1, "weight_decay": 0.2, "momentum_decay": 0.1}),
    (optim.RAdam, {"steps": 7}, {"lr": 0.1, "weight_decay": 0.2}),
    (optim.Lion, {}, {"lr": 0.1, "weight_decay": 0.2}),
    (optim.LAMB, {}, {"lr": 0.1, "eps": 0.1, "weight_decay": 0.2}),
    (optim.Rprop, {}, {"lr": 0.1}),
    (optim.ASGD, {"t0": 1}, {"lr": 0.1, "lambd": 0.1, "alpha": 0.7}),
    (optim.LBFGS, {}, {"lr": 0.1}),
    (optim.SparseAdam, {}, {"lr": 0.1, "eps": 0.1}),
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


@pytest.mark.parametrize("options", OURS[optim.LAMB])
def test_the_rule_that_takes_norms_is_kernels_as_well(options):
    w = ag.tensor(np.ones((300, 400), "float32"), requires_grad=True)
    optimizer = optim.LAMB([w], **options)
    for _ in range(2):
        w.grad = ag.ones((300, 400), dtype="float32")
        optimizer.step()
    assert _moved.plans
    assert _moved.reasons() == []


# ---- words


@every_class
def test_formula_ends_in_the_new_weights(kind):
    lines = kind.formula().splitlines()
    assert [line for line in lines if line.startswith("w <- w ")] != []
    assert all("<-" in line or "=" in line for line in lines)


@every_class
def test_every_option_is_explained(kind):
    said = inspect.getdoc(kind)
    if kind is optim.AdamW:
        assert "Parameters are those of `Adam`" in said
        said = inspect.getdoc(optim.Adam)
    options = [n for n in inspect.signature(kind.__init__).parameters if n != "self"]
    assert [n for n in options if f"\n    {n}: " not in said] == []


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("kind", [c for c in CLASSES if "weight_decay" in inspect.signature(c).parameters])
def test_weight_decay_may_be_zero_for_a_while(kind, compiled):
    w = ag.tensor([1.0, -2.0, 3.0], requires_grad=True)
    moving = {"momentum": 0.5} if "momentum" in inspect.signature(kind).parameters else {}
    optimizer = kind([w], lr=0.1, weight_decay=0.1, **moving)
    state, expected = optimizer.init(w.detach()), w.detach()

    def step(x):
        optimizer.zero_grad()
        ag.sum(ag.square(w * x - 1)).backward()
        optimizer.step()

    run = ag.compile(step) if compiled else step
    for k, value in enumerate([0.1, 0.1, 0.1, 0, 0, 0, 0.1, 0.2, 0, 0.1]):
        optimizer.param_groups[0]["weight_decay"] = value
        x = ag.asarray([1.0, 2.0, 0.5 + k / 10])
        settings = {key: optimizer.param_groups[0][key] for key in optimizer.defaults}
        expected, state = optimizer.update(expected, 2 * x * (expected * x - 1), state, **settings)
        run(x)
        np.testing.assert_allclose(w.detach(), expected, rtol=1e-12)
