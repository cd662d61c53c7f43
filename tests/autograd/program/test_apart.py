"""Compiled functions whose result is no single number, models above all: gradients for cotangents that come later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd.errors import ClobberedError, DifferentiationError, FreedTapeError, UnsupportedError
from regularize import Dropout

RNG = np.random.default_rng(0)
X = RNG.standard_normal((32, 6))
Y = RNG.integers(0, 3, 32)


def network(*more: nn.Module) -> nn.Module:
    ag.random.seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), *more, nn.Linear(16, 3)).to("float64")


def gradients(model: Any, of: nn.Module, x: Any = X) -> list[Any]:
    return [g.numpy() for g in ag.grad(F.cross_entropy(model(x), Y), list(of.parameters()))]


def alike(a: Any, b: Any) -> None:
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("more", [nn.Identity, lambda: nn.BatchNorm1d(16), lambda: Dropout(0.5)])
def test_a_compiled_model_trains_as_the_model(more: Any) -> None:
    def trained(compiled: bool) -> list[Any]:
        model = network(more())
        opt = optim.Adam(model.parameters(), lr=0.01)
        call = ag.compile(model) if compiled else model
        ag.random.seed(1)
        losses = []
        for _ in range(5):
            loss = F.cross_entropy(call(X), Y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.numpy())
        assert not compiled or call.reasons() == []
        return [*losses, *(t.numpy() for t in (*model.parameters(), *model.buffers()))]

    alike(trained(True), trained(False))


def test_results_may_be_many() -> None:
    w = ag.tensor([1.0, 2.0], requires_grad=True)
    v = ag.tensor([3.0, 4.0])

    @ag.compile
    def f(x: Any) -> Any:
        y = x * w
        return {"y": y, "rest": (ag.sum(y * y), x + v, ag.argmax(y, -1), 7)}

    x = ag.tensor([[1.0, -1.0], [2.0, 3.0]])
    found = f(x)
    total, free, best, seven = found["rest"]
    assert [t.requires_grad for t in (found["y"], total, free, best)] == [True, True, False, False]
    assert (seven, best.tolist(), free.tolist()) == (7, [0, 1], [[4.0, 3.0], [5.0, 7.0]])
    (g,) = ag.grad(ag.sum(found["y"] * 2.0) + total, [w], retain_graph=True)
    alike(g.numpy(), 2 * x.numpy().sum(0) + 2 * (x.numpy() ** 2).sum(0) * w.numpy())
    (g,) = ag.grad(total, [w])  # no cotangent for the other
    alike(g.numpy(), 2 * (x.numpy() ** 2).sum(0) * w.numpy())
    assert f.reasons() == []


def test_calls_keep_their_own_values() -> None:
    model = network()
    call = ag.compile(model)
    other = X[::-1] * 2.0
    first, second = call(X), call(other)
    for y, x in ((second, other), (first, X)):
        want = ag.grad(ag.sum(model(x) ** 2), list(model.parameters()))
        alike((g.numpy() for g in ag.grad(ag.sum(y**2), list(model.parameters()))), (g.numpy() for g in want))


def test_the_tape_is_freed_and_may_be_kept() -> None:
    model = network()
    params = list(model.parameters())
    loss = F.cross_entropy(ag.compile(model)(X), Y)
    once = ag.grad(loss, params, retain_graph=True)
    alike((g.numpy() for g in once), (g.numpy() for g in ag.grad(loss, params)))
    with pytest.raises(FreedTapeError):
        ag.grad(loss, params)


def test_what_was_changed_in_place_is_noticed_if_it_is_read() -> None:
    model = network()
    call = ag.compile(model)
    y = call(X)
    with ag.no_grad():
        model[0].bias.copy_(model[0].bias + 1.0)  # no gradient is computed from it
    ag.grad(ag.sum(y), list(model.parameters()), retain_graph=True)
    with ag.no_grad():
        model[2].weight.copy_(model[2].weight * 2.0)
    with pytest.raises(ClobberedError):
        ag.grad(ag.sum(y), list(model.parameters()))


def test_second_derivatives_are_those_of_the_function() -> None:
    w = ag.tensor(RNG.standard_normal((6, 3)), requires_grad=True)

    def f(x: Any) -> Any:
        y = x @ w
        return ag.tanh(y), ag.sum(y * y, 1)

    def second(call: Any) -> Any:
        a, b = call(X)
        (g,) = ag.grad(ag.sum(a**3) + ag.sum(b), [w], create_graph=True)
        return ag.grad(ag.sum(g * g), [w])[0].numpy()

    np.testing.assert_allclose(second(ag.compile(f)), second(f), rtol=1e-12)
    drawn = ag.compile(network(Dropout(0.5)))
    x = ag.tensor(X, requires_grad=True)
    with pytest.raises(DifferentiationError, match="draws random numbers"):
        ag.grad(ag.sum(drawn(x)), [x], create_graph=True)


def test_arguments_numbers_and_batches_may_change() -> None:
    w = ag.tensor(RNG.standard_normal((6, 3)), requires_grad=True)

    def f(x: Any, scale: float) -> Any:
        return ag.exp(scale * ag.tanh(x @ w))

    call = ag.compile(f)
    for x, scale in ((X, 1.0), (X, -0.5), (X[:7], 2.0), (X + 1, 0.0)):
        a, b = ag.tensor(x, requires_grad=True), ag.tensor(x, requires_grad=True)
        found, wanted = ag.grad(ag.sum(call(a, scale)), [a, w]), ag.grad(ag.sum(f(b, scale)), [b, w])
        alike((g.numpy() for g in found), (g.numpy() for g in wanted))
    assert call.reasons() == []


def test_arrays_stay_where_they_are_from_step_to_step() -> None:
    """What the program of gradients has read is nobody's afterwards: no array is made anew, no parameter copied."""
    model = network()
    call, optimizer = ag.compile(model), optim.Adam(model.parameters())
    for _ in range(2):
        _step(call, optimizer)
    (run,) = (run for runs in call.programs.values() for run in runs)

    def places() -> list[int]:
        memory = run.program.memory
        kept = [memory.own[memory.root(s)] for s in run.later.kept]
        return [*map(id, kept), *(id(w.value) for w in model.parameters())]

    before = places()
    for _ in range(3):
        _step(call, optimizer)
    assert places() == before


def _step(call: Any, optimizer: Any) -> None:
    loss = F.cross_entropy(call(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def test_what_is_kept_is_kept_in_its_own_shape() -> None:
    model = nn.Sequential(nn.Linear(6, 16), nn.Unflatten(1, (4, 4)), nn.Tanh(), nn.Flatten(), nn.Linear(16, 3))
    call = ag.compile(model.to("float64"))
    np.testing.assert_allclose(gradients(call, model)[0], gradients(model, model)[0], rtol=1e-12)
    (run,) = (run for runs in call.programs.values() for run in runs)
    assert {s.op.name for s in run.later.kept} == {"tanh"}


def test_two_threads() -> None:
    model = network()
    call = ag.compile(model)
    batches = [RNG.standard_normal((32, 6)) for _ in range(40)]
    wanted = [gradients(model, model, x) for x in batches]
    with ThreadPoolExecutor(4) as threads:
        for found, want in zip(threads.map(lambda x: gradients(call, model, x), batches), wanted, strict=True):
            alike(found, want)


def test_without_a_gradient_nothing_is_left_on_the_tape() -> None:
    model = network()
    call = ag.compile(model)
    with ag.no_grad():
        y = call(X)
    assert not y.requires_grad
    assert call(X).requires_grad


def test_a_budget_is_for_a_single_number() -> None:
    model = network()
    with pytest.raises(UnsupportedError, match="only a single number is fitted together with its gradient"):
        ag.compile(model, fit_in="1GB")(X)


def test_the_listing_has_both_programs() -> None:
    model = network()
    call = ag.compile(model)
    program = call.program(X)
    assert 0 < program.turn < len(program.rows)
    assert f"from entry {program.turn} on: gradients, once there are cotangents of the results" in str(program)
    roles = {b.name: b.role for b in program.buffers}
    assert roles["x0"] == "argument"
    assert {roles["g0"], roles["f0"]} == {"cotangent", "kept"}
    assert sorted(r for r in roles.values() if r.startswith("gradient")) == [f"gradient of t{k}" for k in range(4)]
    assert all(row.microseconds is not None for row in program.profile().rows)
    assert "once there are cotangents of the results" in call.explain(X)


def test_a_complex_result_keeps_its_gradient() -> None:
    call = ag.compile(lambda x: ag.fft.fft(x))
    x = ag.tensor([1.0, 2.0, 4.0], requires_grad=True)
    ag.sum(ag.abs(call(x))).backward()
    (wanted,) = ag.grad(ag.sum(ag.abs(ag.fft.fft(x))), [x])
    np.testing.assert_allclose(x.grad.numpy(), wanted.numpy(), rtol=1e-12)
    assert "it returns complex128 that a gradient may be asked of" in call.reasons()[0]
    with ag.no_grad():
        np.testing.assert_allclose(call(x).numpy(), np.fft.fft(x.numpy()))
    assert len(call.reasons()) == 1


def test_matrices_of_derivatives_of_compiled_functions() -> None:
    w, x = ag.tensor(RNG.standard_normal((6, 3))), ag.tensor(RNG.standard_normal(6))
    f = lambda x: ag.tanh(x @ w)  # noqa: E731
    call, total = ag.compile(f), ag.compile(lambda x: ag.sum(f(x)))
    wanted = ag.jacobian(f)(x).numpy()
    for mode in ("forward", "reverse", None):
        np.testing.assert_allclose(ag.jacobian(call, mode=mode)(x).numpy(), wanted, rtol=1e-9, atol=1e-12)
    found = ag.jacobian(lambda x: ag.stack([total(x), total(x) * 3.0]))(x).numpy()
    np.testing.assert_allclose(found, np.stack([wanted.sum(0), 3.0 * wanted.sum(0)]), rtol=1e-9, atol=1e-12)
    assert call.reasons() == total.reasons() == []
