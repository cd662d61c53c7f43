"""Optimizers are copied and pickled with their parameters, and go on as the original does."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import autograd as ag
import optim

FOUND = [
    name
    for name in optim.__all__
    if inspect.isclass(kind := getattr(optim, name))
    and issubclass(kind, optim.Optimizer)
    and not inspect.isabstract(kind)
]
COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}


def parameters():
    return [ag.tensor(x, requires_grad=True) for x in ([1.0, 2.0, -3.0], [[0.5, -0.5], [2.0, 1.0]])]


def train(optimizer, ws, steps):
    def closure():
        optimizer.zero_grad()
        if isinstance(optimizer, optim.SparseAdam):
            loss = sum(ag.sum(ag.take_rows(w, np.array([1])) ** 4) for w in ws)
        else:
            loss = sum(ag.sum((w - 1) ** 2 + w**4) for w in ws)
        loss.backward()
        return loss

    for _ in range(steps):
        if isinstance(optimizer, optim.LBFGS):
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return [w.numpy().copy() for w in ws]


def test_all_were_found():
    assert len(FOUND) > 12


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("name", FOUND)
def test_a_copy_goes_on_as_the_original(name, again):
    ws = parameters()
    optimizer = getattr(optim, name)(ws, lr=0.01)
    train(optimizer, ws, 3)
    held = [w.numpy().copy() for w in ws]
    other, copies = again((optimizer, ws))
    assert all(a is b for a, b in zip(other.param_groups[0]["params"], copies, strict=True))
    found = train(other, copies, 3)
    for w, before in zip(ws, held, strict=True):
        np.testing.assert_array_equal(w.numpy(), before)  # the original was left alone
    for a, b in zip(found, train(optimizer, ws, 3), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_averages_of_weights(again):
    ws = parameters()
    average = optim.WeightAverage(ws, decay=0.9)
    for k in range(3):
        with ag.no_grad():
            for w in ws:
                w.copy_(w + k)
        average.update()
    other, copies = again((average, ws))
    for some, tensors in ((other, copies), (average, ws)):
        with ag.no_grad():
            for w in tensors:
                w.copy_(w * 2)
        some.update()
    for a, b in zip(other.averages, average.averages, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
