"""The command line: what it prints, what it saves, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz import command
from seqviz.language import use_language


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    yield
    use_language("en")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(
        {"a": nn.LSTM(2, 3).state_dict(), "b": nn.RNN(2, 4, bidirectional=True).state_dict()}, tmp_path / "net.pt"
    )
    (tmp_path / "data.csv").write_text("u,v,w\n1,2,3\n2,0,1\n-1,0.5,2\n")
    return tmp_path


def run(*words: Any) -> int:
    return command.main([str(word) for word in words])


def test_read_prints_what_is_in_a_file(folder, capsys):
    assert run("read", folder / "net.pt") == 0
    said = capsys.readouterr().out
    assert "a: LSTM, 2 → 3, float32" in said
    assert "b: RNN, 2 → 4, bidirectional, float32" in said
    assert "Rows 3–5 of a.weight_ih_l0 became the forget gate f." in said
    assert "--answer nonlinearity=tanh | relu" in said
    assert run("read", folder / "net.pt", "--answer", "nonlinearity=relu") == 0
    assert "--answer nonlinearity" not in capsys.readouterr().out


def test_capture_saves_the_run(folder, capsys):
    out = folder / "run.npz"
    assert run("capture", folder / "net.pt", "--data", folder / "data.csv", "--columns", "w,u", "--stack", "b",
               "--answer", "nonlinearity=relu", "-o", out) == 0  # fmt: skip
    assert "l0_reverse.h" in capsys.readouterr().out
    module = seqviz.read_network(folder / "net.pt").module("b", nonlinearity="relu")
    x = torch.tensor([[3.0, 1], [1, 2], [2, -1]])
    found = seqviz.Trace.load(out)
    with torch.no_grad():
        y = module(x[:, None])[0]
    np.testing.assert_allclose(np.concatenate([found["l0.h"], found["l0_reverse.h"]], -1), y, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["read", "none.pt"], "No such file"),
        (["read", "data.csv"], "a table; it is data for a network"),
        (["read", "net.pt", "--answer", "relu"], "written NAME=VALUE"),
        (["read", "net.pt", "--answer", "nonlinearity=elu"], "no answer here"),
        (["capture", "net.pt", "--data", "net.pt", "-o", "x.npz"], "not a table"),
        (["capture", "net.pt", "--data", "data.csv", "--columns", "u", "-o", "x.npz"], "takes 2 inputs, and 1 column"),
        (["capture", "net.pt", "--data", "data.csv", "--stack", "c", "-o", "x.npz"], "no network 'c' in the file"),
        (["show", "data.csv"], "a table; it is data for a network"),
        (["show", "net.pt", "--data", "none.csv"], "No such file"),
    ],
)
def test_what_is_refused_is_said_in_one_line(folder, capsys, monkeypatch, words, says):
    monkeypatch.chdir(folder)
    assert run(*words) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.startswith("seqviz: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_capture_runs_one_sequence_of_several(folder, capsys):
    """Each from zeros: not what came before it in the file."""
    x = np.random.default_rng(0).normal(size=(4, 5, 2)).astype("<f4")
    np.savez(folder / "x.npz", other=np.zeros(3), x=x, turned=x.swapaxes(0, 1))
    rows = [f"{k},{a},{b}" for k, sequence in enumerate(x) for a, b in sequence]
    (folder / "x.csv").write_text("\n".join(["day,u,v", *rows]))
    lstm = seqviz.read_network(folder / "net.pt").module("a")
    ways = [["x.npz"], ["x.npz", "--array", "turned", "--no-batch-first"], ["x.csv", "--apart", "day"]]
    for words in ways:
        for k in (0, 3):
            data = ["--data", folder / words[0], *words[1:], "--sequence", k]
            assert run("capture", folder / "net.pt", *data, "-o", folder / "run.npz") == 0
            assert f"Sequence {k} of 4" in capsys.readouterr().out
            with torch.no_grad():
                h = lstm(torch.from_numpy(x[k])[:, None])[0]
            np.testing.assert_allclose(seqviz.Trace.load(folder / "run.npz")["l0.h"], h, atol=1e-6)
    for words, says in ((["x.npz", "--sequence", "4"], "no sequence 4 in the data; the last is 3"),
                        (["data.csv", "--apart", "u"], "No column 'u' tells where a sequence begins")):  # fmt: skip
        data = ["--data", folder / words[0], *words[1:]]
        assert run("capture", folder / "net.pt", *data, "-o", folder / "no.npz") == 1
        assert says in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["draw"], ["capture", "net.pt"], ["serve", "--port", "x"]])
def test_a_wrong_command_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        run(*words)
    assert end.value.code == 2
    assert "usage: seqviz" in capsys.readouterr().err


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit) as end:
        run("--help")
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("read", "capture", "show", "serve"))


class Server:
    def __init__(self, words: list[str], env: dict[str, str], cwd: Path) -> None:
        started.append((words, env))

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def poll(self) -> int:
        return 0

    wait = poll


started: list[tuple[list[str], dict[str, str]]] = []


def test_show_hands_over_paths_and_choices(folder, monkeypatch, capsys):
    started.clear()
    monkeypatch.setattr(subprocess, "Popen", Server)
    assert run("show", folder / "net.pt", "--data", folder / "data.csv", "--stack", "b", "--columns", "u,v",
               "--standardise", "--port", "8600") == 0  # fmt: skip
    assert "http://localhost:8600/your_network" in capsys.readouterr().out
    wanted = json.loads(started[0][1][command.OPEN])
    assert wanted["network"] == str(folder / "net.pt")
    assert (wanted["stack"], wanted["columns"], wanted["standardise"]) == ("b", ["u", "v"], True)
    assert "8600" in started[0][0]
    np.save(folder / "many.npy", np.zeros((3, 5, 2)))
    assert run("show", folder / "net.pt", "--data", folder / "many.npy") == 0
    assert json.loads(started.pop()[1][command.OPEN])["data"] == str(folder / "many.npy")
    np.savez(folder / "two.npz", a=np.zeros((3, 5, 2)), b=np.zeros((5, 3, 2)))
    assert run("show", folder / "net.pt", "--data", folder / "two.npz", "--array=b", "--no-batch-first", "--to-range",
               "--sequence=2") == 0  # fmt: skip
    wanted = json.loads(started.pop()[1][command.OPEN])
    assert [wanted[name] for name in ("array", "turned", "to_range", "sequence")] == ["b", True, True, 2]
    seqviz.capture(nn.GRU(1, 2), torch.randn(3, 1, 1)).save(folder / "run.npz")
    assert run("show", folder / "run.npz") == 0
    assert json.loads(started[1][1][command.OPEN]) == {"trace": str(folder / "run.npz")}
    assert run("show", folder / "run.npz", "--data", folder / "data.csv") == 1
    assert run("serve") == 0
    assert command.OPEN not in started[2][1]


@pytest.mark.parametrize("wrong", [RuntimeError("Could not determine home directory."), PermissionError(13, "denied")])
def test_who_has_no_home_gets_one(monkeypatch, tmp_path, wrong):
    """A container's user may have no name, or a home that only root may look into; Streamlit would not start."""

    def fail(_: Path) -> bool:
        raise wrong

    assert command._home(tmp_path) == {}
    monkeypatch.setattr(Path, "exists", fail)
    assert command._home(tmp_path) == {"HOME": str(tmp_path)}


def test_whoever_ends_the_command_ends_its_server(tmp_path, monkeypatch):
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec tail -f /dev/null\n", encoding="utf-8")
    slow.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(slow))
    monkeypatch.setattr(command, "_browse", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    assert run("serve") == -signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_run_in_a_folder_is_made_in_blocks_and_shown(folder, monkeypatch, capsys):
    words = ("capture", folder / "net.pt", "--data", folder / "data.csv", "--columns", "u,w", "-o", folder / "run")
    assert run(*words) == 0
    lstm = seqviz.read_network(folder / "net.pt").module("a")
    x = torch.tensor([[1.0, 3], [2, 1], [-1, 2]])
    with torch.no_grad():
        np.testing.assert_allclose(seqviz.Trace.open(folder / "run")["l0.h"], lstm(x[:, None])[0], atol=1e-6)
    assert run(*words) == 0  # it is whole, and stays
    assert run(*words[:-1], folder / "other", "--stack", "b") == 0
    both = seqviz.read_network(folder / "net.pt").module("b")
    with torch.no_grad():
        wanted = both(x[:, None])[0]
    trace = seqviz.Trace.open(folder / "other")
    np.testing.assert_allclose(np.concatenate([trace["l0.h"], trace["l0_reverse.h"]], -1), wanted, atol=1e-6)
    started.clear()
    monkeypatch.setattr(subprocess, "Popen", Server)
    assert run("show", folder / "run") == 0
    assert json.loads(started[0][1][command.OPEN]) == {"trace": str(folder / "run")}
    (folder / "empty").mkdir()
    assert run("show", folder / "empty") == 1
    assert "not a seqviz trace" in capsys.readouterr().err


def test_it_speaks_the_language_of_the_shell(folder, monkeypatch, capsys):
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert run("read", folder / "data.csv") == 1
    assert "eine Tabelle" in capsys.readouterr().err
