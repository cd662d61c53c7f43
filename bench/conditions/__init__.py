"""Steps where they are not at their best or for long: the first one, memory, neighbours, threads, 100,000 in a row."""

from bench.conditions.measure import ABOUT, run, show

__all__ = ["ABOUT", "run", "show"]
