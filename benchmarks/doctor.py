"""How often the doctor misses a planted fault, and how often it alarms over a healthy network.

    python benchmarks/doctor.py [--seeds 2] [--short]

Healthy are networks that solve their task: those that come with the project, and fresh ones of other recipes and
seeds. Anything told of them is a false alarm. Faults of single units are planted in each of them, in the two units
that it can least do without; where that raises the loss by a tenth or more, the network is ill, and a finding of
that kind in one of those units is a hit. Faults of a whole network (too short a memory, inputs of very different
scales, saturated layers, exploding gradients, overflow) are untrained networks that were made so. *Beside* counts
what else is told of ill networks: it may be so, since an ill network is not a healthy one, but it was not planted.
Figures go to ``benchmarks/results/doctor.json``.
"""

# ruff: noqa: E402  (the number of threads is read when numpy is imported)
from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import copy
from collections.abc import Iterator
from typing import Any

import torch
from _ending import options, write

import seqviz
from seqviz.checkpoints import asset_names, load_asset
from seqviz.doctor import Diagnosis
from seqviz.doctor.planting import FAULTS, plant
from seqviz.tasks import Task, task
from seqviz.training import RECIPES, prepare, train
from seqviz.trials import trial

FRESH = [
    ("adding", "LSTM, chrono"), ("adding", "GRU"), ("adding", "RNN, identity (IRNN)"), ("latch", "LSTM, chrono"),
    ("order", "LSTM, chrono"), ("parity", "LSTM"), ("parity", "GRU"), ("brackets", "LSTM, forget bias 1"),
    ("brackets", "RNN, orthogonal"), ("sine", "LSTM"), ("sine", "GRU"), ("copy", "RNN, orthogonal"), ("copy", "GRU"),
]  # fmt: skip
SHIPPED = [name for name in asset_names() if not name.startswith("prose")]

Healthy = tuple[str, Any, Task]


def healthy(short: bool, seeds: int) -> Iterator[Healthy]:
    """Networks that solve their task, by name."""
    for name in ["latch", "order"] if short else SHIPPED:
        yield name, seqviz.network(load_asset(name)), task(name)
    for seed in range(0 if short else seeds):
        for name, recipe in FRESH:
            found, own = task(name), RECIPES[name][recipe]
            *_, last = train(prepare(found, own, seed + 1), found, own, seed=seed + 1)
            if last.solved:
                yield f"{name}, {recipe}, seed {seed + 1}", seqviz.network(last.experiment), found


def needed(net: Any, found: Task) -> list[int]:
    """The two units without which the loss is largest."""
    asked, losses = trial(net, task=found), []
    for unit in range(net.rnn.hidden_size):
        cut = copy.deepcopy(net)
        with torch.no_grad():
            cut.readout.weight[:, unit] = 0
            cut.rnn.weight_hh_l0[:, unit] = 0
        losses.append(asked.of(cut).errors().mean)
    return sorted(torch.tensor(losses).argsort(descending=True)[:2].tolist())


def starts(short: bool, seeds: int) -> Iterator[tuple[str, str, Any, dict[str, Any]]]:
    """Untrained networks with a fault of the whole: kind, name, network, and what they are judged by."""
    for seed in range(1 if short else seeds + 1):
        latch = task("latch")
        start = prepare(latch, RECIPES["latch"]["LSTM, default"], seed)
        yield "short_memory", f"latch, default, seed {seed}", start, {"task": latch}
        if short:
            return
        for kind, name in (("saturated", "SequenceRNN"), ("saturated_gates", "SequenceLSTM")):
            yield (
                kind,
                f"sine, {name}, seed {seed}",
                _made(name, seed, 200.0, 30.0 if kind[-1] == "s" else 1.0),
                {"task": task("sine")},
            )
        yield "exploding", f"sine, RNN, seed {seed}", _made("SequenceRNN", seed, 1.0, 4.0), {"task": task("sine")}
        relu = _made("SequenceRNN", seed, 1.0, 0.0, nonlinearity="relu")
        with torch.no_grad():
            relu.rnn.weight_hh_l0.copy_(8 * torch.eye(32))
        yield "overflow", f"sine, ReLU, seed {seed}", relu, {"task": task("sine")}
        batch = task("adding").exam(torch.Generator().manual_seed(seed), 256)
        judged = {"x": batch.x * torch.tensor([1000.0, 1.0]), "targets": batch.target, "mask": batch.mask}
        net = seqviz.network(prepare(task("adding"), RECIPES["adding"]["LSTM, chrono"], seed))
        yield "scales", f"adding, input 0 x 1000, seed {seed}", net, judged


def _made(name: str, seed: int, ih: float, hh: float, **how: Any) -> Any:
    torch.manual_seed(seed)
    net = getattr(seqviz, name)(1, 32, 1, **how)
    with torch.no_grad():
        net.rnn.weight_ih_l0.mul_(ih)
        net.rnn.weight_hh_l0.mul_(hh)
    return net


class Count:
    """Hits and misses of one kind, and what was told beside it."""

    def __init__(self) -> None:
        self.ill, self.hits, self.helped, self.beside = 0, 0, 0, 0

    def add(self, diagnosis: Diagnosis, kind: str, units: list[int]) -> bool:
        right = [f for f in diagnosis if f.kind == kind and (not units or set(units) & set(f.rows[0].units))]
        self.ill, self.hits = self.ill + 1, self.hits + bool(right)
        self.helped += bool(right) and (right[0].shared or (right[0].effect is not None and right[0].effect.helps))
        self.beside += len(diagnosis) - len(right)
        return bool(right)


def main() -> None:
    """Plant, examine, count."""
    asked = options(__doc__, seeds=2)
    torch.set_num_threads(1)
    counts: dict[str, Count] = {}
    alarms, well, harmless = 0, 0, 0
    for name, net, found in healthy(asked.short, int(asked.seeds)):
        diagnosis = seqviz.doctor(net, task=found)
        alarms, well = alarms + bool(diagnosis), well + 1
        if diagnosis:
            print(f"false alarm: {name}: {', '.join(f'{f.title} ({f.effect})' for f in diagnosis)}", flush=True)
        units, loss = needed(net, found), diagnosis.loss or 0.0
        for fault, (modes, _) in FAULTS.items():
            if net.rnn.mode not in modes or (asked.short and fault != "never_read"):
                continue
            ill, kind = plant(net, fault, units), fault.strip()
            if not trial(ill, task=found).errors().mean >= 1.1 * loss:
                harmless += 1
                continue
            if not counts.setdefault(kind, Count()).add(seqviz.doctor(ill, task=found), kind, units):
                print(f"missed: {kind} in {name}", flush=True)
    for kind, name, net, judged in starts(asked.short, int(asked.seeds)):
        if not counts.setdefault(kind, Count()).add(seqviz.doctor(net, **judged), kind, []):
            print(f"missed: {kind} in {name}", flush=True)
    print("\nkind              ill   found  cure helps  beside")
    for kind, count in counts.items():
        print(f"{kind:16} {count.ill:4} {count.hits:7} {count.helped:11} {count.beside:7}")
    ill, hits = sum(c.ill for c in counts.values()), sum(c.hits for c in counts.values())
    print(f"\nmissed: {ill - hits} of {ill}; {harmless} planted faults did no harm and are not counted")
    print(f"false alarms: {alarms} of {well} healthy networks")
    rows = {kind: vars(count) for kind, count in counts.items()}
    write("doctor", {"kinds": rows, "ill": ill, "hits": hits, "healthy": well, "alarms": alarms}, asked.short)


if __name__ == "__main__":
    main()
