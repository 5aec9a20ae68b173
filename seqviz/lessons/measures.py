"""The numbers that an expression asks for, measured on a run."""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final, cast

import numpy as np

from seqviz import cells, comparison
from seqviz import vocabulary as words
from seqviz.checks import shown
from seqviz.experiment import Experiment, parameter_shapes
from seqviz.gradients import GradientFlow, gradient_flow
from seqviz.gradients.onestep import step_jacobians
from seqviz.kept import kept, turn
from seqviz.language import tr
from seqviz.lessons.expressions import Node
from seqviz.runner import inputs, network, run, too_large, work
from seqviz.sequences import generate
from seqviz.tasks import TASKS
from seqviz.training import Recipe, prepare, train

_SEEDS: Final = 5
_TRAINED: Final = 30_000
"""Steps of sequences that ``learns`` may train on, over all seeds: some seconds."""
_TRAINED_UNITS: Final = 32

_JACOBIANS: Final = 4_000_000
"""Numbers that the Jacobians of a run may have where their eigenvalues are asked for: some seconds."""
_OF_A_UNIT: Final = (
    "half_life", "peak", "highest", "lowest", "mean", "product", "count", "apart", "moved",
)  # fmt: skip

__all__ = ["fits", "no_step", "no_unit", "value"]

_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def value(node: Node, experiment: Experiment, against: Experiment | None = None) -> float:
    """What an expression is on an experiment; a comparison is 1.0 where it holds, else 0.0.

    Args:
        node: the expression.
        experiment: what is run.
        against: what ``moved(signal)`` compares it with.

    Raises:
        ValueError: a signal, step or unit that the experiment does not have.
    """
    fits(node, experiment, against)
    return float(_Measuring(experiment, against).of(node))


def fits(node: Node, experiment: Experiment, against: Experiment | None = None) -> None:
    """Look whether everything that is named is there; nothing is run.

    Raises:
        ValueError: what is not.
    """
    for part in _parts(node):
        signal = part.parts[0] if part.parts else None
        if part.op == "at" and signal is not None and signal.op == "signal":
            step, unit = part.parts[1], part.parts[2] if len(part.parts) > 2 else None
            _signal_fits(signal, experiment, unit)
            _step_fits(step, experiment)
        elif part.op == "at":
            _step_fits(part.parts[1], experiment)
        elif part.op == "call":
            _call_fits(part, experiment, against)


def _call_fits(call: Node, experiment: Experiment, against: Experiment | None) -> None:
    signals = [part for part in call.parts if part is not None and part.op == "signal"]
    cell = call.parts[1] if call.value in ("gain", "arrives", "slope") else None
    if cell is not None and cell.value == "FeedForward":
        raise ValueError(tr("A feed-forward net has no past to send a gradient to; name RNN, GRU or LSTM."))
    for signal in signals:
        unit = call.parts[-1] if call.value in _OF_A_UNIT else None
        if cell is None:
            _signal_fits(signal, experiment, unit)
        if call.value in ("gradient", "gain", "arrives", "slope") and not str(signal.value).endswith((".h", ".c")):
            raise ValueError(tr("{name} wants a state, l0.h or l0.c.", name=call.value))
    if call.value in ("peak", "product"):
        for step in call.parts[1:3]:
            _step_fits(step, experiment)
    if call.value == "learns":
        _training_fits(call, experiment)
    if call.value == "moved":
        if against is None:
            raise ValueError(tr("moved(…) needs an experiment to compare with: name one after “against”."))
        if against.sequence.length != experiment.sequence.length or str(signals[0].value) not in _widths(against):
            raise ValueError(tr("moved(…) needs two experiments with the same steps and signals."))


def _training_fits(call: Node, experiment: Experiment) -> None:
    length, steps, seeds = (int(float(cast(Node, part).value)) for part in call.parts)
    if min(length, steps, seeds) < 1 or seeds > _SEEDS or length * steps * seeds > _TRAINED:
        raise ValueError(
            tr(
                "learns(…) trains while a person waits: at most {seeds} seeds, and length × steps × seeds at most "
                "{most:,}.",
                seeds=_SEEDS, most=_TRAINED,
            )
        )  # fmt: skip
    if experiment.hidden_size > _TRAINED_UNITS or experiment.num_layers > 1:
        raise ValueError(tr("learns(…) trains one layer of at most {most} units.", most=_TRAINED_UNITS))


def _parts(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        if part is not None:
            yield from _parts(part)


def _widths(experiment: Experiment) -> dict[str, int]:
    return {"x": experiment.input_size} | {
        words.signal_name(layer, name): experiment.hidden_size
        for layer in range(experiment.num_layers)
        for name in words.SIGNALS[experiment.cell]
    } | {"y": experiment.output_size}  # fmt: skip


def _signal_fits(signal: Node, experiment: Experiment, unit: Node | None) -> None:
    widths = _widths(experiment)
    if signal.value not in widths:
        known = ", ".join(widths)
        raise ValueError(tr("There is no signal {name}; there are {known}.", name=shown(signal.value), known=known))
    last = widths[str(signal.value)] - 1
    if unit is not None and not 0 <= float(unit.value) <= last:
        raise ValueError(no_unit(last, int(float(unit.value))))


def _step_fits(step: Node | None, experiment: Experiment) -> None:
    length = experiment.sequence.length
    if step is not None and not -length <= float(step.value) < length:
        raise ValueError(no_step(length - 1, int(float(step.value))))


def no_step(last: int, step: int | str) -> str:
    """What is said of a step that is not there."""
    return tr("There are steps 0 to {last}; step {step} does not exist.", last=last, step=step)


def no_unit(last: int, unit: int) -> str:
    """What is said of a unit that is not there."""
    return tr("There are units 0 to {last}; unit {unit} does not exist.", last=last, unit=unit)


def of_cell(experiment: Experiment, name: str) -> Experiment:
    """The same settings as another network; with the identity start an RNN has ReLU, as the IRNN does."""
    relu = experiment.init.scheme == "identity"
    return experiment.changed(cell=cells.families()[name][1 if relu and name == "RNN" else 0])


@kept
def _flow(experiment: Experiment) -> GradientFlow:
    if too_large(experiment):
        raise ValueError(_too_large())
    net, x = network(experiment).double(), inputs(experiment).double()
    with turn(10 * work(experiment)):
        return gradient_flow(net, x, loss="last", interventions=experiment.interventions)


@kept
def _eigenvalues(experiment: Experiment) -> np.ndarray:
    """Of every step's Jacobian, the real part of the eigenvalue that is largest in size."""
    size = experiment.hidden_size * len(cells.get(experiment.cell).states)
    if too_large(experiment) or experiment.sequence.length * size**2 > _JACOBIANS:
        raise ValueError(_too_large())
    net, x = network(experiment).double(), inputs(experiment).double()
    with turn(10 * work(experiment)):
        found = np.linalg.eigvals(step_jacobians(net, x, interventions=experiment.interventions))
    return np.take_along_axis(found, np.abs(found).argmax(axis=1)[:, None], axis=1)[:, 0].real


def _too_large() -> str:
    return tr("This network is too large for a gradient that a person waits for; take fewer steps or units.")


@kept
def _learned(experiment: Experiment, length: int, steps: int, seeds: int) -> int:
    """On how many seeds the network, drawn as this one is, learns to keep a bit over `length` steps."""
    task = TASKS["latch"].at_length(length)
    init = experiment.init
    recipe = Recipe(
        experiment.cell, experiment.hidden_size, scheme=init.scheme, forget_bias=init.forget_bias, memory=init.memory,
        max_steps=steps, every=10,
    )  # fmt: skip
    with turn(work(experiment) * steps * seeds):
        ends = [deque(train(prepare(task, recipe, seed), task, recipe, seed=seed), 1)[0] for seed in range(seeds)]
    return sum(end.solved for end in ends)


class _Measuring:
    """One expression on one experiment."""

    def __init__(self, experiment: Experiment, against: Experiment | None) -> None:
        self.experiment, self.against = experiment, against

    def of(self, node: Node) -> Any:
        """A number, a truth, or an array of one number a step."""
        if node.op == "number":
            return float(node.value)
        if node.op in ("-x", "+x"):
            inner = self.of(_first(node))
            return -inner if node.op == "-x" else inner
        if node.op in ("and", "or"):
            found = [bool(self.of(part)) for part in node.parts if part is not None]
            return all(found) if node.op == "and" else any(found)
        if node.op == "at":
            series, unit = _first(node), node.parts[2] if len(node.parts) > 2 else None
            steps = self._series(series, int(unit.value) if unit is not None else 0)
            return float(steps[int(float(cast(Node, node.parts[1]).value))])
        if node.op == "call":
            return getattr(self, f"_{node.value}")(*node.parts)
        left, right = (self.of(cast(Node, part)) for part in node.parts)
        return _divided(left, right) if node.op == "/" else _OPERATORS[node.op](left, right)

    def _series(self, node: Node, unit: int = 0) -> np.ndarray:
        if node.op == "signal":
            return self._signal(node, unit)
        return cast(np.ndarray, self.of(node))

    def _signal(self, node: Node, unit: int = 0, experiment: Experiment | None = None) -> np.ndarray:
        return run(experiment or self.experiment)[str(node.value)][:, 0, unit].astype(float)

    def _half_life(self, signal: Node, unit: Node | None) -> float:
        return comparison.half_life_of(np.abs(self._signal(signal, _int(unit))))

    def _span(self, signal: Node, first: Node | None, last: Node | None, unit: Node | None) -> np.ndarray:
        found = self._signal(signal, _int(unit))
        start, end = (_int(step) % len(found) for step in (first, last if last is not None else _LAST))
        return found[start : end + 1]

    def _peak(self, signal: Node, first: Node | None, last: Node | None, unit: Node | None) -> float:
        return float(np.abs(self._span(signal, first, last, unit)).max(initial=0.0))

    def _product(self, signal: Node, first: Node | None, last: Node | None, unit: Node | None) -> float:
        return float(self._span(signal, first, last, unit).prod())

    def _mean(self, signal: Node, unit: Node | None) -> float:
        return float(self._signal(signal, _int(unit)).mean())

    def _highest(self, signal: Node, unit: Node | None) -> float:
        return float(self._signal(signal, _int(unit)).max())

    def _lowest(self, signal: Node, unit: Node | None) -> float:
        return float(self._signal(signal, _int(unit)).min())

    def _count(self, signal: Node, wanted: Node, unit: Node | None) -> float:
        return float((self._signal(signal, _int(unit)) == self.of(wanted)).sum())

    def _parity(self, signal: Node) -> np.ndarray:
        return np.cumsum(self._signal(signal)) % 2

    def _apart(self, signal: Node, other: Node, unit: Node | None) -> float:
        return float(np.abs(self._signal(signal, _int(unit)) - self._series(other, _int(unit))).max())

    def _moved(self, signal: Node, unit: Node | None) -> float:
        before = self._signal(signal, _int(unit), self.against)
        return float(np.abs(self._signal(signal, _int(unit)) - before).max())

    def _output(self, name: Node) -> np.ndarray:
        x = generate(self.experiment.sequence, self.experiment.input_size)
        answers = comparison.compare(self.experiment, x)
        return answers["Feed-forward" if name.value == "FeedForward" else str(name.value)].y[:, 0].astype(float)

    def _gradient(self, signal: Node) -> np.ndarray:
        return _flow(self.experiment).norms(str(signal.value))

    def _eigenvalue(self) -> np.ndarray:
        return _eigenvalues(self.experiment)

    def _gain(self, signal: Node, cell: Node | None) -> float:
        experiment = self.experiment if cell is None else of_cell(self.experiment, str(cell.value))
        fits(replace(signal, op="at", kind="number", parts=(signal, _LAST)), experiment)
        logs = _flow(experiment).log10_norms(str(signal.value))
        return float(logs[0] - logs[-1]) if np.isfinite(logs[-1]) else math.nan

    def _arrives(self, signal: Node, cell: Node | None) -> float:
        decades = self._gain(signal, cell)
        return 10.0**decades if decades < 308 else math.inf

    def _slope(self, signal: Node, cell: Node | None) -> float:
        experiment = self.experiment if cell is None else of_cell(self.experiment, str(cell.value))
        fits(replace(signal, op="at", kind="number", parts=(signal, _LAST)), experiment)
        return float((1 - run(experiment)[str(signal.value)].astype(float) ** 2).mean())

    def _learns(self, *given: Node) -> float:
        length, steps, seeds = map(_int, given)
        return float(_learned(self.experiment, length, steps, seeds))

    def _parameters(self) -> float:
        return float(sum(math.prod(shape) for shape in parameter_shapes(self.experiment).values()))

    def _abs(self, number: Node) -> float:
        return abs(self.of(number))

    def _round(self, number: Node, digits: Node | None) -> float:
        found = self.of(number)
        places = self.of(digits) if digits is not None else 0.0
        if not math.isfinite(found) or not math.isfinite(places):
            return found
        return float(round(found, int(max(-300.0, min(300.0, places)))))


_LAST: Final = Node("number", "number", "-1", -1.0)


def _first(node: Node) -> Node:
    return cast(Node, node.parts[0])


def _int(node: Node | None) -> int:
    return int(float(node.value)) if node is not None else 0


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan
