"""Networks set by hand, each of which does something that can be checked by reading the numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from seqviz import vocabulary as words
from seqviz.experiment import Experiment, Init, Sequence, parameter_shapes
from seqviz.experiment.parts import HAND_SET
from seqviz.language import Words, sentences, tr, trn
from seqviz.telling.stories import STORIES

__all__ = ["PRESET_LABELS", "PRESET_STORIES", "preset", "preset_parameters"]

SHUT, OPEN = -20.0, 20.0
"""Gate pre-activations at which a float32 sigmoid is 2e-9, as good as 0, and 1 exactly."""


@dataclass(frozen=True)
class _Preset:
    cells: dict[str, Callable[[dict[str, np.ndarray]], None]]
    sequence: Sequence


def _gate(arrays: dict[str, np.ndarray], cell: str, gate: str, unit: int, hidden: int, **terms: float) -> None:
    """Set one gate of one unit: ``bias``, ``x0``… from the input, ``h0``… from the last state."""
    row = words.BLOCKS[cell].index(gate) * hidden + unit
    for name, value in terms.items():
        if name == "bias":
            arrays["bias_ih_l0"][row] = value
        else:
            part = "weight_ih_l0" if name[0] == "x" else "weight_hh_l0"
            arrays[part][row, int(name[1:])] = value


def _latch_lstm(a: dict[str, np.ndarray]) -> None:
    # Unit 0 is the memory, unit 1 is set by the first step and then keeps the memory's gates shut.
    set_ = lambda gate, unit, **terms: _gate(a, words.LSTM, gate, unit, 2, **terms)  # noqa: E731
    set_("f", 0, bias=OPEN)
    set_("i", 0, bias=OPEN, h1=-80.0)
    set_("g", 0, bias=-4.0, x0=8.0)
    set_("o", 0, bias=OPEN)
    set_("f", 1, bias=OPEN)
    set_("i", 1, bias=OPEN, h1=-80.0)
    set_("g", 1, bias=4.0)
    set_("o", 1, bias=OPEN)
    a["readout.weight"][0, 0] = 0.66
    a["readout.bias"][0] = 0.5


def _latch_gru(a: dict[str, np.ndarray]) -> None:
    # The update gate keeps the old state; unit 1 opens it only at the first step.
    set_ = lambda gate, unit, **terms: _gate(a, words.GRU, gate, unit, 2, **terms)  # noqa: E731
    for unit in (0, 1):
        set_("z", unit, bias=SHUT, h1=60.0)
        set_("r", unit, bias=OPEN)
    set_("n", 0, bias=-4.0, x0=8.0)
    set_("n", 1, bias=4.0)
    a["readout.weight"][0, 0] = 0.5
    a["readout.bias"][0] = 0.5


def _counter_lstm(a: dict[str, np.ndarray]) -> None:
    # c grows by 0.01 at every 1; h = tanh(c) is nearly c while it is small: 100 h rounds to the count up to 24.
    set_ = lambda gate, **terms: _gate(a, words.LSTM, gate, 0, 1, **terms)  # noqa: E731
    set_("f", bias=OPEN)
    set_("i", bias=SHUT, x0=40.0)
    set_("g", bias=0.01)
    set_("o", bias=OPEN)
    a["readout.weight"][0, 0] = 100.0


def _counter_relu(a: dict[str, np.ndarray]) -> None:
    for part in ("weight_ih_l0", "weight_hh_l0", "readout.weight"):
        a[part][0, 0] = 1.0


def _leaky_lstm(a: dict[str, np.ndarray]) -> None:
    # f = 0.9: what is in the cell falls by a tenth a step; a 1 puts 0.1 in, and the readout shows it as 1.
    set_ = lambda gate, **terms: _gate(a, words.LSTM, gate, 0, 1, **terms)  # noqa: E731
    set_("f", bias=float(np.log(9.0)))
    set_("i", bias=OPEN)
    set_("g", x0=0.1)
    set_("o", bias=OPEN)
    a["readout.weight"][0, 0] = 10.0


def _leaky_gru(a: dict[str, np.ndarray]) -> None:
    # z = 0.9: the new state is 0.9 of the old one and 0.1 of the candidate, tanh(0.1 x): a 1 puts 0.01 in.
    set_ = lambda gate, **terms: _gate(a, words.GRU, gate, 0, 1, **terms)  # noqa: E731
    set_("z", bias=float(np.log(9.0)))
    set_("r", bias=OPEN)
    set_("n", x0=0.1)
    a["readout.weight"][0, 0] = 100.0


def _leaky_rnn(a: dict[str, np.ndarray]) -> None:
    # A 1 puts 0.1 in. tanh bends the state a little at every step; ReLU not at all, but holds no negative sum.
    a["weight_hh_l0"][0, 0] = 0.9
    a["weight_ih_l0"][0, 0] = 0.1
    a["readout.weight"][0, 0] = 10.0


def _toggle_lstm(a: dict[str, np.ndarray]) -> None:
    # h is about +0.76 or -0.76. A 1 shuts the forget gate and writes the opposite sign; a 0 keeps.
    set_ = lambda gate, **terms: _gate(a, words.LSTM, gate, 0, 1, **terms)  # noqa: E731
    set_("f", bias=OPEN, x0=-40.0)
    set_("i", bias=SHUT, x0=40.0)
    set_("g", bias=4.0, h0=-14.0)
    set_("o", bias=OPEN)
    a["readout.weight"][0, 0] = 20.0
    a["readout.bias"][0] = -10.0


def _toggle_gru(a: dict[str, np.ndarray]) -> None:
    # h is about +1 or -1. A 1 takes the candidate, which has the opposite sign; a 0 keeps the state.
    set_ = lambda gate, **terms: _gate(a, words.GRU, gate, 0, 1, **terms)  # noqa: E731
    set_("z", bias=OPEN, x0=-40.0)
    set_("r", bias=OPEN)
    set_("n", bias=4.0, h0=-14.0)
    a["readout.weight"][0, 0] = 20.0
    a["readout.bias"][0] = -10.0


def _brackets_lstm(a: dict[str, np.ndarray]) -> None:
    # "(" writes +0.01 into the cell, ")" writes -0.01, letters shut the input gate; right from −24 to 24.
    set_ = lambda gate, **terms: _gate(a, words.LSTM, gate, 0, 1, **terms)  # noqa: E731
    set_("f", bias=OPEN)
    set_("i", bias=SHUT, x2=40.0, x3=40.0)
    set_("g", x2=0.01, x3=-0.01)
    set_("o", bias=OPEN)
    a["readout.weight"][0, 0] = 100.0


def _brackets_relu(a: dict[str, np.ndarray]) -> None:
    # ReLU stops at 0: a ")" with nothing open changes nothing.
    a["weight_ih_l0"][0, 2:] = 1.0, -1.0
    a["weight_hh_l0"][0, 0] = 1.0
    a["readout.weight"][0, 0] = 1.0


_BITS = (1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0, 1)


def _bits(values: tuple[int, ...]) -> Sequence:
    return Sequence.of_values(np.array(values, dtype=np.float32))


PRESETS: Final[dict[str, _Preset]] = {
    "latch": _Preset(
        {words.LSTM: _latch_lstm, words.GRU: _latch_gru}, _bits(_BITS),
    ),
    "counter": _Preset(
        {words.LSTM: _counter_lstm, words.RNN_RELU: _counter_relu}, _bits(_BITS),
    ),
    "leaky": _Preset(
        {words.LSTM: _leaky_lstm, words.GRU: _leaky_gru, words.RNN_TANH: _leaky_rnn, words.RNN_RELU: _leaky_rnn},
        Sequence("two_pulses", 48),
    ),
    "toggle": _Preset(
        {words.LSTM: _toggle_lstm, words.GRU: _toggle_gru}, _bits(_BITS),
    ),
    "brackets": _Preset(
        {words.LSTM: _brackets_lstm, words.RNN_RELU: _brackets_relu},
        Sequence.of_text("a(b(ab)a(b(a)b))a(b)", "ab()"),
    ),
}  # fmt: skip

PRESET_LABELS: Final[dict[str, str]] = Words(
    {
        "latch": "Latch",
        "counter": "Counter",
        "leaky": "Leaky integrator",
        "toggle": "Toggle (parity)",
        "brackets": "Bracket depth",
    }
)
_INSIDE: Final[dict[str, str]] = Words(
    {
        "latch": "latch",
        "counter": "counter",
        "leaky": "leaky integrator",
        "toggle": "toggle (parity)",
        "brackets": "bracket depth",
    }
)
"""The labels inside a sentence."""


class _Stories(Mapping[str, str]):
    """What each was set to do, in its first kind of cell; :mod:`seqviz.telling.stories` looks whether it does."""

    def __getitem__(self, name: str) -> str:
        return sentences(tr(claim.says) for claim in STORIES[name, next(iter(PRESETS[name].cells))])

    def __iter__(self) -> Iterator[str]:
        return iter(PRESETS)

    def __len__(self) -> int:
        return len(PRESETS)


PRESET_STORIES: Final[Mapping[str, str]] = _Stories()


def preset(name: str, cell: str | None = None) -> Experiment:
    """A hand-set network with a sequence that shows what it does.

    Args:
        name: ``latch``, ``counter``, ``leaky``, ``toggle`` or ``brackets``.
        cell: torch's mode; by default the first that the preset has.

    Raises:
        ValueError: no such preset, or it does not exist for this cell.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise ValueError(tr("There is no preset {name!r}; there are {known}.", name=name, known=", ".join(PRESETS)))
    found = PRESETS[name]
    return Experiment(
        cell=HAND_SET[name].cells[0] if cell is None else _hand_set_cell(name, cell),
        input_size=HAND_SET[name].input_size,
        hidden_size=HAND_SET[name].hidden_size,
        init=Init(scheme=name),
        sequence=found.sequence,
    )


def _hand_set_cell(name: str, cell: str) -> str:
    """The cell, if the preset is set by hand for it."""
    if cell not in HAND_SET[name].cells:
        raise ValueError(
            tr(
                "The {preset} is set by hand for {known}; choose one of these cells.",
                preset=_INSIDE[name],
                known=", ".join(words.CELL_LABELS[c] for c in HAND_SET[name].cells),
            )
        )
    return cell


def preset_parameters(name: str, experiment: Experiment) -> dict[str, np.ndarray]:
    """The arrays of a hand-set network, by torch's names.

    Raises:
        ValueError: the experiment's cell or sizes are not the preset's.
    """
    known = HAND_SET[name]
    cell = _hand_set_cell(name, experiment.cell)
    have = (experiment.input_size, experiment.hidden_size, experiment.output_size, experiment.num_layers)
    if have != (known.input_size, known.hidden_size, 1, 1):
        raise ValueError(
            trn(
                "The {preset} is set by hand for input size {inputs}, {count} hidden unit, one output and one layer; "
                "other sizes need drawn weights.",
                "The {preset} is set by hand for input size {inputs}, {count} hidden units, one output and one layer; "
                "other sizes need drawn weights.",
                known.hidden_size,
                preset=_INSIDE[name],
                inputs=known.input_size,
            )
        )
    arrays = {n: np.zeros(shape, dtype=np.float32) for n, shape in parameter_shapes(experiment).items()}
    PRESETS[name].cells[cell](arrays)
    return arrays
