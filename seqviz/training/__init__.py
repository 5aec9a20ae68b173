"""Training: the recipes of the tasks, and a trainer that is a generator of checkpoints."""

from seqviz.training.recipes import ANY, RECIPES, Recipe, recipes_of
from seqviz.training.trainer import Checkpoint, prepare, train

__all__ = ["ANY", "RECIPES", "Checkpoint", "Recipe", "prepare", "recipes_of", "train"]
