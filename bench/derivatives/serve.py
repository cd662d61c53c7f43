"""One library in a process of its own: `python -m bench.derivatives.serve LIBRARY THREADS SHRINK`."""

import sys

from bench.derivatives.cases import CASES
from bench.kernels.serve import main

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), CASES)
