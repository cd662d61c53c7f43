"""What holds memory: the ledger adds up to what NumPy has allocated, and names who holds it."""

import gc
import inspect
import threading
import tracemalloc

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd import tape
from autograd.config import config
from autograd.kernels import buffers
from autograd.primitive import capturing

RNG = np.random.default_rng(0)


def mlp():
    return nn.Sequential(nn.Linear(50, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh(), nn.Linear(64, 5)), (128, 50)


def cnn():
    first = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    second = [nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(16 * 9, 5)), (32, 1, 12, 12)


class Last(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(16, 32, batch_first=True), nn.Linear(32, 5)

    def forward(self, x):
        return self.out(self.lstm(x)[0][:, -1])


def lstm():
    return Last(), (32, 20, 16)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.before, self.between = nn.LayerNorm(32), nn.LayerNorm(32)
        self.attend = nn.MultiheadAttention(32, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(32, 128), nn.GELU(), nn.Linear(128, 32))

    def forward(self, x):
        h = self.before(x)
        x = x + self.attend(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.between(x))


def transformer():
    return nn.Sequential(Block(), Block(), nn.Flatten(), nn.Linear(32 * 16, 5)), (16, 16, 32)


def allocated():
    """Bytes of NumPy's arrays that are alive, of those allocated since tracemalloc began."""
    if not tracemalloc.is_tracing():
        return 0
    arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    return sum(trace.size for trace in tracemalloc.take_snapshot().filter_traces([arrays]).traces)


def stages(make, compiled):
    """After each stage of training: (stage, bytes in the ledger, bytes allocated)."""
    model, shape = make()
    x, t = ag.tensor(RNG.standard_normal(shape).astype("float32")), ag.tensor(RNG.integers(0, 5, shape[0]))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    def step(x, t):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizer.step()
        return loss

    with ag.memory() as ledger:
        if compiled:
            whole = ag.compile(step)
            for turn in range(3):
                loss = whole(x, t)
                yield f"turn {turn}", ledger.total(), allocated()
            assert whole.reasons() == []
            return
        for stage in ("forward", "backward", "update", "forward again"):
            if stage.startswith("forward"):
                loss = F.cross_entropy(model(x), t)
            elif stage == "backward":
                loss.backward()
            else:
                optimizer.step()
            yield stage, ledger.total(), allocated()


def empty(monkeypatch):
    """No memory from before a measurement is used in it."""
    gc.collect()
    monkeypatch.setattr(buffers, "_idle", {})
    monkeypatch.setattr(buffers, "_held", 0)


def shares(make, compiled, monkeypatch):
    """What the ledger finds of what is allocated, after each stage."""
    for _ in stages(make, compiled):  # loads and compiles what is loaded and compiled once
        pass
    empty(monkeypatch)
    with ag.memory() as ledger:
        before = ledger.total()
    tracemalloc.start()
    try:
        return {stage: (held - before) / measured for stage, held, measured in stages(make, compiled)}
    finally:
        tracemalloc.stop()


@pytest.fixture
def little():
    """What other tests and their modules have left is not looked through."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("kernels", [True, False])
@pytest.mark.parametrize("make", [mlp, cnn, lstm, transformer])
def test_the_ledger_adds_up_to_what_is_allocated(make, kernels, monkeypatch):
    with config.using(kernels=kernels):
        found = shares(make, False, monkeypatch)
    assert len(found) == 4
    assert {stage: share for stage, share in found.items() if abs(share - 1) > 0.02} == {}


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("make", [mlp, cnn, lstm, transformer])
def test_it_adds_up_with_programs_too(make, monkeypatch):
    found = shares(make, True, monkeypatch)
    assert len(found) == 3
    assert {stage: share for stage, share in found.items() if abs(share - 1) > 0.02} == {}


def rows_of(ledger, *outputs):
    return [(r.operation, r.line and r.line[1], r.arrays, r.bytes) for r in ledger.rows(*outputs)]


def test_rows_name_the_operation_and_the_users_line():
    with ag.memory() as ledger:
        x = ag.ones((100, 10), requires_grad=True)
        line = inspect.currentframe().f_lineno
        h = ag.tanh(x * 2.0)
        y = ag.sum(ag.exp(h * h) + ag.sin(x))
    # the product of h and h saves what the tanh has saved, which is counted with the older of the two
    assert sorted(rows_of(ledger, y)) == [
        ("exp", line + 2, 1, 8000),
        ("sin", line + 2, 1, 8000),
        ("tanh", line + 1, 1, 8000),
    ]
    assert {r.line[0] for r in ledger.rows(y)} == {__file__}
    assert ledger.total(y) == 24000


def test_leaves_and_gradients_are_counted_before_what_saves_them():
    with ag.memory() as ledger:
        line = inspect.currentframe().f_lineno + 1
        x = ag.ones((97, 89), requires_grad=True)
        y = ag.sum(ag.exp(x * x))
        assert ("leaf", line, 1, 97 * 89 * 8) in rows_of(ledger)
        assert ("exp", line + 1, 1, 97 * 89 * 8) in rows_of(ledger)
        y.backward()
        rows = rows_of(ledger)
    assert ("gradient", line, 1, 97 * 89 * 8) in rows
    assert not [row for row in rows if row[1] == line + 1 and row[0] != "value"]  # the tape is freed


def test_a_view_counts_as_the_array_that_it_keeps_alive():
    with ag.memory() as ledger:
        x = ag.ones(1000, requires_grad=True)
        h = x * 2.0
        y = ag.sum(ag.square(h[:10])) + ag.sum(ag.square(h[10:20]))
        del h
    assert [(r.operation, r.arrays, r.bytes) for r in ledger.rows(y) if r.operation == "square"] == [
        ("square", 1, 8000)
    ]


def test_what_was_made_before_has_no_line():
    x = ag.ones(1000, requires_grad=True)
    y = ag.exp(x)
    with ag.memory() as ledger:
        z = ag.sum(y * y)
    assert [r.line for r in ledger.rows(z) if r.operation == "exp"] == [None]


def test_it_prints_the_largest_first(capsys):
    with ag.memory() as ledger:
        x = ag.ones(1000, requires_grad=True)
        y = ag.sum(ag.exp(x)) + ag.sum(ag.tanh(x[:100]))
    ledger.print(y)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["held", "arrays", "by", "line"]
    assert [line[:4] for line in lines[1:3]] == [["8.0", "kB", "1", "exp"], ["800", "B", "1", "tanh"]]
    assert " ".join(lines[1][5:]) == "y = ag.sum(ag.exp(x)) + ag.sum(ag.tanh(x[:100]))"
    assert lines[3] == ["8.8", "kB", "in", "all"]
    assert str(ledger).splitlines()[0].split() == lines[0]


def test_nothing_is_noted_outside_however_ledgers_end():
    numbers = tape.serials
    first, second = ag.memory(), ag.memory()
    with pytest.raises(KeyError), ag.memory():
        raise KeyError
    assert tape.serials is numbers
    one = first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)  # not the one that began last
    assert tape.serials is not numbers
    second.__exit__(None, None, None)
    assert tape.serials is numbers
    assert capturing == []
    x = ag.ones(1000, requires_grad=True)
    assert [r.line for r in one.rows(ag.exp(x))] == [None]


def test_entries_of_other_threads_are_there_too():
    found = []
    with ag.memory() as ledger:
        x = ag.ones(1000, requires_grad=True)
        thread = threading.Thread(target=lambda: found.append(ag.exp(x)))
        thread.start()
        thread.join()
    (row,) = ledger.rows(*found)
    assert (row.operation, row.bytes, row.line[0]) == ("exp", 8000, __file__)
    serials = [node.serial for node in tape.entries([found[0].node])]
    assert serials == sorted(set(serials))


def test_fused_and_compiled_functions_run_as_ever_inside():
    fused = ag.fused(lambda x: ag.sum(ag.exp(x) * x))
    compiled = ag.compile(lambda x: ag.sum(ag.tanh(x) * x))
    x = ag.ones(10_000, requires_grad=True)
    with ag.memory():
        assert fused(x).node.op is fused.op
        assert compiled(x).node.op is compiled.op
    assert compiled.reasons() == fused.reasons() == []
