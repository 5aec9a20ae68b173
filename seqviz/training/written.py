"""Networks in training, written down: text that a browser keeps for a reload, and that training goes on from.

Everything that the next optimiser step depends on is in it, so that a run that was kept goes on as one that was never
interrupted. What is read is checked, as it may have been changed.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import torch

from seqviz.checks import number, whole
from seqviz.experiment import Experiment
from seqviz.language import Sentence, later, tr
from seqviz.runner import network
from seqviz.tasks import Standing, Task, own_series, own_text, task
from seqviz.training.recipes import Recipe
from seqviz.training.trainer import Checkpoint

__all__ = ["Trained", "from_text", "to_text"]

FORMAT: Final = "seqviz.training/1"
LONGEST_NAME: Final = 80
LONGEST_REASON: Final = 400
MOST_COURSES: Final = 64
MOST_NUMBERS: Final = 2**26
_ENDINGS: Final = (later("Solved."), later("Stopped."), later("It ran out of steps."))
_NUMBERS: Final = ("loss", "score", "grad_norm", "clipped_norm", "seconds")
_WHAT: Final = later("A number of the training")


@dataclass(frozen=True)
class Trained:
    """One network in training: what it is called, what it learns and how, and where it stood from time to time."""

    name: str
    task: Task
    recipe: Recipe
    start: Experiment
    seed: int
    checkpoints: tuple[Checkpoint, ...]
    error: str = ""


def to_text(courses: Sequence[Trained], most: int) -> str:
    """All of them in at most `most` characters; of many checkpoints some, evenly. Empty where that is too few.

    Only the last checkpoint is one that training goes on from.
    """
    data = {name: _data(given) for name, given in {each.task.name: each.task for each in courses}.items()}
    room = (0.9 * most - sum(len(json.dumps(each)) for each in data.values())) / max(1, len(courses))
    rows = []
    for each in courses:
        size = 1500 + max((_size(c.experiment) for c in each.checkpoints), default=0)
        count = int(room / size) - 3  # the state of the last is twice its weights
        if count < 2 and len(each.checkpoints) > count:
            return ""
        rows.append(_plain(each, count))
    text = json.dumps({"format": FORMAT, "data": data, "courses": rows}, separators=(",", ":"))
    return text if len(text) <= most else ""


def _size(experiment: Experiment) -> int:
    return sum(len(tensor.data) for tensor in experiment.tensors) * 4 // 3 + len(experiment.sequence.values) * 4 // 3


def _plain(course: Trained, count: int) -> dict[str, Any]:
    known = course.checkpoints
    last = len(known) - 1
    places = sorted({round(last * k / (count - 1)) for k in range(count)}) if len(known) > count else range(len(known))
    return {
        "name": course.name,
        "task": course.task.name,
        "recipe": asdict(replace(course.recipe, shows="")),
        "start": course.start.to_json(),
        "seed": course.seed,
        "error": str(course.error),
        "checkpoints": [_checkpoint(known[place], last=place == last) for place in places],
    }


def _checkpoint(given: Checkpoint, *, last: bool) -> dict[str, Any]:
    reason = given.reason
    ending = reason.template if isinstance(reason, Sentence) and not reason.values else str(reason)
    return {
        "step": given.step,
        "length": given.length,
        **{name: getattr(given, name) for name in _NUMBERS},
        "reason": ending,
        "standing": given.standing,
        "solved": given.solved,
        "network": given.experiment.to_json(),
        "state": _state(given.state) if last and given.state is not None else None,
    }


def _state(state: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in state.items() if name not in ("optimizer", "draw")}
    moments = [
        [float(row["step"]), _packed(row["exp_avg"].numpy()), _packed(row["exp_avg_sq"].numpy())]
        for _, row in sorted(state["optimizer"]["state"].items())
    ]
    return kept | {"draw": _packed(state["draw"].numpy()), "moments": moments}


def _data(given: Task) -> Any:
    """What a task on somebody's own data was made of; None of a task that is always there."""
    if given.data is None or given.name not in ("text", "series"):
        return None
    if isinstance(given.data, str):
        return given.data
    values, names, labels = given.data
    return {"shape": values.shape, "values": _packed(values), "names": names, "labels": labels}


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 1)).decode()


def _unpacked(text: str, dtype: str, shape: Iterable[int]) -> np.ndarray:
    sizes = tuple(whole(n, later("A size"), 0, 2**24) for n in shape)
    if math.prod(sizes) > MOST_NUMBERS:
        raise ValueError("too much")
    size = math.prod(sizes) * np.dtype(dtype).itemsize
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(base64.b64decode(text, validate=True), size + 1)
    return np.frombuffer(data, dtype).reshape(sizes).copy()


def from_text(text: str) -> tuple[Trained, ...]:
    """What :func:`to_text` wrote.

    Raises:
        ValueError: it is something else, or was changed; in one sentence.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT or not 0 < len(document["courses"]) <= MOST_COURSES:
            raise ValueError("another format")
        tasks = {name: _task(name, data) for name, data in document["data"].items()}
        return tuple(_trained(row, tasks) for row in document["courses"])
    except (
        ArithmeticError, AttributeError, LookupError, RecursionError, RuntimeError, TypeError, ValueError,
        binascii.Error, zlib.error,
    ) as error:  # fmt: skip
        raise ValueError(
            tr("What was kept of a training cannot be read: it is damaged, or of another version.")
        ) from error


def _task(name: str, data: Any) -> Task:
    if name == "text":
        return own_text(data)
    if name == "series":
        values = _unpacked(data["values"], "<f8", data["shape"])
        labels = data["labels"]
        return own_series(
            values, names=data["names"], labels=[""] * (len(values) - len(labels)) + labels if labels else ()
        )
    return task(name)


def _trained(row: dict[str, Any], tasks: dict[str, Task]) -> Trained:
    name = row["name"]
    if not isinstance(name, str) or len(name) > LONGEST_NAME or set("{}") & set(name):
        raise ValueError("no name")
    recipe, start = Recipe(**row["recipe"]), Experiment.from_json(row["start"])
    learned = tasks[row["task"]]
    if (start.input_size, start.output_size) != (learned.inputs, learned.outputs):
        raise ValueError("another task")
    checkpoints = tuple(_read(each, start, learned) for each in row["checkpoints"])
    seed = whole(row["seed"], later("The seed"), 0, 2**31)
    return Trained(
        name, learned, replace(recipe, shows=""), start, seed, checkpoints, str(row["error"])[:LONGEST_REASON]
    )


def _read(row: dict[str, Any], start: Experiment, learned: Task) -> Checkpoint:
    reason = str(row["reason"])[:LONGEST_REASON]
    found = Experiment.from_json(row["network"])
    if any(
        getattr(found, size) != getattr(start, size)
        for size in ("cell", "input_size", "hidden_size", "output_size", "num_layers")
    ):
        raise ValueError("another network")
    if found.sequence.length != start.sequence.length:
        raise ValueError("another probe")
    numbers = {name: _number(row[name]) for name in _NUMBERS}
    return Checkpoint(
        whole(row["step"], _WHAT, 0, 10**9), experiment=found,
        length=whole(row["length"], _WHAT, 1, learned.longest), reason=tr(reason) if reason in _ENDINGS else reason,
        state=_read_state(row["state"], found, learned) if row["state"] else None,
        standing=_standing(row["standing"]) if row["standing"] else None,
        solved=bool(row["solved"]), **numbers,
    )  # fmt: skip


def _standing(row: Any) -> Standing:
    score, low, high = map(_number, row[:3])
    return Standing(score, low, high, whole(row[3], _WHAT, 1, 10**9), bool(row[4]))


def _number(value: Any) -> float:
    """A number, which may be NaN where nothing was trained yet."""
    return math.nan if value != value else number(value, _WHAT)


def _read_state(row: dict[str, Any], found: Experiment, learned: Task) -> dict[str, Any]:
    parameters = list(network(found).parameters())
    blank = torch.optim.Adam(parameters, fused=True).state_dict()
    moments = row["moments"]
    if len(moments) not in (0, len(parameters)):
        raise ValueError("other parameters")
    held = {}
    for k, (parameter, (step, *both)) in enumerate(zip(parameters, moments, strict=bool(moments))):
        first, second = (torch.from_numpy(_unpacked(text, "<f4", parameter.shape)) for text in both)
        held[k] = {"step": torch.tensor(_number(step)), "exp_avg": first, "exp_avg_sq": second}
    draw = torch.Generator().get_state()
    return {
        "length": whole(row["length"], _WHAT, 1, learned.longest),
        "step": whole(row["step"], _WHAT, 0, 10**9),
        "asked": whole(row["asked"], _WHAT, 0, 10**9),
        "owed": row.get("owed") is True,
        "seconds": _number(row["seconds"]),
        "first": _number(row["first"]),
        "norms": (_number(row["norms"][0]), _number(row["norms"][1])),
        "losses": [_number(value) for value in row["losses"]],
        "draw": torch.from_numpy(_unpacked(row["draw"], "|u1", draw.shape)),
        "optimizer": blank | {"state": held},
    }
