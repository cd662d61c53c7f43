"""Attention of several heads, and positions."""

from make_nn import case

INF = float("inf")
CAUSAL = [[j > i for j in range(3)] for i in range(3)]
PADDED = [[False, False, True], [False, True, False]]
NUMBERS = [[0.5, -1.0, -INF], [0.0, 2.0, 0.25], [-INF, 0.0, 1.0]]
HEADS = [[[(i + j + n) % 3 == 1 for j in range(3)] for i in range(3)] for n in range(4)]
SIZES = {"embed_dim": 4, "num_heads": 2}


def attention(shape=(3, 2, 4), inputs=((3, 2, 4), (3, 2, 4)), call=None, **options):
    return case("MultiheadAttention", shape=shape, inputs=inputs, call=call, **SIZES, **options)


CASES = [
    attention(),
    attention(call={"need_weights": False}),
    attention(call={"average_attn_weights": False}),
    attention(shape=(1, 2, 4), bias=False),
    attention(shape=(2, 3, 4), inputs=((2, 3, 4), (2, 3, 4)), batch_first=True, call={"key_padding_mask": PADDED}),
    attention(shape=(3, 4), inputs=((2, 4), (2, 4))),
    attention(
        shape=(3, 4), inputs=((3, 4), (3, 4)), call={"key_padding_mask": [False, True, False], "attn_mask": NUMBERS}
    ),
    attention(call={"attn_mask": CAUSAL, "need_weights": False}),
    attention(call={"attn_mask": CAUSAL, "is_causal": True}),
    attention(call={"attn_mask": NUMBERS, "need_weights": False}),
    attention(call={"attn_mask": HEADS, "average_attn_weights": False}),
    attention(call={"attn_mask": CAUSAL, "key_padding_mask": [[False, True, False], [False, False, True]]}),
    attention(call={"attn_mask": CAUSAL, "key_padding_mask": [[0.5, 1.0, 2.0], [0.0, -INF, -1.0]]}),
    attention(inputs=((2, 2, 3), (2, 2, 5)), kdim=3, vdim=5),
    attention(inputs=((3, 2, 4), (3, 2, 3)), vdim=3, bias=False, call={"attn_mask": CAUSAL}),
    attention(add_bias_kv=True),
    attention(add_bias_kv=True, add_zero_attn=True, call={"attn_mask": CAUSAL, "key_padding_mask": PADDED}),
    attention(add_zero_attn=True, call={"attn_mask": NUMBERS, "need_weights": False}),
    attention(training=False, dropout=0.5),
    case("PositionalEncoding", shape=(3, 2, 4), d_model=4, max_len=5, dropout=0.0),
    case("PositionalEncoding", shape=(2, 3, 5), d_model=5, max_len=3, batch_first=True),
    case("LearnedPositionalEncoding", shape=(3, 2, 4), d_model=4, max_len=5, dropout=0.0),
    case("LearnedPositionalEncoding", shape=(2, 3, 5), d_model=5, max_len=3, batch_first=True),
    case("RotaryEmbedding", shape=(2, 3, 4), dim=4),
    case("RotaryEmbedding", shape=(2, 2, 3, 6), dim=6, base=100.0, interleaved=False, call={"offset": 2}),
]


def reference(c):
    """PyTorch's module, given its masks as lists; positions, which it lacks, from its functions."""
    import torch

    options = c["options"]
    if c["kind"] == "MultiheadAttention":
        module = torch.nn.MultiheadAttention(**options).double()
        forward, call = module.forward, {k: torch.tensor(v) if isinstance(v, list) else v for k, v in c["call"].items()}
        floats = {k: v.double() if getattr(v, "is_floating_point", bool)() else v for k, v in call.items()}
        module.forward = lambda *xs, **_: forward(*xs, **floats)
        return module
    return positions(c)


def positions(c):
    """Positions in PyTorch, by their formulas."""
    import torch

    options, module = c["options"], torch.nn.Module()
    width = options.get("d_model", options.get("dim"))
    if c["kind"] == "LearnedPositionalEncoding":
        module.weight = torch.nn.Parameter(torch.zeros(options["max_len"], width).double())
    place = torch.arange(8, dtype=torch.float64)[:, None]
    pair = (torch.arange(width) // 2 * 2).double()
    angle = place / options.get("base", 10000.0) ** (pair / width)
    if c["kind"] == "RotaryEmbedding":
        turn = torch.polar(torch.ones(8, width // 2).double(), angle[:, ::2])

        def forward(x, offset=0):
            apart = x.unflatten(-1, (-1, 2)) if options.get("interleaved", True) else x.unflatten(-1, (2, -1)).mT
            y = torch.view_as_real(torch.view_as_complex(apart.contiguous()) * turn[offset : offset + x.shape[-2]])
            return y.flatten(-2) if options.get("interleaved", True) else y.mT.flatten(-2)

    else:
        wave = torch.where(torch.arange(width) % 2 == 0, torch.sin(angle), torch.cos(angle))

        def forward(x):
            rows = getattr(module, "weight", wave)[: x.shape[1 if options.get("batch_first") else 0]]
            return x + (rows if options.get("batch_first") else rows[:, None])

    module.forward = forward
    return module
