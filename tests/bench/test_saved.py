"""Files of measurements: written, read again, compared."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

import bench
from bench import saved
from bench.peaks import GEMM, TRIAD
from bench.place import block
from bench.verdict import FASTER, NONE, SLOWER


@pytest.fixture(scope="module")
def measured():
    found = bench.kernel(np.negative, np.ones(1000), reference=lambda x: -x, seconds=0.01, fresh=0, name="negative")
    return replace(found, target="numpy:negative")


def test_a_document_comes_back_as_it_was_written(measured, tmp_path):
    found = saved.document([measured])
    saved.write(found, tmp_path / "one.json")
    assert saved.read(tmp_path / "one.json") == found


def test_a_document_has_the_layout_of_pytest_benchmark(measured):
    found = json.loads(json.dumps(saved.document([measured])))
    assert {"machine_info", "commit_info", "benchmarks", "datetime", "version"} == set(found)
    (one,) = found["benchmarks"]
    assert {"group", "name", "fullname", "params", "param", "extra_info", "options", "stats"} == set(one)
    assert (one["name"], one["fullname"]) == ("negative", "numpy:negative")
    assert {
        *("min", "max", "mean", "stddev", "rounds", "median", "iqr", "q1", "q3", "iqr_outliers", "stddev_outliers"),
        *("outliers", "ld15iqr", "hd15iqr", "ops", "total", "data", "iterations"),
    } == set(one["stats"])
    assert one["stats"]["data"] == measured.timings.seconds["call"]
    assert one["extra_info"]["ulp"] == 0.0
    assert one["extra_info"]["parts"] == {name: asdict(part) for name, part in measured.parts.items()}
    assert found["machine_info"]["environment"]["versions"]["numpy"] == np.__version__


def test_the_environment_is_whole():
    where = block(2)
    assert {"date", "processor", "cores", "threads", "MHz", "load", "versions", "python", "system"} <= set(where)
    assert where["threads"] == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"benchmarks": [{"name": "x"}]}',
        '{"benchmarks": [{"fullname": "x", "stats": {}}]}',
        '{"benchmarks": [{"fullname": "x", "stats": {"data": []}}]}',
        '{"benchmarks": [{"fullname": "x", "stats": {"data": [0.0, 1.0]}}]}',
        '{"benchmarks": [{"fullname": "x", "stats": {"data": ["fast"]}}]}',
        '{"benchmarks": 5}',
        "[]",
        "{}",
        "no json",
    ],
)
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(ValueError, match=r"other.json holds no benchmarks"):
        saved.read(tmp_path / "other.json")


def one(median, *, spread=0.01, data=True, rates=None, instructions=None, **names):
    """A benchmark whose figures lie around a median."""
    figures = np.linspace(1 - spread, 1 + spread, 41) * median
    stats = {"median": median, "q1": figures[10], "q3": figures[30], "data": figures.tolist() if data else None}
    extra = {"arguments": "float32[9]", "rates": rates or {}, "words": {}, "instructions": instructions or {}}
    return {"name": "f", "fullname": "m:f", "stats": stats, "extra_info": extra} | names


@pytest.mark.parametrize("data", [True, False])
@pytest.mark.parametrize(
    ("now", "word"), [(1.0, NONE), (1.08, NONE), (1.2, SLOWER), (3.0, SLOWER), (0.95, NONE), (0.8, FASTER)]
)
def test_a_change_beyond_the_tolerance_is_one(now, word, data):
    found = saved.change(one(now, data=data), one(1.0, data=data))
    assert (found.word, found.ratio) == (word, pytest.approx(now))
    assert found.low < now < found.high


def test_a_change_within_the_scatter_is_none():
    assert saved.change(one(1.3, spread=0.9), one(1.0, spread=0.9)).word == NONE
    assert saved.change(one(1.3), one(1.0), tolerance=0.5).word == NONE


@pytest.mark.parametrize(("now", "word"), [(1.5, NONE), (1.9, SLOWER), (0.95, NONE), (0.8, FASTER)])
def test_a_machine_that_is_slower_by_itself_excuses_as_much(now, word):
    then_rates, rates = {TRIAD: 3.0, GEMM: 3.0}, {TRIAD: 2.0, GEMM: 3.0}
    found = saved.change(one(now, rates=rates), one(1.0, rates=then_rates))
    assert (found.word, found.machine) == (word, 1.5)


def test_more_instructions_are_slower_whatever_the_clock_says():
    before = one(1.0, instructions={"count": 100.0, "by": "perf"})
    assert saved.change(one(1.0, instructions={"count": 120.0, "by": "perf"}), before).word == SLOWER
    assert saved.change(one(1.0, instructions={"count": 105.0, "by": "perf"}), before).word == NONE
    assert saved.change(one(1.0, instructions={"count": 120.0, "by": "valgrind"}), before).instructions == 0.0


def test_only_what_both_hold_is_compared():
    now = {"benchmarks": [one(1.0), one(1.0, fullname="m:g")]}
    then = {"benchmarks": [one(2.0, fullname="m:g"), one(1.0, fullname="m:h")]}
    assert [str(c).partition(" (")[0] for c in saved.against(now, then)] == ["f: faster: 0.500 times the time"]
