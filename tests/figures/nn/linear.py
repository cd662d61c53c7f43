"""Linear maps and what changes shapes alone."""

from make_nn import case

CASES = [
    case("Linear", 5, 3, shape=(4, 5)),
    case("Linear", 5, 3, shape=(2, 3, 5), bias=False),
    case("Linear", in_features=5, out_features=1, shape=(5,)),
    case("Bilinear", 5, 4, 3, shape=(4, 5), inputs=[(4, 4)]),
    case("Bilinear", 5, 4, 3, shape=(2, 3, 5), inputs=[(2, 3, 4)], bias=False),
    case("Bilinear", in1_features=2, in2_features=3, out_features=1, shape=(2,), inputs=[(3,)]),
    case("Flatten", shape=(2, 3, 4)),
    case("Flatten", shape=(2, 3, 4), start_dim=0, end_dim=1),
    case("Unflatten", 1, (2, 3), shape=(4, 6)),
    case("Unflatten", dim=-2, unflattened_size=(2, -1, 1), shape=(4, 6, 2)),
    case("Identity", shape=(2, 3)),
]
