"""From an experiment and its trace to the scope's message."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from seqviz import cells
from seqviz import vocabulary as words
from seqviz.experiment import Experiment
from seqviz.experiment.interventions import Ablate, Clamp, Intervention, Scale, each_span, resolve_steps, spans
from seqviz.kept import give_way, kept_spoken
from seqviz.language import again, later, sentences, tr
from seqviz.metrics import describe
from seqviz.runner import run
from seqviz.scope import pack, row
from seqviz.scope.headers import ModelHeader, Rule, ScopeHeader, ScopeRow
from seqviz.scope.runs import LINES, signals
from seqviz.sequences import steps_called
from seqviz.telling.headlines import Headline, brief, headline
from seqviz.telling.stories import STORIES, preset_story
from seqviz.telling.titles import network_title
from seqviz.telling.trust import describe_parity
from seqviz.trace import Trace
from seqviz.ui.bench import Address, Bench
from seqviz.weights import materialise, set_parts

__all__ = [
    "intervention_text",
    "rules",
    "scope_message",
    "signal_rows",
    "signal_text",
    "signals",
    "story",
    "title",
    "top",
]

_MODEL_BUDGET = 300_000
_WORK_BUDGET = 40_000_000


def title(experiment: Experiment) -> str:
    """The network in a few words."""
    return network_title(experiment.cell, experiment.hidden_size, experiment.num_layers, experiment.sequence.length)


def signal_text(signal: str, cell: str) -> str:
    """A signal by its name on the screen and its dotted one; by that alone where it has no other."""
    label = words.LABELS.get((cell, signal.rsplit(".", 1)[-1]))
    return tr("{name} ({signal})", name=label.name, signal=signal) if label else signal


def intervention_text(edit: Intervention, experiment: Experiment) -> str:
    """An intervention in words: ``clamp forget gate (l0.f) to 1, unit 3, steps 5 to 19``."""
    signal = signal_text(edit.signal, experiment.cell)
    if isinstance(edit, Clamp):
        what = tr("clamp {signal} to {value:g}", signal=signal, value=edit.value)
    elif isinstance(edit, Scale):
        what = tr("scale {signal} by {factor:g}", signal=signal, factor=edit.factor)
    else:
        what = tr("ablate {signal}", signal=signal)
    if edit.units is not None:
        units = tr(", ").join(map(str, edit.units))
        where = later("{what}, unit {units}") if len(edit.units) == 1 else later("{what}, units {units}")
        what = tr(where, what=what, units=units)
    if edit.steps is not None:
        given = each_span(edit.steps)
        if len(given) == 1 and given[0][1] is None and given[0][0] != -1:
            first, _ = resolve_steps(given[0], experiment.sequence.length)
            return tr("{what}, from step {first}", what=what, first=first)
        for first, stop in spans(edit.steps, experiment.sequence.length):
            if stop - first == 1:
                what = tr("{what}, step {first}", what=what, first=first)
            else:
                what = tr("{what}, steps {first} to {last}", what=what, first=first, last=stop - 1)
    return what


def rules(experiment: Experiment) -> list[Rule]:
    """The interventions as the browser applies and names them."""
    length = experiment.sequence.length
    return [
        _rule(edit, span, experiment)
        for edit in experiment.interventions
        for span in ((edit.steps,) if len(each_span(edit.steps)) == 1 else spans(edit.steps, length))
    ]


def _rule(edit: Intervention, steps: Any, experiment: Experiment) -> Rule:
    kind: Literal["clamp", "ablate", "scale"]
    kind = "clamp" if isinstance(edit, Clamp) else "ablate" if isinstance(edit, Ablate) else "scale"
    value = edit.value if isinstance(edit, Clamp) else edit.factor if isinstance(edit, Scale) else 0.0
    return {
        "signal": edit.signal,
        "kind": kind,
        "value": value,
        "units": edit.units,
        "steps": steps,
        "says": intervention_text(edit, experiment),
    }


def signal_rows(experiment: Experiment, shown: dict[str, np.ndarray]) -> list[ScopeRow]:
    rows = []
    for signal, values in shown.items():
        give_way()
        entry = row(signal, experiment.cell, values.shape[1], describe(signal, values, experiment.cell))
        entry["note"] = brief(signal, values, experiment.cell)
        if signal == "x" and (experiment.sequence.kind == "text" or values.shape[1] > LINES):
            seq = experiment.sequence
            names = list(seq.alphabet or seq.names) or [str(k) for k in range(values.shape[1])]
            entry["kind"], entry["names"] = "onehot", names
        elif signal == "x" and np.isin(values, (0.0, 1.0)).all():
            entry["floor"] = [0.0, 1.0]
        rows.append(entry)
    return rows


def _model(experiment: Experiment) -> tuple[ModelHeader | None, dict[str, np.ndarray]]:
    """The weights, where the browser can run the network itself within one frame or two."""
    parameters = materialise(experiment)
    size = sum(array.size for array in parameters.values())
    if size > _MODEL_BUDGET or size * experiment.sequence.length > _WORK_BUDGET:
        return None, {}
    header: ModelHeader = {
        "cell": cells.get(experiment.cell).description(),
        "hidden": experiment.hidden_size,
        "layers": experiment.num_layers,
        "inputs": experiment.input_size,
        "outputs": experiment.output_size,
        "columns": {name: array.shape[1] if array.ndim == 2 else 1 for name, array in parameters.items()},
    }
    return header, {f"model.{name}": array for name, array in parameters.items()}


def _status(experiment: Experiment, trace: Trace, layer: int) -> str:
    says = describe_parity(trace.parity, edited=bool(experiment.interventions))
    if experiment.num_layers > 1:
        says = tr("Layer {k} of {count}. {says}", k=layer + 1, count=experiment.num_layers, says=says)
    return sentences([says, again(trace.problem)])


@kept_spoken
def _message(
    experiment: Experiment,
    baseline: Experiment | None,
    layer: int,
    undo: bool,
    redo: bool,
    address: Address,
    view: tuple[int, int, int] | None,
    opening: bool,
) -> bytes:
    trace = run(experiment)
    says = top(experiment)
    shown = signals(trace, experiment.cell, layer)
    arrays = dict(shown)
    characters, marks = steps_called(experiment.sequence)
    header: ScopeHeader = {
        "panel": "scope",
        "link": "gates",
        "id": f"{hash(experiment) & 0xFFFFFFFF:08x}",
        "title": title(experiment),
        "cell": experiment.cell,
        "description": cells.get(experiment.cell).description(),
        "layer": layer,
        "layers": experiment.num_layers,
        "steps": experiment.sequence.length,
        "hidden": experiment.hidden_size,
        "inputs": experiment.input_size,
        "labels": characters,
        "marks": marks,
        "names": list(experiment.sequence.names) or None,
        "rows": signal_rows(experiment, shown),
        "rules": rules(experiment),
        "edited": [[edit.step, edit.feature] for edit in experiment.sequence.edits],
        "editable": experiment.sequence.kind != "text",
        "status": _status(experiment, trace, layer),
        "address": address.query,
        "fields": address.fields,
        "headline": says.says,
        "story": story(experiment),
        "tries": {"says": says.tries.says, "edits": says.tries.edits} if says.tries else None,
        "opening": opening,
        "at": view,
        "undo": undo,
        "redo": redo,
        "reset": bool(experiment.edits),
        "baseline": baseline is not None,
    }
    if baseline is not None:
        old = signals(run(baseline), baseline.cell, min(layer, baseline.num_layers - 1))
        same = all(name in old and old[name].shape == values.shape for name, values in shown.items())
        header["baseline"] = same
        if same:
            arrays |= {f"baseline.{name}": values for name, values in old.items()}
        else:
            shape = tr("The baseline has another shape, so it cannot be laid over this run.")
            header["status"] = sentences([header["status"], shape])
    header["model"], model = _model(experiment)
    return pack(header, arrays | model)


def scope_message(bench: Bench) -> bytes:
    """The bytes of the gates page's scope for what is on the bench."""
    given = (bench.can_undo, bench.can_redo, bench.place, bench.view, bench.opening)
    return _message(bench.experiment, bench.baseline, bench.layer, *given)


@kept_spoken
def top(experiment: Experiment) -> Headline:
    """The sentence on top of a picture, and one thing to try."""
    found = signals(run(experiment), experiment.cell, experiment.num_layers - 1)
    scheme, cell = experiment.init.scheme, experiment.cell
    alphabet = "".join(experiment.sequence.alphabet)
    says = headline(scheme if (scheme, cell) in STORIES else "", words.CELL_LABELS[cell], found, alphabet, kind=cell)
    return says if experiment.sequence.kind != "text" else says._replace(tries=None)


def story(experiment: Experiment) -> str:
    """What the network does on this input, claim by claim, and where to look."""
    name, cell = experiment.init.scheme, experiment.cell
    if (name, cell) in STORIES:
        return preset_story(name, cell, signals(run(experiment), cell, 0), "".join(experiment.sequence.alphabet))
    if not set_parts(experiment):
        return tr("Its weights are drawn at random: it was taught nothing, and no unit has a task.")
    return ""
