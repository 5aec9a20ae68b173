"""Files as torch wrote them before version 1.6, and plain pickles, against what torch and pickle make of them."""

from __future__ import annotations

import io
import pickle
import struct
import time
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from seqviz import read_network
from seqviz.language import Sentence

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(8, 2)
        self.register_buffer("steps", torch.tensor(3))


def legacy(thing: Any, **how: Any) -> bytes:
    file = io.BytesIO()
    torch.save(thing, file, _use_new_zipfile_serialization=False, **how)
    return file.getvalue()


def held(data: bytes, name: str) -> dict[str, np.ndarray]:
    file = read_network(data, "old.pt")
    assert [stack.name for stack in file.stacks] == [name]
    return dict(file.stacks[0].parameters)


def checkpoint(net: nn.Module) -> dict[str, Any]:
    optimiser = torch.optim.Adam(net.parameters())
    return {"epoch": 2, "net": net.state_dict(), "optimiser": optimiser.state_dict(), "best": [0.5, None]}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("protocol", [2, 5])
def test_old_files_are_read_bit_for_bit(dtype: str, protocol: int) -> None:
    net = Tagger().to(DTYPES[dtype])
    data = legacy(checkpoint(net), pickle_protocol=protocol)
    right = torch.load(io.BytesIO(data), weights_only=protocol == 2)["net"]
    found = held(data, "net.encoder")
    assert len(found) == 16
    for name, array in found.items():
        assert np.array_equal(array, right[f"encoder.{name}"].float().numpy()), name


def test_views_of_one_storage_are_read_where_they_lie() -> None:
    whole = torch.randn(40, 40, dtype=torch.float64)
    state = {"weight_ih_l0": whole.t()[3:15, 1:4], "weight_hh_l0": whole[10:34:2, 5:20:5], "bias_ih_l0": whole[7, :12],
             "bias_hh_l0": whole.diagonal()[2:14]}  # fmt: skip
    data = legacy(state)
    assert len(data) < 2 * whole.nbytes, "the storage is there once"
    for name, array in held(data, "").items():
        assert np.array_equal(array, state[name].float().numpy()), name


@pytest.mark.parametrize("kind", [legacy, pickle.dumps], ids=["torch.save", "pickle.dump"])
def test_a_whole_module_says_what_it_is_and_none_of_it_is_run(kind: Any) -> None:
    net = Tagger()
    file = read_network(kind(net), "old.pt")
    assert file.stacks[0].known == {"batch_first": True}
    assert file.said == (
        "The file holds a whole pickled module, Tagger; its weights were read, and none of its code was run.",
    )
    x = torch.randn(5, 2, 3)
    made = file.whole()(x)
    torch.testing.assert_close(made, net.head(net.encoder(x.transpose(0, 1))[0]).transpose(0, 1), rtol=0, atol=1e-6)


class _Old(pickle.Pickler):
    """The pickles of torch 0.3: parts of storages, parameters around tensors, the source of a class beside it."""

    def __init__(self, file: Any, key: str, count: int) -> None:
        super().__init__(file, protocol=2)
        self.about = ("storage", torch.FloatStorage, key, "cpu", count)

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, slice):
            return (*self.about, None if thing.start is None else (f"v{thing.start}", thing.start, thing.stop))
        return ("module", Tagger, "net.py", "class Tagger: ...") if thing is ... else None


class _As:
    def __init__(self, *made: Any) -> None:
        self.made = made

    def __reduce__(self) -> Any:
        return self.made


def test_files_of_the_first_versions_are_read() -> None:
    numbers = np.arange(1, 61, dtype="<f4")
    rebuild, parameter = torch._utils._rebuild_tensor, nn.Parameter
    state = {
        "weight_ih_l0": _As(rebuild, (slice(None), 2, (9, 2), (2, 1))),
        "weight_hh_l0": _As(parameter, (_As(rebuild, (slice(20, 40), 4, (9, 3), (1, 2))),), (True, False)),
    }
    file = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "type_sizes": {"int": 4}}):
        pickle.dump(part, file, 2)
    _Old(file, "70", 60).dump(OrderedDict(rnn=OrderedDict(state), of=...))
    pickle.dump(["70"], file, 2)
    found = held(file.getvalue() + struct.pack("<q", 60) + numbers.tobytes(), "rnn")
    assert np.array_equal(found["weight_ih_l0"], numbers[2:20].reshape(9, 2))
    assert np.array_equal(found["weight_hh_l0"], np.lib.stride_tricks.as_strided(numbers[24:], (9, 3), (4, 8)))


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_plain_pickles_are_read(protocol: int, order: Any) -> None:
    state = nn.GRU(2, 3).state_dict()
    arrays = {name: np.asarray(value.numpy(), ">f8", order=order) for name, value in state.items()}
    for data in (pickle.dumps({"best": {"w": arrays}}, protocol), pickle.dumps({"best": {"w": state}}, protocol)):
        for name, array in held(data, "best.w").items():
            assert np.array_equal(array, state[name].numpy()), name


GOOD = legacy(nn.GRU(2, 3).state_dict())
HEAD = GOOD[: GOOD.index(b"ccollections") - 2]
TINY = legacy(torch.ones(1).untyped_storage())
KEPT = b"ctorch.storage\n_load_from_bytes\nq\1B" + struct.pack("<I", len(TINY)) + TINY + b"q\2\x85q\3R"
STRING_BOMB = b"]q\0" + b"".join(b"]h%cah%caq%c" % (k, k, k + 1) for k in range(60))
HOSTILE = {
    "cut in the list": (GOOD[:300], "cut short or changed"),
    "cut in the numbers": (GOOD[:-90], "reaches beyond the numbers"),
    "only a head": (HEAD, "cut short or changed"),
    "another version": (GOOD.replace(b"\x80\x02M\xe9\x03.", b"\x80\x02M\xe8\x03."), "version of torch"),
    "a count of numbers that is not there": (GOOD.replace(struct.pack("<q", 27), b"\xff" * 8), "cannot be opened"),
    "no numbers": (HEAD + b"\x80\x02X\1\0\0\0a.\x80\x02].", "holds no weights"),
    "a storage that is not listed": (GOOD[: GOOD.rindex(b"\x80\x02]")] + b"\x80\x02].", "which is not in it"),
    "one that is listed and not described": (HEAD + b"\x80\x02N.\x80\x02]X\1\0\0\0aa.", "cannot be opened"),
    "names that are lists of lists": (HEAD + b"\x80\x04" + STRING_BOMB + b"h\x3ch\x3c\x93.", "cut short or changed"),
    "endless": (HEAD + b"\x80\x02" + b"N0" * 2_000_000 + b".", "more than 500,000 entries"),
    "endless keys": (HEAD + b"\x80\x02N.\x80\x02]" + b"N0" * 2_000_000 + b".", "more than 500,000 entries"),
    "files in files": (b"\x80\x02](" + KEPT + b"h\1h\3R" * 90_000 + b"e.", "cut short or changed"),
    "runs": (b"\x80\x02cos\nsystem\nX\4\0\0\0true\x85R.", "holds no weights"),
    "huge number": (b"\x80\x02\x8b\xff\xff\xff\x7f.", "cut short or changed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_and_damaged_ones_end_in_a_sentence(kind: str) -> None:
    data, says = HOSTILE[kind]
    begun = time.process_time()
    with pytest.raises(ValueError, match=says) as refusal:
        read_network(data, "old.pt")
    assert isinstance(refusal.value.args[0], Sentence)
    assert time.process_time() - begun < 2


class _OddArray:
    """Pickled as an array of numpy whose parts are other things than numpy writes there."""

    def __init__(self, *given: Any) -> None:
        self.given = given

    def __reduce__(self) -> Any:
        return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), self.given


class _OddType:
    """Pickled as a type of numbers that is described by something else than a tuple of texts."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __reduce__(self) -> Any:
        args, state = self.parts
        return np.dtype, args, state


ODD = [None, 3, 1.5, "f8", b"x", [1], {"a": 1}, (), (1,), (1, 2, 3), np.dtype("<f8")]
ODD_TYPES = [(("f8",), odd) for odd in ODD[:-1]] + [((odd, False, True), (3, "<")) for odd in ODD[:-1]]


def test_an_array_described_by_anything_else_ends_in_a_sentence() -> None:
    good = (1, (2,), np.dtype("<f8"), False, bytes(16))
    arrays = [_OddArray(*good[:k], odd, *good[k + 1 :]) for k in range(5) for odd in ODD]
    arrays += [_OddArray(*good[:2], _OddType(*parts), *good[3:]) for parts in ODD_TYPES]
    for odd in arrays:
        with pytest.raises(ValueError, match=r"\.$") as refusal:
            read_network(pickle.dumps({"weight_ih_l0": odd}, 2), "odd.pt")
        assert isinstance(refusal.value.args[0], Sentence), vars(odd)


OTHERS = {
    "sklearn": ({"sklearn.linear_model": np.ones(3)}, "scikit-learn, which has no recurrent layer"),
    "joblib": (["joblib.numpy_pickle"], "numpy.savez"),
    "pandas": (["pandas.core.frame"], "bring it as data"),
    "keras": (["keras.src.models"], r'model\.save\("model\.keras"\)'),
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_other_pickles_are_called_what_they_are(kind: str) -> None:
    thing, says = OTHERS[kind]
    with pytest.raises(ValueError, match=says):
        read_network(pickle.dumps(thing), "model.pkl")
    state = {"scaler": thing, "net": nn.GRU(2, 3).state_dict()}
    assert read_network(pickle.dumps(state), "model.pkl").stacks[0].name == "net"
