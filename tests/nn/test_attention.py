"""Attention: its definition, whole and in blocks; what is masked; dropout; errors that say what to write."""

import re
import tracemalloc

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.config import config
from autograd.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(0)
INF = float("inf")


def direct(q, k, v, mask=None, causal=False, scale=None):
    """Attention by its definition, a query at a time."""
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    q, k, v = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (q, k, v))
    y = np.zeros((*q.shape[:-1], v.shape[-1]))
    for at in np.ndindex(q.shape[:-1]):
        scores = k[at[:-1]] @ q[at] * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
        if mask is not None:
            row = np.broadcast_to(mask, (*q.shape[:-1], k.shape[-2]))[at]
            scores = np.where(row, scores, -INF) if row.dtype == bool else scores + row
        scores = np.where(causal & (np.arange(len(scores)) > at[-1]), -INF, scores)
        if scores.max(initial=-INF) > -INF:
            e = np.exp(scores - scores.max())
            y[at] = e / e.sum() @ v[at[:-1]]
    return y


def draw(*shapes):
    return [RNG.standard_normal(shape) for shape in shapes]


def holes(shape):
    """A mask with whole rows forbidden."""
    mask = RNG.random(shape) < 0.6
    mask[..., 1, :] = False
    return mask


def numbers(shape):
    return np.where(holes(shape), RNG.standard_normal(shape), -INF)


CASES = {
    "plain": ([(5, 4), (7, 4), (7, 3)], {}),
    "batch": ([(2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 4)], {}),
    "broadcast": ([(2, 1, 5, 4), (3, 7, 4), (1, 7, 2)], {}),
    "scale": ([(5, 4), (7, 4), (7, 3)], {"scale": 0.3}),
    "causal": ([(2, 6, 4), (2, 6, 4), (2, 6, 4)], {"is_causal": True}),
    "causal, fewer keys": ([(2, 6, 4), (2, 4, 4), (2, 4, 4)], {"is_causal": True}),
    "causal, more keys": ([(2, 4, 4), (2, 9, 4), (2, 9, 4)], {"is_causal": True}),
    "mask": ([(2, 5, 4), (2, 7, 4), (2, 7, 3)], {"attn_mask": holes((5, 7))}),
    "mask of each": ([(2, 5, 4), (2, 7, 4), (2, 7, 3)], {"attn_mask": holes((2, 5, 7))}),
    "mask of keys": ([(2, 5, 4), (2, 7, 4), (2, 7, 3)], {"attn_mask": RNG.random((2, 1, 7)) < 0.5}),
    "mask like values": ([(5, 4), (7, 4), (2, 7, 3)], {"attn_mask": holes((2, 5, 7))}),
    "numbers": ([(2, 5, 4), (2, 7, 4), (2, 7, 3)], {"attn_mask": numbers((5, 7))}),
    "mask, causal": ([(2, 5, 4), (2, 5, 4), (2, 5, 3)], {"attn_mask": holes((5, 5)), "is_causal": True}),
    "numbers, causal": ([(2, 5, 4), (2, 5, 4), (2, 5, 3)], {"attn_mask": numbers((2, 5, 5)), "is_causal": True}),
}
LARGE = {  # enough scores for kernels
    "plain": ([(2, 40, 4), (2, 60, 4), (2, 60, 3)], {}),
    "causal": ([(2, 50, 4), (2, 50, 4), (2, 50, 3)], {"is_causal": True}),
    "mask": ([(2, 40, 4), (2, 60, 4), (2, 60, 3)], {"attn_mask": holes((2, 40, 60))}),
    "mask of keys": ([(2, 40, 4), (2, 60, 4), (2, 60, 3)], {"attn_mask": RNG.random((2, 1, 60)) < 0.5}),
    "numbers": ([(2, 40, 4), (2, 60, 4), (2, 60, 3)], {"attn_mask": numbers((40, 60))}),
    "numbers, causal": ([(2, 50, 4), (2, 50, 4), (2, 50, 3)], {"attn_mask": numbers((50, 50)), "is_causal": True}),
}


@pytest.fixture(params=["whole", "blocks", "blocks made again"])
def cut(request, monkeypatch):
    """Attention all at once, in blocks of two queries, and in blocks that the tape does not keep."""
    if request.param != "whole":
        monkeypatch.setattr("nn.scores.WHOLE", 0)
        monkeypatch.setattr("nn.scores.BLOCK", 2)
    if request.param == "blocks made again":
        monkeypatch.setattr("nn.scores.KEPT", 0)


@pytest.mark.parametrize("is_causal", [False, True])
def test_memory_of_a_gradient_is_linear_in_the_length(is_causal, monkeypatch):
    for name, value in (("WHOLE", 0), ("KEPT", 0), ("BLOCK", 32)):
        monkeypatch.setattr(f"nn.scores.{name}", value)

    def peak(length):
        xs = [ag.tensor(x, dtype="float32", requires_grad=True) for x in draw(*[(length, 4)] * 3)]
        with config.using(kernels=False):  # kernels keep memory that they have used
            tracemalloc.start()
            F.scaled_dot_product_attention(*xs, is_causal=is_causal).sum().backward()
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(1024) < 2.5 * peak(512) < 2.5 * 8 * 512 * 32 * 4 + 2.5 * 1e6


@pytest.mark.parametrize("kept", [0, 1 << 24])
def test_dropout_is_the_same_when_blocks_are_made_again(kept, monkeypatch):
    for name, value in (("WHOLE", 0), ("KEPT", kept), ("BLOCK", 8)):
        monkeypatch.setattr(f"nn.scores.{name}", value)
    xs = [ag.tensor(x, requires_grad=True) for x in draw((20, 4), (20, 4), (20, 3))]
    generator = ag.random.Generator(3)
    y = F.scaled_dot_product_attention(*xs, dropout_p=0.5, is_causal=True, generator=generator)
    y.sum().backward()
    eps, (q, k, v) = 1e-6, [x.detach() for x in xs]
    moved = F.scaled_dot_product_attention(
        q, k, v + eps, dropout_p=0.5, is_causal=True, generator=ag.random.Generator(3)
    )
    assert float((moved - y.detach()).sum()) / eps == pytest.approx(float(xs[2].grad.sum()), rel=1e-6)


def settings(options):
    return options.get("attn_mask"), options.get("is_causal", False), options.get("scale")


@pytest.mark.parametrize(("shapes", "options"), [*CASES.values(), *LARGE.values()])
def test_attention_is_its_definition(shapes, options, cut):
    arrays = draw(*shapes)
    for taped in (False, True):
        xs = [ag.tensor(x, requires_grad=taped) for x in arrays]
        y = F.scaled_dot_product_attention(*xs, **options)
        np.testing.assert_allclose(y.detach(), direct(*arrays, *settings(options)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("shapes", "options"), LARGE.values(), ids=LARGE)
def test_kernels_and_composition_agree(shapes, options):
    arrays, gradients = draw(*shapes), []
    for kernels in (True, False):
        xs = [ag.tensor(x, requires_grad=True) for x in arrays]
        with config.using(kernels=kernels):
            (F.scaled_dot_product_attention(*xs, **options) ** 2).sum().backward()
        gradients.append([x.grad for x in xs])
    for fast, plain in zip(*gradients, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-11, atol=1e-12)
    shapes32 = [ag.tensor(x, dtype="float32") for x in arrays]
    assert F.scaled_dot_product_attention(*shapes32, **options).dtype == np.float32


@pytest.mark.parametrize(("shapes", "options"), CASES.values(), ids=CASES)
def test_derivatives_match_finite_differences(shapes, options, cut):
    xs = [ag.tensor(x, requires_grad=True) for x in draw(*shapes)]

    def f(*ys):
        return F.scaled_dot_product_attention(*ys, **options)

    assert ag.gradcheck(f, xs, rtol=1e-4, atol=1e-6, max_elements=12)
    assert ag.gradgradcheck(f, xs, rtol=1e-3, atol=1e-5, max_elements=4)


def test_a_mask_of_numbers_has_a_gradient(cut):
    q, k, v = draw((5, 4), (5, 4), (5, 3))
    bias = ag.tensor(numbers((5, 5)), requires_grad=True)
    y = F.scaled_dot_product_attention(q, k, v, bias)
    (y * y).sum().backward()
    forbidden = bias.detach().numpy() == -INF
    assert not bias.grad.numpy()[forbidden].any()
    finite = ag.tensor(np.where(forbidden, -2.0, bias.detach()), requires_grad=True)
    assert ag.gradcheck(lambda b: F.scaled_dot_product_attention(q, k, v, b), [finite])


@pytest.mark.parametrize("mask", [np.zeros((5, 7), bool), np.full((5, 7), -INF)], ids=["boolean", "numbers"])
@pytest.mark.parametrize("size", [1, 200])
def test_a_query_without_keys_gets_zeros_and_no_gradient(mask, size, cut):
    xs = [ag.tensor(x, requires_grad=True) for x in draw((size, 5, 4), (size, 7, 4), (size, 7, 3))]
    y = F.scaled_dot_product_attention(*xs, mask)
    y.sum().backward()
    assert not y.detach().numpy().any()
    assert [x.grad.numpy().any() for x in xs] == [False] * 3


def test_no_keys_and_no_queries():
    q, k, v = (ag.tensor(x, requires_grad=True) for x in draw((2, 5, 4), (2, 0, 4), (2, 0, 3)))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert y.tolist() == np.zeros((2, 5, 3)).tolist()
    y.sum().backward()
    assert not q.grad.numpy().any()
    assert F.scaled_dot_product_attention(k, q, q).shape == (2, 0, 4)


def test_nan_is_not_hidden():
    q, k, v = draw((1, 3, 4), (1, 3, 4), (1, 3, 4))
    k[0, 1] = np.nan
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True).numpy()
    assert np.isnan(y).all(-1).tolist() == [[False, True, True]]


def test_large_scores_do_not_overflow():
    q = ag.tensor([[1e4, 0.0]], dtype="float32")
    y = F.scaled_dot_product_attention(q, ag.concat([q, -q]), ag.tensor([[1.0], [2.0]], dtype="float32"))
    assert y.tolist() == [[1.0]]


def test_grouped_heads_are_repeated_heads():
    q, k, v = draw((2, 6, 5, 4), (2, 3, 7, 4), (2, 3, 7, 3))
    y = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    np.testing.assert_allclose(y, direct(q, k.repeat(2, 1), v.repeat(2, 1)), rtol=1e-12, atol=1e-12)


def test_without_a_gradient_memory_is_linear_in_the_length():
    q = ag.tensor(RNG.standard_normal((1, 3000, 4)), dtype="float32")
    F.scaled_dot_product_attention(q, q, q)  # compiles
    tracemalloc.start()
    F.scaled_dot_product_attention(q, q, q)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000 * 4 / 2


# ---- dropout


def test_dropout_keeps_the_mean_and_follows_its_generator():
    q, k, v = np.zeros((4, 1)), np.zeros((5000, 1)), np.ones((5000, 1))
    first, again, other = (
        F.scaled_dot_product_attention(q, k, v, dropout_p=0.25, generator=ag.random.Generator(s)) for s in (1, 1, 2)
    )
    assert first.tolist() == again.tolist() != other.tolist()
    np.testing.assert_allclose(first, 1, atol=0.05)
    assert F.scaled_dot_product_attention(q, k, v, dropout_p=1.0).tolist() == [[0.0]] * 4


def entries(node):
    """The operations that a tape goes back to, by the path to each."""
    return [] if node is None or node.op is None else [node.op.name, *(entries(p) for p in node.parents)]


@pytest.mark.parametrize(("p", "training"), [(0.0, True), (0.9, False)])
def test_dropout_costs_nothing_where_it_does_nothing(p, training):
    x = ag.ones((3, 2, 4), dtype="float32")
    layer, plain = (nn.MultiheadAttention(4, 2, share, generator=ag.random.Generator(0)) for share in (p, 0.0))
    stream = layer.generator.get_state()
    y, _ = layer.train(training)(x, x, x)
    assert layer.generator.get_state() == stream
    assert entries(y.node) == entries(plain(x, x, x)[0].node)


def test_dropped_weights_are_those_returned():
    x = ag.ones((40, 2, 4), dtype="float32")
    layer = nn.MultiheadAttention(4, 2, 0.5, generator=ag.random.Generator(0))
    _, weights = layer(x, x, x, average_attn_weights=False)
    share = (weights.numpy() == 0).mean()
    assert 0.4 < share < 0.6
    np.testing.assert_allclose(weights.max().item(), 2 / 40, rtol=1e-5)


# ---- heads


def test_state_has_the_keys_of_pytorch():
    packed = nn.MultiheadAttention(4, 2, add_bias_kv=True).state_dict()
    projections = ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"]
    assert list(packed) == projections
    assert [t.shape for t in packed.values()] == [(12, 4), (12,), (1, 1, 4), (1, 1, 4), (4, 4), (4,)]
    apart = nn.MultiheadAttention(4, 2, bias=False, kdim=3, vdim=5).state_dict()
    assert {name: t.shape for name, t in apart.items()} == {
        "q_proj_weight": (4, 4),
        "k_proj_weight": (4, 3),
        "v_proj_weight": (4, 5),
        "out_proj.weight": (4, 4),
    }


def test_starting_values_are_those_of_pytorch():
    layer = nn.MultiheadAttention(64, 4, add_bias_kv=True, generator=ag.random.Generator(0))
    bound = np.sqrt(6 / (64 + 3 * 64))
    assert 0.95 * bound < abs(layer.in_proj_weight.numpy()).max() <= bound
    assert not layer.in_proj_bias.numpy().any()
    assert not layer.out_proj.bias.numpy().any()
    np.testing.assert_allclose(layer.bias_k.numpy().std(), 1 / 8, rtol=0.3)


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("own", [{}, {"add_bias_kv": True, "add_zero_attn": True}])
def test_is_causal_needs_no_mask(need_weights, own):
    x = ag.tensor(RNG.standard_normal((2, 3, 4)), dtype="float32")
    layer = nn.MultiheadAttention(4, 2, batch_first=True, **own)
    later = np.triu(np.ones((3, 3), bool), 1)
    y, weights = layer(x, x, x, need_weights=need_weights, is_causal=True)
    expected, other = layer(x, x, x, need_weights=need_weights, attn_mask=later)
    np.testing.assert_allclose(y.detach(), expected.detach(), rtol=1e-6)
    assert need_weights == (weights is not None)
    if weights is not None:
        np.testing.assert_allclose(weights.detach(), other.detach(), rtol=1e-6)


@pytest.mark.parametrize("need_weights", [True, False])
def test_a_sequence_of_padding_alone_gives_the_bias_of_the_output(need_weights):
    layer = nn.MultiheadAttention(4, 2)
    x = ag.ones((3, 2, 4), dtype="float32", requires_grad=True)
    y, weights = layer(x, x, x, [[True] * 3, [False] * 3], need_weights)
    y.sum().backward()
    assert y.detach()[:, 0].tolist() == [layer.out_proj.bias.tolist()] * 3
    assert np.isfinite(y.detach()).all()
    assert np.isfinite(x.grad).all()
    assert weights is None or weights.detach().sum(-1)[0].tolist() == [0.0] * 3


def test_nothing_in_a_batch():
    layer = nn.MultiheadAttention(4, 2, batch_first=True)
    x = ag.ones((0, 3, 4), dtype="float32")
    y, weights = layer(x, x, x)
    assert (y.shape, weights.shape) == ((0, 3, 4), (0, 3, 3))


Q, K, V = ag.ones((2, 5, 4)), ag.ones((2, 7, 4)), ag.ones((2, 7, 3))
X = ag.ones((3, 2, 4), dtype="float32")


def attend(*xs, **options):
    return F.scaled_dot_product_attention(*xs, **options)


@pytest.mark.parametrize(
    ("run", "error", "words"),
    [
        (lambda: attend(Q[0, 0], K, V), ShapeError, "query of shape (4,), a key of shape (2, 7, 4) and a value"),
        (lambda: attend(Q, K[..., :3], V), ShapeError, "Expected (..., L, E), (..., S, E) and (..., S, Ev)."),
        (lambda: attend(Q, K[:, :6], V), ShapeError, "Expected (..., L, E), (..., S, E) and (..., S, Ev)."),
        (lambda: attend(Q, ag.ones((3, 7, 4)), V), ShapeError, "leading axes that are equal or 1"),
        (lambda: attend(Q, K[:1, None], V[None], enable_gqa=True), ShapeError, "as many heads (axis -3) in key"),
        (lambda: attend(Q, ag.ones((3, 7, 4)), ag.ones((3, 7, 4)), enable_gqa=True), ShapeError, "a multiple of them"),
        (lambda: attend(Q[0], K[0], V[0], enable_gqa=True), ShapeError, "Expected (..., H, L, E)"),
        (lambda: attend(Q.astype("int64"), K, V), DTypeError, "dtype int64. Write x.astype('float32')"),
        (lambda: attend(Q, K, V, np.ones((5, 7), int)), DTypeError, "attn_mask was given in dtype int64. Expected"),
        (lambda: attend(Q, K, V, np.ones((7, 5), bool)), ShapeError, "attn_mask was given in shape (7, 5) for scores"),
        (lambda: attend(Q, K, V, np.ones((3, 5, 7), bool)), ShapeError, "Expected (5, 7), or that with leading axes"),
        (
            lambda: attend(Q, K, V, dropout_p=1.5),
            ArgumentError,
            "scaled_dot_product_attention was given the probability",
        ),
        (lambda: nn.MultiheadAttention(4, 3), ArgumentError, "embed_dim=4, num_heads=3, kdim=4 and vdim=4. Expected"),
        (lambda: nn.MultiheadAttention(4, 0), ArgumentError, "a number of heads that divides embed_dim"),
        (lambda: nn.MultiheadAttention(4, 2, -0.1), ArgumentError, "MultiheadAttention was given the probability -0.1"),
        (lambda: nn.MultiheadAttention(4, 2)(X, X[0], X[0]), ShapeError, "shapes (3, 2, 4), (2, 4), (2, 4)"),
        (lambda: nn.MultiheadAttention(4, 2)(X, X, X[:2]), ShapeError, "Expected (L, N, 4), (S, N, 4), (S, N, 4)"),
        (lambda: nn.MultiheadAttention(4, 2)(X, X[:, :1], X[:, :1]), ShapeError, "batch_first=False"),
        (lambda: nn.MultiheadAttention(4, 2, kdim=3)(X, X, X), ShapeError, "(S, N, 3)"),
        (lambda: nn.MultiheadAttention(6, 2)(X, X, X), ShapeError, "(L, N, 6)"),
        (lambda: nn.MultiheadAttention(4, 2)(*[X[..., None]] * 3), ShapeError, "or none with an axis N"),
        (lambda: nn.MultiheadAttention(4, 2)(*[X.astype("int64")] * 3), DTypeError, "MultiheadAttention was given"),
        (
            lambda: nn.MultiheadAttention(4, 2)(X, X, X, np.zeros((3, 2), bool)),
            ShapeError,
            "key_padding_mask was given in shape (3, 2). Expected (2, 3).",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(X, X, X, attn_mask=np.zeros((2, 3, 3), bool)),
            ShapeError,
            "attn_mask was given in shape (2, 3, 3). Expected (3, 3) or (4, 3, 3).",
        ),
        (
            lambda: nn.MultiheadAttention(4, 2)(X, X, X, np.zeros((2, 3), int)),
            DTypeError,
            "True where a key is left out, or numbers",
        ),
        (lambda: nn.PositionalEncoding(0), ArgumentError, "PositionalEncoding was given d_model=0"),
        (lambda: nn.PositionalEncoding(4)(X[..., :3]), ShapeError, "Expected (L, N, 4) or (L, 4)."),
        (lambda: nn.PositionalEncoding(4, 2)(X), ShapeError, "3 positions. Expected at most 2: write max_len=3"),
        (lambda: nn.LearnedPositionalEncoding(4, 2)(X.astype("int64")), DTypeError, "int64"),
        (lambda: nn.LearnedPositionalEncoding(4, 2, 2.0), ArgumentError, "probability 2.0"),
        (lambda: nn.RotaryEmbedding(3), ArgumentError, "RotaryEmbedding was given dim=3 and base=10000.0. Expected an"),
        (lambda: nn.RotaryEmbedding(6)(X), ShapeError, "was given shape (3, 2, 4). Expected (..., L, 6)."),
    ],
)
def test_errors_say_what_to_write(run, error, words):
    with pytest.raises(error, match=re.escape(words)):
        run()


# ---- positions


def test_rotated_scores_depend_on_the_distance_alone():
    rotate = nn.RotaryEmbedding(8)
    q, k = (ag.tensor(np.tile(x, (20, 1))) for x in draw((8,), (8,)))
    scores = (rotate(q) @ rotate(k, offset=3).mT).numpy()
    for distance in range(-19, 20):
        diagonal = np.diagonal(scores, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=1e-9, atol=1e-12)
    assert np.ptp(scores) > 0.1


def test_a_learned_position_is_a_row_and_dropout_follows_the_generator():
    layer = nn.LearnedPositionalEncoding(4, 6, 0.5, generator=ag.random.Generator(0))
    x = ag.zeros((3, 2, 4), dtype="float32")
    assert (layer(x).numpy() == 0).mean() > 0.2
    layer.eval()(x).sum().backward()
    assert layer.weight.grad.tolist() == [[2.0] * 4] * 3 + [[0.0] * 4] * 3
