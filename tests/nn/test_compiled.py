"""Trainings by programs: the same curve as step by step, what is not compiled and why, and going on bitwise."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
import regularize
from autograd.errors import ArgumentError, DataError, ShapeError, UnsupportedError
from nn import compiled as compiled_module

RULES = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "LBFGS": lambda p: optim.LBFGS(p, lr=0.1),
} | {
    name: (lambda p, rule=rule: rule(p))
    for name, rule in vars(optim).items()
    if isinstance(rule, type) and issubclass(rule, optim.Optimizer) and name not in ("Optimizer", "LBFGS", "SGD")
}


@pytest.fixture(autouse=True)
def early(monkeypatch):
    """Compile from the third batch of a kind on, so that tests are short."""
    monkeypatch.setattr(compiled_module, "FROM", 2)


def data(n=44, features=6, classes=3):
    rng = np.random.default_rng(3)
    x = rng.standard_normal((n, features)).astype("float32")
    return x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)


def made(compile, rule="Adam", **settings):
    ag.random.seed(4)
    model = nn.Sequential(
        nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.Tanh(), regularize.Dropout(0.3), nn.Linear(8, 3)
    )
    optimizer = RULES[rule](model.parameters())
    for name in ("penalty", "clip"):
        if name in settings:
            settings[name] = settings[name](model) if name == "penalty" else settings[name]
    return nn.Trainer(
        model, settings.pop("loss", nn.CrossEntropyLoss()), optimizer, compile=compile, progress=False, **settings
    )


def run(compile, rule="Adam", callbacks=lambda t: (), weighted=False, epochs=4, **settings):
    trainer = made(compile, rule, weighted=weighted, **settings)
    x, y = data()
    parts = (x, y, np.linspace(0, 2, len(x))) if weighted else (x, y)
    trainer.fit(parts, parts, epochs=epochs, batch_size=8, callbacks=callbacks(trainer))
    seen = [p.numpy() for p in (*trainer.model.parameters(), *trainer.model.buffers())]
    return (
        trainer,
        [list(trainer.history[name]) for name in sorted(trainer.history)],
        [*seen, trainer.predict(x).numpy()],
    )


def agree(plain, fast):
    np.testing.assert_allclose(fast[1], plain[1], rtol=2e-4, atol=2e-5)
    for a, b in zip(plain[2], fast[2], strict=True):
        np.testing.assert_allclose(b, a, rtol=5e-4, atol=5e-5)
    assert plain[0].compiling._made == {}


def programs(trainer):
    return {what: [r for rs in f.programs.values() for r in rs] for what, (*_, f) in trainer.compiling._made.items()}


ACCURACY = {"accuracy": lambda y, p: float((p.argmax(1) == y).mean())}
WAYS = {
    "metrics": {"metrics": ACCURACY},
    "penalty": {"penalty": lambda model: regularize.ElasticNet(0.01, model)},
    "a penalty of one's own": {"penalty": lambda model: lambda: 0.01 * ag.sum(model[0].weight ** 2)},
    "clipped": {"clip": lambda ps: optim.clip_grad_norm_(ps, 0.1)},
    "clipped by value": {"clip": lambda ps: optim.clip_grad_value_(ps, 0.05)},
    "weighted": {"weighted": True, "metrics": ACCURACY},
    "classes": {"class_weight": {0: 0.5, 2: 3.0}},
    "balanced and weighted": {"class_weight": "balanced", "weighted": True},
    "smoothed": {"loss": nn.CrossEntropyLoss(label_smoothing=0.1, ignore_index=2)},
    "smoothed and weighted": {"loss": nn.CrossEntropyLoss(ag.tensor([1.0, 2.0, 0.5]), label_smoothing=0.1)},
    "labels left out": {"loss": nn.CrossEntropyLoss(ag.tensor([1.0, 2.0, 0.5]), ignore_index=2)},
    "a function as loss": {"loss": F.cross_entropy},
    "a loss of one's own": {"loss": lambda p, y: ag.mean(F.cross_entropy(p, y, reduction="none"))},
    "schedules": {
        "callbacks": lambda t: [nn.LearningRateScheduler(optim.OneCycleLR(t.optimizer, 0.02, 40), every="step")],
    },
}


@pytest.mark.parametrize("rule", RULES)
def test_the_same_curve_with_every_optimizer(rule):
    plain, fast = run(False, rule), run(True, rule)
    agree(plain, fast)
    assert fast[0].reasons() == (
        ["training: LBFGS computes the loss several times in a step"] if rule == "LBFGS" else []
    )
    assert ("training" in programs(fast[0])) == (rule != "LBFGS")


@pytest.mark.parametrize("way", WAYS)
def test_the_same_curve_in_every_way(way):
    plain, fast = run(False, **WAYS[way]), run(True, **WAYS[way])
    agree(plain, fast)
    found = programs(fast[0])
    assert fast[0].reasons() == []
    assert found.keys() == {"training", "evaluation"}
    assert len(found["training"]) >= 2  # a partial batch


def test_prediction_is_compiled_after_a_while():
    trainer, x = made(True), data()[0]
    seen = [trainer.predict(x, batch_size=16) for _ in range(4)]
    assert len(programs(trainer)["prediction"]) == 2
    assert trainer.reasons() == []
    for other in seen[1:]:
        np.testing.assert_allclose(other.numpy(), seen[0].numpy(), rtol=1e-5, atol=1e-6)


# ---- within a budget


def deep(fit_in, **settings):
    ag.random.seed(1)
    model = nn.Sequential(*(part for _ in range(8) for part in (nn.Linear(6, 6), nn.GELU())), nn.Linear(6, 3))
    optimizer = settings.pop("optimizer", optim.Adam)(model.parameters())
    return nn.Trainer(model, nn.CrossEntropyLoss(), optimizer, fit_in=fit_in, progress=False, **settings)


def test_steps_of_a_trainer_fit_into_a_budget():
    """From the first step on; the curve is the same, and something is computed again."""
    x, y = data(4000)
    free, fitted = deep(None), deep("0.7MB")
    for trainer in (free, fitted):
        ag.random.seed(2)  # for the order of the samples
        trainer.fit((x, y), epochs=4, batch_size=2000)
    np.testing.assert_allclose(fitted.history["loss"], free.history["loss"], rtol=1e-5)
    (kept,), (again,) = programs(free)["training"], programs(fitted)["training"]
    assert kept.peak > 7e5 >= again.peak
    assert again.recomputed
    once = deep("1.5MB")
    once.fit((x, y), epochs=1, batch_size=4000)
    assert len(programs(once)["training"]) == 1


def test_budgets_that_cannot_be_kept_are_refused():
    x, y = data(4000)
    with pytest.raises(ArgumentError, match="fit_in='much'"):
        deep("much")
    with pytest.raises(ArgumentError, match="compile=False"):
        deep("1MB", compile=False)
    with pytest.raises(UnsupportedError, match="LBFGS computes the loss several times"):
        deep("1MB", optimizer=optim.LBFGS).fit((x, y), epochs=1)
    with pytest.raises(UnsupportedError, match="reads a value as a Python number"):
        deep("1MB", clip=lambda ps: optim.clip_grad_norm_(ps, float(ag.max(ps[0].grad)))).fit((x, y), epochs=1)
    with pytest.raises(ArgumentError, match=r"needs .* at least"):
        deep("1kB").fit((x, y), epochs=1)


# ---- what is not compiled


class Looks(nn.Callback):
    def on_gradients(self, trainer, step):
        pass


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"accumulate": 2}, "gradients of several batches are added up"),
        ({"strict": True}, "strict mode looks at each step"),
        ({"callbacks": lambda t: [Looks()]}, "Looks looks at the gradients before the step"),
        ({"callbacks": lambda t: [nn.TerminateOnNaN()]}, "TerminateOnNaN looks at the gradients"),
        (
            {"clip": lambda ps: optim.clip_grad_norm_(ps, ps[0].grad.numpy().max())},
            "calls numpy: a value read in Python",
        ),
        ({"clip": lambda ps: optim.clip_grad_norm_(ps, float(ag.max(ps[0].grad)))}, "reads a value as a Python number"),
    ],
)
def test_steps_that_run_one_by_one(settings, reason):
    plain, fast = run(False, **settings), run(True, **settings)
    agree(plain, fast)
    assert reason in " ".join(fast[0].reasons())


def test_batches_of_many_lengths():
    rng = np.random.default_rng(0)
    batches = [(rng.standard_normal((n, 6)).astype("float32"), rng.integers(0, 3, n)) for n in range(2, 12)]
    ends = []
    for compile in (False, True):
        trainer = made(compile)
        trainer.fit(batches, epochs=5)
        ends.append(trainer.history["loss"])
    np.testing.assert_allclose(ends[1], ends[0], rtol=1e-3)
    assert len(programs(trainer)["training"]) == 6
    assert trainer.reasons() == [
        "training: the batches are of more than 6 kinds; of one length, or few, they run faster"
    ]


# ---- errors


def test_a_loss_that_is_not_finite_changes_nothing():
    x, y = data()
    words = []
    for compile in (False, True):
        trainer = made(compile)
        trainer.fit((x, y), epochs=2, batch_size=11)
        weights = [p.numpy().copy() for p in trainer.model.parameters()]
        with pytest.raises(DataError, match="the weights are as before it") as caught:
            trainer.fit([(np.full((11, 6), np.nan, "float32"), y[:11])])
        words.append(str(caught.value))
        for p, before in zip(trainer.model.parameters(), weights, strict=True):
            np.testing.assert_array_equal(p.numpy(), before)
    assert words[0] == words[1]
    assert "Part 0 of this batch" in words[0]
    assert "training" in programs(trainer)


def test_errors_are_those_of_the_step():
    trainer = made(True)
    x, y = data()
    trainer.fit((x, y), epochs=2, batch_size=11)
    with pytest.raises(ShapeError):
        trainer.fit([(x[:11], y[:7])] * 4)
    trainer.loss = lambda p, t: F.cross_entropy(p, t, reduction="none")
    with pytest.raises(ShapeError, match="the loss returned shape"):
        trainer.fit((x, y), epochs=2, batch_size=11)


# ---- going on later


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 9])
def test_a_resumed_training_takes_the_same_way(tmp_path, steps):
    """Interrupted before, at and after the step from which on programs run."""
    x, y = data()

    def start():
        trainer = made(True, metrics=ACCURACY)
        loader = nn.DataLoader(x, y, batch_size=8, shuffle=True, generator=ag.random.Generator(5))
        return trainer, loader, nn.ModelCheckpoint(tmp_path / "here", steps=1)

    class Stop(nn.Callback):
        last = True
        left = -1

        def on_batch_end(self, trainer, step, loss):
            self.left -= 1
            if not self.left:
                raise InterruptedError

    def bits(trainer):
        state = trainer.optimizer.state_dict()["state"]
        return (
            [p.numpy().tobytes() for p in (*trainer.model.parameters(), *trainer.model.buffers())]
            + [np.asarray(ag.asarray(v).numpy()).tobytes() for s in state.values() for v in s.values()]
            + [trainer.history.to_json()]
        )

    trainer, loader, keep = start()
    trainer.fit(loader, (x, y), epochs=4, callbacks=[keep, Stop()])
    whole = bits(trainer)
    (tmp_path / "here").unlink()
    trainer, loader, keep = start()
    stop = Stop()
    stop.left = steps
    with pytest.raises(InterruptedError):
        trainer.fit(loader, (x, y), epochs=4, callbacks=[keep, stop])
    trainer, loader, keep = start()
    trainer.fit(loader, (x, y), epochs=4, callbacks=[keep, Stop()], resume=tmp_path / "here")
    assert bits(trainer) == whole
    assert "training" in programs(trainer)


@pytest.mark.parametrize("kind", [nn.Classifier, nn.Regressor])
def test_estimators_pass_it_on(kind):
    x, y = data()
    made = [
        kind(optimizer=optim.Adam, epochs=3, batch_size=8, random_state=0, compile=c).fit(x, y) for c in (False, True)
    ]
    np.testing.assert_allclose(made[1].history_["loss"], made[0].history_["loss"], rtol=1e-4)
    assert kind().get_params()["compile"] is True


def test_a_compiled_model_is_evaluated_in_evaluation_mode():
    x, _ = data()
    plain, compiled = made(True), made(True)
    compiled = nn.Trainer(
        ag.compile(compiled.model, fit_in="1GB"), compiled.loss, compiled.optimizer, compile=True, progress=False
    )
    for trainer in (plain, compiled):
        ag.random.seed(0)
        trainer.fit(data(), data(), epochs=3, batch_size=8)
    np.testing.assert_allclose(compiled.history["val_loss"], plain.history["val_loss"], rtol=1e-5)
    np.testing.assert_array_equal(compiled.predict(x).numpy(), compiled.predict(x).numpy())
    assert compiled.compiling.fit_in == "1GB"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["copy", "pickle"])
def test_a_trainer_is_copied_and_its_programs_made_anew(again):
    x, y = np.ones((4, 3), "float32"), np.zeros((4, 1), "float32")
    model = nn.Linear(3, 1)
    trainer = nn.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.01), progress=False)
    trainer.fit([(x, y)] * 30)
    other = again(trainer)
    for t in (trainer, other):
        t.fit([(x, y)] * 30)
    np.testing.assert_array_equal(other.history["loss"], trainer.history["loss"])
    np.testing.assert_array_equal(other.predict(x).numpy(), trainer.predict(x).numpy())
    assert other.reasons() == []


def test_containers_hold_compiled_modules():
    first = nn.Linear(2, 3)
    model = nn.Sequential(ag.compile(first), nn.ReLU(), ag.compile(nn.Linear(3, 1)))
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert len(model) == 3
    assert model[0].weight is first.weight
    x = ag.ones((4, 2), dtype="float32")
    np.testing.assert_allclose(model(x).numpy(), model[2].function(model[1](first(x))).numpy(), rtol=1e-6)
    with pytest.raises(ArgumentError, match="Compiled, which is not a Module"):
        nn.Sequential(ag.compile(ag.relu))


def test_a_compiled_module_is_used_as_the_module():
    class Net(nn.Module):
        def __init__(self, compiled):
            body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())
            self.body = ag.compile(body) if compiled else body
            self.heads = [nn.Linear(4, 1)]

        def forward(self, x):
            return self.heads[0](self.body(x))

    figures = []
    for compiled in (False, True):
        ag.random.seed(3)
        net = Net(compiled)
        whole = ag.compile(net) if compiled else net
        optimizer = optim.SGD(whole.parameters(), lr=0.1)
        assert whole.train() is net
        losses = []
        for k in range(4):
            optimizer.zero_grad()
            loss = (
                whole(ag.full((5, 3), 0.1 * k, dtype="float32") + ag.arange(5, dtype="float32")[:, None]) ** 2
            ).mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        net.eval()
        assert not net.body.training
        figures.append((losses, {name: t.tolist() for name, t in whole.state_dict().items()}))
    (losses, state), (compiled_losses, compiled_state) = figures
    np.testing.assert_allclose(compiled_losses, losses, rtol=1e-5)
    assert list(compiled_state) == list(state)
    for name, values in state.items():
        np.testing.assert_allclose(compiled_state[name], values, rtol=1e-4, atol=1e-6)
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'nothing'"):
        ag.compile(Net(False)).nothing  # noqa: B018
