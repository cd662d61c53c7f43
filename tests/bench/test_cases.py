"""Every case runs on tiny sizes and prints its rows; what the figures are is no matter here."""

import json
import platform
from importlib.util import find_spec

import numpy as np
import pytest

from bench import __main__ as command
from bench import peer, report, tape
from bench.kernels.measure import QUICK
from bench.timing import Spread

TINY = {
    "conditions": {"repeats": 1, "only": ["many steps", "bound, mlp"], "quick": True, "peers": False},
    "derivatives": {"repeats": 2, "only": ["Hessian, 485", "gradient and"], "shrink": 64, "peers": False},
    "gradcheck": {"most": 2, "peers": False},
    "kernels": {"repeats": 2, "only": ["huber", "tanh float64"], "shrink": 64, "peers": False},
    "layers": {"repeats": 2, "only": ["Conv2d 1x1, 16x128", "LayerNorm 128"], "shrink": 64, "peers": False},
    "loader": {"repeats": 2, "rows": 600},
    "memory": {"repeats": 2, "only": ["LeNet"], "peers": False},
    "scaling": {"repeats": 2, "only": ["order"], "quick": True, "peers": False},
    "steps": {"repeats": 2, "only": ["tiny"], "peers": False},
    "tape": {"repeats": 2, "length": 5, "number": 3, "peers": False},
    "train": {"repeats": 2, "only": ["DataLoader", "Trainer", "Adagrad 1M in 16"], "shrink": 64, "peers": False},
}
TARGETS = {
    "conditions": [1.0, 19 / 99, 1.3],
    "derivatives": [4.0, 4.0],
    "gradcheck": [*[0.0] * 8, 10.0, 0.1, *[1.5] * 4],
    "kernels": [1.0, 1.0, 1.0, 1.5],
    "layers": [],
    "loader": [1.5],
    "memory": [],
    "scaling": [],
    "steps": [],
    "tape": [1.2, 1.5, 1.5, 1.5],
    "train": [1.5, 20.0, 0.5],
}


def test_every_case_is_tried():
    assert set(TINY) == set(command.CASES)


@pytest.fixture(scope="module")
def found():
    """What each case gives on tiny sizes."""
    return {name: case.run(**TINY[name]) for name, case in command.CASES.items()}


def rows_of(results):
    return [row for r in results for row in ([r] if isinstance(r, report.Row) else r.rows)]


@pytest.mark.parametrize("name", sorted(TINY))
def test_the_case_measures_something(name, found):
    rows = rows_of(found[name])
    assert [row.target for row in rows if row.target is not None] == TARGETS[name]
    assert all(row.figure.low <= row.figure.median <= row.figure.high for row in rows)
    assert all(row.figure.median > 0 for row in rows if row.target is None)  # times, not differences of times


@pytest.mark.parametrize("name", sorted(TINY))
def test_the_command_prints_where_it_ran_and_every_row(name, found, monkeypatch, capsys):
    monkeypatch.setattr(command.CASES[name], "run", lambda *, repeats: found[name] if repeats == 2 else [])
    command.main([name, "--repeats", "2"])
    out = capsys.readouterr().out
    assert f"Python {platform.python_version()}, NumPy {np.__version__}, {report.cores()} cores" in out
    assert [row.what for row in rows_of(found[name]) if row.what not in out] == []
    assert out.count("kept") + out.count("missed") == len(TARGETS[name])


@pytest.mark.parametrize("name", sorted(TINY))
def test_the_file_holds_what_was_measured_and_where(name, found, monkeypatch, tmp_path):
    monkeypatch.setattr(command.CASES[name], "run", lambda: found[name])
    command.main([name, "--json", str(tmp_path / "figures.json")])
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["case"] == name
    parts = [part for r in written["results"] for part in r.get("rows", [r])]
    rows = rows_of(found[name])
    assert [(p["what"], p["figure"]["median"], p["verdict"]) for p in parts] == [
        (r.what, r.figure.median, r.verdict) for r in rows
    ]
    where = written["environment"]
    assert where["versions"]["numpy"] == np.__version__
    assert (where["cores"], where["python"]) == (report.cores(), platform.python_version())
    assert where["processor"]
    assert set(where) >= {"date", "load", "system"}
    if name == "kernels":
        assert all(len(seconds) == 2 for r in written["results"] for seconds in r["seconds"].values())


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ([], {}),
        (["--quick"], {"repeats": QUICK}),
        (["--only", "exp", "huber"], {"only": ["exp", "huber"]}),
        (["--repeats", "3", "--only", "exp"], {"repeats": 3, "only": ["exp"]}),
    ],
)
def test_options_reach_the_case(options, settings, monkeypatch):
    seen = []
    monkeypatch.setattr(command.CASES["kernels"], "run", lambda **given: seen.append(given) or [])
    command.main(["kernels", *options])
    assert seen == [settings]


def test_without_a_case_they_are_listed(capsys):
    command.main([])
    lines = capsys.readouterr().out.splitlines()
    listed = command.CASES | command.COMMANDS
    assert [line.split()[3] for line in lines] == sorted(listed)
    assert all(listed[line.split()[3]].ABOUT in line for line in lines)


def test_commands_have_options_of_their_own(monkeypatch):
    seen = []
    monkeypatch.setattr(command.COMMANDS["peers"], "main", lambda given: seen.append(given.install) or 3)
    assert command.main(["peers", "--install", "hips", "mygrad"]) == 3
    assert seen == [["hips", "mygrad"]]


def test_an_unknown_case_is_refused_by_name(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["kernel"])
    assert stop.value.code == 2
    assert "'kernel' (choose from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("median", "target", "verdict"), [(1.0, 1.2, "kept"), (1.2, 1.2, "kept"), (1.3, 1.2, "missed"), (9.0, None, "")]
)
def test_the_verdict_follows_from_median_and_target(median, target, verdict):
    row = report.Row("x", Spread(median, 0.0, 9.0), "us", target)
    assert row.verdict == verdict
    assert row.cells()[-1] == verdict


def test_the_table_lines_up():
    rows = [
        report.Row("long name of it", Spread(1.0, 0.5, 2.0), "us", 1.5),
        report.Row("b", Spread(10.0, 9.0, 11.0), "ms"),
    ]
    head, first, second = report.table(rows).splitlines()
    assert first == "long name of it  1.00 us   0.50 to 2.00   <= 1.5 us  kept"
    assert head.index("median") == first.index("1.00 us") == second.index("10.00 ms")


def test_a_peer_that_is_not_installed_is_left_out():
    assert peer.measure("no_such_library", repeats=1, length=1, number=1) is None


def test_a_peer_is_measured_in_a_process_of_its_own_where_it_is_installed():
    found = peer.measure("torch", repeats=2, length=3, number=2)
    assert (found is None) == (find_spec("torch") is None)
    if found is not None:
        assert len(found.record) == len(found.chain) == 2
        assert min(found.record + found.chain) > 0


def test_rows_of_a_peer_are_its_medians(monkeypatch):
    figures = peer.Figures("9.9", record=[3e-6, 1e-6, 2e-6], chain=[5e-6, 5e-6, 8e-6])
    monkeypatch.setattr(peer, "measure", lambda library, **sizes: figures if library == "torch" else None)
    record, chain = tape.peer_rows(3, 4, 5)
    assert (record.figure.median, chain.figure.median) == (pytest.approx(2.0), pytest.approx(5.0))
    assert "PyTorch 9.9" in record.what
