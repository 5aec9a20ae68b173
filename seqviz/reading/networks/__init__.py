"""Trained networks that people bring, read without running any of what is in their files."""

from seqviz.reading.networks.file import NetworkFile
from seqviz.reading.networks.opening import read_network
from seqviz.reading.networks.stacks import Stack
from seqviz.reading.networks.told import Moved, Question

__all__ = ["Moved", "NetworkFile", "Question", "Stack", "read_network"]
