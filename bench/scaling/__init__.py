"""How cost grows, beside other libraries, each in a process and where needed in an environment of its own."""

from bench.scaling.measure import ABOUT, run, show

__all__ = ["ABOUT", "run", "show"]
