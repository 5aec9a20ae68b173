"""Train the networks in ``assets/weights``, one a task: ``python tools/train_assets.py [TASK ...]``.

Each is trained by its task's first recipe with seed 0, as anyone can do again. ``scores.json`` says how each did, on
sequences that no training saw, with a 95 % confidence interval; or on all that there are, exactly.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch

from seqviz.checkpoints import ASSETS, to_safetensors
from seqviz.runner import network
from seqviz.tasks import TASKS, Standing, Task, judge, task
from seqviz.training import RECIPES, Checkpoint, prepare, train

SKIP = {"parity_end"}
"""parity_end's network is that of parity."""

SCORES = ASSETS / "scores.json"

FRESH = 20_000
"""Sequences to judge by, others than those that ended the training."""


def judged(found: Task, last: Checkpoint) -> Standing:
    """How the network did, on one thread, so that the numbers do not depend on the machine's."""
    torch.set_num_threads(1)
    return judge(found, network(last.experiment), torch.Generator().manual_seed(1), FRESH)


def entry(found: Task, recipe: str, last: Checkpoint, standing: Standing) -> dict[str, Any]:
    """What ``scores.json`` says of a network."""
    asked = "every sequence there is" if standing.exact else "fresh sequences"
    if found.held_out is not None:
        asked = "stretches, all of the text that was held out"
    return {
        "recipe": recipe,
        "seed": 0,
        "steps": last.step,
        "metric": found.metric,
        "threshold": found.solved,
        "score": standing.score,
        "interval": [standing.low, standing.high],
        "judged_by": f"{standing.sequences:,} {asked}",
    }


def main() -> None:
    """Train and write."""
    ASSETS.mkdir(parents=True, exist_ok=True)
    scores = json.loads(SCORES.read_text(encoding="utf-8")) if SCORES.exists() else {}
    for name in sys.argv[1:] or [n for n in TASKS if n not in SKIP]:
        found = task(name)
        label, recipe = next(iter(RECIPES[name].items()))
        for checkpoint in train(prepare(found, recipe), found, recipe):
            last = checkpoint
        (ASSETS / f"{name}.safetensors").write_bytes(to_safetensors(last.experiment))
        standing = judged(found, last)
        scores[name] = entry(found, label, last, standing)
        print(f"{name}: {found.metric} {found.shown(standing.score)} after {last.step} steps. {last.reason}")
        if not standing.solves(found):
            sys.exit(f"{name} misses {found.solved:g} by its interval, {standing.low:.4g} to {standing.high:.4g}.")
    SCORES.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
