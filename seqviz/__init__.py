"""seqviz: see inside recurrent networks.

>>> import torch, seqviz
>>> lstm = torch.nn.LSTM(8, 16)
>>> trace = seqviz.capture(lstm, torch.randn(20, 1, 8))
>>> trace["l0.f"].shape
(20, 1, 16)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqviz.batches import read_sequences
from seqviz.capture import capture, capture_blocks
from seqviz.doctor import doctor
from seqviz.experiment import Experiment, Init, InputEdit, Sequence, Tensor, WeightEdit
from seqviz.experiment.interventions import Ablate, Clamp, Scale
from seqviz.gradients import GradientFlow, connectivity, gradient_flow
from seqviz.gradients.connected import connectivity_matrix
from seqviz.gradients.fixed import fixed_points
from seqviz.gradients.jacobians import highway_split, state_jacobians
from seqviz.gradients.lyapunov import lyapunov_exponents, mean_log_determinant
from seqviz.gradients.mapped import VanishingMap
from seqviz.gradients.maps import vanishing_map, vanishing_maps
from seqviz.gradients.onestep import step_jacobians
from seqviz.gradients.rests import FixedPoints
from seqviz.language import use_language
from seqviz.networks.modules import FeedForward, SequenceCell, SequenceGRU, SequenceLSTM, SequenceRNN, instrument
from seqviz.networks.presets import preset
from seqviz.reading import MissingValues, Table, read_table
from seqviz.reading.networks import NetworkFile, read_network
from seqviz.runner import network, run
from seqviz.trace import Trace

if TYPE_CHECKING:
    from seqviz import comparison, figures, gradients, memory, metrics, scope, sequences, tasks, training, weights

__version__ = "0.1.0"

__all__ = [
    "Ablate",
    "Clamp",
    "Experiment",
    "FeedForward",
    "FixedPoints",
    "GradientFlow",
    "Init",
    "InputEdit",
    "MissingValues",
    "NetworkFile",
    "Scale",
    "Sequence",
    "SequenceCell",
    "SequenceGRU",
    "SequenceLSTM",
    "SequenceRNN",
    "Table",
    "Tensor",
    "Trace",
    "VanishingMap",
    "WeightEdit",
    "capture",
    "capture_blocks",
    "comparison",
    "connectivity",
    "connectivity_matrix",
    "doctor",
    "figures",
    "fixed_points",
    "gradient_flow",
    "gradients",
    "highway_split",
    "instrument",
    "lyapunov_exponents",
    "mean_log_determinant",
    "memory",
    "metrics",
    "network",
    "preset",
    "read_network",
    "read_sequences",
    "read_table",
    "run",
    "scope",
    "sequences",
    "state_jacobians",
    "step_jacobians",
    "tasks",
    "training",
    "use_language",
    "vanishing_map",
    "vanishing_maps",
    "weights",
]


_ROOMS = (
    "comparison",
    "figures",
    "gradients",
    "memory",
    "metrics",
    "scope",
    "sequences",
    "tasks",
    "training",
    "weights",
)


def __getattr__(name: str) -> Any:
    # Plotly is only imported by who draws.
    if name in _ROOMS:
        return import_module(f"seqviz.{name}")
    raise AttributeError(f"module 'seqviz' has no attribute {name!r}")
