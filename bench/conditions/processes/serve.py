"""A library that steps for longer: `python -m bench.conditions.processes.serve LIBRARY THREADS SHRINK`.

A turn of some milliseconds could fall between two slices of a neighbour.
"""

import sys
from dataclasses import replace

from bench.kernels.serve import main
from bench.steps.cases import CASES

LASTING = 0.4  # seconds of a turn
LONG = {name: replace(case, lasting=LASTING) for name, case in CASES.items()}

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), LONG)
