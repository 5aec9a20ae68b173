"""Sequences in arrays, against the arrays; ids of tokens, against torch's own embedding."""

from __future__ import annotations

import io
import pickle
import time
import zipfile
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqviz import batches, looked, read_network, read_sequences
from seqviz.language import Sentence


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def pt(thing: Any, **how: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(thing, stream, **how)
    return stream.getvalue()


WAYS = {
    "npy": npy,
    "npy, Fortran's order": lambda x: npy(np.asfortranarray(x)),
    "npz beside others": lambda x: npz(y=np.arange(4), names=np.array(["a", "b"]), x=x),
    "a tensor": lambda x: pt(torch.from_numpy(x)),
    "a tensor that was turned": lambda x: pt({"x": torch.from_numpy(np.ascontiguousarray(x.T)).permute(2, 1, 0)}),
    "as before 1.6": lambda x: pt({"x": torch.from_numpy(x)}, _use_new_zipfile_serialization=False),
    "a pickle": lambda x: pickle.dumps({"train": x, "y": np.arange(4)}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "u1"])
def test_every_step_of_every_sequence_is_there(way: str, dtype: str) -> None:
    x = (np.random.default_rng(0).normal(size=(4, 6, 3)) * 9 + 40).astype(dtype)
    for batch_first in (True, False):
        table = read_sequences(WAYS[way](x), batch_first=batch_first)
        right = x if batch_first else x.swapaxes(0, 1)
        assert table.starts is not None
        assert len(table.starts) == len(right)
        for one, rows in zip(right, np.split(table.values, table.starts[1:]), strict=True):
            np.testing.assert_array_equal(rows, one)


def test_halves_and_truth_values_are_numbers_too() -> None:
    half = torch.randn(2, 3, 2).bfloat16()
    np.testing.assert_array_equal(read_sequences(pt(half)).values, half.float().reshape(6, 2))
    bits = torch.rand(2, 3, 2) > 0.5
    np.testing.assert_array_equal(read_sequences(pt(bits)).values, bits.float().reshape(6, 2))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any))
@settings(max_examples=20, deadline=None)
def test_padding_is_left_out(lengths: list[int]) -> None:
    x = np.arange(len(lengths) * 5 * 2, dtype=float).reshape(-1, 5, 2)
    for one, length in zip(x, lengths, strict=True):
        one[length:] = np.nan
    table = read_sequences(npy(x))
    left = [one[:length] for one, length in zip(x, lengths, strict=True) if length]
    np.testing.assert_array_equal(table.values, np.concatenate(left))
    assert ([*table.starts] if table.starts is not None else [0]) == [*np.cumsum([0, *map(len, left)])[:-1]]


def test_one_is_chosen_by_name_and_ids_are_sequences() -> None:
    data = npz(x=np.zeros((2, 3, 4)), ids=np.arange(6).reshape(2, 3))
    assert (read_sequences(data).array, read_sequences(data).arrays) == ("x", ("x", "ids"))
    rows = read_sequences(data, array="ids")
    assert (rows.values.shape, rows.starts) == ((2, 3), None)
    ids = read_sequences(data, array="ids", ids=True)
    assert (ids.values[:, 0].tolist(), [*ids.starts]) == ([0, 1, 2, 3, 4, 5], [0, 3])
    assert read_sequences(b"a,b\n1,2\n3,4\n", "own.csv").names == ("a", "b")


def test_of_too_many_the_first_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_NUMBERS", 20)
    for batch_first, x in ((True, np.arange(60.0).reshape(10, 3, 2)), (False, np.zeros((3, 10, 2)))):
        table = read_sequences(npy(x), batch_first=batch_first)
        assert table.values.shape == (9, 2)
        assert "The first 3 of its 10 sequences were taken." in table.says


def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as entry:
        entry.write(npy(np.zeros((1, 1, 2**26)))[:128])
        for _ in range(512):
            entry.write(bytes(2**20))
    return stream.getvalue()


WRONG = {
    "a network": (pt(nn.GRU(2, 3).state_dict()), "file of a network, not a table"),
    "no array": (pt({"a": 1}), "no array of one to three dimensions"),
    "four dimensions": (pt(torch.zeros(1, 2, 3, 4)), "no array of one to three dimensions"),
    "empty": (npy(np.zeros((0, 3, 2))), "no array of one to three dimensions"),
    "infinity": (npy(np.array([[[1.0]], [[np.inf]]])), "Sequence 1 of the array holds inf at step 0"),
    "a gap": (npy(np.array([[[1.0, np.nan], [2, 3]]])), "Sequence 0 of the array holds nan at step 0"),
    "nothing but gaps": (npy(np.full((2, 2, 2), np.nan)), "NaN alone"),
    "objects": (npz(x=np.array([{}, {}])), "no array of one to three dimensions"),
    "cut": (npz(x=np.zeros((2, 3, 4)))[:-40], "cannot be opened|of no kind|not an npy"),
    "cut short": (pt({"x": torch.zeros(2, 3, 4)}, _use_new_zipfile_serialization=False)[:-20], "beyond the numbers"),
    "bomb": (bomb(), "more than 256 MiB"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said(kind: str) -> None:
    data, says = WRONG[kind]
    begun = time.process_time()
    with pytest.raises(ValueError, match=says) as refusal:
        read_sequences(data, "x.npz")
    assert isinstance(refusal.value.args[0], Sentence)
    assert time.process_time() - begun < 2


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.position_embedding = nn.Embedding(9, 4)
        self.embedding, self.other = nn.Embedding(20, 4), nn.Embedding(20, 3)
        self.rnn, self.decoder = nn.LSTM(4, 6), nn.Linear(6, 20)


def test_ids_go_through_the_files_own_embedding() -> None:
    net, ids = Reader(), np.random.default_rng(1).integers(0, 20, 12)
    file = read_network(pt(net.state_dict()))
    name = file.embedding()
    assert name == "embedding.weight"
    given = looked.inputs_of_ids(ids.astype(float), file.tensors[name].float32(), name)
    with torch.no_grad():
        right = net.decoder(net.rnn(net.embedding(torch.from_numpy(ids))[:, None])[0])
        torch.testing.assert_close(file.whole()(torch.from_numpy(given.x)[:, None]), right, rtol=0, atol=1e-6)
    for wrong in (20.0, -1.0, 0.5):
        with pytest.raises(ValueError, match=r"Step 1 holds .* whole numbers from 0 to 19"):
            looked.inputs_of_ids(np.array([0, wrong]), file.tensors[name].float32(), name)


def test_of_two_embeddings_the_one_beside_the_network_is_taken() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.ModuleDict({"emb": nn.Embedding(7, 4), "rnn": nn.GRU(4, 5)})
            self.decoder = nn.ModuleDict({"emb": nn.Embedding(9, 4), "rnn": nn.GRU(4, 5)})

    file = read_network(pt(Both().state_dict()))
    assert [file.embedding(stack) for stack in file.stacks] == ["encoder.emb.weight", "decoder.emb.weight"]
    assert read_network(pt(nn.GRU(4, 5).state_dict())).embedding() == ""


def test_a_text_is_ids_where_they_are_its_bytes() -> None:
    assert looked.ids_of_text("aé", 256, "emb").tolist() == [97, 195, 169]
    assert looked.ids_of_text("az", 128, "emb").tolist() == [97, 122]
    for text, count in (("é", 128), ("a", 1000)):
        with pytest.raises(ValueError, match="Bring a table with a column of ids"):
            looked.ids_of_text(text, count, "emb")
