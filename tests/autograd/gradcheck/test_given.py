"""What a check may be given: containers, things that are no arrays, and settings that are none."""

from dataclasses import dataclass

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError
from autograd.extend import defvjp, primitive

X = np.array([0.5, -1.0, 2.0])


@dataclass
class Layer:
    w: object
    b: object


@pytest.mark.parametrize(
    ("f", "inputs", "wrong"),
    [
        (lambda p: p["w"] * ag.stop_gradient(p["b"]), {"w": X, "b": X + 1}, "p['b'][0]"),
        (
            lambda x, p: x * p["w"] * ag.stop_gradient(p["b"][1]),
            [X, {"w": X + 2, "b": [X + 3, X + 1]}],
            "p['b'][1][0]",
        ),
        (lambda p: p.w * ag.stop_gradient(p.b), [Layer(X, X + 1)], "p.b[0]"),
        (lambda pair: pair[0] * ag.stop_gradient(pair[1]), [(X, np.ones((2, 3)))], "pair[1][0, 0]"),
    ],
)
def test_inputs_may_be_containers(f, inputs, wrong):
    result = ag.gradcheck(f, inputs)
    assert result.verdict == "WRONG_GRADIENT"
    assert {m.input for m in result.mismatches} == {wrong[: wrong.rindex("[")]}
    assert wrong in {f"{m.input}{list(m.index)}" for m in result.mismatches}


def test_a_program_with_a_container_runs(capsys):
    result = ag.gradcheck(dropping, {"w": X, "b": (X + 1, None, "mean")})
    exec(result.reproducer, {})
    assert capsys.readouterr().out.startswith("gradcheck failed: WRONG_GRADIENT: 3 of 18")


def dropping(p):
    return p["w"] * ag.stop_gradient(p["b"][0])


@pytest.mark.parametrize("other", [None, "mean", (0, 1), {"axis": 0}, len, np.array([1, 2]), 3, True])
def test_what_is_no_array_is_passed_on(other):
    seen = []
    assert ag.gradcheck(lambda x, y: seen.append(y) or x * 2, [X, other]).compared == 9
    assert all(type(y) is type(other) for y in seen)


@pytest.mark.parametrize("one", [2.0, np.float32(2), np.float64(2), np.array(2.0), ag.tensor(2.0)])
def test_one_number_is_one_input(one):
    assert ag.gradcheck(lambda x: x * x, one).compared == 1
    assert ag.gradcheck(lambda x: x * x, 2).verdict == "NOTHING_CHECKED"


def test_results_that_are_none():
    assert ag.gradcheck(lambda x: (x, None), X).compared == 9
    for f, word in ((lambda x: None, "NoneType"), (lambda x: "x", "str"), (lambda x: {"a": x, "b": "y"}, "str")):
        with pytest.raises(ArgumentError, match=f"returned a {word}. Expected a Tensor"):
            ag.gradcheck(f, X)


def test_without_a_floating_result_neither_order_is_checked():
    assert ag.gradcheck(ag.argmax, X).verdict == "NOTHING_CHECKED"
    assert ag.gradgradcheck(ag.argmax, X).verdict == "NOTHING_CHECKED"


@pytest.mark.parametrize(
    "setting",
    [
        {"eps": 0},
        {"eps": float("nan")},
        {"atol": -1e-6},
        {"rtol": float("nan")},
        {"atol": "small"},
        {"max_elements": 0},
        {"max_elements": 1.5},
        {"seed": -1},
        {"names": "x"},
        {"names": ["x", "y"]},
    ],
    ids=str,
)
@pytest.mark.parametrize("check", [ag.gradcheck, ag.gradgradcheck])
def test_settings_that_are_none_are_refused(check, setting):
    with pytest.raises(ArgumentError, match=rf"{next(iter(setting))}=.*Expected"):
        check(ag.sin, X, **setting)


def test_what_is_no_function_is_refused():
    with pytest.raises(ArgumentError, match=r"given a ndarray to check. Expected a function"):
        ag.gradcheck(X, ag.sin)


def test_a_function_that_writes_into_its_argument_is_told_so():
    @primitive
    def raised(x):
        x += 1
        return x * x

    defvjp(raised, lambda y, x: lambda g: 2 * g * x)
    result = ag.gradcheck(raised, [X.copy()])
    assert (result.verdict, result.reason[:15]) == ("NONDETERMINISTIC", "f writes into x")


def test_a_list_of_numbers_for_one_input_is_refused():
    with pytest.raises(ArgumentError, match=r"given 2 inputs, which <lambda>\(x\) does not take.*np\.array\("):
        ag.gradcheck(lambda x: x * x, [0.5, 2.0])


@pytest.mark.parametrize("fast", [False, True])
def test_a_result_that_grows_where_its_input_moves_is_refused(fast):
    with pytest.raises(ArgumentError, match="returned 1 numbers for its inputs and 2 a little beside"):
        ag.gradcheck(lambda x: x[x > 0.5], X, fast=fast)


def test_a_long_input_is_given_back_with_its_range():
    at = np.arange(600) % 7
    wrong = ag.primitive(lambda x: np.log(x), vjp=lambda g, x: g * x, check=False)
    result = ag.gradcheck(lambda x, at: wrong(x)[:600] * (1 + at), [np.linspace(1, 2, 1000), at], max_elements=200)
    line = result.reproducer.splitlines()[-1]
    given = eval(line[line.index("[") : line.rindex("]") + 1], {"np": np})
    assert [len(a) for a in given][:1] == [1000]
    assert given[0].min() >= 1
    assert [(a.dtype, a.min(), a.max()) for a in given[1:]] in ([], [(at.dtype, 0, 6)])


@pytest.mark.parametrize("decorated", [ag.fused, ag.compile])
def test_a_reproducer_of_a_decorated_function_runs(decorated, capsys):
    result = ag.gradcheck(decorated(lambda x: ag.stop_gradient(x) * x), np.array([1.0, 2.0]))
    exec(result.reproducer, {})
    assert "2 of 4 derivatives differ" in capsys.readouterr().out


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("mode", ["reverse", "forward", "both"])
def test_a_mistake_of_second_order_has_its_operation_and_a_program(mode, fast):
    cube = ag.primitive(lambda x: x**3, vjp=lambda g, x: g * 3 * ag.stop_gradient(x) ** 2, check=False)
    result = ag.gradcheck(lambda x: cube(ag.sin(x)), np.array([0.5, 2.0]), order=2, mode=mode, fast=fast)
    assert result.verdict == "WRONG_GRADIENT"
    assert result.culprit.startswith("<lambda> at ")
    assert "order=2" in result.reproducer
    assert "pull_back" not in result.reproducer
