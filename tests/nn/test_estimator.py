"""The scikit-learn estimators: its own checks, searches, pipelines, weights, validation data."""

import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import autograd as ag
import nn
import optim
from autograd.errors import ArgumentError
from nn import Classifier, Regressor

X, Y = load_iris(return_X_y=True)


def adam(params):
    return optim.Adam(params, lr=0.02)


@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_scikit_learns_own_checks(kind):
    with warnings.catch_warnings():  # it warns of estimators that do not inherit from a class of its own
        warnings.simplefilter("ignore")
        results = check_estimator(kind(optimizer=adam, epochs=60, hidden_layer_sizes=(20,)), on_skip=None, on_fail=None)
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"] == []
    assert sum(r["status"] == "passed" for r in results) > 50


def test_in_a_search_over_a_pipeline():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    pipe = make_pipeline(StandardScaler(), Classifier(optimizer=adam, epochs=20, random_state=0))
    grid = {"classifier__hidden_layer_sizes": [(), (16,)], "classifier__epochs": [1, 80]}
    search = GridSearchCV(pipe, grid, cv=3).fit(X, names)
    assert search.best_params_["classifier__epochs"] == 80
    assert search.best_score_ > 0.93
    assert search.predict(X[:1]).tolist() == ["setosa"]
    assert cross_val_score(pipe, X, names, cv=3).mean() > 0.9


def test_a_regressor_of_real_data():
    x, y = load_diabetes(return_X_y=True, scaled=True)
    model = Regressor(optimizer=adam, hidden_layer_sizes=(), epochs=200, random_state=0)
    assert model.fit(x * 20, (y - y.mean()) / y.std()).score(x * 20, (y - y.mean()) / y.std()) > 0.5
    several = Regressor(optimizer=adam, epochs=2, random_state=0).fit(x, np.c_[y, -y])
    assert several.predict(x[:3]).shape == (3, 2)


def test_probabilities_and_labels_belong_together():
    model = Classifier(optimizer=adam, epochs=30, random_state=0).fit(X, Y + 5)
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(1), 1)
    assert (model.predict(X) == p.argmax(1) + 5).all()
    assert model.classes_.tolist() == [5, 6, 7]
    assert model.history_["loss"].shape == (30,)


def test_class_weights_move_the_border():
    rng = np.random.default_rng(0)
    x = np.r_[rng.normal(-0.5, 1, (180, 1)), rng.normal(0.5, 1, (20, 1))]
    y = np.r_[np.zeros(180, int), np.ones(20, int)]
    found = {}
    for weight in (None, "balanced", {1: 100.0}):
        model = Classifier(optimizer=adam, hidden_layer_sizes=(), epochs=150, random_state=0, class_weight=weight)
        found[str(weight)] = model.fit(x, y).predict(x).mean()
    assert found["None"] < 0.05 < 0.25 < found["balanced"] < 0.75 < found["{1: 100.0}"]


def test_a_class_weight_is_a_sample_weight():
    settings = {"optimizer": adam, "epochs": 5, "random_state": 0}
    a = Classifier(**settings, class_weight={0: 3.0, 2: 0.5}).fit(X, Y)
    b = Classifier(**settings).fit(X, Y, sample_weight=np.array([3.0, 1.0, 0.5])[Y])
    c = Classifier(**settings, class_weight={0: 3.0, 2: 0.5}).fit(X, Y, sample_weight=np.full(150, 2.0))
    assert (a.predict_proba(X) == b.predict_proba(X)).all()
    np.testing.assert_allclose(a.predict_proba(X), c.predict_proba(X), rtol=1e-9)


@pytest.mark.parametrize("weights", [None, np.ones(100)])
def test_validation_data_is_followed(weights):
    order = np.random.default_rng(0).permutation(150)
    a, b = order[:100], order[100:]
    model = Classifier(optimizer=adam, epochs=3, random_state=0)
    model.fit(X[a], Y[a], weights, validation_data=(X[b], Y[b]))
    logits = model.module_(ag.asarray(X[b]))
    expected = nn.functional.cross_entropy(logits, Y[b]).item()
    assert model.history_["val_loss"][-1] == pytest.approx(expected, rel=1e-9)
    other = Regressor(optimizer=adam, epochs=2).fit(X[a], X[a, 0], weights, validation_data=(X[b], X[b, 0]))
    assert other.history_["val_loss"].shape == (2,)


def test_ones_own_network_seed_and_dtype():
    def build(inputs, outputs):
        return nn.Sequential(nn.Linear(inputs, 5), nn.Tanh(), nn.Linear(5, outputs))

    before = ag.random.default.get_state()
    models = [Classifier(build, optimizer=adam, epochs=3, random_state=s).fit(X, Y) for s in (0, 0, 1)]
    first, same, other = (m.predict_proba(X) for m in models)
    assert (first == same).all()
    assert not (first == other).all()
    assert ag.random.default.get_state() == before
    assert [p.dtype for p in models[0].module_.parameters()] == [np.float64] * 4
    narrow = Classifier(build, optimizer=adam, epochs=1, dtype="float32").fit(X, Y)
    assert {p.dtype for p in narrow.module_.parameters()} == {np.dtype("f4")}
    assert {p.dtype for p in Regressor(optimizer=adam, epochs=1).fit(X.astype("f4"), Y).module_.parameters()} == {
        np.dtype("f4")
    }


def test_a_warm_start_goes_on():
    model = Classifier(optimizer=adam, epochs=5, random_state=0, warm_start=True).fit(X, Y)
    first = model.history_["loss"][-1]
    assert model.fit(X, Y).history_["loss"][0] < first


def test_a_warm_start_knows_the_first_labels_only():
    names = np.array(["one", "three", "two"])[Y]
    model = Classifier(optimizer=adam, epochs=1, warm_start=True).fit(X[50:], names[50:])
    with pytest.raises(ArgumentError, match=r"y with labels \['one'\], .* of the first fit.*: \['three', 'two'\]"):
        model.fit(X, names)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"random_state": 3}, {"random_state": np.int64(3)}),
        ({"hidden_layer_sizes": (5,)}, {"hidden_layer_sizes": 5}),
        ({"hidden_layer_sizes": (5,)}, {"hidden_layer_sizes": np.int64(5)}),
        ({"batch_size": len(X)}, {"batch_size": None}),
    ],
)
def test_settings_as_numpy_and_scikit_learn_write_them(one, other):
    found = [
        Classifier(**{"optimizer": adam, "epochs": 2, "random_state": 0, **given}).fit(X, Y).predict_proba(X)
        for given in (one, other)
    ]
    np.testing.assert_array_equal(*found)


def test_settings_and_errors(monkeypatch):
    model = Classifier(optimizer=adam, epochs=3)
    assert repr(model) == f"Classifier(optimizer={adam!r}, epochs=3)"
    assert model.set_params(epochs=4).get_params()["epochs"] == 4
    with pytest.raises(ArgumentError, match=r"Invalid parameter 'epoch' for .*Expected one of module, hidden"):
        model.set_params(epoch=4)
    with pytest.raises(ArgumentError, match=r"given no optimizer\. Write nn\.Regressor\(optimizer=optim\.Adam\)"):
        Regressor().fit(X, Y)
    with pytest.raises(ArgumentError, match="only one class is present: 0"):
        model.fit(X[:5], Y[:5])
    monkeypatch.setitem(sys.modules, "sklearn.utils.validation", None)
    with pytest.raises(ImportError, match=r"nn\.Classifier needs scikit-learn.*pip install 'wengert\[data\]'"):
        model.fit(X, Y)
