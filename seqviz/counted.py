"""Counted nouns that sentences with more than one number are put together from. A leaf: only ``language``."""

from __future__ import annotations

from seqviz.language import Sentence, trn

__all__ = ["columns", "features", "inputs", "layers", "numbers", "outputs", "rows", "steps", "units"]


def steps(n: int) -> Sentence:
    """So many steps, in words."""
    return trn("{count} step", "{count} steps", f"{n:,}")


def units(n: int) -> Sentence:
    """So many hidden units."""
    return trn("{count} unit", "{count} units", f"{n:,}")


def layers(n: int) -> Sentence:
    """So many layers."""
    return trn("{count} layer", "{count} layers", f"{n:,}")


def numbers(n: int) -> Sentence:
    """So many numbers."""
    return trn("{count} number", "{count} numbers", f"{n:,}")


def features(n: int) -> Sentence:
    """So many features."""
    return trn("{count} feature", "{count} features", f"{n:,}")


def inputs(n: int) -> Sentence:
    """So many inputs."""
    return trn("{count} input", "{count} inputs", f"{n:,}")


def outputs(n: int) -> Sentence:
    """So many outputs."""
    return trn("{count} output", "{count} outputs", f"{n:,}")


def rows(n: int) -> Sentence:
    """So many rows of a matrix."""
    return trn("{count} row", "{count} rows", f"{n:,}")


def columns(n: int) -> Sentence:
    """So many columns of a matrix."""
    return trn("{count} column", "{count} columns", f"{n:,}")
