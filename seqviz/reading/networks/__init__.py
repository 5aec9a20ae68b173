"""Trained networks that people bring, read without running any of what is in their files."""

from seqviz.reading.networks.file import NetworkFile
from seqviz.reading.networks.npz import looks_like_npz
from seqviz.reading.networks.opening import MAX_FILE, read_network
from seqviz.reading.networks.stacks import Stack
from seqviz.reading.networks.told import Moved, Question

__all__ = ["MAX_FILE", "Moved", "NetworkFile", "Question", "Stack", "looks_like_npz", "read_network"]
