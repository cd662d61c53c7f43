"""The text example at reduced length: a short course already beats a table of character pairs."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd as ag

EXAMPLE = runpy.run_path(str(Path(__file__).parents[1] / "examples" / "text.py"), run_name="text")


def test_text_is_cut_in_order_and_told_apart():
    text = EXAMPLE["prepare"](5000)
    assert (len(text.train), len(text.held_out)) == (4500, 500)
    written = "".join(text.alphabet[k] for k in text.train[:200])
    assert "assert" in written.lower()
    assert text.train.max() < len(text.alphabet) <= 103
    x, y = EXAMPLE["windows"](text.train, 64)
    assert x.shape == y.shape == (70, 64)
    np.testing.assert_array_equal(x[1:, 0], y[:-1, -1])
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])


def test_no_paragraph_held_out_stands_in_the_text_trained_on():
    text = EXAMPLE["prepare"]()
    assert len(text.train) > 250_000
    assert abs(len(text.held_out) / len(text.train) - 1 / 9) < 1e-4
    parts = ("".join(text.alphabet[c] for c in codes).split("\n\n") for codes in (text.train, text.held_out))
    train, held_out = ({" ".join(p.split()) for p in part} for part in parts)
    assert len(held_out) > 100
    assert not train & held_out


def test_an_untrained_model_knows_nothing():
    text = EXAMPLE["prepare"](5000)
    model = EXAMPLE["CharacterModel"]("lstm", len(text.alphabet), 8, ag.random.Generator(0))
    bits = EXAMPLE["bits_per_character"](model, text.held_out)
    assert abs(bits - np.log2(len(text.alphabet))) < 0.3


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_short_course_beats_the_table_of_pairs(cell, capsys):
    bits, pairs = EXAMPLE["run"](cell, epochs=4, hidden=64, length=60_000, progress=False)
    assert 3 < pairs < 4.2
    assert 1.5 < bits < pairs
    printed = capsys.readouterr().out
    assert f"{bits:.3f} bits per character" in printed
    assert len(printed.partition("a sample:\n")[2]) == 301
