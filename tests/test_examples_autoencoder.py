"""The autoencoder example at reduced length: what it is measured on, its bound, and a short course against PCA."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "autoencoder.py"), run_name="autoencoder")


def test_a_fifth_is_held_out():
    train, held_out = EXAMPLE["prepare"]()
    assert (train.shape, held_out.shape) == ((1437, 64), (360, 64))
    assert (train.min(), train.max(), train.dtype) == (0, 1, np.float32)


def test_the_bound_is_exact_where_the_posterior_is():
    """A decoder that ignores its code: with q(z | x) = p(z) the ELBO is log N(x; c, s^2) itself."""
    x = np.random.default_rng(0).random((5, 64))
    zeros = ag.zeros((5, 8))
    log_s = ag.tensor(np.log(0.3))
    found = EXAMPLE["elbo"]((ag.full((5, 64), 0.5), log_s, zeros, zeros), ag.asarray(x)).numpy()
    exact = -0.5 * ((x - 0.5) ** 2 / 0.09 + np.log(2 * np.pi * 0.09)).sum(1)
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_a_code_that_leaves_the_prior_costs_its_divergence():
    x, log_s = ag.zeros((1, 64)), ag.tensor(0.0)
    pixels, zeros = ag.zeros((1, 64)), ag.zeros((1, 2))
    at_prior = EXAMPLE["elbo"]((pixels, log_s, zeros, zeros), x).item()
    moved = EXAMPLE["elbo"]((pixels, log_s, ag.tensor([[3.0, 0.0]]), ag.tensor([[0.0, np.log(4.0)]])), x).item()
    assert at_prior - moved == pytest.approx(3.0**2 / 2 + (4 - np.log(4) - 1) / 2)


def test_the_codes_of_one_image_are_drawn_anew():
    model = EXAMPLE["VariationalAutoencoder"](4, 16, ag.random.Generator(0))
    x = ag.ones((3, 64), dtype="float32")
    (first, _, mean, log_variance), (second, _, again, _) = model(x), model(x)
    assert (mean.shape, log_variance.shape, first.shape, first.dtype) == ((3, 4), (3, 4), (3, 64), np.float32)
    np.testing.assert_array_equal(mean.numpy(), again.numpy())
    assert (first.numpy() != second.numpy()).any()


def test_a_short_course_beats_pca(tmp_path, capsys):
    found = EXAMPLE["run"](epochs=40, picture=tmp_path / "digits.png")
    assert 0.024 < found["pca"] < 0.0255
    assert 0.3 * found["pca"] < found["autoencoder"] < 0.8 * found["pca"]
    assert found["ppca"] < found["elbo"] < found["ppca"] + 40
    assert 10 < found["ppca"] < 17
    printed = capsys.readouterr().out
    assert f"PCA {found['pca']:.5f}, autoencoder {found['autoencoder']:.5f}" in printed
    assert f"ELBO {found['elbo']:.2f} nats" in printed
    assert (tmp_path / "digits.png").read_bytes()[:4] == b"\x89PNG"
