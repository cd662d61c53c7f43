"""What each transform does, in figures."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import kstest

import autograd as ag
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from regularize import (
    Brightness,
    Contrast,
    CutMix,
    Cutout,
    ElasticDistortion,
    GaussianNoise,
    HorizontalFlip,
    Jitter,
    Mixup,
    RandomAffine,
    RandomCrop,
    Rotation,
    SaltAndPepper,
    Shear,
    Shift,
    TimeMask,
    VerticalFlip,
    Zoom,
)
from regularize.augment_affine import affine, rotations, shears
from regularize.augment_elastic import gaussian_matrix
from regularize.augment_value import _jittered, _noisy, _peppered

X = np.random.default_rng(0).standard_normal((500, 2, 6, 7))


def stream(seed=0):
    return ag.random.Generator(seed)


@pytest.mark.parametrize(("kind", "axis"), [(HorizontalFlip, 3), (VerticalFlip, 2)])
def test_flips_are_decided_for_each_image(kind, axis):
    y = kind(0.3, generator=stream())(X)
    flipped = (y == np.flip(X, axis)).all(axis=(1, 2, 3))
    kept = (y == X).all(axis=(1, 2, 3))
    assert (flipped ^ kept).all()
    assert abs(flipped.mean() - 0.3) < 4 * math.sqrt(0.21 / 500)


def test_crops_come_from_every_place_and_nowhere_else():
    index = np.arange(30.0).reshape(1, 1, 5, 6).repeat(2000, 0)
    y = RandomCrop((4, 3), generator=stream())(index)
    top_left = y[:, 0, 0, 0].astype(int)
    assert sorted(set(top_left.tolist())) == [0, 1, 2, 3, 6, 7, 8, 9]
    assert np.bincount(top_left)[[0, 1, 2, 3, 6, 7, 8, 9]].min() > 190
    np.testing.assert_array_equal(y - y[:, :, :1, :1], np.broadcast_to(y[0] - y[0, 0, 0, 0], y.shape))


@pytest.mark.parametrize("fill", [0.0, 7.0, "edge"])
def test_padding_of_crops(fill):
    ones = np.ones((300, 1, 4, 4), "f4")
    y = RandomCrop(4, padding=2, fill=fill, generator=stream())(ones)
    outside = (y != 1).sum((1, 2, 3))
    assert outside.max() == (0 if fill == "edge" else 12)
    assert set(np.unique(y)) == ({1.0} if fill == "edge" else {1.0, fill})


def test_cutout_counts():
    y = Cutout(3, fill=5.0, generator=stream())(X)
    hit = (y == 5).all(axis=1)
    assert (y[~np.broadcast_to(hit[:, None], y.shape)] == X[~np.broadcast_to(hit[:, None], y.shape)]).all()
    assert set(hit.sum((1, 2)).tolist()) == {4, 6, 9}
    interior = 4 * 5 / (6 * 7)  # of the middles
    assert abs((hit.sum((1, 2)) == 9).mean() - interior) < 0.09


def test_affine_transforms_draw_what_they_say():
    rng = np.random.default_rng
    for transform, matrices in (
        (Rotation((10, 30)), lambda r: rotations(r.uniform(10, 30, 500))),
        (Shear(20), lambda r: shears(r.uniform(-20, 20, 500))),
        (Zoom((0.8, 1.5)), lambda r: r.uniform(0.8, 1.5, (500, 1, 1)) * np.eye(2)),
    ):
        a, t = transform.maps(500, rng(1))
        np.testing.assert_allclose(a, matrices(rng(1)), rtol=1e-15)
        assert not t.any()
        np.testing.assert_array_equal(transform.change(X, rng(1)), affine(X, a, t))
    _, t = Shift((1, 3)).maps(500, rng(1))
    assert (t.min() >= 1, t.max() < 3, abs(t.mean() - 2) < 0.1) == (True,) * 3
    _, t = Shift(2, whole=True).maps(500, rng(1))
    assert sorted(set(t.ravel().tolist())) == [-2, -1, 0, 1, 2]


def test_all_of_an_affine_map_at_once():
    a, t = RandomAffine((10, 10), (2, 2), (1.5, 1.5), (5, 5)).maps(1, np.random.default_rng(0))
    np.testing.assert_allclose(a[0], 1.5 * rotations(np.array([10.0]))[0] @ shears(np.array([5.0]))[0])
    assert t.tolist() == [[2.0, 2.0]]
    assert RandomAffine()(X).tobytes() == X.tobytes()


def test_noise_has_its_deviation():
    y = GaussianNoise(0.3, generator=stream())(X) - X
    assert abs(y.mean()) < 4 * 0.3 / math.sqrt(y.size)
    assert abs(y.std() - 0.3) < 0.005
    clipped = GaussianNoise(0.3, clip=(-0.5, 0.5), generator=stream())(X)
    np.testing.assert_allclose(clipped, np.clip(X + y, -0.5, 0.5), rtol=1e-12)
    vectors = np.full((1000, 5), [1.0, 10.0, 100.0, 0.0, -1.0])
    jittered = Jitter(0.1, generator=stream())(vectors)
    np.testing.assert_allclose(jittered.std(0), [0.1, 1, 10, 0, 0.1], rtol=0.1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_is_normal_and_independent(dtype):
    zeros = np.zeros((2, 200_000), dtype)
    y = GaussianNoise(1.0, generator=stream())(zeros).astype("f8")
    assert kstest(y.ravel(), "norm").pvalue > 0.01
    assert abs(np.corrcoef(y)[0, 1]) < 0.01
    assert abs(np.corrcoef(y[0, :-1], y[0, 1:])[0, 1]) < 0.01
    assert 4 < abs(y).max() < 6


@pytest.mark.parametrize("transform", [GaussianNoise(0.3), Jitter(0.3), SaltAndPepper(0.3)])
def test_noise_is_the_same_on_any_number_of_threads_and_without_kernels(transform):
    images = np.random.default_rng(0).random((64, 3, 40, 40))
    before, found = ag.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            ag.set_num_threads(threads)
            found.append(transform(images, generator=ag.random.Generator(3)))
    finally:
        ag.set_num_threads(before)
    assert all(y.tobytes() == found[0].tobytes() for y in found[1:])
    with config.using(kernels=False):
        np.testing.assert_allclose(
            transform(images, generator=ag.random.Generator(3)), found[0], rtol=1e-12, atol=1e-13
        )
    assert [kernel.reasons() for kernel in (_noisy, _jittered, _peppered)] == [[]] * 3


def test_salt_and_pepper_are_whole_pixels():
    y = SaltAndPepper(0.2, low=-9.0, high=9.0, generator=stream())(X)
    for value in (-9.0, 9.0):
        assert abs((y == value).mean() - 0.1) < 4 * math.sqrt(0.09 / (y.size / 2))
        assert ((y == value).all(axis=1) == (y == value).any(axis=1)).all()
    same = abs(y) != 9
    assert (y[same] == X[same]).all()


def test_brightness_and_contrast():
    b = (Brightness(0.4, generator=stream())(X) - X).reshape(500, -1)
    np.testing.assert_allclose(b, b[:, :1].repeat(84, 1), atol=1e-12)
    assert (-0.4 <= b.min() < -0.37, 0.37 < b.max() <= 0.4) == (True, True)
    y = Contrast(0.4, generator=stream())(X)
    np.testing.assert_allclose(y.mean((2, 3)), X.mean((2, 3)), atol=1e-12)
    factors = y.std((2, 3)) / X.std((2, 3))
    np.testing.assert_allclose(factors[:, 0], factors[:, 1], rtol=1e-10)
    assert (0.6 <= factors.min() < 0.63, 1.37 < factors.max() <= 1.4) == (True, True)
    assert Brightness(0.4, clip=(0.0, 1.0))(X).min() == 0


@pytest.mark.parametrize("axis", [1, 2])
def test_time_masks_are_stretches(axis):
    x = np.ones((2000, 9, 4)) if axis == 1 else np.ones((2000, 4, 9))
    y = TimeMask(3, axis=axis, generator=stream())(x)
    gone = (y == 0).all(axis=3 - axis)
    assert (gone == (y == 0).any(axis=3 - axis)).all()
    lengths = gone.sum(1)
    np.testing.assert_allclose(np.bincount(lengths) / 2000, [0.25] * 4, atol=0.04)
    edges = np.diff(np.pad(gone, ((0, 0), (1, 1))).astype(int), axis=1)
    assert ((edges == 1).sum(1) == (lengths > 0)).all()
    assert gone[:, [0, -1]].any(axis=0).all()
    assert TimeMask(3, count=3, generator=stream())(np.ones((500, 40))).min(1).max() == 1


# ---- elastic


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0])
def test_the_smoothing_is_scipys(sigma):
    field = np.random.default_rng(0).standard_normal((11, 14))
    found = gaussian_matrix(11, sigma) @ field @ gaussian_matrix(14, sigma)
    np.testing.assert_allclose(found, ndimage.gaussian_filter(field, sigma, mode="constant"), atol=1e-14)


def test_elastic_distortion_is_a_smooth_displacement():
    elastic = ElasticDistortion(6.0, 2.0, fill="edge")
    rows = np.arange(20.0)[:, None].repeat(20, 1)[None, None]
    moved = elastic.displacements(1, 20, 20, np.random.default_rng(3))
    found = elastic.change(rows, np.random.default_rng(3))
    np.testing.assert_allclose(found[0, 0], np.clip(rows[0, 0] + moved[0, 0], 0, 19), atol=1e-12)
    assert 0.3 < moved.std() < 2
    assert np.abs(np.diff(moved, axis=3)).max() < 0.5 * np.abs(moved).max()
    assert ElasticDistortion(0.0)(X).tobytes() == X.tobytes()


# ---- mixtures

LABELS = np.arange(500) % 4


def test_mixup_mixes_labels_as_it_mixes_samples():
    one_hot = np.eye(4)[LABELS]
    for seed in range(20):
        x, y = Mixup(0.4, classes=4, generator=stream(seed))(one_hot, LABELS)
        np.testing.assert_allclose(x, y, rtol=1e-12)
        np.testing.assert_allclose(np.sort(y, 1)[:, 2:].sum(1), 1)  # of two classes at most
        assert len(np.unique(np.round(y, 9))) in (3, 4)  # one lambda for the batch: 0, lambda, 1 - lambda, 1


def test_the_share_of_mixup_is_of_a_beta_distribution():
    reference = np.random.default_rng(0).beta(0.4, 0.4, 100_000)
    expected = np.maximum(reference, 1 - reference)
    found = np.array([share(seed) for seed in range(400)])
    assert abs(found.mean() - expected.mean()) < 4 * expected.std() / 20
    assert abs(found.std() - expected.std()) < 0.02


def share(seed):
    """The greater share in a mixture of two samples, from the first batch in which they are exchanged."""
    x, _ = Mixup(0.4, generator=stream(seed))(np.arange(64.0)[:, None], np.ones((64, 1)))
    rng = np.random.default_rng(stream(seed).seed())
    rng.random()
    order = rng.permutation(64)
    k = int(np.argmax(order != np.arange(64)))
    part = (x[k, 0] - order[k]) / (k - order[k])
    return max(part, 1 - part)


def test_cutmix_mixes_labels_by_area():
    images = np.arange(500.0)[:, None, None, None] * np.ones((1, 1, 6, 7))
    areas = []
    for seed in range(50):
        x, y = CutMix(1.0, classes=500, generator=stream(seed))(images, np.arange(500))
        np.testing.assert_allclose(x.mean((1, 2, 3)), y @ np.arange(500.0), rtol=1e-9)
        other = x[3, 0] != 3
        rows, columns = other.any(1), other.any(0)
        assert other.sum() == rows.sum() * columns.sum()  # a box
        areas.append(other.mean())
    assert max(areas) > 0.5
    assert min(areas) < 0.1


def test_labels_of_every_kind():
    soft = np.full((500, 4), 0.25, "f8")
    x, y = Mixup(classes=None, generator=stream())(X.astype("f4"), soft)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(y, 0.25)
    x, y = Mixup(classes=4, p=0.0)(X, LABELS)
    assert x.tobytes() == X.tobytes()
    np.testing.assert_array_equal(y, np.eye(4)[LABELS])


BAD = [
    (lambda: Mixup(0.0), ArgumentError, "Mixup was given alpha=0.0. Expected 0 < alpha"),
    (lambda: CutMix(p=2), ArgumentError, "CutMix was given p=2"),
    (lambda: Mixup(classes=4)(X), ArgumentError, r"given 0 targets. Expected the labels.*Mixup\(...\)\(x, y\)"),
    (lambda: Mixup(classes=4)(X, LABELS, LABELS), ArgumentError, "given 2 targets"),
    (lambda: Mixup()(X, LABELS), ArgumentError, r"given class indices. Write Mixup\(classes=10\)"),
    (lambda: Mixup(classes=3)(X, LABELS), IndexOutOfRange, "labels 0 to 3. Expected 0 to 2"),
    (lambda: Mixup(classes=4)(X, LABELS[1:]), ShapeError, r"500 samples and labels of shape \(499,\)"),
    (lambda: Mixup(classes=4)(X, LABELS[:, None]), DTypeError, r"Expected class indices \(N,\), or floating"),
]


@pytest.mark.parametrize(("call", "error", "words"), BAD)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call()
