"""The learning signal on its way back through time: its flow, Jacobians, and what they say."""

from seqviz.gradients.flow import (
    GradientFlow,
    connectivity,
    gradient_flow,
)

__all__ = [
    "GradientFlow",
    "connectivity",
    "gradient_flow",
]
