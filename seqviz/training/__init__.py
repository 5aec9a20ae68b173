"""Training: the recipes of the tasks, and a trainer that is a generator of checkpoints."""

from seqviz.training.course import Course, checkpoint_at, common_steps, verdict
from seqviz.training.recipes import ANY, RECIPES, Recipe, recipes_of
from seqviz.training.sizes import at_parameters, parameters_of
from seqviz.training.trainer import Checkpoint, prepare, train

__all__ = [
    "ANY",
    "RECIPES",
    "Checkpoint",
    "Course",
    "Recipe",
    "at_parameters",
    "checkpoint_at",
    "common_steps",
    "parameters_of",
    "prepare",
    "recipes_of",
    "train",
    "verdict",
]
