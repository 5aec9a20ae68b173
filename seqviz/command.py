"""The command line: ``seqviz read``, ``capture``, ``show`` and ``serve``."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

import seqviz
from seqviz import looked
from seqviz.batches import read_sequences
from seqviz.capture import capture_blocks
from seqviz.checks import shown
from seqviz.language import preferred, reason, tr, use_language
from seqviz.looked import inputs_of_table
from seqviz.reading import Table
from seqviz.reading.networks import MAX_FILE, NetworkFile, Stack, looks_like_npz, read_network
from seqviz.reading.networks.told import GATES, Moved
from seqviz.trace import Trace

__all__ = ["OPEN", "main", "names_in_a_line"]

OPEN: Final = "SEQVIZ_OPEN"
"""The environment variable by which the app is told what to open: JSON with ``network``, ``data`` or ``trace``."""

_ANSWERS: Final = {"true": True, "false": False, "yes": True, "no": False}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        0; 1 where something had to be refused, which is said in a sentence; 2 where the command is wrong.
    """
    use_language(preferred(os.environ.get("LANG", "").replace("_", "-")))
    given = _parser().parse_args(argv)
    try:
        code: int = given.run(given)
    except (ValueError, OSError) as refusal:
        said = reason(refusal) if isinstance(refusal, ValueError) else f"{refusal.filename}: {refusal.strerror}"
        print(f"seqviz: {said}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("seqviz", description=tr("See inside recurrent networks: gates, states, gradients."))
    top.add_argument("--version", action="version", version=f"seqviz {seqviz.__version__}")
    commands = top.add_subparsers(title=tr("commands"), required=True, metavar=tr("command"))

    def command(name: str, run: Any, says: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=says, description=says)
        made.set_defaults(run=run)
        return made

    read = command("read", _read, tr("Say what a file of a trained network holds; nothing in it is run."))
    _network(read, tr("a .pt, .safetensors, .keras, .h5 or .onnx file"))
    made = command("capture", _capture, tr("Run a network on a table and save every gate and state."))
    _network(made, tr("a .pt, .safetensors, .keras, .h5 or .onnx file"))
    _data(made, required=True)
    where = tr("where to save the run: a file RUN.npz, or a folder for a long one, which is written block by block and "
               "goes on where it was stopped")  # fmt: skip
    made.add_argument("-o", "--output", required=True, metavar="RUN", help=where)
    show = command("show", _show, tr("Open a network or a saved run in the app."))
    _network(show, tr("a file of a network, or a run that was saved as .npz or in a folder"))
    _data(show, required=False)
    _aim(show)
    _port(show)
    _port(command("serve", _serve, tr("Start the app.")))
    return top


def _network(command: argparse.ArgumentParser, says: str) -> None:
    command.add_argument("file", help=says)
    command.add_argument("--beside", action="append", default=[], metavar="FILE",
                         help=tr("a file that belongs to it, such as the weights of an ONNX file"))  # fmt: skip
    command.add_argument("--answer", action="append", default=[], metavar="NAME=VALUE",
                         help=tr("an answer to what the file leaves open, such as nonlinearity=relu"))  # fmt: skip


def _data(command: argparse.ArgumentParser, *, required: bool) -> None:
    command.add_argument("--data", required=required, metavar="TABLE", help=tr("a table, one step a line"))
    command.add_argument("--columns", metavar="A,B", help=tr("which of its columns, in the order of the inputs"))
    command.add_argument(
        "--missing", choices=["drop", "carry", "interpolate"], help=tr("what to do about missing numbers")
    )
    command.add_argument("--standardise", action="store_true", help=tr("standardise each column"))
    command.add_argument("--to-range", action="store_true", help=tr("bring each column to the range from 0 to 1"))
    command.add_argument("--array", metavar="NAME", help=tr("which of the arrays in a file of several"))
    command.add_argument("--batch-first", action=argparse.BooleanOptionalAction, default=True,
                         help=tr("whether an array is (sequences, steps, inputs), as it is unless said, or with its "
                                 "steps first"))  # fmt: skip
    command.add_argument("--apart", metavar="COLUMN", default="",
                         help=tr("the column that tells sequences of a table apart"))  # fmt: skip
    command.add_argument("--sequence", type=int, default=0, metavar="K",
                         help=tr("which of several sequences, counted from 0"))  # fmt: skip
    command.add_argument("--stack", metavar="NAME", help=tr("which of the file’s networks; the first unless given"))


def _aim(command: argparse.ArgumentParser) -> None:
    command.add_argument("--typed", metavar="TEXT", default="",
                         help=tr("data in place of a file: numbers, one step a line, or a text"))  # fmt: skip
    command.add_argument("--aim", metavar="A,B", help=tr("the columns that the network should give"))
    command.add_argument("--ahead", type=int, metavar="N", help=tr("how many rows later it should give them"))


def names_in_a_line(names: Sequence[str]) -> str:
    """Names as ``--columns`` takes them: with commas between, quoted where one has a comma of its own."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def _names(text: str | None) -> list[str]:
    """The names in such a line."""
    return [name.strip() for row in csv.reader([text], skipinitialspace=True) for name in row] if text else []


def _port(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=int, default=8501, help=tr("where the app listens (8501)"))


def _opened(given: argparse.Namespace) -> NetworkFile:
    paths = [given.file, *given.beside]
    answers = dict(_answer(each) for each in given.answer)
    return read_network(paths if len(paths) > 1 else given.file, answers=answers or None)


def _answer(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(tr("An answer is written NAME=VALUE, such as nonlinearity=relu."))
    return name.strip(), _ANSWERS.get(value.strip().lower(), value.strip())


def _read(given: argparse.Namespace) -> int:
    file = _opened(given)
    print(file.name)
    for stack in file.stacks:
        print(f"\n  {_title(stack)}")
        for line in _gates(stack.moved):
            print(f"    {line}")
        for question in stack.asked:
            choices = " | ".join(map(str, question.choices))
            print(f"    ? {question.says}  [--answer {question.name}={choices}]")
        for remark in stack.remarks:
            print(f"    - {remark}")
    for note in file.said:
        print(f"\n  - {note}")
    return 0


def _title(stack: Stack) -> str:
    words = [stack.cell, f"{stack.input_size} → {stack.hidden_size}"]
    words += [f"num_layers={stack.num_layers}"] if stack.num_layers > 1 else []
    words += ["bidirectional"] if stack.bidirectional else []
    words += [f"proj_size={stack.proj_size}"] if stack.proj_size else []
    return f"{stack.name or tr('the network')}: {', '.join(words)}, {stack.dtype}"


def _gates(moved: tuple[Moved, ...]) -> list[str]:
    """Where each gate's part that multiplies the input comes from, a line each."""
    return [str(move.says) for move in moved[: len(GATES[moved[0].cell])]]


def _capture(given: argparse.Namespace) -> int:
    file = _opened(given)
    stack = _chosen(file, given.stack)
    table, which = _sequence(given, ids=bool(file.embedding(stack)))
    inputs = _inputs(given, file, stack, table)
    run = looked.Run(file.whole(stack, readout=False), inputs.x)
    if given.output.lower().endswith(".npz"):
        trace = run.look(most=len(inputs.x)).trace
        trace.save(given.output)
    else:
        x = run.took.transpose(0, 1) if run.module.batch_first else run.took
        trace = capture_blocks(run.module, x, given.output, progress=_progress)
    for said in (table.says, which, *inputs.says, *stack.guessed, trace.problem):
        if said:
            print(f"- {said}")
    print(tr("{path}: {signals}, as torch’s own run to {parity:.1e}.", path=given.output,
             signals=", ".join(trace.signals), parity=trace.parity))  # fmt: skip
    return 0


def _inputs(given: argparse.Namespace, file: NetworkFile, stack: Stack, table: Table) -> looked.Inputs:
    """The columns as the network takes them; one column of ids through its embedding."""
    size, embedding, columns = file.chain(stack)[0].input_size, file.embedding(stack), _columns(given)
    chosen = columns or [name for name in table.names if name != given.apart]
    if embedding and len(chosen) == 1 < size:
        ids = looked.columns_of_table(table, chosen)[:, 0]
        return looked.inputs_of_ids(ids, file.tensors[embedding].float32(), embedding)
    scale = {"standardise": given.standardise, "to_range": given.to_range and not given.standardise}
    return inputs_of_table(table, size, columns or looked.first_columns(table, size, given.apart), **scale)


def _sequence(given: argparse.Namespace, *, ids: bool = False) -> tuple[Table, Any]:
    """The sequence of the data that is run, and what is said of that where there are several.

    Raises:
        ValueError: there is no such sequence.
    """
    table = _sequences(given, ids)
    groups = looked.sequences_in(table)
    if given.apart and given.apart not in groups:
        raise ValueError(tr("No column {name} tells where a sequence begins; it must hold one whole number for each.",
                            name=shown(given.apart)))  # fmt: skip
    starts = groups.get(given.apart, np.zeros(1, int))
    if not 0 <= given.sequence < len(starts):
        raise ValueError(tr("There is no sequence {k} in the data; the last is {last}.", k=given.sequence,
                            last=len(starts) - 1))  # fmt: skip
    says = tr("Sequence {k} of {count}, counted from 0, was run; --sequence says which.", k=given.sequence,
              count=len(starts))  # fmt: skip
    return looked.one_sequence(table, starts, given.sequence), says if len(starts) > 1 else ""


def _sequences(given: argparse.Namespace, ids: bool) -> Table:
    how: dict[str, Any] = {"ids": ids, "array": given.array, "batch_first": given.batch_first, "missing": given.missing}
    return read_sequences(Path(given.data), **how)


def _progress(done: int, steps: int) -> None:
    """How far it is, in one line of the terminal."""
    if sys.stderr.isatty():
        bar = "█" * (24 * done // max(1, steps))
        print(f"\r{bar:░<24} {done:,} / {steps:,}", end="\n" if done == steps else "", file=sys.stderr, flush=True)


def _chosen(file: NetworkFile, name: str | None) -> Stack:
    if name is None:
        return file.stacks[0]
    found = next((stack for stack in file.stacks if stack.name == name), None)
    if found is None:
        file.module(name)  # says which there are
        raise AssertionError
    return found


def _columns(given: argparse.Namespace) -> list[str]:
    return _names(given.columns)


def _show(given: argparse.Namespace) -> int:
    path = Path(given.file).resolve()
    wanted: dict[str, Any] = {}
    if _is_run(path):
        if given.data or given.typed:
            raise ValueError(tr("A saved run is shown as it is; --data belongs to a network."))
        wanted["trace"] = str(path)
    else:
        file = _opened(given)
        wanted |= {"network": str(path), "beside": [str(Path(each).resolve()) for each in given.beside]}
        wanted |= {"answers": dict(_answer(each) for each in given.answer), "stack": _chosen(file, given.stack).name}
    if given.data and given.typed:
        raise ValueError(tr("--data and --typed are two ways to give the data; give one of them."))
    if given.data:
        table, _ = _sequence(given, ids="network" in wanted and bool(file.embedding(wanted["stack"])))
        looked.columns_of_table(table, [*_columns(given), *_names(given.aim)])
        wanted |= {"data": str(Path(given.data).resolve()), "missing": given.missing}
    if given.typed:
        wanted["typed"] = given.typed
    if given.data or given.typed:
        wanted |= {"columns": _columns(given), "aim": _names(given.aim), "ahead": given.ahead}
        wanted |= {"array": given.array, "turned": not given.batch_first, "apart": given.apart}
        wanted |= {"sequence": given.sequence, "standardise": given.standardise, "to_range": given.to_range}
    return _start(given.port, wanted)


def _is_run(path: Path) -> bool:
    """Whether it is a trace, by what is in it; refused where it looks like one and is not."""
    if path.is_dir():
        Trace.open(path)
        return True
    if path.suffix.lower() != ".npz":
        return False
    if path.is_file() and path.stat().st_size <= MAX_FILE and looks_like_npz(path.read_bytes()):
        return False
    Trace.load(path)
    return True


def _serve(given: argparse.Namespace) -> int:
    return _start(given.port, {})


def _start(port: int, wanted: dict[str, Any]) -> int:
    """The app, with a browser on it, until it is ended; what it opens goes through its environment."""
    app = Path(seqviz.__file__).resolve().parents[1] / "app.py"
    if not app.is_file():
        raise ValueError(
            tr("The app is not installed here; start it from a checkout of the project: streamlit run app.py")
        )
    around = {**os.environ, **_home(app.parent)} | ({OPEN: json.dumps(wanted)} if wanted else {})
    address = f"http://localhost:{port}/{'your_network' if wanted else ''}"
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port)]
    command += ["--server.headless", "true"]
    print(address)
    with subprocess.Popen(command, env=around, cwd=app.parent) as server, _ending(server):
        threading.Thread(target=_browse, args=(server, port, address), daemon=True).start()
        return server.wait()


def _home(instead: Path) -> dict[str, str]:
    """A home for who has none (a container's user of no name), or may not look into it: Streamlit asks for one."""
    try:
        (Path.home() / ".streamlit").exists()
    except (RuntimeError, PermissionError):
        return {"HOME": str(instead)}
    return {}


@contextmanager
def _ending(server: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whoever ends the command ends its server with it."""
    if threading.current_thread() is not threading.main_thread():  # which alone may say what a signal does
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _browse(server: subprocess.Popen[bytes], port: int, address: str) -> None:
    """Open a browser as soon as the server answers."""
    while server.poll() is None:
        with suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
            webbrowser.open(address)
            return
        time.sleep(0.2)
