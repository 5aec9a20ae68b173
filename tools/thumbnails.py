"""Compute the small pictures that take too long to compute at a visit: ``python tools/thumbnails.py``."""

from __future__ import annotations

import json

import numpy as np

from seqviz.comparison import compare, shuffled
from seqviz.figures.theme import network_line
from seqviz.gradients.studied import networks, studied
from seqviz.scope.headers import Layer
from seqviz.sequences import generate
from seqviz.ui.gallery import FILE, heat_layer, line_layer
from seqviz.ui.scenes import COMPARED, SCENES

__all__ = ["thumbnails"]


def thumbnails() -> dict[str, list[Layer]]:
    """The small pictures that are stored: the ways back of each scene, and a hidden state of each comparison."""
    found: dict[str, list[Layer]] = {}
    for name, (experiment, _) in SCENES.items():
        nets = networks(experiment)
        ways = {net: studied(nets[net], "last").logs["c" if net == "LSTM" else "h"] for net in nets}
        logs = {net: np.clip(way - way[-1], -12, 12) for net, way in ways.items()}
        low, high = min(v.min() for v in logs.values()), max(v.max() for v in logs.values())
        found[f"gradients.{name}"] = [
            line_layer(list(way), network_line(net), (float(low), float(high))) for net, way in logs.items()
        ]
    for name, (experiment, chosen, _) in COMPARED.items():
        x = shuffled(experiment, 0)[1] if chosen.get("input") == "shuffled" else generate(experiment.sequence, 1)
        h = compare(experiment, x)["LSTM"].h
        found[f"compare.{name}"] = [heat_layer(h, float(np.abs(h).max()))]
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(thumbnails(), separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"wrote {FILE}")
