"""A trace as a message of the scope, and that message as a file of its own."""

from __future__ import annotations

import json
import re
import struct

import numpy as np
import pytest
import torch
from torch import nn

import seqviz
from seqviz.scope import of_trace
from seqviz.scope.hosts.html import page


def unpacked(message: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    arrays = {}
    for entry in header["arrays"]:
        start, size = 4 + length + entry["offset"], int(np.prod(entry["shape"]))
        arrays[entry["name"]] = np.frombuffer(message, "<f4", size, start).reshape(entry["shape"])
    return header, arrays


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.GRU(3, 4, bidirectional=True)
        self.decoder = nn.LSTM(8, 5, num_layers=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(x)[0])[0]


@pytest.fixture(scope="module")
def trace() -> seqviz.Trace:
    torch.manual_seed(0)
    return seqviz.capture(Two(), torch.randn(7, 2, 3))


@pytest.mark.parametrize(
    ("chosen", "path", "cell", "signals", "layers"),
    [
        ({}, "encoder.l0", "GRU", "rznh", 1),
        ({"reverse": True, "batch": 1}, "encoder.l0_reverse", "GRU", "rznh", 1),
        ({"prefix": "decoder", "layer": 1, "batch": 1}, "decoder.l1", "LSTM", "figcoh", 2),
    ],
)
def test_a_layer_a_direction_and_a_batch_element_are_sent_as_they_ran(trace, chosen, path, cell, signals, layers):
    header, arrays = unpacked(of_trace(trace, **chosen))
    assert (header["cell"], header["layers"], header["steps"]) == (cell, layers, 7)
    assert [row["signal"] for row in header["rows"]] == ["x", *signals]
    batch = chosen.get("batch", 0)
    for signal in signals:
        assert np.array_equal(arrays[signal], trace[f"{path}.{signal}"][:, batch])
    assert np.array_equal(arrays["x"], trace[f"{path.split('.')[0]}.x"][:, batch])


def test_a_sentence_stands_on_top_and_names_and_marks_are_told(trace):
    header, _ = unpacked(of_trace(trace))
    assert re.match(r"On average \d+% of the old state is kept a step", header["headline"])
    assert header["names"] is None
    assert header["marks"] is None
    lit = [{"signal": "l0.z", "units": [1, 2], "mark": "1", "says": "odd"}]
    dates = [f"2024-01-0{k}" for k in range(1, 8)]
    header, _ = unpacked(of_trace(trace, headline="Two findings.", names=("a", "b", "c"), marks=dates, lit=lit))
    assert (header["headline"], header["names"], header["marks"], header["lit"]) == (
        "Two findings.", ["a", "b", "c"], dates, lit,
    )  # fmt: skip
    header, _ = unpacked(of_trace(trace, names=("a", "b"), marks=dates[:3]))
    assert (header["names"], header["marks"]) == (None, None), "what does not fit is left out"


def test_another_run_is_laid_beside_it(trace):
    torch.manual_seed(1)
    other = seqviz.capture(Two(), torch.randn(7, 2, 3))
    header, arrays = unpacked(of_trace(trace, baseline=other, batch=1))
    assert header["baseline"] is True
    for signal in "xrznh":
        name = "encoder.x" if signal == "x" else f"encoder.l0.{signal}"
        np.testing.assert_array_equal(arrays[f"baseline.{signal}"], other[name][:, 1])
    header, arrays = unpacked(of_trace(trace, baseline=other.sel(step=slice(0, 5))))
    assert header["baseline"] is False
    assert not any(name.startswith("baseline.") for name in arrays)


def test_steps_past_the_end_of_a_sequence_are_left_out():
    lstm = nn.LSTM(2, 3)
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(6, 2, 2), torch.tensor([6, 4]))
    header, arrays = unpacked(of_trace(seqviz.capture(lstm, packed), batch=1))
    assert header["steps"] == 4
    assert {len(values) for values in arrays.values()} == {4}


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"layer": 2}, "There is no signal 'encoder.l2.h' in this trace; it has encoder.x"),
        ({"prefix": "decoder", "reverse": True}, "There is no signal 'decoder.l0_reverse.h'"),
        ({"prefix": "Decoder"}, "There is no recurrent module 'Decoder' in this trace; it has 'encoder', 'decoder'"),
        ({"batch": 2}, "The batch element must be from 0 to 1, not 2"),
        ({"batch": -1}, "The batch element must be from 0 to 1, not -1"),
        ({"batch": "0"}, "The batch element must be from 0 to 1, not '0'"),
    ],
)
def test_what_the_trace_has_not_got_is_refused_with_what_it_has(trace, chosen, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        of_trace(trace, **chosen)


@pytest.mark.parametrize("odd", [b"", b"\0" * 8, b"\4\0\0\0null", b"abcd" * 100, b"\x02\0\0\0{}"])
def test_bytes_that_are_no_message_are_refused(odd):
    with pytest.raises(ValueError, match="These bytes are no message of the scope"):
        page(odd, "odd")


def test_a_file_says_what_it_may_do_and_escapes_its_title(trace):
    text = page(of_trace(trace), 'x <b> & "y"</title><script>alert(1)</script>')
    assert "alert(1)</script>" not in text
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert text.count("<script") == 3  # the message, Plotly, the scope
