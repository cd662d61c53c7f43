"""Sizes that grow in processes of their own: agreement, stops, memory, and what a process may see."""

import os
import sys

import pytest

from bench import peers
from bench.scaling import measure, process, serve
from bench.scaling.process import ROOT, SIDES, Process, Side
from bench.scaling.topics import TOPICS, Topic

PROGRAM = """
import os, sys, time
def load(threads):
    def made(n):
        if n > 1000:
            raise RecursionError("too deep")
        return ("make", lambda _: list(range(n))), ("use", lambda kept: len(kept) + {wrong})
    def hangs(n):
        return (("sleep", lambda _: time.sleep(60)),)
    def ends(n):
        return (("end", lambda _: os._exit(3)),)
    return "1.0", {{"made": made, "hangs": hangs, "ends": ends}}, float
"""
TOPIC = Topic("made", "", (1, 10, 100, 1000, 10_000), 1000, 10)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder of programs that need no library, served by the real server."""
    (tmp_path / "programs").mkdir()
    (tmp_path / "serve.py").write_text((process.HERE / "serve.py").read_text())
    for name, wrong in (("good", 0), ("also", 0), ("bad", 1)):
        (tmp_path / "programs" / f"{name}.py").write_text(PROGRAM.format(wrong=wrong))
    (tmp_path / "programs" / "broken.py").write_text("def load(threads):\n    import no_such_library\n")
    monkeypatch.setattr(process, "HERE", tmp_path)


def test_sizes_grow_until_a_side_fails(programs):
    found = measure.grown(TOPIC, [Side("ours", "good"), Side("other", "also")], TOPIC.sizes, 2, cap=5.0)
    *sized, last = found
    assert [(p.case, p.size, sorted(p.seconds)) for p in sized[:-1]] == [
        (f"made {n:,}", n, ["other", "ours"]) for n in (1, 10, 100, 1000)
    ]
    assert all(len(p.seconds["ours"]) == 2 and set(p.phases["ours"]) == {"make", "use"} for p in sized[:-1])
    assert sized[-1].seconds == {}
    assert last.notes[-2:] == [
        f"made: {who} stops before 10,000: RecursionError: too deep." for who in ("ours", "other")
    ]
    assert [row.what for row in last.rows] == [f"made: {who}, exponent from 10 to 1,000" for who in ("ours", "other")]


def test_a_side_that_disagrees_is_not_timed(programs):
    *sized, last = measure.grown(TOPIC, [Side("ours", "good"), Side("other", "bad")], (1, 10), 1, cap=5.0)
    assert [sorted(p.seconds) for p in sized] == [["ours"], ["ours"]]
    assert last.notes == ["made: other stops before 1: its gradient differs: |g|^2 = 2, not 1."]


def test_a_library_that_cannot_be_imported_is_absent(programs):
    *sized, last = measure.grown(TOPIC, [Side("ours", "good"), Side("other", "broken")], (1,), 1, cap=5.0)
    assert list(sized[0].seconds) == ["ours"]
    assert last.notes == ["other is absent: ModuleNotFoundError: No module named 'no_such_library'."]


@pytest.mark.parametrize(("topic", "reason"), [("hangs", "no answer within 1 s"), ("ends", "ended with exit code 3")])
def test_a_process_that_hangs_or_ends_is_given_up(programs, topic, reason):
    one = Process(Side("ours", "good"), 1)
    assert one.greeted()
    assert one.ask("prepare", topic, 1, limit=1.0) == {"failed": reason}
    assert one.ask("turn", limit=1.0) == {"failed": reason}
    one.close()


def test_a_peer_is_not_asked_for_what_takes_too_long(programs):
    growth = measure.Growth(TOPIC, 1, [Side("ours", "good"), Side("other", "also")], cap=1.0)
    growth.taken = {"ours": (10, 0.5, 0.0), "other": (10, 0.5, 0.2)}
    assert growth.expected("other", 100) == pytest.approx(5.2)
    found = growth.point(100, 1, "made 100")
    growth.close()
    assert list(found.seconds) == ["ours"]  # which is measured to the end
    assert growth.notes == ["made: other stops before 100: it would take about 5 s."]


def test_memory_decides_what_is_left_out_and_what_is_measured_alone(programs, monkeypatch):
    monkeypatch.setattr(measure, "free", lambda: 10 * 10**9)
    topic = Topic("made", "", (1, 3, 100), 100, 1, bytes=10**9)
    sides = [Side("ours", "good"), Side("other", "also")]
    *sized, last = measure.grown(topic, sides, topic.sizes, 1, cap=5.0)
    assert [p.size for p in sized] == [1, 3]
    assert all(set(p.seconds) == {"ours", "other"} for p in sized)
    assert last.notes == [
        "made: 3, about 3.0 GB for each library with 10.0 GB free, is measured library by library, not in turn.",
        "made: 100, about 100.0 GB for each library with 10.0 GB free, is left out.",
    ]


def test_free_memory_is_a_number_of_bytes():
    assert 1 << 26 < measure.free() < 1 << 50


def test_threads_double_up_to_all():
    assert [measure.doubling(n) for n in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]


# ---- what a process may see


def test_only_ours_finds_this_project():
    inherited = {"PYTHONPATH": os.pathsep.join(["here", str(ROOT)]), "PATH": "p", "PYTHONHOME": "h"}
    by_label = {side.label: process.surroundings(side, dict(inherited)) for side in SIDES}
    assert by_label["ours"]["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)
    for side in SIDES:
        if side.peer and peers.PEERS[side.peer].apart:
            assert by_label[side.label] == {"PATH": "p"}
    assert {side.peer for side in SIDES if side.peer} == set(peers.PEERS)


def test_a_process_has_neither_the_folder_nor_the_project_on_its_path(programs, tmp_path):
    (tmp_path / "programs" / "path.py").write_text(
        "import importlib.util, sys\n"
        "def load(threads):\n"
        "    found = importlib.util.find_spec('bench'), importlib.util.find_spec('serve')\n"
        "    return str(found), {}, float\n"
    )
    one = Process(Side("x", "path", "numpy"), 1)
    assert one.greeted()
    one.close()
    hello = process.subprocess.run(
        [sys.executable, "-P", str(tmp_path / "serve.py"), str(tmp_path / "programs" / "path.py"), "1"],
        stdin=process.subprocess.DEVNULL, capture_output=True, text=True, cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, check=True,
    )  # fmt: skip
    assert "serve.py" not in hello.stdout


# ---- the server


def test_phases_are_timed_one_by_one_and_hand_over():
    seen = []
    phases = (("a", lambda got: seen.append(got) or "made"), ("b", lambda got: seen.append(got)))
    assert list(serve.once(phases)) == ["a", "b"]
    assert seen == [None, "made"]
    found = serve.turn(phases, 3)
    assert len(seen) == 2 * (1 + 1 + 3)
    assert all(seconds > 0 for seconds in found.values())


def test_a_first_phase_is_weighed():
    room = serve.Room({"big": lambda n: (("make", lambda _: bytearray(b"x" * n)), ("drop", lambda kept: 4.0))}, float)
    said = room.prepare("big", 50_000_000)
    assert said["norm"] == 4.0
    assert said["held"] is None or said["held"] > 4e7


# ---- our own programs


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_ours_and_numpy_agree_on_every_topic_that_both_have(topic):
    names = ("ours", "NumPy") if topic in ("depth", "width", "batch", "parameters") else ("ours",)
    sides = [side for side in SIDES if side.label in names]
    size = TOPICS[topic].sizes[1]
    *sized, last = measure.grown(TOPICS[topic], sides, [size], 1, cap=5.0)
    assert set(sized[0].seconds) == set(names), last.notes


def test_compiled_losses_agree_with_eager_ones():
    sides = [side for side in SIDES if side.label in ("ours", "ours, compiled")]
    *sized, last = measure.grown(TOPICS["batch"], sides, [8], 1, cap=5.0)
    assert set(sized[0].seconds) == {"ours", "ours, compiled"}, last.notes
