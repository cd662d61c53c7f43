"""Kernels that run together, block by block of their rows, give what they give one after another."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize
from autograd.program import capture, chains

ROWS, WIDTH = 3000, 20  # several blocks, the last one in part


@pytest.fixture
def chained(monkeypatch):
    """Chains whatever the size of their arrays."""
    monkeypatch.setattr(capture, "SWEPT", 0)  # what BLAS would take is a sum of products
    monkeypatch.setattr(chains, "LARGE", 0)
    monkeypatch.setattr(chains, "NEAR", 1 << 14)


def data(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((ROWS, WIDTH)).astype(np.float32)
    return ag.tensor(x), ag.tensor((x[:, :1] > 0.3).astype(np.float32))


def kinds(f, *args):
    return [row.kind for row in f.program(*args).rows]


def trained(compiled, steps=6):
    """The weights and losses of a linear model, full batch."""
    ag.random.seed(1)
    model = nn.Linear(WIDTH, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.5)

    def step(x, y):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = ag.compile(step) if compiled else step
    x, y = data()
    losses = [run(x, y).item() for _ in range(steps)]
    return losses, [p.numpy().copy() for p in model.parameters()], kinds(run, x, y) if compiled else []


def test_a_linear_model_is_trained_in_one_pass_over_its_data(chained):
    losses, weights, entries = trained(True)
    plain, others, _ = trained(False)
    assert entries.count("chain") == 1
    assert "kernel" not in entries
    np.testing.assert_allclose(losses, plain, rtol=1e-5)
    for w, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(w, other, rtol=1e-4, atol=1e-6)


def test_the_bits_do_not_depend_on_the_number_of_threads(chained):
    before = ag.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            ag.set_num_threads(threads)
            losses, weights, _ = trained(True)
            found.append((losses, [w.tobytes() for w in weights]))
    finally:
        ag.set_num_threads(before)
    assert found[0] == found[1]


def test_what_is_small_stays_in_the_cache_and_runs_kernel_by_kernel():
    assert "chain" not in trained(True)[2]


def test_what_waits_for_a_sum_over_all_rows_is_in_no_chain_with_it(chained):
    def centred(x):
        y = ag.exp(x * 0.1)
        z = ag.sum(y, axis=1, keepdims=True) - ag.mean(y)
        return ag.sum(y * z / ag.max(z), axis=0)

    x, _ = data()
    f = ag.compile(centred)
    np.testing.assert_allclose(f(x).numpy(), centred(x).numpy(), rtol=1e-4)


SQUARE = ag.tensor(np.random.default_rng(7).standard_normal((512, 512)).astype(np.float32))
APART = {
    "a total of the one before": lambda x: ag.sum(SQUARE * ag.tanh(ag.max(SQUARE @ x)), axis=0),
    "other rows of the one before": lambda x: ag.sum(SQUARE * ag.tanh(SQUARE @ x).T, axis=1),
}


@pytest.mark.parametrize("name", APART)
def test_what_is_read_across_rows_is_complete(name, chained):
    x = ag.tensor(np.random.default_rng(8).standard_normal((512, 1)).astype(np.float32))
    f = APART[name]
    g = ag.compile(f)
    entries = kinds(g, x)
    assert "kernel" in entries[entries.index("chain") :]  # the last, and what computes the number that it reads
    for k in range(1, 3):  # again, with other totals
        np.testing.assert_allclose(g(x * k).numpy(), f(x * k).numpy(), rtol=1e-3, atol=1e-4)


ROWWISE = {
    "softmax": lambda x: ag.sum(F.softmax(x * ag.sum(x, axis=1, keepdims=True), 1) * x),
    "labels": lambda x: F.cross_entropy(x * ag.tanh(ag.mean(x, axis=1, keepdims=True)), LABELS),
    "norm": lambda x: ag.sum(ag.tanh(F.layer_norm(x * ag.mean(ag.abs(x), axis=1, keepdims=True), (WIDTH,))) ** 3),
    "column sums": lambda x: ag.sum(ag.exp(ag.sum(x * ag.sum(x, axis=1, keepdims=True), axis=0) * 1e-4)),
}
LABELS = ag.tensor(np.random.default_rng(3).integers(0, WIDTH, ROWS))


@pytest.mark.parametrize("name", ROWWISE)
def test_rows_of_several_passes(name, chained):
    x, _ = data(2)
    x = ag.tensor(x, requires_grad=True)
    f = ROWWISE[name]
    g = ag.compile(f)
    (y := g(x)).backward()
    found, x.grad = x.grad, None
    (z := f(x)).backward()
    assert g.reasons() == []
    np.testing.assert_allclose(y.item(), z.item(), rtol=1e-4)
    np.testing.assert_allclose(found.numpy(), x.grad.numpy(), rtol=2e-4, atol=1e-5)


def test_dropout_draws_what_it_draws_without(chained):
    x, _ = data()
    layer = regularize.Dropout(0.3)

    def f(x):
        y = layer(ag.exp(x * ag.sum(x, axis=1, keepdims=True) * 0.01))
        return ag.sum(y * ag.mean(y, axis=1, keepdims=True))

    ag.random.seed(5)
    plain = f(x).item()
    ag.random.seed(5)
    assert ag.compile(f)(x).item() == pytest.approx(plain, rel=1e-5)


def test_what_is_computed_of_arguments_alone_is_computed_where_it_is_read():
    def f(w):
        return ag.sum(ag.exp(DATA @ w) * (1.0 - TARGETS) * ag.exp(TARGETS))

    assert kinds(ag.compile(f), ag.ones((WIDTH, 1), dtype="float32")).count("kernel") == 1


DATA, TARGETS = data()[0], ag.tensor(np.linspace(0, 1, ROWS, dtype=np.float32)[:, None])
