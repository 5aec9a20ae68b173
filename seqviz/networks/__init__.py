"""Networks whose every signal can be observed and edited, how they start, and those set by hand."""

from seqviz.networks.modules import (
    FeedForward,
    HookPoint,
    Instrumented,
    SequenceCell,
    SequenceGRU,
    SequenceLSTM,
    SequenceRNN,
    instrument,
)

__all__ = [
    "FeedForward",
    "HookPoint",
    "Instrumented",
    "SequenceCell",
    "SequenceGRU",
    "SequenceLSTM",
    "SequenceRNN",
    "instrument",
]
