"""Forward hooks on anybody's module, and every signal of its recurrent layers as a trace."""

from seqviz.capture.blocks import capture_blocks
from seqviz.capture.run import (
    FEED_FORWARD,
    capture,
)

__all__ = [
    "FEED_FORWARD",
    "capture",
    "capture_blocks",
]
