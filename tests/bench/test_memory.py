"""Peaks of training steps: the models are those of the examples, and bytes are read and compared rightly."""

import json
import runpy
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

import autograd as ag
import nn
import regularize
from bench import memory
from bench.training import resident
from bench.training.models import CHARACTERS, MODELS, Kit

ROOT = Path(__file__).parents[2]
KIT = Kit(nn, ag.exp, regularize.Dropout)
G = ag.random.Generator(0)


def example(name, build, *arguments, **settings):
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name=name)[build](*arguments, **settings)


EXAMPLES = {
    "digits": lambda: example("digits", "build", G),
    "LeNet": lambda: example("lenet", "build", G),
    "LSTM": lambda: example("text", "CharacterModel", "lstm", CHARACTERS, 128, G),
    "GRU": lambda: example("text", "CharacterModel", "gru", CHARACTERS, 128, G),
    "transformer": lambda: example("transformer", "CharacterModel", CHARACTERS, 128, 4, 2, G),
    "autoencoder": lambda: example("autoencoder", "Autoencoder", 8, 128, G),
    "variational autoencoder": lambda: example("autoencoder", "VariationalAutoencoder", 8, 128, G),
    "diabetes": lambda: example("diabetes", "build", 10, G),
}


def shapes(*modules):
    """Of all parameters that are more than a number."""
    return sorted(p.shape for module in modules for p in module.parameters() if p.shape)


@pytest.mark.parametrize("name", MODELS)
def test_the_model_is_that_of_the_example(name):
    modules, _ = MODELS[name].recipe(KIT)
    assert shapes(*modules) == shapes(EXAMPLES[name]())


@pytest.mark.parametrize("name", MODELS)
def test_steps_are_taken_on_the_batch(name, monkeypatch):
    taken = []
    made = MODELS[name]
    monkeypatch.setitem(
        MODELS, name, type(made)(made.recipe, lambda rng, n: taken.append(n) or made.batch(rng, n), made.size)
    )
    monkeypatch.setattr(resident, "CLEAR", Path("no such file"))
    found = []
    for steps in (1, 4):
        ag.random.seed(0)
        with threadpool_limits(1, "blas"):
            found.append(resident.train("ours", name, steps=steps))
    first, last = found
    assert taken == [2, made.size] * 2
    assert 0 < last["loss"] < 1.02 * first["loss"]  # dropout is drawn anew
    assert last["peak"] >= first["peak"] > 1 << 24


def test_losses_start_where_chance_is():
    assert resident.train("ours", "LeNet", steps=1)["loss"] == pytest.approx(2.3, abs=0.4)
    assert resident.train("ours", "GRU", steps=1)["loss"] == pytest.approx(4.6, abs=0.3)


def run(library, model):
    command = [sys.executable, "-c", PROGRAM, library, model]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


PROGRAM = """
import json, sys
from bench.training.resident import train
found = train(*sys.argv[1:])
print(json.dumps([found, sorted({"autograd", "nn", "numba", "scipy", "torch"} & set(sys.modules))]))
"""


def test_a_process_holds_one_library_alone():
    found, modules = run("ours", "diabetes")
    assert "torch" not in modules
    assert "autograd" in modules
    assert found["peak"] > found["raised"] >= 0
    if find_spec("torch") is not None:
        found, modules = run("torch", "diabetes")
        assert {"autograd", "nn", "numba"}.isdisjoint(modules)
        assert found["peak"] > 1 << 26
        assert found["loss"] > 0


def test_the_highest_size_is_read_from_the_status(tmp_path, monkeypatch):
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n")
    monkeypatch.setattr(resident, "STATUS", status)
    assert resident.highest() == 2 << 20
    assert resident.kilobytes("VmRSS") == 1024
    monkeypatch.setattr(resident, "STATUS", tmp_path / "none")
    assert resident.kilobytes("VmRSS") is None


# ---- what follows

TAKEN = {
    "ours": [{"peak": 3e8, "raised": 2.4e7}, {"peak": 1e8, "raised": 3.0e7}, {"peak": 2e8, "raised": 2.4e7}],
    "torch": [{"peak": 4e8, "raised": 2e7}] * 3,
}


def test_ours_is_compared_with_torch_in_each_round():
    rows = {row.what: row for row in memory.rows_of("net", TAKEN)}
    assert rows["net, peak resident size: ours"].figure.median == pytest.approx(200)
    assert rows["net, peak resident size: torch"].figure.median == pytest.approx(400)
    peak, raised = (rows[f"net, {words}: ours to torch"] for words in memory.KINDS.values())
    assert (peak.figure.median, peak.figure.high, peak.verdict) == (0.5, 0.625, "kept")
    assert (raised.figure.median, raised.target, raised.verdict) == (pytest.approx(1.2), 1.2, "kept")


def test_some_pages_are_not_compared():
    few = {"ours": [{"peak": 1e8, "raised": 9e5}], "torch": [{"peak": 1e8, "raised": 1e5}]}
    assert [row.what for row in memory.rows_of("net", few) if row.target] == ["net, peak resident size: ours to torch"]


def test_rounds_interleave_and_an_absent_peer_is_noted(monkeypatch):
    asked = []

    def fake(module, library, model, *, threads):
        asked.append((library, model))
        return {"peak": 1e8, "raised": 1e6}

    monkeypatch.setattr(memory, "fresh", fake)
    monkeypatch.setattr(memory, "missing", lambda library: "")
    (found,) = memory.run(repeats=2, only=["lenet"])
    assert asked == [("ours", "LeNet")] * 2 + [("torch", "LeNet"), ("ours", "LeNet"), ("torch", "LeNet")]
    assert found.notes == []
    monkeypatch.setattr(memory, "missing", lambda library: f"{library} is not installed")
    (found,) = memory.run(repeats=1, only=["lenet"])
    assert found.notes == ["torch is absent: torch is not installed."]
    assert memory.show([found]).endswith("torch is absent: torch is not installed.")
    assert {row.target for row in found.rows} == {None}
