"""Other libraries, each in an environment of its own where it cannot live in ours: `python -m bench peers`.

An environment is made on demand, in the folder `peers` of the user's cache or in WENGERT_PEERS_DIR, and counts as there
once its last file, which holds the version, has been written. Nothing of this project is in it, nor on its path.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd.config import config
from bench.report import columns, installed

ABOUT = "the libraries to compare with: which are here; --install makes environments for those that are not"
DONE = "peer.json"  # the last file that is written
ASK = "import json, sys; from importlib.metadata import version; print(json.dumps(version(sys.argv[1])))"


@dataclass(frozen=True)
class Peer:
    """A library to compare with.

    Attributes:
        label: in tables.
        distribution: what pip calls it. module: what is imported.
        apart: in an environment of its own; else in this one, where it is installed.
    """

    label: str
    distribution: str
    module: str
    apart: bool = True


PEERS = {
    "numpy": Peer("NumPy", "numpy", "numpy", apart=False),
    "torch": Peer("torch", "torch", "torch", apart=False),
    "jax": Peer("jax.jit", "jax", "jax", apart=False),
    "hips": Peer("HIPS autograd", "autograd", "autograd"),  # the import name is ours as well
    "mygrad": Peer("MyGrad", "mygrad", "mygrad"),
    "pytensor": Peer("PyTensor", "pytensor", "pytensor"),
    "tinygrad": Peer("tinygrad", "tinygrad", "tinygrad"),
    "micrograd": Peer("micrograd", "micrograd", "micrograd"),
}
APART = tuple(name for name, peer in PEERS.items() if peer.apart)


def folder() -> Path:
    """Where environments are: WENGERT_PEERS_DIR, or `peers` in the folder that kernels are cached in."""
    chosen = os.environ.get("WENGERT_PEERS_DIR")
    return Path(chosen).absolute() if chosen else Path(config.cache) / "peers"


def interpreter(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def python_of(name: str) -> Path | None:
    """The Python that has this library; None where there is none."""
    peer = PEERS[name]
    if not peer.apart:
        return Path(sys.executable) if find_spec(peer.module) is not None else None
    python = interpreter(folder() / name)
    return python if (folder() / name / DONE).is_file() and python.exists() else None


def version_of(name: str) -> str:
    """Of a library that is here."""
    if not PEERS[name].apart:
        return installed(PEERS[name].distribution)
    return str(json.loads((folder() / name / DONE).read_text(encoding="utf-8"))["version"])


def absent(name: str) -> str:
    """Why a library cannot be compared with; nothing if it can."""
    if python_of(name) is not None:
        return ""
    how = f"python -m bench peers --install {name}" if PEERS[name].apart else f"pip install {PEERS[name].distribution}"
    return f"not installed ({how})"


def install(name: str) -> str:
    """Make the environment of a library anew, with its newest version, which is returned."""
    peer, place = PEERS[name], folder() / name
    if not peer.apart:
        raise ValueError(f"{name} is measured in this environment: pip install {peer.distribution}")
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    bare = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, env=bare)
        python = str(interpreter(place))
        subprocess.run([python, "-m", "pip", "install", "--quiet", peer.distribution], check=True, env=bare)
        asked = [python, "-P", "-c", ASK, peer.distribution]
        version = str(json.loads(subprocess.run(asked, check=True, env=bare, stdout=subprocess.PIPE, text=True).stdout))
    except subprocess.CalledProcessError:
        shutil.rmtree(place, ignore_errors=True)
        raise
    (place / DONE).write_text(json.dumps({"version": version}) + "\n", encoding="utf-8")
    return version


def show() -> str:
    """All peers: version and place, or what to write to have them."""
    lines = [("name", "library", "version", "where")]
    for name, peer in PEERS.items():
        why = absent(name)
        where = "this environment" if not peer.apart else str(folder() / name)
        lines.append((name, peer.label, "" if why else version_of(name), why or where))
    return columns(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """The command's own options."""
    parser.add_argument(
        "--install", nargs="+", metavar="NAME", choices=APART, help=f"make environments for these: {', '.join(APART)}"
    )


def main(given: Any) -> int:
    """Install what is asked for, then list; the exit code says whether all went well."""
    failed: Sequence[str] = []
    for name in given.install or ():
        try:
            print(f"{PEERS[name].label} {install(name)} is in {folder() / name}", flush=True)
        except (subprocess.CalledProcessError, OSError) as error:
            failed = [*failed, name]
            print(f"{PEERS[name].label} could not be installed: {error}", file=sys.stderr, flush=True)
    print(show())
    return 1 if failed else 0
