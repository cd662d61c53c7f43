"""Linear maps and what changes shapes alone."""

from make_nn import case

CASES = [
    case("Linear", 5, 3, shape=(4, 5)),
    case("Linear", 5, 3, shape=(2, 3, 5), bias=False),
    case("Linear", in_features=5, out_features=1, shape=(5,)),
    case("Flatten", shape=(2, 3, 4)),
    case("Flatten", shape=(2, 3, 4), start_dim=0, end_dim=1),
    case("Identity", shape=(2, 3)),
]
