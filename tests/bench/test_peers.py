"""Environments of peers: what counts as there, what is said of the others, and that nothing is left half made."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograd.config import config
from bench import peers


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("WENGERT_PEERS_DIR", str(tmp_path / "peers"))
    return tmp_path / "peers"


def made(place, name, version="1.2.3"):
    """An environment as `install` leaves it behind."""
    python = peers.interpreter(place / name)
    python.parent.mkdir(parents=True)
    python.write_text("")
    (place / name / peers.DONE).write_text(json.dumps({"version": version}))
    return python


def test_the_folder_is_that_of_the_cache_or_the_variable(monkeypatch, tmp_path):
    monkeypatch.delenv("WENGERT_PEERS_DIR", raising=False)
    assert peers.folder() == Path(config.cache) / "peers"
    monkeypatch.setenv("WENGERT_PEERS_DIR", str(tmp_path))
    assert peers.folder() == tmp_path


def test_an_environment_is_there_once_it_is_finished(place):
    assert peers.python_of("hips") is None
    assert peers.absent("hips") == "not installed (python -m bench peers --install hips)"
    python = made(place, "hips", "1.9.1")
    assert peers.python_of("hips") == python
    assert (peers.absent("hips"), peers.version_of("hips")) == ("", "1.9.1")
    (place / "hips" / peers.DONE).unlink()
    assert peers.python_of("hips") is None


def test_a_finished_environment_whose_python_is_gone_is_absent(place):
    made(place, "mygrad").unlink()
    assert peers.python_of("mygrad") is None


def test_peers_of_this_environment_are_found_in_it(place, monkeypatch):
    assert peers.python_of("numpy") == Path(sys.executable)
    monkeypatch.setattr(peers, "find_spec", lambda module: None)
    assert peers.python_of("torch") is None
    assert peers.absent("torch") == "not installed (pip install torch)"


def test_all_are_listed_with_how_to_get_them(place):
    made(place, "tinygrad", "0.14.0")
    lines = {line.split()[0]: line for line in peers.show().splitlines()[1:]}
    assert set(lines) == set(peers.PEERS)
    assert "0.14.0" in lines["tinygrad"]
    assert lines["micrograd"].endswith("not installed (python -m bench peers --install micrograd)")
    assert "HIPS autograd" in lines["hips"]


def test_installing_makes_an_environment_without_our_path(place, monkeypatch):
    asked = []

    def fake(command, *, check, env, **settings):
        asked.append((command, env))
        if "venv" in command:
            (place / "hips").mkdir(parents=True)
        return subprocess.CompletedProcess(command, 0, stdout='"9.9"\n')

    monkeypatch.setenv("PYTHONPATH", "ours")
    monkeypatch.setattr(subprocess, "run", fake)
    assert peers.install("hips") == "9.9"
    assert [command[-1] for command, _ in asked] == [str(place / "hips"), "autograd", "autograd"]
    assert all("PYTHONPATH" not in env for _, env in asked)
    assert json.loads((place / "hips" / peers.DONE).read_text()) == {"version": "9.9"}


def test_a_failed_installation_leaves_nothing_and_does_not_stop_the_next(place, monkeypatch, capsys):
    def fake(command, **settings):
        target = next(name for name in ("mygrad", "pytensor") if name in " ".join(command))
        (place / target).mkdir(parents=True, exist_ok=True)
        if "pip" in command and target == "mygrad":
            raise subprocess.CalledProcessError(1, command)
        return subprocess.CompletedProcess(command, 0, stdout='"1"\n')

    monkeypatch.setattr(subprocess, "run", fake)
    assert peers.main(argparse.Namespace(install=["mygrad", "pytensor"])) == 1
    assert not (place / "mygrad").exists()
    assert (place / "pytensor" / peers.DONE).exists()
    assert "MyGrad could not be installed" in capsys.readouterr().err


def test_what_lives_here_is_not_installed_apart(place):
    with pytest.raises(ValueError, match="torch is measured in this environment: pip install torch"):
        peers.install("torch")
