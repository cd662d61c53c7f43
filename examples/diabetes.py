"""Regression when some of the data is wrong: squared error, absolute error and Huber's on real diabetes data.

442 patients, ten measurements of each, and how far the disease went in a year, 25 to 346 (Efron et al. 2004; the data
comes with scikit-learn). A share of the training targets is replaced by planted outliers, as a slipped decimal point
would; the held-out fifth stays clean. The same network is fitted with each loss. What is printed is the root mean
squared error on the clean part, in the units of the target.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import autograd as ag
import nn
import optim
import regularize

DELTA = 0.5  # of Huber's loss, in deviations of the targets
LOSSES = {"MSE": nn.MSELoss(), "L1": nn.L1Loss(), "Huber": nn.HuberLoss(delta=DELTA)}


@dataclass
class Patients:
    """Scaled measurements, targets in their own units, and which targets were replaced."""

    train: np.ndarray
    target: np.ndarray
    planted: np.ndarray
    held_out: np.ndarray
    held_out_target: np.ndarray


def prepare(share: float, seed: int) -> Patients:
    """A fifth held out; of the rest, that share of the targets times ten."""
    x, y = load_diabetes(return_X_y=True, scaled=False)
    train, held_out, target, clean = train_test_split(x, y, test_size=0.2, random_state=seed)
    planted = np.zeros(len(target), bool)
    rng = np.random.default_rng(seed)
    planted[rng.choice(len(target), round(share * len(target)), replace=False)] = True
    mean, deviation = train.mean(0), train.std(0)
    scaled = [((part - mean) / deviation).astype(np.float32) for part in (train, held_out)]
    return Patients(scaled[0], np.where(planted, 10 * target, target), planted, scaled[1], clean)


def build(measurements: int, generator: ag.random.Generator) -> nn.Sequential:
    """Sixteen hidden units."""
    return nn.Sequential(
        nn.Linear(measurements, 16, generator=generator), nn.Tanh(), nn.Linear(16, 1, generator=generator)
    )


def fit(patients: Patients, loss: nn.Loss, epochs: int, seed: int) -> np.ndarray:
    """Predictions for the held-out part, of a small network with an L2 penalty.

    The targets are scaled by their median and quartiles: those of all of them, planted ones too, since nobody knows
    which they are, and that is what quartiles are for.
    """
    low, middle, high = np.percentile(patients.target, [25, 50, 75])
    scale = (high - low) / 1.35  # of the quartiles of a normal distribution
    y = ((patients.target - middle) / scale).astype(np.float32)[:, None]
    generator = ag.random.Generator(seed)
    model = build(patients.train.shape[1], generator)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    penalty = regularize.L2(0.01, model, exclude=("*.bias",))
    loader = nn.DataLoader(patients.train, y, batch_size=64, shuffle=True, generator=generator)
    with threadpool_limits(1, "blas"):  # a step's products are too small to be worth a second thread of NumPy's
        nn.Trainer(model, loss, optimizer, penalty=penalty, progress=False).fit(loader, epochs=epochs)
    with ag.no_grad():
        return model(ag.asarray(patients.held_out)).numpy()[:, 0] * scale + middle


def error(found: np.ndarray | np.floating, patients: Patients) -> float:
    """The root mean squared error on the clean held-out part."""
    return float(np.sqrt(np.mean((found - patients.held_out_target) ** 2)))


def run(
    *, shares: tuple[float, ...] = (0.0, 0.05, 0.1, 0.2), epochs: int = 60, seeds: int = 5
) -> dict[str, list[float]]:
    """The whole course; returns the mean error of each loss, for each share of outliers."""
    started = time.perf_counter()
    print(f"clean held-out error (RMSE), mean of {seeds} splits\n\noutliers  " + "".join(f"{n:>8}" for n in LOSSES))
    found: dict[str, list[float]] = {name: [] for name in LOSSES}
    for share in shares:
        for name, loss in LOSSES.items():
            errors = [error(fit(p, loss, epochs, seed), p) for seed in range(seeds) for p in [prepare(share, seed)]]
            found[name].append(float(np.mean(errors)))
        print(f"{share:8.0%}  " + "".join(f"{found[name][-1]:8.1f}" for name in LOSSES), flush=True)
    clean = [prepare(0.0, seed) for seed in range(seeds)]
    guess = np.mean([error(np.median(p.target), p) for p in clean])
    print(
        f"\nthe median of the clean training targets, for everyone: {guess:.1f}; {time.perf_counter() - started:.1f} s"
    )
    return found


def main() -> None:
    """Fit with the sizes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60, help="passes over the data of each fit (default: 60)")
    parser.add_argument("--splits", type=int, default=5, help="ways to hold out a fifth, averaged (default: 5)")
    args = parser.parse_args()
    run(epochs=args.epochs, seeds=args.splits)


if __name__ == "__main__":
    main()
