"""Feed every reader of seqviz what nobody would type, and see that each answers with a sentence of its own.

    python tools/fuzz.py                    100,000 inputs over all readers, 1,000 malformed events, in some minutes
    python tools/fuzz.py 5000 --seed 7      fewer, others

A reader may return a value, or raise an error that carries one sentence made by ``tr``. Anything else is printed with
the input that brought it about, and the exit status is 1. ``tests/unit/test_fuzz.py`` runs a short part of it.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import logging
import os
import pickle
import random
import sys
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import onnx
import openpyxl
import pyarrow
import pyarrow.parquet
import safetensors.torch
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import seqviz
from seqviz import lessons
from seqviz.checkpoints import from_safetensors, to_safetensors
from seqviz.experiment import Experiment, Init, InputEdit, Sequence, Tensor, WeightEdit
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.language import Sentence
from seqviz.reading.parsing import parse_csv, parse_npy, parse_numbers
from seqviz.tasks import own_series, own_text, task
from seqviz.trace import Trace
from seqviz.training import Recipe, prepare, train
from seqviz.training.written import Trained, from_text, to_text
from seqviz.ui.bench import Bench

LONGEST = 3000
"""Characters that a sentence may have, whatever it quotes."""

SLOW = 2.0
"""Seconds that one input may take of this process and of those that it starts; a busy machine adds none."""

EXPECTED = (ValueError, TypeError, IndexError, KeyError)


class Reader(NamedTuple):
    """What reads, and what it reads when all is well."""

    read: Callable[[Any], Any]
    well: list[Any]


def wrong(read: Callable[[Any], Any], given: Any) -> str:
    """What is wrong with a reader's answer to an input; empty where it is a value or a sentence."""
    begun = sum(os.times()[:4])
    try:
        read(given)
    except EXPECTED as error:
        said = error.args[0] if error.args else ""
        if not isinstance(said, Sentence):
            return "".join(traceback.format_exception(error)[-4:])
        if len(said) > LONGEST:
            return f"a sentence of {len(said):,} characters: {said[:200]}"
    except Exception:  # noqa: BLE001 anything is a finding
        return traceback.format_exc(limit=-4)
    took = sum(os.times()[:4]) - begun
    return f"took {took:.1f} s of CPU" if took > SLOW else ""


def large() -> Experiment:
    """An experiment with something in every field."""
    values = np.linspace(-1, 1, 24, dtype="f4").reshape(12, 2)
    return Experiment(
        "LSTM", 2, 4, 3, 2, Init("chrono", 1.5, 0.9, 1.0, 7),
        (Tensor.of("bias_hh_l1", np.ones(16, "f4")),), (WeightEdit("weight_ih_l0", 1, 1, 0.5),),
        Sequence.of_values(values).edited([InputEdit(3, 1, 0.25)]),
        (Clamp("l0.f", 1.0, [1, 2], (2, 5)), Scale("l1.h", 0.5), Ablate("x", steps=3)),
    )  # fmt: skip


def readers() -> dict[str, Reader]:
    """Every reader of what people bring."""
    one, text = large(), Experiment("GRU", 3, sequence=Sequence.of_text("abcab", "abc"))
    trace = io.BytesIO()
    seqviz.run(one).save(trace)
    npy = io.BytesIO()
    np.save(npy, np.ones((5, 2)))
    table = "a,b\n1,2\n3,4.5\n-1e3,0\n"
    return {
        "from_json": Reader(Experiment.from_json, [one.to_json(), text.to_json(indent=1)]),
        "from_url": Reader(Experiment.from_url, [one.to_url(), text.to_url()]),
        "unpacked": Reader(lambda text: Experiment.from_url(_packed(text)), [one.to_json()]),
        "trace": Reader(lambda data: Trace.load(io.BytesIO(data)), [trace.getvalue()]),
        "safetensors": Reader(from_safetensors, [to_safetensors(one), to_safetensors(text)]),
        "network files": Reader(seqviz.read_network, _networks()),
        "trainings": Reader(_kept_training, _training()),
        "tables": Reader(lambda data: seqviz.read_table(data, "own"), [*_tables(), npy.getvalue()]),
        "lessons": Reader(_lesson, _lessons()),
        "csv": Reader(parse_csv, [table.encode(), table, "1;2\n3;4\n", "1\t2\n"]),
        "npy": Reader(parse_npy, [npy.getvalue()]),
        "numbers": Reader(parse_numbers, ["1 2 3", "1,2\n3,4", "0.5e-3; 1"]),
        "own_text": Reader(own_text, ["hello there, " * 60]),
        "intervention": Reader(_intervention, ['["clamp", "l0.f", 1.0, [1, 2], [2, 5]]', '["scale", "x", 2, 3]']),
        "own_series": Reader(lambda text: own_series(parse_numbers(text)), ["1 2 3 4 5 6 7 8 9 " * 30]),
    }


def _networks() -> list[bytes]:
    """A state dict and a whole module as torch saves and saved them, plain pickles, numpy's archives, safetensors."""
    by_hand = {
        name: torch.ones(3, 2 if name[2] == "x" else 3) for name in ("W_xr", "W_xz", "W_xn", "W_hr", "W_hz", "W_hn")
    }
    made = []
    for thing in (torch.nn.GRU(2, 3).state_dict(), torch.nn.Sequential(torch.nn.LSTM(2, 3)), by_hand):
        for zipped in (True, False):
            file = io.BytesIO()
            torch.save(thing, file, _use_new_zipfile_serialization=zipped)
            made.append(file.getvalue())
    arrays = {name: value.numpy() for name, value in torch.nn.GRU(2, 3).state_dict().items()}
    file = io.BytesIO()
    np.savez(file, **arrays)
    made += [file.getvalue(), pickle.dumps(arrays), pickle.dumps(torch.nn.LSTM(2, 3))]
    return [*made, safetensors.torch.save(torch.nn.LSTM(2, 3).state_dict()), to_safetensors(large())]


def _foreign() -> list[bytes]:
    """What Keras and ONNX save, which is read in a process of its own: the smallest of each."""
    node = onnx.helper.make_node("GRU", ["x", "W", "R", "B"], ["y", "h"], hidden_size=3)
    rng = np.random.default_rng(0)
    sizes = {"W": (1, 9, 2), "R": (1, 9, 3), "B": (1, 18)}
    held = [onnx.numpy_helper.from_array(rng.normal(size=size).astype("f4"), name) for name, size in sizes.items()]
    shown = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in ("x", "y")]
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", shown[:1], shown[1:], held))
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        group = file.create_group("layers/lstm/cell/vars")
        for k, size in enumerate([(2, 12), (3, 12), (12,)]):
            group[str(k)] = rng.normal(size=size).astype("f4")
    cell = {"module": "keras.layers", "class_name": "LSTM", "config": {"name": "lstm", "units": 3}}
    about = {"class_name": "Sequential", "config": {"name": "s", "layers": [cell]}}
    keras = io.BytesIO()
    with zipfile.ZipFile(keras, "w") as archive:
        archive.writestr("config.json", json.dumps(about))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
        archive.writestr("model.weights.h5", weights.getvalue())
    return [model.SerializeToString(), weights.getvalue(), keras.getvalue()]


def _training() -> list[str]:
    """Networks in training, as a browser keeps them."""
    latch, recipe = task("latch"), Recipe(hidden_size=2, max_steps=2, every=1)
    start = prepare(latch, recipe)
    return [to_text([Trained("LSTM", latch, recipe, start, 0, tuple(train(start, latch, recipe)))], 2**22)]


def _tables() -> list[bytes]:
    """Tables of every kind, written in more than one way."""
    columns = {"time": ["2024-01-01", "2024-01-02", "2024-01-03"], "θ": [1.5, -2.0, 3.25], "on": [True, False, True]}
    made = [
        "time;Höhe (m);n\n01.02.2024;1.234,5;3\n02.02.2024;-0,5;4\n;2,5;7\n".encode("latin-1"),
        "日期,温度\n2024-01-01,1.5\n2024-01-02,2.5\n".encode("gbk"),
        '# made by hand\nname\tvalue\n"a\nb"\t"1,234"\nc\t5%\n'.encode("utf-16"),
    ]
    parquet, excel = io.BytesIO(), io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), parquet)
    book = openpyxl.Workbook()
    for row in zip(*([name, *values] for name, values in columns.items()), strict=True):
        book.active.append(row)
    book.save(excel)
    return [*made, parquet.getvalue(), excel.getvalue()]


def _lessons() -> list[str]:
    folder = Path(__file__).resolve().parents[1] / "assets" / "lessons"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))]


def _lesson(text: str) -> Any:
    """Every mistake in a lesson is a sentence of its own; the first that is none is raised, or else the first."""
    try:
        return lessons.read(text)
    except lessons.LessonError as error:
        said = [mistake.says for mistake in error.mistakes]
        raise ValueError(next((s for s in said if not isinstance(s, Sentence) or len(s) > LONGEST), said[0])) from error


def _kept_training(text: Any) -> Any:
    return from_text(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def _packed(text: Any) -> str:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(zlib.compress(data)).rstrip(b"=").decode()


def _intervention(text: Any) -> Any:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(rows, list) or len(rows) < 2:
        return None
    kind = {"clamp": Clamp, "scale": Scale}.get(str(rows[0]), Ablate)
    first = rows[1:3] if kind is not Ablate else rows[1:2]
    return kind(*first, *rows[3:5]) if len(first) == (2 if kind is not Ablate else 1) else None


# --- how inputs go wrong -------------------------------------------------------------------------------------

NASTY = [
    "", "\0", "-", "1e999", "-1e-400", "nan", "NaN", "Infinity", "1" * 5000, "9" * 400, "[" * 900, "{" * 900,
    "\ud800",
    "\ufeff", "null", "true", "[]", "{}", '""', "-5", "1e9", "2.5", "0x10", "１２", "\r", ",", ";", "\t", '"', "'",
    "<script>alert(1)</script>", "l0.f" * 2000, "𝟙", "\u202e", "-0.0", "1_000", "1,000", "1.000,5", "é", "NA",
    "#", "%s{x}",
]  # fmt: skip


def broken(well: Any, draw: random.Random) -> Any:
    """A changed copy of what is well, or noise."""
    kind = draw.random()
    if isinstance(well, str):
        if kind < 0.1:
            return well.encode("utf-8", "surrogatepass")
        if kind < 0.45 and well[:1] in "{[":
            return _bent(well, draw)
        return _cut(list(well), [list(text) for text in NASTY], draw, "".join)
    if kind < 0.25 and well[:2] == b"PK":
        return _rezipped(well, draw)
    return _cut(list(well), [list(t.encode("utf-8", "surrogatepass")) for t in NASTY], draw, bytes)


def _cut(items: list, nasty: list[list], draw: random.Random, join: Callable[[list], Any]) -> Any:
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        at = draw.randrange(len(items) + 1)
        end = min(len(items), at + draw.choice((0, 1, 1, 4, 40)))
        what = draw.random()
        if what < 0.35:
            items[at:end] = draw.choice(nasty)
        elif what < 0.6 and items:
            items[at:end] = [draw.choice(items) for _ in range(end - at)]
        elif what < 0.75:
            del items[at:end]
        elif what < 0.85:
            del items[at:]
        elif items:
            items[at:at] = items[at:end] * draw.choice((1, 2, 50))
    return join(items)


def _bent(text: str, draw: random.Random) -> str:
    """A JSON document with one of its values replaced: its form stays well."""
    document = json.loads(text)
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
            places.append((node, key))
            walk(node[key])

    walk(document)
    node, key = draw.choice(places)
    node[key] = draw.choice(
        [None, True, -1, 0, 3, 2**31, 10**30, 1e300, -0.5, "", "x" * 5000, [], {}, [[]], ["a"], [None] * 300,
         {"kind": 1},
         [1, 2], list(range(3000)), "l0.f", "weight_hh_l0", "AAAA", "text", {"seqviz": 1}]
    )  # fmt: skip
    if draw.random() < 0.2 and isinstance(node, dict):
        node["x" * draw.choice((1, 4000))] = 1
    return json.dumps(document)


def _rezipped(data: bytes, draw: random.Random) -> bytes:
    """A whole archive with one changed, lost, doubled or otherwise compressed member."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        names = old.namelist()
        victim = draw.choice(names)
        for name in names:
            content = old.read(name)
            kind = zipfile.ZIP_DEFLATED
            if name == victim:
                what = draw.random()
                if what < 0.15:
                    continue
                if what < 0.3:
                    kind = draw.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
                elif what < 0.65:
                    content = _header(draw)
                else:
                    content = _cut(list(content), [[0] * 9, [255] * 4, list(b"'descr'")], draw, bytes)
            new.writestr(name, content, kind)
    return out.getvalue()


def _header(draw: random.Random) -> bytes:
    """An npy file with a header of its own and next to no content."""
    shape = draw.choice(
        ["(0, 100000000, 1)", "(0, 1000000000000, 1)", "(5, 0, 1000000000)", "(-1, 2, 3)", "()", "(3,)",
         "(1, 1, 1)", "1",
         "(True, 1, 1)", "(1.5,)", "(" * 300, "[2, 2, 2]", "(2, 2, 2", "(9" + "9" * 5000 + ",)", "lambda: 0",
         "\n\n 1"]
    )  # fmt: skip
    kind = draw.choice(
        ["'<f4'", "'<f8'", "'|O'", "'<U9'", "'<f99'", "5", "'<c8'", "[('a', '<f4')]", "'>f2'", "'<U4000'"]
    )
    text = f"{{'descr': {kind}, 'fortran_order': {draw.choice(['False', 'True', '7'])}, 'shape': {shape}}}\n".encode()
    version = draw.choice((b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"))
    size = len(text) if draw.random() < 0.8 else draw.randrange(1 << 16)
    length = size.to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + length + text + bytes(draw.choice((0, 4, 32)))


def inputs(count: int, seed: int) -> Iterator[tuple[str, Callable[[Any], Any], Any]]:
    """So many broken inputs, over all readers in turn."""
    draw, known = random.Random(seed), readers()
    names = list(known)
    known["foreign networks"] = Reader(seqviz.read_network, _foreign())  # a process for each, so fewer of them
    for k in range(count):
        name = names[k % len(names)] if k % 100 else "foreign networks"
        yield name, known[name].read, broken(draw.choice(known[name].well), draw)


# --- events of the picture -----------------------------------------------------------------------------------

KINDS = [
    "undo", "redo", "pin", "reset", "input", "weight", "cell", "gates", "unedit", "checkpoint", "", None, 5, [], {},
]  # fmt: skip
VALUES = [
    None, True, 0, -1, 3, 2**40, 10**400, 0.5, float("nan"), float("inf"), "", "x", "weight_hh_l0", "\ud800",
    [], {}, [[]],
    [[0, 0, 0.5]], [[0, 0]], [[0, 0, "a"]], [["weight_hh_l0", 0, 0, 0.1]], [["weight_hh_l0", 0, 0]], [[None] * 3],
    [[1e9, 0, 1]], [[[0], 0, 1]], {"a": 1}, [{"a": 1}], "9" * 5000, [[0, 0, 10**400]],
]  # fmt: skip


def events(count: int, seed: int) -> Iterator[Any]:
    """So many malformed events of the picture."""
    draw = random.Random(seed)
    for _ in range(count):
        names = draw.sample(["edits", "places", "step", "unit", "id", "at"], draw.randrange(7))
        yield {"type": draw.choice(KINDS), **{name: draw.choice(VALUES) for name in names}}


def try_events(count: int, seed: int) -> Iterator[tuple[Any, str]]:
    """Give a bench so many malformed events; those that it does not answer with a sentence, with what happened."""
    logging.disable(logging.WARNING)  # outside a session Streamlit says at each step that there is none
    bench = Bench()
    for event in events(count, seed):
        bench.problem = ""
        try:
            bench.event(event)
        except Exception:  # noqa: BLE001 anything is a finding
            yield event, traceback.format_exc(limit=-4)
            continue
        if bench.problem and (not isinstance(bench.problem, Sentence) or len(bench.problem) > LONGEST):
            yield event, bench.problem[:300]
        seqviz.run(bench.experiment)


def main() -> int:
    """Print what was found; the number of kinds of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("count", nargs="?", type=int, default=100_000)
    asked.add_argument("--events", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    found: dict[str, str] = {}
    for k, (name, read, text) in enumerate(inputs(given.count, given.seed)):
        if says := wrong(read, text):
            found.setdefault(f"{name}: {says.strip().splitlines()[-1]}", f"{says}\n    given: {text!r:.300}")
        if (k + 1) % 10_000 == 0:
            print(f"{k + 1:,} inputs, {len(found)} kinds of findings", flush=True)
    for event, says in try_events(given.events, given.seed):
        found.setdefault(f"event: {says.strip().splitlines()[-1]}", f"{says}\n    given: {event!r:.300}")
    for title, details in found.items():
        print(f"--- {title}\n{details}")
    print(f"{given.count:,} inputs and {given.events:,} events: {len(found)} kinds of findings")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
