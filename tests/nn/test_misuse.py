"""What users get wrong, or leave to the trainer, in its arguments and data: each has its words, or works."""

import re
from operator import attrgetter
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

import autograd as ag
import nn
import optim
import regularize
from autograd.errors import ArgumentError, CheckpointError, DataError, DifferentiationError, ShapeError
from nn.elsewhere import DATA, FIT, FUNCTIONAL, LOADER, NN, Elsewhere, Habits
from optim.elsewhere import OPTIMIZER, SCHEDULE

X, Y = np.random.default_rng(0).normal(size=(20, 3)).astype("float32"), np.arange(20) % 2


def trainer(**settings):
    model = nn.Linear(3, 2, generator=ag.random.Generator(0))
    given = {"loss": nn.CrossEntropyLoss(), "optimizer": optim.SGD(model.parameters(), lr=0.1), "progress": False}
    return nn.Trainer(settings.pop("model", model), **(given | settings))


CLASSES = [
    ("model", nn.Linear, r"the class Linear as model\. Write model=Linear\(\.\.\.\)\."),
    ("loss", nn.CrossEntropyLoss, r"the class CrossEntropyLoss as loss\. Write loss=CrossEntropyLoss"),
    ("optimizer", optim.SGD, r"the class SGD as optimizer\. Write optimizer=optim.Adam\(model.parameters\(\)\)"),
    ("loss", optim.SGD([nn.Parameter([1.0])], lr=0.1), r"an object of class SGD as loss\. Expected a model"),
    ("loss", "mse", r"'mse' as loss\. Expected a model, a loss and an optimizer:\nwrite nn\.Trainer"),
    ("model", None, r"None as model\. Expected a model"),
    ("metrics", [balanced_accuracy_score], r'metrics as a list\. Expected functions by name: metrics=\{"accuracy"'),
    (
        "clip",
        1.0,
        r"given 1\.0 as clip\. Expected a function: write clip=lambda ps: optim\.clip_grad_norm_\(ps, 1\.0\)",
    ),
    ("penalty", nn.Linear, r"the class Linear as penalty\. Expected a function: write penalty=regularize\.L2\("),
    ("accumulate", 2.0, r"accumulate=2\.0\. Expected 1 batch or more"),
    ("class_weight", {1.0, 2.0}, r"a set as class_weight\..*: write class_weight=dict\("),
    ("class_weight", {"0": 1.0}, r"class_weight for the labels \['0'\]\. Expected numbers, as those of the targets"),
]


@pytest.mark.parametrize(("name", "given", "words"), CLASSES)
def test_classes_and_lists_where_objects_are_expected(name, given, words):
    with pytest.raises(ArgumentError, match=words):
        trainer(**{name: given})


def test_callbacks_that_are_none():
    t = trainer()
    with pytest.raises(ArgumentError, match=r"StepLR among its callbacks. Write nn.LearningRateScheduler\(StepLR\("):
        t.fit((X, Y), callbacks=[optim.StepLR(t.optimizer, 3)])
    with pytest.raises(ArgumentError, match=r"TerminateOnNaN among its callbacks. Expected objects of subclasses"):
        t.fit((X, Y), callbacks=[nn.TerminateOnNaN])
    with pytest.raises(
        ArgumentError, match=r"a single TerminateOnNaN as callbacks\. Expected a list: callbacks=\[Term"
    ):
        t.fit((X, Y), callbacks=nn.TerminateOnNaN())


def test_a_metric_that_fails_is_named():
    with pytest.raises(ValueError, match="a mix of binary and continuous") as failed:
        trainer(metrics={"balanced": balanced_accuracy_score}).fit((X, Y))
    (note,) = failed.value.__notes__
    assert note.startswith("This is the metric 'balanced', called with all targets, of shape (20,), and all outputs")
    assert "output.argmax(1)" in note


class Foreign:
    """An array of another library."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.array, dtype)

    def __iter__(self):
        return iter("abc")  # as a table of pandas its columns


@pytest.mark.parametrize(
    "data",
    [X, ag.asarray(X), Foreign(X), {"x": X}, "x", 5],
    ids=["array", "tensor", "table", "dict", "text", "number"],
)
def test_data_that_is_none(data):
    t = trainer()
    for use in (t.fit, t.evaluate):
        with pytest.raises(
            ArgumentError, match=r"as data\. Expected a tuple of arrays, as in fit\(\(x, y\)\), or an it"
        ):
            use(data)


def test_batches_that_are_dicts():
    with pytest.raises(DataError, match=r"a batch is a dict\. Expected a tuple \(inputs, targets\)"):
        trainer().fit([{"x": X, "y": Y}])


@pytest.mark.parametrize(
    ("data", "settings"),
    [([X, Y], {}), ((X,), {}), ((X, Y), {"weighted": True}), (nn.DataLoader(X, Y, transform=lambda x, y: x), {})],
    ids=["list of two arrays", "inputs alone", "weights for targets", "transform that drops"],
)
@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.functional.cross_entropy], ids=["module", "function"])
def test_batches_without_targets(data, settings, loss):
    with pytest.raises(DataError, match=r"inputs and no targets, which the loss wants\. .*: write fit\(\(x, y\)\)"):
        trainer(loss=loss, **settings).fit(data)


class Sum(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(3, 2, generator=ag.random.Generator(0))

    def forward(self, x, z):
        return self.linear(x + z)


def test_arrays_of_other_libraries_and_in_tuples():
    losses = []
    for batch in (((ag.asarray(X), ag.asarray(X)), ag.asarray(Y)), ((X, X), Y), [(Foreign(X), X), Foreign(Y)]):
        model = Sum()
        t = trainer(model=model, optimizer=optim.SGD(model.parameters(), lr=0.1))
        losses.append(t.fit([batch] * 30, epochs=2)["loss"])
        assert t.reasons() == []
    np.testing.assert_array_equal(losses[1:], losses[:1] * 2)


def batches():
    yield from ((X[k : k + 5], Y[k : k + 5]) for k in range(0, 20, 5))


@pytest.mark.parametrize("data", [batches, lambda: iter(list(batches()))], ids=["generator function", "function"])
def test_a_function_gives_batches_for_each_epoch(data):
    t, other = trainer(), trainer()
    found = t.fit(data, data, epochs=3)
    wanted = other.fit(list(batches()), list(batches()), epochs=3)
    assert found.to_json() == wanted.to_json()
    assert t.evaluate(batches) == t.evaluate((X, Y), batch_size=5)


def test_a_loader_reads_what_a_function_gives():
    loader = nn.DataLoader(lambda: zip(X, Y, strict=True), batch_size=5)
    for _ in range(2):
        assert [len(x) for x, _ in loader] == [5, 5, 5, 5]


def test_a_fit_of_a_function_goes_on_in_the_middle_of_an_epoch(tmp_path):
    class Stop(nn.Callback):
        def on_batch_end(self, trainer, step, loss):
            if len(trainer.history.epochs) == 1 and step == 2:
                trainer.save(tmp_path / "state")

    first, second = trainer(), trainer()
    first.fit(batches, epochs=2, callbacks=[Stop()])
    second.fit(batches, epochs=2, resume=tmp_path / "state", callbacks=[Stop()])
    np.testing.assert_array_equal(first.model.weight.numpy(), second.model.weight.numpy())


def test_predictions_for_a_loader():
    t = trainer()
    np.testing.assert_array_equal(t.predict(nn.DataLoader(X, Y, batch_size=6)).numpy(), t.predict(X).numpy())
    with pytest.raises(
        ArgumentError, match=r"predict was given a generator\. Expected an array of inputs, a tuple of them"
    ):
        t.predict(batches())
    with pytest.raises(ArgumentError, match="predict was given a function"):
        t.predict(batches)


# ---- losses, callbacks, checkpoints of one's own


@pytest.mark.parametrize(
    ("loss", "error", "words"),
    [
        (lambda p, y: float(p.mean().item()), ShapeError, "the loss returned a float. Expected a Tensor with a single"),
        (
            lambda p, y: p.numpy().mean(),
            ShapeError,
            "the loss returned a float32. Expected a Tensor.*: return what func",
        ),
        (lambda p, y: None, ShapeError, "the loss returned a NoneType"),
        (lambda p, y: p.detach().mean(), DifferentiationError, "the loss depends on no parameter: nothing that it was"),
    ],
    ids=["float", "array", "nothing", "detached"],
)
def test_losses_that_are_none(loss, error, words):
    with pytest.raises(error, match=words):
        trainer(loss=loss).fit((X, Y))


@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (lambda: 0.5, "the penalty returned a float. Expected a Tensor with a single element"),
        (lambda: nn.Parameter([1.0, 2.0]) ** 2, r"the penalty returned shape \(2,\)\. .*: take its sum\(\)"),
    ],
)
def test_penalties_that_are_none(penalty, words):
    with pytest.raises(ShapeError, match=words):
        trainer(penalty=penalty).fit((X, Y))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("on_train_begin", "on_fit_start"), ("on_epoch_begin", "on_epoch_start"), ("on_train_batch_end", "on_batch_end")],
)
def test_names_of_keras(written, meant):
    kind = type("Watch", (nn.Callback,), {written: lambda self, *args: None})
    with pytest.warns(UserWarning, match=rf"Watch\.{written} is a name .* Is {meant} meant\?"):
        trainer().fit((X, Y), callbacks=[kind()])


def test_a_method_that_is_never_called():
    class Typo(nn.Callback):
        def on_epoch_ends(self, trainer, epoch, logs):
            """Never."""

    with pytest.warns(
        UserWarning, match=r"Typo\.on_epoch_ends is a name that the trainer never calls\. Is on_epoch_end m"
    ):
        trainer().fit((X, Y), callbacks=[Typo()])


def test_a_callback_can_add_figures():
    class Rate(nn.Callback):
        def on_epoch_end(self, trainer, epoch, logs):
            logs["lr"] = trainer.optimizer.param_groups[0]["lr"] / epoch

    assert trainer().fit((X, Y), epochs=2, callbacks=[Rate()])["lr"].tolist() == [0.1, 0.05]


def test_epochs_are_whole():
    with pytest.raises(ArgumentError, match=r"fit was given epochs=2\.5\. Expected a whole number, 0 or more"):
        trainer().fit((X, Y), epochs=2.5)
    assert len(trainer().fit((X, Y), epochs=np.int64(2)).epochs) == 2


class Scaled(nn.Module):
    """A loss with a parameter of its own."""

    def __init__(self):
        self.log_scale = nn.Parameter(ag.tensor(0.0, dtype="float32"))

    def forward(self, p, y):
        return ag.mean(ag.exp(-self.log_scale) * (p[:, 0] - y) ** 2 + self.log_scale)


def test_a_loss_with_parameters_goes_on_from_a_checkpoint(tmp_path):
    def made():
        model, loss = nn.Linear(3, 1, generator=ag.random.Generator(0)), Scaled()
        optimizer = optim.Adam([*model.parameters(), *loss.parameters()], lr=0.1)
        return nn.Trainer(model, loss, optimizer, progress=False)

    first, second = made(), made()
    first.fit([(X, Y.astype("float32"))], epochs=3)
    first.save(tmp_path / "state")
    second.load(tmp_path / "state")
    assert second.loss.log_scale.item() == first.loss.log_scale.item() != 0
    for t in (first, second):
        t.fit([(X, Y.astype("float32"))], epochs=2)
    np.testing.assert_array_equal(first.model.weight.numpy(), second.model.weight.numpy())


def test_a_model_that_is_a_function_goes_on_from_a_checkpoint(tmp_path):
    def made(size=3):
        w = ag.tensor(np.zeros(size), requires_grad=True)
        return w, nn.Trainer(lambda x: x @ w, nn.MSELoss(), optim.SGD([w], lr=0.1), progress=False)

    w, first = made()
    first.fit([(X.astype("float64"), Y.astype("float64"))], epochs=3)
    first.save(tmp_path / "state")
    v, second = made()
    second.load(tmp_path / "state")
    assert v.tolist() == w.tolist() != [0, 0, 0]
    with pytest.raises(
        CheckpointError, match=r"has parameters of shapes \[\(3,\)\], and the optimizer those of \[\(4,\)\]"
    ):
        made(4)[1].load(tmp_path / "state")


def test_folders_are_made(tmp_path):
    callbacks = [nn.CSVLogger(tmp_path / "a" / "log.csv"), nn.ModelCheckpoint(tmp_path / "b" / "c" / "{epoch}")]
    trainer().fit((X, Y), callbacks=callbacks)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["1", "log.csv"]


def test_predictions_go_through_scikit_learns_transformers():
    scaler = StandardScaler().fit(Y[:, None] * 10.0)
    model = nn.Linear(3, 1, generator=ag.random.Generator(0))
    predicted = trainer(model=model).predict(X)
    np.testing.assert_allclose(scaler.inverse_transform(predicted), predicted.numpy() * 5 + 5, rtol=1e-5)


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        (nn, "Dropout", r"module 'nn' has no attribute 'Dropout'\. Write regularize\.Dropout"),
        (nn, "utils", r"Write optim\.clip_grad_norm_, "),
        (nn.functional, "upsample", r"module 'nn\.functional' .*Write nn\.functional\.interpolate"),
        (nn.data, "TensorDataset", r"module 'nn\.data' .*Write nn\.DataLoader\(X, y\)"),
        (nn.data, "Loader", r"^module 'nn\.data' has no attribute 'Loader'$"),
        (nn, "UpsamplingNearest2d", r"Write nn\.Upsample\(scale_factor=2\)"),
        (nn.data, "random_split", r"Write nn\.data\.split"),
        (nn, "Linaer", r"^module 'nn' has no attribute 'Linaer'$"),
        (optim, "lr_scheduler", r"Write optim\.StepLR\(optimizer, 30\): the schedules are all here"),
        (optim, "Adm", r"^module 'optim' has no attribute 'Adm'$"),
    ],
)
def test_names_that_stand_elsewhere(module, name, words):
    with pytest.raises(AttributeError, match=words):
        getattr(module, name)
    assert not hasattr(module, name)


@pytest.mark.parametrize("names", [NN, FUNCTIONAL, DATA], ids=["nn", "functional", "data"])
def test_what_is_to_be_written_is_there(names):
    for path in re.findall(r"(?:nn|optim|regularize)\.[\w.]*\w", " ".join(names.values())):
        attrgetter(path)(SimpleNamespace(nn=nn, optim=optim, regularize=regularize))


@pytest.mark.parametrize("name", [name for name, x in vars(Habits).items() if isinstance(x, Elsewhere)])
def test_methods_of_other_libraries_models(name):
    """They are not there, unless somebody writes them."""
    model = nn.Sequential(nn.Linear(2, 1))
    with pytest.raises(AttributeError, match=rf"^'Sequential' object has no attribute '{name}'\. Write "):
        getattr(model, name)
    assert not hasattr(model, name)
    written = type("Own", (nn.Module,), {name: lambda self: 1})()
    assert getattr(written, name)() == 1
    setattr(model, name, nn.Linear(1, 1))
    assert f"{name}.weight" in model.state_dict()


def test_a_history_is_its_figures():
    history = trainer().fit((X, Y))
    with pytest.raises(AttributeError, match=r"no attribute 'history'\. Write history\['loss'\]"):
        history.history  # noqa: B018
    assert len(history["loss"]) == 1


# ---- estimators


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"optimizer": "adam"}, r"given optimizer='adam'. Expected a function of the parameters: optimizer=optim.Adam"),
        (
            {"module": lambda i, o: nn.Linear(i, o + 1)},
            r"whose output for one row has shape \(1, 3\). Expected \(1, 2\)",
        ),
        (
            {"module": nn.Linear(3, 2)},
            r"a Linear as module\. Expected a function .*: module=lambda inputs, outputs: nn",
        ),
        ({"module": (16,)}, r"a tuple as module\. Expected a function of the numbers .* hidden_layer_sizes=\(100,\)"),
        (
            {"module": lambda: nn.Linear(3, 2)},
            r"a function as module\. Expected a function of the numbers of inputs and",
        ),
        ({"random_state": np.random.default_rng(0)}, r"a Generator as random_state\. Expected a whole number"),
    ],
)
def test_estimators_say_what_they_are_given(settings, words):
    with pytest.raises(ArgumentError, match=words):
        nn.Classifier(**({"optimizer": optim.Adam, "epochs": 1} | settings)).fit(X, Y)


def test_validation_data_are_two():
    for kind in (nn.Classifier, nn.Regressor):
        with pytest.raises(ArgumentError, match=r"an? ndarray as validation_data\. Expected rows.*=\(X, y\)"):
            kind(optimizer=optim.Adam, epochs=1).fit(X, Y, validation_data=X)


def test_validation_labels_are_those_of_y():
    model = nn.Classifier(optimizer=optim.Adam, epochs=1)
    with pytest.raises(
        ArgumentError, match=r"validation_data with labels \['ab'\], which are not among.*: \['a', 'b'\]"
    ):
        model.fit(X, np.array(["a", "b"])[Y], validation_data=(X[:2], ["a", "ab"]))


LINE = ag.tensor([1.0, 2.0], requires_grad=True)
MADE = [
    (OPTIMIZER, "RMSprop", lambda **s: optim.RMSprop([LINE], **s)),
    (OPTIMIZER, "LBFGS", lambda **s: optim.LBFGS([LINE], **s)),
    (SCHEDULE, "StepLR", lambda **s: optim.StepLR(0.1, 3, **s)),
    (LOADER, "DataLoader", lambda **s: nn.DataLoader([1.0], **s)),
    (FIT, "fit", lambda **s: nn.Trainer(abs, nn.MSELoss(), optim.SGD([LINE])).fit(([1.0], [1.0]), **s)),
]


@pytest.mark.parametrize(
    ("name", "make", "setting", "hint"),
    [(name, make, *pair) for table, name, make in MADE for pair in table.items()],
)
def test_settings_of_other_libraries(name, make, setting, hint):
    said = re.escape(f"{name} was given {setting}, which it has not: {hint}.")
    with pytest.raises(TypeError, match=f"^{said}$"):
        make(**{setting: None})


def test_settings_of_ones_own_are_no_habits():
    class Fused(optim.SGD):
        def __init__(self, params, fused):
            super().__init__(params, lr=fused)

    assert Fused([LINE], fused=0.25).param_groups[0]["lr"] == 0.25
    with pytest.raises(TypeError, match="unexpected keyword argument 'nothing'"):
        optim.SGD([LINE], nothing=1)
