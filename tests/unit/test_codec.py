"""An experiment written down and read back exactly; anything else is refused in one sentence."""

from __future__ import annotations

import base64
import json
import math
import pickle
import re
import time
import tracemalloc
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from experiments_drawn import SLOW, bits, experiments, read_or_refused, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqviz.experiment import (
    MAX_HIDDEN,
    MAX_INPUT,
    MAX_LAYERS,
    MAX_OUTPUT,
    MAX_STEPS,
    Experiment,
    Sequence,
    Tensor,
    WeightEdit,
    parameter_shapes,
)
from seqviz.experiment.codec import MAX_DOCUMENT

# Round trips


@given(experiments())
@SLOW
def test_json_and_address_round_trip_bit_for_bit(experiment: Experiment) -> None:
    for back in (
        Experiment.from_json(experiment.to_json()),
        Experiment.from_json(experiment.to_json(indent=2).encode()),
        Experiment.from_json(b"\xef\xbb\xbf" + experiment.to_json().encode()),
        Experiment.from_url(experiment.to_url()),
        pickle.loads(pickle.dumps(experiment)),
    ):
        assert back == experiment
        assert hash(back) == hash(experiment)
        assert bits(back) == bits(experiment)


@given(experiments())
@SLOW
def test_documents_are_plain_json_and_addresses_are_safe(experiment: Experiment) -> None:
    document = json.loads(experiment.to_json(), parse_constant=pytest.fail)
    assert document["seqviz"] == 1
    assert re.fullmatch(r"[A-Za-z0-9_-]+", experiment.to_url())


def test_the_default_is_a_short_document() -> None:
    assert Experiment().to_json() == '{"seqviz":1}'
    assert Experiment.from_json('{"seqviz": 1}') == Experiment()


@pytest.mark.parametrize("value", [-0.0, 0.0, 1e-45, -1e-45, 5.877e-39, 3.4028234663852886e38, 0.1])
def test_an_edited_weight_survives_to_the_last_bit(value: float) -> None:
    experiment = Experiment().edited([WeightEdit("weight_hh_l0", 3, 4, value)])
    for back in (Experiment.from_json(experiment.to_json()), Experiment.from_url(experiment.to_url())):
        assert np.float32(back.edits[0].value).tobytes() == np.float32(value).tobytes()
        assert math.copysign(1, back.edits[0].value) == math.copysign(1, value)


def test_the_largest_experiment_round_trips() -> None:
    base = Experiment("LSTM", MAX_INPUT, MAX_HIDDEN, MAX_OUTPUT, MAX_LAYERS)
    draw = np.random.default_rng(0)
    tensors = [Tensor.of(n, draw.standard_normal(s)) for n, s in parameter_shapes(base).items()]
    values = draw.standard_normal((MAX_STEPS, MAX_INPUT))
    edits = [WeightEdit("weight_hh_l0", k % 1024, k // 1024, 0.1 * k) for k in range(20_000)]
    experiment = replace(base, tensors=tensors, edits=edits, sequence=Sequence.of_values(values))
    assert len(experiment.to_json()) < MAX_DOCUMENT
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert Experiment.from_url(experiment.to_url()) == experiment


# Refusals

BAD: list[tuple[str, str]] = [
    ("", "cannot be read as JSON"),
    ("{", "cannot be read as JSON"),
    ("[" * 100_000, "cannot be read as JSON"),
    ("9" * 5000, "cannot be read as JSON"),
    ("null", 'lacks the field "seqviz"'),
    ("[1]", 'lacks the field "seqviz"'),
    ('{"cell":"LSTM"}', 'lacks the field "seqviz"'),
    ('{"seqviz":2}', "format 2; this version of seqviz reads format 1"),
    ('{"seqviz":true}', "format True"),
    ('{"seqviz":[[]]}', "this version of seqviz reads"),
    ('{"seqviz":1,"depth":3}', "has no field 'depth'"),
    ('{"seqviz":1,"hidden_size":1000000000}', "hidden size must be from 1 to 256; 1000000000 is outside"),
    ('{"seqviz":1,"hidden_size":' + "9" * 4000 + "}", "hidden size must be from 1 to 256"),
    ('{"seqviz":1,"hidden_size":"16"}', "hidden size must be a whole number from 1 to 256, not '16'"),
    ('{"seqviz":1,"hidden_size":16.0}', "must be a whole number"),
    ('{"seqviz":1,"hidden_size":true}', "must be a whole number"),
    ('{"seqviz":1,"num_layers":5}', "number of layers must be from 1 to 4"),
    ('{"seqviz":1,"output_size":0}', "output size must be from 1"),
    ('{"seqviz":1,"input_size":null}', "input size must be a whole number"),
    ('{"seqviz":1,"cell":"lstm"}', "cell must be one of LSTM, GRU, RNN_TANH, RNN_RELU"),
    ('{"seqviz":1,"cell":["LSTM"]}', "cell must be one of"),
    ('{"seqviz":1,"init":[]}', "The init must be an object"),
    ('{"seqviz":1,"init":{"scheme":"he"}}', "initialisation must be one of default"),
    ('{"seqviz":1,"init":{"gain":NaN}}', "gain must be a finite number"),
    ('{"seqviz":1,"init":{"gain":1e999}}', "gain must be a finite number"),
    ('{"seqviz":1,"init":{"gain":101}}', "gain must be from −100 to 100"),
    ('{"seqviz":1,"init":{"gain":"1"}}', "gain must be a number"),
    ('{"seqviz":1,"init":{"spectral_radius":-1}}', "spectral radius must be from 0"),
    ('{"seqviz":1,"init":{"forget_bias":1000}}', "forget bias must be from −100"),
    ('{"seqviz":1,"init":{"seed":-1}}', "seed must be from 0"),
    ('{"seqviz":1,"init":{"edits":[]}}', "has no field 'edits'"),
    ('{"seqviz":1,"sequence":{"kind":"chirp"}}', "kind of sequence must be one of"),
    ('{"seqviz":1,"sequence":{"length":2001}}', "length of the sequence must be from 1 to 2,000"),
    ('{"seqviz":1,"sequence":{"period":0}}', "period must be above 0"),
    ('{"seqviz":1,"sequence":{"amplitude":1e9}}', "amplitude must be from −1e6 to 1e6"),
    ('{"seqviz":1,"sequence":{"text":["a"]}}', "its text and its alphabet as strings"),
    ('{"seqviz":1,"sequence":{"alphabet":{}}}', "its text and its alphabet as strings"),
    ('{"seqviz":1,"sequence":{"kind":"text"}}', "text is empty"),
    ('{"seqviz":1,"sequence":{"kind":"text","text":"ab","alphabet":"a"}}', "alphabet lacks 'b'"),
    ('{"seqviz":1,"sequence":{"kind":"text","text":"ab","alphabet":"aab"}}', "different characters"),
    ('{"seqviz":1,"sequence":{"kind":"text","text":"ab","alphabet":"ab"}}', "so the input size must be 2, not 1"),
    ('{"seqviz":1,"sequence":{"kind":"text","text":"\\ud800","alphabet":"\\ud800"}}', "lone surrogate"),
    ('{"seqviz":1,"sequence":{"kind":"values","values":"AAA="}}', "must be float32, 4 bytes each"),
    ('{"seqviz":1,"sequence":{"kind":"values","values":""}}', "must be float32, 4 bytes each"),
    ('{"seqviz":1,"sequence":{"kind":"values","values":"AADAfw==","length":1}}', "NaN or infinity"),
    ('{"seqviz":1,"sequence":{"kind":"values","values":"AAAAAA==","length":2}}', "holds 1 number; for 2 steps"),
    ('{"seqviz":1,"sequence":{"values":"é"}}', "base64"),
    ('{"seqviz":1,"sequence":{"values":3}}', "base64"),
    ('{"seqviz":1,"sequence":{"edits":[[0,0]]}}', "edit must be a list of 3 values"),
    ('{"seqviz":1,"sequence":{"edits":[[0,1,2]]}}', "input beyond the input size, 1"),
    ('{"seqviz":1,"sequence":{"edits":[[48,0,2]]}}', "beyond the sequence, which has 48 steps"),
    ('{"seqviz":1,"sequence":{"edits":[[0,0,1e39]]}}', "beyond what a 32-bit float can hold"),
    ('{"seqviz":1,"edits":3}', '"edits" must be a list'),
    ('{"seqviz":1,"edits":[["weight_hh_l0",0,0]]}', "edit must be a list of 4 values"),
    ('{"seqviz":1,"edits":[["weight_hh_l1",0,0,1]]}', "no parameter 'weight_hh_l1'; this network has weight_ih_l0"),
    ('{"seqviz":1,"edits":[["weight_hh_l0",64,0,1]]}', "64 rows and 16 columns; row 64, column 0 does not exist"),
    ('{"seqviz":1,"edits":[["bias_hh_l0",0,1,1]]}', "64 rows and 1 column;"),
    ('{"seqviz":1,"edits":[[null,0,0,1]]}', "parameter's name must be text"),
    ('{"seqviz":1,"edits":[["weight_hh_l0",0,0,null]]}', "must be a number, not None"),
    ('{"seqviz":1,"tensors":[{}]}', "base64"),
    ('{"seqviz":1,"tensors":[{"parameter":"readout.bias","shape":[1],"data":"AAAA"}]}', "3 bytes; the shape"),
    ('{"seqviz":1,"tensors":[{"parameter":"readout.bias","shape":[2],"data":"AAAAAAAAAAA="}]}', r"shape \(1,\), not"),
    ('{"seqviz":1,"tensors":[{"parameter":"readout.bias","shape":[1],"data":"AADAfw=="}]}', "NaN or infinity"),
    ('{"seqviz":1,"tensors":[{"shape":[1],"data":"AAAAAA=="}]}', "not complete"),
    ('{"seqviz":1,"tensors":[{"parameter":[],"shape":[1],"data":"AAAAAA=="}]}', "needs a name"),
    ('{"seqviz":1,"tensors":[{"parameter":"a","shape":[],"data":""}]}', "one or two sizes"),
    ('{"seqviz":1,"interventions":[3]}', "must be an object with its kind"),
    ('{"seqviz":1,"interventions":[{"kind":"cut"}]}', "kind of an intervention must be one of clamp, ablate, scale"),
    ('{"seqviz":1,"interventions":[{"kind":"clamp","signal":"l0.f"}]}', "not complete"),
    ('{"seqviz":1,"interventions":[{"kind":"ablate","signal":"l0.z"}]}', "no signal 'l0.z'"),
    ('{"seqviz":1,"interventions":[{"kind":"ablate","signal":["l0.f"]}]}', "needs the name of a signal"),
    ('{"seqviz":1,"interventions":[{"kind":"ablate","signal":"l0.f","units":[16]}]}', "unit 16 does not exist"),
    ('{"seqviz":1,"interventions":[{"kind":"ablate","signal":"l0.f","steps":[50,60]}]}', "does not exist"),
    ('{"seqviz":1,"interventions":[{"kind":"clamp","signal":"l0.f","value":1e300}]}', "beyond what a 32-bit float"),
    ('{"seqviz":1,"interventions":[{"kind":"clamp","signal":"l0.f","value":' + "9" * 400 + "}]}", "must be a number"),
    ('{"seqviz":1,"interventions":[' + ",".join(['{"kind":"ablate","signal":"l0.f"}'] * 65) + "]}", "At most 64"),
]


@pytest.mark.parametrize(("document", "says"), BAD, ids=[says[:40] for _, says in BAD])
def test_malformed_documents(document: str, says: str) -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(document.encode())).rstrip(b"=").decode()
    for read in (
        lambda: Experiment.from_json(document),
        lambda: Experiment.from_json(document.encode()),
        lambda: Experiment.from_url(packed),
    ):
        assert re.search(says, refused(read))


def test_documents_that_are_not_text() -> None:
    for thing in (None, 3, [], {}):
        refused(lambda thing=thing: Experiment.from_json(thing))  # type: ignore[misc]
        refused(lambda thing=thing: Experiment.from_url(thing))  # type: ignore[misc]
    refused(lambda: Experiment.from_json(b"\xff\xfe\x00"))
    refused(lambda: Experiment.from_json('{"seqviz":1}'.encode("utf-16")))


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["LSTM", "l0.f"])
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def fields_of(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, trees))


parts = {
    "init": fields_of("scheme", "gain", "spectral_radius", "forget_bias", "seed"),
    "sequence": fields_of("kind", "length", "amplitude", "period", "seed", "text", "alphabet", "values", "edits"),
    "edits": st.lists(st.lists(trees, min_size=4, max_size=4), max_size=2),
    "tensors": st.lists(fields_of("parameter", "shape", "data"), max_size=2),
    "interventions": st.lists(
        st.builds(
            lambda kind, rest: {"kind": kind, "signal": "l0.f", **rest},
            st.sampled_from(["clamp", "ablate", "scale"]),
            fields_of("signal", "units", "steps", "value", "factor"),
        ),
        max_size=2,
    ),
}
sizes_wrong = dict.fromkeys(["cell", "input_size", "hidden_size", "output_size", "num_layers"], trees)
documents = st.fixed_dictionaries(
    {"seqviz": st.just(1)}, optional={**sizes_wrong, **{k: v | trees for k, v in parts.items()}}
)


@given(documents | trees)
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_read_or_refused_in_one_sentence(document: Any) -> None:
    experiment = read_or_refused(Experiment.from_json, json.dumps(document))
    if experiment is not None:
        assert isinstance(hash(experiment), int)
        assert bits(Experiment.from_url(experiment.to_url())) == bits(experiment)


@given(experiments(), st.data())
@SLOW
def test_a_part_of_another_type_is_refused_or_makes_a_sound_experiment(
    experiment: Experiment, data: st.DataObject
) -> None:
    document = json.loads(experiment.to_json())
    place: Any = document
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(trees)
            break
        place = place[key]
    back = read_or_refused(Experiment.from_json, json.dumps(document))
    assert back is None or Experiment.from_json(back.to_json()) == back


@given(experiments(), st.data())
@SLOW
def test_an_address_cut_short_or_changed_is_noticed(experiment: Experiment, data: st.DataObject) -> None:
    code = experiment.to_url()
    cut = code[: data.draw(st.integers(0, len(code) - 1))]
    assert read_or_refused(Experiment.from_url, cut) in (None, experiment)
    if len(cut) < len(code) - 4:
        refused(lambda: Experiment.from_url(cut))
    where = data.draw(st.integers(0, len(code) - 1))
    letter = data.draw(st.sampled_from("ABCabc012-_ %+/=é\n\x00"))
    for changed in (code[:where] + letter + code[where + 1 :], code[:where] + letter + code[where:], code + letter):
        assert read_or_refused(Experiment.from_url, changed) in (None, experiment)
    refused(lambda: Experiment.from_url(code + "AAAA"))


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_any_text_is_no_address(text: str) -> None:
    assert read_or_refused(Experiment.from_url, text) is None


def zipped(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content, 9)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "content",
    [
        b" " * 2 * 10**8,
        b'{"seqviz":1,"edits":[' + b"[]," * 10**7 + b"[]]}",
        b'{"seqviz":1,"edits":[' + b'"ab",' * (6 * 10**6) + b"1]}",
        b'{"seqviz":1,"tensors":[{"parameter":"a","data":"","shape":[' + b"1048576," * 10**5 + b"1]}]}",
    ],
    ids=["200 million blanks", "ten million lists", "six million texts", "a shape of 100,000 sizes"],
)
def test_an_address_that_unpacks_to_too_much(content: bytes) -> None:
    code = zipped(content)
    del content
    tracemalloc.start()
    started = time.process_time()
    refused(lambda: Experiment.from_url(code))
    spent, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MAX_DOCUMENT
    assert spent < 3


def test_too_large_a_file() -> None:
    assert "larger than 32 MB" in refused(lambda: Experiment.from_json(" " * (MAX_DOCUMENT + 1)))
