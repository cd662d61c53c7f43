"""Row-sparse gradients: PyTorch's trajectories, rows that are left alone, arrays that others hold, and who refuses."""

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
from autograd.errors import UnsupportedError

FIGURES = Path(__file__).parents[1] / "figures"
FIGURE = runpy.run_path(str(FIGURES / "make_sparse.py"))
SOURCES = ["stored"] + (["live"] if importlib.util.find_spec("torch") else [])
KINDS = [c for c in vars(optim).values() if isinstance(c, type) and issubclass(c, optim.Optimizer)]
ROWWISE = [c for c in KINDS if c.rowwise]
EXACT = [("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adagrad", {"lr": 0.3})]
each = pytest.mark.parametrize(("name", "options"), FIGURE["CASES"])


@cache
def records(source):
    found = FIGURE["records"]() if source == "live" else dict(np.load(FIGURES / "sparse.npz"))
    assert str(found["origin"]).startswith("torch 2.")
    assert json.loads(str(found["cases"])) == json.loads(json.dumps(FIGURE["CASES"]))
    return found


def made(name, options, w):
    return getattr(optim, name)([w], **{k: tuple(v) if isinstance(v, list) else v for k, v in options.items()})


def look_up(w, rows, g, sparse=True):
    found = ag.take_rows(w, rows) if sparse else ag.take(w, rows, 0)
    (found * g).sum().backward()


def path(name, options, sparse=True, between=None):
    w = ag.tensor(FIGURE["start"](), requires_grad=True)
    optimizer = made(name, options, w)
    for k, (rows, g) in enumerate(FIGURE["lookups"]()):
        optimizer.zero_grad()
        look_up(w, rows, g, sparse(k) if callable(sparse) else sparse)
        optimizer.step()
        if between is not None:
            optimizer = between(k, optimizer, w)
        yield np.array(w.detach())


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("k", range(len(FIGURE["CASES"])))
def test_trajectories_are_those_of_pytorch(k, source):
    np.testing.assert_allclose(list(path(*FIGURE["CASES"][k])), records(source)["paths"][k], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), EXACT)
@pytest.mark.parametrize("sparse", [True, lambda k: k % 2 == 0, lambda k: k % 3 == 1], ids=["all", "even", "some"])
def test_sparse_and_dense_gradients_may_alternate(name, options, sparse):
    np.testing.assert_allclose(
        list(path(name, options, sparse)), list(path(name, options, False)), rtol=1e-12, atol=1e-12
    )


@each
def test_going_on_from_a_stored_state_is_going_on(name, options):
    def stored(k, optimizer, w):
        if k != 7:
            return optimizer
        again = made(name, options, w)
        again.load_state_dict(optimizer.state_dict())
        return again

    np.testing.assert_array_equal(list(path(name, options, between=stored)), list(path(name, options)))


@each
def test_only_the_rows_that_had_a_gradient_are_written(name, options):
    w = ag.tensor(np.zeros((1000, 2)), requires_grad=True)
    optimizer = made(name, options, w)
    for _ in range(3):
        look_up(w, [5, 8, 5], 1.0)
        optimizer.step()
        optimizer.zero_grad()
    assert np.nonzero(w.numpy().any(1))[0].tolist() == [5, 8]
    held, changed = w.numpy(), np.flatnonzero
    before = np.array(held)
    look_up(w, [9], 1.0)
    del held
    array = w.value
    array = id(array)
    optimizer.step()
    assert id(w.value) == array  # in place: the time does not grow with the table
    momentum = options.get("momentum", 0) > 0
    assert changed((w.numpy() != before).any(1)).tolist() == ([5, 8, 9] if momentum else [9])


@each
def test_an_array_that_others_hold_keeps_its_value(name, options):
    w = ag.tensor(FIGURE["start"](), requires_grad=True)
    optimizer = made(name, options, w)
    for rows, g in FIGURE["lookups"]()[:3]:
        held, state = w.detach(), optimizer.state_dict()
        before = np.array(held)
        kept = {k: np.array(x) for k, x in state["state"].get(0, {}).items()}
        optimizer.zero_grad()
        look_up(w, rows, g)
        optimizer.step()
        np.testing.assert_array_equal(held, before)
        for k, x in kept.items():
            np.testing.assert_array_equal(state["state"][0][k], x)


@pytest.mark.parametrize("kind", ROWWISE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_stay(kind, dtype):
    w = ag.ones((4, 2), dtype).requires_grad_()
    optimizer = kind([w], lr=0.1)
    for _ in range(2):
        look_up(w, [1], 1.0)
        optimizer.step()
    assert w.dtype == dtype
    assert {x.dtype.name for x in optimizer.state[w].values() if isinstance(x, ag.Tensor)} <= {dtype}


def test_a_group_may_hold_both_kinds():
    w, b = ag.ones((4, 2), requires_grad=True), ag.ones(2, requires_grad=True)
    optimizer = optim.Adagrad([w, b], lr=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        (ag.take_rows(w, [1]) * b).sum().backward()
        optimizer.step()
    assert (w.numpy() != 1).any(1).tolist() == [False, True, False, False]
    assert (b.numpy() != 1).all()
    assert optimizer.state[w]["step"] == optimizer.state[b]["step"] == 2


@pytest.mark.parametrize(
    "kind", [c for c in KINDS if not c.rowwise and c is not optim.LBFGS and c is not optim.Optimizer]
)
def test_the_other_rules_refuse_and_say_what_to_write(kind):
    w = ag.ones((4, 2), requires_grad=True)
    optimizer = kind([w])
    look_up(w, [1], 1.0)
    with pytest.raises(UnsupportedError, match=r"row-sparse gradient of shape \(4, 2\).*\n.*optim.SparseAdam"):
        optimizer.step()
    assert (w.numpy() == 1).all()


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adagrad])
def test_weight_decay_refuses(kind):
    w = ag.ones((4, 2), requires_grad=True)
    look_up(w, [1], 1.0)
    with pytest.raises(UnsupportedError, match=r"weight_decay=0.1, which moves.*\nWrite weight_decay=0"):
        kind([w], lr=0.1, weight_decay=0.1).step()


@pytest.mark.parametrize("scale", [0.1, 100.0])
def test_clipping_knows_rows(scale):
    rows, g = [3, 1, 3], np.array([[1.0, -2.0], [3.0, 4.0], [0.5, 0.5]]) * scale
    for clip in (
        lambda ws: optim.clip_grad_norm_(ws, 1.0),
        lambda ws: optim.clip_grad_norm_(ws, 1.0, float("inf")),
        lambda ws: optim.clip_grad_value_(ws, 1.0),
        optim.clip_grad_adaptive_,
    ):
        found = []
        for sparse in (True, False):
            w = ag.tensor(FIGURE["start"](), requires_grad=True)
            look_up(w, rows, g, sparse)
            norm = clip([w])
            assert isinstance(w.grad, ag.RowSparse) == sparse
            found.append((np.array(w.grad), None if norm is None else float(norm)))
        np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
        assert found[0][1] == pytest.approx(found[1][1])


@pytest.mark.parametrize(("name", "options"), [("SparseAdam", {}), ("Adagrad", {}), ("SGD", {"momentum": 0.9})])
@pytest.mark.parametrize("what", ["step", "loss", "model"])
def test_compiled_functions_leave_row_sparse_gradients_to_the_optimizer(name, options, what):
    def trained(wrap):
        table = nn.Embedding(50, 8, sparse=True, generator=ag.random.Generator(0)).to("float64")
        optimizer = getattr(optim, name)(table.parameters(), lr=0.1, **options)
        wrapped = {"step": lambda f: f, "loss": lambda f: f, "model": lambda f: f} | (
            {what: ag.compile} if wrap else {}
        )
        model = wrapped["model"](lambda rows: ag.tanh(table(rows)))
        loss = wrapped["loss"](lambda rows: ag.sum(model(rows) ** 2))

        def step(rows):
            optimizer.zero_grad()
            value = loss(rows)
            value.backward()
            optimizer.step()
            return value

        run, rng = wrapped["step"](step), np.random.default_rng(0)
        for _ in range(6):
            run(rng.integers(0, 50, (4, 3)))
        reasons = [x for f in (run, loss, model) if hasattr(f, "reasons") for x in f.reasons()]
        assert all("row-sparse" in reason for reason in reasons)
        assert bool(reasons) == wrap
        return table.weight.numpy()

    np.testing.assert_array_equal(trained(True), trained(False))
