"""Every reader of files, given whatever somebody may hand it: what is read is the same, what is not is a sentence."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import seqviz
from seqviz import lessons
from seqviz.checkpoints import from_safetensors
from seqviz.experiment import Experiment
from seqviz.language import Sentence
from seqviz.lessons.shipped import FOLDER
from seqviz.reading.parsing import parse_csv, parse_npy, parse_numbers
from seqviz.tasks import own_series, own_text

OF_FILES: dict[str, Callable[[Any], Any]] = {
    "Trace.load": seqviz.Trace.load,
    "read_table": seqviz.read_table,
    "read_network": seqviz.read_network,
    "lessons.read": lessons.read,
}
OF_ANYTHING = OF_FILES | {
    "Trace.open": seqviz.Trace.open,
    "from_safetensors": from_safetensors,
    "from_json": Experiment.from_json,
    "from_url": Experiment.from_url,
    "own_series": own_series,
    "own_text": own_text,
    "parse_csv": parse_csv,
    "parse_npy": parse_npy,
    "parse_numbers": parse_numbers,
}


class Broken:
    """An open file that is none."""

    def __init__(self, given: Any = None) -> None:
        self.given = given

    def read(self, size: int = -1) -> Any:
        if self.given is None:
            raise RuntimeError(size)
        return self.given

    def seek(self, place: int, whence: int = 0) -> int:
        return place + whence


class NoPath(os.PathLike[Any]):
    def __init__(self, gives: Any) -> None:
        self.gives = gives

    def __fspath__(self) -> Any:
        return self.gives


@pytest.fixture
def strange(tmp_path: Path) -> dict[str, Any]:
    """What cannot be read as anything, by what it is."""
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "noise").write_bytes(bytes(range(255, 0, -1)))
    os.mkfifo(tmp_path / "pipe")
    closed = io.BytesIO(b"1")
    closed.close()
    with (tmp_path / "noise").open("rb") as stream:
        text = io.TextIOWrapper(io.BytesIO(stream.read()), "utf-8")
    return {
        "nowhere": tmp_path / "nowhere.csv",
        "nowhere, as text": str(tmp_path / "nowhere.csv"),
        "below a file": tmp_path / "empty" / "there",
        "a folder": tmp_path / "folder",
        "an empty file": tmp_path / "empty",
        "noise": tmp_path / "noise",
        "a pipe": tmp_path / "pipe",
        "a device": Path("/dev/zero"),
        "too long a name": tmp_path / ("x" * 300),
        "a zero in a name": "a\0b",
        "half a character": "\ud800",
        "half a character in a path": tmp_path / "\ud800",
        "no path": NoPath(5),
        "a path of bytes": NoPath(b"there"),
        "nothing": None,
        "an array": np.ones((2, 2, 2)),
        "an object": object(),
        "a class": int,
        "a dictionary": {},
        "complex": 2j,
        "empty bytes": b"",
        "a closed file": closed,
        "an open file that is none": Broken(),
        "an open file of numbers": Broken(5),
        "an open file in another encoding": text,
    }


SAID = (ValueError, TypeError, ImportError)
STRANGE = 25


@pytest.mark.parametrize("name", OF_ANYTHING)
def test_what_cannot_be_read_is_refused_in_one_sentence(name, strange):
    assert len(strange) == STRANGE
    for what, given in strange.items():
        with pytest.raises(SAID) as refused:
            OF_ANYTHING[name](given)
        said = refused.value.args[0]
        if isinstance(refused.value, lessons.LessonError):
            said = refused.value.mistakes[0].says
        assert isinstance(said, Sentence), (what, refused.value)
        assert str(refused.value).endswith("."), (what, said)
        assert len(said) < 300, (what, said)
        assert "\n" not in said, (what, said)
        assert not re.search(r"Errno|codec|embedded|Traceback|__fspath__", said), (what, said)


@pytest.mark.parametrize("name", OF_FILES)
def test_a_path_that_leads_nowhere_is_named_and_remains_an_os_error(name, tmp_path):
    for given in (tmp_path / "nowhere.pt", tmp_path / ("far" * 15) / "nowhere.pt"):
        with pytest.raises(FileNotFoundError, match=r"No such file: .*nowhere.pt") as refused:
            OF_FILES[name](given)
        assert isinstance(refused.value, ValueError)
    with pytest.raises(OSError, match="is a folder, not a file"):
        OF_FILES[name](tmp_path)
    with pytest.raises(ValueError, match="is a device or a pipe"):
        OF_FILES[name](Path("/dev/zero"))


def test_what_may_not_be_opened_is_said(tmp_path, monkeypatch):
    file = tmp_path / "secret"
    file.touch()

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    for read in OF_FILES.values():
        with pytest.raises(ValueError, match="may not be opened"):
            read(file)


def test_a_text_that_looks_like_a_path_is_told_from_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for text, said in {
        "data/rain.csv": "No such file",
        "rain.parquet": "No such file",
        "C:\\data\\rain": "No such file",
        "here": "is a folder",
        "rain": "not a number",
        "2024/01/02": "not a number",
        "rain, snow.csv": "not a number",
    }.items():
        with pytest.raises(ValueError, match=said):
            seqviz.read_table(text)
    (tmp_path / "5").mkdir()
    assert seqviz.read_table("5").values.tolist() == [[5.0]]
    assert seqviz.read_table("1.e5").values.tolist() == [[1e5]]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, tuple[Path, Callable[[Any], Any]]]:
    """A file for each reader, and what of its result is compared."""
    torch.manual_seed(0)
    layer = torch.nn.GRU(2, 3)
    seqviz.capture(layer, torch.randn(4, 1, 2)).save(tmp_path / "run.npz")
    torch.save(layer.state_dict(), tmp_path / "net.pt")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4.5\n", encoding="utf-8")
    lesson = next(FOLDER.glob("*.yaml"))
    return {
        "Trace.load": (tmp_path / "run.npz", lambda trace: trace["l0.h"].tolist()),
        "read_table": (tmp_path / "table.csv", lambda table: (table.names, table.values.tolist())),
        "read_network": (tmp_path / "net.pt", lambda net: net.module()(torch.ones(2, 1, 2))[0].tolist()),
        "lessons.read": (lesson, lambda lesson: (lesson.id, len(lesson.steps))),
    }


@pytest.mark.parametrize("name", OF_FILES)
def test_a_path_its_text_its_bytes_and_the_open_file_are_one(name, files):
    path, part = files[name]
    read = OF_FILES[name]
    with path.open("rb") as stream:
        given = [path, path.read_bytes(), stream, io.BytesIO(path.read_bytes())]
        if name != "lessons.read":
            given.append(str(path))
        results = [part(read(each)) for each in given]
    assert all(result == results[0] for result in results)


def test_a_file_is_read_from_where_it_stands_and_not_beyond_what_is_taken(monkeypatch):
    stream = io.BytesIO(b"not this\n1,2\n3,4\n")
    stream.readline()
    assert seqviz.read_table(stream).values.tolist() == [[1, 2], [3, 4]]
    monkeypatch.setattr("seqviz.reading.tables.MAX_FILE", 8)
    for given in (b"1,2,3,4,5", io.BytesIO(b"1,2,3,4,5"), "1,2,3,4,5"):
        with pytest.raises(ValueError, match="larger than"):
            seqviz.read_table(given)
    assert seqviz.read_table(b"1,2\n3,4").values.shape == (2, 2)


def test_where_nothing_can_be_written_it_is_said(tmp_path):
    trace = seqviz.capture(torch.nn.RNN(1, 1), torch.ones(2, 1, 1))
    for place, said in {tmp_path / "nowhere" / "run.npz": "There is no folder", tmp_path: "is a folder"}.items():
        with pytest.raises(ValueError, match=said):
            trace.save(place)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"No such file|cannot be opened"):
        seqviz.capture_blocks(torch.nn.RNN(1, 1), torch.ones(4, 1, 1), tmp_path / "file" / "below")
