"""How cases are measured and what is printed of them, on synthetic processes."""

import pytest

from bench.kernels import measure as measuring
from bench.kernels import result
from bench.kernels.case import BEST, COPY, Case, Limit, Side
from bench.kernels.result import Result
from bench.report import Row
from bench.timing import Spread

SECONDS = {
    "ours": [2.0, 4.0, 6.0],
    "NumPy": [4.0, 8.0, 12.0],
    "torch": [1.0, 2.0, 3.0],
    "the kernel": [0.5, 1.0, 1.5],
    COPY: [1.0, 1.0, 1.0],
}


def case(*limits, labels=("ours", "NumPy", "torch", "the kernel"), **settings):
    libraries = {"ours": "ours", "NumPy": "numpy", "torch": "torch", "the kernel": "ours", "jax.jit": "jax"}
    sides = {label: Side(libraries[label], lambda lib: lambda: None) for label in labels}
    return Case("work", (8,), lambda rng, shape: (), sides, limits, **settings)


class Synthetic:
    """A process that answers from a table, and keeps what it was asked."""

    def __init__(self, seconds, figures=((1.0, 1.0),), failed=""):
        self.seconds, self.figures, self.failed = seconds, figures, failed
        self.asked = []

    def ask(self, *question):
        self.asked.append(question)
        if question[0] == "case":
            return {"failed": self.failed} if self.failed else {"figures": self.figures, "bytes": 80}
        return self.seconds if question[0] == "turn" else None


class Players(dict):
    threads = 2

    def __init__(self, absent=(), **players):
        super().__init__(players | dict.fromkeys(absent))
        self.absent = {name: f"{name} is not installed" for name in absent}
        self.found = players


# ---- measuring


def test_sides_take_turns_with_a_copy_of_as_many_bytes():
    players = Players(ours=Synthetic(1.0), numpy=Synthetic(2.0), torch=Synthetic(4.0))
    found = measuring.measure(case(Limit(1.0, (BEST,))), players, 3)
    assert found.seconds == {
        "ours": [1.0] * 3,
        "NumPy": [2.0] * 3,
        "torch": [4.0] * 3,
        "the kernel": [1.0] * 3,
        COPY: [2.0] * 3,
    }
    assert (found.threads, found.bytes, found.notes) == (2, 80, [])
    assert ("copy", COPY, 80) in players["numpy"].asked
    assert all(player.asked[-1] == ("forget",) for player in players.values())
    assert players["torch"].asked.count(("turn", "torch")) == 4  # one of them is not counted


def test_absent_peers_are_noted_and_no_error():
    players = Players(ours=Synthetic(1.0), numpy=Synthetic(2.0), absent=["jax"])
    found = measuring.measure(case(Limit(1.0, ("jax.jit",)), labels=("ours", "NumPy", "jax.jit")), players, 1)
    assert found.notes == ["jax.jit is absent: jax is not installed."]
    assert set(found.seconds) == {"ours", "NumPy", COPY}
    assert found.rows == []  # nothing to be compared with


def test_a_peer_that_disagrees_is_not_timed():
    players = Players(ours=Synthetic(1.0), numpy=Synthetic(2.0), torch=Synthetic(1e-9, figures=((1.1, 1.0),)))
    found = measuring.measure(case(), players, 1)
    assert "torch" not in found.seconds
    assert [note.partition(":")[0] for note in found.notes] == ["work"]
    assert "torch is not timed: it is off by" in found.notes[0]


def test_a_peer_that_fails_is_noted():
    players = Players(ours=Synthetic(1.0), numpy=Synthetic(2.0, failed="ValueError: no"), torch=Synthetic(3.0))
    found = measuring.measure(case(), players, 1)
    assert found.notes == ["work: NumPy failed: ValueError: no"]
    assert "NumPy" not in found.seconds


def test_a_library_that_is_not_installed_is_absent(monkeypatch):
    monkeypatch.setattr(measuring, "missing", lambda library: f"{library} is not installed" if library == "jax" else "")
    players = measuring.Players(1, 1, peers=True)
    assert players["jax"] is None
    assert players.absent == {"jax": "jax is not installed"}


def test_peers_that_are_not_wanted_are_not_started():
    players = measuring.Players(1, 1, peers=False)
    assert players["torch"] is None
    assert players.found == {}


def test_a_library_that_refuses_to_run_is_absent(monkeypatch):
    class Refusing:
        def __init__(self, *arguments, threads):
            self.hello = {"absent": "torch.compile needs a compiler"}

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(measuring, "Player", Refusing)
    monkeypatch.setattr(measuring, "missing", lambda library: "")
    players = measuring.Players(1, 1, peers=True)
    assert players["torch.compile"] is None
    assert players.absent["torch.compile"] == "torch.compile needs a compiler"


# ---- what follows


def test_the_best_peer_is_none_of_ours():
    assert result.best(SECONDS) == "torch"
    assert result.best({"ours": [1.0], COPY: [1.0], "the kernel": [1.0]}) == ""


@pytest.mark.parametrize(
    ("limit", "median", "words"),
    [
        (Limit(1.0, (BEST,)), 2.0, "work: ours to the best peer (torch)"),
        (Limit(0.6, ("NumPy",)), 0.5, "work: ours to NumPy"),
        (Limit(1.5, (COPY,)), 4.0, "work: ours to a copy of as many bytes"),
        (Limit(1.1, ("torch", "the kernel")), 4 / 3, "work: ours to torch and the kernel"),
        (Limit(1.1, ("NumPy",), "the kernel"), 0.125, "work: the kernel to NumPy"),
    ],
)
def test_a_promise_is_a_ratio_within_each_round(limit, median, words):
    row = result.limited(limit, SECONDS, "work")
    assert (row.what, row.figure.median, row.target) == (words, pytest.approx(median), limit.most)
    assert row.verdict == ("kept" if median <= limit.most else "missed")


@pytest.mark.parametrize("limit", [Limit(1.0, ("jax.jit",)), Limit(1.0, ("NumPy",), "eager")])
def test_there_is_no_verdict_where_one_side_is_absent(limit):
    assert result.limited(limit, SECONDS, "work") is None


def test_without_peers_there_is_no_best():
    assert result.limited(Limit(1.0, (BEST,)), {"ours": [1.0]}, "work") is None


def test_sides_without_a_column_have_a_row():
    first, second = result.rows(case(Limit(1.0, ("NumPy",))), SECONDS)
    assert (first.what, first.figure.median, first.unit) == ("work: the kernel", 1e6, "us")
    assert second.verdict == "kept"


def test_the_table_has_a_column_for_each_side_and_says_what_is_absent():
    alone = Result("alone", [], ["jax is absent."], 1, 0, {"ours": [3e-6]})
    timed = Result("work", [], ["jax is absent."], 2, 80, {k: [s * 1e-6 for s in v] for k, v in SECONDS.items()})
    fresh = Result("import", [Row("numba", Spread(0, 0, 0), "", 0)])
    first, second, last = result.show([alone, timed, fresh]).split("\n\n")
    head, one, two = first.splitlines()
    assert head.split("  ")[0] == "microseconds"
    assert [c for c in ("torch.compile", "jax.jit", "eager") if c in head] == []
    assert one.split() == ["alone", "1", "3.0"]
    # 80 bytes in 4 us; the copy takes 1 us: medians of ratios of 1/2, 1/4 and 1/6; ours to torch is 2 in each round
    assert two.split() == ["work", "2", "4.0", "8.0", "2.0", "0.0", "0.0", "0.25", "2.00", "torch"]
    assert second.splitlines()[1].split() == ["numba", "0.00", "0.00", "to", "0.00", "<=", "0", "kept"]
    assert last == "jax is absent."


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ([], ["exp float32", "exp float64", "Huber"]),
        (["64"], ["exp float64"]),
        (["HUB", "32"], ["exp float32", "Huber"]),
    ],
)
def test_cases_are_chosen_by_a_part_of_their_name(only, names):
    assert measuring.chosen(["exp float32", "exp float64", "Huber"], only) == names
