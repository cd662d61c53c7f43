"""Train a small causal transformer on real English text, and print bits per character on text that it never saw.

The text is what Python's own help() prints about the language: its reference manual by topic, which comes with every
Python (`pydoc_data.topics`). Paragraphs that several topics repeat are taken once, some 370,000 characters in all, so
that nothing of the held-out tenth at the end stands in the text trained on.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pydoc_data.topics import topics

import numpy as np

import autograd as ag
import nn
import optim

RARE = 20  # characters seen less often stand together as one
CONTEXT = 64  # characters that a prediction may look back on
TARGET = 2.1  # bits per held-out character that the full course stays below


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
    """Vectors of characters and positions, causal layers, and the same vectors again to score what comes next."""

    def __init__(self, characters: int, width: int, heads: int, layers: int, generator: ag.random.Generator) -> None:
        self.vectors = nn.Parameter(generator.normal(0.0, 0.1, (characters, width), "float32"))
        self.positions = nn.LearnedPositionalEncoding(width, CONTEXT, batch_first=True, generator=generator)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "relu", batch_first=True, norm_first=True, generator=generator
        )
        self.encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width))

    def forward(self, codes: ag.Tensor) -> ag.Tensor:
        """(B, T) characters to (B, T, characters) scores for the one after each."""
        x = self.positions(ag.take(self.vectors, codes, axis=0))
        return ag.matmul(self.encoder(x, is_causal=True), self.vectors.mT)


def batches(codes: np.ndarray, size: int, steps: int, generator: ag.random.Generator) -> Iterator[np.ndarray]:
    """Random pieces of the text, each with the character that follows it: (size, CONTEXT + 1)."""
    for _ in range(steps):
        starts = generator.integers(0, len(codes) - CONTEXT, size).numpy()
        yield codes[starts[:, None] + np.arange(CONTEXT + 1)]


def loss_of(model: CharacterModel, pieces: np.ndarray, skip: int = 0) -> ag.Tensor:
    """The mean cross-entropy of the characters behind the first `skip` of each piece."""
    scores = model(ag.asarray(pieces[:, :-1]))[:, skip:]
    targets = ag.asarray(pieces[:, 1 + skip :])
    return nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), targets.reshape(-1))


def train(model: CharacterModel, codes: np.ndarray, steps: int, size: int, generator: ag.random.Generator) -> None:
    """Adam, its rate rising for a tenth of the steps and then falling along a cosine."""
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    for step, pieces in enumerate(batches(codes, size, steps, generator)):
        rise, fall = min(1.0, (step + 1) / (0.1 * steps)), 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.param_groups[0]["lr"] = 3e-3 * rise * max(fall, 0.02)
        optimizer.zero_grad()
        loss = loss_of(model, pieces)
        loss.backward()
        optimizer.step()
        if step % 200 == 0:
            print(f"step {step}: {loss.item() / math.log(2):.3f} bits per character")


def bits_per_character(model: CharacterModel, codes: np.ndarray) -> float:
    """The cross-entropy in bits, each character predicted from at least half a context before it."""
    half = CONTEXT // 2
    starts = np.arange(0, len(codes) - CONTEXT, half)
    pieces = codes[starts[:, None] + np.arange(CONTEXT + 1)]
    with ag.no_grad():
        losses = [
            loss_of(model, part, half).item() * len(part) for part in np.array_split(pieces, 1 + len(pieces) // 64)
        ]
    return sum(losses) / len(pieces) / math.log(2)


def sample(model: CharacterModel, text: Text, length: int, generator: ag.random.Generator) -> str:
    """Characters drawn one after another, each from what the model expects after those before."""
    codes = [text.alphabet.index("\n")]
    with ag.no_grad():
        for _ in range(length):
            scores = model(ag.asarray([codes[-CONTEXT:]]))[0, -1]
            p = ag.softmax(scores.astype("float64"))
            codes.append(int(generator.choice(len(text.alphabet), p=p.numpy()).item()))
    return "".join(text.alphabet[c] for c in codes[1:])


def run(
    *, steps: int = 1500, size: int = 16, width: int = 128, layers: int = 2, length: int | None = None, seed: int = 0
) -> float:
    """The whole course; returns the bits per held-out character."""
    started = time.perf_counter()
    text, generator = prepare(length), ag.random.Generator(seed)
    model = CharacterModel(len(text.alphabet), width, 4, layers, generator)
    count = sum(p.size for p in model.parameters())
    print(f"{len(text.train):,} characters to train on, {len(text.held_out):,} held out; {count:,} parameters")
    train(model, text.train, steps, size, generator)
    bits = bits_per_character(model, text.held_out)
    print(f"held out: {bits:.3f} bits per character (target: below {TARGET}); {time.perf_counter() - started:.1f} s")
    print(f"a sample:\n{sample(model, text, 300, generator)}")
    return bits


def main() -> None:
    """Train with the sizes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="training steps (default: 1500)")
    parser.add_argument("--width", type=int, default=128, help="width of the model (default: 128)")
    parser.add_argument("--layers", type=int, default=2, help="number of layers (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and of the pieces (default: 0)")
    args = parser.parse_args()
    run(steps=args.steps, width=args.width, layers=args.layers, seed=args.seed)


if __name__ == "__main__":
    main()
