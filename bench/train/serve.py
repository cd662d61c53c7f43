"""One library in a process of its own: `python -m bench.train.serve LIBRARY THREADS SHRINK`."""

import sys

from bench.kernels.serve import main
from bench.train.cases import CASES

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), CASES)
