"""Starts the process that reads a file, gives it the bytes and takes its records; it is killed if it takes too long."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from seqviz.language import Sentence, tr
from seqviz.reading.networks.apart.frames import MAX_BYTES, Record, frame, frames
from seqviz.reading.networks.stored import brief

__all__ = ["Beside", "read_apart", "refusal"]

SECONDS: Final = 20.0
"""By the clock, of which the child computes the least part; for a machine that has much else to do."""

_NEEDS: Final = {"hdf5": "h5py", "onnx_graph": "onnx"}
_HERE: Final = Path(__file__).parent
_START: Final = """
import sys, types
for name, path in zip(sys.argv[2::2], sys.argv[3::2]):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
from importlib import import_module
from seqviz.reading.networks.apart.frames import answer
answer(import_module("seqviz.reading.networks.apart." + sys.argv[1]).records)
"""
"""The packages that this room lies in are made without their own code, which would import torch."""

_AT_ONCE: Final = threading.BoundedSemaphore(2)


class Beside(ValueError):
    """The weights lie in another file, of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            tr(
                "The network keeps its weights in {name}: bring both files, together or in one zip, or export it with "
                "external_data=False.",
                name=brief(name),
            )
        )
        self.name = name


def read_apart(kind: str, files: Mapping[str, bytes]) -> list[Record]:
    """The records of ``apart/<kind>.py`` about some files; none of their bytes is looked at in this process.

    Raises:
        Beside: the numbers lie in another file.
        ValueError: one sentence, where the child said why it cannot, or was killed.
    """
    package = _NEEDS[kind]
    if find_spec(package) is None:
        raise ValueError(tr("To read this file, {package} is needed: pip install {package}", package=package))
    with _AT_ONCE, _process(kind) as child:
        killer = threading.Timer(SECONDS, child.kill)
        feeder = threading.Thread(target=_feed, args=(child, files), daemon=True)
        killer.start()
        feeder.start()
        try:
            found = list(frames(cast(BinaryIO, child.stdout), 2 * MAX_BYTES))
        except ValueError:
            found = []
        finally:
            killer.cancel()
            child.kill()
            feeder.join()
    refused = next((head for head, _ in found if "refused" in head), None)
    if refused is not None:
        raise refusal(refused)
    if not found or "last" not in found[-1][0]:
        raise ValueError(
            tr("The file takes too long to read or asks for too much memory; it is damaged, or not what it says.")
        )
    return found[:-1]


def _process(kind: str) -> subprocess.Popen[bytes]:
    packages: list[str] = []
    for name, place in (
        ("seqviz", _HERE.parents[1]),
        ("seqviz.reading", _HERE.parent),
        ("seqviz.reading.networks", _HERE),
    ):
        packages += [name, str(place)]
    keep = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TEMP", "TMP")
    around = {name: os.environ[name] for name in keep if name in os.environ}
    around |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HDF5_PLUGIN_PATH": "::"}
    command = [sys.executable, "-I", "-c", _START, kind, *packages]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=around)


def _feed(child: subprocess.Popen[bytes], files: Mapping[str, bytes]) -> None:
    # A child that was killed, or has seen enough, takes no more.
    with suppress(BrokenPipeError), cast(BinaryIO, child.stdin) as pipe:
        for name, data in files.items():
            for part in frame({"name": name}, memoryview(data)):
                pipe.write(part)


def refusal(refused: Mapping[str, Any]) -> ValueError:
    """What a child's refusal means."""
    if refused["refused"] == "beside":
        return Beside(refused["name"])
    return ValueError(_sentence(refused))


def _sentence(refused: Mapping[str, Any]) -> Sentence:
    code = refused["refused"]
    if code == "memory":
        return tr("The file asks for too much memory; it is damaged, or not what it says.")
    if code == "nested":
        return tr("The file’s contents are too many, or lie in one another too deeply, for a network.")
    if code == "large":
        return tr("The file holds more than {most} MiB of weights.", most=MAX_BYTES // 2**20)
    if code == "beyond":
        return tr("{name} ends before the weights that the network looks for in it; it may belong to another file.",
                  name=brief(refused["name"]))  # fmt: skip
    return tr("The file cannot be read; it may have been cut short or changed.")
