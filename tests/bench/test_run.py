"""The commands `run` and `sweep`: what they print, and their exit codes."""

import json

import pytest

from bench import run
from bench.__main__ import ONLY, main
from bench.attribution import Call
from bench.instructions import Count, instructions, of_perf

PROGRAM = """
import numpy as np

def double(x):
    return x + x

def right(x):
    return 2.0 * x.astype(np.float64)

def wrong(x):
    return 2.1 * x

def slow(x):
    for _ in range(20):
        y = x + x
    return y

def made():
    return [np.arange(10.0)]

def fails(x):
    raise RuntimeError("no such case")

number = 3
"""
QUICK = ("--seconds", "0.05", "--fresh", "0")


@pytest.fixture
def file(tmp_path):
    (tmp_path / "own.py").write_text(PROGRAM)
    return str(tmp_path / "own.py")


def call(*arguments):
    return main([str(a) for a in arguments])


def test_a_function_is_checked_and_measured(file, capsys):
    arguments = ("--args", "float32[5000]", "--reference", f"{file}:right", "--flops", "5000", "--bytes", "4e4")
    assert call("run", f"{file}:double", *arguments, *QUICK) == 0
    printed = capsys.readouterr().out
    assert "double (function): float32[5000]" in printed
    assert "checked against the reference: largest error 0 ulp" in printed
    assert "40,000 bytes, given; 5,000 FLOP, given" in printed


def test_a_wrong_kernel_ends_with_1_and_nothing_is_timed(file, capsys):
    arguments = ("--args", "float32[50]", "--reference", f"{file}:right")
    assert call("run", f"{file}:wrong", *arguments, *QUICK) == run.WRONG == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.splitlines()[-1]) == ("", "Nothing was timed.")
    assert f"WRONG: {file}:wrong: the result is wrong by" in printed.err
    assert call("sweep", f"{file}:wrong", *arguments[2:], "--sizes", "100", "--seconds", "0.05") == run.WRONG


@pytest.mark.parametrize("target", ["math:nothing", "no_such_module:f", "nothing"])
@pytest.mark.parametrize("command", ["run", "sweep"])
def test_a_target_that_is_none_ends_with_2(command, target, capsys):
    assert call(command, target) == run.MISUSED == 2
    assert target in capsys.readouterr().err


def test_saved_figures_are_the_measure_of_later_ones(file, tmp_path, capsys):
    before = tmp_path / "before.json"
    rest = ("--args", "float64[2000]", *QUICK)
    assert call("run", f"{file}:double", *rest, "--save", before) == 0
    found = json.loads(before.read_text())
    assert call("run", f"{file}:double", *rest, "--against", before, "--tolerance", "50") == 0
    found["benchmarks"][0]["fullname"] = f"{file}:slow"
    before.write_text(json.dumps(found))
    capsys.readouterr()
    assert call("run", f"{file}:slow", *rest, "--against", before, "--tolerance", "0.2") == run.IS_SLOWER == 3
    assert "slow: slower: " in capsys.readouterr().out
    assert call("run", f"{file}:double", *rest, "--against", before) == run.MISUSED
    assert f"has no {file}:double with these arguments" in capsys.readouterr().err.splitlines()[-1]


def test_a_file_that_holds_none_is_said_before_the_measuring(file, tmp_path, capsys):
    assert call("run", f"{file}:double", "--against", tmp_path / "none.json") == run.MISUSED
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "sweep"])
def test_a_function_that_fails_ends_with_2_and_its_line(command, file, tmp_path, capsys):
    assert call(command, f"{file}:fails", "--seconds", "0.05") == run.MISUSED
    assert f"RuntimeError: no such case\n{file}:" in capsys.readouterr().err
    assert call(command, f"{file}:number", "--seconds", "0.05") == run.MISUSED
    (tmp_path / "refuses.py").write_text("def f(x):\n    raise ValueError('no such shape')\nfive = 5\n")
    capsys.readouterr()
    assert call(command, f"{tmp_path / 'refuses.py'}:f", "--seconds", "0.05") == run.MISUSED
    assert f"ValueError: no such shape\n{tmp_path / 'refuses.py'}:2" in capsys.readouterr().err
    assert call(command, f"{tmp_path / 'refuses.py'}:five") == run.MISUSED
    assert "refuses.py:five is a int, not a function. Expected module:function" in capsys.readouterr().err
    (tmp_path / "broken.py").write_text("def f(:")
    assert call(command, f"{tmp_path / 'broken.py'}:f") == run.MISUSED
    assert "SyntaxError: invalid syntax (broken.py, line 1)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--seconds", "0"),
        ("run", "--seconds", "nan"),
        ("run", "--fresh", "-1"),
        ("run", "--threads", "0"),
        ("run", "--bytes", "inf"),
        ("run", "--ulps", "-1"),
        ("run", "--confidence", "2"),
        ("run", "--runs", "0"),
        ("run", "--tolerance", "-2"),
        ("run", "--save", "/no/such/folder/a.json"),
        ("sweep", "--per-decade", "0"),
        ("sweep", "--seconds", "-1"),
        ("sweep", "--json", "/no/such/folder/a.json"),
        ("tape", "--repeats", "0"),
        ("tape", "--json", "/no/such/folder/a.json"),
    ],
    ids=" ".join,
)
def test_numbers_out_of_range_are_refused_before_anything_runs(arguments, file, capsys):
    command, *rest = arguments
    with pytest.raises(SystemExit) as stop:
        call(command, *([] if command == "tape" else [f"{file}:fails"]), *rest)
    assert stop.value.code == 2
    assert "Expected a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "--args", "1.2.3"), "'1.2.3' is no argument. Expected"),
        (("run", "--args", "float32[1e3,e]"), "[1e3,e] is no shape. Expected"),
        (("run", "--args", "int8[9]<999"), "int8 below 999 was asked for. Expected from 1 to 128"),
        (("run", "--versus", "math:sqrt", "--save", "a.json"), "--versus was given with --save"),
        (("sweep", "--sizes", "a:b"), "'a:b' is no range of sizes"),
        (("sweep", "--sizes", "0:10"), "'0:10' is no range of sizes"),
        (("sweep", "--sizes", "1e3:1e2"), "'1e3:1e2' is no range of sizes"),
    ],
    ids=str,
)
def test_other_arguments_end_with_2_and_say_what_is_expected(arguments, words, file, capsys):
    assert call(arguments[0], f"{file}:fails", *arguments[1:]) == run.MISUSED
    assert words in capsys.readouterr().err


def test_an_empty_array_is_measured(file, capsys):
    assert call("run", f"{file}:double", "--args", "float32[0]", *QUICK) == 0
    assert "float32[0]" in capsys.readouterr().out


@pytest.mark.parametrize("suite", ONLY)
def test_a_name_that_no_part_has_is_said(suite, capsys):
    assert call(suite, "--only", "no such part") == 2
    assert f"nothing of {suite} is called no such part" in capsys.readouterr().err


def test_versus_gives_a_verdict(file, capsys):
    rest = ("--args", f"{file}:made", "--seconds", "0.1")
    assert call("run", f"{file}:slow", *rest, "--versus", f"{file}:double") == 0
    assert "slow against double: slower (" in capsys.readouterr().out.splitlines()[-1]
    assert call("run", f"{file}:double", *rest, "--versus", f"{file}:double", "--runs", "2") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 runs: ")
    assert call("run", f"{file}:double", *rest, "--versus", f"{file}:wrong") == run.WRONG
    assert "double: as wrong has it, the result is wrong by" in capsys.readouterr().err


def test_pictures_and_figures_are_written(file, tmp_path):
    assert call("run", f"{file}:double", *QUICK, "--args", "float32[500]", "--picture", tmp_path / "roof.png") == 0
    rest = ("--sizes", "1e2:1e3", "--threads", "1", "--seconds", "0.1", "--dtypes", "float32", "float64")
    out = ("--picture", tmp_path / "sweep.png", "--json", tmp_path / "sweep.json", "--tune")
    assert call("sweep", f"{file}:double", *rest, *out) == 0
    assert all((tmp_path / name).read_bytes()[:4] == b"\x89PNG" for name in ("roof.png", "sweep.png"))
    points = json.loads((tmp_path / "sweep.json").read_text())["points"]
    expected = [(d, n, 1) for d in ("float32", "float64") for n in (100, 316, 1000)]
    assert [(p["dtype"], p["size"], p["threads"]) for p in points] == expected


# ---- instructions


@pytest.mark.parametrize("text", ["<not supported>,,instructions:u,0,100.00,,", "Error: no permission", ""])
def test_a_processor_that_does_not_count_is_told(text):
    with pytest.raises(OSError, match="perf says"):
        of_perf(text)


def refusing(*_):
    raise OSError("it is a virtual machine")


def test_the_first_tool_that_can_count_counts():
    tools = {"no-such-tool": refusing, "python3": refusing, "sh": lambda call, calls, env: 7.0 * calls}
    assert instructions(Call("math:sqrt", ("2.0",)), 0.01, tools) == Count(21.0, "sh")
    assert instructions(Call("math:sqrt", ("2.0",)), 1e-3, tools) == Count(140.0, "sh")


def test_why_nothing_is_counted_is_said():
    found = instructions(Call("math:sqrt", ("2.0",)), 1.0, {"no-such-tool": refusing, "sh": refusing})
    assert str(found) == "instructions are not counted: no-such-tool is not installed; it is a virtual machine"
