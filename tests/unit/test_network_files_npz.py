"""Weights as numpy saves them, by name, and numpy's arrays in what torch.save writes; against torch's own layers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz.command import _is_run
from seqviz.reading.networks import looks_like_npz

Named = dict[str, np.ndarray]


def npz(arrays: Named) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def packed(arrays: Named) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def saved(arrays: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(arrays, stream)
    return stream.getvalue()


WAYS: dict[str, Callable[[Named], bytes]] = {
    "npz": npz,
    "npz, compressed": packed,
    "npz in Fortran's order": lambda a: npz({name: np.asfortranarray(value) for name, value in a.items()}),
    "npz of big-endian float64": lambda a: npz({name: value.astype(">f8") for name, value in a.items()}),
    "npz with a count beside them": lambda a: npz(a | {"epochs": np.array(7)}),
    "torch.save": saved,
    "torch.save, Fortran's order, float64": lambda a: saved({n: np.asfortranarray(v, "f8") for n, v in a.items()}),
    "torch.save, nested": lambda a: saved({"epoch": 3, "best": {"weights": a, "losses": np.arange(4)}}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_weights_that_are_numpys_are_read(way: str, kind: str) -> None:
    torch.manual_seed(3)
    layer = getattr(nn, kind)(3, 4, num_layers=2)
    given = WAYS[way]({f"enc.{name}": value.numpy() for name, value in layer.state_dict().items()})
    file = seqviz.read_network(given, "weights.npz")
    x = torch.randn(6, 2, 3)
    made = file.module(file.stacks[0])
    np.testing.assert_allclose(made(x)[0].detach(), layer(x)[0].detach(), atol=1e-6)


def test_a_run_is_no_network_and_a_network_no_run(tmp_path: Path) -> None:
    seqviz.capture(nn.GRU(2, 3), torch.randn(4, 1, 2)).save(tmp_path / "run.npz")
    weights = npz({name: value.numpy() for name, value in nn.GRU(2, 3).state_dict().items()})
    (tmp_path / "weights.npz").write_bytes(weights)
    assert _is_run(tmp_path / "run.npz")
    assert not _is_run(tmp_path / "weights.npz")
    assert not looks_like_npz((tmp_path / "run.npz").read_bytes())


def test_what_is_wrong_with_an_archive_of_arrays_is_said() -> None:
    good = npz({"weight_ih_l0": np.zeros((12, 2), "f4"), "weight_hh_l0": np.zeros((12, 3), "f4")})
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weight_ih_l0.npy", bytes(2**26))
    pickled = npz({"weights": np.array({"a": 1}, dtype=object)})
    for bad, says in (
        (good[: len(good) // 2], "cannot be opened"),
        (bomb.getvalue(), "cannot be opened"),
        (pickled, "pickled objects"),
        (npz({"scores": np.zeros(3)}), "recurrent"),
    ):
        with pytest.raises(ValueError, match=says) as refusal:
            seqviz.read_network(bad, "weights.npz")
        assert "\n" not in str(refusal.value)


def test_an_array_that_is_shorter_than_it_says_is_refused() -> None:
    short = {"weight_ih_l0": np.zeros((9, 2), "f4"), "weight_hh_l0": np.zeros((9, 3), "f4")}
    longer, count = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(saved(short))) as archive, zipfile.ZipFile(longer, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            count += content.count(b"K\tK\x03")
            changed.writestr(name, content.replace(b"K\tK\x03", b"K\x0cK\x03").replace(b"K\tK\x02", b"K\x0cK\x02"))
    assert count == 1, "(9, 3) stands in the pickle once"
    with pytest.raises(ValueError, match="beyond the numbers"):
        seqviz.read_network(longer.getvalue(), "short.pt")
