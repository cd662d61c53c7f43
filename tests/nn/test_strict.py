"""Strict mode: each classic mistake gives its message, in a loop of one's own and in the Trainer; right loops none."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import optim
import regularize
from autograd.errors import ArgumentError, DifferentiationError, DTypeError, ShapeError


@pytest.fixture(autouse=True)
def _seeded():
    ag.random.seed(0)


X = np.linspace(-1, 1, 12, dtype="f4").reshape(6, 2)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def classifier(*more):
    return nn.Sequential(nn.Linear(2, 8), nn.ReLU(), regularize.Dropout(0.1), nn.Linear(8, 3), *more)


def loop(model, loss, optimizer, x=X, y=LABELS, *, zero_grad="before backward", steps=3):
    with nn.strict(model, optimizer, loss):
        for _ in range(steps):
            if zero_grad == "before forward":
                model.zero_grad()
            value = loss(model(ag.asarray(x)), ag.asarray(y))
            if zero_grad == "before backward":
                optimizer.zero_grad()
            value.backward()
            optimizer.step()


def trained(model, loss, optimizer, x=X, y=LABELS, **settings):
    nn.Trainer(model, loss, optimizer, strict=True, progress=False, **settings).fit([(x, y)], [(x, y)], epochs=2)


@pytest.mark.parametrize("zero_grad", ["before forward", "before backward"])
def test_a_right_loop_passes_and_nothing_is_left_of_the_checks(zero_grad):
    model = classifier()
    optimizer, loss = optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    loop(model, loss, optimizer, zero_grad=zero_grad)
    trained(model, loss, optimizer, metrics={"n": lambda y, p: len(y)}, penalty=regularize.L2(0.1, model))
    assert not {"zero_grad", "step", "forward"} & {*vars(model), *vars(optimizer)}
    with ag.no_grad():
        model(ag.asarray(X, "float64"))


def test_no_zero_grad():
    model = classifier()
    with pytest.raises(DifferentiationError, match=r"a second step without zero_grad(.|\n)*zero_grad\(\) before loss"):
        loop(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters()), zero_grad="never")


class Lazy(optim.SGD):
    def zero_grad(self):
        pass


def test_a_zero_grad_that_does_nothing():
    model = classifier()
    with pytest.raises(DifferentiationError, match=r"zero_grad left the gradient of parameters 0\.weight.* and 1 more"):
        trained(model, nn.CrossEntropyLoss(), Lazy(model.parameters()))


MISTAKES = pytest.mark.parametrize("train", [loop, trained])


@MISTAKES
def test_a_parameter_without_a_gradient(train):
    class Detached(nn.Module):
        def __init__(self):
            self.first, self.second, self.spare = nn.Linear(2, 4), nn.Linear(4, 3), nn.Linear(1, 1)

        def forward(self, x):
            return self.second(self.first(x).detach())

    model = Detached()
    words = r"parameters first\.weight, first\.bias, spare\.weight and 1 more got no gradient(.|\n)*detach\(\)"
    with pytest.raises(DifferentiationError, match=words):
        train(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters()))
    for part in (model.first, model.spare):
        part.requires_grad_(False)
    train(model, nn.CrossEntropyLoss(), optim.SGD(model.second.parameters()))


@MISTAKES
def test_a_parameter_of_no_optimizer(train):
    model = classifier()
    optimizer = optim.SGD(model.parameters())
    model[3] = nn.Linear(8, 3)
    with pytest.raises(ArgumentError, match=r"parameters 3\.weight, 3\.bias of the model belong to no optimizer"):
        train(model, nn.CrossEntropyLoss(), optimizer)


@MISTAKES
def test_softmax_before_cross_entropy(train):
    for last, loss, y, words in [
        (
            nn.Softmax(1),
            nn.CrossEntropyLoss(),
            LABELS,
            "cross-entropy was given probabilities: a softmax stands before",
        ),
        (nn.ReLU(), nn.NLLLoss(), LABELS, "NLLLoss was given positive numbers. Expected log-probabilities"),
        (nn.Sigmoid(), nn.BCEWithLogitsLoss(), np.ones((6, 3), "f4"), "given a sigmoid's output, and takes one itself"),
    ]:
        model = classifier(last)
        with pytest.raises(ArgumentError, match=words):
            train(model, loss, optim.SGD(model.parameters()), y=y)


def test_softmax_before_the_function():
    model = classifier(nn.Softmax(1))
    with pytest.raises(ArgumentError, match="given probabilities"):
        trained(model, nn.functional.cross_entropy, optim.SGD(model.parameters()))


def test_training_mode_in_evaluation():
    model = classifier()
    with nn.strict(model), ag.no_grad():
        with pytest.raises(
            ArgumentError, match=r"evaluated in training mode: 2 \(Dropout\)(.|\n)*Write model.eval\(\)"
        ):
            model(ag.asarray(X))
        model.eval()
        model(ag.asarray(X))
    plain = nn.Linear(2, 1)
    with nn.strict(plain), ag.no_grad():
        plain(ag.asarray(X))


def test_training_mode_in_evaluation_by_a_callback_of_a_trainer():
    class Peek(nn.Callback):
        def on_batch_end(self, trainer, step, loss):
            with ag.no_grad():
                trainer.model(ag.asarray(X))

    model = classifier()
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters()), strict=True, progress=False)
    with pytest.raises(ArgumentError, match="evaluated in training mode"):
        trainer.fit([(X, LABELS)], callbacks=[Peek()])


def test_shapes_that_broadcast():
    model = nn.Linear(2, 1)
    y = np.ones(6, "f4")
    words = r"prediction has shape \(6, 1\) and the target \(6,\)(.|\n)*Write prediction.reshape\(\(6,\)\)"
    with pytest.raises(ShapeError, match=words):
        trained(model, lambda p, y: ((p - y) ** 2).mean(), optim.SGD(model.parameters()), y=y)
    trained(model, lambda p, y: ((p - y) ** 2).mean(), optim.SGD(model.parameters()), y=y[:, None])


@MISTAKES
def test_float64_in_a_float32_model(train):
    model = classifier()
    optimizer = optim.SGD(model.parameters())
    with pytest.raises(DTypeError, match=r"the input of the model is float64(.|\n)*x.astype\('float32'\)"):
        train(model, nn.CrossEntropyLoss(), optimizer, x=X.astype("f8"))

    class Leak(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 3)

        def forward(self, x):
            return self.inner(x) * np.ones(3)

    leak = Leak()
    with pytest.raises(DTypeError, match="the model's output is float64"):
        train(leak, nn.CrossEntropyLoss(), optim.SGD(leak.parameters()))
    wide = classifier().to("float64")
    train(wide, nn.CrossEntropyLoss(), optim.SGD(wide.parameters()), x=X.astype("f8"))


class Squared(nn.Module):
    """A loss of one's own."""

    def __init__(self, factor=0.5):
        self.factor = factor

    def forward(self, prediction, target):
        return (self.factor * (prediction - target) ** 2).mean()


TARGET = np.linspace(0, 1, 6)[:, None]


@MISTAKES
def test_a_float64_target_in_a_loss_of_ones_own(train):
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters())
    with pytest.raises(DTypeError, match=r"the loss, whose target is float64, is float64(.|\n)*y.astype\('float32'\)"):
        train(model, Squared(), optimizer, y=TARGET)
    with pytest.raises(
        DTypeError, match=r"the loss is float64 and the model float32(.|\n)*arrays of float32 in the loss"
    ):
        train(model, Squared(np.full((1, 1), 0.5)), optimizer, y=TARGET.astype("f4"))
    for y in (TARGET.astype("f4"), TARGET.astype(int), TARGET.astype("i4"), TARGET > 0.5):
        train(model, Squared(), optimizer, y=y * 1 if y.dtype == bool else y)
    train(model, nn.MSELoss(), optimizer, y=TARGET)  # which casts it
    wide = nn.Linear(2, 1).to("float64")
    train(wide, Squared(), optim.SGD(wide.parameters()), x=X.astype("f8"), y=TARGET)


def test_a_float64_target_in_a_function_of_ones_own():
    model = nn.Linear(2, 1)
    with pytest.raises(DTypeError, match="the loss, whose target is float64, is float64"):
        trained(model, lambda p, y: (0.5 * (p - y) ** 2).mean(), optim.SGD(model.parameters()), y=TARGET)


def test_a_generator_without_a_seed():
    model = classifier()
    loader = nn.DataLoader(X, LABELS, shuffle=True, generator=ag.random.Generator())
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters()), strict=True, progress=False)
    with pytest.raises(ArgumentError, match=r"the generator at data\.generator, which has no seed"):
        trainer.fit(loader)
    trainer.fit(nn.DataLoader(X, LABELS, shuffle=True, generator=ag.random.Generator(5)))


PROGRAM = """
import sys, autograd as ag
if sys.argv[1] == "early":
    ag.random.seed(0)
import nn, optim
model = nn.Linear(1, 1, generator=ag.random.Generator(0) if sys.argv[1] == "own" else None)
x = ag.ones((4, 1), dtype="float32")
nn.Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), strict=True, progress=False).fit([(x, x)])
"""


@pytest.mark.parametrize(
    ("how", "words"), [("never", "random numbers come from the default stream"), ("own", ""), ("early", "")]
)
def test_the_default_stream_without_a_seed(how, words):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert words in done.stderr
    assert bool(words) == bool(done.returncode)
