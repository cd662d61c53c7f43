"""L-BFGS and its line search: the steps that Wolfe's conditions allow, SciPy's minima, and the words of its errors."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.optimize import rosen

import autograd as ag
import optim
from autograd.errors import ArgumentError, CheckpointError, DifferentiationError
from optim.line_search import Point, cubic_minimum, strong_wolfe


def along(f, slope):
    """The line search's view of a function of one variable, with a note of where it was asked."""
    asked = []

    def evaluate(t):
        asked.append(t)
        return Point(t, f(t), ag.tensor([slope(t)]), slope(t))

    return evaluate, asked


LINES = {  # each with a first place that is too short, too long, or far too long
    "parabola": (lambda t: (t - 2) ** 2, lambda t: 2 * (t - 2)),
    "quartic": (lambda t: (t - 1) ** 4 - t, lambda t: 4 * (t - 1) ** 3 - 1),
    "flat tail": (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2),  # More and Thuente 1994, 5.1
    "kinks": (
        lambda t: (t + 0.004) ** 5 - 2 * (t + 0.004) ** 4,
        lambda t: 5 * (t + 0.004) ** 4 - 8 * (t + 0.004) ** 3,
    ),
    "waves": (lambda t: np.sin(3 * t) - 2 * t + 0.3 * t * t, lambda t: 3 * np.cos(3 * t) - 2 + 0.6 * t - 1e-9),
}


@pytest.mark.parametrize("t", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("name", LINES)
def test_the_line_search_meets_both_conditions(name, t):
    f, slope = LINES[name]
    if slope(0) >= 0:
        f, slope = (lambda t, f=f: f(-t)), (lambda t, slope=slope: -slope(-t))
    evaluate, asked = along(f, slope)
    start = evaluate(0)
    found = strong_wolfe(evaluate, start, t, length=1.0, smallest=1e-9, limit=60)
    assert found.t > 0
    assert found.f <= start.f + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)
    assert len(asked) < 40


def test_the_line_search_stops_at_its_limit():
    evaluate, asked = along(*LINES["parabola"])
    start = evaluate(0)
    assert strong_wolfe(evaluate, start, 1e-6, length=1.0, smallest=1e-9, limit=2).f < start.f
    assert len(asked) == 1 + 3
    assert strong_wolfe(evaluate, start, 1e9, length=1.0, smallest=1e-9, limit=0) is start


def test_the_cubic_of_two_equal_points_has_its_minimum_in_the_middle():
    p = Point(1.0, 0.0, ag.tensor([0.0]), 0.0)
    assert cubic_minimum(p, p, (0.0, 3.0)) == 1.5


def chained(**settings):
    """Rosenbrock's function of eight variables in three parameters."""
    ws = [ag.tensor(x, requires_grad=True) for x in ([[-1.2, 1.0], [-1.2, 1.0]], [-1.2, 1.0, -1.2], 1.0)]
    optimizer = optim.LBFGS(ws, **settings)
    calls = []

    def closure():
        optimizer.zero_grad()
        x = ag.concat([w.reshape(-1) for w in ws])
        loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
        loss.backward()
        calls.append(loss.item())
        return loss

    return ws, optimizer, closure, calls


def test_the_line_search_reaches_the_minimum_of_rosenbrocks_function():
    ws, optimizer, closure, calls = chained(max_iter=200, tolerance_change=1e-14, line_search_fn="strong_wolfe")
    loss = optimizer.step(closure)
    assert loss.item() == calls[0] == pytest.approx(rosen([-1.2, 1.0] * 4))
    assert max(abs(w - 1).max().item() for w in ws) < 1e-6
    state = optimizer.state[ws[0]]
    assert state["func_evals"] == len(calls) < 120
    assert optimizer.step(closure).item() < 1e-12  # nothing to do: one evaluation
    assert optimizer.state[ws[0]]["func_evals"] == state["func_evals"] + 1


def test_only_as_many_evaluations_as_allowed():
    _, optimizer, closure, calls = chained(max_iter=50, max_eval=9, line_search_fn="strong_wolfe")
    optimizer.step(closure)
    assert 9 <= len(calls) <= 10
    assert optimizer.param_groups[0]["max_eval"] == 9
    assert chained(max_iter=8)[1].param_groups[0]["max_eval"] == 10


def test_only_as_many_steps_are_remembered_as_asked():
    ws, optimizer, closure, _ = chained(history_size=3, line_search_fn="strong_wolfe")
    optimizer.step(closure)
    state = optimizer.state[ws[0]]
    assert [len(state[name]) for name in ("old_dirs", "old_stps", "ro")] == [3, 3, 3]
    y, s, ro = state["old_dirs"][-1], state["old_stps"][-1], state["ro"][-1]
    assert ro.item() == pytest.approx(1 / (y @ s).item())


def test_a_parameter_without_a_gradient_stays():
    used, unused = (ag.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = optim.LBFGS([used, unused], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = (used**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert abs(used).max().item() < 0.05
    assert unused.tolist() == [1.0, 2.0]


def w():
    return ag.tensor([1.0], requires_grad=True)


ERRORS = [
    (lambda: optim.LBFGS([{"params": [w()]}, {"params": [w()]}]), ArgumentError, "given 2 groups. Expected one"),
    (
        lambda: optim.LBFGS([w()], line_search_fn="armijo"),
        ArgumentError,
        "line_search_fn='armijo'. Expected 'strong_wo",
    ),
    (lambda: optim.LBFGS([w()], max_iter=0), ArgumentError, "max_iter=0. Expected 1 <= max_iter"),
    (lambda: optim.LBFGS([w()]).step(), DifferentiationError, r"no closure(.|\n)*optimizer.step\(closure\)"),
    (
        lambda: optim.LBFGS([w()]).step(lambda: ag.tensor(1.0)),
        DifferentiationError,
        "after the closure. Call loss.back",
    ),
]


@pytest.mark.parametrize(("wrong", "error", "words"), ERRORS)
def test_words(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong()


def test_a_state_of_other_parameters_is_refused():
    _, optimizer, closure, _ = chained()
    optimizer.step(closure)
    other = optim.LBFGS([w(), w(), w()])
    with pytest.raises(CheckpointError, match=r"'d': \(8,\).*LBFGS cannot go on"):
        other.load_state_dict(optimizer.state_dict())


def path_of(library, x, settings):
    """Where 100 steps on Rosenbrock's function lead, by PyTorch's L-BFGS or by ours."""
    w = ag.tensor(x, requires_grad=True) if library is optim else library.tensor(x, requires_grad=True)
    optimizer = (optim if library is optim else library.optim).LBFGS([w], **settings)

    def closure():
        optimizer.zero_grad()
        loss = (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()
        loss.backward()
        return loss

    places = []
    for _ in range(100):
        optimizer.step(closure)
        places.append(w.detach().numpy().copy())
    return np.array(places)


def distance(a, b):
    """How far two paths have come from each other, by each step."""
    return np.maximum.accumulate(abs(a - b).max(axis=1))


if find_spec("torch"):  # where PyTorch is installed

    @pytest.mark.parametrize("n", [2, 8])
    @pytest.mark.parametrize(
        "settings",
        [
            {"lr": 0.1, "max_iter": 1},
            {"lr": 0.1, "max_iter": 1, "history_size": 3},
            {"lr": 0.01, "max_iter": 4, "history_size": 5},
            {"max_iter": 1, "max_eval": 20, "line_search_fn": "strong_wolfe"},
            {"lr": 0.5, "max_iter": 2, "history_size": 3, "max_eval": 20, "line_search_fn": "strong_wolfe"},
        ],
    )
    def test_it_goes_pytorchs_way_as_far_as_a_rounding_error_lets_that_be_known(n, settings):
        """Two paths of PyTorch's own part as far where the start of one is the next floating number.

        In the narrow valley a difference of one rounding grows a thousandfold in 100 steps and more: that two paths are
        within 1e-12 can be asked for until PyTorch's own are that far apart; a formula that differs would show before.
        """
        torch = import_module("torch")
        x = np.array([-1.2, 1.0] * (n // 2))
        wanted = path_of(torch, x, settings)
        spread = [distance(wanted, path_of(torch, np.nextafter(x, to), settings)) for to in (np.inf, -np.inf, 0)]
        apart = distance(wanted, path_of(optim, x, settings))
        known = np.max(spread, axis=0)
        assert (apart <= 1e-12 + 10 * known).all()
        assert apart[known < 1e-14].max(initial=0.0) < 1e-12
        assert known[:5].max() < 1e-11
        assert abs(wanted[-1] - x).max() > 0.05
