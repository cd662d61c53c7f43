"""The checker: what is right passes, what is wrong is named."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError
from autograd.gradcheck.__main__ import main
from autograd.primitive import elementwise, primitives

X = np.array([[0.5, -1.0], [2.0, 0.25]])


@pytest.fixture
def wrong_cube():
    op = elementwise("wrong_cube", "x", lambda x: x**3, partials=(lambda x: 2 * x * x,), doc="A planted mistake.")
    yield op
    del primitives["wrong_cube"]


def test_a_right_gradient_passes():
    result = ag.gradcheck(lambda x: ag.sin(x) @ x, X)
    assert result
    assert result.compared == 16
    assert repr(result) == "gradcheck passed: 16 derivatives agree"


def test_a_wrong_gradient_is_named(wrong_cube):
    result = ag.gradcheck(lambda a, x: a + wrong_cube(x), [1.0, X])
    assert not result
    assert len(result.mismatches) == 4
    assert all(m.input == "x" for m in result.mismatches)
    worst = max(result.mismatches, key=lambda m: abs(m.analytic - m.numeric))
    assert (worst.index, worst.output) == ((1, 0), (1, 0))
    assert worst.analytic == pytest.approx(8.0)
    assert worst.numeric == pytest.approx(12.0)
    assert "x[1, 0] -> output[1, 0]: analytic 8, numeric 12" in repr(result)
    assert "ratio 0.66666" in repr(result)


def test_a_wrong_second_derivative_is_named():
    op = elementwise(
        "wrong_second", "x", lambda x: x**3, partials=(lambda x: 3 * ag.stop_gradient(x) * x,), doc="A planted mistake."
    )
    try:
        assert ag.gradcheck(op, X)
        assert not ag.gradgradcheck(op, X)
    finally:
        del primitives["wrong_second"]


def test_a_dropped_gradient_is_found():
    assert not ag.gradcheck(lambda x: ag.stop_gradient(x) * x, X)
    assert not ag.gradcheck(lambda x: ag.stop_gradient(x) * 2, X)


def test_float32_is_raised_and_a_float32_function_judged_by_its_error_bar():
    assert ag.gradcheck(lambda x: ag.exp(x), X.astype(np.float32))
    assert ag.gradcheck(lambda x: ag.exp(x).astype("float32"), X)
    wrong = ag.gradcheck(lambda x: (ag.exp(x) + ag.stop_gradient(x)).astype("float32"), X)
    assert wrong.verdict == "WRONG_GRADIENT"
    assert all(1e-6 < m.error < 1e-2 for m in wrong.mismatches)


def test_nothing_to_check_is_no_pass():
    assert not ag.gradcheck(lambda n: n * 1.5, [np.array([1, 2])])


def test_leaves_are_varied_where_they_are_and_put_back():
    w = ag.tensor(X, requires_grad=True)
    before = w.numpy().copy()
    assert ag.gradcheck(lambda _: (w * w).sum(), [w])
    np.testing.assert_array_equal(w.numpy(), before)
    assert w.grad is None


def test_some_elements_can_be_chosen():
    x = np.random.default_rng(0).standard_normal(1000)
    assert ag.gradcheck(lambda x: (x**3).sum(), x, max_elements=7).compared == 7


def test_several_outputs_are_told_apart(wrong_cube):
    result = ag.gradcheck(lambda x: {"right": x * 2, "wrong": wrong_cube(x)}, np.array([2.0]))
    assert [m.output for m in result.mismatches] == [(1, 0)]


def test_second_order_through_a_model():
    w = ag.tensor(X, requires_grad=True)
    assert ag.gradgradcheck(lambda x, w: ag.tanh(x @ w), [X, w])


# ---- the classic false alarms, each with its verdict


def random_from(generator):
    return lambda x: x * generator.random(3)


def always_the_same(x):
    return ag.zeros(()) + 3.0


def chaotic(x):
    for _ in range(40):
        x = 3.9 * x * (1 - x)
    return x


def real(f):
    """The same function of positive numbers, of real ones only."""
    return lambda x: f(abs(x))


def steep(slope):
    """A step of height 2, from -1 to 1, with a slope between."""
    return lambda x: ag.maximum(ag.minimum(slope * x, 1.0), -1.0)


def squared_in_silence(x):
    with np.errstate(over="ignore"):
        return x * x


ONES = np.ones(3)
CLASSICS = {
    "relu at exactly 0": (ag.relu, np.array([1.0, 0.0]), "KINK"),
    "max at a tie": (ag.max, np.array([1.0, 1.0, 0.0]), "KINK"),
    "a step": (ag.floor, np.array([1.0]), "KINK"),
    "relu near 0": (ag.relu, np.array([1e-7, -1e-7, 1.0]), "PASS"),
    "abs far from 0": (abs, np.array([1e-3, -2.0]), "PASS"),
    "dropout": (lambda x: x * (ag.random.uniform(size=3) < 0.5), ONES, "PASS"),
    "a replayed generator": (random_from(ag.random.Generator(0)), ONES, "PASS"),
    "another's random numbers": (random_from(np.random.default_rng(0)), ONES, "NONDETERMINISTIC"),
    "float32 input": (ag.exp, ONES.astype(np.float32), "PASS"),
    "float32 function": (lambda x: ag.exp(x).astype("float32"), ONES, "PASS"),
    "scale 1e8": (lambda x: x * x, ONES * 1e8, "PASS"),
    "scale 1e-8": (ag.log, ONES * 1e-8, "PASS"),
    "scales mixed": (ag.log, np.array([1e8, 1e-8, 1.0]), "PASS"),
    "an input of 0 beside large ones": (lambda x: ag.sin(x), np.array([0.0, 3e3]), "PASS"),
    "lost in rounding": (lambda x: abs(x) + 1e16, ONES, "PRECISION"),
    "lost in rounding, but analytic": (lambda x: x + 1e16, ONES, "PASS"),
    "stride 0": (lambda x: x * 2, np.broadcast_to(ONES, (2, 3)), "OVERLAP"),
    "an integer": (lambda n: n * 1.5, [np.array([1, 2])], "NOTHING_CHECKED"),
    "no elements": (lambda x: x * 2, np.zeros((0, 3)), "NOTHING_CHECKED"),
    "a function that ignores its input": (always_the_same, ONES, "PASS"),
    "one of two inputs ignored": (lambda x, y: x * x, [ONES, ONES * 2], "PASS"),
    "wrong beside a kink": (lambda x: ag.relu(x) * ag.stop_gradient(x), np.array([0.0, 1.0]), "WRONG_GRADIENT"),
    "wrong at a kink": (lambda x: abs(x) + ag.stop_gradient(3 * x), np.array([0.0]), "WRONG_GRADIENT"),
    "wrong at a step": (lambda x: ag.floor(x) + ag.stop_gradient(5 * x), np.array([1.0]), "WRONG_GRADIENT"),
    "infinite at a cusp": (ag.cbrt, np.array([0.0, 1.0]), "KINK"),
    "a step whose middle is its value": (ag.sign, np.array([0.0]), "KINK"),
    "two steps": (lambda x: ag.floor(x) + ag.ceil(x), np.array([1.0]), "KINK"),
    "a pole": (lambda x: ag.tan(x), np.array([np.pi / 2]), "KINK"),
    "too quick for differences": (real(lambda x: ag.sin(1e11 * x)), np.array([0.3, 1.0]), "PRECISION"),
    "chaotic": (real(chaotic), np.array([0.3]), "PRECISION"),
    "chaotic, but analytic": (chaotic, np.array([0.3]), "PASS"),
    "smooth below most steps": (lambda x: ag.tanh(1e9 * x) + 0 * abs(x), np.array([0.0, 1.0]), "PRECISION"),
    "smooth below all steps": (lambda x: ag.tanh(1e13 * x) + 0 * abs(x), np.array([0.0, 1.0]), "PRECISION"),
    "a pole nearby": (lambda x: 1 / (x - 1), np.array([1 + 1e-9]), "PASS"),
    "a pole nearby, not analytic": (real(lambda x: 1 / (x - 1)), np.array([1 + 1e-9]), "PRECISION"),
    "beyond the largest number": (squared_in_silence, np.array([1e200, 1.0]), "PRECISION"),
    "infinite where it is masked": (lambda x: ag.where(x > 1, x, -np.inf), np.array([0.5, 2.0]), "PASS"),
    "infinite, but its derivative is not": (lambda x: x + np.array([np.inf, 0.0]), np.array([0.5, 2.0]), "PASS"),
    "wrong where it is infinite": (
        lambda x: x * ag.stop_gradient(x) + np.array([np.inf, 0.0]),
        np.array([0.5, 2.0]),
        "WRONG_GRADIENT",
    ),
    "steep": (steep(1e6), np.array([0.0, 1.0]), "PASS"),
}


@pytest.mark.parametrize("name", CLASSICS)
def test_classic_false_alarms_have_their_verdict(name):
    f, inputs, verdict = CLASSICS[name]
    result = ag.gradcheck(f, inputs)
    assert result.verdict == verdict, result
    assert bool(result) == (verdict == "PASS" or name == "no elements")


def test_a_step_that_rounds_to_nothing_is_widened():
    assert ag.gradcheck(lambda x: x * x, ONES * 1e8, eps=1e-20).verdict == "PASS"


def test_two_inputs_on_one_memory_overlap():
    both = np.arange(4.0)
    result = ag.gradcheck(lambda a, b: a * b, [both[:3], both[1:]])
    assert result.verdict == "OVERLAP"
    assert "a and b share memory" in repr(result)
    assert ag.gradcheck(lambda a, b: a * b, [both[:2], both[2:]])


def test_a_kink_says_where():
    (kink,) = ag.gradcheck(ag.relu, np.array([1.0, 0.0])).kinks
    assert (kink.index, kink.where) == ((1,), 0.0)
    assert (kink.left, kink.right) == pytest.approx((0.0, 1.0))


def test_generators_stand_after_a_check_as_after_one_call():
    g, h = ag.random.Generator(5), ag.random.Generator(5)
    f = random_from(g)
    assert ag.gradcheck(f, ONES)
    random_from(h)(ag.tensor(ONES))
    assert g.get_state() == h.get_state()


def test_the_operation_and_the_line_are_named(wrong_cube):
    result = ag.gradcheck(lambda x: ag.tanh(wrong_cube(x)), X)
    assert result.culprit.startswith("wrong_cube at ")
    assert "test_gradcheck.py" in result.culprit
    assert "primitives['wrong_cube']" in result.reproducer


def test_a_reproducer_runs(wrong_cube, capsys):
    exec(ag.gradcheck(wrong_cube, X).reproducer, {})
    assert "WRONG_GRADIENT" in capsys.readouterr().out


def dropping(scale):
    steps = np.arange(3.0)

    def dropped(x):
        bent = ag.stop_gradient(x) * x * scale["by"]
        return bent + steps * GAIN + softened(x)

    return dropped


def softened(x):
    return ag.tanh(x)


GAIN = 1.5


@pytest.mark.parametrize("f", [dropping({"by": 2.0}), lambda x: ag.stop_gradient(x) * x * GAIN + X[0, 0]])
def test_a_reproducer_of_a_function_without_a_name_runs(f, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    result = ag.gradcheck(f, np.array([0.5, 1.0, 3.0]))
    exec(result.reproducer, {})
    assert capsys.readouterr().out.splitlines()[:2] == str(result).splitlines()[:2]


def test_a_reproducer_of_a_program_imports_its_file(tmp_path):
    (tmp_path / "program.py").write_text(
        "import autograd as ag\n"
        "def f(x): return ag.stop_gradient(x) * x\n"
        "if __name__ == '__main__': print(ag.gradcheck(f, 0.5).reproducer)\n"
    )
    env = os.environ | {"PYTHONPATH": str(Path(ag.__file__).parents[1])}
    first = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True, check=True)
    second = subprocess.run(
        [sys.executable, "-c", first.stdout], cwd=tmp_path, env=env, capture_output=True, check=True
    )
    assert second.stdout.startswith(b"gradcheck failed: WRONG_GRADIENT: 1 of 1")


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: ag.stop_gradient(x) * x, "a factor 0.5"),
        (lambda x: 2 * ag.stop_gradient(x) - x, "a sign"),
        (lambda x: ag.stop_gradient(x) * 2, "the gradient is dropped"),
        (lambda x: x * 2 + ag.stop_gradient(x.sum() - x), "contributions are missing"),
    ],
)
def test_the_ratio_suggests_the_mistake(f, words):
    assert words in ag.gradcheck(f, np.array([0.5, 1.0, 3.0])).suggestion


def test_the_fast_mode_names_the_element():
    mask = np.zeros(500)
    mask[321] = 1
    x = np.random.default_rng(0).standard_normal(500) + 3
    result = ag.gradcheck(lambda a, x: a + (x * x + mask * ag.stop_gradient(x) * x).sum(), [1.0, x], fast=True)
    assert [(m.input, m.index) for m in result.mismatches] == [("x", (321,))]
    assert result.mismatches[0].analytic / result.mismatches[0].numeric == pytest.approx(3 / 4)


def test_forward_mode_is_checked_apart(wrong_cube):
    w = ag.tensor(X, requires_grad=True)
    assert ag.gradcheck(lambda _: (w * w).sum(), [w], mode="forward")
    result = ag.gradcheck(wrong_cube, X, mode="both")
    assert {m.mode for m in result.mismatches} == {"reverse", "forward"}


def test_order_2_checks_both_orders(wrong_cube):
    assert ag.gradcheck(lambda x: ag.sin(x) * x, X, order=2, mode="both").compared > 32
    assert ag.gradcheck(wrong_cube, X, order=2).verdict == "WRONG_GRADIENT"


def test_results_are_json(wrong_cube):
    found = json.loads(ag.gradcheck(wrong_cube, X, seed=3).to_json())
    assert (found["verdict"], found["passed"], found["seed"]) == ("WRONG_GRADIENT", False, 3)
    assert found["mismatches"][0]["analytic"] == pytest.approx(8.0)


@pytest.mark.parametrize(("setting", "words"), [({"order": 3}, "order=3"), ({"mode": "up"}, "mode='up'")])
def test_other_settings_are_refused(setting, words):
    with pytest.raises(ArgumentError, match=words):
        ag.gradcheck(ag.sin, X, **setting)


def test_other_modes_of_the_second_order_are_refused():
    with pytest.raises(ArgumentError, match="mode='up'"):
        ag.gradgradcheck(ag.sin, X, mode="up")


# ---- from the command line and from pytest


def test_the_command(capsys):
    assert main(["autograd:tanh", "2x3", "--order", "2"]) == 0
    assert "passed" in capsys.readouterr().out
    assert main(["autograd:relu", "[0.0, 1.0]", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "KINK"
    assert main(["autograd:multiply"]) == 0
    assert main(["autograd:tanh", "[1, 2]"]) == 2  # whole numbers have no derivative


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["autograd:tanh", "abc"], "'abc' is no input. Expected a shape (3x4), 'scalar' or values"),
        (["autograd:tanh", "2x3", "2x3"], "tanh"),
        (["autograd"], "'autograd' names no function. Expected module:function"),
        (["autograd:pi"], "autograd:pi is a float. Expected a function."),
        (["autograd:no_such"], "has no attribute 'no_such'"),
        (["no_such_module:f"], "No module named 'no_such_module'"),
        (["autograd:matmul"], "matmul was given shapes (2, 3) and (2, 3)"),
    ],
    ids=str,
)
def test_the_command_ends_with_2_where_there_is_nothing_to_check(arguments, words, capsys):
    assert main(arguments) == 2
    assert words in capsys.readouterr().err


def test_the_plugin(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import autograd as ag\n"
        "def test_right(gradcheck): gradcheck(ag.sin, [0.5])\n"
        "def test_wrong(gradcheck): gradcheck(lambda x: ag.stop_gradient(x) * x, [0.5])\n"
    )
    root = str(Path(ag.__file__).parents[1])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "autograd.gradcheck.plugin", "-p", "no:cacheprovider"]
    env = os.environ | {"PYTHONPATH": root, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        [*command, "--gradcheck-report", "--", "test_it.py"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr
    assert "a factor 0.5" in run.stdout
    assert re.search(r"PASS +1 derivatives +test_it.py::test_right", run.stdout)
    nowhere = [*command, "--gradcheck-report=/no/such/folder/a.json", "test_it.py"]
    refused = subprocess.run(nowhere, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (refused.returncode, "INTERNALERROR" in refused.stderr) == (4, False)
    assert "Expected a file in a folder that is there" in refused.stderr
