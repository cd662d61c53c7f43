"""Steps under conditions: every promise has its row, processes measure what they say, and figures follow rightly."""

import os
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from subprocess import CalledProcessError
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
from bench.conditions import bounds, measure, neighbour, resident, start, stepping
from bench.conditions.processes import first, floor, many, pair
from bench.kernels.case import COMPILED, EAGER, JAX, OURS
from bench.kernels.libraries import LIBRARIES
from bench.steps.cases import CASES, WORKLOADS
from bench.timing import Spread
from bench.training import workloads
from bench.turns import allowed, fresh


@pytest.fixture(autouse=True)
def _threads():
    before = ag.get_num_threads()
    yield
    ag.set_num_threads(before)


def promises(rows):
    return {row.what: (row.target, row.verdict) for row in rows if row.target is not None}


# ---- the step

SMALL = [work for work in WORKLOADS if work.name in ("tiny", "mlp", "deepmlp")]


@pytest.mark.parametrize("work", SMALL, ids=lambda work: work.name)
def test_the_step_is_that_of_the_steps_suite(work):
    case = work.case()
    arrays = case.arrays(4)
    theirs = case.sides[EAGER].make(LIBRARIES["ours"](1), *arrays)
    mine, (x, y) = stepping.training(work, stepping.ours(1)), map(ag.tensor, arrays[:2])
    assert [mine(x, y).item() for _ in range(3)] == [theirs().item() for _ in range(3)]


def test_calls_are_counted_until_one_was_a_program():
    work = stepping.WORK["mlp"]
    kit = stepping.ours(1)
    step = ag.compile(stepping.training(work, kit))
    assert stepping.compiled(step, *stepping.batch(work, kit, 8)) == 1
    assert stepping.compiled(step, *stepping.batch(work, kit, 6)) == 1
    assert len(stepping.programs(step)) == 2


def test_a_step_without_a_program_says_why():
    step = ag.compile(lambda x: ag.sum(x) if x.sum() > 0 else x)
    with pytest.raises(RuntimeError, match=r"the step has no program after 5 calls: .+"):
        stepping.compiled(step, ag.ones(3))


# ---- first steps


def test_ours_counts_all_calls_and_another_batch_size():
    found = first.first("tiny", OURS)
    assert found["calls"] == 1
    assert found["first"] > 0
    assert found["other"] < found["first"] + 1


def test_a_peer_that_fails_says_why(monkeypatch):
    def refused(_threads):
        raise RuntimeError("\n no compiler here\nat all")

    monkeypatch.setitem(first.LIBRARIES, "torch", refused)
    assert first.first("tiny", COMPILED) == {"failed": "RuntimeError: no compiler here"}


@pytest.fixture
def asked(monkeypatch):
    """What processes of first steps were asked for, in turn, with what was in their cache; they take no time."""
    seen = []

    def fake(_module, name, label, *, threads, WENGERT_CACHE_DIR, TORCHINDUCTOR_CACHE_DIR):
        folder = Path(WENGERT_CACHE_DIR)
        assert (threads, TORCHINDUCTOR_CACHE_DIR) == (len(allowed()), WENGERT_CACHE_DIR)
        mark = folder / label
        seen.append((label, mark.exists()))
        seconds = (0.3 if mark.exists() else 4.0) if label == OURS else 2.0
        mark.touch()
        return {"first": seconds, "calls": 2, "other": 0.04}

    monkeypatch.setattr(start, "fresh", fake)
    monkeypatch.setattr(start, "missing", lambda library: "")
    return seen


def test_the_first_process_finds_an_empty_cache_and_the_second_its_kernels(asked):
    result = start.starting("mlp", 2, (COMPILED, JAX))
    assert asked == [(OURS, False), (COMPILED, False), (JAX, False), (OURS, True), (COMPILED, True)] * 2
    assert result.case == "first step, mlp"
    assert promises(result.rows) == {
        "mlp: first step, cold cache: ours to jax.jit": (1.0, "missed"),
        "mlp: first step, warm cache: ours": (0.5, "kept"),
        "mlp: first step of another batch size, beyond those after it, cold cache": (50.0, "kept"),
    }
    assert {row.what: row.figure.median for row in result.rows}["mlp: first step, cold cache: ours to jax.jit"] == 2.0


def test_without_a_statement_for_jax_the_others_are_measured(asked, monkeypatch):
    monkeypatch.setitem(start.WORK, "cnn", replace(start.WORK["cnn"], jax=None))
    result = start.starting("cnn", 1, (JAX,))
    assert [label for label, _ in asked] == [OURS, OURS]
    assert "cnn: jax.jit has no step of this workload." in result.notes
    assert "torch.compile is absent: not asked for." in result.notes
    assert [target for target, _ in promises(result.rows).values()] == [0.5, 50.0]


def test_a_side_that_fails_is_noted_and_has_no_row(monkeypatch):
    def fake(_module, _name, label, **_rest):
        return {"first": 1.0, "calls": 1, "other": 0.0} if label == OURS else {"failed": "it broke"}

    monkeypatch.setattr(start, "fresh", fake)
    monkeypatch.setattr(start, "missing", lambda library: "")
    result = start.starting("tiny", 1, (JAX,))
    assert "tiny: jax.jit failed: it broke" in result.notes
    assert not [row.what for row in result.rows if "jax" in row.what]


# ---- memory

TAKEN = {
    "ours": [{"peak": 3e8, "raised": 2.4e7}, {"peak": 1e8, "raised": 3.0e7}, {"peak": 2e8, "raised": 2.4e7}],
    "torch": [{"peak": 4e8, "raised": 2e7}] * 3,
}


def test_memory_is_promised_to_be_no_more_than_torch_takes():
    assert promises(resident.rows_of("mlp", TAKEN)) == {
        "mlp: peak resident size: ours to torch": (1.0, "kept"),
        "mlp: raised by the steps: ours to torch": (1.0, "missed"),
    }
    few = {"ours": [{"peak": 1e8, "raised": 9e5}], "torch": [{"peak": 1e8, "raised": 1e5}]}
    assert list(promises(resident.rows_of("mlp", few))) == ["mlp: peak resident size: ours to torch"]


def test_libraries_take_turns_after_one_that_compiles(monkeypatch):
    seen = []
    monkeypatch.setattr(resident, "missing", lambda library: "")
    monkeypatch.setattr(
        resident, "fresh", lambda _module, *said, threads: seen.append(said) or {"peak": 1e8, "raised": 2e6}
    )
    assert resident.taking("lstm", 2, peers=True).notes == [resident.STATED]
    assert seen == [("ours", "lstm")] * 2 + [("torch", "lstm"), ("ours", "lstm"), ("torch", "lstm")]
    assert "torch is absent: not asked for." in resident.taking("lstm", 1, peers=False).notes


def test_both_libraries_train_the_same(monkeypatch):
    monkeypatch.setattr(workloads, "CLEAR", Path("no such file"))
    found = workloads.train("ours", "tiny", steps=4)
    assert found["raised"] >= 0
    assert found["peak"] > 1 << 24
    if find_spec("torch") is not None:
        theirs = fresh(resident.TRAIN, "torch", "tiny", threads=1)
        assert theirs["loss"] == pytest.approx(workloads.train("ours", "tiny")["loss"], rel=1e-4)


# ---- many steps


def test_fewer_steps_are_scaled_and_may_leave_less(monkeypatch):
    monkeypatch.setattr(resident, "fresh", lambda *_said, threads: {"seconds": 0.25, "growth": 100_000})
    seconds, growth = resident.lasting(1, 20_000).rows
    assert seconds.what == "tiny: 100,000 steps, 5 times 20,000"
    assert (seconds.figure.median, seconds.target, seconds.verdict) == (1.25, 1.0, "missed")
    assert growth.what == "tiny: resident memory from step 1,000 to 20,000"
    assert (growth.figure.median, growth.target) == (pytest.approx(0.1), pytest.approx(19 / 99))
    seconds, growth = resident.lasting(1, 100_000).rows
    assert (seconds.what, seconds.verdict) == ("tiny: 100,000 steps", "kept")
    assert growth.target == 1.0


def test_growth_is_that_after_the_first_thousand(monkeypatch):
    sizes, taken = iter((1000, 1004)), []
    monkeypatch.setattr(many, "kilobytes", lambda name: next(sizes))
    clock = iter(range(4))
    monkeypatch.setattr(many, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(many, "training", lambda work, kit: None)
    monkeypatch.setattr(many.ag, "compile", lambda f: lambda x, y: taken.append(0) or ag.ones(()))
    monkeypatch.setattr(many, "compiled", lambda step, x, y: 2)
    assert many.many("tiny", 1500) == {"seconds": 2.0, "growth": 4096, "loss": 1.0}
    assert len(taken) == 1501
    assert many.SETTLED == resident.SETTLED == 1000


# ---- neighbours and threads


def test_the_neighbour_keeps_the_last_core_and_is_ended():
    with neighbour.neighbour() as process:
        assert process.poll() is None
        if hasattr(os, "sched_getaffinity"):
            assert os.sched_getaffinity(process.pid) == {allowed()[-1]}
    assert process.poll() is not None


class FakePlayers:
    """One side that answers, one that is absent, one that fails."""

    def __init__(self, threads, shrink, peers, module):
        self.stack, self.absent = ExitStack(), {"torch": "torch is not installed"}
        assert (shrink, module) == (1, neighbour.SERVE)

    def __getitem__(self, library):
        return None if library == "torch" else SimpleNamespace(ask=self.failing if library == "jax" else self.ask)

    def failing(self, *_question):
        return {"failed": "RuntimeError: no"}

    def ask(self, what, *_rest):
        return {"figures": []} if what == "case" else next(self.turns)


def test_each_side_is_timed_alone_and_beside_the_neighbour(monkeypatch):
    FakePlayers.turns = iter([1.0] * 4 + [2.0, 2.0, 6.0, 2.0])  # a round that is not counted, one that is, backwards
    monkeypatch.setattr(neighbour, "Players", FakePlayers)
    monkeypatch.setattr(neighbour, "beside", lambda turn: turn())
    result = neighbour.disturbed(1, peers=True)
    slower = {row.what: row.figure.median for row in result.rows if row.unit == "times"}
    assert slower == {"mlp: ours, slower by": 3.0, "mlp: eager, slower by": 1.0}
    assert promises(result.rows) == {"mlp: ours, slower by": (2.5, "missed")}
    assert result.notes == ["torch is absent: torch is not installed.", "mlp: jax.jit failed: RuntimeError: no"]


@pytest.mark.parametrize(("both", "verdict"), [(1.1, "kept"), (1.2, "missed")])
def test_two_threads_are_promised_nearly_twice_the_pace(both, verdict, monkeypatch):
    found = {"alone": [1.0], "both": [both], "machine alone": [1.0], "machine both": [1.6]}
    monkeypatch.setattr(neighbour, "fresh", lambda *_said, threads: found)
    machine, pace, longer = neighbour.threaded(1).rows
    assert (machine.figure.median, machine.target) == (1.25, None)
    assert (pace.figure.median, pace.target) == (2 / both, None)
    assert (longer.target, longer.verdict) == (1.1111, verdict)


def test_two_models_step_in_two_threads():
    found = pair.pair("tiny", 2, lasting=0.01)
    assert {label: len(seconds) for label, seconds in found.items()} == dict.fromkeys(
        ("alone", "both", "machine alone", "machine both"), 2
    )
    assert all(min(seconds) > 0 for seconds in found.values())


# ---- the lower bound


def tiny():
    work, kit = stepping.WORK["tiny"], stepping.ours(1)
    step = ag.compile(stepping.training(work, kit))
    arguments = stepping.batch(work, kit, work.batch)
    stepping.compiled(step, *arguments)
    return step, arguments


def test_products_and_bytes_are_those_of_the_program():
    step, arguments = tiny()
    (run,) = stepping.programs(step)
    count, work, multiply = floor.products(run)
    forward, inner = 32 * (2 * 16 + 16 * 16 + 16), 32 * (16 * 16 + 16)  # of x no gradient is needed
    outer = 32 * 16  # of the last layer's weight by its cotangent, a column: a product without a sum, no matter of BLAS
    assert (count, work) == (7, 2 * forward + inner - outer)
    rows = step.program(*arguments).rows
    assert count == sum(row.kind == floor.PRODUCT for row in rows)
    others = sum(row.bytes_read + row.bytes_written for row in rows if row.kind != floor.PRODUCT)
    parameters = 4 * (2 * 16 + 16 + 16 * 16 + 16 + 16 + 1)
    assert floor.moved(run) == others + 3 * parameters  # read the gradient and the weight, write the weight
    before = step(*arguments).item()
    multiply()
    assert step(*arguments).item() == pytest.approx(before, abs=0.1)  # the program's own arrays are left alone


def test_a_likeness_lies_as_its_model_and_is_not_written_where_it_is_read():
    whole = np.zeros((4, 6), np.float32)
    like = floor.Likeness()
    x, y = like.of(whole[1:, ::2].T), like.of(whole)
    assert (x.shape, x.strides) == (whole[1:, ::2].T.shape, whole[1:, ::2].T.strides)
    assert np.array_equal(x, y[1:, ::2].T)
    assert not np.shares_memory(like.of(whole, written=True), y)
    assert np.abs(y).min() > 0


def test_the_three_take_turns():
    found = floor.floor("tiny", 2)
    assert {label: len(seconds) for label, seconds in found["seconds"].items()} == {"products": 2, "step": 2, "copy": 2}
    assert all(min(seconds) > 0 for seconds in found["seconds"].values())
    assert found["products"] == 7


FLOOR = {
    "seconds": {"step": [4e-3, 4e-3], "products": [2e-3, 2e-3], "copy": [1e-3, 1e-3]},
    "products": 8,
    "multiply-adds": 64_000_000,
    "bytes": 7_500_000,
}


def test_a_step_is_compared_with_products_and_copy_together():
    _, products, copy, together = bounds.rows_of("mlp", FLOOR)
    assert products.what == "mlp: its 8 matrix products, 64.0M multiply-adds"
    assert copy.what == "mlp: a copy of its other 7.5 MB"
    assert together.figure == Spread(*[pytest.approx(4 / 3)] * 3)
    assert (together.target, together.verdict) == (1.3, "missed")
    none = FLOOR | {"products": 0, "seconds": FLOOR["seconds"] | {"products": [0.0, 0.0]}}
    assert [row.what for row in bounds.rows_of("logistic", none)][1] == "logistic: a copy of its other 7.5 MB"
    assert bounds.rows_of("logistic", none)[-1].figure.median == pytest.approx(4.0)


# ---- the suite


def test_every_condition_of_every_workload_is_there(monkeypatch):
    names = {work.name for work in WORKLOADS}
    found = measure.cases(1, quick=False, peers=True)
    assert {f"{what}, {name}" for what in ("first step", "memory") for name in names} <= set(found)
    assert set(found) - {f"{what}, {name}" for what in ("first step", "memory") for name in names} == {
        *("busy neighbour, mlp", "two threads, mlp", "many steps, tiny"),
        *(f"bound, {name}" for name in ("mlp", "transformer", "logistic")),
    }
    assert set(CASES) == names


def test_quick_is_shorter(monkeypatch):
    def settings(**given):
        return {name: case.args for name, case in measure.cases(**given).items()}

    full, quick = (settings(repeats=1, quick=quick, peers=True) for quick in (False, True))
    assert full["many steps, tiny"] == (1, 100_000)
    assert quick["many steps, tiny"] == (1, 20_000)
    assert full["first step, mlp"] == ("mlp", 1, (COMPILED, JAX))
    assert quick["first step, mlp"] == ("mlp", 1, (JAX,))
    assert settings(repeats=1, quick=True, peers=False)["first step, mlp"] == ("mlp", 1, ())


def test_only_what_is_asked_for_runs(monkeypatch):
    monkeypatch.setattr(bounds, "fresh", lambda *said, threads: FLOOR)
    results = measure.run(repeats=1, only=["bound, m", "bound, l"])
    assert [r.case for r in results] == ["bound, mlp", "bound, logistic"]
    text = measure.show(results)
    assert text.count("missed") == 2
    assert "mlp: a step to products and copy together" in text


def test_a_condition_that_fails_loses_no_other(monkeypatch):
    def fake(_module, name, *_rest, threads):
        if name == "mlp":
            raise CalledProcessError(1, ["python"])
        return FLOOR

    monkeypatch.setattr(bounds, "fresh", fake)
    failed, other = measure.run(repeats=1, only=["bound, m", "bound, l"])
    assert (failed.rows, len(other.rows)) == ([], 4)
    assert failed.notes[0].startswith("bound, mlp failed: Command '['python']' returned non-zero exit status 1")


def test_processes_run_as_modules():
    for module in (start.FIRST, resident.MANY, resident.TRAIN, neighbour.PAIR, neighbour.SERVE, bounds.FLOOR):
        assert find_spec(module) is not None
