"""Weights of samples and classes, clipping, accumulation, Ctrl-C: what the Trainer does to a step."""

import os
import signal

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import autograd as ag
import nn
import optim
import regularize
from autograd.errors import ArgumentError, IndexOutOfRange, ShapeError
from nn.weighting import balanced, weighted_mean

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 3)), RNG.integers(0, 3, 12)
W = RNG.uniform(0, 2, 12)


def model():
    return nn.Linear(3, 3, generator=ag.random.Generator(1)).to("float64")


def fitted(batches, loss=None, **settings):
    m = model()
    t = nn.Trainer(m, loss or nn.CrossEntropyLoss(), optim.SGD(m.parameters(), lr=0.5), progress=False, **settings)
    t.fit(batches, epochs=2)
    return m.weight.numpy(), t.history


def by_hand(batches, loss):
    m = model()
    opt = optim.SGD(m.parameters(), lr=0.5)
    for _ in range(2):
        for batch in batches:
            opt.zero_grad()
            loss(m, *map(ag.asarray, batch)).backward()
            opt.step()
    return m.weight.numpy()


def weighted(m, x, y, w):
    each = nn.functional.cross_entropy(m(x), y, reduction="none")
    return ag.sum(each * w) / ag.sum(w).item()


HALVES = [(X[:6], Y[:6], W[:6]), (X[6:], Y[6:], W[6:])]


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.functional.cross_entropy], ids=["module", "function"])
def test_sample_weights(loss):
    got, _ = fitted(HALVES, loss, weighted=True)
    np.testing.assert_allclose(got, by_hand(HALVES, weighted), rtol=1e-12)
    first = model()
    t = nn.Trainer(first, loss, optim.SGD(first.parameters(), lr=0.0), weighted=True, progress=False)
    whole = t.evaluate((X, Y, W))["loss"]
    assert t.fit(HALVES)["loss"][0] == pytest.approx(whole, rel=1e-12)
    assert whole == pytest.approx(weighted(first, ag.asarray(X), ag.asarray(Y), ag.asarray(W)).item(), rel=1e-12)


@pytest.mark.parametrize("weight", [{0: 2.0, 2: 0.25}, [2.0, 1.0, 0.25]])
def test_class_weights_are_those_of_the_loss(weight):
    batches = [(x, y) for x, y, _ in HALVES]
    got, _ = fitted(batches, class_weight=weight)
    expected, _ = fitted(batches, nn.CrossEntropyLoss(weight=np.array([2.0, 1.0, 0.25])))
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    both, _ = fitted(HALVES, class_weight=weight, weighted=True)
    w = W * np.array([2.0, 1.0, 0.25])[Y]
    np.testing.assert_allclose(
        both, fitted([(X[:6], Y[:6], w[:6]), (X[6:], Y[6:], w[6:])], weighted=True)[0], rtol=1e-12
    )


class Indexed:
    def __len__(self):
        return 12

    def __getitem__(self, k):
        return X[k], Y[k]


@pytest.mark.parametrize(
    "data",
    [
        lambda: nn.DataLoader(X, Y, batch_size=6),
        lambda: nn.DataLoader(Indexed(), batch_size=6),
        lambda: [(x, y) for x, y, _ in HALVES],
    ],
    ids=["arrays", "samples", "batches"],
)
def test_balanced_weights_are_scikit_learns(data):
    labels = np.unique(Y)
    weights = dict(zip(labels.tolist(), compute_class_weight("balanced", classes=labels, y=Y), strict=True))
    assert len({round(w, 6) for w in weights.values()}) > 1
    got, _ = fitted(data(), class_weight="balanced")
    np.testing.assert_allclose(got, fitted(data(), class_weight=weights)[0], rtol=1e-12)
    assert balanced(data()) == pytest.approx(weights)
    assert balanced([(X, Y, W)], weighted=True) == pytest.approx(weights)
    assert balanced([(X, (Y > 0)[:, None].astype(float))]) == pytest.approx(
        dict(enumerate(compute_class_weight("balanced", classes=np.array([False, True]), y=Y > 0)))
    )


def test_balanced_weights_draw_no_random_numbers():
    def order(class_weight):
        seen = []
        loader = nn.DataLoader(
            Indexed(), batch_size=6, shuffle=True, generator=ag.random.Generator(4), transform=lambda x, y: (x, y)
        )
        fitted(loader, lambda p, y, reduction: (seen.append(y.tolist()), p.sum(1))[1], class_weight=class_weight)
        return seen

    assert order("balanced") == order({}) != []


def test_balanced_weights_need_labels_beforehand():
    with pytest.raises(ArgumentError, match=r"and a generator is read only in passing\.\nWrite the weights as a dict"):
        fitted((b for b in HALVES), class_weight="balanced")
    with pytest.raises(ArgumentError, match="and a DataLoader is read only in passing"):
        fitted(nn.DataLoader(iter([(X[0], Y[0])])), class_weight="balanced")
    with pytest.raises(ArgumentError, match=r"given targets of shape \(12, 3\) and dtype float64\. Expected a label"):
        fitted([(X, X)], class_weight="balanced")
    with pytest.raises(ArgumentError, match=r"given batches of 1 parts\. Expected inputs, labels"):
        fitted([X], class_weight="balanced")
    with pytest.raises(ArgumentError, match=r"given class_weight='balance'\. Expected 'balanced', or weights by label"):
        fitted([(X, Y)], class_weight="balance")


def test_class_weights_do_not_count_in_validation():
    m = model()
    t = nn.Trainer(m, nn.CrossEntropyLoss(), optim.SGD(m.parameters(), lr=0.0), class_weight={0: 9.0}, progress=False)
    history = t.fit([(X, Y)], [(X, Y)])
    assert history["val_loss"][0] == pytest.approx(nn.functional.cross_entropy(m(X), Y).item())
    assert abs(history["val_loss"][0] - history["loss"][0]) > 0.01


def test_outputs_with_several_numbers_count_once():
    target = RNG.normal(size=(12, 3))
    loss = nn.MSELoss()
    ones, _ = fitted([(X, target, np.full(12, 3.0))], loss, weighted=True)
    plain, _ = fitted([(X, target)], loss)
    np.testing.assert_allclose(ones, plain, rtol=1e-12)


def test_class_weights_as_scikit_learn_gives_them():
    counts = compute_class_weight("balanced", classes=np.unique(Y), y=Y)
    batches = [(x, y) for x, y, _ in HALVES]
    expected, _ = fitted(batches, class_weight="balanced")
    np.testing.assert_allclose(fitted(batches, class_weight=counts)[0], expected, rtol=1e-12)
    with pytest.raises(ArgumentError, match="as a list for targets that are no labels: they have fractions"):
        fitted([(X, Y + 0.5)], class_weight=[1.0, 2.0, 3.0])


def test_weights_that_are_all_zero_change_nothing():
    got, history = fitted([(X, Y, 0 * W), (X, Y, W)], weighted=True)
    np.testing.assert_allclose(got, fitted([(X, Y, W)], weighted=True)[0], rtol=1e-12)
    assert np.isfinite(history["loss"]).all()


def test_weighting_errors():
    with pytest.raises(ArgumentError, match=r"with the loss <lambda>, which takes no reduction\.\nExpected an nn loss"):
        fitted(HALVES, lambda p, y: p.mean(), weighted=True)
    with pytest.raises(ShapeError, match=r"weights of shape \(2,\) for losses of shape \(12,\)"):
        fitted([(X, Y, W[:2])], weighted=True)
    with pytest.raises(IndexOutOfRange, match="class_weight has 2 weights, and there are labels 0 to 2"):
        fitted([(X, Y)], class_weight=[1.0, 2.0])


# ---- accumulation and clipping


@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (5, 4, 3), (1, 11), (12,)])
@pytest.mark.parametrize("settings", [{}, {"weighted": True}])
def test_accumulated_batches_are_one_batch(sizes, settings):
    parts = np.split(np.arange(12), np.cumsum(sizes)[:-1])
    count = 2 + bool(settings)
    small = [tuple(a[rows] for a in (X, Y, W)[:count]) for rows in parts]
    m = model()
    got, history = fitted(small, accumulate=len(sizes), **settings)
    whole, expected = fitted([(X, Y, W)[:count]], **settings)
    np.testing.assert_allclose(got, whole, rtol=1e-12)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-12)
    assert m.weight.shape == got.shape


def test_the_penalty_counts_once_in_a_step_and_the_last_step_may_be_short():
    steps = []

    class Count(nn.Callback):
        def on_batch_end(self, trainer, step, loss):
            steps.append(step)

    results = []
    for batches, accumulate in (
        ([(X[k : k + 2], Y[k : k + 2]) for k in range(0, 12, 2)], 4),
        ([(X[:8], Y[:8]), (X[8:], Y[8:])], 1),
    ):
        m = model()
        t = nn.Trainer(
            m,
            nn.CrossEntropyLoss(),
            optim.SGD(m.parameters(), lr=0.5),
            penalty=regularize.L2(0.1, m),
            accumulate=accumulate,
            progress=False,
        )
        history = t.fit(batches, callbacks=[Count()])
        results.append((m.weight.numpy(), history["penalty"], history["loss"]))
    assert steps == [1, 2, 1, 2]
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    with pytest.raises(ArgumentError, match=r"accumulate=0\. Expected 1 batch"):
        fitted([(X, Y)], accumulate=0)


def test_gradients_are_clipped_between_backward_and_step():
    seen = []

    def clip(params):
        seen.append([w.grad is not None for w in params])
        for w in params:
            w.grad = ag.clip(w.grad, -1e-3, 1e-3)

    before = model().weight.numpy()
    got, _ = fitted([(X, Y)], clip=clip)
    assert seen == [[True, True]] * 2
    assert 0 < abs(got - before).max() <= 2 * 0.5 * 1e-3 + 1e-15
    with pytest.raises(ArgumentError, match="neither the model nor the optimizer says"):
        nn.Trainer(lambda x: x, nn.MSELoss(), object()).parameters()


# ---- Ctrl-C


@pytest.fixture
def interruptible():
    """SIGINT interrupts, also where the tests were started in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_real_ctrl_c_leaves_a_usable_model(capsys):
    class Press(nn.Callback):
        def on_batch_start(self, trainer, step):
            if len(trainer.history.epochs) == 3:
                os.kill(os.getpid(), signal.SIGINT)

    m = nn.Sequential(model(), regularize.Dropout(0.5, generator=ag.random.Generator(0)))
    t = nn.Trainer(m, nn.CrossEntropyLoss(), optim.Adam(m.parameters()), progress=False)
    history = t.fit([(X, Y)], epochs=50, callbacks=[Press()])
    assert t.interrupted
    assert history.epochs.tolist() == [1, 2, 3]
    assert "interrupted in epoch 4" in capsys.readouterr().err
    assert np.isfinite(t.predict(X).numpy()).all()
    assert m.training
    assert t.fit([(X, Y)]).epochs.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("weights", [[3.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.25, 0.0, 0.0]])
def test_compiled_means_are_those_of_a_run(weights):
    losses, w = ag.asarray([1.0, 3.0, 5.0]), ag.asarray(weights)
    slope = ag.value_and_grad(weighted_mean)
    expected = slope(losses, w)
    for found in (ag.compile(weighted_mean)(losses, w), ag.compile(slope)(losses, w)[0]):
        np.testing.assert_allclose(found, expected[0], rtol=1e-15)
    np.testing.assert_allclose(ag.compile(slope)(losses, w)[1], expected[1], rtol=1e-15)
    total = sum(weights)
    assert expected[0].item() == pytest.approx(np.dot(weights, [1, 3, 5]) / total if total else 0.0)
