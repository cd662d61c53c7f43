"""The NaN detective: who made it, forward or backward, where; nothing for what is masked; nothing left behind."""

import contextlib
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
import optim
import regularize
from autograd.errors import AnomalyError, FreedTapeError
from autograd.primitive import capturing


def caught(f, *xs):
    """The message for the gradient of f at some arrays, or None."""
    ts = [ag.tensor(x, requires_grad=True) for x in xs]
    with np.errstate(all="ignore"), ag.detect_anomaly():
        try:
            ag.sum(f(*ts)).backward()
        except AnomalyError as error:
            return str(error)
    return None


@pytest.mark.parametrize(
    ("f", "x", "words"),
    [
        (lambda x: ag.log(x) * 2, [1.0, -2.0], ["the result is not finite", "'log' made nan at index (1,) of x=-2.0"]),
        (lambda x: ag.exp(x) / ag.exp(x), [800.0], ["'exp' made inf at index (0,) of x=800.0"]),
        (lambda x: x / (x - x), [3.0], ["'divide' made inf at index (0,) of a=3.0, b=0.0"]),
        (
            lambda x: ag.matmul(x * 1e200, [[1e200]]),
            [[2.0]],
            ["'matmul' made inf at index (0, 0)", "in [2e+200, 2e+200]"],
        ),
        (ag.sqrt, [4.0, 0.0], ["a gradient (shape (2,))", "The derivative of 'sqrt' by x made inf at index (1,)"]),
        (lambda x: ag.sqrt(x * x), [0.0, 1.0], ["The derivative of 'sqrt' by x made inf at index (0,)"]),
        (lambda x: x + x**0.5 * 3, [0.0], ["The derivative of 'pow' by a made inf", "cotangent=3.0"]),
        (lambda x: x * np.array([1.0, np.nan]), [1.0, 1.0], ["'multiply' was given nan at index (1,) of a=1.0, b=nan"]),
        (lambda x: ag.log(ag.stop_gradient(x) * 0) * x, [1.0], ["'log' made -inf at index (0,) of x=0.0"]),
    ],
)
def test_the_first_maker_is_named(f, x, words):
    text = caught(f, x)
    for word in words:
        assert word in text
    assert "test_anomaly.py:" in text
    assert "lambda x: " in text or ".backward()" in text


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ag.where(x > 0, ag.sqrt(x), 0.0),
        lambda x: ag.where(x > 0, ag.log(x), 0.0),
        lambda x: ag.softmax(ag.where(x > 0, x, -np.inf)),
        lambda x: ag.exp(ag.where(x > 0, x, -np.inf)),
        lambda x: (ag.log(x * 0), x * 2)[1],
        lambda x: ag.maximum(x, ag.log(ag.zeros(2))),
    ],
)
def test_what_is_masked_is_not_reported(f):
    assert caught(f, [0.0, 2.0]) is None


def test_the_line_is_the_users_and_that_of_the_maker():
    x = ag.tensor([0.0], requires_grad=True)
    with ag.detect_anomaly():
        root = ag.sqrt(x)  # the maker
        y = ag.sum(root * 2)
        with pytest.raises(AnomalyError, match=r"Recorded at .*test_anomaly.py:\d+: root = ag\.sqrt\(x\)"):
            y.backward()


def test_what_f_was_recorded_before_is_watched_too():
    x = ag.tensor([0.0], requires_grad=True)
    root = ag.sqrt(x)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match="The derivative of 'sqrt' by x made inf"):
        ag.sum(root * 2).backward()


def test_a_result_that_is_not_differentiated():
    with np.errstate(all="ignore"), ag.detect_anomaly() as detective:
        y = ag.log(ag.tensor([-1.0])) + 1
        detective.check(ag.tensor([1.0]) * 2)
        with pytest.raises(AnomalyError, match="'log' made nan"):
            detective.check(y)


def test_functions_of_any_kind():
    with np.errstate(all="ignore"), ag.detect_anomaly():
        with pytest.raises(AnomalyError, match="The derivative of 'sqrt'"):
            ag.grad(lambda x: ag.sum(ag.sqrt(x)))(np.zeros(2))
        with pytest.raises(AnomalyError, match="'log' made -inf"):
            ag.grad(ag.fused(lambda x: ag.sum(ag.log(x))))(np.zeros(5000))
        with pytest.raises(AnomalyError, match="'log' made -inf"):
            ag.grad(ag.checkpoint(lambda x: ag.sum(ag.log(x))))(np.zeros(2))
        with pytest.raises(AnomalyError, match="not finite"):
            ag.grad(ag.grad(lambda x: x**1.5))(0.0)


def test_the_same_numbers_with_and_without_and_nothing_is_left():
    ag.random.seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    start = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    x, labels = np.random.default_rng(0).standard_normal((5, 3)).astype("float32"), np.array([0, 1, 0, 1, 1])

    def step():
        model.load_state_dict(start)
        model.zero_grad()
        loss = nn.CrossEntropyLoss()(model(ag.tensor(x)), ag.tensor(labels))
        loss.backward()
        return [float(loss), *(p.grad.tolist() for p in model.parameters())]

    plain = step()
    with ag.detect_anomaly():
        watched = step()
    assert capturing == []
    for a, b in zip(watched, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(step()[0], plain[0])


def test_leaves_are_left_as_they_were():
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(3):
        with ag.detect_anomaly():
            ag.sum(w * w).backward()
    assert w.node.watched().hooks == []


@pytest.mark.parametrize("name", ["Adam", "SGD", "LBFGS", "Adagrad"])
def test_optimizers_step_inside(name):
    def trained():
        w = ag.tensor([1.0, 2.0], requires_grad=True)
        optimizer = getattr(optim, name)([w], lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = ag.sum((w - 3) ** 2)
            loss.backward()
            return loss

        for _ in range(3):
            optimizer.step(closure)
        return w.numpy()

    plain = trained()
    with ag.detect_anomaly():
        np.testing.assert_allclose(trained(), plain, rtol=1e-12)


@ag.fused
def _several(x, y):
    root = ag.sqrt(x)
    return root * y, ag.sum(root)


@ag.fused
def _powers(x):
    return ag.sum(ag.exp(x) * 2.0)


def test_fused_functions_run_as_kernels_and_the_operation_inside_is_named():
    n = 5000
    x = ag.tensor(np.linspace(0.0, 1.0, n), requires_grad=True)
    y = ag.tensor(np.ones(n))
    with ag.detect_anomaly():  # the derivative
        first, second = _several(x, y)
        for loss in (ag.sum(first), second):
            with pytest.raises(AnomalyError, match=r"The derivative of 'sqrt' by x made inf at index \(0,\)") as raised:
                loss.backward(retain_graph=True)
            assert "root = ag.sqrt(x)" in str(raised.value)
    result = pytest.raises(AnomalyError, match=r"'exp' made inf at index \(3549,\) of x=709.94")
    with ag.detect_anomaly(), np.errstate(all="ignore"), result:
        _powers(x * 1000.0).backward()
    with ag.detect_anomaly() as detective, np.errstate(all="ignore"), result:  # one that is not differentiated
        detective.check(_powers(ag.tensor(x.numpy() * 1000.0)))
    with ag.detect_anomaly(), np.errstate(all="ignore"):  # one of the library: the line is that of its call
        loss = nn.functional.poisson_nll_loss(x, y, log_input=False, eps=1e-310)
        with pytest.raises(AnomalyError, match=r"The derivative of 'log' by x made -inf") as raised:
            loss.backward()
        assert "loss = nn.functional.poisson_nll_loss(x, y" in str(raised.value)
    with ag.detect_anomaly():  # neither
        total = _powers(x)
        assert total.node.op.name == "_powers"
        total.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(x.numpy()), rtol=1e-12)


def test_an_error_inside_leaves_nothing_behind():
    with pytest.raises(ZeroDivisionError), ag.detect_anomaly():
        raise ZeroDivisionError
    assert capturing == []
    x = ag.tensor([0.0], requires_grad=True)
    ag.sum(ag.sqrt(x)).backward()
    assert x.grad.tolist() == [np.inf]


def test_complex_numbers_are_looked_at():
    z = ag.tensor(np.array([0j, 1.0]), requires_grad=True)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match=r"The derivative of 'sqrt' by x made \(nan"):
        ag.sum(ag.real(ag.sqrt(z))).backward()
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match=r"'multiply' was given \(nan"):
        ag.sum(ag.real(z * complex("nan"))).backward()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_numbers_are_no_anomaly_and_no_warning(dtype):
    x = ag.tensor(np.array([np.finfo(dtype).max, 1.0]), requires_grad=True)
    with ag.detect_anomaly():
        ag.sum(x * dtype(1e-30)).backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_check_raises_for_what_was_made_elsewhere_too():
    before = ag.log(ag.tensor([1.0, -1.0]))
    with ag.detect_anomaly() as detective:
        for y in (before, ag.log(ag.tensor([1.0, -1.0])).detach(), before.numpy(), np.float32("nan"), float("inf")):
            with pytest.raises(AnomalyError, match="the result is not finite"):
                detective.check(y)
        for y in (ag.exp(ag.tensor(1.0)), np.ones(3), 2.0, np.arange(3)):
            detective.check(y)


def test_a_sweep_without_anomaly_runs_once_and_frees_the_tape_as_ever():
    seen = []
    x = ag.tensor([4.0, 9.0], requires_grad=True)
    with ag.detect_anomaly():
        y = ag.sqrt(x)
        y.node.watched().hooks.append(seen.append)
        z = ag.sum(y)
        z.backward(retain_graph=True)
        z.backward()
        with pytest.raises(FreedTapeError):
            z.backward()
    assert len(seen) == 2
    assert x.grad.tolist() == [0.5, 2 / 6]


def test_inputs_that_were_changed_since_are_not_shown():
    b = ag.tensor([2.0, 0.0])
    assert "'divide' made inf at index (1,) of a=3.0, b=0.0" in caught(lambda x: x / b, [2.0, 3.0])

    def changed(x):
        y = x / b
        b.copy_([4.0, 5.0])
        return y

    assert "'divide' made inf at index (1,) of inputs that were changed since" in caught(changed, [2.0, 3.0])


def test_what_is_kept_of_small_values_goes_with_the_tape():
    x = ag.tensor([1.0, 4.0], requires_grad=True)
    with ag.detect_anomaly() as detective:
        y = ag.sqrt(x)
        inner = ag.exp(y)
        z = ag.sum(ag.square(inner - 1))
        kept = weakref.ref(inner)
        del inner
        assert kept() is not None
        z.backward()
        assert kept() is None
        with np.errstate(all="ignore"):
            masked = ag.log(x - 2)  # there to be asked for until it is swept
        with pytest.raises(AnomalyError, match="'log' made nan"):
            detective.check(masked)
        ag.sum(ag.where(x > 2, masked, 0.0)).backward()
        with pytest.raises(AnomalyError, match="a backward sweep frees what is kept"):
            detective.check(masked)


def test_what_was_made_of_a_value_off_the_tape_has_its_maker():
    with ag.detect_anomaly() as detective, np.errstate(all="ignore"):
        x = ag.tensor([1.0, -1.0], requires_grad=True)
        with pytest.raises(AnomalyError, match="'log' made nan at index"):
            detective.check(ag.log(x).detach() * 2)
        constant = ag.log(ag.tensor([-1.0, 1.0]))
        with pytest.raises(AnomalyError, match="'log' made nan at index"):
            ag.sum(x * constant).backward()
        constant.copy_([1.0, 1.0])
        detective.check(constant)


def test_a_sweep_with_an_anomaly_leaves_no_mark_and_no_gradient():
    x = ag.tensor([0.0, 9.0], requires_grad=True)
    with ag.detect_anomaly():
        y = ag.sqrt(x)
        z = ag.sum(y)
        with pytest.raises(AnomalyError, match="The derivative of 'sqrt' by x made inf"):
            z.backward(retain_graph=True)
    assert x.grad is None
    assert not [hook for t in (x, y, z) if t.node.watch is not None for hook in t.node.watch.hooks]
    z.backward()
    assert x.grad.tolist() == [np.inf, 1 / 6]


def test_rows_of_a_table_are_looked_at():
    table = nn.Embedding(5, 2, sparse=True)
    with ag.detect_anomaly(), pytest.raises(AnomalyError, match=r"a gradient \(shape \(5, 2\)\) is not finite"):
        ag.sum(ag.sqrt(table([1, 3]) * 0)).backward()
    with ag.detect_anomaly():
        ag.sum(table([1, 3])).backward()
    assert isinstance(table.weight.grad, ag.RowSparse)


@pytest.mark.parametrize("name", ["SGD", "SparseAdam", "Adagrad"])
def test_tables_learn_as_they_do_without(name):
    found = []
    for watched in (contextlib.nullcontext, ag.detect_anomaly):
        ag.random.seed(0)
        table = nn.Embedding(6, 3, sparse=True)
        optimizer = getattr(optim, name)(table.parameters(), lr=0.1)
        for numbers in ([1, 2, 2], [4, 1], [0, 2]):
            with watched():
                optimizer.zero_grad()
                ag.sum(ag.square(table(numbers) - 1)).backward()
                optimizer.step()
        found.append(table.weight.numpy())
    np.testing.assert_array_equal(*found)


def test_second_derivatives_are_looked_at():
    def twice(x):
        (g,) = ag.grad(ag.sum(x**1.5), x, create_graph=True)
        return g

    assert "The derivative of 'pow' by a made inf" in caught(twice, [0.0, 1.0])
    assert caught(twice, [4.0, 1.0]) is None


ZEROS = np.zeros((2, 2))
DERIVATIVES = {
    "per sample": lambda f: ag.vmap(lambda row: ag.grad(lambda r: ag.sum(f(r)))(row))(ZEROS),
    "of samples of samples": lambda f: ag.vmap(ag.vmap(ag.grad(f)))(ZEROS),
    "reverse": lambda f: ag.jacobian(f, mode="reverse")(ZEROS),
    "forward": lambda f: ag.jacobian(f, mode="forward")(ZEROS),
    "second": lambda f: ag.hessian(lambda x: ag.sum(f(x)))(ZEROS),
    "along": lambda f: ag.jvp(f, (ZEROS,), (ZEROS + 1,)),
    "along, of a sum": lambda f: ag.jvp(lambda x: ag.sum(f(x)), (ZEROS,), (ZEROS + 1,)),
    "linearised": lambda f: ag.linearize(f, ZEROS)[1](ZEROS + 1),
    "elementwise": lambda f: ag.elementwise_grad(f)(ZEROS),
}


@pytest.mark.parametrize("derivative", DERIVATIVES.values(), ids=DERIVATIVES)
def test_derivatives_of_every_kind_are_looked_at(derivative):
    with np.errstate(all="ignore"), ag.detect_anomaly():
        with pytest.raises(
            AnomalyError, match=r"not finite\.\n.* (made|was given) -?inf[^\n]*\n(At|Recorded at) .*test_anomaly"
        ):
            derivative(ag.sqrt)
        derivative(lambda x: ag.sqrt(x + 1))
        derivative(lambda x: ag.where(x > 0, ag.sqrt(x), x * x))
    assert not capturing


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: ag.vmap(ag.grad(ag.log))(x), "log"),
        (lambda x: ag.jacobian(ag.sqrt)(x), "sqrt"),
        (lambda x: ag.hessian(lambda x: ag.sum(x**1.5))(x), "pow"),
    ],
)
def test_in_which_derivative_an_operation_ran_is_said(f, name):
    x = ag.tensor([1.0, 0.0, 4.0])
    with (
        np.errstate(all="ignore"),
        ag.detect_anomaly(),
        pytest.raises(AnomalyError, match=f"in the derivative of '{name}', "),
    ):
        f(x)


def test_random_numbers_are_those_without():
    def drawn():
        g = ag.random.Generator(3)
        return [g.normal(size=3).numpy(), g.integers(0, 9, 4).numpy(), g.random(2).numpy()]

    plain = drawn()
    with ag.detect_anomaly():
        watched = drawn()
    assert all(np.array_equal(a, b) for a, b in zip(plain, watched, strict=True))


def test_layers_are_made_and_trained_inside():
    with ag.detect_anomaly():
        model = nn.Sequential(nn.Linear(3, 4), regularize.Dropout(0.5), nn.Linear(4, 2))
        model(ag.ones((5, 3))).sum().backward()
    assert all(np.isfinite(p.grad.numpy()).all() for p in model.parameters())
