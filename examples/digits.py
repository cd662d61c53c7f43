"""Train a convolutional network on 1,797 real handwritten digits, from loading them to weights on the disk.

Prints each step and what it found; leaves the learning curves and the weights in the output folder.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split

import autograd as ag
import nn
import optim
import regularize


@dataclass
class Digits:
    """Images of shape (N, 1, 8, 8) and labels 0 to 9, in three parts."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def prepare(seed: int) -> Digits:
    """Split the data and scale it by the mean and deviation of the training part alone.

    The test part, a stratified fifth, is the same for every seed; the validation part is another eighth of the rest.
    """
    data = load_digits()
    images = data.images[:, None].astype(np.float32)
    rest_x, test_x, rest_y, test_y = train_test_split(
        images, data.target, test_size=0.2, stratify=data.target, random_state=0
    )
    train_x, validation_x, train_y, validation_y = train_test_split(
        rest_x, rest_y, test_size=0.125, stratify=rest_y, random_state=seed
    )
    mean, deviation = train_x.mean(), train_x.std()
    scaled = [(x - mean) / deviation for x in (train_x, validation_x, test_x)]
    return Digits((scaled[0], train_y), (scaled[1], validation_y), (scaled[2], test_y))


def build(generator: ag.random.Generator) -> nn.Sequential:
    """Two convolutions, a halving, a hidden layer and a classifier, with dropout before each of the last three."""
    visible, hidden = 1 - regularize.VISIBLE_KEEP, 1 - regularize.HIDDEN_KEEP
    return nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1, generator=generator),
        nn.ReLU(),
        regularize.Dropout(visible, generator=generator),
        nn.Conv2d(64, 64, 3, padding=1, generator=generator),
        nn.ReLU(),
        nn.MaxPool2d(2),
        regularize.Dropout(hidden, generator=generator),
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 128, generator=generator),
        nn.ReLU(),
        regularize.Dropout(hidden, generator=generator),
        nn.Linear(128, 10, generator=generator),
    )


def check_gradient(seed: int, x: np.ndarray, y: np.ndarray) -> ag.GradcheckResult:
    """Compare the derivative of this very network, in float64, with finite differences at random weights."""
    model = build(ag.random.Generator(seed)).to("float64").eval()
    inputs, labels = ag.asarray(x[:4].astype(np.float64)), ag.asarray(y[:4])
    loss = nn.CrossEntropyLoss()
    return ag.gradcheck(lambda *_: loss(model(inputs), labels), list(model.parameters()), max_elements=20, seed=seed)


def train(digits: Digits, seed: int, epochs: int, progress: bool) -> tuple[nn.Trainer, regularize.EarlyStopping]:
    """Train with Adam, dropout and an L2 penalty on the weights, stopping when the validation loss no longer falls."""
    generator = ag.random.Generator(seed)
    model = build(generator)
    trainer = nn.Trainer(
        model,
        nn.CrossEntropyLoss(),
        optim.Adam(model.parameters(), lr=1e-3),
        penalty=regularize.L2(1e-3, model, exclude=("*.bias",)),
        metrics={"accuracy": lambda target, logits: accuracy_score(target, logits.argmax(1))},
        progress=progress,
    )
    loader = nn.DataLoader(*digits.train, batch_size=32, shuffle=True, generator=generator)
    stopping = regularize.EarlyStopping("val_loss", patience=12)
    trainer.fit(loader, digits.validation, epochs=epochs, callbacks=[stopping])
    return trainer, stopping


def run(seed: int, epochs: int = 70, output: Path | None = None, progress: bool = True) -> float:
    """The whole course for one seed; returns the accuracy on the test part."""
    started = time.perf_counter()
    digits = prepare(seed)
    print(f"seed {seed}: {', '.join(f'{len(part[1])} {name}' for name, part in vars(digits).items())} images")
    checked = check_gradient(seed, *digits.train)
    print(checked)
    if not checked:
        raise SystemExit("The gradient of the network is wrong: not trained.")
    trainer, stopping = train(digits, seed, epochs, progress)
    x, y = digits.test
    logits = trainer.predict(x)
    accuracy = accuracy_score(y, logits.numpy().argmax(1))
    seconds = time.perf_counter() - started
    print(f"{len(trainer.history.epochs)} epochs, the best was {stopping.best_epoch}; {seconds:.1f} s")
    print(f"test accuracy {accuracy:.4f} ({np.count_nonzero(logits.numpy().argmax(1) != y)} of {len(y)} wrong)")
    if output is not None:
        report(trainer, logits, y, output)
    return float(accuracy)


def report(trainer: nn.Trainer, logits: ag.Tensor, y: np.ndarray, output: Path) -> None:
    """The confusion matrix, the learning curves as a picture, and the weights saved and loaded again."""
    print("\nconfusion matrix (rows: the digit, columns: what was read)")
    print(confusion_matrix(y, logits.numpy().argmax(1)))
    output.mkdir(parents=True, exist_ok=True)
    trainer.history.plot(output / "digits.png")
    nn.save(trainer.model, output / "digits.safetensors")
    print(trainer.model.summary((1, 1, 8, 8)))
    again = build(ag.random.Generator(12345))
    again.load_state_dict(nn.load(output / "digits.safetensors"))
    same = nn.Trainer(again, trainer.loss, trainer.optimizer).predict(prepare(0).test[0])
    identical = bool((same == logits).all())
    print(f"\nlearning curves: {output / 'digits.png'}\nweights: {output / 'digits.safetensors'}")
    print(f"loaded again, the predictions are {'identical' if identical else 'NOT identical'}")


def main() -> None:
    """Run one seed with a report, or several for their mean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="one run for each (default: 0)")
    parser.add_argument("--epochs", type=int, default=70, help="at most so many (default: 70)")
    parser.add_argument("--output", type=Path, default=Path("output"), help="folder for picture and weights")
    args = parser.parse_args()
    results = [run(seed, args.epochs, args.output if k == 0 else None) for k, seed in enumerate(args.seeds)]
    if len(results) > 1:
        print(f"\ntest accuracy over {len(results)} seeds: mean {np.mean(results):.4f}, lowest {min(results):.4f}")


if __name__ == "__main__":
    main()
