"""The doctor: planted faults are found, healthy networks are let alone, and what a cure did is what it does."""

from __future__ import annotations

import copy
import math
import re

import numpy as np
import pytest
import torch
from cells_written import WRITTEN
from torch import nn

import seqviz
from seqviz import cells
from seqviz.checkpoints import load_asset
from seqviz.doctor import cures
from seqviz.doctor.planting import FAULTS, plant
from seqviz.doctor.signs import of_layers, parts_of
from seqviz.language import speaking
from seqviz.tasks import task
from seqviz.telling.doctor import UNITS, of_diagnosis, title
from seqviz.training import RECIPES, prepare

HEALTHY = ["adding", "latch", "order", "copy", "parity"]


def exam(found, n=256, seed=0):
    return found.exam(torch.Generator().manual_seed(seed), n)


def loss_of(net, found):
    """The task's own loss, on the exam that the doctor draws."""
    batch = exam(found)
    with torch.no_grad():
        return float(found.loss(net(batch.x), batch))


def important(net, found, count):
    """The units without whose output the loss is largest."""
    losses = []
    for unit in range(net.rnn.hidden_size):
        cut = copy.deepcopy(net)
        with torch.no_grad():
            cut.readout.weight[:, unit] = 0
            cut.rnn.weight_hh_l0[:, unit] = 0
        losses.append(loss_of(cut, found))
    return sorted(np.argsort(losses)[::-1][:count].tolist())


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_network_is_let_alone(name):
    found = seqviz.doctor(load_asset(name), task=task(name))
    assert list(found) == []
    assert found.sentence == "Nothing was found that a cure would mend."
    assert found.loss == pytest.approx(loss_of(seqviz.network(load_asset(name)), task(name)), rel=1e-4)
    assert found.together is None


@pytest.fixture(scope="module")
def order():
    net, found = seqviz.network(load_asset("order")), task("order")
    return net, found, important(net, found, 6)


@pytest.mark.parametrize("fault", ["never_read", "forgets", "writes_always", "never_written"])
def test_a_planted_fault_is_found_in_its_units(order, fault):
    net, found, units = order
    ill = plant(net, fault, units[:2])
    assert loss_of(ill, found) > 2 * loss_of(net, found)
    diagnosis = seqviz.doctor(ill, task=found)
    assert [(f.kind, f.rows[0].units) for f in diagnosis] == [(fault, tuple(units[:2]))]
    (finding,) = diagnosis
    signal = {"never_read": "l0.o", "forgets": "l0.f", "writes_always": "l0.i", "never_written": "l0.i"}[fault]
    assert finding.rows[0].signal == signal
    assert finding.effect.helps
    assert finding.effect.before == pytest.approx(loss_of(ill, found), rel=1e-4)
    if not finding.effect.steps:
        assert finding.effect.after == pytest.approx(loss_of(finding.cure.apply(ill), found), rel=1e-4)
        assert loss_of(diagnosis.cured(ill), found) < 0.95 * loss_of(ill, found)
    assert "https://" in finding.source


@pytest.mark.parametrize("fault", ["never_written ", "forgets "])
def test_a_fault_of_a_gru_is_found(fault):
    found = task("adding")
    recipe = RECIPES["adding"]["GRU"]
    *_, last = seqviz.training.train(prepare(found, recipe), found, recipe)
    net = seqviz.network(last.experiment)
    units = important(net, found, 2)
    diagnosis = seqviz.doctor(plant(net, fault, units), task=found)
    assert (fault.strip(), tuple(units)) in [(f.kind, f.rows[0].units) for f in diagnosis]


def test_faults_together_are_mended_together():
    """Several faults in one network: no cure alone does what all do."""
    net, found = seqviz.network(load_asset("adding")), task("adding")
    units = important(net, found, 4)
    ill = plant(plant(plant(net, "never_read", units[:1]), "forgets", units[1:3]), "writes_always", units[3:])
    diagnosis = seqviz.doctor(ill, task=found)
    kinds = {f.kind: f.rows[0].units for f in diagnosis}
    assert kinds["never_read"] == tuple(units[:1])
    assert kinds["writes_always"] == tuple(units[3:])
    assert diagnosis.together is not None
    alone = [f.effect.after for f in diagnosis if f.effect and not f.effect.steps]
    assert diagnosis.together.after < min(alone)
    assert diagnosis.together.after == pytest.approx(loss_of(diagnosis.cured(ill), found), rel=1e-4)
    assert diagnosis.sentence.startswith(f"{len(diagnosis)} findings. All cures together: loss ")


def test_a_dead_unit_is_found_and_drawn_anew():
    found = task("copy")
    net = seqviz.network(load_asset("copy"))
    assert net.rnn.mode == "LSTM"
    torch.manual_seed(0)
    rnn = seqviz.SequenceRNN(6, 16, 4)
    ill = plant(rnn, "dead", [3, 7])
    diagnosis = seqviz.doctor(ill, task=found, steps=5)
    dead = next(f for f in diagnosis if f.kind == "dead")
    assert dead.rows == ((("l0.h"), (3, 7)),)
    cured = dead.cure.apply(ill)
    bound = 1 / math.sqrt(16)
    fresh = cured.rnn.weight_hh_l0[[3, 7]]
    assert (fresh.abs() <= bound).all()
    assert fresh.abs().max() > bound / 2
    others = [k for k in range(16) if k not in (3, 7)]
    assert torch.equal(cured.rnn.weight_hh_l0[others], rnn.rnn.weight_hh_l0[others])


def test_a_memory_shorter_than_its_sequences():
    found = task("latch")
    diagnosis = seqviz.doctor(prepare(found, RECIPES["latch"]["LSTM, default"], 0), task=found)
    (finding,) = diagnosis
    assert finding.kind == "short_memory"
    assert finding.effect.steps == 100
    assert finding.effect.after < 0.2 * finding.effect.before
    assert str(finding.effect).startswith("after 100 steps of training: loss ")
    wide = seqviz.SequenceLSTM(1, 400, 1)
    biases = cures.chrono(wide, cures.Layer("rnn", "l0", "LSTM", 400), 50).apply(wide).rnn
    with torch.no_grad():
        forget = (biases.bias_ih_l0 + biases.bias_hh_l0)[400:800].exp()
        let_in = (biases.bias_ih_l0 + biases.bias_hh_l0)[:400].exp()
    assert 1 <= float(forget.min()) < 3 < 45 < float(forget.max()) <= 49
    torch.testing.assert_close(forget * let_in, torch.ones(400))


def test_a_state_that_never_comes_back_is_told_with_the_cure_that_mends_it():
    """One unit adds up at every step; its forget gate alone would not bring it back."""
    healthy = seqviz.network(load_asset("adding"))
    ill, unit, size = copy.deepcopy(healthy), 2, healthy.rnn.hidden_size
    with torch.no_grad():
        for block, more in enumerate((6.0, 9.0, 3.0)):  # i, f, g
            ill.rnn.bias_ih_l0[block * size + unit] += more
            ill.rnn.weight_ih_l0[block * size + unit] *= 0.1
            ill.rnn.weight_hh_l0[block * size + unit] *= 0.1
    diagnosis = seqviz.doctor(ill, task=task("adding"), steps=5)
    (finding,) = [each for each in diagnosis if each.kind == "never_back"]
    assert [(row.signal, row.units) for row in finding.rows] == [("l0.c", (unit,)), ("l0.f", (unit,))]
    assert finding.effect.after < 0.5 * finding.effect.before
    mended = finding.cure.apply(ill)
    assert loss_of(mended, task("adding")) < 0.5 * loss_of(ill, task("adding"))
    with torch.no_grad():
        others = [k for k in range(size) if k != unit]
        both = mended.rnn.bias_ih_l0 + mended.rnn.bias_hh_l0
        for block in range(4):
            part = both[block * size : (block + 1) * size]
            assert part[unit] == pytest.approx(float(part[others].median()), abs=1e-5)


def test_inputs_of_very_different_scales():
    found = task("adding")
    batch = exam(found)
    x = batch.x.clone()
    x[..., 0] *= 1000
    net = seqviz.network(prepare(found, RECIPES["adding"]["LSTM, chrono"], 0))
    diagnosis = seqviz.doctor(net, x, batch.target, mask=batch.mask)
    finding = next(f for f in diagnosis if f.kind == "scales")
    assert finding.rows == (("x", (0, 1)),)
    spread = x[:, 1::2].reshape(-1, 2).double().std(0, correction=0)
    judged = x[:, 1::2][:, :64].reshape(-1, 2).double().std(0, correction=0)
    assert spread[0] / spread[1] == pytest.approx(float(judged[0] / judged[1]), rel=0.05)
    said = re.fullmatch(r"Input 0 spreads (\d+) times as far as input 1\.", finding.says)
    assert float(said[1]) == pytest.approx(float(judged[0] / judged[1]), rel=2e-3)
    assert finding.effect.helps
    cured = finding.cure.apply(net)
    with torch.no_grad():
        seen = x[:, 1::2][:, :64].reshape(-1, 2).double()
        wanted = net(((x - seen.mean(0)) / seen.std(0, correction=0)).float())
        torch.testing.assert_close(cured(x), wanted, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(cured.folded()(x), wanted, atol=1e-3, rtol=1e-3)


def test_states_that_overflow():
    found = task("sine")
    torch.manual_seed(0)
    net = seqviz.SequenceRNN(1, 16, 1, nonlinearity="relu")
    with torch.no_grad():
        net.rnn.weight_hh_l0.copy_(8 * torch.eye(16))
    diagnosis = seqviz.doctor(net, task=found, steps=20)
    finding = diagnosis[0]
    assert finding.kind == "overflow"
    assert "overflowed" in finding.says
    after = finding.cure.apply(net).rnn.weight_hh_l0.detach()
    assert float(torch.linalg.eigvals(after).abs().max()) == pytest.approx(1, rel=1e-5)
    assert [f.kind for f in diagnosis] == ["overflow"]
    assert finding.effect.helps
    assert math.isnan(finding.effect.before)
    assert math.isfinite(finding.effect.after)


def test_a_gradient_that_explodes_on_the_way_back():
    found = task("sine")
    torch.manual_seed(0)
    net = seqviz.SequenceRNN(1, 32, 1)
    with torch.no_grad():
        net.rnn.weight_hh_l0.mul_(4)
    diagnosis = seqviz.doctor(net, task=found)
    finding = next(f for f in diagnosis if f.kind == "exploding")
    assert finding.effect.helps
    assert finding.effect.after < 0.1 * finding.effect.before


@pytest.mark.parametrize(("kind", "net"), [("saturated", "SequenceRNN"), ("saturated_gates", "SequenceLSTM")])
def test_a_saturated_layer(kind, net):
    found = task("sine")
    torch.manual_seed(0)
    net = getattr(seqviz, net)(1, 32, 1)
    with torch.no_grad():
        net.rnn.weight_ih_l0.mul_(200)
        if kind == "saturated_gates":
            net.rnn.weight_hh_l0.mul_(30)
    diagnosis = seqviz.doctor(net, task=found)
    finding = next(f for f in diagnosis if f.kind == kind)
    assert finding.effect.helps
    assert finding.cure.name == "The layer's weights divided by 5"


def test_what_does_no_harm_is_no_finding_but_listed():
    net, found = seqviz.network(load_asset("latch")), task("latch")
    idle = important(net, found, 16)
    losses = {unit: loss_of(plant(net, "writes_always", [unit]), found) for unit in idle}
    unit = min(losses, key=losses.get)
    diagnosis = seqviz.doctor(plant(net, "writes_always", [unit]), task=found)
    assert [f.kind for f in diagnosis] == []
    assert ("writes_always", (unit,)) in [(f.kind, f.rows[0].units) for f in diagnosis.harmless]


def test_a_cure_that_does_not_help_is_not_said_to(order):
    """A fault whose place in the network is not mended by the others' bias."""
    net, found, units = order
    ill = plant(net, "never_written", units[:2])
    with torch.no_grad():
        ill.rnn.weight_ih_l0[ill.rnn.hidden_size * 3 :][units[:2]] = 0
        ill.readout.weight[:, units[:2]] = 0
    diagnosis = seqviz.doctor(ill, task=found, steps=2, lr=1e-6)
    finding = next(f for f in diagnosis if f.kind == "never_written")
    if not finding.effect.helps and not finding.shared:
        assert diagnosis.sentence.endswith("No cure that was tried helps.")
    assert finding.certain


class Tagger(nn.Module):
    """Somebody's model: an embedding, a batch-first layer, a head."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.lstm = nn.Embedding(6, 8), nn.LSTM(8, 16, 2, batch_first=True)
        self.head = nn.Linear(16, 3)

    def forward(self, tokens):
        return self.head(self.lstm(self.embed(tokens))[0])


def test_somebodys_own_model():
    net = plant(Tagger(), "never_read", [2, 5], path="lstm", layer=1)
    tokens = torch.randint(6, (32, 12), generator=torch.Generator().manual_seed(0))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    diagnosis = seqviz.doctor(net, tokens, tokens % 3, steps=20)
    finding = next(f for f in diagnosis if f.kind == "never_read")
    assert finding.rows == (("l1.o", (2, 5)), ("l1.h", (2, 5)))
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert isinstance(diagnosis.cured(net), nn.Module)
    again = seqviz.doctor(net, tokens, tokens % 3, steps=20)
    assert [(f.kind, f.effect) for f in again] == [(f.kind, f.effect) for f in diagnosis]


def test_without_targets_only_what_is_certain_is_told():
    net = plant(Tagger(), "never_read", [2], path="lstm")
    tokens = torch.randint(6, (32, 12))
    diagnosis = seqviz.doctor(net, tokens)
    assert [(f.kind, f.effect) for f in diagnosis] == [("never_read", None)]
    assert diagnosis.untried
    assert diagnosis.sentence == "1 finding. With targets, cures could be tried."
    cure = diagnosis[0].cure
    assert cure is not None, "a cure is known, though nobody could try it"
    assert cure.name.startswith("Bias of the output gate: ")
    healthy = seqviz.doctor(Tagger(), tokens)
    assert healthy.sentence == "Nothing stands out. With targets, cures could be tried and more be seen."


@pytest.mark.parametrize("cell", [cells.get("PEEPHOLE"), WRITTEN["coupled gates"]], ids=str)
def test_a_cell_that_torch_does_not_have_is_examined_as_torchs_are(cell):
    """By what its lines say: which gate keeps, lets in and shows. A bias cure changes that bias and nothing else."""
    torch.manual_seed(0)
    net = seqviz.SequenceCell(cell, 3, 12, 2)
    x = torch.randn(20, 16, 3)
    assert [f.kind for f in seqviz.doctor(net, x)] == []
    ill = plant(net, "never_read", [4])
    (finding,) = seqviz.doctor(ill, x)
    assert (finding.kind, finding.rows) == ("never_read", (("l0.o", (4,)), ("l0.h", (4,))))
    cured = finding.cure.apply(ill)
    before, after = ill.state_dict(), cured.state_dict()
    changed = {name: (value != before[name]).nonzero().tolist() for name, value in after.items()}
    row = 4 + 12 * (cell.blocks.index("o") if cell.blocks else 0)
    own = cell.place(cell.biases_of("o")[0], 12)[0]
    assert {name: rows for name, rows in changed.items() if rows} == {f"rnn.{own}_l0": [[row]]}
    (forgets,) = (f for f in signs_of(plant(net, "forgets", [2, 7]), x) if f.kind == "forgets")
    assert forgets.rows[0] == ("l0.f", (2, 7))


def signs_of(net, x):
    trace = seqviz.capture(net, x)
    return list(of_layers(net, list(parts_of(net, trace))))


def test_a_cure_of_an_experiment_is_an_experiment():
    start = prepare(task("latch"), RECIPES["latch"]["LSTM, default"], 0)
    x = seqviz.runner.inputs(start)
    net = seqviz.network(start)
    place = cures.Layer("rnn", "l0", "LSTM", 16)
    for cure in (
        cures.chrono(net, place, 50),
        cures.redrawn(place, [1]),
        cures.shrunk(place, 2.0),
        cures.bias(net, place, "f", [0, 3]),
        cures.clip(),
        cures.standardised(torch.tensor([0.5]), torch.tensor([2.0])),
    ):
        changed = cure.apply(start)
        assert isinstance(changed, seqviz.Experiment)
        with torch.no_grad():
            torch.testing.assert_close(
                seqviz.network(changed)(x), cure.apply(net)(x), atol=1e-6, rtol=1e-5, msg=str(cure.name)
            )


def test_a_bias_cure_is_the_others_median():
    net = seqviz.SequenceLSTM(1, 5, 1)
    place = cures.Layer("rnn", "l0", "LSTM", 5)
    with torch.no_grad():
        net.rnn.bias_ih_l0[5:10] = torch.tensor([1.0, 2.0, -9.0, 4.0, 8.0])
        net.rnn.bias_hh_l0[5:10] = 0.5
    cured = cures.bias(net, place, "f", [2]).apply(net)
    assert (cured.rnn.bias_ih_l0 + cured.rnn.bias_hh_l0)[5:10].tolist() == [1.5, 2.5, 2.5, 4.5, 8.5]
    assert cures.bias(seqviz.SequenceLSTM(1, 5, 1, bias=False), place, "f", [2]) is None
    assert cures.bias(net, place, "f", range(5)) is None


def test_titles_count_their_units():
    assert title("never_read", (6,)) == "Unit 6 is never read"
    assert title("forgets", (12, 19)) == "Units 12 and 19 forget at once".replace(" and ", ", ")
    assert title("dead", tuple(range(9))) == "Units 0, 1, 2, 3, 4, 5, … never change"
    assert set(UNITS) >= {fault.strip() for fault in FAULTS}


@pytest.mark.parametrize(
    ("count", "best", "options", "says"),
    [
        (0, None, {}, "Nothing was found that a cure would mend."),
        (1, None, {}, "1 finding. No cure that was tried helps."),
        (1, (0.5, 0.25, 0), {}, "1 finding. Its cure: loss 0.5 → 0.25."),
        (4, (0.265, 0.0087, 0), {"together": True}, "4 findings. All cures together: loss 0.265 → 0.0087."),
        (
            1, (0.7, 0.1, 100), {},
            "1 finding. Its cure, after 100 steps of training: loss 0.1; without it 0.7.",
        ),
    ],
)  # fmt: skip
def test_what_it_comes_to(count, best, options, says):
    assert of_diagnosis(count, best, **options) == says


def test_findings_are_said_in_another_language():
    with speaking("de"):
        assert title("never_read", (6,)) == "Einheit 6 wird nie gelesen"


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: seqviz.doctor(nn.Linear(1, 1), torch.zeros(3, 1, 1)), "contains no"),
        (lambda: seqviz.doctor(seqviz.SequenceGRU(1, 2, 1), torch.zeros(3, 1, 1), torch.zeros(4, 1, 1)), "do not fit"),
        (lambda: seqviz.doctor(seqviz.SequenceGRU(1, 2, 1), torch.zeros(3, 1, 1), steps=0), "number of steps"),
        (lambda: seqviz.doctor(seqviz.SequenceGRU(1, 2, 1), torch.zeros(3, 1, 1), lr="x"), "learning rate"),
    ],
)
def test_what_cannot_be_examined_gets_a_sentence(call, says):
    with pytest.raises(ValueError, match=says):
        call()
