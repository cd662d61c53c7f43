"""Averages of weights: the two rules against NumPy, swapping, saving, and the words of the errors."""

import numpy as np
import pytest

import autograd as ag
import optim
from autograd.errors import ArgumentError, CheckpointError, DTypeError

SHAPES = [(3, 2), (4,), ()]


def trained(average, ws, steps, rng):
    """Move the weights and average them; the values at each update."""
    seen = []
    for _ in range(steps):
        with ag.no_grad():
            for w in ws:
                w.copy_(rng.normal(size=w.shape))
        average.update()
        seen.append([w.numpy().copy() for w in ws])
    return seen


def weights(dtype="float64"):
    return [ag.tensor(np.zeros(shape), dtype=dtype, requires_grad=True) for shape in SHAPES]


@pytest.mark.parametrize("decay", [None, 0.9, 0.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_average(decay, dtype):
    ws = weights(dtype)
    average = optim.WeightAverage(ws, decay)
    seen = trained(average, ws, 7, np.random.default_rng(1))
    for k, a in enumerate(average.averages):
        values = [some[k] for some in seen]
        wanted = values[0]
        for value in values[1:]:
            wanted = np.mean(values, axis=0) if decay is None else decay * wanted + (1 - decay) * value
        np.testing.assert_allclose(a.numpy(), wanted, rtol=1e-12 if dtype == "float64" else 1e-5, atol=1e-7)
        assert a.dtype == dtype
    assert average.n_averaged == 7
    assert average._foreach.reasons == set()


def test_the_parameters_do_not_feel_their_average():
    ws = weights()
    average = optim.WeightAverage(ws)
    seen = trained(average, ws, 3, np.random.default_rng(2))
    for w, value in zip(ws, seen[-1], strict=True):
        np.testing.assert_array_equal(w.numpy(), value)
        assert w.is_leaf
        assert w.requires_grad


def test_swap_comes_back_however_it_ends():
    ws = weights()
    average = optim.WeightAverage(ws)
    last = trained(average, ws, 3, np.random.default_rng(3))[-1]
    mean = [a.numpy().copy() for a in average.averages]

    def stop():
        with average.swap():
            for w, a in zip(ws, mean, strict=True):
                np.testing.assert_array_equal(w.numpy(), a)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    for w, value, a, kept in zip(ws, last, mean, average.averages, strict=True):
        np.testing.assert_array_equal(w.numpy(), value)
        np.testing.assert_array_equal(kept.numpy(), a)
    average.copy_()
    for w, a in zip(ws, mean, strict=True):
        np.testing.assert_array_equal(w.numpy(), a)


@pytest.mark.parametrize("decay", [None, 0.7])
def test_goes_on_from_a_stored_state(decay):
    ws, again = weights(), weights()
    whole = optim.WeightAverage(zip("abc", ws, strict=True), decay)
    rng = np.random.default_rng(4)
    trained(whole, ws, 3, rng)
    saved, after = whole.state_dict(), np.random.default_rng(5)
    trained(whole, ws, 3, after)
    resumed = optim.WeightAverage(zip("abc", again, strict=True))
    resumed.load_state_dict(saved)
    trained(resumed, again, 3, np.random.default_rng(5))
    for got, wanted in zip(resumed.averages, whole.averages, strict=True):
        np.testing.assert_array_equal(got.numpy(), wanted.numpy())
    assert list(saved["averages"]) == ["a", "b", "c"]
    assert repr(resumed) == f"WeightAverage(3 parameters, decay={decay}, n_averaged=6)"


def test_the_average_of_a_noisy_descent_is_nearer_to_the_minimum():
    rng = np.random.default_rng(6)
    w = ag.tensor(np.full(50, 3.0), requires_grad=True)
    descent, average = optim.SGD([w], lr=0.5), optim.WeightAverage([w], decay=0.95)
    for _ in range(300):
        w.grad = w.detach() + rng.normal(size=50)
        descent.step()
        average.update()
    assert (average.averages[0] ** 2).mean().item() < 0.2 * (w.detach() ** 2).mean().item()


def inside(action):
    average = optim.WeightAverage(weights())
    with average.swap():
        action(average)


def nested(average):
    with average.swap():
        pass


STATE = {"n_averaged": 1, "decay": None}
ERRORS = [
    (lambda: optim.WeightAverage([]), ArgumentError, r"no list of parameters.\n.*model.parameters\(\)"),
    (lambda: optim.WeightAverage(weights()[0]), ArgumentError, "no list of parameters"),
    (lambda: optim.WeightAverage([1.0]), DTypeError, "parameter '0' of WeightAverage is a float"),
    (lambda: optim.WeightAverage([("a", weights()[0])] * 2), ArgumentError, "twice"),
    (lambda: optim.WeightAverage(weights(), decay=1.0), ArgumentError, "decay=1.0. Expected None, or 0 <= decay < 1"),
    (lambda: inside(lambda a: a.update()), ArgumentError, r"inside `with average.swap\(\)`(.|\n)*after the block"),
    (lambda: inside(nested), ArgumentError, "swap was entered twice"),
    (
        lambda: optim.WeightAverage(weights()).load_state_dict({}),
        CheckpointError,
        "Expected n_averaged, decay, averages",
    ),
    (
        lambda: optim.WeightAverage([("a", weights()[1])]).load_state_dict({**STATE, "averages": {"b": np.ones(4)}}),
        CheckpointError,
        r"averages are of \['b'\]. Expected \['a'\]",
    ),
    (
        lambda: optim.WeightAverage([("a", weights()[1])]).load_state_dict({**STATE, "averages": {"a": np.ones(3)}}),
        CheckpointError,
        r"average of 'a' has shape \(3,\). Expected \(4,\)",
    ),
]


@pytest.mark.parametrize(("wrong", "error", "words"), ERRORS)
def test_words(wrong, error, words):
    with pytest.raises(error, match=words):
        wrong()


@pytest.mark.parametrize("decay", [None, 0.5])
def test_a_compiled_step_asks_what_it_averages(decay):
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    average, slow = (optim.WeightAverage([w], decay) for _ in range(2))

    @ag.compile
    def step(x):
        with ag.no_grad():
            w.copy_(w * x)
        average.update()

    def both(x):
        step(ag.asarray(x))
        slow.update()
        np.testing.assert_allclose(average.averages[0], slow.averages[0], rtol=1e-14)
        assert average.n_averaged == slow.n_averaged

    for x in (1.5, 0.5, 3.0, 2.0):
        both(x)
    stored = average.state_dict()
    both(1.5)
    for kept in (
        stored,
        stored | {"n_averaged": 0},
        stored | {"decay": 0.25},
    ):  # other averages, none yet, another rate
        for a in (average, slow):
            a.load_state_dict(kept)
        both(0.75)
        both(1.25)
    with average.swap(), pytest.raises(ArgumentError, match=r"inside `with average\.swap"):
        step(ag.asarray(1.0))
    both(2.0)
