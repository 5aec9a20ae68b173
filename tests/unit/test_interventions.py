"""Interventions as values, and what they do to a run."""

import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from torch_docs import KINDS, Case, build

from seqviz.capture import capture, stepwise
from seqviz.experiment.interventions import Ablate, Clamp, Scale, apply, resolve_steps, validate

WIDTHS = {"x": 3, "l0.i": 32, "l0.f": 32, "l0.f_pre": 32}


def test_forms_come_to_one_hashable_value():
    same = [
        Clamp("l0.f", 1, units=[3, 1, 3], steps=slice(5, 20)),
        Clamp("l0.f", np.float32(1), units=(1, 3), steps=range(5, 20)),
        Clamp("l0.f", 1.0, units=np.array([1, 3]), steps=(5, 20)),
    ]
    assert len(set(same)) == 1
    assert same[0].units == (1, 3)
    assert same[0].steps == (5, 20)
    assert pickle.loads(pickle.dumps(same[0])) == same[0]
    assert Ablate("l0.h", units=2).units == (2,)
    assert Ablate("l0.h", steps=4).steps == (4, 5)
    assert Ablate("l0.h", steps=-1).steps == (-1, None)
    assert Ablate("l0.h", steps=slice(None, -2)).steps == (0, -2)
    assert Ablate("l0.h").steps is None
    assert Ablate("l0.h") != Scale("l0.h", 0.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Clamp("l0.f", math.nan),
        lambda: Clamp("l0.f", math.inf),
        lambda: Scale("l0.f", -math.inf),
        lambda: Clamp("l0.f", "1"),
        lambda: Clamp("l0.f", True),
        lambda: Clamp("", 1.0),
        lambda: Clamp(3, 1.0),
        lambda: Ablate("l0.f", units=[]),
        lambda: Ablate("l0.f", units=-1),
        lambda: Ablate("l0.f", units="12"),
        lambda: Ablate("l0.f", units=[1.5]),
        lambda: Ablate("l0.f", units=True),
        lambda: Ablate("l0.f", steps=slice(0, 9, 2)),
        lambda: Ablate("l0.f", steps=(1, 2, 3)),
        lambda: Ablate("l0.f", steps="all"),
        lambda: Ablate("l0.f", steps=1.0),
    ],
)
def test_a_malformed_field_is_a_value_error_with_a_sentence(make):
    with pytest.raises(ValueError, match=r"\w+ .*[.\]]$|got"):
        make()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Clamp("l0.q", 1), r"There is no signal 'l0\.q'\. The signals of this network are x, l0\.i, l0\.f\."),
        (Clamp("l0.f", 1, units=40), r"l0\.f has units 0 to 31; unit 40 does not exist\."),
        (Clamp("l0.f", 1, steps=10), r"The sequence has steps 0 to 9; step 10 does not exist\."),
        (Clamp("l0.f", 1, steps=(5, 12)), r"The sequence has steps 0 to 9; step 11 does not exist\."),
        (Clamp("l0.f", 1, steps=-11), r"The sequence has steps 0 to 9; step −11 does not exist\."),
        (Clamp("l0.f", 1, steps=(7, 7)), "hold no step"),
        ("l0.f", "An intervention is a Clamp, an Ablate or a Scale"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(edit, words):
    with pytest.raises(ValueError, match=words):
        validate([edit], WIDTHS, 10)


def test_valid_edits_pass():
    edits = [Clamp("l0.f_pre", 1, units=31, steps=-10), Ablate("x", steps=(0, 10)), Scale("l0.i", 2, steps=(-1, None))]
    validate(edits, WIDTHS, 10)
    validate([Ablate("x", steps=(50, 60))], WIDTHS, None)


@pytest.mark.parametrize("steps", [None, 4, -1, (2, 5), (2, None), (-3, -1), (0, 10)])
def test_steps_read_as_python_slices(steps):
    stored = Ablate("x", steps=steps).steps
    whole = list(range(10))
    part = whole if steps is None else [whole[steps]] if isinstance(steps, int) else whole[slice(*steps)]
    assert whole[slice(*resolve_steps(stored, 10))] == part


def test_apply_edits_a_copy():
    value = torch.arange(6.0).view(2, 3)
    kept = value.clone()
    edits = [Scale("x", 2, units=[0, 2]), Clamp("x", -1, units=1, steps=slice(3, 4))]
    assert torch.equal(apply(edits, value, 3, 10), torch.tensor([[0.0, -1, 4], [6, -1, 10]]))
    assert torch.equal(apply(edits, value, 2, 10), torch.tensor([[0.0, 1, 4], [6, 4, 10]]))
    assert torch.equal(value, kept)
    assert apply([Ablate("x", steps=1)], value, 2, 10) is value
    nan = torch.full((1, 2), math.nan)
    assert torch.equal(apply([Ablate("x")], nan, 0, 1), torch.zeros(1, 2))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["batch", "unbatched", "packed"])
def test_an_edit_changes_what_comes_after_it_and_nothing_before(kind, form):
    torch.manual_seed(0)
    rnn = build(kind, 3, 16, num_layers=2)
    case = Case(rnn, 9, form=form)
    untouched = capture(rnn, case.x, case.hx, [Scale("l0.h", 1.0)])
    edited = capture(rnn, case.x, case.hx, [Clamp("l0.h", 0.9, units=1, steps=3)])
    for name in edited:
        assert np.array_equal(edited[name][:3], untouched[name][:3]), name
    assert np.all(edited["l0.h"][3, :, 1] == np.float32(0.9))
    for name in ("l0.h", "l1.h"):
        assert not np.array_equal(edited[name][4:], untouched[name][4:])
    assert edited.parity < 1e-5


@pytest.mark.parametrize("signal", ["f", "f_pre", "f_ih", "f_hh", "i", "c", "o"])
def test_downstream_of_any_signal_is_recomputed(signal):
    """Every line of the documentation holds again on the edited run, but for the edited one."""
    torch.manual_seed(0)
    rnn = nn.LSTM(3, 4).double()
    x = torch.randn(8, 2, 3, dtype=torch.float64)
    s = capture(rnn, x, interventions=[Scale(f"l0.{signal}", 0.5, steps=(2, 5))], detail=True)
    part = {name: s[f"l0.{name}"] for name in ("i", "f", "g", "o", "c", "h", "f_pre", "f_ih", "f_hh")}
    before = np.concatenate([s.initial["l0.h"][None], part["h"][:-1]])
    w_hh, b_hh = (getattr(rnn, f"{n}_hh_l0").detach().numpy()[4:8] for n in ("weight", "bias"))
    c_before = np.concatenate([s.initial["l0.c"][None], part["c"][:-1]])
    expected = {
        "f_hh": before @ w_hh.T + b_hh,
        "f_pre": part["f_ih"] + part["f_hh"],
        "f": 1 / (1 + np.exp(-part["f_pre"])),
        "c": part["f"] * c_before + part["i"] * part["g"],
        "h": part["o"] * np.tanh(part["c"]),
    }
    for name, value in expected.items():
        value = value.copy()
        if name == signal:
            value[2:5] *= 0.5
        np.testing.assert_allclose(part[name], value, atol=1e-13, err_msg=name)


def test_a_clamped_forget_gate_makes_an_adder():
    """f = 1 and i = 1: the cell is the running sum of the candidates."""
    rnn = nn.LSTM(3, 4).double()
    trace = capture(rnn, torch.randn(20, 2, 3).double(), interventions=[Clamp("l0.f", 1), Clamp("l0.i", 1)])
    np.testing.assert_allclose(trace["l0.c"], np.cumsum(trace["l0.g"], 0), atol=1e-13)


def test_edits_of_the_input_and_of_a_reverse_direction_keep_the_time_axis():
    torch.manual_seed(0)
    rnn = nn.GRU(3, 4, bidirectional=True)
    x = torch.randn(6, 2, 3)
    changed = x.clone()
    changed[2, :, 1] = 5
    trace = capture(rnn, x, interventions=[Clamp("x", 5, units=1, steps=2)])
    expected = capture(rnn, changed)
    for name in trace:
        np.testing.assert_allclose(trace[name], expected[name], atol=1e-6)
    trace, plain = capture(rnn, x, interventions=[Ablate("l0_reverse.h", steps=2)]), capture(rnn, x)
    assert np.all(trace["l0_reverse.h"][2] == 0)
    np.testing.assert_allclose(trace["l0_reverse.h"][3:], plain["l0_reverse.h"][3:], atol=1e-6)
    assert not np.allclose(trace["l0_reverse.h"][:2], plain["l0_reverse.h"][:2], atol=1e-3)


def test_edits_apply_in_the_order_given():
    rnn, x = nn.GRU(3, 4), torch.randn(5, 1, 3)
    trace = capture(rnn, x, interventions=[Clamp("l0.z", 0.2), Scale("l0.z", 2), Scale("l0.z", 2)])
    np.testing.assert_allclose(trace["l0.z"], 0.8, rtol=1e-6)


def test_parity_notices_a_step_that_is_not_torchs():
    """The parity of an edited run is a measurement: it reports a cell that computes something else."""
    rnn = nn.LSTM(3, 4)
    x = torch.randn(6, 2, 3)
    assert capture(rnn, x, interventions=[Ablate("l0.f", steps=2)]).parity < 1e-6
    kept = stepwise.alone
    try:
        stepwise.alone = lambda *args: tuple(v + 0.125 for v in kept(*args))
        assert capture(rnn, x, interventions=[Ablate("l0.f", steps=2)]).parity == pytest.approx(0.125, abs=1e-5)
    finally:
        stepwise.alone = kept
