"""The learning signal on its way back through time: its flow, Jacobians, and what they say."""

from seqviz.gradients.closed import by_gates, by_radius
from seqviz.gradients.flow import GradientFlow, connectivity, gradient_flow

__all__ = ["GradientFlow", "by_gates", "by_radius", "connectivity", "gradient_flow"]
