"""What each hand-set network does: claims that are looked up in the run before they are said.

A network is set by hand for some kinds of cell, and each has a story of its own: a GRU has no input gate. Weights,
inputs and interventions change under a story; a claim that they break is replaced by what is so.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from seqviz import vocabulary as words
from seqviz.language import later, sentences, tr
from seqviz.telling import counting, keeping
from seqviz.telling.claims import Claim, Signals, tell
from seqviz.telling.seen import has, several

__all__ = ["STORIES", "preset_story"]


def preset_story(name: str, cell: str, signals: Signals, alphabet: str = "") -> str:
    """What a hand-set network does on this run, and where to look.

    Args:
        name: of the preset.
        cell: torch's mode.
        signals: the run; see :data:`seqviz.telling.claims.Signals`.
        alphabet: the characters that the inputs stand for, where the input is a text.
    """
    for values in signals.values():
        if (broken := np.flatnonzero(~np.isfinite(values).all(axis=1))).size:
            return tr("The network overflowed at step {step}: what it was set to do is lost.", step=int(broken[0]))
    if name == "brackets" and alphabet and alphabet[2:4] != "()":
        return tr(
            "It was set to count the third character of its alphabet up and the fourth down, “(” and “)”; "
            "here these are “{up}” and “{down}”.",
            up=alphabet[2:3], down=alphabet[3:4],
        )  # fmt: skip
    told = tell(STORIES[name, cell], signals)
    return sentences(told) or tr("Nothing in this input shows what it was set to do.")


_FIRST_BIT: Final = Claim(
    later("It keeps the first bit and ignores whatever comes after: the output stays within 0.1 of that bit."),
    keeping.keeps_the_first_bit,
    several,
)
_COUNT: Final = Claim(
    later("It counts the ones: the output, rounded, is how many there have been."),
    counting.counts,
)
_FORGETS_NOTHING: Final = Claim(
    later("The forget gate is 1 throughout, so that nothing is lost."),
    counting.forget_gate_is_one,
)
_LEAKY_SUM: Final = Claim(
    later(
        "It adds up its input and forgets a tenth of the sum at every step; the output is that sum, to within 5% of "
        "its largest."
    ),
    counting.is_the_leaky_sum,
    counting.has_input,
)
_STATE_HALVES: Final = Claim(
    later("Where nothing comes in, the hidden state keeps 0.9 of itself a step: it halves every 6.6 steps."),
    counting.keeps_nine_tenths(
        "h",
        later(
            "Nothing comes in at step {step}, and the hidden state becomes {value} times what it was, not 0.9 times."
        ),
    ),
    counting.coasts("h"),
)
_PARITY: Final = Claim(
    later("Every 1 flips it: the output is above 0 after an odd number of ones, and below 0 after an even number."),
    keeping.tells_parity,
)
_DEPTH: Final = Claim(
    later("It knows how many brackets are open: the output, rounded, is that depth."),
    counting.tells_the_depth,
)

STORIES: Final[dict[tuple[str, str], tuple[Claim, ...]]] = {
    ("latch", words.LSTM): (
        _FIRST_BIT,
        Claim(later("The input gate opens at step 0 and never again."), keeping.input_gate_shuts, several),
        Claim(
            later("The cell state of unit 0 stays where it was put."),
            keeping.stays(
                "c",
                later("The cell state of unit 0 does not stay: it is {first} at step 0 and {value} at step {step}."),
            ),
            several,
        ),
    ),
    ("latch", words.GRU): (
        _FIRST_BIT,
        Claim(
            later("The update gate takes the candidate at step 0; after that it keeps the old state."),
            keeping.update_gate_shuts,
            several,
        ),
        Claim(
            later("The hidden state of unit 0 stays where it was put."),
            keeping.stays(
                "h",
                later("The hidden state of unit 0 does not stay: it is {first} at step 0 and {value} at step {step}."),
            ),
            several,
        ),
    ),
    ("counter", words.LSTM): (
        _COUNT,
        Claim(
            later("Each 1 adds 0.01 to the cell state, and a 0 adds nothing."),
            counting.ones_add_a_hundredth,
            has(1),
        ),
        _FORGETS_NOTHING,
    ),
    ("counter", words.RNN_RELU): (
        _COUNT,
        Claim(later("Each 1 adds 1 to the hidden state, and nothing is lost."), counting.ones_add_one, has(1)),
    ),
    ("leaky", words.LSTM): (
        _LEAKY_SUM,
        Claim(
            later("Where nothing comes in, the cell state keeps 0.9 of itself a step: it halves every 6.6 steps."),
            counting.keeps_nine_tenths(
                "c",
                later(
                    "Nothing comes in at step {step}, and the cell state becomes {value} times what it was, not 0.9 "
                    "times."
                ),
            ),
            counting.coasts("c"),
        ),
    ),
    ("leaky", words.GRU): (_LEAKY_SUM, _STATE_HALVES),
    ("leaky", words.RNN_TANH): (_LEAKY_SUM, _STATE_HALVES),
    ("leaky", words.RNN_RELU): (_LEAKY_SUM, _STATE_HALVES),
    ("toggle", words.LSTM): (
        _PARITY,
        Claim(
            later("At a 1 the forget gate drops the old state, and the candidate has the opposite sign."),
            keeping.flips(
                "f",
                "g",
                later("At step {step} a 1 comes in, and the forget gate does not drop the old state: it is {value}."),
                later("At step {step} a 1 comes in, and the candidate, {value}, has the sign of the old state, {old}."),
            ),
            has(1),
        ),
        Claim(
            later("At a 0 the forget gate keeps everything and the input gate lets nothing in."),
            keeping.holds(
                {"f": True, "i": False},
                later("At step {step} a 0 comes in, and the old state is not kept as it is: {gate} is {value}."),
            ),
            has(0),
        ),
    ),
    ("toggle", words.GRU): (
        _PARITY,
        Claim(
            later("At a 1 the update gate takes the candidate, which has the opposite sign."),
            keeping.flips(
                "z",
                "n",
                later("At step {step} a 1 comes in, and the update gate does not take the candidate: it is {value}."),
                later("At step {step} a 1 comes in, and the candidate, {value}, has the sign of the old state, {old}."),
            ),
            has(1),
        ),
        Claim(
            later("At a 0 the update gate keeps the old state."),
            keeping.holds(
                {"z": True},
                later("At step {step} a 0 comes in, and the old state is not kept as it is: {gate} is {value}."),
            ),
            has(0),
        ),
    ),
    ("brackets", words.LSTM): (
        _DEPTH,
        Claim(
            later("“(” adds 0.01 to the cell state and “)” takes it away; letters change nothing."),
            counting.brackets_add_a_hundredth,
            counting.is_text,
        ),
        _FORGETS_NOTHING,
    ),
    ("brackets", words.RNN_RELU): (
        _DEPTH,
        Claim(
            later("“(” adds 1 to the hidden state and “)” takes it away, down to 0; letters change nothing."),
            counting.brackets_add_one,
            counting.is_text,
        ),
    ),
}
"""What each claims, by preset and kind of cell, in the order to tell it."""
