"""One kernel measured: sleeps planted in its parts are found there, and wrong results are refused before timing."""

import textwrap

import numpy as np
import pytest

import autograd as ag
import bench
import nn.functional as F
from bench import arguments, attribution, instrument, target, work
from bench.peaks import COPY, GEMM, TRIAD, Peak
from bench.roofline import picture, roofline
from bench.rounds import Policy, Timings, sampled
from bench.sample import interval
from bench.ulp import WrongKernel
from bench.work import Work

PLANTED = """
import os, time
from pathlib import Path

IMPORT, COMPILE, LOAD, DISPATCH, BODY = {sleeps}
time.sleep(IMPORT)
ready = []

def kernel(x):
    '''Compiles, or reads from the disk, at its first call; takes BODY seconds for each element.'''
    if not ready:
        entry = Path(os.environ["WENGERT_CACHE_DIR"]) / "planted"
        time.sleep(LOAD if entry.exists() else COMPILE)
        entry.parent.mkdir(exist_ok=True)
        entry.touch()
        ready.append(True)
    time.sleep(DISPATCH + BODY * x.size)
    return x + 1

def right(x):
    return x + 1
"""
LONG = 0.25  # seconds: far more than a machine is late by
PARTS = ("import", "compile", "cache load", "dispatch", "kernel")


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that this process and fresh ones find."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return name

    return write


@pytest.mark.parametrize("part", PARTS)
def test_a_sleep_is_attributed_to_the_part_where_it_was_planted(module, tmp_path, monkeypatch, part):
    sleeps = [LONG * (name == part) for name in PARTS[:4]] + [LONG / 50 * (part == "kernel")]
    name = module(f"planted_{PARTS.index(part)}", PLANTED.format(sleeps=sleeps))
    monkeypatch.setenv("WENGERT_CACHE_DIR", str(tmp_path / "cache"))
    f = target.resolve(f"{name}:kernel")
    monkeypatch.setattr(instrument, "Policy", lambda seconds: Policy(0.0, warm=0.0, least=3))
    found = bench.kernel(f, np.ones(50), reference=target.resolve(f"{name}:right"), fresh=1)
    medians = {name: found.parts[name].median for name in PARTS}
    assert max(medians, key=medians.get) == part
    assert medians[part] >= LONG * 0.9
    assert [n for n in PARTS if n not in (part, "import") and medians[n] >= LONG / 2] == []
    assert found.parts["call"].median >= (LONG * 0.9 if part in ("dispatch", "kernel") else 0.0)


def test_compiling_is_that_of_a_compiler(module):
    name = module("fused_target", "import autograd as ag\n@ag.fused\ndef f(x):\n    return x * x + 1\n")
    call = attribution.Call(f"{name}:f", ("float32[10000]",))
    found = attribution.attributed(call, threads=1, repeats=1)
    assert found.parts["compile"].median > found.parts["cache load"].median
    assert found.notes == ["in a process that finds all compiled, llvmlite is imported by the first call"]


def test_a_function_that_keeps_nothing_on_the_disk_is_told(module):
    name = module("plain_target", "def f(x):\n    return x\n")
    found = attribution.attributed(attribution.Call(f"{name}:f", ("2.0",)), threads=1, repeats=1)
    assert set(found.parts) == {"import", "compile"}
    assert found.notes[0].startswith("cache load: no kernel is kept on the disk")
    assert found.notes[1] == "in a process that finds all compiled, no compiler is imported"


@pytest.mark.parametrize("cache", [True, False])
def test_a_kernel_that_the_import_compiles_is_told_from_the_import(module, cache):
    text = """
        import numba
        @numba.njit("float64(float64)", cache={cache})
        def f(x):
            for k in range(3):
                x = x * x + k
            return x
    """
    name = module(f"signed_target_{cache}", textwrap.dedent(text).format(cache=cache))
    found = attribution.attributed(attribution.Call(f"{name}:f", ("2.0",)), threads=1, repeats=2)
    assert set(found.parts) == ({"import", "compile"} if cache else {"import"})
    assert found.notes[0].startswith("signatures are given, so that the import compiles, and ")
    assert ("no kernel is kept" in found.notes[0]) is not cache
    if cache:
        assert found.parts["compile"].median > 0.01


def test_arguments_reach_a_fresh_process_as_they_are(module):
    text = "def f(x, k):\n    assert x.tolist() == [1.0, 2.0] and k == 3, (x, k)\n"
    name = module("picky_target", text)
    with attribution.told(f"{name}:f", (np.array([1.0, 2.0]), 3)) as call:
        assert attribution.attributed(call, threads=1, repeats=1).parts["import"].median > 0


# ---- wrong kernels


def counting():
    calls = []

    def f(x):
        calls.append(x)
        return x * np.float32(1.001)

    return f, calls


def test_a_wrong_kernel_is_refused_before_anything_is_timed():
    f, calls = counting()
    with pytest.raises(WrongKernel, match=r"wrong by 8\.39e\+03 ulp"):
        bench.kernel(f, np.ones(10, np.float32), reference=lambda x: x, fresh=0)
    assert len(calls) == 1


def test_a_wrong_kernel_is_refused_in_a_comparison_too():
    f, calls = counting()
    with pytest.raises(WrongKernel, match="wrong by"):
        bench.compare(np.positive, f, np.ones(10, np.float32))
    assert len(calls) == 1


def test_a_fused_function_is_checked_against_its_composition():
    wrong = ag.fused(lambda x: ag.exp(x))
    wrong.composition = lambda x: ag.exp(x) * 1.001 if x.dtype == np.float64 else ag.exp(x)
    with pytest.raises(WrongKernel, match="wrong by"):
        bench.kernel(wrong, np.ones(10_000, np.float32), fresh=0)


def test_a_kernel_that_writes_into_its_arguments_is_checked_by_them():
    def double(x, out):
        out[...] = 2 * x

    x = np.arange(5.0)
    error, _, outputs, written = instrument.compared(double, (x, np.zeros(5)), double, 1.0)
    assert (error.ulp, written) == (0.0, True)
    assert outputs[1].tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    with pytest.raises(WrongKernel, match="wrong by"):
        instrument.compared(double, (x, np.zeros(5)), lambda x, out: None, 1.0)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x.fill(1.0), "it writes into its arguments"),
        (lambda x: np.negative(x, out=x), "it writes into its arguments"),
        (lambda x: None, "it returns nothing, and leaves its arguments as they are"),
        (lambda x: -x, ""),
    ],
)
def test_what_becomes_of_the_arguments_is_said(f, words):
    notes = bench.kernel(f, np.full(100, 2.0), seconds=0.01, fresh=0).notes
    about = [note for note in notes if note.startswith("it ") and "its arguments" in note]
    assert len(about) == bool(words)
    assert all(note.startswith(words) for note in about)


def test_what_is_not_checked_says_so():
    found = bench.kernel(np.negative, np.ones(100), seconds=0.01, fresh=0)
    assert found.error is None
    assert "NOT CHECKED: no reference was given" in str(found)


# ---- what is measured


@pytest.fixture(scope="module")
def measured():
    f = ag.fused(lambda x: x * x + 1)
    return bench.kernel(f, np.linspace(0, 1, 50_000, dtype=np.float32), seconds=0.05, fresh=0, name="square")


def test_the_output_states_policy_place_and_peaks(measured):
    text = str(measured)
    for words in (
        "square (fused): float32[50000]",
        "checked against its composition in float64: largest error",
        "400,000 bytes, counted from the generated program; 100,000 FLOP, counted from the generated program",
        "0.25 FLOP/byte, bound by",
        "warm-up: 0.1 s of calls, and 3 at least, are not counted",
        "no sample is removed",
        "95% interval",
    ):
        assert words in text
    assert f"numpy {np.__version__}" in text


def test_every_statement_is_in_every_round(measured):
    seconds = measured.timings.seconds
    assert set(seconds) == {"call", "dispatch", COPY, TRIAD, GEMM}
    assert len({len(figures) for figures in seconds.values()}) == 1
    assert measured.parts["call"].low <= measured.parts["call"].median <= measured.parts["call"].high


def test_arguments_that_cannot_be_cut_leave_dispatch_out():
    def f(x):
        if x.size < 100:
            raise ValueError("too few")
        return x

    found = bench.kernel(f, np.ones(200), seconds=0.01, fresh=0)
    assert set(found.parts) == {"call"}
    assert any(note.startswith("dispatch is not apart: ValueError on float64[2]") for note in found.notes)
    assert "dispatch" in bench.kernel(f, np.ones(200), smallest=[np.ones(100)], seconds=0.01, fresh=0).parts


def test_samples_follow_the_policy():
    order = []
    names = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    before = []
    found = sampled(names, Policy(0.0, warm=0.0, lasting=0.0, least=40), before=before.append)
    assert found == Timings(found.seconds, {"a": 1, "b": 1}, {"a": 3, "b": 3})
    assert "".join(order[:6]) == "aaabbb"
    rounds = ["".join(order[k : k + 2]) for k in range(6, len(order), 2)]
    assert len(rounds) == 40
    assert {"ab", "ba"} == set(rounds)
    assert before == ["a", "b", *order[6:]]


# ---- work and roofline


@pytest.mark.parametrize(
    ("f", "args", "moved", "flops"),
    [
        (ag.fused(lambda x: ag.exp(-x)), [np.ones(8192, np.float32)], 2 * 4 * 8192, 2 * 8192),
        (ag.fused(lambda x: ag.sum(x * x)), [np.ones(8192)], None, 2 * 8192),
        (lambda a, b: a @ b, [np.ones((4, 5)), np.ones((5, 6))], 8 * (20 + 30 + 24), 2 * 4 * 5 * 6),
        (np.negative, [np.ones(10)], 160, 10),
        (lambda x: x.astype(np.int64), [np.ones(10)], 160, None),
    ],
)
def test_work_is_counted(f, args, moved, flops):
    found = work.work(f, args, [np.asarray(f(*args))])
    assert found.flops == flops
    assert moved is None or found.bytes == moved


def test_work_that_is_given_is_taken():
    found = work.work(np.negative, [np.ones(10)], [np.ones(10)], bytes=7, flops=9)
    assert found == Work(7, 9, "given", "given")
    assert found.intensity == 9 / 7


def roof(flops=1000):
    peaks = {
        COPY: Peak(lambda: None, 2e9, "B", "2 GB"),
        TRIAD: Peak(lambda: None, 4e9, "B", "4 GB"),
        GEMM: Peak(lambda: None, 1e11, "FLOP", "1^3"),
    }
    seconds = {COPY: [1.0] * 6, TRIAD: [1.0] * 6, GEMM: [1.0] * 6}
    return roofline(Work(10**9, flops, "given", "given"), [0.5, 1.0, 0.5, 0.5, 0.5, 0.5], peaks, seconds)


def test_a_roofline_is_rates_shares_and_the_lower_of_two_bounds():
    found = roof(10**9)
    assert (found.bytes, found.flops, found.intensity) == (2e9, 2e9, 1.0)
    assert found.shares[COPY] == interval([1.0, 0.5, 1.0, 1.0, 1.0, 1.0])
    assert found.shares[TRIAD].median == 0.5
    assert (found.attainable, found.bound) == (4e9, "memory")
    assert "at most 4.0 GFLOP/s, of which it reaches 50%" in str(found)
    dense = roof(10**12)
    assert (dense.attainable, dense.bound) == (1e11, "arithmetic")
    assert "FLOP" not in str(roof(None)).splitlines()[-1]


def test_a_roofline_is_drawn(tmp_path):
    picture({"mine": roof(10**9)}, tmp_path / "roof.png")
    assert (tmp_path / "roof.png").read_bytes()[:4] == b"\x89PNG"


# ---- arguments and targets


@pytest.mark.parametrize("text", ["float32(3)", "nonsense", "floaty[3]", "["])
def test_what_is_no_argument_is_refused(text):
    with pytest.raises(ValueError, match=r"Expected float32\[1000000\]"):
        arguments.parsed([text])


@pytest.mark.parametrize("text", ["", "math", "math:", ":sqrt", "math:nothing", "nowhere.py:f"])
def test_what_is_no_target_is_refused(text):
    with pytest.raises(ValueError, match="Expected module:function"):
        target.resolve(text)


def test_a_file_is_a_target_and_names_itself(tmp_path):
    (tmp_path / "beside.py").write_text("SCALE = 3\n")
    (tmp_path / "own.py").write_text("from beside import SCALE\ndef f(x):\n    return SCALE * x\n")
    f = target.resolve(f"{tmp_path}/own.py:f")
    assert f(2) == 6
    assert target.target_of(f) == f"{tmp_path}/own.py:f"


def test_cut_arguments_still_fit_together():
    a, b, c = arguments.small([np.ones((7, 5)), np.ones((5, 3)), np.asfortranarray(np.ones((4, 4)))])
    assert (a @ b).shape == (2, 2)
    assert c.flags.f_contiguous


def test_kinds_are_told():
    assert target.kind_of(ag.fused(lambda x: x)) == "fused"
    assert target.kind_of(ag.elementwise(lambda x: 2 * x)) == "elementwise"
    assert target.kind_of(np.negative) == "function"


def test_a_function_of_the_engine_is_checked_with_its_kernels_off():
    error, checked, _, _ = instrument.compared(F.gelu, [np.linspace(-3, 3, 10_000, dtype=np.float32)], None, 1024.0)
    assert error.ulp < 64
    assert checked.startswith("checked against its composition in float64")


@pytest.mark.parametrize("writes", [False, True])
def test_two_functions_share_arguments_that_they_leave_alone(writes):
    """Where an array lies makes a difference, which is not one of functions; what is written to is each one's own."""
    last = {}

    def noting(name):
        def run(x):
            last[name] = id(x)
            if writes:
                x += 1.0
            return x.sum() * 0

        return run

    bench.compare(noting("f"), noting("g"), np.zeros(1000), seconds=0.05)
    assert (last["f"] == last["g"]) is not writes


def test_results_in_a_dict_are_compared_and_tensors_said_in_short():
    x, quick = np.arange(4.0), {"seconds": 0.01, "fresh": 0}
    right = bench.kernel(lambda t: {"a": t, "b": [t]}, ag.tensor(x), reference=lambda t: {"a": x, "b": [x]}, **quick)
    assert (right.error.ulp, right.arguments) == (0.0, "float64[4]")
    with pytest.raises(WrongKernel):
        bench.kernel(lambda t: {"a": t}, x, reference=lambda t: {"a": t + 1}, **quick)
