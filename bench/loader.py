"""What the batches of a `DataLoader` cost, against bare fancy indexing of the same arrays."""

from __future__ import annotations

import numpy as np

import nn
from bench.report import Row, table
from bench.timing import interleaved, ratio, seconds_per, spread

ABOUT = "an epoch of shuffled batches, against bare fancy indexing"
ROWS, COLUMNS, BATCH = 20_000, 20, 256
TARGET = 1.5  # times the bare loop
MS = 1e3
show = table

BARE = """
order = rng.permutation(len(x))
for start in range(0, len(x), batch):
    rows = order[start:start + batch]
    x[rows], y[rows]
"""


def run(*, repeats: int = 61, rows: int = ROWS) -> list[Row]:
    """The rows of the case."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, COLUMNS), dtype=np.float32)
    y = rng.integers(0, 10, rows)
    batches = nn.DataLoader(x, y, batch_size=BATCH, shuffle=True)
    t = interleaved(
        {
            "bare": seconds_per(BARE, x=x, y=y, rng=rng, batch=BATCH),
            "loader": seconds_per("for batch in batches: pass", batches=batches),
        },
        repeats,
    )
    return [
        Row(
            f"DataLoader over {rows:,} x {COLUMNS}, batch {BATCH}, shuffled",
            ratio(t["loader"], t["bare"]),
            "times",
            TARGET,
        ),
        Row("an epoch of the DataLoader", spread(t["loader"]) * MS, "ms"),
        Row("an epoch of bare fancy indexing", spread(t["bare"]) * MS, "ms"),
    ]
