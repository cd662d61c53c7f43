"""Embeddings: the numbers that are looked up are the target of a case."""

import numpy as np
from make_nn import case

RAGGED = {"numbers": [4, 1, 2, 4, 0, 5, 1, 1], "offsets": [0, 3, 3, 4]}
SQUARE = {"numbers": [[4, 1, 5], [0, 4, 4]]}
CASES = [
    case("Embedding", 6, 3, target={"numbers": [4, 1, 1, 0]}),
    case("Embedding", num_embeddings=6, embedding_dim=2, target=SQUARE, padding_idx=4, order=0),  # a row kept still
    case("Embedding", 6, 2, target={"numbers": 3}, padding_idx=-2),
    *(case("EmbeddingBag", 6, 3, target=t, mode=mode) for t in (SQUARE, RAGGED) for mode in ("sum", "mean", "max")),
    *(case("EmbeddingBag", 6, 3, target=RAGGED, mode=mode, padding_idx=4) for mode in ("sum", "mean", "max")),
    case("EmbeddingBag", num_embeddings=6, embedding_dim=2, target=SQUARE, padding_idx=-2),
    case("EmbeddingBag", 6, 3, target=RAGGED | {"weights": True}, mode="sum"),
    case("EmbeddingBag", 6, 3, target=RAGGED | {"weights": True}, mode="sum", padding_idx=1),
    case("EmbeddingBag", 6, 3, target=RAGGED | {"offsets": [0, 3, 3, 8]}, mode="mean", include_last_offset=True),
    case("Embedding", 6, 3, target={"numbers": [4, 1, 1, 0]}, sparse=True),
    case("Embedding", 6, 2, target=SQUARE, padding_idx=4, sparse=True, order=0),
    *(case("EmbeddingBag", 6, 3, target=RAGGED, mode=mode, sparse=True) for mode in ("sum", "mean")),
]


def arguments(c, rng):
    """The numbers, where bags start, and the weights of numbers."""
    given = c["target"]
    found = [np.array(given[key]) for key in ("numbers", "offsets") if key in given]
    return found + ([rng.uniform(0.5, 1.5, found[0].shape)] if "weights" in given else [])
