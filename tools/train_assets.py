"""Train the networks in ``assets/weights``, one a task: ``python tools/train_assets.py [TASK ...]``.

Each is trained by its task's first recipe with seed 0, as anyone can do again. ``scores.json`` says how each did.
"""

from __future__ import annotations

import json
import sys

from seqviz.checkpoints import ASSETS, to_safetensors
from seqviz.tasks import TASKS, task
from seqviz.training import RECIPES, prepare, train

SKIP = {"parity_end"}
"""parity_end's network is that of parity."""

SCORES = ASSETS / "scores.json"


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
        scores[name] = {"recipe": label, "seed": 0, "steps": last.step, "metric": found.metric, "score": last.score}
        print(f"{name}: {found.metric} {last.score:.4g} after {last.step} steps. {last.reason}")
    SCORES.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
