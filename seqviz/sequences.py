"""Inputs that a person would try, and the arrays they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from seqviz import counted
from seqviz.checks import instance, whole
from seqviz.experiment.parts import MAX_INPUT, Sequence
from seqviz.language import Words, later, tr, trn

__all__ = ["KIND_LABELS", "generate", "labels", "steps_called"]

KIND_LABELS: Final[dict[str, str]] = Words(
    {
        "two_pulses": "two pulses far apart",
        "impulse": "impulse",
        "step": "step function",
        "sine": "sine",
        "square": "square wave",
        "ramp": "ramp",
        "noise": "noise",
        "bits": "random bits",
        "text": "typed text, one-hot",
        "values": "your own numbers",
    }
)
"""What each kind is called on the screen."""


def _impulse(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return (t == np.minimum(len(t) // 8 + 2 * k, len(t) - 1)).astype(float)


def _two_pulses(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    first, second = len(t) // 8, len(t) - 1 - len(t) // 8
    return np.maximum(t == np.minimum(first + 2 * k, len(t) - 1), t == np.maximum(second - 2 * k, 0)).astype(float)


def _step(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return (t >= (len(t) * (k + 1)) // (k.size + 1)).astype(float)


def _sine(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return np.sin(2 * np.pi * (t / s.period + k / (2 * k.size)))


def _square(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return np.where((t / s.period + k / (2 * k.size)) % 1.0 < 0.5, 1.0, -1.0)


def _ramp(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return 2 * ((t / s.period + k / (2 * k.size)) % 1.0) - 1


def _noise(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return np.random.default_rng(s.seed).standard_normal((len(t), k.size))


def _bits(t: np.ndarray, k: np.ndarray, s: Sequence) -> np.ndarray:
    return np.random.default_rng(s.seed).integers(0, 2, (len(t), k.size)).astype(float)


_WAVES: Final[dict[str, Callable[[np.ndarray, np.ndarray, Sequence], np.ndarray]]] = {
    "impulse": _impulse,
    "two_pulses": _two_pulses,
    "step": _step,
    "sine": _sine,
    "square": _square,
    "ramp": _ramp,
    "noise": _noise,
    "bits": _bits,
}


def generate(sequence: Sequence, input_size: int) -> np.ndarray:
    """The numbers of a sequence, its edits applied.

    Args:
        sequence: which one. With several inputs, waves are shifted against each other, pulses and steps
            stand at different places, noise and bits are drawn for each.
            An impulse is at step L/8; the two pulses at L/8 and as far from the end.
        input_size: H_in.

    Returns:
        Read-only float32 array ``(L, H_in)``.

    Raises:
        ValueError: text or own numbers of another width.
    """
    length = instance(sequence, Sequence, later("The sequence")).length
    input_size = whole(input_size, later("The input size"), 1, MAX_INPUT)
    if sequence.kind == "text":
        if len(sequence.alphabet) != input_size:
            raise ValueError(
                trn(
                    "The alphabet has {count} character and the input size is {size}.",
                    "The alphabet has {count} characters and the input size is {size}.",
                    len(sequence.alphabet),
                    size=input_size,
                )
            )
        array = np.zeros((length, input_size), dtype=np.float32)
        place = {character: k for k, character in enumerate(sequence.alphabet)}
        array[np.arange(length), [place[character] for character in sequence.text]] = 1.0
    elif sequence.kind == "values":
        if len(sequence.values) != 4 * length * input_size:
            raise ValueError(
                tr(
                    "The sequence does not hold {steps} of {numbers}.",
                    steps=counted.steps(length),
                    numbers=counted.numbers(input_size),
                )
            )
        array = np.frombuffer(sequence.values, dtype="<f4").reshape(length, input_size).astype(np.float32)
    else:
        t, k = np.arange(length)[:, None], np.arange(input_size)[None]
        array = (sequence.amplitude * _WAVES[sequence.kind](t, k, sequence)).astype(np.float32)
    for edit in sequence.edits:
        if edit.feature >= input_size:
            raise ValueError(
                tr(
                    "An edit names input {input}; there are inputs 0 to {last}.",
                    input=edit.feature,
                    last=input_size - 1,
                )
            )
        array[edit.step, edit.feature] = edit.value
    array.flags.writeable = False
    return array


def steps_called(sequence: Sequence) -> tuple[list[str] | None, list[str] | None]:
    """What stands beside the number of each step: its character in a text, or what a table calls it."""
    return labels(sequence) if sequence.kind == "text" else None, list(sequence.labels) or None


def labels(sequence: Sequence) -> list[str]:
    """One label a step: the character of a text, else the step's number."""
    instance(sequence, Sequence, later("The sequence"))
    return list(sequence.text) if sequence.kind == "text" else [str(t) for t in range(sequence.length)]
