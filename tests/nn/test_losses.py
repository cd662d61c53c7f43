"""Every loss, found by introspection, at ordinary and extreme values; the edges of those between numbers."""

import inspect
import math
import sys

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, ShapeError

ROLES = {  # what each loss is called with; CTC, whose arguments depend on each other, is made below
    "BCELoss": "probability unit",
    "BCEWithLogitsLoss": "score unit",
    "CategoricalCrossEntropyLoss": "distribution onehot",
    "CosineEmbeddingLoss": "score score rowsign",
    "CrossEntropyLoss": "score label",
    "CTCLoss": "steps transcript lengths sizes",
    "DiceLoss": "probability unit",
    "GaussianNLLLoss": "score real variance",
    "HingeEmbeddingLoss": "score sign",
    "HingeLoss": "score sign",
    "HuberLoss": "score real",
    "KLDivLoss": "logarithm onehot",
    "L1Loss": "score real",
    "LogCoshLoss": "score real",
    "MSELoss": "score real",
    "MarginRankingLoss": "score score sign",
    "MultiLabelMarginLoss": "score row",
    "MultiLabelSoftMarginLoss": "score unit",
    "MultiMarginLoss": "score label",
    "NLLLoss": "logarithm label",
    "PoissonNLLLoss": "lograte count",
    "QuantileLoss": "score real",
    "SigmoidFocalLoss": "score binary",
    "SmoothL1Loss": "score real",
    "SoftMarginLoss": "score sign",
    "SoftmaxFocalLoss": "score label",
    "SquaredHingeLoss": "score sign",
    "TripletMarginLoss": "score score score",
    "TripletMarginWithDistanceLoss": "score score score",
}
PER_SAMPLE = {name for name, roles in ROLES.items() if {"label", "row", "rowsign", "steps"} & set(roles.split())}
PER_SAMPLE |= {"CategoricalCrossEntropyLoss", "DiceLoss", "MultiLabelSoftMarginLoss"}
PER_SAMPLE |= {"TripletMarginLoss", "TripletMarginWithDistanceLoss"}
PREDICTIONS = {"probability", "score", "distribution", "logarithm", "lograte", "variance", "steps"}
LOSSES = sorted(
    (c for c in vars(nn).values() if inspect.isclass(c) and issubclass(c, nn.Loss) and c is not nn.Loss),
    key=lambda c: c.__name__,
)
every_loss = pytest.mark.parametrize("kind", LOSSES)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def given(kind, shape=(5, 3), extreme=False):
    """The arguments of a loss, and which of them are predictions."""
    rng = np.random.default_rng(0)
    n, c = shape
    roles = ROLES[kind.__name__].split()

    def score():
        return rng.choice([-1e4, 0.0, 1e4], shape) if extreme else rng.standard_normal(shape)

    def certain():
        return np.eye(c)[rng.integers(0, c, n)]

    unit = rng.uniform(0.1, 0.9, shape)
    makers = {
        "score": score,
        "probability": lambda: np.round(unit) if extreme else unit,
        "distribution": lambda: certain() if extreme else unit / unit.sum(-1, keepdims=True),
        "logarithm": lambda: log_softmax(score()),
        "lograte": lambda: rng.choice([-1e4, 0.0, 80.0], shape) if extreme else score(),
        "variance": lambda: rng.choice([0.0, 1.0, 1e4], shape) if extreme else unit,
        "real": lambda: rng.standard_normal(shape),
        "unit": lambda: rng.integers(0, 9, shape) / 8,  # the same in either dtype
        "binary": lambda: rng.integers(0, 2, shape),
        "onehot": certain,
        "sign": lambda: rng.choice([-1, 1], shape),
        "rowsign": lambda: rng.choice([-1, 1], n),
        "label": lambda: rng.integers(0, c, n),
        "row": lambda: rng.integers(-1, c, shape),
        "count": lambda: rng.integers(0, 5, shape),
        "steps": lambda: log_softmax(np.stack([score() for _ in range(4)])),
        "transcript": lambda: rng.integers(1, c, (n, 1)),
        "lengths": lambda: rng.integers(2, 5, n),
        "sizes": lambda: np.ones(n, int),
    }
    return [makers[role]() for role in roles], [role in PREDICTIONS for role in roles]


def graded(f, x, dtype="float32"):
    """f(x) and its gradient."""
    t = ag.tensor(x, dtype=dtype, requires_grad=True)
    y = f(t)
    y.sum().backward()
    return y.numpy(), t.grad.numpy()


def losses_and_slopes(kind, dtype="float64", reduction="none", **made):
    """The losses of a kind, and their slopes along all predictions."""
    arrays, predicted = given(kind, **made)
    xs = [ag.tensor(a, dtype=dtype, requires_grad=True) if p else a for a, p in zip(arrays, predicted, strict=True)]
    y = kind(reduction=reduction)(*xs)
    y.sum().backward()
    return [y.numpy(), *(x.grad.numpy() for x, p in zip(xs, predicted, strict=True) if p)]


# ---- every loss


def test_every_loss_is_in_the_table():
    assert {kind.__name__ for kind in LOSSES} == set(ROLES)


@every_loss
def test_losses_are_finite_and_right_at_logits_of_ten_thousand(kind):
    single, double = (losses_and_slopes(kind, dtype, extreme=True) for dtype in ("float32", "float64"))
    close = 1e-3 if kind is nn.CTCLoss else 1e-5  # sums of logarithms of 1e4 carry an ulp of 1e-3
    for y, wide in zip(single, double, strict=True):
        assert y.dtype == np.float32
        assert np.isfinite(y).all()
        np.testing.assert_allclose(y, wide, rtol=close, atol=1e-6)


@every_loss
def test_mean_and_sum_are_those_of_the_samples(kind):
    arrays, _ = given(kind)
    each = kind(reduction="none")(*arrays).numpy()
    assert each.shape == ((5,) if kind.__name__ in PER_SAMPLE else (5, 3))
    assert kind()(*arrays).item() == pytest.approx(each.mean(), rel=1e-14)
    assert kind(reduction="sum")(*arrays).item() == pytest.approx(each.sum(), rel=1e-14)


@every_loss
def test_kernels_and_compositions_agree(kind):
    shape = (40, 3) if kind is nn.CTCLoss else (600, 8)
    kernels = losses_and_slopes(kind, reduction="mean", shape=shape)
    with config.using(kernels=False):
        plain = losses_and_slopes(kind, reduction="mean", shape=shape)
    for ours, theirs in zip(kernels, plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-15)
    fused = [f for f in vars(sys.modules[kind.__module__]).values() if hasattr(f, "reasons")]
    assert bool(fused) == (kind is not nn.CTCLoss)
    assert [reason for f in fused for reason in f.reasons()] == []


@every_loss
def test_targets_in_another_dtype_do_not_widen(kind):
    arrays, predicted = given(kind)
    xs = [ag.tensor(a, dtype="float32") if p else a for a, p in zip(arrays, predicted, strict=True)]
    assert kind()(*xs).dtype == np.float32
    whole = [a.astype("int32") if a.dtype.kind == "i" else a for a in xs]
    assert kind()(*whole).item() == kind()(*xs).item()


@every_loss
def test_shapes_must_be_equal_even_if_they_broadcast(kind):
    roles = ROLES[kind.__name__].split()
    if kind is nn.CTCLoss:
        return  # its shapes are those of tests/nn/test_ctc.py
    if "label" in roles:
        with pytest.raises(ShapeError, match=r"class indices of shape \(3,\).*Write target.reshape\(-1\)"):
            kind()(np.ones((3, 4)), np.zeros((3, 1), int))
        return
    x = np.full(3, 0.5)
    for position in range(1, len(roles) if "variance" not in roles else 2):
        wrong = [x] * position + [np.ones((3, 1))] + [x] * (len(roles) - 1 - position)
        with pytest.raises(ShapeError, match=r"shape \(3,\) and a \w+ of shape \(3, 1\)"):
            kind()(*wrong)
    if not {"row", "rowsign", "distribution"} & set(roles):
        with pytest.raises(ShapeError, match=r"Write \w+.reshape\(\(3,\)\)"):
            kind()(x, np.ones((3, 1)), *[x] * (len(roles) - 2))
        with pytest.raises(ShapeError, match="Expected 3 elements in both, not 3 and 4"):
            kind()(x, np.ones(4), *[x] * (len(roles) - 2))


@every_loss
def test_unknown_reductions_and_whole_number_predictions_are_refused(kind):
    with pytest.raises(
        ArgumentError, match=f"{kind.__name__} was given reduction='avg'. Expected one of 'none', 'mean'"
    ):
        kind(reduction="avg")
    (first, *rest), _ = given(kind)
    with pytest.raises(
        DTypeError, match=r"an input of dtype int64. Expected predictions: input.astype\('float32'\); they"
    ):
        kind()(first.astype("int64"), *rest)


def test_functions_refuse_unknown_reductions_too():
    checked = 0
    for f in vars(F).values():
        parameters = inspect.signature(f).parameters if inspect.isfunction(f) else {}
        if "reduction" in parameters:
            needed = sum(p.default is inspect.Parameter.empty for p in parameters.values())
            with pytest.raises(ArgumentError, match="was given reduction='avg'"):
                f(*[np.full((2, 2), 0.5)] * needed, reduction="avg")
            checked += 1
    assert checked >= len(LOSSES)


# ---- regression


def test_kinks_of_the_regression_losses():
    assert graded(lambda t: F.l1_loss(t, [1.0], reduction="sum"), [1.0])[1].tolist() == [0.0]
    loss, slope = graded(lambda t: F.huber_loss(t, [0.0, 0.0], reduction="none", delta=2.0), [2.0, -3.0])
    assert loss.tolist() == [2.0, 4.0]
    assert slope.tolist() == [2.0, -2.0]


@pytest.mark.parametrize("size", [4, 4000])
def test_huber_keeps_its_slope_at_an_infinite_error(size):
    y = np.zeros(size)
    y[:2] = np.inf, -np.inf
    loss, slope = graded(lambda t: F.huber_loss(t, y, reduction="none", delta=2.0), np.zeros(size))
    np.testing.assert_array_equal(loss[:3], [np.inf, np.inf, 0])
    np.testing.assert_array_equal(slope[:3], [-2.0, 2.0, 0.0])


@pytest.mark.parametrize("delta", [0, -1, math.nan])
def test_huber_and_smooth_l1_need_a_positive_width(delta):
    with pytest.raises(ArgumentError, match=r"huber_loss was given delta=.*Expected a positive number"):
        F.huber_loss([1.0], [1.0], delta=delta)
    with pytest.raises(ArgumentError, match="HuberLoss was given delta="):
        nn.HuberLoss(delta=delta)
    with pytest.raises(ArgumentError, match="smooth_l1_loss was given beta="):
        F.smooth_l1_loss([1.0], [1.0], beta=delta)
    with pytest.raises(ArgumentError, match="SmoothL1Loss was given beta="):
        nn.SmoothL1Loss(beta=delta)


def test_log_cosh_is_exact_near_zero_and_far_from_it():
    error = [1e-4, -0.5, 0.999, 1.0, -3.0, 1e4]
    loss, slope = graded(lambda t: F.log_cosh_loss(t, np.zeros(6), reduction="none"), error)
    exact = [5e-9, math.log(math.cosh(0.5)), math.log(math.cosh(0.999)), math.log(math.cosh(1)), math.log(math.cosh(3))]
    np.testing.assert_allclose(loss, [*exact, 1e4 - math.log(2)], rtol=1e-6)
    np.testing.assert_allclose(slope, np.tanh(error), rtol=1e-6)
    curvature = ag.grad(ag.grad(lambda e: F.log_cosh_loss(e, 0.0)))
    assert curvature(0.0).item() == pytest.approx(1.0)
    assert curvature(2.0).item() == pytest.approx(1 - math.tanh(2) ** 2)


def test_the_quantile_loss_is_least_at_the_quantile():
    y = np.arange(101.0)
    costs = [F.quantile_loss(np.full(101, f), y, 0.9).item() for f in y]
    assert np.argmin(costs) == 90
    assert F.quantile_loss([0.0, 2.0], [1.0, 0.0], 0.9, reduction="none").tolist() == pytest.approx([0.9, 0.2])
    assert graded(lambda t: F.quantile_loss(t, [0.0, 0.0, 0.0], 0.9, reduction="sum"), [-1.0, 0.0, 1.0])[
        1
    ].tolist() == pytest.approx([-0.9, 0.0, 0.1])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_several_quantiles_at_once(dtype):
    rng, q = np.random.default_rng(0), (0.1, 0.5, 0.9)
    f, y = rng.standard_normal((400, 2, 3)).astype(dtype), rng.standard_normal((400, 2)).astype(dtype)
    each = np.stack([F.quantile_loss(f[..., k], y, q[k], reduction="none").numpy() for k in range(3)], axis=-1)
    for given in (q, list(q), np.array(q)):
        found = nn.QuantileLoss(given, reduction="none")(f, y)
        assert found.dtype == dtype
        np.testing.assert_allclose(found.numpy(), each, rtol=1e-6)
    assert nn.QuantileLoss(q)(f, y).item() == pytest.approx(each.mean(), rel=1e-5)
    slope = graded(lambda t: F.quantile_loss(t, y, q, reduction="sum"), f)[1]
    np.testing.assert_allclose(slope, np.where(f < y[..., None], -np.array(q), 1 - np.array(q)), rtol=1e-6)
    with pytest.raises(ShapeError, match=r"for 3 quantiles. Expected an input of shape \(400, 2, 3\)"):
        F.quantile_loss(f[..., 0], y, q)
    for wrong in ((), (0.5, 1.0)):
        with pytest.raises(ArgumentError, match="Expected a quantile between 0 and 1"):
            nn.QuantileLoss(wrong)


@pytest.mark.parametrize("q", [0, 1, 90, math.nan])
def test_a_quantile_is_between_zero_and_one(q):
    with pytest.raises(ArgumentError, match=r"quantile_loss was given q=.*write q / 100 for a percentage"):
        F.quantile_loss([1.0], [1.0], q)
    with pytest.raises(ArgumentError, match="QuantileLoss was given q="):
        nn.QuantileLoss(q)


def test_the_notes_names_of_regression_losses():
    assert F.mean_squared_error([1.0, 2.0], [1.0, 4.0]).item() == 2.0
    assert F.mean_absolute_error([1.0, 2.0], [1.0, 4.0]).item() == 1.0


WRONG = {  # the loss, a right value of what it looks at, a wrong one, and the words
    "signs": (lambda x, y: F.hinge_loss(x, y), 1.0, 0.5, "label 0.5"),
    "unit": (lambda x, y: F.binary_cross_entropy_with_logits(x, y), 1.0, -1e-9, "targets from -1e-09 to 1"),
    "binary": (lambda x, y: F.sigmoid_focal_loss(x, y), 1.0, 0.5, "label 0.5"),
    "negative": (lambda x, y: F.poisson_nll_loss(x, y), 3.0, -2.0, "count -2"),
    "nothing": (lambda x, y: F.kl_div(x, y), 0.5, math.nan, "probability nan"),
    "sums": (lambda x, y: F.categorical_cross_entropy(y, ag.ones_like(y) / 2), 0.5, 0.75, "sum 1.25"),
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("size", [8, 20_000])
@pytest.mark.parametrize("kind", WRONG)
def test_one_wrong_number_is_found_among_few_and_many(kind, size, compiled):
    loss, right, wrong, words = WRONG[kind]
    x, y = ag.zeros((size // 2, 2)), np.full((size // 2, 2), right)
    f = ag.compile(loss) if compiled else loss
    for _ in range(2):
        f(x, ag.tensor(y))
    y[size // 3, 1] = wrong
    with pytest.raises(ArgumentError, match=f"was given .*{words}"):
        f(x, ag.tensor(y))
    y[size // 3, 1] = right
    f(x, ag.tensor(y))
    if compiled:
        assert f.reasons() == []


@pytest.mark.parametrize("kind", [nn.CrossEntropyLoss, nn.MSELoss, nn.BCEWithLogitsLoss])
def test_predictions_are_not_for_the_making(kind):
    with pytest.raises(TypeError, match=rf"2 arrays where it is made\. Write loss = {kind.__name__}\(\), then loss\("):
        kind(ag.ones(2), np.ones(2))
