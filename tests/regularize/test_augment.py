"""Every transform, found by introspection: types, dtypes, seeds; and how they are put together."""

import inspect

import numpy as np
import pytest

import autograd as ag
import nn
import optim
import regularize
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from autograd.kernels import pool
from regularize import (
    Augmentation,
    Brightness,
    Compose,
    Contrast,
    CutMix,
    Cutout,
    ElasticDistortion,
    GaussianNoise,
    HorizontalFlip,
    Jitter,
    Mixup,
    PerSample,
    RandomAffine,
    RandomApply,
    RandomCrop,
    Rotation,
    SaltAndPepper,
    Shear,
    Shift,
    TimeMask,
    VerticalFlip,
    Zoom,
)

TABLE = [
    HorizontalFlip(),
    VerticalFlip(0.3),
    RandomCrop(6),
    RandomCrop((8, 7), padding=(2, 1), fill="edge"),
    Cutout(3, count=2),
    Rotation(20),
    Rotation((5, 9), order="nearest", fill="edge"),
    Shift(2),
    Shift((-1, 2), whole=True, fill=1.0),
    Zoom(),
    Shear(15),
    RandomAffine(10, 1.0, (0.8, 1.2), 5),
    ElasticDistortion(8.0, 2.0),
    GaussianNoise(0.2),
    Jitter(0.2),
    SaltAndPepper(0.2),
    Brightness(0.3),
    Contrast(0.4, clip=(-1.0, 1.0)),
    TimeMask(3),
    Mixup(1.0, classes=10),
    CutMix(1.0, classes=10),
    Compose(HorizontalFlip(), GaussianNoise(0.1), Mixup(1.0, classes=10)),
    RandomApply(Rotation(30)),
    PerSample(lambda image: np.float64(image[:, ::-1])),
]
every_transform = pytest.mark.parametrize("transform", TABLE, ids=lambda t: type(t).__name__)
X = np.random.default_rng(0).standard_normal((12, 3, 8, 7))
X.flags.writeable = False
Y = np.arange(12) % 10
Y.flags.writeable = False


def applied(transform, x=X, y=Y, seed=0):
    return transform(x, y, generator=ag.random.Generator(seed))


def test_every_transform_is_in_the_table():
    things = [getattr(regularize, name) for name in regularize.__all__]
    classes = {c for c in things if inspect.isclass(c) and issubclass(c, regularize.Transform)}
    assert {type(t) for t in TABLE} == {c for c in classes if not inspect.isabstract(c)}


@every_transform
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dtype_type_and_shape_stay_and_the_input_too(transform, dtype):
    before = X.astype(dtype)
    x = before.copy()
    x.flags.writeable = False
    new, labels = applied(transform, x)
    assert type(new) is np.ndarray
    assert new.dtype == dtype
    assert new.shape == ((12, 3, *transform.size) if isinstance(transform, RandomCrop) else X.shape)
    assert x.tobytes() == before.tobytes()
    assert np.isfinite(new).all()
    if labels is not Y:
        assert labels.dtype == dtype
        np.testing.assert_allclose(labels.astype("f8").sum(1), 1, rtol=1e-3)
    as_tensor, tensor_labels = applied(transform, ag.asarray(x), ag.asarray(Y))
    assert type(as_tensor) is type(tensor_labels) is ag.Tensor
    assert as_tensor.numpy().tobytes() == new.tobytes()
    assert tensor_labels.tolist() == labels.tolist()


@every_transform
def test_seeds_repeat_runs_and_epochs_differ(transform):
    def epochs(seed):
        stream = ag.random.Generator(seed)
        return [transform(X, Y, generator=stream)[0].tobytes() for _ in range(3)]

    assert epochs(1) == epochs(1)
    if not isinstance(transform, PerSample):  # whose function is not random
        assert len(set(epochs(1))) == 3
        assert epochs(1) != epochs(2)


@every_transform
def test_the_default_stream_is_the_seeded_one_and_numpys_is_untouched(transform):
    state = str(np.random.get_state())  # noqa: NPY002 - what must not change
    ag.random.seed(4)
    first = transform(X, Y)[0].tobytes()
    ag.random.seed(4)
    assert transform(X, Y)[0].tobytes() == first
    assert str(np.random.get_state()) == state  # noqa: NPY002


@every_transform
def test_something_changes(transform):
    new = applied(transform)[0]
    assert new.shape != X.shape or not np.array_equal(new, X)


@every_transform
def test_a_batch_of_none(transform):
    new, _ = applied(transform, X[:0], Y[:0])
    assert len(new) == 0


@every_transform
def test_what_is_no_batch(transform):
    if isinstance(transform, Compose):
        transform = transform.transforms[0]
    targets = (Y,) if isinstance(transform, regularize.Mixing) else ()
    with pytest.raises(ShapeError, match=r"Expected a batch"):
        transform(np.ones(12), *targets)
    with pytest.raises(DTypeError, match=r"was given dtype int64. Write x.astype\('float32'\)"):
        transform(np.ones((12, 1, 8, 8), int), *targets)
    with pytest.raises(UnsupportedError, match=r"requires a gradient, which ends here. Write x.detach\(\)"):
        transform(ag.ones((12, 1, 8, 8), requires_grad=True), *targets)


def test_ranges_and_sizes_as_lists_and_numpy_numbers():
    for one, other in (
        (Rotation((5, 9)), Rotation([5, 9])),
        (Zoom((0.5, 2.0)), Zoom([0.5, 2.0])),
        (RandomCrop((4, 5)), RandomCrop([np.int64(4), 5])),
        (Cutout(3), Cutout(np.int64(3))),
    ):
        for transform in (one, other):
            transform.generator = ag.random.Generator(0)
        assert (one(X) == other(X)).all()


@pytest.mark.parametrize("kind", [GaussianNoise, Jitter])
def test_noise_of_doubles_is_of_doubles_in_any_byte_order(kind):
    ones = np.ones((50, 40))
    found = [kind(0.1, generator=ag.random.Generator(0))(x) for x in (ones, ones.astype(">f8"))]
    np.testing.assert_array_equal(*found)


def test_grey_images_need_their_axis():
    with pytest.raises(ShapeError, match=r"\(12, 8, 8\). Expected a batch of images.*\nWrite x\[:, None\] for grey"):
        HorizontalFlip()(np.ones((12, 8, 8)))


# ---- put together


def test_images_with_their_channels_last_are_refused():
    with pytest.raises(ShapeError, match=r"\(5, 8, 7, 3\), which looks like .* channels last.*\nWrite x.transpose\(0"):
        HorizontalFlip()(np.zeros((5, 8, 7, 3)))
    assert HorizontalFlip()(np.zeros((5, 8, 4, 3))).shape == (5, 8, 4, 3)  # features of a small image
    assert HorizontalFlip()(np.zeros((5, 3, 9, 3))).shape == (5, 3, 9, 3)


def test_its_own_generator_comes_first():
    own = HorizontalFlip(generator=ag.random.Generator(3))
    first = Compose(own, generator=ag.random.Generator(1))(X)
    own = HorizontalFlip(generator=ag.random.Generator(3))
    assert Compose(own, generator=ag.random.Generator(2))(X).tobytes() == first.tobytes()
    given = Compose(HorizontalFlip(), generator=ag.random.Generator(3))(X, generator=ag.random.Generator(9))
    assert given.tobytes() == first.tobytes()


def test_compose_is_one_after_another_and_takes_any_callable():
    stream = ag.random.Generator(0)
    by_hand = GaussianNoise(0.1)(HorizontalFlip()(X, generator=stream) * 2, generator=stream)
    composed = Compose(HorizontalFlip(), lambda x: x * 2, GaussianNoise(0.1), generator=ag.random.Generator(0))
    assert composed(X).tobytes() == by_hand.tobytes()
    x, y, weights = Compose(lambda x: -x)(X, Y, Y)
    assert x.tobytes() == (-X).tobytes()
    assert y is weights is Y
    inner = Compose(Compose(HorizontalFlip()), generator=ag.random.Generator(5))
    assert inner(X).tobytes() == HorizontalFlip(generator=ag.random.Generator(5))(X).tobytes()


def test_random_apply_changes_some_samples():
    x = np.zeros((4000, 1, 2, 2))
    y = RandomApply(lambda part: part + 1, 0.3, generator=ag.random.Generator(0))(x)
    changed = y.reshape(4000, -1)
    assert (changed.min(1) == changed.max(1)).all()
    assert abs(changed[:, 0].mean() - 0.3) < 0.03
    tensor = RandomApply(lambda part: ag.exp(part), 1.0)(ag.zeros((2, 3)))
    assert tensor.tolist() == [[1.0] * 3] * 2
    assert RandomApply(lambda part: part + 1, 0.0)(x).tobytes() == x.tobytes()


def test_per_sample_is_how_other_libraries_fit_in():
    def rotated(image):  # as torchvision and albumentations work: one image, axes last
        return np.rot90(image.transpose(1, 2, 0)).transpose(2, 0, 1)

    x = X[:, :, :7]
    y = Compose(PerSample(rotated))(x.astype("f4"))
    np.testing.assert_array_equal(y, np.rot90(x, axes=(2, 3)).astype("f4"))
    assert y.dtype == np.float32


def test_a_user_writes_change():
    class Bright(Augmentation):
        def change(self, x, rng):
            return x + rng.random()

    first, second = (Bright(generator=ag.random.Generator(0))(X) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert (first > X).all()


def test_loaders_give_changed_batches_and_train():
    def epochs(seed, prefetch=0):
        order, changes = ag.random.Generator(seed), ag.random.Generator(seed + 100)
        transform = Compose(HorizontalFlip(), Mixup(1.0, classes=10), generator=changes)
        loader = nn.DataLoader(
            X.astype("f4"), Y, batch_size=5, shuffle=True, generator=order, transform=transform, prefetch=prefetch
        )
        return [[(x.tolist(), y.tolist()) for x, y in loader] for _ in range(2)]

    assert epochs(0) == epochs(0)
    assert epochs(0)[0] != epochs(0)[1]
    assert epochs(0) == epochs(0, prefetch=2)
    assert epochs(0) != epochs(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(168, 10, generator=ag.random.Generator(0)))
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), lr=0.01), progress=False)
    mixed = CutMix(classes=10, generator=ag.random.Generator(0))
    history = trainer.fit(nn.DataLoader(X.astype("f4"), Y, batch_size=5, transform=mixed), epochs=30)
    assert history["loss"][-5:].mean() < 0.7 * history["loss"][0]
    inputs_alone = nn.DataLoader(ag.ones((2, 2)), transform=lambda x: x + 1)
    assert [x.tolist() for x in inputs_alone] == [[[2.0, 2.0]] * 2]


BAD = [
    (lambda: Compose([HorizontalFlip()]), ArgumentError, r"given a list. Expected .* Compose\(\*transforms\)"),
    (lambda: RandomApply(abs, 2), ArgumentError, "RandomApply was given p=2. Expected a probability"),
    (lambda: RandomApply(RandomCrop(4))(X), ShapeError, r"made shape \(\d+, 3, 4, 4\) of .* Expected the same"),
    (lambda: Rotation(5, generator=0), ArgumentError, r"Rotation was given generator=0.* write .*Generator\(0\)"),
    (lambda: HorizontalFlip(1.5), ArgumentError, "HorizontalFlip was given p=1.5"),
    (lambda: VerticalFlip(-1), ArgumentError, "VerticalFlip was given p=-1"),
    (lambda: RandomCrop(0), ArgumentError, "RandomCrop was given size=0. Expected a whole number"),
    (lambda: RandomCrop(3, (1, 2, 3)), ArgumentError, r"padding=\(1, 2, 3\)"),
    (lambda: RandomCrop(3, fill="wrap"), ArgumentError, "RandomCrop was given fill='wrap'"),
    (lambda: RandomCrop(9)(X), ShapeError, "images of 8 x 7, 8 x 7 with padding, for parts of 9 x 9"),
    (lambda: Cutout(2, count=0), ArgumentError, "Cutout was given count=0"),
    (lambda: Rotation((3, 1)), ArgumentError, r"degrees=\(3, 1\). Expected a size, or \(low, high\)"),
    (lambda: Rotation(5, order="cubic"), ArgumentError, "Rotation was given order='cubic'"),
    (lambda: Shift(-1), ArgumentError, "Shift was given pixels=-1"),
    (lambda: Zoom(1.2), ArgumentError, r"zoom=1.2. Expected \(low, high\) with 0 < low <= high"),
    (lambda: Shear(90), ArgumentError, "Shear was given degrees=90. Expected angles between -90 and 90"),
    (lambda: RandomAffine(shear=91), ArgumentError, "RandomAffine was given shear=91"),
    (lambda: ElasticDistortion(sigma=0), ArgumentError, "sigma=0. Expected 0 <= alpha and 0 < sigma"),
    (lambda: GaussianNoise(-1), ArgumentError, "GaussianNoise was given std=-1. Expected 0 or more"),
    (lambda: Jitter(-1), ArgumentError, "Jitter was given std=-1"),
    (lambda: SaltAndPepper(2), ArgumentError, "SaltAndPepper was given p=2"),
    (lambda: Brightness(0.1, clip=(1, 0)), ArgumentError, r"clip=\(1, 0\). Expected \(low, high\) with low < high"),
    (lambda: Contrast(-0.1), ArgumentError, "Contrast was given amount=-0.1"),
    (lambda: TimeMask(0), ArgumentError, "TimeMask was given width=0"),
    (lambda: TimeMask(9)(X[:, 0]), ShapeError, "at least 9 steps along axis 1"),
    (lambda: TimeMask(2, axis=2)(X[:, 0, 0]), ShapeError, r"shape \(12, 7\). Expected at least 2 steps along axis 2"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()


def large(transform):
    """A batch that kernels over threads change, by a transform of a fixed generator."""
    x = np.random.default_rng(0).standard_normal((60, 3, 32, 32)).astype("float32")
    return x, transform(x, np.arange(60) % 10, generator=ag.random.Generator(3))[0]


KERNELS = (
    *(HorizontalFlip(), VerticalFlip(0.3), RandomCrop((20, 24), padding=(2, 1), fill="edge"), RandomCrop(32, 4)),
    *(Cutout(3, count=2), Shift((-1, 2), whole=True, fill=1.0), Brightness(0.3), Contrast(0.4, clip=(-1, 1))),
    *(TimeMask(3), TimeMask(2, 2, fill=2.0), Mixup(1.0, classes=10)),
)


@pytest.mark.parametrize("transform", KERNELS, ids=lambda t: type(t).__name__)
def test_kernels_change_a_batch_as_numpy_does_whatever_the_threads(transform):
    before, found = ag.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            ag.set_num_threads(threads)
            found.append(large(transform)[1])
    finally:
        ag.set_num_threads(before)
    assert {y.tobytes() for y in found} == {found[0].tobytes()}
    with config.using(kernels=False):
        x, plain = large(transform)
    tolerance = 1e-6 if isinstance(transform, (Contrast, Mixup)) else 0  # the order of a sum; a product added at once
    np.testing.assert_allclose(found[0], plain, rtol=tolerance, atol=tolerance)
    assert not np.array_equal(plain, x)


@pytest.mark.parametrize("transform", KERNELS, ids=lambda t: type(t).__name__)
def test_kernels_run_over_large_batches(transform, monkeypatch):
    ran, run = [], pool.run
    monkeypatch.setattr(pool, "run", lambda *args: ran.append(args) or run(*args))
    large(transform)
    assert ran
