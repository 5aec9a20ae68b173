"""Train the networks in ``assets/weights``, one a task: ``python tools/train_assets.py [TASK ...]``.

Each is trained by its task's first recipe with seed 0, as anyone can do again.
"""

from __future__ import annotations

import sys

import torch

from seqviz.checkpoints import ASSETS, to_safetensors
from seqviz.tasks import TASKS, task
from seqviz.training import RECIPES, prepare, train

SKIP = {"parity_end"}


def main() -> None:
    """Train and write."""
    torch.set_num_threads(1)
    ASSETS.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or [n for n in TASKS if n not in SKIP]:
        found, recipe = task(name), next(iter(RECIPES[name].values()))
        for checkpoint in train(prepare(found, recipe), found, recipe):
            last = checkpoint
        (ASSETS / f"{name}.safetensors").write_bytes(to_safetensors(last.experiment))
        print(f"{name}: {found.metric} {last.score:.4g} after {last.step} steps. {last.reason}")


if __name__ == "__main__":
    main()
