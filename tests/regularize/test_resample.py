"""The resampler and the affine maps against scipy.ndimage."""

import math

import numpy as np
import pytest
from scipy import ndimage

from autograd.errors import ArgumentError, ShapeError
from regularize import resample
from regularize.augment_affine import affine, affine_coordinates, rotations, shears

IMAGES = np.random.default_rng(0).standard_normal((3, 2, 7, 9))
ORDERS = {"nearest": 0, "bilinear": 1}
MODES = {"edge": "nearest", 0.0: "grid-constant", -1.5: "grid-constant"}


def scipys(images, coordinates, order, fill):
    settings = {"order": ORDERS[order], "mode": MODES[fill], "cval": 0.0 if fill == "edge" else fill}
    return np.stack(
        [
            [ndimage.map_coordinates(channel, where, **settings) for channel in image]
            for image, where in zip(images, coordinates, strict=True)
        ]
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fill", MODES)
@pytest.mark.parametrize("shape", [(7, 9), (4, 13), (1, 1)])
def test_reading_at_coordinates_is_scipys(order, fill, shape):
    coordinates = np.random.default_rng(1).uniform(-4, 12, (3, 2, *shape))
    found = resample(IMAGES, coordinates, order=order, fill=fill)
    np.testing.assert_allclose(found, scipys(IMAGES, coordinates, order, fill), rtol=1e-12, atol=1e-14)
    single = resample(IMAGES.astype("f4"), coordinates, order=order, fill=fill)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, found, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("order", ORDERS)
def test_whole_coordinates_are_the_pixels_themselves(order):
    grid = np.stack(np.meshgrid(np.arange(7), np.arange(9), indexing="ij"))[None] * 1.0
    assert resample(IMAGES, grid, order=order).tobytes() == IMAGES.tobytes()
    far = resample(IMAGES, grid + 1e9, order=order, fill=2.0)
    assert (far == 2).all()
    corner = resample(IMAGES, grid + 1e9, order=order, fill="edge")
    np.testing.assert_array_equal(corner, np.broadcast_to(IMAGES[:, :, -1:, -1:], corner.shape))


def test_an_infinite_pixel_outside_the_four_does_no_harm():
    image = np.array([[[[1.0, 2.0, math.inf]]]])
    assert resample(image, np.array([[[[0.0]], [[0.5]]]]), fill="edge").item() == 1.5


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("degrees", [-130.0, 7.3, 31.0, 90.0])
def test_rotation_is_scipys(order, degrees):
    found = affine(IMAGES[:1], rotations(np.array([degrees])), np.zeros((1, 2)), order=order)
    settings = {"reshape": False, "order": ORDERS[order], "mode": "grid-constant", "axes": (3, 2)}
    expected = ndimage.rotate(IMAGES[:1], degrees, **settings)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_quarter_turn_is_anticlockwise():
    square = IMAGES[:, :, :7, :7]
    found = affine(square, rotations(np.full(3, 90.0)), np.zeros((3, 2)), fill="edge")
    np.testing.assert_allclose(found, np.rot90(square, axes=(2, 3)), atol=1e-13)


@pytest.mark.parametrize("order", ORDERS)
def test_shift_is_scipys_and_goes_down_and_right(order):
    shifts = np.array([[1.25, -2.5], [0.3, 0.0], [2.0, 1.0]])
    found = affine(IMAGES, np.broadcast_to(np.eye(2), (3, 2, 2)), shifts, order=order)
    for image, by, shifted in zip(IMAGES, shifts, found, strict=True):
        expected = ndimage.shift(image, (0, *by), order=ORDERS[order], mode="grid-constant")
        np.testing.assert_allclose(shifted, expected, atol=1e-13)
    np.testing.assert_array_equal(found[2][:, 2:, 1:], IMAGES[2][:, :-2, :-1])


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("fill", MODES)
def test_any_affine_map_is_scipys(order, fill):
    rng = np.random.default_rng(2)
    matrices = rotations(rng.uniform(-90, 90, 3)) @ shears(rng.uniform(-30, 30, 3)) * rng.uniform(0.6, 1.6, (3, 1, 1))
    shifts = rng.uniform(-2, 2, (3, 2))
    found = affine(IMAGES, matrices, shifts, order=order, fill=fill)
    middle = np.array([3.0, 4.0])
    for k, (a, t) in enumerate(zip(matrices, shifts, strict=True)):
        back = np.linalg.inv(a)
        settings = {"order": ORDERS[order], "mode": MODES[fill], "cval": 0.0 if fill == "edge" else fill}
        for c in range(2):
            expected = ndimage.affine_transform(IMAGES[k, c], back, middle - back @ (middle + t), **settings)
            np.testing.assert_allclose(found[k, c], expected, atol=1e-12)


def test_zoom_is_about_the_middle():
    found = affine(IMAGES, np.broadcast_to(2 * np.eye(2), (3, 2, 2)), np.zeros((3, 2)))
    np.testing.assert_allclose(found[:, :, 3, 4], IMAGES[:, :, 3, 4])
    expected = ndimage.zoom(IMAGES[0, 0], (13 / 7, 17 / 9), order=1)[3:10, 4:13]
    np.testing.assert_allclose(found[0, 0], expected, atol=1e-13)


def test_there_and_back():
    smooth = np.sin(np.arange(40) / 8)[:, None] * np.cos(np.arange(40) / 9)
    images, matrix = smooth[None, None], rotations(np.array([25.0]))
    there = affine(images, matrix, np.zeros((1, 2)))
    back = affine(there, np.linalg.inv(matrix), np.zeros((1, 2)))
    np.testing.assert_allclose(back[0, 0, 12:28, 12:28], smooth[12:28, 12:28], atol=0.01)


def test_coordinates_of_a_batch_of_none():
    assert affine_coordinates(np.zeros((0, 2, 2)), np.zeros((0, 2)), 4, 5).shape == (0, 2, 4, 5)
    assert resample(np.zeros((0, 3, 4, 5)), np.zeros((0, 2, 4, 5))).shape == (0, 3, 4, 5)


BAD = [
    ({"order": "cubic"}, ArgumentError, "resample was given order='cubic'. Expected 'bilinear' or 'nearest'"),
    ({"fill": "wrap"}, ArgumentError, "fill='wrap'. Expected a number, or 'edge'"),
    ({"images": IMAGES[0]}, ShapeError, r"images of shape \(2, 7, 9\) and coordinates of shape \(3, 2, 7, 9\)"),
    ({"coordinates": np.zeros((2, 2, 7, 9))}, ShapeError, r"Expected \(N, C, H, W\) and \(N, 2, H', W'\)"),
]


@pytest.mark.parametrize(("change", "error", "words"), BAD)
def test_bad_arguments(change, error, words):
    with pytest.raises(error, match=words):
        resample(**{"images": IMAGES, "coordinates": np.zeros((3, 2, 7, 9)), **change})
