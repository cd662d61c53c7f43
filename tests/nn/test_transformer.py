"""Transformers: what may be seen, what is shared, dropout, names of the state, errors."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, ShapeError

SIZES = {"d_model": 4, "nhead": 2, "dim_feedforward": 8}


def draw(*shape):
    return ag.tensor(np.random.default_rng(0).standard_normal(shape), dtype="float32")


def stream(seed=0):
    return {"generator": ag.random.Generator(seed)}


def seen(y, x):
    """Which rows of x the rows of y depend on."""
    gradients = [ag.grad((row**3).sum(), x, retain_graph=True)[0].numpy() for row in y]
    return [g.any(axis=-1).tolist() for g in gradients]


LOWER = np.tril(np.ones((4, 4), bool)).tolist()


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_causal_encoder_sees_nothing_later(norm_first):
    layer = nn.TransformerEncoderLayer(**SIZES, dropout=0.0, norm_first=norm_first)
    x = draw(4, 4).requires_grad_()
    assert seen(nn.TransformerEncoder(layer, 2)(x, is_causal=True), x) == LOWER
    assert seen(nn.TransformerEncoder(layer, 1)(x), x) == np.ones((4, 4), bool).tolist()


def test_a_causal_decoder_sees_its_past_and_the_whole_memory():
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**SIZES, dropout=0.0), 2)
    x, memory = draw(4, 4).requires_grad_(), draw(3, 4).requires_grad_()
    y = decoder(x, memory, tgt_is_causal=True)
    assert seen(y, x) == LOWER
    assert seen(y, memory) == np.ones((4, 3), bool).tolist()


def test_a_square_mask_is_the_same_as_is_causal():
    model = nn.Transformer(4, 2, 1, 1, 8, 0.0, **stream())
    mask, x = nn.Transformer.generate_square_subsequent_mask(4), draw(4, 2, 4)
    by_mask = model(x, x, src_mask=mask, tgt_mask=mask, memory_mask=mask)
    by_flag = model(x, x, src_is_causal=True, tgt_is_causal=True, memory_is_causal=True)
    np.testing.assert_allclose(by_mask.detach(), by_flag.detach(), rtol=1e-5, atol=1e-6)


def test_padding_alone_is_finite_in_value_and_gradient():
    model = nn.Transformer(4, 2, 1, 1, 8, 0.0, batch_first=True, norm_first=True)
    x = draw(2, 3, 4).requires_grad_()
    nothing = [[True] * 3, [False] * 3]
    y = model(x, x, src_key_padding_mask=nothing, memory_key_padding_mask=nothing, tgt_is_causal=True)
    y.sum().backward()
    assert np.isfinite(y.detach()).all()
    assert all(np.isfinite(t.grad).all() for t in [x, *model.parameters()])


def test_layers_of_a_stack_share_a_generator_and_no_parameter():
    layer = nn.TransformerEncoderLayer(**SIZES, activation=ag.relu, **stream())
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = encoder.layers
    assert first.generator is second.generator is first.self_attn.generator is layer.generator
    assert first.activation is ag.relu
    before = second.linear1.weight.numpy().copy()
    with ag.no_grad():
        first.linear1.weight.fill_(7.0)
    assert second.linear1.weight.numpy().tolist() == before.tolist() == layer.linear1.weight.tolist()
    assert len(list(encoder.parameters())) == 2 * len(list(layer.parameters()))


@pytest.mark.parametrize("kind", ["TransformerEncoderLayer", "TransformerDecoderLayer"])
def test_dropout_follows_its_generator_and_ends_in_evaluation(kind):
    layer = getattr(nn, kind)(**SIZES, dropout=0.5, **stream())
    x = [draw(3, 2, 4)] * (1 + (kind == "TransformerDecoderLayer"))
    runs = []
    for seed in (1, 1, 2):
        layer.generator.set_state(ag.random.Generator(seed).get_state())
        runs.append(layer(*x).tolist())
    assert runs[0] == runs[1] != runs[2]
    state = layer.generator.get_state()
    plain = getattr(nn, kind)(**SIZES, dropout=0.0)
    plain.load_state_dict(layer.state_dict())
    assert layer.eval()(*x).tolist() == plain(*x).tolist()
    assert layer.generator.get_state() == state


def test_state_has_the_keys_of_pytorch():
    model = nn.Transformer(4, 2, 1, 1, 8)
    attention = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    network = [f"linear{k}.{part}" for k in (1, 2) for part in ("weight", "bias")]
    norms = [f"norm{k}.{part}" for k in (1, 2, 3) for part in ("weight", "bias")]
    expected = {f"encoder.layers.0.{n}" for n in [*(f"self_attn.{a}" for a in attention), *network, *norms[:4]]}
    both = [f"{who}.{a}" for who in ("self_attn", "multihead_attn") for a in attention]
    expected |= {f"decoder.layers.0.{n}" for n in [*both, *network, *norms]}
    expected |= {f"{who}.norm.{part}" for who in ("encoder", "decoder") for part in ("weight", "bias")}
    assert set(model.state_dict()) == expected


def test_a_whole_transformer_starts_xavier_uniform():
    model = nn.Transformer(16, 2, 1, 1, 64, **stream())
    bound = np.sqrt(6 / (16 + 64))
    assert 0.95 * bound < abs(model.decoder.layers[0].linear1.weight.numpy()).max() <= bound


def test_an_encoder_learns_to_shift_a_sequence():
    generator = ag.random.Generator(0)
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True, norm_first=True, generator=generator)
    parts = nn.Linear(4, 16, generator=generator), layer, nn.Linear(16, 4, generator=generator)
    where = nn.LearnedPositionalEncoding(16, 8, batch_first=True, generator=generator)
    parameters = [p for part in (*parts, where) for p in part.parameters()]
    losses = []
    for _ in range(150):
        labels = generator.integers(0, 4, (16, 8))
        x = ag.eye(4, dtype="float32")[labels]
        logits = parts[2](layer(where(parts[0](x)), is_causal=True))
        loss = nn.functional.cross_entropy(logits[:, 1:].reshape(-1, 4), labels[:, :-1].reshape(-1))
        for p, g in zip(parameters, ag.grad(loss, parameters), strict=True):
            with ag.no_grad():
                p -= 0.5 * g
        losses.append(loss.item())
    assert losses[0] > 1.2
    assert losses[-1] < 0.2


X = draw(3, 2, 4)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda: nn.TransformerEncoderLayer(4, 3), ArgumentError, "embed_dim=4, num_heads=3"),
        (
            lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"),
            ArgumentError,
            "TransformerEncoderLayer was given activation='tanh'. Expected 'relu', 'gelu' or a function.",
        ),
        (
            lambda: nn.TransformerDecoderLayer(4, 2, dropout=2),
            ArgumentError,
            "TransformerDecoderLayer was given the prob",
        ),
        (
            lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 0),
            ArgumentError,
            "TransformerEncoder was given num_layers=0. Expected at least 1.",
        ),
        (lambda: nn.TransformerEncoderLayer(6, 2, 8)(X), ShapeError, "Expected (L, N, 6), (S, N, 6), (S, N, 6)"),
        (
            lambda: nn.TransformerEncoderLayer(4, 2, 8)(X, np.zeros((2, 2), bool)),
            ShapeError,
            "attn_mask was given in shape (2, 2). Expected (3, 3) or (4, 3, 3).",
        ),
        (
            lambda: nn.TransformerDecoderLayer(4, 2, 8)(X, X[:, :1]),
            ShapeError,
            "shapes (3, 2, 4), (3, 1, 4), (3, 1, 4)",
        ),
        (lambda: nn.Transformer(4, 2, 1, 1, 8)(X, X, tgt_mask=np.zeros((3, 2))), ShapeError, "shape (3, 2). Expected"),
    ],
)
def test_errors_say_what_to_write(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run()
