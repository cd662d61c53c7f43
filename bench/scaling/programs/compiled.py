"""This project with losses compiled."""

import runpy
from pathlib import Path

import autograd as ag


def load(threads):
    return runpy.run_path(str(Path(__file__).with_name("ours.py")))["load"](threads, ag.compile)
