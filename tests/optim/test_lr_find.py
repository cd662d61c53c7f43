"""The range test: what it finds, and that nothing is left of it."""

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError, DataError


def problem(seed=0):
    generator = ag.random.Generator(seed)
    model = nn.Sequential(
        nn.Linear(4, 16, generator=generator), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1, generator=generator)
    )
    x = generator.normal(size=(64, 4), dtype="float32").numpy()
    loader = nn.DataLoader(x, x[:, :1] * 2, batch_size=16, shuffle=True, generator=generator)
    return model, nn.MSELoss(), loader


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_the_number_trains_and_the_curve_shows_why(kind):
    model, loss, loader = problem()
    optimizer = kind(model.parameters(), lr=1e-3)
    lr, lrs, losses = found = optim.lr_find(model, loss, optimizer, loader)
    assert lr == found.lr
    assert 1e-4 < lr < 3
    assert lrs.shape == losses.shape
    np.testing.assert_allclose(np.diff(np.log(lrs)), np.log(10 / 1e-7) / 99, rtol=1e-9)
    assert losses.min() < 0.9 * losses[0]
    assert lrs[0] == pytest.approx(1e-7)


def everything(model, optimizer, loader):
    return repr(
        (
            {k: t.tolist() for k, t in model.state_dict().items()},
            [w.grad if w.grad is None else w.grad.tolist() for w in model.parameters()],
            optimizer.state_dict(),
            ag.random.default.get_state(),
            loader.generator.get_state(),
        )
    )


@pytest.mark.parametrize("trained", [False, True])
def test_all_is_as_before(trained):
    model, loss, loader = problem()
    optimizer = optim.Adam([{"params": [w], "lr": 0.01 * (k + 1)} for k, w in enumerate(model.parameters())])
    if trained:
        for x, y in loader:
            loss(model(x), y).backward()
            optimizer.step()
    before = everything(model, optimizer, loader)
    optim.lr_find(model, loss, optimizer, loader, steps=20)
    assert everything(model, optimizer, loader) == before

    def fails(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        optim.lr_find(model, fails, optimizer, loader)
    assert everything(model, optimizer, loader) == before


def test_buffers_of_a_compiled_model_are_as_before():
    model, loss, loader = problem()
    before = [b.tolist() for b in model.buffers()]
    optim.lr_find(ag.compile(model), loss, optim.SGD(model.parameters()), loader, steps=10)
    assert [b.tolist() for b in model.buffers()] == before


def test_generators_of_a_transform_are_as_before():
    model, loss, loader = problem()
    noise = ag.random.Generator(5)
    loader.transform = lambda x, y: (x + noise.normal(size=x.shape, dtype="float32"), y)
    before = noise.get_state()
    optim.lr_find(model, loss, optim.SGD(model.parameters()), loader, steps=10)
    assert noise.get_state() == before


def test_a_function_gives_batches():
    model, loss, loader = problem()
    once = list(loader)

    def batches():
        yield from once

    found = [
        optim.lr_find(model, loss, optim.SGD(model.parameters()), data, steps=10)
        for data in (batches, once, lambda: once)
    ]
    assert len(found[0].lrs) > 5
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].losses, other.losses)


def test_groups_keep_their_proportions():
    a, b = (ag.tensor(1.0, requires_grad=True) for _ in range(2))
    optimizer = optim.SGD([{"params": [a], "lr": 0.1}, {"params": [b], "lr": 0.2}])
    seen = []

    def model(x):
        seen.append([group["lr"] for group in optimizer.param_groups])
        return a * x + b * x

    optim.lr_find(model, lambda p: (p * p).mean(), optimizer, [ag.ones(1)], low=1e-4, high=0.1, steps=5)
    np.testing.assert_allclose(seen, np.outer(np.geomspace(1e-4, 0.1, 5), [1, 2]))


def test_errors():
    model, loss, loader = problem()
    optimizer = optim.SGD(model.parameters())
    with pytest.raises(ArgumentError, match=r"low=1, high=0\.1"):
        optim.lr_find(model, loss, optimizer, loader, low=1, high=0.1)
    with pytest.raises(ArgumentError, match="steps=3"):
        optim.lr_find(model, loss, optimizer, loader, steps=3)
    with pytest.raises(DataError, match=r"no batch\. Expected an iterable that can be read again"):
        optim.lr_find(model, loss, optimizer, [])
    x, y = next(iter(loader))
    with pytest.raises(ArgumentError, match=r"a tuple of arrays\. Expected batches: write nn\.DataLoader\(x, y"):
        optim.lr_find(model, loss, optimizer, (x, y))
    with pytest.raises(ArgumentError, match=r"a LBFGS, which looks for the length of its steps by itself"):
        optim.lr_find(model, loss, optim.LBFGS(model.parameters()), loader)
    with pytest.raises(DataError, match=r"not finite from lr=1e-07 on"):
        optim.lr_find(model, lambda p, y: (p * np.nan).mean(), optimizer, loader)
