"""What a function keeps outside of itself, or draws from generators that are not ours, no program would do again."""

import random
from collections import Counter, defaultdict, deque
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd.errors import UnsupportedError

RNG, LOSSES, LAST = np.random.default_rng(0), [], None


class Recurrent(nn.Module):
    def __init__(self):
        self.linear, self.state, self.rng = nn.Linear(3, 3, dtype="float64"), ag.zeros(3), np.random.default_rng(1)

    def forward(self, x):
        self.state = ag.tanh(self.linear(x) + self.state.detach())
        return ag.sum(self.state)


class Noisy(Recurrent):
    def forward(self, x):
        return ag.sum(self.linear(x) + self.rng.normal(size=3))


class Smoothed:
    def __init__(self):
        self.mean = ag.zeros(3)

    def __call__(self, x):
        self.mean, self.pair = 0.5 * self.mean + x, (x * 2.0, x)
        return ag.sum(self.mean)


def closing_over():
    seen, best, rng = {"losses": 0}, None, np.random.RandomState(0)

    def keeping(x):
        seen[len(seen)] = ag.sum(x)
        return ag.sum(x) * (1 + len(seen))

    def binding(x):
        nonlocal best
        best = ag.sum(x) if best is None else ag.maximum(best, ag.sum(x))
        return best * 1.0

    return {
        "a dict that is closed over": (keeping, "`seen`"),
        "a name that is closed over": (binding, "`best`"),
        "a generator that is closed over": (lambda x: ag.sum(x * rng.normal(size=3)), "`rng`"),
    }


def appending(x):
    LOSSES.append(ag.sum(x * x))
    return LOSSES[-1] + len(LOSSES)


def rebinding(x):
    global LAST
    LAST = x * 2.0 if LAST is None else LAST + x
    return ag.sum(LAST)


def noisy(x):
    return ag.sum(x + np.random.normal(size=3))  # noqa: NPY002  # what many write


CASES = {
    "an attribute of a module": lambda: (Recurrent(), "the attribute `state` of Recurrent"),
    "an attribute": lambda: (Smoothed(), "the attribute `mean` of Smoothed"),
    "a method": lambda: (Smoothed().__call__, "the attribute `mean` of Smoothed"),
    "a global list": lambda: (appending, "`LOSSES`"),
    "a global name": lambda: (rebinding, "`LAST`"),
    "an argument": lambda: (partial(lambda kept, x: kept.append(x) or ag.sum(kept[0]) + len(kept), []), "an argument"),
    "a global generator": lambda: (lambda x: ag.sum(x * RNG.normal(size=3)), "`RNG`"),
    "a generator of a module": lambda: (Noisy(), "the attribute `rng` of Noisy"),
    "NumPy's generator": lambda: (noisy, "NumPy's np.random"),
    "Python's generator": lambda: (lambda x: ag.sum(x) * random.random(), "Python's random"),
} | {name: lambda name=name: closing_over()[name] for name in closing_over()}


@pytest.mark.parametrize("name", CASES)
def test_what_a_program_would_not_do_again_is_refused_and_put_back(name):
    global RNG, LAST
    found = []
    for wrap in (lambda f: f, ag.compile):
        ag.random.seed(0)
        np.random.seed(0)  # noqa: NPY002  # as the case below
        random.seed(0)
        LOSSES.clear()
        RNG, LAST = np.random.default_rng(0), None
        f, where = CASES[name]()
        run = wrap(f)
        found.append([run(ag.tensor([1.0, 2.0, k])).item() for k in range(4)])
    assert found[0] == found[1]
    assert where in run.reasons()[0]


def test_a_value_that_was_kept_all_the_same_says_what_to_do():
    class Box:
        value = None

    box, hidden = Box(), lambda box, y: setattr(box, "value", y)

    def f(x):
        hidden(box, x * 2.0)
        return ag.sum(x)

    run = ag.compile(f)
    assert run(ag.ones(3)).item() == 3.0
    for use in (lambda v: v.numpy(), lambda v: v + 1.0, float, bool, np.asarray, ag.sum, lambda v: ag.ones(3) * v):
        with pytest.raises(UnsupportedError, match=r"made in .*hidden\(box, x \* 2.0\)(.|\n)*Return it"):
            use(box.value)


class Meter:
    total = 0

    def __init__(self):
        self.count, self.seen = 0, []

    def update(self, loss):
        self.count += 1
        self.seen.append(loss.detach())


class Slotted:
    __slots__ = ("last",)

    def __init__(self):
        self.last = None


def counted_in_class(_loss):
    Meter.total += 1


def of_default(_loss, memo={"n": 0}):  # noqa: B006  # as many write it
    memo["n"] += 1


def effects():
    """What a function may do to something that it only comes by, and what is to be seen of that afterwards."""
    Meter.total, of_default.__defaults__[0]["n"] = 0, 0
    stats, nested, history, counts = {"seen": 0}, {"a": {"n": 0}}, [0.0], Counter()
    recent, by_name, numbers = deque(maxlen=3), defaultdict(list), np.zeros(2)
    once, data, meter, slotted, box = set(), bytearray(2), Meter(), Slotted(), SimpleNamespace(n=0)
    steps = iter(range(9))
    schedule = optim.StepLR(optim.SGD([ag.tensor(1.0, requires_grad=True)], lr=1.0), 2)
    return {
        "a count in a dict": (lambda _: stats.update(seen=stats["seen"] + 1), stats),
        "a dict in a dict": (lambda _: nested["a"].update(n=nested["a"]["n"] + 1), nested),
        "an element of a list": (lambda loss: history.__setitem__(0, loss.detach()), history),
        "numbers in a list": (lambda _: history.append(len(history)), history),
        "a Counter": (lambda _: counts.update(["x"]), counts),
        "a deque": (lambda loss: recent.append(loss.detach()), recent),
        "a defaultdict": (lambda loss: by_name["x"].append(loss), by_name),
        "an ndarray": (lambda _: np.add(numbers, 1, out=numbers), numbers),
        "a set": (lambda _: once.add(len(once)), once),
        "a bytearray": (lambda _: data.append(1), data),
        "an object": (meter.update, vars(meter)),
        "slots": (lambda loss: setattr(slotted, "last", loss.detach()), slotted),
        "a namespace": (lambda _: setattr(box, "n", box.n + 1), vars(box)),
        "a class": (counted_in_class, Meter),
        "a default": (of_default, of_default.__defaults__[0]),
        "an iterator": (lambda _: next(steps), steps),
        "a schedule": (lambda _: schedule.step(), schedule.optimizer.param_groups[0]),
    }


def shown(x):
    if isinstance(x, type):
        return x.total
    if isinstance(x, Slotted):
        return shown(x.last)
    if isinstance(x, dict):
        return {name: shown(y) for name, y in x.items() if name != "params"}
    return [shown(y) for y in x] if isinstance(x, (list, deque, type(iter(range(1))))) else str(x)


@pytest.mark.parametrize("name", effects())
def test_what_is_changed_on_the_way_is_changed_in_each_call(name):
    found = []
    for wrap in (lambda f: f, ag.compile):
        effect, seen = effects()[name]

        def f(x, effect=effect):
            loss = ag.sum(x * x)
            effect(loss)
            return loss

        run = wrap(f)
        found.append(([run(ag.tensor([1.0, k])).item() for k in range(5)], shown(seen)))
    assert found[0] == found[1]
    assert any(words in run.reasons()[0] for words in ("it changes", "it keeps", "it goes on with an iterator"))


class Masked(nn.Module):
    def __init__(self):
        self.mask, self.rows, self.shape = None, {}, None

    def forward(self, x):
        if self.mask is None:
            self.mask = ag.ones(2) * 0.5
        rows = self.rows.setdefault(len(x), ag.full((len(x), 1), len(x)))
        self.zero, self.sizes = ag.zeros(2), [2, 2.0]
        return ag.sum(x * self.mask * rows + self.zero)


class Remembering(nn.Module):
    shape = None

    def forward(self, x):
        self.shape = x.shape
        return ag.sum(x)


def test_what_is_made_when_it_is_first_needed_stands_in_no_way():
    model = Masked()
    run = ag.compile(model)
    for n in (3, 3, 4, 4, 3):
        assert run(ag.ones((n, 2))).item() == n * n
    made = [len(runs) for runs in run.programs.values()]
    for n in (4, 3, 4, 3):
        assert run(ag.ones((n, 2))).item() == n * n
    assert run.reasons() == []
    assert [len(runs) for runs in run.programs.values()] == made, "each has its program"
    model.mask = None
    assert run(ag.ones((3, 2))).item() == 9.0
    assert model.mask is not None


def test_what_is_remembered_of_a_call_is_that_of_the_last():
    model = Remembering()
    run = ag.compile(model)
    for n in (3, 3, 4, 4, 3, 4, 3, 3):
        run(ag.ones(n))
        assert model.shape == (n,)


def test_what_hooks_keep_is_what_the_call_computed():
    layer, kept = nn.Linear(2, 2), {}
    layer.register_forward_hook(lambda _module, _given, y: kept.update(y=y))
    run = ag.compile(lambda x: ag.sum(layer(x)))
    for k in range(4):
        x = ag.tensor([[1.0, k]], dtype="float32")
        run(x)
        np.testing.assert_allclose(kept["y"].numpy(), (x @ layer.weight.T + layer.bias).numpy(), rtol=1e-6)


def seeding(x):
    ag.random.seed(3)
    return x + ag.random.normal(size=3)


def making_a_generator(x):
    return x + ag.random.Generator(5).normal(size=3)


def going_back(x, generator=ag.random.Generator(2)):  # noqa: B008  # the same in each call
    state = generator.get_state()
    found = x + generator.normal(size=3)
    generator.set_state(state)
    return found


@pytest.mark.parametrize("f", [seeding, making_a_generator, going_back])
def test_numbers_that_begin_anew_in_each_call(f):
    run = ag.compile(f)
    for _ in range(3):
        assert run(ag.ones(3)).tolist() == f(ag.ones(3)).tolist()
    assert "generator" in run.reasons()[0]
