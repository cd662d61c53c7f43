"""Batch, mini-batch and stochastic gradient descent on real digits: how right each gets, in what time.

The same network and the same plain rule, w <- w - lr g; what differs is how many samples a step sees. The fewer they
are, the noisier is the step, and the smaller the learning rate; and the fewer epochs it takes until the curve is flat.
Prints what was measured over some seeds; leaves the learning curves, over epochs and over time, in the output folder.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

import autograd as ag
import nn
import optim


@dataclass
class Variant:
    """How many samples a step sees (None: all), and how the training goes."""

    batch_size: int | None
    lr: float
    epochs: int


@dataclass
class Result:
    """Of one training: the accuracy on the test part, what each epoch gave, and the seconds until its end."""

    accuracy: float
    loss: float
    history: nn.History
    seconds: np.ndarray
    steps: int

    def until(self, accuracy: float) -> float:
        """The seconds until an epoch was as accurate as that on the validation part; NaN if none was."""
        reached = np.flatnonzero(self.history["val_accuracy"] >= accuracy)
        return float(self.seconds[reached[0]]) if reached.size else float("nan")


VARIANTS = {
    "batch": Variant(None, lr=0.5, epochs=1000),
    "mini-batch": Variant(32, lr=0.125, epochs=60),
    "stochastic": Variant(1, lr=0.03125, epochs=15),
}


class Clock(nn.Callback):
    """Notes the seconds that training has taken at the end of each epoch, without the validation."""

    def __init__(self) -> None:
        self.total, self.seconds = 0.0, []
        self.began = self.at = 0.0
        self.steps = 0

    def on_epoch_start(self, trainer: nn.Trainer, epoch: int) -> None:
        """Start."""
        self.began = time.perf_counter()

    def on_batch_end(self, trainer: nn.Trainer, step: int, loss: float) -> None:
        """So far."""
        self.at = time.perf_counter()
        self.steps += 1

    def on_epoch_end(self, trainer: nn.Trainer, epoch: int, logs: dict[str, float]) -> None:
        """Note what the steps took."""
        self.total += self.at - self.began
        self.seconds.append(self.total)


def prepare(seed: int) -> nn.data.Split:
    """1,797 digits of 8 x 8 pixels: 70% to train on, 10% to look at on the way, 20% to test."""
    data = load_digits()
    images = data.data.astype(np.float32)
    parts = nn.data.split(images, data.target, validation=0.1, test=0.2, stratify=True, random_state=seed)
    return nn.data.preprocess(parts, StandardScaler())[0]


def train(variant: Variant, parts: nn.data.Split, seed: int, epochs: int) -> Result:
    """Train one network by one variant."""
    generator = ag.random.Generator(seed)
    model = nn.Sequential(nn.Linear(64, 32, generator=generator), nn.ReLU(), nn.Linear(32, 10, generator=generator))
    trainer = nn.Trainer(
        model,
        nn.CrossEntropyLoss(),
        optim.SGD(model.parameters(), lr=variant.lr),
        metrics={"accuracy": lambda target, logits: accuracy_score(target, logits.argmax(1))},
        progress=False,
    )
    whole = variant.batch_size is None
    batches = nn.DataLoader(*parts.train, batch_size=variant.batch_size, shuffle=not whole, generator=generator)
    clock = Clock()
    trainer.fit(batches, parts.validation, epochs=epochs, callbacks=[clock])
    tested = trainer.evaluate(parts.test)
    return Result(tested["accuracy"], tested["loss"], trainer.history, np.array(clock.seconds), clock.steps)


def run(seeds: int = 3, length: float = 1.0, progress: bool = True) -> dict[str, list[Result]]:
    """Every variant for every seed, with `length` times its epochs; each seed has its own split."""
    found: dict[str, list[Result]] = {name: [] for name in VARIANTS}
    train(VARIANTS["mini-batch"], prepare(0), 0, 1)  # what runs first makes the kernels
    for seed in range(seeds):
        parts = prepare(seed)
        for name, variant in VARIANTS.items():
            found[name].append(train(variant, parts, seed, max(1, round(length * variant.epochs))))
            if progress:
                print(f"seed {seed}, {name}: test accuracy {found[name][-1].accuracy:.4f}", flush=True)
    return found


def table(found: dict[str, list[Result]], accuracy: float = 0.95) -> str:
    """A column for each variant: means over the seeds."""

    def row(title: str, one: str, values: list[list[float]]) -> str:
        return f"{title:28}" + "".join(f"{one.format(np.mean(column)):>14}" for column in values)

    columns = list(found.values())
    deviation = [f"+- {np.std([r.accuracy for r in results]):.4f}" for results in columns]
    return "\n".join(
        [
            f"{'':28}" + "".join(f"{name:>14}" for name in found),
            row("accuracy", "{:.4f}", [[r.accuracy for r in results] for results in columns]),
            f"{'':28}" + "".join(f"{text:>14}" for text in deviation),
            row("loss", "{:.4f}", [[r.loss for r in results] for results in columns]),
            row(f"seconds to {accuracy:.0%}", "{:.3f}", [[r.until(accuracy) for r in results] for results in columns]),
            row("seconds in all", "{:.2f}", [[r.seconds[-1] for r in results] for results in columns]),
            row("epochs", "{:.0f}", [[len(r.seconds) for r in results] for results in columns]),
            row("steps", "{:.0f}", [[r.steps for r in results] for results in columns]),
            row("microseconds a step", "{:.0f}", [[r.seconds[-1] / r.steps * 1e6 for r in rs] for rs in columns]),
        ]
    )


def draw(found: dict[str, list[Result]], path: Path) -> None:
    """The loss in training and the validation's accuracy, over epochs and over seconds; a line for each seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    panels = figure.subplots(2, 2, sharex="col", sharey="row")
    for k, (name, results) in enumerate(found.items()):
        for j, result in enumerate(results):
            for column, across in enumerate((result.history.epochs, result.seconds)):
                for axes, figure_of in zip(panels[:, column], ("loss", "val_accuracy"), strict=True):
                    label = None if j else name
                    axes.plot(across, result.history[figure_of], f"C{k}", alpha=0.6, lw=1, label=label)
    panels[0, 0].set(ylabel="loss in training", xscale="log", yscale="log")
    panels[1, 0].set(ylabel="accuracy on the validation part", xlabel="epoch")
    panels[1, 1].set(xlabel="seconds of training", xscale="log")
    panels[0, 0].legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main() -> None:
    """Run all variants, print the table, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    parser.add_argument("--length", type=float, default=1.0, help="times each variant's epochs (default: 1)")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for the picture")
    args = parser.parse_args()
    started = time.perf_counter()
    found = run(args.seeds, args.length)
    print(f"\n{table(found)}\n\n{time.perf_counter() - started:.0f} s")
    draw(found, args.output / "gradient_descent.png")
    print(f"learning curves: {args.output / 'gradient_descent.png'}")


if __name__ == "__main__":
    main()
