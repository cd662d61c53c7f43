"""The work of the kernels' cases: all sides compute the same, whatever the time that they take."""

import os
from importlib.util import find_spec

import numpy as np
import pytest

import autograd as ag
from bench.kernels import elementwise, fresh, losses, startup
from bench.kernels.case import COMPILED, COPY, JAX, NUMPY, OURS, TORCH, Case
from bench.kernels.cases import CASES, TOPICS
from bench.kernels.libraries import LIBRARIES, missing
from bench.kernels.serve import Room, copying
from bench.report import cores
from bench.turns import Player

SHRINK = 16
SERVE = "bench.kernels.serve"


@pytest.fixture(scope="module")
def rooms():
    """Our library and NumPy's, in this process."""
    return {name: Room(LIBRARIES[name](ag.get_num_threads()), SHRINK) for name in ("ours", "numpy")}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("bench.kernels.serve.enough", lambda statement, lasting: 1)


def labels(*libraries):
    return [(n, label) for n, case in CASES.items() for label, s in case.sides.items() if s.library in libraries]


def test_no_two_cases_have_one_name():
    assert len(CASES) == sum(len(topic.CASES) for topic in TOPICS)


@pytest.mark.parametrize("name", CASES)
def test_every_case_knows_its_sides(name):
    case = CASES[name]
    assert OURS in case.sides
    assert {side.library for side in case.sides.values()} <= set(LIBRARIES)
    assert {label for limit in case.limits for label in (limit.of, *limit.to)} <= {
        *case.sides,
        COPY,
        "the best peer",
    }
    assert {"torch.compile": COMPILED, "jax": JAX, "numpy": NUMPY}.items() >= {
        (side.library, label) for label, side in case.sides.items() if side.library not in ("ours", "torch")
    }


def test_functions_of_single_precision_and_losses_are_beside_all_peers():
    everywhere = {name for name, case in CASES.items() if {NUMPY, TORCH, COMPILED, JAX} <= set(case.sides)}
    assert {case.name for case in elementwise.CASES if "float32" in case.name} <= everywhere
    assert {case.name for case in losses.CASES} <= everywhere


@pytest.mark.parametrize("name", CASES)
def test_our_sides_agree_with_numpy(name, rooms, quick):
    case = CASES[name]
    found = {
        label: rooms[side.library].answer("case", name, label)
        for label, side in case.sides.items()
        if side.library in rooms
    }
    assert not [answer for answer in found.values() if "failed" in answer]
    first, *others = found.values()
    assert [case.apart(other["figures"], first["figures"]) for other in others if other["figures"]] == pytest.approx(
        [0.5] * len([o for o in others if o["figures"]]), abs=0.5
    )
    for room in rooms.values():
        room.answer("forget")


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_peers_agree_in_a_process_of_their_own(library, rooms, quick):
    if missing(library):
        assert find_spec(LIBRARIES[library].needs) is None
        return
    off = {}
    with Player(SERVE, library, cores(), SHRINK, threads=cores()) as player:
        assert player.hello["version"]
        for name, label in labels(library):
            ours, theirs = rooms["ours"].answer("case", name, OURS), player.ask("case", name, label)
            far = CASES[name].apart(theirs.get("figures", ()), ours["figures"])
            off |= {} if far <= 1 else {(name, label): theirs.get("failed", far)}
        assert player.ask("turn", label) > 0
    assert off == {}


def test_a_library_that_does_not_run_says_why(monkeypatch, tmp_path):
    (tmp_path / "jax.py").write_text("raise RuntimeError('no such processor')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), "."]))
    with Player(SERVE, "jax", 1, SHRINK, threads=1) as player:
        assert player.hello == {"absent": "no such processor"}


def test_a_side_that_fails_in_a_case_goes_on(rooms, monkeypatch, quick, capsys):
    def refuse(lib, *arrays):
        raise ValueError("no such layer\nand more")

    side = type(CASES["MSE"].sides[NUMPY])("numpy", refuse)
    monkeypatch.setitem(CASES, "broken", Case("broken", (8,), lambda rng, shape: (), {NUMPY: side}))
    assert rooms["numpy"].answer("case", "broken", NUMPY) == {"failed": "ValueError: no such layer"}
    assert "refuse" in capsys.readouterr().err  # where, for those who look


def test_inputs_are_the_same_in_every_process():
    for case in CASES.values():
        first, second = case.arrays(SHRINK), case.arrays(SHRINK)
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert {a.dtype for a in first} <= {np.dtype(t) for t in ("float32", "float64", "int64")}


@pytest.mark.parametrize(
    ("name", "bytes_"),
    [
        ("exp float32", 2 * 4 << 16),  # read x, write y
        ("MSE", (3 * 4 << 16) + 4),  # read f and y, write the gradient and the cost
        ("dropout 4M", 4 * 4 << 18),  # read x and g, write y and the gradient
        ("Adam 8M in 32", 7 * 4 * 4 << 14),  # read w, g, m, v, write w, m, v
        ("matmul 1024x1024x1024", 3 * 4 * 64 * 64),
        ("kernel, then np.matmul", 0),  # nothing to compare with a copy
    ],
)
def test_bytes_that_a_case_must_move(name, bytes_, rooms, quick):
    assert rooms["ours"].answer("case", name, OURS)["bytes"] == bytes_


@pytest.mark.parametrize("threads", [1, 2])
def test_a_copy_moves_every_byte(threads, monkeypatch):
    monkeypatch.setattr("bench.kernels.serve.LASTING", 0.0)
    assert 0 < copying(1 << 16, threads)() < 1


def test_figures_must_agree():
    case = Case("x", (4,), lambda rng, shape: (), {}, tolerance=1e-3)
    assert case.apart([(10.0, 100.0)], [(10.05, 100.0)]) == pytest.approx(0.5)
    assert case.apart([(10.0, 100.0)], [(10.5, 100.0)]) > 1
    assert case.apart([(float("nan"), 100.0)], [(10.0, 100.0)]) > 1
    assert case.apart([(1.0, 1.0)], []) > 1
    assert case.apart([], []) == 0


@pytest.mark.parametrize("wrong", [lambda y: y[::-1], lambda y: 1.001 * y, lambda y: y * (np.arange(y.size) > 9)])
def test_figures_tell_a_wrong_result(wrong):
    case = Case("x", (4096,), lambda rng, shape: (rng.standard_normal(shape),), {})
    (y,) = case.arrays()
    assert case.apart(case.figures((), [y + 1e-9]), case.figures((), [y])) < 1
    assert case.apart(case.figures((), [wrong(y)]), case.figures((), [y])) > 1


def test_dropout_is_told_from_what_is_not_dropout():
    case = CASES["dropout 4M"]
    g, x = case.arrays(SHRINK)
    kept = np.random.default_rng(1).random(x.shape) < 0.5
    right = case.figures((g, x), (2 * x * kept, 2 * g * kept))
    for y, dx in [(x, g), (2 * x * kept, 2 * g * ~kept), (x * kept, g * kept)]:
        assert case.apart(case.figures((g, x), (y, dx)), right) > 1


# ---- fresh processes


def test_first_calls_of_losses_are_timed():
    found = fresh.losses()
    assert len(found["seconds"]) == len(fresh.LOSSES) == 5
    assert min(found["seconds"]) > 0
    assert found["compilers"] in (0, 1)


def test_what_dropout_keeps_is_no_less_than_nothing():
    assert -0.1 < fresh.mask((1 << 20) + 4321)["bytes"] < 64  # a size of its own: no memory of that size lies idle


def test_the_first_loss_stands_alone(monkeypatch):
    calls = []

    def fake(module, what, *, threads, WENGERT_CACHE_DIR):
        calls.append((what, WENGERT_CACHE_DIR))
        return {"seconds": [1.0, 0.2, 0.4] if len(calls) % 2 else [0.1, 0.01, 0.03], "compilers": 0}

    monkeypatch.setattr(startup, "fresh", fake)
    rows = startup.compiling(10)
    assert [(row.figure.median, row.target) for row in rows] == [
        (1000.0, None),
        (pytest.approx(300), 600),
        (100.0, None),
        (pytest.approx(20), 20),
        (0, 0),
    ]
    folders = [folder for _, folder in calls]
    assert folders[0] == folders[1] != folders[2] == folders[3]  # a cold process fills the folder of a warm one


def test_import_is_timed_beyond_numpy():
    more, numpy, compilers = startup.importing(1)
    assert numpy.figure.median > 0
    assert (more.target, compilers.target, compilers.figure.median) == (150, 0, 0)
