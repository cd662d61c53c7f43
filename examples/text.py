"""Train an LSTM or a GRU to predict the next character of real English text, and print bits per character.

The text is what Python's own help() prints about the language: its reference manual by topic, which comes with every
Python (`pydoc_data.topics`). Paragraphs that several topics repeat are taken once, some 370,000 characters in all, so
that nothing of the held-out tenth at the end stands in the text trained on. A table of character pairs, counted on the
same training text, is what the network has to beat.
"""

import argparse
import math
import time
from dataclasses import dataclass
from pydoc_data.topics import topics

import numpy as np
from threadpoolctl import threadpool_limits

import autograd as ag
import nn
import optim

RARE = 20  # characters seen less often stand together as one


@dataclass
class Text:
    """Characters as numbers, and what each number stands for."""

    alphabet: list[str]
    train: np.ndarray
    held_out: np.ndarray


def prepare(length: int | None = None) -> Text:
    """The manual, or its first `length` characters, each paragraph once, cut in nine tenths and one."""
    paragraphs = [p.strip("\n") for name in sorted(topics) for p in topics[name].split("\n\n")]
    once = {" ".join(p.split()): p for p in reversed(paragraphs)}  # indented as it stands first
    manual = "\n\n".join(reversed(once.values()))[:length]
    characters, counts = np.unique(list(manual), return_counts=True)
    alphabet = ["?", *(c for c, n in zip(characters.tolist(), counts, strict=True) if n >= RARE and c != "?")]
    number = {c: k for k, c in enumerate(alphabet)}
    codes = np.array([number.get(c, 0) for c in manual])
    cut = len(codes) * 9 // 10
    return Text(alphabet, codes[:cut], codes[cut:])


class CharacterModel(nn.Module):
    """A vector for each character, a recurrent layer over them, a linear classifier for what comes next."""

    def __init__(self, cell: str, characters: int, hidden: int, generator: ag.random.Generator) -> None:
        self.vectors = nn.Parameter(generator.normal(size=(characters, 32), dtype="float32"))
        kind = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent = kind(32, hidden, batch_first=True, generator=generator)
        self.classifier = nn.Linear(hidden, characters, generator=generator)

    def step(self, codes: ag.Tensor, state=None):
        """Scores (B, T, characters) for the character after each of (B, T), and the state behind the last one."""
        output, state = self.recurrent(ag.take(self.vectors, codes, axis=0), state)
        return self.classifier(output), state

    def forward(self, codes: ag.Tensor) -> ag.Tensor:
        """Scores with the classes on the second axis, as the cross-entropy wants them."""
        return ag.swapaxes(self.step(codes)[0], 1, 2)


def windows(codes: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Pieces of so many characters, and for each the same piece one character later."""
    count = (len(codes) - 1) // steps
    return codes[: count * steps].reshape(count, steps), codes[1 : count * steps + 1].reshape(count, steps)


def bits_per_character(model: CharacterModel, codes: np.ndarray, streams: int = 8) -> float:
    """The cross-entropy in bits, of the text read as a few long streams that start without a memory."""
    x, y = windows(codes, (len(codes) - 1) // streams)
    with ag.no_grad():
        loss = nn.functional.cross_entropy(model(ag.asarray(x)), ag.asarray(y))
    return loss.item() / math.log(2)


def bits_of_pairs(text: Text) -> float:
    """The same for a table of how often each character follows each other one, a tenth added to every count."""
    size = len(text.alphabet)
    counts = np.full((size, size), 0.1)
    np.add.at(counts, (text.train[:-1], text.train[1:]), 1)
    probabilities = counts / counts.sum(1, keepdims=True)
    return float(-np.log2(probabilities[text.held_out[:-1], text.held_out[1:]]).mean())


def sample(model: CharacterModel, text: Text, length: int, generator: ag.random.Generator) -> str:
    """Characters drawn one after another, each from what the model expects after those before."""
    code, state, written = text.alphabet.index("\n"), None, []
    with ag.no_grad():
        for _ in range(length):
            scores, state = model.step(ag.asarray([[code]]), state)
            p = ag.softmax(scores.reshape(-1).astype("float64"))
            code = int(generator.choice(len(text.alphabet), p=p.numpy()).item())
            written.append(text.alphabet[code])
    return "".join(written)


def run(
    cell: str, *, epochs: int = 3, hidden: int = 128, length: int | None = None, seed: int = 0, progress: bool = True
) -> tuple[float, float]:
    """The whole course; returns the bits per held-out character of the network and of the table of pairs."""
    started = time.perf_counter()
    text, generator = prepare(length), ag.random.Generator(seed)
    model = CharacterModel(cell, len(text.alphabet), hidden, generator)
    sizes = f"{len(text.train):,} characters to train on, {len(text.held_out):,} held out"
    print(f"{cell}: {sizes}, {len(text.alphabet)} kinds of them")
    loader = nn.DataLoader(*windows(text.train, 64), batch_size=32, shuffle=True, generator=generator)
    optimizer = optim.Adam(model.parameters(), lr=4e-3)
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), optimizer, progress=progress)
    with threadpool_limits(1, "blas"):  # a step's product is too small to be worth a second thread of NumPy's
        trainer.fit(loader, epochs=epochs)
        bits, pairs = bits_per_character(model, text.held_out), bits_of_pairs(text)
    print(f"held out: {bits:.3f} bits per character, table of pairs {pairs:.3f}; {time.perf_counter() - started:.1f} s")
    print(f"a sample:\n{sample(model, text, 300, generator)}")
    return bits, pairs


def main() -> None:
    """Train the cell that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", choices=["lstm", "gru"], default="lstm", help="the recurrent layer (default: lstm)")
    parser.add_argument("--epochs", type=int, default=3, help="passes over the text (default: 3)")
    parser.add_argument("--hidden", type=int, default=128, help="width of the layer (default: 128)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and of the order (default: 0)")
    args = parser.parse_args()
    run(args.cell, epochs=args.epochs, hidden=args.hidden, seed=args.seed)


if __name__ == "__main__":
    main()
