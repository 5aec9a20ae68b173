"""What a person's network is judged by when nothing is said, where its findings are shown, and the command for it."""

from __future__ import annotations

import io
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn

import seqviz
from seqviz import command
from seqviz.command import OPEN
from seqviz.doctor import Diagnosis, Finding, Row
from seqviz.language import Sentence, tr
from seqviz.reading import Table
from seqviz.ui import yours as yours_module
from seqviz.ui.panels import asked
from seqviz.ui.yours_fits import best_scale, fits_best, fits_better


def saved(thing: Any) -> bytes:
    file = io.BytesIO()
    torch.save(thing, file)
    return file.getvalue()


def given(state: Any, table: Table | None = None, name: str = "net.pt") -> yours_module.Yours:
    yours = yours_module.Yours()
    yours.take({name: saved(state)})
    yours.table, yours.data_name = table, "table.csv"
    return yours


class Repeats(nn.Module):
    """Gives the second of its inputs, whose next value is nearly the same."""

    def __init__(self, times: float = 1.0) -> None:
        super().__init__()
        self.rnn, self.head = nn.RNN(2, 2, nonlinearity="relu"), nn.Linear(2, 1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.zero_()
            self.rnn.weight_ih_l0.copy_(torch.tensor([[0.0, times], [0.0, -times]]))
            self.head.weight.copy_(torch.tensor([[1.0, -1.0]]))


def table() -> Table:
    draw = np.random.default_rng(0)
    return Table(np.column_stack([draw.normal(size=300), np.cumsum(draw.normal(size=300)) + 40]), ("noise", "walk"))


def test_the_column_that_the_network_gives_is_found() -> None:
    yours = given(Repeats().state_dict(), table())
    yours.answer("nonlinearity", "relu")
    assert yours.chosen == ["noise", "walk"]
    assert fits_best(yours) == "walk"
    assert yours.aims == (["walk"], 1)
    assert fits_better(yours) is None
    yours.wanted = ["noise"]
    assert yours.aims == (["noise"], 1)
    yours.wanted, yours.columns = [], ["walk", "noise"]
    assert fits_best(yours) == "", "the first one is none to be doubted"
    assert yours.aims[0] == ["walk"]


def test_a_scale_that_fits_better_is_told_and_a_press_away() -> None:
    yours = given(Repeats(0.5).state_dict(), table())
    yours.answer("nonlinearity", "relu")
    yours.wanted = ["walk"]
    assert best_scale(yours) == "standardise"
    assert "With its columns standardised" in str(fits_better(yours))
    yours.scale = "standardise"
    assert best_scale(yours) is None
    assert fits_better(yours) is None


def finding(*rows: str) -> Finding:
    said: Sentence = tr("Nothing was asked.")
    return Finding("dead", said, said, said, tuple(Row(row, (1,)) for row in rows))


def seen(yours: yours_module.Yours, *rows: str) -> list[str]:
    return [row["signal"] for row in asked._lit(Diagnosis((finding(*rows),)), yours)]


def test_rows_are_lit_in_every_layer_direction_and_stack() -> None:
    yours = given(nn.LSTM(3, 4, 2, bidirectional=True).state_dict())
    rows = ("x", "l0.f", "l0_reverse.o", "l1.h", "l1_reverse.c")
    assert seen(yours, *rows) == ["x", "l0.f"]
    yours.reverse = True
    assert seen(yours, *rows) == ["x", "l0.o"]
    yours.layer = 1
    assert seen(yours, *rows) == ["x", "l1.c"]
    assert seen(yours, "layers.0.runs.3.l0.z", "layers.0.runs.2.l0.r", "nonsense") == ["l1.z"]
    shows = asked._shower(Diagnosis((one := finding("l0.f"), two := finding("l1_reverse.c"))), yours)
    assert shows(two) is None
    show = shows(one)
    assert show is not None
    show()
    assert (yours.layer, yours.reverse) == (0, False)


def test_a_lower_stack_is_shown_while_the_question_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    first, then = nn.GRU(2, 3), nn.LSTM(3, 4)
    yours = given({**{f"a.{k}": v for k, v in first.state_dict().items()},
                   **{f"b.{k}": v for k, v in then.state_dict().items()}}, table())  # fmt: skip
    file = yours.file
    assert file is not None
    below, above = file.stacks
    object.__setattr__(above, "fed_by", "a")
    yours.stack, key = 1, None
    key = yours.key()
    assert yours.pictured is above
    assert yours.run().trace.modes == {"": "LSTM"}
    assert seen(yours, "layers.1.l0.f", "layers.0.l0.z", "x") == ["l0.f"]
    show = asked._shower(Diagnosis((one := finding("layers.0.l0.z"),)), yours)(one)
    assert show is not None
    show()
    assert (yours.pictured, yours.key()) == (below, key)
    trace = yours.run().trace
    x = torch.from_numpy(yours.inputs().x)[:, None]
    np.testing.assert_allclose(trace["l0.h"], first(x)[0].detach(), atol=1e-6)
    assert seen(yours, "layers.1.l0.f", "layers.0.l0.z", "x") == ["l0.z", "x"]


def test_the_reverse_direction_is_examined_too() -> None:
    torch.manual_seed(0)
    net = seqviz.SequenceLSTM(3, 8, 2, bidirectional=True)
    with torch.no_grad():
        net.rnn.bias_ih_l0_reverse[24 + 5] = -30.0  # the output gate of unit 5
        net.rnn.bias_ih_l0_reverse[[5, 8 + 5]] = 9.0
    found = seqviz.doctor(net, torch.randn(40, 3, 3))
    rows = {(each.kind, row) for each in found for row in each.rows}
    assert ("never_read", Row("l0_reverse.o", (5,))) in rows
    assert not any(row.signal.startswith("l0.") for _, row in rows)


@pytest.mark.parametrize(
    "choose",
    [{}, {"wanted": ["load, in MW"], "ahead": 3}, {"columns": ["load, in MW"], "ahead": 0, "scale": "to_range"}],
)
@pytest.mark.parametrize("typed", [False, True])
def test_the_command_says_what_was_typed_and_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choose: dict[str, Any], typed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-net.pt").write_bytes(saved(nn.GRU(1, 2).state_dict()))
    first, second = yours_module.Yours(), yours_module.Yours()
    first.take({"-net.pt": Path("-net.pt").read_bytes()})
    if typed:
        choose = {key: ["0"] if isinstance(value, list) else value for key, value in choose.items()}
        first.typed("\n".join(f"{k / 7:.3f}" for k in range(30)))
    else:
        Path("t.csv").write_text('day,"load, in MW"\n' + "".join(f"{k},{k % 5}\n" for k in range(30)))
        first.bring(Path("t.csv").read_bytes(), "t.csv")
    for key, value in choose.items():
        setattr(first, key, value)
    handed: dict[str, Any] = {}
    monkeypatch.setattr(command, "_start", lambda port, wanted: handed.update(wanted) or 0)
    program, *arguments = shlex.split(asked._command(first))
    assert (program, command.main(arguments)) == ("seqviz", 0)
    monkeypatch.setenv(OPEN, json.dumps(handed))
    yours_module._wanted.cache_clear()
    second._handed_over()
    np.testing.assert_array_equal(second.inputs().x, first.inputs().x)
    assert second.aims == first.aims
    assert second.scale == first.scale


def test_a_column_that_there_is_not_is_said_before_the_app_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.pt").write_bytes(saved(nn.GRU(1, 2).state_dict()))
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    words = ["show", str(tmp_path / "net.pt"), "--data", str(tmp_path / "t.csv"), "--aim"]
    assert command.main([*words, "c"]) == 1
    assert "no column 'c'; it has 'a', 'b'" in capsys.readouterr().err
    assert command.main([*words, "a", "--typed", "1"]) == 1
    assert "--data and --typed" in capsys.readouterr().err


def test_all_parts_of_a_network_are_dropped_at_once() -> None:
    layer, yours = nn.LSTM(3, 4, 2), yours_module.Yours()
    parts = [{k: v for k, v in layer.state_dict().items() if f"_l{k_}" in k} for k_ in range(2)]
    files = {f"model-0000{k + 1}-of-00002.safetensors": save(part) for k, part in enumerate(parts)}
    yours.take(files | {"model.safetensors.index.json": b"{}"})
    assert yours.shown.num_layers == 2
    first, second = files
    yours.attempt(lambda: yours.take({second: files[second]}))
    assert f"{first} is missing" in yours.problem
    assert yours.shown.num_layers == 2, "what was there stays"


def test_ids_are_on_no_scale() -> None:
    state = {f"rnn.{k}": v for k, v in nn.LSTM(4, 3).state_dict().items()} | {"embedding.weight": torch.randn(9, 4)}
    yours = given(state, Table(np.arange(30.0)[:, None] % 9, ("token",)))
    yours.scale = "standardise"
    assert yours.takes_ids
    assert yours.scaled_by == {}
    assert "--standardise" not in asked._command(yours)
    np.testing.assert_array_equal(yours.inputs().x, state["embedding.weight"][torch.arange(30) % 9])


def test_as_much_can_be_typed_as_a_file_may_hold() -> None:
    yours = yours_module.Yours()
    yours.typed("1\n2")
    with pytest.raises(ValueError, match="longer than 25 million characters"):
        yours.typed("1\n" * 12_500_001)
    assert yours.table is not None
    assert yours.table.values.tolist() == [[1], [2]], "what was there stays"
