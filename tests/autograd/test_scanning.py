"""Scans: loops of kernels against the same steps in Python, in values and derivatives of every order."""

import threading

import numpy as np
import pytest

import autograd as ag
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.scanning import reasons
from autograd.tree import flatten

B, H, T = 8, 24, 30  # the rows of all steps are above the size from which kernels run


def tanh_rnn(h, x, w, b):
    h = ag.tanh(x + h @ w + b)
    return h, h


def lstm(carry, x, w):
    h, c = carry
    i, f, g, o = ag.split(x + h @ w.mT, 4, axis=1)
    c = ag.sigmoid(f) * c + ag.sigmoid(i) * ag.tanh(g)
    h = ag.sigmoid(o) * ag.tanh(c)
    return (h, c), h


def gru(h, x, w, b):
    xr, xz, xn = ag.split(x, 3, axis=1)
    hr, hz, hn = ag.split(h @ w, 3, axis=1)
    n = ag.tanh(xn + ag.sigmoid(xr + hr) * (hn + b))
    h = n + ag.sigmoid(xz + hz) * (h - n)
    return h, h


def joined(h, x, w, b):
    h = ag.tanh(ag.concat([x, h], 1) @ w + b)
    return h, {"h": h * 2.0, "x": x, "rows": ag.sum(h, axis=1)}


def decay(c, x, a):
    """The old carry as a result, and a constant read element by element."""
    return a * c + x, c


def softened(h, x, w):
    p = ag.softmax(h @ w, axis=1)
    return p * x + h * 0.5, p


def swapped(carry, x):
    a, b = carry
    return (b + x, a), a


def projected(carry, x, w, p):
    h, c = carry
    c = ag.tanh(x + h @ w)
    return (c @ p, c), h


BODIES = {
    "tanh_rnn": (tanh_rnn, (B, H), (B, H), [(H, H), (H,)]),
    "lstm": (lstm, ((B, H), (B, H)), (B, 4 * H), [(4 * H, H)]),
    "gru": (gru, (B, H), (B, 3 * H), [(H, 3 * H), (H,)]),
    "joined": (joined, (B, H), (B, 23), [(H + 23, H), (H,)]),
    "decay": (decay, (B, H), (B, H), [(H,)]),
    "softened": (softened, (B, H), (B, H), [(H, H)]),
    "swapped": (swapped, ((B, H), (B, H)), (B, H), []),
    "projected": (projected, ((B, 7), (B, H)), (B, H), [(7, H), (H, 7)]),
}
TRACED = []
every_body = pytest.mark.parametrize("name", BODIES)


def arguments(name, dtype="float64", steps=T, seed=0):
    """Variables: the carry, the xs, the constants."""
    f, carry, x, constants = BODIES[name]
    rng = np.random.default_rng(seed)

    def variable(shape):
        return ag.tensor(0.3 * rng.standard_normal(shape), dtype, requires_grad=True)

    first = tuple(map(variable, carry)) if isinstance(carry[0], tuple) else variable(carry)
    return f, first, variable((steps, *x)), [variable(c) for c in constants]


def in_python(f, carry, xs, *constants, reverse=False):
    """What `scan` stands for."""
    found = [None] * len(xs)
    for t in range(len(xs))[:: -1 if reverse else 1]:
        carry, found[t] = f(carry, xs[t], *constants)
    leaves = [flatten(y)[0] for y in found]
    return carry, flatten(found[0])[1]([ag.stack(list(rows)) for rows in zip(*leaves, strict=True)])


def weighted(result, seed=1):
    """A number made of all that a scan returns."""
    rng = np.random.default_rng(seed)
    leaves = flatten(result)[0]
    return sum((ag.sum(y * rng.standard_normal(y.shape).astype(y.dtype)) for y in leaves), ag.tensor(0.0, "float32"))


def results(run, f, first, xs, constants, **settings):
    result = run(f, first, xs, *constants, **settings)
    variables = [*flatten(first)[0], xs, *constants]
    gradients = ag.grad(weighted(result), variables, allow_unused=True)
    return [y.detach().numpy() for y in flatten(result)[0]], [g.numpy() for g in gradients]


def same(found, expected, tolerance=1e-11):
    for ours, theirs in zip(found, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@every_body
@pytest.mark.parametrize("reverse", [False, True])
def test_loops_of_kernels_are_the_steps_in_python(name, reverse):
    f, *given = arguments(name)
    found = results(ag.scan, f, *given, reverse=reverse)
    same(found, results(in_python, f, *given, reverse=reverse))
    with config.using(kernels=False):
        same(results(ag.scan, f, *given, reverse=reverse), found)
    assert reasons(f) == []


@every_body
def test_float32_stays_float32(name):
    f, *given = arguments(name, "float32")
    same(results(ag.scan, f, *given), results(in_python, f, *given), 2e-4)


@every_body
@pytest.mark.parametrize("steps", [1, 2, 97])
def test_any_number_of_steps(name, steps):
    f, *given = arguments(name, steps=steps)
    same(results(ag.scan, f, *given), results(in_python, f, *given), 1e-9)


@every_body
def test_derivatives_of_derivatives(name):
    f, first, xs, constants = arguments(name)

    def second(run):
        result = run(f, first, xs, *constants)
        variables = [*flatten(first)[0], xs, *constants]
        gradients = ag.grad(weighted(result), variables, create_graph=True, allow_unused=True)
        again = [weighted([g], k) for k, g in enumerate(gradients) if g.requires_grad]
        if not again:
            return [], []
        return [], [g.numpy() for g in ag.grad(sum(again[1:], again[0]), variables, allow_unused=True)]

    same(second(ag.scan), second(in_python), 1e-9)


def test_small_scans_pass_gradgradcheck():
    rng = np.random.default_rng(0)
    h, xs, w = (ag.tensor(0.5 * rng.standard_normal(s)) for s in ((2, 3), (4, 2, 3), (3, 3)))

    def both(h, xs, w):
        last, ys = ag.scan(lambda h, x, w: (ag.tanh(x + h @ w),) * 2, h, xs, w, reverse=True)
        return ag.sum(last * last) + ag.sum(ys)

    assert ag.gradcheck(both, (h, xs, w))
    assert ag.gradgradcheck(both, (h, xs, w))


def test_a_part_of_the_result_or_of_the_inputs_is_enough():
    f, first, xs, (w,) = arguments("lstm")
    constants = [w.detach()]
    for pick in (lambda r: r[1][-1], lambda r: r[0][1], lambda r: r[0][0] * r[1][3]):
        pairs = []
        for run in (ag.scan, in_python):
            y = ag.sum(pick(run(f, tuple(c.detach() for c in first), xs, *constants)))
            pairs.append([[], [g.numpy() for g in ag.grad(y, [xs])]])
        same(*pairs)


def test_forward_mode():
    f, first, xs, constants = arguments("tanh_rnn")
    moves = [ag.ones(t.shape) for t in (first, xs, *constants)]
    found, expected = (
        ag.jvp(lambda *a, run=run: run(f, *a)[1], (first, xs, *constants), moves) for run in (ag.scan, in_python)
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-10, atol=1e-10)


def test_no_gradient_keeps_nothing():
    f, first, xs, constants = arguments("lstm")
    with ag.no_grad():
        (h, _c), ys = ag.scan(f, first, xs, *constants)
    assert not ys.requires_grad
    np.testing.assert_allclose(h, ys[-1])


def test_trees_and_absent_parts():
    def step(carry, x, scale):
        total = carry["total"] + x["a"] * scale + x["b"][0]
        return {"total": total}, (total, None, [x["a"]])

    xs = {"a": ag.arange(3.0), "b": (ag.ones(3),)}
    carry, (totals, nothing, (same_a,)) = ag.scan(step, {"total": ag.tensor(0.0)}, xs, 2.0)
    assert carry["total"].item() == totals[-1].item() == 9.0
    assert totals.tolist() == [1.0, 4.0, 9.0]
    assert nothing is None
    assert same_a.tolist() == [0.0, 1.0, 2.0]


def test_a_length_instead_of_xs():
    last, powers = ag.scan(lambda c, _: (c * 2.0, c), ag.tensor(1.0), length=5)
    assert last.item() == 32.0
    assert powers.tolist() == [1.0, 2.0, 4.0, 8.0, 16.0]
    big = ag.full((64, 64), 1.0, requires_grad=True)
    last, ys = ag.scan(lambda c, _: (c * 2.0, None), big, length=5)
    assert ys is None
    (gradient,) = ag.grad(ag.sum(last), [big])
    np.testing.assert_array_equal(gradient, np.full((64, 64), 32.0))


@pytest.mark.parametrize("name", ["lstm", "joined"])
def test_no_steps_at_all(name):
    f, first, xs, constants = arguments(name, steps=0)
    last, ys = ag.scan(f, first, xs, *constants)
    expected = in_python(f, *arguments(name, steps=1)[1:3], *constants)[1]
    assert [y.shape for y in flatten(ys)[0]] == [(0, *y.shape[1:]) for y in flatten(expected)[0]]
    assert all(a is b for a, b in zip(flatten(last)[0], flatten(first)[0], strict=True))


def test_whole_numbers_go_along():
    def step(carry, x):
        count, total = carry
        return (count + 1, total + x * count), count

    xs = ag.ones((40, 4, 32), requires_grad=True)
    start = ag.zeros((4, 32), "int64"), ag.zeros((4, 32))
    (count, total), counts = ag.scan(step, start, xs)
    assert count.dtype == np.int64
    assert (count.numpy() == 40).all()
    assert counts.numpy()[:, 0, 0].tolist() == list(range(40))
    (gradient,) = ag.grad(ag.sum(total), [xs])
    np.testing.assert_array_equal(gradient.numpy()[:, 1, 1], np.arange(40.0))


def test_what_f_reads_from_outside_is_differentiated_too():
    f, first, xs, (w, b) = arguments("tanh_rnn")

    def closed(h, x):
        return f(h, x, w, b)

    found = ag.grad(weighted(ag.scan(closed, first, xs)), [w, b, first, xs])
    expected = ag.grad(weighted(in_python(f, first, xs, w, b)), [w, b, first, xs])
    same([[g.numpy() for g in found]], [[g.numpy() for g in expected]])
    assert "among" in reasons(closed)[0] or "one of the constants" in reasons(closed)[0]


def test_functions_inside_of_functions_are_traced_once():
    def doubled(xs, factor):
        def step(c, x):
            TRACED.append(factor)
            return c * factor + x, c

        return ag.scan(step, ag.zeros((8, 8)), xs)[0].numpy()[0, 0]

    xs = ag.ones((10, 8, 8))
    first = doubled(xs, 2.0)
    TRACED.clear()
    assert doubled(xs, 2.0) == first == 2.0**10 - 1
    assert TRACED == []
    assert doubled(xs, 1.0) == 10.0


def test_control_flow_on_values_runs_step_by_step():
    def clipped(c, x):
        return (c + x if ag.sum(c).item() < 5 else c), None

    last, _ = ag.scan(clipped, ag.zeros((64, 64)), ag.ones((9, 64, 64)))
    assert last.numpy().max() == 1.0
    assert reasons(clipped) != []


def test_a_program_is_as_small_for_long_scans_as_for_short_ones():
    counts = []
    for steps in (T, 4 * T):
        f, first, xs, constants = arguments("lstm", steps=steps)

        def loss(first, xs, w, f=f):
            return weighted(ag.scan(f, first, xs, w))

        program = ag.compile(loss)
        variables = [*first, xs, *constants]
        found = ag.grad(program(first, xs, *constants), variables)
        expected = ag.grad(loss(first, xs, *constants), variables)
        same([[g.numpy() for g in found]], [[g.numpy() for g in expected]])
        assert program.reasons() == []
        text = program.explain(first, xs, *constants)
        assert text.count("scan_turns") == 1
        assert text.count("scan_back") == 1
        counts.append(len(text.splitlines()))
    assert counts[1] <= counts[0] + 2  # a sum over more rows may be put together of parts


def test_threads_do_not_meet():
    f, first, xs, constants = arguments("gru")
    expected = results(ag.scan, f, first, xs, constants)
    wrong = []

    def again():
        for _ in range(5):
            try:
                same(results(ag.scan, f, first, xs, constants), expected)
            except AssertionError as error:
                wrong.append(error)

    workers = [threading.Thread(target=again) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


X = ag.ones((4, 2))
WRONG = [
    (lambda: ag.scan(lambda c, x: (x, x), ag.ones(3), X), ShapeError, r"carry of shape \(3,\) and returned.*\(2,\)"),
    (
        lambda: ag.scan(lambda c, x: (c + x, x), ag.ones(2, "float32"), X),
        DTypeError,
        r"carry of dtype float32 and returned one of dtype float64.*\.astype\('float32'\)",
    ),
    (lambda: ag.scan(lambda c, x: ((c, c), x), ag.ones(2), X), ArgumentError, r"structure"),
    (lambda: ag.scan(lambda c, x: c, ag.ones(2), X), ArgumentError, r"returned Tensor. Expected \(carry, y\)"),
    (lambda: ag.scan(lambda c, x: (c, x), ag.ones(2), None), ArgumentError, "write|length= where there are no xs"),
    (lambda: ag.scan(lambda c, x: (c, x), ag.ones(2), X, length=3), ShapeError, r"\[4\] rows and length=3"),
    (lambda: ag.scan(lambda c, x: (c, x), ag.ones(2), (X, X[:2])), ShapeError, r"\[4, 2\] rows and length=None"),
    (lambda: ag.scan(lambda c, x: (c, x), ag.ones(2), ag.tensor(1.0)), ShapeError, r"a row for each step, shape \(T"),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG, ids=range(len(WRONG)))
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("rows", [3, 40])
def test_a_carry_may_come_back_with_its_keys_in_another_order_and_with_none(rows):
    f = lambda c, x: ({"b": ag.sin(c["b"]) + x, "none": None, "a": c["a"] * 0.5 + c["b"]}, c["a"])  # noqa: E731
    first, xs = {"a": ag.zeros(5), "b": ag.ones(5), "none": None}, ag.ones((rows, 5))
    (last, ys), (expected, all_of_it) = ag.scan(f, first, xs), in_python(f, first, xs)
    assert list(last) == ["a", "b", "none"]
    assert last["none"] is None
    for k in "ab":
        np.testing.assert_allclose(last[k].numpy(), expected[k].numpy(), rtol=1e-12)
    np.testing.assert_allclose(ys.numpy(), all_of_it.numpy(), rtol=1e-12)
