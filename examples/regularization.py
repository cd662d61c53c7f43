"""What regularization buys: the same over-sized network on 100 real handwritten digits, with and without.

Trains it with nothing, L1, L2, dropout, augmentation, early stopping and all of them, for several seeds; prints a table
and draws the learning curves into the output folder.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

import autograd as ag
import nn
import optim
import regularize

Part = tuple[np.ndarray, np.ndarray]


@dataclass
class Digits:
    """Images of shape (N, 1, 8, 8) between 0 and 1 with labels 0 to 9; few to learn from, many to test on."""

    train: Part
    validation: Part
    test: Part


@dataclass(frozen=True)
class Recipe:
    """What is done against overfitting."""

    dropout: bool = False
    augment: bool = False
    stop: bool = False
    penalties: tuple[Callable[[nn.Module], regularize.Penalty], ...] = ()


@dataclass
class Result:
    """What came out of one training."""

    accuracy: float
    loss: float
    history: nn.History
    weights: np.ndarray = field(repr=False)


def few(alpha: float) -> Callable[[nn.Module], regularize.Penalty]:
    """L1 on the weights, not on the biases."""
    return lambda model: regularize.L1(alpha, model, exclude="*.bias")


def small(alpha: float) -> Callable[[nn.Module], regularize.Penalty]:
    """L2 on the weights, not on the biases."""
    return lambda model: regularize.L2(alpha, model, exclude="*.bias")


# strengths were chosen by the validation loss of other seeds; together with the rest, a tenth does
RECIPES = {
    "nothing": Recipe(),
    "L1": Recipe(penalties=(few(1e-4),)),
    "L2": Recipe(penalties=(small(3e-3),)),
    "dropout": Recipe(dropout=True),
    "augmentation": Recipe(augment=True),
    "early stopping": Recipe(stop=True),
    "all": Recipe(dropout=True, augment=True, stop=True, penalties=(few(1e-5), small(3e-4))),
}


def prepare(seed: int, train: int = 100, validation: int = 200) -> Digits:
    """A few digits to learn from, some to stop by, and all others to test on; each with equal shares of the classes."""
    data = load_digits()
    images = data.images[:, None].astype("float32") / 16
    x, rest_x, y, rest_y = train_test_split(
        images, data.target, train_size=train, stratify=data.target, random_state=seed
    )
    held_x, test_x, held_y, test_y = train_test_split(
        rest_x, rest_y, train_size=validation, stratify=rest_y, random_state=seed
    )
    return Digits((x, y), (held_x, held_y), (test_x, test_y))


def build(dropout: bool, generator: ag.random.Generator) -> nn.Sequential:
    """64 inputs, two hidden layers of 256, ten classes: 85,000 weights for 6,400 pixels."""
    keep = (regularize.VISIBLE_KEEP, regularize.HIDDEN_KEEP, regularize.HIDDEN_KEEP) if dropout else (1, 1, 1)
    visible, *hidden = (regularize.Dropout(1 - k, generator=generator) for k in keep)
    return nn.Sequential(
        nn.Flatten(),
        visible,
        nn.Linear(64, 256, generator=generator),
        nn.ReLU(),
        hidden[0],
        nn.Linear(256, 256, generator=generator),
        nn.ReLU(),
        hidden[1],
        nn.Linear(256, 10, generator=generator),
    )


def train(recipe: Recipe, digits: Digits, seed: int, epochs: int) -> Result:
    """Train by a recipe; figures are of the test part, which nothing was chosen by."""
    generator = ag.random.Generator(seed)
    model = build(recipe.dropout, generator)
    penalties = [made(model) for made in recipe.penalties]
    trainer = nn.Trainer(
        model,
        nn.CrossEntropyLoss(),
        optim.Adam(model.parameters(), lr=1e-3),
        penalty=(lambda: sum((p() for p in penalties), start=ag.tensor(0.0, "float32"))) if penalties else None,
        metrics={"accuracy": lambda target, logits: accuracy_score(target, logits.argmax(1))},
        progress=False,
    )
    changes = regularize.RandomAffine(degrees=10, shift=0.8, zoom=(0.9, 1.1), shear=8, generator=generator)
    batches = nn.DataLoader(
        *digits.train,
        batch_size=25,
        shuffle=True,
        generator=generator,
        transform=changes if recipe.augment else None,
    )
    callbacks = [regularize.EarlyStopping("val_loss", patience=30)] if recipe.stop else []
    trainer.fit(batches, digits.validation, epochs=epochs, callbacks=callbacks)
    tested = trainer.evaluate(digits.test)
    weights = np.concatenate([w.numpy().ravel() for name, w in model.named_parameters() if "weight" in name])
    return Result(tested["accuracy"], tested["loss"], trainer.history, weights)


def run(seeds: int = 5, epochs: int = 200, progress: bool = True) -> dict[str, list[Result]]:
    """Every recipe for every seed; each seed has its own split, the same for all recipes."""
    found: dict[str, list[Result]] = {name: [] for name in RECIPES}
    for seed in range(seeds):
        digits = prepare(seed)
        for name, recipe in RECIPES.items():
            found[name].append(train(recipe, digits, seed, epochs))
            if progress:
                print(f"seed {seed}, {name}: test accuracy {found[name][-1].accuracy:.4f}", flush=True)
    return found


def table(found: dict[str, list[Result]]) -> str:
    """Means over the seeds, in lines; the last column compares the accuracy with nothing's, seed by seed."""
    names = f"{'test loss':>10} {'train loss':>11} {'|w| < 1e-3':>11} {'epochs':>7}"
    lines = [f"{'':15} {'test accuracy':>18} {names} {'gain':>18}"]
    base = np.array([r.accuracy for r in found["nothing"]])
    for name, results in found.items():
        accuracy = np.array([r.accuracy for r in results])
        gain = accuracy - base
        lines.append(
            f"{name:15} {accuracy.mean():8.4f} +- {accuracy.std():.4f} {np.mean([r.loss for r in results]):10.3f} "
            f"{np.mean([r.history['loss'][-1] for r in results]):11.4f} "
            f"{np.mean([(abs(r.weights) < 1e-3).mean() for r in results]):11.1%} "
            f"{np.mean([len(r.history.epochs) for r in results]):7.0f} {gain.mean():+8.4f} +- {gain.std():.4f}"
        )
    return "\n".join(lines)


def draw(found: dict[str, list[Result]], path: Path) -> None:
    """The loss in training and on the validation part, a panel for each recipe, a line for each seed.

    Titles say how many of the test part are read right.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * 4, 6), layout="constrained")
    panels = figure.subplots(2, 4, sharex=True, sharey=True).ravel()
    for axes, (name, results) in zip(panels, found.items(), strict=False):
        for k, result in enumerate(results):
            for figure_of, colour, label in (("loss", "C0", "training"), ("val_loss", "C1", "validation")):
                curve = result.history[figure_of]
                axes.semilogy(result.history.epochs, curve, colour, alpha=0.6, label=None if k else label)
        mean = np.mean([r.accuracy for r in results])
        axes.set(title=f"{name}: {mean:.1%} right", xlabel="epoch", ylabel="loss")
        axes.legend()
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main() -> None:
    """Run all recipes, print the table, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--epochs", type=int, default=200, help="at most so many (default: 200)")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for the picture")
    args = parser.parse_args()
    started = time.perf_counter()
    found = run(args.seeds, args.epochs)
    print(f"\n{table(found)}\n\n{time.perf_counter() - started:.0f} s")
    draw(found, args.output / "regularization.png")
    print(f"learning curves: {args.output / 'regularization.png'}")


if __name__ == "__main__":
    main()
