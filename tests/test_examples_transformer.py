"""The transformer example at reduced length: a short course on a part of the text, and what it is measured on."""

import runpy
from pathlib import Path

import numpy as np

import autograd as ag

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "transformer.py"), run_name="transformer")


def test_no_paragraph_held_out_stands_in_the_text_trained_on():
    text = EXAMPLE["prepare"]()
    assert len(text.train) > 250_000
    assert abs(len(text.held_out) / len(text.train) - 1 / 9) < 1e-4
    parts = ("".join(text.alphabet[c] for c in codes).split("\n\n") for codes in (text.train, text.held_out))
    train, held_out = ({" ".join(p.split()) for p in part} for part in parts)
    assert len(held_out) > 100
    assert not train & held_out


def test_the_model_sees_nothing_of_what_it_predicts():
    model = EXAMPLE["CharacterModel"](9, 8, 2, 1, ag.random.Generator(0))
    codes = ag.random.Generator(1).integers(0, 9, (1, 6))
    other = codes.numpy().copy()
    other[0, 4:] = (other[0, 4:] + 1) % 9
    first, second = model(codes).numpy(), model(ag.asarray(other)).numpy()
    np.testing.assert_array_equal(first[0, :4], second[0, :4])
    assert (first[0, 4:] != second[0, 4:]).all()


def test_an_untrained_model_knows_nothing():
    text = EXAMPLE["prepare"](5000)
    model = EXAMPLE["CharacterModel"](len(text.alphabet), 8, 2, 1, ag.random.Generator(0))
    assert abs(EXAMPLE["bits_per_character"](model, text.held_out) - np.log2(len(text.alphabet))) < 0.5


def test_a_short_course_learns_more_than_how_frequent_characters_are(capsys):
    bits = EXAMPLE["run"](steps=200, width=64, layers=1, length=60_000)
    text = EXAMPLE["prepare"](60_000)
    frequent = np.bincount(text.train, minlength=len(text.alphabet)) + 0.1
    entropy = -np.log2(frequent / frequent.sum())[text.held_out].mean()
    assert bits < entropy - 1
    assert bits > 1.5
    printed = capsys.readouterr().out
    assert f"{bits:.3f} bits per character (target: below {EXAMPLE['TARGET']})" in printed
    assert len(printed.partition("a sample:\n")[2]) == 301
