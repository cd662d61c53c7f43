"""Steps of optimizers that a compiled function goes on after, and gradients that it finds: all is as in eager runs."""

import inspect
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd.tree import flatten

RULES = {
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "AdamW in groups": lambda p: optim.AdamW([{"params": p[:1], "lr": 0.01}, {"params": p[1:]}], lr=0.02),
} | {
    name: (lambda p, rule=rule: rule(p))
    for name, rule in inspect.getmembers(optim, inspect.isclass)
    if issubclass(rule, optim.Optimizer) and not inspect.isabstract(rule) and name not in ("LBFGS", "SparseAdam")
}


def batches(count=7):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((5 if k % 3 == 2 else 4, 3)).astype("float32") for k in range(count)]


def network(*sizes):
    parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*parts[:-1])


def same_as_eager(make):
    """`make(wrap)` gives what is called for each batch, what is compiled in it, and all the state that it has."""
    found = []
    for wrap in (lambda f: f, ag.compile):
        ag.random.seed(0)
        step, compiled, state = make(wrap)
        results = [step(x) for x in batches()]
        found.append(
            [results, [x.state_dict() if hasattr(x, "state_dict") else x() for x in state], ag.random.normal(size=2)]
        )
    assert [f.reasons() for f in compiled] == [[] for _ in compiled]
    for a, b in zip(*(flatten(x)[0] for x in found), strict=True):
        if isinstance(b, ag.Tensor):
            np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=2e-4, atol=2e-5)
        else:
            assert (type(a), a) == (type(b), b)


@pytest.mark.parametrize("name", RULES)
def test_a_step_between_two_losses(name):
    def make(wrap):
        model = network(3, 4, 2)
        optimizer = RULES[name](list(model.parameters()))
        schedule = optim.ExponentialLR(optimizer, 0.9)

        @wrap
        def step(x):
            losses = []
            for wanted in (0.0, 1.0):
                optimizer.zero_grad()
                loss = ((model(x) - wanted) ** 2).mean()
                loss.backward()
                optimizer.step()
                losses.append(loss)
            return losses, model(x)

        def run(x):
            found = step(ag.tensor(x))
            schedule.step()
            return found

        return run, [step], [model, optimizer, lambda: [p.grad for p in model.parameters()]]

    same_as_eager(make)


def adversaries(wrap):
    makes, judges = (
        nn.Sequential(nn.Linear(2, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
        network(3, 8, 1),
    )
    first, second = optim.Adam(makes.parameters(), lr=0.01), optim.SGD(judges.parameters(), lr=0.05, momentum=0.5)

    @wrap
    def step(x):
        made = makes(ag.random.normal(size=(len(x), 2), dtype="float32"))
        second.zero_grad()
        real, false = judges(x), judges(made.detach())
        judged = F.softplus(-real).mean() + F.softplus(false).mean()
        judged.backward()
        second.step()
        with ag.no_grad():
            for w in judges.parameters():
                w.copy_(ag.clip(w, -0.4, 0.4))
        first.zero_grad()
        loss = F.softplus(-judges(made)).mean()
        loss.backward()
        first.step()
        return judged, loss

    every = [*makes.parameters(), *judges.parameters()]
    return lambda x: step(ag.tensor(x)), [step], [makes, judges, first, second, lambda: [w.grad for w in every]]


def averages(wrap):
    model, target = network(3, 4, 2), network(3, 4, 2)
    optimizer, average = optim.Adam(model.parameters()), optim.WeightAverage(model.parameters(), 0.9)

    @wrap
    def step(x):
        optimizer.zero_grad()
        loss = ((model(x) - target(x).detach()) ** 2).mean()
        loss.backward()
        optimizer.step()
        average.update()
        with ag.no_grad():
            for a, w in zip(target.parameters(), model.parameters(), strict=True):
                a.copy_(0.9 * a + 0.1 * w)
        return loss, ag.sum(average.averages[0])

    return lambda x: step(ag.tensor(x)), [step], [model, target, optimizer, average]


def twice(wrap):
    model = network(3, 2)
    optimizer = optim.Adam(model.parameters(), lr=0.1)

    @wrap
    def step(x):
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        optimizer.step()
        return loss

    return lambda x: step(ag.tensor(x)), [step], [model, optimizer]


def gathered(wrap):
    """Gradients of three batches are added up before a step, which is a function of its own."""
    model, calls = network(3, 4, 2), []
    optimizer = optim.Adam(model.parameters(), lr=0.05)

    @wrap
    def add(x):
        loss = (model(x) ** 2).mean() / 3
        loss.backward()
        return loss

    @wrap
    def apply():
        norm = optim.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        optimizer.zero_grad()
        return norm

    def run(x):
        calls.append(add(ag.tensor(x)))
        return (calls[-1], apply()) if len(calls) % 3 == 0 else calls[-1]

    return run, [add, apply], [model, optimizer, lambda: [w.grad for w in model.parameters()]]


def by_a_flag(wrap):
    """The same in one function, which is told when."""
    model, calls = network(3, 4, 2), []
    optimizer = optim.Adam(model.parameters(), lr=0.05)

    @wrap
    def step(x, last):
        loss = (model(x) ** 2).mean() / 3
        loss.backward()
        if last:
            optimizer.step()
            optimizer.zero_grad()
        return loss, model[0].weight.grad

    def run(x):
        calls.append(None)
        return step(ag.tensor(x), len(calls) % 3 == 0)

    return run, [step], [model, optimizer, lambda: [w.grad for w in model.parameters()]]


@pytest.mark.parametrize("make", [adversaries, averages, twice, gathered, by_a_flag])
def test_a_program_goes_on_with_what_a_step_has_changed(make):
    same_as_eager(make)


def test_a_gradient_of_some_rows_is_not_added_to():
    table = nn.Embedding(4, 2, sparse=True)
    step = ag.compile(lambda k, x: ag.sum(table.weight * x).backward())
    ag.sum(table(ag.tensor([1, 2]))).backward()
    step(ag.tensor([1]), ag.tensor(2.0, dtype="float32"))
    np.testing.assert_array_equal(table.weight.grad.numpy()[:, 0], [2, 3, 3, 2])


@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_a_network_that_is_frozen_for_a_while(when):
    def make(wrap):
        makes, judges = network(2, 8, 3), network(3, 8, 1)
        first, second = optim.Adam(makes.parameters(), lr=0.01), optim.Adam(judges.parameters(), lr=0.02)

        @wrap
        def step(x):
            judges.requires_grad_(True)
            made = makes(ag.random.normal(size=(len(x), 2), dtype="float32"))
            second.zero_grad()
            judged = judges(made.detach()).mean() - judges(x).mean()
            judged.backward()
            second.step()
            judges.requires_grad_(False)
            first.zero_grad()
            loss = -judges(made).mean()
            judges.requires_grad_(when == "before")  # the loss was recorded while it was frozen
            loss.backward()
            first.step()
            judges.requires_grad_(when != "never")
            return judged, loss

        every = [*makes.parameters(), *judges.parameters()]
        leaves = lambda: [(w.grad, w.requires_grad) for w in every]  # noqa: E731
        return lambda x: step(ag.tensor(x)), [step], [makes, judges, first, second, leaves]

    same_as_eager(make)


def test_a_capture_that_fails_frees_nothing():
    w, v = ag.tensor([1.0, 2.0], requires_grad=True), ag.tensor([1.0, 2.0])

    def f(x):
        assert w.requires_grad
        w.requires_grad_(False)
        found = ag.sum(x * w).item()
        w.requires_grad_(True)
        v.requires_grad_(True)
        return x * found

    run = ag.compile(f)
    for _ in range(3):
        assert run(ag.ones(2)).tolist() == [3.0, 3.0]
    assert w.requires_grad
    assert v.requires_grad
    run = ag.compile(lambda x: x * v.requires_grad_())
    assert run(ag.ones(2)).requires_grad


def test_what_is_freed_for_good_is_freed():
    v = ag.tensor([1.0, 2.0])
    run = ag.compile(lambda x: ag.sum(x * v.requires_grad_()))
    for _ in range(3):
        assert run(ag.ones(2)).requires_grad
        assert v.requires_grad
        v.requires_grad_(False)


def test_a_function_may_do_nothing_but_assign():
    a, b = ag.zeros(2), ag.tensor([1.0, 2.0], requires_grad=True)

    @ag.compile
    def follow():
        with ag.no_grad():
            a.copy_(0.5 * a + b)

    for wanted in (1.0, 1.5, 1.75):
        assert follow() is None
        np.testing.assert_array_equal(a.numpy(), [wanted, 2 * wanted])
    assert follow.reasons() == []
