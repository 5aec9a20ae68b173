"""Trained networks that people bring, read without running any of what is in their files."""

from seqviz.reading.networks.file import NetworkFile, read_network
from seqviz.reading.networks.stacks import Question, Stack

__all__ = ["NetworkFile", "Question", "Stack", "read_network"]
