"""`python tests/figures/make_hips.py`, where HIPS autograd is installed and this project is not: writes hips.npz."""

import sys
from importlib.metadata import version
from pathlib import Path
from runpy import run_path

import numpy as np

HERE = Path(__file__).parent


def main():
    """Run every program under HIPS autograd and store what it gives, with where that comes from."""
    try:
        origin = f"HIPS autograd {version('autograd')}, numpy {np.__version__}, scipy {version('scipy')}"
    except ModuleNotFoundError:
        sys.exit("make_hips.py wants an environment with HIPS autograd: pip install autograd scipy")
    figures = {"origin": np.array(origin)}
    files = ("hips_programs.py", "hips_complex.py")
    for name, program in [pair for file in files for pair in run_path(str(HERE / file))["PROGRAMS"].items()]:
        figures |= {f"{name}/{k}": np.asarray(v) for k, v in program().items()}
        print(name, flush=True)
    np.savez_compressed(HERE / "hips.npz", **figures)


if __name__ == "__main__":
    main()
