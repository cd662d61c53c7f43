"""What `elementwise` makes: an operation with settings, dtypes, a place on the tape, kernels and derivatives."""

import gc
import math

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.program.scalar import FUSED, registered
from autograd.program.steps import Steps

RNG = np.random.default_rng(0)
COEFFICIENTS = (0.5, -1.0, 0.25, 2.0)
GAIN = 1.5


def quotient(x, y):
    return (x - y) / (1 + y * y)


def huber(error, *, delta=1.0):
    """Quadratic near zero, linear beyond `delta`."""
    if abs(error) <= delta:
        return 0.5 * error * error
    else:
        return delta * (abs(error) - 0.5 * delta)


def horner(x):
    total = 0.0
    for c in COEFFICIENTS:
        total = total * x + c
    return total


def defaulted(x, y=0.5):
    return x * y


def unused(x, y):
    return x


def inside(x, y):
    return x * x + y * y < 1 and x > -0.5


def by_numbers(f, xs):
    return np.array([f(*numbers) for numbers in zip(*(x.tolist() for x in xs), strict=True)])


def test_arguments_broadcast_and_numbers_are_weak():
    op = ag.elementwise(quotient)
    x, y = RNG.standard_normal((3, 1)), RNG.standard_normal(4)
    np.testing.assert_array_equal(op(x, y), (x - y) / (1 + y * y))
    assert op(x.astype("float32"), 2).dtype == op(2.0, x.astype("float32")).dtype == np.float32
    assert op(np.float64(2.0), x.astype("float32")).dtype == np.float64
    assert op(ag.tensor(x, requires_grad=True), y).shape == (3, 4)
    assert ag.elementwise(unused)(x, y).shape == ag.elementwise(inside)(x, y).shape == (3, 4)
    wide = op(np.ones((100, 1), "float32"), np.ones(50, "float32"))
    assert (wide.shape, wide.dtype) == ((100, 50), np.float32)
    with pytest.raises(ShapeError, match=r"quotient was given shapes \(3,\), \(4,\)"):
        op(ag.ones(3), ag.ones(4))


def test_kinds_of_arguments():
    op = ag.elementwise(horner)
    assert op(2.0) == op(2) == horner(2.0)
    assert isinstance(op(2.0), np.float64)
    assert isinstance(op(ag.tensor(2.0)), ag.Tensor)
    assert op([1.0, 2.0]).tolist() == [horner(1.0), horner(2.0)]
    assert op(np.arange(5)).tolist() == [horner(float(k)) for k in range(5)]
    assert op(np.arange(5000)).dtype == np.float64
    assert op(np.array([True, False])).tolist() == [horner(1.0), horner(0.0)]
    with pytest.raises(ArgumentError, match="x of horner was given a str"):
        op("1")
    with pytest.raises(DTypeError, match="complex128"):
        op(np.ones(2) * 1j)


def test_whole_numbers_are_divided_and_raised_as_numbers_are():
    n = np.arange(1, 6)
    np.testing.assert_allclose(ag.elementwise(lambda x: x**-2 + 1 / x)(n), n**-2.0 + 1 / n, rtol=1e-15)


def test_conditions_are_booleans():
    op = ag.elementwise(inside)
    for size in (50, 5000):
        x, y = RNG.uniform(-2, 2, (2, size))
        got = op(ag.tensor(x, requires_grad=True), y)
        assert (got.dtype, got.requires_grad) == (np.bool_, False)
        assert got.tolist() == [inside(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]


def test_settings_are_compiled_for():
    op = ag.elementwise(huber)
    x = RNG.uniform(-5, 5, 5000)
    for delta in (1, 1.0, 2.5):
        np.testing.assert_allclose(op(x, delta=delta), by_numbers(lambda e, d=delta: huber(e, delta=d), [x]))
    assert len(op.versions) == 3
    np.testing.assert_array_equal(op(x, delta=np.float32(2.5)), op(x, delta=2.5))
    assert ag.gradcheck(lambda t: op(t, delta=0.5), [x[:20]])
    with pytest.raises(ArgumentError, match=r"delta of huber was given a Tensor.*\n.*write delta before the \*"):
        op(x, delta=ag.tensor(1.0))
    with pytest.raises(
        ArgumentError, match=r"unexpected keyword argument 'gain'.*Expected huber\(error, \*, delta=1.0\)"
    ):
        op(x, gain=2)


def test_a_setting_may_say_how_often_a_loop_runs_or_which_formula_holds():
    @ag.elementwise
    def series(x, *, terms, kind="plain"):
        total, term = 0.0, 1.0
        for k in range(terms):
            total += term if kind == "plain" or k % 2 == 0 else -term
            term *= x / (k + 1)
        return total

    x = np.linspace(-1, 1, 7)
    np.testing.assert_allclose(series(x, terms=20), np.exp(x), rtol=1e-14)
    np.testing.assert_allclose(series(x, terms=20, kind="alternating"), np.exp(-x), rtol=1e-14)


def test_arguments_by_name_and_by_default():
    op = ag.elementwise(defaulted)
    x = np.ones(3)
    assert (op(x).tolist(), op(x, y=2 * x).tolist(), op(y=3.0, x=x).tolist()) == ([0.5] * 3, [2.0] * 3, [3.0] * 3)
    with pytest.raises(ArgumentError, match="missing a required argument: 'x'"):
        op()


def test_numbers_from_outside_are_read_when_it_is_decorated():
    rate = 2.0
    op = ag.elementwise(lambda x: x * rate * GAIN)
    before = op(1.0)
    rate = 5.0
    assert (before, op(1.0), rate) == (3.0, 3.0, 5.0)


@pytest.mark.parametrize("size", [5, 5000])
def test_it_stands_on_the_tape_under_its_name(size):
    op = ag.elementwise(huber)
    x = ag.tensor(np.linspace(-2, 2, size), requires_grad=True)
    assert "v2 = huber(v1" in ag.tape_of(op(x))
    assert (op.__name__, op.__doc__, repr(op)) == ("huber", huber.__doc__, "<elementwise huber(error, *, delta=1.0)>")


def test_two_functions_of_one_name_are_two():
    def make(k):
        def shifted(x):
            return x + k

        return ag.elementwise(shifted)

    one, two = make(1), make(2)
    x = np.zeros(5000)
    assert (one(x)[0], two(x)[0], one(0), two(0)) == (1, 2, 1, 2)
    assert registered("shifted") == [one, two]
    del one
    gc.collect()
    assert registered("shifted") == [two]


def test_explain_shows_the_kernels():
    text = ag.explain(ag.elementwise(huber), np.ones(5000))
    assert text.startswith("forward: 8 symbols, 1 kernel over 1 x 5000")
    assert "where(" in text
    assert "backward: " in text
    assert ag.explain(ag.elementwise(lambda x: math.asinh(x)), np.ones(5000)) == (
        "not fused: asinh has no kernel function for float64"
    )


def test_it_nests_in_fused_functions_and_in_others_of_its_kind():
    inner = ag.elementwise(huber)
    outer = ag.elementwise(lambda x: inner(2 * x) + 1)
    whole = ag.fused(lambda x: ag.sum(outer(x)))
    x = np.linspace(-2, 2, 5000)
    expected = sum(huber(2 * v) + 1 for v in x.tolist())
    np.testing.assert_allclose(whole(x), expected, rtol=1e-12)
    assert whole.reasons() == []


def test_forward_mode_and_higher_orders():
    op = ag.elementwise(lambda x: x * math.log(x) if x > 0 else 0.0)
    x = np.array([-1.0, 0.5, 2.0])
    _, moved = ag.jvp(op, [x], [np.ones(3)])
    np.testing.assert_allclose(moved.numpy(), [0, math.log(0.5) + 1, math.log(2) + 1])
    t = ag.tensor(x[1:], requires_grad=True)
    y = op(t)
    for expected in (np.log(x[1:]) + 1, 1 / x[1:], -1 / x[1:] ** 2, 2 / x[1:] ** 3):
        (y,) = ag.grad(y.sum(), t, create_graph=True)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)


def test_no_grad_and_inference_mode():
    op = ag.elementwise(huber)
    x = ag.tensor([0.5, 2.0], requires_grad=True)
    with ag.no_grad():
        assert not op(x).requires_grad
    y = op(x)
    with ag.inference_mode():
        y.backward(np.ones(2))
    assert x.grad.tolist() == [0.5, 1.0]


def test_long_functions_run_without_kernels_and_say_so():
    def long(x):
        for k in range(FUSED):
            x = x * 0.5 + k
        return x

    op = ag.elementwise(long)
    assert op(np.zeros(5000))[0] == long(0.0)
    assert op.reasons() == [f"it takes {2 * FUSED} steps, and kernels are made for at most {FUSED}"]


def test_steps_are_done_once_and_only_if_they_are_needed():
    steps = Steps(["x"])
    (x,) = steps.inputs
    for _ in range(3):
        _unneeded = ag.sin(x)
        y = ag.exp(x) * (x + 1.0)
    assert [op.name for op, *_ in steps.program(y).lines] == ["exp", "add", "multiply"]
    program = steps.program(y)
    freed = [k for *_, done in program.lines for k in done]
    read = {k for _, _, operands, _ in program.lines for k in operands}
    assert sorted(freed) == sorted(read)
    assert program.result not in freed


@pytest.mark.parametrize(
    ("given_f", "words"),
    [
        (math.sin, "was given a builtin_function_or_method"),
        (3, "was given a int"),
        (lambda *xs: xs[0], r"takes \*xs. Expected a fixed number"),
        (lambda **xs: 1.0, r"takes \*\*xs"),
        (lambda *, a=1: a, "takes no positional argument"),
    ],
)
def test_what_is_no_function_of_numbers_is_refused(given_f, words):
    with pytest.raises(ArgumentError, match=words):
        ag.elementwise(given_f)
