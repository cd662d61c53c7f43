"""Padding."""

from make_nn import case

SHAPES = {1: (2, 3, 4), 2: (1, 2, 3, 4), 3: (1, 2, 3, 2, 3)}
EACH = {1: (2, 1), 2: (0, 3, 1, 2), 3: (1, 0, 1, 1, 2, 0)}  # the last axis first
CUT = {1: (-1, 2), 2: (1, 0, -1, 1), 3: (1, 0, 0, 0, -1, -1)}
CASES = [
    *(case(f"ZeroPad{d}d", 1, shape=SHAPES[d]) for d in (1, 2, 3)),
    *(case(f"ZeroPad{d}d", padding=CUT[d], shape=SHAPES[d][1:]) for d in (1, 2, 3)),
    *(case(f"ConstantPad{d}d", 1, 3.5, shape=SHAPES[d]) for d in (1, 2, 3)),
    *(case(f"ConstantPad{d}d", padding=EACH[d], value=-2, shape=SHAPES[d][1:]) for d in (1, 2, 3)),
    *(case(f"{k}Pad{d}d", 1, shape=SHAPES[d]) for k in ("Reflection", "Replication", "Circular") for d in (1, 2, 3)),
    *(case(f"{k}Pad{d}d", padding=EACH[d], shape=SHAPES[d][1:]) for k in ("Replication",) for d in (1, 2, 3)),
    *(case(f"{k}Pad{d}d", padding=EACH[d], shape=SHAPES[d]) for k in ("Reflection", "Circular") for d in (1, 2)),
    case("ReflectionPad3d", padding=(1, 0, 1, 1, 2, 0), shape=SHAPES[3][1:]),
    case("CircularPad3d", padding=(1, 0, 1, 1, 2, 0), shape=SHAPES[3][1:]),
]
