"""Train an autoencoder and a variational autoencoder on 1,797 real handwritten digits, beside PCA of the same width.

The autoencoder (Hinton and Salakhutdinov 2006) writes each 8 x 8 image as a few numbers and reads the image from them;
PCA is the best that linear maps can do. The variational autoencoder (Kingma and Welling 2014) gives each image a
probability density: the bound on its logarithm, the ELBO, is compared with the exact log density of probabilistic PCA
(Tipping and Bishop 1999), the same model with a linear decoder. All figures are of a held-out fifth.
"""

import argparse
import math
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import autograd as ag
import nn
import optim

PIXELS = 64
SAMPLES = 20  # draws of the code of each held-out image, that its bound is averaged over


def prepare() -> tuple[np.ndarray, np.ndarray]:
    """Images as rows of 64 pixels from 0 to 1: those to train on, and a stratified fifth held out."""
    images, labels = load_digits(return_X_y=True)
    train, held_out = train_test_split((images / 16).astype(np.float32), test_size=0.2, stratify=labels, random_state=0)
    return train, held_out


def perceptron(*widths: int, generator: ag.random.Generator) -> nn.Sequential:
    """Linear maps with SiLU between them."""
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b, generator=generator), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder(nn.Module):
    """decoder(encoder(x))."""

    def __init__(self, width: int, hidden: int, generator: ag.random.Generator) -> None:
        self.encoder = perceptron(PIXELS, hidden, hidden, width, generator=generator)
        self.decoder = perceptron(width, hidden, hidden, PIXELS, generator=generator)

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        """(N, 64) to (N, 64)."""
        return self.decoder(self.encoder(x))


class VariationalAutoencoder(nn.Module):
    """q(z | x) = N(m(x), v(x)), p(z) = N(0, 1), p(x | z) = N(decoder(z), s^2), with one learned s for all pixels."""

    def __init__(self, width: int, hidden: int, generator: ag.random.Generator) -> None:
        self.encoder = perceptron(PIXELS, hidden, hidden, 2 * width, generator=generator)
        self.decoder = perceptron(width, hidden, hidden, PIXELS, generator=generator)
        self.log_deviation = nn.Parameter(ag.tensor(-1.0, dtype="float32"))
        self.width, self.generator = width, generator

    def forward(self, x: ag.Tensor) -> tuple[ag.Tensor, ag.Tensor, ag.Tensor, ag.Tensor]:
        """Means of the pixels (N, 64) from a draw of z = m + sqrt(v) * noise; log s; m and log v (N, width)."""
        code = self.encoder(x)
        mean, log_variance = code[:, : self.width], code[:, self.width :]
        noise = self.generator.normal(size=mean.shape, dtype="float32")
        return self.decoder(mean + ag.exp(0.5 * log_variance) * noise), self.log_deviation, mean, log_variance


def elbo(found: tuple[ag.Tensor, ...], x: ag.Tensor) -> ag.Tensor:
    """E log p(x | z) - KL(q(z | x) || p(z)) of each image, (N,), in nats, with the expectation over one draw.

    KL = sum over z of (m^2 + v - log v - 1) / 2.
    """
    pixels, log_deviation, mean, log_variance = found
    scaled = (x - pixels) * ag.exp(-log_deviation)
    likelihood = -ag.sum(0.5 * scaled * scaled + log_deviation + 0.5 * math.log(2 * math.pi), axis=1)
    return likelihood - 0.5 * ag.sum(mean * mean + ag.exp(log_variance) - log_variance - 1, axis=1)


def negative_elbo(found: tuple[ag.Tensor, ...], x: ag.Tensor) -> ag.Tensor:
    """What training makes small."""
    return -ag.mean(elbo(found, x))


class Cosine(nn.Callback):
    """The rate falls along half a wave over the epochs."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch_start(self, trainer: nn.Trainer, epoch: int) -> None:
        """Set the rate of the epoch that begins; the first is number 1."""
        wave = 0.5 * (1 + math.cos(math.pi * (epoch - 1) / self.epochs))
        trainer.optimizer.param_groups[0]["lr"] = 2e-3 * wave


def fit(model: nn.Module, loss, train: np.ndarray, epochs: int, generator: ag.random.Generator) -> None:
    """Adam on batches of 64; the images are their own targets."""
    trainer = nn.Trainer(model, loss, optim.Adam(model.parameters(), lr=2e-3), progress=False)
    loader = nn.DataLoader(train, train, batch_size=64, shuffle=True, generator=generator)
    with threadpool_limits(1, "blas"):  # a step's products are too small to be worth a second thread of NumPy's
        trainer.fit(loader, epochs=epochs, callbacks=[Cosine(epochs)])


def bound(model: VariationalAutoencoder, images: np.ndarray) -> float:
    """The ELBO in nats per image, mean over images and draws."""
    x = ag.asarray(images)
    with ag.no_grad():
        return float(np.mean([elbo(model(x), x).mean().item() for _ in range(SAMPLES)]))


def squared_error(found: np.ndarray, images: np.ndarray) -> float:
    """The mean over images and pixels."""
    return float(np.mean((found - images) ** 2))


def run(*, width: int = 8, epochs: int = 100, seed: int = 0, picture: Path | None = None) -> dict[str, float]:
    """The whole course; returns squared errors per pixel of both ways, and nats per image of both densities."""
    started = time.perf_counter()
    train, held_out = prepare()
    print(f"{len(train):,} digits to train on, {len(held_out)} held out; {width} numbers for the {PIXELS} of each")
    generator, x = ag.random.Generator(seed), ag.asarray(held_out)
    linear = PCA(width, random_state=0).fit(train.astype(np.float64))
    plain = Autoencoder(width, 128, generator)
    fit(plain, nn.MSELoss(), train, epochs, generator)
    variational = VariationalAutoencoder(width, 128, generator)
    fit(variational, negative_elbo, train, epochs, generator)
    with ag.no_grad():
        rows = [held_out, linear.inverse_transform(linear.transform(held_out)), plain(x).numpy()]
        rows += [variational.decoder(variational.encoder(x)[:, :width]).numpy()]
    pca, autoencoder, from_mean = (squared_error(row, held_out) for row in rows[1:])
    found = {"pca": pca, "autoencoder": autoencoder, "ppca": float(linear.score(held_out))}
    found["elbo"] = bound(variational, held_out)
    print(f"squared error per pixel: PCA {pca:.5f}, autoencoder {autoencoder:.5f} ({autoencoder / pca:.0%} of PCA's)")
    print(f"variational autoencoder: {from_mean:.5f}, ELBO {found['elbo']:.2f} nats per image")
    print(f"probabilistic PCA: log density {found['ppca']:.2f} nats per image; {time.perf_counter() - started:.1f} s")
    if picture is not None:
        with ag.no_grad():
            rows.append(variational.decoder(generator.normal(size=(12, width), dtype="float32")).numpy())
        draw(rows, picture)
    return found


def draw(rows: list[np.ndarray], path: Path) -> None:
    """A picture: held-out digits, what PCA and both autoencoders make of them, and digits that were never written."""
    import matplotlib.pyplot as plt

    names = ["held out", "PCA", "autoencoder", "variational", "drawn"]
    figure, axes = plt.subplots(len(rows), 12, figsize=(9, 4), squeeze=False)
    for line, name, images in zip(axes, names, rows, strict=True):
        for place, image in zip(line, images, strict=False):
            place.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            place.set_axis_off()
        line[0].set_title(name, loc="left", fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"picture: {path}")


def main() -> None:
    """Train with the sizes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=8, help="numbers that an image is written as (default: 8)")
    parser.add_argument("--epochs", type=int, default=100, help="passes over the digits (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and draws (default: 0)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw digits and reconstructions (matplotlib)")
    args = parser.parse_args()
    run(width=args.width, epochs=args.epochs, seed=args.seed, picture=args.picture)


if __name__ == "__main__":
    main()
