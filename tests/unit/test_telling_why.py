"""What is said of why a gradient arrives, read back as numbers."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqviz import Clamp, Experiment, Init, Sequence, WeightEdit, gradient_flow, highway_split, network
from seqviz.gradients.studied import networks
from seqviz.language import number, speaking
from seqviz.runner import inputs
from seqviz.scope.message import header_of
from seqviz.telling.why import describe_gone, describe_road, describe_why, left
from seqviz.ui import why_picture
from seqviz.ui.bench import Address

LOGS = st.floats(-400, 400) | st.floats(-8, 8) | st.sampled_from([0.0, -0.0, -2.0, -6.0, 6.0, -1.9999, -5.9999, 0.3])
NOWHERE = Address("", ())


def log_of(text: str) -> float:
    """The log10 of what was said to be left."""
    if text == "nothing":
        return -math.inf
    if raised := re.fullmatch(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text):
        return float(raised[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    plain = text.replace(",", "")
    if plain.startswith("1/"):
        return -math.log10(float(plain[2:]))
    if plain.endswith("%"):
        return math.log10(float(plain[:-1]) / 100)
    return math.log10(float(plain.removeprefix("×")))


@given(LOGS)
@example(math.log10(0.00995))
@example(math.log10(0.0999))
@example(math.log10(9.99))
def test_what_is_left_reads_as_what_it_is(log: float) -> None:
    text = left(log)
    coarse = abs(log) > 6 - 1e-6
    assert log_of(text) == pytest.approx(log, abs=0.5 + 1e-9 if coarse else 0.023)
    # No exponent above a millionth, and none of the letters that a class has to be told.
    assert ("⁻" in text) == (log <= -6 + 1e-9)
    assert "e" not in text


def test_what_is_left_at_its_ends() -> None:
    said = {-math.inf: "nothing", 0.0: "100%", math.log10(0.13): "13%", -math.log10(9300): "1/9,300", -44.2: "10⁻⁴⁴"}
    said |= {math.log10(2.9): "×2.9", math.log10(150): "×150", 12.2: "10¹²", -6.0: "10⁻⁶", -2.0: "1.0%"}
    assert {log: left(log) for log in said} == said
    assert left(math.nan) == "not a number"


@given(LOGS | st.just(-math.inf), LOGS | st.just(-math.inf), st.integers(1, 2000), st.none() | st.floats(-10, 10))
def test_the_sentence_on_top_says_both_numbers_and_which_way(lstm, rnn, steps, bias) -> None:
    said = describe_why({"LSTM": lstm, "RNN": rnn}, steps, bias)
    first, second = said.split("the LSTM's gradient ")[1].split(", the RNN's " if bias is not None else "; the RNN's ")
    for part, log in ((first, lstm), (second, rnn)):
        verb = "grows" if log > math.log10(2) else "keeps" if log > -2 else "shrinks" if log > -math.inf else "is lost"
        if abs(log + 2) > 0.01 and abs(log - math.log10(2)) > 0.01:
            assert part.startswith(verb)
        if log > -math.inf:
            assert left(log) in part
    assert bias is None or number(bias, ".1f") in said
    assert f"{steps} step" in said


@given(road=st.floats(-60, 5), gap=st.floats(-1.5, 1.5) | st.floats(-60, 60))
def test_the_road_never_argues_with_what_arrives(road, gap) -> None:
    """Gaps are drawn about a factor of 2, where what is said changes, and far from it."""
    arrives = road + gap
    said = describe_road(road, arrives)
    assert ("bring the rest" in said) == (arrives - road > math.log10(2))
    assert ("take some" in said) == (road - arrives > math.log10(2))
    assert ("about all" in said) == (abs(road - arrives) <= math.log10(2))


def test_in_other_languages_the_numbers_stay() -> None:
    for language in ("zh", "de"):
        with speaking(language):
            said = describe_why({"LSTM": -0.9, "RNN": -44.0}, 200, 3.0)
        assert "13%" in said
        assert "10⁻⁴⁴" in said
        assert "3.0" in said
        assert "gradient " not in said


def shown(experiment: Experiment, loss: str = "last") -> tuple[dict, dict[str, np.ndarray]]:
    """The picture's header and its arrays."""
    data = why_picture._message(experiment, loss, NOWHERE, "")
    assert data is not None
    header = header_of(data)
    start = 4 + int.from_bytes(data[:4], "little")
    arrays = {}
    for entry in header["arrays"]:
        size = int(np.prod(entry["shape"]))
        arrays[entry["name"]] = np.frombuffer(data, "<f4", size, start + entry["offset"]).reshape(entry["shape"])
    return header, arrays


def noise(bias: float | None = 3.0, steps: int = 60, **more: object) -> Experiment:
    return Experiment("LSTM", 1, 8, init=Init(forget_bias=bias), sequence=Sequence("noise", steps), **more)


@pytest.mark.parametrize("bias", [None, -1.0, 3.0, 6.0])
def test_the_curves_are_the_gradients_and_the_road_the_highways(bias) -> None:
    experiment = noise(bias)
    header, arrays = shown(experiment)
    for name, signal in (("LSTM", "c"), ("GRU", "h"), ("RNN", "h")):
        e = networks(experiment)[name]
        logs = gradient_flow(network(e).double(), inputs(e).double()).log10_norms(f"l0.{signal}")
        np.testing.assert_allclose(arrays[name], logs - logs[-1], atol=1e-4)
        (net,) = [net for net in header["nets"] if net["name"] == name]
        assert log_of(net["left"]) == pytest.approx(float(logs[0] - logs[-1]), abs=0.5 if "⁻" in net["left"] else 0.023)
    net, x = network(experiment).double(), inputs(experiment).double()
    split = highway_split(net, x)
    asks = np.abs(gradient_flow(net, x)["l0.c"][-1, 0])
    right = np.linalg.norm(asks * np.exp(split.log_direct[0])) / np.linalg.norm(asks)
    keeps = -np.logaddexp(0, -(arrays["drive"] + arrays["biases"]).astype(float))[1:].sum(axis=0)
    found = np.linalg.norm(10.0 ** arrays["asks"].astype(float) * np.exp(keeps)) / np.linalg.norm(asks)
    assert found == pytest.approx(right, rel=1e-4)


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("bias", [3.0, 8.0])
def test_what_grows_lies_inside_of_the_picture(bias: float, gain: float) -> None:
    given = Experiment("LSTM", 1, 6, init=Init(forget_bias=bias, gain=gain), sequence=Sequence("noise", 40))
    header, arrays = shown(given)
    most = max(float(arrays[name].max()) for name in ("LSTM", "GRU", "RNN"))
    low, high = header["range"]
    assert most <= high + 1e-6
    assert high < max(most, 0) + 3
    assert low <= -3


def test_another_bias_moves_the_closed_form_to_where_it_is_measured() -> None:
    """What the browser shows while the hand moves is near what comes back when it rests."""
    _, before = shown(noise(2.0))
    _, after = shown(noise(4.0))
    road = lambda a, b: -np.logaddexp(0, -(a["drive"] + b).astype(float))[1:].sum(axis=0) / np.log(10)  # noqa: E731
    np.testing.assert_allclose(road(before, 4.0).mean(), road(after, 4.0).mean(), atol=0.15)
    np.testing.assert_allclose(after["biases"], 4.0, atol=1e-6)


@pytest.mark.parametrize(
    ("experiment", "loss"),
    [(noise(), "sum"), (noise(num_layers=2), "last"), (noise(interventions=(Clamp("l0.f", 1.0),)), "last")],
)
def test_without_a_road_of_gates_alone_there_is_no_handle(experiment, loss) -> None:
    header, arrays = shown(experiment, loss)
    assert header["road"] == ""
    assert "drive" not in arrays


def test_what_overflows_says_so_and_without_any_gradient_there_is_no_picture() -> None:
    wild = Experiment("LSTM", 1, 4, init=Init("identity", gain=50.0), sequence=Sequence("step", 400))
    header, _ = shown(wild)
    assert "the RNN's is not a number" in header["says"]
    silent = noise().edited([WeightEdit("readout.weight", 0, unit, 0.0) for unit in range(8)])
    assert why_picture._message(silent, "last", NOWHERE, "") is None


@given(st.lists(st.floats(-40, 3) | st.just(-math.inf), min_size=1, max_size=60))
def test_the_step_up_to_which_a_gradient_is_gone(logs):
    """Everything up to there is under a millionth, and the next step's is not."""
    said = describe_gone(logs, "at step 0")
    under = [10.0**log < 1e-6 for log in logs]
    if not under[0]:
        assert said == "at step 0"
        return
    step = int(said.removeprefix("at step 0; under a millionth up to step "))
    assert all(under[: step + 1])
    assert step == len(logs) - 1 or not under[step + 1]
