"""Checks in batches: the verdicts of checks element by element, in a fraction of the runs."""

import numpy as np
import pytest

import autograd as ag
import nn
import regularize
from autograd.batching.level import Batched
from autograd.gradcheck import analytic, batch
from autograd.primitive import primitives

RNG = np.random.default_rng(0)
W, V = RNG.standard_normal((6, 8)), RNG.standard_normal((8, 3))
X = RNG.standard_normal((4, 6))
GENERATOR = ag.random.Generator(4)
WRONG = ag.primitive(lambda x: np.sin(x), vjp=lambda g, x: g * ag.cos(x) * (1 + 1e-3 * (x > 1)), check=False)
SHARED = [ag.tensor(W, requires_grad=True)]


def dropped(w):
    return ag.sum(ag.where(ag.uniform_like(w, GENERATOR.seed()) < 0.5, w * w, 0.0) * GENERATOR.normal())


FUNCTIONS = {
    "network": (lambda w, v: ag.sum(ag.tanh(ag.matmul(X, w)) @ v), [W, V]),
    "several results": (lambda w: (ag.sum(w**3, axis=1), ag.max(w)), [W]),
    "wrong": (lambda w: ag.sum(WRONG(w) ** 2), [W]),
    "kinks": (
        lambda w: ag.sum(ag.relu(ag.where(np.arange(8) == 3, 0 * w, w) + 0.0 * w)) + ag.sum(ag.abs(w - W[2, 2])),
        [W],
    ),
    "dropout": (dropped, [W]),
    "read from elsewhere": (lambda *_: ag.sum(ag.exp(SHARED[0]) * W), SHARED),
    "not to be batched": (
        lambda w: w.sum() * float(w[0, 0].detach() * 0 + 1) * (2.0 if float(w.detach()[1, 1]) > -9 else 1),
        [W],
    ),
    "in float32": (lambda w: ag.sum(ag.sin(ag.astype(w, "float32") * 3.0)), [W]),
    "complex": (lambda z: ag.sum(ag.abs(ag.exp(z))), [W + 1j * W[::-1]]),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("mode", ["reverse", "both"])
@pytest.mark.parametrize(("f", "inputs"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_verdicts_are_those_of_single_elements(f, inputs, mode, order, monkeypatch):
    def said():
        result = ag.gradcheck(f, inputs, mode=mode, order=order)
        places = [(m.input, m.index, m.output, m.mode) for m in (*result.mismatches, *result.kinks, *result.imprecise)]
        return result.verdict, result.compared, sorted(places)

    batched = said()
    for module in (batch, analytic):
        monkeypatch.setattr(module, "LEAST", 10**9)
    assert batched == said()


def test_few_runs_check_many_elements():
    runs = []

    def f(w):
        runs.append(w.shape)
        return ag.sum(ag.tanh(ag.matmul(X, w)))

    assert ag.gradcheck(f, W)
    assert len(runs) < 10
    runs.clear()
    assert ag.gradcheck(f, W, max_elements=5)
    assert len(runs) > 10  # too few elements for a batch
    runs.clear()
    assert ag.gradcheck(lambda *ws: sum(map(f, ws)), [W[:, k : k + 1] for k in range(8)], max_elements=3)
    assert len(runs) < 8 * 10  # those of small inputs are moved together


@pytest.mark.parametrize(("inside", "verdict"), [(ag.Tensor, "WRONG_GRADIENT"), (Batched, "PASS")])
def test_rows_that_are_swept_together_are_those_of_plain_sweeps(inside, verdict, monkeypatch):
    sine = primitives["sin"]
    right = sine.pulls[0]

    def spoiled(g, saved, node):
        part = right(g, saved, node)
        kind = Batched if isinstance(g, Batched) else ag.Tensor
        return part * 1.01 if kind is inside else part

    monkeypatch.setattr(sine, "pulls", [spoiled])
    assert ag.gradcheck(lambda w: ag.sin(w) * W, [W]).verdict == verdict


def test_hooks_see_one_row_after_the_other():
    w, shapes = ag.tensor(W, requires_grad=True), []
    remove = w.register_hook(lambda g: shapes.append(g.shape))
    assert ag.gradcheck(lambda w: ag.sin(w) * W, [w])
    remove()
    assert len(shapes) >= W.size
    assert set(shapes) == {W.shape}


def test_variables_and_generators_are_as_before():
    w = ag.tensor(W, requires_grad=True)
    GENERATOR.set_state(ag.random.Generator(4).get_state())
    assert ag.gradcheck(lambda w: dropped(w), [w])
    np.testing.assert_array_equal(w.numpy(), W)
    after = GENERATOR.get_state()
    GENERATOR.set_state(ag.random.Generator(4).get_state())
    dropped(w)
    assert GENERATOR.get_state() == after


def test_a_module_with_buffers_and_dropout_passes_in_batches():
    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), regularize.Dropout(0.3), nn.Linear(8, 2))
    assert nn.gradcheck(model, ag.tensor(X))
