"""A process that serves one library's program, in whatever environment has it, and is ended where it takes too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import autograd as ag
from bench.peers import PEERS, absent, python_of, version_of
from bench.turns import placed

HERE = Path(__file__).parent
ROOT = Path(ag.__file__).resolve().parents[1]
START = 120.0  # seconds that importing a library may take


@dataclass(frozen=True)
class Side:
    """A label, the program behind it, and the name of the peer that it needs; none for ours."""

    label: str
    program: str
    peer: str = ""


SIDES = (
    Side("ours", "ours"),
    Side("ours, compiled", "compiled"),
    Side("NumPy", "by_hand", "numpy"),
    Side("torch", "torch_eager", "torch"),
    Side("jax.jit", "jitted", "jax"),
    Side("HIPS autograd", "hips", "hips"),
    Side("MyGrad", "mygrad_eager", "mygrad"),
    Side("PyTensor", "pytensor_compiled", "pytensor"),
    Side("tinygrad", "tinygrad_lazy", "tinygrad"),
    Side("micrograd, one number", "micrograd_scalar", "micrograd"),
)


def missing(side: Side) -> str:
    """Why a side is not here; nothing if it is."""
    return absent(side.peer) if side.peer else ""


def version(side: Side) -> str:
    """Of the library that a side runs; nothing for ours."""
    return version_of(side.peer) if side.peer else ""


def surroundings(side: Side, inherited: dict[str, str]) -> dict[str, str]:
    """The variables of a process: ours finds this project, a library in an environment of its own does not."""
    if not side.peer:
        given = inherited.get("PYTHONPATH", "")
        return inherited | {"PYTHONPATH": os.pathsep.join([str(ROOT), given] if given else [str(ROOT)])}
    if PEERS[side.peer].apart:
        return {key: value for key, value in inherited.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    return inherited


class Process:
    """The process of a side. `gone` says why it no longer answers; nothing while it does."""

    def __init__(self, side: Side, threads: int) -> None:
        python = python_of(side.peer) if side.peer else Path(sys.executable)
        program = str(HERE / "programs" / f"{side.program}.py")
        command = [str(python), "-P", str(HERE / "serve.py"), program, str(threads)]
        with placed(threads) as env:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # an error comes as an answer
                text=True,
                bufsize=1,
                env=surroundings(side, env),
                cwd=HERE,
            )
        self.gone = ""
        self.topics: list[str] = []

    def greeted(self) -> bool:
        """Whether it has started; this waits for it."""
        hello = self._answer(START)
        self.topics = hello.get("topics", [])
        self.gone = hello.get("absent", hello.get("failed", ""))
        return not self.gone

    def ask(self, *question: object, limit: float) -> dict[str, Any]:
        """The answer; {"failed": reason} if there is none within `limit` seconds, and the process is then ended."""
        if self.gone:
            return {"failed": self.gone}
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
        return self._answer(limit)

    def _answer(self, limit: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        late = Timer(limit, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        if line.endswith("\n"):
            late.cancel()
            found = json.loads(line)
            return found if found is not None else {}
        self.process.wait()
        in_time = late.is_alive()
        late.cancel()
        code = self.process.returncode
        self.gone = f"ended with exit code {code}" if in_time else f"no answer within {limit:.0f} s"
        return {"failed": self.gone}

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()
