"""HDF5 and ONNX files that are damaged, or want to do harm: a sentence, within two seconds, with little memory."""

from __future__ import annotations

import io
import resource
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
import pytest
from foreign_files import model, node
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from seqviz import read_network
from seqviz.language import Sentence
from seqviz.reading.networks import started
from seqviz.reading.networks.apart import frames

ONES = np.ones((2, 8), "<f4")


def hdf5(fill: Callable[[Any], None], kernel: Any = ONES, recurrent: Any = ONES) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        for k, array in enumerate((kernel, recurrent)):
            if array is not None:
                made[f"layers/lstm/cell/vars/{k}"] = array
        fill(made)
    return file.getvalue()


def nothing(_: Any) -> None:
    pass


def group(made: Any) -> Any:
    return made["layers/lstm/cell/vars"]


def outside(made: Any) -> None:
    made.create_dataset("layers/lstm/cell/vars/1", (2, 8), "<f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])


def virtual(made: Any) -> None:
    layout = h5py.VirtualLayout((2, 8), "<f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (2, 8))
    made.create_virtual_dataset("layers/lstm/cell/vars/1", layout)


def nested(made: Any) -> None:
    for _ in range(200):
        made = made.create_group("g")


def many(made: Any) -> None:
    for k in range(50_100):
        made.create_group(str(k))


def packed(made: Any) -> None:
    made.create_dataset("layers/lstm/cell/vars/1", (4000, 16_000), "<f4", compression=9, chunks=(500, 16_000))
    made["layers/lstm/cell/vars/1"][:500] = 0


def circle(made: Any) -> None:
    made["layers/lstm/again"] = made["layers"]


def compound(made: Any) -> None:
    made["layers/lstm/cell/vars/1"] = np.zeros((2, 8), [("a", "<f4"), ("b", "<i4")])


def text(made: Any) -> None:
    made.attrs["model_config"] = "[" * 60_000


EMPTY_HUGE = {"shape": (20_000, 80_000), "dtype": "<f4", "chunks": (1, 1024)}
HDF5: dict[str, tuple[bytes, str]] = {
    "elsewhere": (hdf5(outside, recurrent=None), "lie in another file"),
    "virtual": (hdf5(virtual, recurrent=None), "lie in another file"),
    "soft link": (hdf5(lambda m: group(m).update({"1": h5py.SoftLink("/x")}), recurrent=None), "no LSTM, GRU or S"),
    "external link": (
        hdf5(lambda m: group(m).update({"1": h5py.ExternalLink("/etc/passwd", "/x")}), recurrent=None),
        "no LSTM, GRU",
    ),
    "filter": (
        hdf5(lambda m: group(m).create_dataset("1", data=ONES, compression="lzf"), recurrent=None),
        "packed in a way",
    ),
    "nested": (hdf5(nested), "too many, or lie in one another too deeply"),
    "many": (hdf5(many), "too many"),
    "bomb": (hdf5(packed, np.ones((2, 16_000), "<f4"), None), "reaches beyond the numbers"),
    "huge": (
        hdf5(lambda m: group(m).create_dataset("1", **EMPTY_HUGE), np.ones((2, 80_000), "<f4"), None),
        "weights|beyond",
    ),
    "compound": (hdf5(compound, recurrent=None), "holds void64"),
    "whole numbers": (hdf5(nothing, recurrent=np.ones((2, 8), "<i4")), "holds int32"),
    "NaN": (hdf5(nothing, recurrent=np.full((2, 8), np.nan, "<f4")), "hold NaN"),
    "shape": (hdf5(nothing, kernel=np.ones((2, 7), "<f4")), "no LSTM, GRU"),
    "bias": (hdf5(lambda m: group(m).update({"2": np.ones(9)})), r"must have the shape \(8,\), not \(9,\)"),
    "no rows": (hdf5(nothing, kernel=np.ones((0, 8), "<f4")), "empty|no recurrent"),
    "only a head": (b"\x89HDF\r\n\x1a\n" + bytes(2000), "cut short or changed"),
    "cut": (hdf5(nothing)[:1500], "cut short or changed"),
}  # fmt: skip


def graph(*nodes: onnx.NodeProto, weights: str = "y_W", **tensors: np.ndarray) -> bytes:
    """An LSTM whose W comes out of some nodes."""
    made, own = node("LSTM", 3, 2)
    made.input[1] = weights
    more = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    return model([*nodes, made], [*own, *more], 2).SerializeToString()


def declared(dims: list[int], data: bytes = b"", **external: str) -> bytes:
    made, own = node("LSTM", 3, 2)
    own[0].ClearField("raw_data")
    own[0].ClearField("dims")
    own[0].dims.extend(dims)
    own[0].raw_data = data
    if external:
        own[0].ClearField("raw_data")
        own[0].data_location = onnx.TensorProto.EXTERNAL
        for key, value in external.items():
            own[0].external_data.add(key=key, value=value)
    return model([made], own, 2).SerializeToString()


def deep() -> bytes:
    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [], [])
    for _ in range(20):
        inner = helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=inner)], "g", [], [])
    return helper.make_model(inner).SerializeToString()


def chain(length: int) -> bytes:
    nodes, value = [], "y_W"
    for k in range(length):
        nodes.append(helper.make_node("Identity", [value], [f"i{k}"]))
        value = f"i{k}"
    return graph(*nodes, weights=value)


def doubled(times: int) -> bytes:
    nodes, value = [], "y_W"
    for k in range(times):
        nodes.append(helper.make_node("Concat", [value, value], [f"i{k}"], axis=2))
        value = f"i{k}"
    return graph(*nodes, weights=value)


LONG = np.array([10**6, 10**6], "<i8")
ONNX: dict[str, tuple[bytes, str]] = {
    "expand": (
        graph(helper.make_node("Expand", ["y_W", "s"], ["big"]), weights="big", s=np.array([10**9, 12, 2])),
        ".",
    ),
    "constant of shape": (graph(helper.make_node("ConstantOfShape", ["s"], ["big"]), weights="big", s=LONG), "."),
    "range": (
        graph(helper.make_node("Range", ["a", "b", "c"], ["big"]), weights="big", a=np.array(0), b=np.array(10**10),
              c=np.array(1)),
        ".",
    ),
    "doubled": (doubled(60), "."),
    "circle": (
        graph(helper.make_node("Identity", ["b"], ["a"]), helper.make_node("Identity", ["a"], ["b"]), weights="a"),
        ".",
    ),
    "no such value": (graph(weights="nowhere"), "come from outside"),
    "huge": (declared([2**40, 2**20]), "more than 256 MiB"),
    "negative": (declared([-1, 12, 2]), "more than 256 MiB|cut short"),
    "too few bytes": (declared([1, 12, 2], b"1234"), "cut short or changed"),
    "another folder": (declared([1, 12, 2], location="../../../etc/passwd"), "keeps its weights in passwd: bring"),
    "no name": (declared([1, 12, 2], location=""), "cut short or changed"),
    "long name": (declared([1, 12, 2], location="a" * 100_000), "keeps its weights in"),
    "not a number": (declared([1, 12, 2], location="w", offset="x"), "keeps its weights in w|cut short"),
    "deep": (deep(), "If node|cut short"),
    "cut": (graph()[:-40], "cut short or changed"),
    "only a head": (b"\x08\x09\x12" + bytes(300), "cut short or changed"),
}  # fmt: skip


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(("data", "says"), [*HDF5.values(), *ONNX.values()], ids=[*HDF5, *(f"onnx {k}" for k in ONNX)])
def test_it_ends_in_a_sentence_within_two_seconds(data: bytes, says: str) -> None:
    before = spent()
    with pytest.raises(ValueError, match=says) as refusal:
        read_network(data, "net.onnx" if data[:1] == b"\x08" else "")
    assert isinstance(refusal.value.args[0], Sentence)
    assert len(str(refusal.value)) < 500
    assert spent() - before < 2.5


@pytest.mark.parametrize(
    "data",
    [hdf5(circle), hdf5(text), chain(20_000), graph(weights="y_W")],
    ids=["circle", "brackets", "chain", "plain"],
)
def test_what_is_only_odd_is_read(data: bytes) -> None:
    assert len(read_network(data).stacks) == 1


def test_a_path_never_leads_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.bin").write_bytes(np.ones(24, "<f4").tobytes())
    path = tmp_path / "inside" / "net.onnx"
    path.write_bytes(declared([1, 12, 2], location="../secret.bin"))
    with pytest.raises(ValueError, match=r"keeps its weights in secret\.bin"):
        read_network(path)
    (tmp_path / "inside" / "secret.bin").write_bytes(np.ones(24, "<f4").tobytes())
    assert (read_network(path).stacks[0].parameters["weight_ih_l0"] == 1).all()


def test_a_process_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "SECONDS", 0.0)
    with pytest.raises(ValueError, match="takes too long to read or asks for too much memory"):
        read_network(hdf5(nothing))


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="h5py is needed: pip install h5py"):
        read_network(hdf5(nothing))


def test_packed_archives_are_not_unpacked_beyond_reason() -> None:
    for name in ("model.weights.h5", "net.onnx"):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr(name, bytes(2**28))
        with pytest.raises(ValueError, match="cannot be opened"):
            read_network(file.getvalue())
    several = io.BytesIO()
    with zipfile.ZipFile(several, "w") as made:
        made.writestr("a.onnx", b"1")
        made.writestr("b.onnx", b"1")
    with pytest.raises(ValueError, match="several networks"):
        read_network(several.getvalue())


WHOLE = (hdf5(nothing), hdf5(lambda m: group(m).create_dataset("2", data=np.ones(8), compression=9)), graph())


@given(st.sampled_from(WHOLE), st.data())
@settings(max_examples=15, deadline=None, phases=[Phase.generate])
def test_a_damaged_file_is_read_or_refused_in_one_sentence(whole: bytes, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(3, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(damaged[: data.draw(st.integers(len(damaged) // 2, len(damaged)))])
    said, found = None, []
    try:
        found = [array for stack in read_network(cut).stacks for array in stack.parameters.values()]
    except ValueError as refusal:
        said = refusal.args[0]
    assert said is None or isinstance(said, Sentence), said
    assert all(np.isfinite(array).all() for array in found)


@pytest.mark.parametrize("stream", [b"1", struct.pack("<QQ", 2, 9) + b"{}1", struct.pack("<QQ", 2, 0) + b"[]",
                                    struct.pack("<QQ", 2**60, 0)])  # fmt: skip
def test_records_that_are_cut_are_no_records(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r"a record is cut|too much is sent"):
        list(frames.frames(io.BytesIO(stream), 1000))
