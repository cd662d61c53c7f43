"""The gradients of many Tensors, read where they are: as many as Python finds, and never one that is not there."""

import gc
import threading

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd.program.gradients import MANY, Gradients
from autograd.rows import RowSparse

COUNT = MANY + 8


def leaves(count=COUNT, shape=(3, 2)):
    rng = np.random.default_rng(0)
    ws = [nn.Parameter(rng.standard_normal(shape).astype("float32")) for _ in range(count)]
    for w in ws:
        w.grad = ag.tensor(rng.standard_normal(shape).astype("float32"))
    return ws


def test_they_are_the_gradients():
    ws = leaves()
    found = ag.gradients_of(ws)
    assert type(found) is Gradients
    assert len(found) == COUNT
    assert all(a is w.grad for a, w in zip(found, ws, strict=True))
    assert found[1] is ws[1].grad
    assert found[1:3] == [ws[1].grad, ws[2].grad]


WITHOUT = {
    "no gradient": lambda w: setattr(w, "grad", None),
    "a constant": lambda w: w.requires_grad_(False),
    "row-sparse": lambda w: setattr(w.node.watched(), "grad", RowSparse(np.array([1]), np.ones((1, 2), "f"), (3, 2))),
}


@pytest.mark.parametrize("place", [0, 7, COUNT - 1])
@pytest.mark.parametrize("name", WITHOUT)
def test_where_one_has_none_a_list_says_so(name, place):
    ws = leaves()
    WITHOUT[name](ws[place])
    found = ag.gradients_of(ws)
    assert type(found) is list
    assert [type(g) for g in found] == [type(w.grad) for w in ws]


def test_tensors_of_several_classes_are_looked_at_one_by_one():
    ws = leaves()
    ws[5] = ag.tensor(np.ones((3, 2), "float32"), requires_grad=True)
    ws[5].grad = ag.ones((3, 2), dtype="float32")
    found = ag.gradients_of(ws)
    assert type(found) is list
    assert all(a is w.grad for a, w in zip(found, ws, strict=True))


def test_few_and_other_sequences_are_lists():
    assert type(ag.gradients_of(leaves(MANY - 1))) is list
    assert type(ag.gradients_of(tuple(leaves()))) is list
    assert ag.gradients_of([]) == []
    mixed = [*leaves(), ag.ones(3)]
    assert ag.gradients_of(mixed)[-1] is None
    other = [ag.tensor(np.ones(2), requires_grad=True) for _ in range(COUNT)]
    assert ag.gradients_of(other) == [None] * COUNT


CHANGED = {
    "as they are": lambda g: g,
    "turned": lambda g: np.asfortranarray(g),
    "of another dtype object": lambda g: g.view(np.dtype("float32", metadata={"x": 1})),
    "a part": lambda g: np.repeat(g, 2, axis=1)[:, ::2],
    "read-only": lambda g: np.broadcast_to(g, g.shape),
}


@pytest.mark.parametrize("name", CHANGED)
def test_optimizers_step_by_gradients_of_any_layout(name):
    ws = leaves()
    sgd = optim.SGD(ws, lr=0.5, momentum=0.9)
    sgd.step()
    for w in ws[::5]:
        w.grad = ag.Tensor(CHANGED[name](np.array(w.grad.numpy())))
    velocity = [np.array(w.grad.numpy()) * 1.9 for w in ws]
    expected = [w.numpy() - np.float32(0.5) * v for w, v in zip(ws, velocity, strict=True)]
    sgd.step()
    for w, value in zip(ws, expected, strict=True):
        np.testing.assert_allclose(w.numpy(), value, rtol=1e-5, atol=1e-6)


def test_steps_of_a_deep_model_are_those_of_a_few_parameters_at_a_time():
    def trained(split):
        ag.random.seed(0)
        model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(COUNT)))
        ws = list(model.parameters())
        parts = [ws[k : k + 3] for k in range(0, len(ws), 3)] if split else [ws]
        optimizers = [optim.Adam(part, lr=0.01) for part in parts]
        x = ag.tensor(np.random.default_rng(0).standard_normal((5, 4)).astype("float32"))
        for turn in range(5):
            for one in optimizers:
                one.zero_grad()
            F.mse_loss(model(x), x).backward()
            if turn == 3:
                ws[-1].grad = None
            for one in optimizers:
                if any(w.grad is not None for group in one.param_groups for w in group["params"]):
                    one.step()
        return [np.array(w.numpy()) for w in ws]

    for a, b in zip(trained(False), trained(True), strict=True):
        np.testing.assert_array_equal(a, b)


def test_while_others_take_gradients_away():
    """Readers and writers in threads: whatever is seen is a gradient or None, and nobody falls over."""
    ws, stop, wrong = leaves(), threading.Event(), []

    def write():
        k = 0
        while not stop.is_set():
            k = (k + 1) % COUNT
            ws[k].grad = None
            ws[k].grad = ag.tensor(np.ones((3, 2), "float32"))

    def read():
        while not stop.is_set():
            found = ag.gradients_of(ws)
            wrong.extend(type(g) for g in found if g is not None and not isinstance(g, ag.Tensor))

    threads = [threading.Thread(target=f) for f in (write, write, read, read)]
    for t in threads:
        t.start()
    stop.wait(0.5)
    stop.set()
    for t in threads:
        t.join(10)
    gc.collect()
    assert not wrong
