"""The derivatives that are timed: every library's are those of the same networks, worked out here in another way."""

from importlib.util import find_spec

import numpy as np
import pytest

import autograd as ag
from bench import derivatives
from bench.derivatives import measure
from bench.derivatives.cases import CASES, GRADIENT, GRADIENT_PROGRAM, PROGRAM
from bench.derivatives.network import cut, shapes
from bench.kernels import serve
from bench.kernels.case import EAGER, JAX, OURS, TORCH, Limit
from bench.kernels.libraries import LIBRARIES, missing
from bench.kernels.measure import Players
from bench.kernels.result import Result

SHRINK = 64
CPU = 2
HESSIAN, RATIO, PRODUCT, JACOBIAN, SAMPLES = CASES
STEP, TINY = 1e-5, 1e-30  # of a difference, and of an imaginary step


@pytest.fixture(scope="module")
def library():
    return LIBRARIES["ours"](ag.get_num_threads())


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(serve, "enough", lambda statement, lasting: 1)


def sides(case):
    return [label for label, side in case.sides.items() if side.library == "ours"]


OURS_SIDES = [(name, label) for name, case in CASES.items() for label in sides(case)]


# ---- the same in NumPy: values alone, first derivatives by imaginary steps, second ones by differences of them


def forward(params, x, bend):
    for k in range(0, len(params), 2):
        x = x @ params[k].T + params[k + 1]
        x = bend(x) if k < len(params) - 2 else x
    return x


def relu(x):
    return np.where(x.real > 0, x, 0)


def entropy(params, x, labels):
    z = forward(params, x, relu)
    return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels])


def slopes(f, flat):
    """The gradient of f, or its Jacobian, last axis first."""
    steps = np.eye(flat.size) * (1j * TINY)
    return np.array([np.imag(f(flat + step)) / TINY for step in steps])


def bent(f, flat, direction):
    """The Hessian of f times a direction."""
    return (slopes(f, flat + STEP * direction) - slopes(f, flat - STEP * direction)) / (2 * STEP)


def joined(arrays):
    return np.concatenate([np.ravel(a).astype(np.float64) for a in arrays])


def of_hessian(flat, x, y):
    flat, widths = np.float64(flat), (x.shape[1], (flat.size - 1) // (x.shape[1] + 2), 1)

    def loss(p):
        return np.mean((forward(cut(p, widths), x, np.tanh) - y) ** 2)

    return [np.array([bent(loss, flat, e) for e in np.eye(flat.size)])]


def of_mlp(x, labels, parts):
    """The loss of all parameters as one vector, and they."""
    widths = (x.shape[1], *(len(b) for b in parts[1::2]))
    return lambda p: entropy(cut(p, widths), np.float64(x), labels), joined(parts), widths


def of_product(x, labels, *parts):
    half = len(parts) // 2
    f, flat, widths = of_mlp(x, labels, parts[:half])
    return cut(bent(f, flat, joined(parts[half:])), widths)


def of_gradient(x, labels, *parts):
    f, flat, widths = of_mlp(x, labels, parts[: len(parts) // 2])
    return cut(slopes(f, flat), widths)


def of_ratio(x, labels, *parts):
    gradient, directions = of_gradient(x, labels, *parts), parts[len(parts) // 2 :]
    return [joined(gradient) @ joined(directions), *of_product(x, labels, *parts)]


def of_jacobian(x, *params):
    return [slopes(lambda v: forward(params, v, np.tanh), np.float64(x)).T]


def of_samples(x, labels, *params):
    each = []
    for k in range(len(x)):
        f, flat, widths = of_mlp(x[k : k + 1], labels[k : k + 1], params)
        each.append(cut(slopes(f, flat), widths))
    return [np.stack(rows) for rows in zip(*each, strict=True)]


EXPECTED = {HESSIAN: of_hessian, RATIO: of_ratio, PRODUCT: of_product, JACOBIAN: of_jacobian, SAMPLES: of_samples}


@pytest.mark.parametrize(("name", "label"), OURS_SIDES)
def test_our_side_gives_the_derivatives(name, label, library):
    case = CASES[name]
    arrays = case.arrays(SHRINK)
    statement = case.sides[label].make(library, *arrays)
    statement()  # a program is made by the first call and runs from the second one
    found = library.results(statement())
    expected = (of_gradient if label in (GRADIENT, GRADIENT_PROGRAM) else EXPECTED[name])(*arrays)
    assert {a.dtype for a in found} == {np.dtype(np.float32)}
    assert [a.shape for a in found] == [np.shape(a) for a in expected]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max())
        assert np.abs(b).max() > 1e-3


@pytest.mark.parametrize(("name", "label"), [(n, label) for n, label in OURS_SIDES if "compiled" in label])
def test_what_is_called_compiled_is_a_program(name, label, library, monkeypatch):
    made, real = [], ag.compile
    monkeypatch.setattr(ag, "compile", lambda f: made.append(real(f)) or made[-1])
    statement = CASES[name].sides[label].make(library, *CASES[name].arrays(SHRINK))
    statement()
    statement()
    assert [program.reasons() for program in made] == [[]]
    assert len(made[0].listings()) == 1


# ---- what is asked for


def test_the_promises_are_those_that_were_made():
    limits = {name: case.limits for name, case in CASES.items() if case.limits}
    of_product = (Limit(4.0, (GRADIENT,)), Limit(4.0, (GRADIENT_PROGRAM,), PROGRAM))
    assert limits == {HESSIAN: (Limit(1.0, (JAX,)),), RATIO: of_product}


def test_the_work_has_the_promised_sizes():
    flat, x, _ = CASES[HESSIAN].arrays()
    assert (flat.size, len(x)) == (485, 64)
    x, *params = CASES[JACOBIAN].arrays()
    assert (x.size, params[-1].size, [p.shape for p in params]) == (64, 32, shapes((64, 64, 32)))
    for name in (RATIO, PRODUCT, SAMPLES):
        x, labels, *parts = CASES[name].arrays()
        assert (x.shape, set(labels)) == ((128, 784), set(range(10)))
        assert [p.shape for p in parts[:6]] == shapes((784, 256, 128, 10))
        assert len(parts) == (6 if name == SAMPLES else 12)
    arrays = [a for case in CASES.values() for a in case.arrays(SHRINK)]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32), np.dtype(np.int64)}


def test_matrices_are_timed_with_and_without_a_program():
    for name in (HESSIAN, JACOBIAN):
        assert list(CASES[name].sides) == [OURS, EAGER, TORCH, JAX]
    for name in (PRODUCT, SAMPLES):
        assert list(CASES[name].sides) == [OURS, PROGRAM, TORCH, JAX]
    assert list(CASES[RATIO].sides) == [OURS, PROGRAM, GRADIENT, GRADIENT_PROGRAM]


@pytest.mark.parametrize(("peer", "label"), [("torch", TORCH), ("jax", JAX)])
def test_peers_agree_in_processes_of_their_own(peer, label, library, quick):
    room = serve.Room(library, SHRINK, CASES)
    players = Players(CPU, SHRINK, True, "bench.derivatives.serve")
    with players.stack:
        player = players[peer]
        if player is None:
            assert find_spec(peer) is None
            assert players.absent[peer] == missing(peer)
            return
        off = {}
        for name, case in CASES.items():
            if label in case.sides:
                ours, theirs = room.answer("case", name, OURS), player.ask("case", name, label)
                far = case.apart(theirs.get("figures", ()), ours["figures"])
                off |= {} if far <= 1 else {name: theirs.get("failed", far)}
                room.answer("forget")
                player.ask("forget")
    assert off == {}


def figures(name, label, library):
    case = CASES[name]
    arrays = case.arrays(SHRINK)
    found = library.results(case.sides[label].make(library, *arrays)())
    return case, arrays, found, case.figures(arrays, found)


@pytest.mark.parametrize("name", CASES)
def test_figures_tell_a_wrong_derivative(name, library):
    case, arrays, found, right = figures(name, OURS, library)
    found[0] = found[0] * 1.003
    assert case.apart(case.figures(arrays, found), right) > 1


def test_a_gradient_is_compared_with_what_its_product_gives(library):
    case, arrays, found, right = figures(RATIO, GRADIENT, library)
    for label in (OURS, PROGRAM, GRADIENT_PROGRAM):
        assert case.apart(figures(RATIO, label, library)[-1], right) < 0.1
    (_, size), gradient = right[0], found[4]
    found[4] = gradient + 0.01 * size * arrays[2 + 6 + 4]  # towards the direction
    assert case.apart(case.figures(arrays, found), right) > 1


def test_cases_are_chosen_by_name_and_take_turns(monkeypatch):
    asked = []

    def fake(case, players, repeats):
        asked.append((case.name, players.module, players.threads, repeats))
        return Result(case.name, [], ["jax.jit is absent."], 2, 0, {OURS: [3e-6], TORCH: [4e-6]})

    monkeypatch.setattr(measure, "measure", fake)
    found = derivatives.run(repeats=7, only=["hessian"])
    assert [r.case for r in found] == [HESSIAN, PRODUCT]
    assert asked == [(name, "bench.derivatives.serve", measure.cores(), 7) for name in (HESSIAN, PRODUCT)]
    *_, last, _, note = derivatives.show(found).splitlines()
    assert last.removeprefix(PRODUCT).split() == ["2", "3.0", "4.0", "0.75", "torch"]
    assert note == "jax.jit is absent."
