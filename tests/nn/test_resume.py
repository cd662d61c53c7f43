"""Going on later: bitwise the same training, in a new process, in the middle of an epoch, after a kill."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import CheckpointError
from nn.resume import read_state, write_state

ROOT = Path(__file__).parents[2]

# a training with everything that has a state: two streams for dropout, batch norm, Adam, a transform that draws,
# a schedule, early stopping that has seen its best, a metric
PROGRAM = """
import sys
import numpy as np
import autograd as ag, nn, optim, regularize

class Noise:
    def __init__(self, stream):
        self.stream = stream
    def __call__(self, x, y):
        return x + self.stream.normal(scale=0.1, size=x.shape, dtype="float32"), y

def build(prefetch=0):
    ag.random.seed(7)
    stream = ag.random.Generator(1)
    model = nn.Sequential(
        nn.Linear(6, 16, generator=stream), nn.BatchNorm1d(16), nn.ReLU(), regularize.Dropout(0.3),
        nn.Linear(16, 3, generator=stream), regularize.Dropout(0.1, generator=stream),
    )
    x = stream.normal(size=(50, 6), dtype="float32").numpy()
    y = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)
    late = [*model[1].parameters(), *model[4].parameters()]
    optimizer = optim.Adam([{"params": model[0].parameters(), "lr": 0.02}, {"params": late}], lr=0.01)
    trainer = nn.Trainer(
        model, nn.CrossEntropyLoss(), optimizer, penalty=regularize.L2(1e-3, model),
        metrics={"accuracy": lambda y, p: float((p.argmax(1) == y).mean())}, progress=False,
    )
    noise = Noise(ag.random.Generator(3))
    data = nn.DataLoader(x[:40], y[:40], batch_size=8, shuffle=True, transform=noise, prefetch=prefetch)
    callbacks = [
        nn.LearningRateScheduler(optim.CosineAnnealingWarmRestarts(optimizer, 3, 2), every="step"),
        nn.LearningRateScheduler(optim.ReduceLROnPlateau(0.5, patience=0), monitor="val_loss"),
        regularize.EarlyStopping("val_loss", patience=100, mode="max"),  # its best is an early one
    ]
    return trainer, data, (x[40:], y[40:]), callbacks

def report(trainer, data, callbacks):
    def flat(x):
        if isinstance(x, dict):
            x = [x[key] for key in sorted(x, key=str)]
        if isinstance(x, (list, tuple)):
            return [flat(v) for v in x]
        return x.numpy().tobytes().hex() if isinstance(x, ag.Tensor) else repr(x)
    return flat([
        trainer.model.state_dict(), trainer.optimizer.state_dict(), [c.state_dict() for c in callbacks],
        ag.random.default.get_state(), data.transform.stream.get_state(), trainer.model[5].generator.get_state(),
        trainer.history.to_json(),
    ])
"""
RUN = """
import json
first, last, source, target, prefetch = json.loads(sys.argv[1])
trainer, data, validation, callbacks = build(prefetch)
if source:
    trainer.load(source)
class Snapshot(nn.Callback):
    last = True
    def on_epoch_end(self, trainer, epoch, logs):
        if epoch == last:
            self.seen = report(trainer, data, callbacks)
            if target:
                trainer.save(target)
snapshot = Snapshot()
trainer.fit(data, validation, epochs=last - first, callbacks=[*callbacks, snapshot])
print(json.dumps([snapshot.seen, report(trainer, data, callbacks)]))
"""


def process(*settings):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + RUN, json.dumps(settings)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("prefetch", [0, 2])
def test_ten_epochs_and_ten_more_in_a_new_process_are_twenty(tmp_path, prefetch):
    path = str(tmp_path / "training.safetensors")
    whole = process(0, 20, None, None, prefetch)
    process(0, 10, None, path, prefetch)
    assert process(10, 20, path, None, prefetch) == whole
    assert len(whole[0][0][0]) > 100  # the first weights, in hexadecimal
    assert whole[0][0] != whole[1][0]  # early stopping has put back others


@pytest.fixture
def program():
    space = {}
    exec(PROGRAM, space)
    return space


class Killed(nn.Callback):
    """What a kill looks like from inside: nothing runs any more."""

    last = True

    def __init__(self, epoch, step):
        self.at, self.epoch = (epoch, step), 1

    def on_epoch_end(self, trainer, epoch, logs):
        self.epoch = epoch + 1

    def on_batch_end(self, trainer, step, loss):
        if (self.epoch, step) == self.at:
            raise InterruptedError


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("prefetch", [0, 3])
@pytest.mark.parametrize("place", [(1, 1), (1, 3), (2, 2), (3, 1)])
def test_a_training_goes_on_in_the_middle_of_an_epoch(program, tmp_path, place, prefetch, accumulate):
    def start():
        trainer, data, validation, callbacks = program["build"](prefetch)
        trainer.accumulate = accumulate
        keep = nn.ModelCheckpoint(tmp_path / "here", steps=1)
        return trainer, data, validation, callbacks, keep

    trainer, data, validation, callbacks, keep = start()
    trainer.fit(data, validation, epochs=4, callbacks=[*callbacks, keep])
    whole = program["report"](trainer, data, callbacks)

    trainer, data, validation, callbacks, keep = start()
    with pytest.raises(InterruptedError):
        trainer.fit(data, validation, epochs=4, callbacks=[*callbacks, keep, Killed(*place)])
    stored = read_state(tmp_path / "here")
    assert stored["epoch"]["step"] == place[1]
    assert len(stored["history"]["rows"]) == place[0] - 1

    trainer, data, validation, callbacks, keep = start()
    stored["callbacks"].pop()  # the one that killed
    write_state(stored, tmp_path / "here")
    trainer.fit(data, validation, epochs=4, callbacks=[*callbacks, keep], resume=tmp_path / "here")
    assert program["report"](trainer, data, callbacks) == whole


def test_resume_begins_where_there_is_no_file_and_ends_where_training_has_ended(program, tmp_path):
    path = tmp_path / "here"
    for _ in range(2):
        trainer, data, validation, callbacks = program["build"]()
        history = trainer.fit(data, validation, epochs=3, callbacks=[*callbacks, nn.ModelCheckpoint(path)], resume=path)
        assert history.epochs.tolist() == [1, 2, 3]
    trainer, data, validation, callbacks = program["build"]()
    trainer.load(path)
    assert trainer.fit(data, validation, 2, [*callbacks, nn.ModelCheckpoint(path)]).epochs.tolist() == [1, 2, 3, 4, 5]


# ---- killed while saving


KILLS = """
import os, random, signal, sys, time
import numpy as np
from nn.resume import read_state, write_state

path, times = sys.argv[1], 200
def save_for_ever(k):
    while True:
        k += 1
        write_state({"model": {name: np.full(20_000, float(k)) for name in "ab"}, "epoch": k}, path)

write_state({"model": {name: np.zeros(20_000) for name in "ab"}, "epoch": 0}, path)
began = time.perf_counter()
for _ in range(20):
    write_state(read_state(path), path)
once = (time.perf_counter() - began) / 20
chance, last = random.Random(0), 0
for _ in range(times):
    child = os.fork()
    if not child:
        save_for_ever(last)
    time.sleep(chance.uniform(0, 4 * once))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    state = read_state(path)
    assert all((t.numpy() == state["epoch"]).all() for t in state["model"].values()), state
    assert state["epoch"] >= last
    last = state["epoch"]
cut = [name for name in os.listdir(os.path.dirname(path)) if name.endswith(".part")]
print(last, len(cut))
"""


def test_killed_two_hundred_times_while_saving_a_whole_checkpoint_is_there(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path / "state")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    saved, cut = map(int, done.stdout.split())
    assert saved > 40  # checkpoints did get written,
    assert cut > 40  # and kills did come while one was


# ---- what a file can hold, and what it cannot


def test_nested_states_come_back_as_they_were(tmp_path):
    state = {
        "a": [1, 2.5, None, True, "x", (1, (2.0,)), {}],
        "b": {0: {"step": 3, "w": ag.tensor([1.0, 2.0], dtype="float32")}, (1, "k"): float("-inf")},
        "c.d": np.arange(3),
        "c": {"d": np.zeros((0, 2), bool)},
        "e": {"$array": "not one"},
        "tiny": 5e-324,
        "sum": 0.1 + 0.2,
    }
    write_state(state, tmp_path / "s")
    found = read_state(tmp_path / "s")
    assert repr(found["a"]) == repr(state["a"])
    assert found["b"][(1, "k")] == float("-inf")
    assert found["b"][0]["step"] == 3
    assert (found["b"][0]["w"].dtype, found["b"][0]["w"].tolist()) == (np.dtype("f4"), [1, 2])
    assert found["c.d"].tolist() == [0, 1, 2]
    assert (found["c"]["d"].shape, found["c"]["d"].dtype) == ((0, 2), np.dtype(bool))
    assert found["e"] == {"$array": "not one"}
    assert (found["tiny"], found["sum"]) == (5e-324, 0.1 + 0.2)
    write_state({"nan": np.float64("nan")}, tmp_path / "s")
    assert np.isnan(read_state(tmp_path / "s")["nan"])


def test_weights_in_a_checkpoint_have_their_names(tmp_path, program):
    trainer = program["build"]()[0]
    trainer.save(tmp_path / "here")
    weights = nn.load(tmp_path / "here")
    assert weights["model.0.weight"].tolist() == trainer.model[0].weight.tolist()


def test_files_that_cannot_be_gone_on_from(tmp_path, program):
    path = tmp_path / "here"
    with pytest.raises(CheckpointError, match=r"the state at model\.0 is a object\. Expected Tensors, numbers"):
        write_state({"model": [object()]}, path)
    assert not path.exists()
    trainer, data, validation, callbacks = program["build"]()
    nn.save(trainer.model, path)
    with pytest.raises(CheckpointError, match="holds weights only, not the state of a training"):
        trainer.load(path)
    trainer.fit(data, validation, callbacks=[*callbacks, nn.ModelCheckpoint(path)])
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"weight_decay", b"weight_dekay", 1))
    with pytest.raises(CheckpointError, match="is damaged: its JSON part is not what was saved"):
        trainer.load(path)
    path.write_bytes(raw[:-1])
    with pytest.raises(CheckpointError, match="truncated, damaged"):
        trainer.load(path)
    path.write_bytes(raw)

    trainer.load(path)
    with pytest.raises(CheckpointError, match=r"stored with callbacks \['Learning.*Expected the same, not \['ModelCh"):
        trainer.fit(data, validation, callbacks=[nn.ModelCheckpoint(path)])
    trainer.load(path)
    with pytest.raises(
        CheckpointError, match=r"checkpoint has generators at .*and this training at(.|\n)*made as they"
    ):
        trainer.fit([(np.zeros((1, 6), "f4"), [0])], callbacks=[*callbacks, nn.ModelCheckpoint(path)])
    own = nn.Trainer(lambda x: x, trainer.loss, trainer.optimizer)
    with pytest.raises(CheckpointError, match="another kind of model than a function"):
        own.load(path)
    other = nn.Linear(2, 2)
    with pytest.raises(CheckpointError, match=r"0\.weight"):
        nn.Trainer(other, trainer.loss, optim.SGD(other.parameters())).load(path)
